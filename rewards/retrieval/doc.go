// Package retrieval checks that who keeps pieces also gives them out: auditors ask
// holders for single leaves, sign what they saw, and take to the chain what a
// holder does not answer or answers wrongly.
//
// The life of a check: the beacon of an epoch draws for each auditor which leaves
// of which holders it asks for ([Round.Draw]), so that nobody chooses and anybody
// can repeat the draw. A [Checker] asks; an answer counts if the holder signed it
// for this asker, this leaf and this time, and the leaf lies under the piece's
// root. A holder that gives no such answer is asked once more, later; if that
// fails too, the report says silent, and the leaf is demanded on chain. A signed
// answer that contradicts the right leaf, the holder's own or another holder's, is
// reported as wrong and shown to the contract. Reports are in the journal before
// anybody hears of them; posters take them in through an [Inbox] and publish them
// with the epoch after. They inform; what they lead to on chain decides.
//
// A Checker asks one holder at a time, one question in each step, and never more
// in an epoch than its share of bytes. What was asked and reported is read from
// the journal and the chain at every step, so a restart goes on where it was. It
// never asks its own operator's nodes.
//
// [Checker.Step] is owned by one goroutine; a Round and an Inbox are safe for
// concurrent use. The package opens no streams and sends no transactions: both
// come through small interfaces.
package retrieval
