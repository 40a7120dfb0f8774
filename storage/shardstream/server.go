package shardstream

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage"
)

// Asker is who asks: a peer, and the account that its key stands for.
type Asker struct {
	Peer    peer.ID
	Account common.Address
}

// ServerConfig is what a Server depends on.
type ServerConfig struct {
	// Store is served from.
	Store *storage.Store
	// May says whether asker may read a shard, by nil; any error is a refusal. It is
	// asked before every answer. Nil lets everybody read everything.
	May func(ctx context.Context, asker Asker, root cid.Cid) error
	// Show says by nil that a credential, at most MaxCredential bytes that asker sent,
	// lets it read a shard which May refuses. It is kept for as long as the stream, and
	// asked about before every answer. Nil takes none.
	Show func(ctx context.Context, asker Asker, root cid.Cid, credential []byte) error
	// Sign signs what this node shows, and returns the envelope of the
	// protocol.Signed. Nil refuses to prove.
	Sign func(ctx context.Context, m protocol.Retrieved) ([]byte, error)
	// Node is this node's account: who signs.
	Node common.Address
	// Up bounds what is sent by all streams; Blocks may share it. Nil is no bound.
	Up *Budget
	// Streams is how many streams are sent outlines and ranges at once, a quarter of
	// them of one peer; 0 is 64. A small budget lowers it, so that each has 32 KiB a
	// second. A stream counts while it is answered and reads; idle ones do not.
	Streams int
	// Logger takes what an operator should know. Nil discards it.
	Logger *slog.Logger
}

// ErrConfig says that a setting makes no sense.
var ErrConfig = errors.New("shardstream: bad configuration")

// Validate says what is wrong with c.
func (c ServerConfig) Validate() error {
	if c.Store == nil {
		return fmt.Errorf("%w: no store to serve from", ErrConfig)
	}
	if c.Streams < 0 {
		return fmt.Errorf("%w: %d streams", ErrConfig, c.Streams)
	}
	return nil
}

// Server serves shards.
type Server struct {
	c     ServerConfig
	slots *slots

	proving *slots  // of proofs
	proofs  *Budget // what proofs may take of c.Up without waiting for it

	mu   sync.Mutex
	free [][]byte // guarded by mu: buffers of a chunk, at most one a slot
}

// NewServer returns a server; Serve does the work.
func NewServer(c ServerConfig) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Streams == 0 {
		c.Streams = 64
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{
		c: c, slots: newSlots(c.Up.streams(c.Streams)),
		proving: &slots{most: maxProving, each: 2, peers: map[peer.ID]int{}}, proofs: NewBudget((c.Up.Rate() + 1) / 2),
	}, nil
}

// Serve answers one stream, one request after the other, until the peer ends it.
// The error that it returns may be shown to the peer.
func (s *Server) Serve(ctx context.Context, from Asker, c Conn) error {
	v := &visit{s: s, from: from, conn: c}
	for {
		b, err := c.Recv(maxRequest)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		q, err := parseRequest(b)
		if err != nil {
			return err
		}
		switch q.Op {
		case opInfo:
			err = v.info(ctx, q)
		case opRange:
			err = v.span(ctx, q)
		case opShow:
			err = v.show(ctx, q)
		default:
			err = v.prove(ctx, q)
		}
		if err != nil {
			return err
		}
	}
}

// visit is one stream.
type visit struct {
	s    *Server
	from Asker
	conn Conn

	shown      cid.Cid // shard for which credential was taken; undefined if none
	credential []byte
	showing    int // credentials that were sent
}

// maxShows bounds the credentials of one stream.
const maxShows = 8

// late answers who got no slot. The end of the stream is not answered.
func (v *visit) late(q request, err error) error {
	if errors.Is(err, ErrBusy) {
		return v.refuse(q, err)
	}
	return err
}

// seat is a place for one answer's slot.
func (v *visit) seat() *seat { return &seat{s: v.s.slots, peer: v.from.Peer} }

