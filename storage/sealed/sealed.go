// Package sealed encrypts the shards of private datanets and hands their keys to
// readers.
//
// The life of a private datanet: its owner makes an Identity with NewIdentity and
// publishes its Recipient in the manifest; contributors Seal each shard to that
// recipient before import, so what is pinned, proved and served is cipher text
// like any other shard. To let somebody read, the owner makes a Grant: the
// identity, sealed to the reader's own recipient. The reader unwraps it, checks
// that it opens this datanet, and reads with Open. A reader's identity follows
// from its node's key (ReaderIdentity), so there is nothing more to back up.
//
// The format is age v1 (https://age-encryption.org/v1, C2SP age.md) with one
// X25519 recipient: any age program opens a shard with the identity, and a grant
// with the reader's.
//
// What it gives: without a grant nothing of the text can be read, and no byte of
// it can be changed unnoticed by somebody without the recipient. What it does not:
//
//   - Sizes, the number of shards and records, who contributed, when, and that
//     the datanet exists are public, as is the name, licence and schema. The
//     cipher text is 16 bytes a 64 KiB longer than the text, and about 230.
//   - Whoever knows the recipient can seal, so a shard's origin is told by the
//     contribution's signature, not by the seal.
//   - A grant hides its reader from those who see it; the owner knows it, and so
//     does whoever carried it between the two.
//   - Revoking works for the future only: a new identity, a new recipient in the
//     next version, new grants to those who stay. Who had a grant has the key,
//     and maybe the text, for ever. There is no forward secrecy: the node key
//     opens every grant made to it.
//   - X25519 falls to a large quantum computer; data that must stay secret for
//     decades should not be here.
//
// Sealing draws random keys, so the same text gives another shard each time:
// duplicates are looked for before sealing.
//
// Reading is bounded: a header is at most 16 KiB, a piece 64 KiB. Readers are
// not safe for concurrent use, identities are. The package knows neither files
// nor networks.
package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// Each error says what is wrong with what is read; all of them end the reading.
var (
	// ErrRecipient says that a string names no recipient.
	ErrRecipient = errors.New("sealed: not an age X25519 recipient (age1…): ask its owner for it again")
	// ErrIdentity says that a string or key is no identity.
	ErrIdentity = errors.New("sealed: not an age X25519 identity (AGE-SECRET-KEY-1…)")
	// ErrKey says that the data is sealed to somebody else.
	ErrKey = errors.New("sealed: sealed to another key: ask the owner for a grant")
	// ErrForeign says that the data is no age file, or none of ours.
	ErrForeign = errors.New("sealed: not a sealed shard or grant")
	// ErrTruncated says that the data ends too early or that its last piece was
	// changed: the cipher cannot tell the two apart.
	ErrTruncated = errors.New("sealed: ends too early, or its end was changed: fetch it again")
	// ErrTampered says that the data was changed after it was sealed.
	ErrTampered = errors.New("sealed: changed after it was sealed: fetch it from another source")
	// ErrGrant says that a grant opens, but not this datanet.
	ErrGrant = errors.New("sealed: grant is for another datanet, or from before its key was changed: ask the owner for a new one")
)

const (
	intro     = "age-encryption.org/v1\n"
	maxHeader = 16 << 10 // bytes; ours has 200
)

// Seal encrypts what is written to it for recipient, onto w. Nothing is complete
// before Close returns nil; Close does not close w.
func Seal(w io.Writer, recipient string) (io.WriteCloser, error) {
	to, err := parseRecipient(recipient)
	if err != nil {
		return nil, err
	}
	out, err := age.Encrypt(w, to)
	if err != nil {
		return nil, fmt.Errorf("sealed: seal: %w", err)
	}
	return out, nil
}

// Open decrypts r. Every byte that it returns was checked; that nothing is
// missing at the end is known only at io.EOF, so what was read before an error
// must be thrown away.
func Open(r io.Reader, id Identity) (io.Reader, error) {
	if id.key == nil {
		return nil, ErrIdentity
	}
	b := &bounded{r: r, left: maxHeader}
	plain, err := age.Decrypt(b, id.key)
	if err != nil {
		return nil, b.headerError(err)
	}
	b.left = -1
	return &opened{plain, b}, nil
}

