// Package markettest holds honest in-memory implementations of what package
// market needs, with faults that a test injects: a chain, a network of streams,
// storage that fetches from other nodes, a ledger of receipts, and a small
// deterministic engine.
//
// A World holds one of each shared part. Join gives a Node, which is killed and
// revived; what it keeps (blocks, receipts, its store of books) survives, its
// streams and the work under way do not.
//
// Honest means: ids are digests, CIDs are hashes of bytes, a fetch copies only
// from nodes that live, the engine checks what it resumes, and nothing answers
// what it could not know. Everything is safe for concurrent use, and works in a
// synctest bubble.
package markettest
