package intake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"tally/protocol"
	"tally/storage"
	"tally/storage/sealed"
)

func TestSpooledDataIsPrivateAndGoneAfterwards(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "adding")
	wrong := errors.New("wrong")
	for name, c := range map[string]struct {
		data io.Reader
		use  error
	}{"good": {strings.NewReader("data"), nil}, "refused": {strings.NewReader("data"), wrong}, "broken": {iotest.ErrReader(wrong), nil}} {
		err := Spool(dir, c.data, func(f io.ReadSeeker) error {
			b, err := io.ReadAll(f)
			if err != nil || string(b) != "data" {
				t.Errorf("%s: reads %q, %v", name, b, err)
			}
			list, err := os.ReadDir(dir)
			if err != nil || len(list) != 1 {
				t.Fatalf("%s: %v, %v", name, list, err)
			}
			if fi, err := list[0].Info(); err != nil || fi.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, fi.Mode(), err)
			}
			return c.use
		})
		if name == "good" && err != nil || name != "good" && !errors.Is(err, wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

func TestReadingCountsWhatModelsLearnFrom(t *testing.T) {
	for schema, c := range map[string]struct{ field, data string }{
		"text":  {"", "one\x1e \x1etwo\x1ethree\x1efour"},
		"jsonl": {"t", "{\"t\":\"one\"}\n{\"t\":null}\n{\"t\":\"two\"}\n{\"t\":\"three\"}\n{\"t\":\"four\"}\n"},
		"csv":   {"t", "n,t\n1,one\n2,\n3,two\n4,three\n5,four\n"},
	} {
		got, err := Read(t.Context(), protocol.Manifest{Schema: schema, Field: c.field}, strings.NewReader(c.data))
		if err != nil || got.Records != 4 || got.Text != 15 || len(got.Preview) != previews || got.Preview[1] != "two" || len(got.Sketch) == 0 {
			t.Errorf("%s: %+v, %v", schema, got, err)
		}
		head, err := Preview(protocol.Manifest{Schema: schema, Field: c.field}, strings.NewReader(c.data))
		if err != nil || strings.Join(head, ",") != "one,two,three" {
			t.Errorf("%s: %q, %v", schema, head, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Read(ctx, protocol.Manifest{Schema: "text"}, strings.NewReader("one")); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller went away: %v", err)
	}
}

func TestSealedImportEndsWithItsStore(t *testing.T) {
	id, err := sealed.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	var kept bytes.Buffer
	keep := func(_ context.Context, r io.Reader) (storage.Shard, error) {
		_, err := kept.ReadFrom(r)
		return storage.Shard{}, err
	}
	if _, err := Import(t.Context(), id.Recipient(), strings.NewReader("text"), keep); err != nil {
		t.Fatal(err)
	}
	plain, err := sealed.Open(&kept, id)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(plain); err != nil || string(b) != "text" {
		t.Errorf("opens to %q, %v", b, err)
	}
	full := errors.New("disk full")
	stops := func(context.Context, io.Reader) (storage.Shard, error) { return storage.Shard{}, full } // reads nothing
	if _, err := Import(t.Context(), id.Recipient(), strings.NewReader("text"), stops); !errors.Is(err, full) {
		t.Errorf("a store that stops: %v", err)
	}
	broken := errors.New("broken")
	if _, err := Import(t.Context(), id.Recipient(), iotest.ErrReader(broken), keep); !errors.Is(err, broken) {
		t.Errorf("a file that breaks: %v", err)
	}
	if _, err := Import(t.Context(), "nobody", strings.NewReader("text"), keep); !errors.Is(err, sealed.ErrRecipient) {
		t.Errorf("sealed to nobody: %v", err)
	}
}
