package retrieval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/journal"
	"tally/rewards/possession"
)

// past is what the chain says was done about the checks of the two newest rounds.
type past struct {
	demanded map[common.Address]bool // nodes against which this auditor demanded a leaf
	demands  int                     // of this auditor, since the newest round began
	wrong    map[protocol.DataWrong]bool
}

func (c *Checker) past(facts []protocol.Fact) past {
	out := past{demanded: map[common.Address]bool{}, wrong: map[protocol.DataWrong]bool{}}
	before := c.cfg.Params.CommitBy(c.turns[0].Epoch)
	since := c.cfg.Params.CommitBy(c.turns[len(c.turns)-1].Epoch)
	for _, f := range facts {
		switch e := f.Event.(type) {
		case protocol.RetrievalDemanded:
			if e.Auditor != c.self || f.Time <= before {
				continue
			}
			out.demanded[e.Node] = true
			if f.Time > since {
				out.demands++
			}
		case protocol.DataWrong:
			out.wrong[e] = true
		}
	}
	return out
}

// follow sends reports to the posters, and takes to the chain what must be settled
// there: at most one demand against a node in two rounds, Demands in one.
func (c *Checker) follow(ctx context.Context, now uint64, facts []protocol.Fact, sets func() *possession.Sets) error {
	was := c.past(facts)
	errs := c.send(ctx)
	for _, t := range c.turns {
		for _, k := range t.drawn {
			r, ok := c.said[k.question()]
			if !ok {
				continue
			}
			if c.cfg.Judge == nil {
				continue
			}
			switch r.Outcome {
			case protocol.RetrievalSilent:
				if was.demanded[k.Node] || was.demands >= c.cfg.Demands || !sets().Has(k.Node, k.ID) {
					continue
				}
				if yes, err := c.auditor(ctx); err != nil || !yes {
					errs = errors.Join(errs, err)
					continue
				}
				was.demanded[k.Node] = true // so that one step does not pass the bounds either
				was.demands++
				errs = errors.Join(errs, c.demand(ctx, now, k))
			case protocol.RetrievalWrong:
				if !was.wrong[protocol.DataWrong{Node: k.Node, Piece: k.Piece, Leaf: k.Leaf}] {
					errs = errors.Join(errs, c.accuse(ctx, now, k, r.Answer))
				}
			}
		}
	}
	return errs
}

// send carries reports to the posters, those that were tried least first, until
// one does not reach all of them. So a poster that is not there costs a step its
// patience once, and holds up no report to the others.
func (c *Checker) send(ctx context.Context) error {
	var left []journal.Question
	for _, t := range c.turns {
		for _, k := range t.drawn {
			if q := k.question(); !c.told[q] && !c.said[q].signed.IsZero() {
				left = append(left, q)
			}
		}
	}
	slices.SortStableFunc(left, func(a, b journal.Question) int { return cmp.Compare(c.tried[a], c.tried[b]) })
	for _, q := range left {
		if err := c.cfg.Courier.SendReport(ctx, c.said[q].signed); err != nil {
			c.tried[q]++
			return fmt.Errorf("retrieval: send report on %s: %w", q.Node, err)
		}
		c.told[q] = true
	}
	return nil
}

// auditor asks the ledger, once in a round, whether it takes this node's demands.
func (c *Checker) auditor(ctx context.Context) (bool, error) {
	if c.known == nil {
		yes, err := c.cfg.Judge.IsAuditor(ctx, c.self)
		if err != nil {
			return false, fmt.Errorf("retrieval: ask whether %s is an auditor: %w", c.self, err)
		}
		if c.known = &yes; !yes {
			c.log.Warn("the ledger does not know this auditor: it demands nothing on chain, and posters take no reports of it", "auditor", c.self)
		}
	}
	return *c.known, nil
}

// due reports that a transaction was not sent a short while ago, and notes that it
// is sent now. Losing the note costs gas, nothing else.
func (c *Checker) due(what action, now uint64) bool {
	if at, ok := c.sent[what]; ok && now < at+c.cfg.Resend {
		return false
	}
	c.sent[what] = now
	return true
}

func (c *Checker) demand(ctx context.Context, now uint64, k Check) error {
	if !c.due(action{about: k.question()}, now) {
		return nil
	}
	tx, err := c.cfg.Judge.Demand(ctx, k.Node, k.ID, k.Leaf)
	if err != nil {
		return fmt.Errorf("retrieval: demand leaf %d of piece %d of %s: %w", k.Leaf, k.ID, k.Node, err)
	}
	c.log.Warn("demanded a leaf on chain", "node", k.Node, "piece", k.Piece, "leaf", k.Leaf, "tx", tx)
	return nil
}

func (c *Checker) accuse(ctx context.Context, now uint64, k Check, answer []byte) error {
	if !c.due(action{k.question(), true}, now) {
		return nil
	}
	said, err := protocol.ParseSigned[protocol.Retrieved](answer)
	if err != nil {
		return fmt.Errorf("retrieval: our own report: %w", err)
	}
	right, ok, err := c.cfg.Journal.Proof(k.question())
	if err != nil || !ok {
		return errors.Join(err, errors.New("retrieval: the journal lacks the right leaf of a wrong answer"))
	}
	tx, err := c.cfg.Judge.Accuse(ctx, said, k.Size, right)
	if err != nil {
		return fmt.Errorf("retrieval: accuse %s of wrong data: %w", k.Node, err)
	}
	c.log.Error("accused a holder of wrong data", "node", k.Node, "piece", k.Piece, "leaf", k.Leaf, "tx", tx)
	return nil
}
