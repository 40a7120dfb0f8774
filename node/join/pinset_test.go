package join

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ipfs/go-cid"

	"tally/chainclient"
	"tally/chainclient/sender"
	"tally/compute/market"
	"tally/protocol"
	"tally/storage"
	"tally/storage/pinset"
	"tally/storage/possession"
)

func TestFlippedBitOfAPinnedShardIsHealedFromAnotherHolder(t *testing.T) {
	p := newPair(t)
	sh, err := p.stores[0].Import(t.Context(), &letters{n: 3 << 20}, "test")
	if err != nil {
		t.Fatal(err)
	}
	mine := p.stores[1]
	w := pinset.Wanted{Root: sh.Root, Piece: common.Hash(sh.Piece), Size: sh.Size, Target: 1}
	if err := (PinShards{Store: mine}).Fetch(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	shards := ProofShards{Store: mine}
	found, err := shards.Find(t.Context(), w.Piece)
	if err != nil || found.Root != sh.Root || found.Size != sh.Size {
		t.Fatalf("%+v, %v", found, err)
	}
	leaf := sh.Size / 2 / 256
	flip(t, mine.S, sh)
	if _, err := shards.PieceProof(t.Context(), sh.Root, leaf); err == nil {
		t.Fatal("a leaf with a flipped bit was shown")
	}
	if err := shards.Heal(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	if _, err := shards.PieceProof(t.Context(), sh.Root, leaf); err != nil {
		t.Fatalf("after healing: %v", err)
	}
	if err := shards.Heal(t.Context(), possession.Shard{Piece: common.Hash{1}}); err == nil {
		t.Error("a shard that nobody knows was healed")
	}
}

func TestDiskThatIsAwayIsToldFromAShardThatIsLost(t *testing.T) {
	s := openStore(t)
	sh, err := s.Import(t.Context(), &letters{n: 1 << 20}, "test")
	if err != nil {
		t.Fatal(err)
	}
	shards := ProofShards{Store: s, Repair: func(context.Context, cid.Cid) error { return storage.ErrStalled }}
	known := possession.Shard{Root: sh.Root, Piece: common.Hash(sh.Piece), Size: sh.Size}
	look := func() []error {
		_, found := shards.Find(t.Context(), known.Piece)
		_, read := shards.PieceProof(t.Context(), sh.Root, sh.Size/2/256)
		return []error{found, read, shards.Heal(t.Context(), known)}
	}
	if err := errors.Join(look()...); err != nil {
		t.Fatal(err)
	}
	dir := s.S.Dir()
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	for i, err := range look() {
		if !errors.Is(err, possession.ErrAway) {
			t.Errorf("look %d without the disk: %v", i, err)
		}
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(look()...); err != nil {
		t.Fatalf("with the disk back: %v", err)
	}
	flip(t, s.S, sh)
	for i, err := range look()[1:] {
		if err == nil || errors.Is(err, possession.ErrAway) {
			t.Errorf("look %d at a damaged shard: %v", i, err)
		}
	}
	if _, err := shards.Find(t.Context(), common.Hash{1}); !errors.Is(err, storage.ErrNotFound) || errors.Is(err, possession.ErrAway) {
		t.Errorf("a piece that nobody knows: %v", err)
	}
	if err := shards.told(t.Context(), fmt.Errorf("open: %w", syscall.EMFILE)); !errors.Is(err, possession.ErrAway) {
		t.Errorf("no more files can be opened: %v", err)
	}
}

func TestShardThatIsNotWhatWasSaidIsNotPinned(t *testing.T) {
	s := openStore(t)
	sh, err := s.Import(t.Context(), strings.NewReader("some text"), "test")
	if err != nil {
		t.Fatal(err)
	}
	shards := PinShards{Store: s}
	w := pinset.Wanted{Root: sh.Root, Piece: common.Hash{9}, Size: sh.Size, Target: 1}
	if err := shards.Fetch(t.Context(), w); !errors.Is(err, pinset.ErrWrong) {
		t.Errorf("a shard with another piece root: %v", err)
	}
	if roots, err := shards.Pinned(t.Context()); err != nil || len(roots) != 0 {
		t.Errorf("pinned %v, %v", roots, err)
	}
	full := PinShards{Store: s, Get: func(context.Context, pinset.Wanted) error { return storage.ErrQuota }}
	if err := full.Fetch(t.Context(), pinset.Wanted{Root: protocol.CIDOf([]byte("x"))}); !errors.Is(err, pinset.ErrRoom) {
		t.Errorf("a full store said %v", err)
	}
	w.Piece = common.Hash(sh.Piece)
	if err := shards.Fetch(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if roots, err := shards.Pinned(t.Context()); err != nil || len(roots) != 1 {
		t.Errorf("pinned %v, %v", roots, err)
	}
	if err := shards.Release(t.Context(), sh.Root); err != nil {
		t.Fatal(err)
	}
	if roots, err := shards.Pinned(t.Context()); err != nil || len(roots) != 0 {
		t.Errorf("pinned %v after its release, %v", roots, err)
	}
}

func TestSourceThatCannotAnswerSilencesNoOther(t *testing.T) {
	says := func(n byte, err error) func(context.Context) ([]pinset.Wanted, error) {
		return func(context.Context) ([]pinset.Wanted, error) { return []pinset.Wanted{{Piece: common.Hash{n}}}, err }
	}
	all, err := Wants{says(1, nil), says(2, pinset.ErrNotYet), says(3, nil)}.Wanted(t.Context())
	if !errors.Is(err, pinset.ErrNotYet) || len(all) != 3 {
		t.Errorf("wanted %+v, %v", all, err)
	}
}

func TestManifestWantsWhatIsNotWithdrawn(t *testing.T) {
	a, b := protocol.CIDOf([]byte("a")), protocol.CIDOf([]byte("b"))
	m := protocol.Manifest{Name: "poems", Replicas: 3, Shards: []protocol.Shard{{Root: a, Size: 5}, {Root: b, Size: 6}}, Withdrawn: []cid.Cid{a}}
	if w := ManifestWants(m); len(w) != 1 || w[0].Root != b || w[0].Target != 3 {
		t.Errorf("wanted %+v", w)
	}
	m.Replicas = 0
	if w := ManifestWants(m); len(w) != 0 {
		t.Errorf("without replicas wanted %+v", w)
	}
}

func TestJobsThatThisNodeTookAreItsOwnWord(t *testing.T) {
	s := openStore(t)
	sh, err := s.Import(t.Context(), strings.NewReader("some text"), "published")
	if err != nil {
		t.Fatal(err)
	}
	now := uint64(time.Now().Unix())
	ended := now - 1000
	for why, until := range map[string]uint64{
		"pin/0x01": now + 1000 + market.KeepPinned, "pin/0x02": 1, "job/0x03": now + 1000, "pin/0x04": ended + market.KeepPinned,
	} {
		if err := s.S.Pin(t.Context(), sh.Root, storage.PinInfo{Why: why, Until: until}); err != nil {
			t.Fatal(err)
		}
	}
	proved := false
	wants := JobWants(s, func(end uint64) bool {
		if end != ended {
			t.Errorf("asked about a job that ends at %d", end)
		}
		return proved
	})
	for range 2 {
		w, err := wants(t.Context())
		if err != nil || len(w) == 0 || !w[0].Mine || w[0].Why != "pin/0x01" || w[0].Until != now+1000 || w[0].Piece != common.Hash(sh.Piece) {
			t.Errorf("wanted %+v, %v", w, err)
		}
		if want := map[bool]int{true: 1, false: 2}[proved]; len(w) != want {
			t.Errorf("proved after its end: %v, wanted %+v", proved, w)
		}
		proved = true
	}
}

// waits is a contract whose transactions end as the test says.
type waits struct {
	proofContract
	ends map[common.Hash]chan error
}

func (w waits) Wait(ctx context.Context, tx common.Hash) (*types.Receipt, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case err := <-w.ends[tx]:
		return nil, err
	}
}

func TestOutcomeDoesNotWaitAndTellsEachEndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := waits{ends: map[common.Hash]chan error{}}
		for i := range byte(6) {
			c.ends[common.Hash{i}] = make(chan error, 1)
		}
		w := &ProofWallet{Chain: c, Life: ctx}
		for i, x := range []struct {
			end  error
			want possession.Outcome
		}{
			{nil, possession.Mined},
			{&sender.RevertError{}, possession.Reverted},
			{chainclient.ErrReverted, possession.Reverted},
			{sender.ErrUnknown, possession.Lost},
			{sender.ErrNonceTaken, possession.Lost},
			{errors.New("the endpoint is away"), possession.Pending},
		} {
			tx := common.Hash{byte(i)}
			if o, err := w.Outcome(ctx, tx); err != nil || o != possession.Pending {
				t.Errorf("before its end: %d, %v", o, err)
			}
			c.ends[tx] <- x.end
			if o, err := w.Outcome(ctx, tx); err != nil || o != x.want {
				t.Errorf("%v: outcome %d, %v, want %d", x.end, o, err, x.want)
			}
			if o, err := w.Outcome(ctx, tx); err != nil || o != possession.Pending {
				t.Errorf("asked again it is looked at again: %d, %v", o, err)
			}
		}
		cancel()
		synctest.Wait() // what waited for transactions has ended
	})
}
