package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
)

// MaxData is the most that a body of data for a datanet has, in bytes: it is cut into shards.
const MaxData = 16 << 30

// Datanets are collections of data.
type Datanets interface {
	Collections
	Histories
	Readers
}

// Collections are made, listed, added to and followed.
type Collections interface {
	CreateDatanet(ctx context.Context, in CreateDatanet) (Datanet, error)
	ListDatanets(ctx context.Context) ([]Datanet, error)
	ShowDatanet(ctx context.Context, cid string, how ShowDatanet) (Datanet, error)
	AddToDatanet(ctx context.Context, cid string, how AddToDatanet, data io.Reader) (Datanet, error)
	ChangeDatanet(ctx context.Context, cid string, in ChangeDatanet) (Datanet, error)
	WithdrawShard(ctx context.Context, cid, root string) (Datanet, error)
	ExportShard(ctx context.Context, cid, root, as string, w io.Writer) error
	FollowDatanet(ctx context.Context, cid string, on bool) (Datanet, error)
}

// Histories are walked, compared and checked.
type Histories interface {
	LogDatanet(ctx context.Context, cid string) ([]Datanet, error)
	DiffDatanets(ctx context.Context, from, to string) (DatanetDiff, error)
	VerifyDatanet(ctx context.Context, cid string, fetch bool) (DatanetCheck, error)
}

// Readers are let into private datanets.
type Readers interface {
	Recipient(ctx context.Context) (Recipient, error)
	GrantDatanet(ctx context.Context, cid, to string) (Grant, error)
	RevokeDatanet(ctx context.Context, cid, to string) (Revoked, error)
	ListGrants(ctx context.Context, cid string) ([]Grant, error)
	AcceptGrant(ctx context.Context, envelope []byte) (Grant, error)
}

// Shard is one shard of a datanet.
type Shard struct {
	Root        string      `json:"root"`
	Piece       string      `json:"piece"`
	Bytes       uint64      `json:"bytes"` // of its CAR file
	Records     uint64      `json:"records"`
	Contributor string      `json:"contributor"`
	Committed   uint64      `json:"committed"`            // block of the commitment
	Sketch      string      `json:"sketch,omitempty"`     // CID
	Withdrawn   bool        `json:"withdrawn,omitempty"`  // offered no longer
	Held        bool        `json:"held,omitempty"`       // its data is here
	Holders     *int        `json:"holders,omitempty"`    // nodes that prove it on the chain now, where it was asked for
	Replicas    uint16      `json:"replicas,omitempty"`   // nodes that should, where it was asked for
	Text        uint64      `json:"text,omitempty"`       // bytes of its records' text, when it was added
	Preview     []string    `json:"preview,omitempty"`    // first records, as printable lines
	Duplicates  []Duplicate `json:"duplicates,omitempty"` // found when it was added
	Again       bool        `json:"again,omitempty"`      // the datanet listed it before it was added
}

// Duplicate is where a shard, or part of it, was contributed before.
type Duplicate struct {
	Datanet     string  `json:"datanet"`
	Name        string  `json:"name"`
	Version     uint64  `json:"version"` // the first one known to list it
	Shard       string  `json:"shard"`
	Contributor string  `json:"contributor"`
	Committed   uint64  `json:"committed"`
	Exact       bool    `json:"exact"`
	Overlap     float64 `json:"overlap"` // how much of what is added stands there, percent
	Records     float64 `json:"records"` // part of its records, percent
	Similarity  float64 `json:"similarity"`
}

