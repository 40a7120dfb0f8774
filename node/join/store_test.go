package join

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"tally/protocol"
	"tally/storage"
)

func openStore(t *testing.T) Store {
	t.Helper()
	s, err := storage.Open(storage.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return Store{S: s}
}

func TestSingleFileIsADirectoryWithThatFile(t *testing.T) {
	s := openStore(t)
	text := strings.Repeat("a shard of text ", 200_000)
	sh, err := s.Import(t.Context(), strings.NewReader(text), "test")
	if err != nil {
		t.Fatal(err)
	}
	files, err := s.FS(t.Context(), sh.Root)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(files, oneFileName); err != nil {
		t.Fatal(err)
	}
	got, err := fs.ReadFile(files, oneFileName)
	if err != nil || string(got) != text {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	dir, err := s.ImportFS(t.Context(), fstest.MapFS{"a": {Data: []byte("x")}, "b": {Data: []byte("y")}})
	if err != nil {
		t.Fatal(err)
	}
	if files, err = s.FS(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(files, "b"); err != nil || string(b) != "y" {
		t.Errorf("directory: %q %v", b, err)
	}
}

func TestEpochDocumentsAreOneDAG(t *testing.T) {
	e := Epochs{openStore(t)}
	leaf, err := protocol.Encode(protocol.TrainTrace{})
	if err != nil {
		t.Fatal(err)
	}
	root, err := protocol.Encode(protocol.BatchData{Receipts: nil, Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Publish(t.Context(), protocol.CIDOf(root), [][]byte{root, leaf}); err == nil {
		t.Error("a block that nothing links to was taken")
	}
	if err := e.Publish(t.Context(), protocol.CIDOf(root), [][]byte{root}); err != nil {
		t.Fatal(err)
	}
	b, err := e.Get(t.Context(), protocol.CIDOf(root), protocol.CIDOf(root))
	if err != nil || !bytes.Equal(b, root) {
		t.Errorf("%x %v", b, err)
	}
}
