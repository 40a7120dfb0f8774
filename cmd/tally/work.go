package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sort"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"tally/node/api"
)

func (t *tool) receiptCommand() *cobra.Command {
	c := &cobra.Command{Use: "receipt", Short: "The work done and paid for"}
	ls := &cobra.Command{
		Use: "ls", Short: "List the receipts that this node knows, with the reason each ended in", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) ([]api.Receipt, error) {
				return api.Get[[]api.Receipt](ctx, c, "/v0/receipts", nil)
			}, func(w io.Writer, rs []api.Receipt) {
				for _, r := range rs {
					reason := r.Reason
					if reason == "" {
						reason = "its epoch is not settled yet"
					}
					fmt.Fprintf(w, "%s  %-5s  epoch %d  %s  %s\n", r.CID, r.Kind, r.Epoch, tokens(r.Value), reason)
				}
			})
		},
	}
	show := &cobra.Command{
		Use: "show CID", Short: "Show one receipt", Args: oneArg("receipt's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Receipt, error) {
				return api.Get[api.Receipt](ctx, c, "/v0/receipts/"+url.PathEscape(args[0]), nil)
			}, sayReceipt)
		},
	}
	verify := &cobra.Command{
		Use: "verify CID", Short: "Check a receipt's signatures, its offer and, where this node can, the work itself", Args: oneArg("receipt's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return judge(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Verification, error) {
				return api.Post[api.Verification](ctx, c, "/v0/receipts/"+url.PathEscape(args[0])+"/verify", nil)
			}, func(w io.Writer, v api.Verification) {
				for _, s := range v.Checks {
					fmt.Fprintln(w, "ok      ", s)
				}
				if !v.Valid {
					fmt.Fprintln(w, "WRONG   ", v.Problem)
				}
			}, func(v api.Verification) bool { return v.Valid })
		},
	}
	var to string
	disclose := &cobra.Command{
		Use: "disclose CID", Short: "Show an account the question and answer behind a receipt that this node paid for", Args: oneArg("receipt's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return errors.New("name the account that may see it with --to 0x…")
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Receipt, error) {
				return api.Post[api.Receipt](ctx, c, "/v0/receipts/"+url.PathEscape(args[0])+"/disclose?to="+url.QueryEscape(to), nil)
			}, func(w io.Writer, r api.Receipt) {
				fmt.Fprintf(w, "%s may now verify it: tally receipt verify %s\n", to, r.Envelope)
			})
		},
	}
	disclose.Flags().StringVar(&to, "to", "", "the account (required)")
	c.AddCommand(ls, show, verify, disclose)
	return c
}

func sayReceipt(w io.Writer, r api.Receipt) {
	fmt.Fprintf(w, "%s receipt %s\noffer    %s\nworker   %s\npayer    %s\nepoch    %d, number %d on its channel, rank %d\nunits    %d in, %d out\nvalue    %s\n",
		r.Kind, r.CID, r.Offer, r.Worker, r.Payer, r.Epoch, r.Seq, r.Rank, r.UnitsIn, r.UnitsOut, tokens(r.Value))
	if r.Reason != "" {
		fmt.Fprintf(w, "reason   %s: %s\n", r.Reason, r.Why)
	}
	if p := r.Progress; p != nil {
		fmt.Fprintf(w, "proved   %d of %d seconds: %s shared out, %s returned, %s emitted\n", p.Proved, p.Promised, tokens(p.Split), tokens(p.Returned), tokens(p.Emission))
	}
}

func (t *tool) rewardsCommand() *cobra.Command {
	var account string
	c := &cobra.Command{
		Use: "rewards", Short: "What was earned, and why not more", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Rewards, error) {
				return api.Get[api.Rewards](ctx, c, "/v0/rewards", url.Values{"account": {account}})
			}, func(w io.Writer, r api.Rewards) {
				fmt.Fprintf(w, "account    %s\nearned     %s\nclaimed    %s\nclaimable  %s\n", r.Account, tokens(r.Earned), tokens(r.Claimed), tokens(r.Claimable))
				for _, x := range r.Roles {
					fmt.Fprintf(w, "  as %-12s %s\n", x.Role, tokens(x.Amount))
				}
				sayReasons(w, r.Reasons)
				for _, n := range r.Notes {
					fmt.Fprintln(w, "note      ", n)
				}
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "another account than the node's")
	return c
}

