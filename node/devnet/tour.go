package devnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"tally/node/api"
	"tally/node/openai"
	"tally/protocol"
)

// ErrTour says that something that the tour shows did not hold.
var ErrTour = errors.New("devnet: the tour failed")

// Teller is told what happens: a sentence a step, and the progress of long ones.
type Teller interface {
	Say(sentence string)
	Event(e api.Event) // of the training
}

// Result is what 'tally devnet --once --json' prints.
type Result struct {
	Network    string         `json:"network"`
	Nodes      int            `json:"nodes"`
	Datanet    DatanetResult  `json:"datanet"`
	Pins       []PinResult    `json:"pins"`
	Model      ModelResult    `json:"model"`
	Answers    []Answer       `json:"answers"`
	Receipts   ReceiptsResult `json:"receipts"`
	Proofs     ProofsResult   `json:"proofs"`
	Epoch      EpochResult    `json:"epoch"`
	Claims     []ClaimResult  `json:"claims"`
	Audit      AuditResult    `json:"audit"`
	Invariants api.Invariants `json:"invariants"`
	Seconds    float64        `json:"seconds"`
}

// DatanetResult is the datanet that was published.
type DatanetResult struct {
	CID          string `json:"cid"`
	Shards       int    `json:"shards"`
	Bytes        uint64 `json:"bytes"`
	Contributors int    `json:"contributors"`
}

// PinResult is who holds a shard besides its publisher.
type PinResult struct {
	Shard   string   `json:"shard"`
	Holders []string `json:"holders"`
}

// ProofsResult is how much of what pinners promised they proved on chain, in
// seconds over all pins.
type ProofsResult struct {
	Pins     int    `json:"pins"`
	Promised uint64 `json:"promised"`
	Proved   uint64 `json:"proved"`
}

// ModelResult is the model that was trained. Losses are nats per token.
type ModelResult struct {
	CID            string  `json:"cid"`
	Params         uint64  `json:"params"`
	ParamHash      string  `json:"param_hash"`
	Worker         string  `json:"worker"`
	LossFirst      float64 `json:"loss_first"`
	LossLast       float64 `json:"loss_last"`
	HeldoutFirst   float64 `json:"heldout_first"`
	HeldoutLast    float64 `json:"heldout_last"`
	HeldoutUnigram float64 `json:"heldout_unigram"`
}

// Answer is one question asked.
type Answer struct {
	Question string `json:"question"`
	Text     string `json:"text"`
	Tokens   int    `json:"tokens"`
	Worker   string `json:"worker"`
	Receipt  string `json:"receipt"`
}

// ReceiptsResult counts what was committed.
type ReceiptsResult struct {
	Published uint64            `json:"published"`
	ByReason  map[string]uint64 `json:"by_reason"`
}

// EpochResult is the last epoch that was anchored.
type EpochResult struct {
	Number uint64 `json:"number"`
	Root   string `json:"root"`
	Tx     string `json:"tx"`
}

// ClaimResult is what an account was paid in one role.
type ClaimResult struct {
	Account string          `json:"account"`
	Role    string          `json:"role"`
	Amount  protocol.Amount `json:"amount"`
}

// AuditResult is "equal" three times, or what differs.
type AuditResult struct {
	Inference string `json:"inference"`
	Training  string `json:"training"`
	Root      string `json:"root"`
}

const equal = "equal"

