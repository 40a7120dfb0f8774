package api

import (
	"context"
	"net/http"
)

// Storage is what the node keeps.
type Storage interface {
	ShowStorage(ctx context.Context) (StorageStatus, error)
	VerifyShard(ctx context.Context, root string) (ShardCheck, error)
	PublishShard(ctx context.Context, root string) (PublishedShard, error)
	UnpinShard(ctx context.Context, root string, insist bool) (Unpinned, error)
}

// StorageStatus is what the node keeps, how much room that takes, and what it
// proves of it.
type StorageStatus struct {
	ID       string        `json:"id"`       // of the store, in its marker file
	Used     uint64        `json:"used"`     // bytes of all files
	Reserved uint64        `json:"reserved"` // bytes promised to writes under way
	Quota    uint64        `json:"quota"`    // bytes; 0 is none
	Free     uint64        `json:"free"`     // bytes of the disk
	Floor    uint64        `json:"floor"`    // of these, never used
	Shards   int           `json:"shards"`
	Scrub    Scrub         `json:"scrub"`
	Damage   []Damage      `json:"damage"` // what is wrong now, and what was healed
	Proofs   *Proofs       `json:"proofs"` // nil for a node that is no pinner
	Pieces   []KeptPiece   `json:"pieces"` // wanted or kept for the network
	Pinned   []PinnedShard `json:"pinned"` // roots that anything keeps here
	Problems []string      `json:"problems"`
}

// Scrub is how far the reading of every shard is.
type Scrub struct {
	Pass     uint64 `json:"pass"`
	Running  bool   `json:"running"`
	Shards   uint64 `json:"shards"`    // read in this pass
	Bytes    uint64 `json:"bytes"`     // of these
	Bad      uint64 `json:"bad"`       // found damaged, ever
	Healed   uint64 `json:"healed"`    // of these
	LastPass int64  `json:"last_pass"` // when one ended; 0 is never
}

// Damage is a shard found damaged.
type Damage struct {
	Root   string `json:"root"`
	Why    string `json:"why"`
	Found  int64  `json:"found"`
	Healed int64  `json:"healed"` // 0 is not yet
}

// Proofs are a pinner's proofs of possession.
type Proofs struct {
	Period     uint64 `json:"period"`
	Deadline   uint64 `json:"deadline"`    // last block of the period
	Block      uint64 `json:"block"`       // newest seen
	Leaves     uint64 `json:"leaves"`      // under challenge
	Proved     bool   `json:"proved"`      // this period is
	LastProved int64  `json:"last_proved"` // period; -1 is none yet
	Missed     uint64 `json:"missed"`      // periods in a row
	Suspended  bool   `json:"suspended"`
	Demands    int    `json:"demands"` // of auditors, being answered
	Reasons    []Miss `json:"reasons"` // why past periods were missed
}

// Miss is a period that was not proved.
type Miss struct {
	Period uint64 `json:"period"`
	Reason string `json:"reason"`
}

// KeptPiece is a shard that somebody wants kept, as this node sees it.
type KeptPiece struct {
	Root    string `json:"root"`
	Piece   string `json:"piece"`
	Bytes   uint64 `json:"bytes"`
	State   string `json:"state"`   // absent, fetching, ready, have, proving, leaving, healing or lost
	Target  int    `json:"target"`  // nodes that should prove it
	Holders int    `json:"holders"` // nodes that do, and are not suspended
	Mine    bool   `json:"mine"`    // this node is one of them
	Until   uint64 `json:"until"`   // unix seconds up to which this node keeps it for a payer; 0 if it promised nobody
	Since   uint64 `json:"since"`   // first period in which it is drawn from
	Why     string `json:"why"`     // who wants it
	Reason  string `json:"reason"`  // what this node does about it
}

// PinnedShard is a root that something keeps here.
type PinnedShard struct {
	Root  string   `json:"root"`
	Shard bool     `json:"shard"` // or a document, such as a manifest; false also for a shard that is lost
	State string   `json:"state"` // have, damaged or lost
	Bytes uint64   `json:"bytes"`
	Why   []string `json:"why"`
}

// ShardCheck is what reading a whole shard showed.
type ShardCheck struct {
	Root  string `json:"root"`
	Sound bool   `json:"sound"`
	Why   string `json:"why"` // it is not
}

// PublishedShard is a shard that all may read.
type PublishedShard struct {
	Root string `json:"root"`
}

// Unpin asks that a shard be given up.
type Unpin struct {
	Force bool `json:"force"` // though a promise is broken, or nobody else is known to have it
}

// Unpinned is a shard that the owner of the disk gave up.
type Unpinned struct {
	Root     string   `json:"root"`
	Bytes    uint64   `json:"bytes"`    // of its file
	Released []string `json:"released"` // reasons for which it was kept
	Gone     bool     `json:"gone"`     // its room is free
	Why      string   `json:"why"`      // it is not yet
}

// routeStorage routes /v0/storage.
func routeStorage(m *http.ServeMux, n Storage) {
	get(m, "GET /v0/storage", func(r *http.Request) (any, error) { return n.ShowStorage(r.Context()) })
	get(m, "POST /v0/storage/{cid}/verify", func(r *http.Request) (any, error) { return n.VerifyShard(r.Context(), r.PathValue("cid")) })
	post(m, "POST /v0/storage/{cid}/unpin", func(r *http.Request, in Unpin) (any, error) {
		return n.UnpinShard(r.Context(), r.PathValue("cid"), in.Force)
	})
	get(m, "POST /v0/storage/{cid}/publish", func(r *http.Request) (any, error) { return n.PublishShard(r.Context(), r.PathValue("cid")) })
}
