// Package book keeps what two sides owe each other, on disk before it is said.
//
// A channel is where one offer's payments to one worker add up: a chain of
// receipts numbered from 1, each naming the one before it, and one cumulative
// voucher. The worker's side is an Earner, the submitter's a Payer; they may
// share one store.
//
// The life of a receipt. The Earner's Issue numbers it, signs it and writes it
// down as pending, together with what a repeat of the work needs, before anyone
// sees it; there is at most one pending receipt on a channel. The Payer's
// Cosign checks that it follows from the channel, signs it and the voucher, and
// writes both into its outbox in one transaction; the outbox is sent until the
// worker acknowledges. The Earner's Match checks what comes back, its Settled
// writes it down and clears the pending receipt. Every step may be repeated: the
// same receipt, found by its digest, gives the same answer.
//
// All methods are safe for concurrent use and durable once they return, if the
// store was opened with Sync. The package knows neither streams nor engines.
package book

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
)

var (
	// ErrUnsettled says that a receipt of the channel waits for its second signature.
	ErrUnsettled = errors.New("book: a receipt of this channel is not co-signed yet: settle it first")
	// ErrChain says that a receipt does not follow from its channel.
	ErrChain = errors.New("book: the receipt does not follow from its channel")
	// ErrLock says that a receipt asks for more than is left of the offer's lock.
	ErrLock = errors.New("book: past what the offer locks")
	// ErrVoucher says that a voucher does not cover exactly its channel.
	ErrVoucher = errors.New("book: the voucher does not match its channel")
	// ErrUnknown says that no such receipt or transcript is kept here.
	ErrUnknown = errors.New("book: not kept here")
)

// MaxReceipts bounds the receipts of one channel.
const MaxReceipts = 1 << 16

// Channel is the state of one channel. The zero value is one that nothing
// happened on.
type Channel struct {
	Seq      uint64          // receipts settled (Earner) or co-signed (Payer)
	Previous cid.Cid         // id of the last of them
	Value    protocol.Amount // their sum
	Request  uint64          // Earner: the last request of the session that was answered
	Pending  []byte          `max:"8192"` // Earner: the Cosigned that waits for its second signature
}

// Settlement is a receipt with both signatures and the voucher that covers it.
type Settlement struct {
	Worker  common.Address
	Payer   common.Address
	Digest  common.Hash // of the receipt
	Receipt protocol.Cosigned
	Voucher protocol.Signed[protocol.Voucher]
}

type settlementRow struct {
	Receipt []byte `max:"8192"`
	Voucher []byte `max:"8192"`
}

// Kept is what a repeat of an inference request needs.
type Kept struct {
	Offer      common.Hash
	Disclose   bool   // a drawn auditor may have it
	Until      uint64 // unix seconds; Prune forgets it then
	Transcript protocol.Transcript
}

// rows are the tables of one side, told apart by a prefix.
type rows struct {
	db      *kv.DB
	side    string // "e/" or "p/"
	network protocol.Network
}

func (r rows) channelKey(offer common.Hash, worker common.Address) []byte {
	return append(append([]byte(r.side+"c/"), offer[:]...), worker[:]...)
}

func (r rows) digestKey(offer common.Hash, worker common.Address, seq uint64) []byte {
	k := append(append([]byte(r.side+"d/"), offer[:]...), worker[:]...)
	return binary.BigEndian.AppendUint64(k, seq)
}

func (r rows) settledKey(digest common.Hash) []byte {
	return append([]byte(r.side+"s/"), digest[:]...)
}

func (r rows) outboxKey(digest common.Hash) []byte {
	return append([]byte(r.side+"o/"), digest[:]...)
}

func (r rows) keptKey(receipt cid.Cid) []byte {
	return append([]byte(r.side+"t/"), receipt.Bytes()...)
}

func load(tx *kv.Tx, key []byte, v any) (bool, error) {
	b, err := tx.Get(key)
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, protocol.Decode(b, v)
}

func save(tx *kv.Tx, key []byte, v any) error {
	b, err := protocol.Encode(v)
	if err != nil {
		return err
	}
	return tx.Set(key, b)
}

func (r rows) channel(tx *kv.Tx, offer common.Hash, worker common.Address) (Channel, error) {
	var c Channel
	_, err := load(tx, r.channelKey(offer, worker), &c)
	return c, err
}

