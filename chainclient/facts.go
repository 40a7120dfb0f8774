package chainclient

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ipfs/go-cid"

	"tally/chainclient/contract/ledger"
	"tally/chainclient/contract/possession"
	"tally/chainclient/contract/registry"
	"tally/chainclient/contract/vault"
	"tally/protocol"
)

// ErrLog says that a log cannot have been written by the contract it names: the
// endpoint is broken or lies.
var ErrLog = errors.New("chainclient: malformed log")

// Contracts are the addresses whose logs Decode reads.
func (b Book) Contracts() []common.Address {
	return []common.Address{b.Registry, b.Vault, b.Ledger, b.Possession}
}

// Decode turns a log into the fact it states; ok is false for a log that is none:
// another address, or an event that Tally has no use for. Time is the log's block
// timestamp, zero where the endpoint does not give it.
//
// A sender is free to write bytes that are no CID where a CID belongs. The fact
// still happened: it is returned with the zero CID there.
func (b Book) Decode(l types.Log) (f protocol.Fact, ok bool, err error) {
	if len(l.Topics) == 0 {
		return f, false, nil
	}
	var event any
	switch l.Address {
	case b.Registry:
		event, err = registryEvent(&l)
	case b.Vault:
		event, err = vaultEvent(&l)
	case b.Ledger:
		event, err = ledgerEvent(&l)
	case b.Possession:
		event, err = possessionEvent(&l)
	}
	if err != nil {
		return f, false, fmt.Errorf("%w: log %d of block %d, transaction %s: %w", ErrLog, l.Index, l.BlockNumber, l.TxHash, err)
	}
	if event == nil {
		return f, false, nil
	}
	return protocol.Fact{Block: l.BlockNumber, Time: l.BlockTimestamp, Index: uint64(l.Index), Tx: l.TxHash, Event: event}, true, nil
}

// eventName is the log's event in the contract's ABI, or empty.
func eventName(a *abi.ABI, l *types.Log) string {
	e, err := a.EventByID(l.Topics[0])
	if err != nil {
		return ""
	}
	return e.Name
}

func registryEvent(l *types.Log) (any, error) {
	a, err := registry.RegistryMetaData.ParseABI()
	if err != nil {
		return nil, err
	}
	r := registry.NewRegistry()
	switch eventName(a, l) {
	case registry.RegistryNodeRegisteredEventName:
		e, err := r.UnpackNodeRegisteredEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.NodeRegistered{Node: e.Node, Key: e.Key, Payout: e.Payout, Classes: classNames(e.Classes), Weight: e.Weight}, nil
	case registry.RegistryNodeDeregisteredEventName:
		e, err := r.UnpackNodeDeregisteredEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.NodeDeregistered{Node: e.Node}, nil
	case registry.RegistryContributionCommittedEventName:
		e, err := r.UnpackContributionCommittedEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.ContributionCommitted{Account: e.Account, Digest: e.Digest}, nil
	}
	return nil, nil
}

func vaultEvent(l *types.Log) (any, error) {
	a, err := vault.VaultMetaData.ParseABI()
	if err != nil {
		return nil, err
	}
	v := vault.NewVault()
	switch eventName(a, l) {
	case vault.VaultOfferOpenedEventName:
		e, err := v.UnpackOfferOpenedEvent(l)
		if err != nil {
			return nil, err
		}
		value, err := protocol.AmountOf(e.Value)
		return protocol.OfferOpened{ID: e.Id, Offer: protocol.Offer{
			Submitter: e.Submitter,
			Nonce:     e.Nonce,
			Kind:      protocol.Kind(e.Kind),
			Spec:      castCID(e.Spec),
			Tier:      protocol.Tier(e.Tier),
			Direct:    e.Direct,
			Value:     value,
			Deadline:  e.Deadline,
		}}, err
	case vault.VaultRedeemedEventName:
		e, err := v.UnpackRedeemedEvent(l)
		if err != nil {
			return nil, err
		}
		sums, err := amounts(e.Moved, e.Collected)
		return protocol.Redeemed{
			Offer:     e.Offer,
			Channel:   e.Channel,
			Payer:     e.Payer,
			Worker:    e.Worker,
			Seq:       e.Seq,
			Moved:     sums[0],
			Collected: sums[1],
			Receipts:  e.Receipts,
		}, err
	}
	return nil, nil
}

