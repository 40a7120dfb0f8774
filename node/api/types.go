package api

import (
	"encoding/json"

	"tally/protocol"
)

// The JSON shapes of the local API and of every command's --json. CIDs, accounts
// and hashes are strings, amounts decimal strings of the token's smallest unit,
// times unix seconds, sizes bytes, losses nats per token.

// Status is what the node is and how it is doing.
type Status struct {
	Network  string          `json:"network"`
	Account  string          `json:"account"`
	Payout   string          `json:"payout"`
	Peer     string          `json:"peer"`
	Addrs    []string        `json:"addrs"`
	Roles    []string        `json:"roles"`
	Peers    int             `json:"peers"`
	Block    uint64          `json:"block"`
	Time     uint64          `json:"time"` // of the block
	Epoch    uint64          `json:"epoch"`
	Gas      protocol.Amount `json:"gas"`       // the account's native coin, in wei
	Tokens   protocol.Amount `json:"tokens"`    // held by the account
	Deposit  protocol.Amount `json:"deposit"`   // free in the vault
	OpenAI   string          `json:"openai"`    // base URL of the OpenAI-compatible API
	Gateway  string          `json:"gateway"`   // base URL of the trustless IPFS gateway, or empty
	Nodes    int             `json:"nodes"`     // registered on the network
	Problems []string        `json:"problems"`  // what keeps the node from its roles, in plain words
	Models   []string        `json:"models"`    // model manifests held
	Pins     int             `json:"pins"`      // roots kept
	SetAside int             `json:"set_aside"` // shards found corrupt, kept for repair and not served
}

// PinShard asks for a pin job.
type PinShard struct {
	Datanet  string `json:"datanet"` // the version that lists the shard
	Shard    string `json:"shard"`
	Replicas uint64 `json:"replicas"`
	Seconds  uint64 `json:"seconds"`
}

// Pin is who keeps a shard after a pin job.
type Pin struct {
	Shard    string   `json:"shard"`
	Offer    string   `json:"offer"`
	Holders  []string `json:"holders"`
	Receipts []string `json:"receipts"`
}

// Train asks for a training job.
type Train struct {
	Datanet string          `json:"datanet"`
	Preset  string          `json:"preset"`
	Name    string          `json:"name"`
	Steps   int             `json:"steps,omitempty"` // 0: the preset's
	Seed    uint64          `json:"seed,omitempty"`
	Base    string          `json:"base,omitempty"`   // CID of the model that an adapter is trained on
	Lora    *Lora           `json:"lora,omitempty"`   // the adapter; with Base
	Recipe  json.RawMessage `json:"recipe,omitempty"` // whole, instead of preset, steps, seed and lora
}

// Form is how a model is exported. The zero value is as it is.
type Form struct {
	Format string // "hf", a Hugging Face directory, or "gguf"
	Type   string // of the weights in gguf: "f32", "f16" or "q8_0"
	Merge  bool   // an adapter becomes a whole model, with its base
}

// Lora is an adapter's shape.
type Lora struct {
	Rank    int      `json:"rank"`
	Alpha   float64  `json:"alpha,omitempty"`   // 0: twice the rank
	Targets []string `json:"targets,omitempty"` // projections such as q_proj; none: all
}

// ModelCheck is the answer of model verify.
type ModelCheck struct {
	Model    Model    `json:"model"`
	Checks   []string `json:"checks"` // what was done and held
	Undone   []string `json:"undone"` // what was not done, and why
	Valid    bool     `json:"valid"`
	Problem  string   `json:"problem,omitempty"`
	Repeated string   `json:"repeated"` // of its training: "", "segment" or "whole"
}

// Evaluation is how well a model predicts a text. Losses are nats per token.
type Evaluation struct {
	Model       Model   `json:"model"`
	Tokens      uint64  `json:"tokens"`
	Bytes       uint64  `json:"bytes"`
	Loss        float64 `json:"loss"`
	Unigram     float64 `json:"unigram"`
	Perplexity  float64 `json:"perplexity"`
	BitsPerByte float64 `json:"bits_per_byte"`
}

