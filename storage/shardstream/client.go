package shardstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage"
)

// slowest is the pace, in bytes a second, that a source may not fall under for
// longer than its time of silence.
const slowest = 16 << 10

// client is the asking side of one stream. It has one user at a time.
type client struct {
	conn  Conn
	stall time.Duration // how long the peer may be silent
	down  *Budget
}

func (c *client) ask(q request) error {
	b, err := protocol.Encode(q)
	if err != nil {
		return err
	}
	return c.patient(c.stall, func() error { return c.conn.Send(b) })
}

// errSilent is what a peer's patience ends with.
var errSilent = fmt.Errorf("shardstream: nothing for too long: %w", storage.ErrStalled)

// patient runs a read of the stream, and resets the stream when it takes longer
// than d.
func (c *client) patient(d time.Duration, read func() error) error {
	silent := make(chan struct{})
	t := time.AfterFunc(d, func() { close(silent); c.conn.Reset() })
	err := read()
	if !t.Stop() {
		<-silent
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return err
}

// header reads the beginning of an answer.
func (c *client) header() ([]byte, error) {
	var b []byte
	err := c.patient(c.stall, func() (err error) {
		b, err = c.conn.Recv(maxAnswer)
		return err
	})
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("stream ended before the answer: %w", io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, err
	}
	a, err := parseAnswer(b)
	if err != nil {
		return nil, err
	}
	if a.Status != statusGood {
		return nil, statusErrors[a.Status]
	}
	return a.Body, nil
}

// info asks what the file of a shard is, and which private datanet's, if any.
func (c *client) info(ctx context.Context, root cid.Cid) (o storage.Outline, datanet cid.Cid, err error) {
	if err := c.ask(request{Op: opInfo, Root: root}); err != nil {
		return o, cid.Undef, err
	}
	b, err := c.header()
	if err != nil {
		return o, cid.Undef, err
	}
	if err := c.down.Take(ctx, len(b)); err != nil {
		return o, cid.Undef, err
	}
	return parseInfo(b)
}

// show sends a credential; nil says that the holder takes it.
func (c *client) show(root cid.Cid, credential []byte) error {
	if err := c.ask(request{Op: opShow, Root: root, Count: uint64(len(credential))}); err != nil {
		return err
	}
	if err := c.patient(c.stall, func() error { return c.conn.Send(credential) }); err != nil {
		return err
	}
	_, err := c.header()
	return err
}

// fill reads the answer to a range request into b. Only time spent in reading
// counts as the peer's: a small budget of ours is not its fault.
func (c *client) fill(ctx context.Context, b []byte) error {
	body, err := c.header()
	if err != nil {
		return err
	}
	if len(body) > 0 {
		return fmt.Errorf("a range with a body: %w", ErrMalformed)
	}
	r := c.conn.Reader()
	spent, got := time.Duration(0), 0
	for got < len(b) {
		n := min(len(b)-got, chunk)
		if err := c.down.Take(ctx, n); err != nil {
			return err
		}
		part := b[got : got+n]
		for len(part) > 0 {
			begin, m := time.Now(), 0
			left := min(c.stall, c.stall+time.Duration(got)*time.Second/slowest-spent)
			err := c.patient(left, func() (err error) {
				m, err = r.Read(part)
				return err
			})
			spent += time.Since(begin)
			part, got = part[m:], got+m
			if errors.Is(err, io.EOF) && len(part) > 0 {
				return fmt.Errorf("%d of %d bytes: %w", got, len(b), io.ErrUnexpectedEOF)
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
	}
	return nil
}

// Answer is what a holder showed of one leaf.
type Answer struct {
	Size   uint64 // of the file, as the holder says
	Proof  piece.Proof
	Signed []byte // envelope of a protocol.Signed[protocol.Retrieved]
}

// Prove asks a holder for a leaf of a shard, named by its root or, with root
// undefined, by its piece root. The answer is not checked yet: see Answer.Check.
// The stream may be used again.
func Prove(_ context.Context, c Conn, root cid.Cid, of piece.Hash, leaf uint64, patience time.Duration) (Answer, error) {
	k := &client{conn: c, stall: patience}
	q := request{Op: opProve, Root: root, At: leaf}
	if !root.Defined() {
		q.Piece = common.Hash(of)
	}
	if err := k.ask(q); err != nil {
		return Answer{}, fmt.Errorf("ask for a proof: %w", err)
	}
	b, err := k.header()
	if err != nil {
		return Answer{}, fmt.Errorf("ask for a proof: %w", err)
	}
	p, err := parseProof(b)
	if err != nil {
		return Answer{}, fmt.Errorf("ask for a proof: %w", err)
	}
	return Answer{Size: p.Size, Proof: piece.Proof{Index: leaf, Leaf: p.Leaf, Path: hashes(p.Path)}, Signed: p.Signed}, nil
}

var (
	// ErrUnsigned says that nobody answers for what was shown.
	ErrUnsigned = errors.New("shardstream: the answer is not the holder's word on this leaf")
	// ErrWrong says that what was shown, or sent, is not the shard's.
	ErrWrong = errors.New("shardstream: data that is not the shard's")
)

// Check says what an answer is worth for a piece of a given root and size. Nil: the
// leaf is the piece's, and node signed for it. ErrUnsigned: the envelope is not
// node's word to asker on this leaf and these bytes, so the answer counts as none.
// ErrWrong: it is, and the leaf is not the piece's; the envelope, with the right
// leaf and its path, shows that to anybody.
func (a Answer) Check(n protocol.Network, node, asker common.Address, of piece.Hash, size, leaf uint64) error {
	s, err := protocol.ParseSigned[protocol.Retrieved](a.Signed)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	m, err := s.Open(n)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	if m.Node != node || m.Asker != asker || m.Piece != common.Hash(of) || m.Leaf != leaf || m.Data != LeafHash(a.Proof.Leaf) {
		return fmt.Errorf("it is on leaf %d of %s by %s: %w", m.Leaf, m.Piece, m.Node, ErrUnsigned)
	}
	p := a.Proof
	p.Index = leaf
	if err := piece.Verify(of, size, p); err != nil {
		return fmt.Errorf("%w: %w", ErrWrong, err)
	}
	return nil
}
