package shardstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage"
	"tally/storage/car"
)

// Name is the name of the protocol, under the network's prefix.
const Name = "shard"

var (
	// ErrNotHeld says that a node does not hold a shard.
	ErrNotHeld = errors.New("shardstream: the node does not hold this shard")
	// ErrRefused says that a node will not give a shard to this one.
	ErrRefused = errors.New("shardstream: the node refuses this shard: ask the owner of the datanet for a grant")
	// ErrBusy says that a node serves as much as it can.
	ErrBusy = errors.New("shardstream: the node is busy: try again later or elsewhere")
	// ErrRange says that a range or leaf is past the end of the shard.
	ErrRange = errors.New("shardstream: past the end of the shard")
	// ErrBroken says that a node cannot read what it holds.
	ErrBroken = errors.New("shardstream: the node cannot read its copy")
	// ErrMalformed says that a peer sent what is no message of this protocol.
	ErrMalformed = errors.New("shardstream: malformed message")
)

// Conn is one ordered stream of messages, and of bytes, with a peer.
type Conn interface {
	// Send writes one message.
	Send(message []byte) error
	// Recv reads one message of at most max bytes; io.EOF is the end.
	Recv(max int) ([]byte, error)
	// Reader reads messages as one run of bytes, and Writer writes one so.
	Reader() io.Reader
	Writer() io.Writer
	// Close ends the stream once what was sent is on its way.
	Close() error
	// Reset gives it up at once and ends a Recv or Read under way.
	Reset()
}

// Network reaches other nodes.
type Network interface {
	// Open starts a stream of this protocol. ctx bounds all of its life.
	Open(ctx context.Context, p peer.ID) (Conn, error)
	// Holders finds nodes that may hold a shard, the likely ones first.
	Holders(ctx context.Context, root cid.Cid) iter.Seq2[peer.ID, error]
}

const (
	opInfo uint8 = iota + 1
	opRange
	opProve
	opShow
)

// MaxRange is the most bytes of one range.
const MaxRange = 4 << 20

// request is what is asked. Fields that an operation does not use are zero.
type request struct {
	Op    uint8
	Root  cid.Cid     // of the shard; prove may name the piece instead
	Piece common.Hash // piece root, prove only, with Root undefined
	At    uint64      // offset of a range, index of a leaf
	Count uint64      // bytes of a range, or of the credential that follows
}

// MaxCredential bounds what a reader shows to be let in, in bytes.
const MaxCredential = 32 << 10

// maxRequest bounds an encoded request.
const maxRequest = 128

func parseRequest(b []byte) (request, error) {
	var q request
	if len(b) > maxRequest {
		return q, fmt.Errorf("request of %d bytes: %w", len(b), ErrMalformed)
	}
	if err := protocol.Decode(b, &q); err != nil {
		return q, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if q.Root.Defined() {
		if err := car.CheckCID(q.Root); err != nil {
			return q, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	if q.Op < opInfo || q.Op > opShow || q.Op == opShow && (q.Count == 0 || q.Count > MaxCredential) || !q.Root.Defined() && q.Op != opProve {
		return q, fmt.Errorf("operation %d: %w", q.Op, ErrMalformed)
	}
	return q, nil
}

// Statuses of an answer.
const (
	statusGood uint8 = iota
	statusNotHeld
	statusRefused
	statusBusy
	statusRange
	statusBroken
)

// statusErrors are in the order of the statuses.
var statusErrors = [...]error{nil, ErrNotHeld, ErrRefused, ErrBusy, ErrRange, ErrBroken}

// answer is what comes first; the bytes of a range follow it.
type answer struct {
	Status uint8
	Body   []byte `max:"34816"` // an info or a proof
}

const (
	maxLayer  = 32 * (storage.DefaultMaxShard / piece.LayerSpan) // 32 KiB
	maxAnswer = maxLayer + 2048
)

func parseAnswer(b []byte) (answer, error) {
	var a answer
	if err := protocol.Decode(b, &a); err != nil {
		return a, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if int(a.Status) >= len(statusErrors) || a.Status != statusGood && len(a.Body) > 0 {
		return a, fmt.Errorf("answer of status %d with %d bytes: %w", a.Status, len(a.Body), ErrMalformed)
	}
	return a, nil
}

// info is an outline as it travels.
type info struct {
	Piece   common.Hash
	Size    uint64
	Layer   []byte  `max:"32768"` // 32 bytes a MiB
	Datanet cid.Cid // whose the shard is if it is private
}

// maxLink bounds the CID of a datanet, in bytes.
const maxLink = 64

func parseInfo(b []byte) (o storage.Outline, datanet cid.Cid, err error) {
	var m info
	if err := protocol.Decode(b, &m); err != nil {
		return o, cid.Undef, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(m.Layer)%32 != 0 {
		return o, cid.Undef, fmt.Errorf("layer of %d bytes: %w", len(m.Layer), ErrMalformed)
	}
	if m.Datanet.ByteLen() > maxLink {
		return o, cid.Undef, fmt.Errorf("datanet of %d bytes: %w", m.Datanet.ByteLen(), ErrMalformed)
	}
	return storage.Outline{Piece: piece.Hash(m.Piece), Size: m.Size, Layer: hashes(m.Layer)}, m.Datanet, nil
}

// proof is an Answer as it travels.
type proof struct {
	Size   uint64
	Leaf   []byte `max:"256"`
	Path   []byte `max:"1792"` // 32 bytes a level
	Signed []byte `max:"512"`
}

func parseProof(b []byte) (proof, error) {
	var p proof
	if err := protocol.Decode(b, &p); err != nil {
		return p, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(p.Leaf) != piece.LeafSize || len(p.Path)%32 != 0 || len(p.Signed) == 0 {
		return p, fmt.Errorf("proof with a leaf of %d bytes, a path of %d: %w", len(p.Leaf), len(p.Path), ErrMalformed)
	}
	return p, nil
}

func hashes(b []byte) []piece.Hash {
	out := make([]piece.Hash, 0, len(b)/32)
	for ; len(b) >= 32; b = b[32:] {
		out = append(out, piece.Hash(b))
	}
	return out
}

func flat(hs []piece.Hash) []byte {
	out := make([]byte, 0, 32*len(hs))
	for _, h := range hs {
		out = append(out, h[:]...)
	}
	return out
}
