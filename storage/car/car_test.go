package car

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
	cbg "github.com/whyrusleeping/cbor-gen"
)

func sum(codec uint64, data []byte) cid.Cid {
	d := sha256.Sum256(data)
	h, err := multihash.Encode(d[:], multihash.SHA2_256)
	if err != nil {
		panic(err)
	}
	return cid.NewCidV1(codec, h)
}

// dag is a set of blocks under one root.
type dag struct {
	root   cid.Cid
	blocks map[cid.Cid][]byte
}

func (d *dag) add(codec uint64, data []byte) cid.Cid {
	c := sum(codec, data)
	d.blocks[c] = data
	return c
}

// list adds a dag-cbor list of links.
func (d *dag) list(links ...cid.Cid) cid.Cid {
	b := []byte{0x80 | byte(len(links))}
	if len(links) > 23 {
		b = []byte{0x99, byte(len(links) >> 8), byte(len(links))}
	}
	if len(links) > 23 && len(links) < 256 {
		b = []byte{0x98, byte(len(links))}
	}
	for _, l := range links {
		b = append(b, 0xd8, 0x2a, 0x58, byte(1+l.ByteLen()), 0)
		b = append(b, l.Bytes()...)
	}
	return d.add(cid.DagCBOR, b)
}

func (d *dag) get(_ context.Context, c cid.Cid) ([]byte, error) {
	if b, ok := d.blocks[c]; ok {
		return b, nil
	}
	return nil, errors.New("no such block")
}

func (d *dag) file(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := Write(context.Background(), &b, d.root, 0, d.get, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n != uint64(b.Len()) {
		t.Fatalf("wrote %d, said %d", b.Len(), n)
	}
	return b.Bytes()
}

// random builds a DAG with shared blocks and repeated links.
func random(rng *rand.Rand) *dag {
	d := &dag{blocks: map[cid.Cid][]byte{}}
	var all []cid.Cid
	for range 1 + rng.IntN(12) {
		b := make([]byte, rng.IntN(3000))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		all = append(all, d.add(cid.Raw, b))
	}
	for range 1 + rng.IntN(20) {
		var links []cid.Cid
		for range rng.IntN(40) {
			links = append(links, all[rng.IntN(len(all))])
		}
		all = append(all, d.list(links...))
	}
	d.root = d.list(all[rng.IntN(len(all)):]...)
	return d
}

func small() *dag {
	d := &dag{blocks: map[cid.Cid][]byte{}}
	a, b := d.add(cid.Raw, []byte("a")), d.add(cid.Raw, []byte("bb"))
	d.root = d.list(d.list(a, b, a), b, a)
	return d
}

func readAll(b []byte, want cid.Cid, max uint64) (n int, err error) {
	r, err := NewReader(bytes.NewReader(b), want, max)
	if err != nil {
		return 0, err
	}
	for {
		blk, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if !bytes.Equal(b[blk.Offset:blk.End()], blk.Data) {
			return n, errors.New("offset is wrong")
		}
		n++
	}
}

func TestCanonicalFilesRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		d := random(rng)
		file := d.file(t)
		got := map[cid.Cid][]byte{}
		r, err := NewReader(bytes.NewReader(file), d.root, uint64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		for {
			b, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, twice := got[b.CID]; twice {
				t.Fatal("a block came twice")
			}
			got[b.CID] = bytes.Clone(b.Data)
		}
		again := (&dag{root: r.Root(), blocks: got}).file(t)
		if !bytes.Equal(file, again) {
			t.Fatal("one DAG has two files")
		}
		if r.Offset() != uint64(len(file)) {
			t.Fatalf("offset %d of %d", r.Offset(), len(file))
		}
	}
}

func TestEachBadFileHasItsOwnError(t *testing.T) {
	d := small()
	good := d.file(t)
	if n, err := readAll(good, d.root, 0); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	edit := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	var swapped bytes.Buffer
	swapped.Write(header(d.root))
	for _, c := range []cid.Cid{d.root, sum(cid.Raw, []byte("bb"))} {
		if _, err := WriteBlock(&swapped, c, d.blocks[c]); err != nil {
			t.Fatal(err)
		}
	}
	v0 := edit(func(b []byte) []byte { b[14] = 2; return b })
	for name, c := range map[string]struct {
		file []byte
		want cid.Cid
		max  uint64
		err  error
	}{
		"empty":             {nil, cid.Undef, 0, ErrTruncated},
		"no CAR":            {bytes.Repeat([]byte("<html>"), 40), cid.Undef, 0, ErrHeader},
		"other root":        {good, sum(cid.Raw, nil), 0, ErrRoot},
		"CAR version":       {edit(func(b []byte) []byte { b[HeaderLen-1] = 2; return b }), cid.Undef, 0, ErrHeader},
		"CID version":       {v0, cid.Undef, 0, ErrHeader},
		"flipped bit":       {edit(func(b []byte) []byte { b[len(b)-1] ^= 4; return b }), cid.Undef, 0, ErrCorrupt},
		"cut in a block":    {good[:len(good)-1], cid.Undef, 0, ErrTruncated},
		"cut at a block":    {good[:len(good)-39], cid.Undef, 0, ErrTruncated},
		"one byte more":     {append(bytes.Clone(good), 0), cid.Undef, 0, ErrTrailing},
		"a block more":      {append(bytes.Clone(good), good[len(good)-39:]...), cid.Undef, 0, ErrTrailing},
		"over the limit":    {good, cid.Undef, uint64(len(good) - 1), ErrTooLarge},
		"blocks swapped":    {swapped.Bytes(), cid.Undef, 0, ErrOrder},
		"long varint":       {edit(func(b []byte) []byte { return append(b[:HeaderLen], 0xff, 0xff, 0xff, 0xff, 0xff, 1) }), cid.Undef, 0, ErrVarint},
		"padded varint":     {edit(func(b []byte) []byte { return append(b[:HeaderLen], 0x80, 0) }), cid.Undef, 0, ErrVarint},
		"cut in a varint":   {edit(func(b []byte) []byte { return append(b[:HeaderLen], 0x80) }), cid.Undef, 0, ErrTruncated},
		"huge block":        {edit(func(b []byte) []byte { return append(b[:HeaderLen], 0xff, 0xff, 0xff, 0x7f) }), cid.Undef, 0, ErrBlockSize},
		"section too short": {edit(func(b []byte) []byte { return append(b[:HeaderLen], 3, 1, 2, 3) }), cid.Undef, 0, ErrCID},
	} {
		if _, err := readAll(c.file, c.want, c.max); !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, want %v", name, err, c.err)
		}
	}
}

