package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tally/node/api"
)

func (t *tool) datanetCommand() *cobra.Command {
	c := &cobra.Command{Use: "datanet", Short: "Publish collections of data and read them"}
	c.AddCommand(t.createDatanetCommand(), t.addDataCommand(), t.showDatanetCommand(), t.listDatanetsCommand(), t.setDatanetCommand(),
		t.withdrawShardCommand(), t.followCommand(), t.pinShardCommand(), t.logDatanetCommand(), t.diffDatanetCommand(), t.verifyDatanetCommand(),
		t.exportDatanetCommand(), t.recipientCommand(), t.grantCommand(), t.grantsCommand(), t.revokeCommand(), t.acceptCommand())
	return c
}

func datanetPath(cid string, more ...string) string {
	p := "/v0/datanets/" + url.PathEscape(cid)
	for _, m := range more {
		p += "/" + url.PathEscape(m)
	}
	return p
}

// askHead is what --head does.
const askHead = "ask its owner for the newest version"

// newest is the newest version's CID if head says so, else the one given.
func newest(ctx context.Context, c *api.Client, cid string, head bool) (string, error) {
	if !head {
		return cid, nil
	}
	d, err := api.Get[api.Datanet](ctx, c, datanetPath(cid), url.Values{"head": {"1"}})
	return d.CID, err
}

// twoArgs wants exactly two arguments.
func twoArgs(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 2 {
			return errors.New("give " + what)
		}
		return nil
	}
}

func (t *tool) createDatanetCommand() *cobra.Command {
	var in api.CreateDatanet
	c := &cobra.Command{
		Use: "create NAME", Short: "Create an empty datanet; its CID is its identity", Args: oneArg("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Name = args[0]
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Datanet, error) {
				return api.Post[api.Datanet](ctx, c, "/v0/datanets", in)
			}, sayDatanet)
		},
	}
	f := c.Flags()
	f.StringVar(&in.Licence, "licence", "", "SPDX expression such as CC-BY-4.0, or the CID of a licence's text (required)")
	f.StringVar(&in.Schema, "schema", "text", "format of the data: text, jsonl, csv or parquet")
	f.StringVar(&in.Field, "field", "", "member or column that holds a record's text (required but for text)")
	f.Uint16Var(&in.Replicas, "replicas", 0, "how many nodes should keep and prove each shard")
	f.BoolVar(&in.Private, "private", false, "encrypt every shard to those who are granted the datanet")
	return c
}

func (t *tool) addDataCommand() *cobra.Command {
	var how api.AddToDatanet
	c := &cobra.Command{
		Use: "add CID FILE", Short: "Contribute a file ('-' reads standard input); in text, byte 0x1E separates records",
		Args: twoArgs("the datanet's CID and a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			src := io.Reader(os.Stdin)
			if args[1] != "-" {
				f, err := os.Open(args[1])
				if err != nil {
					return err
				}
				defer f.Close()
				if info, err := f.Stat(); err == nil && info.IsDir() {
					return fmt.Errorf("%s is a directory: add its files one by one", args[1])
				}
				src = f
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Datanet, error) {
				return api.Upload[api.Datanet](ctx, c, datanetPath(args[0], "shards"), how.Query(), src)
			}, sayAdded)
		},
	}
	f := c.Flags()
	f.BoolVar(&how.Accept, "accept-duplicates", false, "add it although much of it stands in others' shards")
	f.BoolVar(&how.CAR, "car", false, "the file is a shard's CAR file, as export --as car writes it")
	f.Uint64Var(&how.ShardSize, "shard-size", 0, "most bytes of data in one shard; 0 is as many as fit")
	return c
}

