package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/retrieval"
	"tally/rewards/rewardstest"
)

func TestHonestHoldersAreFoundGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		h.run(h.config("a1"), 4*time.Minute)
		n := 0
		for _, p := range []string{"p1", "p2", "p3"} {
			for _, r := range h.reports()[p] {
				if n++; r.Outcome != protocol.RetrievalGood || r.Auditor != rewardstest.Addr("a1") || r.Epoch != 0 || len(r.Answer) == 0 || r.Bytes < 256 {
					t.Errorf("report %+v", r)
				}
			}
		}
		if n != 6 || len(h.asked) != 6 {
			t.Errorf("%d reports, %d questions, want 6 of each", n, len(h.asked))
		}
		if d, w := facts[protocol.RetrievalDemanded](h), facts[protocol.DataWrong](h); len(d) != 0 || len(w) != 0 {
			t.Errorf("demanded %v, accused %v", d, w)
		}
		h.toEpoch(1)
		h.run(h.config("a1"), 4*time.Minute)
		if len(h.asked) != 12 {
			t.Errorf("%d questions after two epochs, want 12", len(h.asked))
		}
	})
}

func TestSilentHolderIsAskedTwiceThenOnChain(t *testing.T) {
	for _, name := range []string{
		"nobody there", "it hangs", "it comes too late", "unsigned garbage", "unsigned, with wrong data", "signed by another", "an answer to another asker",
		"an answer about another leaf", "a stale answer", "an answer of tomorrow", "an answer of no time", "a right word, wrong path", "an endless answer",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				f := silences(h)[name]
				if f == nil {
					t.Fatal("no such silence")
				}
				h.set("p1", f)
				h.run(h.config("a1"), 4*time.Minute)
				rs := h.all("p1", protocol.RetrievalSilent)
				for _, n := range []string{"p2", "p3"} {
					if len(h.reports()[n]) > 0 {
						h.all(n, protocol.RetrievalGood)
					}
				}
				asked := 0
				for _, n := range h.asked {
					if n == "p1" {
						asked++
					}
				}
				if asked != 2*len(rs) {
					t.Errorf("p1 was asked %d times for %d leaves", asked, len(rs))
				}
				d := facts[protocol.RetrievalDemanded](h)
				if len(d) != 1 || d[0].Node != rewardstest.Addr("p1") || d[0].Auditor != rewardstest.Addr("a1") || d[0].Leaf != rs[0].Leaf && len(rs) == 1 {
					t.Errorf("demanded %+v for %+v", d, rs)
				}
				if w := facts[protocol.DataWrong](h); len(w) != 0 {
					t.Errorf("accused %v of silence", w)
				}
			})
		})
	}
}

func TestHolderThatIsSilentOnceIsNotDemanded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		until := time.Now().Add(30 * time.Second) // it restarts
		h.set("p1", func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			if time.Now().Before(until) {
				return retrieval.Answer{}, errors.New("no route")
			}
			return h.honest("p1", asker, leaf, nil), nil
		})
		h.run(h.config("a1"), 4*time.Minute)
		h.all("p1", protocol.RetrievalGood)
		if d := facts[protocol.RetrievalDemanded](h); len(d) != 0 {
			t.Errorf("demanded %v", d)
		}
	})
}

func TestSlowHolderIsGoodAndItsTimeIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		h.set("p1", func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			h.pass(4 * time.Second)
			return h.honest("p1", asker, leaf, nil), nil
		})
		h.run(h.config("a1"), 4*time.Minute)
		for _, r := range h.all("p1", protocol.RetrievalGood) {
			if r.Millis != 4_000 {
				t.Errorf("it took %d ms", r.Millis)
			}
		}
	})
}

func TestHolderThatSignsWrongDataIsAccused(t *testing.T) {
	for _, name := range []string{"its own tree", "another hash than the leaf it shows"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				h.set("p1", lies(h)[name])
				h.run(h.config("a1"), 4*time.Minute)
				rs := h.all("p1", protocol.RetrievalWrong)
				w := facts[protocol.DataWrong](h)
				if len(w) != len(rs) || w[0] != (protocol.DataWrong{Node: rewardstest.Addr("p1"), Piece: h.root, Leaf: rs[0].Leaf}) && len(rs) == 1 {
					t.Errorf("accused %+v, reported %+v", w, rs)
				}
				if d := facts[protocol.RetrievalDemanded](h); len(d) != 0 {
					t.Errorf("demanded %v", d)
				}
			})
		})
	}
}

