package piece

import "fmt"

// Spans returns how many nodes the Layer of length bytes has.
func Spans(length uint64) uint64 {
	n := length / LayerSpan
	if length%LayerSpan != 0 {
		n++
	}
	return n
}

// RootOf returns the piece root of length bytes whose Layer is given, so that a
// layer from a stranger can be checked before the bytes come and each span of
// LayerSpan bytes as it comes (SpanNode). Up to LayerSpan bytes have no layer that
// leads to their root: their one node is above it, and RootOf returns ErrRange.
func RootOf(length uint64, layer []Hash) (Hash, error) {
	if length <= LayerSpan {
		return Hash{}, fmt.Errorf("root of %d bytes from their layer: %w", length, ErrRange)
	}
	if uint64(len(layer)) != Spans(length) {
		return Hash{}, fmt.Errorf("root of %d bytes: layer of %d nodes, want %d: %w", length, len(layer), Spans(length), ErrLength)
	}
	depth := Depth(length)
	_, top := climb(nil, append([]Hash(nil), layer...), 0, zeros(depth), LayerHeight)
	return Bind(length, top[0]), nil
}

// SpanNode returns the node of a Layer over one span, of at most LayerSpan bytes;
// only the last span of a file is shorter.
func SpanNode(span []byte) (Hash, error) {
	if len(span) == 0 || len(span) > LayerSpan {
		return Hash{}, fmt.Errorf("node of a span of %d bytes, want 1 to %d: %w", len(span), LayerSpan, ErrLength)
	}
	h := New(true)
	_, _ = h.Write(span)
	return h.Layer()[0], nil
}
