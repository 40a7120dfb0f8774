package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tally/node/api"
	"tally/node/workbench"
)

func (t *tool) benchCommand() *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "Measure this machine"}
	c.AddCommand(t.benchStorageCommand(), benchHolderCommand())
	return c
}

func (t *tool) benchStorageCommand() *cobra.Command {
	c := workbench.StorageConfig{Holder: benchHolder}
	cmd := &cobra.Command{
		Use: "storage", Short: "Measure storage on a disk: adding, reading, proving, fetching and deleting a file", Args: cobra.NoArgs,
		Long: "Measure storage on a disk: adding, reading, proving, fetching and deleting a file.\n" +
			"It takes up to four times the size of the file on the disk, and removes all of it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Say = func(s string) {
				if !t.json {
					fmt.Fprintln(t.err, s)
				}
			}
			rep, err := workbench.BenchStorage(cmd.Context(), c)
			if err != nil {
				return err
			}
			return t.answer(rep, func(w io.Writer) { sayStorage(w, rep) })
		},
	}
	f := cmd.Flags()
	f.Int64Var(&c.Size, "size", workbench.MaxStorageFile, "bytes of the file; the default is the most whole MiB in one shard")
	f.StringVar(&c.Dir, "dir", "", "directory on the disk to measure; the system's for temporary files if not given")
	f.IntVar(&c.Shards, "shards", 1024, "shards of an idle store whose memory is measured; 0 leaves that out")
	return cmd
}

// benchHolder is this program again, as the process to fetch from.
func benchHolder(ctx context.Context, dir, listen string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, exe, "bench", "hold", dir, listen), nil
}

func benchHolderCommand() *cobra.Command {
	return &cobra.Command{
		Use: "hold DIR ADDRESS", Short: "Serve the shards of a store until standard input ends", Args: cobra.ExactArgs(2), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return workbench.Hold(cmd.Context(), args[0], args[1], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

func sayStorage(w io.Writer, r workbench.StorageReport) {
	mib := func(n int64) float64 { return float64(n) / (1 << 20) }
	fmt.Fprintf(w, "a file of %.0f MiB, %s, %d threads, %d messages hashed at once\n", mib(r.Size), r.Platform, r.Threads, r.Lanes)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range []struct {
		what  string
		value float64
		unit  string
	}{
		{"import", r.Import, "MiB/s, durable"},
		{"cat", r.Cat, "MiB/s, every block hashed"},
		{"fetch, TCP", r.Fetch.TCP, "MiB/s between two processes, durable"},
		{"fetch, QUIC", r.Fetch.QUIC, "MiB/s between two processes, durable"},
		{"piece root", r.Root, "MiB/s on one processor"},
		{"proof", r.Proof, "ms, five leaves"},
		{"delete", r.FreedIn, fmt.Sprintf("ms for %.0f MiB", mib(r.Freed))},
		{"import, peak", mib(r.Peak), "MiB above idle"},
		{"idle", mib(r.Idle), fmt.Sprintf("MiB resident with %d shards, %.1f of it not the program's or other files'", r.Shards, mib(r.Private))},
	} {
		fmt.Fprintf(tw, "%s\t%.1f\t %s\n", row.what, row.value, row.unit)
	}
	_ = tw.Flush()
}

func (t *tool) benchModelCommand() *cobra.Command {
	var c workbench.Config
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure what the engine does on this machine: tokens per second and memory, by preset and weight type", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Dir = os.TempDir()
			c.Say = func(s string) {
				if !t.json {
					fmt.Fprintln(t.err, s)
				}
			}
			rep, err := workbench.Bench(cmd.Context(), c)
			if err != nil {
				return err
			}
			return t.answer(rep, func(w io.Writer) { sayBench(w, rep) })
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&c.Presets, "preset", []string{"tiny", "small", "base"}, "sizes to measure")
	f.StringSliceVar(&c.Types, "type", workbench.Types(), "weight types to measure")
	f.IntVar(&c.Threads, "threads", 0, "threads of the engine; 0 is one per processor")
	f.DurationVar(&c.Time, "time", time.Second, "length of each measurement, at least")
	return cmd
}

func sayBench(w io.Writer, r workbench.Report) {
	fmt.Fprintf(w, "class %s, kernels %s, %d threads, %s/%s; tokens per second, memory in MiB\n", r.Class, r.Kernel, r.Threads, r.OS, r.Arch)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "preset\tweights\tparams\tdecode\t8 at once\tprefill\tverify\ttrain\ton disk\tresident\t")
	for _, x := range r.Rows {
		train := "-"
		if x.Train > 0 {
			train = fmt.Sprintf("%.0f", x.Train)
		}
		fmt.Fprintf(tw, "%s\t%s\t%.2f M\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t%.1f\t%.1f\t\n", x.Preset, x.Type, float64(x.Params)/1e6,
			x.Decode, x.Batch, x.Prefill, x.Verify, train, float64(x.Weights)/(1<<20), float64(x.Resident)/(1<<20))
	}
	_ = tw.Flush()
}

func (t *tool) evalModelCommand() *cobra.Command {
	var datanet, file string
	c := &cobra.Command{
		Use: "eval CID", Short: "Measure how well a model predicts a datanet, or a text of yours", Args: oneArg("model's CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (datanet == "") == (file == "") {
				return errors.New("name what to predict: --datanet CID, or --text FILE ('-' reads standard input)")
			}
			var text io.Reader = strings.NewReader("")
			switch file {
			case "":
			case "-":
				text = os.Stdin
			default:
				f, err := os.Open(file)
				if err != nil {
					return err
				}
				defer f.Close()
				text = f
			}
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Evaluation, error) {
				return api.Upload[api.Evaluation](ctx, c, "/v0/models/"+url.PathEscape(args[0])+"/eval", url.Values{"datanet": {datanet}}, text)
			}, func(w io.Writer, e api.Evaluation) {
				fmt.Fprintf(w, "model       %s\ntokens      %d, %d bytes\nloss        %.4f nats per token (unigram %.4f)\nperplexity  %.2f\nbits/byte   %.4f\n",
					e.Model.Name, e.Tokens, e.Bytes, e.Loss, e.Unigram, e.Perplexity, e.BitsPerByte)
				if slices.Contains(e.Model.Datanets, datanet) {
					fmt.Fprintln(w, "note        the model was trained on most of this very text; 'tally model show' has its loss on what was held out")
				}
			})
		},
	}
	c.Flags().StringVar(&datanet, "datanet", "", "CID of a datanet's version")
	c.Flags().StringVar(&file, "text", "", "a UTF-8 text file; byte 0x1E separates records")
	return c
}
