package train

import (
	"bytes"
	"crypto/sha256"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// goComments returns the package and declaration comments of the Go sources of this
// machine, one document per file, up to max bytes.
func goComments(t testing.TB, max int) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("no go command to find sources with")
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	var files []string
	_ = filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, "_test.go") && !strings.Contains(p, "testdata") && !strings.Contains(p, "/cmd/") {
			files = append(files, p)
		}
		return nil
	})
	// In the order of a hash, so that any part is a fair sample.
	sort.Slice(files, func(i, j int) bool {
		a, b := sha256.Sum256([]byte(files[i])), sha256.Sum256([]byte(files[j]))
		return bytes.Compare(a[:], b[:]) < 0
	})
	var docs []string
	total := 0
	for _, f := range files {
		if total >= max {
			break
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ParseComments)
		if err != nil {
			continue
		}
		var b strings.Builder
		for _, g := range tree.Comments {
			if text := g.Text(); len(text) > 80 && !strings.Contains(text, "Copyright") {
				b.WriteString(text)
				b.WriteByte('\n')
			}
		}
		if b.Len() > 0 {
			docs = append(docs, b.String())
			total += b.Len()
		}
	}
	return docs
}

func BenchmarkTrain(b *testing.B) {
	r, err := NewRecipe("tiny", 1)
	if err != nil {
		b.Fatal(err)
	}
	t, err := NewTrainer(b.Context(), r, goComments(b, 1<<20), Options{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := t.begin(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := t.step(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*r.BatchSize*r.Context)/b.Elapsed().Seconds(), "tokens/s")
}
