package market

import (
	"errors"
	"fmt"
	"time"
)

// Fallbacks is how many workers may follow the primary.
const Fallbacks = 2

var (
	// ErrConfig is the class of every error of Validate.
	ErrConfig = errors.New("market: config")
	// ErrTerms says that a job cannot be posted as asked.
	ErrTerms = errors.New("market: impossible terms")
	// ErrRequest says that a request cannot be answered, however much money there is.
	ErrRequest = errors.New("market: the request cannot be answered")
	// ErrNoWorker says that nobody who may take the job is left; the errors of
	// those who were tried are joined to it.
	ErrNoWorker = errors.New("market: no worker did the job: what no voucher promises returns by itself after the deadline")
	// ErrLost says that a stream ended or could not be opened.
	ErrLost = errors.New("market: connection lost")
	// ErrStalled says that a deadline passed.
	ErrStalled = errors.New("market: no answer in time")
	// ErrPeer says that a peer broke the protocol or sent something false.
	ErrPeer = errors.New("market: the peer broke the protocol")
	// ErrReceipt says that a receipt does not say what was seen.
	ErrReceipt = errors.New("market: the receipt does not match the work")
	// ErrDeclined says that a worker refused, with its signature.
	ErrDeclined = errors.New("market: declined")
	// ErrDiverged says that what a failed worker had streamed is not what the
	// answer begins with: the answer is right, what was shown before it is not.
	ErrDiverged = errors.New("market: the part streamed by an earlier worker is wrong: use the whole answer")
	// ErrClosed says that a session is closed.
	ErrClosed = errors.New("market: session is closed")
	// ErrRefused says that this node refuses what a peer asks for.
	ErrRefused = errors.New("market: refused")
)

// Times are the deadlines of both sides. Zero values take the default.
type Times struct {
	Claim   time.Duration // from dialling a worker to its claim: 2 s
	Prepare time.Duration // from a request to its first frame, the model's fetch included: 60 s
	Stall   time.Duration // between two frames of an answer: 10 s
	Train   time.Duration // between two frames of a training or pin job: 60 s
	Advance time.Duration // from one step of a training to the next, or from its start to the first, however alive the worker says it is: 15 min
	Fetch   time.Duration // of one checkpoint, model or shard: 5 min
	Settle  time.Duration // from the last of the work to its settlement, and from that to the acknowledgement: 10 s
	Idle    time.Duration // of a session between requests, before the worker ends the stream: 10 min
	Retry   time.Duration // between two passes over an outbox: 15 s
	Skew    time.Duration // by which two nodes may see the chain's time differ: 2 min
	Keep    time.Duration // of transcripts, from the work to the end of its challenge window: 24 h
}

func (t Times) withDefaults() Times {
	for _, d := range []struct {
		at *time.Duration
		by time.Duration
	}{
		{&t.Claim, 2 * time.Second},
		{&t.Prepare, time.Minute},
		{&t.Stall, 10 * time.Second},
		{&t.Train, time.Minute},
		{&t.Advance, 15 * time.Minute},
		{&t.Fetch, 5 * time.Minute},
		{&t.Settle, 10 * time.Second},
		{&t.Idle, 10 * time.Minute},
		{&t.Retry, 15 * time.Second},
		{&t.Skew, 2 * time.Minute},
		{&t.Keep, 24 * time.Hour},
	} {
		if *d.at == 0 {
			*d.at = d.by
		}
	}
	return t
}

// Validate says which time is negative.
func (t Times) Validate() error {
	for what, d := range map[string]time.Duration{
		"claim": t.Claim, "prepare": t.Prepare, "stall": t.Stall, "train": t.Train, "advance": t.Advance, "fetch": t.Fetch,
		"settle": t.Settle, "idle": t.Idle, "retry": t.Retry, "skew": t.Skew, "keep": t.Keep,
	} {
		if d < 0 {
			return fmt.Errorf("%w: the %s time is negative", ErrConfig, what)
		}
	}
	return nil
}

// How long a worker keeps what jobs left with it, in seconds.
const (
	// KeepTrained is after a training's deadline, so that a late payer and every
	// auditor still find model and checkpoints.
	KeepTrained = 30 * 86_400
	// KeepPinned is after a pin job's end, while its last proofs are counted.
	KeepPinned = 86_400
)
