package p2p

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p-kad-dht/records"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"tally/internal/kv"
)

var (
	// ErrAlone says that there is no peer to ask yet.
	ErrAlone = errors.New("p2p: no peers yet: start another node, or check the bootstrap list")
	// ErrNotFound says that the network does not know a peer.
	ErrNotFound = errors.New("p2p: not found in the network")
)

const (
	announceTimeout = 30 * time.Second
	announceWorkers = 4
)

// finder is the host's part of the distributed hash table.
//
// It announces roots by itself rather than through kad-dht's SweepingProvider.
// The sweep saves lookups where a node has many more roots than its network has
// peers; here roots are few and the networks small, and what a caller needs is
// what the sweep does not say: that a root is kept, and that it was announced
// when Provide returns. See docs/RATIONALE.md#why-are-roots-announced-in-a-loop-of-our-own.
type finder struct {
	dht   *dht.IpfsDHT
	store *kv.DB // "root/" + CID bytes → nothing
	log   *slog.Logger

	every time.Duration // between two announcements of a root
	tick  time.Duration // between two looks at what is due

	mu    sync.Mutex
	roots map[cid.Cid]time.Time // guarded by mu; provided roots and when each is due; by CIDv1 raw of the multihash
}

const rootPrefix = "root/"

func newFinder(h host.Host, prefix, dir string, l limits, log *slog.Logger) (*finder, error) {
	store, err := kv.Open(dir, kv.Options{Sync: true, Small: true})
	if err != nil {
		return nil, fmt.Errorf("p2p: provided roots: %w", err)
	}
	f := &finder{store: store, log: log, every: l.reprovide, tick: l.retryFirst, roots: make(map[cid.Cid]time.Time)}
	if err := f.load(); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	f.dht, err = dht.New(h,
		dht.Mode(dht.ModeServer), // the automatic mode tells servers by public addresses, which these networks lack
		dht.ProtocolPrefix(protocol.ID(prefix)),
		dht.DisableValues(),
		dht.ProviderDatastore(newRecordStore(maxRecords)),
		dht.ProviderManagerOpts(records.ProvideValidity(3*l.reprovide), records.CleanupInterval(l.reprovide)),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("p2p: dht: %w", err), store.Close())
	}
	return f, nil
}

func (f *finder) close() error { return errors.Join(f.dht.Close(), f.store.Close()) }

