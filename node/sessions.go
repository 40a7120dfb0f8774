package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/ipfs/go-cid"

	"tally/compute/market"
	"tally/node/models"
	"tally/protocol"
)

// What a session of inference is opened for. A session is one transaction for
// many requests; what it does not use is the submitter's again after its deadline.
const (
	sessionRequests  = 256
	sessionMaxTokens = 4096 // of one request, read and written
	sessionFor       = time.Hour
	sessionLocks     = 8 // full-length requests that its lock covers
)

// sessions keeps one open session a model, so that a request needs no
// transaction.
type sessions struct {
	submitter *market.Submitter
	board     market.Board

	mu   sync.Mutex
	open map[cid.Cid]*slot // guarded by mu
}

// slot is a model's session. Its lock is held while one is opened.
type slot struct {
	mu sync.Mutex
	s  *market.Session // guarded by mu; nil until the first request
}

func newSessions(s *market.Submitter, b market.Board) *sessions {
	return &sessions{submitter: s, board: b, open: map[cid.Cid]*slot{}}
}

func (x *sessions) slot(model cid.Cid) *slot {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open[model] == nil {
		x.open[model] = &slot{}
	}
	return x.open[model]
}

// infer answers a request over the model's session. A session that is used up is
// replaced by another, once.
func (x *sessions) infer(ctx context.Context, m models.Known, req protocol.InferRequest, text func(string, []uint32) error) (market.Answer, error) {
	sl := x.slot(m.CID)
	for try := 0; ; try++ {
		s, err := x.get(ctx, sl, m)
		if err != nil {
			return market.Answer{}, err
		}
		a, err := s.Infer(ctx, req, text)
		if errors.Is(err, market.ErrClosed) && try == 0 {
			sl.drop(s)
			continue
		}
		return a, err
	}
}

func (x *sessions) get(ctx context.Context, sl *slot, m models.Known) (*market.Session, error) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if sl.s != nil {
		return sl.s, nil
	}
	now, err := x.board.Now(ctx)
	if err != nil {
		return nil, err
	}
	spec := protocol.InferSpec{
		Model: m.CID, Engine: m.Engine, Requests: sessionRequests, MaxTokens: sessionMaxTokens,
		RateIn: m.RateIn, RateOut: m.RateOut, Disclose: true,
	}
	one, err := market.InferFee(spec, sessionMaxTokens, sessionMaxTokens)
	if err != nil {
		return nil, err
	}
	value, err := one.MulDiv(sessionLocks, 1)
	if err != nil {
		return nil, err
	}
	s, err := x.submitter.OpenSession(ctx, market.SessionTerms{
		Terms: market.Terms{Value: value, Deadline: now + uint64(sessionFor/time.Second)}, Spec: spec,
	})
	if err != nil {
		return nil, fmt.Errorf("node: open a session for %q: %w", m.Name, err)
	}
	sl.s = s
	return s, nil
}

func (sl *slot) drop(s *market.Session) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if sl.s == s {
		sl.s = nil
		_ = s.Close()
	}
}

func (x *sessions) close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var err error
	for _, sl := range x.open {
		sl.mu.Lock()
		if sl.s != nil {
			err = errors.Join(err, sl.s.Close())
		}
		sl.mu.Unlock()
	}
	return err
}

func bits(f float32) uint32 { return math.Float32bits(f) }
