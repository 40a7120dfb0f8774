// Package node composes a node: it opens what is on disk, joins the five
// packages in the middle with the adapters of package join, runs their loops and
// serves the APIs.
//
// The life of a node: Run locks the data directory, finds the network's address
// book (or makes a local network of its own), opens storage, ledgers and the
// chain's sender, listens, and starts one loop for each thing that a role must
// keep doing. When all of it serves, Ready is told. Run ends when its context
// does, when somebody asks it to over the API, or when a loop fails; it leaves no
// goroutine behind. There is no recovery mode: every loop begins by looking at
// what is on disk and on the chain.
//
//	parts.go     what a node is made of, opened in order
//	serve.go     streams and topics that peers reach
//	register.go  the node's entry on the chain
//	status.go, datanets.go, jobs.go, models.go, receipts.go, money.go
//	             what the API does, by noun
//
// A Node is safe for concurrent use. It holds no rules of its own: what is paid
// is decided in rewards, what is right in protocol, what is computed in compute.
package node
