package datanet

import (
	"fmt"
	"strings"
	"testing"
)

func TestAVerificationCountsOneAndMany(t *testing.T) {
	w, s := newWorld(t, 1)
	v := w.create(s[0], Draft{})
	for n, want := range [][]string{
		{"it is the first version, signed by "},
		{"2 versions back to ", "1 contribution is signed by its contributor", "1 commitment is on the chain, in the block that"},
		{"3 versions back to ", "2 contributions are signed by their contributors", "2 commitments are on the chain, in the blocks that"},
	} {
		if n > 0 {
			v = w.add(s[0], v, fmt.Sprint("text ", n)).Version
		}
		k, err := s[0].Verify(t.Context(), v.CID, false)
		if err != nil || len(k.Problems) != 0 {
			t.Fatalf("%+v, %v", k, err)
		}
		for _, x := range want {
			if !strings.Contains(strings.Join(k.Checks, "\n"), x) {
				t.Errorf("%q is not said in %q", x, k.Checks)
			}
		}
	}
}
