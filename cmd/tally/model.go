package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tally/node/api"
)

func (t *tool) modelCommand() *cobra.Command {
	c := &cobra.Command{Use: "model", Short: "Train, show and export models"}
	var in api.Train
	var recipe string
	train := &cobra.Command{
		Use: "train", Short: "Open a training job on a datanet, follow it, and publish the model", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if in.Datanet == "" {
				return errors.New("name the datanet to train on with --datanet CID")
			}
			if in.Steps < 0 {
				return fmt.Errorf("--steps %d: write how many, or 0 for the preset's", in.Steps)
			}
			if recipe != "" {
				b, err := os.ReadFile(recipe)
				if err != nil {
					return err
				}
				in.Recipe = json.RawMessage(b)
			}
			return t.train(cmd.Context(), in)
		},
	}
	f := train.Flags()
	f.StringVar(&in.Datanet, "datanet", "", "CID of a datanet's version (required)")
	f.StringVar(&in.Preset, "preset", "tiny", "size and recipe: test, tiny, small or base")
	f.StringVar(&in.Name, "name", "", "the model's name; by default the datanet's with the preset's")
	f.IntVar(&in.Steps, "steps", 0, "training steps instead of the preset's")
	f.Uint64Var(&in.Seed, "seed", 0, "seed of the run")
	f.StringVar(&recipe, "recipe", "", "a file with a whole recipe, instead of preset, steps and seed")

	show := &cobra.Command{
		Use: "show [CID]", Short: "Show a model, or list those that the node knows", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) ([]api.Model, error) {
					return api.Get[[]api.Model](ctx, c, "/v0/models", nil)
				}, func(w io.Writer, ms []api.Model) {
					for _, m := range ms {
						fmt.Fprintf(w, "%s  %s, %d parameters\n", m.CID, m.Name, m.Params)
					}
				})
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Model, error) {
				return api.Get[api.Model](ctx, c, "/v0/models/"+url.PathEscape(args[0]), nil)
			}, sayModel)
		},
	}
	export := &cobra.Command{
		Use: "export CID DIR", Short: "Write a model as a Hugging Face directory",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("give the model's CID and a directory")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return t.export(cmd.Context(), args[0], args[1]) },
	}
	fetch := &cobra.Command{
		Use: "fetch CID", Short: "Fetch a model's files and keep them, so that this node can serve it", Args: oneArg("model's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Model, error) {
				return api.Post[api.Model](ctx, c, "/v0/models/"+url.PathEscape(args[0])+"/fetch", nil)
			}, sayModel)
		},
	}
	c.AddCommand(train, show, export, fetch)
	return c
}

func (t *tool) train(ctx context.Context, in api.Train) error {
	c, err := t.client()
	if err != nil {
		return err
	}
	bar := newBar(t.err, "training")
	for e, err := range c.Follow(ctx, "/v0/models/train", in) {
		if err != nil {
			bar.end()
			return err
		}
		if e.Model != nil {
			bar.end()
			return t.answer(*e.Model, func(w io.Writer) { sayModel(w, *e.Model) })
		}
		bar.event(e)
	}
	bar.end()
	return errors.New("the node stopped answering before the job was final; 'tally receipt ls' shows what was done")
}

func sayModel(w io.Writer, m api.Model) {
	fmt.Fprintf(w, "%s\ncid      %s\nfiles    %s\nowner    %s\nengine   %s\nparams   %d, hash %s\n", m.Name, m.CID, m.Files, m.Owner, m.Engine, m.Params, m.ParamHash)
	if m.Worker != "" {
		fmt.Fprintf(w, "worker   %s (receipt %s)\n", m.Worker, m.Receipt)
	}
	for _, s := range m.Contributors {
		fmt.Fprintf(w, "data by  %s, weight %d\n", s.Account, s.Weight)
	}
	if len(m.Figures) > 0 {
		fmt.Fprintf(w, "figures  %s\n", m.Figures)
	}
}

// export unpacks the node's archive of a model below dir, and nowhere else.
func (t *tool) export(ctx context.Context, cid, dir string) error {
	c, err := t.client()
	if err != nil {
		return err
	}
	r, err := c.Download(ctx, "/v0/models/"+url.PathEscape(cid)+"/files")
	if err != nil {
		return err
	}
	defer r.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	var names []string
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("the archive of %s is broken: %w", cid, err)
		}
		if d := filepath.Dir(h.Name); d != "." {
			if err := root.MkdirAll(d, 0o755); err != nil {
				return err
			}
		}
		f, err := root.OpenFile(h.Name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
		if err != nil {
			return err
		}
		if _, err := io.Copy(f, tr); err != nil {
			_ = f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		names = append(names, h.Name)
	}
	out := map[string]any{"cid": cid, "dir": dir, "files": names}
	return t.answer(out, func(w io.Writer) { fmt.Fprintf(w, "%d files in %s\n", len(names), dir) })
}
