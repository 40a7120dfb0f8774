// Package ruleset is the public arithmetic of rewards: which receipt is paid,
// why one is not, and who gets what. It is a pure function of what the chain
// said and of the pinned data, so anybody can repeat it to the bit.
//
// The life of an epoch: workers committed batches of receipts on chain; [Wants]
// names the documents and block hashes that are needed to read them; [Draws]
// says which receipts must be re-executed, and by whom; [Derive] gives every
// receipt exactly one reason, splits the fees, computes emission, and returns
// the new cumulative balances under one Merkle-sum root, with the state that the
// next epoch starts from. [Epoch.Check] proves the invariants: the sums over
// reasons equal what was committed, and what is claimable equals the ledger.
//
// [First] is the first ruleset; the hash of its canonical document is anchored
// with every epoch. docs/spec/epochs.md gives it in words, with a worked example.
//
// Only integers are used. Input order does not matter: facts are ordered by
// their place on the chain, everything else by content. All functions are safe
// for concurrent use and do no I/O. The package does not fetch, sign or send.
package ruleset
