// Package archtest reads this repository's own source and says where it breaks
// the rules that a compiler does not check.
//
// A Tree is one parse of every Go file and the names of every text file below
// the module's root. The checks are functions from a Tree to violations:
// Direction holds the import rule (cmd → node → p2p, storage, compute,
// rewards, chainclient → protocol), Habits the style rules, Docs the promises
// that prose makes: links, commands, reasons. Each violation names the file,
// the line and the reason, because a rule whose reason is not at hand gets
// worked around.
//
// Files are parsed, never type-checked against their dependencies, so the
// checks need no network, no build and no module cache. Build tags are not
// evaluated: a rule holds on every platform. Production files follow the
// rules; tests may import across. Other modules inside the repository
// (internal/tools) and folders named testdata or node_modules are not read.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// Module is the path that the root's go.mod declares.
const Module = "tally"

// Violation is one place where a rule is broken.
type Violation struct {
	Pos  string // file:line, relative to the root; the file alone where no line says more
	What string // what stands there
	Why  string // the reason of the rule
}

func (v Violation) String() string { return v.Pos + ": " + v.What + "\n\twhy: " + v.Why }

// File is one parsed Go file.
type File struct {
	Path string // slash-separated, relative to the root
	Test bool   // a _test.go file
	AST  *ast.File
}

// Package is the Go files of one folder.
type Package struct {
	Dir   string // slash-separated, relative to the root; "." is the root
	Files []*File
}

// Path returns the import path.
func (p *Package) Path() string { return path.Join(Module, p.Dir) }

// Generated reports whether every production file says it was generated. Such
// packages keep the import rule and are exempt from the habits.
func (p *Package) Generated() bool {
	n := 0
	for _, f := range p.Files {
		if f.Test {
			continue
		}
		if !ast.IsGenerated(f.AST) {
			return false
		}
		n++
	}
	return n > 0
}

// Tree is one parse of a repository. It is not changed after Load.
type Tree struct {
	Root     string
	Fset     *token.FileSet
	Packages []*Package // sorted by Dir
	Texts    []string   // every .md file, slash-separated, relative to Root
}

// Load parses the repository at root. It returns an error for a folder that it
// cannot read or a Go file that it cannot parse.
func Load(root string) (*Tree, error) {
	t := &Tree{Root: root, Fset: token.NewFileSet()}
	byDir := map[string]*Package{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && skipped(name, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		switch path.Ext(rel) {
		case ".md":
			t.Texts = append(t.Texts, rel)
		case ".go":
			file, err := parser.ParseFile(t.Fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			dir := path.Dir(rel)
			if byDir[dir] == nil {
				byDir[dir] = &Package{Dir: dir}
				t.Packages = append(t.Packages, byDir[dir])
			}
			p := byDir[dir]
			p.Files = append(p.Files, &File{Path: rel, Test: strings.HasSuffix(rel, "_test.go"), AST: file})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("archtest: load %s: %w", root, err)
	}
	sort.Slice(t.Packages, func(i, j int) bool { return t.Packages[i].Dir < t.Packages[j].Dir })
	return t, nil
}

// skipped reports whether the folder is no part of this module's source.
func skipped(name, base string) bool {
	if base == "testdata" || base == "node_modules" || base == "vendor" || base == "bin" {
		return true
	}
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil
}

// pos renders a position for a Violation.
func (t *Tree) pos(f *File, n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.Path, t.Fset.Position(n.Pos()).Line)
}
