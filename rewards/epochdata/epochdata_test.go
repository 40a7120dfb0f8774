package epochdata

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/ruleset"
)

func sample(documents int) *Data {
	d := &Data{
		Head:     Head{Version: Version, Network: "test-00000000", Epoch: 7, Previous: 3, Total: protocol.NewAmount(9), ReceivedAll: protocol.NewAmount(5)},
		Verdicts: [][]byte{{1}, {2}},
		Reports:  [][]byte{{3}},
		Batches:  []ruleset.BatchOutcome{{Batch: protocol.Batch{Worker: common.Address{1}, Epoch: 7, Count: 2}, Count: 2}},
		Outcomes: []ruleset.Outcome{{Receipt: protocol.CIDOf([]byte("r")), Reason: protocol.ReasonRewarded, Value: protocol.Tokens(1)}},
		State: ruleset.State{
			Epoch: 7, Received: protocol.NewAmount(5),
			Balances: []ruleset.Balance{{Account: common.Address{1}, Worker: protocol.NewAmount(9)}},
			Channels: []ruleset.Channel{{ID: common.Hash{2}, Seen: []ruleset.Span{{From: 1, To: 9}}}},
			Pending:  []ruleset.Pending{{Envelope: []byte{1}, Batch: 6, Reason: protocol.ReasonHeldUntil, Drawn: true}},
			Holds:    []ruleset.Hold{{Account: common.Address{1}, Until: 9, Amount: protocol.NewAmount(1)}},
			Carried:  []ruleset.Carried{{Batch: protocol.Batch{Worker: common.Address{3}}, Times: 1}},
			Pins:     []ruleset.Pin{{Receipt: protocol.CIDOf([]byte("p")), Piece: common.Hash{4}, From: 1, Until: 9, Seconds: 8, Value: protocol.Tokens(1), FeeOnly: "why"}},
			Promises: []ruleset.Promise{{Of: common.Hash{5}, Until: 9}},
		},
	}
	blocks := ruleset.Blocks{}
	for i := range documents {
		blocks.Add(bytes.Repeat([]byte{byte(i), 1}, 100_000))
	}
	blocks.Add(bytes.Repeat([]byte{7}, maxInline+1))
	for _, c := range sortedCIDs(blocks) {
		d.Documents = append(d.Documents, blocks[c])
	}
	return d
}

func write(t testing.TB, d *Data) (cid.Cid, map[cid.Cid][]byte) {
	t.Helper()
	bs, err := d.Blocks()
	if err != nil {
		t.Fatal(err)
	}
	m := map[cid.Cid][]byte{}
	for _, b := range bs {
		m[b.CID] = b.Data
	}
	return bs[len(bs)-1].CID, m
}

var errAbsent = errors.New("absent")

func from(m map[cid.Cid][]byte) func(cid.Cid) ([]byte, error) {
	return func(c cid.Cid) ([]byte, error) {
		if b, ok := m[c]; ok {
			return b, nil
		}
		return nil, errAbsent
	}
}

func TestDocumentComesBackAsItWas(t *testing.T) {
	d := sample(30) // six megabytes: more than one block may hold
	root, m := write(t, d)
	if len(m) < 8 {
		t.Errorf("%d blocks: it was not split", len(m))
	}
	got, err := Load(root, from(m))
	if err != nil {
		t.Fatal(err)
	}
	got.Head.Chunks, got.Head.Linked = nil, nil
	if !reflect.DeepEqual(got, d) {
		t.Errorf("got %+v, want %+v", got.State, d.State)
	}
}

func TestFlippedBitOrMissingBlockIsRefused(t *testing.T) {
	root, m := write(t, sample(1))
	for c, b := range m {
		bad := map[cid.Cid][]byte{}
		for k, v := range m {
			bad[k] = v
		}
		x := bytes.Clone(b)
		x[len(x)/2] ^= 1
		bad[c] = x
		if _, err := Load(root, from(bad)); !errors.Is(err, ErrData) {
			t.Errorf("a flipped bit in %s: %v", c, err)
		}
		delete(bad, c)
		if _, err := Load(root, from(bad)); !errors.Is(err, errAbsent) {
			t.Errorf("without %s: %v", c, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	bs, err := sample(0).Blocks()
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range bs {
		if len(b.Data) < 10_000 {
			f.Add(b.Data, bs[0].Data[:10])
		}
	}
	f.Fuzz(func(_ *testing.T, head, other []byte) {
		root := protocol.CIDOf(head)
		d, err := Load(root, func(c cid.Cid) ([]byte, error) {
			if c.Equals(root) {
				return head, nil
			}
			return other, nil
		})
		if err == nil {
			_, _ = d.Blocks()
			_ = d.Fill(&ruleset.Input{})
		}
		var k Chunk
		if protocol.Decode(other, &k) == nil {
			for _, it := range k.Items {
				_ = (&Data{}).item(k.Section, it.Bytes)
			}
		}
	})
}
