package join

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/chainclient/watch"
	"tally/node/view"
	"tally/protocol"
	"tally/storage/pinset"
)

func TestPinOffersAreWantedWhileTheyRun(t *testing.T) {
	synctest.Test(t, offersRun)
}

func offersRun(t *testing.T) {
	s := openStore(t)
	spec := protocol.PinSpec{Root: protocol.CIDOf([]byte("shard")), Piece: common.Hash{4}, Size: 77, Replicas: 2, Seconds: 100}
	b, err := protocol.Encode(spec)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := s.PutBlock(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	opened := func(block, time uint64) watch.Block {
		return watch.Block{Header: watch.Header{Number: block, Hash: common.Hash{byte(block)}, Time: time}}
	}
	v := view.New(func(l types.Log) (protocol.Fact, bool, error) {
		o := protocol.Offer{Kind: protocol.KindPin, Spec: doc, Deadline: 1050}
		if l.Index == 1 {
			o.Kind = protocol.KindTrain
		}
		return protocol.Fact{Index: uint64(l.Index), Event: protocol.OfferOpened{ID: common.Hash{byte(l.Index) + 1}, Offer: o}}, true, nil
	})
	o := NewOfferWants(v, s, slog.New(slog.DiscardHandler))
	if _, err := o.Wanted(t.Context()); !errors.Is(err, pinset.ErrNotYet) {
		t.Fatalf("before the chain was read: %v", err)
	}
	first := opened(5, 1000)
	first.Logs = []types.Log{{Index: 0}, {Index: 1}}
	if err := v.Apply(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	synctest.Wait() // Run waits for the next block
	got, err := o.Wanted(t.Context())
	if err != nil || len(got) != 1 || got[0].Target != 2 || got[0].Root != spec.Root || got[0].Until != 1100 {
		t.Fatalf("wanted %+v, %v", got, err)
	}
	if err := v.Apply(t.Context(), opened(6, 1100)); err != nil {
		t.Fatal(err)
	}
	if w, err := o.Wanted(t.Context()); err != nil || len(w) != 0 {
		t.Errorf("after its end wanted %+v, %v", w, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// patient has one block, and for any other it waits until nobody does any more.
type patient struct{ block blocks.Block }

func (p *patient) GetBlock(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if c.Equals(p.block.Cid()) {
		return p.block, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// GetBlocks is GetBlock of each.
func (p *patient) GetBlocks(ctx context.Context, cs []cid.Cid) (<-chan blocks.Block, error) {
	out := make(chan blocks.Block, len(cs))
	go func() {
		defer close(out)
		for _, c := range cs {
			if b, err := p.GetBlock(ctx, c); err == nil {
				out <- b
			}
		}
	}()
	return out, nil
}

// offerBook is a chain with pin offers, each at the index of its log.
func offerBook(t *testing.T, offers []protocol.Offer) (*view.View, func(block, time uint64, from, to int)) {
	v := view.New(func(l types.Log) (protocol.Fact, bool, error) {
		return protocol.Fact{Index: uint64(l.Index), Event: protocol.OfferOpened{
			ID: common.Hash{1, byte(l.Index >> 8), byte(l.Index)}, Offer: offers[l.Index],
		}}, true, nil
	})
	return v, func(block, time uint64, from, to int) {
		b := watch.Block{Header: watch.Header{Number: block, Hash: common.Hash{byte(block)}, Time: time}}
		for i := from; i < to; i++ {
			b.Logs = append(b.Logs, types.Log{Index: uint(i)})
		}
		if err := v.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func pinSpec(t *testing.T, seconds uint64) (protocol.PinSpec, blocks.Block) {
	spec := protocol.PinSpec{Root: protocol.CIDOf([]byte("shard")), Piece: common.Hash{4}, Size: 77, Replicas: 2, Seconds: seconds}
	b, err := protocol.Encode(spec)
	if err != nil {
		t.Fatal(err)
	}
	block, err := blocks.NewBlockWithCid(b, protocol.CIDOf(b))
	if err != nil {
		t.Fatal(err)
	}
	return spec, block
}

// Offers whose specifications nobody has are asked for after one with more value,
// hold nothing up, and are forgotten at their deadlines; one that is known stays
// for its own time, also over a restart after its deadline.
func TestDeadOffersHoldUpNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, block := pinSpec(t, 5000)
		x := &patient{block: block}
		s := Store{S: openStore(t).S.WithNetwork(x, nil)}
		var offers []protocol.Offer
		for i := range 600 {
			offers = append(offers, protocol.Offer{Kind: protocol.KindPin, Spec: protocol.CIDOf([]byte{9, byte(i >> 8), byte(i)}), Deadline: 2000})
		}
		offers = append(offers, protocol.Offer{Kind: protocol.KindPin, Spec: block.Cid(), Deadline: 2000, Value: protocol.NewAmount(5)})
		v, mine := offerBook(t, offers)
		mine(1, 1000, 0, 600)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		o := NewOfferWants(v, s, slog.New(slog.DiscardHandler))
		go func() { done <- o.Run(ctx) }()
		synctest.Wait() // Run waits for specifications that do not come
		if w, err := o.Wanted(t.Context()); err != nil || len(w) != 0 {
			t.Fatalf("while nobody answers: %+v, %v", w, err)
		}
		mine(2, 1012, 600, 601)
		<-time.After(offerWithin + time.Second)
		synctest.Wait()
		if w, err := o.Wanted(t.Context()); err != nil || len(w) != 1 || w[0].Until != 6012 {
			t.Fatalf("the offer with value waits behind the dead ones: %+v, %v", w, err)
		}
		mine(3, 2000, 0, 0)
		synctest.Wait()
		o.mu.Lock()
		if len(o.offers) != 1 {
			t.Errorf("%d offers are known after the deadline", len(o.offers))
		}
		o.mu.Unlock()
		again := NewOfferWants(v, s, slog.New(slog.DiscardHandler))
		go func() { done <- again.Run(ctx) }()
		synctest.Wait()
		if w, err := again.Wanted(t.Context()); err != nil || len(w) != 1 || w[0].Until != 6012 {
			t.Errorf("after a restart: %+v, %v", w, err)
		}
		cancel()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
	})
}

// Offers beyond the bound cost those of least value their place, and these come
// back when there is room.
func TestOffersOfMostValueHaveThePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, block := pinSpec(t, 5000)
		s := Store{S: openStore(t).S.WithNetwork(&patient{block: block}, nil)}
		var offers []protocol.Offer
		offers = append(offers, protocol.Offer{Kind: protocol.KindPin, Spec: block.Cid(), Deadline: 4000, Value: protocol.NewAmount(3)})
		for range maxOffers {
			offers = append(offers, protocol.Offer{Kind: protocol.KindPin, Spec: protocol.CIDOf([]byte("nobody has it")), Deadline: 2000})
		}
		poor := len(offers)
		for range maxOffers {
			offers = append(offers, protocol.Offer{Kind: protocol.KindPin, Spec: protocol.CIDOf([]byte("nor this")), Deadline: 2000, Value: protocol.NewAmount(7)})
		}
		v, mine := offerBook(t, offers)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		o := NewOfferWants(v, s, slog.New(slog.DiscardHandler))
		go func() { done <- o.Run(ctx) }()
		wanted := func(n int, when string) {
			t.Helper()
			synctest.Wait()
			if w, err := o.Wanted(t.Context()); err != nil || len(w) != n {
				t.Errorf("%s: %+v, %v", when, w, err)
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			if len(o.offers) > maxOffers {
				t.Errorf("%s: %d offers", when, len(o.offers))
			}
		}
		mine(1, 1000, 0, poor)
		wanted(1, "among offers of no value")
		mine(2, 1001, poor, len(offers))
		wanted(0, "among offers of more value")
		mine(3, 2000, 0, 0)
		wanted(1, "when those are over")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