// VerifyModel says how much of a model's training is done again.
type VerifyModel struct {
	Whole bool `json:"whole"` // all of it, instead of one segment
}

// Event is one line of a job's progress. The last has Model, Check or Error.
type Event struct {
	State           string      `json:"state,omitempty"` // claimed, resumed, running, checkpoint, final
	Offer           string      `json:"offer,omitempty"`
	Worker          string      `json:"worker,omitempty"`
	Rank            int         `json:"rank,omitempty"`
	Step            uint64      `json:"step,omitempty"`
	Steps           uint64      `json:"steps,omitempty"`
	Loss            float64     `json:"loss,omitempty"`
	TokensPerSecond float64     `json:"tokens_per_second,omitempty"`
	Note            string      `json:"note,omitempty"`
	Model           *Model      `json:"model,omitempty"`
	Check           *ModelCheck `json:"check,omitempty"`
	Error           string      `json:"error,omitempty"`
}

// Share is an account's part.
type Share struct {
	Account string `json:"account"`
	Weight  uint64 `json:"weight"`
}

// Model is a published model.
type Model struct {
	CID          string          `json:"cid"`
	Name         string          `json:"name"`
	Owner        string          `json:"owner"`
	Files        string          `json:"files"`
	Base         string          `json:"base,omitempty"` // the model that this adapter changes
	Engine       string          `json:"engine"`
	Params       uint64          `json:"params"`
	ParamHash    string          `json:"param_hash"`
	Trace        string          `json:"trace"`
	Offer        string          `json:"offer"`
	Worker       string          `json:"worker,omitempty"`
	Receipt      string          `json:"receipt,omitempty"`
	Datanets     []string        `json:"datanets"`
	Contributors []Share         `json:"contributors"`
	Policy       protocol.Policy `json:"policy"`
	RateIn       protocol.Amount `json:"rate_in"`
	RateOut      protocol.Amount `json:"rate_out"`
	Figures      json.RawMessage `json:"figures,omitempty"` // of the engine: losses, tokens, seconds
	Created      uint64          `json:"created"`
	Held         bool            `json:"held"` // its files are here
}

// Receipt is one piece of work, as this node knows it.
type Receipt struct {
	CID      string          `json:"cid"` // id: CID of the payload
	Envelope string          `json:"envelope"`
	Kind     string          `json:"kind"`
	Offer    string          `json:"offer"`
	Payer    string          `json:"payer"`
	Worker   string          `json:"worker"`
	Epoch    uint64          `json:"epoch"`
	Seq      uint64          `json:"seq"`
	Rank     uint8           `json:"rank"`
	UnitsIn  uint64          `json:"units_in"`
	UnitsOut uint64          `json:"units_out"`
	Value    protocol.Amount `json:"value"`
	Spec     string          `json:"spec"`
	Output   string          `json:"output"`
	Trace    string          `json:"trace"`
	Start    uint64          `json:"start"`
	End      uint64          `json:"end"`
	Cosigned bool            `json:"cosigned"`
	Reason   string          `json:"reason,omitempty"` // once its epoch is settled
	Why      string          `json:"why,omitempty"`    // the reason in plain words
	Progress *PinProgress    `json:"progress,omitempty"`
}

// PinProgress is how far a pin is that is paid as it is proved.
type PinProgress struct {
	Promised uint64          `json:"promised"` // seconds
	Proved   uint64          `json:"proved"`   // of them
	Split    protocol.Amount `json:"split"`    // of the fee, among all who have a part in it
	Returned protocol.Amount `json:"returned"` // to the payer
	Emission protocol.Amount `json:"emission"`
}

