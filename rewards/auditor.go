package rewards

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol"
	"tally/rewards/journal"
	"tally/rewards/ruleset"
)

// AuditorConfig is what an Auditor needs.
type AuditorConfig struct {
	Key      *ecdsa.PrivateKey // signs verdicts
	Network  protocol.Network
	Params   protocol.Params
	Rules    ruleset.Rules
	Chain    Chain
	Store    Store
	Journal  *journal.Journal // its own verdicts
	Verifier Verifier
	Courier  Courier
	Voter    Voter         // nil: it says what is wrong and has no vote
	Verify   time.Duration // for one repeat; zero is two minutes
	Timing   Timing
	Log      *slog.Logger // nil discards
}

// Validate says what is missing.
func (c AuditorConfig) Validate() error {
	return missing("auditor", map[string]bool{
		"a key": c.Key == nil, "rules": c.Rules.Version == 0, "a chain": c.Chain == nil, "a store": c.Store == nil,
		"a journal": c.Journal == nil, "a verifier": c.Verifier == nil, "a courier": c.Courier == nil, "an epoch length": c.Params.EpochLength == 0,
	})
}

// Auditor repeats the work that the beacon draws for it, and derives every
// anchored epoch again while it can still be taken back.
type Auditor struct {
	cfg     AuditorConfig
	self    common.Address
	log     *slog.Logger
	read    *reader              // owned by audits
	told    map[string]bool      // owned by audits; verdicts handed to the courier
	again   map[string]bool      // owned by audits; second attempts at data that was missing
	head    common.Hash          // owned by audits; transaction of the last anchor seen
	check   *reader              // owned by anchors
	sent    sent                 // owned by anchors
	checked map[common.Hash]bool // owned by anchors; those found equal, by transaction
}

// NewAuditor starts nothing.
func NewAuditor(c AuditorConfig) (*Auditor, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Timing = c.Timing.filled()
	if c.Verify <= 0 {
		c.Verify = 2 * time.Minute
	}
	return &Auditor{
		cfg: c, self: crypto.PubkeyToAddress(c.Key.PublicKey), log: logger(c.Log, "auditor"), read: newReader(c.Chain, c.Store, c.Timing.Fetch), check: newReader(c.Chain, c.Store, c.Timing.Fetch),
		sent: sent{}, told: map[string]bool{}, again: map[string]bool{}, checked: map[common.Hash]bool{},
	}, nil
}

// Run audits and checks anchors until ctx ends, side by side: a long repeat must
// not use up the time in which an anchor can be taken back.
func (a *Auditor) Run(ctx context.Context) error {
	var audits sync.WaitGroup
	defer audits.Wait()
	audits.Go(func() { _ = repeat(ctx, a.cfg.Timing.Every, a.log, a.audits) })
	return repeat(ctx, a.cfg.Timing.Every, a.log, a.anchors)
}

// Step checks the newest anchors, then audits what is drawn.
func (a *Auditor) Step(ctx context.Context) error {
	return errors.Join(a.anchors(ctx), a.audits(ctx))
}

// audits repeats what is drawn for this auditor in every epoch whose commitments
// are fixed and which is not settled yet.
func (a *Auditor) audits(ctx context.Context) error {
	s, err := look(ctx, a.cfg.Chain)
	if err != nil {
		return err
	}
	if head, _ := s.head(); head.Tx != a.head {
		a.head = head.Tx
		a.read.forget()
	}
	drawn, err := draws(ctx, a.read, s, Source{Network: a.cfg.Network, Params: a.cfg.Params, Rules: a.cfg.Rules})
	if err != nil {
		return err
	}
	var errs error
	for _, d := range drawn {
		if who, ok := d.Auditor(); ok && who == a.self {
			errs = errors.Join(errs, a.audit(ctx, d))
		}
	}
	return errs
}

// draws are the receipts that must be audited now: of every epoch whose
// commitments are fixed and which is not settled yet.
func draws(ctx context.Context, read *reader, s scene, of Source) ([]ruleset.Drawn, error) {
	head, anchored := s.head()
	state, err := read.state(ctx, head, anchored)
	if err != nil {
		return nil, err
	}
	epoch, ok := ruleset.Next(state, s.facts, of.Params)
	if !ok || s.now <= of.Params.CommitBy(epoch) {
		return nil, nil
	}
	last := of.Params.EpochAt(s.now)
	for last > epoch && s.now <= of.Params.CommitBy(last) {
		last--
	}
	in := ruleset.Input{
		Rules: of.Rules, Network: of.Network, Params: of.Params, Epoch: last, Previous: state, Facts: s.facts, Blocks: read.blocks,
	}
	if _, err := read.complete(ctx, &in, true); err != nil {
		return nil, err
	}
	return ruleset.Draws(in)
}

