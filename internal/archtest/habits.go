package archtest

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"regexp"
	"slices"
	"strings"
)

// vague are words that name no idea, so the file collects what fits nowhere.
var vague = []string{"util", "utils", "common", "helper", "helpers", "manager", "impl", "misc"}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)

// Habits returns every place that breaks a style rule: a package without a
// comment, a name that names nothing, an init function, package-level state, a
// note of unfinished work. Generated packages are exempt.
func Habits(t *Tree) []Violation {
	var out []Violation
	for _, p := range t.Packages {
		if p.Generated() {
			continue
		}
		out = append(out, comment(p)...)
		out = append(out, state(t, p)...)
		for _, f := range p.Files {
			out = append(out, name(f)...)
			out = append(out, notes(t, f)...)
			if !f.Test {
				out = append(out, inits(t, f)...)
			}
		}
	}
	return out
}

// comment asks for one package comment of at least a sentence. A folder of
// tests alone needs one too.
func comment(p *Package) []Violation {
	for _, f := range p.Files {
		if f.AST.Doc != nil && len(strings.TrimSpace(f.AST.Doc.Text())) > 40 {
			return nil
		}
	}
	return []Violation{{
		p.Dir, "package " + p.Files[0].AST.Name.Name + " has no package comment",
		"the package comment tells the story, then the contract: what it is, the life of one value, concurrency, what it does not do.",
	}}
}

// name refuses file and package names made of vague words.
func name(f *File) []Violation {
	const why = "a file is named for the type or idea it holds; a name like this collects what fits nowhere."
	base := strings.TrimSuffix(path.Base(f.Path), ".go")
	for w := range strings.SplitSeq(base, "_") {
		if slices.Contains(vague, w) {
			return []Violation{{f.Path, "file name holds the word " + w, why}}
		}
	}
	if pkg := strings.TrimSuffix(f.AST.Name.Name, "_test"); slices.Contains(vague, pkg) {
		return []Violation{{f.Path, "package is named " + pkg, why}}
	}
	return nil
}

// notes refuses comments that put work off.
func notes(t *Tree, f *File) []Violation {
	var out []Violation
	for _, g := range f.AST.Comments {
		for _, c := range g.List {
			if m := unfinished.FindString(c.Text); m != "" && f.AST.Name.Name != "archtest" {
				out = append(out, Violation{
					t.pos(f, c), "a comment says " + m,
					"unfinished work is an issue with a reason, not a note that nobody reads.",
				})
			}
		}
	}
	return out
}

func inits(t *Tree, f *File) []Violation {
	var out []Violation
	for _, d := range f.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			out = append(out, Violation{
				t.pos(f, fn), "func init",
				"an import must not act: what runs before main cannot be configured, tested or seen. Make it a constructor that main calls.",
			})
		}
	}
	return out
}

const stateWhy = "package-level state is shared by every node in the process, and a devnet test runs five. Put it in the struct that owns it; errors, expressions and tables that nobody changes are fine."

// state finds package-level variables that hold or may get a second value:
// declared without one, made to be filled, a lock or counter, or written,
// counted, or lent by address in a production function.
func state(t *Tree, p *Package) []Violation {
	var files []*ast.File
	at := map[*ast.File]*File{}
	for _, f := range p.Files {
		if !f.Test {
			files = append(files, f.AST)
			at[f.AST] = f
		}
	}
	if len(files) == 0 {
		return nil
	}
	// The importer knows no packages, so the checker reports errors, which are
	// ignored; it still resolves which identifier means which declaration,
	// and that is all that is asked of it.
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: nowhere{}, Error: func(error) {}, FakeImportC: true}
	pkg, _ := conf.Check(p.Path(), t.Fset, files, info) // errors are expected, see above
	global := func(e ast.Expr) (string, bool) {
		id := root(e)
		if id == nil {
			return "", false
		}
		v, ok := info.Uses[id].(*types.Var)
		return id.Name, ok && pkg != nil && v.Parent() == pkg.Scope()
	}
	var out []Violation
	for _, file := range files {
		f := at[file]
		say := func(n ast.Node, what string) {
			out = append(out, Violation{t.pos(f, n), what, stateWhy})
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, s := range d.Specs {
					spec := s.(*ast.ValueSpec)
					if what := held(d, spec); what != "" {
						say(spec, "variable "+spec.Names[0].Name+" "+what)
					}
				}
			case *ast.FuncDecl:
				if d.Body == nil {
					continue
				}
				ast.Inspect(d.Body, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.AssignStmt:
						for _, l := range n.Lhs {
							if v, ok := global(l); ok && n.Tok != token.DEFINE {
								say(n, "package-level "+v+" is assigned to")
							}
						}
					case *ast.IncDecStmt:
						if v, ok := global(n.X); ok {
							say(n, "package-level "+v+" is counted")
						}
					case *ast.UnaryExpr:
						if v, ok := global(n.X); ok && n.Op == token.AND {
							say(n, "the address of package-level "+v+" is taken")
						}
					}
					return true
				})
			}
		}
	}
	return out
}

// held says why a declaration alone is state, or "".
func held(d *ast.GenDecl, s *ast.ValueSpec) string {
	if len(s.Values) == 0 {
		for _, g := range []*ast.CommentGroup{d.Doc, s.Doc} {
			if g != nil && slices.ContainsFunc(g.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
				return ""
			}
		}
		return "has no value: something must set it later"
	}
	for _, v := range s.Values {
		switch v := v.(type) {
		case *ast.CallExpr:
			if id, ok := v.Fun.(*ast.Ident); ok && (id.Name == "make" || id.Name == "new") {
				return "is made to be filled"
			}
		case *ast.CompositeLit:
			if sel, ok := v.Type.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") {
					return "is a " + x.Name + "." + sel.Sel.Name
				}
			}
		}
	}
	return ""
}

// root returns the identifier that an assignable expression starts from.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// nowhere is an importer that finds nothing.
type nowhere struct{}

func (nowhere) Import(p string) (*types.Package, error) {
	pkg := types.NewPackage(p, path.Base(p))
	pkg.MarkComplete()
	return pkg, nil
}
