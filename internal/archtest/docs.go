package archtest

import (
	"fmt"
	"go/ast"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Commands are the two lines that a newcomer types, as README.md shows them.
var Commands = [2]string{"go run ./cmd/tally devnet", "go test ./..."}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fenced  = regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	mention = regexp.MustCompile(`docs/[A-Za-z0-9_./-]+\.md(#[a-z0-9-]+)?`)
	require = regexp.MustCompile(`(?m)^\t([^\s/]+\.[^\s]+) v[^\s]+$`)
	row     = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
	bench   = regexp.MustCompile("`(Benchmark[A-Za-z0-9_]+)`")
	kind    = regexp.MustCompile(`^(Added|Changed|Fixed|Removed|Security): [^\n]+[^.\n]\n\n\S`)
)

// Docs returns every promise of the texts that the tree does not keep: a
// relative link or heading that is not there, a page named in a comment that
// is not there, README's two commands, a change fragment out of format, a
// direct dependency without a reason.
func Docs(t *Tree) []Violation {
	out := make([]Violation, 0)
	for _, name := range t.Texts {
		body, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(name)))
		if err != nil {
			out = append(out, Violation{name, err.Error(), "every text is readable."})
			continue
		}
		text := fenced.ReplaceAllString(string(body), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			out = append(out, t.target(name, path.Dir(name), m[1])...)
		}
		if path.Dir(name) == "changelog/unreleased" && !kind.Match(body) {
			out = append(out, Violation{
				name, "does not follow changelog/README.md",
				"a release's notes are put together from the fragments by their first line.",
			})
		}
	}
	for _, p := range t.Packages {
		for _, f := range p.Files {
			for _, g := range f.AST.Comments {
				for _, m := range mention.FindAllString(g.Text(), -1) {
					out = append(out, t.target(t.pos(f, g), ".", m)...)
				}
			}
		}
	}
	out = append(out, t.commands()...)
	out = append(out, t.benchmarks()...)
	return append(out, t.reasons()...)
}

// target checks one link of the text at pos, relative to dir.
func (t *Tree) target(pos, dir, to string) []Violation {
	const why = "a reader who follows a dead link stops trusting the page."
	u, err := url.Parse(to)
	if err != nil {
		return []Violation{{pos, fmt.Sprintf("link %q: %v", to, err), why}}
	}
	if u.Scheme != "" || u.Host != "" {
		return nil // tests reach no network
	}
	file := path.Join(dir, u.Path)
	if u.Path == "" {
		file = pos
	}
	st, err := os.Stat(filepath.Join(t.Root, filepath.FromSlash(file)))
	if err != nil {
		return []Violation{{pos, "link to " + to + ": no such file", why}}
	}
	if u.Fragment == "" || st.IsDir() || path.Ext(file) != ".md" {
		return nil
	}
	body, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(file)))
	if err != nil {
		return []Violation{{pos, err.Error(), why}}
	}
	for _, m := range heading.FindAllStringSubmatch(string(body), -1) {
		if slug(m[1]) == u.Fragment {
			return nil
		}
	}
	return []Violation{{pos, "link to " + to + ": no such heading", why}}
}

// slug is the anchor that code hosts derive from a heading.
func slug(h string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, h)
}

// commands checks that README's first code block is the two commands.
func (t *Tree) commands() []Violation {
	const why = "the first screen of README.md is what a newcomer types on a fresh machine: two commands, both of which hold."
	body, err := os.ReadFile(filepath.Join(t.Root, "README.md"))
	if err != nil {
		return []Violation{{"README.md", err.Error(), why}}
	}
	var got []string
	if m := fenced.FindStringSubmatch(string(body)); m != nil {
		for line := range strings.Lines(m[1]) {
			cmd, _, _ := strings.Cut(line, "#")
			if cmd = strings.TrimSpace(cmd); cmd != "" {
				got = append(got, cmd)
			}
		}
	}
	if !slices.Equal(got, Commands[:]) {
		return []Violation{{"README.md", fmt.Sprintf("first code block holds %q, not %q", got, Commands), why}}
	}
	return nil
}

// benchmarks checks that the benchmarks that docs/benchmarks.md names exist.
func (t *Tree) benchmarks() []Violation {
	const page = "docs/benchmarks.md"
	const why = "a number is worth what it takes to measure it again."
	body, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(page)))
	if err != nil {
		return []Violation{{page, err.Error(), why}}
	}
	there := map[string]bool{}
	for _, p := range t.Packages {
		for _, f := range p.Files {
			for _, d := range f.AST.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && f.Test && fn.Recv == nil {
					there[fn.Name.Name] = true
				}
			}
		}
	}
	var out []Violation
	for _, m := range bench.FindAllStringSubmatch(string(body), -1) {
		if !there[m[1]] {
			out = append(out, Violation{page, "no benchmark " + m[1], why})
		}
	}
	return out
}

// reasons checks that the tables of docs/dependencies.md name every direct
// requirement, and nothing else.
func (t *Tree) reasons() []Violation {
	const page = "docs/dependencies.md"
	const why = "a dependency is a risk that somebody took: the page says what for, and what it would cost to leave."
	mod, err := os.ReadFile(filepath.Join(t.Root, "go.mod"))
	if err != nil {
		return []Violation{{"go.mod", err.Error(), why}}
	}
	body, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(page)))
	if err != nil {
		return []Violation{{page, err.Error(), why}}
	}
	var out []Violation
	var direct, named []string
	for _, m := range require.FindAllStringSubmatch(string(mod), -1) {
		direct = append(direct, m[1])
	}
	for _, m := range row.FindAllStringSubmatch(string(body), -1) {
		named = append(named, m[1])
		if !slices.Contains(direct, m[1]) {
			out = append(out, Violation{page, "a reason for " + m[1] + ", which go.mod does not require", why})
		}
	}
	for _, m := range direct {
		if !slices.Contains(named, m) {
			out = append(out, Violation{page, "no reason for " + m, why})
		}
	}
	return out
}