func sayReasons(w io.Writer, by map[string]uint64) {
	names := make([]string, 0, len(by))
	for n := range by {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(w, "receipts   %d %s\n", by[n], n)
	}
}

func (t *tool) claimCommand() *cobra.Command {
	var account string
	c := &cobra.Command{
		Use: "claim", Short: "Have the chain pay what is claimable to the payout address", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) ([]api.Claim, error) {
				return api.Post[[]api.Claim](ctx, c, "/v0/claim?account="+url.QueryEscape(account), nil)
			}, func(w io.Writer, cs []api.Claim) {
				if len(cs) == 0 {
					fmt.Fprintln(w, "nothing is claimable now; 'tally rewards' says why")
				}
				for _, x := range cs {
					fmt.Fprintf(w, "%s to %s as %s, transaction %s\n", tokens(x.Amount), x.Account, x.Role, x.Tx)
				}
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "claim for another account; the money goes to its payout address")
	return c
}

func (t *tool) withdrawCommand() *cobra.Command {
	return &cobra.Command{
		Use: "withdraw [AMOUNT]", Short: "Take what no job holds out of the vault; AMOUNT is in the smallest unit, all of it by default", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			amount := ""
			if len(args) == 1 {
				amount = args[0]
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Withdrawal, error) {
				return api.Post[api.Withdrawal](ctx, c, "/v0/withdraw?amount="+url.QueryEscape(amount), nil)
			}, func(w io.Writer, x api.Withdrawal) {
				fmt.Fprintf(w, "%s in transaction %s\n", tokens(x.Amount), x.Tx)
			})
		},
	}
}

func (t *tool) auditCommand() *cobra.Command {
	c := &cobra.Command{Use: "audit", Short: "Derive public results again"}
	epoch := &cobra.Command{
		Use: "epoch N", Short: "Derive an epoch's rewards root from the chain and the pinned data, and compare", Args: oneArg("epoch's number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return judge(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Audit, error) {
				return api.Post[api.Audit](ctx, c, "/v0/epochs/"+url.PathEscape(args[0])+"/audit", nil)
			}, func(w io.Writer, a api.Audit) {
				fmt.Fprintf(w, "epoch     %d, anchored in %s\nanchored  %s\nderived   %s\nresult    %s\n", a.Epoch, a.Tx, a.Root, a.Derived, a.Equal)
				sayReasons(w, a.ByReason)
				sayChecked(w, a.Retrievals)
				fmt.Fprintf(w, "sums over reasons equal what was committed: %v\nwhat is claimable equals the ledger: %v\n", a.Invariants.ReasonsSum, a.Invariants.LedgerEqualsClaimable)
			}, func(a api.Audit) bool {
				return a.Equal == "equal" && a.Invariants.ReasonsSum && a.Invariants.LedgerEqualsClaimable
			})
		},
	}
	checks := &cobra.Command{
		Use: "checks", Short: "List the checks of kept shards that this node made or was told of, of late", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) ([]api.Retrieval, error) {
				return api.Get[[]api.Retrieval](ctx, c, "/v0/retrievals", nil)
			}, sayRetrievals)
		},
	}
	c.AddCommand(epoch, checks)
	return c
}

func sayRetrievals(w io.Writer, rs []api.Retrieval) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "epoch\tauditor\tnode\tpiece\tleaf\toutcome\tafter\t")
	for _, r := range rs {
		fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%d\t%s\t%d ms\n", r.Epoch, r.Auditor, r.Node, r.Piece, r.Leaf, r.Outcome, r.Millis)
	}
	_ = tw.Flush()
}

// sayChecked tells how many checks of kept shards an epoch's data has, by outcome.
func sayChecked(w io.Writer, rs []api.Retrieval) {
	by := map[string]int{}
	for _, r := range rs {
		by[r.Outcome]++
	}
	fmt.Fprintf(w, "checks of kept shards: %d good, %d silent, %d wrong\n", by["good"], by["silent"], by["wrong"])
}
