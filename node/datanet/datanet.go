// Package datanet publishes collections of data and reads them.
//
// The life of a contribution: its owner creates a datanet, which is a signed
// manifest of version 0 whose CID is the datanet's identity. A contributor cuts its
// data into shards, checks their records, looks whether somebody contributed them before,
// imports them (sealed, if the datanet is private), commits each contribution's digest on the
// chain, and only then lets others find the data and reveals the
// contribution to the owner. The owner checks the commitment, appends the shard to the
// manifest, signs the next version and answers with it. Every version names its
// parent, so the whole history is one walk; a version is what a training job names.
// What is withdrawn stays in the history and is offered no longer.
//
// The owner keeps the head of each of its datanets durably before it answers, with the versions
// themselves in the database, so that it can go on without the disk of the data. The
// head of another's datanet is asked from its owner; what was once seen of it is kept, so an
// owner that goes back or says two things is found out. A Service is safe for concurrent use; appends to one
// datanet are serialised. It does not hold the data of others: that is what pin
// jobs, and followers with a pin set, are for.
//
// Everything that comes from others is bounded: a request (MaxRequest), an answer, a
// manifest's shards, a history that is walked, sketches that are asked for.
package datanet

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/node/datanet/history"
	"tally/node/datanet/intake"
	"tally/node/datanet/known"
	"tally/node/datanet/readers"
	"tally/protocol"
	"tally/storage"
	"tally/storage/records"
)

// SchemaText is the schema of shards that are UTF-8 text.
const SchemaText = protocol.SchemaText

var (
	// ErrNotOwner says that a datanet is another account's to extend.
	ErrNotOwner = errors.New("datanet: not ours")
	// ErrText says that data does not fit the datanet's schema.
	ErrText = intake.ErrText
	// ErrDatanet says that a CID names no datanet, or a wrong one was shown.
	ErrDatanet = history.ErrDatanet
	// ErrRefused says that what was asked for is against a rule: a contribution, a grant, a revocation.
	ErrRefused = errors.New("datanet: refused")
	// ErrDuplicate says that the data, or much of it, was contributed before.
	ErrDuplicate = errors.New("datanet: contributed before")
	// ErrUncommitted says that a contribution's commitment is not in an earlier block.
	ErrUncommitted = errors.New("datanet: the contribution is not committed in an earlier block: wait for the next block and send it again")
	// ErrPrivate says that a datanet is encrypted and this node was not granted it.
	ErrPrivate = errors.New("datanet: private: ask its owner to grant it to this node's recipient ('tally datanet recipient')")
	// ErrShard says that a version lists no such shard.
	ErrShard = history.ErrShard
	// ErrTwo says that versions of two datanets were to be compared.
	ErrTwo = history.ErrTwo
)

// Documents are small blocks by CID. Put keeps one durably and lets others find
// it; Get finds it here or elsewhere.
type Documents interface {
	Put(ctx context.Context, b []byte, why string) (cid.Cid, error)
	Get(ctx context.Context, c cid.Cid) ([]byte, error)
}

// Near are Documents that say what is here without asking others.
type Near interface {
	// Local ends in storage.ErrNotFound where a document is not here.
	Local(ctx context.Context, c cid.Cid) ([]byte, error)
}

// Shards take data in. What is imported is durable and known to nobody; Pin keeps it
// and lets others find it. Where of, a private datanet, is defined, a shard that was not here is
// marked as its before anybody can see it; what was here keeps its mark, or none.
type Shards interface {
	ImportFile(ctx context.Context, r io.Reader, of cid.Cid) (storage.Shard, error)
	// ImportCAR takes a CAR file in canonical form, of any root.
	ImportCAR(ctx context.Context, r io.Reader, of cid.Cid) (storage.Shard, error)
	Pin(ctx context.Context, root cid.Cid, why string) error
}