// Check says what of the tour's promises does not hold.
func (r Result) Check() error {
	var bad []string
	expect := func(ok bool, format string, a ...any) {
		if !ok {
			bad = append(bad, fmt.Sprintf(format, a...))
		}
	}
	expect(r.Datanet.Shards == 3 && r.Datanet.Contributors == 3, "%d shards by %d contributors, want 3 by 3", r.Datanet.Shards, r.Datanet.Contributors)
	expect(len(r.Pins) == r.Datanet.Shards, "%d of %d shards are pinned", len(r.Pins), r.Datanet.Shards)
	for _, p := range r.Pins {
		expect(len(p.Holders) >= 2, "shard %s has %d holders besides its publisher, want 2", p.Shard, len(p.Holders))
	}
	expect(r.Model.HeldoutLast < r.Model.HeldoutUnigram, "held-out loss %.3f is not below the unigram model's %.3f", r.Model.HeldoutLast, r.Model.HeldoutUnigram)
	expect(len(r.Answers) == 3, "%d answers, want 3", len(r.Answers))
	for _, a := range r.Answers {
		expect(a.Tokens > 0 && a.Receipt != "" && a.Worker != "", "question %q has no receipted answer", a.Question)
	}
	var sum uint64
	for _, n := range r.Receipts.ByReason {
		sum += n
	}
	expect(r.Receipts.Published > 0 && sum == r.Receipts.Published, "%d receipts published, %d with a reason", r.Receipts.Published, sum)
	roles := map[string]bool{}
	for _, c := range r.Claims {
		roles[c.Role] = roles[c.Role] || !c.Amount.IsZero()
	}
	for _, role := range []string{"worker", "pinner", "contributor"} {
		expect(roles[role], "no %s claimed anything", role)
	}
	expect(r.Proofs.Pins >= 2*r.Datanet.Shards && r.Proofs.Proved > 0, "pinners proved %d of %d seconds of %d pins", r.Proofs.Proved, r.Proofs.Promised, r.Proofs.Pins)
	expect(r.Audit == AuditResult{equal, equal, equal}, "the audits found %+v", r.Audit)
	expect(r.Invariants.ReasonsSum, "sums over reasons differ from what was committed")
	expect(r.Invariants.LedgerEqualsClaimable, "what is claimable differs from the ledger")
	if len(bad) > 0 {
		return fmt.Errorf("%w: %s", ErrTour, strings.Join(bad, "; "))
	}
	return nil
}

// Tour shows the whole of Tally on a running devnet.
func (d *Devnet) Tour(ctx context.Context, c Corpus, tell Teller) (Result, error) {
	start := time.Now()
	r := Result{Network: d.Network, Nodes: len(d.Nodes), Receipts: ReceiptsResult{ByReason: map[string]uint64{}}}
	for _, step := range []func(context.Context, *Result, Corpus, Teller) error{d.publish, d.pin, d.train, d.spread, d.ask, d.settle, d.audit} {
		if err := step(ctx, &r, c, tell); err != nil {
			return r, err
		}
	}
	r.Seconds = time.Since(start).Round(time.Millisecond).Seconds()
	return r, r.Check()
}

// publish has each contributor add a shard to the first one's datanet.
func (d *Devnet) publish(ctx context.Context, r *Result, c Corpus, tell Teller) error {
	if len(c.Parts) != 3 {
		return fmt.Errorf("%w: %d parts of text for 3 contributors", ErrTour, len(c.Parts))
	}
	dn, err := api.Post[api.Datanet](ctx, d.Nodes[0].client, "/v0/datanets", api.CreateDatanet{Name: c.Name, Licence: c.Licence, Schema: "text"})
	if err != nil {
		return fmt.Errorf("devnet: create the datanet: %w", err)
	}
	contributors := map[string]bool{}
	for i, p := range c.Parts {
		text := strings.NewReader(strings.Join(p.Records, "\x1e"))
		dn, err = api.Upload[api.Datanet](ctx, d.Nodes[i].client, "/v0/datanets/"+dn.CID+"/shards", api.AddToDatanet{Accept: true}.Query(), text) // texts of one kind share sentences
		if err != nil {
			return fmt.Errorf("devnet: contribute %s: %w", p.Name, err)
		}
		contributors[dn.Shards[len(dn.Shards)-1].Contributor] = true
		r.Datanet.Bytes += uint64(p.Bytes())
	}
	r.Datanet.CID, r.Datanet.Shards, r.Datanet.Contributors = dn.CID, len(dn.Shards), len(contributors)
	d.datanet = dn
	tell.Say(fmt.Sprintf("Three contributors published %d bytes of text as %d shards of datanet %q.", r.Datanet.Bytes, len(dn.Shards), dn.Name))
	return nil
}

