package market

import (
	"context"
	"fmt"

	"tally/compute/market/wire"
	"tally/protocol"
)

func checkPin(protocol.PinSpec) error {
	return fmt.Errorf("%w: pin jobs are not taken in this version", ErrRefused)
}

func (w *Worker) trainJob(_ context.Context, l *link, _ taken) error {
	return l.fail(wire.CodeRefused, fmt.Errorf("%w: training jobs are not taken in this version", ErrRefused))
}

func (w *Worker) pinJob(_ context.Context, l *link, _ taken) error {
	return l.fail(wire.CodeRefused, fmt.Errorf("%w: pin jobs are not taken in this version", ErrRefused))
}

// ServeDisclose ends the stream: nothing is disclosed.
func (w *Worker) ServeDisclose(_ context.Context, c Conn) error { return c.Close() }

// ServeDisclose ends the stream: nothing is disclosed.
func (s *Submitter) ServeDisclose(_ context.Context, c Conn) error { return c.Close() }
