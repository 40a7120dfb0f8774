package ruleset_test

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

const engine = "exact/dk-1"

func params() protocol.Params {
	return protocol.Params{
		Start: 1_000, EpochLength: 100, CommitWindow: 20, AuditWindow: 30, ClaimDelay: 10, Quorum: 2,
		MintCap: protocol.Tokens(1_000_000), ProofPeriod: 10, ProofLeaves: 5,
	}
}

// world is a network with five nodes as in a devnet: w1 and w2 work, w2 and a1
// audit, p1..p3 pin, s submits.
type world struct {
	t     testing.TB
	rules ruleset.Rules
	now   uint64
	chain *rewardstest.Chain
	store *rewardstest.Store
	model cid.Cid

	verdicts []protocol.Signed[protocol.Verdict]
	adverts  []protocol.Signed[protocol.Advert]
	state    ruleset.State
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, rules: ruleset.First(), now: 1_000, store: rewardstest.NewStore(), state: ruleset.Genesis()}
	hash, err := w.rules.Hash()
	w.ok(err)
	w.chain = rewardstest.NewChain(rewardstest.Network(), params(), hash, func() uint64 { return w.now })
	for name, classes := range map[string][]string{
		"w1": {engine}, "w2": {engine, ruleset.ClassAudit}, "a1": {ruleset.ClassAudit},
		"p1": {ruleset.ClassPin}, "p2": {ruleset.ClassPin}, "p3": {ruleset.ClassPin},
	} {
		w.register(name, classes...)
	}
	m, err := protocol.Sign(w.chain.Network, rewardstest.Key("s"), protocol.Model{
		Name: "m", Owner: rewardstest.Addr("s"), Files: protocol.CIDOf([]byte("files")), Engine: engine,
		Owners:       []protocol.Share{{Account: rewardstest.Addr("s"), Weight: 1}},
		Contributors: []protocol.Share{{Account: rewardstest.Addr("c1"), Weight: 1}, {Account: rewardstest.Addr("c2"), Weight: 2}},
		Policy:       protocol.Policy{Worker: 7_000, Owners: 1_000, Contributors: 1_000, Auditors: 300, Treasury: 200, Burn: 500},
	})
	w.ok(err)
	w.model, err = w.store.Put(t.Context(), m.Bytes())
	w.ok(err)
	for _, n := range []string{"w1", "w2", "p1"} {
		w.advertise(n)
	}
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) register(name string, classes ...string) {
	w.ok(w.chain.Register(protocol.NodeRegistered{Node: rewardstest.Addr(name), Payout: rewardstest.Addr(name + "/payout"), Classes: classes, Weight: 1_000_000}))
}

func (w *world) advertise(name string) {
	a, err := protocol.Sign(w.chain.Network, rewardstest.Key(name), protocol.Advert{Worker: rewardstest.Addr(name), Models: []cid.Cid{w.model}, Since: 1_000, Until: 1_000_000})
	w.ok(err)
	w.adverts = append(w.adverts, a)
}

func (w *world) infer() *rewardstest.Job {
	w.t.Helper()
	j, err := rewardstest.Open(w.chain, w.store, "s", protocol.Offer{Value: protocol.Tokens(100)},
		protocol.InferSpec{Model: w.model, Engine: engine, Requests: 10, Disclose: true})
	w.ok(err)
	return j
}

func (w *world) train() *rewardstest.Job {
	w.t.Helper()
	j, err := rewardstest.Open(w.chain, w.store, "s", protocol.Offer{Nonce: 1, Value: protocol.Tokens(100)}, protocol.TrainSpec{Name: "m", Engine: engine})
	w.ok(err)
	return j
}

func (w *world) pin() *rewardstest.Job {
	w.t.Helper()
	j, err := rewardstest.Open(w.chain, w.store, "s", protocol.Offer{Nonce: 2, Value: protocol.Tokens(100)}, protocol.PinSpec{Root: protocol.CIDOf([]byte("r")), Replicas: 2})
	w.ok(err)
	return j
}

// work makes a receipt and redeems its voucher.
func (w *world) work(j *rewardstest.Job, worker string, edit func(*protocol.Receipt)) protocol.Cosigned {
	w.t.Helper()
	c, v, err := j.Work(worker, protocol.Tokens(1), w.now, edit)
	w.ok(err)
	_, err = w.chain.As(rewardstest.Addr(worker)).Redeem(w.t.Context(), v)
	w.ok(err)
	return c
}

// batch builds and stores a worker's batch.
func (w *world) batch(worker string, epoch uint64, rs ...protocol.Cosigned) protocol.Batch {
	w.t.Helper()
	data := protocol.BatchData{Worker: rewardstest.Addr(worker), Epoch: epoch}
	var leaves []common.Hash
	var blocks [][]byte
	for _, r := range rs {
		data.Receipts, blocks = append(data.Receipts, r.CID()), append(blocks, r.Bytes())
		leaves = append(leaves, w.digest(r))
	}
	b, err := protocol.Encode(data)
	w.ok(err)
	c := protocol.CIDOf(b)
	w.ok(w.store.Publish(w.t.Context(), c, append(blocks, b)))
	return protocol.Batch{Worker: data.Worker, Epoch: epoch, Root: protocol.MerkleRoot(leaves), Count: uint64(len(rs)), Data: c}
}