// Datanet is one version of a datanet.
type Datanet struct {
	CID       string  `json:"cid"`
	Origin    string  `json:"origin"`
	Name      string  `json:"name"`
	Licence   string  `json:"licence"`
	Schema    string  `json:"schema"`
	Field     string  `json:"field,omitempty"`
	Owner     string  `json:"owner"`
	Version   uint64  `json:"version"`
	Parent    string  `json:"parent,omitempty"`
	Replicas  uint16  `json:"replicas"`
	Reader    string  `json:"reader,omitempty"` // of a private datanet: age recipient
	Records   uint64  `json:"records"`          // of the shards that are offered
	Bytes     uint64  `json:"bytes"`            // of their CAR files
	Shards    []Shard `json:"shards"`
	Created   uint64  `json:"created"`
	Following bool    `json:"following,omitempty"`
	Problem   string  `json:"problem,omitempty"`      // in a list: why it cannot be read now; it has its cid and origin then
	Added     *Shard  `json:"added,omitempty"`        // what this call added, the first of it
	AddedAll  []Shard `json:"added_shards,omitempty"` // what this call added
}

// CreateDatanet asks for a new datanet.
type CreateDatanet struct {
	Name     string `json:"name"`
	Licence  string `json:"licence"`
	Schema   string `json:"schema"`
	Field    string `json:"field,omitempty"`
	Replicas uint16 `json:"replicas,omitempty"`
	Private  bool   `json:"private,omitempty"`
}

// ShowDatanet says how a datanet is shown.
type ShowDatanet struct {
	Head    bool // its owner is asked for the newest version
	Preview bool // with the first records of shards that are here
}

// AddToDatanet says how data is added.
type AddToDatanet struct {
	Accept    bool   // overlap with others' shards is meant
	CAR       bool   // the data is a shard's CAR file
	ShardSize uint64 // most bytes of data a shard; 0 is as many as fit
}

// ChangeDatanet changes what an owner may change.
type ChangeDatanet struct {
	Replicas uint16 `json:"replicas"`
}

// DatanetDiff is what changed between two versions of a datanet.
type DatanetDiff struct {
	From         Datanet  `json:"from"` // without shards
	To           Datanet  `json:"to"`   // without shards
	Added        []Shard  `json:"added"`
	Withdrawn    []Shard  `json:"withdrawn"`
	Taken        []Shard  `json:"taken"` // whose contributor changed: committed first by another
	Contributors []string `json:"contributors"`
	Records      int64    `json:"records"`
	Bytes        int64    `json:"bytes"`
}

// DatanetCheck is the answer of datanet verify.
type DatanetCheck struct {
	Datanet  Datanet  `json:"datanet"`
	Versions int      `json:"versions"` // walked
	Checks   []string `json:"checks"`   // what was done and held
	Undone   []string `json:"undone"`   // what was not done, and why
	Problems []string `json:"problems"`
	Valid    bool     `json:"valid"`
}

// Recipient is to whom things are granted.
type Recipient struct {
	Account   string `json:"account"`
	Recipient string `json:"recipient"`
}

// Grant lets a reader open a private datanet.
type Grant struct {
	Datanet   string `json:"datanet"`
	Owner     string `json:"owner"`
	Account   string `json:"account,omitempty"`
	Recipient string `json:"recipient"`
	Created   uint64 `json:"created"`
	Envelope  []byte `json:"envelope,omitempty"` // to be handed over where there is no account
}

// Revoked is a grant taken back.
type Revoked struct {
	Datanet Datanet `json:"datanet"` // the version with the new reader
	Again   []Grant `json:"again"`   // that must be handed over again
}

// To names a reader: an account or an age recipient.
type To struct {
	To string `json:"to"`
}