// audit repeats one receipt's work, unless it did, and tells the posters.
func (a *Auditor) audit(ctx context.Context, d ruleset.Drawn) error {
	v, ok, err := a.cfg.Journal.Verdict(d.ID, d.Batch, a.self)
	if err != nil {
		return err
	}
	if ok && d.Tries > 0 && a.lacked(v) && !a.again[fmt.Sprint(d.ID, d.Tries)] {
		a.again[fmt.Sprint(d.ID, d.Tries)] = true
		ok = false // asked once more: perhaps it can be had now
	}
	if !ok {
		found, err := a.repeat(ctx, d)
		if err != nil {
			return fmt.Errorf("rewards: audit receipt %s: %w", d.ID, err)
		}
		v, err = protocol.Sign(a.cfg.Network, a.cfg.Key, protocol.Verdict{
			Receipt: d.ID, Auditor: a.self, Epoch: d.Batch, Outcome: found.Outcome, Leaf: found.Leaf, Computed: found.Computed,
		})
		if err != nil {
			return err
		}
		if err := a.cfg.Journal.AddVerdict(ctx, v); err != nil {
			return err
		}
		a.log.Info("audited receipt", "receipt", d.ID, "worker", d.Receipt.Worker, "outcome", found.Outcome.String(), "leaf", found.Leaf)
	}
	key := v.CID().String()
	if a.told[key] {
		return nil
	}
	if err := a.cfg.Courier.SendVerdict(ctx, v); err != nil {
		return fmt.Errorf("rewards: send verdict on %s: %w", d.ID, err)
	}
	a.told[key] = true
	return nil
}

// lacked reports a verdict that only says that data was missing.
func (a *Auditor) lacked(s protocol.Signed[protocol.Verdict]) bool {
	v, err := s.Open(a.cfg.Network)
	return err == nil && v.Outcome == protocol.OutcomeNoData
}

func (a *Auditor) repeat(ctx context.Context, d ruleset.Drawn) (Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Verify)
	defer cancel()
	return a.cfg.Verifier.VerifyReceipt(ctx, d.Receipt, d.Pick)
}

// anchors derives again every anchor that can still be taken back, and votes
// against one that is wrong. One whose data cannot be had is asked for until half
// of the delay is over, and then voted against: nobody could check it.
func (a *Auditor) anchors(ctx context.Context) error {
	s, err := look(ctx, a.cfg.Chain)
	if err != nil {
		return err
	}
	var errs error
	for i, x := range s.anchors {
		if s.now >= x.Final(a.cfg.Params) || a.checked[x.Tx] {
			continue
		}
		var before Anchor
		if i > 0 {
			before = s.anchors[i-1]
		}
		from := Source{Network: a.cfg.Network, Params: a.cfg.Params, Rules: a.cfg.Rules, Chain: a.cfg.Chain, Store: a.cfg.Store, Fetch: a.cfg.Timing.Fetch}
		r, err := rederive(ctx, from, a.check, s, x, before, i > 0)
		if err != nil {
			if s.now < x.Time+a.cfg.Params.ClaimDelay/2 {
				errs = errors.Join(errs, fmt.Errorf("rewards: check epoch %d: %w", x.Epoch, err))
				continue
			}
			r.Differences = append(r.Differences, "data: could not be had in time")
		}
		if left, err := a.leftOut(r); err != nil {
			errs = errors.Join(errs, err)
			continue
		} else if left != "" {
			r.Differences = append(r.Differences, left)
		}
		if r.Equal() {
			a.checked[x.Tx] = true
			a.log.Info("derived epoch again: equal", "epoch", x.Epoch, "root", x.Root)
			continue
		}
		errs = errors.Join(errs, a.object(ctx, s.now, x, r))
	}
	return errs
}

// leftOut tells of a mismatch that this auditor found and the poster ignored.
func (a *Auditor) leftOut(r Report) (string, error) {
	if r.Derived == nil {
		return "", nil
	}
	said := map[string]bool{}
	for _, b := range r.Data.Verdicts {
		said[string(b)] = true
	}
	for _, d := range r.Derived.Drawn {
		v, ok, err := a.cfg.Journal.Verdict(d.ID, d.Batch, a.self)
		if err != nil {
			return "", err
		}
		if !ok || said[string(v.Bytes())] {
			continue
		}
		waits := slices.ContainsFunc(r.Derived.Outcomes, func(o ruleset.Outcome) bool {
			return o.Receipt.Equals(d.ID) && o.Reason == protocol.ReasonAuditPending // the verdict came late and counts next time
		})
		if m, err := v.Open(a.cfg.Network); err == nil && m.Outcome == protocol.OutcomeMismatch && !waits {
			return fmt.Sprintf("verdict: a mismatch of receipt %s was left out", d.ID), nil
		}
	}
	return "", nil
}

func (a *Auditor) object(ctx context.Context, now uint64, x Anchor, r Report) error {
	what := "object " + x.Tx.Hex()
	if !a.sent.due(what, now, a.cfg.Params.ClaimDelay+1) {
		return nil // one vote for each anchor
	}
	a.log.Error("the anchored epoch is wrong", "epoch", x.Epoch, "poster", x.Poster, "differences", r.Differences)
	a.sent[what] = now
	if a.cfg.Voter == nil {
		return nil
	}
	tx, err := a.cfg.Voter.Disable(ctx, x.Epoch, r.Reason())
	if err != nil {
		delete(a.sent, what)
		return fmt.Errorf("rewards: vote against epoch %d: %w", x.Epoch, err)
	}
	a.log.Info("voted against epoch", "epoch", x.Epoch, "tx", tx)
	return nil
}