// Data gives data out.
type Data interface {
	// Stat is what is held of a shard, measured here; storage.ErrNotFound if nothing.
	Stat(ctx context.Context, root cid.Cid) (storage.Shard, error)
	// OpenFile opens the file of a shard that is held, checking what it reads.
	OpenFile(ctx context.Context, root cid.Cid) (io.ReadSeekCloser, error)
	// Fetch gets a shard from others unless it is held.
	Fetch(ctx context.Context, root cid.Cid) error
	ExportCAR(ctx context.Context, root cid.Cid, w io.Writer) error
}

// Peers reach an account's node.
type Peers interface {
	Call(ctx context.Context, to common.Address, name string, request []byte, max int) ([]byte, error)
}

// Chain dates contributions.
type Chain interface {
	// Commit puts a digest on the chain by this node's account, unless it is there, and returns
	// its block once a later block has been read.
	Commit(ctx context.Context, digest common.Hash) (block uint64, err error)
	// Committed is the first block in which the account committed the digest, as far as
	// the chain has been read; ok is false where it did not.
	Committed(account common.Address, digest common.Hash) (block uint64, ok bool)
	// Await waits until a block later than that has been read, or ctx ends.
	Await(ctx context.Context, account common.Address, digest common.Hash) (block uint64, err error)
}

// Config is what a Service depends on.
type Config struct {
	Network   protocol.Network
	Key       *ecdsa.PrivateKey
	Documents Documents
	Shards    Shards
	Data      Data
	Peers     Peers
	Chain     Chain
	DB        *kv.DB        // opened Sync: heads, grants, what is known
	Now       func() uint64 // unix seconds
	Temp      string        // directory for data that is being checked; "" is the system's
	MaxShard  uint64        // bytes of the largest CAR file; 0 is protocol.MaxShard
	MaxKnown  int           // shards of datanets neither ours nor followed whose sketches are kept; 0 is known.MaxOthers
	Refresh   time.Duration // between two questions for a followed datanet's head; 0 is ten minutes
	Logger    *slog.Logger  // nil discards
	// May says whether an account may contribute to our datanets; nil lets everybody.
	May func(contributor common.Address) error
	// Privacy hides the shards of private datanets from those who may not read them; nil
	// hides nothing.
	Privacy Privacy
}

// Service is one node's datanets.
type Service struct {
	c     Config
	me    common.Address
	known known.Index
	ring  readers.Ring
	doors doors
	book  *history.Book
	shows shows

	listWithin time.Duration // for what a list cannot read here; set by New

	mu       sync.Mutex // serialises appends; taken before granting
	granting sync.Mutex // held while grants are issued and taken back
}

// New returns a service. It starts nothing.
func New(c Config) *Service {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxShard == 0 {
		c.MaxShard = protocol.MaxShard
	}
	if c.MaxKnown == 0 {
		c.MaxKnown = known.MaxOthers
	}
	if c.Refresh == 0 {
		c.Refresh = 10 * time.Minute
	}
	return &Service{c: c, me: crypto.PubkeyToAddress(c.Key.PublicKey), known: known.Index{DB: c.DB}, ring: readers.Ring{DB: c.DB, Key: c.Key, Network: c.Network}, book: history.New(c.Network, c.Documents, c.DB), listWithin: readWithin}
}

// Version is one manifest and where it stands.
type Version = history.Version

// Diff is what changed between two versions of one datanet.
type Diff = history.Diff

// Draft is what a new datanet is to be.
type Draft struct {
	Name     string
	Licence  string // SPDX expression, or the CID of a text
	Schema   string // records.Formats; "" is text
	Field    string // that holds the text of a record; none for text
	Replicas uint16
	Private  bool // shards are sealed, and read by those who were granted it
}

