// Package p2p is a node's door to other nodes: one libp2p host with the node's
// one key, and on it the four ways in which nodes speak.
//
// The life of a host: Listen binds every address of Config.Listen (TCP and
// QUIC), and from then on the host keeps itself connected to its bootstrap
// peers, whichever side starts first. A connection is worth something only
// once three things hold. The peer's key is secp256k1, so that it has an
// address on the chain (AddressOf); a connection gater refuses others before
// they can open a stream. The peer says hello in the name of the same network;
// another network is disconnected, and both sides learn why (ErrNetwork). And
// every protocol is named /tally/<network>/…, so that a peer which lies in its
// hello still finds nothing to talk to.
//
// What a host offers:
//
//   - streams: Handle and Open, framed messages with deadlines and size bounds,
//     and Call for one question and one answer. What must arrive goes this way.
//   - topics: Join, then Publish and Messages. GossipSub, at most once, 128 KiB.
//   - finding: Provide, FindProviders, FindPeer. Kademlia, roots only.
//   - blocks: Exchange, bitswap over the node's blockstore, for many sources at
//     once; a shard from one source is faster over a stream.
//
// A Host and a Topic are safe for concurrent use. A Stream has one reader and
// one writer at a time. Peers are taken to be hostile: whatever they can make
// the host wait for, keep or allocate has a bound, named where it applies.
//
// The package knows nothing of what it carries: no receipts, no shards, no
// chain. Home networks (NAT, relays, mDNS) are not here yet; they come as
// further profiles.
package p2p
