package storage_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/ipfs/go-cid"

	"tally/storage"
)

// births are the ways in which a private shard comes into being: a file whose length is known, one whose is
// not, and a CAR file.
func births(t *testing.T, data []byte) map[string]func(*storage.Store) (storage.Shard, error) {
	t.Helper()
	from := open(t, t.TempDir())
	file := export(t, from, importFile(t, from, data).Root)
	return map[string]func(*storage.Store) (storage.Shard, error){
		"file": func(s *storage.Store) (storage.Shard, error) {
			return s.ImportPrivateFile(t.Context(), bytes.NewReader(data), datanet)
		},
		"stream": func(s *storage.Store) (storage.Shard, error) {
			return s.ImportPrivateFile(t.Context(), io.MultiReader(bytes.NewReader(data)), datanet)
		},
		"CAR": func(s *storage.Store) (storage.Shard, error) {
			return s.ImportPrivateCAR(t.Context(), bytes.NewReader(file), cid.Undef, datanet)
		},
	}
}

func TestAShardThatIsBornPrivateIsNeverShown(t *testing.T) {
	data := noise(31, 3<<20)
	for name, birth := range births(t, data) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			ctx, stop := context.WithCancel(t.Context())
			root := rootOf(t, data)
			seen := make(chan int, 1)
			go func() { // a peer that asks for it all the time
				n := 0
				for ctx.Err() == nil {
					if has, err := s.Blockstore().Has(context.Background(), root); has || err != nil {
						n++
					}
				}
				seen <- n
			}()
			sh, err := birth(s)
			stop()
			if n := <-seen; n > 0 || err != nil || !sh.Root.Equals(root) {
				t.Fatalf("seen %d times; %s, %v", n, sh.Root, err)
			}
			hidden := func(when string, s *storage.Store) {
				t.Helper()
				if of, private := s.Private(root); !private || !of.Equals(datanet) || shown(t, s, blocksOf(t, s, root)) > 0 {
					t.Errorf("%s: private %t, of %s", when, private, of)
				}
			}
			hidden("born", s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			// A crash before it was in the index.
			if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
				t.Fatal(err)
			}
			hidden("indexed anew", open(t, dir))
		})
	}
}

func TestThePrivateMarkIsThereBeforeTheShardIs(t *testing.T) {
	data := noise(32, 2<<20)
	for name, birth := range births(t, data) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			root := rootOf(t, data)
			// Where its file would go there is no room for one: it ends before it is a shard.
			inTheWay := filepath.Join(dir, "shards", root.String()+".car")
			if err := os.MkdirAll(filepath.Join(inTheWay, "x"), 0o700); err != nil {
				t.Fatal(err)
			}
			if _, err := birth(s); err == nil {
				t.Fatal("born where it cannot be")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(inTheWay); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
			if of, private := s.Private(root); !private || !of.Equals(datanet) {
				t.Errorf("private %t, of %s", private, of)
			}
		})
	}
}

func TestWhatWasHereKeepsItsMarkOrNone(t *testing.T) {
	data, other := noise(33, 2<<20), rootOf(t, []byte("another's"))
	for name, birth := range births(t, data) {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			sh := importFile(t, s, data)
			if _, err := birth(s); err != nil {
				t.Fatal(err)
			}
			if _, private := s.Private(sh.Root); private {
				t.Error("a public shard was hidden")
			}
			if err := s.SetPrivate(t.Context(), sh.Root, other); err != nil {
				t.Fatal(err)
			}
			if _, err := birth(s); err != nil {
				t.Fatal(err)
			}
			if of, _ := s.Private(sh.Root); !of.Equals(other) {
				t.Errorf("taken from its datanet for %s", of)
			}
		})
	}
}

// rootOf is the root that data has as a file.
func rootOf(t testing.TB, data []byte) cid.Cid {
	t.Helper()
	return importFile(t, open(t, t.TempDir()), data).Root
}
