package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"tally/internal/kv"
	"tally/protocol"
	"tally/protocol/piece"
)

// ErrSpent says that an epoch's questions are used up.
var ErrSpent = errors.New("journal: no more questions in this epoch")

// Question is a leaf that a node is asked for in an epoch's retrieval checks.
type Question struct {
	Epoch uint64
	Node  common.Address
	Piece common.Hash
	Leaf  uint64
	About common.Address // whose answer this is asked to judge; zero for a check of the node itself
}

func (q Question) key(prefix string, by common.Address) []byte {
	b := binary.BigEndian.AppendUint64([]byte(prefix), q.Epoch)
	b = append(append(append(b, by[:]...), q.Node[:]...), q.Piece[:]...)
	return binary.BigEndian.AppendUint64(b, q.Leaf)
}

func questionOf(r protocol.RetrievalReport) Question {
	return Question{Epoch: r.Epoch, Node: r.Node, Piece: r.Piece, Leaf: r.Leaf}
}

// Ask notes that a holder is about to be asked at the time, and how often it was
// with this. It is on disk once it returns nil. ErrSpent refuses it if most
// questions were noted for the epoch, over all holders.
func (j *Journal) Ask(ctx context.Context, q Question, now, most uint64) (times uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	err = j.db.Update(func(tx *kv.Tx) error {
		var sum uint64
		for it, err := range tx.Scan(binary.BigEndian.AppendUint64([]byte("q/"), q.Epoch)) {
			if err != nil {
				return err
			}
			if len(it.Value) == 16 {
				sum += binary.BigEndian.Uint64(it.Value)
			}
		}
		if sum >= most {
			return fmt.Errorf("%w: %d of epoch %d", ErrSpent, sum, q.Epoch)
		}
		if times, _, err = asked(tx, q); err != nil {
			return err
		}
		times++
		return setAsked(tx, q, times, now)
	})
	return times, err
}

// Withdraw takes a question back that could not be put.
func (j *Journal) Withdraw(q Question) error {
	return j.db.Update(func(tx *kv.Tx) error {
		times, last, err := asked(tx, q)
		if err != nil || times == 0 {
			return err
		}
		return setAsked(tx, q, times-1, last)
	})
}

func setAsked(tx *kv.Tx, q Question, times, at uint64) error {
	return tx.Set(q.key("q/", q.About), binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, times), at))
}

// Asked is how often a question was asked, and when last.
func (j *Journal) Asked(q Question) (times, last uint64, err error) {
	err = j.db.View(func(tx *kv.Tx) error {
		times, last, err = asked(tx, q)
		return err
	})
	return times, last, err
}

func asked(tx *kv.Tx, q Question) (times, last uint64, err error) {
	b, err := tx.Get(q.key("q/", q.About))
	if errors.Is(err, kv.ErrNotFound) {
		return 0, 0, nil
	}
	if err != nil || len(b) != 16 {
		return 0, 0, err
	}
	return binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), nil
}

// shown is a right leaf as it is stored.
type shown struct {
	Leaf []byte        `max:"256"`
	Path []common.Hash `max:"56"`
}

// AddProof keeps the right leaf of a question that was answered wrongly: on disk
// once it returns nil, so that an accusation outlives a restart.
func (j *Journal) AddProof(ctx context.Context, q Question, right piece.Proof) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := shown{Leaf: right.Leaf}
	for _, h := range right.Path {
		s.Path = append(s.Path, h)
	}
	b, err := protocol.Encode(s)
	if err != nil {
		return fmt.Errorf("journal: proof: %w", err)
	}
	return j.db.Update(func(tx *kv.Tx) error { return tx.Set(q.key("p/", common.Address{}), b) })
}

// Proof is what AddProof kept; ok is false if there is nothing.
func (j *Journal) Proof(q Question) (right piece.Proof, ok bool, err error) {
	err = j.db.View(func(tx *kv.Tx) error {
		b, err := tx.Get(q.key("p/", common.Address{}))
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		var s shown
		if err == nil {
			err = protocol.Decode(b, &s)
		}
		right, ok = piece.Proof{Index: q.Leaf, Leaf: s.Leaf}, err == nil
		for _, h := range s.Path {
			right.Path = append(right.Path, h)
		}
		return err
	})
	return right, ok, err
}

// AddReport keeps what an auditor saw: on disk once it returns nil. The first
// report of an auditor on a question stands; another one does nothing.
func (j *Journal) AddReport(ctx context.Context, s protocol.Signed[protocol.RetrievalReport]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := s.Open(j.network)
	if err != nil {
		return fmt.Errorf("journal: report: %w", err)
	}
	if r.Outcome < protocol.RetrievalGood || r.Outcome > protocol.RetrievalWrong {
		return fmt.Errorf("journal: report: %w: outcome %d", protocol.ErrDocument, r.Outcome)
	}
	key := questionOf(r).key("r/", r.Auditor)
	return j.db.Update(func(tx *kv.Tx) error {
		if _, err := tx.Get(key); !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		return tx.Set(key, s.Bytes())
	})
}

// Report is what an auditor said to a question; ok is false if it said nothing.
func (j *Journal) Report(q Question, auditor common.Address) (s protocol.Signed[protocol.RetrievalReport], ok bool, err error) {
	err = j.db.View(func(tx *kv.Tx) error {
		b, err := tx.Get(q.key("r/", auditor))
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err == nil {
			s, err = protocol.ParseSigned[protocol.RetrievalReport](b)
		}
		ok = err == nil
		return err
	})
	return s, ok, err
}

// Reports are all that were kept of epochs from the given one on, in the order of
// epochs.
func (j *Journal) Reports(ctx context.Context, from uint64) ([]protocol.Signed[protocol.RetrievalReport], error) {
	var out []protocol.Signed[protocol.RetrievalReport]
	err := j.db.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte("r/")) {
			if err := errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			if epochOf(it.Key) < from {
				continue
			}
			s, err := protocol.ParseSigned[protocol.RetrievalReport](it.Value)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("journal: read reports: %w", err)
	}
	return out, nil
}

// epochOf reads the epoch out of a key, after its two letters.
func epochOf(key []byte) uint64 {
	if len(key) < 10 {
		return 0
	}
	return binary.BigEndian.Uint64(key[2:10])
}
