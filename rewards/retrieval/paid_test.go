package retrieval_test

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/retrieval"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

// A paid shard of 7 kB among 64 GiB that its holder computes is a four-millionth of
// its set, and half of what auditors ask for.
func TestFillerHidesNoPaidPieceFromAuditors(t *testing.T) {
	p := params()
	node, auditor := rewardstest.Addr("p1"), rewardstest.Addr("a1")
	small := common.Hash{7}
	facts := []protocol.Fact{
		{Block: 1, Index: 0, Time: 1_001, Event: protocol.NodeRegistered{Node: node, Payout: node, Classes: []string{ruleset.ClassPin}}},
		{Block: 1, Index: 1, Time: 1_001, Event: protocol.NodeRegistered{Node: auditor, Payout: auditor, Classes: []string{ruleset.ClassAudit}}},
		{Block: 1, Index: 2, Time: 1_001, Event: protocol.PieceAdded{Node: node, ID: 0, Root: small, Size: 7_000}},
	}
	for i := range uint64(64) {
		facts = append(facts, protocol.Fact{Block: 1, Index: 3 + i, Time: 1_001, Event: protocol.PieceAdded{Node: node, ID: 1 + i, Root: common.Hash{8, byte(i)}, Size: 1 << 30}})
	}
	count := func(pins []ruleset.Pin) (n, all int) {
		r := retrieval.NewRound(facts, p, 0, 100, common.Hash{3})
		r.Pay(pins)
		for _, k := range r.Draw(auditor, 32) {
			if all++; k.Piece == small {
				n++
			}
			if !r.Admits(protocol.RetrievalReport{Auditor: auditor, Node: k.Node, Piece: k.Piece, Leaf: k.Leaf, Epoch: 0, Outcome: protocol.RetrievalGood}) {
				t.Errorf("what was drawn is not admitted: %+v", k)
			}
		}
		return n, all
	}
	pin := ruleset.Pin{Worker: node, Piece: small, Size: 7_000, Value: protocol.Tokens(1)}
	if n, all := count(nil); n != 0 || all != 32 {
		t.Errorf("unpaid, it is %d of %d checks", n, all)
	}
	if n, all := count([]ruleset.Pin{pin}); n < 8 || all != 32 { // its 28 leaves repeat at times
		t.Errorf("paid, it is only %d of %d checks", n, all)
	}
	other, dust := pin, pin
	other.Size++ // what the set says otherwise is no holder's
	dust.Piece, dust.Size, dust.Value = common.Hash{8, 5}, 1<<30, protocol.NewAmount(1e12)
	if n, _ := count([]ruleset.Pin{other}); n != 0 {
		t.Errorf("a piece of another size was drawn %d times", n)
	}
	if n, _ := count([]ruleset.Pin{dust, pin}); n < 8 {
		t.Errorf("beside a pin of dust it is only %d checks", n)
	}
}

func TestRoundIsDrawnFromTheLastFinalAnchor(t *testing.T) {
	p := params() // an epoch is 300 s, CommitBy(3) is 2230, a delay 10
	data := func(b byte) cid.Cid { return protocol.CIDOf([]byte{b}) }
	anchored := func(time, epoch uint64, b byte) protocol.Fact {
		return protocol.Fact{Block: time, Time: time, Event: protocol.Anchored{Epoch: epoch, Data: data(b)}}
	}
	disabled := func(time, epoch uint64) protocol.Fact {
		return protocol.Fact{Block: time, Time: time, Event: protocol.Disabled{Epoch: epoch}}
	}
	first, second, third := anchored(1_400, 0, 1), anchored(1_700, 1, 2), anchored(2_225, 2, 3)
	for what, c := range map[string]struct {
		facts []protocol.Fact
		want  cid.Cid
	}{
		"none":                       {nil, cid.Undef},
		"not final yet":              {[]protocol.Fact{third, second, first}, data(2)},
		"later than the round":       {[]protocol.Fact{first, anchored(2_300, 1, 2)}, data(1)},
		"disabled":                   {[]protocol.Fact{disabled(1_705, 1), first, second}, data(1)},
		"disabled and anchored anew": {[]protocol.Fact{first, second, disabled(1_705, 1), anchored(1_800, 1, 4)}, data(4)},
		"disabled after the round":   {[]protocol.Fact{first, second, disabled(2_231, 1)}, data(2)},
	} {
		if got, ok := retrieval.Settled(c.facts, p, 3); got != c.want || ok != c.want.Defined() {
			t.Errorf("%s: %s, %t, want %s", what, got, ok, c.want)
		}
	}
}
