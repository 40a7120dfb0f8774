// Package intake reads data before it becomes a shard, and turns it into one.
//
// The life of a file: Spool writes what arrives to a temporary file, since Parquet is
// read from its end and bad data should not get into a store; Read checks its records against the
// schema, counts, previews and sketches them; Import makes a shard of it, sealed for a
// reader if the datanet is private.
//
// Memory is bounded by one record (storage/records) and one sketch. Nothing here is safe for concurrent use.
package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"tally/node/datanet/known"
	"tally/protocol"
	"tally/storage"
	"tally/storage/minhash"
	"tally/storage/records"
	"tally/storage/sealed"
)

// ErrText says that data does not fit the schema.
var ErrText = errors.New("datanet: data does not fit the schema")

// previews is how many records are shown.
const previews = 3

// Reading is what is in a file.
type Reading struct {
	Records uint64
	Text    uint64   // bytes of their texts
	Preview []string // the first of them, as printable lines
	Sketch  []byte   // document: see package known
}

// Read checks and counts the records of a file.
func Read(ctx context.Context, m protocol.Manifest, f io.Reader) (Reading, error) {
	var out Reading
	sketcher := minhash.NewSketcher()
	for rec, err := range records.Open(m.Schema, m.Field, f) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return out, fmt.Errorf("%w: %w", ErrText, err)
		}
		out.Records++
		out.Text += uint64(len(rec.Text))
		if len(out.Preview) < previews {
			out.Preview = append(out.Preview, records.Preview(rec.Text))
		}
		sketcher.Add(rec.Text)
	}
	if out.Records == 0 {
		return out, fmt.Errorf("%w: there is no record in it but blank ones: add a file with text", ErrText)
	}
	var err error
	out.Sketch, err = known.Encode(sketcher.Sketch())
	return out, err
}

// Preview are the first records of a file alone.
func Preview(m protocol.Manifest, f io.Reader) (out []string, err error) {
	for rec, err := range records.Open(m.Schema, m.Field, f) {
		if err != nil {
			return out, err
		}
		if out = append(out, records.Preview(rec.Text)); len(out) == previews {
			break
		}
	}
	return out, nil
}

// Spool writes r to a temporary file that only this user can read, has use work on it from its beginning,
// and removes it.
func Spool(dir string, r io.Reader, use func(io.ReadSeeker) error) (err error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("intake: %w", err)
		}
	}
	f, err := os.CreateTemp(dir, "add-*") // mode 0600
	if err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	return use(f)
}

// Import has take make a shard of a file, sealed to a reader if there is one.
func Import(ctx context.Context, reader string, f io.Reader, take func(context.Context, io.Reader) (storage.Shard, error)) (storage.Shard, error) {
	if reader == "" {
		return take(ctx, f)
	}
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(seal(w, reader, f))
	}()
	sh, err := take(ctx, r)
	r.CloseWithError(io.ErrClosedPipe)
	<-done
	return sh, err
}

func seal(w io.Writer, reader string, f io.Reader) error {
	out, err := sealed.Seal(w, reader)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, f); err != nil {
		return err
	}
	return out.Close()
}
