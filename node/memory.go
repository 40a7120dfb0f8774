package node

import (
	"context"
	"time"

	"tally/internal/resident"
)

// started is how long after it serves a node is done with what only a start does.
const started = 30 * time.Second

// trim gives back, once, the memory that only the start needed.
func (n *Node) trim(ctx context.Context) error {
	t := time.NewTimer(started)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-t.C:
	}
	was, err := resident.Trim()
	n.log.Debug("memory of the start given back", "program", was, "err", err)
	return nil
}
