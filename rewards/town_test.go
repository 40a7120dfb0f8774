package rewards_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards"
	"tally/rewards/epochdata"
	"tally/rewards/journal"
	"tally/rewards/ledger"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

const engine = "exact/dk-1"

type stepper interface {
	Step(context.Context) error
	Run(context.Context) error
}

type verifier struct{}

func (verifier) VerifyReceipt(_ context.Context, r protocol.Receipt, pick uint64) (rewards.Finding, error) {
	return rewards.Finding{Outcome: rewardstest.Outcome(r), Leaf: pick % 7}, nil
}

// town is five roles around one chain: w1 and w2 work, p1 and p2 pin, s pays,
// a1 and a2 audit. What is durable lives here; roles are made anew by reborn.
type town struct {
	t     *testing.T
	clock atomic.Uint64
	pace  uint64 // seconds between two steps
	chain *rewardstest.Chain
	store *rewardstest.Store
	post  *rewardstest.Post
	rules ruleset.Rules
	model cid.Cid

	books    map[string]*ledger.Ledger
	journals map[string]*journal.Journal // "inbox" is the poster's
	roles    map[string]stepper
	accounts []common.Address
	infer    *rewardstest.Job
	train    *rewardstest.Job
	pin      *rewardstest.Job
	lazy     map[string]bool // pinners that prove nothing for a while
}

// shard is what p1 and p2 keep; its piece root is all that the chain knows of it.
var shard = common.Hash{0x5a}

const shardSize = 4_096

func townParams() protocol.Params {
	return protocol.Params{
		Start: 1_000, EpochLength: 30, CommitWindow: 8, AuditWindow: 8, ClaimDelay: 5, Quorum: 2, MintCap: protocol.Tokens(1_000), ProofPeriod: 20, ProofLeaves: 5,
	}
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, pace: 1, store: rewardstest.NewStore(), rules: ruleset.First(), books: map[string]*ledger.Ledger{}, journals: map[string]*journal.Journal{}, roles: map[string]stepper{}, lazy: map[string]bool{}}
	w.clock.Store(1_000)
	hash, err := w.rules.Hash()
	w.ok(err)
	w.chain = rewardstest.NewChain(rewardstest.Network(), townParams(), hash, w.clock.Load)
	for name, classes := range map[string][]string{"w1": {engine}, "w2": {engine}, "p1": {ruleset.ClassPin}, "p2": {ruleset.ClassPin}, "a1": {ruleset.ClassAudit}, "a2": {ruleset.ClassAudit}} {
		w.ok(w.chain.Register(protocol.NodeRegistered{Node: rewardstest.Addr(name), Payout: rewardstest.Addr(name), Classes: classes, Weight: 1}))
	}
	for _, n := range []string{"w1", "w2", "p1", "p2", "s"} {
		l, err := ledger.Open("", w.chain.Network)
		w.ok(err)
		t.Cleanup(func() { _ = l.Close() })
		w.books[n] = l
	}
	for _, n := range []string{"inbox", "a1", "a2"} {
		j, err := journal.Open("", w.chain.Network)
		w.ok(err)
		t.Cleanup(func() { _ = j.Close() })
		w.journals[n] = j
	}
	w.post = &rewardstest.Post{Deliver: w.journals["inbox"].AddVerdict}
	for _, n := range []string{"w1", "w2", "p1", "p2", "s", "c1", "a1", "a2"} {
		w.accounts = append(w.accounts, rewardstest.Addr(n))
	}
	w.accounts = append(w.accounts, w.chain.Network.Ledger)
	m, err := protocol.Sign(w.chain.Network, rewardstest.Key("s"), protocol.Model{
		Name: "m", Owner: rewardstest.Addr("s"), Files: protocol.CIDOf([]byte("files")), Engine: engine,
		Owners: []protocol.Share{{Account: rewardstest.Addr("s"), Weight: 1}}, Contributors: []protocol.Share{{Account: rewardstest.Addr("c1"), Weight: 3}},
		Policy: protocol.Policy{Worker: 7_000, Owners: 1_000, Contributors: 1_000, Auditors: 300, Treasury: 200, Burn: 500},
	})
	w.ok(err)
	w.model, err = w.store.Put(t.Context(), m.Bytes())
	w.ok(err)
	for _, n := range []string{"w1", "w2", "p1"} {
		a, err := protocol.Sign(w.chain.Network, rewardstest.Key(n), protocol.Advert{Worker: rewardstest.Addr(n), Models: []cid.Cid{w.model}, Since: 1_000, Until: 9_000})
		w.ok(err)
		w.ok(w.journals["inbox"].AddAdvert(t.Context(), a))
	}
	w.infer, err = rewardstest.Open(w.chain, w.store, "s", protocol.Offer{Value: protocol.Tokens(100)}, protocol.InferSpec{Model: w.model, Engine: engine, Disclose: true})
	w.ok(err)
	w.train, err = rewardstest.Open(w.chain, w.store, "s", protocol.Offer{Nonce: 1, Value: protocol.Tokens(100)}, protocol.TrainSpec{Name: "m", Engine: engine})
	w.ok(err)
	w.pin, err = rewardstest.Open(w.chain, w.store, "s", protocol.Offer{Nonce: 2, Value: protocol.Tokens(100)}, protocol.PinSpec{Root: w.model, Replicas: 2})
	w.ok(err)
	for _, n := range []string{"p1", "p2"} {
		_, err := w.chain.As(rewardstest.Addr(n)).AddPiece(shard, shardSize)
		w.ok(err)
	}
	for _, n := range w.names() {
		w.reborn(n)
	}
	return w
}

