// Package tokenizer turns text into tokens and back by byte-level byte-pair encoding
// (Sennrich et al., 2016; the byte alphabet and the splitting rule of GPT-2).
//
// The life of a tokenizer: [Train] derives one from texts, the same one for the same
// texts in the same order of counts, or [Read] takes a Hugging Face tokenizer.json of
// this kind; [Tokenizer.MarshalJSON] writes one that other implementations read.
// [Tokenizer.Encode] is lossless for any bytes, valid UTF-8 or not. Text never becomes a
// special token: the end-of-text mark is only ever added by code.
//
// A Tokenizer is read-only and may be shared. A [Stream] and an [Encoder] belong to one
// goroutine. Letter, number and space are Unicode properties as Go's unicode package
// has them.
package tokenizer

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// EndOfText is the special token that ends a document.
const EndOfText = "<|endoftext|>"

// Bounds of a tokenizer.
const (
	MaxVocab     = 1 << 18
	MaxTokenSize = 1 << 10 // bytes of one token
)

// ErrFormat says that a tokenizer file is malformed or of a kind that this engine does not run.
var ErrFormat = errors.New("tokenizer: format")

type pair struct{ left, right int32 }

type merge struct{ rank, id int32 }

// Tokenizer maps text to token ids below Vocab.
type Tokenizer struct {
	tokens  [][]byte // by id; nil for special tokens
	special map[int32]string
	bytes   [256]int32
	merges  map[pair]merge
	order   []pair // merges by rank
	end     int32  // id of EndOfText, -1 if there is none
}

// Vocab returns the number of token ids.
func (t *Tokenizer) Vocab() int { return len(t.tokens) }

// End returns the id of EndOfText, or -1.
func (t *Tokenizer) End() int32 { return t.end }

// Token returns the bytes of a token; none for special and unknown ids.
func (t *Tokenizer) Token(id int32) []byte {
	if id < 0 || int(id) >= len(t.tokens) {
		return nil
	}
	return t.tokens[id]
}

// Encode returns the tokens of text.
func (t *Tokenizer) Encode(text string) []int32 {
	var out []int32
	var w word
	for len(text) > 0 {
		n := piece(text)
		out = t.encodePiece(out, text[:n], &w)
		text = text[n:]
	}
	return out
}

// Encoder encodes many texts and remembers pieces that it has met, in bounded memory.
type Encoder struct {
	t    *Tokenizer
	seen map[string][]int32
	w    word
}

// NewEncoder returns an encoder for t.
func (t *Tokenizer) NewEncoder() *Encoder {
	return &Encoder{t: t, seen: make(map[string][]int32)}
}

// Append adds the tokens of text to dst: the same that Encode gives.
func (e *Encoder) Append(dst []int32, text string) []int32 {
	const most, longest = 1 << 16, 64
	for len(text) > 0 {
		n := piece(text)
		p := text[:n]
		text = text[n:]
		if ids, ok := e.seen[p]; ok {
			dst = append(dst, ids...)
			continue
		}
		at := len(dst)
		dst = e.t.encodePiece(dst, p, &e.w)
		if len(p) <= longest && len(e.seen) < most {
			e.seen[strings.Clone(p)] = append([]int32(nil), dst[at:]...)
		}
	}
	return dst
}

// Decode returns the text of ids, with U+FFFD for every byte that is not part of valid
// UTF-8. Special and unknown ids have no text.
func (t *Tokenizer) Decode(ids []int32) string {
	var b strings.Builder
	s := t.NewStream()
	for _, id := range ids {
		b.WriteString(s.Next(id))
	}
	b.WriteString(s.Flush())
	return b.String()
}

// Stream decodes token by token and never emits a broken character.
type Stream struct {
	t       *Tokenizer
	pending []byte
}

// NewStream returns a decoder that has seen nothing.
func (t *Tokenizer) NewStream() *Stream { return &Stream{t: t} }

// Next returns the text that id completes, which may be empty.
func (s *Stream) Next(id int32) string {
	s.pending = append(s.pending, s.t.Token(id)...)
	var out []byte
	for len(s.pending) > 0 && utf8.FullRune(s.pending) {
		r, n := utf8.DecodeRune(s.pending)
		out = utf8.AppendRune(out, r)
		s.pending = s.pending[n:]
	}
	return string(out)
}

// Flush returns what is left of an unfinished character, as U+FFFD.
func (s *Stream) Flush() string {
	out := strings.Repeat(string(utf8.RuneError), len(s.pending))
	s.pending = nil
	return out
}

const (
	letter = iota
	number
	space
	other
)

func classify(text string) (class, size int) {
	if c := text[0]; c < utf8.RuneSelf {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			return letter, 1
		case c >= '0' && c <= '9':
			return number, 1
		case c == ' ' || c >= '\t' && c <= '\r':
			return space, 1
		}
		return other, 1
	}
	r, n := utf8.DecodeRuneInString(text)
	switch {
	case unicode.IsLetter(r):
		return letter, n
	case unicode.IsNumber(r):
		return number, n
	case unicode.IsSpace(r):
		return space, n
	}
	return other, n
}

// piece returns the length of the first piece of text, which is not empty, by GPT-2's rule:
// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func piece(text string) int {
	if text[0] == '\'' {
		for _, s := range []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
			if strings.HasPrefix(text, s) {
				return len(s)
			}
		}
	}
	at := 0
	class, n := classify(text)
	if text[0] == ' ' && len(text) > 1 {
		if next, m := classify(text[1:]); next != space {
			class, n, at = next, m, 1
		}
	}
	last := n
	for at += n; at < len(text); at += last {
		var c int
		c, n = classify(text[at:])
		if c != class {
			break
		}
		last = n
	}
	if class == space && at < len(text) && at > last {
		return at - last // the last space belongs to what follows
	}
	return at
}
