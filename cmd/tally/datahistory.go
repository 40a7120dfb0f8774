package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tally/node/api"
)

func (t *tool) logDatanetCommand() *cobra.Command {
	var head bool
	c := &cobra.Command{
		Use: "log CID", Short: "List the versions of a datanet up to the one given, newest first", Args: oneArg("datanet's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) ([]api.Datanet, error) {
				at, err := newest(ctx, c, args[0], head)
				if err != nil {
					return nil, err
				}
				return api.Get[[]api.Datanet](ctx, c, datanetPath(at, "log"), nil)
			}, func(w io.Writer, list []api.Datanet) {
				for _, d := range list {
					when := time.Unix(int64(d.Created), 0).UTC().Format(time.DateTime)
					fmt.Fprintf(w, "%4d  %s  %s  %s\n", d.Version, d.CID, when, offered(d))
				}
				if len(list) == 1 {
					sayFirst(w, list[0], head)
				}
			})
		},
	}
	c.Flags().BoolVar(&head, "head", false, askHead)
	return c
}

func (t *tool) diffDatanetCommand() *cobra.Command {
	return &cobra.Command{
		Use: "diff CID CID", Short: "Show what changed between two versions of a datanet", Args: twoArgs("the CIDs of two versions"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.DatanetDiff, error) {
				return api.Get[api.DatanetDiff](ctx, c, datanetPath(args[0], "diff"), url.Values{"to": {args[1]}})
			}, sayDiff)
		},
	}
}

func sayDiff(w io.Writer, d api.DatanetDiff) {
	fmt.Fprintf(w, "%s, version %d to %d\n", d.To.Name, d.From.Version, d.To.Version)
	for i, list := range [][]api.Shard{d.Added, d.Withdrawn, d.Taken} {
		for _, s := range list {
			sayShard(w, "+-~"[i:i+1], s)
		}
	}
	fmt.Fprintf(w, "records  %+d\nbytes    %+d\n", d.Records, d.Bytes)
	for _, a := range d.Contributors {
		fmt.Fprintf(w, "new contributor %s\n", a)
	}
	if d.From.Replicas != d.To.Replicas {
		fmt.Fprintf(w, "replicas %d, were %d\n", d.To.Replicas, d.From.Replicas)
	}
	if d.From.Reader != d.To.Reader {
		fmt.Fprintf(w, "reader   %s, was %s\n", d.To.Reader, d.From.Reader)
	}
}

func (t *tool) verifyDatanetCommand() *cobra.Command {
	var fetch, head bool
	c := &cobra.Command{
		Use: "verify CID", Short: "Check a datanet: its history, commitments on the chain, and the shards that are here", Args: oneArg("datanet's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return judge(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.DatanetCheck, error) {
				at, err := newest(ctx, c, args[0], head)
				if err != nil {
					return api.DatanetCheck{}, err
				}
				path := datanetPath(at, "verify")
				if fetch {
					path += "?fetch=1"
				}
				return api.Post[api.DatanetCheck](ctx, c, path, struct{}{})
			}, func(w io.Writer, k api.DatanetCheck) {
				sayHead(w, k.Datanet)
				sayChecks(w, k.Checks, k.Undone, k.Valid, strings.Join(k.Problems, "\n         "))
				sayFirst(w, k.Datanet, head)
			}, func(k api.DatanetCheck) bool { return k.Valid })
		},
	}
	c.Flags().BoolVar(&fetch, "fetch", false, "fetch the shards that are not here")
	c.Flags().BoolVar(&head, "head", false, askHead)
	return c
}

// exported is what an export wrote.
type exported struct {
	Dir    string   `json:"dir"`
	Files  []string `json:"files"`
	Bytes  int64    `json:"bytes"`
	Shards int      `json:"shards"`
}

func (t *tool) exportDatanetCommand() *cobra.Command {
	var as, shard string
	var head bool
	c := &cobra.Command{
		Use: "export CID DIR", Short: "Write a version's data to a directory, with its manifest and licence", Args: twoArgs("the version's CID and a directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (exported, error) {
				at, err := newest(ctx, c, args[0], head)
				if err != nil {
					return exported{}, err
				}
				return exportDatanet(ctx, c, at, args[1], as, shard)
			}, func(w io.Writer, e exported) {
				fmt.Fprintf(w, "%s in %s: %s\n", count(uint64(e.Shards), "shard"), e.Dir, size(uint64(e.Bytes)))
			})
		},
	}
	c.Flags().StringVar(&as, "as", "file", "file, as contributed; text, records separated by 0x1E; or car, as kept and pinned")
	c.Flags().StringVar(&shard, "shard", "", "root of the one shard to export; a withdrawn one too")
	c.Flags().BoolVar(&head, "head", false, askHead)
	return c
}

func exportDatanet(ctx context.Context, c *api.Client, cid, dir, as, shard string) (out exported, err error) {
	d, err := api.Get[api.Datanet](ctx, c, datanetPath(cid), nil)
	if err != nil {
		return out, err
	}
	listed := func(s api.Shard) bool { return shard == "" && !s.Withdrawn || shard != "" && s.Root == shard }
	if !slices.ContainsFunc(d.Shards, listed) {
		what := "offers no shard"
		if shard != "" {
			what = "lists no shard " + shard
		}
		return out, fmt.Errorf("version %d of %s %s: --head exports of the newest", d.Version, d.Name, what)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return out, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	out.Dir = dir
	ext := map[string]string{"text": "txt", "jsonl": "jsonl", "csv": "csv", "parquet": "parquet"}[d.Schema]
	switch {
	case as == "text":
		ext = "txt"
	case as == "car":
		ext = "car"
	case ext == "":
		ext = "data"
	}
	for i, s := range d.Shards {
		if !listed(s) {
			continue
		}
		r, err := c.Download(ctx, datanetPath(cid, "shards", s.Root), url.Values{"as": {as}})
		if err != nil {
			return out, fmt.Errorf("shard %s: %w", s.Root, err)
		}
		name := fmt.Sprintf("%04d-%s.%s", i, s.Root, ext)
		n, err := writeWhole(root, name, r)
		if err := errors.Join(err, r.Close()); err != nil {
			return out, fmt.Errorf("shard %s: %w", s.Root, err)
		}
		out.Files, out.Bytes, out.Shards = append(out.Files, name), out.Bytes+n, out.Shards+1
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return out, err
	}
	for name, text := range map[string]string{"manifest.json": string(b) + "\n", "LICENCE": licenceNote(d.Licence)} {
		if _, err := writeWhole(root, name, strings.NewReader(text)); err != nil {
			return out, err
		}
		out.Files = append(out.Files, name)
	}
	return out, nil
}

// writeWhole writes a file that is there whole or not at all, and overwrites none.
func writeWhole(root *os.Root, name string, r io.Reader) (int64, error) {
	if _, err := root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return 0, errors.Join(err, fmt.Errorf("%s is there already: choose an empty directory", name))
	}
	f, err := root.Create(name + ".part")
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(f, r)
	if err := errors.Join(err, f.Close()); err != nil {
		return n, errors.Join(err, root.Remove(name+".part"))
	}
	return n, root.Rename(name+".part", name)
}

// licenceNote says under which licence exported data is.
func licenceNote(licence string) string {
	if strings.HasPrefix(licence, "bafy") || strings.HasPrefix(licence, "bafk") || strings.HasPrefix(licence, "Qm") {
		return "The licence's text is at ipfs://" + licence + "\n"
	}
	return "SPDX-License-Identifier: " + licence + "\n\nThe texts are at https://spdx.org/licenses\n"
}
