package rewards

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/epochdata"
	"tally/rewards/ruleset"
)

const (
	abreast  = 8 // documents fetched at once
	patience = 8 // documents of one root that may fail until its others are left for the next pass
)

// reader gets what the ruleset wants, and keeps what it got. Owned by one role.
type reader struct {
	chain  Chain
	store  Store
	fetch  time.Duration
	blocks ruleset.Blocks
	memo   *ruleset.Memo
	data   map[cid.Cid]*epochdata.Data // of the last few anchors
}

func newReader(c Chain, s Store, fetch time.Duration) *reader {
	return &reader{chain: c, store: s, fetch: fetch, blocks: ruleset.Blocks{}, memo: &ruleset.Memo{}, data: map[cid.Cid]*epochdata.Data{}}
}

// load is the document of an anchor.
func (r *reader) load(ctx context.Context, root cid.Cid) (*epochdata.Data, error) {
	if d, ok := r.data[root]; ok {
		return d, nil
	}
	d, err := epochdata.Load(root, func(c cid.Cid) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, r.fetch)
		defer cancel()
		return r.store.Get(ctx, root, c)
	})
	if err != nil {
		return nil, err
	}
	if len(r.data) >= 4 {
		clear(r.data)
	}
	r.data[root] = d
	return d, nil
}

// state is where the epoch after the anchor starts.
func (r *reader) state(ctx context.Context, a Anchor, ok bool) (ruleset.State, error) {
	if !ok {
		return ruleset.Genesis(), nil
	}
	d, err := r.load(ctx, a.Data)
	if err != nil {
		return ruleset.State{}, fmt.Errorf("rewards: data of epoch %d: %w", a.Epoch, err)
	}
	return d.State, nil
}

// complete adds what the input wants until there is nothing new to be had. It
// returns the documents that nobody served in time. The chain's part is all
// there, or it is an error.
func (r *reader) complete(ctx context.Context, in *ruleset.Input, more bool) (absent []ruleset.Link, err error) {
	if in.Blocks == nil {
		in.Blocks = r.blocks
	}
	in.Memo = r.memo
	in.Hashes, in.Beacons = map[uint64]common.Hash{}, map[uint64]common.Hash{}
	tried := map[cid.Cid]bool{}
	for {
		w, err := ruleset.Wants(*in)
		if err != nil {
			return nil, err
		}
		progress := false
		for _, n := range w.Hashes {
			if in.Hashes[n], err = r.chain.BlockHash(ctx, n); err != nil {
				return nil, fmt.Errorf("rewards: hash of block %d: %w", n, err)
			}
			progress = true
		}
		for _, e := range w.Beacons {
			if _, in.Beacons[e], err = r.chain.BlockAfter(ctx, in.Params.CommitBy(e)); err != nil {
				return nil, fmt.Errorf("rewards: beacon of epoch %d: %w", e, err)
			}
			progress = true
		}
		absent = nil
		var ask []ruleset.Link
		for _, l := range w.Blocks {
			if !more || tried[l.CID] {
				absent = append(absent, l)
				continue
			}
			tried[l.CID] = true
			ask = append(ask, l)
		}
		for _, b := range r.get(ctx, ask) {
			in.Blocks.Add(b)
			progress = true
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !progress && len(ask) == 0 {
			return absent, nil
		}
	}
}

// get fetches documents, a few at a time, and leaves out what does not come.
func (r *reader) get(ctx context.Context, links []ruleset.Link) [][]byte {
	var (
		mu   sync.Mutex
		out  [][]byte
		wg   sync.WaitGroup
		slot = make(chan struct{}, abreast)
		lost = map[cid.Cid]int{} // by root, so that one worker's missing batch holds up nobody else's
	)
	for _, l := range links {
		slot <- struct{}{}
		mu.Lock()
		skip := lost[l.Root] >= patience
		mu.Unlock()
		if skip {
			<-slot
			continue
		}
		wg.Go(func() {
			defer func() { <-slot }()
			ctx, cancel := context.WithTimeout(ctx, r.fetch)
			defer cancel()
			b, err := r.store.Get(ctx, l.Root, l.CID)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || len(b) > protocol.MaxDocument || !protocol.CIDOf(b).Equals(l.CID) {
				lost[l.Root]++
				return
			}
			out = append(out, b)
		})
	}
	wg.Wait()
	return out
}

// forget drops documents that no input used.
func (r *reader) forget() { r.blocks, r.memo = ruleset.Blocks{}, &ruleset.Memo{} }

// isAbsence tells a document that could not be had from one that is wrong.
func isAbsence(err error) bool {
	return !errors.Is(err, epochdata.ErrData) && !errors.Is(err, protocol.ErrEncoding) && !errors.Is(err, protocol.ErrTooLarge)
}
