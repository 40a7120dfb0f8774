package protocol

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
)

// ErrDocument says that a document is well formed but makes no sense.
var ErrDocument = errors.New("protocol: invalid document")

// InferSpec is what an inference session is for. Public.
type InferSpec struct {
	Model     cid.Cid // Signed[Model]
	Engine    string  // engine class, such as "exact/dk-1"
	Requests  uint64  // at most this many
	MaxTokens uint64  // of one request, read and written
	RateIn    Amount  // per 1000 tokens read
	RateOut   Amount  // per 1000 tokens written
	Disclose  bool    // a drawn auditor gets the transcript
}

// TrainSpec is a training job. Public. It names a recipe, never code.
type TrainSpec struct {
	Name      string
	Datanet   cid.Cid   // Signed[Manifest]: which shards, in its order
	Shards    []cid.Cid `max:"4096"` // the shards trained on, a subset of the manifest's
	Engine    string
	Recipe    []byte  `max:"8192"` // the engine's recipe, as its canonical JSON
	Rate      Amount  // per 1000 tokens trained
	MaxTokens uint64  // trained tokens that will be paid for
	Base      cid.Cid // Signed[Model] to start from, or none
}

// PinSpec is a promise wanted: keep a shard.
type PinSpec struct {
	Root     cid.Cid
	Piece    common.Hash // piece root of its CAR file
	Size     uint64      // bytes of its CAR file
	Replicas uint64      // how many of the first in rank are wanted
	Seconds  uint64
	Rate     Amount // per MiB and hour, each replica
}

// MaxShard bounds the CAR file of one shard: 1 GiB.
const MaxShard = 1 << 30

// Shard is one CAR file of a datanet.
type Shard struct {
	Root        cid.Cid
	Piece       common.Hash
	Size        uint64 // bytes of the CAR file
	Records     uint64
	Contributor common.Address
	Signature   []byte `max:"65"` // the contributor's over the Contribution
}

// Manifest is the head of a datanet at one version; the owner signs it.
type Manifest struct {
	Name    string
	Licence string // SPDX id, or the CID of a text
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
	// stay in Shards, since what was learned from them stays learned.
	Withdrawn []cid.Cid `max:"4096"`
	// Reader is the age recipient that every shard is encrypted to; empty for a
	// public datanet.
	Reader string
}

// Judge is the registry.
func (Manifest) Judge() Contract { return JudgeRegistry }

// Author is the owner.
func (m Manifest) Author() common.Address { return m.Owner }

// Validate checks what a signature cannot: required fields and the contributors'
// signatures. origin is the datanet's identity (the envelope CID of version 0).
func (m Manifest) Validate(n Network, origin cid.Cid) error {
	switch {
	case m.Name == "":
		return fmt.Errorf("%w: a datanet needs a name", ErrDocument)
	case m.Licence == "":
		return fmt.Errorf("%w: datanet %q has no licence: give an SPDX id or the CID of a text", ErrDocument, m.Name)
	case m.Schema == "":
		return fmt.Errorf("%w: datanet %q has no schema", ErrDocument, m.Name)
	case m.Version == 0 && (m.Origin.Defined() || m.Parent.Defined() || len(m.Shards) > 0):
		return fmt.Errorf("%w: version 0 of datanet %q has a parent or shards", ErrDocument, m.Name)
	case m.Version > 0 && (!m.Origin.Equals(origin) || !m.Parent.Defined()):
		return fmt.Errorf("%w: version %d of datanet %q does not follow from %s", ErrDocument, m.Version, m.Name, origin)
	}
	seen := make(map[cid.Cid]bool, len(m.Shards))
	for i, s := range m.Shards {
		if seen[s.Root] {
			return fmt.Errorf("%w: shard %s is listed twice", ErrDocument, s.Root)
		}
		seen[s.Root] = true
		if s.Size == 0 || s.Size > MaxShard {
			return fmt.Errorf("%w: shard %s claims %d bytes, want 1 to %d", ErrDocument, s.Root, s.Size, uint64(MaxShard))
		}
		if err := checkSignature(n, s.Contribution(origin), s.Contributor, s.Signature); err != nil {
			return fmt.Errorf("protocol: shard %d of datanet %q: %w", i, m.Name, err)
		}
	}
	return nil
}

