package retrieval_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/rewards/journal"
	"tally/rewards/retrieval"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

func params() protocol.Params {
	return protocol.Params{Start: 1_000, EpochLength: 300, CommitWindow: 30, AuditWindow: 30, ClaimDelay: 10, ProofPeriod: 1_000, ProofLeaves: 5}
}

// hall is holders of one shard, p1 to p3, and auditors a1 and a2, of which a2 is of
// the operator of p3. What is durable lives here; checkers are made anew by checker.
type hall struct {
	t       *testing.T
	start   time.Time
	chain   *rewardstest.Chain
	journal *journal.Journal
	inbox   *retrieval.Inbox
	posters *journal.Journal
	shard   []byte
	root    common.Hash

	mu      sync.Mutex
	odd     map[string]func(context.Context, common.Address, uint64) (retrieval.Answer, error) // guarded by mu; who does not answer honestly
	asked   []string                                                                           // guarded by mu
	deliver error                                                                              // guarded by mu; what the courier fails with
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t, start: time.Now(), shard: bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7}, 1_000), odd: map[string]func(context.Context, common.Address, uint64) (retrieval.Answer, error){}}
	// The chain's time is the bubble's, so that holders and auditors mean the same.
	p := params()
	p.Start = uint64(h.start.Unix())
	h.chain = rewardstest.NewChain(rewardstest.Network(), p, common.Hash{}, func() uint64 { return uint64(time.Now().Unix()) })
	root, _, err := piece.Sum(bytes.NewReader(h.shard))
	h.ok(err)
	h.root = root
	h.journal, err = journal.Open("", h.chain.Network)
	h.ok(err)
	h.posters, err = journal.Open("", h.chain.Network)
	h.ok(err)
	t.Cleanup(func() { _, _ = h.journal.Close(), h.posters.Close() })
	h.inbox = retrieval.NewInbox(h.chain.Network, p, h.chain, h.posters)
	for name, class := range map[string]string{"p1": ruleset.ClassPin, "p2": ruleset.ClassPin, "p3": ruleset.ClassPin, "a1": ruleset.ClassAudit, "a2": ruleset.ClassAudit} {
		payout := rewardstest.Addr(name)
		if name == "a2" {
			payout = rewardstest.Addr("p3")
		}
		h.ok(h.chain.Register(protocol.NodeRegistered{Node: rewardstest.Addr(name), Payout: payout, Classes: []string{class}, Weight: 1}))
	}
	for _, n := range []string{"p1", "p2", "p3"} {
		_, err := h.chain.As(rewardstest.Addr(n)).AddPiece(h.root, uint64(len(h.shard)))
		h.ok(err)
	}
	h.toEpoch(0)
	return h
}

func (h *hall) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// toEpoch waits until the beacon of an epoch is there.
func (h *hall) toEpoch(e uint64) {
	h.pass(time.Unix(int64(h.chain.Params.CommitBy(e)+1), 0).Sub(time.Now()))
}

// pass waits in the bubble's time.
func (h *hall) pass(d time.Duration) { <-time.After(d) }

func leafHash(leaf []byte) common.Hash { return sha256.Sum256(append([]byte{0}, leaf...)) }

// proof is the right one of the shard, or of other bytes.
func (h *hall) proof(of []byte, leaf uint64) piece.Proof {
	h.t.Helper()
	p, err := piece.Prove(bytes.NewReader(of), uint64(len(of)), leaf)
	h.ok(err)
	return p
}

// honest is how a holder should answer.
func (h *hall) honest(node string, asker common.Address, leaf uint64, edit func(*protocol.Retrieved)) retrieval.Answer {
	h.t.Helper()
	p := h.proof(h.shard, leaf)
	m := protocol.Retrieved{Node: rewardstest.Addr(node), Asker: asker, Piece: h.root, Leaf: leaf, Data: leafHash(p.Leaf), Time: uint64(time.Now().Unix())}
	if edit != nil {
		edit(&m)
	}
	s, err := protocol.Sign(h.chain.Network, rewardstest.Key(node), m)
	h.ok(err)
	return retrieval.Answer{Signed: s.Bytes(), Proof: p}
}

// asker is the network as one auditor sees it.
type asker struct {
	*hall
	self common.Address
}

func (a asker) Ask(ctx context.Context, node common.Address, of common.Hash, leaf uint64) (retrieval.Answer, error) {
	if of != a.root {
		return retrieval.Answer{}, errors.New("no such piece")
	}
	for _, n := range []string{"p1", "p2", "p3"} {
		if rewardstest.Addr(n) != node {
			continue
		}
		a.mu.Lock()
		a.asked = append(a.asked, n)
		odd := a.odd[n]
		a.mu.Unlock()
		if odd != nil {
			return odd(ctx, a.self, leaf)
		}
		return a.honest(n, a.self, leaf, nil), nil
	}
	return retrieval.Answer{}, errors.New("no such node")
}

func (h *hall) SendReport(ctx context.Context, r protocol.Signed[protocol.RetrievalReport]) error {
	h.mu.Lock()
	err := h.deliver
	h.mu.Unlock()
	if err != nil {
		return err
	}
	return h.inbox.Take(ctx, r)
}

func (h *hall) set(node string, f func(context.Context, common.Address, uint64) (retrieval.Answer, error)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.odd[node] = f
}

