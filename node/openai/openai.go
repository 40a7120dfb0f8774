// Package openai speaks the OpenAI completions API, so that programs which know
// that API can use models on a Tally network.
//
// The life of a request: it is checked field by field, and anything that would
// change the answer and that is not supported is refused by name, never ignored;
// a Completer has it answered by a worker; the text is streamed as server-sent
// events or returned whole, with a "tally" object beside OpenAI's fields that
// names the worker and the receipt.
//
// Endpoints: GET /v1/models, GET /v1/models/{id}, POST /v1/completions. Errors
// have OpenAI's shape. Guarding the door is the caller's (see api.Guard), who has
// Fail write what it refuses.
package openai

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
)

// The API's own limits; a session's may be lower.
const (
	maxBody     = 2 << 20
	maxPrompt   = 1 << 20
	maxStops    = 4
	maxTokens   = 1 << 16
	defaultMax  = 16 // OpenAI's
	eventStream = "text/event-stream"
)

var (
	// ErrInvalid is a request that its sender can mend.
	ErrInvalid = errors.New("invalid request")
	// ErrNoModel is a request for a model that the node does not know.
	ErrNoModel = errors.New("model not found")
)

// Request is one completion wanted, checked and with OpenAI's defaults.
type Request struct {
	Model       string
	Prompt      string
	MaxTokens   int
	Temperature float32 // 0 is greedy
	TopP        float32 // 0 is off
	TopK        int     // 0 is off
	Seed        uint64
	Stop        []string
}

// Result is a completion.
type Result struct {
	Text         string
	Finish       string // "stop" or "length"
	PromptTokens int
	OutputTokens int
	Worker       string
	Receipt      string
	Offer        string
}

// Completer has requests answered. text is called for every piece, in order.
type Completer interface {
	Complete(ctx context.Context, r Request, text func(string) error) (Result, error)
}

// Model is one entry of the list.
type Model struct {
	ID      string
	Owner   string
	Created uint64
}

// Models lists what can be asked, newest first.
type Models interface {
	OpenAIModels(ctx context.Context) ([]Model, error)
}

// CompletionRequest is the body of POST /v1/completions.
type CompletionRequest struct {
	Model         string          `json:"model"`
	Prompt        any             `json:"prompt"`
	MaxTokens     *int            `json:"max_tokens,omitempty"`
	Temperature   float64         `json:"-"`
	TemperatureIn *float64        `json:"temperature,omitempty"`
	TopP          *float64        `json:"top_p,omitempty"`
	TopK          *int            `json:"top_k,omitempty"`
	N             *int            `json:"n,omitempty"`
	BestOf        *int            `json:"best_of,omitempty"`
	Stream        bool            `json:"stream,omitempty"`
	StreamOptions *StreamOptions  `json:"stream_options,omitempty"`
	Stop          any             `json:"stop,omitempty"`
	Seed          *int64          `json:"seed,omitempty"` // none: another one every time
	Logprobs      *int            `json:"logprobs,omitempty"`
	Echo          bool            `json:"echo,omitempty"`
	Suffix        *string         `json:"suffix,omitempty"`
	Presence      float64         `json:"presence_penalty,omitempty"`
	Frequency     float64         `json:"frequency_penalty,omitempty"`
	LogitBias     json.RawMessage `json:"logit_bias,omitempty"`
	User          string          `json:"user,omitempty"`
}

// StreamOptions of OpenAI.
type StreamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// Completion is an answer, or one event of a stream.
type Completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []Choice `json:"choices"`
	Usage   *Usage   `json:"usage,omitempty"`
	Tally   *Tally   `json:"tally,omitempty"`
}

// Choice is the text.
type Choice struct {
	Text     string  `json:"text"`
	Index    int     `json:"index"`
	Logprobs any     `json:"logprobs"`
	Finish   *string `json:"finish_reason"`
}

// Usage counts tokens.
type Usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

// Tally says who did the work and where the receipt is.
type Tally struct {
	Worker  string `json:"worker"`
	Receipt string `json:"receipt"`
	Offer   string `json:"offer"`
}

func (c CompletionRequest) check() (Request, error) {
	bad := func(format string, a ...any) (Request, error) {
		return Request{}, fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, a...))
	}
	r := Request{Model: c.Model, MaxTokens: defaultMax, Temperature: 1, Seed: c.seed()}
	switch p := c.Prompt.(type) {
	case string:
		r.Prompt = p
	case []any:
		if s, ok := first(p); ok {
			r.Prompt = s
			break
		}
		return bad("prompt: send one string; several prompts are several requests")
	default:
		return bad("prompt: send a string")
	}
	if r.Model == "" {
		return bad("model: name one; GET /v1/models lists them")
	}
	if len(r.Prompt) > maxPrompt {
		return bad("prompt: %d bytes, at most %d", len(r.Prompt), maxPrompt)
	}
	if c.MaxTokens != nil {
		r.MaxTokens = *c.MaxTokens
	}
	if r.MaxTokens < 1 || r.MaxTokens > maxTokens {
		return bad("max_tokens: %d, want 1 to %d", r.MaxTokens, maxTokens)
	}
	if c.TemperatureIn != nil {
		r.Temperature = float32(*c.TemperatureIn)
	}
	if !(r.Temperature >= 0 && r.Temperature <= 2) {
		return bad("temperature: want 0 to 2")
	}
	if c.TopP != nil {
		if !(*c.TopP > 0 && *c.TopP <= 1) {
			return bad("top_p: want more than 0, at most 1")
		}
		if *c.TopP < 1 {
			r.TopP = float32(*c.TopP)
		}
	}
	if c.TopK != nil {
		if *c.TopK < 0 || *c.TopK > math.MaxInt32 {
			return bad("top_k: want 0 (off) or more")
		}
		r.TopK = *c.TopK
	}
	switch s := c.Stop.(type) {
	case nil:
	case string:
		r.Stop = []string{s}
	case []any:
		for _, x := range s {
			t, ok := x.(string)
			if !ok {
				return bad("stop: send a string or a list of strings")
			}
			r.Stop = append(r.Stop, t)
		}
	default:
		return bad("stop: send a string or a list of strings")
	}
	if len(r.Stop) > maxStops {
		return bad("stop: %d, at most %d", len(r.Stop), maxStops)
	}
	for _, s := range r.Stop {
		if s == "" || len(s) > 256 {
			return bad("stop: each is 1 to 256 bytes")
		}
	}
	switch {
	case c.N != nil && *c.N != 1:
		return bad("n: only 1 is supported; send several requests with different seeds")
	case c.BestOf != nil && *c.BestOf != 1:
		return bad("best_of: only 1 is supported")
	case c.Logprobs != nil:
		return bad("logprobs: not supported")
	case c.Echo:
		return bad("echo: not supported")
	case c.Suffix != nil && *c.Suffix != "":
		return bad("suffix: not supported")
	case c.Presence != 0 || c.Frequency != 0:
		return bad("presence_penalty and frequency_penalty: not supported")
	case len(c.LogitBias) > 0 && string(c.LogitBias) != "{}" && string(c.LogitBias) != "null":
		return bad("logit_bias: not supported")
	}
	return r, nil
}

