package storage_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage"
)

// TestStoreStartsWithOneThingBrokenAndServesTheRest plants one fault of each kind
// in the files of a closed store.
func TestStoreStartsWithOneThingBrokenAndServesTheRest(t *testing.T) {
	one, two := noise(500, 3<<20), noise(501, 2<<20)
	loose := []byte{0x82, 1, 2}
	type planted struct {
		dir        string
		one, two   storage.Shard
		loose      cid.Cid
		open       func(*testing.T) (*storage.Store, storage.Health)
		meta       func(*testing.T, func(*kv.Tx) error)
		index      func(*testing.T, func(*kv.Tx) error)
		overwrite  func(t *testing.T, sub string)
		served     func(t *testing.T, s *storage.Store, roots ...cid.Cid)
		collectAll func(t *testing.T, s *storage.Store)
	}
	for _, c := range []struct {
		name string
		run  func(*testing.T, *planted)
	}{
		{"record of a shard", func(t *testing.T, p *planted) {
			p.index(t, func(tx *kv.Tx) error { return tx.Set(append([]byte{'s'}, p.one.Root.Bytes()...), []byte("{")) })
			s, h := p.open(t)
			if len(h.Notes) != 1 || !strings.Contains(h.Notes[0], "indexed again") {
				t.Fatal(h)
			}
			p.served(t, s, p.one.Root, p.two.Root)
		}},
		{"place of a block", func(t *testing.T, p *planted) {
			leaf := block(cid.Raw, two[:1<<20]).Cid()
			p.index(t, func(tx *kv.Tx) error { return tx.Set(append([]byte{'b'}, leaf.Hash()...), []byte("x")) })
			s, _ := p.open(t)
			p.served(t, s, p.one.Root)
			if _, err := s.GetBlock(t.Context(), leaf); err == nil {
				t.Fatal("served through a broken index")
			}
			if err := s.Verify(t.Context(), p.two.Root); err != nil {
				t.Fatal(err)
			}
			p.served(t, s, p.two.Root)
		}},
		{"part of the index", func(t *testing.T, p *planted) {
			for _, b := range [][]byte{one, two} {
				leaf := block(cid.Raw, b[:1<<20]).Cid()
				p.index(t, func(tx *kv.Tx) error { return tx.Delete(append([]byte{'b'}, leaf.Hash()...)) })
			}
			p.index(t, func(tx *kv.Tx) error { return tx.Delete(append([]byte{'b'}, p.two.Root.Hash()...)) })
			s, _ := p.open(t)
			p.served(t, s, p.two.Root) // its root is missing: Open saw it
			if err := s.Verify(t.Context(), p.one.Root); err != nil {
				t.Fatal(err)
			}
			p.served(t, s, p.one.Root)
		}},
		{"list of the files of the index", func(t *testing.T, p *planted) {
			if err := os.Remove(filepath.Join(p.dir, "index", "MANIFEST")); err != nil {
				t.Fatal(err)
			}
			s, _ := p.open(t)
			p.served(t, s, p.one.Root, p.two.Root)
		}},
		{"list of the files of pins", func(t *testing.T, p *planted) {
			if err := os.Remove(filepath.Join(p.dir, "meta", "MANIFEST")); err != nil {
				t.Fatal(err)
			}
			s, h := p.open(t)
			if len(h.Notes) != 1 {
				t.Fatal(h)
			}
			p.collectAll(t, s)
			p.served(t, s, p.one.Root, p.two.Root)
		}},
		{"index", func(t *testing.T, p *planted) {
			p.overwrite(t, "index")
			s, h := p.open(t)
			if !h.Sound() {
				t.Fatal(h)
			}
			p.served(t, s, p.one.Root, p.two.Root)
		}},
		{"pins and loose blocks", func(t *testing.T, p *planted) {
			p.overwrite(t, "meta")
			for range 2 { // the second time it is an old story
				s, h := p.open(t)
				p.served(t, s, p.one.Root, p.two.Root)
				p.collectAll(t, s) // takes nothing
				p.served(t, s, p.one.Root, p.two.Root)
				for st, err := range s.Status() {
					if err != nil || len(st.Pins) != 1 || st.Pins[0].Why != "recovered" {
						t.Fatal(st, err)
					}
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				t.Log(h.Notes)
			}
			if es, _ := filepath.Glob(filepath.Join(p.dir, "aside", "meta-*")); len(es) != 1 {
				t.Fatal("the broken database was not kept", es)
			}
		}},
		{"pins and loose blocks, gone", func(t *testing.T, p *planted) {
			if err := os.RemoveAll(filepath.Join(p.dir, "meta")); err != nil {
				t.Fatal(err)
			}
			s, h := p.open(t)
			if len(h.Notes) != 1 {
				t.Fatal(h)
			}
			p.collectAll(t, s)
			p.served(t, s, p.one.Root, p.two.Root)
		}},
		{"loose block", func(t *testing.T, p *planted) {
			p.meta(t, func(tx *kv.Tx) error { return tx.Set(append([]byte{'l'}, p.loose.Hash()...), []byte("x")) })
			s, h := p.open(t)
			if !h.Sound() {
				t.Fatal(h)
			}
			p.served(t, s, p.one.Root, p.two.Root)
			if _, err := s.GetBlock(t.Context(), p.loose); !errors.Is(err, storage.ErrCorrupt) {
				t.Fatal(err)
			}
			if h, err := s.Health(t.Context()); err != nil || len(h.Corrupt) != 1 || len(h.Problems()) != 1 {
				t.Fatal(h, err)
			}
			if _, err := s.PutNode(t.Context(), loose); err != nil {
				t.Fatal(err)
			}
			if h, err := s.Health(t.Context()); err != nil || !h.Sound() {
				t.Fatal(h, err)
			}
		}},
		{"stamp of a loose block", func(t *testing.T, p *planted) {
			p.meta(t, func(tx *kv.Tx) error { return tx.Set(append([]byte{'t'}, p.loose.Hash()...), []byte("x")) })
			s, _ := p.open(t)
			p.served(t, s, p.one.Root, p.two.Root)
			p.collectAll(t, s)
		}},
		{"pin", func(t *testing.T, p *planted) {
			p.meta(t, func(tx *kv.Tx) error {
				return tx.Set(append(append([]byte{'p'}, p.two.Root.Bytes()...), "job"...), []byte("{"))
			})
			s, h := p.open(t)
			if len(h.Notes) != 1 {
				t.Fatal(h)
			}
			p.served(t, s, p.one.Root, p.two.Root)
			if _, err := s.Collect(t.Context(), 0); err == nil {
				t.Fatal("collected though it is not known what is pinned")
			}
			if err := s.Unpin(t.Context(), p.two.Root, "job"); err != nil {
				t.Fatal(err)
			}
			if h, err := s.Health(t.Context()); err != nil || !h.Sound() {
				t.Fatal(h, err)
			}
		}},
		{"notes of the scrub", func(t *testing.T, p *planted) {
			p.meta(t, func(tx *kv.Tx) error {
				return errors.Join(tx.Set([]byte{'x'}, []byte("{")), tx.Set(append([]byte{'y'}, p.one.Root.Bytes()...), []byte("{")))
			})
			s, h := p.open(t)
			if len(h.Notes) != 2 {
				t.Fatal(h)
			}
			p.served(t, s, p.one.Root, p.two.Root)
			if st := s.ScrubStatus(); st.Pass != 0 {
				t.Fatal(st)
			}
		}},
		{"shard file, empty", func(t *testing.T, p *planted) {
			if err := os.Truncate(filepath.Join(p.dir, "shards", p.two.Root.String()+".car"), 0); err != nil {
				t.Fatal(err)
			}
			s, h := p.open(t)
			if len(h.Aside) != 1 || len(h.Missing) != 1 || len(h.Problems()) != 2 {
				t.Fatal(h)
			}
			p.served(t, s, p.one.Root)
		}},
		{"shard file, away for a while", func(t *testing.T, p *planted) {
			s, _ := p.open(t)
			path := shardPath(s, p.two.Root)
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(t.Context(), p.two.Root); !errors.Is(err, storage.ErrCorrupt) {
				t.Fatal(err)
			}
			if err := os.Rename(path+".away", path); err != nil {
				t.Fatal(err)
			}
			events, stop := scrub(t, s, storage.ScrubConfig{}) // with nobody to heal from
			if d := <-events; d.Healed == 0 || d.Root != p.two.Root {
				t.Fatal(d)
			}
			stop()
			p.served(t, s, p.one.Root, p.two.Root)
		}},
		{"shard file, gone while it runs", func(t *testing.T, p *planted) {
			s, _ := p.open(t)
			if err := os.Remove(shardPath(s, p.two.Root)); err != nil {
				t.Fatal(err)
			}
			p.served(t, s, p.one.Root)
			if _, err := cat(t, s, p.two.Root); err == nil {
				t.Fatal("read from nowhere")
			}
			if err := s.Verify(t.Context(), p.two.Root); !errors.Is(err, storage.ErrCorrupt) {
				t.Fatal(err)
			}
			far := open(t, "")
			importFile(t, far, two)
			if err := s.WithExchange(&swap{from: far}).Repair(t.Context(), p.two.Root); err != nil {
				t.Fatal(err)
			}
			p.served(t, s, p.two.Root)
		}},
		{"files of somebody else", func(t *testing.T, p *planted) {
			for _, f := range []string{"shards/photo.jpg", "fetch/x", "aside/y", "tmp/z"} {
				if err := os.WriteFile(filepath.Join(p.dir, f), make([]byte, 1000), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(filepath.Join(p.dir, "shards", p.loose.String()+".car"), 0o700); err != nil {
				t.Fatal(err)
			}
			s, h := p.open(t)
			if !h.Sound() {
				t.Fatal(h)
			}
			p.served(t, s, p.one.Root, p.two.Root)
			if u, err := s.Usage(); err != nil || u.Shards != p.one.Size+p.two.Size+1000 || u.Partial != 1000 || u.Aside != 1000 {
				t.Fatalf("%+v %v", u, err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &planted{dir: t.TempDir()}
			s := open(t, p.dir)
			p.one, p.two = importFile(t, s, one), importFile(t, s, two)
			var err error
			if p.loose, err = s.PutNode(t.Context(), loose); err != nil {
				t.Fatal(err)
			}
			for _, root := range []cid.Cid{p.one.Root, p.two.Root, p.loose} {
				if err := s.Pin(t.Context(), root, storage.PinInfo{Why: "published"}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			p.open = func(t *testing.T) (*storage.Store, storage.Health) {
				s := open(t, p.dir)
				h, err := s.Health(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return s, h
			}
			p.meta = func(t *testing.T, f func(*kv.Tx) error) { change(t, filepath.Join(p.dir, "meta"), f) }
			p.index = func(t *testing.T, f func(*kv.Tx) error) { change(t, filepath.Join(p.dir, "index"), f) }
			p.overwrite = func(t *testing.T, sub string) {
				es, err := filepath.Glob(filepath.Join(p.dir, sub, "*"))
				if err != nil || len(es) == 0 {
					t.Fatal(es, err)
				}
				for _, e := range es {
					if err := os.WriteFile(e, noise(9, 4096), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			p.served = func(t *testing.T, s *storage.Store, roots ...cid.Cid) {
				t.Helper()
				for root, b := range map[cid.Cid][]byte{p.one.Root: one, p.two.Root: two} {
					if slices.Contains(roots, root) {
						mustCat(t, s, root, b)
					}
				}
			}
			p.collectAll = func(t *testing.T, s *storage.Store) {
				if c, err := s.Collect(t.Context(), 0); err != nil || c.Shards > 0 {
					t.Fatal(c, err)
				}
			}
			c.run(t, p)
		})
	}
}

// A start that recovers is killed before all that it writes is there: the next one
// must not take the half for the whole.
func TestHalfRecoveredPinsAreRecoveredAnew(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	sh := importFile(t, s, noise(900, 1<<20))
	if err := s.SetPrivate(t.Context(), sh.Root, block(cid.Raw, []byte("a datanet")).Cid()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Pin(t.Context(), sh.Root, storage.PinInfo{Why: "mine"}), s.Close(), os.RemoveAll(filepath.Join(dir, "meta"))); err != nil {
		t.Fatal(err)
	}
	db, err := kv.Open(filepath.Join(dir, "meta.part"), kv.Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if c, err := s.Collect(t.Context(), 0); err != nil || c.Shards != 0 {
		t.Errorf("collected %+v, %v", c, err)
	}
	if has, err := s.Blockstore().Has(t.Context(), sh.Root); err != nil || has {
		t.Errorf("a shard that was private is shown: %v, %v", has, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "meta.part")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half is still there: %v", err)
	}
}
