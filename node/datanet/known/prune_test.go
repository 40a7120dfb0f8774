package known

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
)

// learned puts n shards of a datanet, with records of its own but for the first, which all datanets have.
func learned(t *testing.T, x Index, net string, n int) {
	t.Helper()
	if err := x.Touch(name(net)); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		from := 0
		if i > 0 {
			from = 1000*int(net[0]) + 10*i
		}
		_, doc := sketch(t, prose(from, 3)...)
		e := Entry{name(net), name(fmt.Sprint(net, i)), net, common.Address{1}, 1, uint64(i), 3, protocol.CIDOf(doc)}
		if err := x.Put(e, doc); err != nil {
			t.Fatal(err)
		}
	}
}

// rows counts what is kept under a prefix.
func rows(t *testing.T, x Index, prefix string) (n int) {
	t.Helper()
	err := x.DB.View(func(tx *kv.Tx) error {
		for _, err := range tx.Scan([]byte(prefix)) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatNobodyKeepsIsForgottenADatanetAtATimeTheLongestUnseenFirst(t *testing.T) {
	x := open(t)
	for _, net := range []string{"a", "followed", "b", "c", "own"} {
		learned(t, x, net, 40)
	}
	if err := x.Touch(name("a")); err != nil { // looked at again
		t.Fatal(err)
	}
	keep := func(c cid.Cid) bool { return c.Equals(name("own")) || c.Equals(name("followed")) }
	if gone, err := x.Prune(t.Context(), 120, keep); err != nil || len(gone) != 0 {
		t.Fatalf("within the bound: %v, %v", gone, err)
	}
	all := rows(t, x, "known/")
	gone, err := x.Prune(t.Context(), 119, keep)
	if err != nil || len(gone) != 1 || !gone[0].Equals(name("b")) {
		t.Fatalf("one too many: %v, %v", gone, err)
	}
	if left := rows(t, x, "known/shard/"); left != 160 {
		t.Errorf("%d shards are left", left)
	}
	if left := rows(t, x, "known/"); left > all-all/6 {
		t.Errorf("%d rows of %d are left", left, all)
	}
	if left, refs := rows(t, x, "known/sketch/"), rows(t, x, "known/used/"); left != 157 || refs != 160 {
		t.Errorf("%d sketches are left, named %d times", left, refs)
	}
	// What another datanet has too is found there still, and what is kept is found as ever.
	shared, _ := sketch(t, prose(0, 3)...)
	got, err := x.Like(shared)
	if err != nil || len(got) != 4 {
		t.Errorf("%d shards have what all had, %v", len(got), err)
	}
	for net, want := range map[string]int{"a": 1, "b": 0, "own": 1, "followed": 1} {
		s, _ := sketch(t, prose(1000*int(net[0])+30, 3)...)
		if got, err := x.Like(s); err != nil || len(got) != want {
			t.Errorf("of %s %d are found, %v", net, len(got), err)
		}
	}
	// The one that was looked at last stays, however little may.
	gone, err = x.Prune(t.Context(), 0, keep)
	if err != nil || len(gone) != 1 || !gone[0].Equals(name("c")) || rows(t, x, "known/shard/") != 120 {
		t.Errorf("with no room: %v, %v", gone, err)
	}
	learned(t, x, "b", 40)
	if got, err := x.Like(shared); err != nil || len(got) != 4 {
		t.Errorf("learned again it is not found: %d, %v", len(got), err)
	}
}

func TestAPruneThatWasCutShortIsEndedByTheNext(t *testing.T) {
	x := open(t)
	learned(t, x, "a", 40)
	learned(t, x, "b", 40)
	nobody := func(cid.Cid) bool { return false }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Prune(ctx, 40, nobody); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	// As after a crash behind a part of it.
	err := x.DB.Update(func(tx *kv.Tx) error {
		return forget(tx, [][]byte{entryKey(name("a3"), name("a")), entryKey(name("a7"), name("a")), entryKey(name("none"), name("a"))})
	})
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := x.Prune(t.Context(), 40, nobody); err != nil || len(gone) != 1 || rows(t, x, "known/shard/") != 40 || rows(t, x, "known/seen/") != 1 {
		t.Errorf("%v, %v", gone, err)
	}
}

func TestASketchThatTookTheOthersPlaceLeavesNothingOfIt(t *testing.T) {
	x := open(t)
	_, first := sketch(t, prose(0, 5)...)
	s, second := sketch(t, prose(500, 5)...)
	e := Entry{name("net"), name("root"), "n", common.Address{1}, 1, 9, 5, protocol.CIDOf(first)}
	if err := x.Put(e, first); err != nil {
		t.Fatal(err)
	}
	keys := rows(t, x, "known/key/")
	e.Sketch = protocol.CIDOf(second) // another contributor's word, committed earlier
	if err := x.Put(e, second); err != nil {
		t.Fatal(err)
	}
	if got := rows(t, x, "known/key/"); got > keys+len(s.Keys())-keys || rows(t, x, "known/sketch/") != 1 {
		t.Errorf("%d keys, then %d; %d sketches", keys, got, rows(t, x, "known/sketch/"))
	}
	if got, err := x.Like(s); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}