// pin has every publisher pay two others to keep its shard.
func (d *Devnet) pin(ctx context.Context, r *Result, _ Corpus, tell Teller) error {
	r.Pins = make([]PinResult, len(d.datanet.Shards))
	err := d.each(len(d.datanet.Shards), func(i int) error {
		s := d.datanet.Shards[i]
		p, err := api.Post[api.Pin](ctx, d.Nodes[i].client, "/v0/pins", api.PinShard{Datanet: d.datanet.CID, Shard: s.Root, Replicas: 2, Seconds: d.preset.Hold})
		if err != nil {
			return fmt.Errorf("devnet: pin shard %s: %w", s.Root, err)
		}
		r.Pins[i] = PinResult{s.Root, p.Holders}
		return nil
	})
	if err != nil {
		return err
	}
	tell.Say("Pin jobs were opened on the chain; each shard is now on two nodes that did not publish it, checked by retrieving a random range.")
	return nil
}

// figures are the engine's, as far as the tour shows them.
type figures struct {
	LossFirst      float64 `json:"loss_first"`
	LossLast       float64 `json:"loss_last"`
	HeldoutFirst   float64 `json:"heldout_first"`
	HeldoutLast    float64 `json:"heldout_last"`
	HeldoutUnigram float64 `json:"heldout_unigram"`
}

func (d *Devnet) train(ctx context.Context, r *Result, _ Corpus, tell Teller) error {
	tell.Say("The submitter opens a training job; the chain's beacon ranks the workers.")
	var m *api.Model
	for e, err := range d.submitter().client.Follow(ctx, "/v0/models/train", api.Train{Datanet: d.datanet.CID, Preset: d.preset.Model, Steps: d.preset.Steps, Seed: 1}) {
		if err != nil {
			return fmt.Errorf("devnet: train: %w", err)
		}
		if m = e.Model; m == nil {
			tell.Event(e)
		}
	}
	if m == nil {
		return fmt.Errorf("%w: the training job ended without a model", ErrTour)
	}
	var f figures
	if err := json.Unmarshal(m.Figures, &f); err != nil {
		return fmt.Errorf("devnet: the engine's figures: %w", err)
	}
	d.trained = m.Receipt
	r.Model = ModelResult{m.CID, m.Params, m.ParamHash, m.Worker, f.LossFirst, f.LossLast, f.HeldoutFirst, f.HeldoutLast, f.HeldoutUnigram}
	tell.Say(fmt.Sprintf("A node that contributed nothing trained a model of %d parameters: on text it never saw it needs %.2f nats a token, where counting words needs %.2f.", m.Params, f.HeldoutLast, f.HeldoutUnigram))
	return nil
}

// spread has the other nodes fetch the model.
func (d *Devnet) spread(ctx context.Context, r *Result, _ Corpus, tell Teller) error {
	err := d.each(len(d.Nodes), func(i int) error {
		m, err := api.Post[api.Model](ctx, d.Nodes[i].client, "/v0/models/"+r.Model.CID+"/fetch", nil)
		if err != nil {
			return fmt.Errorf("devnet: node %d fetches the model: %w", i+1, err)
		}
		if !m.Held {
			return fmt.Errorf("%w: node %d does not hold the model that it fetched", ErrTour, i+1)
		}
		return nil
	})
	if err != nil {
		return err
	}
	tell.Say(fmt.Sprintf("The model was published; all %d nodes now hold it.", len(d.Nodes)))
	return nil
}