func (h *hall) config(name string) retrieval.Config {
	self := rewardstest.Addr(name)
	return retrieval.Config{
		Key: rewardstest.Key(name), Network: h.chain.Network, Params: h.chain.Params, Chain: h.chain, Asker: asker{h, self}, Courier: h,
		Journal: h.journal, Judge: h.chain.As(self), Checks: 6, Demands: 6, Patience: 5 * time.Second,
	}
}

// run has a checker run for a while.
func (h *hall) run(c retrieval.Config, d time.Duration) {
	h.t.Helper()
	k, err := retrieval.New(c)
	h.ok(err)
	ctx, cancel := context.WithTimeout(h.t.Context(), d)
	defer cancel()
	h.ok(k.Run(ctx)) // blocked on its ticker; the bubble's clock moves on
}

// reports are what the posters have, by holder.
func (h *hall) reports() map[string][]protocol.RetrievalReport {
	h.t.Helper()
	all, err := h.posters.Reports(h.t.Context(), 0)
	h.ok(err)
	out := map[string][]protocol.RetrievalReport{}
	for _, s := range all {
		r, err := s.Open(h.chain.Network)
		h.ok(err)
		for _, n := range []string{"p1", "p2", "p3"} {
			if rewardstest.Addr(n) == r.Node {
				out[n] = append(out[n], r)
			}
		}
	}
	return out
}

// facts counts the chain's.
func facts[T any](h *hall) (out []T) {
	h.t.Helper()
	fs, err := h.chain.Facts(h.t.Context())
	h.ok(err)
	for _, f := range fs {
		if e, ok := f.Event.(T); ok {
			out = append(out, e)
		}
	}
	return out
}

// all checks that every report about a node has an outcome, and that there is one.
func (h *hall) all(node string, outcome uint8) []protocol.RetrievalReport {
	h.t.Helper()
	rs := h.reports()[node]
	if len(rs) == 0 {
		h.t.Fatalf("nobody reported on %s: %v", node, h.reports())
	}
	for _, r := range rs {
		if r.Outcome != outcome {
			h.t.Errorf("%s, leaf %d: outcome %d, want %d", node, r.Leaf, r.Outcome, outcome)
		}
	}
	return rs
}

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

// silences are the ways of giving no answer that counts.
func silences(h *hall) map[string]func(context.Context, common.Address, uint64) (retrieval.Answer, error) {
	type answer = func(context.Context, common.Address, uint64) (retrieval.Answer, error)
	edited := func(f func(*protocol.Retrieved)) answer {
		return func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			return h.honest("p1", asker, leaf, f), nil
		}
	}
	return map[string]answer{
		"nobody there": func(context.Context, common.Address, uint64) (retrieval.Answer, error) {
			return retrieval.Answer{}, errors.New("no route")
		},
		"it hangs": func(ctx context.Context, _ common.Address, _ uint64) (retrieval.Answer, error) {
			<-ctx.Done()
			return retrieval.Answer{}, ctx.Err()
		},
		"it comes too late": func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			h.pass(6 * time.Second)
			return h.honest("p1", asker, leaf, nil), nil
		},
		"unsigned garbage": func(_ context.Context, _ common.Address, leaf uint64) (retrieval.Answer, error) {
			return retrieval.Answer{Signed: []byte("trust me"), Proof: h.proof(h.shard, leaf)}, nil
		},
		"unsigned, with wrong data": func(context.Context, common.Address, uint64) (retrieval.Answer, error) {
			return retrieval.Answer{Proof: piece.Proof{Leaf: make([]byte, 256)}}, nil
		},
		"signed by another": func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			return h.honest("p2", asker, leaf, nil), nil
		},
		"an answer to another asker": edited(func(m *protocol.Retrieved) { m.Asker = rewardstest.Addr("a2") }),
		"an answer about another leaf": func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			return h.honest("p1", asker, (leaf+1)%27, nil), nil
		},
		"a stale answer":        edited(func(m *protocol.Retrieved) { m.Time -= 121 }),
		"an answer of tomorrow": edited(func(m *protocol.Retrieved) { m.Time += 86_400 }),
		"an answer of no time":  edited(func(m *protocol.Retrieved) { m.Time = 1<<64 - 1 }),
		"a right word, wrong path": func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			a := h.honest("p1", asker, leaf, nil)
			a.Proof.Path[0][0] ^= 1
			return a, nil
		},
		"an endless answer": func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			a := h.honest("p1", asker, leaf, nil)
			a.Proof.Path = make([]piece.Hash, 1_000)
			return a, nil
		},
	}
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

// lies are the ways of signing what is not the piece's.
func lies(h *hall) map[string]func(context.Context, common.Address, uint64) (retrieval.Answer, error) {
	other := bytes.Clone(h.shard)
	for i := range other {
		other[i] ^= 1
	}
	return map[string]func(context.Context, common.Address, uint64) (retrieval.Answer, error){
		"its own tree": func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			p := h.proof(other, leaf)
			a := h.honest("p1", asker, leaf, func(m *protocol.Retrieved) { m.Data = leafHash(p.Leaf) })
			a.Proof = p
			return a, nil
		},
		"another hash than the leaf it shows": func(_ context.Context, asker common.Address, leaf uint64) (retrieval.Answer, error) {
			return h.honest("p1", asker, leaf, func(m *protocol.Retrieved) { m.Data = common.Hash{7} }), nil
		},
	}
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
