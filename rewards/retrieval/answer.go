package retrieval

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
)

// word is a holder's signed answer, and what it is worth.
type word struct {
	signed protocol.Signed[protocol.Retrieved] // zero where it is not this holder's word on this leaf
	says   protocol.Retrieved
	right  *piece.Proof // the leaf under the root, where it came with the answer
	why    error        // nil if the answer is good
}

// read judges an answer that was asked for at asked and came at now.
func (c *Checker) read(k Check, a Answer, asked, now time.Time) (w word) {
	if a.bytes() > MaxAnswer || len(a.Signed) > 512 { // as much as a report holds
		return word{why: fmt.Errorf("an answer of %d bytes", a.bytes())}
	}
	s, err := protocol.ParseSigned[protocol.Retrieved](a.Signed)
	if err != nil {
		return word{why: fmt.Errorf("no signed answer: %w", err)}
	}
	m, err := s.Open(c.cfg.Network)
	if err != nil {
		return word{why: fmt.Errorf("no signed answer: %w", err)}
	}
	if m.Node != k.Node || m.Piece != k.Piece || m.Leaf != k.Leaf {
		return word{why: fmt.Errorf("it is %s's word on leaf %d of %s", m.Node, m.Leaf, m.Piece)}
	}
	w = word{signed: s, says: m}
	p := a.Proof
	p.Index = k.Leaf
	if err := piece.Verify(k.Piece, k.Size, p); err != nil {
		w.why = err
		return w
	}
	w.right = &p
	skew := int64(c.cfg.Skew / time.Second)
	at := int64(min(m.Time, 1<<62))
	switch {
	case m.Data != leafHash(p.Leaf):
		w.why = fmt.Errorf("it signed %s for a leaf of %s", m.Data, leafHash(p.Leaf))
	case m.Asker != c.self:
		w.why = fmt.Errorf("it is an answer to %s", m.Asker)
	case at < asked.Unix()-skew || at > now.Unix()+skew:
		w.why = fmt.Errorf("it was signed at %d, the question is of %d", m.Time, asked.Unix())
	}
	return w
}

// contradicts reports that the signed word is proof against its signer, given the
// right leaf.
func (w word) contradicts(right *piece.Proof) bool {
	return right != nil && !w.signed.IsZero() && w.says.Data != leafHash(right.Leaf)
}

// leafHash is that of a leaf in the piece's tree.
func leafHash(leaf []byte) common.Hash {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(leaf)
	return common.Hash(h.Sum(nil))
}
