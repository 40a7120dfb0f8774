// Package shardstream moves shards between nodes: as ranges of their files over
// ordered streams, from several nodes at once, every byte checked on arrival.
//
// The life of a fetch. Fetcher.Fetch claims the root and asks nodes that may hold
// it for an outline: piece root, size and the layer of the piece tree, a hash a
// MiB. Where the caller knows the piece root, from a manifest or from the chain,
// the outline is proved by it; where not, it is the claim of who sent it until the
// blocks say otherwise, or it brings little while another is claimed too. Room for the whole file is reserved before any of it is
// asked for. Then each source takes spans of a MiB from one queue, lowest first, a
// few requests ahead of the answers. A span is checked against the layer, written,
// and handed to the one who checks blocks against their CIDs in order. When none
// is left to take, those that are done ask again for what slow ones still owe. A
// source that sends something else than it should is dropped, named and not asked
// again; one that is slow or fails loses its spans to others, and its place while more
// nodes wait to be asked. What came stays on
// disk across restarts. Where nobody serves streams, the fetch goes on block by
// block, by the store's exchange.
//
// The wire is docs/spec/shard-stream.md. Server.Serve answers one stream: info,
// range, prove, show. Who may read a private shard is asked of ServerConfig.May and, of
// what a reader showed, of ServerConfig.Show; who is served one marks it as private too. A Budget
// bounds all streams together, in bytes a second, up or down. A peer that does not
// read is held back by the stream's own flow control, loses its place to others, and is
// dropped by the stream's limits.
//
// Peers are taken to be hostile. A fetch from them costs at most a buffer of a MiB
// and an outline of 33 KiB for each of MaxSources, and what an Assembly keeps; an
// answer to them costs one buffer of 256 KiB or one span for a proof.
//
// Server and Fetcher are safe for concurrent use. The package opens no connections
// by itself and knows no transport: Network and Conn are what it needs of one.
package shardstream