func (w *town) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) names() []string {
	return []string{"commit w1", "commit w2", "commit p1", "commit p2", "audit a1", "audit a2", "post", "claim", "books w1", "books s"}
}

// reborn makes a role as a process that starts: nothing is left but what is durable.
func (w *town) reborn(name string) {
	w.t.Helper()
	p, n := w.chain.Params, w.chain.Network
	var r stepper
	var err error
	var who string
	if i := len(name) - 2; name[i-1] == ' ' {
		who = name[i:]
	}
	switch name {
	case "post":
		r, err = rewards.NewPoster(rewards.PosterConfig{Network: n, Params: p, Rules: w.rules, Chain: w.chain, Anchorer: w.chain.As(rewardstest.Addr("p1")), Store: w.store, Evidence: w.journals["inbox"], Grace: 2})
	case "claim":
		r, err = rewards.NewClaimer(rewards.ClaimerConfig{Accounts: w.accounts, Params: p, Chain: w.chain, Cashier: w.chain.As(rewardstest.Addr("s")), Store: w.store})
	case "audit a1", "audit a2":
		r, err = rewards.NewAuditor(rewards.AuditorConfig{
			Key: rewardstest.Key(who), Network: n, Params: p, Rules: w.rules, Chain: w.chain, Store: w.store, Journal: w.journals[who],
			Verifier: verifier{}, Courier: w.post, Voter: w.chain.As(rewardstest.Addr(who)),
		})
	case "books w1":
		r, err = rewards.NewBookkeeper(rewards.BookkeeperConfig{Params: p, Ledger: w.books["w1"], Chain: w.chain, Store: w.store})
	case "books s":
		r, err = rewards.NewBookkeeper(rewards.BookkeeperConfig{Params: p, Ledger: w.books["s"], Chain: w.chain, Store: w.store})
	default:
		r, err = rewards.NewCommitter(rewards.CommitterConfig{
			Worker: rewardstest.Addr(who), Network: n, Params: p, Ledger: w.books[who], Chain: w.chain, Teller: w.chain.As(rewardstest.Addr(who)), Store: w.store, Grace: 1,
		})
	}
	w.ok(err)
	w.roles[name] = r
}

