// Package market is the life of a job, on both sides: from an offer on the chain
// to a receipt that both have signed and a voucher that pays it.
//
//	POSTED → RANKED → CLAIMED → RUNNING(chunk i) → DELIVERED → ACKED → FINAL
//
// A Submitter posts an offer (one transaction: a training, a pin, or a whole
// session of inference), waits for the beacon, ranks the workers registered at
// the opening block and asks the first to claim. From then on everything goes
// over one stream to that worker; docs/spec/market.md has the frames. A Worker
// checks the offer on the chain before it says yes, runs an engine, and streams
// what the engine emits. Its receipt goes out before the last of the work; the
// submitter compares every field with what it saw, co-signs, and sends receipt
// and voucher from a persisted outbox until they are acknowledged. FINAL is the
// chain's to say, when an epoch is over.
//
// State is the type held: posted, ranked, claimed on the submitter's side, taken
// on the worker's. Every arrow has a deadline (see Times) and somebody who bears
// its cost:
//
//	arrow                  deadline   when it passes
//	posted → ranked        caller's   the lock ends by itself: the submitter waits for it
//	ranked → claimed       Claim      the next in rank; the worker loses the job
//	claimed → running      Prepare    the next in rank, which starts from what is committed
//	running → running      Stall      the same; the stalled worker is paid nothing for the job
//	running → delivered    Stall      the same
//	delivered → acked      Settle     the worker refuses further requests on the channel; it is paid after an audit
//	any → refund           Offer's    what no voucher promises is the submitter's again
//
// A signed decline, a broken stream, a wrong signature and a receipt that does
// not say what was seen end in the next fallback as a missed deadline does: at
// most two after the primary. It resumes from the last committed leaf or
// checkpoint, and in tier exact ends in the same bits.
//
// A peer is hostile until proved otherwise: frames, lists, tokens, time and
// money are bounded on both sides. Submitter, Session and Worker are safe for
// concurrent use; a session answers one request at a time, in the order in which
// they come, because each receipt names the one before it. The package knows no
// transport, no chain and no file format: it declares what it needs in needs.go.
package market