// OpenSeeker decrypts r, which has size bytes, piece by piece in any order: what
// Parquet needs. The end is checked first.
func OpenSeeker(r io.ReaderAt, size int64, id Identity) (io.ReadSeeker, error) {
	if id.key == nil {
		return nil, ErrIdentity
	}
	// The header is read through Open, within its bounds, before age sees r.
	if _, err := Open(io.NewSectionReader(r, 0, size), id); err != nil {
		return nil, err
	}
	plain, n, err := age.DecryptReaderAt(r, size, id.key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	return io.NewSectionReader(checkedAt{plain}, 0, n), nil
}

type checkedAt struct{ r io.ReaderAt }

func (c checkedAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return n, err
}

// bounded passes on what age reads, at most left bytes until the header is done.
type bounded struct {
	r     io.Reader
	left  int // of the header's bound; -1 once the header is done
	first []byte
	ended bool  // r ended
	err   error // of r itself
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, fmt.Errorf("%w: the header has more than %d bytes", ErrForeign, maxHeader)
	}
	if b.left > 0 && len(p) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	if b.left > 0 {
		b.left -= n
	}
	if len(b.first) < len(intro) {
		b.first = append(b.first, p[:min(n, len(intro)-len(b.first))]...)
	}
	switch err {
	case nil:
	case io.EOF:
		b.ended = true
	default:
		b.err = err
	}
	return n, err
}

// headerError says why a header was not taken.
func (b *bounded) headerError(err error) error {
	var other *age.NoIdentityMatchError
	switch {
	case b.err != nil:
		return fmt.Errorf("sealed: read: %w", b.err)
	case errors.Is(err, ErrForeign):
		return err
	case !strings.HasPrefix(intro, string(b.first)) || len(b.first) == 0:
		return fmt.Errorf("%w: it does not begin as an age file", ErrForeign)
	case errors.As(err, &other):
		for _, kind := range other.StanzaTypes {
			if kind == "X25519" {
				return ErrKey
			}
		}
		return fmt.Errorf("%w: it is sealed by other means than X25519", ErrForeign)
	case b.ended && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || len(b.first) < len(intro)):
		return fmt.Errorf("%w: in the header", ErrTruncated)
	default:
		return fmt.Errorf("%w: header: %w", ErrTampered, err)
	}
}

// opened gives age's errors their class.
type opened struct {
	plain io.Reader
	b     *bounded
}

func (o *opened) Read(p []byte) (int, error) {
	n, err := o.plain.Read(p)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case o.b.err != nil:
		return n, fmt.Errorf("sealed: read: %w", o.b.err)
	case o.b.ended:
		return n, fmt.Errorf("%w: %w", ErrTruncated, err)
	default:
		return n, fmt.Errorf("%w: %w", ErrTampered, err)
	}
}

// MaxGrant bounds a grant's bytes; it has about 270.
const MaxGrant = 1 << 10

// Grant seals a datanet's identity for a reader: a binary age file of at most
// MaxGrant bytes.
func Grant(datanet Identity, reader string) ([]byte, error) {
	if datanet.key == nil {
		return nil, ErrIdentity
	}
	var b bytes.Buffer
	w, err := Seal(&b, reader)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, datanet.Secret()); err != nil {
		return nil, fmt.Errorf("sealed: grant: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("sealed: grant: %w", err)
	}
	return b.Bytes(), nil
}

// Unwrap is the identity in a grant, once it is known to open what is sealed to
// recipient, the datanet's Reader.
func Unwrap(grant []byte, reader Identity, recipient string) (Identity, error) {
	if len(grant) > MaxGrant {
		return Identity{}, fmt.Errorf("%w: a grant has at most %d bytes, this %d", ErrForeign, MaxGrant, len(grant))
	}
	r, err := Open(bytes.NewReader(grant), reader)
	if err != nil {
		return Identity{}, err
	}
	secret, err := io.ReadAll(r)
	if err != nil {
		return Identity{}, err
	}
	id, err := ParseIdentity(string(secret))
	if err != nil {
		return Identity{}, fmt.Errorf("%w: it holds no identity", ErrForeign)
	}
	if id.Recipient() != recipient {
		return Identity{}, ErrGrant
	}
	return id, nil
}
