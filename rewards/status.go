package rewards

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/ledger"
	"tally/rewards/ruleset"
)

// RoleEarned is what an account earned in one role.
type RoleEarned struct {
	Role   ruleset.Role
	Amount protocol.Amount
}

// Status is what an account earned, and why not more.
type Status struct {
	Account   common.Address
	Epoch     uint64          // newest final one, or protocol.NoEpoch
	Earned    protocol.Amount // in all epochs up to the newest anchor
	Claimed   protocol.Amount
	Claimable protocol.Amount // now
	Maturing  protocol.Amount // earned, in an anchor that can still be taken back
	Held      protocol.Amount // emission that is released later
	Unproved  protocol.Amount // of the fees of pins that the account keeps: what is not proved yet
	Roles     []RoleEarned    // of Earned
	Reasons   []ruleset.Tally // of the account's receipts as worker or payer, as far as the ledger knows
	Notes     []string        // why not more, in plain words
}

// StatusSource is where a status is read from. Ledger may be nil: then there are
// no reasons.
type StatusSource struct {
	Params protocol.Params
	Chain  Chain
	Store  Store
	Ledger *ledger.Ledger
	Timing Timing
}

// Look reports one account.
func Look(ctx context.Context, from StatusSource, account common.Address) (Status, error) {
	out := Status{Account: account, Epoch: protocol.NoEpoch}
	s, err := look(ctx, from.Chain)
	if err != nil {
		return out, err
	}
	out.Claimed = s.claimed(account)
	r := newReader(from.Chain, from.Store, from.Timing.filled().Fetch)
	if err := out.balances(ctx, r, s, from.Params); err != nil {
		return out, err
	}
	if from.Ledger == nil {
		return out, nil
	}
	return out, out.receipts(from.Ledger, s.now, from.Params)
}

func (t *Status) balances(ctx context.Context, r *reader, s scene, p protocol.Params) error {
	head, ok := s.head()
	if !ok {
		t.Notes = append(t.Notes, "no epoch is anchored yet")
		return nil
	}
	newest, err := r.state(ctx, head, true)
	if err != nil {
		return err
	}
	b := balanceOf(newest, t.Account)
	if t.Earned, err = b.Total(); err != nil {
		return err
	}
	for _, role := range ruleset.Roles() {
		if v := b.Of(role); !v.IsZero() {
			t.Roles = append(t.Roles, RoleEarned{role, v})
		}
	}
	for _, h := range newest.Holds {
		if h.Account != t.Account {
			continue
		}
		if t.Held, err = t.Held.Add(h.Amount); err != nil {
			return err
		}
		t.Notes = append(t.Notes, fmt.Sprintf("%s of emission is held until epoch %d", h.Amount, h.Until))
	}
	if err := t.pins(newest.Pins); err != nil {
		return err
	}
	var granted protocol.Amount
	if a, ok := s.final(p); ok {
		t.Epoch = a.Epoch
		st, err := r.state(ctx, a, true)
		if err != nil {
			return err
		}
		if granted, err = balanceOf(st, t.Account).Total(); err != nil {
			return err
		}
	}
	if granted.Cmp(t.Claimed) > 0 {
		if t.Claimable, err = granted.Sub(t.Claimed); err != nil {
			return err
		}
	}
	if t.Earned.Cmp(granted) > 0 {
		if t.Maturing, err = t.Earned.Sub(granted); err != nil {
			return err
		}
		t.Notes = append(t.Notes, fmt.Sprintf("%s of epoch %d can be claimed in %d seconds", t.Maturing, head.Epoch, head.Final(p)-min(s.now, head.Final(p))))
	}
	return nil
}

// pins sums up what runs, as of the newest anchor.
func (t *Status) pins(open []ruleset.Pin) error {
	n := 0
	for _, p := range open {
		if p.Worker != t.Account {
			continue
		}
		left, err := p.Value.Sub(p.Split)
		if err != nil {
			return err
		}
		if t.Unproved, err = t.Unproved.Add(left); err != nil {
			return err
		}
		n++
	}
	if n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%s of the fees of %d pins is shared out as they are proved", t.Unproved, n))
	}
	return nil
}

