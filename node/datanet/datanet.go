// Package datanet publishes collections of data and reads them.
//
// The life of a contribution: its owner creates a datanet, which is a signed
// manifest of version 0 whose CID is the datanet's identity. A contributor
// imports a text as a shard, signs a contribution to that identity and sends it
// to the owner, who appends the shard to the manifest, signs the next version
// and answers with it. Every version names its parent, so the whole history is
// one walk; a version is what a training job names.
//
// A text's records are separated as protocol.SplitRecords says.
//
// The owner keeps the head of each of its datanets durably before it answers. A
// Service is safe for concurrent use; appends to one datanet are serialised. It
// does not hold the data of others: that is what pin jobs are for.
package datanet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/storage"
)

// SchemaText is the schema of shards that are UTF-8 text.
const SchemaText = "text"

// Protocol is the name of the stream that Serve answers.
const Protocol = "datanet"

var (
	// ErrNotOwner says that a datanet is another account's to extend.
	ErrNotOwner = errors.New("datanet: not ours")
	// ErrText says that data does not fit the datanet's schema.
	ErrText = errors.New("datanet: not text")
	// ErrDatanet says that a CID names no datanet.
	ErrDatanet = errors.New("datanet: not a datanet")
)

// Documents are small blocks by CID. Put keeps one durably and lets others find
// it; Get finds it here or elsewhere.
type Documents interface {
	Put(ctx context.Context, b []byte, why string) (cid.Cid, error)
	Get(ctx context.Context, c cid.Cid) ([]byte, error)
}

// Shards keep data. Import is durable, pinned and findable once it returns.
type Shards interface {
	Import(ctx context.Context, r io.Reader, why string) (storage.Shard, error)
}

// Peers reach an account's node.
type Peers interface {
	Call(ctx context.Context, to common.Address, name string, request []byte, max int) ([]byte, error)
}

// Config is what a Service depends on.
type Config struct {
	Network   protocol.Network
	Key       *ecdsa.PrivateKey
	Documents Documents
	Shards    Shards
	Peers     Peers
	DB        *kv.DB        // opened Sync: heads
	Now       func() uint64 // unix seconds
	// May says whether an account may contribute to our datanets; nil lets everybody.
	May func(contributor common.Address) error
}

// Service is one node's datanets.
type Service struct {
	c  Config
	me common.Address
	mu sync.Mutex // serialises appends
}

// New returns a service. It starts nothing.
func New(c Config) *Service {
	return &Service{c: c, me: crypto.PubkeyToAddress(c.Key.PublicKey)}
}

// Version is one manifest and where it stands.
type Version struct {
	CID      cid.Cid
	Origin   cid.Cid // the datanet's identity
	Manifest protocol.Manifest
}

// Create makes an empty datanet.
func (s *Service) Create(ctx context.Context, name, licence, schema string) (Version, error) {
	if schema != SchemaText {
		return Version{}, fmt.Errorf("%w: schema %q: this version takes %q", ErrText, schema, SchemaText)
	}
	m := protocol.Manifest{Name: name, Licence: licence, Schema: schema, Owner: s.me, Created: s.c.Now()}
	if err := m.Validate(s.c.Network, cid.Undef); err != nil {
		return Version{}, err
	}
	c, err := s.publish(ctx, m)
	if err != nil {
		return Version{}, err
	}
	return Version{c, c, m}, s.setHead(c, c)
}

func (s *Service) publish(ctx context.Context, m protocol.Manifest) (cid.Cid, error) {
	signed, err := protocol.Sign(s.c.Network, s.c.Key, m)
	if err != nil {
		return cid.Undef, err
	}
	return s.c.Documents.Put(ctx, signed.Bytes(), "datanet "+m.Name)
}

func headKey(origin cid.Cid) []byte { return append([]byte("datanet/head/"), origin.Bytes()...) }

func (s *Service) setHead(origin, head cid.Cid) error {
	return s.c.DB.Update(func(tx *kv.Tx) error { return tx.Set(headKey(origin), head.Bytes()) })
}

