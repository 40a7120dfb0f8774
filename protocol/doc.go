// Package protocol holds the nouns of Tally: what nodes say to one another and
// to the chain, how it is written, hashed, signed and checked. It does no I/O.
//
// The life of a message: a struct is filled in, [Sign] writes it as canonical
// dag-cbor (an array of its fields), computes its EIP-712 digest for the
// network's contract that would judge it, and signs that. The receiver parses
// the bytes with [ParseSigned], which learns nothing but that they are well
// formed, and calls [Signed.Open]: only a message whose signature is by the
// account that the message itself names comes out. A message's id is the CID of
// its payload alone; its envelope, payload and signature together, has a CID of
// its own, under which it is stored and fetched.
//
// One table drives everything: a struct's fields, in order, give its dag-cbor
// array, its EIP-712 type string and its hash. See docs/spec/messages.md.
//
// Everything decoded is bounded: sizes by the `max` tag of the field or the
// defaults in this package, depth by the types themselves. Decoding accepts
// exactly the bytes that encoding gives.
//
// All values are immutable by convention and all functions are safe for
// concurrent use. The package does not know how messages travel, where they are
// kept or what the chain says; facts read from the chain are in facts.go as
// plain nouns, for the packages that share them.
package protocol
