package possession_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage/possession"
	"tally/storage/possession/possessiontest"
	"tally/storage/possession/proofset"
)

const blockTime = time.Second

// bench is one node with its prover, in a bubble.
type bench struct {
	t     *testing.T
	node  common.Address
	chain *possessiontest.Chain
	shelf *possessiontest.Shelf
	notes *possessiontest.Notes
	rng   *rand.Rand
	tweak func(*possession.Config)

	p    *possession.Prover
	stop func()
	dead chan error // what Run returned, if it ended by itself
}

func newBench(t *testing.T, seed, period, leaves uint64) *bench {
	t.Helper()
	b := &bench{
		t: t, node: common.Address{1, byte(seed)}, rng: rand.New(rand.NewPCG(seed, 7)),
		chain: possessiontest.NewChain(protocol.Params{ProofPeriod: period, ProofLeaves: leaves}, seed),
		shelf: possessiontest.NewShelf(), notes: possessiontest.NewNotes(),
	}
	b.chain.Mine(1)
	return b
}

// start makes a Prover of what is noted, and runs it. Like all that wakes Run, it waits
// until Run has done what it can: so a seed is one story, told the same each time, and
// no block, and no luck, depends on who was faster.
func (b *bench) start() {
	b.t.Helper()
	c := possession.Config{
		Node: b.node, Params: b.chain.Params, Chain: b.chain, Sets: proofset.Follow(b.chain, b.chain.Params),
		Wallet: possessiontest.Wallet{C: b.chain, From: b.node}, Pieces: b.shelf, Notes: b.notes,
		Logger: slog.New(slog.NewTextHandler(b.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if b.tweak != nil {
		b.tweak(&c)
	}
	p, err := possession.New(c)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done, dead := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(done)
		if err := p.Run(ctx); err != nil {
			dead <- err
		}
	}()
	b.p, b.dead, b.stop = p, dead, func() { cancel(); <-done }
	synctest.Wait() // Run has read its notes, and waits for a block
}

// tick mines a block and lets everything that takes no time come to rest.
func (b *bench) tick() {
	b.chain.Mine(1)
	synctest.Wait() // Run waits for the next block, or for a slow disk
}

// pass is tick with a block's time before it.
func (b *bench) pass() {
	<-time.After(blockTime)
	b.tick()
}

func (b *bench) ticks(n uint64) {
	for range n {
		b.tick()
	}
}

func (b *bench) period() uint64 {
	n, _ := b.chain.Head()
	return b.chain.Params.PeriodAt(n)
}

// nextPeriod mines to the first block of the next period.
func (b *bench) nextPeriod() {
	for p := b.period(); b.period() == p; {
		b.tick()
	}
}

func (b *bench) fill(n, size int) []possession.Shard {
	b.t.Helper()
	var out []possession.Shard
	for range n {
		s := b.shelf.Fill(b.rng, size)
		if err := b.p.Keep(b.t.Context(), s); err != nil {
			b.t.Fatal(err)
		}
		synctest.Wait() // Run has seen it
		out = append(out, s)
	}
	return out
}

func (b *bench) drop(s possession.Shard) {
	b.t.Helper()
	if err := b.p.Drop(b.t.Context(), s.Piece); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait() // Run has seen it
}

func (b *bench) state(s possession.Shard) possession.PieceStatus {
	for _, x := range b.p.Status().Pieces {
		if x.Piece == s.Piece {
			return x
		}
	}
	return possession.PieceStatus{}
}

func (b *bench) noMiss() {
	b.t.Helper()
	if m := b.chain.Missed(b.node); len(m) > 0 {
		b.t.Fatalf("periods %v were missed: %+v", m, b.p.Status().Closed)
	}
}

// life runs f in a bubble, and stops what it left running.
func life(t *testing.T, seed, period, leaves uint64, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, seed, period, leaves)
		defer func() {
			if b.stop != nil {
				b.stop()
			}
		}()
		f(b)
	})
}

