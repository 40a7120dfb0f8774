// Package infer generates text with a model and proves what it did.
//
// The life of an answer: a [Request] goes to [Session.Generate], which feeds the prompt,
// then draws one token after another, calling back at each; it ends with a
// [Transcript], which holds everything needed to repeat it and a trace leaf for every 32
// tokens. [Session.Verify] repeats a transcript by feeding all of it at once, many times faster
// than it was made, and says equal or names the first leaf that differs.
// [Session.Resume] continues a transcript that was cut at a chunk boundary and ends with
// the same tokens and leaves as if it had never been cut.
//
// A token is drawn from the logits by a rule without state: greedy, or by a number that
// depends on the seed and the token's index only. So equal logits give equal tokens.
//
// A Session belongs to one goroutine at a time; the Decoder and Tokenizer under it may be
// shared. Cancelling the context ends a call within one token or 128 prompt tokens.
package infer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tally/compute/exact/kernel"
	"tally/compute/exact/model"
	"tally/compute/exact/tokenizer"
)

// Errors of generation.
var (
	ErrRequest    = errors.New("infer: request")
	ErrNotFinite  = errors.New("infer: a logit is NaN or infinite")
	ErrTranscript = errors.New("infer: transcript")
)

// ChunkTokens is the number of generated tokens that a trace leaf covers.
const ChunkTokens = 32

// Bounds of a request.
const (
	MaxStops    = 8
	MaxStopSize = 256 // bytes
)

// prefillTokens is the number of tokens that are fed at once; it decides memory, not bits.
const prefillTokens = 128

// Request asks for tokens that follow a prompt.
type Request struct {
	Prompt      []int32  `json:"prompt"`
	MaxTokens   int      `json:"max_tokens"`
	Temperature float32  `json:"temperature"` // 0: greedy
	TopK        int      `json:"top_k"`       // draw among the K likeliest; 0: all
	TopP        float32  `json:"top_p"`       // draw among the likeliest that make up P; 0 or 1: all
	Seed        uint64   `json:"seed"`
	Stop        []string `json:"stop"` // texts that end the answer and are not part of it
}

// Finish says why an answer ended.
type Finish string

// Reasons.
const (
	FinishLength Finish = "length" // MaxTokens
	FinishEnd    Finish = "end"    // the end-of-text token, which is the last of Output
	FinishStop   Finish = "stop"   // a stop text, completed by the last token of Output
)

// Step is one generated token.
type Step struct {
	Index int
	Token int32
	Text  string    // what may be shown now; empty while a character or stop text is unfinished
	Leaf  *[32]byte // the leaf of the chunk that this token completes, if it does
}

// Transcript is a finished answer and its trace.
type Transcript struct {
	Request
	Output []int32    `json:"output"`
	Text   string     `json:"text"` // Output as text, without end token and stop text
	Finish Finish     `json:"finish"`
	Leaves [][32]byte `json:"leaves"` // one for every 32 tokens of Output, the last for what is left
}

// Session runs requests against one model.
type Session struct {
	d         *model.Decoder
	tokenizer *tokenizer.Tokenizer
	r         *kernel.Runner
	buffers   model.Buffers
	hidden    []float32
	logits    []float32
	sampler   sampler
}

// NewSession returns a session that uses r, which must not be shared.
func NewSession(r *kernel.Runner, d *model.Decoder, t *tokenizer.Tokenizer) (*Session, error) {
	if t.Vocab() > d.Config.Vocab {
		return nil, fmt.Errorf("%w: the tokenizer has %d tokens, the model %d", ErrRequest, t.Vocab(), d.Config.Vocab)
	}
	return &Session{
		d: d, tokenizer: t, r: r,
		hidden: make([]float32, prefillTokens*d.Config.Width),
		logits: make([]float32, prefillTokens*d.Config.Vocab),
	}, nil
}

// Check tells whether the session can run q.
func (s *Session) Check(q Request) error {
	c := s.d.Config
	switch {
	case len(q.Prompt) == 0:
		return fmt.Errorf("%w: the prompt is empty", ErrRequest)
	case q.MaxTokens < 1:
		return fmt.Errorf("%w: max_tokens is %d, want at least 1", ErrRequest, q.MaxTokens)
	case len(q.Prompt) > c.Context || q.MaxTokens > c.Context-len(q.Prompt)+1:
		return fmt.Errorf("%w: %w: %d prompt tokens and %d new ones, the context is %d", ErrRequest, model.ErrContext, len(q.Prompt), q.MaxTokens, c.Context)
	case !(q.Temperature >= 0 && q.Temperature <= 100):
		return fmt.Errorf("%w: temperature is %v, want 0 to 100", ErrRequest, q.Temperature)
	case q.TopK < 0:
		return fmt.Errorf("%w: top_k is %d, want 0 or more", ErrRequest, q.TopK)
	case !(q.TopP >= 0 && q.TopP <= 1):
		return fmt.Errorf("%w: top_p is %v, want 0 to 1", ErrRequest, q.TopP)
	case len(q.Stop) > MaxStops:
		return fmt.Errorf("%w: %d stop texts, the most is %d", ErrRequest, len(q.Stop), MaxStops)
	}
	for _, stop := range q.Stop {
		if len(stop) == 0 || len(stop) > MaxStopSize {
			return fmt.Errorf("%w: a stop text of %d bytes, want 1 to %d", ErrRequest, len(stop), MaxStopSize)
		}
	}
	for _, t := range q.Prompt {
		if t < 0 || int(t) >= c.Vocab {
			return fmt.Errorf("%w: %w: %d", ErrRequest, model.ErrToken, t)
		}
	}
	return nil
}

