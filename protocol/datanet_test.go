package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
)

// history writes the versions of a datanet; every number comes from r.
type history struct {
	t        testing.TB
	r        *rand.Rand
	origin   cid.Cid
	versions []Manifest
}

const (
	reader1 = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
	reader2 = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
)

func newHistory(t testing.TB, r *rand.Rand) *history {
	m := Manifest{Name: "n", Licence: "MIT", Schema: "text", Owner: testAddress(t, 2), Created: 10}
	if r.IntN(2) == 0 {
		m.Schema, m.Field = "jsonl", "body"
	}
	if r.IntN(3) == 0 {
		m.Reader = reader1
	}
	s, err := Sign(testNetwork, testKey(t, 2), m)
	if err != nil {
		t.Fatal(err)
	}
	return &history{t, r, s.CID(), []Manifest{m}}
}

func (h *history) last() Manifest { return h.versions[len(h.versions)-1] }

// next is an empty version after m.
func (h *history) next(m Manifest) Manifest {
	s, err := Sign(testNetwork, testKey(h.t, 2), m)
	if err != nil {
		h.t.Fatal(err)
	}
	m.Version, m.Origin, m.Parent, m.Created = m.Version+1, h.origin, s.CID(), m.Created+uint64(h.r.IntN(3))
	m.Shards, m.Withdrawn = slices.Clone(m.Shards), slices.Clone(m.Withdrawn)
	return m
}

