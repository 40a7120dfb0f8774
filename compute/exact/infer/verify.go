package infer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"tally/compute/exact/model"
)

// leaf returns the trace leaf of the chunk that the last token of Output belongs to: SHA-256
// over "tally/exact/infer/leaf/v1", the chunk's index (u32), the number of its tokens
// (u32), the tokens (u32 each) and the hidden state after the last norm from which its
// last token was drawn (float32), little-endian.
func (t *Transcript) leaf(hidden []float32) [32]byte {
	chunk := (len(t.Output) - 1) / ChunkTokens
	ids := t.Output[chunk*ChunkTokens:]
	b := []byte("tally/exact/infer/leaf/v1")
	b = binary.LittleEndian.AppendUint32(b, uint32(chunk))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(ids)))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	for _, v := range hidden {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return sha256.Sum256(b)
}

// Report is the outcome of a verification.
type Report struct {
	Equal  bool   `json:"equal"`
	Leaf   int    `json:"leaf"`   // the first leaf that differs; -1 if none does
	Reason string `json:"reason"` // what differs, for people; empty if equal
}

// Verify repeats a transcript and compares: every token must be the one that the rule of its
// request draws, every leaf and the text must be equal, and the answer must end where the rule
// ends it. A transcript that cannot have come from any honest run is reported as
// different, not as an error; errors are those of ctx and of the machine.
func (s *Session) Verify(ctx context.Context, t *Transcript) (Report, error) {
	if err := s.Check(t.Request); err != nil {
		return differs(0, err.Error()), nil
	}
	if len(t.Output) == 0 || len(t.Output) > t.MaxTokens {
		return differs(0, fmt.Sprintf("%d output tokens, want 1 to %d", len(t.Output), t.MaxTokens)), nil
	}
	again := &Transcript{Request: t.Request}
	w := writer{t: again, stream: s.tokenizer.NewStream(), end: s.tokenizer.End()}
	cache := s.d.NewCache(s.r, len(t.Prompt)+t.MaxTokens-1)
	drawn, err := s.redraw(ctx, cache, again, t.Output, &w, func(leaf [32]byte) bool {
		i := len(again.Leaves) - 1
		return i < len(t.Leaves) && t.Leaves[i] == leaf
	})
	if errors.Is(err, ErrNotFinite) {
		return differs(len(again.Output)/ChunkTokens, err.Error()), nil
	}
	if err != nil {
		return Report{}, err
	}
	last := max(0, (len(again.Output)-1)/ChunkTokens)
	switch {
	case drawn >= 0:
		i := len(again.Output)
		return differs(i/ChunkTokens, fmt.Sprintf("token %d is %d, the model draws %d", i, t.Output[i], drawn)), nil
	case len(again.Leaves) > 0 && (len(again.Leaves) > len(t.Leaves) || again.Leaves[len(again.Leaves)-1] != t.Leaves[len(again.Leaves)-1]):
		i := len(again.Leaves) - 1
		return differs(i, fmt.Sprintf("leaf %d differs", i)), nil
	case len(again.Output) != len(t.Output):
		return differs(last, fmt.Sprintf("the answer ends after %d tokens, not %d", len(again.Output), len(t.Output))), nil
	case again.Finish == "":
		return differs(last, fmt.Sprintf("the answer does not end after %d tokens", len(t.Output))), nil
	case len(again.Leaves) != len(t.Leaves):
		return differs(len(again.Leaves), fmt.Sprintf("%d leaves, want %d", len(t.Leaves), len(again.Leaves))), nil
	case again.Finish != t.Finish || again.Text != t.Text:
		return differs(last, "the end or the text differs from the tokens"), nil
	}
	return Report{Equal: true, Leaf: -1}, nil
}

func differs(leaf int, reason string) Report { return Report{Leaf: leaf, Reason: reason} }

// replay feeds the prompt and committed tokens, checks that each is drawn, and leaves the
// session as generation would. done tells that the committed tokens end the answer.
func (s *Session) replay(ctx context.Context, cache *model.Cache, t *Transcript, committed []int32, w *writer) (done bool, err error) {
	drawn, err := s.redraw(ctx, cache, t, committed, w, func([32]byte) bool { return true })
	if err != nil {
		return false, err
	}
	if drawn >= 0 || len(t.Output) != len(committed) {
		return false, fmt.Errorf("%w: committed token %d is not what this model answers", ErrTranscript, len(t.Output))
	}
	if t.Finish != "" {
		return true, nil
	}
	// The last committed token has been drawn but not fed.
	return false, s.feed(ctx, cache, committed[len(committed)-1:])
}

// redraw feeds the prompt and all output but its last token, in pieces, and draws every
// token again into t. It stops at the first token that differs and returns the drawn one,
// at the end of the answer, or when onLeaf says no; drawn is -1 unless a token differs.
func (s *Session) redraw(ctx context.Context, cache *model.Cache, t *Transcript, output []int32, w *writer, onLeaf func([32]byte) bool) (drawn int32, err error) {
	c := s.d.Config
	for _, id := range output {
		if id < 0 || int(id) >= c.Vocab {
			// Drawn tokens are in the vocabulary, so this one will differ; feed what comes before.
			output = output[:slices.Index(output, id)+1]
			break
		}
	}
	tokens := slices.Concat(t.Prompt, output[:len(output)-1])
	first := len(t.Prompt) - 1 // the position from which output[0] is drawn
	for at := 0; at < len(tokens); at += prefillTokens {
		if err := ctx.Err(); err != nil {
			return -1, err
		}
		n := min(prefillTokens, len(tokens)-at)
		if err := s.d.Forward(s.r, &s.buffers, []model.Input{{Cache: cache, Tokens: tokens[at : at+n]}}, s.hidden); err != nil {
			return -1, err
		}
		from := max(0, first-at)
		if from >= n {
			continue
		}
		s.d.Logits(s.r, s.logits[:(n-from)*c.Vocab], s.hidden[from*c.Width:n*c.Width])
		for i := from; i < n; i++ {
			row := s.logits[(i-from)*c.Vocab : (i-from+1)*c.Vocab]
			id, err := s.sampler.draw(row, t.Request, len(t.Output))
			if err != nil {
				return -1, err
			}
			if id != output[len(t.Output)] {
				return id, nil
			}
			w.add(id)
			if len(t.Output)%ChunkTokens == 0 || t.Finish != "" {
				leaf := t.leaf(s.hidden[i*c.Width : (i+1)*c.Width])
				t.Leaves = append(t.Leaves, leaf)
				if !onLeaf(leaf) {
					return -1, nil
				}
			}
			if t.Finish != "" {
				return -1, nil
			}
		}
	}
	return -1, nil
}