func (d *Devnet) ask(ctx context.Context, r *Result, text Corpus, tell Teller) error {
	n := d.submitter()
	c := openai.NewClient(n.Ready.OpenAI, n.client.Token())
	for _, q := range text.Questions {
		max, topK, seed := d.preset.AnswerTokens, 40, int64(1)
		got, err := c.Complete(ctx, openai.CompletionRequest{Model: r.Model.CID, Prompt: q, MaxTokens: &max, Temperature: 0.7, TopK: &topK, Seed: &seed}, func(string) {})
		if err != nil {
			return fmt.Errorf("devnet: ask %q: %w", q, err)
		}
		r.Answers = append(r.Answers, Answer{q, got.Choices[0].Text, got.Usage.CompletionTokens, got.Tally.Worker, got.Tally.Receipt})
		tell.Say(fmt.Sprintf("Asked %q, the model went on: %q", q, got.Choices[0].Text))
	}
	return nil
}

// settle waits until every receipt has ended in a reason, and claims.
func (d *Devnet) settle(ctx context.Context, r *Result, _ Corpus, tell Teller) error {
	rs, err := d.receipts(ctx)
	if err != nil {
		return err
	}
	for _, x := range rs {
		d.lastEpoch = max(d.lastEpoch, x.Epoch)
	}
	tell.Say(fmt.Sprintf("The work is receipted and co-signed; waiting for epoch %d to close, be audited and be anchored.", d.lastEpoch))
	err = poll(ctx, func() (bool, error) {
		rs, err := d.receipts(ctx)
		return !slices.ContainsFunc(rs, unsettled), err
	})
	if err != nil {
		return fmt.Errorf("%w: not every receipt came to an end: %w", ErrTour, err)
	}
	if err := d.proofs(ctx, r, tell); err != nil {
		return err
	}
	for i, n := range d.Nodes {
		var st api.Rewards
		err := poll(ctx, func() (bool, error) { // until this node has read that far
			var err error
			st, err = api.Get[api.Rewards](ctx, n.client, "/v0/rewards", nil)
			return err == nil && st.Settled && st.Epoch >= d.lastEpoch, err
		})
		if err != nil {
			return fmt.Errorf("devnet: rewards of node %d: %w", i+1, err)
		}
		d.lastEpoch = st.Epoch
		cs, err := api.Post[[]api.Claim](ctx, n.client, "/v0/claim", nil)
		if err != nil {
			return fmt.Errorf("devnet: node %d claims: %w", i+1, err)
		}
		for _, c := range cs {
			r.Claims = append(r.Claims, ClaimResult{c.Account, c.Role, c.Amount})
		}
	}
	tell.Say(fmt.Sprintf("Epoch %d is anchored; worker, pinners and contributors have claimed what they earned.", d.lastEpoch))
	return nil
}

// proofs waits for the end of every pin and sums up what was proved.
func (d *Devnet) proofs(ctx context.Context, r *Result, tell Teller) error {
	for i := range d.datanet.Shards {
		var rs []api.Receipt
		err := poll(ctx, func() (_ bool, err error) {
			rs, err = api.Get[[]api.Receipt](ctx, d.Nodes[i].client, "/v0/receipts", nil)
			rs = slices.DeleteFunc(rs, func(x api.Receipt) bool {
				return x.Kind != protocol.KindPin.String() || x.Payer != d.Nodes[i].Ready.Account
			})
			return !slices.ContainsFunc(rs, unsettled), err
		})
		if err != nil {
			return fmt.Errorf("%w: not every pin came to an end: %w", ErrTour, err)
		}
		for _, x := range rs {
			if p := x.Progress; p != nil {
				r.Proofs.Pins++
				r.Proofs.Promised += p.Promised
				r.Proofs.Proved += p.Proved
				d.lastEpoch = max(d.lastEpoch, x.Epoch)
			}
		}
	}
	tell.Say(fmt.Sprintf("The pinners proved to the chain that they kept the shards for %d of the %d seconds that they promised, and are paid for these.", r.Proofs.Proved, r.Proofs.Promised))
	return nil
}

// receipts are the ones that the submitter paid for.
func (d *Devnet) receipts(ctx context.Context) ([]api.Receipt, error) {
	rs, err := api.Get[[]api.Receipt](ctx, d.submitter().client, "/v0/receipts", nil)
	if err != nil {
		return nil, fmt.Errorf("devnet: list receipts: %w", err)
	}
	return rs, nil
}

