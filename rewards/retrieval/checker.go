package retrieval

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/rewards/journal"
	"tally/rewards/possession"
)

// Config is what a Checker needs.
type Config struct {
	Key     *ecdsa.PrivateKey // signs reports
	Network protocol.Network
	Params  protocol.Params
	Chain   Chain
	Asker   Asker
	Courier Courier
	Journal *journal.Journal // its own questions and reports
	Own     Prover           // nil: what this node holds itself is not used
	Judge   Judge            // nil: nothing is taken to the chain
	Paid    Paid             // nil: checks are drawn from sets alone; as the posters have it

	Checks   int           // in an epoch; zero is 8, MaxDraw/2 the most
	Bytes    uint64        // of answers in an epoch; zero is 64 KiB
	Demands  int           // in an epoch; zero is 2
	Patience time.Duration // with a holder; zero is 30 seconds
	Again    time.Duration // until a silent holder is asked once more; zero is an eighth of an epoch, at most 10 minutes
	Skew     time.Duration // that a holder's clock may be off; zero is 2 minutes
	Every    time.Duration // between two steps; zero is 5 seconds
	Resend   uint64        // seconds of chain time until a transaction without effect is repeated; zero is 120
	Log      *slog.Logger  // nil discards
}

// Validate says what is missing.
func (c Config) Validate() error {
	for what, absent := range map[string]bool{
		"a key": c.Key == nil, "a chain": c.Chain == nil, "an asker": c.Asker == nil, "a courier": c.Courier == nil, "a journal": c.Journal == nil,
		"an epoch length": c.Params.EpochLength == 0, "a proof period: this network has no possession contract": c.Params.ProofPeriod == 0,
		"at most MaxDraw/2 checks": c.Checks < 0 || c.Checks > MaxDraw/2, "a number of demands": c.Demands < 0,
	} {
		if absent {
			return fmt.Errorf("%w: the checker needs %s", ErrConfig, what)
		}
	}
	return nil
}

