package protocol

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
)

// SignatureSize is r ‖ s ‖ v.
const SignatureSize = 65

// ErrSignature says that a signature is malformed, high in s, or not by the account named.
var ErrSignature = errors.New("protocol: wrong signature")

// Message is a struct that an account signs.
type Message interface {
	Judge() Contract        // whose EIP-712 domain it is signed for
	Author() common.Address // whose signature it must carry
}

// Signed is a message that nobody has checked yet. Open is the only way in.
type Signed[T Message] struct {
	payload []byte
	sig     []byte
}

// envelope is the wire form of Signed. The payload is a byte string: see
// docs/RATIONALE.md#why-is-the-payload-a-byte-string.
type envelope struct {
	Payload []byte `max:"2097152"`
	Sig     []byte `max:"65"`
}

// Sign writes m and signs it with key, which must be its author's.
func Sign[T Message](n Network, key *ecdsa.PrivateKey, m T) (Signed[T], error) {
	if a := crypto.PubkeyToAddress(key.PublicKey); a != m.Author() {
		return Signed[T]{}, fmt.Errorf("%w: %T is %s's to sign, the key is %s's", ErrSignature, m, m.Author(), a)
	}
	p, err := Encode(m)
	if err != nil {
		return Signed[T]{}, err
	}
	sig, err := signature(n, key, m)
	if err != nil {
		return Signed[T]{}, err
	}
	return Signed[T]{p, sig}, nil
}

func signature(n Network, key *ecdsa.PrivateKey, m Message) ([]byte, error) {
	d, err := Digest(n, m)
	if err != nil {
		return nil, err
	}
	sig, err := crypto.Sign(d[:], key) // RFC 6979, low s
	if err != nil {
		return nil, fmt.Errorf("protocol: sign: %w", err)
	}
	sig[64] += 27
	return sig, nil
}

// ParseSigned reads an envelope. It checks its form only.
func ParseSigned[T Message](b []byte) (Signed[T], error) {
	var e envelope
	if err := Decode(b, &e); err != nil {
		return Signed[T]{}, err
	}
	if len(e.Sig) != SignatureSize {
		return Signed[T]{}, fmt.Errorf("%w: %d bytes, want %d", ErrSignature, len(e.Sig), SignatureSize)
	}
	return Signed[T]{e.Payload, e.Sig}, nil
}

// Open returns the message if its author signed it for this network.
func (s Signed[T]) Open(n Network) (T, error) {
	var m, none T
	if err := Decode(s.payload, &m); err != nil {
		return none, err
	}
	if err := checkSignature(n, m, m.Author(), s.sig); err != nil {
		return none, err
	}
	return m, nil
}

// Bytes is the envelope, [payload, signature], as it travels and is stored.
func (s Signed[T]) Bytes() []byte {
	b, err := Encode(envelope{s.payload, s.sig})
	if err != nil {
		panic("protocol: an envelope within its bounds always encodes: " + err.Error())
	}
	return b
}

// ID is the CID of the payload alone: the message's identity.
func (s Signed[T]) ID() cid.Cid { return CIDOf(s.payload) }

// CID is the CID of the envelope: where it is stored and fetched.
func (s Signed[T]) CID() cid.Cid { return CIDOf(s.Bytes()) }

// Signature is r ‖ s ‖ v, as a contract takes it. It has been checked only if the
// message was opened.
func (s Signed[T]) Signature() []byte { return append([]byte(nil), s.sig...) }

// IsZero reports a Signed that holds nothing.
func (s Signed[T]) IsZero() bool { return s.payload == nil }

func checkSignature(n Network, m Message, want common.Address, sig []byte) error {
	d, err := Digest(n, m)
	if err != nil {
		return err
	}
	got, err := Recover(d, sig)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%w: %T is signed by %s for this network, want %s", ErrSignature, m, got, want)
	}
	return nil
}

// Recover is the account that signed digest. It takes 65 bytes, low s, v 27 or
// 28, and nothing else, so a signature has no twin.
func Recover(digest common.Hash, sig []byte) (common.Address, error) {
	if len(sig) != SignatureSize {
		return common.Address{}, fmt.Errorf("%w: %d bytes, want %d", ErrSignature, len(sig), SignatureSize)
	}
	if sig[64] != 27 && sig[64] != 28 {
		return common.Address{}, fmt.Errorf("%w: v is %d, want 27 or 28", ErrSignature, sig[64])
	}
	raw := append([]byte(nil), sig...)
	raw[64] -= 27
	r, s := bigOf(raw[:32]), bigOf(raw[32:64])
	if !crypto.ValidateSignatureValues(raw[64], r, s, true) {
		return common.Address{}, fmt.Errorf("%w: r or s out of range, or s in the high half", ErrSignature)
	}
	pub, err := crypto.SigToPub(digest[:], raw)
	if err != nil {
		return common.Address{}, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return crypto.PubkeyToAddress(*pub), nil
}

func bigOf(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
