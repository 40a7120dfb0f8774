package storage_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/storage"
	"tally/storage/volume"
)

// TestNothingIsWrittenWhileTheMarkerIsAwayNorAfterClose tries every way of writing.
func TestNothingIsWrittenWhileTheMarkerIsAwayNorAfterClose(t *testing.T) {
	ctx := t.Context()
	s := open(t, t.TempDir())
	sh, hidden := importFile(t, s, noise(820, 2<<20)), importFile(t, s, noise(821, 1<<20))
	loose, err := s.PutNode(ctx, []byte{0x01})
	if err != nil {
		t.Fatal(err)
	}
	of := block(cid.Raw, []byte("a datanet")).Cid()
	if err := errors.Join(s.Pin(ctx, sh.Root, storage.PinInfo{Why: "pin set"}), s.SetPrivate(ctx, hidden.Root, of)); err != nil {
		t.Fatal(err)
	}
	far := open(t, "")
	other := importFile(t, far, noise(822, 2<<20))
	o, file := outline(t, far, other)
	a := begin(t, s, other)
	if err := a.Adopt(ctx, o); err != nil {
		t.Fatal(err)
	}
	writes := map[string]func() error{
		"pin":          func() error { return s.Pin(ctx, sh.Root, storage.PinInfo{Why: "x"}) },
		"unpin":        func() error { return s.Unpin(ctx, sh.Root, "pin set") },
		"unpin all":    func() error { return s.Unpin(ctx, sh.Root) },
		"delete block": func() error { return s.Blockstore().DeleteBlock(ctx, loose) },
		"put block":    func() error { return s.Blockstore().Put(ctx, block(cid.Raw, []byte("new"))) },
		"put group":    func() error { b := block(cid.Raw, []byte("g")); return s.PutDAG(ctx, b.Cid(), []blocks.Block{b}) },
		"hide":         func() error { return s.SetPrivate(ctx, sh.Root, of) },
		"show":         func() error { return s.SetPrivate(ctx, hidden.Root, cid.Undef) },
		"collect":      func() error { _, err := s.Collect(ctx, 0); return err },
		"import":       func() error { _, err := s.ImportFile(ctx, bytes.NewReader(noise(823, 100))); return err },
		"fetch":        func() error { _, err := s.Fetch(ctx, block(cid.Raw, []byte("f")).Cid(), nil); return err },
		"span":         func() error { return put(t, a, file, 0) },
	}
	marker := filepath.Join(s.Dir(), volume.MarkerName)
	if err := os.Rename(marker, marker+".away"); err != nil {
		t.Fatal(err)
	}
	for name, write := range writes {
		if err := write(); !errors.Is(err, storage.ErrMarker) {
			t.Errorf("%s, without a marker: %v", name, err)
		}
	}
	if err := os.Rename(marker+".away", marker); err != nil {
		t.Fatal(err)
	}
	for st, err := range s.Status() {
		if err != nil || st.Root != sh.Root || len(st.Pins) != 1 || st.State != storage.Have {
			t.Fatal(st, err)
		}
	}
	if _, private := s.Private(hidden.Root); !private {
		t.Fatal("a private shard was shown")
	}
	if _, err := s.GetBlock(ctx, loose); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"unpin", "unpin all", "delete block", "hide", "show", "collect"} {
		if err := writes[name](); !errors.Is(err, storage.ErrClosed) {
			t.Errorf("%s, after Close: %v", name, err)
		}
	}
}
