package view

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"tally/chainclient/watch"
	"tally/protocol"
)

// decode reads the test's own logs: the first topic is an offer's id.
func decode(l types.Log) (protocol.Fact, bool, error) {
	return protocol.Fact{Block: l.BlockNumber, Event: protocol.OfferOpened{ID: l.Topics[0]}}, true, nil
}

func block(n uint64, fork byte, offers ...common.Hash) watch.Block {
	b := watch.Block{Header: watch.Header{Number: n, Time: n * 10, Hash: common.Hash{byte(n), fork}}}
	for _, o := range offers {
		b.Logs = append(b.Logs, types.Log{BlockNumber: n, Topics: []common.Hash{o}})
	}
	return b
}

func apply(t *testing.T, v *View, bs ...watch.Block) {
	t.Helper()
	for _, b := range bs {
		if err := v.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReorganisationTakesFactsBack(t *testing.T) {
	v := New(decode)
	one, two := common.Hash{1}, common.Hash{2}
	apply(t, v, block(5, 0), block(6, 0, one), block(7, 0, two))
	snapshot := v.Facts()
	if err := v.Revert(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Offer(two); !errors.Is(err, ErrUnknown) {
		t.Errorf("an offer of a block taken back: %v", err)
	}
	apply(t, v, block(7, 1))
	if h, _, err := v.Block(7); err != nil || h != (common.Hash{7, 1}) {
		t.Errorf("block 7 is %s, %v", h, err)
	}
	if o, err := v.Offer(one); err != nil || o.Block != 6 || o.Time != 60 {
		t.Errorf("%+v %v", o, err)
	}
	if len(snapshot) != 2 || len(v.Facts()) != 1 {
		t.Errorf("snapshot has %d facts, the view %d", len(snapshot), len(v.Facts()))
	}
}

func TestFirstBlockAfterATimeIsFound(t *testing.T) {
	v := New(decode)
	apply(t, v, block(5, 0), block(6, 0), block(7, 0), block(8, 0))
	for at, want := range map[uint64]uint64{0: 5, 49: 5, 50: 6, 60: 7, 65: 7, 79: 8} {
		if n, h, err := v.BlockAfter(at); err != nil || n != want || h != (common.Hash{byte(want)}) {
			t.Errorf("after %d: block %d, %v; want %d", at, n, err, want)
		}
	}
	if _, _, err := v.BlockAfter(80); !errors.Is(err, ErrUnknown) {
		t.Errorf("after the head: %v", err)
	}
}

func TestWhoWaitsIsWokenByTheBlockAndByTheEnd(t *testing.T) {
	v := New(decode)
	id := common.Hash{3}
	got := make(chan error, 1)
	go func() {
		o, err := v.AwaitOffer(t.Context(), id)
		if err == nil && o.Block != 9 {
			err = errors.New("wrong block")
		}
		got <- err
	}()
	apply(t, v, block(8, 0), block(9, 0, id))
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := v.AwaitBlock(ctx, 100); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a block that does not come: %v", err)
	}
}

func TestRegistryFollowsTheChainAndItsReorganisations(t *testing.T) {
	a, b := common.Address{1}, common.Address{2}
	v := New(func(l types.Log) (protocol.Fact, bool, error) {
		who := common.BytesToAddress(l.Topics[0][:])
		f := protocol.Fact{Block: l.BlockNumber, Event: protocol.NodeRegistered{Node: who}}
		if l.Index == 1 {
			f.Event = protocol.NodeDeregistered{Node: who}
		}
		return f, true, nil
	})
	entry := func(n uint64, who common.Address, gone uint) watch.Block {
		x := block(n, 0)
		x.Logs = []types.Log{{BlockNumber: n, Index: gone, Topics: []common.Hash{common.BytesToHash(who[:])}}}
		return x
	}
	apply(t, v, entry(1, a, 0), entry(2, b, 0))
	before := v.Nodes()
	apply(t, v, entry(3, a, 1))
	if len(before) != 2 || len(v.Nodes()) != 1 {
		t.Errorf("%d nodes before, %d after one left", len(before), len(v.Nodes()))
	}
	if got := v.NodesAt(1); len(got) != 1 || got[a].Node != a {
		t.Errorf("at block 1: %v", got)
	}
	if err := v.Revert(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if len(v.Nodes()) != 2 {
		t.Errorf("%d nodes after the block was taken back", len(v.Nodes()))
	}
}

// A contribution is dated by the first of its commitments that is still on the chain.
func TestCommitmentCountsFromItsFirstBlockThatStands(t *testing.T) {
	v := New(func(l types.Log) (protocol.Fact, bool, error) {
		return protocol.Fact{Block: l.BlockNumber, Event: protocol.ContributionCommitted{Account: common.Address{byte(l.Index)}, Digest: l.Topics[0]}}, true, nil
	})
	one, two := common.Hash{1}, common.Hash{2}
	entry := func(n uint64, who uint, digests ...common.Hash) watch.Block {
		b := block(n, byte(who), digests...)
		for i := range b.Logs {
			b.Logs[i].Index = who
		}
		return b
	}
	at := func(who byte, d common.Hash, want uint64) {
		t.Helper()
		if n, ok := v.Committed(common.Address{who}, d); n != want || ok != (want > 0) {
			t.Errorf("%d committed to %x in block %d, %v; want %d", who, d[0], n, ok, want)
		}
	}
	apply(t, v, entry(3, 1, one), entry(4, 2, one), entry(5, 1, one, two), entry(6, 1, one))
	at(1, one, 3)
	at(2, one, 4)
	at(1, two, 5)
	at(2, two, 0)
	if err := v.Revert(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	at(1, one, 3) // what was said again and taken back was first said before
	at(1, two, 0)
	if err := v.Revert(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	at(1, one, 0)
	at(2, one, 0)
	apply(t, v, entry(3, 2, two), entry(4, 1, one))
	at(1, one, 4)
	at(2, one, 0)
	at(2, two, 3)
}
