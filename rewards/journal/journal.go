// Package journal keeps signed verdicts, adverts and retrieval reports: what an
// auditor said, so that it never says otherwise after a crash, and what reached a
// poster, so that it can acknowledge. It also counts the questions that an auditor
// asked, so that a restart does not ask them all again.
//
// The life of a verdict: an auditor adds it before it sends it; the poster adds
// it and then acknowledges; the poster's step reads all of an epoch; once what it
// judges is settled for good, Prune drops it (rewards.Pruner says when). Of a
// worker's adverts only the one with the latest Since is kept.
//
// A Journal is safe for concurrent use. It checks signatures. Whether an auditor
// is registered is its caller's to ask, before adding: otherwise strangers
// fill the disk.
package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
)

// Journal is an open journal.
type Journal struct {
	network protocol.Network
	db      *kv.DB
}

// Open opens or creates the journal in dir; an empty dir opens one in memory.
func Open(dir string, n protocol.Network) (*Journal, error) {
	if err := n.Validate(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	db, err := kv.Open(dir, kv.Options{Sync: true, Small: true})
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &Journal{n, db}, nil
}

// Close releases the directory.
func (j *Journal) Close() error { return j.db.Close() }

func keyVerdict(v protocol.Verdict) []byte {
	b := binary.BigEndian.AppendUint64([]byte("v/"), v.Epoch)
	h := protocol.LeafHash(v.Receipt.Bytes())
	return append(append(append(b, h[:]...), v.Auditor[:]...), byte(v.Outcome))
}

// AddVerdict keeps a verdict: on disk once it returns nil. One of the same
// auditor about the same receipt with the same outcome is kept once; two
// different ones are both kept, for that is what the rules must see.
func (j *Journal) AddVerdict(ctx context.Context, s protocol.Signed[protocol.Verdict]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v, err := s.Open(j.network)
	if err != nil {
		return fmt.Errorf("journal: verdict: %w", err)
	}
	if v.Outcome < protocol.OutcomeEqual || v.Outcome > protocol.OutcomeNoData {
		return fmt.Errorf("journal: verdict: %w: outcome %d", protocol.ErrDocument, v.Outcome)
	}
	return j.db.Update(func(tx *kv.Tx) error {
		if _, err := tx.Get(keyVerdict(v)); !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		return tx.Set(keyVerdict(v), s.Bytes())
	})
}

// Verdicts are all that were kept of epochs from the given one on.
func (j *Journal) Verdicts(ctx context.Context, from uint64) ([]protocol.Signed[protocol.Verdict], error) {
	var out []protocol.Signed[protocol.Verdict]
	err := j.db.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte("v/")) {
			if err := errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			if len(it.Key) < 10 || epochOf(it.Key) < from {
				continue
			}
			s, err := protocol.ParseSigned[protocol.Verdict](it.Value)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("journal: read verdicts: %w", err)
	}
	return out, nil
}

// Verdict is what an auditor said last about a receipt: equal or mismatch rather
// than no data. ok is false if it said nothing.
func (j *Journal) Verdict(receipt cid.Cid, epoch uint64, auditor common.Address) (s protocol.Signed[protocol.Verdict], ok bool, err error) {
	v := protocol.Verdict{Receipt: receipt, Epoch: epoch, Auditor: auditor}
	err = j.db.View(func(tx *kv.Tx) error {
		for _, v.Outcome = range []protocol.Outcome{protocol.OutcomeEqual, protocol.OutcomeMismatch, protocol.OutcomeNoData} {
			b, err := tx.Get(keyVerdict(v))
			if errors.Is(err, kv.ErrNotFound) {
				continue
			}
			if err == nil {
				s, err = protocol.ParseSigned[protocol.Verdict](b)
			}
			ok = err == nil
			return err
		}
		return nil
	})
	return s, ok, err
}

// AddAdvert keeps a worker's latest advert.
func (j *Journal) AddAdvert(ctx context.Context, s protocol.Signed[protocol.Advert]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a, err := s.Open(j.network)
	if err != nil {
		return fmt.Errorf("journal: advert: %w", err)
	}
	key := append([]byte("a/"), a.Worker[:]...)
	return j.db.Update(func(tx *kv.Tx) error {
		b, err := tx.Get(key)
		if err == nil {
			old, err := protocol.ParseSigned[protocol.Advert](b)
			if err != nil {
				return err
			}
			was, err := old.Open(j.network)
			if err != nil {
				return err
			}
			if was.Since >= a.Since {
				return nil
			}
		} else if !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		return tx.Set(key, s.Bytes())
	})
}

// Adverts are the latest of each worker.
func (j *Journal) Adverts(ctx context.Context) ([]protocol.Signed[protocol.Advert], error) {
	var out []protocol.Signed[protocol.Advert]
	err := j.db.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte("a/")) {
			if err := errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			s, err := protocol.ParseSigned[protocol.Advert](it.Value)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("journal: read adverts: %w", err)
	}
	return out, nil
}

// maxPrune bounds what one Prune drops.
const maxPrune = 1024

// Prune drops verdicts, reports, questions and proofs of epochs before the given one,
// some at a time: it says how many, and with 0 nothing is left. Which epochs may go is
// the caller's to know.
func (j *Journal) Prune(before uint64) (dropped int, err error) {
	err = j.db.Update(func(tx *kv.Tx) error {
		var old [][]byte
		for _, prefix := range []string{"v/", "r/", "q/", "p/"} {
			for it, err := range tx.Scan([]byte(prefix)) {
				if err != nil {
					return err
				}
				if len(it.Key) < 10 || epochOf(it.Key) >= before || len(old) >= maxPrune {
					break // keys are in the order of epochs
				}
				old = append(old, it.Key)
			}
		}
		for _, k := range old {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		dropped = len(old)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("journal: prune: %w", err)
	}
	return dropped, nil
}
