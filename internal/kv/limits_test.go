package kv

import (
	"encoding/binary"
	"errors"
	"testing"
)

// What callers write at once rests on it: see Options.
func TestAnUpdateTakesWhatIsPromised(t *testing.T) {
	for name, c := range map[string]struct {
		o           Options
		bytes, keys int
		large       int // a value that is not counted
	}{
		"large": {Options{Sync: true}, 512 << 10, 4096, 512 << 10},
		"small": {Options{Sync: true, Small: true}, 256 << 10, 2048, 128 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, t.TempDir(), c.o)
			defer d.Close()
			key := func(i int) []byte { return binary.BigEndian.AppendUint32(make([]byte, 100), uint32(i)) }
			if err := d.Update(func(tx *Tx) error {
				for i := range c.keys {
					if err := tx.Set(key(i), nil); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Errorf("%d keys of 104 bytes: %v", c.keys, err)
			}
			if err := d.Update(func(tx *Tx) error {
				for i := range c.bytes >> 10 {
					if err := tx.Set(key(i), make([]byte, 1<<10)); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Errorf("%d bytes of values: %v", c.bytes, err)
			}
			if err := d.Update(func(tx *Tx) error {
				var err error
				for i := range 8 {
					err = errors.Join(err, tx.Set(key(i), make([]byte, c.large)))
				}
				return err
			}); err != nil {
				t.Errorf("eight values of %d bytes: %v", c.large, err)
			}
		})
	}
}
