package shardstream

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/go-cid"

	"tally/storage"
)

// maxClaims is how many datanets' names one fetch listens to.
const maxClaims = 4

// entry is what a fetch of a private shard shows and hears at the door. Its sources
// share it.
type entry struct {
	mu         sync.Mutex
	asked      bool             // guarded by mu: credential is what there is
	asking     chan struct{}    // guarded by mu: closed when who looks for it now is done; nil if nobody
	credential []byte           // guarded by mu
	claims     map[cid.Cid]bool // guarded by mu: datanets that were looked at
	public     bool             // guarded by mu: it is not hidden, whatever anybody claims
	marked     bool             // guarded by mu: this fetch hid it
	broke      error            // guarded by mu: why a mark could not be written

	shown bool                  // it was here and public before; never changes
	look  func(datanet cid.Cid) // looks at a claim; set by fetch.run, never changes then
	looks sync.WaitGroup        // claims that are looked at now
}

// enter asks a holder what the shard is, and shows what lets us in if it refuses.
func (t *fetch) enter(ctx context.Context, k *client) (o storage.Outline, datanet cid.Cid, err error) {
	o, datanet, err = k.info(ctx, t.w.Root)
	if !errors.Is(err, ErrRefused) {
		return o, datanet, err
	}
	b := t.credential(ctx)
	if len(b) == 0 {
		return o, datanet, err
	}
	if err := k.show(t.w.Root, b); err != nil {
		return o, datanet, fmt.Errorf("show a credential: %w", err)
	}
	return k.info(ctx, t.w.Root)
}

func (t *fetch) credential(ctx context.Context) []byte {
	if t.f.c.Credential == nil {
		return nil
	}
	e := &t.entry
	for {
		e.mu.Lock()
		if e.asked {
			b := e.credential
			e.mu.Unlock()
			return b
		}
		other := e.asking
		if other == nil {
			break
		}
		e.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil
		}
	}
	done := make(chan struct{})
	e.asking = done
	e.mu.Unlock()
	b, err := t.f.c.Credential(ctx, t.w.Root) // it may be looked for in the network
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asking = nil
	close(done)
	if ctx.Err() != nil {
		return nil // the next one looks for itself
	}
	if err == nil && len(b) > MaxCredential {
		err = fmt.Errorf("credential of %d bytes: %w", len(b), ErrMalformed)
	}
	if err != nil {
		t.f.c.Logger.Info("a holder refuses a shard, and there is nothing to show for it", "root", t.w.Root, "err", err)
		b = nil
	}
	e.asked, e.credential = true, b
	return b
}

// told hears what a source says the shard is, once a span of that source proved
// right: who only talks is not listened to. A claim that is proved hides the shard until
// a source that serves it makes none.
func (t *fetch) told(ctx context.Context, datanet cid.Cid) {
	e := &t.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	if !datanet.Defined() {
		e.public = true
		t.unhide(ctx)
		return
	}
	if e.public || e.claims[datanet] || len(e.claims) == maxClaims {
		return
	}
	if _, private := t.f.c.Store.Private(t.w.Root); private {
		return // it stays as it is
	}
	if e.claims == nil {
		e.claims = map[cid.Cid]bool{}
	}
	e.claims[datanet] = true
	e.looks.Go(func() { e.look(datanet) })
}

// believe hides the shard as a datanet's if that is proved. It returns when ctx ends, or Believe does.
func (t *fetch) believe(ctx context.Context, datanet cid.Cid) {
	proved := t.f.c.Believe == nil || t.f.c.Believe(ctx, t.w.Root, datanet)
	e := &t.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	s := t.f.c.Store
	if !proved {
		t.f.c.Logger.Info("a holder says that a shard is a private datanet's, and that is not proved", "root", t.w.Root, "datanet", datanet)
		return
	}
	if _, private := s.Private(t.w.Root); private || e.public || ctx.Err() != nil {
		return
	}
	if err := s.SetPrivate(ctx, t.w.Root, datanet); err != nil {
		e.broke = errors.Join(e.broke, err)
		return
	}
	e.marked = true
}

// unhide takes back what this fetch marked. The caller holds entry.mu.
func (t *fetch) unhide(ctx context.Context) {
	if !t.entry.marked {
		return
	}
	t.entry.marked = false
	if err := t.f.c.Store.SetPrivate(context.WithoutCancel(ctx), t.w.Root, cid.Undef); err != nil {
		t.entry.broke = errors.Join(t.entry.broke, err)
	}
}

// settle waits until every claim is looked at. What could not be written ends the fetch: it
// would show the shard, or hide it, by mistake.
func (t *fetch) settle() error {
	t.entry.looks.Wait()
	t.entry.mu.Lock()
	defer t.entry.mu.Unlock()
	return t.entry.broke
}

// forget takes back what was believed of sources whose outline proved wrong.
func (t *fetch) forget(ctx context.Context) error {
	t.entry.looks.Wait()
	t.entry.mu.Lock()
	defer t.entry.mu.Unlock()
	t.unhide(ctx)
	t.entry.public, t.entry.claims = t.entry.shown, nil
	return t.entry.broke
}

// unmark makes a shard that came public again if it is no private datanet's.
func (f *Fetcher) unmark(ctx context.Context, root cid.Cid) error {
	datanet, private := f.c.Store.Private(root)
	if !private || f.c.Sealed == nil || f.c.Sealed(ctx, root, datanet) {
		return nil
	}
	f.c.Logger.Warn("a shard was said to be a private datanet's, and is not sealed: it is public", "root", root, "datanet", datanet)
	return f.c.Store.SetPrivate(ctx, root, cid.Undef)
}
