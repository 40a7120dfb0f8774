package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"tally/node/api"
)

func (t *tool) datanetCommand() *cobra.Command {
	c := &cobra.Command{Use: "datanet", Short: "Publish collections of data and read them"}
	var in api.CreateDatanet
	create := &cobra.Command{
		Use: "create NAME", Short: "Create an empty datanet; its CID is its identity", Args: oneArg("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Name = args[0]
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Datanet, error) {
				return api.Post[api.Datanet](ctx, c, "/v0/datanets", in)
			}, sayDatanet)
		},
	}
	create.Flags().StringVar(&in.Licence, "licence", "", "SPDX id, or the CID of a licence's text (required)")
	create.Flags().StringVar(&in.Schema, "schema", "text", "format of the records")

	add := &cobra.Command{
		Use: "add CID FILE", Short: "Contribute a UTF-8 text file ('-' reads standard input); byte 0x1E separates records",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("give the datanet's CID and a file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			src := io.Reader(os.Stdin)
			if args[1] != "-" {
				f, err := os.Open(args[1])
				if err != nil {
					return err
				}
				defer f.Close()
				src = f
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Datanet, error) {
				return api.Upload[api.Datanet](ctx, c, "/v0/datanets/"+url.PathEscape(args[0])+"/shards", nil, src)
			}, sayDatanet)
		},
	}
	var head bool
	show := &cobra.Command{
		Use: "show CID", Short: "Show a version of a datanet, with its shards", Args: oneArg("datanet's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := url.Values{}
			if head {
				q.Set("head", "1")
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Datanet, error) {
				return api.Get[api.Datanet](ctx, c, "/v0/datanets/"+url.PathEscape(args[0]), q)
			}, sayDatanet)
		},
	}
	show.Flags().BoolVar(&head, "head", false, "ask its owner for the newest version")

	var pin api.PinShard
	pinc := &cobra.Command{
		Use: "pin CID SHARD", Short: "Open a pin job: pay others to keep a shard that this node holds",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("give the datanet version's CID and the shard's root")
			}
			return nil
		},
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
	pinc.Flags().Uint64Var(&pin.Replicas, "replicas", 2, "how many others are to keep it")
	pinc.Flags().Uint64Var(&pin.Seconds, "seconds", 3600, "for how long")
	c.AddCommand(create, add, show, pinc)
	return c
}

func sayDatanet(w io.Writer, d api.Datanet) {
	fmt.Fprintf(w, "%s, version %d\ncid      %s\ndatanet  %s\nlicence  %s\nschema   %s\nowner    %s\n", d.Name, d.Version, d.CID, d.Origin, d.Licence, d.Schema, d.Owner)
	for _, s := range d.Shards {
		fmt.Fprintf(w, "shard    %s  %d bytes, %d records, by %s\n", s.Root, s.Bytes, s.Records, s.Contributor)
	}
}
