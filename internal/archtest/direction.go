package archtest

import (
	"slices"
	"strconv"
	"strings"
)

// five are the parts that node wires together.
var five = []string{"p2p", "storage", "compute", "rewards", "chainclient"}

// edge forbids production files under one folder to import what is under
// another. A reason is part of every edge.
type edge struct {
	from, to []string
	why      string
}

// edges is the import rule. A folder never forbids itself its own children.
var edges = []edge{
	{
		append([]string{"node", "protocol", "internal"}, five...),
		[]string{"cmd"},
		"cmd holds programs: flags, printing, exit codes. What others need from it belongs in node.",
	},
	{
		append([]string{"protocol", "internal"}, five...),
		[]string{"node"},
		"node wires the parts. A part that knows its wiring cannot be tested or replaced alone: declare a small interface where you need something.",
	},
	{
		five, five,
		"the five parts meet only in node, so that each can be read, tested and replaced alone: declare what you need as an interface of one to four methods at the consumer.",
	},
	{
		[]string{"protocol"},
		append([]string{"internal"}, five...),
		"protocol is the leaf of nouns that everybody imports: it may depend on nothing of ours.",
	},
	{
		[]string{"internal"},
		append([]string{"protocol"}, five...),
		"internal packages are small doors to a library. They know no types of the protocol, so that any part may use them.",
	},
	{
		[]string{"cmd"},
		[]string{"internal/kv"},
		"a command reaches data through a node, never through the node's files: two processes on one store lose data.",
	},
}

// home forbids an outside package everywhere but in its homes.
type home struct {
	prefixes []string // import path, or its beginning up to a slash
	homes    []string // folders that may import it
	why      string
}

var homes = []home{
	{
		[]string{"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/schollz/progressbar"},
		[]string{"cmd"},
		"flags and progress bars are a program's; a library returns values and errors.",
	},
	{
		[]string{"github.com/dgraph-io/badger"},
		[]string{"internal/kv"},
		"badger's defaults take gigabytes. internal/kv holds the settings measured for a home machine.",
	},
	{
		[]string{"github.com/ethereum/go-ethereum/ethclient"},
		[]string{"chainclient", "node"}, // node passes a dialed client on
		"the chain is behind chainclient: transactions are persisted before they are sent, and events survive reorgs, only there.",
	},
	{
		[]string{
			"github.com/ethereum/go-ethereum/rpc", "github.com/ethereum/go-ethereum/node", "github.com/ethereum/go-ethereum/eth",
		},
		[]string{"chainclient"},
		"the chain is behind chainclient: transactions are persisted before they are sent, and events survive reorgs, only there.",
	},
	{
		[]string{"github.com/gomlx/gomlx"},
		nil,
		"GoMLX is a reference in tests. Its bits differ between builds, so no product result may depend on it.",
	},
	{
		[]string{"testing"},
		[]string{},
		"the product does not link the test framework. A contract suite that other packages run lives in a package whose name ends in test.",
	},
}

// noIO is what protocol may not import: it is values, bytes and digests.
var noIO = []string{
	"os", "net", "io/ioutil", "io/fs", "path/filepath", "database", "syscall", "plugin", "log", "embed",
	"github.com/dgraph-io", "github.com/ipfs/boxo", "github.com/ipfs/go-datastore", "github.com/ipfs/go-ds-badger4",
	"github.com/ipld/go-car", "github.com/prometheus", "github.com/spf13",
	"github.com/libp2p/go-libp2p-kad-dht", "github.com/libp2p/go-libp2p-pubsub",
	"github.com/ethereum/go-ethereum/ethclient", "github.com/ethereum/go-ethereum/rpc",
	"github.com/ethereum/go-ethereum/node", "github.com/ethereum/go-ethereum/eth",
	"github.com/ethereum/go-ethereum/core", "github.com/ethereum/go-ethereum/p2p",
	"github.com/ethereum/go-ethereum/ethdb", "github.com/ethereum/go-ethereum/accounts/keystore",
	"github.com/gomlx",
}

// noIOExcept are pure children of something in noIO or of go-libp2p.
var noIOExcept = []string{
	"github.com/libp2p/go-libp2p/core/crypto", "github.com/libp2p/go-libp2p/core/peer",
	"github.com/libp2p/go-libp2p/core/protocol", "github.com/libp2p/go-libp2p/core/record",
}

const noIOWhy = "protocol does no I/O: the same bytes give the same answer in a node, a test, an auditor and a fuzz target."

// known are the folders that have a place in the import rule.
var known = append([]string{"cmd", "node", "protocol", "internal"}, five...)

// Direction returns every production import that breaks the import rule.
func Direction(t *Tree) []Violation {
	var out []Violation
	for _, p := range t.Packages {
		if !slices.ContainsFunc(known, func(k string) bool { return under(p.Dir, k) }) {
			out = append(out, Violation{
				p.Files[0].Path, "folder " + p.Dir + " has no place in the import rule",
				"every package is under one of " + strings.Join(known, ", ") + ". A new top folder is a decision: write an ADR and add its edges.",
			})
		}
		for _, f := range p.Files {
			if f.Test {
				continue
			}
			for _, spec := range f.AST.Imports {
				imp, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					continue // the parser has accepted it; an unquotable path cannot occur
				}
				for _, why := range forbidden(p.Dir, imp) {
					out = append(out, Violation{t.pos(f, spec), p.Dir + " imports " + imp, why})
				}
			}
		}
	}
	return out
}

// forbidden returns the reasons why a production file in dir may not import imp.
func forbidden(dir, imp string) []string {
	var whys []string
	if to, ours := strings.CutPrefix(imp, Module+"/"); ours {
		for _, e := range edges {
			for _, a := range e.from {
				for _, b := range e.to {
					if a != b && under(dir, a) && under(to, b) {
						whys = append(whys, e.why)
					}
				}
			}
		}
		return whys
	}
	for _, h := range homes {
		in := slices.ContainsFunc(h.homes, func(k string) bool { return under(dir, k) })
		if !in && underAny(imp, h.prefixes) && !suite(dir) {
			whys = append(whys, h.why)
		}
	}
	if under(dir, "protocol") && !underAny(imp, noIOExcept) &&
		(underAny(imp, noIO) || under(imp, "github.com/libp2p/go-libp2p")) {
		whys = append(whys, noIOWhy)
	}
	return whys
}

// suite reports whether dir is a package for tests: a contract suite, honest
// in-memory implementations, this checker.
func suite(dir string) bool { return strings.HasSuffix(dir, "test") }

// under reports whether p is k or below it.
func under(p, k string) bool { return p == k || strings.HasPrefix(p, k+"/") }

func underAny(p string, ks []string) bool {
	return slices.ContainsFunc(ks, func(k string) bool { return under(p, k) })
}
