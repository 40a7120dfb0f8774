package unixfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/ipfs/go-cid"
)

// memory is Blocks in memory.
type memory map[cid.Cid][]byte

func (m memory) PutBlock(_ context.Context, c cid.Cid, data []byte) error {
	m[c] = bytes.Clone(data)
	return nil
}

func (m memory) GetBlock(_ context.Context, c cid.Cid) ([]byte, error) {
	if b, ok := m[c]; ok {
		return bytes.Clone(b), nil
	}
	return nil, fmt.Errorf("%s is not here", c)
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/256)
	}
	return b
}

// The first two are known to every IPFS tool (ipfs add --cid-version=1 of an
// empty file and of "hello world"); the others are ours, pinned so that no
// upgrade changes a root.
func TestRootsStayWhatTheyAre(t *testing.T) {
	for _, v := range []struct {
		data []byte
		want string
	}{
		{nil, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"},
		{[]byte("hello world"), "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"},
		{pattern(3<<20 + 1), "bafybeihcecn7ugcqpfjhtq6fzxswzhxtmew62xzrkemrd3rrcuq54mmtnq"},
	} {
		root, err := ImportFile(t.Context(), memory{}, bytes.NewReader(v.data))
		if err != nil {
			t.Fatal(err)
		}
		if root.String() != v.want {
			t.Errorf("%d bytes: got %s, want %s", len(v.data), root, v.want)
		}
	}
	root, err := ImportDir(t.Context(), memory{}, fstest.MapFS{"a": {Data: []byte("x")}, "b/c": {Data: nil}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "bafybeifrlpfs3t2zey4wwa6ibnrw7bvw34sqhcjypz7y5whcqlo4ev4bou"; root.String() != want {
		t.Errorf("directory: got %s, want %s", root, want)
	}
}

func TestLargeDirectoryIsShardedAndComesBack(t *testing.T) {
	in := fstest.MapFS{}
	for i := range 6000 {
		in[fmt.Sprintf("a-rather-long-name-for-an-entry-of-a-directory-%d", i)] = &fstest.MapFile{Data: []byte{byte(i), byte(i >> 8)}}
	}
	m := memory{}
	root, err := ImportDir(t.Context(), m, in)
	if err != nil {
		t.Fatal(err)
	}
	for c, b := range m {
		if c.Type() == cid.DagProtobuf && len(b) > 256<<10 && c == root {
			t.Fatalf("root of %d bytes was not sharded", len(b))
		}
	}
	f, err := NewFS(t.Context(), m, root)
	if err != nil {
		t.Fatal(err)
	}
	es, err := fs.ReadDir(f, ".")
	if err != nil || len(es) != len(in) {
		t.Fatal(len(es), err)
	}
	for _, e := range es[:50] {
		if got, err := fs.ReadFile(f, e.Name()); err != nil || !bytes.Equal(got, in[e.Name()].Data) {
			t.Fatal(e.Name(), err)
		}
	}
	if again, err := ImportDir(t.Context(), memory{}, in); err != nil || again != root {
		t.Fatal(again, err)
	}
}

func TestSeekReadsFromThere(t *testing.T) {
	m, b := memory{}, pattern(5<<20+9)
	root, err := ImportFile(t.Context(), m, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(t.Context(), m, root)
	if err != nil || f.Size() != uint64(len(b)) {
		t.Fatal(err)
	}
	for _, at := range []int64{0, 1<<20 - 1, 1 << 20, 3<<20 + 77, int64(len(b)) - 1} {
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, min(1000, int64(len(b))-at))
		if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, b[at:at+int64(len(got))]) {
			t.Fatal(at, err)
		}
	}
}

func TestWhatIsNoFileOrDirectoryIsRefused(t *testing.T) {
	m := memory{}
	root, err := ImportFile(t.Context(), m, bytes.NewReader(pattern(3<<20)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewFS(t.Context(), m, root); !errors.Is(err, ErrNotUnixFS) {
		t.Fatal(err)
	}
	list := cid.NewCidV1(cid.DagCBOR, root.Hash())
	m[list] = []byte{0x80}
	if _, err := OpenFile(t.Context(), m, list); !errors.Is(err, ErrNotUnixFS) {
		t.Fatal(err)
	}
	in := fstest.MapFS{"dev": {Mode: fs.ModeDevice}}
	if _, err := ImportDir(t.Context(), m, in); !errors.Is(err, ErrKind) {
		t.Fatal(err)
	}
}
