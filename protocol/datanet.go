package protocol

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
)

// MaxShard bounds the CAR file of one shard: 1 GiB.
const MaxShard = 1 << 30

// MaxReplicas bounds how many nodes a datanet can ask to prove each shard.
const MaxReplicas = 256

// SchemaText is the schema of records that are UTF-8 text, separated by
// RecordSeparator. It is the only one without a field.
const SchemaText = "text"

// Shard is one CAR file of a datanet: a contribution, when it was committed, and
// its contributor's signature.
type Shard struct {
	Root        cid.Cid
	Piece       common.Hash
	Size        uint64 // bytes of the CAR file
	Records     uint64
	Contributor common.Address
	Sketch      cid.Cid     // MinHash sketch of the records, or none: see docs/spec/datanet.md
	Salt        common.Hash // of the contribution, not zero
	Committed   uint64      // the block in which the contribution's commitment is
	Signature   []byte      `max:"65"` // the contributor's over the Contribution
}

// Manifest is the head of a datanet at one version; the owner signs it.
type Manifest struct {
	Name    string
	Licence string // SPDX expression, or the CID of a text
	Schema  string // format of the records, such as "text"
	Owner   common.Address
	Version uint64  // 0, then +1
	Origin  cid.Cid // Signed[Manifest] of version 0: the datanet's identity; none in version 0
	Parent  cid.Cid // Signed[Manifest] before it; none in version 0
	Shards  []Shard `max:"4096"`
	Created uint64  // unix seconds
	// Replicas is how many nodes should prove each shard; 0 asks for none.
	Replicas uint16
	// Field names what models learn from in a record; empty for "text".
	Field string
	// Withdrawn are roots that are no longer offered from this version on; they
	// stay in Shards, since what was learned from them stays learned. In ascending
	// order of their binary form.
	Withdrawn []cid.Cid `max:"4096"`
	// Reader is the age recipient that every shard is encrypted to; empty for a
	// public datanet.
	Reader string
}

// Judge is the registry.
func (Manifest) Judge() Contract { return JudgeRegistry }

// Author is the owner.
func (m Manifest) Author() common.Address { return m.Owner }

var (
	schemaForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	// readerForm is an age X25519 recipient: bech32 of 32 bytes (C2SP age, section 5.3).
	readerForm = regexp.MustCompile(`^age1[02-9ac-hj-np-z]{58}$`)
)

// CheckReader says whether a text has the form of an age X25519 recipient.
func CheckReader(recipient string) error {
	if !readerForm.MatchString(recipient) {
		return fmt.Errorf("%w: %.80q is no age recipient (age1…, 62 characters)", ErrDocument, recipient)
	}
	return nil
}

// Validate checks what a signature cannot: required fields and the contributors'
// signatures. origin is the datanet's identity (the envelope CID of version 0).
// That commitments are on the chain is not checked here.
func (m Manifest) Validate(n Network, origin cid.Cid) error {
	if err := m.validateHead(origin); err != nil {
		return err
	}
	listed := make(map[cid.Cid]bool, len(m.Shards))
	for i, s := range m.Shards {
		if listed[s.Root] {
			return fmt.Errorf("%w: shard %s is listed twice", ErrDocument, s.Root)
		}
		listed[s.Root] = true
		switch {
		case !s.Root.Defined():
			return fmt.Errorf("%w: shard %d of datanet %q has no root", ErrDocument, i, m.Name)
		case s.Size == 0 || s.Size > MaxShard:
			return fmt.Errorf("%w: shard %s claims %d bytes, want 1 to %d", ErrDocument, s.Root, s.Size, uint64(MaxShard))
		case s.Salt == (common.Hash{}) || s.Committed == 0:
			return fmt.Errorf("%w: shard %s has no salt or was never committed", ErrDocument, s.Root)
		}
		if err := checkSignature(n, s.Contribution(origin), s.Contributor, s.Signature); err != nil {
			return fmt.Errorf("protocol: shard %d of datanet %q: %w", i, m.Name, err)
		}
	}
	for i, c := range m.Withdrawn {
		if !listed[c] {
			return fmt.Errorf("%w: %s is withdrawn from datanet %q but was never in it", ErrDocument, c, m.Name)
		}
		if i > 0 && bytes.Compare(m.Withdrawn[i-1].Bytes(), c.Bytes()) >= 0 {
			return fmt.Errorf("%w: withdrawn roots of datanet %q are not in ascending order", ErrDocument, m.Name)
		}
	}
	return nil
}

