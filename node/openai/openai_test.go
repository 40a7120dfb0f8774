package openai

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

type echo struct{ fail error }

func (echo) OpenAIModels(context.Context) ([]Model, error) {
	return []Model{{"m1", "0x1", 5}}, nil
}

func (e echo) Complete(_ context.Context, r Request, text func(string) error) (Result, error) {
	if r.Model != "m1" {
		return Result{}, ErrNoModel
	}
	for _, w := range strings.SplitAfter(r.Prompt, " ") {
		if err := text(w); err != nil {
			return Result{}, err
		}
	}
	if e.fail != nil {
		return Result{}, e.fail
	}
	return Result{Text: r.Prompt, Finish: "length", PromptTokens: 3, OutputTokens: r.MaxTokens, Worker: "0xw", Receipt: "bafy"}, nil
}

func serve(t *testing.T, e echo) *Client {
	t.Helper()
	s := httptest.NewServer(Handler(e, e))
	t.Cleanup(s.Close)
	return NewClient(s.URL+"/v1", "k")
}

func TestStreamGivesEveryPieceAndWhoDidTheWork(t *testing.T) {
	c := serve(t, echo{})
	id, err := c.FirstModel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var pieces []string
	got, err := c.Complete(t.Context(), CompletionRequest{Model: id, Prompt: "a b c"}, func(s string) { pieces = append(pieces, s) })
	if err != nil {
		t.Fatal(err)
	}
	if len(pieces) != 3 || got.Choices[0].Text != "a b c" || *got.Choices[0].Finish != "length" || got.Tally.Receipt != "bafy" || got.Usage.TotalTokens != 19 {
		t.Errorf("pieces %q, whole %+v", pieces, got)
	}
}

func TestErrorAfterTheFirstPieceEndsTheStreamAsAnError(t *testing.T) {
	c := serve(t, echo{fail: errors.New("the worker left")})
	_, err := c.Complete(t.Context(), CompletionRequest{Model: "m1", Prompt: "a b"}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "the worker left") {
		t.Fatalf("got %v", err)
	}
	if _, err := c.Complete(t.Context(), CompletionRequest{Model: "zz", Prompt: "a"}, func(string) {}); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Fatalf("unknown model: %v", err)
	}
}

func TestWhatWouldChangeTheAnswerIsRefusedByName(t *testing.T) {
	two, minus := 2, -1
	hot := 3.0
	for name, in := range map[string]CompletionRequest{
		"prompt":      {Model: "m"},
		"model":       {Prompt: "x"},
		"max_tokens":  {Model: "m", Prompt: "x", MaxTokens: &minus},
		"temperature": {Model: "m", Prompt: "x", TemperatureIn: &hot},
		"n":           {Model: "m", Prompt: "x", N: &two},
		"logprobs":    {Model: "m", Prompt: "x", Logprobs: &two},
		"echo":        {Model: "m", Prompt: "x", Echo: true},
		"stop":        {Model: "m", Prompt: "x", Stop: 5.0},
		"logit_bias":  {Model: "m", Prompt: "x", LogitBias: []byte(`{"5":1}`)},
	} {
		if _, err := in.check(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := CompletionRequest{Model: "m", Prompt: []any{"x"}, Stop: []any{"a", "b"}}.check()
	if err != nil || r.Temperature != 1 || r.MaxTokens != 16 || len(r.Stop) != 2 {
		t.Errorf("defaults: %+v %v", r, err)
	}
}