func (c Config) filled() Config {
	or := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	if c.Checks == 0 {
		c.Checks = 8
	}
	if c.Bytes == 0 {
		c.Bytes = 64 << 10
	}
	if c.Demands == 0 {
		c.Demands = 2
	}
	or(&c.Patience, 30*time.Second)
	or(&c.Again, min(10*time.Minute, time.Duration(min(c.Params.EpochLength, 1<<20))*time.Second/8))
	or(&c.Skew, 2*time.Minute)
	or(&c.Every, 5*time.Second)
	if c.Resend == 0 {
		c.Resend = 120
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// attempts is how often one leaf is asked for.
const attempts = 2

// Checker is an auditor's checks.
type Checker struct {
	cfg    Config
	self   common.Address
	log    *slog.Logger
	turns  []turn                         // owned by Step; the newest epoch's last, and the one before it
	said   map[journal.Question]said      // owned by Step; what the journal has of these epochs
	sent   map[action]uint64              // owned by Step; when a transaction was sent last
	told   map[journal.Question]bool      // owned by Step; reports that the posters have
	tried  map[journal.Question]int       // owned by Step; how often a report did not reach all of them
	known  *bool                          // owned by Step; whether the ledger knows this auditor, once asked in the newest round
	unable map[journal.Question]time.Time // owned by Step; when a question could not be put
}

// turn is what this auditor has to check in a round.
type turn struct {
	*Round
	drawn []Check
}

// said is a report of this auditor.
type said struct {
	protocol.RetrievalReport
	signed protocol.Signed[protocol.RetrievalReport]
}

// action is a transaction about a question.
type action struct {
	about  journal.Question
	accuse bool // else demand
}

// New starts nothing.
func New(c Config) (*Checker, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.filled()
	return &Checker{
		cfg: c, self: crypto.PubkeyToAddress(c.Key.PublicKey), log: c.Log.With("role", "checker"),
		sent: map[action]uint64{},
		told: map[journal.Question]bool{}, tried: map[journal.Question]int{}, unable: map[journal.Question]time.Time{},
	}, nil
}

// Run steps until ctx ends.
func (c *Checker) Run(ctx context.Context) error {
	t := time.NewTicker(c.cfg.Every)
	defer t.Stop()
	for {
		if err := c.Step(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("step failed, it will be tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Step asks at most one question, then sends and escalates what was reported.
func (c *Checker) Step(ctx context.Context) error {
	now, err := c.cfg.Chain.Now(ctx) // before the facts, so that those are complete up to it
	if err != nil {
		return err
	}
	facts, err := c.cfg.Chain.Facts(ctx)
	if err != nil {
		return err
	}
	epoch, ok := Latest(c.cfg.Params, now)
	if !ok {
		return nil
	}
	if err := c.turn(ctx, facts, epoch); err != nil {
		return err
	}
	sets := sync.OnceValue(func() *possession.Sets { return possession.Read(facts, c.cfg.Params, now) })
	return errors.Join(c.check(ctx, sets), c.follow(ctx, now, facts, sets))
}

// turn goes on to an epoch, and keeps the one before: what it reported late is
// still to be sent and settled.
func (c *Checker) turn(ctx context.Context, facts []protocol.Fact, epoch uint64) error {
	if n := len(c.turns); n > 0 && c.turns[n-1].Epoch == epoch {
		return nil
	}
	var turns []turn
	for e := epoch - min(epoch, 1); e <= epoch; e++ {
		block, beacon, err := c.cfg.Chain.BlockAfter(ctx, c.cfg.Params.CommitBy(e))
		if err != nil {
			return fmt.Errorf("retrieval: beacon of epoch %d: %w", e, err)
		}
		r := NewRound(facts, c.cfg.Params, e, block, beacon)
		due, err := pins(ctx, c.cfg.Paid, facts, c.cfg.Params, e)
		if err != nil {
			return err
		}
		r.Pay(due)
		turns = append(turns, turn{r, r.Draw(c.self, MaxDraw)})
	}
	first := turns[0].Epoch
	all, err := c.cfg.Journal.Reports(ctx, first)
	if err != nil {
		return err
	}
	c.turns, c.said = turns, map[journal.Question]said{}
	for _, s := range all {
		r, err := s.Open(c.cfg.Network)
		if err != nil {
			return fmt.Errorf("retrieval: report in the journal: %w", err)
		}
		if r.Auditor == c.self {
			c.said[questionOf(r)] = said{r, s}
		}
	}
	maps.DeleteFunc(c.sent, func(a action, _ uint64) bool { return a.about.Epoch < first })
	maps.DeleteFunc(c.tried, func(q journal.Question, _ int) bool { return q.Epoch < first })
	maps.DeleteFunc(c.told, func(q journal.Question, _ bool) bool { return q.Epoch < first })
	clear(c.unable)
	c.known = nil
	return nil
}

// check asks the next question of the newest round that is due. Where a drawn
// piece has left its set, or cannot be asked for from here, the next one drawn
// stands in.
func (c *Checker) check(ctx context.Context, sets func() *possession.Sets) error {
	wanted := c.cfg.Checks
	t := c.turns[len(c.turns)-1]
	for _, k := range t.drawn {
		if wanted == 0 {
			return nil
		}
		q := k.question()
		if _, done := c.said[q]; done {
			wanted--
			continue
		}
		times, last, err := c.cfg.Journal.Asked(q)
		if err != nil {
			return err
		}
		if times >= attempts {
			continue // this node stopped before it knew: that is no word against the holder
		}
		if at, ok := c.unable[q]; ok && time.Since(at) < c.cfg.Again || !sets().Has(k.Node, k.ID) {
			continue
		}
		wanted--
		if times > 0 && time.Since(time.Unix(int64(last), 0)) < c.cfg.Again {
			continue
		}
		err = c.ask(ctx, t, k)
		if errors.Is(err, journal.ErrSpent) {
			return nil // the epoch's share of bytes is used up
		}
		return err
	}
	return nil
}

// ask puts one question, and reports unless the holder is to be asked once more.
func (c *Checker) ask(ctx context.Context, t turn, k Check) error {
	asked := time.Now()
	times, a, err := c.put(ctx, k, k.question())
	if errors.Is(err, ErrUnable) {
		c.unable[k.question()] = time.Now()
		c.log.Debug("holder cannot be asked from here", "node", k.Node, "piece", k.Piece, "err", err)
		return c.cfg.Journal.Withdraw(k.question())
	}
	if times == 0 || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	took := time.Since(asked)
	w := word{why: err}
	if err == nil {
		w = c.read(k, a, asked, time.Now())
	}
	if w.why == nil {
		return c.report(ctx, k, protocol.RetrievalReport{
			Outcome: protocol.RetrievalGood, Millis: uint64(took.Milliseconds()), Bytes: a.bytes(), Answer: a.Signed,
		})
	}
	c.log.Info("no good answer to a retrieval check", "node", k.Node, "piece", k.Piece, "leaf", k.Leaf, "time", times, "err", w.why)
	out := protocol.RetrievalReport{Outcome: protocol.RetrievalSilent, Millis: uint64(took.Milliseconds()), Bytes: min(a.bytes(), MaxAnswer)}
	if !w.signed.IsZero() {
		out.Answer = a.Signed
		if w.right == nil {
			w.right = c.seek(ctx, t, k)
		}
		if w.contradicts(w.right) {
			if err := c.cfg.Journal.AddProof(ctx, k.question(), *w.right); err != nil {
				return err
			}
			out.Outcome = protocol.RetrievalWrong
			return c.report(ctx, k, out)
		}
	}
	if times < attempts {
		return nil
	}
	return c.report(ctx, k, out)
}

// put asks a node for a check's leaf, once the question is noted. times is 0
// where it could not be.
func (c *Checker) put(ctx context.Context, k Check, q journal.Question) (times uint64, a Answer, err error) {
	times, err = c.cfg.Journal.Ask(ctx, q, uint64(time.Now().Unix()), c.cfg.Bytes/MaxAnswer)
	if err != nil {
		return 0, a, err
	}
	ask, cancel := context.WithTimeout(ctx, c.cfg.Patience)
	defer cancel()
	a, err = c.cfg.Asker.Ask(ask, q.Node, k.Piece, k.Leaf)
	if err == nil && ask.Err() != nil {
		err = ask.Err() // it came too late
	}
	return times, a, err
}

// elsewhere is how many other holders are asked for the right leaf.
const elsewhere = 3

// seek finds the right leaf: here, or with other holders in the beacon's order.
// nil: it could not be had.
func (c *Checker) seek(ctx context.Context, t turn, k Check) *piece.Proof {
	if c.cfg.Own != nil {
		if p, err := c.cfg.Own.Prove(ctx, k.Piece, k.Leaf); err == nil && p.Index == k.Leaf && piece.Verify(k.Piece, k.Size, p) == nil {
			return &p
		}
	}
	others := t.others(k, c.self)
	for _, node := range others[:min(len(others), elsewhere)] {
		q := k.question()
		q.Node, q.About = node, k.Node
		_, a, err := c.put(ctx, k, q)
		if err != nil {
			continue
		}
		p := a.Proof
		p.Index = k.Leaf
		if a.bytes() <= MaxAnswer && piece.Verify(k.Piece, k.Size, p) == nil {
			return &p
		}
	}
	return nil
}

// report signs and keeps what was seen.
func (c *Checker) report(ctx context.Context, k Check, r protocol.RetrievalReport) error {
	r.Auditor, r.Node, r.Piece, r.Leaf, r.Epoch = c.self, k.Node, k.Piece, k.Leaf, k.Epoch
	s, err := protocol.Sign(c.cfg.Network, c.cfg.Key, r)
	if err != nil {
		return err
	}
	if err := c.cfg.Journal.AddReport(ctx, s); err != nil {
		return err
	}
	c.said[k.question()] = said{r, s}
	c.log.Info("checked holder", "node", k.Node, "piece", k.Piece, "leaf", k.Leaf, "outcome", r.Outcome, "millis", r.Millis)
	return nil
}
