// Package wire holds what two nodes say on a job's streams: one message is one
// frame, a type and the canonical dag-cbor of the body that the type names.
//
// Submitter and worker take turns as docs/spec/market.md writes down; this
// package knows only the forms. Every frame is at most MaxFrame bytes, every
// list and text in it has a bound of its own, and Unmarshal accepts exactly the
// bytes that Marshal gives. Signed messages travel inside as envelopes, still
// closed: opening them is the receiver's first act.
//
// Everything here is a value; functions are safe for concurrent use.
package wire

import (
	"errors"
	"fmt"

	"tally/protocol"
)

// MaxFrame bounds one frame.
const MaxFrame = 1 << 20

// Bounds of what frames carry, tighter than those of the protocol's documents:
// a frame is held in memory, and a transcript is one record of a store.
const (
	MaxPrompt = 256 << 10 // bytes of a prompt
	MaxTokens = 16 << 10  // tokens read and written by one request
	MaxText   = 256 << 10 // bytes of an answer
	MaxLeaves = 4096      // of a training trace that is resumed
	MaxRange  = 64 << 10  // bytes of one challenge to a pinner
)

// ErrFrame says that bytes are no frame of this protocol, or one out of bounds.
var ErrFrame = errors.New("wire: not a frame of the job protocol: the peer may run another version")

// Body is the content of one frame: a pointer to one of this package's structs.
type Body interface{ tag() uint8 }

type frame struct {
	Type uint8
	Body []byte `max:"1048576"`
}

// Marshal writes a frame.
func Marshal(b Body) ([]byte, error) {
	raw, err := protocol.Encode(b)
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	out, err := protocol.Encode(frame{b.tag(), raw})
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	if len(out) > MaxFrame {
		return nil, fmt.Errorf("%w: %T takes %d bytes, at most %d", ErrFrame, b, len(out), MaxFrame)
	}
	return out, nil
}

// Unmarshal reads a frame.
func Unmarshal(b []byte) (Body, error) {
	if len(b) > MaxFrame {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrFrame, len(b), MaxFrame)
	}
	var f frame
	if err := protocol.Decode(b, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	body := blank(f.Type)
	if body == nil {
		return nil, fmt.Errorf("%w: type %d", ErrFrame, f.Type)
	}
	if err := protocol.Decode(f.Body, body); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return body, nil
}