// Channel is where a channel stands.
func (r rows) Channel(offer common.Hash, worker common.Address) (c Channel, err error) {
	err = r.db.View(func(tx *kv.Tx) error {
		c, err = r.channel(tx, offer, worker)
		return err
	})
	if err != nil {
		return Channel{}, fmt.Errorf("book: read channel: %w", err)
	}
	return c, nil
}

// root is the Merkle root over the digests of the channel's first seq-1 receipts
// and last, the digest of number seq.
func (r rows) root(tx *kv.Tx, offer common.Hash, worker common.Address, seq uint64, last common.Hash) (common.Hash, error) {
	if seq > MaxReceipts {
		return common.Hash{}, fmt.Errorf("%w: more than %d receipts: open another offer", ErrChain, MaxReceipts)
	}
	leaves := make([]common.Hash, 0, seq)
	for i := uint64(1); i < seq; i++ {
		b, err := tx.Get(r.digestKey(offer, worker, i))
		if err != nil {
			return common.Hash{}, fmt.Errorf("receipt %d of the channel: %w", i, err)
		}
		leaves = append(leaves, common.BytesToHash(b))
	}
	return protocol.MerkleRoot(append(leaves, last)), nil
}

func (r rows) settlement(tx *kv.Tx, digest common.Hash) (Settlement, bool, error) {
	var row settlementRow
	found, err := load(tx, r.settledKey(digest), &row)
	if err != nil || !found {
		return Settlement{}, false, err
	}
	s, err := ParseSettlement(r.network, row.Receipt, row.Voucher)
	return s, err == nil, err
}

func (r rows) putSettlement(tx *kv.Tx, s Settlement) error {
	return save(tx, r.settledKey(s.Digest), settlementRow{s.Receipt.Bytes(), s.Voucher.Bytes()})
}

// Find is the settlement of a receipt, by its digest; ErrUnknown if there is none.
func (r rows) Find(digest common.Hash) (s Settlement, err error) {
	err = r.db.View(func(tx *kv.Tx) error {
		var found bool
		if s, found, err = r.settlement(tx, digest); err == nil && !found {
			err = fmt.Errorf("%w: receipt with digest %s", ErrUnknown, digest)
		}
		return err
	})
	return s, err
}

// Transcript is what was kept under a receipt's id; ErrUnknown if nothing is.
func (r rows) Transcript(receipt cid.Cid) (k Kept, err error) {
	err = r.db.View(func(tx *kv.Tx) error {
		found, err := load(tx, r.keptKey(receipt), &k)
		if err == nil && !found {
			err = fmt.Errorf("%w: transcript of receipt %s", ErrUnknown, receipt)
		}
		return err
	})
	return k, err
}

// Prune forgets transcripts whose time is over.
func (r rows) Prune(now uint64) error {
	var old [][]byte
	err := r.db.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte(r.side + "t/")) {
			if err != nil {
				return err
			}
			var k Kept
			if err := protocol.Decode(it.Value, &k); err != nil {
				return err
			}
			if k.Until < now {
				old = append(old, it.Key)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("book: prune: %w", err)
	}
	for _, key := range old {
		if err := r.db.Update(func(tx *kv.Tx) error { return tx.Delete(key) }); err != nil {
			return fmt.Errorf("book: prune: %w", err)
		}
	}
	return nil
}

// ParseSettlement reads and opens both parts, and checks that they speak of the
// same receipt's channel.
func ParseSettlement(n protocol.Network, receipt, voucher []byte) (Settlement, error) {
	c, err := protocol.ParseCosigned(receipt)
	if err != nil {
		return Settlement{}, err
	}
	r, both, err := c.Open(n)
	if err != nil {
		return Settlement{}, err
	}
	if !both {
		return Settlement{}, fmt.Errorf("%w: the payer's is missing", protocol.ErrSignature)
	}
	v, err := protocol.ParseSigned[protocol.Voucher](voucher)
	if err != nil {
		return Settlement{}, err
	}
	vo, err := v.Open(n)
	if err != nil {
		return Settlement{}, err
	}
	if vo.Offer != r.Offer || vo.Payer != r.Payer || vo.Worker != r.Worker || vo.Seq != r.Seq {
		return Settlement{}, fmt.Errorf("%w: it is for receipt %d of another channel or number", ErrVoucher, vo.Seq)
	}
	d, err := protocol.Digest(n, r)
	if err != nil {
		return Settlement{}, err
	}
	return Settlement{r.Worker, r.Payer, d, c, v}, nil
}
