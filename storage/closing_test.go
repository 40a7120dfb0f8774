package storage

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestCloseDoesNotWaitForeverForADatabaseThatCannotWrite(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir, Floor: -1})
	if err != nil {
		t.Fatal(err)
	}
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(make([]byte, 2<<20)))
	if err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(dir, "index")
	if err := os.Rename(index, index+".away"); err != nil {
		t.Fatal(err)
	}
	s.patience = time.Millisecond
	if err := s.Close(); !errors.Is(err, ErrDisk) {
		t.Fatal(err)
	}
	if err := os.Rename(index+".away", index); err != nil {
		t.Fatal(err)
	}
	<-s.shut
	if s, err = Open(Config{Dir: dir, Floor: -1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), sh.Root); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
