package p2p

import (
	"testing"

	_ "tally/rewards" // a test may import across
)

func BenchmarkHost(b *testing.B) {}