func TestSetFollowsPromisesAndDataStaysUntilRemoved(t *testing.T) {
	life(t, 1, 40, 3, func(b *bench) {
		b.start()
		shards := b.fill(5, 3000)
		b.ticks(4)
		if ids, _ := b.chain.Challenged(b.node); len(ids) != 0 {
			t.Fatalf("pieces %v are challenged in the period in which they were added", ids)
		}
		if s := b.state(shards[0]); s.State != possession.Proving || s.Since != b.period()+1 {
			t.Fatalf("a piece that was added is %+v", s)
		}
		b.nextPeriod()
		b.ticks(12)
		if st := b.p.Status(); !st.Proved || st.LastProved != 1 || len(st.Problems) > 0 {
			t.Fatalf("not proved in the first quarter: %+v", st)
		}
		b.nextPeriod() // dropped before this period is proved: it is drawn from all the same
		b.drop(shards[2])
		if s := b.state(shards[2]); s.State != possession.Leaving {
			t.Fatalf("dropped piece is %+v", s)
		}
		if _, err := b.shelf.Find(t.Context(), shards[2].Piece); err != nil {
			t.Fatal("the data went before the removal")
		}
		b.ticks(20)
		if r := b.shelf.Released(); len(r) != 1 || r[0] != shards[2].Root {
			t.Fatalf("released %v", r)
		}
		b.nextPeriod()
		b.nextPeriod()
		if ids, _ := b.chain.Challenged(b.node); len(ids) != 4 {
			t.Fatalf("%d pieces are challenged, want 4", len(ids))
		}
		b.noMiss()
		if _, bad := b.chain.Mined(b.node, possession.RemovePieces{}); bad > 0 {
			t.Fatalf("%d removals were refused", bad)
		}
		good, bad := b.chain.Mined(b.node, possession.Prove{})
		if good != 3 || bad != 0 || b.chain.Tries(b.node, possession.Prove{}) != 3 {
			t.Fatalf("%d proofs of %d handed over, %d refused", good, b.chain.Tries(b.node, possession.Prove{}), bad)
		}
	})
}

// A kill at any write, before or after it took effect, and a call that was handed
// over though it failed, end in the same set with no period missed.
func TestKillAtEveryWriteMissesNothing(t *testing.T) {
	for _, when := range []possessiontest.When{possessiontest.Before, possessiontest.After} {
		kills := 0
		for at := 0; ; at++ {
			struck := false
			life(t, 3, 24, 3, func(b *bench) {
				n := 0
				b.notes.SetFault(func(string, string) possessiontest.When {
					if n++; n-1 == at {
						struck = true
						return when
					}
					return possessiontest.Never
				})
				b.start()
				again := func() { // whoever was killed starts again
					select {
					case <-b.dead:
						b.stop()
						b.start()
					default:
					}
				}
				var shards []possession.Shard
				for range 3 {
					shards = append(shards, b.shelf.Fill(b.rng, 2000))
				}
				for _, s := range shards {
					for b.p.Keep(t.Context(), s) != nil {
						continue
					}
					synctest.Wait() // Run has seen it, or was killed
				}
				for i := range 24*4 + 12 {
					if i == 20 { // what a kill left open was not refused, and waits for no other period
						for _, s := range shards {
							if !b.state(s).OnSet {
								t.Fatalf("write %d: a piece is not in the set at the end of the period: %+v", at, b.state(s))
							}
						}
					}
					if i == 40 {
						b.chain.Demand(common.Address{9}, b.node, 1, 2)
					}
					if i == 50 {
						for b.p.Drop(t.Context(), shards[0].Piece) != nil {
							continue
						}
						synctest.Wait() // Run has seen it, or was killed
					}
					b.tick()
					again()
				}
				b.noMiss()
				ids, _ := b.chain.Challenged(b.node)
				if len(ids) != 2 || b.state(shards[1]).State != possession.Proving || b.state(shards[2]).State != possession.Proving {
					t.Fatalf("write %d: pieces %v are challenged: %+v", at, ids, b.p.Status().Pieces)
				}
				if r := b.shelf.Released(); len(r) != 1 || r[0] != shards[0].Root {
					t.Fatalf("write %d: released %v", at, r)
				}
				if good, _ := b.chain.Mined(b.node, possession.Answer{}); good != 1 {
					t.Fatalf("write %d: %d answers", at, good)
				}
				if good, bad := b.chain.Mined(b.node, possession.Prove{}); good != 4 || bad > 0 {
					t.Fatalf("write %d: %d proofs, %d refused", at, good, bad)
				}
			})
			if !struck {
				break
			}
			kills++
		}
		if kills < 20 {
			t.Fatalf("only %d writes to be killed at", kills)
		}
		t.Logf("%d kills", kills)
	}
}

