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
	credential []byte           // guarded by mu
	claims     map[cid.Cid]bool // guarded by mu: datanets that were looked at
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
	t.entry.mu.Lock()
	defer t.entry.mu.Unlock()
	if t.entry.asked {
		return t.entry.credential
	}
	b, err := t.f.c.Credential(ctx, t.w.Root)
	if ctx.Err() != nil {
		return nil
	}
	if err == nil && len(b) > MaxCredential {
		err = fmt.Errorf("credential of %d bytes: %w", len(b), ErrMalformed)
	}
	if err != nil {
		t.f.c.Logger.Info("a holder refuses a shard, and there is nothing to show for it", "root", t.w.Root, "err", err)
		b = nil
	}
	t.entry.asked, t.entry.credential = true, b
	return b
}

// hide marks the shard as the datanet's that a holder names, before that holder sends a
// byte of it. A shard that is marked already stays as it is.
func (t *fetch) hide(ctx context.Context, datanet cid.Cid) error {
	if !datanet.Defined() {
		return nil
	}
	t.entry.mu.Lock()
	defer t.entry.mu.Unlock()
	s, root := t.f.c.Store, t.w.Root
	if _, private := s.Private(root); private || t.entry.claims[datanet] || len(t.entry.claims) == maxClaims {
		return nil
	}
	if t.entry.claims == nil {
		t.entry.claims = map[cid.Cid]bool{}
	}
	t.entry.claims[datanet] = true
	if t.f.c.Believe != nil && !t.f.c.Believe(ctx, root, datanet) {
		t.f.c.Logger.Info("a holder says that a shard is a private datanet's, which does not list it", "root", root, "datanet", datanet)
		return nil
	}
	return s.SetPrivate(ctx, root, datanet)
}
