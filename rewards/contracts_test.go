package rewards_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient"
	"tally/chainclient/chaintest"
	"tally/protocol"
	"tally/protocol/piece"
	"tally/rewards"
	"tally/rewards/journal"
	"tally/rewards/ledger"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

// contracts is the roles' chain over the real contracts.
type contracts struct{ *chaintest.Chain }

func (c contracts) Now(context.Context) (uint64, error) { return c.Chain.Now(), nil }

func (c contracts) Facts(ctx context.Context) ([]protocol.Fact, error) {
	logs, err := c.FilterLogs(ctx, ethereum.FilterQuery{Addresses: c.Book.Contracts()})
	if err != nil {
		return nil, err
	}
	var out []protocol.Fact
	for _, l := range logs {
		f, ok, err := c.Book.Decode(l)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, f)
		}
	}
	return out, nil
}

func (c contracts) BlockHash(ctx context.Context, n uint64) (common.Hash, error) {
	for {
		head, err := c.BlockNumber(ctx)
		if err != nil {
			return common.Hash{}, err
		}
		if head >= n {
			break
		}
		c.Backend.Commit()
	}
	b, err := c.BlockByNumber(ctx, protocol.NewAmount(n).Big())
	if err != nil {
		return common.Hash{}, err
	}
	return b.Hash(), nil
}

var errNoBlock = errors.New("no block yet")

func (c contracts) BlockAfter(ctx context.Context, t uint64) (uint64, common.Hash, error) {
	head, err := c.BlockNumber(ctx)
	if err != nil {
		return 0, common.Hash{}, err
	}
	for n := range head + 1 {
		b, err := c.BlockByNumber(ctx, protocol.NewAmount(n).Big())
		if err != nil {
			return 0, common.Hash{}, err
		}
		if b.Time() > t {
			return n, b.Hash(), nil
		}
	}
	return 0, common.Hash{}, errNoBlock
}

// teller is a client that redeems envelopes.
type teller struct{ *chainclient.Client }

func (t teller) Redeem(ctx context.Context, s protocol.Signed[protocol.Voucher]) (common.Hash, error) {
	v, err := s.Open(t.Book().Network)
	if err != nil {
		return common.Hash{}, err
	}
	var e struct {
		Payload []byte `max:"4096"`
		Sig     []byte
	}
	if err := protocol.Decode(s.Bytes(), &e); err != nil {
		return common.Hash{}, err
	}
	return t.Client.Redeem(ctx, v, e.Sig)
}

// pinner keeps one file in the possession contract and proves it.
type pinner struct {
	*chainclient.Client
	chain  contracts
	self   common.Address
	params protocol.Params
	file   []byte
	proved int // periods
}

func (p *pinner) Step(ctx context.Context) error {
	set, err := p.ProofSet(ctx, p.self)
	if err != nil {
		return err
	}
	head, err := p.chain.BlockNumber(ctx)
	if err != nil {
		return err
	}
	period := p.params.PeriodAt(head + 1)
	if set.Challenged == 0 || set.Outcome != protocol.ChallengeOpen || period != set.Period || head < p.params.ChallengeBlock(period) {
		return nil
	}
	seed, err := p.Seed(ctx, period)
	if err != nil {
		return err
	}
	held, ok, err := p.Piece(ctx, p.self, 0)
	if err != nil || !ok {
		return errors.Join(err, errors.New("the piece is not in its set"))
	}
	var proofs []protocol.LeafProof
	for i := range p.params.ProofLeaves {
		h, leaf, err := protocol.FindLeaf([]protocol.HeldPiece{held}, protocol.DrawLeaf(seed, p.self, period, i, set.Challenged))
		if err != nil {
			return err
		}
		shown, err := piece.Prove(bytes.NewReader(p.file), uint64(len(p.file)), leaf)
		if err != nil {
			return err
		}
		proofs = append(proofs, protocol.LeafProof{ID: h.ID, Proof: shown})
	}
	if _, err = p.Prove(ctx, period, proofs); err == nil {
		p.proved++
	}
	return err
}

