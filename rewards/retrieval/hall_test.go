package retrieval_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
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
	absent  error                                                                              // guarded by mu; what it fails with beyond the posters that are there
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
	h.pass(time.Until(time.Unix(int64(h.chain.Params.CommitBy(e)+1), 0)))
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
	err, absent := h.deliver, h.absent
	h.mu.Unlock()
	if err != nil {
		return err
	}
	return errors.Join(h.inbox.Take(ctx, r), absent)
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