// Create makes an empty datanet.
func (s *Service) Create(ctx context.Context, d Draft) (Version, error) {
	if d.Schema == "" {
		d.Schema = SchemaText
	}
	if err := records.Validate(d.Schema, d.Field); err != nil {
		return Version{}, fmt.Errorf("%w: %w", ErrText, err)
	}
	m := protocol.Manifest{
		Name: d.Name, Licence: d.Licence, Schema: d.Schema, Field: d.Field, Owner: s.me, Created: s.c.Now(), Replicas: d.Replicas,
	}
	var keep func(origin cid.Cid) error
	if d.Private {
		var err error
		if m.Reader, keep, err = s.ring.Draw(); err != nil {
			return Version{}, err
		}
	}
	if err := m.Validate(s.c.Network, cid.Undef); err != nil {
		return Version{}, err
	}
	signed, err := protocol.Sign(s.c.Network, s.c.Key, m)
	if err != nil {
		return Version{}, err
	}
	if keep != nil { // the key is on disk before anything can be sealed to it
		if err := keep(signed.CID()); err != nil {
			return Version{}, err
		}
	}
	c, err := s.c.Documents.Put(ctx, signed.Bytes(), "datanet "+m.Name)
	if err != nil {
		return Version{}, err
	}
	v := Version{CID: c, Origin: c, Manifest: m}
	return v, s.publish(v, signed.Bytes())
}

// Read fetches and checks the manifest that c names: see history.Book.
func (s *Service) Read(ctx context.Context, c cid.Cid) (Version, error) { return s.book.Read(ctx, c) }

// Log are the versions from c back to the first, newest first. An error after some
// versions says why the walk ended there.
func (s *Service) Log(ctx context.Context, c cid.Cid) ([]Version, error) { return s.book.Log(ctx, c) }

// Diff compares two versions of one datanet, the earlier one first whatever their order.
func (s *Service) Diff(ctx context.Context, a, b cid.Cid) (Diff, error) {
	return s.book.Diff(ctx, a, b)
}

// Head is the newest version of the datanet that c is a version of, asked from its owner.
func (s *Service) Head(ctx context.Context, c cid.Cid) (Version, error) {
	v, err := s.Read(ctx, c)
	if err != nil {
		return Version{}, err
	}
	if v.Manifest.Owner == s.me {
		return s.ownVersion(ctx, v.Origin)
	}
	b, err := s.ask(ctx, v.Manifest.Owner, opHead, v.Origin.Bytes())
	if err != nil {
		return Version{}, fmt.Errorf("datanet: ask the owner for the head: %w", err)
	}
	return s.answered(ctx, v, b)
}

// answered checks a manifest that the owner sent against a version of ours and
// the newest that was ever seen here: of the same datanet, not older, and going on from both.
// Then it is kept: it is what the owner signed.
func (s *Service) answered(ctx context.Context, ours Version, b []byte) (Version, error) {
	v, err := s.book.Parse(b)
	if err != nil {
		return Version{}, err
	}
	if !v.Origin.Equals(ours.Origin) || v.Manifest.Owner != ours.Manifest.Owner {
		return Version{}, fmt.Errorf("%w: the owner answers with a version of another datanet, %s", ErrDatanet, v.Origin)
	}
	known := []Version{ours}
	if seen, err := s.getCID(seenKey(ours.Origin)); err == nil {
		if last, err := s.Read(ctx, seen); err == nil {
			known = append(known, last)
		}
	}
	for _, k := range known {
		switch {
		case v.CID.Equals(k.CID):
		case v.Manifest.Version == k.Manifest.Version:
			return Version{}, fmt.Errorf("%w: the owner %s signed two versions %d of %q, %s and %s", ErrDatanet, v.Manifest.Owner, v.Manifest.Version, v.Manifest.Name, k.CID, v.CID)
		case v.Manifest.Version < k.Manifest.Version:
			return Version{}, fmt.Errorf("%w: the owner answers with version %d of %q, and version %d was seen", ErrDatanet, v.Manifest.Version, v.Manifest.Name, k.Manifest.Version)
		default:
			if err := v.Manifest.Extends(k.Manifest); err != nil {
				return Version{}, fmt.Errorf("%w: %w", ErrDatanet, err)
			}
		}
	}
	if _, err := s.c.Documents.Put(ctx, b, "datanet "+v.Manifest.Name); err != nil {
		return Version{}, err
	}
	return v, s.saw(v, b)
}
