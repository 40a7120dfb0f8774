package sealed

import (
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
)

// readerDomain separates the readers' keys from everything else that may be
// derived from a node's key.
const readerDomain = "tally/sealed/reader/x25519/v1"

// Identity is a private key that opens what is sealed to its recipient. It
// prints as its recipient, so that no log holds the secret.
type Identity struct{ key *age.X25519Identity }

// NewIdentity draws a datanet's identity.
func NewIdentity() (Identity, error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return Identity{}, fmt.Errorf("sealed: new identity: %w", err)
	}
	return Identity{key}, nil
}

// ReaderIdentity is the identity by which a node reads grants: HKDF-SHA256
// (RFC 5869) of its secp256k1 scalar, as 32 bytes big-endian, without salt, with
// a domain of its own as info. The same key gives the same identity for ever; the identity tells
// nothing of the key.
func ReaderIdentity(key *ecdsa.PrivateKey) (Identity, error) {
	scalar, err := scalarOf(key)
	if err != nil {
		return Identity{}, err
	}
	seed, err := hkdf.Key(sha256.New, scalar, nil, readerDomain, 32)
	if err != nil {
		return Identity{}, fmt.Errorf("sealed: derive reader: %w", err)
	}
	return ParseIdentity(strings.ToUpper(bech32("age-secret-key-", seed)))
}

// scalarOf is a key's scalar, 32 bytes big-endian.
func scalarOf(key *ecdsa.PrivateKey) ([]byte, error) {
	if key != nil && key.D != nil && key.D.Sign() > 0 && key.D.BitLen() <= 256 { //nolint:staticcheck // crypto/ecdsa's own encoding does not take this curve
		return key.D.FillBytes(make([]byte, 32)), nil //nolint:staticcheck // the same
	}
	return nil, fmt.Errorf("%w: the node's key is no scalar of 32 bytes", ErrIdentity)
}

// ParseIdentity reads what Secret wrote.
func ParseIdentity(secret string) (Identity, error) {
	key, err := age.ParseX25519Identity(strings.TrimSpace(secret))
	if err != nil {
		return Identity{}, ErrIdentity // without the cause: it may quote the secret
	}
	return Identity{key}, nil
}

// Recipient is the public half, age1…: to it is sealed. It is empty for the zero
// Identity.
func (i Identity) Recipient() string {
	if i.key == nil {
		return ""
	}
	return i.key.Recipient().String()
}

// Secret is the private half, AGE-SECRET-KEY-1…: the owner keeps it where it
// keeps its key.
func (i Identity) Secret() string {
	if i.key == nil {
		return ""
	}
	return i.key.String()
}

// String is the recipient.
func (i Identity) String() string { return i.Recipient() }

// GoString is the recipient.
func (i Identity) GoString() string { return "sealed.Identity(" + i.Recipient() + ")" }

// ValidRecipient checks a recipient, such as a manifest's Reader.
func ValidRecipient(recipient string) error {
	_, err := parseRecipient(recipient)
	return err
}

func parseRecipient(s string) (*age.X25519Recipient, error) {
	if len(s) > 100 {
		return nil, ErrRecipient
	}
	r, err := age.ParseX25519Recipient(s)
	if err != nil {
		return nil, ErrRecipient
	}
	if r.String() != s {
		return nil, errors.Join(ErrRecipient, errors.New("sealed: write the recipient in lower case"))
	}
	return r, nil
}

// bech32 encodes data under a lower-case prefix: BIP 173, without its bound of 90
// characters, which age does not keep either.
func bech32(prefix string, data []byte) string {
	const charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	var values []byte // of 5 bits
	acc, bits := 0, 0
	for _, b := range data {
		acc, bits = acc<<8|int(b), bits+8
		for bits >= 5 {
			bits -= 5
			values = append(values, byte(acc>>bits&31))
		}
		acc &= 1<<bits - 1
	}
	if bits > 0 {
		values = append(values, byte(acc<<(5-bits)&31))
	}
	chk := uint32(1)
	step := func(v byte) {
		top := chk >> 25
		chk = chk&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				chk ^= g
			}
		}
	}
	for _, c := range []byte(prefix) {
		step(c >> 5)
	}
	step(0)
	for _, c := range []byte(prefix) {
		step(c & 31)
	}
	for _, v := range values {
		step(v)
	}
	for range 6 {
		step(0)
	}
	chk ^= 1
	var out strings.Builder
	out.WriteString(prefix + "1")
	for _, v := range values {
		out.WriteByte(charset[v])
	}
	for i := range 6 {
		out.WriteByte(charset[chk>>(5*(5-i))&31])
	}
	return out.String()
}
