package archtest

import (
	"slices"
	"strings"
	"testing"
)

// load parses the tree at root and fails the test where it cannot.
func load(t *testing.T, root string) *Tree {
	t.Helper()
	tree, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Packages) < 5 || len(tree.Texts) == 0 {
		t.Fatalf("found %d packages and %d texts below %s: the checks would pass on nothing", len(tree.Packages), len(tree.Texts), root)
	}
	return tree
}

func report(t *testing.T, vs []Violation) {
	t.Helper()
	for _, v := range vs {
		t.Error(v)
	}
}

func TestImportsPointDownwards(t *testing.T)  { report(t, Direction(load(t, "../.."))) }
func TestHabitsAreKept(t *testing.T)          { report(t, Habits(load(t, "../.."))) }
func TestTextsKeepTheirPromises(t *testing.T) { report(t, Docs(load(t, "../.."))) }

// TestPlantedViolationsAreCaught holds the checks themselves to account: each
// rule is broken once in testdata/planted, among code that keeps it.
func TestPlantedViolationsAreCaught(t *testing.T) {
	tree := load(t, "testdata/planted")
	tests := []struct {
		name  string
		check func(*Tree) []Violation
		want  []string // "position: what", exactly these
	}{
		{"direction", Direction, []string{
			"chainclient/contract/token/token.go:5: chainclient/contract/token imports tally/rewards",
			"cmd/planted/main.go:4: cmd/planted imports tally/internal/kv",
			"internal/kv/kv.go:4: internal/kv imports tally/rewards",
			"p2p/host.go:5: p2p imports github.com/spf13/cobra",
			"p2p/host.go:7: p2p imports tally/storage",
			"protocol/message.go:5: protocol imports os",
			"protocol/message.go:7: protocol imports tally/node",
			"stray/stray.go: folder stray has no place in the import rule",
		}},
		{"habits", Habits, []string{
			"compute/utils/job.go: package is named utils",
			"compute/utils/job_helpers.go: file name holds the word helpers",
			"storage/shard.go:12: func init",
			"storage/shard.go:12: package-level total is assigned to",
			"storage/shard.go:19: package-level cache is counted",
			"storage/shard.go:23: a comment says TODO",
			"storage/shard.go:6: variable mu has no value: something must set it later",
			"storage/shard.go:7: variable cache is made to be filled",
			"storage: package storage has no package comment",
		}},
		{"docs", Docs, []string{
			"README.md: first code block holds [\"go run ./cmd/other\"], not [\"go run ./cmd/tally devnet\" \"go test ./...\"]",
			"README.md: link to docs/dependencies.md#nothing: no such heading",
			"README.md: link to docs/nowhere.md: no such file",
			"changelog/unreleased/vague.md: does not follow changelog/README.md",
			"docs/benchmarks.md: no benchmark BenchmarkGone",
			"docs/dependencies.md: a reason for example.org/left, which go.mod does not require",
			"docs/dependencies.md: no reason for example.org/unexplained",
			"rewards/ledger.go:1: link to docs/missing.md: no such file",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, v := range tt.check(tree) {
				got = append(got, v.Pos+": "+v.What)
				if strings.TrimSpace(v.Why) == "" {
					t.Errorf("%s: has no reason", v.Pos)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

func TestGeneratedPackagesAreExemptFromHabitsAlone(t *testing.T) {
	tree := load(t, "testdata/planted")
	i := slices.IndexFunc(tree.Packages, func(p *Package) bool { return p.Dir == "chainclient/contract/token" })
	if i < 0 || !tree.Packages[i].Generated() {
		t.Fatal("the planted generated package is not seen as generated")
	}
}

func TestHeadingsBecomeAnchorsAsOnCodeHosts(t *testing.T) {
	for heading, want := range map[string]string{
		"Why does `kv` exist?":         "why-does-kv-exist",
		"Why CARv1, one file a shard?": "why-carv1-one-file-a-shard",
		"dag-cbor — arrays":            "dag-cbor--arrays",
	} {
		if got := slug(heading); got != want {
			t.Errorf("slug(%q) = %q, want %q", heading, got, want)
		}
	}
}
