package resident

import (
	"fmt"
	"strings"
	"testing"
)

// shown is one mapping as the system shows it.
func shown(head string, fields ...string) string {
	return head + "\nSize: 8 kB\nRss:                 8 kB\n" + strings.Join(fields, "\n") + "\nVmFlags: rd mr mw me\n"
}

func TestOnlyCleanMappingsOfTheProgramAreGivenBack(t *testing.T) {
	const exe = "/opt/my tally"
	none := []string{"Anonymous:             0 kB", "Swap:                  0 kB"}
	for _, c := range []struct {
		what, smaps string
		want        int
	}{
		{"code", shown("00402000-00404000 r-xp 00002000 fe:00 123                        /opt/my tally", none...), 1},
		{"tables", shown("00402000-00404000 r--p 00002000 fe:00 123                        /opt/my tally", none...), 1},
		{"data", shown("00402000-00404000 rw-p 00002000 fe:00 123                        /opt/my tally", none...), 0},
		{"a shared mapping", shown("00402000-00404000 r--s 00002000 fe:00 123                        /opt/my tally", none...), 0},
		{"data that was protected after it was written", shown("00402000-00404000 r--p 00002000 fe:00 123   /opt/my tally", "Anonymous: 4 kB", none[1]), 0},
		{"such data, swapped out", shown("00402000-00404000 r--p 00002000 fe:00 123   /opt/my tally", none[0], "Swap: 4 kB"), 0},
		{"a kernel that does not say", shown("00402000-00404000 r--p 00002000 fe:00 123   /opt/my tally", none[0]), 0},
		{"a library", shown("7f402000-7f404000 r-xp 00002000 fe:00 124                        /lib/libc.so.6", none...), 0},
		{"another program whose name goes on", shown("00402000-00404000 r-xp 00002000 fe:00 125   /opt/my tally.old", none...), 0},
		{"memory of no file", shown("c000000000-c000400000 r--p 00000000 00:00 0 ", none...), 0},
		{"a file named as a field", shown("00402000-00404000 r-xp 00002000 fe:00 123   /opt/Anonymous: 0 kB", none...), 0},
		{"nothing", "", 0},
		{"noise", "x-y r-xp\nAnonymous: 0 kB\nSwap: 0 kB\n\x00\n", 0},
	} {
		got, err := clean(strings.NewReader(c.smaps), exe)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %v, %v", c.what, got, err)
		}
		for _, a := range got {
			if (a != area{0x402000, 0x404000, 8 << 10}) {
				t.Errorf("%s: %+v", c.what, a)
			}
		}
	}
}

func TestTheProgramGoesOnAfterItsPagesWereGivenBack(t *testing.T) {
	for range 3 {
		was, err := Trim()
		if err != nil || was < 4096 {
			t.Fatal(was, err)
		}
		if s := fmt.Sprintf("%v %s", map[string]int{"b": 2, "a": 1}, strings.Repeat("x", 3)); s != "map[a:1 b:2] xxx" {
			t.Fatal(s)
		}
	}
}

func FuzzSmaps(f *testing.F) {
	f.Add(shown("00402000-00404000 r-xp 00002000 fe:00 123   /x", "Anonymous: 0 kB", "Swap: 0 kB"))
	f.Fuzz(func(t *testing.T, smaps string) {
		areas, _ := clean(strings.NewReader(smaps), "/x")
		for _, a := range areas {
			if a.from >= a.to {
				t.Errorf("%+v", a)
			}
		}
	})
}
