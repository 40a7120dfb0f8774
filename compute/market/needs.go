package market

import (
	"context"
	"io"
	"io/fs"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// The streams that peers open to one another. A node serves StreamJob with
// Worker.Serve, StreamSettle with Submitter.Serve, and StreamDisclose with
// ServeDisclose.
const (
	StreamJob      = "job"
	StreamSettle   = "settle"
	StreamDisclose = "disclose"
)

// PinClass is the class that a pinner registers.
const PinClass = "pin/1"

// Board is what the chain says about jobs.
type Board interface {
	// Offer is the offer with this id, once it is confirmed, and the block that
	// opened it. It may wait for a chain that is behind, as long as ctx allows.
	Offer(ctx context.Context, id common.Hash) (protocol.OfferOpened, uint64, error)
	// Candidates are those registered with the class at the offer's opening block.
	Candidates(ctx context.Context, id common.Hash, class string) ([]protocol.Candidate, error)
	// Beacon waits for the block that orders them, and gives its randomness.
	Beacon(ctx context.Context, id common.Hash) (common.Hash, error)
	// Now is the chain's time, unix seconds.
	Now(ctx context.Context) (uint64, error)
}

// Vault locks money.
type Vault interface {
	// OpenOffer gives the offer the submitter's next nonce, opens it and returns
	// its id once it is confirmed.
	OpenOffer(ctx context.Context, o protocol.Offer) (common.Hash, error)
}

// Streams open framed streams to other nodes.
type Streams interface {
	// Open bounds the opening by ctx; the stream then lives until Close. A silence
	// that is shorter than the peer's deadlines (Times) must not end it; one that
	// does between two requests of a session costs a new stream, nothing else.
	Open(ctx context.Context, peer common.Address, name string) (Conn, error)
}

// Conn is one framed stream. Send and Recv may run at the same time, each in one
// goroutine.
type Conn interface {
	Send(message []byte) error
	// Recv gives the next message, an error if it is larger than max, io.EOF
	// after the last one.
	Recv(max int) ([]byte, error)
	// Close ends both directions and a Recv under way. What was sent before still
	// arrives, unless the connection is lost.
	Close() error
	// Remote is the peer, as its key proved.
	Remote() common.Address
}

// Ledger counts receipts.
type Ledger interface {
	// Record takes a receipt with both signatures and the voucher that covers it, or
	// one that only its worker has signed, and nil; the former takes the latter's
	// place. It is durable once it returns; the same again is no error.
	Record(ctx context.Context, receipt protocol.Cosigned, voucher *protocol.Signed[protocol.Voucher]) error
}

// Blocks keep single dag-cbor documents that anyone may fetch. What a document
// links to is not fetched or kept with it: a training trace leads to everything.
type Blocks interface {
	// PutBlock keeps a document until the node drops it, and lets others find it.
	// It is durable once it returns; a document that is here already is no error.
	PutBlock(ctx context.Context, data []byte) (cid.Cid, error)
	// GetBlock finds the block here or with other nodes, and has checked it.
	GetBlock(ctx context.Context, c cid.Cid) ([]byte, error)
}

// Files import and open UnixFS data.
type Files interface {
	ImportFile(ctx context.Context, r io.Reader) (cid.Cid, error)
	ImportFS(ctx context.Context, files fs.FS) (cid.Cid, error)
	// OpenFile and FS read what is here whole; Fetch it first. ctx ends all
	// reading, so it must last as long as what they return.
	OpenFile(ctx context.Context, c cid.Cid) (io.ReadCloser, error)
	FS(ctx context.Context, c cid.Cid) (fs.FS, error)
	// Texts is FS of a shard of a datanet, as protocol text: what a model learns from,
	// whatever the datanet's schema and field are.
	Texts(ctx context.Context, c cid.Cid, schema, field string) (fs.FS, error)
}

// Keeper brings UnixFS data here and keeps it.
type Keeper interface {
	// Fetch returns once the whole DAG is here, every block checked.
	Fetch(ctx context.Context, c cid.Cid) error
	// Pin keeps a DAG that is here from being collected, for a reason that a node
	// can list and undo, until a time in unix seconds; 0 is for good. It is durable
	// once it returns, and the same reason again sets the time.
	Pin(ctx context.Context, c cid.Cid, why string, until uint64) error
}

// Shards speak of a DAG as its canonical CAR file.
type Shards interface {
	// Piece computes the piece root and length of the CAR file of a DAG that is here.
	Piece(ctx context.Context, root cid.Cid) (common.Hash, uint64, error)
	// Range reads n bytes of it.
	Range(ctx context.Context, root cid.Cid, off, n uint64) ([]byte, error)
}

// Store is a node's storage.
type Store interface {
	Blocks
	Files
	Keeper
	Shards
}

// Audits says who may see what is private.
type Audits interface {
	// Drawn reports whether auditor was drawn to repeat the work of a receipt.
	Drawn(ctx context.Context, receipt cid.Cid, auditor common.Address) (bool, error)
}