// work does a job's next piece; both sides record it.
func (w *town) work(j *rewardstest.Job, worker string, edit func(*protocol.Receipt)) protocol.Cosigned {
	w.t.Helper()
	c, v, err := j.Work(worker, protocol.Tokens(1), w.clock.Load(), func(r *protocol.Receipt) {
		if r.Kind == protocol.KindPin {
			r.Trace, r.UnitsIn, r.UnitsOut = shard, shardSize, 12
		}
		if edit != nil {
			edit(r)
		}
	})
	w.ok(err)
	w.ok(w.books[worker].Record(w.t.Context(), c, &v))
	w.ok(w.books["s"].Record(w.t.Context(), c, &v))
	return c
}

// prove mines a block, in which pinners prove if they can.
func (w *town) prove() {
	w.t.Helper()
	w.chain.Mine()
	for _, n := range []string{"p1", "p2"} {
		if w.lazy[n] {
			continue
		}
		if _, err := w.chain.As(rewardstest.Addr(n)).Prove(w.t.Context()); err != nil && !errors.Is(err, rewardstest.ErrRevert) {
			w.t.Error(err)
		}
	}
}

// live steps every role at the town's pace until the time. A role whose step meets
// an injected fault dies and is reborn.
func (w *town) live(until uint64) (deaths int) {
	w.t.Helper()
	for w.clock.Load() < until {
		for range w.pace {
			w.clock.Add(1)
			w.prove()
		}
		for _, n := range w.names() {
			if err := w.roles[n].Step(w.t.Context()); errors.Is(err, rewardstest.ErrFault) {
				deaths++
				w.reborn(n)
			} else if err != nil && !errors.Is(err, rewardstest.ErrNotYet) && !errors.Is(err, rewardstest.ErrRevert) {
				w.t.Logf("at %d: %s: %v", w.clock.Load(), n, err)
			}
		}
	}
	return deaths
}

// settled checks the end of the story: every account was paid exactly what the
// last epoch grants it, and the ledger adds up with nothing left over.
func (w *town) settled() *epochdata.Data {
	w.t.Helper()
	ctx := w.t.Context()
	facts, err := w.chain.Facts(ctx)
	w.ok(err)
	anchors := rewards.Anchors(facts)
	if len(anchors) == 0 {
		w.t.Fatal("nothing was anchored")
	}
	last := anchors[len(anchors)-1]
	d, err := epochdata.Load(last.Data, func(c cid.Cid) ([]byte, error) { return w.store.Get(ctx, last.Data, c) })
	w.ok(err)
	if n, ok := ruleset.Next(d.State, facts, w.chain.Params); ok {
		w.t.Errorf("epoch %d still waits to be settled: %+v", n, d.State.Pending)
	}
	for _, a := range w.accounts {
		st, err := rewards.Look(ctx, rewards.StatusSource{Params: w.chain.Params, Chain: w.chain, Store: w.store}, a)
		w.ok(err)
		if st.Earned.Cmp(st.Claimed) != 0 || !st.Claimable.IsZero() || !st.Held.IsZero() {
			w.t.Errorf("%s earned %s and claimed %s, claimable %s, held %s", a, st.Earned, st.Claimed, st.Claimable, st.Held)
		}
	}
	pool, claims := w.chain.Pool()
	if claims.Cmp(d.Head.Total.Big()) != 0 {
		w.t.Errorf("claims come to %s, the root grants %s", claims, d.Head.Total)
	}
	if pool.Sub(pool, claims).Cmp(d.Head.HeldBack.Big()) != 0 {
		w.t.Errorf("the pool has %s left, held back are %s", pool, d.Head.HeldBack)
	}
	for _, a := range anchors {
		r, err := rewards.Rederive(ctx, w.source(), a.Epoch)
		w.ok(err)
		if !r.Equal() {
			w.t.Errorf("epoch %d: %v", a.Epoch, r.Differences)
		}
	}
	return d
}

func (w *town) source() rewards.Source {
	return rewards.Source{Network: w.chain.Network, Params: w.chain.Params, Rules: w.rules, Chain: w.chain, Store: w.store}
}
