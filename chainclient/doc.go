// Package chainclient is what the rest of Tally knows of the chain: the five
// contracts' nouns as Go methods on any EVM chain reached by JSON-RPC.
//
// The life of a network: Deploy puts token, registry, vault, ledger and
// possession on a chain and returns the Book, which Save keeps and Load reads back. A node then
// dials an endpoint; Dial refuses one whose chain id is not the book's or where
// a contract is missing, and gives up on one that hangs. New binds the book, the
// endpoint, the node's address and a Sender into a Client, whose methods write
// (Register, Deposit, OpenOffer, Redeem, Commit, Anchor, Claim, AddPieces,
// Prove …) and read (Available, Collected, CurrentEpoch, ProofSet …). What the contracts say comes back
// through Book.Decode, which turns a log into a protocol.Fact.
//
// Writing: every write first asks the endpoint to try the call, so that one that
// must fail is refused with the contract's own reason, a *RevertError, before
// anything is signed. Then it is the Sender's: durable once the write returns its
// transaction hash. Wait blocks until it is mined and says why if it failed.
//
// Amounts are the token's smallest unit, times unix seconds, epochs from 0.
//
// A Client holds no state of its own and is safe for concurrent use. It starts
// nothing. It does not sign, retry or follow the chain: see the child packages
// sender and watch, and embedded for a chain without an endpoint.
package chainclient
