package possession

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/internal/kv"
	"tally/protocol"
)

func emptyProver() *Prover {
	return &Prover{log: slog.New(slog.DiscardHandler), entries: map[common.Hash]*entry{}, work: work{answers: map[answerKey]*answerNote{}}}
}

// FuzzNotes reads any bytes as any kind of note: they are refused, or are what
// would be written.
func FuzzNotes(f *testing.F) {
	for key, v := range map[string]any{
		keepKey(common.Hash{1}): keepNote{Piece: common.Hash{1}, Root: protocol.CIDOf([]byte("a")), Size: 7, Wanted: true, Reason: "gone"},
		keyProof:                proofNote{Period: 3, Leaves: []shown{{ID: 1, Size: 9, Data: make([]byte, 256), Path: make([]common.Hash, 3)}}},
		"answer/1/2":            answerNote{By: 9, Leaf: shown{ID: 1, Index: 2}},
		keyChange:               changeNote{Added: []common.Hash{{2}}, Removed: []uint64{1, 2}},
		closedKey(7):            closedNote{7, "slow"},
	} {
		b, err := protocol.Encode(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(key, b)
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		p := emptyProver()
		if p.take(Note{key, value}) != nil {
			return
		}
		var v any
		switch {
		case len(p.entries) == 1:
			for _, e := range p.entries {
				v = e.note
			}
		case p.proof != nil:
			n := *p.proof
			n.Leaves = slices.Clone(n.Leaves)
			v = n
			p.sound(p.proof) // hostile leaves do no harm
		case len(p.answers) == 1:
			for _, a := range p.answers {
				v = *a
			}
		case p.change != nil:
			v = *p.change
		default:
			v = p.closed[0]
		}
		again, err := protocol.Encode(v)
		if err != nil || !slices.Equal(again, value) {
			t.Fatalf("%q: %x was read as %+v, written as %x, %v", key, value, v, again, err)
		}
	})
}

func TestNotesLiveInADatabaseUnderTheirPrefix(t *testing.T) {
	db, err := kv.Open("", kv.Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n, other := OnDisk(db, "a/"), OnDisk(db, "b/")
	for _, put := range []struct {
		n   Notes
		key string
	}{{n, "one"}, {n, "two"}, {other, "three"}} {
		if err := put.n.Put(put.key, []byte(put.key+"!")); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Delete("one"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for x, err := range n.All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, x.Key+"="+string(x.Value))
	}
	if strings.Join(got, " ") != "two=two!" {
		t.Fatal(got)
	}
}

func TestDamagedNoteIsLeftOutAndTheRestRead(t *testing.T) {
	p := emptyProver()
	good, err := protocol.Encode(keepNote{Piece: common.Hash{1}, Size: 7})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []Note{{keepKey(common.Hash{2}), good[:5]}, {keyProof, []byte{1}}, {"answer/x", nil}, {keyChange, []byte("?")}, {"closed/1", []byte{0x80}}, {"other", nil}} {
		if p.take(bad) == nil {
			t.Errorf("%s was read", bad.Key)
		}
	}
	if err := p.take(Note{keepKey(common.Hash{1}), good}); err != nil || len(p.entries) != 1 || p.proof != nil || p.change != nil {
		t.Fatal(err, p.entries)
	}
}