func balanceOf(s ruleset.State, a common.Address) ruleset.Balance {
	i := slices.IndexFunc(s.Balances, func(b ruleset.Balance) bool { return b.Account == a })
	if i < 0 {
		return ruleset.Balance{Account: a}
	}
	return s.Balances[i]
}

func (t *Status) receipts(l *ledger.Ledger, now uint64, p protocol.Params) error {
	tallies, err := Reasons(l, ledger.Filter{Worker: t.Account}, ledger.Filter{Payer: t.Account})
	if err != nil {
		return err
	}
	t.Reasons = tallies
	if err := t.unproved(l); err != nil {
		return err
	}
	for _, x := range tallies {
		switch x.Reason {
		case 0:
			t.Notes = append(t.Notes, fmt.Sprintf("%d receipts are in no final epoch yet; the current one ends in %d seconds", x.Count, p.End(p.EpochAt(now))-now))
		case protocol.ReasonHeldUntil:
			t.Notes = append(t.Notes, fmt.Sprintf("%d receipts are pins that run, or wait for a redeemed voucher or for documents", x.Count))
		case protocol.ReasonAuditPending:
			t.Notes = append(t.Notes, fmt.Sprintf("%d receipts wait for an audit", x.Count))
		case protocol.ReasonFeeOnly:
			t.Notes = append(t.Notes, fmt.Sprintf("%d receipts earned their fee and no emission", x.Count))
		case protocol.ReasonRewarded, protocol.ReasonRefunded, protocol.ReasonCarriedOver:
		default:
			t.Notes = append(t.Notes, fmt.Sprintf("%d receipts were not paid: %s", x.Count, x.Reason))
		}
	}
	return nil
}

// unproved tells what went back to payers because it was not proved that a pin's
// shard was kept.
func (t *Status) unproved(l *ledger.Ledger) error {
	var sum ruleset.Progress
	n := 0
	for e, err := range l.Receipts(ledger.Filter{Worker: t.Account}) {
		if err != nil {
			return err
		}
		if e.Pin.Returned.IsZero() {
			continue
		}
		n++
		sum.Promised, sum.Proved = sum.Promised+e.Pin.Promised, sum.Proved+e.Pin.Proved
		if v, err := sum.Returned.Add(e.Pin.Returned); err == nil { // more than there can be is not summed
			sum.Returned = v
		}
	}
	if n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d pins were proved for %d of the %d seconds promised, and %s went back to their payers: `tally storage status` says why periods were missed",
			n, sum.Proved, sum.Promised, sum.Returned))
	}
	return nil
}

// Reasons sums up the receipts that any of the filters chooses, by reason; 0 is
// "not settled yet". A receipt that two filters choose counts once.
func Reasons(l *ledger.Ledger, filters ...ledger.Filter) ([]ruleset.Tally, error) {
	sums := map[protocol.Reason]ruleset.Tally{}
	seen := map[string]bool{}
	for _, f := range filters {
		for e, err := range l.Receipts(f) {
			if err != nil {
				return nil, err
			}
			if seen[e.ID.KeyString()] {
				continue
			}
			seen[e.ID.KeyString()] = true
			t := sums[e.Reason]
			v, err := t.Value.Add(e.Receipt.Value)
			if err != nil && !errors.Is(err, protocol.ErrAmount) {
				return nil, err
			}
			if err == nil {
				t.Value = v
			}
			t.Reason, t.Count = e.Reason, t.Count+1
			sums[e.Reason] = t
		}
	}
	var out []ruleset.Tally
	for r := protocol.Reason(0); r <= protocol.RejectedCap; r++ {
		if t, ok := sums[r]; ok {
			out = append(out, t)
		}
	}
	return out, nil
}
