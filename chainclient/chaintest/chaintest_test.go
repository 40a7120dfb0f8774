package chaintest_test

import (
	"testing"

	"tally/chainclient/chaintest"
)

// BenchmarkNew times a chain with contracts: what each test of a contract pays.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		chaintest.New(b, 7)
	}
}
