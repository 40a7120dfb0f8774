package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tally/node"
	"tally/node/api"
	"tally/node/home"
)

func (t *tool) storageCommand() *cobra.Command {
	c := &cobra.Command{Use: "storage", Short: "What the node keeps, how much room it takes and what it proves of it"}
	status := &cobra.Command{
		Use: "status", Short: "Show room, shards wanted and kept, proofs, and what was found damaged", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.StorageStatus, error) {
				return api.Get[api.StorageStatus](ctx, c, "/v0/storage", nil)
			}, sayStorageStatus)
		},
	}
	verify := &cobra.Command{
		Use: "verify [SHARD...]", Short: "Read shards, or all that are pinned, and check every block; what is damaged is healed from other nodes",
		RunE: func(cmd *cobra.Command, args []string) error {
			return judge(cmd.Context(), t, func(ctx context.Context, c *api.Client) ([]api.ShardCheck, error) {
				return verifyShards(ctx, c, args)
			}, sayShardChecks, func(cs []api.ShardCheck) bool {
				return !slices.ContainsFunc(cs, func(c api.ShardCheck) bool { return !c.Sound })
			})
		},
	}
	publish := &cobra.Command{
		Use: "publish SHARD...", Short: "Show shards to all again of which it was lost whether they are private", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return each(t, args, func(c *api.Client, root string) (api.PublishedShard, error) {
				return api.Post[api.PublishedShard](cmd.Context(), c, "/v0/storage/"+url.PathEscape(root)+"/publish", nil)
			}, sayPublished)
		},
	}
	force := false
	unpin := &cobra.Command{
		Use: "unpin SHARD...", Short: "Give up shards to have their room back; what a datanet that is followed wants is left alone", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return each(t, args, func(c *api.Client, root string) (api.Unpinned, error) {
				return api.Post[api.Unpinned](cmd.Context(), c, "/v0/storage/"+url.PathEscape(root)+"/unpin", api.Unpin{Force: force})
			}, sayUnpinned)
		},
	}
	unpin.Flags().BoolVar(&force, "force", false, "though a promise to a payer is broken, or no other node is known to have the shard")
	start := &cobra.Command{
		Use: "init", Short: "Make an empty store in place of one whose disk is lost, or take over the one that is there; the node must not run", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := home.Open(t.data)
			if err != nil {
				return err
			}
			shards, err := node.InitStorage(h)
			if err != nil {
				return err
			}
			return t.answer(map[string]any{"storage": h.Path("storage"), "shards": shards}, func(w io.Writer) {
				what := "made an empty store"
				if shards > 0 {
					what = fmt.Sprintf("took over a store of %d shards", shards)
				}
				fmt.Fprintf(w, "%s in %s: what else the node promised to keep is fetched again\n", what, h.Path("storage"))
			})
		},
	}
	c.AddCommand(status, verify, unpin, publish, start)
	return c
}

// verifyShards checks the shards named, or all that are pinned. A document, such as a
// manifest, is no shard; what cannot be checked is not sound, and says why.
func verifyShards(ctx context.Context, c *api.Client, roots []string) ([]api.ShardCheck, error) {
	out := []api.ShardCheck{}
	all := len(roots) == 0
	if all {
		s, err := api.Get[api.StorageStatus](ctx, c, "/v0/storage", nil)
		if err != nil {
			return nil, err
		}
		for _, p := range s.Pinned {
			switch {
			case p.Shard:
				roots = append(roots, p.Root)
			case p.State == "lost":
				out = append(out, api.ShardCheck{Root: p.Root, Why: "it is pinned and not here: " + strings.Join(p.Why, ", ")})
			}
		}
	}
	for _, r := range roots {
		v, err := api.Post[api.ShardCheck](ctx, c, "/v0/storage/"+url.PathEscape(r)+"/verify", nil)
		if err != nil {
			if !all || ctx.Err() != nil {
				return nil, err
			}
			v = api.ShardCheck{Root: r, Why: err.Error()}
		}
		out = append(out, v)
	}
	return out, nil
}

