// Package pinset decides which shards a node fetches and keeps, so that each shard
// that the network wants ends with as many holders as it should have, without
// anybody telling anybody what to do.
//
// The life of a wanted shard. Somebody wants it: a pin offer on the chain, or a
// datanet that this node's operator follows. Its holders are public: the nodes that
// prove it. While there are too few, the candidates are ordered for this one shard
// by rendezvous hashing, so that each shard has its own order and all nodes compute
// the same. The best-placed act at once, as many as are missing; the next ones wait
// in proportion to their place, and see the others' proofs before their turn comes.
// A node whose turn it is fetches the shard, looks again whether it is still
// missing, pins it and has it proved. With too many holders the worst-placed one
// leaves after a time of grace, one at a time and never below the target. When a
// holder leaves or is suspended, the same rule fills its place.
//
// The rule is Decide, a pure function; docs/spec/pinset.md has it in words, exactly,
// so that another implementation decides the same. Rendezvous hashing (highest
// random weight) is from D. G. Thaler and C. V. Ravishankar, "Using name-based
// mappings to increase hit rates", IEEE/ACM Transactions on Networking 6(1), 1998.
//
// A Keeper does what Decide says: a bounded number of fetches at a time, failures
// tried again after growing waits, a refusal for want of room remembered until
// there is more. Time is counted in blocks; the package reads no clock. Whatever a
// Keeper starts again after a crash is the same rule on what is on the chain and on
// the disk: it keeps nothing of its own.
//
// A Keeper is safe for concurrent use. It does not fetch, prove or pin by itself,
// does not judge who is a holder (package possession/proofset does) and knows no
// money.
package pinset