// Verification is the answer of receipt verify.
type Verification struct {
	Receipt  Receipt  `json:"receipt"`
	Checks   []string `json:"checks"`
	Valid    bool     `json:"valid"`
	Problem  string   `json:"problem,omitempty"`
	Repeated bool     `json:"repeated"` // the work itself was done again here
}

// Reward is what an account has earned in one role.
type Reward struct {
	Account string          `json:"account"`
	Role    string          `json:"role"`
	Amount  protocol.Amount `json:"amount"`
}

// Rewards is the picture of what was earned and why not more.
type Rewards struct {
	Account   string            `json:"account"`
	Epoch     uint64            `json:"epoch"` // the newest settled, if Settled
	Settled   bool              `json:"settled"`
	Earned    protocol.Amount   `json:"earned"` // over all settled epochs
	Claimed   protocol.Amount   `json:"claimed"`
	Claimable protocol.Amount   `json:"claimable"`
	Roles     []Reward          `json:"roles"`
	Reasons   map[string]uint64 `json:"reasons"` // of this account's receipts
	Notes     []string          `json:"notes"`   // why not more, in plain words
}

// Claim is a payment made.
type Claim struct {
	Account string          `json:"account"`
	Role    string          `json:"role"`
	Epoch   uint64          `json:"epoch"`
	Amount  protocol.Amount `json:"amount"`
	Tx      string          `json:"tx,omitempty"`
}

// Withdrawal is what went from the vault to the node's account.
type Withdrawal struct {
	Amount protocol.Amount `json:"amount"`
	Tx     string          `json:"tx"`
}

// Audit is an epoch derived again from the chain and the pinned data.
type Audit struct {
	Epoch      uint64            `json:"epoch"`
	Root       string            `json:"root"`    // anchored
	Derived    string            `json:"derived"` // computed here
	Equal      string            `json:"equal"`   // "equal" or what differs
	Tx         string            `json:"tx"`
	Data       string            `json:"data"`
	Published  uint64            `json:"published"` // receipts committed
	ByReason   map[string]uint64 `json:"by_reason"`
	Total      protocol.Amount   `json:"total"`
	Minted     protocol.Amount   `json:"minted"`
	Burned     protocol.Amount   `json:"burned"`
	Verdicts   []Verdict         `json:"verdicts"`
	Retrievals []Retrieval       `json:"retrievals"` // checks of what is kept, in the epoch's data
	Outcomes   []Outcome         `json:"outcomes"`
	Rewards    []Reward          `json:"rewards"`
	Invariants Invariants        `json:"invariants"`
}

// Outcome is where a receipt ended in an epoch.
type Outcome struct {
	Receipt string          `json:"receipt"`
	Kind    string          `json:"kind"`
	Reason  string          `json:"reason"`
	Value   protocol.Amount `json:"value"`
	Why     string          `json:"why,omitempty"`
}

// Invariants of an epoch.
type Invariants struct {
	ReasonsSum            bool `json:"reasons_sum"`
	LedgerEqualsClaimable bool `json:"ledger_equals_claimable"`
}

// Verdict is what an auditor found about one receipt.
type Verdict struct {
	Receipt string `json:"receipt"`
	Kind    string `json:"kind"`
	Auditor string `json:"auditor"`
	Outcome string `json:"outcome"`
	Leaf    uint64 `json:"leaf"`
}

// Retrieval is a check of a node that should keep a shard: an auditor asked it for a leaf.
type Retrieval struct {
	Epoch   uint64 `json:"epoch"`
	Auditor string `json:"auditor"`
	Node    string `json:"node"`
	Piece   string `json:"piece"`
	Leaf    uint64 `json:"leaf"`
	Outcome string `json:"outcome"` // "good", "silent" or "wrong"
	Millis  uint64 `json:"millis"`  // until the answer was there, or the auditor gave up
	Bytes   uint64 `json:"bytes"`   // that came
}

// Fault is the body of an answer that is no success.
type Fault struct {
	Error string `json:"error"`
}
