package possession

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/protocol/piece"
)

// Notes is what must not be forgotten.
type Notes interface {
	// Put is durable once it returns; after an error either value may be there.
	Put(key string, value []byte) error
	// Delete is durable once it returns. A missing key is no error.
	Delete(key string) error
	// All yields every note once.
	All() iter.Seq2[Note, error]
}

// Note is one of Notes.
type Note struct {
	Key   string
	Value []byte
}

// OnDisk keeps notes in a database of their own, or under a prefix of a shared
// one. It must have been opened with Sync.
func OnDisk(db *kv.DB, prefix string) Notes { return disk{db, prefix} }

type disk struct {
	db     *kv.DB
	prefix string
}

func (d disk) Put(key string, value []byte) error {
	return d.db.Update(func(tx *kv.Tx) error { return tx.Set([]byte(d.prefix+key), value) })
}

func (d disk) Delete(key string) error {
	return d.db.Update(func(tx *kv.Tx) error { return tx.Delete([]byte(d.prefix + key)) })
}

func (d disk) All() iter.Seq2[Note, error] {
	return func(yield func(Note, error) bool) {
		stop := errors.New("stop")
		err := d.db.View(func(tx *kv.Tx) error {
			for it, err := range tx.Scan([]byte(d.prefix)) {
				if err != nil {
					return err
				}
				if !yield(Note{strings.TrimPrefix(string(it.Key), d.prefix), it.Value}, nil) {
					return stop
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(Note{}, err)
		}
	}
}

// keepNote is a piece that is promised, or that the chain has in the set.
type keepNote struct {
	Piece   common.Hash
	Root    cid.Cid // none for a piece found in the set whose shard is not here
	Size    uint64
	Wanted  bool
	GivenUp bool
	Lost    uint64 // the period in which a read failed first, plus one; 0 while it is sound
	Reason  string `max:"512"`
}

// shown is a leaf that was read and checked.
type shown struct {
	ID    uint64
	Piece common.Hash
	Size  uint64
	Index uint64
	Data  []byte        `max:"256"` // none until it is read
	Path  []common.Hash `max:"64"`
}

func (s shown) leaf() protocol.LeafProof {
	pr := piece.Proof{Index: s.Index, Leaf: s.Data}
	for _, h := range s.Path {
		pr.Path = append(pr.Path, piece.Hash(h))
	}
	return protocol.LeafProof{ID: s.ID, Proof: pr}
}

// sound says why the leaf is not its piece's, or nothing.
func (s shown) sound() error { return piece.Verify(s.Piece, s.Size, s.leaf().Proof) }

// take notes a proof that fits; false says that it is of another leaf.
func (s *shown) take(root common.Hash, pr piece.Proof) bool {
	if s.Piece != root || s.Index != pr.Index || s.Data != nil {
		return false
	}
	s.Data = pr.Leaf
	for _, h := range pr.Path {
		s.Path = append(s.Path, common.Hash(h))
	}
	return true
}

// sending is how far a call is on its way.
type sending struct {
	Tx    common.Hash // zero until it was handed over
	Sent  uint64      // head when it was about to be handed over, plus one; 0 before
	Tries uint64
}

// proofNote is the proof of one period.
type proofNote struct {
	Period  uint64
	Seed    common.Hash
	Leaves  []shown `max:"64"`
	Sending sending
	Reason  string `max:"512"` // why it is not on chain yet
}

func (n *proofNote) whole() bool {
	return !slices.ContainsFunc(n.Leaves, func(s shown) bool { return s.Data == nil })
}

type answerKey struct{ id, leaf uint64 }

// answerNote is the answer to one demand.
type answerNote struct {
	By      uint64
	Leaf    shown
	Sending sending
}

// changeNote is the one change of the set that is under way.
type changeNote struct {
	Added     []common.Hash `max:"256"` // piece roots
	Removed   []uint64      `max:"256"` // ids
	Forfeited uint64        // period, plus one
	Sending   sending
}

// closedNote is a past period that was not proved.
type closedNote struct {
	Period uint64
	Reason string `max:"512"`
}

const (
	keyKeep   = "keep/"
	keyProof  = "proof"
	keyAnswer = "answer/"
	keyChange = "change"
	keyClosed = "closed/"
)

func keepKey(root common.Hash) string { return keyKeep + root.Hex() }
func closedKey(period uint64) string  { return fmt.Sprintf("%s%020d", keyClosed, period%keptClosed) }
func (k answerKey) String() string    { return fmt.Sprintf("%s%d/%d", keyAnswer, k.id, k.leaf) }
func clip(s string) string            { return strings.ToValidUTF8(s[:min(len(s), 500)], "") }
func putNote(n Notes, key string, v any) error {
	b, err := protocol.Encode(v)
	if err == nil {
		err = n.Put(key, b)
	}
	if err != nil {
		return fmt.Errorf("possession: note %s: %w", key, err)
	}
	return nil
}

func (p *Prover) forget(key string) error {
	if err := p.cfg.Notes.Delete(key); err != nil {
		return fmt.Errorf("possession: forget %s: %w", key, err)
	}
	return nil
}

// load fills a Prover from its notes.
func (p *Prover) load() error {
	for n, err := range p.cfg.Notes.All() {
		if err != nil {
			return fmt.Errorf("possession: read notes: %w", err)
		}
		if err := p.take(n); err != nil {
			p.log.Warn("a damaged note is left out: the chain says what is in the set", "note", n.Key, "err", err)
		}
	}
	slices.SortFunc(p.closed, func(a, b closedNote) int { return cmp.Compare(a.Period, b.Period) })
	if p.proof != nil {
		p.period = p.proof.Period + 1
	}
	return nil
}

func (p *Prover) take(n Note) error {
	switch kind, _, _ := strings.Cut(n.Key, "/"); kind + "/" {
	case keyKeep:
		var k keepNote
		if err := protocol.Decode(n.Value, &k); err != nil {
			return err
		}
		p.entries[k.Piece] = &entry{note: k}
	case keyProof + "/":
		var d proofNote
		if err := protocol.Decode(n.Value, &d); err != nil {
			return err
		}
		p.proof = &d
	case keyAnswer:
		a := &answerNote{}
		if err := protocol.Decode(n.Value, a); err != nil {
			return err
		}
		p.answers[answerKey{a.Leaf.ID, a.Leaf.Index}] = a
	case keyChange + "/":
		var d changeNote
		if err := protocol.Decode(n.Value, &d); err != nil {
			return err
		}
		p.change = &d
	case keyClosed:
		var c closedNote
		if err := protocol.Decode(n.Value, &c); err != nil {
			return err
		}
		p.closed = append(p.closed, c)
	default:
		return errors.New("no such note")
	}
	return nil
}
