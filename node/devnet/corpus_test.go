package devnet

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGoInstallationGivesThreePartsOfText(t *testing.T) {
	c, err := GoCorpus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Parts) != 3 || len(c.Questions) != 3 || c.Licence == "" {
		t.Fatalf("%d parts, %d questions, licence %q", len(c.Parts), len(c.Questions), c.Licence)
	}
	for _, p := range c.Parts {
		t.Logf("%s: %d records, %d bytes", p.Name, len(p.Records), p.Bytes())
		if p.Bytes() < 10_000 {
			t.Errorf("%s holds %d bytes", p.Name, p.Bytes())
		}
	}
}

// folder writes files by path and returns where they are.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "texts")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFoldersAreContributorsIfThereAreThree(t *testing.T) {
	c, err := DirCorpus(t.Context(), folder(t, map[string]string{
		"b/1.txt": "one two three four five", "a/2.md": "alpha", "c/d/3": "gamma", "c/bin": "\x00\x01", ".hidden/x": "no",
	}), "MIT")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Parts) != 3 || c.Parts[0].Name != "a" || c.Parts[2].Records[0] != "gamma" {
		t.Fatalf("%+v", c.Parts)
	}
	if c.Questions[1] != "one two three four" || c.Name != "texts" {
		t.Errorf("questions %q, name %q", c.Questions, c.Name)
	}
}

func TestOtherFoldersAreDealtOutInEqualParts(t *testing.T) {
	long := strings.Repeat(strings.Repeat("word ", 200)+"\n\n", 60)
	for name, files := range map[string]map[string]string{
		"one long file": {"book.txt": long},
		"flat":          {"1": long[:3000], "2": long[:3000], "3": long[:3000], "4": long[:3000]},
		"two folders":   {"x/1": long[:9000], "y/2": long[:9000]},
	} {
		c, err := DirCorpus(t.Context(), folder(t, files), "MIT")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		total := 0
		for _, p := range c.Parts {
			total += p.Bytes()
		}
		for _, p := range c.Parts {
			if p.Bytes() < total/6 {
				t.Errorf("%s: part %s has %d of %d bytes", name, p.Name, p.Bytes(), total)
			}
		}
	}
}

func TestFolderWithoutEnoughTextSaysWhatIsNeeded(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"binary": {"x": "\x00\xff"}, "one line": {"x": "hello"},
	} {
		if _, err := DirCorpus(t.Context(), folder(t, files), "MIT"); !errors.Is(err, ErrCorpus) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
