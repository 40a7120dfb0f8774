package p2p

import (
	"context"
	"sync"

	"github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
)

// maxRecords bounds what peers may make us remember: some ten megabytes.
const maxRecords = 32 << 10

// recordStore keeps provider records in memory, up to a number: kad-dht itself
// takes whatever it is sent. Records come again with every announcement, so
// that nothing is kept on disk. When full it drops new ones, until old ones lapse,
// without an error: kad-dht would hold its whole batch back and try again.
type recordStore struct {
	mu    sync.RWMutex
	items *datastore.MapDatastore // guarded by mu
	count int                     // guarded by mu; of items
	most  int
}

func newRecordStore(most int) *recordStore {
	return &recordStore{items: datastore.NewMapDatastore(), most: most}
}

func (s *recordStore) Put(ctx context.Context, k datastore.Key, v []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.items.Has(ctx, k)
	if err != nil {
		return err
	}
	if !old && s.count >= s.most {
		return nil
	}
	if !old {
		s.count++
	}
	return s.items.Put(ctx, k, v)
}

func (s *recordStore) Delete(ctx context.Context, k datastore.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, err := s.items.Has(ctx, k); err != nil || !old {
		return err
	}
	s.count--
	return s.items.Delete(ctx, k)
}

func (s *recordStore) Get(ctx context.Context, k datastore.Key) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.items.Get(ctx, k)
}

func (s *recordStore) Has(ctx context.Context, k datastore.Key) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.items.Has(ctx, k)
}

func (s *recordStore) GetSize(ctx context.Context, k datastore.Key) (int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.items.GetSize(ctx, k)
}

func (s *recordStore) Query(ctx context.Context, q query.Query) (query.Results, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.items.Query(ctx, q)
}

func (s *recordStore) Sync(context.Context, datastore.Key) error { return nil }
func (s *recordStore) Close() error                              { return nil }

func (s *recordStore) Batch(context.Context) (datastore.Batch, error) {
	return datastore.NewBasicBatch(s), nil
}
