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

func TestRecordsOfAnySchemaAreReadAsText(t *testing.T) {
	s := openStore(t)
	for schema, x := range map[string][2]string{
		"text":  {"", "one\x1etwo"},
		"jsonl": {"say", "{\"say\":\"one\"}\n{\"say\":\"two\",\"n\":1}\n"},
		"csv":   {"say", "n,say\n1,one\n2,two\n"},
	} {
		root, err := s.ImportFile(t.Context(), strings.NewReader(x[1]))
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.Texts(t.Context(), root, schema, x[0])
		if err != nil {
			t.Fatal(err)
		}
		es, err := fs.ReadDir(f, ".")
		if err != nil || len(es) != 1 {
			t.Fatalf("%s: %v, %v", schema, es, err)
		}
		b, err := fs.ReadFile(f, es[0].Name())
		if got := protocol.SplitRecords(string(b)); err != nil || len(got) != 2 || got[0] != "one" || got[1] != "two" {
			t.Errorf("%s: %q, %v", schema, got, err)
		}
	}
	if _, err := s.Texts(t.Context(), protocol.CIDOf([]byte("x")), "xml", ""); err == nil {
		t.Error("a schema that nobody knows is read")
	}
}
