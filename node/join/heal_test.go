package join

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/storage"
	"tally/storage/pinset"
	"tally/storage/shardstream"
)

// endless is a network whose search for holders, and whose only holder, never end.
type endless struct{}

func (endless) Holders(ctx context.Context, _ cid.Cid) iter.Seq2[peer.ID, error] {
	return func(yield func(peer.ID, error) bool) {
		if yield("one", nil) {
			<-ctx.Done()
		}
	}
}

func (endless) Open(ctx context.Context, _ peer.ID) (shardstream.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestHealingEndsInTimeForAnotherShardToHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := openStore(t), openStore(t)
		sh, err := from.Import(t.Context(), &letters{n: 2 << 20}, "test")
		if err != nil {
			t.Fatal(err)
		}
		to.Down = shardstream.NewBudget(128 << 10)
		if to.Shards, err = shardstream.NewFetcher(shardstream.Config{Store: to.S, Network: endless{}}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := to.Heal(t.Context(), sh.Root, common.Hash(sh.Piece), sh.Size); !errors.Is(err, ErrLong) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("healing ended in %v", err)
		}
		if d := time.Since(began); d != patience+time.Duration(sh.Size/(32<<10))*time.Second {
			t.Errorf("it took %s", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := to.Heal(ctx, sh.Root, common.Hash(sh.Piece), sh.Size); errors.Is(err, ErrLong) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("healing that its caller ended ended in %v", err)
		}
		_ = from.S.Close()
		_ = to.S.Close()
	})
}

func TestHealingMayTakeTimeInProportionToSizeAndLine(t *testing.T) {
	for _, x := range []struct {
		line int64
		size uint64
		want time.Duration
	}{
		{0, 0, patience},
		{0, 1 << 30, patience + 1024*time.Second},
		{64 << 20, 1 << 30, patience + 1024*time.Second},
		{64 << 20, 1 << 62, patience + 1024*time.Second},
		{1 << 20, 1 << 30, patience + 4096*time.Second},
		{1, 10, patience + 10*time.Second},
	} {
		if got := (Store{Down: shardstream.NewBudget(x.line)}).limit(x.size); got != x.want {
			t.Errorf("%d bytes with %d a second: %s, want %s", x.size, x.line, got, x.want)
		}
	}
}

func TestAShardIsFetchedThoughSomebodySaidAnotherPieceOfIt(t *testing.T) {
	p := newPair(t)
	sh, err := p.stores[0].Import(t.Context(), &letters{n: 3 << 20}, "test")
	if err != nil {
		t.Fatal(err)
	}
	mine := p.stores[1]
	serve, err := shardstream.NewServer(shardstream.ServerConfig{Store: p.stores[0].S})
	if err != nil {
		t.Fatal(err)
	}
	if err := (Shards{Host: p.hosts[0]}).Serve(serve); err != nil {
		t.Fatal(err)
	}
	var wrong []error
	mine.Shards, err = shardstream.NewFetcher(shardstream.Config{
		Store: mine.S, Network: Shards{Host: p.hosts[1]}, Wrong: func(_ peer.ID, err error) { wrong = append(wrong, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := mine.FetchShard(t.Context(), sh.Root, common.Hash{1}, sh.Size); err != nil {
		t.Fatal(err)
	}
	if got, err := mine.S.Stat(t.Context(), sh.Root); err != nil || got != sh {
		t.Fatal(got, err)
	}
	if len(wrong) > 0 {
		t.Errorf("the honest holder is blamed: %v", wrong)
	}
	flip(t, mine.S, sh)
	if err := mine.S.Verify(t.Context(), sh.Root); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	if err := mine.Heal(t.Context(), sh.Root, common.Hash{2}, 7); err != nil {
		t.Fatal(err)
	}
	if err := mine.S.Verify(t.Context(), sh.Root); err != nil {
		t.Fatal("after healing:", err)
	}
}

func TestAShardAsLargeAsWhatIsFreeCanBeFetched(t *testing.T) {
	for _, quota := range []int64{8 << 20, 40 << 20} {
		s, err := storage.Open(storage.Config{Dir: t.TempDir(), Quota: quota, Floor: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		pins, other := PinShards{Store: Store{S: s}}, openStore(t)
		if _, err := s.ImportFile(t.Context(), &letters{n: 1 << 20}); err != nil {
			t.Fatal(err)
		}
		free, room := pins.Free(), uint64(0)
		if u, err := s.Usage(); err == nil {
			room = u.Room
		}
		if free >= room || free < room-room/100 {
			t.Errorf("free for a shard %d of the room of %d", free, room)
		}
		sh, err := other.Import(t.Context(), io.LimitReader(&letters{n: int(free)}, int64(free-free/4096-512)), "test")
		if err != nil {
			t.Fatal(err)
		}
		if sh.Size > free || sh.Size+free/2048+1024 < free {
			t.Fatalf("a shard of %d bytes is no test of %d free", sh.Size, free)
		}
		pins.Get = func(ctx context.Context, w pinset.Wanted) error { return carry(ctx, other.S, s, sh) }
		w := pinset.Wanted{Root: sh.Root, Piece: common.Hash(sh.Piece), Size: sh.Size}
		if err := pins.Fetch(t.Context(), w); err != nil {
			t.Errorf("quota %d, %d free: %v", quota, free, err)
		}
		if free := pins.Free(); free > uint64(quota)/100 {
			t.Errorf("%d bytes are still free", free)
		}
	}
}

// carry brings a shard from one store to another, as a stream does.
func carry(ctx context.Context, from, to *storage.Store, sh storage.Shard) (err error) {
	f, err := from.OpenShard(ctx, sh.Root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	layer, err := f.Layer(ctx)
	if err != nil {
		return err
	}
	a, _, err := to.Begin(ctx, sh.Root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.Adopt(ctx, storage.Outline{Piece: sh.Piece, Size: sh.Size, Layer: layer}); err != nil {
		return err
	}
	for i := range layer {
		off, n := a.Span(i)
		b := make([]byte, n)
		if _, err := f.ReadAt(b, int64(off)); err != nil {
			return err
		}
		if _, err := a.Put(i, b); err != nil {
			return err
		}
	}
	_, err = a.Finish(ctx)
	return err
}
