package retrieval_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"tally/protocol"
	"tally/rewards/retrieval"
	"tally/rewards/rewardstest"
)

// hanging gives its facts only when it is let go; until then, who asks waits.
type hanging struct {
	retrieval.Chain
	reads atomic.Int32
	free  chan struct{}
}

func (c *hanging) Facts(ctx context.Context) ([]protocol.Fact, error) {
	c.reads.Add(1)
	select {
	case <-c.free:
		return c.Chain.Facts(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestAReportWaitsForItsRoundAsLongAsItsSenderAndTheRoundIsReadByOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		fs, err := h.chain.Facts(t.Context())
		h.ok(err)
		block, beacon, err := h.chain.BlockAfter(t.Context(), h.chain.Params.CommitBy(0))
		h.ok(err)
		k := retrieval.NewRound(fs, h.chain.Params, 0, block, beacon).Draw(rewardstest.Addr("a1"), 1)[0]
		s, err := protocol.Sign(h.chain.Network, rewardstest.Key("a1"), protocol.RetrievalReport{
			Auditor: rewardstest.Addr("a1"), Node: k.Node, Piece: k.Piece, Leaf: k.Leaf, Outcome: protocol.RetrievalGood,
		})
		h.ok(err)
		slow := &hanging{Chain: h.chain, free: make(chan struct{})}
		inbox := retrieval.NewInbox(h.chain.Network, h.chain.Params, slow, h.posters)
		send := func() (func(), <-chan error) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- inbox.Take(ctx, s) }()
			synctest.Wait()
			return cancel, ended
		}
		reads := func(want int32) {
			t.Helper()
			synctest.Wait()
			if n := slow.reads.Load(); n != want {
				t.Errorf("the facts were read %d times, want %d", n, want)
			}
		}
		leaveFirst, first := send()
		leaveSecond, second := send()
		_, third := send()
		_, fourth := send()
		reads(1)
		leaveSecond() // who only waits goes when it likes
		if err := <-second; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		reads(1)
		leaveFirst() // who reads goes too, and another reads
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		reads(2)
		close(slow.free)
		for _, ended := range []<-chan error{third, fourth} {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		h.ok(inbox.Take(t.Context(), s))
		reads(2)
	})
}
