package devnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"unicode/utf8"
)

// ErrCorpus says that there is no text to work with.
var ErrCorpus = errors.New("devnet: no corpus")

// Bounds of a corpus: it is read into memory, and a tour trains on it.
const (
	maxCorpus  = 64 << 20 // bytes in all
	minRecord  = 40       // bytes: shorter comments say nothing
	maxRecords = 100_000
)

// Part is what one contributor publishes.
type Part struct {
	Name    string
	Records []string
}

// Bytes is the text's size.
func (p Part) Bytes() (n int) {
	for _, r := range p.Records {
		n += len(r)
	}
	return n
}

// Corpus is what a tour publishes and asks about.
type Corpus struct {
	Name      string
	Licence   string // SPDX id
	Parts     []Part // one a contributor
	Questions []string
}

// goQuestions begin as documentation does: a model continues them.
var goQuestions = []string{"Package http implements", "The function returns an error if", "A Reader reads"}

// GoCorpus is the text that is present wherever Go is: the package comments of
// the standard library and the commands, in three parts of about equal size.
func GoCorpus(ctx context.Context) (Corpus, error) {
	root, err := goRoot(ctx)
	if err != nil {
		return Corpus{}, err
	}
	records, err := packageComments(ctx, os.DirFS(filepath.Join(root, "src")))
	if err != nil {
		return Corpus{}, fmt.Errorf("devnet: read the Go sources in %s: %w", root, err)
	}
	if len(records) < 3 {
		return Corpus{}, fmt.Errorf("%w: %s holds %d package comments: give a text with --corpus DIR", ErrCorpus, root, len(records))
	}
	return Corpus{"godoc", "BSD-3-Clause", thirds("godoc", splitLong(records)), goQuestions}, nil
}

func goRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if root := strings.TrimSpace(string(out)); err == nil && root != "" {
		return root, nil
	}
	if root := runtime.GOROOT(); root != "" { //nolint:staticcheck // the one way left where no go command is on the path
		return root, nil
	}
	return "", fmt.Errorf("%w: no Go installation found: put the go command on the PATH or give a text with --corpus DIR", ErrCorpus)
}

// packageComments are the package comments below root, in path order, each once.
func packageComments(ctx context.Context, root fs.FS) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	size := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "vendor"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil || f.Doc == nil {
			return nil // a file of another dialect says nothing
		}
		text := f.Doc.Text()
		if len(text) < minRecord || seen[text] || !utf8.ValidString(text) {
			return nil
		}
		seen[text] = true
		if size += len(text); size > maxCorpus || len(out) >= maxRecords {
			return fs.SkipAll
		}
		out = append(out, text)
		return nil
	})
	return out, err
}

// DirCorpus reads every text file below dir: where all are in exactly three
// top-level folders one part for each, otherwise three parts of about equal size.
// Its questions are how three of the records begin.
func DirCorpus(ctx context.Context, dir, licence string) (Corpus, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Corpus{}, fmt.Errorf("devnet: open corpus %s: %w", dir, err)
	}
	defer root.Close()
	folders := map[string][]string{}
	var all []string
	size, skipped := 0, 0
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if strings.HasPrefix(d.Name(), ".") && name != "." {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if size += int(min(info.Size(), maxCorpus+1)); size > maxCorpus || len(all) >= maxRecords {
			return fmt.Errorf("%w: %s holds more than %d MiB or %d files: choose a smaller folder", ErrCorpus, dir, maxCorpus>>20, maxRecords)
		}
		b, err := fs.ReadFile(root.FS(), name)
		if err != nil {
			return err
		}
		if !utf8.Valid(b) || bytes.ContainsRune(b, 0) || len(bytes.TrimSpace(b)) == 0 {
			skipped++
			return nil
		}
		text := strings.ReplaceAll(string(b), "\x1e", " ")
		all = append(all, text)
		if top, _, nested := strings.Cut(name, "/"); nested {
			folders[top] = append(folders[top], text)
		} else {
			folders["."] = append(folders["."], text)
		}
		return nil
	})
	if err != nil {
		return Corpus{}, fmt.Errorf("devnet: read corpus: %w", err)
	}
	if len(all) == 0 {
		return Corpus{}, fmt.Errorf("%w: no UTF-8 text file in %s (%d files are no text)", ErrCorpus, dir, skipped)
	}
	c := Corpus{Name: filepath.Base(dir), Licence: licence}
	if len(folders) == 3 && len(folders["."]) == 0 {
		c.Parts = byFolder(folders)
	} else if records := splitLong(all); len(records) >= 3 {
		c.Parts = thirds(c.Name, records)
	} else {
		return Corpus{}, fmt.Errorf("%w: %s holds %d texts: three contributors need at least three files, or one text of more than 12 KiB", ErrCorpus, dir, len(records))
	}
	for _, p := range c.Parts {
		c.Questions = append(c.Questions, beginning(p.Records[len(p.Records)/2]))
	}
	return c, nil
}

// beginning is the first words of a text.
func beginning(text string) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(len(words), 4)], " ")
}

func byFolder(folders map[string][]string) []Part {
	var parts []Part
	for name, records := range folders {
		parts = append(parts, Part{name, splitLong(records)})
	}
	sort.Slice(parts, func(i, j int) bool { return parts[i].Name < parts[j].Name })
	return parts
}

// splitLong cuts texts at blank lines into records of some kilobytes, so that
// one long file can still be shared out and held out in parts.
func splitLong(texts []string) []string {
	const want = 4 << 10
	var out []string
	for _, t := range texts {
		for len(t) > want {
			cut := strings.Index(t[want:], "\n\n")
			if cut < 0 {
				break
			}
			out = append(out, t[:want+cut+2])
			t = t[want+cut+2:]
		}
		if strings.TrimSpace(t) != "" {
			out = append(out, t)
		}
	}
	return out
}

// thirds deals the records out to three parts of about equal size, each a run of
// neighbours.
func thirds(name string, records []string) []Part {
	total := 0
	for _, r := range records {
		total += len(r)
	}
	parts := make([]Part, 3)
	at, k := 0, 0
	for i, r := range records {
		if k < 2 && (at >= (k+1)*total/3 || len(records)-i <= 2-k) && len(parts[k].Records) > 0 {
			k++
		}
		parts[k].Records = append(parts[k].Records, r)
		at += len(r)
	}
	for i := range parts {
		parts[i].Name = fmt.Sprintf("%s-%d", name, i+1)
	}
	return parts
}