// open finds the shard and asks whether the peer may read it: for each request, for
// a grant may be taken back, and a shard healed, while a stream lasts.
func (v *visit) open(ctx context.Context, root cid.Cid) (*storage.File, error) {
	if v.s.c.May != nil {
		err := v.s.c.May(ctx, v.from, root)
		if err != nil && v.s.c.Show != nil && v.shown.Equals(root) {
			err = v.s.c.Show(ctx, v.from, root, v.credential)
		}
		if err != nil {
			v.s.c.Logger.Debug("shard refused", "peer", v.from.Peer, "root", root, "err", err)
			return nil, ErrRefused
		}
	}
	return v.s.c.Store.OpenShard(ctx, root)
}

// refuse answers with the status that an error stands for. Only a stream that
// failed ends it.
func (v *visit) refuse(q request, err error) error {
	status := statusBroken
	switch {
	case errors.Is(err, storage.ErrNotFound):
		status = statusNotHeld
	case errors.Is(err, ErrRefused):
		status = statusRefused
	case errors.Is(err, ErrBusy):
		status = statusBusy
	case errors.Is(err, ErrRange), errors.Is(err, storage.ErrRange):
		status = statusRange
	default:
		v.s.c.Logger.Warn("shard could not be served", "root", q.Root, "err", err)
	}
	return v.send(status, nil)
}

func (v *visit) send(status uint8, body any) error {
	a := answer{Status: status}
	var err error
	if body != nil {
		if a.Body, err = protocol.Encode(body); err != nil {
			return err
		}
	}
	b, err := protocol.Encode(a)
	if err != nil {
		return err
	}
	return v.conn.Send(b)
}

func (v *visit) info(ctx context.Context, q request) error {
	f, err := v.open(ctx, q.Root)
	if err != nil {
		return v.refuse(q, err)
	}
	defer func() { _ = f.Close() }()
	layer, err := f.Layer(ctx)
	if err != nil {
		return v.refuse(q, err)
	}
	seat := v.seat()
	if err := seat.enter(ctx, slotWait); err != nil {
		return v.late(q, err)
	}
	err = v.s.c.Up.Take(ctx, infoCost+32*len(layer))
	seat.leave()
	if err != nil {
		return err
	}
	of, private := v.s.c.Store.Private(q.Root)
	if private && !of.Defined() {
		return v.refuse(q, ErrRefused) // whose it is was lost; saying none would say that it is public
	}
	return v.send(statusGood, info{Piece: common.Hash(f.Piece), Size: f.Size, Layer: flat(layer), Datanet: of})
}

// show takes a credential for a shard.
func (v *visit) show(ctx context.Context, q request) error {
	if v.showing++; v.showing > maxShows {
		return fmt.Errorf("%d credentials: %w", v.showing, ErrMalformed)
	}
	b, err := v.conn.Recv(int(q.Count))
	if err != nil {
		return err
	}
	if uint64(len(b)) != q.Count {
		return fmt.Errorf("credential of %d bytes, said to be %d: %w", len(b), q.Count, ErrMalformed)
	}
	err = ErrRefused
	if v.s.c.Show != nil {
		err = v.s.c.Show(ctx, v.from, q.Root, b)
	}
	if err != nil {
		v.s.c.Logger.Debug("credential refused", "peer", v.from.Peer, "root", q.Root, "err", err)
		return v.refuse(q, ErrRefused)
	}
	v.shown, v.credential = q.Root, b
	return v.send(statusGood, nil)
}

