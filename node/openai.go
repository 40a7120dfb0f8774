package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"tally/compute"
	"tally/compute/market"
	"tally/node/models"
	"tally/node/openai"
	"tally/protocol"
)

// OpenAIModels implements openai.Models.
func (n *Node) OpenAIModels(ctx context.Context) ([]openai.Model, error) {
	list, err := n.models.List(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]openai.Model, 0, len(list))
	for _, m := range list {
		if !m.Held && m.Owner != n.me { // a stranger's gossip is no recommendation; its CID can still be named
			continue
		}
		out = append(out, openai.Model{ID: m.CID.String(), Owner: m.Owner.Hex(), Created: m.Created})
	}
	return out, nil
}

// Complete implements openai.Completer.
func (n *Node) Complete(ctx context.Context, r openai.Request, text func(string) error) (openai.Result, error) {
	c, err := cid.Decode(r.Model)
	if err != nil {
		return openai.Result{}, fmt.Errorf("%w: model %q: name a model by its CID; GET /v1/models lists them", openai.ErrNoModel, r.Model)
	}
	m, err := n.models.Read(ctx, c)
	if err != nil {
		if errors.Is(err, models.ErrUnknown) {
			return openai.Result{}, fmt.Errorf("%w: %w", openai.ErrNoModel, err)
		}
		return openai.Result{}, err
	}
	req := protocol.InferRequest{
		Prompt: r.Prompt, MaxTokens: uint64(r.MaxTokens), Temperature: bits(r.Temperature),
		TopK: uint64(r.TopK), TopP: bits(r.TopP), Seed: r.Seed, Stop: r.Stop,
	}
	a, err := n.sessions.infer(ctx, m, req, func(s string, _ []uint32) error {
		if s == "" {
			return nil
		}
		return text(s)
	})
	switch {
	case errors.Is(err, market.ErrTerms), errors.Is(err, compute.ErrLimit), errors.Is(err, ErrDear):
		return openai.Result{}, fmt.Errorf("%w: %w", openai.ErrInvalid, err)
	case err != nil && !errors.Is(err, market.ErrDiverged):
		return openai.Result{}, err
	}
	if err != nil {
		return openai.Result{}, fmt.Errorf("%w: %q", err, a.Transcript.Output.Text)
	}
	out := a.Transcript.Output
	offer := a.Transcript.Request.Offer
	return openai.Result{
		Text: out.Text, Finish: out.Finish, PromptTokens: len(out.Prompt), OutputTokens: len(out.Tokens),
		Worker: a.Worker.Hex(), Receipt: a.Receipt.String(), Offer: offer.Hex(),
	}, nil
}
