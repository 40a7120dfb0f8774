package kv

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T, dir string, o Options) *DB {
	t.Helper()
	d, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func put(t *testing.T, d *DB, name string, n int) {
	t.Helper()
	for i := range n {
		if err := d.Update(func(tx *Tx) error { return tx.Set(fmt.Appendf(nil, "%s/%d", name, i), make([]byte, 1000)) }); err != nil {
			t.Fatal(err)
		}
	}
}

// died is a copy of a database's directory as a process that dies now would leave it.
func died(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "died")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestADatabaseKnowsThatItWasClosed(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, Options{})
	if d.Whole() {
		t.Error("a new one was closed by nobody")
	}
	put(t, d, "a", 10)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, dir, Options{})
	if !d.Whole() {
		t.Error("it was closed")
	}
	put(t, d, "b", 10)
	lost := died(t, dir)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(lost, "*.mem"))
	if err != nil || len(logs) == 0 {
		t.Fatal(logs, err)
	}
	for _, l := range logs {
		if err := os.Remove(l); err != nil {
			t.Fatal(err)
		}
	}
	d = open(t, lost, Options{})
	defer d.Close()
	if d.Whole() {
		t.Error("what it wrote last is gone")
	}
}

func TestANoteOfAnotherManifestSaysNothing(t *testing.T) {
	dir := t.TempDir()
	note := filepath.Join(dir, closedName)
	if err := open(t, dir, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, dir, Options{})
	put(t, d, "a", 10)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for _, said := range [][]byte{old, nil, bytes.Repeat([]byte{1}, 32)} {
		if err := os.WriteFile(note, said, 0o600); err != nil {
			t.Fatal(err)
		}
		d := open(t, dir, Options{})
		if d.Whole() {
			t.Errorf("%x is not its digest", said)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASmallDatabaseOpensTheLogOfALargeOne(t *testing.T) {
	dir := t.TempDir()
	large := open(t, dir, Options{})
	defer large.Close()
	put(t, large, "a", 3500) // more than a small one keeps in memory
	d := open(t, died(t, dir), Options{Small: true})
	defer d.Close()
	n := 0
	err := d.View(func(tx *Tx) error {
		for _, err := range tx.Scan([]byte("a/")) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil || n != 3500 {
		t.Fatal(n, err)
	}
}

func TestASmallDatabaseTakesLargeValuesAndManyKeys(t *testing.T) {
	dir := t.TempDir()
	large := make([]byte, 3<<20)
	for i := range large {
		large[i] = byte(i * i >> 3)
	}
	d := open(t, dir, Options{Sync: true, Small: true})
	err := d.Update(func(tx *Tx) error {
		for i := range 2000 {
			if err := tx.Set(fmt.Appendf(nil, "k/%d", i), make([]byte, 64)); err != nil {
				return err
			}
		}
		return tx.Set([]byte("large"), large)
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, d, "a", 5000) // through several tables
	for range 2 {
		err := d.View(func(tx *Tx) error {
			b, err := tx.Get([]byte("large"))
			if err == nil && !bytes.Equal(b, large) {
				t.Error("another value")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d = open(t, dir, Options{Sync: true, Small: true})
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestInMemoryEverySettingTakesWhatItSays(t *testing.T) {
	for _, c := range []struct {
		o    Options
		size int
	}{{Options{}, 1<<20 - 1}, {Options{Sync: true, Small: true}, 100 << 10}} {
		d := open(t, "", c.o)
		if err := d.Update(func(tx *Tx) error { return tx.Set([]byte("k"), make([]byte, c.size)) }); err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
