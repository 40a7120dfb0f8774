package node

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/internal/kv"
	"tally/protocol"
)

func TestToldOfSettledEpochsIsDroppedAndNothingElse(t *testing.T) {
	db, err := kv.Open("", kv.Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	of := toldPosters{db}
	set := func(key []byte) {
		t.Helper()
		if err := db.Update(func(tx *kv.Tx) error { return tx.Set(key, []byte{1}) }); err != nil {
			t.Fatal(err)
		}
	}
	for epoch := range uint64(300) { // 256 is where the order of bytes shows
		for poster := range byte(4) {
			set(of.key(epoch, protocol.CIDOf([]byte{poster}), common.Address{poster}))
		}
	}
	set([]byte("tolx"))
	set([]byte("head/1"))
	sum := 0
	for calls := 0; ; calls++ {
		n, err := of.Prune(258)
		if err != nil || n > maxPrune {
			t.Fatal(n, err)
		}
		if sum += n; n == 0 {
			if calls < 2 {
				t.Errorf("all was dropped in %d calls", calls)
			}
			break
		}
	}
	left := 0
	err = db.View(func(tx *kv.Tx) error {
		for _, err := range tx.Scan(nil) {
			if err != nil {
				return err
			}
			left++
		}
		return nil
	})
	if err != nil || sum != 4*258 || left != 4*42+2 {
		t.Errorf("%d were dropped, %d are left, %v", sum, left, err)
	}
}