func datanetRoutes(m *http.ServeMux, d Datanets, log *slog.Logger) {
	const one = "/v0/datanets/{cid}"
	id := func(r *http.Request) string { return r.PathValue("cid") }
	post(m, "POST /v0/datanets", func(r *http.Request, in CreateDatanet) (any, error) { return d.CreateDatanet(r.Context(), in) })
	get(m, "GET /v0/datanets", func(r *http.Request) (any, error) { return d.ListDatanets(r.Context()) })
	get(m, "GET "+one, func(r *http.Request) (any, error) {
		q := r.URL.Query()
		return d.ShowDatanet(r.Context(), id(r), ShowDatanet{Head: q.Get("head") != "", Preview: q.Get("preview") != ""})
	})
	post(m, "PATCH "+one, func(r *http.Request, in ChangeDatanet) (any, error) { return d.ChangeDatanet(r.Context(), id(r), in) })
	get(m, "POST "+one+"/shards", func(r *http.Request) (any, error) {
		how, err := addQuery(r.URL.Query())
		if err != nil {
			return nil, err
		}
		v, err := d.AddToDatanet(r.Context(), id(r), how, http.MaxBytesReader(nil, r.Body, MaxData))
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			err = fmt.Errorf("%w: more than %d bytes: add it as several files", ErrBadRequest, tooLarge.Limit)
		}
		return v, err
	})
	get(m, "DELETE "+one+"/shards/{root}", func(r *http.Request) (any, error) {
		return d.WithdrawShard(r.Context(), id(r), r.PathValue("root"))
	})
	m.HandleFunc("GET "+one+"/shards/{root}", func(w http.ResponseWriter, r *http.Request) {
		out := &begun{ResponseWriter: w}
		w.Header().Set("Content-Type", "application/octet-stream")
		err := d.ExportShard(r.Context(), id(r), r.PathValue("root"), r.URL.Query().Get("as"), out)
		switch {
		case err == nil:
		case !out.yes:
			Fail(w, status(err), err)
		default:
			log.Warn("export of a shard ended early", "err", err)
			panic(http.ErrAbortHandler) // the reader sees a broken stream, not short data
		}
	})
	get(m, "PUT "+one+"/follow", func(r *http.Request) (any, error) { return d.FollowDatanet(r.Context(), id(r), true) })
	get(m, "DELETE "+one+"/follow", func(r *http.Request) (any, error) { return d.FollowDatanet(r.Context(), id(r), false) })

	get(m, "GET "+one+"/log", func(r *http.Request) (any, error) { return d.LogDatanet(r.Context(), id(r)) })
	get(m, "GET "+one+"/diff", func(r *http.Request) (any, error) {
		return d.DiffDatanets(r.Context(), id(r), r.URL.Query().Get("to"))
	})
	get(m, "POST "+one+"/verify", func(r *http.Request) (any, error) {
		return d.VerifyDatanet(r.Context(), id(r), r.URL.Query().Get("fetch") != "")
	})

	get(m, "GET /v0/recipient", func(r *http.Request) (any, error) { return d.Recipient(r.Context()) })
	get(m, "GET "+one+"/grants", func(r *http.Request) (any, error) { return d.ListGrants(r.Context(), id(r)) })
	post(m, "POST "+one+"/grants", func(r *http.Request, in To) (any, error) { return d.GrantDatanet(r.Context(), id(r), in.To) })
	post(m, "POST "+one+"/revoke", func(r *http.Request, in To) (any, error) { return d.RevokeDatanet(r.Context(), id(r), in.To) })
	get(m, "POST /v0/grants", func(r *http.Request) (any, error) {
		b, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		return d.AcceptGrant(r.Context(), b)
	})
}

func addQuery(q url.Values) (how AddToDatanet, err error) {
	how = AddToDatanet{Accept: q.Get("accept") != "", CAR: q.Get("car") != ""}
	if s := q.Get("shard_size"); s != "" {
		if how.ShardSize, err = strconv.ParseUint(s, 10, 64); err != nil {
			return how, fmt.Errorf("%w: shard_size %q: write bytes", ErrBadRequest, s)
		}
	}
	return how, nil
}

// Query is how the options travel.
func (a AddToDatanet) Query() url.Values {
	q := url.Values{}
	if a.Accept {
		q.Set("accept", "1")
	}
	if a.CAR {
		q.Set("car", "1")
	}
	if a.ShardSize > 0 {
		q.Set("shard_size", strconv.FormatUint(a.ShardSize, 10))
	}
	return q
}
