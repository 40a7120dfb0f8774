package hf

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"tally/compute/exact/model"
)

// maxHeader is the largest safetensors header that is read, in bytes.
const maxHeader = 16 << 20

type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// writeSafetensors writes the tensors of m as F32, always the same bytes for the same
// parameters. Format: https://github.com/huggingface/safetensors
func writeSafetensors(w io.Writer, m *model.Model) error {
	var b strings.Builder
	b.WriteString(`{"__metadata__":{"format":"pt"}`)
	at := int64(0)
	for _, t := range m.Tensors() {
		e := entry{DType: "F32", Offsets: [2]int64{at, at + 4*int64(len(t.Data))}}
		for _, d := range t.Shape {
			e.Shape = append(e.Shape, int64(d))
		}
		at = e.Offsets[1]
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, ",%q:%s", t.Name, text)
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	head := binary.LittleEndian.AppendUint64(nil, uint64(b.Len()))
	if _, err := w.Write(append(head, b.String()...)); err != nil {
		return err
	}
	buf := make([]byte, 0, 1<<16)
	for _, t := range m.Tensors() {
		for rest := t.Data; len(rest) > 0; {
			n := min(len(rest), cap(buf)/4)
			buf = buf[:0]
			for _, v := range rest[:n] {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
	return nil
}

// readSafetensors fills the tensors of m from r, which must hold exactly them. size is the
// length of the file. It allocates no more than the header, which is bounded.
func readSafetensors(r io.Reader, size int64, m *model.Model) error {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return fmt.Errorf("%w: %w", ErrWeights, err)
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxHeader || int64(n) > size-8 {
		return fmt.Errorf("%w: a header of %d bytes in a file of %d", ErrWeights, n, size)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err != nil {
		return fmt.Errorf("%w: %w", ErrWeights, err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("%w: %w", ErrWeights, err)
	}
	delete(fields, "__metadata__")
	entries := make(map[string]entry, len(fields))
	order := make([]string, 0, len(fields))
	for name, text := range fields {
		if strings.HasSuffix(name, "rotary_emb.inv_freq") {
			return fmt.Errorf("%w: tensor %.80q: models with stored rotary frequencies are not supported", ErrWeights, name)
		}
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("%w: tensor %.80q: %w", ErrWeights, name, err)
		}
		entries[name] = e
		order = append(order, name)
	}
	slices.SortFunc(order, func(a, b string) int {
		if x, y := entries[a].Offsets[0], entries[b].Offsets[0]; x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	want := make(map[string]model.Tensor)
	for _, t := range m.Tensors() {
		want[t.Name] = t
		if _, ok := entries[t.Name]; !ok {
			return fmt.Errorf("%w: tensor %q is missing", ErrWeights, t.Name)
		}
	}
	// A tied model may still store its output matrix; it must be the embedding.
	var head2 []float32
	if _, ok := entries["lm_head.weight"]; ok && m.Config.Tied {
		head2 = make([]float32, len(m.Weights.Embed))
		want["lm_head.weight"] = model.Tensor{Name: "lm_head.weight", Shape: []int{m.Config.Vocab, m.Config.Width}, Data: head2}
	}
	at := int64(0)
	for _, name := range order {
		e := entries[name]
		t, ok := want[name]
		if !ok {
			return fmt.Errorf("%w: tensor %.80q does not belong to this architecture", ErrWeights, name)
		}
		width := widthOf(e.DType)
		if width == 0 {
			return fmt.Errorf("%w: tensor %q has dtype %.16q: F32, BF16 and F16 are supported", ErrWeights, name, e.DType)
		}
		if !slices.EqualFunc(e.Shape, t.Shape, func(a int64, b int) bool { return a == int64(b) }) {
			return fmt.Errorf("%w: tensor %q has shape %v, the config says %v", ErrWeights, name, e.Shape, t.Shape)
		}
		if e.Offsets[0] != at || e.Offsets[1]-e.Offsets[0] != int64(width*len(t.Data)) || e.Offsets[1] > size-8-int64(n) {
			return fmt.Errorf("%w: tensor %q lies at %v, want it at %d within the file", ErrWeights, name, e.Offsets, at)
		}
		at = e.Offsets[1]
		if err := readValues(r, t, e.DType, width); err != nil {
			return err
		}
	}
	if at != size-8-int64(n) {
		return fmt.Errorf("%w: %d bytes after the last tensor", ErrWeights, size-8-int64(n)-at)
	}
	for i, v := range head2 {
		if math.Float32bits(v) != math.Float32bits(m.Weights.Embed[i]) {
			return fmt.Errorf("%w: the config ties the output matrix to the embedding, but they differ", ErrWeights)
		}
	}
	return nil
}

// widthOf returns the bytes of a value of a type, or 0 if the type is not supported.
func widthOf(dtype string) int {
	switch dtype {
	case "F32":
		return 4
	case "BF16", "F16":
		return 2
	}
	return 0
}

func readValues(r io.Reader, t model.Tensor, dtype string, width int) error {
	buf := make([]byte, 1<<16)
	for rest := t.Data; len(rest) > 0; {
		n := min(len(rest), len(buf)/width)
		if _, err := io.ReadFull(r, buf[:n*width]); err != nil {
			return fmt.Errorf("%w: tensor %q: %w", ErrWeights, t.Name, err)
		}
		for i := range n {
			var bits uint32
			switch dtype {
			case "F32":
				bits = binary.LittleEndian.Uint32(buf[4*i:])
			case "BF16":
				bits = uint32(binary.LittleEndian.Uint16(buf[2*i:])) << 16
			case "F16":
				bits = half(binary.LittleEndian.Uint16(buf[2*i:]))
			}
			if bits&0x7f800000 == 0x7f800000 {
				return fmt.Errorf("%w: tensor %q holds a NaN or an infinity", ErrWeights, t.Name)
			}
			rest[i] = math.Float32frombits(bits)
		}
		rest = rest[n:]
	}
	return nil
}

// half returns the float32 bits of an IEEE 754 binary16.
func half(h uint16) uint32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case exp == 0x1f:
		return sign | 0x7f800000 | frac<<13
	case exp != 0:
		return sign | (exp+112)<<23 | frac<<13
	case frac == 0:
		return sign
	}
	// Subnormal: the value is frac·2**-24, which float32 holds exactly.
	return sign | math.Float32bits(float32(frac)*(1.0/(1<<24)))
}
