// Package possession keeps a node's word about the shards that it keeps: it holds
// the node's set of pieces on the chain equal to what the node promised, and
// proves that set in every period.
//
// The life of a piece. The caller has the shard on disk and pinned, and calls
// Keep: from then on the promise is durable. The Prover adds the piece to the
// set in a batch; from the next period on its leaves are drawn with all others.
// After Drop the piece is still needed, because it is still drawn: it is removed
// once the current period is proved, and only when the removal has settled is
// Pieces.Release called, after which the data may go.
//
// The life of a proof. A period's first block draws the leaves (protocol.DrawLeaf).
// Each leaf and its path is read, checked against the piece root that the chain
// has, and written down; the intention to send is written before the transaction
// is handed over, and its hash after. So a kill at any moment is followed by the
// normal path: read what is missing, look what the chain says, send if it says
// nothing. The proof goes out early, in the first quarter of the window, each
// node at its own block so that not all meet in one. A reorganisation that
// changes the seed makes a new proof; one that takes back a mined proof has it
// sent again. A period that ended without one is dropped with its reason. At half
// of the window a missing proof is a warning and a problem in Status.
//
// A leaf that cannot be read is never guessed: its piece is shown, Pieces.Heal is
// asked for it, and if that fails until the end of the period the period is
// missed. A piece that stays lost can be given up (GiveUp, or by itself after
// Config.GiveUpAfter periods): the current period is forfeited if it cannot be
// proved, the piece removed, and the rest goes on. A disk that is away (ErrAway)
// loses nothing: its periods are missed, and count towards giving nothing up. What
// was given up is looked at once more before Release; what is sound is kept again.
//
// The set, the order of its leaves and what was missed follow from facts alone
// (package proofset), so that every node finds the same.
//
// Time is counted in blocks; the package reads no clock. One transaction that
// changes the set is under way at a time, next to one proof and the answers to
// auditors' demands. A Prover is safe for concurrent use. The
// package does not decide what to keep (package pinset does), sends no
// transactions by itself and does not read shards by itself.
package possession
