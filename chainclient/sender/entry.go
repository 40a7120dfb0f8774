package sender

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"tally/internal/kv"
)

type state uint8

const (
	statePending state = iota // not final, whatever the chain says of it
	stateFinal                // a version has its confirmations
	stateTaken                // another transaction has the nonce
)

// entry is all that is known of one nonce. Its fields are guarded by
// Sender.mu, except those marked immutable.
type entry struct {
	nonce    uint64               // immutable
	label    string               // immutable
	created  time.Time            // immutable
	versions []*types.Transaction // oldest first, at least one
	state    state
	winner   common.Hash // of a final entry
	block    uint64      // of a final entry

	// What follows is not stored: after a restart the loop finds it again.
	receipt *types.Receipt // newest sight of it in a block
	checked common.Hash    // head under which receipt was seen
	sent    time.Time      // newest version's last broadcast
	since   time.Time      // the newest version waits since
	head    uint64         // head at since
	missing time.Time      // nonce used but no receipt, since
	missAt  uint64         // head at missing
}

func (e *entry) newest() *types.Transaction { return e.versions[len(e.versions)-1] }

// record is the stored form of an entry: JSON under a key of the chain, the
// account and the nonce.
type record struct {
	Label    string      `json:"label"`
	Created  int64       `json:"created"` // unix seconds
	Versions [][]byte    `json:"versions"`
	State    state       `json:"state"`
	Winner   common.Hash `json:"winner"`
	Block    uint64      `json:"block"`
}

func (e *entry) encode() ([]byte, error) {
	r := record{e.label, e.created.Unix(), nil, e.state, e.winner, e.block}
	for _, tx := range e.versions {
		raw, err := tx.MarshalBinary()
		if err != nil {
			return nil, err
		}
		r.Versions = append(r.Versions, raw)
	}
	return json.Marshal(r)
}

func decodeEntry(nonce uint64, b []byte) (*entry, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	if len(r.Versions) == 0 || len(r.Versions) > maxVersions || r.State > stateTaken {
		return nil, errors.New("not a transaction record")
	}
	e := &entry{nonce: nonce, label: r.Label, created: time.Unix(r.Created, 0), state: r.State, winner: r.Winner, block: r.Block}
	for _, raw := range r.Versions {
		tx := new(types.Transaction)
		if err := tx.UnmarshalBinary(raw); err != nil {
			return nil, err
		}
		if tx.Nonce() != nonce {
			return nil, fmt.Errorf("transaction has nonce %d", tx.Nonce())
		}
		e.versions = append(e.versions, tx)
	}
	return e, nil
}

// prefix is "tx/", chain id, account; one DB may serve several senders.
func (s *Sender) prefix() []byte {
	return append(binary.BigEndian.AppendUint64([]byte("tx/"), s.cfg.ChainID), s.from[:]...)
}

func (s *Sender) key(nonce uint64) []byte { return binary.BigEndian.AppendUint64(s.prefix(), nonce) }

// load fills the Sender from the store; called by New.
func (s *Sender) load() error {
	p := s.prefix()
	err := s.cfg.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(p) {
			if err != nil {
				return err
			}
			if len(it.Key) != len(p)+8 {
				return fmt.Errorf("key %x", it.Key)
			}
			nonce := binary.BigEndian.Uint64(it.Key[len(p):])
			e, err := decodeEntry(nonce, it.Value)
			if err != nil {
				return fmt.Errorf("nonce %d: %w", nonce, err)
			}
			for _, v := range e.versions {
				if from, err := types.Sender(s.signer, v); err != nil || from != s.from {
					return fmt.Errorf("nonce %d: not signed by %s", nonce, s.from)
				}
			}
			s.adopt(e)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sender: read stored transactions: %w", err)
	}
	return nil
}

// adopt enters e in the maps. The caller holds mu.
func (s *Sender) adopt(e *entry) {
	s.entries[e.nonce] = e
	for _, v := range e.versions {
		s.byHash[v.Hash()] = e.nonce
	}
	s.next = max(s.next, e.nonce+1)
}

// save stores e; durable once it returns. The caller holds mu or is alone.
func (s *Sender) save(e *entry) error {
	b, err := e.encode()
	if err == nil {
		err = s.cfg.DB.Update(func(tx *kv.Tx) error { return tx.Set(s.key(e.nonce), b) })
	}
	if err != nil {
		return fmt.Errorf("sender: store nonce %d: %w", e.nonce, err)
	}
	return nil
}

// forget drops settled entries far below nonce, but never the highest, which
// holds the next nonce. The caller holds mu.
func (s *Sender) forget(nonce uint64) error {
	var old []*entry
	for n, e := range s.entries {
		if n+keptFinal < nonce && e.state != statePending {
			old = append(old, e)
		}
	}
	if len(old) < keptFinal/4 { // in batches
		return nil
	}
	err := s.cfg.DB.Update(func(tx *kv.Tx) error {
		for _, e := range old {
			if err := tx.Delete(s.key(e.nonce)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sender: forget old transactions: %w", err)
	}
	for _, e := range old {
		delete(s.entries, e.nonce)
		for _, v := range e.versions {
			delete(s.byHash, v.Hash())
		}
	}
	return nil
}

// checkGenesis compares the chain's block 0 with the one stored, or stores it:
// a development chain that was wiped keeps its id.
func (s *Sender) checkGenesis(h common.Hash) error {
	key := binary.BigEndian.AppendUint64([]byte("genesis/"), s.cfg.ChainID)
	return s.cfg.DB.Update(func(tx *kv.Tx) error {
		b, err := tx.Get(key)
		if errors.Is(err, kv.ErrNotFound) {
			return tx.Set(key, h[:])
		}
		if err != nil {
			return err
		}
		if common.BytesToHash(b) != h {
			return fmt.Errorf("%w: block 0 is %s, stored transactions are for %x", ErrWrongChain, h, b)
		}
		return nil
	})
}

func bump(v *big.Int) *big.Int {
	n := new(big.Int).Mul(v, big.NewInt(9)) // pools ask for a tenth more
	n.Rsh(n, 3)
	return n.Add(n, big.NewInt(1))
}
