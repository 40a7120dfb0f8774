package datanet

import (
	"errors"
	"strings"
	"testing"

	"tally/p2p"
	"tally/protocol"
)

func TestARefusedContributionIsKeptNoLongerAndOneThatNobodyAnsweredIs(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	text := prose(1, 60)
	w.add(s[0], v, text)
	again := strings.ToUpper(text) // a copy, which the owner refuses whatever its contributor says
	sh, err := w.store.ImportFile(t.Context(), strings.NewReader(again))
	if err != nil {
		t.Fatal(err)
	}
	const why = "datanet n"
	for _, x := range []struct {
		name   string
		answer func(error) error // of the network to the contribution
		kept   bool
	}{
		{"refused", func(err error) error { return &p2p.RemoteError{Text: err.Error()} }, false},
		{"busy", func(error) error { return &p2p.RemoteError{Text: ErrRefused.Error(), Busy: true} }, true},
		{"in trouble", func(error) error { return &p2p.RemoteError{Text: "kv: disk full"} }, true},
		{"silent", func(error) error { return errors.New("no answer") }, true},
	} {
		w.answer = func(b []byte, err error) ([]byte, error) {
			if err == nil { // the head, and sketches
				return b, nil
			}
			return nil, x.answer(err)
		}
		if _, err := s[1].Add(t.Context(), v.CID, strings.NewReader(again), Options{Accept: true}); err == nil {
			t.Fatalf("%s: it was added", x.name)
		}
		if kept, err := w.Pinned(t.Context(), sh.Root, why); err != nil || kept != x.kept {
			t.Errorf("%s: kept %t, %v", x.name, kept, err)
		}
		if err := w.store.Unpin(t.Context(), sh.Root, why); err != nil {
			t.Fatal(err)
		}
	}

	// A pin that was there before the call is not the call's to take.
	w.answer = nil
	if err := w.Pin(t.Context(), sh.Root, why); err != nil {
		t.Fatal(err)
	}
	if _, err := s[1].Add(t.Context(), v.CID, strings.NewReader(again), Options{Accept: true}); !errors.Is(err, ErrDuplicate) {
		t.Fatal(err)
	}
	if kept, err := w.Pinned(t.Context(), sh.Root, why); err != nil || !kept {
		t.Errorf("a pin from before: kept %t, %v", kept, err)
	}
}

func TestARefusedCallTakesNoPinFromAnotherAtTheSameShard(t *testing.T) {
	w, s := newWorld(t, 1)
	sh, err := w.store.ImportFile(t.Context(), strings.NewReader("text"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := s[0].show(t.Context(), sh.Root, "r")
	if err != nil {
		t.Fatal(err)
	}
	second, err := s[0].show(t.Context(), sh.Root, "r")
	if err != nil {
		t.Fatal(err)
	}
	first(ErrRefused)
	if kept, err := w.Pinned(t.Context(), sh.Root, "r"); err != nil || !kept {
		t.Errorf("the other call's shard is kept %t, %v", kept, err)
	}
	second(nil)
	if len(s[0].shows.count) != 0 || refusal(protocol.ErrDocument) || refusal(nil) {
		t.Error("something is left, or no refusal is taken for one")
	}
}