func (m Manifest) validateHead(origin cid.Cid) error {
	switch {
	case strings.TrimSpace(m.Name) == "":
		return fmt.Errorf("%w: a datanet needs a name", ErrDocument)
	case strings.ContainsFunc(m.Name+m.Field, unprintable): // both are shown on terminals
		return fmt.Errorf("%w: name %q or field %q of a datanet: use printable characters", ErrDocument, m.Name, m.Field)
	case !schemaForm.MatchString(m.Schema):
		return fmt.Errorf("%w: schema %.40q of datanet %q: want a lower-case word such as %q", ErrDocument, m.Schema, m.Name, SchemaText)
	case (m.Schema == SchemaText) != (m.Field == ""):
		return fmt.Errorf("%w: datanet %q of schema %q has field %q: every schema but %q names the field that models learn from", ErrDocument, m.Name, m.Schema, m.Field, SchemaText)
	case m.Replicas > MaxReplicas:
		return fmt.Errorf("%w: datanet %q wants %d replicas, at most %d", ErrDocument, m.Name, m.Replicas, MaxReplicas)
	case m.Version == 0 && (m.Origin.Defined() || m.Parent.Defined() || len(m.Shards) > 0 || len(m.Withdrawn) > 0):
		return fmt.Errorf("%w: version 0 of datanet %q has a parent or shards", ErrDocument, m.Name)
	case m.Version > 0 && (!m.Origin.Equals(origin) || !m.Parent.Defined()):
		return fmt.Errorf("%w: version %d of datanet %q does not follow from %s", ErrDocument, m.Version, m.Name, origin)
	}
	if m.Reader != "" {
		if err := CheckReader(m.Reader); err != nil {
			return err
		}
	}
	if err := CheckLicence(m.Licence); err != nil {
		return fmt.Errorf("datanet %q: %w", m.Name, err)
	}
	return nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// Follows checks that m is the next version after parent: see Extends. A version
// that changes the reader changes nothing else, so that the history shows from
// which shard on.
func (m Manifest) Follows(parent Manifest) error {
	if m.Version != parent.Version+1 {
		return m.strays(parent, "it is not the next")
	}
	if m.Reader != parent.Reader {
		same := m.Replicas == parent.Replicas && len(m.Shards) == len(parent.Shards) && len(m.Withdrawn) == len(parent.Withdrawn)
		for i := range m.Shards {
			same = same && m.Shards[i].equal(parent.Shards[i])
		}
		if !same {
			return m.strays(parent, "it changes the reader and something else")
		}
	}
	for i, s := range parent.Shards[:min(len(parent.Shards), len(m.Shards))] {
		if m.Shards[i].Contributor == s.Contributor && !m.Shards[i].equal(s) {
			return m.strays(parent, fmt.Sprintf("it changes shard %d of the same contributor", i))
		}
	}
	return m.Extends(parent)
}

// Extends checks what holds between a version and every later one: name, owner,
// licence, schema and field stay, a public datanet stays public and a private one
// private; shards are only appended, and stay as they were unless somebody else
// committed the same root in an earlier block; what was withdrawn stays withdrawn.
func (m Manifest) Extends(earlier Manifest) error {
	switch {
	case m.Version <= earlier.Version:
		return m.strays(earlier, "it is not later")
	case m.Name != earlier.Name || m.Owner != earlier.Owner || m.Licence != earlier.Licence || m.Schema != earlier.Schema || m.Field != earlier.Field:
		return m.strays(earlier, "name, owner, licence, schema and field stay")
	case earlier.Version > 0 && !m.Origin.Equals(earlier.Origin):
		return m.strays(earlier, "it is of another datanet")
	case (m.Reader == "") != (earlier.Reader == ""):
		return m.strays(earlier, "a public datanet stays public and a private one private")
	case m.Created < earlier.Created:
		return m.strays(earlier, "it is dated before it")
	case len(m.Shards) < len(earlier.Shards):
		return m.strays(earlier, "it drops shards, and a datanet is append-only")
	}
	for i, s := range earlier.Shards {
		now := m.Shards[i]
		if !now.equal(s) && (!now.Root.Equals(s.Root) || now.Committed >= s.Committed) {
			return m.strays(earlier, fmt.Sprintf("it changes shard %d, and a datanet is append-only", i))
		}
	}
	still := make(map[cid.Cid]bool, len(m.Withdrawn))
	for _, c := range m.Withdrawn {
		still[c] = true
	}
	for _, c := range earlier.Withdrawn {
		if !still[c] {
			return m.strays(earlier, fmt.Sprintf("it offers shard %s again, which was withdrawn", c))
		}
	}
	return nil
}

func (m Manifest) strays(from Manifest, why string) error {
	return fmt.Errorf("%w: version %d of datanet %q does not follow version %d of %q: %s", ErrDocument, m.Version, m.Name, from.Version, from.Name, why)
}

// Offered are the shards that are not withdrawn, in order: what a job may use.
func (m Manifest) Offered() []Shard {
	gone := make(map[cid.Cid]bool, len(m.Withdrawn))
	for _, c := range m.Withdrawn {
		gone[c] = true
	}
	out := make([]Shard, 0, len(m.Shards))
	for _, s := range m.Shards {
		if !gone[s.Root] {
			out = append(out, s)
		}
	}
	return out
}

func (s Shard) equal(o Shard) bool {
	return s.Root.Equals(o.Root) && s.Piece == o.Piece && s.Size == o.Size && s.Records == o.Records && s.Contributor == o.Contributor &&
		s.Sketch.Equals(o.Sketch) && s.Salt == o.Salt && s.Committed == o.Committed && bytes.Equal(s.Signature, o.Signature)
}

// Contribution is what a contributor signs to give a shard to a datanet.
func (s Shard) Contribution(origin cid.Cid) Contribution {
	return Contribution{origin, s.Root, s.Piece, s.Size, s.Records, s.Contributor, s.Sketch, s.Salt}
}

// Contribution gives one shard to a datanet under its licence. Its contributor
// commits its digest on the chain before anybody else sees it.
type Contribution struct {
	Datanet     cid.Cid // its identity
	Root        cid.Cid
	Piece       common.Hash
	Size        uint64
	Records     uint64
	Contributor common.Address
	Sketch      cid.Cid     // of its MinHash sketch as a document, or none
	Salt        common.Hash // random, so that the commitment tells nothing
}

// Judge is the registry.
func (Contribution) Judge() Contract { return JudgeRegistry }

// Author is the contributor.
func (m Contribution) Author() common.Address { return m.Contributor }

// Commitment is what the contributor puts on the chain first: keccak256 of the
// contribution's canonical encoding.
func (m Contribution) Commitment() (common.Hash, error) {
	b, err := Encode(m)
	if err != nil {
		return common.Hash{}, err
	}
	return crypto.Keccak256Hash(b), nil
}

// ShardOf is the manifest's entry for a signed contribution that was committed in
// a block.
func ShardOf(n Network, s Signed[Contribution], committed uint64) (Shard, error) {
	c, err := s.Open(n)
	if err != nil {
		return Shard{}, err
	}
	return Shard{c.Root, c.Piece, c.Size, c.Records, c.Contributor, c.Sketch, c.Salt, committed, s.Signature()}, nil
}

// Withdrawal asks that a shard be offered no longer. Its contributor signs it, or
// the datanet's owner.
type Withdrawal struct {
	Datanet cid.Cid // its identity
	Root    cid.Cid // of the shard
	Account common.Address
	Created uint64 // unix seconds
}

// Judge is the registry.
func (Withdrawal) Judge() Contract { return JudgeRegistry }

// Author is who withdraws.
func (m Withdrawal) Author() common.Address { return m.Account }

// ReaderKey says to which age recipient an account wants to be granted things.
type ReaderKey struct {
	Account   common.Address
	Recipient string // age X25519 recipient
	Created   uint64 // unix seconds
}

// Judge is the registry.
func (ReaderKey) Judge() Contract { return JudgeRegistry }

// Author is the account.
func (m ReaderKey) Author() common.Address { return m.Account }

// GrantedKey is the identity that opens what is sealed to one Reader of a
// datanet, wrapped to a reader's own recipient.
type GrantedKey struct {
	Reader  string // as in the manifests from some version on
	Wrapped []byte // age file
}

// Grant lets one reader open the shards of a private datanet. The owner signs it.
type Grant struct {
	Datanet   cid.Cid // its identity
	Owner     common.Address
	Account   common.Address // who may fetch it from the owner; zero where it is handed over
	Recipient string         // the reader's age recipient
	Keys      []GrantedKey   `max:"64"` // newest first
	Created   uint64         // unix seconds
}

// Judge is the registry.
func (Grant) Judge() Contract { return JudgeRegistry }

// Author is the owner.
func (m Grant) Author() common.Address { return m.Owner }

// Validate checks a grant's form.
func (m Grant) Validate() error {
	if !m.Datanet.Defined() || len(m.Keys) == 0 {
		return fmt.Errorf("%w: a grant needs a datanet and what it grants", ErrDocument)
	}
	for _, k := range m.Keys {
		if err := CheckReader(k.Reader); err != nil {
			return err
		}
	}
	return CheckReader(m.Recipient)
}
