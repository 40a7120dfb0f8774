package p2p

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
)

func TestProviderRecordsAreBounded(t *testing.T) {
	s := newRecordStore(10)
	key := func(i int) datastore.Key { return datastore.NewKey(fmt.Sprint("k", i)) }
	for i := range 10 {
		if err := s.Put(t.Context(), key(i), []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(t.Context(), key(10), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), key(10)); !errors.Is(err, datastore.ErrNotFound) {
		t.Errorf("one too many was kept: %v", err)
	}
	if err := s.Put(t.Context(), key(3), []byte{2}); err != nil {
		t.Errorf("renewing one: %v", err)
	}
	b, err := s.Batch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := b.Put(t.Context(), key(100+i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Delete(t.Context(), key(3)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(t.Context(), key(11), nil); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.Has(t.Context(), key(11)); err != nil || !ok {
		t.Errorf("a record for which there was room was dropped (%v)", err)
	}
	r, err := s.Query(t.Context(), query.Query{KeysOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Rest()
	if err != nil || len(all) != 10 {
		t.Errorf("%d records, want 10 (%v)", len(all), err)
	}
}
