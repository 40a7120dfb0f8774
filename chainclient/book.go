package chainclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tally/protocol"
)

// ErrBook says that an address book is missing something or cannot be read.
var ErrBook = errors.New("chainclient: bad address book")

// Book is a network's address book: where its contracts are and what they were
// deployed with. Everybody on the network has the same one.
type Book struct {
	protocol.Network
	Start  uint64          `json:"start_block"` // of the deployment: no event is older
	Params protocol.Params `json:"params"`
}

// maxBook bounds an address book's file.
const maxBook = 1 << 16

// Validate says what is missing.
func (b Book) Validate() error {
	if err := b.Network.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrBook, err)
	}
	if b.Params.EpochLength == 0 || b.Params.ClaimDelay == 0 || b.Params.Quorum < 2 || b.Params.Bond.IsZero() {
		return fmt.Errorf("%w: the epoch's length, the claims' delay and the bond must be above zero, the quorum at least 2", ErrBook)
	}
	if p := b.Params.ProofPeriod; p < protocol.MinProofPeriod || p > protocol.MaxProofPeriod {
		return fmt.Errorf("%w: proof period of %d blocks: use %d to %d", ErrBook, p, protocol.MinProofPeriod, protocol.MaxProofPeriod)
	}
	if n := b.Params.ProofLeaves; n < 1 || n > protocol.MaxProofLeaves {
		return fmt.Errorf("%w: %d leaves a proof period: use 1 to %d", ErrBook, n, protocol.MaxProofLeaves)
	}
	return nil
}

// LoadBook reads a book that Save wrote, or that an operator was given.
func LoadBook(path string) (Book, error) {
	f, err := os.Open(path)
	if err != nil {
		return Book{}, fmt.Errorf("chainclient: open address book: %w", err)
	}
	defer f.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(&limited{f, maxBook}); err != nil {
		return Book{}, fmt.Errorf("%w: read %s: %w", ErrBook, path, err)
	}
	b, err := ParseBook(buf.Bytes())
	if err != nil {
		return Book{}, fmt.Errorf("%w (in %s)", err, path)
	}
	return b, nil
}

// ParseBook reads a book's JSON; unknown fields are refused.
func ParseBook(data []byte) (Book, error) {
	if len(data) > maxBook {
		return Book{}, fmt.Errorf("%w: %d bytes, at most %d", ErrBook, len(data), maxBook)
	}
	var b Book
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return Book{}, fmt.Errorf("%w: %w", ErrBook, err)
	}
	if err := b.Validate(); err != nil {
		return Book{}, err
	}
	return b, nil
}

// Save writes the book to path, whole or not at all.
func (b Book) Save(path string) error {
	if err := b.Validate(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return fmt.Errorf("chainclient: write address book: %w", err)
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".book-*")
	if err != nil {
		return fmt.Errorf("chainclient: write address book: %w", err)
	}
	defer os.Remove(f.Name()) // gone already where all went well
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("chainclient: write address book: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("chainclient: write address book: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("chainclient: write address book: %w", err)
	}
	return nil
}

// limited refuses a file past its bound, where io.LimitReader would cut it.
type limited struct {
	f    *os.File
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.f.Read(p)
	if l.left -= n; l.left < 0 {
		return 0, fmt.Errorf("more than %d bytes", maxBook)
	}
	return n, err
}
