package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tally/node/api"
	"tally/protocol"
)

// errTold ends a command whose failure has been said already.
var errTold = errors.New("told")

// tool is what all commands share: where they write and which node they talk to.
type tool struct {
	out, err io.Writer
	data     string
	json     bool
	verbose  bool
}

func newRoot(out, errw io.Writer) *cobra.Command {
	t := &tool{out: out, err: errw}
	root := &cobra.Command{
		Use:           "tally",
		Short:         "A peer-to-peer compute and storage node for open AI",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(out)
	root.SetErr(errw)
	f := root.PersistentFlags()
	f.StringVar(&t.data, "data", defaultData(), "the node's data directory")
	f.BoolVar(&t.json, "json", false, "print one JSON value")
	f.BoolVarP(&t.verbose, "verbose", "v", false, "log more to standard error")
	root.AddCommand(t.initCommand(), t.upCommand(), t.statusCommand(), t.stopCommand(), t.chainCommand(), t.devnetCommand(), t.storageCommand(),
		t.datanetCommand(), t.modelCommand(), t.askCommand(), t.receiptCommand(), t.rewardsCommand(), t.claimCommand(), t.withdrawCommand(), t.auditCommand(), t.benchCommand())
	return root
}

func defaultData() string {
	if d := os.Getenv("TALLY_DATA"); d != "" {
		return d
	}
	if h, err := os.UserHomeDir(); err == nil {
		return filepath.Join(h, ".tally")
	}
	return ".tally"
}

// logger writes to standard error: warnings, or everything with --verbose.
func (t *tool) logger() *slog.Logger {
	level := slog.LevelWarn
	if t.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: level}))
}

func (t *tool) client() (*api.Client, error) { return api.Dial(t.data) }

// answer prints v as JSON, or what say writes.
func (t *tool) answer(v any, say func(w io.Writer)) error {
	if t.json {
		return json.NewEncoder(t.out).Encode(v)
	}
	say(t.out)
	return nil
}

// ask connects, asks, and prints the answer.
func ask[T any](ctx context.Context, t *tool, q func(context.Context, *api.Client) (T, error), say func(io.Writer, T)) error {
	c, err := t.client()
	if err != nil {
		return err
	}
	v, err := q(ctx, c)
	if err != nil {
		return err
	}
	return t.answer(v, func(w io.Writer) { say(w, v) })
}

// judge asks and prints like ask; an answer that is not right then fails the
// command, however it was printed.
func judge[T any](ctx context.Context, t *tool, q func(context.Context, *api.Client) (T, error), say func(io.Writer, T), right func(T) bool) error {
	ok := false
	err := ask(ctx, t, func(ctx context.Context, c *api.Client) (T, error) {
		v, err := q(ctx, c)
		ok = err == nil && right(v)
		return v, err
	}, say)
	if err == nil && !ok {
		return errTold
	}
	return err
}

// tokens writes an amount in whole tokens, as precisely as it is.
func tokens(a protocol.Amount) string {
	unit := protocol.Tokens(1).Big()
	whole, rest := new(big.Int).QuoRem(a.Big(), unit, new(big.Int))
	if rest.Sign() == 0 {
		return whole.String() + " TLY"
	}
	frac := strings.TrimRight(fmt.Sprintf("%018s", rest.String()), "0")
	return whole.String() + "." + frac + " TLY"
}

func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("give one %s", what)
		}
		return nil
	}
}
