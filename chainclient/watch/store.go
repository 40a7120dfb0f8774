package watch

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"

	"tally/internal/kv"
)

// meta says what the stored blocks are of.
type meta struct {
	ChainID   uint64           `json:"chainId"`
	Genesis   common.Hash      `json:"genesis"`
	From      uint64           `json:"from"`
	Addresses []common.Address `json:"addresses"`
}

// record is a stored block: RLP under its number. What follows from the key
// and the header is not repeated in the logs.
type record struct {
	Hash, Parent common.Hash
	Time         uint64
	Logs         []logRecord
}

type logRecord struct {
	Address common.Address
	Topics  []common.Hash
	Data    []byte
	TxHash  common.Hash
	TxIndex uint64
	Index   uint64
}

var (
	blockPrefix = []byte("block/")
	metaKey     = []byte("meta")
)

const (
	txBlocks = 256       // written in one transaction of the database
	txBytes  = 128 << 10 // half of what the smallest database takes; one larger block goes alone
)

func blockKey(n uint64) []byte {
	return binary.BigEndian.AppendUint64(slices.Clone(blockPrefix), n)
}

func encodeBlock(b Block) ([]byte, error) {
	r := record{Hash: b.Hash, Parent: b.Parent, Time: b.Time}
	for _, l := range b.Logs {
		r.Logs = append(r.Logs, logRecord{l.Address, l.Topics, l.Data, l.TxHash, uint64(l.TxIndex), uint64(l.Index)})
	}
	return rlp.EncodeToBytes(&r)
}

func decodeBlock(n uint64, v []byte) (Block, error) {
	var r record
	if err := rlp.DecodeBytes(v, &r); err != nil {
		return Block{}, err
	}
	b := Block{Header: Header{Number: n, Time: r.Time, Hash: r.Hash, Parent: r.Parent}}
	for _, l := range r.Logs {
		b.Logs = append(b.Logs, types.Log{
			Address: l.Address, Topics: l.Topics, Data: l.Data, TxHash: l.TxHash, TxIndex: uint(l.TxIndex), Index: uint(l.Index),
			BlockNumber: n, BlockHash: r.Hash, BlockTimestamp: r.Time,
		})
	}
	return b, nil
}

