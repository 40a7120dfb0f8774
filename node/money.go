package node

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/node/api"
	"tally/node/join"
	"tally/protocol"
	"tally/rewards"
	"tally/rewards/epochdata"
	"tally/rewards/ruleset"
)

func (n *Node) source() rewards.Source {
	return rewards.Source{
		Network: n.book.Network, Params: n.book.Params, Rules: n.rules, Chain: join.EpochChain{View: n.view}, Store: n.epochs(),
	}
}

// account reads the account that a caller named; none is the node's own.
func (n *Node) account(s string) (common.Address, error) {
	if s == "" {
		return n.me, nil
	}
	if !common.IsHexAddress(s) {
		return common.Address{}, fmt.Errorf("%w: account %q: write 0x and 40 hex digits", api.ErrBadRequest, s)
	}
	return common.HexToAddress(s), nil
}

func (n *Node) look(ctx context.Context, account common.Address) (rewards.Status, error) {
	return rewards.Look(ctx, rewards.StatusSource{
		Params: n.book.Params, Chain: join.EpochChain{View: n.view}, Store: n.epochs(), Ledger: n.ledger,
	}, account)
}

// Rewards implements api.Money.
func (n *Node) Rewards(ctx context.Context, account string) (api.Rewards, error) {
	a, err := n.account(account)
	if err != nil {
		return api.Rewards{}, err
	}
	s, err := n.look(ctx, a)
	if err != nil {
		return api.Rewards{}, err
	}
	out := api.Rewards{
		Account: a.Hex(), Settled: s.Epoch != protocol.NoEpoch, Earned: s.Earned, Claimed: s.Claimed, Claimable: s.Claimable,
		Roles: []api.Reward{}, Reasons: map[string]uint64{}, Notes: append([]string{}, s.Notes...),
	}
	if out.Settled {
		out.Epoch = s.Epoch
	}
	for _, r := range s.Roles {
		out.Roles = append(out.Roles, api.Reward{Account: a.Hex(), Role: r.Role.String(), Amount: r.Amount})
	}
	for _, t := range s.Reasons {
		name := "UNSETTLED"
		if t.Reason != 0 {
			name = t.Reason.String()
		}
		out.Reasons[name] += t.Count
	}
	return out, nil
}

// Claim implements api.Money. It claims from the newest final epoch, waits for
// the transaction, and tells what was paid by role.
func (n *Node) Claim(ctx context.Context, account string) ([]api.Claim, error) {
	a, err := n.account(account)
	if err != nil {
		return nil, err
	}
	n.claiming.Lock() // two at once would be for the same money
	defer n.claiming.Unlock()
	s, err := n.look(ctx, a)
	if err != nil {
		return nil, err
	}
	if s.Epoch == protocol.NoEpoch || s.Claimable.IsZero() {
		return []api.Claim{}, nil
	}
	facts := n.view.Facts()
	at, d, err := n.anchored(ctx, facts, s.Epoch)
	if err != nil {
		return nil, err
	}
	p, err := rewards.Prove(d, at, a)
	if err != nil {
		return nil, err
	}
	before, err := n.balanceBefore(ctx, facts, a)
	if err != nil {
		return nil, err
	}
	tx, err := n.chain.Claim(ctx, p.Epoch, p.Leaf, p.Index, p.Path)
	if err != nil {
		return nil, err
	}
	mined, err := n.chain.Wait(ctx, tx)
	if err != nil {
		return nil, err
	}
	if _, err := n.view.AwaitBlock(ctx, mined.BlockNumber.Uint64()); err != nil {
		return nil, err
	}
	if !claimedIn(n.view.Facts(), tx) { // somebody else claimed it for the account first
		return []api.Claim{}, nil
	}
	return byRole(a, p.Epoch, before, balance(d.State, a), tx)
}

func claimedIn(facts []protocol.Fact, tx common.Hash) bool {
	for _, f := range facts {
		if _, ok := f.Event.(protocol.Claimed); ok && f.Tx == tx {
			return true
		}
	}
	return false
}

// anchored is a good anchor and its data.
func (n *Node) anchored(ctx context.Context, facts []protocol.Fact, epoch uint64) (rewards.Anchor, *epochdata.Data, error) {
	for _, a := range rewards.Anchors(facts) {
		if a.Epoch != epoch {
			continue
		}
		d, err := epochdata.Load(a.Data, func(c cid.Cid) ([]byte, error) { return n.epochs().Get(ctx, a.Data, c) })
		return a, d, err
	}
	return rewards.Anchor{}, nil, fmt.Errorf("%w: epoch %d is not anchored: nobody worked in it, or it is not over", api.ErrNotFound, epoch)
}

// balanceBefore is the account's balance, by role, at its last claim.
func (n *Node) balanceBefore(ctx context.Context, facts []protocol.Fact, a common.Address) (ruleset.Balance, error) {
	var last *protocol.Claimed
	for _, f := range facts {
		if c, ok := f.Event.(protocol.Claimed); ok && c.Account == a {
			last = &c
		}
	}
	if last == nil {
		return ruleset.Balance{Account: a}, nil
	}
	_, d, err := n.anchored(ctx, facts, last.Epoch)
	if err != nil {
		return ruleset.Balance{}, err
	}
	return balance(d.State, a), nil
}

