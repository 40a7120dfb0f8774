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
