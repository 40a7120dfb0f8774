package market

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol"
)

// InferFee is tokens read / 1000 · RateIn + tokens written / 1000 · RateOut, each
// product rounded down to the smallest unit.
func InferFee(s protocol.InferSpec, in, out uint64) (protocol.Amount, error) {
	a, err := s.RateIn.MulDiv(in, 1000)
	if err != nil {
		return protocol.Amount{}, fmt.Errorf("market: fee: %w", err)
	}
	b, err := s.RateOut.MulDiv(out, 1000)
	if err != nil {
		return protocol.Amount{}, fmt.Errorf("market: fee: %w", err)
	}
	return a.Add(b)
}

// TrainFee is tokens trained / 1000 · Rate, rounded down.
func TrainFee(s protocol.TrainSpec, tokens uint64) (protocol.Amount, error) {
	a, err := s.Rate.MulDiv(tokens, 1000)
	if err != nil {
		return protocol.Amount{}, fmt.Errorf("market: fee: %w", err)
	}
	return a, nil
}

// PinFee is what one replica costs for the whole time: Rate · bytes / 2^20, rounded
// down, · seconds / 3600, rounded down.
func PinFee(s protocol.PinSpec) (protocol.Amount, error) {
	a, err := s.Rate.MulDiv(s.Size, 1<<20)
	if err == nil {
		a, err = a.MulDiv(s.Seconds, 3600)
	}
	if err != nil {
		return protocol.Amount{}, fmt.Errorf("market: fee: %w", err)
	}
	return a, nil
}

// covers checks that a fee fits what an offer locks.
func covers(value protocol.Amount, fee func() (protocol.Amount, error)) error {
	f, err := fee()
	if err != nil {
		return err
	}
	if f.Cmp(value) > 0 {
		return fmt.Errorf("%w: it may cost %s, the offer locks %s", ErrTerms, f, value)
	}
	return nil
}

// inputOf is the input hash of a job whose spec is all its input: it is public,
// so it is not salted. keccak256(0x02 ‖ canonical spec), as for a request.
func inputOf(spec []byte) common.Hash { return crypto.Keccak256Hash([]byte{2}, spec) }