func balance(s ruleset.State, a common.Address) ruleset.Balance {
	for _, b := range s.Balances {
		if b.Account == a {
			return b
		}
	}
	return ruleset.Balance{Account: a}
}

// byRole splits a claim: what each role grew by since the last one.
func byRole(a common.Address, epoch uint64, before, after ruleset.Balance, tx common.Hash) ([]api.Claim, error) {
	out := []api.Claim{}
	for _, r := range ruleset.Roles() {
		d, err := after.Of(r).Sub(before.Of(r))
		if err != nil {
			return nil, err
		}
		if !d.IsZero() {
			out = append(out, api.Claim{Account: a.Hex(), Role: r.String(), Epoch: epoch, Amount: d, Tx: tx.Hex()})
		}
	}
	return out, nil
}

// Withdraw implements api.Money: what no lock holds, or part of it, goes back to
// the node's account. Locks that ended count as free without any asking.
func (n *Node) Withdraw(ctx context.Context, amount string) (api.Withdrawal, error) {
	free, err := n.chain.Available(ctx, n.me)
	if err != nil {
		return api.Withdrawal{}, err
	}
	out := api.Withdrawal{Amount: free}
	if amount != "" {
		if out.Amount, err = protocol.ParseAmount(amount); err != nil {
			return out, fmt.Errorf("%w: %w", api.ErrBadRequest, err)
		}
	}
	if out.Amount.IsZero() || out.Amount.Cmp(free) > 0 {
		return out, fmt.Errorf("%w: %s is free in the vault: the rest is locked for jobs, or was never deposited", api.ErrBadRequest, free)
	}
	tx, err := n.chain.Withdraw(ctx, out.Amount)
	out.Tx = tx.Hex()
	return out, join.Await(ctx, n.chain)(tx, err)
}

// AuditEpoch implements api.Money.
func (n *Node) AuditEpoch(ctx context.Context, epoch uint64) (api.Audit, error) {
	rep, err := rewards.Rederive(ctx, n.source(), epoch)
	if errors.Is(err, rewards.ErrNoAnchor) {
		err = fmt.Errorf("%w: %w: it is not over, or nobody worked in it, and then it is settled with the next that is anchored", api.ErrNotFound, err)
	}
	if err != nil {
		return api.Audit{}, err
	}
	d := rep.Derived
	out := api.Audit{
		Epoch: epoch, Root: rep.Anchor.Root.Hex(), Derived: d.Root.Hash.Hex(), Equal: "equal", Tx: rep.Anchor.Tx.Hex(), Data: text(rep.Anchor.Data),
		ByReason: map[string]uint64{}, Total: d.Root.Sum, Minted: d.Minted, Burned: d.Burned, Verdicts: []api.Verdict{}, Rewards: []api.Reward{}, Outcomes: []api.Outcome{},
	}
	if !rep.Equal() {
		out.Equal = strings.Join(rep.Differences, "; ")
	}
	kinds := map[string]string{}
	for _, o := range d.Outcomes {
		kinds[o.Receipt.String()] = o.Kind.String()
		out.Outcomes = append(out.Outcomes, api.Outcome{Receipt: o.Receipt.String(), Kind: o.Kind.String(), Reason: o.Reason.String(), Value: o.Value, Why: o.Why})
	}
	for _, t := range d.Tallies {
		out.ByReason[t.Reason.String()] += t.Count
		out.Published += t.Count
	}
	for _, raw := range rep.Data.Verdicts {
		s, err := protocol.ParseSigned[protocol.Verdict](raw)
		if err != nil {
			return out, err
		}
		v, err := s.Open(n.book.Network)
		if err != nil {
			return out, err
		}
		id := v.Receipt.String()
		out.Verdicts = append(out.Verdicts, api.Verdict{Receipt: id, Kind: kinds[id], Auditor: v.Auditor.Hex(), Outcome: v.Outcome.String(), Leaf: v.Leaf})
	}
	if out.Retrievals, err = n.published(rep.Data.Reports); err != nil {
		return out, err
	}
	for _, x := range d.Deltas {
		out.Rewards = append(out.Rewards, api.Reward{Account: x.Account.Hex(), Role: x.Role.String(), Amount: x.Amount})
	}
	out.Invariants, err = n.invariants(ctx, d)
	return out, err
}

// invariants proves them: the derived epoch adds up, and the contract's own sum
// of what it owes and paid is what the ruleset says.
func (n *Node) invariants(ctx context.Context, d *ruleset.Epoch) (api.Invariants, error) {
	err := d.Check()
	if err != nil && !errors.Is(err, ruleset.ErrInvariant) {
		return api.Invariants{}, err
	}
	a, ok, err2 := n.chain.AnchorOf(ctx, d.Number)
	if err2 != nil {
		return api.Invariants{}, err2
	}
	return api.Invariants{ReasonsSum: err == nil, LedgerEqualsClaimable: err == nil && ok && a.Root == d.Root.Hash && a.Total == d.Root.Sum}, nil
}