// seed is the one wanted, a negative one as its two's complement, or a new one.
func (c CompletionRequest) seed() uint64 {
	if c.Seed != nil {
		return uint64(*c.Seed)
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return binary.LittleEndian.Uint64(b[:])
}

// decode reads a request's body. What is not known is refused: it might change
// the answer.
func decode(r io.Reader) (CompletionRequest, error) {
	var in CompletionRequest
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return in, fmt.Errorf("%w: %s: not supported", ErrInvalid, strings.Trim(name, `"`))
		}
		return in, fmt.Errorf("%w: the body is no completion request: %w", ErrInvalid, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return in, fmt.Errorf("%w: there is something after the request in the body", ErrInvalid)
	}
	return in, nil
}

func first(p []any) (string, bool) {
	if len(p) != 1 {
		return "", false
	}
	s, ok := p[0].(string)
	return s, ok
}

// Handler serves the API.
func Handler(m Models, c Completer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, r *http.Request) {
		list, err := m.OpenAIModels(r.Context())
		if err != nil {
			fail(w, err)
			return
		}
		data := make([]map[string]any, 0, len(list))
		for _, x := range list {
			data = append(data, modelJSON(x))
		}
		write(w, map[string]any{"object": "list", "data": data})
	})
	mux.HandleFunc("GET /v1/models/{id}", func(w http.ResponseWriter, r *http.Request) {
		list, err := m.OpenAIModels(r.Context())
		if err != nil {
			fail(w, err)
			return
		}
		for _, x := range list {
			if x.ID == r.PathValue("id") {
				write(w, modelJSON(x))
				return
			}
		}
		fail(w, fmt.Errorf("%w: %s", ErrNoModel, r.PathValue("id")))
	})
	mux.HandleFunc("POST /v1/completions", func(w http.ResponseWriter, r *http.Request) {
		in, err := decode(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			fail(w, err)
			return
		}
		req, err := in.check()
		if err != nil {
			fail(w, err)
			return
		}
		answer := Completion{ID: "cmpl-" + rand.Text(), Object: "text_completion", Created: time.Now().Unix(), Model: req.Model}
		if in.Stream {
			stream(w, r, c, req, answer, in.StreamOptions != nil && in.StreamOptions.IncludeUsage)
			return
		}
		res, err := c.Complete(r.Context(), req, func(string) error { return nil })
		if err != nil {
			fail(w, err)
			return
		}
		answer.Choices = []Choice{{Text: res.Text, Finish: &res.Finish}}
		answer.Usage, answer.Tally = res.usage(), res.tally()
		write(w, answer)
	})
	return shaped(mux)
}

func (r Result) usage() *Usage {
	return &Usage{r.PromptTokens, r.OutputTokens, r.PromptTokens + r.OutputTokens}
}

func (r Result) tally() *Tally { return &Tally{r.Worker, r.Receipt, r.Offer} }

// stream sends pieces as they come. An error before the first piece has a status
// of its own; one after it ends the stream with an error event, without [DONE].
func stream(w http.ResponseWriter, r *http.Request, c Completer, req Request, answer Completion, usage bool) {
	out := http.NewResponseController(w)
	began := false
	event := func(v any) error {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if !began {
			began = true
			w.Header().Set("Content-Type", eventStream)
			w.Header().Set("Cache-Control", "no-cache")
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", b); err != nil {
			return err
		}
		return out.Flush()
	}
	res, err := c.Complete(r.Context(), req, func(text string) error {
		answer.Choices = []Choice{{Text: text}}
		return event(answer)
	})
	if err != nil {
		if !began {
			fail(w, err)
			return
		}
		_, body := fault(err)
		_ = event(body)
		return
	}
	answer.Choices = []Choice{{Finish: &res.Finish}}
	answer.Tally = res.tally()
	if event(answer) != nil {
		return
	}
	if usage {
		answer.Choices, answer.Usage = []Choice{}, res.usage()
		if event(answer) != nil {
			return
		}
	}
	_, _ = fmt.Fprint(w, "data: [DONE]\n\n")
	_ = out.Flush()
}

func modelJSON(m Model) map[string]any {
	return map[string]any{"id": m.ID, "object": "model", "created": m.Created, "owned_by": m.Owner}
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