// Follows checks that m is the next version after parent and keeps all its shards.
func (m Manifest) Follows(parent Manifest) error {
	if m.Version != parent.Version+1 || m.Name != parent.Name || m.Owner != parent.Owner || m.Licence != parent.Licence || m.Schema != parent.Schema {
		return fmt.Errorf("%w: version %d of datanet %q does not follow version %d of %q", ErrDocument, m.Version, m.Name, parent.Version, parent.Name)
	}
	if len(m.Shards) < len(parent.Shards) {
		return fmt.Errorf("%w: version %d of datanet %q drops shards: it is append-only", ErrDocument, m.Version, m.Name)
	}
	for i, s := range parent.Shards {
		if !m.Shards[i].Root.Equals(s.Root) || m.Shards[i].Contributor != s.Contributor {
			return fmt.Errorf("%w: version %d of datanet %q changes shard %d: it is append-only", ErrDocument, m.Version, m.Name, i)
		}
	}
	return nil
}

// Contribution is what a contributor signs to give a shard to a datanet.
func (s Shard) Contribution(origin cid.Cid) Contribution {
	return Contribution{origin, s.Root, s.Piece, s.Size, s.Records, s.Contributor}
}

// Contribution gives one shard to a datanet under its licence.
type Contribution struct {
	Datanet     cid.Cid // its identity
	Root        cid.Cid
	Piece       common.Hash
	Size        uint64
	Records     uint64
	Contributor common.Address
}

// Judge is the registry.
func (Contribution) Judge() Contract { return JudgeRegistry }

// Author is the contributor.
func (m Contribution) Author() common.Address { return m.Contributor }

// ShardOf is the manifest's entry for a signed contribution.
func ShardOf(n Network, s Signed[Contribution]) (Shard, error) {
	c, err := s.Open(n)
	if err != nil {
		return Shard{}, err
	}
	return Shard{c.Root, c.Piece, c.Size, c.Records, c.Contributor, s.sig}, nil
}

// Policy splits a fee, in basis points that add up to 10,000.
type Policy struct {
	Worker       uint16 `json:"worker"`
	Owners       uint16 `json:"owners"`
	Contributors uint16 `json:"contributors"`
	Auditors     uint16 `json:"auditors"`
	Treasury     uint16 `json:"treasury"`
	Burn         uint16 `json:"burn"`
}

// Validate checks the sum.
func (p Policy) Validate() error {
	sum := uint32(p.Worker) + uint32(p.Owners) + uint32(p.Contributors) + uint32(p.Auditors) + uint32(p.Treasury) + uint32(p.Burn)
	if sum != 10_000 {
		return fmt.Errorf("%w: a policy's parts add up to %d basis points, want 10000", ErrDocument, sum)
	}
	return nil
}

// Share is an account's part of a whole, by weight.
type Share struct {
	Account common.Address
	Weight  uint64
}

// Model describes a model: its files and where it came from. The submitter who
// paid for its training signs it.
type Model struct {
	Name         string
	Owner        common.Address
	Files        cid.Cid // UnixFS directory in Hugging Face form
	Base         cid.Cid // Signed[Model] it was trained from, or none
	Spec         cid.Cid // TrainSpec
	Offer        common.Hash
	Datanets     []cid.Cid `max:"64"` // Signed[Manifest]
	Engine       string
	Params       uint64
	ParamHash    common.Hash
	Trace        common.Hash // Merkle root over the training trace
	Owners       []Share     `max:"64"`
	Contributors []Share     `max:"1024"`
	Policy       Policy
	RateIn       Amount      // per 1000 tokens read
	RateOut      Amount      // per 1000 tokens written
	Fingerprint  common.Hash // commitment; zero until there is one
	Attribution  common.Hash // commitment; zero until there is one
	Created      uint64      // unix seconds
}

// Judge is the registry.
func (Model) Judge() Contract { return JudgeRegistry }

// Author is the owner.
func (m Model) Author() common.Address { return m.Owner }

// Validate checks what a signature cannot.
func (m Model) Validate() error {
	if m.Name == "" || !m.Files.Defined() || m.Engine == "" {
		return fmt.Errorf("%w: a model needs a name, files and an engine class", ErrDocument)
	}
	for what, s := range map[string][]Share{"owners": m.Owners, "contributors": m.Contributors} {
		var sum uint64
		for _, x := range s {
			if x.Weight == 0 || sum+x.Weight < sum {
				return fmt.Errorf("%w: %s of model %q: a weight is zero or the sum overflows", ErrDocument, what, m.Name)
			}
			sum += x.Weight
		}
	}
	return m.Policy.Validate()
}

// BatchData is the DAG that a batch names: links to the receipts' envelopes, in
// the order of its Merkle root.
type BatchData struct {
	Worker   common.Address
	Epoch    uint64
	Receipts []cid.Cid `max:"65536"` // Cosigned envelopes
}
