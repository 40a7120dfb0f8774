package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// ErrNetwork says that a network's description is incomplete.
var ErrNetwork = errors.New("protocol: not a network")

// Contract names the contract that would judge a message: the verifying
// contract of its EIP-712 domain.
type Contract uint8

// The contracts that judge messages.
const (
	JudgeRegistry   Contract = iota + 1 // adverts, claims, datanets, models
	JudgeVault                          // offers, vouchers
	JudgeLedger                         // results, receipts, batches, verdicts
	JudgePossession                     // what a holder answers to a retrieval check
)

// Network is one Tally network: a chain and the contracts on it.
type Network struct {
	Name       string         `json:"name"` // lower-case letters and digits
	ChainID    uint64         `json:"chain_id"`
	Token      common.Address `json:"token"`
	Registry   common.Address `json:"registry"`
	Vault      common.Address `json:"vault"`
	Ledger     common.Address `json:"ledger"`
	Possession common.Address `json:"possession"`
}

var networkName = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)

// Validate says what is missing.
func (n Network) Validate() error {
	if !networkName.MatchString(n.Name) {
		return fmt.Errorf("%w: name %q: use up to 32 lower-case letters and digits", ErrNetwork, n.Name)
	}
	if n.ChainID == 0 {
		return fmt.Errorf("%w: chain id 0", ErrNetwork)
	}
	for what, a := range map[string]common.Address{"token": n.Token, "registry": n.Registry, "vault": n.Vault, "ledger": n.Ledger, "possession": n.Possession} {
		if a == (common.Address{}) {
			return fmt.Errorf("%w: no address for the %s contract", ErrNetwork, what)
		}
	}
	return nil
}

// ID is the name that prefixes every protocol and topic: name-hash8, hash8 the
// first 8 hex digits of keccak256(chain id as 8 bytes, big-endian ‖ token ‖
// registry ‖ vault ‖ ledger ‖ possession).
func (n Network) ID() string {
	b := binary.BigEndian.AppendUint64(nil, n.ChainID)
	for _, a := range []common.Address{n.Token, n.Registry, n.Vault, n.Ledger, n.Possession} {
		b = append(b, a[:]...)
	}
	return n.Name + "-" + hex.EncodeToString(crypto.Keccak256(b)[:4])
}

// Domain is the EIP-712 domain separator of the contract, with name "Tally" and
// version "1".
func (n Network) Domain(c Contract) common.Hash {
	var at common.Address
	switch c {
	case JudgeRegistry:
		at = n.Registry
	case JudgeVault:
		at = n.Vault
	case JudgeLedger:
		at = n.Ledger
	case JudgePossession:
		at = n.Possession
	}
	chain := NewAmount(n.ChainID).bytes32()
	return crypto.Keccak256Hash(
		crypto.Keccak256([]byte("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")),
		crypto.Keccak256([]byte("Tally")),
		crypto.Keccak256([]byte("1")),
		chain[:],
		common.LeftPadBytes(at[:], 32),
	)
}