func (f *finder) load() error {
	err := f.store.View(func(tx *kv.Tx) error {
		for item, err := range tx.Scan([]byte(rootPrefix)) {
			if err != nil {
				return err
			}
			c, err := cid.Cast(item.Key[len(rootPrefix):])
			if err != nil {
				return fmt.Errorf("a root that is no CID: %w", err)
			}
			f.roots[c] = time.Time{}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("p2p: load provided roots: %w", err)
	}
	return nil
}

// canonical is the one CID of a multihash: records do not tell codecs apart.
func canonical(c cid.Cid) cid.Cid { return cid.NewCidV1(cid.Raw, c.Hash()) }

func rootKey(c cid.Cid) []byte { return append([]byte(rootPrefix), c.Bytes()...) }

func (f *finder) provide(ctx context.Context, c cid.Cid) error {
	if err := f.store.Update(func(tx *kv.Tx) error { return tx.Set(rootKey(c), nil) }); err != nil {
		return err
	}
	f.mu.Lock()
	f.roots[c] = time.Time{}
	f.mu.Unlock()
	if err := f.announce(ctx, c); err != nil && ctx.Err() != nil {
		return err
	}
	return nil // a network that is not there yet is the loop's business
}

func (f *finder) unprovide(c cid.Cid) error {
	f.mu.Lock()
	delete(f.roots, c)
	f.mu.Unlock()
	return f.store.Update(func(tx *kv.Tx) error { return tx.Delete(rootKey(c)) })
}

// announce puts the record on the peers closest to it, and makes it due again
// later; an error leaves it due.
func (f *finder) announce(ctx context.Context, c cid.Cid) error {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	if err := f.dht.Provide(ctx, c, true); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.roots[c]; ok {
		f.roots[c] = time.Now().Add(f.every)
	}
	return nil
}

// run announces what is due until ctx ends.
func (f *finder) run(ctx context.Context) {
	ticker := time.NewTicker(f.tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if f.dht.RoutingTable().Size() == 0 {
			continue
		}
		f.announceAll(ctx, f.due(time.Now()))
	}
}

func (f *finder) due(now time.Time) []cid.Cid {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []cid.Cid
	for c, at := range f.roots {
		if !at.After(now) {
			out = append(out, c)
		}
	}
	return out
}

func (f *finder) announceAll(ctx context.Context, roots []cid.Cid) {
	if len(roots) == 0 {
		return
	}
	var work sync.WaitGroup
	next := make(chan cid.Cid)
	for range min(announceWorkers, len(roots)) {
		work.Go(func() {
			for c := range next {
				if err := f.announce(ctx, c); err != nil && ctx.Err() == nil {
					f.log.Debug("root not announced", "root", c, "err", err)
				}
			}
		})
	}
	for _, c := range roots {
		if ctx.Err() != nil {
			break
		}
		next <- c
	}
	close(next)
	work.Wait()
}

// Provide makes this node findable as a holder of the DAG under root. It
// returns once the root is kept, on disk with a DataDir, and announced to the
// peers there are; it is announced again, and to a network that comes later,
// until Unprovide. Roots only: single blocks are found through the root.
func (h *Host) Provide(ctx context.Context, root cid.Cid) error {
	if !root.Defined() {
		return errors.New("p2p: provide: no CID")
	}
	if h.ctx.Err() != nil {
		return fmt.Errorf("provide %s: %w", root, ErrClosed)
	}
	if err := h.finder.provide(ctx, canonical(root)); err != nil {
		return fmt.Errorf("p2p: provide %s: %w", root, err)
	}
	return nil
}

// Unprovide stops announcing root. Peers forget within three announcement
// intervals (half an hour on a LAN), so that a holder found may hold it no more.
func (h *Host) Unprovide(root cid.Cid) error {
	if h.ctx.Err() != nil {
		return fmt.Errorf("unprovide %s: %w", root, ErrClosed)
	}
	if err := h.finder.unprovide(canonical(root)); err != nil {
		return fmt.Errorf("p2p: unprovide %s: %w", root, err)
	}
	return nil
}

// Provided lists the roots that this node announces, as CIDv1 of codec raw.
func (h *Host) Provided() []cid.Cid {
	h.finder.mu.Lock()
	defer h.finder.mu.Unlock()
	return slices.Collect(maps.Keys(h.finder.roots))
}

// FindProviders yields up to max other peers that say they hold root, each
// once, as they are found; max 0 stands for 20. A peer may be found that is
// gone. The last element is an error when the search could not be finished;
// ErrAlone when there is nobody to ask.
func (h *Host) FindProviders(ctx context.Context, root cid.Cid, max int) iter.Seq2[peer.AddrInfo, error] {
	return func(yield func(peer.AddrInfo, error) bool) {
		if !root.Defined() {
			yield(peer.AddrInfo{}, errors.New("p2p: find providers: no CID"))
			return
		}
		if h.finder.dht.RoutingTable().Size() == 0 {
			yield(peer.AddrInfo{}, fmt.Errorf("find providers of %s: %w", root, ErrAlone))
			return
		}
		if max <= 0 {
			max = 20
		}
		search, cancel := context.WithCancel(ctx)
		defer cancel()
		// One more than asked for: this node may be among them.
		for p := range h.finder.dht.FindProvidersAsync(search, canonical(root), max+1) {
			if p.ID == h.ID() || !hasAddress(p.ID) {
				continue
			}
			if max--; !yield(p, nil) || max == 0 {
				return
			}
		}
		if err := context.Cause(ctx); err != nil {
			yield(peer.AddrInfo{}, fmt.Errorf("find providers of %s: %w", root, err))
		}
	}
}

// FindPeer asks the network for the addresses of a peer.
func (h *Host) FindPeer(ctx context.Context, id peer.ID) (peer.AddrInfo, error) {
	p, err := h.findPeer(ctx, id)
	if err != nil {
		return peer.AddrInfo{}, fmt.Errorf("find peer %s: %w", id, err)
	}
	return p, nil
}

func (h *Host) findPeer(ctx context.Context, id peer.ID) (peer.AddrInfo, error) {
	if _, err := AddressOf(id); err != nil {
		return peer.AddrInfo{}, err
	}
	if h.finder.dht.RoutingTable().Size() == 0 {
		return peer.AddrInfo{}, ErrAlone
	}
	p, err := h.finder.dht.FindPeer(ctx, id)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return peer.AddrInfo{}, cause
	}
	if err != nil {
		return peer.AddrInfo{}, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return p, nil
}