// Without the right leaf nothing is proved: the chain asks the holder itself.
func TestWrongWordThatNobodyCanRefuteIsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		h.set("p1", lies(h)["its own tree"])
		for _, n := range []string{"p2", "p3"} {
			h.set(n, func(context.Context, common.Address, uint64) (retrieval.Answer, error) {
				return retrieval.Answer{}, fmt.Errorf("%w: offline", retrieval.ErrUnable)
			})
		}
		h.run(h.config("a1"), 4*time.Minute)
		for _, r := range h.all("p1", protocol.RetrievalSilent) {
			if len(r.Answer) == 0 {
				t.Error("the word against it is lost")
			}
		}
		if len(h.reports()["p2"])+len(h.reports()["p3"]) != 0 {
			t.Error("who could not be asked is reported on")
		}
		if d := facts[protocol.RetrievalDemanded](h); len(d) != 1 {
			t.Errorf("demanded %v", d)
		}
	})
}

func TestRestartsGoOnWhereTheyWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		h.set("p1", lies(h)["its own tree"])
		h.chain.SetFault(func(op string) rewardstest.When {
			if op == "accuse" {
				return rewardstest.Before
			}
			return rewardstest.Never
		})
		h.mu.Lock()
		h.deliver = errors.New("no poster is there")
		h.mu.Unlock()
		for range 20 { // it lives for less than two questions each time
			h.run(h.config("a1"), 7*time.Second)
		}
		own, err := h.journal.Reports(t.Context(), 0)
		h.ok(err)
		if len(own) != 6 || len(h.reports()) != 0 || len(facts[protocol.DataWrong](h)) != 0 {
			t.Fatalf("%d reports in the journal, posters have %v", len(own), h.reports())
		}
		h.chain.SetFault(nil)
		h.mu.Lock()
		h.deliver = nil
		h.mu.Unlock()
		h.toEpoch(1) // the next round has begun
		h.run(h.config("a1"), 3*time.Second)
		sum := 0
		for _, rs := range h.reports() {
			for _, r := range rs {
				if r.Epoch == 0 {
					sum++
				}
			}
		}
		wrong := h.reports()["p1"]
		if sum != 6 || len(facts[protocol.DataWrong](h)) == 0 || len(wrong) == 0 {
			t.Errorf("after the restart %d reports were sent, accused %v", sum, facts[protocol.DataWrong](h))
		}
	})
}

func TestQuestionsStayWithinTheEpochsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		for _, n := range []string{"p1", "p2", "p3"} {
			h.set(n, lies(h)["its own tree"]) // everybody is doubted, and asked about everybody
		}
		c := h.config("a1")
		c.Bytes = 5*retrieval.MaxAnswer + 1
		for range 3 {
			h.run(c, time.Minute)
		}
		if len(h.asked) != 5 {
			t.Errorf("%d questions were put, the bytes allow 5", len(h.asked))
		}
	})
}

func TestDemandsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		for _, n := range []string{"p1", "p2", "p3"} {
			h.set(n, silences(h)["nobody there"])
		}
		c := h.config("a1")
		c.Checks, c.Demands = 12, 2
		h.run(c, 4*time.Minute)
		d := facts[protocol.RetrievalDemanded](h)
		if len(d) != 2 || d[0].Node == d[1].Node {
			t.Errorf("demanded %+v, want two, of two holders", d)
		}
	})
}

func TestOwnOperatorIsNeverCheckedAndTheDrawIsEverybodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		fs, err := h.chain.Facts(t.Context())
		h.ok(err)
		seen := map[common.Address]int{}
		for i := range 200 {
			r := retrieval.NewRound(fs, h.chain.Params, 0, 10, common.Hash{byte(i)})
			short, long := r.Draw(rewardstest.Addr("a2"), 4), r.Draw(rewardstest.Addr("a2"), 9)
			for i, c := range long {
				if seen[c.Node]++; c.Node == rewardstest.Addr("p3") {
					t.Fatal("a2 checks its operator's node")
				}
				if i < len(short) && short[i] != c {
					t.Fatal("a longer draw begins otherwise")
				}
			}
			if len(short) != 4 || len(r.Draw(rewardstest.Addr("p1"), 4)) != 0 {
				t.Fatalf("%d drawn for an auditor, %d for who is none", len(short), len(r.Draw(rewardstest.Addr("p1"), 4)))
			}
			again := retrieval.NewRound(fs, h.chain.Params, 0, 10, common.Hash{byte(i)}).Draw(rewardstest.Addr("a2"), 4)
			if fmt.Sprint(again) != fmt.Sprint(short) {
				t.Fatal("another draw")
			}
		}
		if a, b := seen[rewardstest.Addr("p1")], seen[rewardstest.Addr("p2")]; a < 700 || b < 700 {
			t.Errorf("p1 is drawn %d times, p2 %d times", a, b)
		}
	})
}

func TestPieceThatLeftItsSetIsNotAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		h.ok(h.chain.As(rewardstest.Addr("p1")).RemovePiece(0, true)) // after the beacon
		h.run(h.config("a1"), 4*time.Minute)
		for _, n := range h.asked {
			if n == "p1" {
				t.Fatal("p1 was asked for what it does not hold any more")
			}
		}
		if len(h.asked) != 6 {
			t.Errorf("%d questions, want 6: others stand in", len(h.asked))
		}
	})
}

func TestInboxTakesOnlyWhatWasDrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		fs, err := h.chain.Facts(t.Context())
		h.ok(err)
		block, beacon, err := h.chain.BlockAfter(t.Context(), h.chain.Params.CommitBy(0))
		h.ok(err)
		k := retrieval.NewRound(fs, h.chain.Params, 0, block, beacon).Draw(rewardstest.Addr("a1"), 1)[0]
		good := protocol.RetrievalReport{Auditor: rewardstest.Addr("a1"), Node: k.Node, Piece: k.Piece, Leaf: k.Leaf, Outcome: protocol.RetrievalGood}
		for name, c := range map[string]struct {
			by   string
			edit func(*protocol.RetrievalReport)
			want error
		}{
			"a drawn check":        {"a1", func(*protocol.RetrievalReport) {}, nil},
			"another leaf":         {"a1", func(r *protocol.RetrievalReport) { r.Leaf += 1_000 }, retrieval.ErrRefused},
			"another auditor":      {"a2", func(r *protocol.RetrievalReport) { r.Auditor, r.Node = rewardstest.Addr("a2"), rewardstest.Addr("p3") }, retrieval.ErrRefused},
			"no auditor":           {"p1", func(r *protocol.RetrievalReport) { r.Auditor = rewardstest.Addr("p1") }, retrieval.ErrRefused},
			"another's signature":  {"a1", func(r *protocol.RetrievalReport) { r.Outcome = 2 }, retrieval.ErrRefused},
			"no outcome":           {"a1", func(r *protocol.RetrievalReport) { r.Outcome = 4 }, retrieval.ErrRefused},
			"an epoch to come":     {"a1", func(r *protocol.RetrievalReport) { r.Epoch = 1 }, retrieval.ErrRefused},
			"an epoch at the ends": {"a1", func(r *protocol.RetrievalReport) { r.Epoch = 1<<64 - 1 }, retrieval.ErrRefused},
		} {
			m := good
			c.edit(&m)
			s, err := protocol.Sign(h.chain.Network, rewardstest.Key(c.by), m)
			h.ok(err)
			if name == "another's signature" {
				b := s.Bytes()
				b[len(b)-9] ^= 1
				s, err = protocol.ParseSigned[protocol.RetrievalReport](b)
				h.ok(err)
			}
			if err := h.inbox.Take(t.Context(), s); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		h.toEpoch(2)
		s, err := protocol.Sign(h.chain.Network, rewardstest.Key("a1"), good)
		h.ok(err)
		if err := h.inbox.Take(t.Context(), s); !errors.Is(err, retrieval.ErrRefused) {
			t.Errorf("two epochs later: %v", err)
		}
	})
}

func TestIncompleteConfigurationIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		for name, edit := range map[string]func(*retrieval.Config){
			"no key": func(c *retrieval.Config) { c.Key = nil }, "no chain": func(c *retrieval.Config) { c.Chain = nil },
			"no asker": func(c *retrieval.Config) { c.Asker = nil }, "no courier": func(c *retrieval.Config) { c.Courier = nil },
			"no journal": func(c *retrieval.Config) { c.Journal = nil }, "too many checks": func(c *retrieval.Config) { c.Checks = retrieval.MaxDraw },
			"no contract": func(c *retrieval.Config) { c.Params.ProofPeriod = 0 },
		} {
			c := h.config("a1")
			edit(&c)
			if _, err := retrieval.New(c); !errors.Is(err, retrieval.ErrConfig) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestPosterThatIsNotThereHoldsUpNoReportToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		h.absent = errors.New("one poster does not answer")
		h.run(h.config("a1"), 4*time.Minute)
		n := 0
		for _, rs := range h.reports() {
			n += len(rs)
		}
		if n != 6 {
			t.Errorf("the poster that is there has %d reports, want 6", n)
		}
	})
}

func TestAuditorThatTheLedgerDoesNotKnowDemandsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		h.set("p1", silences(h)["nobody there"])
		h.chain.Strike(rewardstest.Addr("a1"))
		c := h.config("a1")
		j := &counted{Judge: c.Judge}
		c.Judge = j
		h.run(c, 4*time.Minute)
		h.all("p1", protocol.RetrievalSilent)
		if j.asked != 1 || j.demanded != 0 {
			t.Errorf("the ledger was asked %d times, %d demands were sent; want 1 and none", j.asked, j.demanded)
		}
	})
}

// counted is a judge that counts.
type counted struct {
	retrieval.Judge
	asked, demanded int // the checker steps in one goroutine, which has ended when they are read
}

func (c *counted) IsAuditor(ctx context.Context, a common.Address) (bool, error) {
	c.asked++
	return c.Judge.IsAuditor(ctx, a)
}

func (c *counted) Demand(ctx context.Context, node common.Address, id, leaf uint64) (common.Hash, error) {
	c.demanded++
	return c.Judge.Demand(ctx, node, id, leaf)
}
