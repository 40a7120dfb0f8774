package node

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/node/api"
	"tally/protocol"
)

// api is what the local API serves.
func (n *Node) api() api.Node {
	return api.Node{Status: n.status, Datanets: n, Jobs: n, Models: n, Receipts: n, Money: n, Storage: n}
}

func (n *Node) status(ctx context.Context) (api.Status, error) {
	head, now := n.view.Head()
	s := api.Status{
		Network: n.book.ID(), Account: n.me.Hex(), Payout: n.me.Hex(), Peer: n.host.ID().String(), Roles: []string{}, Addrs: []string{},
		Peers: len(n.host.Peers()), Block: head, Time: now, Epoch: n.book.Params.EpochAt(now), OpenAI: n.openai, Nodes: len(n.view.Nodes()),
		Problems: n.problems.get(), Models: []string{}, Gateway: n.gateway,
	}
	if p := n.home.Config.Payout; p != (common.Address{}) {
		s.Payout = p.Hex()
	}
	for _, r := range n.home.Config.Roles {
		s.Roles = append(s.Roles, string(r))
	}
	for _, a := range n.host.Addrs() {
		s.Addrs = append(s.Addrs, a.String())
	}
	list, err := n.models.List(ctx)
	if err != nil {
		return s, err
	}
	for _, m := range list {
		if m.Held {
			s.Models = append(s.Models, m.CID.String())
		}
	}
	for _, err := range n.store.S.Roots() {
		if err != nil {
			return s, err
		}
		s.Pins++
	}
	health, err := n.store.S.Health(ctx)
	if err != nil {
		s.Problems = append(s.Problems, err.Error()) // the disk is not there
	}
	s.SetAside = len(health.Aside)
	s.Problems = append(s.Problems, health.Problems()...)
	if u, err := n.store.S.Usage(); err == nil { // else the disk is not there, which is said already
		s.Problems = append(s.Problems, crowded(u.Usage)...)
	}
	if n.prover != nil {
		s.Problems = append(s.Problems, n.prover.Status().Problems...)
	}
	return s, n.balances(ctx, &s)
}

// balances asks the chain; an endpoint that does not answer is a problem told,
// not a status refused.
func (n *Node) balances(ctx context.Context, s *api.Status) error {
	gas, err := n.eth.BalanceAt(ctx, n.me, nil)
	if err != nil {
		s.Problems = append(s.Problems, fmt.Sprintf("the chain's endpoint does not answer: %v", err))
		return nil
	}
	if s.Gas, err = protocol.AmountOf(gas); err != nil {
		return err
	}
	if s.Tokens, err = n.chain.TokenBalance(ctx, n.me); err != nil {
		return err
	}
	s.Deposit, err = n.chain.Available(ctx, n.me)
	return err
}

// parseCID reads a CID that a caller named.
func parseCID(what, s string) (cid.Cid, error) {
	c, err := cid.Decode(s)
	if err != nil {
		return cid.Undef, fmt.Errorf("%w: %s %q is no CID: %w", api.ErrBadRequest, what, s, err)
	}
	return c, nil
}

// text is a CID for people, empty for none.
func text(c cid.Cid) string {
	if !c.Defined() {
		return ""
	}
	return c.String()
}