func (w *Watcher) stored(n uint64) (b Block, err error) {
	err = w.cfg.DB.View(func(tx *kv.Tx) error {
		v, err := tx.Get(blockKey(n))
		if err != nil {
			return err
		}
		b, err = decodeBlock(n, v)
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return b, fmt.Errorf("%w: %d", ErrNotFound, n)
	} else if err != nil {
		return b, fmt.Errorf("watch: read block %d: %w", n, err)
	}
	return b, nil
}

// store writes blocks in order, so that a crash leaves a whole beginning.
func (w *Watcher) store(blocks []Block) error {
	for len(blocks) > 0 {
		done := 0
		err := w.cfg.DB.Update(func(tx *kv.Tx) error {
			size := 0
			for done = 0; done < min(txBlocks, len(blocks)); done++ {
				v, err := encodeBlock(blocks[done])
				if err != nil {
					return err
				}
				if size += len(v); done > 0 && size > txBytes {
					return nil
				}
				if err := tx.Set(blockKey(blocks[done].Number), v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("watch: store block %d: %w", blocks[0].Number, err)
		}
		blocks = blocks[done:]
	}
	return nil
}

// cut removes the blocks tip down to to+1, from the top, so that a crash
// leaves a whole beginning.
func (w *Watcher) cut(tip, to uint64) error {
	for n := tip; n > to; {
		stop := max(to, n-min(n, txBlocks))
		err := w.cfg.DB.Update(func(tx *kv.Tx) error {
			for i := n; i > stop; i-- {
				if err := tx.Delete(blockKey(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("watch: remove block %d: %w", n, err)
		}
		n = stop
	}
	return nil
}

// replay empties the sink and fills it from the store. Blocks of another
// configuration, or after a damaged one, are removed and fetched again.
func (w *Watcher) replay(ctx context.Context, sink Sink) error {
	w.setTip(Header{}, false)
	if err := w.open(); err != nil {
		return err
	}
	if err := sink.Revert(ctx, w.cfg.From-1); err != nil {
		return fmt.Errorf("watch: revert to block %d: %w", w.cfg.From-1, err)
	}
	bad := false
	err := w.cfg.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(blockPrefix) {
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			tip, has := w.Tip()
			next := w.cfg.From
			if has {
				next = tip.Number + 1
			}
			b, err := decodeBlock(next, it.Value)
			if err != nil || string(it.Key) != string(blockKey(next)) || (has && b.Parent != tip.Hash) {
				w.cfg.Logger.Error("stored block damaged, will be fetched again", "block", next, "err", err)
				bad = true
				return nil
			}
			if err := w.apply(ctx, sink, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		if f, ok := errors.AsType[fatal](err); ok {
			return f.err
		}
		return fmt.Errorf("watch: replay: %w", err)
	}
	if !bad {
		return nil
	}
	keep := w.cfg.From - 1
	if tip, has := w.Tip(); has {
		keep = tip.Number
	}
	return w.wipe(keep)
}

// open removes what is stored of other addresses or another beginning.
func (w *Watcher) open() error {
	m, err := w.readMeta()
	if errors.Is(err, kv.ErrNotFound) {
		return w.wipe(0)
	} else if err != nil {
		return err
	}
	if w.cfg.ChainID != 0 && m.ChainID != w.cfg.ChainID {
		return fmt.Errorf("%w: stored is chain id %d, configured is %d", ErrWrongChain, m.ChainID, w.cfg.ChainID)
	}
	if m.From == w.cfg.From && slices.Equal(m.Addresses, w.cfg.Addresses) {
		return nil
	}
	w.cfg.Logger.Info("other contracts than stored, starting over")
	if err := w.wipe(0); err != nil {
		return err
	}
	m.From, m.Addresses = w.cfg.From, w.cfg.Addresses
	return w.writeMeta(m)
}

// wipe removes every block above keep, whatever its key says.
func (w *Watcher) wipe(keep uint64) error {
	var keys [][]byte
	err := w.cfg.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(blockPrefix) {
			if err != nil {
				return err
			}
			if string(it.Key) > string(blockKey(keep)) {
				keys = append(keys, it.Key)
			}
		}
		return nil
	})
	slices.Reverse(keys)
	for chunk := range slices.Chunk(keys, txBlocks) {
		if err != nil {
			break
		}
		err = w.cfg.DB.Update(func(tx *kv.Tx) error {
			for _, k := range chunk {
				if err := tx.Delete(k); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("watch: remove stored blocks: %w", err)
	}
	return nil
}

func (w *Watcher) readMeta() (m meta, err error) {
	err = w.cfg.DB.View(func(tx *kv.Tx) error {
		v, err := tx.Get(metaKey)
		if err != nil {
			return err
		}
		return json.Unmarshal(v, &m)
	})
	if err != nil {
		return m, fmt.Errorf("watch: read what is stored: %w", err)
	}
	return m, nil
}

func (w *Watcher) writeMeta(m meta) error {
	v, err := json.Marshal(m)
	if err == nil {
		err = w.cfg.DB.Update(func(tx *kv.Tx) error { return tx.Set(metaKey, v) })
	}
	if err != nil {
		return fmt.Errorf("watch: note what is stored: %w", err)
	}
	return nil
}

// checkMeta compares the endpoint's chain with the stored one; a first chain
// is noted before its first block.
func (w *Watcher) checkMeta(chainID uint64, genesis common.Hash) error {
	m, err := w.readMeta()
	if errors.Is(err, kv.ErrNotFound) {
		return w.writeMeta(meta{chainID, genesis, w.cfg.From, w.cfg.Addresses})
	} else if err != nil {
		return err
	}
	if m.ChainID != chainID || m.Genesis != genesis {
		return fmt.Errorf("%w: stored is chain id %d from block 0 %s, the endpoint has chain id %d from %s",
			ErrWrongChain, m.ChainID, m.Genesis, chainID, genesis)
	}
	return nil
}