func (t *tool) showDatanetCommand() *cobra.Command {
	var how api.ShowDatanet
	c := &cobra.Command{
		Use: "show CID", Short: "Show a version of a datanet, with its shards", Args: oneArg("datanet's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := url.Values{}
			if how.Head {
				q.Set("head", "1")
			}
			if how.Preview {
				q.Set("preview", "1")
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Datanet, error) {
				return api.Get[api.Datanet](ctx, c, datanetPath(args[0]), q)
			}, func(w io.Writer, d api.Datanet) {
				sayDatanet(w, d)
				sayFirst(w, d, how.Head)
			})
		},
	}
	c.Flags().BoolVar(&how.Head, "head", false, askHead)
	c.Flags().BoolVar(&how.Preview, "preview", false, "with the first records of shards that are here")
	return c
}

func (t *tool) listDatanetsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the datanets that this node owns, follows or has seen", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) ([]api.Datanet, error) {
				return api.Get[[]api.Datanet](ctx, c, "/v0/datanets", nil)
			}, func(w io.Writer, list []api.Datanet) {
				for _, d := range list {
					mark := ""
					if d.Following {
						mark = ", followed"
					}
					if d.Problem != "" {
						fmt.Fprintf(w, "%s  cannot be read%s: %s\n", d.Origin, mark, d.Problem)
						continue
					}
					fmt.Fprintf(w, "%s  %s, version %d: %s, %s%s\n", d.Origin, d.Name, d.Version, offered(d), d.Licence, mark)
				}
				if len(list) == 0 {
					fmt.Fprintln(w, "none: make one with 'tally datanet create', or follow one")
				}
			})
		},
	}
}

func (t *tool) setDatanetCommand() *cobra.Command {
	var in api.ChangeDatanet
	c := &cobra.Command{
		Use: "set CID", Short: "Change how many nodes should keep and prove each shard", Args: oneArg("datanet's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("replicas") {
				return errors.New("say what to change: --replicas N")
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Datanet, error) {
				return api.Send[api.Datanet](ctx, c, http.MethodPatch, datanetPath(args[0]), in)
			}, sayDatanet)
		},
	}
	c.Flags().Uint16Var(&in.Replicas, "replicas", 0, "how many nodes should keep and prove each shard; 0 asks for none")
	return c
}

func (t *tool) withdrawShardCommand() *cobra.Command {
	return &cobra.Command{
		Use: "withdraw CID SHARD", Short: "Offer a shard no longer, from the next version on; for its contributor and the owner",
		Args: twoArgs("the datanet's CID and the shard's root"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Datanet, error) {
				return api.Send[api.Datanet](ctx, c, http.MethodDelete, datanetPath(args[0], "shards", args[1]), nil)
			}, sayDatanet)
		},
	}
}

func (t *tool) followCommand() *cobra.Command {
	var stop bool
	c := &cobra.Command{
		Use: "follow CID", Short: "Keep a datanet's newest version known here, and its shards wanted", Args: oneArg("datanet's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			method := http.MethodPut
			if stop {
				method = http.MethodDelete
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Datanet, error) {
				return api.Send[api.Datanet](ctx, c, method, datanetPath(args[0], "follow"), nil)
			}, func(w io.Writer, d api.Datanet) {
				if stop {
					fmt.Fprintf(w, "%s is followed no longer; what is kept stays until it is unpinned\n", d.Name)
					return
				}
				fmt.Fprintf(w, "%s is followed: %s, %d nodes wanted for each\n", d.Name, offered(d), d.Replicas)
			})
		},
	}
	c.Flags().BoolVar(&stop, "stop", false, "follow it no longer")
	return c
}