// ownHead is the head of a datanet of ours.
func (s *Service) ownHead(origin cid.Cid) (cid.Cid, error) {
	var head cid.Cid
	err := s.c.DB.View(func(tx *kv.Tx) error {
		b, err := tx.Get(headKey(origin))
		if err != nil {
			return err
		}
		head, err = cid.Cast(b)
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return cid.Undef, fmt.Errorf("%w: %s", ErrNotOwner, origin)
	}
	return head, err
}

// Read fetches and checks the manifest that c names.
func (s *Service) Read(ctx context.Context, c cid.Cid) (Version, error) {
	b, err := s.c.Documents.Get(ctx, c)
	if err != nil {
		return Version{}, fmt.Errorf("datanet: get %s: %w", c, err)
	}
	signed, err := protocol.ParseSigned[protocol.Manifest](b)
	if err != nil {
		return Version{}, fmt.Errorf("%w: %s: %w", ErrDatanet, c, err)
	}
	m, err := signed.Open(s.c.Network)
	if err != nil {
		return Version{}, fmt.Errorf("%w: %s: %w", ErrDatanet, c, err)
	}
	origin := m.Origin
	if m.Version == 0 {
		origin = c
	}
	if err := m.Validate(s.c.Network, origin); err != nil {
		return Version{}, err
	}
	return Version{c, origin, m}, nil
}

// Head is the newest version of the datanet that c is a version of.
func (s *Service) Head(ctx context.Context, c cid.Cid) (Version, error) {
	v, err := s.Read(ctx, c)
	if err != nil {
		return Version{}, err
	}
	if v.Manifest.Owner == s.me {
		head, err := s.ownHead(v.Origin)
		if err != nil {
			return Version{}, err
		}
		return s.Read(ctx, head)
	}
	b, err := s.ask(ctx, v.Manifest.Owner, request{Op: opHead, Body: v.Origin.Bytes()})
	if err != nil {
		return Version{}, fmt.Errorf("datanet: ask the owner for the head: %w", err)
	}
	return s.answered(ctx, v, b)
}

// Log are the versions from c back to the first, newest first.
func (s *Service) Log(ctx context.Context, c cid.Cid) ([]Version, error) {
	const most = 4096
	var out []Version
	for c.Defined() && len(out) < most {
		v, err := s.Read(ctx, c)
		if err != nil {
			return nil, err
		}
		if len(out) > 0 {
			if err := out[len(out)-1].Manifest.Follows(v.Manifest); err != nil {
				return nil, err
			}
		}
		out = append(out, v)
		c = v.Manifest.Parent
	}
	return out, nil
}

// Add imports a text as a shard and contributes it. The version returned has it.
func (s *Service) Add(ctx context.Context, c cid.Cid, text io.Reader) (Version, protocol.Shard, error) {
	v, err := s.Read(ctx, c)
	if err != nil {
		return Version{}, protocol.Shard{}, err
	}
	if v.Manifest.Schema != SchemaText {
		return Version{}, protocol.Shard{}, fmt.Errorf("%w: datanet %q holds %q, this version adds %q", ErrText, v.Manifest.Name, v.Manifest.Schema, SchemaText)
	}
	count := &recordCounter{r: text}
	sh, err := s.c.Shards.Import(ctx, count, "datanet "+v.Manifest.Name)
	if err != nil {
		return Version{}, protocol.Shard{}, fmt.Errorf("datanet: import: %w", err)
	}
	con, err := protocol.Sign(s.c.Network, s.c.Key, protocol.Contribution{
		Datanet: v.Origin, Root: sh.Root, Piece: common.Hash(sh.Piece), Size: sh.Size, Records: count.records(), Contributor: s.me,
	})
	if err != nil {
		return Version{}, protocol.Shard{}, err
	}
	shard, err := protocol.ShardOf(s.c.Network, con)
	if err != nil {
		return Version{}, protocol.Shard{}, err
	}
	if v.Manifest.Owner == s.me {
		next, err := s.append(ctx, con)
		return next, shard, err
	}
	b, err := s.ask(ctx, v.Manifest.Owner, request{Op: opContribute, Body: con.Bytes()})
	if err != nil {
		return Version{}, protocol.Shard{}, fmt.Errorf("datanet: contribute to %s: %w", v.Manifest.Owner, err)
	}
	next, err := s.answered(ctx, v, b)
	if err != nil {
		return Version{}, protocol.Shard{}, err
	}
	for _, x := range next.Manifest.Shards {
		if x.Root.Equals(shard.Root) {
			return next, shard, nil
		}
	}
	return Version{}, protocol.Shard{}, fmt.Errorf("%w: the owner's version %d does not list shard %s", ErrDatanet, next.Manifest.Version, shard.Root)
}

// answered checks a manifest that the owner sent: signed, of the same datanet,
// not older than ours.
func (s *Service) answered(ctx context.Context, ours Version, b []byte) (Version, error) {
	signed, err := protocol.ParseSigned[protocol.Manifest](b)
	if err != nil {
		return Version{}, err
	}
	m, err := signed.Open(s.c.Network)
	if err != nil {
		return Version{}, err
	}
	if m.Owner != ours.Manifest.Owner || m.Version < ours.Manifest.Version {
		return Version{}, fmt.Errorf("%w: the answer is version %d by %s", ErrDatanet, m.Version, m.Owner)
	}
	if m.Version > 0 {
		if err := m.Validate(s.c.Network, ours.Origin); err != nil {
			return Version{}, err
		}
	}
	if m.Version == 0 && !signed.CID().Equals(ours.Origin) {
		return Version{}, fmt.Errorf("%w: the owner answers with version 0 of another datanet, %s", ErrDatanet, signed.CID())
	}
	c, err := s.c.Documents.Put(ctx, b, "datanet "+m.Name)
	return Version{c, ours.Origin, m}, err
}

// append adds a contribution to a datanet of ours.
func (s *Service) append(ctx context.Context, con protocol.Signed[protocol.Contribution]) (Version, error) {
	in, err := con.Open(s.c.Network)
	if err != nil {
		return Version{}, err
	}
	shard, err := protocol.ShardOf(s.c.Network, con)
	if err != nil {
		return Version{}, err
	}
	if s.c.May != nil && in.Contributor != s.me {
		if err := s.c.May(in.Contributor); err != nil {
			return Version{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	head, err := s.ownHead(in.Datanet)
	if err != nil {
		return Version{}, err
	}
	v, err := s.Read(ctx, head)
	if err != nil {
		return Version{}, err
	}
	for _, x := range v.Manifest.Shards {
		if x.Root.Equals(shard.Root) {
			if x.Contributor == shard.Contributor {
				return v, nil // said again: the answer was lost
			}
			return Version{}, fmt.Errorf("%w: shard %s was contributed by %s before", ErrDatanet, x.Root, x.Contributor)
		}
	}
	m := v.Manifest
	if n := countOf(m, shard.Contributor); shard.Contributor != s.me && n >= maxContributed {
		return Version{}, fmt.Errorf("%w: %s has contributed %d shards, at most %d of one contributor", ErrDatanet, shard.Contributor, n, maxContributed)
	}
	m.Version++
	m.Origin, m.Parent, m.Created = in.Datanet, head, s.c.Now()
	m.Shards = append(m.Shards[:len(m.Shards):len(m.Shards)], shard)
	if err := m.Validate(s.c.Network, in.Datanet); err != nil {
		return Version{}, err
	}
	next, err := s.publish(ctx, m)
	if err != nil {
		return Version{}, err
	}
	return Version{next, in.Datanet, m}, s.setHead(in.Datanet, next)
}

// maxContributed bounds what one contributor, not the owner, can add to a datanet:
// nobody else's place is used up, since it is append-only.
const maxContributed = 256

func countOf(m protocol.Manifest, contributor common.Address) (n int) {
	for _, s := range m.Shards {
		if s.Contributor == contributor {
			n++
		}
	}
	return n
}

// The stream's requests.
const (
	opHead       = 1
	opContribute = 2
)

type request struct {
	Op   uint8
	Body []byte `max:"4096"`
}

const maxManifest = 2 << 20 // bytes of a signed manifest on the stream

func (s *Service) ask(ctx context.Context, owner common.Address, r request) ([]byte, error) {
	b, err := protocol.Encode(r)
	if err != nil {
		return nil, err
	}
	return s.c.Peers.Call(ctx, owner, Protocol, b, maxManifest)
}

// Serve answers one request of a peer.
func (s *Service) Serve(ctx context.Context, b []byte) ([]byte, error) {
	var r request
	if err := protocol.Decode(b, &r); err != nil {
		return nil, err
	}
	var v Version
	switch r.Op {
	case opHead:
		origin, err := cid.Cast(r.Body)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDatanet, err)
		}
		head, err := s.ownHead(origin)
		if err != nil {
			return nil, err
		}
		if v, err = s.Read(ctx, head); err != nil {
			return nil, err
		}
	case opContribute:
		con, err := protocol.ParseSigned[protocol.Contribution](r.Body)
		if err != nil {
			return nil, err
		}
		if v, err = s.append(ctx, con); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%w: request %d is not known", ErrDatanet, r.Op)
	}
	return s.c.Documents.Get(ctx, v.CID)
}

// recordCounter passes a text on, counts its records and refuses what is no UTF-8.
type recordCounter struct {
	r    io.Reader
	n    uint64
	tail []byte // bytes of a rune cut by the end of a read
	open bool   // the record under way holds something
}

func (c *recordCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	b := append(c.tail, p[:n]...)
	whole := len(b)
	for whole > 0 && len(b)-whole < utf8.UTFMax-1 && !utf8.RuneStart(b[whole-1]) {
		whole--
	}
	if whole > 0 && utf8.RuneStart(b[whole-1]) && !utf8.FullRune(b[whole-1:]) {
		whole--
	} else {
		whole = len(b)
	}
	if err != nil {
		whole = len(b)
	}
	if !utf8.Valid(b[:whole]) || bytes.IndexByte(b[:whole], 0) >= 0 {
		return 0, fmt.Errorf("%w: the data is not UTF-8 text: convert it, or add another file", ErrText)
	}
	for rec := range bytes.SplitAfterSeq(b[:whole], []byte{protocol.RecordSeparator}) {
		body := bytes.TrimSuffix(rec, []byte{protocol.RecordSeparator})
		if len(bytes.TrimSpace(body)) > 0 {
			c.open = true
		}
		if len(body) < len(rec) && c.open {
			c.n++
			c.open = false
		}
	}
	c.tail = append([]byte(nil), b[whole:]...)
	return n, err
}

func (c *recordCounter) records() uint64 {
	if c.open {
		return c.n + 1
	}
	return c.n
}
