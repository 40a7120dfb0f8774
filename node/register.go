package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/node/home"
	"tally/node/join"
)

const (
	registerEvery = 500 * time.Millisecond
	registerCheck = 30 * time.Second // once all is well
)

// register keeps the node's entry on the chain as its configuration says, and
// says what keeps it from that.
func (n *Node) register(ctx context.Context) error {
	n.problems.set("the chain has not been read yet")
	for {
		wait := registerCheck
		if why := n.entry(ctx); why != "" {
			n.problems.set(why)
			wait = registerEvery
		} else {
			n.problems.set()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// entry makes the entry right. It returns, in plain words, what is in the way.
func (n *Node) entry(ctx context.Context) string {
	if head, _ := n.view.Head(); head == 0 {
		return "the chain has not been read yet"
	}
	gas, err := n.eth.BalanceAt(ctx, n.me, nil)
	if err != nil {
		return fmt.Sprintf("the chain's endpoint does not answer: %v", err)
	}
	if gas.Sign() == 0 {
		return fmt.Sprintf("no gas money: send some of the chain's coin to %s", n.me)
	}
	if err := n.registerNow(ctx); err != nil {
		n.log.Warn("registration failed, it will be tried again", "err", err)
		return fmt.Sprintf("not registered: %v", err)
	}
	if n.home.Config.Has(home.Poster) {
		bond, err := n.chain.Bond(ctx, n.me)
		if err == nil && bond.Cmp(n.book.Params.Bond) < 0 {
			err = join.Await(ctx, n.chain)(n.chain.PostBond(ctx))
		}
		if err != nil {
			n.log.Warn("poster's bond failed, it will be tried again", "err", err)
			return fmt.Sprintf("no poster's bond of %s: %v", n.book.Params.Bond, err)
		}
	}
	return ""
}

func (n *Node) registerNow(ctx context.Context) error {
	have, ok, err := n.chain.Node(ctx, n.me)
	if err != nil {
		return err
	}
	classes := []string{}
	for _, r := range n.home.Config.Roles {
		classes = append(classes, r.Class(n.engine.Class()))
	}
	payout := n.home.Config.Payout
	if payout == (common.Address{}) {
		payout = n.me
	}
	await := join.Await(ctx, n.chain)
	switch {
	case !ok:
		return await(n.chain.Register(ctx, crypto.CompressPubkey(&n.home.Key.PublicKey), payout, classes))
	case !slices.Equal(have.Classes, classes):
		return await(n.chain.SetClasses(ctx, classes))
	case have.Payout != payout:
		return await(n.chain.SetPayout(ctx, payout))
	}
	return nil
}