func (p *pinner) Run(context.Context) error { return nil }

func TestTheContractsTakeWhatTheRolesDerive(t *testing.T) {
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	rules := ruleset.First()
	hash, err := rules.Hash()
	ok(err)
	const poster, payer, worker, auditor = 0, 1, 2, 3
	sim := chaintest.Bare(t, 4)
	sim.Book, err = chainclient.Deploy(ctx, sim, sim.Keys[0], chainclient.Deployment{
		Name: "test", Params: chaintest.Params(), Supply: protocol.Tokens(1_000_000), Ruleset: hash, Auditors: []common.Address{sim.Account(auditor)},
	})
	ok(err)
	chain, n, p := contracts{sim}, sim.Book.Network, sim.Book.Params
	sim.Fund(payer, protocol.Tokens(100))
	for i, classes := range map[int][]string{worker: {engine, ruleset.ClassPin}, auditor: {ruleset.ClassAudit}} {
		_, err := sim.As(i).Register(ctx, crypto.CompressPubkey(&sim.Keys[i].PublicKey), sim.Account(i), classes)
		ok(err)
	}
	_, err = sim.As(poster).PostBond(ctx)
	ok(err)
	_, err = sim.As(payer).Deposit(ctx, protocol.Tokens(50))
	ok(err)

	store := rewardstest.NewStore()
	book, err := ledger.Open("", n)
	ok(err)
	defer book.Close()
	keeps := &pinner{sim.As(worker), chain, sim.Account(worker), p, bytes.Repeat([]byte("shard"), 500), 0}
	root, size, err := piece.Sum(bytes.NewReader(keeps.file))
	ok(err)
	work := func(nonce uint64, kind protocol.Kind, spec any) {
		t.Helper()
		doc, err := protocol.Encode(spec)
		ok(err)
		c, err := store.Put(ctx, doc)
		ok(err)
		o := protocol.Offer{Submitter: sim.Account(payer), Nonce: nonce, Kind: kind, Spec: c, Tier: protocol.TierExact, Value: protocol.Tokens(10), Deadline: sim.Now() + 1_000}
		id, _, err := sim.As(payer).OpenOffer(ctx, o)
		ok(err)
		r := protocol.Receipt{
			Offer: id, Channel: protocol.Channel(id, sim.Account(worker)), Payer: o.Submitter, Worker: sim.Account(worker), Epoch: p.EpochAt(sim.Now()), Seq: 1,
			Kind: kind, Tier: o.Tier, Origin: protocol.OriginAssigned, Spec: c, Value: protocol.Tokens(4), Start: sim.Now(), End: sim.Now(),
		}
		if kind == protocol.KindPin {
			r.Trace, r.UnitsIn, r.UnitsOut = root, size, 150
		}
		env, err := protocol.IssueReceipt(n, sim.Keys[worker], r)
		ok(err)
		env, err = env.Cosign(n, sim.Keys[payer])
		ok(err)
		v, err := protocol.Sign(n, sim.Keys[payer], protocol.Voucher{Offer: id, Payer: r.Payer, Worker: r.Worker, Seq: 1, Value: r.Value})
		ok(err)
		ok(book.Record(ctx, env, &v))
	}
	work(0, protocol.KindTrain, protocol.TrainSpec{Name: "m", Engine: engine})
	work(1, protocol.KindPin, protocol.PinSpec{Root: protocol.CIDOf([]byte("r")), Piece: root, Size: size, Replicas: 1})
	_, err = keeps.AddPieces(ctx, []common.Hash{root}, []uint64{size})
	ok(err)

	said, err := journal.Open("", n)
	ok(err)
	defer said.Close()
	inbox, err := journal.Open("", n)
	ok(err)
	defer inbox.Close()
	c, err := rewards.NewCommitter(rewards.CommitterConfig{Worker: sim.Account(worker), Network: n, Params: p, Ledger: book, Chain: chain, Teller: teller{sim.As(worker)}, Store: store})
	ok(err)
	a, err := rewards.NewAuditor(rewards.AuditorConfig{
		Key: sim.Keys[auditor], Network: n, Params: p, Rules: rules, Chain: chain, Store: store, Journal: said, Verifier: verifier{},
		Courier: &rewardstest.Post{Deliver: inbox.AddVerdict}, Voter: sim.As(auditor),
	})
	ok(err)
	post, err := rewards.NewPoster(rewards.PosterConfig{Network: n, Params: p, Rules: rules, Chain: chain, Anchorer: sim.As(poster), Store: store, Evidence: inbox})
	ok(err)
	accounts := []common.Address{sim.Account(worker), sim.Account(auditor), n.Ledger}
	claim, err := rewards.NewClaimer(rewards.ClaimerConfig{Accounts: accounts[:2], Params: p, Chain: chain, Cashier: sim.As(payer), Store: store})
	ok(err)
	until := p.AuditBy(3) + p.ClaimDelay + 20
	for sim.Now() < until {
		sim.AdvanceTo(sim.Now() + 7)
		for _, r := range []stepper{keeps, c, a, post, claim} {
			if err := r.Step(ctx); err != nil && !errors.Is(err, errNoBlock) {
				t.Fatalf("at %d: %T: %v", sim.Now(), r, err)
			}
		}
	}
	facts, err := chain.Facts(ctx)
	ok(err)
	anchors := rewards.Anchors(facts)
	if len(anchors) != 4 || anchors[0].Epoch != p.EpochAt(p.Start) || anchors[3].Epoch != 3 {
		t.Fatalf("anchors %+v, want epochs 0 to 3: the pin runs, then its emission is held", anchors)
	}
	var pin ruleset.Outcome
	for _, x := range anchors {
		r, err := rewards.Rederive(ctx, rewards.Source{Network: n, Params: p, Rules: rules, Chain: chain, Store: store}, x.Epoch)
		ok(err)
		if !r.Equal() {
			t.Errorf("epoch %d: %v", x.Epoch, r.Differences)
		}
		for _, o := range r.Data.Outcomes {
			if o.Kind == protocol.KindPin {
				pin = o
			}
		}
	}
	back, err := pin.Value.Sub(pin.Pin.Split)
	ok(err)
	// A few seconds pass from the promise to the piece's addition.
	if pin.Reason != protocol.ReasonRewarded || pin.Pin.Proved < 140 || pin.Pin.Proved > 150 || pin.Pin.Returned.Cmp(back) != 0 || keeps.proved < 3 {
		t.Errorf("the pin ended %+v after %d proofs", pin, keeps.proved)
	}
	books, err := rewards.NewBookkeeper(rewards.BookkeeperConfig{Params: p, Ledger: book, Chain: chain, Store: store})
	ok(err)
	ok(books.Step(ctx))
	st, err := rewards.Look(ctx, rewards.StatusSource{Params: p, Chain: chain, Store: store, Ledger: book}, accounts[0])
	ok(err)
	if told := strings.Contains(strings.Join(st.Notes, "\n"), fmt.Sprintf("1 pins were proved for %d of the 150 seconds", pin.Pin.Proved)); told == pin.Pin.Returned.IsZero() {
		t.Errorf("the pin ended %+v, its worker reads %q", pin.Pin, st.Notes)
	}
	for _, who := range accounts[:2] {
		st, err := rewards.Look(ctx, rewards.StatusSource{Params: p, Chain: chain, Store: store}, who)
		ok(err)
		got, err := sim.As(payer).TokenBalance(ctx, who)
		ok(err)
		if st.Earned.IsZero() || st.Claimed.Cmp(st.Earned) != 0 || got.Cmp(st.Earned) != 0 {
			t.Errorf("%s earned %s, claimed %s, holds %s", who, st.Earned, st.Claimed, got)
		}
	}
	pool, err := sim.As(payer).Pool(ctx)
	ok(err)
	if pool.Cmp(anchors[3].Total) != 0 {
		t.Errorf("the pool is %s, the last root grants %s", pool, anchors[3].Total)
	}
}
