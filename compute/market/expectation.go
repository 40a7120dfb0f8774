package market

import (
	"context"
	"fmt"

	"tally/protocol"
)

// expectation is what the submitter knows a receipt must say.
type expectation struct {
	receipt protocol.Receipt // all but Epoch, Start and End
	sent    uint64           // when the work was asked for
}

func (s *Submitter) expectation(c claimed, sent uint64) (expectation, error) {
	ch, err := s.book.Channel(c.id, c.worker)
	if err != nil {
		return expectation{}, err
	}
	return expectation{protocol.Receipt{
		Offer:    c.id,
		Channel:  protocol.Channel(c.id, c.worker),
		Payer:    s.self,
		Worker:   c.worker,
		Seq:      ch.Seq + 1,
		Kind:     c.offer.Kind,
		Tier:     c.offer.Tier,
		Origin:   c.origin,
		Rank:     c.rank,
		Spec:     c.offer.Spec,
		Previous: ch.Previous,
	}, sent}, nil
}

// check opens a receipt and compares every field.
func (s *Submitter) check(ctx context.Context, raw []byte, e expectation) (protocol.Cosigned, error) {
	issued, err := protocol.ParseCosigned(raw)
	if err != nil {
		return issued, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	got, _, err := issued.Open(s.Network)
	if err != nil {
		return issued, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	now, err := s.Board.Now(ctx)
	if err != nil {
		return issued, fmt.Errorf("market: read the time: %w", err)
	}
	if got.Start+s.skew() < e.sent || got.Start > got.End || got.End > now+s.skew() {
		return issued, fmt.Errorf("%w: %w: it says the work took from %d to %d, it was asked for at %d and it is %d", ErrPeer, ErrReceipt, got.Start, got.End, e.sent, now)
	}
	want := e.receipt
	want.Start, want.End, want.Epoch = got.Start, got.End, s.Params.EpochAt(got.End)
	if got == want {
		return issued, nil
	}
	return issued, fmt.Errorf("%w: %w: %s", ErrPeer, ErrReceipt, difference(got, want))
}

// difference names the first field in which two receipts differ.
func difference(got, want protocol.Receipt) string {
	for _, f := range []struct {
		name      string
		got, want any
	}{
		{"offer", got.Offer, want.Offer},
		{"channel", got.Channel, want.Channel},
		{"payer", got.Payer, want.Payer},
		{"worker", got.Worker, want.Worker},
		{"epoch", got.Epoch, want.Epoch},
		{"number", got.Seq, want.Seq},
		{"kind", got.Kind, want.Kind},
		{"tier", got.Tier, want.Tier},
		{"origin", got.Origin, want.Origin},
		{"rank", got.Rank, want.Rank},
		{"spec", got.Spec, want.Spec},
		{"input", got.Input, want.Input},
		{"output", got.Output, want.Output},
		{"trace", got.Trace, want.Trace},
		{"attribution", got.Attribution, want.Attribution},
		{"units in", got.UnitsIn, want.UnitsIn},
		{"units out", got.UnitsOut, want.UnitsOut},
		{"value", got.Value, want.Value},
		{"previous receipt", got.Previous, want.Previous},
	} {
		if f.got != f.want {
			return fmt.Sprintf("%s is %v, want %v", f.name, f.got, f.want)
		}
	}
	return "a field differs"
}
