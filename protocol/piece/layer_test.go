package piece

import (
	"errors"
	"testing"
)

func TestLayersLeadToTheRoot(t *testing.T) {
	for _, n := range []int{LayerSpan + 1, 2 * LayerSpan, 2*LayerSpan + 300, 5*LayerSpan - 1} {
		b := pattern(n)
		h := New(true)
		_, _ = h.Write(b)
		layer := h.Layer()
		got, err := RootOf(uint64(n), layer)
		if err != nil || got != h.Root() {
			t.Fatalf("%d bytes: %v", n, err)
		}
		for i, want := range layer {
			got, err := SpanNode(b[i*LayerSpan : min((i+1)*LayerSpan, n)])
			if err != nil || got != want {
				t.Fatalf("%d bytes, span %d: %v", n, i, err)
			}
		}
		if wrong, err := RootOf(uint64(n-1), layer); err == nil && wrong == h.Root() {
			t.Fatal("the length is not bound")
		}
		layer[len(layer)-1][0] ^= 1
		if wrong, _ := RootOf(uint64(n), layer); wrong == h.Root() {
			t.Fatal("a changed layer has the same root")
		}
		if _, err := RootOf(uint64(n), layer[1:]); !errors.Is(err, ErrLength) {
			t.Fatal(err)
		}
	}
	if _, err := RootOf(LayerSpan, make([]Hash, 1)); !errors.Is(err, ErrRange) {
		t.Fatal(err)
	}
	if _, err := SpanNode(make([]byte, LayerSpan+1)); !errors.Is(err, ErrLength) {
		t.Fatal(err)
	}
	if _, err := SpanNode(nil); !errors.Is(err, ErrLength) {
		t.Fatal(err)
	}
}