func (t *tool) pinShardCommand() *cobra.Command {
	var pin api.PinShard
	c := &cobra.Command{
		Use: "pin CID SHARD", Short: "Open a pin job: pay others to keep a shard that this node holds",
		Args: twoArgs("the datanet version's CID and the shard's root"),
		RunE: func(cmd *cobra.Command, args []string) error {
			pin.Datanet, pin.Shard = args[0], args[1]
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Pin, error) {
				return api.Post[api.Pin](ctx, c, "/v0/pins", pin)
			}, func(w io.Writer, p api.Pin) {
				fmt.Fprintf(w, "shard    %s\noffer    %s\n", p.Shard, p.Offer)
				for i, h := range p.Holders {
					fmt.Fprintf(w, "holder   %s (receipt %s)\n", h, p.Receipts[i])
				}
			})
		},
	}
	c.Flags().Uint64Var(&pin.Replicas, "replicas", 2, "how many others are to keep it")
	c.Flags().Uint64Var(&pin.Seconds, "seconds", 3600, "for how long")
	return c
}

// offered is what a version offers, in few words.
func offered(d api.Datanet) string {
	shards := 0
	for _, s := range d.Shards {
		if !s.Withdrawn {
			shards++
		}
	}
	return fmt.Sprintf("%s, %s, %s", count(uint64(shards), "shard"), count(d.Records, "record"), size(d.Bytes))
}

func sayDatanet(w io.Writer, d api.Datanet) {
	sayHead(w, d)
	for i, s := range d.Shards {
		sayShard(w, fmt.Sprintf("%4d", i), s)
	}
}

// sayFirst hints at the newest version where somebody looks at the first, whose CID is the datanet's.
func sayFirst(w io.Writer, d api.Datanet, head bool) {
	if d.Version == 0 && !head {
		fmt.Fprintln(w, "this is version 0, which lists nothing: --head asks for the newest")
	}
}

func sayHead(w io.Writer, d api.Datanet) {
	fmt.Fprintf(w, "%s, version %d: %s\n", d.Name, d.Version, offered(d))
	schema := d.Schema
	if d.Field != "" {
		schema += ", field " + d.Field
	}
	fmt.Fprintf(w, "cid      %s\ndatanet  %s\nlicence  %s\nschema   %s\nowner    %s\n", d.CID, d.Origin, d.Licence, schema, d.Owner)
	if d.Replicas > 0 {
		fmt.Fprintf(w, "replicas %d\n", d.Replicas)
	}
	if d.Reader != "" {
		fmt.Fprintf(w, "private  sealed to %s\n", d.Reader)
	}
}

func sayShard(w io.Writer, label string, s api.Shard) {
	var notes []string
	if s.Withdrawn {
		notes = append(notes, "withdrawn")
	}
	if s.Held {
		notes = append(notes, "here")
	}
	switch {
	case s.Holders == nil:
	case s.Replicas > 0:
		notes = append(notes, fmt.Sprintf("proved by %d of %s", *s.Holders, count(uint64(s.Replicas), "node")))
	default:
		notes = append(notes, "proved by "+count(uint64(*s.Holders), "node"))
	}
	note := ""
	if len(notes) > 0 {
		note = " (" + strings.Join(notes, ", ") + ")"
	}
	fmt.Fprintf(w, "%s  %s  %s, %s, by %s in block %d%s\n", label, s.Root, size(s.Bytes), count(s.Records, "record"), s.Contributor, s.Committed, note)
	for _, p := range s.Preview {
		fmt.Fprintf(w, "      | %s\n", p)
	}
}

func sayAdded(w io.Writer, d api.Datanet) {
	for _, s := range d.AddedAll {
		label := "added"
		if s.Again {
			label = "was there"
		}
		sayShard(w, label, s)
		for _, x := range s.Duplicates {
			fmt.Fprintf(w, "      ! %.0f %% of it stands in shard %s of %q (%s) since version %d, by %s in block %d\n",
				x.Overlap, x.Shard, x.Name, x.Datanet, x.Version, x.Contributor, x.Committed)
		}
	}
	sayHead(w, d)
}

// size writes bytes for people.
func size(n uint64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return count(n, "byte")
	}
	v, u := float64(n)/1024, 0
	for v >= 1024 {
		v, u = v/1024, u+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[u])
}

// count writes a number of things.
func count(n uint64, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
