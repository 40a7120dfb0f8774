package piece

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden vectors")

// pattern is the input of the golden vectors: byte i is i*7+i/256, mod 256.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/256)
	}
	return b
}

// slow is the definition, written down plainly.
func slow(b []byte) Hash {
	var level []Hash
	for i := 0; i < len(b); i += LeafSize {
		leaf := make([]byte, 1+LeafSize)
		copy(leaf[1:], b[i:min(i+LeafSize, len(b))])
		level = append(level, sha256.Sum256(leaf))
	}
	n := 1
	for n < len(level) {
		n *= 2
	}
	for len(level) < n {
		level = append(level, Hash{})
	}
	for len(level) > 1 {
		var up []Hash
		for i := 0; i < len(level); i += 2 {
			up = append(up, sha256.Sum256(append(append([]byte{1}, level[i][:]...), level[i+1][:]...)))
		}
		level = up
	}
	return Bind(uint64(len(b)), level[0])
}

type vector struct {
	Length int      `json:"length"`
	Root   string   `json:"root"`
	Index  uint64   `json:"index"`
	Path   []string `json:"path"`
}

func TestGoldenVectorsHold(t *testing.T) {
	lengths := []int{0, 1, 255, 256, 257, 512, 513, 768, 1024, 1025, 65536, LayerSpan, LayerSpan + 1, 3*LayerSpan - 5}
	var got []vector
	for _, n := range lengths {
		b := pattern(n)
		v := vector{Length: n, Path: []string{}}
		root, length, err := Sum(bytes.NewReader(b))
		if err != nil || length != uint64(n) {
			t.Fatal(length, err)
		}
		if root != slow(b) {
			t.Fatalf("length %d: the hasher and the definition differ", n)
		}
		v.Root = hex.EncodeToString(root[:])
		if n > 0 {
			v.Index = Leaves(length) * 2 / 3
			p, err := Prove(bytes.NewReader(b), length, v.Index)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range p.Path {
				v.Path = append(v.Path, hex.EncodeToString(h[:]))
			}
		}
		got = append(got, v)
	}
	out, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	out = append(out, '\n')
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("testdata/vectors.json", out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out, want) {
		t.Fatal("piece roots changed: contracts depend on them, they must not")
	}
}

func TestEveryLeafOfEveryShortLengthProves(t *testing.T) {
	for leaves := 1; leaves <= 17; leaves++ {
		for _, cut := range []int{0, 1, 255} {
			b := pattern(leaves*LeafSize - cut)
			root, length, _ := Sum(bytes.NewReader(b))
			for i := range uint64(leaves) {
				p, err := Prove(bytes.NewReader(b), length, i)
				if err != nil {
					t.Fatal(err)
				}
				if err := Verify(root, length, p); err != nil {
					t.Fatalf("%d bytes, leaf %d: %v", length, i, err)
				}
				p.Index ^= 1
				if Verify(root, length, p) == nil {
					t.Fatalf("%d bytes: leaf %d proves as its neighbour", length, i)
				}
			}
			if _, err := Prove(bytes.NewReader(b), length, uint64(leaves)); !errors.Is(err, ErrRange) {
				t.Fatalf("a leaf past the end: %v", err)
			}
		}
	}
}

func TestRandomWritesGiveTheSameRootAndLayer(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 6 {
		b := pattern(rng.IntN(3 * LayerSpan))
		h := New(true)
		for rest := b; len(rest) > 0; {
			n := min(1+rng.IntN(70000), len(rest))
			_, _ = h.Write(rest[:n])
			rest = rest[n:]
			if rng.IntN(4) == 0 {
				_, _ = h.Root(), h.Layer() // looking must not change
			}
		}
		if h.Root() != slow(b) {
			t.Fatalf("%d bytes: root differs", len(b))
		}
		for range 5 {
			i := rng.Uint64N(Leaves(h.Len()))
			p, err := ProveFrom(bytes.NewReader(b), h.Len(), i, h.Layer())
			if err != nil {
				t.Fatal(err)
			}
			if err := Verify(h.Root(), h.Len(), p); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestOneFlippedBitFailsTheProof(t *testing.T) {
	b := pattern(LayerSpan + 12345)
	root, length, _ := Sum(bytes.NewReader(b))
	p, err := Prove(bytes.NewReader(b), length, 4097)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(Proof) Proof{
		"leaf":  func(p Proof) Proof { p.Leaf = bytes.Clone(p.Leaf); p.Leaf[3] ^= 1; return p },
		"path":  func(p Proof) Proof { p.Path = append([]Hash(nil), p.Path...); p.Path[5][0] ^= 1; return p },
		"short": func(p Proof) Proof { p.Path = p.Path[1:]; return p },
		"long":  func(p Proof) Proof { p.Path = append(append([]Hash(nil), p.Path...), Hash{}); return p },
	} {
		if err := Verify(root, length, f(p)); !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Verify(root, length+1, p); !errors.Is(err, ErrProof) {
		t.Errorf("length: %v", err)
	}
	last, err := Prove(bytes.NewReader(b), length, Leaves(length)-1)
	if err != nil {
		t.Fatal(err)
	}
	last.Leaf[LeafSize-1] = 1
	if err := Verify(root, length, last); !errors.Is(err, ErrProof) {
		t.Errorf("padding: %v", err)
	}
	h := New(true)
	_, _ = h.Write(b)
	b[5] ^= 1
	if _, err := ProveFrom(bytes.NewReader(b), length, 0, h.Layer()); !errors.Is(err, ErrProof) {
		t.Errorf("bytes changed under the layer: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	b := pattern(1025)
	root, length, _ := Sum(bytes.NewReader(b))
	p, _ := Prove(bytes.NewReader(b), length, 4)
	flat := bytes.Clone(p.Leaf)
	for _, h := range p.Path {
		flat = append(flat, h[:]...)
	}
	f.Add(length, uint64(4), flat)
	f.Add(uint64(0), uint64(0), []byte{})
	f.Add(^uint64(0), ^uint64(0), flat)
	f.Fuzz(func(t *testing.T, n, index uint64, flat []byte) {
		q := Proof{Index: index, Leaf: flat[:min(LeafSize, len(flat))]}
		for rest := flat[len(q.Leaf):]; len(rest) >= 32; rest = rest[32:] {
			q.Path = append(q.Path, Hash(rest[:32]))
		}
		if err := Verify(root, n, q); err == nil {
			if n != length || !bytes.Equal(append(bytes.Clone(b), make([]byte, 255)...)[index*LeafSize:][:LeafSize], q.Leaf) {
				t.Fatalf("a forged proof holds: %+v", q)
			}
		}
	})
}

func BenchmarkRoot(b *testing.B) {
	buf := pattern(16 << 20)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		h := New(true)
		_, _ = h.Write(buf)
		_ = h.Root()
	}
}

func BenchmarkProveFrom(b *testing.B) {
	for _, n := range []int{4 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("%dMiB", n>>20), func(b *testing.B) {
			buf := pattern(n)
			h := New(true)
			_, _ = h.Write(buf)
			layer := h.Layer()
			r := bytes.NewReader(buf)
			for b.Loop() {
				if _, err := ProveFrom(r, h.Len(), 777, layer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
