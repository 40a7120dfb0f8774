package datanet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/node/datanet/history"
	"tally/node/datanet/known"
	"tally/protocol"
)

// Protocol is the name of the stream that Serve answers.
const Protocol = "datanet"

// MaxRequest bounds a request on the stream, in bytes.
const MaxRequest = 24 << 10

// The stream's requests: docs/spec/datanet.md, section 6.
const (
	opHead       = 1
	opContribute = 2
	opGrant      = 3
	opReaderKey  = 4
	opWithdraw   = 5
	opSketches   = 6
)

type request struct {
	Op   uint8
	Body []byte `max:"20480"`
}

// reveal is the body of a contribution.
type reveal struct {
	Contribution []byte `max:"1024"`  // Signed[Contribution]
	Sketch       []byte `max:"17408"` // document; none in a private datanet
	Accept       bool   // overlap with others' shards is meant
}

// sketchesFrom asks for the sketches of the newest version's shards, from an index on.
type sketchesFrom struct {
	Datanet cid.Cid
	From    uint32
}

const maxManifest = history.MaxManifest // bytes of an answer

func (s *Service) ask(ctx context.Context, owner common.Address, op uint8, body []byte) ([]byte, error) {
	b, err := protocol.Encode(request{Op: op, Body: body})
	if err != nil {
		return nil, err
	}
	return s.c.Peers.Call(ctx, owner, Protocol, b, maxManifest)
}

// Serve answers one request of an account's node.
func (s *Service) Serve(ctx context.Context, from common.Address, b []byte) ([]byte, error) {
	if len(b) > MaxRequest {
		return nil, fmt.Errorf("%w: a request of %d bytes, at most %d", ErrDatanet, len(b), MaxRequest)
	}
	var r request
	if err := protocol.Decode(b, &r); err != nil {
		return nil, err
	}
	switch r.Op {
	case opHead:
		origin, err := cid.Cast(r.Body)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDatanet, err)
		}
		return s.version(ctx)(s.ownVersion(ctx, origin))
	case opContribute:
		var in reveal
		if err := protocol.Decode(r.Body, &in); err != nil {
			return nil, err
		}
		return s.version(ctx)(s.accept(ctx, in))
	case opGrant:
		origin, err := cid.Cast(r.Body)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDatanet, err)
		}
		return s.grantFor(ctx, origin, from)
	case opReaderKey:
		signed, err := s.readerKey()
		if err != nil {
			return nil, err
		}
		return signed.Bytes(), nil
	case opWithdraw:
		w, err := protocol.ParseSigned[protocol.Withdrawal](r.Body)
		if err != nil {
			return nil, err
		}
		return s.version(ctx)(s.takeBack(ctx, w))
	case opSketches:
		var in sketchesFrom
		if err := protocol.Decode(r.Body, &in); err != nil {
			return nil, err
		}
		return s.sketches(ctx, in)
	}
	return nil, fmt.Errorf("%w: request %d is not known", ErrDatanet, r.Op)
}

// version answers with a version's envelope.
func (s *Service) version(ctx context.Context) func(Version, error) ([]byte, error) {
	return func(v Version, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return s.book.Envelope(ctx, v.CID)
	}
}

func (s *Service) sketches(ctx context.Context, in sketchesFrom) ([]byte, error) {
	v, err := s.ownVersion(ctx, in.Datanet)
	if err != nil {
		return nil, err
	}
	return s.page(ctx, v, int(in.From))
}

// page is a page of the sketches that a version names.
func (s *Service) page(ctx context.Context, v Version, from int) ([]byte, error) {
	var names []cid.Cid
	for _, x := range v.Manifest.Shards {
		names = append(names, x.Sketch)
	}
	return known.Page(names, from, func(c cid.Cid) ([]byte, error) {
		if doc, err := s.known.Sketch(c); err == nil {
			return doc, nil
		}
		return s.c.Documents.Get(ctx, c)
	})
}

// forget drops what is known of datanets that are neither ours nor followed, those that were looked at longest
// ago first, so that others' lists do not fill this node's disk.
func (s *Service) forget(ctx context.Context) error {
	gone, err := s.known.Prune(ctx, s.c.MaxKnown, func(origin cid.Cid) bool {
		for _, key := range [][]byte{headKey(origin), followKey(origin)} {
			if _, err := s.get(key); !errors.Is(err, kv.ErrNotFound) {
				return true // or it cannot be told
			}
		}
		return false
	})
	if len(gone) > 0 {
		s.c.Logger.Info("what was known of datanets that are not followed was forgotten", "datanets", len(gone))
	}
	return err
}

// learn remembers what a version lists, and asks its owner for the sketches that are missing.
func (s *Service) learn(ctx context.Context, v Version) error {
	if err := s.known.Touch(v.Origin); err != nil {
		return err
	}
	var entries []known.Entry
	for _, x := range v.Manifest.Shards {
		entries = append(entries, entry(v, x))
	}
	return s.known.Learn(entries, func(from int) ([]byte, error) {
		if v.Manifest.Owner == s.me {
			return s.page(ctx, v, from)
		}
		body, err := protocol.Encode(sketchesFrom{v.Origin, uint32(from)})
		if err != nil {
			return nil, err
		}
		b, err := s.ask(ctx, v.Manifest.Owner, opSketches, body)
		if err != nil {
			return nil, fmt.Errorf("datanet: ask the owner for sketches: %w", err)
		}
		return b, nil
	})
}
