package kv

import (
	"errors"
	"fmt"
	"testing"
)

func TestScanYieldsOnlyThePrefixInOrder(t *testing.T) {
	d, err := Open("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.Update(func(tx *Tx) error {
		for _, k := range []string{"b/2", "a/1", "b/1", "c"} {
			if err := tx.Set([]byte(k), []byte("v"+k)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = d.View(func(tx *Tx) error {
		for it, err := range tx.Scan([]byte("b/")) {
			if err != nil {
				return err
			}
			got = append(got, string(it.Key)+"="+string(it.Value))
		}
		return nil
	})
	if err != nil || fmt.Sprint(got) != "[b/1=vb/1 b/2=vb/2]" {
		t.Fatalf("scan gave %v, %v", got, err)
	}
}

func TestDirectoryHeldByAnotherIsRefusedAndSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	d, err := Open(dir, Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Fatalf("second open: %v, want ErrInUse", err)
	}
	if err := d.Update(func(tx *Tx) error { return tx.Set([]byte("k"), []byte("v")) }); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, err = Open(dir, Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.View(func(tx *Tx) error {
		v, err := tx.Get([]byte("k"))
		if string(v) != "v" {
			t.Errorf("value %q", v)
		}
		if _, err := tx.Get([]byte("nope")); !errors.Is(err, ErrNotFound) {
			t.Errorf("missing key: %v", err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFailedUpdateWritesNothing(t *testing.T) {
	d, err := Open("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	stop := errors.New("stop")
	err = d.Update(func(tx *Tx) error {
		if err := tx.Set([]byte("k"), []byte("v")); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	_ = d.View(func(tx *Tx) error {
		if _, err := tx.Get([]byte("k")); !errors.Is(err, ErrNotFound) {
			t.Errorf("a failed update left its write: %v", err)
		}
		return nil
	})
}