func TestNewSeedMakesANewProof(t *testing.T) {
	life(t, 4, 40, 4, func(b *bench) {
		b.start()
		b.fill(3, 5000)
		b.nextPeriod()
		for !b.p.Status().Proved {
			b.tick()
		}
		head, _ := b.chain.Head()
		since := head - b.chain.Params.ChallengeBlock(b.period())
		b.chain.Reorg(int(since)+1, nil) // the seed's block too; the old proof comes back and is refused
		synctest.Wait()                  // Run has seen it
		if b.p.Status().Proved {
			t.Fatal("a proof for another seed was taken")
		}
		b.ticks(8)
		if !b.p.Status().Proved {
			t.Fatalf("not proved after a reorganisation: %+v", b.p.Status())
		}
		if good, bad := b.chain.Mined(b.node, possession.Prove{}); good != 1 || bad != 1 {
			t.Fatalf("%d proofs and %d refused, want one of each", good, bad)
		}
		b.nextPeriod()
		b.noMiss()
	})
}

func TestProofThatAReorganisationTookAwayIsSentAgain(t *testing.T) {
	life(t, 5, 40, 4, func(b *bench) {
		b.start()
		b.fill(3, 5000)
		b.nextPeriod()
		for !b.p.Status().Proved {
			b.tick()
		}
		reads := b.shelf.Reads()
		b.chain.Reorg(2, func(possession.Call) bool { return false }) // and the transaction is lost
		synctest.Wait()                                               // Run has seen it
		if b.p.Status().Proved {
			t.Fatal("the proof is still there")
		}
		b.ticks(8)
		if !b.p.Status().Proved {
			t.Fatal("the proof was not sent again")
		}
		if b.shelf.Reads() != reads {
			t.Fatalf("%d leaves were read again: the proof was at hand", b.shelf.Reads()-reads)
		}
	})
}

