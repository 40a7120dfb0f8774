package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tally/node/api"
)

func (t *tool) recipientCommand() *cobra.Command {
	return &cobra.Command{
		Use: "recipient", Short: "Show the age recipient to which owners of private datanets grant this node access", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Recipient, error) {
				return api.Get[api.Recipient](ctx, c, "/v0/recipient", nil)
			}, func(w io.Writer, r api.Recipient) { fmt.Fprintln(w, r.Recipient) })
		},
	}
}

func (t *tool) grantCommand() *cobra.Command {
	var to, out string
	c := &cobra.Command{
		Use: "grant CID --to READER", Short: "Let a reader open a private datanet", Args: oneArg("datanet's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return errors.New("name the reader with --to: a node's account, or an age recipient")
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Grant, error) {
				g, err := api.Post[api.Grant](ctx, c, datanetPath(args[0], "grants"), api.To{To: to})
				if err == nil && out != "" {
					err = os.WriteFile(out, g.Envelope, 0o644)
				}
				return g, err
			}, func(w io.Writer, g api.Grant) {
				sayGrant(w, g)
				switch {
				case out != "":
					fmt.Fprintf(w, "written to %s: the reader takes it with 'tally datanet accept'\n", out)
				case g.Account == "":
					fmt.Fprintln(w, "nobody fetches it: hand it over with --out FILE")
				}
			})
		},
	}
	c.Flags().StringVar(&to, "to", "", "account of a node, which fetches the grant itself, or an age recipient")
	c.Flags().StringVar(&out, "out", "", "file to write the grant to, to be handed over; it opens nothing for anybody else")
	return c
}

func (t *tool) grantsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "grants CID", Short: "List who was granted a private datanet of ours", Args: oneArg("datanet's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) ([]api.Grant, error) {
				return api.Get[[]api.Grant](ctx, c, datanetPath(args[0], "grants"), nil)
			}, func(w io.Writer, list []api.Grant) {
				for _, g := range list {
					sayGrant(w, g)
				}
			})
		},
	}
}

func (t *tool) revokeCommand() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use: "revoke CID --to READER", Short: "Seal what is added from now on to a new key, that the reader does not get", Args: oneArg("datanet's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return errors.New("name the reader with --to: as it was granted")
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Revoked, error) {
				return api.Post[api.Revoked](ctx, c, datanetPath(args[0], "revoke"), api.To{To: to})
			}, func(w io.Writer, r api.Revoked) {
				fmt.Fprintf(w, "version %d, %s, seals to a new key; what the reader could open before stays open to it\n", r.Datanet.Version, r.Datanet.CID)
				for _, g := range r.Again {
					fmt.Fprintf(w, "hand a new grant to %s\n", g.Recipient)
				}
			})
		},
	}
	c.Flags().StringVar(&to, "to", "", "account or age recipient that was granted")
	return c
}

func (t *tool) acceptCommand() *cobra.Command {
	return &cobra.Command{
		Use: "accept FILE", Short: "Take a grant that was handed over", Args: oneArg("grant's file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Grant, error) {
				return api.Upload[api.Grant](ctx, c, "/v0/grants", nil, bytes.NewReader(b))
			}, sayGrant)
		},
	}
}

func sayGrant(w io.Writer, g api.Grant) {
	to := g.Recipient
	if g.Account != "" {
		to = g.Account + " (" + g.Recipient + ")"
	}
	fmt.Fprintf(w, "granted  %s to %s\n", g.Datanet, to)
}