func TestEveryCutAndEveryFlippedByteIsRefused(t *testing.T) {
	d := small()
	good := d.file(t)
	for i := range good {
		if _, err := readAll(good[:i], d.root, 0); !errors.Is(err, ErrTruncated) {
			t.Fatalf("cut at %d: %v", i, err)
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if _, err := readAll(bad, d.root, 0); err == nil {
			t.Fatalf("byte %d flipped and nobody noticed", i)
		}
	}
}

// endless repeats its bytes for ever and counts what was taken.
type endless struct {
	b []byte
	n int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.b[(e.n+i)%len(e.b)]
	}
	e.n += len(p)
	return len(p), nil
}

func TestEndlessStreamIsCutOff(t *testing.T) {
	d := small()
	good := d.file(t)
	e := &endless{b: []byte{0}}
	r, err := NewReader(io.MultiReader(bytes.NewReader(good), e), d.root, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = r.Next()
	}
	if !errors.Is(err, ErrTrailing) || e.n > 1<<20 {
		t.Fatalf("took %d bytes: %v", e.n, err)
	}
}

func TestTooManyPendingLinksAreRefused(t *testing.T) {
	// A chain of blocks each of which leaves many fresh links waiting.
	d := &dag{blocks: map[cid.Cid][]byte{}}
	next := d.list()
	for k := range 14 {
		links := []cid.Cid{next}
		for i := range 40000 {
			links = append(links, sum(cid.Raw, []byte{byte(k), byte(i), byte(i >> 8)}))
		}
		next = d.list(links...)
	}
	d.root = next
	if _, err := Write(t.Context(), io.Discard, d.root, 0, d.get, nil); !errors.Is(err, ErrTooMany) {
		t.Fatal(err)
	}
}

func TestLinksRefuseWhatIsNotDagCBOR(t *testing.T) {
	for name, b := range map[string][]byte{
		"indefinite list": {0x9f, 0xff},
		"long integer":    {0x18, 1},
		"two items":       {1, 2},
		"other tag":       {0xc1, 0},
		"undefined":       {0xf7},
		"short float":     {0xf9, 0x3c, 0},
		"cut string":      {0x45, 1},
		"huge list":       {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"deep":            bytes.Repeat([]byte{0x81}, 1000),
		"bad link":        {0xd8, 0x2a, 0x42, 0, 1},
		"nothing":         {},
	} {
		if _, err := Links(sum(cid.DagCBOR, b), b); !errors.Is(err, ErrBlock) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	d := small()
	f.Add(d.file(f))
	f.Add(d.file(f)[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := readAll(b, cid.Undef, 1<<20); err != nil {
			return
		}
		blocks := map[cid.Cid][]byte{}
		r, _ := NewReader(bytes.NewReader(b), cid.Undef, 0)
		for blk, err := r.Next(); err == nil; blk, err = r.Next() {
			blocks[blk.CID] = bytes.Clone(blk.Data)
		}
		if !bytes.Equal((&dag{root: r.Root(), blocks: blocks}).file(t), b) {
			t.Fatal("accepted a file that is not canonical")
		}
	})
}

func FuzzLinks(f *testing.F) {
	d := small()
	for c, b := range d.blocks {
		f.Add(c.Type() == cid.DagProtobuf, b)
	}
	f.Add(true, []byte{0x12, 0x26, 0x0a, 0x24, 1, 0x55, 0x12, 0x20})
	f.Fuzz(func(t *testing.T, pb bool, b []byte) {
		if pb {
			_, _ = Links(sum(cid.DagProtobuf, b), b)
			return
		}
		got, err := linksCBOR(b)
		if err != nil {
			return
		}
		var want []cid.Cid
		if err := cbg.ScanForLinks(bytes.NewReader(b), func(c cid.Cid) { want = append(want, c) }); err != nil {
			return // stricter than the format in places (length of strings)
		}
		if len(got) != len(want) {
			t.Fatalf("%d links, another reader finds %d", len(got), len(want))
		}
		for i := range got {
			if !got[i].Equals(want[i]) {
				t.Fatalf("link %d differs", i)
			}
		}
	})
}
