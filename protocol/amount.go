package protocol

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/holiman/uint256"
)

// ErrAmount says that a text or a calculation gives no amount: negative, not a
// whole decimal number, or past 2^256-1.
var ErrAmount = errors.New("protocol: not an amount")

// Amount is a number of the token's smallest unit (10^-18 of a token). The zero
// value is zero. It is written as a decimal string in JSON, as minimal
// big-endian bytes in dag-cbor, and as uint256 in EIP-712.
type Amount struct{ u uint256.Int }

// NewAmount is n smallest units.
func NewAmount(n uint64) Amount { return Amount{*uint256.NewInt(n)} }

// Tokens is n whole tokens.
func Tokens(n uint64) Amount {
	var a Amount
	a.u.Mul(uint256.NewInt(n), uint256.NewInt(1_000_000_000_000_000_000))
	return a
}

// AmountOf converts a non-negative integer of at most 256 bits.
func AmountOf(b *big.Int) (Amount, error) {
	if b == nil || b.Sign() < 0 || b.BitLen() > 256 {
		return Amount{}, fmt.Errorf("%w: %v", ErrAmount, b)
	}
	var a Amount
	a.u.SetFromBig(b)
	return a, nil
}

// ParseAmount reads a decimal string of smallest units.
func ParseAmount(s string) (Amount, error) {
	var a Amount
	if len(s) > 78 {
		return a, fmt.Errorf("%w: %d digits", ErrAmount, len(s))
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return a, fmt.Errorf("%w: %q: write a whole decimal number of the smallest unit", ErrAmount, s)
		}
	}
	if err := a.u.SetFromDecimal(s); err != nil {
		return a, fmt.Errorf("%w: %q", ErrAmount, s)
	}
	return a, nil
}

// Add is a+b, or ErrAmount past 2^256-1.
func (a Amount) Add(b Amount) (Amount, error) {
	var c Amount
	if _, over := c.u.AddOverflow(&a.u, &b.u); over {
		return Amount{}, fmt.Errorf("%w: %s + %s overflows", ErrAmount, a, b)
	}
	return c, nil
}

// Sub is a-b, or ErrAmount below zero.
func (a Amount) Sub(b Amount) (Amount, error) {
	var c Amount
	if _, under := c.u.SubOverflow(&a.u, &b.u); under {
		return Amount{}, fmt.Errorf("%w: %s - %s is negative", ErrAmount, a, b)
	}
	return c, nil
}

// MulDiv is a·num/den rounded down, with a 512-bit product; ErrAmount if den is
// zero or the result passes 2^256-1.
func (a Amount) MulDiv(num, den uint64) (Amount, error) {
	var c Amount
	if den == 0 {
		return c, fmt.Errorf("%w: division by zero", ErrAmount)
	}
	if _, over := c.u.MulDivOverflow(&a.u, uint256.NewInt(num), uint256.NewInt(den)); over {
		return Amount{}, fmt.Errorf("%w: %s * %d / %d overflows", ErrAmount, a, num, den)
	}
	return c, nil
}

// Cmp is -1, 0 or +1 as a is below, equal to or above b.
func (a Amount) Cmp(b Amount) int { return a.u.Cmp(&b.u) }

// IsZero reports a == 0.
func (a Amount) IsZero() bool { return a.u.IsZero() }

// Big is a copy as a big integer.
func (a Amount) Big() *big.Int { return a.u.ToBig() }

// Fits128 reports whether a can be a value in a Merkle-sum tree.
func (a Amount) Fits128() bool { return a.u.BitLen() <= 128 }

// String is the decimal number of smallest units.
func (a Amount) String() string { return a.u.Dec() }

// MarshalText writes the decimal string.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.u.Dec()), nil }

// UnmarshalText reads a decimal string.
func (a *Amount) UnmarshalText(b []byte) error {
	v, err := ParseAmount(string(b))
	if err != nil {
		return err
	}
	*a = v
	return nil
}

func (a Amount) bytes() []byte { return a.u.Bytes() } // minimal big-endian, empty for zero

func (a Amount) bytes32() [32]byte { return a.u.Bytes32() }