func (h *history) shard(by byte, root cid.Cid, committed uint64) Shard {
	c := Contribution{
		Datanet: h.origin, Root: root, Piece: common.Hash{1}, Size: 1 + h.r.Uint64N(MaxShard), Records: h.r.Uint64N(100),
		Contributor: testAddress(h.t, by), Sketch: testCID(fmt.Sprint(h.r.Uint64())), Salt: crypto.Keccak256Hash(fmt.Append(nil, h.r.Uint64())),
	}
	signed, err := Sign(testNetwork, testKey(h.t, by), c)
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := ShardOf(testNetwork, signed, committed)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// step appends a version by one of the things that an owner may do.
func (h *history) step() {
	m := h.next(h.last())
	switch k := h.r.IntN(6); {
	case k == 0:
		m.Replicas = uint16(h.r.IntN(MaxReplicas + 1))
	case k == 1 && len(m.Shards) > 0:
		c := m.Shards[h.r.IntN(len(m.Shards))].Root
		m.Withdrawn = withdrawn(m.Withdrawn, c)
	case k == 2 && m.Reader != "":
		m.Reader = reader2
	case k == 3 && len(m.Shards) > 0: // somebody committed it before
		i := h.r.IntN(len(m.Shards))
		by := byte(1)
		if m.Shards[i].Contributor == testAddress(h.t, 1) {
			by = 3
		}
		if at := m.Shards[i].Committed; at > 1 {
			m.Shards[i] = h.shard(by, m.Shards[i].Root, 1+h.r.Uint64N(at-1))
		}
	default:
		for range 1 + h.r.IntN(3) {
			m.Shards = append(m.Shards, h.shard(1+2*byte(h.r.IntN(2)), testCID(fmt.Sprint("root", h.r.Uint64())), 1+h.r.Uint64N(1000)))
		}
	}
	h.versions = append(h.versions, m)
}

func withdrawn(list []cid.Cid, c cid.Cid) []cid.Cid {
	i, found := slices.BinarySearchFunc(list, c, func(a, b cid.Cid) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	if found {
		return list
	}
	return slices.Insert(list, i, c)
}

func (h *history) check(m, parent Manifest) error {
	return errors.Join(m.Validate(testNetwork, h.origin), m.Follows(parent))
}

func randomHistory(t testing.TB, seed uint64, versions int) *history {
	h := newHistory(t, rand.New(rand.NewPCG(seed, 0)))
	for range versions {
		h.step()
	}
	return h
}

func TestEveryHistoryThatAnOwnerMayWriteIsAccepted(t *testing.T) {
	for seed := range uint64(30) {
		h := randomHistory(t, seed, 12)
		for i := 1; i < len(h.versions); i++ {
			if err := h.check(h.versions[i], h.versions[i-1]); err != nil {
				t.Fatalf("seed %d, version %d: %v", seed, i, err)
			}
			for j := range i {
				if err := h.versions[i].Extends(h.versions[j]); err != nil {
					t.Fatalf("seed %d, version %d over %d: %v", seed, i, j, err)
				}
			}
		}
	}
}

// mutations are single changes to a version that no owner may make; each says
// whether it could be made at all.
var mutations = map[string]func(h *history, m *Manifest) bool{
	"name":            func(_ *history, m *Manifest) bool { m.Name += "x"; return true },
	"terminal escape": func(_ *history, m *Manifest) bool { m.Name = "\x1b[2J" + m.Name; return true },
	"no name":         func(_ *history, m *Manifest) bool { m.Name = ""; return true },
	"licence":         func(_ *history, m *Manifest) bool { m.Licence = "Apache-2.0"; return true },
	"unknown licence": func(_ *history, m *Manifest) bool { m.Licence = "whatever"; return true },
	"schema":          func(_ *history, m *Manifest) bool { m.Schema = "csv"; return true },
	"field":           func(_ *history, m *Manifest) bool { m.Field += "x"; return true },
	"owner":           func(h *history, m *Manifest) bool { m.Owner = testAddress(h.t, 3); return true },
	"version":         func(_ *history, m *Manifest) bool { m.Version++; return true },
	"same version":    func(_ *history, m *Manifest) bool { m.Version--; return true },
	"origin":          func(_ *history, m *Manifest) bool { m.Origin = testCID("other"); return true },
	"no origin":       func(_ *history, m *Manifest) bool { m.Origin = cid.Undef; return true },
	"no parent":       func(_ *history, m *Manifest) bool { m.Parent = cid.Undef; return true },
	"date":            func(_ *history, m *Manifest) bool { m.Created = 9; return true },
	"replicas":        func(_ *history, m *Manifest) bool { m.Replicas = MaxReplicas + 1; return true },
	"publish":         func(_ *history, m *Manifest) bool { is := m.Reader != ""; m.Reader = ""; return is },
	"close":           func(_ *history, m *Manifest) bool { is := m.Reader == ""; m.Reader = reader2; return is },
	"no reader":       func(_ *history, m *Manifest) bool { m.Reader = "age1nobody"; return true },
	"rotate and add": func(h *history, m *Manifest) bool {
		m.Reader = strings.Replace(m.Reader, "age1", "age1q", 1)[:min(62, len(m.Reader))]
		m.Shards = append(m.Shards, h.shard(1, testCID("new"), 1))
		return m.Reader != ""
	},
	"drop first": func(_ *history, m *Manifest) bool { m.Shards = m.Shards[1:]; return true },
	"drop all":   func(_ *history, m *Manifest) bool { m.Shards = nil; return true },
	"swap": func(_ *history, m *Manifest) bool {
		if len(m.Shards) < 2 {
			return false
		}
		m.Shards[0], m.Shards[1] = m.Shards[1], m.Shards[0]
		return true
	},
	"twice":       func(_ *history, m *Manifest) bool { m.Shards = append(m.Shards, m.Shards[0]); return true },
	"root":        func(_ *history, m *Manifest) bool { m.Shards[0].Root = testCID("other"); return true },
	"no root":     func(_ *history, m *Manifest) bool { m.Shards[0].Root = cid.Undef; return true },
	"piece":       func(_ *history, m *Manifest) bool { m.Shards[0].Piece[3]++; return true },
	"size":        func(_ *history, m *Manifest) bool { m.Shards[0].Size++; return true },
	"records":     func(_ *history, m *Manifest) bool { m.Shards[0].Records++; return true },
	"contributor": func(h *history, m *Manifest) bool { m.Shards[0].Contributor = testAddress(h.t, 4); return true },
	"sketch":      func(_ *history, m *Manifest) bool { m.Shards[0].Sketch = testCID("other"); return true },
	"salt":        func(_ *history, m *Manifest) bool { m.Shards[0].Salt[0]++; return true },
	"signature": func(_ *history, m *Manifest) bool {
		m.Shards[0].Signature = slices.Clone(m.Shards[0].Signature)
		m.Shards[0].Signature[7]++
		return true
	},
	"later commit": func(_ *history, m *Manifest) bool { m.Shards[0].Committed++; return true },
	"own earlier commit": func(_ *history, m *Manifest) bool {
		m.Shards[0].Committed--
		return true
	},
	"never committed": func(_ *history, m *Manifest) bool { m.Shards[0].Committed = 0; return true },
	"taken over later": func(h *history, m *Manifest) bool {
		m.Shards[0] = h.shard(4, m.Shards[0].Root, m.Shards[0].Committed)
		return true
	},
	"re-signed": func(h *history, m *Manifest) bool {
		by := byte(1)
		if m.Shards[0].Contributor == testAddress(h.t, 3) {
			by = 3
		}
		m.Shards[0] = h.shard(by, m.Shards[0].Root, m.Shards[0].Committed)
		return true
	},
	"offer again": func(_ *history, m *Manifest) bool {
		had := len(m.Withdrawn) > 0
		m.Withdrawn = nil
		return had
	},
	"withdraw a stranger": func(_ *history, m *Manifest) bool {
		m.Withdrawn = withdrawn(m.Withdrawn, testCID("never"))
		return true
	},
	"withdrawn unsorted": func(_ *history, m *Manifest) bool {
		if len(m.Withdrawn) < 2 {
			return false
		}
		slices.Reverse(m.Withdrawn)
		return true
	},
	"withdrawn twice": func(_ *history, m *Manifest) bool {
		if len(m.Withdrawn) == 0 {
			return false
		}
		m.Withdrawn = append(m.Withdrawn, m.Withdrawn[len(m.Withdrawn)-1])
		return true
	},
}

func TestEverySingleMutationOfAHistoryIsRefused(t *testing.T) {
	made := map[string]int{}
	for seed := range uint64(12) {
		h := randomHistory(t, seed, 10)
		for i := 2; i < len(h.versions); i++ {
			parent := h.versions[i-1]
			if len(parent.Shards) == 0 || parent.Shards[0].Committed < 2 {
				continue
			}
			for name, mutate := range mutations {
				// The change is made to a version that says nothing new, so that it is the only one.
				m := h.next(parent)
				if !mutate(h, &m) {
					continue
				}
				made[name]++
				if err := h.check(m, parent); err == nil {
					t.Errorf("seed %d, version %d: mutation %q is accepted", seed, i, name)
				}
			}
		}
	}
	for name := range mutations {
		if made[name] == 0 {
			t.Errorf("mutation %q was never made", name)
		}
	}
}

func TestManifestHoldsOnlyWhatContributorsSigned(t *testing.T) {
	h := newHistory(t, rand.New(rand.NewPCG(1, 1)))
	m := h.next(h.last())
	m.Shards = []Shard{h.shard(1, testCID("root"), 5)}
	if err := h.check(m, h.last()); err != nil {
		t.Fatal(err)
	}
	m.Shards[0].Records++
	if err := m.Validate(testNetwork, h.origin); !errors.Is(err, ErrSignature) {
		t.Errorf("a changed record count: %v", err)
	}
	m.Shards[0].Records--
	if err := m.Validate(testNetwork, testCID("another datanet")); err == nil {
		t.Error("a contribution to one datanet counts in another")
	}
}

func TestNamesThatATerminalWouldActOnAreRefused(t *testing.T) {
	good := Manifest{Name: "Nomen est omen – 名前", Licence: "MIT", Schema: "csv", Field: "the text"}
	if err := good.Validate(testNetwork, cid.Undef); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"a\x1b[2J", "a\nb", "a\tb", "a\u202eb", "a\x00", "\u200b"} {
		name, field := good, good
		name.Name, field.Field = bad, bad
		for _, m := range []Manifest{name, field} {
			if err := m.Validate(testNetwork, cid.Undef); !errors.Is(err, ErrDocument) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	}
}

func TestWithdrawnShardsAreNotOffered(t *testing.T) {
	h := newHistory(t, rand.New(rand.NewPCG(2, 1)))
	m := h.next(h.last())
	m.Shards = []Shard{h.shard(1, testCID("a"), 5), h.shard(1, testCID("b"), 5), h.shard(3, testCID("c"), 5)}
	m.Withdrawn = []cid.Cid{testCID("b")}
	if got := m.Offered(); len(got) != 2 || !got[0].Root.Equals(testCID("a")) || !got[1].Root.Equals(testCID("c")) {
		t.Errorf("offers %v", got)
	}
}

func TestCommitmentBindsSaltDatanetAndContributor(t *testing.T) {
	one := samples(t)["Contribution"].(Contribution)
	a, err := one.Commitment()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[common.Hash]string{a: "itself"}
	for name, change := range map[string]func(*Contribution){
		"salt": func(c *Contribution) { c.Salt[31]++ }, "datanet": func(c *Contribution) { c.Datanet = testCID("x") },
		"contributor": func(c *Contribution) { c.Contributor[0]++ }, "root": func(c *Contribution) { c.Root = testCID("x") },
		"records": func(c *Contribution) { c.Records++ }, "sketch": func(c *Contribution) { c.Sketch = cid.Undef },
	} {
		c := one
		change(&c)
		b, err := c.Commitment()
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[b]; ok {
			t.Errorf("a changed %s has the commitment of %s", name, other)
		}
		seen[b] = name
	}
}

func TestLicencesAreExpressionsOfListedOnesOrTexts(t *testing.T) {
	for _, good := range []string{"MIT", "CC-BY-4.0", "CC0-1.0", "BSD-3-Clause", "MIT OR Apache-2.0", "(GPL-2.0-only WITH Classpath-exception-2.0) AND MIT", testCID("text").String()} {
		if err := CheckLicence(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", " ", "free", "MIT OR", "MIT,Apache-2.0", "LicenseRef-mine", "DocumentRef-a:LicenseRef-b", "NONE", "NOASSERTION", "bafyrubbish", strings.Repeat("(", 250), strings.Repeat("MIT OR ", 60)} {
		if err := CheckLicence(bad); !errors.Is(err, ErrDocument) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzCheckLicence(f *testing.F) {
	for _, s := range []string{"MIT", "MIT OR Apache-2.0", "((", "GPL-2.0+ WITH x", "MIT AND (", "\x00", "-ref"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) { _ = CheckLicence(s) })
}