// each does something with every shard named, tells what was done, and ends with the
// errors of those with which it was not.
func each[T any](t *tool, roots []string, do func(c *api.Client, root string) (T, error), say func(io.Writer, []T)) error {
	c, err := t.client()
	if err != nil {
		return err
	}
	done := []T{}
	var failed []error
	for _, r := range roots {
		v, err := do(c, r)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		done = append(done, v)
	}
	if len(done) > 0 || len(failed) == 0 {
		failed = append(failed, t.answer(done, func(w io.Writer) { say(w, done) }))
	}
	return errors.Join(failed...)
}

func sayUnpinned(w io.Writer, us []api.Unpinned) {
	for _, u := range us {
		if u.Gone {
			fmt.Fprintf(w, "gone     %s: %s are free\n", u.Root, mib(u.Bytes))
		} else {
			fmt.Fprintf(w, "leaving  %s, %s: %s\n", u.Root, mib(u.Bytes), u.Why)
		}
	}
}

func sayPublished(w io.Writer, ps []api.PublishedShard) {
	for _, p := range ps {
		fmt.Fprintf(w, "public   %s\n", p.Root)
	}
}

func sayShardChecks(w io.Writer, cs []api.ShardCheck) {
	for _, c := range cs {
		if c.Sound {
			fmt.Fprintf(w, "sound    %s\n", c.Root)
		} else {
			fmt.Fprintf(w, "damaged  %s: %s\n", c.Root, c.Why)
		}
	}
}

func sayStorageStatus(w io.Writer, s api.StorageStatus) {
	quota := "no quota"
	if s.Quota > 0 {
		quota = "of " + mib(s.Quota)
	}
	fmt.Fprintf(w, "store    %s\nused     %s %s, %s reserved; %s free on the disk, %s of it left alone\nshards   %d\n",
		s.ID, mib(s.Used), quota, mib(s.Reserved), mib(s.Free), mib(s.Floor), s.Shards)
	fmt.Fprintf(w, "scrub    pass %d, %d shards and %s read; %d found damaged, %d healed; last pass ended %s\n",
		s.Scrub.Pass, s.Scrub.Shards, mib(s.Scrub.Bytes), s.Scrub.Bad, s.Scrub.Healed, when(s.Scrub.LastPass))
	if p := s.Proofs; p != nil {
		state := "not proved yet"
		switch {
		case p.Leaves == 0:
			state = "nothing to prove"
		case p.Proved:
			state = "proved"
		}
		fmt.Fprintf(w, "proofs   period %d: %s, until block %d (now %d); %d leaves, %d periods missed in a row\n", p.Period, state, p.Deadline, p.Block, p.Leaves, p.Missed)
		if p.Suspended {
			fmt.Fprintln(w, "         suspended: the next proof ends that")
		}
		for _, m := range p.Reasons {
			fmt.Fprintf(w, "missed   period %d: %s\n", m.Period, m.Reason)
		}
	}
	if len(s.Pieces) > 0 {
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "shard\tsize\tstate\tholders\twanted by\t")
		for _, p := range s.Pieces {
			holders := fmt.Sprintf("%d of %d", p.Holders, p.Target)
			if p.Until > 0 { // a promise is kept however many others do
				holders, p.Why = fmt.Sprint(p.Holders), fmt.Sprintf("%s, kept until %s", p.Why, when(int64(min(p.Until, 1<<40))))
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Root, mib(p.Bytes), p.State, holders, p.Why, p.Reason)
		}
		_ = tw.Flush()
	}
	for _, d := range s.Damage {
		fmt.Fprintf(w, "damage   %s, found %s, healed %s: %s\n", d.Root, when(d.Found), when(d.Healed), d.Why)
	}
	for _, p := range s.Problems {
		fmt.Fprintln(w, "problem ", p)
	}
}

func mib(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func when(unix int64) string {
	if unix == 0 {
		return "never"
	}
	return time.Unix(unix, 0).UTC().Format(time.DateTime)
}
