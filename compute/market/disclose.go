package market

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute/market/book"
	"tally/compute/market/wire"
	"tally/protocol"
)

// ServeDisclose answers StreamDisclose with what a node kept, on whichever side of
// the job it was. s or w may be nil.
func ServeDisclose(ctx context.Context, conn Conn, s *Submitter, w *Worker) error {
	var audits Audits
	var times Times
	var sides []func(cid.Cid) (book.Kept, error)
	if w != nil {
		audits, times, sides = w.Audits, w.Times, append(sides, w.book.Transcript)
	}
	if s != nil {
		audits, times, sides = s.Audits, s.Times, append(sides, s.book.Transcript)
	}
	return disclose(ctx, conn, audits, times, func(receipt cid.Cid) (k book.Kept, err error) {
		err = book.ErrUnknown
		for _, find := range sides {
			if k, err = find(receipt); !errors.Is(err, book.ErrUnknown) {
				break
			}
		}
		return k, err
	})
}

// Transcript is what this submitter kept of an answer that it paid for.
func (s *Submitter) Transcript(receipt cid.Cid) (protocol.Transcript, error) {
	k, err := s.book.Transcript(receipt)
	return k.Transcript, err
}

// disclose gives a transcript to an auditor who was drawn for its receipt, where
// the session agreed to it. Everybody else learns the same nothing. The stream's
// transport encrypts it to the auditor's key.
func disclose(ctx context.Context, conn Conn, audits Audits, t Times, find func(cid.Cid) (book.Kept, error)) error {
	l := newLink(ctx, conn)
	defer l.close()
	d, err := expect[wire.Disclose](ctx, l, t.Settle)
	if err != nil {
		return err
	}
	k, err := find(d.Receipt)
	if err != nil && !errors.Is(err, book.ErrUnknown) {
		return l.fail(wire.CodeFailed, err)
	}
	drawn := false
	if err == nil && k.Disclose && audits != nil {
		if drawn, err = audits.Drawn(ctx, d.Receipt, conn.Remote()); err != nil {
			return l.fail(wire.CodeFailed, fmt.Errorf("market: ask who was drawn: %w", err))
		}
	}
	if !drawn {
		return l.fail(wire.CodeUnknown, fmt.Errorf("%w: no transcript of receipt %s for %s", ErrRefused, d.Receipt, conn.Remote()))
	}
	if err := l.send(&wire.Disclosed{Transcript: k.Transcript}); err != nil {
		return err
	}
	// The auditor closes when it has read it.
	if _, err := l.recv(ctx, t.Settle); err != nil && !errors.Is(err, ErrLost) {
		return err
	}
	return nil
}

// RequestTranscript asks a receipt's payer or worker for the transcript behind
// it, and checks that it is what the receipt says.
func RequestTranscript(ctx context.Context, s Streams, from common.Address, receipt cid.Cid, r protocol.Receipt, within time.Duration) (protocol.Transcript, error) {
	var none protocol.Transcript
	opening, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err := s.Open(opening, from, StreamDisclose)
	if err != nil {
		return none, fmt.Errorf("%w: open: %w", ErrLost, err)
	}
	l := newLink(ctx, conn)
	defer l.close()
	if err := l.send(&wire.Disclose{Receipt: receipt}); err != nil {
		return none, err
	}
	d, err := expect[wire.Disclosed](ctx, l, within)
	if err != nil {
		return none, err
	}
	if err := CheckTranscript(r, d.Transcript); err != nil {
		return none, err
	}
	return d.Transcript, nil
}

// CheckTranscript checks that a transcript is the one behind a receipt, as far as
// hashes say; whether the answer is right is for an engine to say.
func CheckTranscript(r protocol.Receipt, t protocol.Transcript) error {
	want := r
	if err := describe(&want, protocol.InferSpec{}, t); err != nil {
		return err
	}
	want.Value = r.Value
	if want != r {
		return fmt.Errorf("%w: %w: the transcript is of other work: its %s", ErrPeer, ErrReceipt, difference(r, want))
	}
	return nil
}
