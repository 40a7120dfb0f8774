package ruleset_test

import (
	"fmt"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/possession"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

// A year of proofs, half an hour apart, of ten nodes with a hundred open pins each.
func BenchmarkDeriveOpenPins(b *testing.B) {
	const day, periods = 86_400, 17_520
	p := params()
	p.Start, p.EpochLength, p.CommitWindow, p.AuditWindow = 0, day, day/4, day/4
	in := ruleset.Input{Rules: ruleset.First(), Network: rewardstest.Network(), Params: p, Epoch: 364, Previous: ruleset.State{Epoch: 363}}
	for n := range 10 {
		node := common.Address{byte(n), 1}
		for i := range uint64(100) {
			root := common.Hash{byte(n), byte(i), 2}
			in.Facts = append(in.Facts, protocol.Fact{Block: 1, Index: uint64(n)*100 + i, Time: 12, Event: protocol.PieceAdded{Node: node, ID: i, Root: root, Size: 1 << 30}})
			in.Previous.Pins = append(in.Previous.Pins, ruleset.Pin{
				Receipt: protocol.CIDOf(root[:]), Digest: root, Worker: node, Payer: common.Address{9}, Piece: root, Size: 1 << 30,
				From: 100 * day, Until: 400 * day, Seconds: 300 * day, Value: protocol.Tokens(1),
			})
		}
	}
	for i := uint64(1); i < periods; i++ { // in the chain's order, as a node has them
		for n := range 10 {
			in.Facts = append(in.Facts, protocol.Fact{Block: i*10 + 2, Index: uint64(n), Time: i * 1_800, Event: protocol.PossessionProved{Node: common.Address{byte(n), 1}, Period: i, Leaves: 1}})
		}
	}
	b.Run(fmt.Sprintf("read/facts=%d", len(in.Facts)), func(b *testing.B) {
		for b.Loop() {
			possession.Read(in.Facts, p, p.AuditBy(364))
		}
	})
	b.Run("derive/pins=1000", func(b *testing.B) {
		for b.Loop() {
			// The money of these pins was never collected, so the epoch does not add up:
			// the work up to there is all of it.
			if _, err := ruleset.Derive(in); err == nil {
				b.Fatal("money out of nothing")
			}
		}
	})
}