// digest of a receipt even if its signatures are wrong.
func (w *world) digest(c protocol.Cosigned) common.Hash {
	w.t.Helper()
	d, err := protocol.Digest(w.chain.Network, w.peek(c))
	w.ok(err)
	return d
}

func (w *world) peek(c protocol.Cosigned) protocol.Receipt {
	w.t.Helper()
	var e struct {
		Payload []byte `max:"4096"`
		Worker  []byte
		Payer   []byte
	}
	w.ok(protocol.Decode(c.Bytes(), &e))
	var r protocol.Receipt
	w.ok(protocol.Decode(e.Payload, &r))
	return r
}

func (w *world) commit(worker string, epoch uint64, rs ...protocol.Cosigned) {
	w.t.Helper()
	w.commitBatch(worker, w.batch(worker, epoch, rs...))
}

func (w *world) commitBatch(worker string, b protocol.Batch) {
	w.t.Helper()
	if end := w.chain.Params.End(b.Epoch); w.now < end {
		w.now = end + 1
	}
	_, err := w.chain.As(rewardstest.Addr(worker)).Commit(w.t.Context(), b)
	w.ok(err)
}

// input gathers what an epoch needs, as a poster does.
func (w *world) input(epoch uint64) ruleset.Input {
	w.t.Helper()
	if by := w.chain.Params.AuditBy(epoch); w.now <= by {
		w.now = by + 1
	}
	facts, err := w.chain.Facts(w.t.Context())
	w.ok(err)
	in := ruleset.Input{
		Rules: w.rules, Network: w.chain.Network, Params: w.chain.Params, Epoch: epoch, Previous: w.state, Facts: facts,
		Hashes: map[uint64]common.Hash{}, Beacons: map[uint64]common.Hash{}, Blocks: ruleset.Blocks{}, Verdicts: w.verdicts, Adverts: w.adverts,
	}
	ctx := context.WithoutCancel(w.t.Context())
	absent := map[cid.Cid]bool{}
	for again := true; again; {
		again = false
		want, err := ruleset.Wants(in)
		w.ok(err)
		for _, n := range want.Beacons {
			_, in.Beacons[n], err = w.chain.BlockAfter(ctx, w.chain.Params.CommitBy(n))
			w.ok(err)
			again = true
		}
		for _, n := range want.Hashes {
			in.Hashes[n], err = w.chain.BlockHash(ctx, n)
			w.ok(err)
			again = true
		}
		for _, l := range want.Blocks {
			c := l.CID
			if b, err := w.store.Get(ctx, l.Root, c); err == nil {
				in.Blocks.Add(b)
				again = true
			} else {
				absent[c] = true
			}
		}
	}
	return in
}

// audit has every auditor that is asked give the outcome.
func (w *world) audit(epoch uint64, outcome func(ruleset.Drawn) protocol.Outcome) []ruleset.Drawn {
	w.t.Helper()
	ds, err := ruleset.Draws(w.input(epoch))
	w.ok(err)
	names := map[common.Address]string{}
	for _, n := range []string{"w1", "w2", "a1", "a2", "s"} {
		names[rewardstest.Addr(n)] = n
	}
	for _, d := range ds {
		a, ok := d.Auditor()
		if !ok {
			continue
		}
		o := outcome(d)
		if o == 0 {
			continue
		}
		v, err := protocol.Sign(w.chain.Network, rewardstest.Key(names[a]), protocol.Verdict{Receipt: d.ID, Auditor: a, Epoch: d.Batch, Outcome: o})
		w.ok(err)
		w.verdicts = append(w.verdicts, v)
	}
	return ds
}

func equal(ruleset.Drawn) protocol.Outcome { return protocol.OutcomeEqual }

// derive closes an epoch and moves on to its state.
func (w *world) derive(epoch uint64) *ruleset.Epoch {
	w.t.Helper()
	e, err := ruleset.Derive(w.input(epoch))
	w.ok(err)
	w.state = e.State
	return e
}

func (w *world) reason(e *ruleset.Epoch, c protocol.Cosigned) ruleset.Outcome {
	w.t.Helper()
	for _, o := range e.Outcomes {
		if o.Receipt.Equals(c.ID()) {
			return o
		}
	}
	w.t.Fatalf("no outcome for receipt %s", c.ID())
	return ruleset.Outcome{}
}

func (w *world) want(e *ruleset.Epoch, c protocol.Cosigned, r protocol.Reason) {
	w.t.Helper()
	if o := w.reason(e, c); o.Reason != r {
		w.t.Errorf("epoch %d: receipt ended %s (%s), want %s", e.Number, o.Reason, o.Why, r)
	}
}

// first is the name of the worker that ranks first for a job.
func (w *world) ranked(j *rewardstest.Job, i int, among ...string) string {
	w.t.Helper()
	r, err := j.Ranking()
	w.ok(err)
	for _, n := range among {
		if rewardstest.Addr(n) == r[i] {
			return n
		}
	}
	w.t.Fatalf("rank %d is none of %v", i, among)
	return ""
}