// Random faults of the wallet and random reorganisations miss no period, and the
// sets of Follower and contract agree all the time.
func TestRandomFaultsAndReorganisationsMissNothing(t *testing.T) {
	for seed := range uint64(8) {
		life(t, seed, 60, 4, func(b *bench) {
			t.Logf("seed %d", seed)
			b.chain.SetFault(func(common.Address, possession.Call) possessiontest.When {
				return possessiontest.When(max(0, b.rng.IntN(9)-5)) // three of nine
			})
			b.chain.SetLatency(func() uint64 { return uint64(b.rng.IntN(4)) })
			b.start()
			sets := proofset.Follow(b.chain, b.chain.Params)
			var shards []possession.Shard
			for i := range 600 {
				switch k := b.rng.IntN(60); {
				case k == 0:
					b.chain.Reorg(1+b.rng.IntN(6), func(possession.Call) bool { return b.rng.IntN(3) > 0 })
					synctest.Wait() // Run has seen it
				case k == 1:
					b.stop()
					b.start()
				case k < 5 && i < 500:
					shards = append(shards, b.fill(1, 300+b.rng.IntN(4000))...)
				case k == 5 && len(shards) > 0:
					b.drop(shards[0])
					shards = shards[1:]
				}
				b.tick()
				_, set, err := sets.Set(b.node)
				if err != nil {
					t.Fatal(err)
				}
				want, leaves := b.chain.Challenged(b.node)
				got, n := set.Challenged(b.period())
				var ids []uint64
				for _, h := range got {
					ids = append(ids, h.ID)
				}
				if !slices.Equal(ids, want) || n != leaves {
					t.Fatalf("the facts give %v (%d leaves), the contract has %v (%d)", ids, n, want, leaves)
				}
			}
			b.noMiss()
			b.chain.SetFault(nil)
			b.ticks(130)
			var want, got []string
			for _, s := range shards {
				want = append(want, s.Piece.Hex())
			}
			for _, s := range b.p.Status().Pieces {
				if s.State == possession.Proving {
					got = append(got, s.Piece.Hex())
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("proving %d pieces, %d are promised", len(got), len(want))
			}
			good, bad := b.chain.Mined(b.node, possession.Prove{})
			t.Logf("%d proofs, %d refused after reorganisations or faults", good, bad)
		})
	}
}

// Reading the leaves takes 60 % of each window, also with a kill in between.
func TestSlowDiskNeverMisses(t *testing.T) {
	life(t, 6, 100, 5, func(b *bench) {
		b.shelf.ReadTime = 100 * blockTime * 60 / 100 / 5
		b.start()
		b.fill(6, 20000)
		late := 0
		for i := range 100 * 12 {
			if i%170 == 169 {
				b.stop()
				b.start()
			}
			b.pass()
			if at := i % 100; at == 55 && len(b.p.Status().Problems) > 0 {
				late++
			}
		}
		b.noMiss()
		if good, _ := b.chain.Mined(b.node, possession.Prove{}); good < 11 {
			t.Fatalf("%d proofs", good)
		}
		if late == 0 {
			t.Fatal("no warning at half of the window")
		}
	})
}

func TestWarningAtHalfOfTheWindowNamesThePiece(t *testing.T) {
	life(t, 8, 40, 4, func(b *bench) {
		b.shelf.Others = func(possession.Shard) error { return errors.New("nobody has it") }
		b.start()
		s := b.fill(1, 4000)[0]
		b.nextPeriod()
		b.shelf.Flip(s.Root)
		b.nextPeriod()
		b.ticks(15)
		if st := b.p.Status(); slices.ContainsFunc(st.Problems, func(p string) bool { return strings.Contains(p, "half") }) {
			t.Fatalf("warned before half of the window: %v", st.Problems)
		}
		b.ticks(10)
		st := b.p.Status()
		if !slices.ContainsFunc(st.Problems, func(p string) bool { return strings.Contains(p, "half") && strings.Contains(p, s.Piece.Hex()) }) {
			t.Fatalf("no warning that names the piece: %v", st.Problems)
		}
		if b.state(s).State != possession.LostNow {
			t.Fatalf("the piece is %+v", b.state(s))
		}
		b.nextPeriod()
		if st = b.p.Status(); len(st.Closed) != 1 || !strings.Contains(st.Closed[0].Reason, s.Piece.Hex()) {
			t.Fatalf("the miss has no reason: %+v", st.Closed)
		}
	})
}

func TestDamagedShardIsHealedInTime(t *testing.T) {
	life(t, 9, 40, 4, func(b *bench) {
		tries := 0
		b.shelf.Others = func(possession.Shard) error {
			if tries++; tries < 3 {
				return errors.New("nobody answers")
			}
			return nil
		}
		b.start()
		s := b.fill(1, 4000)[0]
		b.nextPeriod()
		b.nextPeriod()
		b.shelf.Flip(s.Root)
		b.nextPeriod()
		b.ticks(30)
		if !b.p.Status().Proved || b.state(s).State != possession.Proving {
			t.Fatalf("not healed after %d tries: %+v", tries, b.p.Status())
		}
		b.noMiss()
	})
}

func TestLostPieceIsGivenUpAndTheRestGoesOn(t *testing.T) {
	for _, auto := range []bool{true, false} {
		life(t, 10, 40, 6, func(b *bench) {
			b.shelf.Others = func(possession.Shard) error { return errors.New("nobody has it") }
			if auto {
				b.tweak = func(c *possession.Config) { c.GiveUpAfter = 2 }
			}
			b.start()
			shards := b.fill(3, 4000)
			b.nextPeriod()
			b.nextPeriod()
			b.shelf.Delete(shards[1].Root)
			b.nextPeriod()
			b.nextPeriod()
			b.ticks(30)
			if !auto {
				if n := b.chain.Tries(b.node, possession.Forfeit{}); n != 0 {
					t.Fatalf("%d periods were given up without being told to", n)
				}
				if err := b.p.GiveUp(t.Context(), shards[1].Piece); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // Run has seen it
			}
			b.nextPeriod()
			b.nextPeriod()
			for range 4 {
				b.nextPeriod()
			}
			last, _ := b.p.Status().LastProved, 0
			if last != b.period()-1 {
				t.Fatalf("auto %v: the last proved period is %d of %d: %+v", auto, last, b.period(), b.p.Status())
			}
			if st := b.p.Status(); len(st.Pieces) != 2 || st.Suspended {
				t.Fatalf("auto %v: %+v", auto, st)
			}
			if m := b.chain.Missed(b.node); len(m) > 4 {
				t.Fatalf("auto %v: missed %v", auto, m)
			}
		})
	}
}

func TestDemandsAreAnsweredInTime(t *testing.T) {
	life(t, 11, 40, 3, func(b *bench) {
		b.start()
		s := b.fill(2, 4000)
		b.nextPeriod()
		b.chain.Demand(common.Address{7}, b.node, 0, 5)
		b.chain.Demand(common.Address{8}, b.node, 0, 5) // the same leaf, another auditor
		b.chain.Demand(common.Address{9}, b.node, 1, 0)
		b.ticks(6)
		if good, bad := b.chain.Mined(b.node, possession.Answer{}); good != 2 || bad != 0 {
			t.Fatalf("%d answers, %d refused", good, bad)
		}
		// A piece that an auditor waits for cannot be removed: its removal waits.
		b.shelf.Others = func(possession.Shard) error { return errors.New("nobody has it") }
		b.shelf.Delete(s[1].Root)
		b.nextPeriod()
		b.chain.Demand(common.Address{9}, b.node, 1, 0)
		b.tick()
		if err := b.p.GiveUp(t.Context(), s[1].Piece); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // Run has seen it
		for range 4 {
			b.nextPeriod()
		}
		if ids, _ := b.chain.Challenged(b.node); !slices.Equal(ids, []uint64{0}) {
			t.Fatalf("pieces %v are left", ids)
		}
		if _, bad := b.chain.Mined(b.node, possession.RemovePieces{}); bad != 0 {
			t.Fatalf("%d removals were refused", bad)
		}
	})
}

func TestManyPiecesGoInBoundedBatches(t *testing.T) {
	life(t, 12, 60, 3, func(b *bench) {
		b.tweak = func(c *possession.Config) { c.Batch = 8 }
		b.start()
		b.stop() // what is promised meanwhile is all there when it runs again
		shards := b.fill(50, 300)
		b.start()
		b.ticks(30)
		if good, _ := b.chain.Mined(b.node, possession.AddPieces{}); good != 7 {
			t.Fatalf("%d additions, want 7 of at most 8", good)
		}
		b.nextPeriod()
		b.stop()
		for _, s := range shards[10:] {
			b.drop(s)
		}
		b.start() // resumed after a restart
		b.nextPeriod()
		if good, _ := b.chain.Mined(b.node, possession.RemovePieces{}); good != 5 {
			t.Fatalf("%d removals, want 5 of at most 8", good)
		}
		if n := len(b.shelf.Released()); n != 40 {
			t.Fatalf("%d shards were released", n)
		}
		b.noMiss()
	})
}

// A node that lost 1 % of its data is found out as fast as arithmetic says: with K
// leaves a period, with probability 1-(1-a)^(K·T) within T periods.
func TestOnePercentDeletedIsFoundAsExpected(t *testing.T) {
	if testing.Short() {
		t.Skip("the lives of a hundred nodes")
	}
	const nodes, pieces, k, periods = 100, 100, 5, 20
	const want = 0.6340 // 1-0.99^100
	found := 0
	for seed := range uint64(nodes) {
		life(t, seed, 8, k, func(b *bench) {
			b.shelf.Others = func(possession.Shard) error { return errors.New("deleted on purpose") }
			b.start()
			b.stop()
			shards := b.fill(pieces, 16*piece.LeafSize)
			b.start()
			b.ticks(6)
			b.nextPeriod()
			b.stop()
			b.shelf.Delete(shards[b.rng.IntN(pieces)].Root) // after the node last looked
			lie := &blind{Shelf: b.shelf}
			b.tweak = func(c *possession.Config) { c.Pieces, c.Batch = lie, 64; c.Logger = nil }
			b.start()
			for range periods {
				if b.nextPeriod(); len(b.chain.Missed(b.node)) > 0 {
					found++
					break
				}
			}
		})
	}
	got := float64(found) / nodes
	t.Logf("seeds 0 to %d: %.3f of the nodes that deleted 1 %% were found within %d periods of %d leaves, 1-(1-a)^(KT) = %.3f",
		nodes-1, got, periods, k, want)
	if got < want-0.15 || got > want+0.15 { // three standard deviations of 100 nodes
		t.Fatalf("%.3f were found, want %.3f", got, want)
	}
}

// blind says that it holds everything: a node that hopes not to be asked.
type blind struct {
	*possessiontest.Shelf
}

func (b *blind) Find(ctx context.Context, root common.Hash) (possession.Shard, error) {
	s, err := b.Shelf.Find(ctx, root)
	if err != nil {
		s = b.Shelf.Known(root)
	}
	return s, nil
}

func TestKeepRefusesWhatIsNotHeldWhole(t *testing.T) {
	life(t, 13, 40, 3, func(b *bench) {
		b.tweak = func(c *possession.Config) { c.MaxPieces = 2 }
		b.start()
		s := b.shelf.Fill(b.rng, 1000)
		other := s
		other.Size++
		for name, c := range map[string]struct {
			s   possession.Shard
			err error
		}{
			"another size": {other, possession.ErrShard},
			"no root":      {possession.Shard{Root: cid.Undef, Piece: s.Piece, Size: s.Size}, possession.ErrShard},
			"not held":     {possession.Shard{Root: s.Root, Piece: common.Hash{1}, Size: s.Size}, possessiontest.ErrNotHeld},
		} {
			if err := b.p.Keep(t.Context(), c.s); !errors.Is(err, c.err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		b.fill(2, 500)
		if err := b.p.Keep(t.Context(), s); !errors.Is(err, possession.ErrFull) {
			t.Errorf("a third of two pieces: %v", err)
		}
		if err := b.p.GiveUp(t.Context(), common.Hash{3}); !errors.Is(err, possession.ErrUnknown) {
			t.Errorf("giving up a stranger: %v", err)
		}
	})
}

func TestNodesSpreadTheirProofsOverTheFirstQuarter(t *testing.T) {
	p := protocol.Params{ProofPeriod: 400, ProofLeaves: 5}
	seen := map[uint64]int{}
	for i := range 1000 {
		d := possession.SendDelay(p, common.BytesToAddress([]byte(fmt.Sprint(i))), 3)
		if d >= 100 {
			t.Fatalf("a delay of %d of 400 blocks", d)
		}
		seen[d]++
	}
	for d, n := range seen {
		if n > 40 {
			t.Errorf("%d of 1000 nodes send in block %d", n, d)
		}
	}
}