func ledgerEvent(l *types.Log) (any, error) {
	a, err := ledger.LedgerMetaData.ParseABI()
	if err != nil {
		return nil, err
	}
	g := ledger.NewLedger()
	switch eventName(a, l) {
	case ledger.LedgerCommittedEventName:
		e, err := g.UnpackCommittedEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.Committed{Batch: protocol.Batch{
			Worker: e.Worker, Epoch: e.Epoch, Root: e.Root, Count: e.Count, Data: castCID(e.Data),
		}}, nil
	case ledger.LedgerAnchoredEventName:
		e, err := g.UnpackAnchoredEvent(l)
		if err != nil {
			return nil, err
		}
		sums, err := amounts(e.Total, e.Minted, e.Burned)
		return protocol.Anchored{
			Epoch:       e.Epoch,
			Previous:    e.Previous,
			Poster:      e.Poster,
			Root:        e.Root,
			Commitments: e.Commitments,
			Total:       sums[0],
			Minted:      sums[1],
			Burned:      sums[2],
			Ruleset:     e.Ruleset,
			Data:        castCID(e.Data),
		}, err
	case ledger.LedgerDisabledEventName:
		e, err := g.UnpackDisabledEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.Disabled{Epoch: e.Epoch}, nil
	case ledger.LedgerClaimedEventName:
		e, err := g.UnpackClaimedEvent(l)
		if err != nil {
			return nil, err
		}
		sums, err := amounts(e.Paid, e.Cumulative)
		return protocol.Claimed{Epoch: e.Epoch, Account: e.Account, Payout: e.Payout, Paid: sums[0], Cumulative: sums[1]}, err
	}
	return nil, nil
}

func possessionEvent(l *types.Log) (any, error) {
	a, err := possession.PossessionMetaData.ParseABI()
	if err != nil {
		return nil, err
	}
	p := possession.NewPossession()
	switch eventName(a, l) {
	case possession.PossessionPieceAddedEventName:
		e, err := p.UnpackPieceAddedEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.PieceAdded{Node: e.Node, ID: e.Id, Root: e.Root, Size: e.Size}, nil
	case possession.PossessionPieceRemovedEventName:
		e, err := p.UnpackPieceRemovedEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.PieceRemoved{Node: e.Node, ID: e.Id}, nil
	case possession.PossessionPossessionProvedEventName:
		e, err := p.UnpackPossessionProvedEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.PossessionProved{Node: e.Node, Period: e.Period, Leaves: e.Leaves}, nil
	case possession.PossessionPeriodsMissedEventName:
		e, err := p.UnpackPeriodsMissedEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.PeriodsMissed{Node: e.Node, From: e.From, To: e.To}, nil
	case possession.PossessionRetrievalDemandedEventName:
		e, err := p.UnpackRetrievalDemandedEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.RetrievalDemanded{Node: e.Node, Auditor: e.Auditor, ID: e.Id, Leaf: e.Leaf, By: e.By}, nil
	case possession.PossessionRetrievalAnsweredEventName:
		e, err := p.UnpackRetrievalAnsweredEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.RetrievalAnswered{Node: e.Node, ID: e.Id, Leaf: e.Leaf}, nil
	case possession.PossessionRetrievalMissedEventName:
		e, err := p.UnpackRetrievalMissedEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.RetrievalMissed{Node: e.Node, Auditor: e.Auditor, ID: e.Id, Leaf: e.Leaf}, nil
	case possession.PossessionDataWrongEventName:
		e, err := p.UnpackDataWrongEvent(l)
		if err != nil {
			return nil, err
		}
		return protocol.DataWrong{Node: e.Node, Piece: e.Piece, Leaf: e.Leaf}, nil
	}
	return nil, nil
}

// amounts converts all or none.
func amounts(in ...*big.Int) ([]protocol.Amount, error) {
	out := make([]protocol.Amount, len(in))
	for i, v := range in {
		a, err := protocol.AmountOf(v)
		if err != nil {
			return out, err
		}
		out[i] = a
	}
	return out, nil
}

// castCID reads a CID; bytes that are none, and protocol.NoCID, give the zero CID.
func castCID(b []byte) cid.Cid {
	c, err := cid.Cast(b)
	if err != nil || c.Equals(protocol.NoCID) {
		return cid.Undef
	}
	return c
}
