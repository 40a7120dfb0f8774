package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// MaxFile is the largest tokenizer.json that Read takes, in bytes.
const MaxFile = 64 << 20

// alphabet is GPT-2's: printable Latin-1 stands for itself, every other byte for a
// character from U+0100 on.
func alphabet() (runes [256]rune, bytes map[rune]byte) {
	bytes = make(map[rune]byte, 256)
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if b < '!' || b > '~' && b < 0xa1 || b == 0xad {
			r, next = next, next+1
		}
		runes[b], bytes[r] = r, byte(b)
	}
	return runes, bytes
}

type file struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []added         `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  *step           `json:"pre_tokenizer"`
	PostProcessor *step           `json:"post_processor"`
	Decoder       *step           `json:"decoder"`
	Model         bpe             `json:"model"`
}

type added struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

type step struct {
	Type           string `json:"type"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	TrimOffsets    bool   `json:"trim_offsets"`
	UseRegex       *bool  `json:"use_regex,omitempty"`
}

type bpe struct {
	Type         string            `json:"type"`
	Dropout      *float64          `json:"dropout"`
	UnkToken     *string           `json:"unk_token"`
	Prefix       *string           `json:"continuing_subword_prefix"`
	Suffix       *string           `json:"end_of_word_suffix"`
	FuseUnk      bool              `json:"fuse_unk"`
	ByteFallback bool              `json:"byte_fallback"`
	IgnoreMerges bool              `json:"ignore_merges"`
	Vocab        orderedVocab      `json:"vocab"`
	Merges       []json.RawMessage `json:"merges"`
}

// orderedVocab is written in the order of ids.
type orderedVocab struct {
	names []string
	ids   map[string]int32
}

