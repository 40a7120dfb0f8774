package possession_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tally/storage/possession"
)

var errUnplugged = fmt.Errorf("no marker: %w", possession.ErrAway)

// A disk that is away for many periods costs those periods and nothing else: also
// over a restart, and for a piece that was damaged before.
func TestDiskThatIsAwayLosesNothing(t *testing.T) {
	for _, restart := range []bool{false, true} {
		life(t, 20, 40, 6, func(b *bench) {
			b.tweak = func(c *possession.Config) { c.GiveUpAfter = 2 }
			b.shelf.Others = func(possession.Shard) error { return errors.New("nobody has it") }
			b.start()
			shards := b.fill(4, 4000)
			b.nextPeriod()
			b.nextPeriod()
			b.ticks(20)
			b.shelf.Flip(shards[0].Root)
			b.nextPeriod()
			b.ticks(20) // the damage is found, and nobody heals it
			b.shelf.Away(errUnplugged)
			for i := range 7 {
				b.nextPeriod()
				if restart && i == 3 {
					b.stop()
					b.start()
				}
			}
			b.ticks(10)
			st := b.p.Status()
			if !strings.Contains(strings.Join(st.Problems, " "), "cannot be looked at now: no marker") {
				t.Errorf("restart %v: the operator is told %q", restart, st.Problems)
			}
			for _, s := range shards {
				if x := b.state(s); !x.Wanted || !x.OnSet {
					t.Errorf("restart %v: while the disk is away: %+v", restart, x)
				}
			}
			b.shelf.Away(nil)
			b.shelf.Restore(shards[0].Root)
			b.nextPeriod()
			b.nextPeriod()
			b.ticks(30)
			if st := b.p.Status(); !st.Proved || st.Suspended || len(st.Pieces) != 4 {
				t.Fatalf("restart %v: when the disk is back: %+v", restart, st)
			}
			for _, s := range shards {
				if x := b.state(s); x.State != possession.Proving {
					t.Errorf("restart %v: when the disk is back: %+v", restart, x)
				}
			}
			if r := b.shelf.Released(); len(r) > 0 {
				t.Errorf("restart %v: released %v", restart, r)
			}
			if good, _ := b.chain.Mined(b.node, possession.RemovePieces{}); good > 0 {
				t.Errorf("restart %v: %d removals", restart, good)
			}
		})
	}
}

// What was given up is looked at before its data goes: it may be sound after all.
func TestPieceThatIsSoundAgainIsNotReleased(t *testing.T) {
	for _, away := range []bool{false, true} { // at the last look
		life(t, 21, 40, 6, func(b *bench) {
			b.tweak = func(c *possession.Config) { c.GiveUpAfter, c.Settle = 2, 8 }
			b.shelf.Others = func(possession.Shard) error { return errors.New("nobody has it") }
			b.start()
			shards := b.fill(2, 4000)
			b.nextPeriod()
			b.nextPeriod()
			b.shelf.Delete(shards[1].Root)
			for i := 0; b.state(shards[1]).OnSet || b.period() < 3; i++ {
				if b.tick(); i > 400 {
					t.Fatalf("never taken out of the set: %+v", b.state(shards[1]))
				}
			}
			if away {
				b.shelf.Away(errUnplugged)
				b.ticks(50)
				if x := b.state(shards[1]); len(b.shelf.Released()) > 0 || x.Root != shards[1].Root {
					t.Fatalf("%+v while nobody could look, released %v", x, b.shelf.Released())
				}
				b.shelf.Away(nil)
			}
			b.shelf.Restore(shards[1].Root)
			b.nextPeriod()
			b.nextPeriod()
			b.ticks(30)
			if x := b.state(shards[1]); x.State != possession.Proving || len(b.shelf.Released()) > 0 {
				t.Fatalf("away %v: %+v, released %v", away, x, b.shelf.Released())
			}
			if !b.p.Status().Proved {
				t.Fatalf("away %v: %+v", away, b.p.Status())
			}
		})
	}
}
