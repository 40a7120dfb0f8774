// Package join fits the five packages of a node to one another: each declares
// what it needs as small interfaces, and here they are met by the others.
//
//	Store      what jobs, epochs and datanets keep and fetch     over storage
//	Shards     holders of shards, and shards for others          over p2p
//	Streams    framed streams to an account's node               over p2p, found through view
//	Board      what the chain says about jobs                    over view
//	Vault      opening offers                                    over chainclient
//
// The types hold no state worth keeping and no policy: whoever wonders why a
// thing is done looks in the package that asked for it.
package join
