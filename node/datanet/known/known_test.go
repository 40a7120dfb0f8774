package known

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/storage/minhash"
)

func sketch(t testing.TB, records ...string) (minhash.Sketch, []byte) {
	t.Helper()
	s := minhash.NewSketcher()
	for _, r := range records {
		s.Add([]byte(r))
	}
	b, err := Encode(s.Sketch())
	if err != nil {
		t.Fatal(err)
	}
	return s.Sketch(), b
}

func prose(from, n int) (out []string) {
	for i := from; i < from+n; i++ {
		var b strings.Builder
		for j := range 40 {
			fmt.Fprintf(&b, "word%d ", (i*7919+j*j*31)%100_003)
		}
		out = append(out, b.String())
	}
	return out
}

func name(s string) cid.Cid { return protocol.CIDOf([]byte(s)) }

func open(t testing.TB) Index {
	t.Helper()
	db, err := kv.Open("", kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return Index{db}
}

func TestCopiesAndHalfCopiesAreFoundAndOthersNot(t *testing.T) {
	x := open(t)
	put := func(root string, by byte, committed uint64, records []string) {
		t.Helper()
		_, doc := sketch(t, records...)
		e := Entry{name("net"), name(root), "n", common.Address{by}, 2, committed, uint64(len(records)), protocol.CIDOf(doc)}
		for range 2 { // saying it again changes nothing
			if err := x.Put(e, doc); err != nil {
				t.Fatal(err)
			}
			e.Version++
		}
	}
	put("first", 1, 10, prose(0, 100))
	put("other", 2, 11, prose(5000, 100))
	same, _ := sketch(t, prose(0, 100)...)
	got, err := x.Like(same)
	if err != nil || len(got) != 1 || !got[0].Exact || got[0].Part() != 1 || got[0].Contributor != (common.Address{1}) || got[0].Version != 2 {
		t.Errorf("a copy: %+v, %v", got, err)
	}
	half, _ := sketch(t, append(prose(0, 50), prose(9000, 50)...)...)
	got, err = x.Like(half)
	if err != nil || len(got) != 1 || got[0].Exact || got[0].Part() < 0.35 || got[0].Part() > 0.65 {
		t.Errorf("half a copy: %+v, %v", got, err)
	}
	fresh, _ := sketch(t, prose(20_000, 100)...)
	if got, err = x.Like(fresh); err != nil || len(got) != 0 {
		t.Errorf("something else: %+v, %v", got, err)
	}
	put("first", 3, 4, prose(0, 100))
	if got, err = x.Exact(name("first")); err != nil || len(got) != 1 || got[0].Committed != 4 || got[0].Version != 2 {
		t.Errorf("an earlier commitment: %+v, %v", got, err)
	}
	if ok, err := x.Has(name("first"), name("net")); !ok || err != nil {
		t.Error("first is not known")
	}
	if ok, err := x.Has(name("first"), name("another")); ok || err != nil {
		t.Error("first is known of another datanet")
	}
}

func TestSketchThatIsNotTheNamedOneIsRefused(t *testing.T) {
	x := open(t)
	_, doc := sketch(t, prose(0, 10)...)
	_, wrong := sketch(t, prose(50, 10)...)
	e := Entry{name("net"), name("root"), "n", common.Address{1}, 1, 1, 10, protocol.CIDOf(doc)}
	if err := x.Put(e, wrong); err == nil {
		t.Error("another sketch is taken")
	}
	if err := x.Put(e, nil); err == nil {
		t.Error("no sketch is taken")
	}
	e.Sketch = cid.Undef
	if err := x.Put(e, nil); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	_, doc := sketch(f, prose(0, 3)...)
	f.Add(doc)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Encode(s)
		if err != nil || string(again) != string(b) {
			t.Fatalf("%x decodes and encodes to %x (%v)", b, again, err)
		}
	})
}
