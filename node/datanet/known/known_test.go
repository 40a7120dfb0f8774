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

func TestPagesTeachWhatTheyHoldAndNothingElse(t *testing.T) {
	x := open(t)
	var entries []Entry
	var names []cid.Cid
	docs := map[cid.Cid][]byte{}
	for i := range 2*maxPage + 5 {
		e := Entry{Datanet: name("net"), Root: name(fmt.Sprint("root", i)), Name: "n", Version: 3, Committed: uint64(i + 1), Records: 1}
		switch {
		case i == 7: // none
		case i == 9: // its contributor named something else
			e.Sketch = name("rubbish")
			docs[e.Sketch] = []byte("rubbish")
		default:
			_, doc := sketch(t, prose(i*100, 1)...)
			e.Sketch = protocol.CIDOf(doc)
			docs[e.Sketch] = doc
		}
		entries, names = append(entries, e), append(names, e.Sketch)
	}
	asked := 0
	ask := func(from int) ([]byte, error) {
		asked++
		return Page(names, from, func(c cid.Cid) ([]byte, error) { return docs[c], nil })
	}
	if err := x.Learn(entries, ask); err != nil || asked != 3 {
		t.Fatalf("asked %d times: %v", asked, err)
	}
	for _, i := range []int{0, maxPage, len(entries) - 1} {
		s, err := Decode(docs[names[i]])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := x.Like(s); err != nil || len(got) == 0 || !got[0].Exact || !got[0].Root.Equals(entries[i].Root) {
			t.Errorf("shard %d: %+v, %v", i, got, err)
		}
	}
	if err := x.Learn(entries, func(int) ([]byte, error) { t.Error("asked for what is known"); return nil, nil }); err != nil {
		t.Error(err)
	}
	fresh := open(t)
	for what, b := range map[string]func() ([]byte, error){
		"another's": func() ([]byte, error) {
			return Page(names[5:], 0, func(c cid.Cid) ([]byte, error) { return docs[c], nil })
		},
		"empty":   func() ([]byte, error) { return Page(nil, 1<<30, nil) },
		"no page": func() ([]byte, error) { return []byte{0x80, 0}, nil },
	} {
		if err := fresh.Learn(entries, func(int) ([]byte, error) { return b() }); err == nil {
			t.Errorf("%s page is taken", what)
		}
	}
}

func FuzzLearn(f *testing.F) {
	_, doc := sketch(f, prose(0, 3)...)
	b, err := Page([]cid.Cid{protocol.CIDOf(doc)}, 0, func(cid.Cid) ([]byte, error) { return doc, nil })
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	x := open(f)
	e := Entry{Datanet: name("net"), Root: name("root"), Sketch: name("never")}
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := x.learn([]Entry{e}, b); n > 0 || err == nil {
			t.Fatalf("%x is taken for a sketch that nobody has", b)
		}
	})
}
