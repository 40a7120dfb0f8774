package p2p

import (
	"context"
	"log/slog"
)

// quiet is the logger of a library that says more than an operator wants, and
// whose last goroutines outlive Close by a moment: warnings only, while ctx lives.
type quiet struct {
	slog.Handler
	life context.Context
}

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.life.Err() == nil && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a), q.life} }
func (q quiet) WithGroup(name string) slog.Handler   { return quiet{q.Handler.WithGroup(name), q.life} }