// MarshalJSON implements json.Marshaler.
func (v orderedVocab) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	first := true
	for id, name := range v.names {
		if name == "" {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		key, err := plain(name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s:%d", key, id)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *orderedVocab) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &v.ids) }

func plain(s string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return bytes.TrimSpace(b.Bytes()), err
}

// MarshalJSON writes a Hugging Face tokenizer.json, always the same bytes for the same
// tokenizer.
func (t *Tokenizer) MarshalJSON() ([]byte, error) {
	runes, _ := alphabet()
	name := func(id int32) string {
		if s, ok := t.special[id]; ok {
			return s
		}
		var b strings.Builder
		for _, c := range t.tokens[id] {
			b.WriteRune(runes[c])
		}
		return b.String()
	}
	yes := true
	level := func(prefix bool) *step {
		return &step{Type: "ByteLevel", AddPrefixSpace: prefix, TrimOffsets: true, UseRegex: &yes}
	}
	f := file{
		Version: "1.0", PreTokenizer: level(false), Decoder: level(true),
		Model: bpe{Type: "BPE", Vocab: orderedVocab{names: make([]string, len(t.tokens))}},
	}
	for id := range int32(len(t.tokens)) {
		f.Model.Vocab.names[id] = name(id)
		if s, ok := t.special[id]; ok {
			f.AddedTokens = append(f.AddedTokens, added{ID: id, Content: s, Special: true})
		}
	}
	for _, p := range t.order {
		text, err := plain(name(p.left) + " " + name(p.right))
		if err != nil {
			return nil, err
		}
		f.Model.Merges = append(f.Model.Merges, text)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

func null(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// Read parses a tokenizer.json of byte-level BPE kind with GPT-2's splitting rule, and
// refuses every other kind by name. Memory is bounded by the size of the file.
func Read(data []byte) (*Tokenizer, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("%w: %d bytes, the most is %d", ErrFormat, len(data), MaxFile)
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := f.supported(); err != nil {
		return nil, err
	}
	n := len(f.Model.Vocab.ids)
	for _, a := range f.AddedTokens {
		if _, ok := f.Model.Vocab.ids[a.Content]; !ok {
			n++
		}
	}
	if n < 256 || n > MaxVocab {
		return nil, fmt.Errorf("%w: %d tokens, want 256 to %d", ErrFormat, n, MaxVocab)
	}
	return f.build(n)
}

// supported refuses what this engine would run wrongly.
func (f *file) supported() error {
	switch {
	case f.Model.Type != "BPE":
		return fmt.Errorf("%w: model %q, only BPE is supported", ErrFormat, f.Model.Type)
	case f.Model.Dropout != nil && *f.Model.Dropout != 0:
		return fmt.Errorf("%w: BPE dropout is not supported", ErrFormat)
	case f.Model.UnkToken != nil && *f.Model.UnkToken != "" || f.Model.ByteFallback:
		return fmt.Errorf("%w: unknown tokens and byte fallback are not supported", ErrFormat)
	case f.Model.Prefix != nil && *f.Model.Prefix != "" || f.Model.Suffix != nil && *f.Model.Suffix != "":
		return fmt.Errorf("%w: subword prefixes and suffixes are not supported", ErrFormat)
	case f.Model.IgnoreMerges:
		return fmt.Errorf("%w: ignore_merges is not supported", ErrFormat)
	case !null(f.Normalizer):
		return fmt.Errorf("%w: normalizers are not supported", ErrFormat)
	case f.PreTokenizer == nil || f.PreTokenizer.Type != "ByteLevel":
		kind := "none"
		if f.PreTokenizer != nil {
			kind = f.PreTokenizer.Type
		}
		return fmt.Errorf("%w: pre-tokenizer %q, only ByteLevel is supported", ErrFormat, kind)
	case f.PreTokenizer.AddPrefixSpace:
		return fmt.Errorf("%w: add_prefix_space is not supported", ErrFormat)
	case f.PreTokenizer.UseRegex != nil && !*f.PreTokenizer.UseRegex:
		return fmt.Errorf("%w: ByteLevel without its regex is not supported", ErrFormat)
	case f.Decoder == nil || f.Decoder.Type != "ByteLevel":
		return fmt.Errorf("%w: only the ByteLevel decoder is supported", ErrFormat)
	case f.PostProcessor != nil && f.PostProcessor.Type != "ByteLevel":
		return fmt.Errorf("%w: post-processor %q is not supported", ErrFormat, f.PostProcessor.Type)
	}
	return nil
}

// build makes the tokenizer of a supported file with n tokens.
func (f *file) build(n int) (*Tokenizer, error) {
	_, back := alphabet()
	t := &Tokenizer{tokens: make([][]byte, n), special: make(map[int32]string), merges: make(map[pair]merge), end: -1}
	taken := make([]bool, n)
	claim := func(id int32, name string) error {
		if id < 0 || int(id) >= n || taken[id] {
			return fmt.Errorf("%w: id %d of token %.40q is taken or beyond %d tokens", ErrFormat, id, name, n)
		}
		taken[id] = true
		return nil
	}
	for _, a := range f.AddedTokens {
		if id, ok := f.Model.Vocab.ids[a.Content]; ok && id != a.ID {
			return nil, fmt.Errorf("%w: token %.40q has two ids", ErrFormat, a.Content)
		}
		if a.Content == "" || len(a.Content) > MaxTokenSize {
			return nil, fmt.Errorf("%w: an added token of %d bytes", ErrFormat, len(a.Content))
		}
		if err := claim(a.ID, a.Content); err != nil {
			return nil, err
		}
		t.special[a.ID] = a.Content
		if a.Content == EndOfText {
			t.end = a.ID
		}
	}
	var single [256]bool
	for name, id := range f.Model.Vocab.ids {
		if s, ok := t.special[id]; ok && s == name {
			continue
		}
		if err := claim(id, name); err != nil {
			return nil, err
		}
		if len(name) > 2*MaxTokenSize {
			return nil, fmt.Errorf("%w: a token of %d bytes", ErrFormat, len(name))
		}
		var raw []byte
		for _, r := range name {
			b, ok := back[r]
			if !ok {
				return nil, fmt.Errorf("%w: token %.40q is not in the byte alphabet", ErrFormat, name)
			}
			raw = append(raw, b)
		}
		if len(raw) == 0 || len(raw) > MaxTokenSize {
			return nil, fmt.Errorf("%w: token %d has %d bytes", ErrFormat, id, len(raw))
		}
		t.tokens[id] = raw
		if len(raw) == 1 {
			t.bytes[raw[0]], single[raw[0]] = id, true
		}
	}
	for b, ok := range single {
		if !ok {
			return nil, fmt.Errorf("%w: no token for byte %#x", ErrFormat, b)
		}
	}
	return t, f.readMerges(t)
}

func (f *file) readMerges(t *Tokenizer) error {
	if len(f.Model.Merges) > MaxVocab {
		return fmt.Errorf("%w: %d merges, the most is %d", ErrFormat, len(f.Model.Merges), MaxVocab)
	}
	for _, raw := range f.Model.Merges {
		var left, right string
		var both []string
		var text string
		if json.Unmarshal(raw, &text) == nil {
			left, right, _ = strings.Cut(text, " ")
		} else if json.Unmarshal(raw, &both) == nil && len(both) == 2 {
			left, right = both[0], both[1]
		}
		l, ok1 := f.Model.Vocab.ids[left]
		r, ok2 := f.Model.Vocab.ids[right]
		id, ok3 := f.Model.Vocab.ids[left+right]
		if !ok1 || !ok2 || !ok3 || t.tokens[l] == nil || t.tokens[r] == nil || t.tokens[id] == nil {
			return fmt.Errorf("%w: merge %.80s is of unknown tokens", ErrFormat, raw)
		}
		p := pair{l, r}
		if _, twice := t.merges[p]; twice {
			return fmt.Errorf("%w: merge %.80s occurs twice", ErrFormat, raw)
		}
		t.merges[p] = merge{rank: int32(len(t.order)), id: id}
		t.order = append(t.order, p)
	}
	return nil
}