// Generate answers q. onStep, which may be nil, is called for every token; its error ends
// the answer and is returned.
func (s *Session) Generate(ctx context.Context, q Request, onStep func(Step) error) (*Transcript, error) {
	return s.generate(ctx, q, nil, onStep)
}

// Resume answers q given the tokens of its first chunks, for example from a node that stalled.
// committed holds a multiple of 32 tokens. The committed tokens are not repeated to onStep,
// but their text counts: the transcript is the one that Generate would have made. It fails
// with ErrTranscript if the committed tokens are not what this model answers.
func (s *Session) Resume(ctx context.Context, q Request, committed []int32, onStep func(Step) error) (*Transcript, error) {
	if len(committed)%ChunkTokens != 0 {
		return nil, fmt.Errorf("%w: %d committed tokens are not whole chunks of %d", ErrTranscript, len(committed), ChunkTokens)
	}
	return s.generate(ctx, q, committed, onStep)
}

func (s *Session) generate(ctx context.Context, q Request, committed []int32, onStep func(Step) error) (*Transcript, error) {
	if err := s.Check(q); err != nil {
		return nil, err
	}
	if len(committed) > q.MaxTokens {
		return nil, fmt.Errorf("%w: %d committed tokens, at most %d were asked for", ErrTranscript, len(committed), q.MaxTokens)
	}
	t := &Transcript{Request: q}
	w := writer{t: t, stream: s.tokenizer.NewStream(), end: s.tokenizer.End()}
	cache := s.d.NewCache(s.r, len(q.Prompt)+q.MaxTokens-1)
	width := s.d.Config.Width
	if len(committed) > 0 {
		done, err := s.replay(ctx, cache, t, committed, &w)
		if err != nil {
			return nil, err
		}
		if done {
			return t, nil
		}
	} else if err := s.feed(ctx, cache, q.Prompt); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h := s.hidden[:width]
		row := s.logits[:s.d.Config.Vocab]
		s.d.Logits(s.r, row, h)
		id, err := s.sampler.draw(row, q, len(t.Output))
		if err != nil {
			return nil, err
		}
		step := w.add(id)
		if len(t.Output)%ChunkTokens == 0 || t.Finish != "" {
			leaf := t.leaf(h)
			t.Leaves = append(t.Leaves, leaf)
			step.Leaf = &leaf
		}
		if onStep != nil {
			if err := onStep(step); err != nil {
				return nil, err
			}
		}
		if t.Finish != "" {
			return t, nil
		}
		if err := s.feed(ctx, cache, []int32{id}); err != nil {
			return nil, err
		}
	}
}

// feed appends tokens to the cache and leaves the hidden state of the last in s.hidden[:width].
func (s *Session) feed(ctx context.Context, cache *model.Cache, tokens []int32) error {
	w := s.d.Config.Width
	for len(tokens) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(tokens), prefillTokens)
		if err := s.d.Forward(s.r, &s.buffers, []model.Input{{Cache: cache, Tokens: tokens[:n]}}, s.hidden); err != nil {
			return err
		}
		copy(s.hidden[:w], s.hidden[(n-1)*w:n*w])
		tokens = tokens[n:]
	}
	return nil
}

// writer turns tokens into output, text and the reason to end.
type writer struct {
	t      *Transcript
	stream *tokenizer.Stream
	end    int32
	text   strings.Builder // all text so far, with what is held back
	shown  int             // bytes that have been shown
}

// add appends a token to the transcript.
func (w *writer) add(id int32) Step {
	t := w.t
	step := Step{Index: len(t.Output), Token: id}
	t.Output = append(t.Output, id)
	if id == w.end && w.end >= 0 {
		t.Finish = FinishEnd
	} else {
		w.text.WriteString(w.stream.Next(id))
	}
	all := w.text.String()
	if cut := firstStop(all, w.shown, t.Stop); cut >= 0 && t.Finish == "" {
		t.Finish, t.Text = FinishStop, all[:cut]
		step.Text = all[min(w.shown, cut):cut]
		return step
	}
	if t.Finish == "" && len(t.Output) == t.MaxTokens {
		t.Finish = FinishLength
	}
	if t.Finish != "" {
		all += w.stream.Flush()
		t.Text = all
		step.Text = all[w.shown:]
		return step
	}
	safe := len(all) - held(all, t.Stop)
	if safe > w.shown {
		step.Text = all[w.shown:safe]
		w.shown = safe
	}
	return step
}

// firstStop returns where the first stop text begins, at or after from, or -1.
func firstStop(text string, from int, stops []string) int {
	first := -1
	for _, stop := range stops {
		if i := strings.Index(text[from:], stop); i >= 0 && (first < 0 || from+i < first) {
			first = from + i
		}
	}
	return first
}

// held returns the length of the longest end of text that may begin a stop text.
func held(text string, stops []string) int {
	most := 0
	for _, stop := range stops {
		for n := min(len(stop)-1, len(text)); n > most; n-- {
			if strings.HasSuffix(text, stop[:n]) {
				most = n
				break
			}
		}
	}
	return most
}