// unsettled reports a receipt whose story goes on in a later epoch.
func unsettled(r api.Receipt) bool {
	switch r.Reason {
	case "", protocol.ReasonAuditPending.String(), protocol.ReasonHeldUntil.String(), protocol.ReasonCarriedOver.String():
		return true
	}
	return false
}

// poll asks every half second until the answer is yes or an error, or ctx ends.
func poll(ctx context.Context, ask func() (bool, error)) error {
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
	}
}

// audit derives every epoch again on the auditor's node.
func (d *Devnet) audit(ctx context.Context, r *Result, _ Corpus, tell Teller) error {
	r.Audit.Root = equal
	var err error
	if r.Audit.Training, err = d.repeat(ctx, d.trained); err != nil {
		return err
	}
	if r.Audit.Inference, err = d.repeat(ctx, r.Answers[0].Receipt); err != nil {
		return err
	}
	r.Invariants = api.Invariants{ReasonsSum: true, LedgerEqualsClaimable: true}
	found := false
	reasons := map[string]string{}
	for e := uint64(0); e <= d.lastEpoch; e++ {
		a, err := api.Post[api.Audit](ctx, d.auditor().client, "/v0/epochs/"+url.PathEscape(fmt.Sprint(e))+"/audit", nil)
		if err != nil {
			if strings.Contains(err.Error(), api.ErrNotFound.Error()) {
				continue // nobody worked in that epoch, so nothing is anchored
			}
			return fmt.Errorf("devnet: audit epoch %d: %w", e, err)
		}
		found = true
		if a.Equal != equal {
			r.Audit.Root = a.Equal
		}
		r.Invariants.ReasonsSum = r.Invariants.ReasonsSum && a.Invariants.ReasonsSum
		r.Invariants.LedgerEqualsClaimable = r.Invariants.LedgerEqualsClaimable && a.Invariants.LedgerEqualsClaimable
		r.Epoch = EpochResult{a.Epoch, a.Root, a.Tx}
		for _, o := range a.Outcomes {
			reasons[o.Receipt] = o.Reason // a later epoch may end what an earlier one left pending
		}
		for _, v := range a.Verdicts {
			switch v.Kind {
			case protocol.KindInfer.String():
				worst(&r.Audit.Inference, v.Outcome)
			case protocol.KindTrain.String():
				worst(&r.Audit.Training, v.Outcome)
			}
		}
	}
	if !found {
		return fmt.Errorf("%w: no epoch was anchored", ErrTour)
	}
	r.Receipts.Published = uint64(len(reasons))
	for _, reason := range reasons {
		r.Receipts.ByReason[reason]++
	}
	tell.Say(fmt.Sprintf("The auditor repeated the work bit for bit (inference %s, training %s) and derived the rewards root from public data (%s).", r.Audit.Inference, r.Audit.Training, r.Audit.Root))
	return nil
}

// repeat has the auditor do a receipt's work again. The submitter, who paid for
// it, shows it the private part.
func (d *Devnet) repeat(ctx context.Context, receipt string) (string, error) {
	to := "?to=" + url.QueryEscape(d.auditor().Ready.Account)
	rc, err := api.Post[api.Receipt](ctx, d.submitter().client, "/v0/receipts/"+receipt+"/disclose"+to, nil)
	if err != nil {
		return "", fmt.Errorf("devnet: disclose receipt %s: %w", receipt, err)
	}
	v, err := api.Post[api.Verification](ctx, d.auditor().client, "/v0/receipts/"+rc.Envelope+"/verify", nil)
	if err != nil {
		return "", fmt.Errorf("devnet: verify receipt %s: %w", receipt, err)
	}
	switch {
	case !v.Valid:
		return v.Problem, nil
	case !v.Repeated:
		return "not repeated", nil
	}
	return equal, nil
}

// worst keeps the outcome of a drawn audit that is not equal, if there is one.
func worst(have *string, got string) {
	if got != equal {
		*have = got
	}
}
