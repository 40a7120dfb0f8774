package market

import (
	"fmt"

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