func (v *visit) span(ctx context.Context, q request) error {
	f, err := v.open(ctx, q.Root)
	if err != nil {
		return v.refuse(q, err)
	}
	defer func() { _ = f.Close() }()
	if q.Count > MaxRange || q.At > f.Size || q.Count > f.Size-q.At {
		return v.refuse(q, ErrRange)
	}
	seat := v.seat()
	defer seat.leave()
	if err := seat.enter(ctx, slotWait); err != nil {
		return v.late(q, err)
	}
	if f.Damaged && q.Count > 0 {
		// What is sound of it is served. To find out costs, whatever is sent.
		read := (q.At+q.Count-1)/piece.LayerSpan - q.At/piece.LayerSpan + 1
		if err := v.s.c.Up.Take(ctx, int(read)*proofCost); err != nil {
			return err
		}
		if err := f.Check(ctx, q.At, q.Count); err != nil {
			seat.leave()
			return v.refuse(q, err)
		}
	}
	buf := v.s.buffer()
	defer v.s.give(buf)
	// What cannot be read is found before the answer says that it comes.
	n := int(min(q.Count, chunk))
	if _, err := f.ReadAt(buf[:n], int64(q.At)); err != nil {
		seat.leave()
		return v.refuse(q, err)
	}
	if err := seat.during(func() error { return v.send(statusGood, nil) }); err != nil {
		return err
	}
	w := v.conn.Writer()
	for off, end := q.At, q.At+q.Count; off < end; {
		if err := seat.enter(ctx, 0); err != nil { // again, after a time in which nothing was read
			return err
		}
		if err := v.s.c.Up.Take(ctx, n); err != nil {
			return err
		}
		if err := seat.during(func() error { _, err := w.Write(buf[:n]); return err }); err != nil {
			return err
		}
		off += uint64(n)
		if n = int(min(end-off, chunk)); n > 0 {
			if _, err := f.ReadAt(buf[:n], int64(off)); err != nil {
				return ErrBroken
			}
		}
	}
	return nil
}

func (s *Server) buffer() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		b := s.free[n-1]
		s.free = s.free[:n-1]
		return b
	}
	return make([]byte, chunk)
}

func (s *Server) give(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) < 4 {
		s.free = append(s.free, b)
	}
}

func (v *visit) prove(ctx context.Context, q request) error {
	if v.s.c.Sign == nil {
		return v.refuse(q, ErrRefused)
	}
	root := q.Root
	if !root.Defined() {
		sh, err := v.s.c.Store.ByPiece(ctx, piece.Hash(q.Piece))
		if err != nil {
			return v.refuse(q, err)
		}
		root = sh.Root
	}
	f, err := v.open(ctx, root)
	if err != nil {
		return v.refuse(q, err)
	}
	defer func() { _ = f.Close() }()
	if q.At >= piece.Leaves(f.Size) {
		return v.refuse(q, ErrRange)
	}
	// An auditor's patience is short, and whoever is silent is reported: a proof does not
	// stand behind what shards have taken of the line, which pay for it afterwards.
	seat := &seat{s: v.s.proving, peer: v.from.Peer}
	defer seat.leave()
	if err := seat.enter(ctx, slotWait); err != nil {
		return v.late(q, err)
	}
	if err := v.s.proofs.Take(ctx, proofCost); err != nil {
		return err
	}
	v.s.c.Up.owe(proofCost)
	// A copy that changed on disk shows here, and is not signed for.
	p, err := v.s.c.Store.PieceProof(ctx, root, q.At)
	seat.leave()
	if err != nil {
		return v.refuse(q, err)
	}
	signed, err := v.s.c.Sign(ctx, protocol.Retrieved{
		Node: v.s.c.Node, Asker: v.from.Account, Piece: common.Hash(f.Piece),
		Leaf: q.At, Data: LeafHash(p.Leaf), Time: uint64(time.Now().Unix()),
	})
	if err != nil {
		return v.refuse(q, err)
	}
	return v.send(statusGood, proof{Size: f.Size, Leaf: p.Leaf, Path: flat(p.Path), Signed: signed})
}

const (
	// proofCost is what a proof takes of the budget, and a look at a MiB of a damaged
	// shard: less is sent, but a MiB is read and hashed.
	proofCost = 16 << 10
	// maxProving is how many proofs are made at once, two of them of one peer: at a budget
	// of 64 KiB a second, the last has waited 16 s.
	maxProving = 32
	// infoCost is what an info takes besides its layer.
	infoCost = 128
)

// LeafHash is the hash of a leaf in its piece's tree: what a Retrieved says of it.
func LeafHash(leaf []byte) common.Hash {
	b := make([]byte, 1+piece.LeafSize)
	copy(b[1:], leaf)
	return sha256.Sum256(b)
}
