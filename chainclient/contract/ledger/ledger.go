// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package ledger

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// LedgerAnchor is an auto generated low-level Go binding around an user-defined struct.
type LedgerAnchor struct {
	Epoch       uint64
	Previous    uint64
	Root        [32]byte
	Commitments [32]byte
	Total       *big.Int
	Minted      *big.Int
	Burned      *big.Int
	Ruleset     [32]byte
	Data        []byte
}

// LedgerBatch is an auto generated low-level Go binding around an user-defined struct.
type LedgerBatch struct {
	Worker common.Address
	Epoch  uint64
	Root   [32]byte
	Count  uint64
	Data   []byte
}

// LedgerParams is an auto generated low-level Go binding around an user-defined struct.
type LedgerParams struct {
	EpochLength  uint64
	CommitWindow uint64
	AuditWindow  uint64
	ClaimDelay   uint64
	Quorum       uint16
	Bond         *big.Int
	MintCap      *big.Int
}

// LedgerReceipt is an auto generated low-level Go binding around an user-defined struct.
type LedgerReceipt struct {
	Offer       [32]byte
	Channel     [32]byte
	Payer       common.Address
	Worker      common.Address
	Epoch       uint64
	Seq         uint64
	Kind        uint8
	Tier        uint8
	Origin      uint8
	Rank        uint8
	Spec        []byte
	Input       [32]byte
	Output      []byte
	Trace       [32]byte
	Attribution [32]byte
	UnitsIn     uint64
	UnitsOut    uint64
	Value       *big.Int
	Start       uint64
	End         uint64
	Previous    []byte
}

// LedgerRecord is an auto generated low-level Go binding around an user-defined struct.
type LedgerRecord struct {
	Root        [32]byte
	Poster      common.Address
	ClaimableAt uint64
	Applied     bool
	Total       *big.Int
	Minted      *big.Int
	Burned      *big.Int
	Previous    uint64
}

// LedgerVerdict is an auto generated low-level Go binding around an user-defined struct.
type LedgerVerdict struct {
	Receipt  []byte
	Auditor  common.Address
	Epoch    uint64
	Outcome  uint8
	Leaf     uint64
	Computed [32]byte
}

// LedgerMetaData contains all meta data concerning the Ledger contract.
var LedgerMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"contractToken\",\"name\":\"token\",\"type\":\"address\"},{\"internalType\":\"contractRegistry\",\"name\":\"registry\",\"type\":\"address\"},{\"components\":[{\"internalType\":\"uint64\",\"name\":\"epochLength\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"commitWindow\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"auditWindow\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"claimDelay\",\"type\":\"uint64\"},{\"internalType\":\"uint16\",\"name\":\"quorum\",\"type\":\"uint16\"},{\"internalType\":\"uint256\",\"name\":\"bond\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"mintCap\",\"type\":\"uint256\"}],\"internalType\":\"structLedger.Params\",\"name\":\"params\",\"type\":\"tuple\"},{\"internalType\":\"bytes32\",\"name\":\"ruleset\",\"type\":\"bytes32\"}],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"poster\",\"type\":\"address\"}],\"name\":\"AlreadyBonded\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"}],\"name\":\"AlreadyCommitted\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"}],\"name\":\"AlreadyVoted\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"until\",\"type\":\"uint64\"}],\"name\":\"AnchorDisputable\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"until\",\"type\":\"uint64\"}],\"name\":\"AuditWindowOpen\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"count\",\"type\":\"uint64\"}],\"name\":\"BadCount\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"length\",\"type\":\"uint256\"}],\"name\":\"BadDataLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"hashes\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"sums\",\"type\":\"uint256\"}],\"name\":\"BadPathLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"BadPeriod\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"start\",\"type\":\"uint64\"}],\"name\":\"BeforeStart\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"claimed\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"}],\"name\":\"ClaimsAboveTotal\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"until\",\"type\":\"uint64\"}],\"name\":\"CommitWindowOver\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"since\",\"type\":\"uint64\"}],\"name\":\"DisputeOver\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"head\",\"type\":\"uint64\"}],\"name\":\"EpochAlreadyAnchored\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"end\",\"type\":\"uint64\"}],\"name\":\"EpochNotOver\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"depth\",\"type\":\"uint256\"}],\"name\":\"IndexOutOfRange\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"InvalidShortString\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"minted\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"cap\",\"type\":\"uint256\"}],\"name\":\"MintAboveCap\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"}],\"name\":\"NotAnchored\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"}],\"name\":\"NotAuditor\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"poster\",\"type\":\"address\"}],\"name\":\"NotBonded\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"from\",\"type\":\"uint64\"}],\"name\":\"NotClaimable\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"}],\"name\":\"NotDeployer\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"}],\"name\":\"NotVault\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"}],\"name\":\"NotWorker\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"}],\"name\":\"OwnableInvalidOwner\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"}],\"name\":\"OwnableUnauthorizedAccount\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"until\",\"type\":\"uint64\"}],\"name\":\"PreviousNotFinal\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint16\",\"name\":\"quorum\",\"type\":\"uint16\"}],\"name\":\"QuorumTooSmall\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"from\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"current\",\"type\":\"uint64\"}],\"name\":\"RulesetTooEarly\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"token\",\"type\":\"address\"}],\"name\":\"SafeERC20FailedOperation\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"str\",\"type\":\"string\"}],\"name\":\"StringTooLong\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"level\",\"type\":\"uint256\"}],\"name\":\"SumOutOfRange\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"pool\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"burned\",\"type\":\"uint256\"}],\"name\":\"TotalAbovePool\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"previous\",\"type\":\"uint256\"}],\"name\":\"TotalDecreased\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"}],\"name\":\"TotalOutOfRange\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"vault\",\"type\":\"address\"}],\"name\":\"VaultAlreadySet\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"previous\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"head\",\"type\":\"uint64\"}],\"name\":\"WrongPrevious\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"}],\"name\":\"WrongProof\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"ruleset\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"current\",\"type\":\"bytes32\"}],\"name\":\"WrongRuleset\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ZeroBond\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ZeroVault\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"previous\",\"type\":\"uint64\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"poster\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"commitments\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"minted\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"burned\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"ruleset\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes\",\"name\":\"data\",\"type\":\"bytes\"}],\"name\":\"Anchored\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bool\",\"name\":\"yes\",\"type\":\"bool\"}],\"name\":\"AuditorSet\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"poster\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"name\":\"BondPosted\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"poster\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"name\":\"BondWithdrawn\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"paid\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"cumulative\",\"type\":\"uint256\"}],\"name\":\"Claimed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"count\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"bytes\",\"name\":\"data\",\"type\":\"bytes\"}],\"name\":\"Committed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"name\":\"Credited\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"reason\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"votes\",\"type\":\"uint256\"}],\"name\":\"DisableVoted\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"poster\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"reason\",\"type\":\"bytes32\"}],\"name\":\"Disabled\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[],\"name\":\"EIP712DomainChanged\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"minted\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"burned\",\"type\":\"uint256\"}],\"name\":\"Finalized\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"previousOwner\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"newOwner\",\"type\":\"address\"}],\"name\":\"OwnershipTransferStarted\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"previousOwner\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"newOwner\",\"type\":\"address\"}],\"name\":\"OwnershipTransferred\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"ruleset\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"from\",\"type\":\"uint64\"}],\"name\":\"RulesetScheduled\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"vault\",\"type\":\"address\"}],\"name\":\"VaultSet\",\"type\":\"event\"},{\"inputs\":[],\"name\":\"AUDIT_WINDOW\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"BOND\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"CLAIM_DELAY\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"COMMIT_WINDOW\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"EPOCH_LENGTH\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_COUNT\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_DATA\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_PERIOD\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MINT_CAP\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"NONE\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"QUORUM\",\"outputs\":[{\"internalType\":\"uint16\",\"name\":\"\",\"type\":\"uint16\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"REGISTRY\",\"outputs\":[{\"internalType\":\"contractRegistry\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"START\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"TOKEN\",\"outputs\":[{\"internalType\":\"contractToken\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"acceptOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"previous\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"commitments\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"minted\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"burned\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"ruleset\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"data\",\"type\":\"bytes\"}],\"internalType\":\"structLedger.Anchor\",\"name\":\"a\",\"type\":\"tuple\"}],\"name\":\"anchor\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"}],\"name\":\"anchorOf\",\"outputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"poster\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"claimableAt\",\"type\":\"uint64\"},{\"internalType\":\"bool\",\"name\":\"applied\",\"type\":\"bool\"},{\"internalType\":\"uint128\",\"name\":\"total\",\"type\":\"uint128\"},{\"internalType\":\"uint128\",\"name\":\"minted\",\"type\":\"uint128\"},{\"internalType\":\"uint128\",\"name\":\"burned\",\"type\":\"uint128\"},{\"internalType\":\"uint64\",\"name\":\"previous\",\"type\":\"uint64\"}],\"internalType\":\"structLedger.Record\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"poster\",\"type\":\"address\"}],\"name\":\"bondOf\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"burnedTotal\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"},{\"internalType\":\"uint128\",\"name\":\"cumulative\",\"type\":\"uint128\"},{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"bytes32[]\",\"name\":\"hashes\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint128[]\",\"name\":\"sums\",\"type\":\"uint128[]\"}],\"name\":\"claim\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"paid\",\"type\":\"uint256\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"}],\"name\":\"claimed\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"claimedTotal\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"count\",\"type\":\"uint64\"},{\"internalType\":\"bytes\",\"name\":\"data\",\"type\":\"bytes\"}],\"internalType\":\"structLedger.Batch\",\"name\":\"b\",\"type\":\"tuple\"}],\"name\":\"commit\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"}],\"name\":\"commitmentOf\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"name\":\"credit\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"currentEpoch\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"reason\",\"type\":\"bytes32\"}],\"name\":\"disable\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"eip712Domain\",\"outputs\":[{\"internalType\":\"bytes1\",\"name\":\"fields\",\"type\":\"bytes1\"},{\"internalType\":\"string\",\"name\":\"name\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"version\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"chainId\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"verifyingContract\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"uint256[]\",\"name\":\"extensions\",\"type\":\"uint256[]\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"}],\"name\":\"epochAt\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"}],\"name\":\"epochEnd\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"count\",\"type\":\"uint64\"},{\"internalType\":\"bytes\",\"name\":\"data\",\"type\":\"bytes\"}],\"internalType\":\"structLedger.Batch\",\"name\":\"b\",\"type\":\"tuple\"}],\"name\":\"hashBatch\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"channel\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"payer\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"seq\",\"type\":\"uint64\"},{\"internalType\":\"uint8\",\"name\":\"kind\",\"type\":\"uint8\"},{\"internalType\":\"uint8\",\"name\":\"tier\",\"type\":\"uint8\"},{\"internalType\":\"uint8\",\"name\":\"origin\",\"type\":\"uint8\"},{\"internalType\":\"uint8\",\"name\":\"rank\",\"type\":\"uint8\"},{\"internalType\":\"bytes\",\"name\":\"spec\",\"type\":\"bytes\"},{\"internalType\":\"bytes32\",\"name\":\"input\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"output\",\"type\":\"bytes\"},{\"internalType\":\"bytes32\",\"name\":\"trace\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"attribution\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"unitsIn\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"unitsOut\",\"type\":\"uint64\"},{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"},{\"internalType\":\"uint64\",\"name\":\"start\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"end\",\"type\":\"uint64\"},{\"internalType\":\"bytes\",\"name\":\"previous\",\"type\":\"bytes\"}],\"internalType\":\"structLedger.Receipt\",\"name\":\"r\",\"type\":\"tuple\"}],\"name\":\"hashReceipt\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes\",\"name\":\"receipt\",\"type\":\"bytes\"},{\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"},{\"internalType\":\"uint8\",\"name\":\"outcome\",\"type\":\"uint8\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"computed\",\"type\":\"bytes32\"}],\"internalType\":\"structLedger.Verdict\",\"name\":\"v\",\"type\":\"tuple\"}],\"name\":\"hashVerdict\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"head\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"}],\"name\":\"isAuditor\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"yes\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"mintedTotal\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"owner\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"pendingOwner\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"pool\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"postBond\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"received\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"renounceOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"},{\"internalType\":\"uint128\",\"name\":\"cumulative\",\"type\":\"uint128\"},{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"bytes32[]\",\"name\":\"hashes\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint128[]\",\"name\":\"sums\",\"type\":\"uint128[]\"}],\"name\":\"rootOf\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"}],\"stateMutability\":\"pure\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"}],\"name\":\"rulesetAt\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"rulesetHash\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"ruleset\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"from\",\"type\":\"uint64\"}],\"name\":\"scheduleRuleset\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"},{\"internalType\":\"bool\",\"name\":\"yes\",\"type\":\"bool\"}],\"name\":\"setAuditor\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"vault_\",\"type\":\"address\"}],\"name\":\"setVault\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"newOwner\",\"type\":\"address\"}],\"name\":\"transferOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"vault\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"epoch\",\"type\":\"uint64\"}],\"name\":\"votesOf\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"withdrawBond\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"}]",
	ID:  "Ledger",
	Bin: "0x6102c060405260048054600160a01b600160e01b031916600160a01b600160e01b0317905534801561002f575f5ffd5b5060405161418938038061418983398101604081905261004e91610534565b336040518060400160405280600581526020016454616c6c7960d81b815250604051806040016040528060018152602001603160f81b8152506100968261044a60201b60201c565b610120526100a38161044a565b61014052815160208084019190912060e052815190820120610100524660a05261012f60e05161010051604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201529081019290925260608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b60805250503060c0526001600160a01b03811661016657604051631e4fbdf760e01b81525f60048201526024015b60405180910390fd5b61016f81610487565b5081516001600160401b03161580610196575081516301e133806001600160401b03909116115b156101c257815160405163067a7d9b60e21b81526001600160401b03909116600482015260240161015d565b6301e133806001600160401b031682602001516001600160401b0316111561020e57602082015160405163067a7d9b60e21b81526001600160401b03909116600482015260240161015d565b6301e133806001600160401b031682604001516001600160401b0316111561025a57604080830151905163067a7d9b60e21b81526001600160401b03909116600482015260240161015d565b60608201516001600160401b0316158061028d57506301e133806001600160401b031682606001516001600160401b0316115b156102bc57606082015160405163067a7d9b60e21b81526001600160401b03909116600482015260240161015d565b8160a001515f036102e057604051631d7a68af60e11b815260040160405180910390fd5b6002826080015161ffff16101561031657608082015160405163597916fd60e11b815261ffff909116600482015260240161015d565b336102a0526001600160a01b0384811661016052831661018052426001600160401b039081166101a052825181166101c05260208084015182166101e0526040808501518316610200526060850151831661022052608085015161ffff166102405260a08501516102605260c085015161028052805180820182528481525f8184018181526011805460018101825590835292517f31ecc21a745e3968a04e9570e4425bc18fa8019c68028196b546d1669c200c68600290940293840155517f31ecc21a745e3968a04e9570e4425bc18fa8019c68028196b546d1669c200c6990920180546001600160401b03191692909516919091179093555191825282917f5308f2782cc25516270b51818dc8e68ddd42c1ba733967ce6762779461c09bdd910160405180910390a25050505061067e565b5f5f829050601f81511115610474578260405163305a27a960e01b815260040161015d9190610623565b805161047f82610658565b179392505050565b600380546001600160a01b03191690556104a0816104a3565b50565b600280546001600160a01b038381166001600160a01b0319831681179093556040519116919082907f8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0905f90a35050565b6001600160a01b03811681146104a0575f5ffd5b80516001600160401b038116811461051e575f5ffd5b919050565b805161ffff8116811461051e575f5ffd5b5f5f5f5f848603610140811215610549575f5ffd5b8551610554816104f4565b6020870151909550610565816104f4565b935060e0603f1982011215610578575f5ffd5b5060405160e081016001600160401b03811182821017156105a757634e487b7160e01b5f52604160045260245ffd5b80604052506105b860408701610508565b81526105c660608701610508565b60208201526105d760808701610508565b60408201526105e860a08701610508565b60608201526105f960c08701610523565b608082015260e086015160a082015261010086015160c08201526101209095015193969295505050565b602081525f82518060208401528060208501604085015e5f604082850101526040601f19601f83011684010191505092915050565b80516020808301519190811015610678575f198160200360031b1b821691505b50919050565b60805160a05160c05160e05161010051610120516101405161016051610180516101a0516101c0516101e05161020051610220516102405161026051610280516102a0516139b26107d75f395f6111a001525f81816107060152612cf301525f81816107be0152818161093401526109b801525f81816103750152610c5401525f818161085901526123b401525f81816104f1015261210f01525f818161089101528181611ce6015261213001525f818161073501528181611550015261188b01525f818161076f015281816114ca015281816115210152818161157401526118e101525f81816103080152611b5501525f818161063b0152818161099401528181610da30152818161116a01528181611c3401528181612aec01528181612b830152612d1401525f6126f401525f6126c901525f6130d201525f6130aa01525f61300501525f61302f01525f61305901526139b25ff3fe608060405234801561000f575f5ffd5b50600436106102ff575f3560e01c806383a6deb511610195578063c6fc65c3116100e4578063dfe0c59b1161009e578063e97f6a6811610079578063e97f6a681461088c578063f2fde38b146108b3578063f66e1aa3146108c6578063fbfa77cf146108d9575f5ffd5b8063dfe0c59b14610841578063e18132c414610854578063e30c39781461087b575f5ffd5b8063c6fc65c3146107e0578063c810b7fe146107e9578063c884ef83146107f4578063c8ab1e0d14610813578063d35de7511461081b578063d6f669331461082e575f5ffd5b806398f1312e1161014f578063b4683db21161012a578063b4683db214610757578063ba9a061a1461076a578063bb1c8ab714610791578063c1c1d218146107b9575f5ffd5b806398f1312e14610701578063a0b0607f14610728578063ac4746ab14610730575f5ffd5b806383a6deb51461066b57806384b0196e14610674578063891aaf681461068f5780638da5cb5b146106985780638ec7c340146106a95780638f7dcfa3146106e7575f5ffd5b8063715018a61161025157806379ba50971161020b5780637fa1ec00116101e65780637fa1ec00146105f9578063801f59c11461062357806382bfefc814610636578063835253941461065d575f5ffd5b806379ba5097146105cb5780637b23c120146105d35780637d60d355146105e6575f5ffd5b8063715018a61461056c57806372d2b6c014610574578063766718081461059357806377163c1d1461059b5780637795024f146105a557806378da744b146105b8575f5ffd5b806349b90557116102bc5780635bfece5a116102975780635bfece5a1461052b5780635caeddb11461053e57806366eb9cec146105515780636817031b14610559575f5ffd5b806349b90557146104a75780634f05b219146104d957806352073dac146104ec575f5ffd5b806306433b1b1461030357806309f8d4a81461034757806316f0115b1461035157806322fcc530146103675780632e80d9b61461037057806334defa7c146103aa575b5f5ffd5b61032a7f000000000000000000000000000000000000000000000000000000000000000081565b6040516001600160a01b0390911681526020015b60405180910390f35b61034f6108ec565b005b6103596109de565b60405190815260200161033e565b61035960075481565b6103977f000000000000000000000000000000000000000000000000000000000000000081565b60405161ffff909116815260200161033e565b61049a6103b83660046131b0565b60408051610100810182525f80825260208201819052918101829052606081018290526080810182905260a0810182905260c0810182905260e0810191909152506001600160401b039081165f908152600d60209081526040918290208251610100810184528154815260018201546001600160a01b03811693820193909352600160a01b8304851693810193909352600160e01b90910460ff161515606083015260028101546001600160801b038082166080850152600160801b91829004811660a085015260039092015491821660c0840152900490911660e082015290565b60405161033e91906131c9565b6104c96104b536600461328b565b600c6020525f908152604090205460ff1681565b604051901515815260200161033e565b61034f6104e73660046132a6565b610a01565b6105137f000000000000000000000000000000000000000000000000000000000000000081565b6040516001600160401b03909116815260200161033e565b61034f6105393660046132ce565b610e0a565b61035961054c3660046131b0565b610fb9565b61034f611048565b61034f61056736600461328b565b611195565b61034f61128c565b61035961058236600461328b565b600a6020525f908152604090205481565b61051361129d565b6105136201000081565b61034f6105b33660046132f8565b6112a7565b61034f6105c6366004613333565b61130d565b61034f611386565b6103596105e136600461334a565b6113ca565b6105136105f43660046131b0565b6114c7565b610359610607366004613380565b600960209081525f928352604080842090915290825290205481565b6103596106313660046133aa565b6115a3565b61032a7f000000000000000000000000000000000000000000000000000000000000000081565b6105136001600160401b0381565b61035960055481565b61067c611845565b60405161033e979695949392919061340f565b61035960065481565b6002546001600160a01b031661032a565b6103596106b73660046131b0565b6001600160401b039081165f908152600f60209081526040808320600e8352818420549094168352929052205490565b60045461051390600160a01b90046001600160401b031681565b6103597f000000000000000000000000000000000000000000000000000000000000000081565b610359608081565b6105137f000000000000000000000000000000000000000000000000000000000000000081565b6105136107653660046131b0565b611887565b6105137f000000000000000000000000000000000000000000000000000000000000000081565b6107a461079f366004613502565b61192c565b6040805192835260208301919091520161033e565b6103597f000000000000000000000000000000000000000000000000000000000000000081565b61035960085481565b6105136301e1338081565b61035961080236600461328b565b600b6020525f908152604090205481565b61035961194d565b61035961082936600461359b565b611959565b61034f61083c366004613644565b611c6c565b61035961084f366004613644565b611f97565b6105137f000000000000000000000000000000000000000000000000000000000000000081565b6003546001600160a01b031661032a565b6105137f000000000000000000000000000000000000000000000000000000000000000081565b61034f6108c136600461328b565b61205b565b61034f6108d436600461367a565b6120cc565b60045461032a906001600160a01b031681565b335f908152600a6020526040902054156109205760405163f30bbe5f60e01b81523360048201526024015b60405180910390fd5b335f818152600a60209081526040918290207f00000000000000000000000000000000000000000000000000000000000000009081905591519182527facde08da7a4be3e2266a1741a5ca5262d59cad87cfda42f1753a9fb72c1d1540910160405180910390a26109dc6001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001633307f00000000000000000000000000000000000000000000000000000000000000006125da565b565b5f6007546006546005546109f291906136c5565b6109fc91906136d8565b905090565b335f908152600c602052604090205460ff16610a325760405163810261c360e01b8152336004820152602401610917565b6001600160401b038281165f908152600d60209081526040918290208251610100810184528154815260018201546001600160a01b038116938201849052600160a01b8104861694820194909452600160e01b90930460ff161515606084015260028101546001600160801b038082166080860152600160801b91829004811660a086015260039092015491821660c0850152900490921660e082015290610af857604051638c24786160e01b81526001600160401b0384166004820152602401610917565b80604001516001600160401b03164210610b4157604080820151905160016205878f60e11b031981526001600160401b0380861660048301529091166024820152604401610917565b6001600160401b038084165f908152600e602090815260408083205460108352818420941680845293825280832033845290915290205460ff1615610baa57604051631c9bf28b60e31b81526001600160401b0385166004820152336024820152604401610917565b6001600160401b038085165f8181526010602090815260408083209486168084529482528083203384528252808320805460ff19166001179055928252600f815282822093825292909252812080548290610c04906136eb565b9182905550604080518681526020810183905291925033916001600160401b038816917ff97253b8fbd2e2b48b4acfc1435698e633a1b0b157b4cadcbf2fdf2c775addfd910160405180910390a37f000000000000000000000000000000000000000000000000000000000000000061ffff16811015610c85575050505050565b60e0830151600480546001600160401b03909216600160a01b0267ffffffffffffffff60a01b19909216919091179055610cc0826001613703565b6001600160401b038681165f818152600e60209081526040808320805467ffffffffffffffff19169690951695909517909355600d83528381208181556001810180546001600160e81b03191690556002810182905560030180546001600160c01b031916905586830180516001600160a01b039081168352600a855285832054825182168452868420939093559051885186519081529485018a905291949116927f7c697434dc429fdac828f5bcf51e510edb773d2b65af6f2acea0f4b337f0bd29910160405180910390a3604051630852cd8d60e31b8152600481018290527f00000000000000000000000000000000000000000000000000000000000000006001600160a01b0316906342966c68906024015f604051808303815f87803b158015610dec575f5ffd5b505af1158015610dfe573d5f5f3e3d5ffd5b50505050505050505050565b610e12612616565b5f610e1b61129d565b9050806001600160401b0316826001600160401b031611610e6157604051627c97f760e71b81526001600160401b03808416600483015282166024820152604401610917565b601180546001600160401b0383169190610e7d906001906136d8565b81548110610e8d57610e8d613722565b5f9182526020909120600160029092020101546001600160401b03161115610eeb576011805480610ec057610ec0613736565b5f8281526020812060025f1990930192830201908155600101805467ffffffffffffffff1916905590555b6040805180820182528481526001600160401b038481166020808401828152601180546001810182555f9190915294517f31ecc21a745e3968a04e9570e4425bc18fa8019c68028196b546d1669c200c68600290960295860155517f31ecc21a745e3968a04e9570e4425bc18fa8019c68028196b546d1669c200c69909401805467ffffffffffffffff19169490931693909317909155915191825284917f5308f2782cc25516270b51818dc8e68ddd42c1ba733967ce6762779461c09bdd910160405180910390a2505050565b6011545f908190610fcc906001906136d8565b90505b826001600160401b031660118281548110610fec57610fec613722565b5f9182526020909120600160029092020101546001600160401b0316111561101e576110178161374a565b9050610fcf565b6011818154811061103157611031613722565b905f5260205f2090600202015f0154915050919050565b335f908152600a60205260408120549081900361107a57604051630b97d11160e01b8152336004820152602401610917565b6004546001600160401b03600160a01b909104165f908152600d6020526040902060018101546001600160a01b0316331480156110ca57506001810154600160a01b90046001600160401b031642105b1561111257600480546001830154604051632088aaa560e21b81526001600160401b03600160a01b938490048116948201949094529190049091166024820152604401610917565b335f818152600a602052604080822091909155517f0d41118e36df44efb77a471fc49fb9c0be0406d802ef95520e9fbf606e65b455906111559085815260200190565b60405180910390a26111916001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000163384612643565b5050565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146111e057604051630646601b60e11b8152336004820152602401610917565b6004546001600160a01b03161561121c5760048054604051630a7931fd60e41b81526001600160a01b0390911691810191909152602401610917565b6001600160a01b03811661124357604051636347e7c160e11b815260040160405180910390fd5b600480546001600160a01b0319166001600160a01b0383169081179091556040517fe7ae49f883c825b05681b3e00e8be6fdea9ed2a8a45e4c6ecb9390fc44cce615905f90a250565b611294612616565b6109dc5f61267d565b5f6109fc426114c7565b6112af612616565b6001600160a01b0382165f818152600c6020908152604091829020805460ff191685151590811790915591519182527f647ad5be19f92be4d7a13bf422f45c2655249742e6d5cb29c9df42b55b9e1c3e910160405180910390a25050565b6004546001600160a01b0316331461133a5760405163e9d6016160e01b8152336004820152602401610917565b8060055f82825461134b91906136c5565b90915550506040518181527f8f673e4191d83297093aaea08d3c385fd56e8f2ab4c757e5b887fbb7b19e70c29060200160405180910390a150565b60035433906001600160a01b031681146113be5760405163118cdaa760e01b81526001600160a01b0382166004820152602401610917565b6113c78161267d565b50565b5f6114c17f6541d802acee824e7a9a62cfbd56f998d341bbf9d43a5edbf5be1d88c646198e6113f9848061375f565b6040516114079291906137a1565b6040518091039020846020016020810190611422919061328b565b61143260608701604088016131b0565b61144260808801606089016137b0565b61145260a0890160808a016131b0565b6040805160208101979097528601949094526001600160a01b0390921660608501526001600160401b03908116608085015260ff90911660a084810191909152911660c083015284013560e0820152610100015b60405160208183030381529060405280519060200120612696565b92915050565b5f7f00000000000000000000000000000000000000000000000000000000000000006001600160401b0316826001600160401b0316101561154e5760405163032d54a960e11b81526001600160401b0380841660048301527f0000000000000000000000000000000000000000000000000000000000000000166024820152604401610917565b7f00000000000000000000000000000000000000000000000000000000000000006115997f0000000000000000000000000000000000000000000000000000000000000000846137d0565b6114c191906137ef565b5f807f65a1b05f3721960a2be15af0b158c8400716a555bbf20ea44ef4b583b029e705833560208501356115dd606087016040880161328b565b6115ed608088016060890161328b565b6115fd60a0890160808a016131b0565b61160d60c08a0160a08b016131b0565b60408051602081019890985287019590955260608601939093526001600160a01b0391821660808601521660a08401526001600160401b0390811660c08401521660e08201526101000160408051601f1981840301815291905290505f61167a60e0850160c086016137b0565b61168b610100860160e087016137b0565b61169d610120870161010088016137b0565b6116af610140880161012089016137b0565b6116bd61014089018961375f565b6040516116cb9291906137a1565b6040519081900390206101608901356116e86101808b018b61375f565b6040516116f69291906137a1565b6040805191829003822060ff988916602084015296881690820152938616606085015294909116608083015260a082015260c081019290925260e08201526101a08501356101008201526101200160408051601f1981840301815291905290505f6101c085013561176f61020087016101e088016131b0565b611781610220880161020089016131b0565b6102208801356117996102608a016102408b016131b0565b6117ab6102808b016102608c016131b0565b6117b96102808c018c61375f565b6040516117c79291906137a1565b6040805191829003822060208301989098526001600160401b039687169082015293851660608501526080840192909252831660a083015290911660c082015260e081019190915261010001604051602081830303815290604052905061183c8383836040516020016114a69392919061383f565b95945050505050565b5f6060805f5f5f60606118566126c2565b61185e6126ed565b604080515f80825260208201909252600f60f81b9b939a50919850469750309650945092509050565b5f5f7f00000000000000000000000000000000000000000000000000000000000000006001600160401b0316836001600160401b031660016118c991906136c5565b6118d3919061385c565b611906906001600160401b037f0000000000000000000000000000000000000000000000000000000000000000166136c5565b90506001600160401b03811161191c5780611925565b6001600160401b035b9392505050565b5f5f61193d89898989898989612718565b9150915097509795505050505050565b5f6109fc61054c61129d565b6001600160401b0388165f908152600d6020526040812060018101546001600160a01b03166119a657604051638c24786160e01b81526001600160401b038b166004820152602401610917565b6001810154600160a01b90046001600160401b03164210156119fc576001810154604051630683274d60e51b81526001600160401b038c81166004830152600160a01b9092049091166024820152604401610917565b5f5f611a0d8b8b8b8b8b8b8b612718565b8454919350915082141580611a2f575060028301546001600160801b03168114155b15611a575760405163129172a760e11b81526004810183905260248101829052604401610917565b50506001600160a01b0389165f908152600b60205260409020546001600160801b0389168110611a8b575f92505050611c60565b611a93612963565b611aa6816001600160801b038b166136d8565b92505f611ab1612be6565b90508084600854611ac291906136c5565b1115611afa5783600854611ad691906136c5565b604051636d0d7fef60e01b8152600481019190915260248101829052604401610917565b6001600160a01b038b165f908152600b602052604081206001600160801b038c16905560088054869290611b2f9084906136c5565b90915550506040516336d30e8f60e11b81526001600160a01b038c811660048301525f917f000000000000000000000000000000000000000000000000000000000000000090911690636da61d1e90602401602060405180830381865afa158015611b9c573d5f5f3e3d5ffd5b505050506040513d601f19601f82011682018060405250810190611bc09190613873565b604080516001600160a01b038084168252602082018990526001600160801b038f16928201929092529192508d16906001600160401b038f16907f90bc3a8eb00e530fc7c0f0f60bb9769699cb675156d0650b637cb2081b83c6249060600160405180910390a3611c5b6001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000168287612643565b505050505b98975050505050505050565b611c79602082018261328b565b6001600160a01b0316336001600160a01b031614611ccb5733611c9f602083018361328b565b60405163c2802b9760e01b81526001600160a01b03928316600482015291166024820152604401610917565b611ce3611cde60408301602084016131b0565b612c6d565b5f7f0000000000000000000000000000000000000000000000000000000000000000611d1861076560408501602086016131b0565b611d229190613703565b9050806001600160401b0316421115611d7257611d4560408301602084016131b0565b6040516336da754b60e01b81526001600160401b0391821660048201529082166024820152604401610917565b60095f611d8560408501602086016131b0565b6001600160401b031681526020808201929092526040015f90812091611dad9085018561328b565b6001600160a01b0316815260208101919091526040015f205415611e1b57611dd8602083018361328b565b611de860408401602085016131b0565b60405163370b781f60e01b81526001600160a01b0390921660048301526001600160401b03166024820152604401610917565b611e30611e2b608084018461375f565b612cb6565b611e4060808301606084016131b0565b6001600160401b03161580611e6f575062010000611e6460808401606085016131b0565b6001600160401b0316115b15611ea957611e8460808301606084016131b0565b604051631d04eae760e01b81526001600160401b039091166004820152602401610917565b611eb282611f97565b60095f611ec560408601602087016131b0565b6001600160401b031681526020808201929092526040015f90812091611eed9086018661328b565b6001600160a01b031681526020808201929092526040015f2091909155611f169083018361328b565b6001600160a01b0316611f2f60408401602085016131b0565b6001600160401b03167fdbac7402ed912c31b6eb45463a8a9e3f70e40b6c282a90868e2d56f5114ca8c86040850135611f6e60808701606088016131b0565b611f7b608088018861375f565b604051611f8b94939291906138b6565b60405180910390a35050565b5f6114c17ffe673686d2bb1a29aeb5d0aba641fafe7126d26e2d909b3270c8203eb71b9d85611fc9602085018561328b565b611fd960408601602087016131b0565b6040860135611fee60808801606089016131b0565b611ffb608089018961375f565b6040516120099291906137a1565b6040519081900381206114a69695949392916020019586526001600160a01b039490941660208601526001600160401b039283166040860152606085019190915216608083015260a082015260c00190565b612063612616565b600380546001600160a01b0383166001600160a01b031990911681179091556120946002546001600160a01b031690565b6001600160a01b03167f38d16b8cac22d99fc7c124b9cd0de2d3fa1faef420bfe791d8c362d765e2270060405160405180910390a350565b335f908152600a602052604081205490036120fc57604051630b97d11160e01b8152336004820152602401610917565b61210c611cde60208301836131b0565b5f7f00000000000000000000000000000000000000000000000000000000000000007f000000000000000000000000000000000000000000000000000000000000000061215f61076560208601866131b0565b6121699190613703565b6121739190613703565b9050806001600160401b031642116121bf5761219260208301836131b0565b604051634508c30960e11b81526001600160401b0391821660048201529082166024820152604401610917565b6004546001600160401b03600160a01b909104811690811480159061220257506001600160401b0381166121f660208501856131b0565b6001600160401b031611155b156122415761221460208401846131b0565b6040516341166b6b60e11b81526001600160401b0391821660048201529082166024820152604401610917565b6001600160401b03811661225b60408501602086016131b0565b6001600160401b0316146122a65761227960408401602085016131b0565b60405163c6c4fe2960e01b81526001600160401b0391821660048201529082166024820152604401610917565b6001600160401b038082165f818152600d6020526040902091148015906122e057506001810154600160a01b90046001600160401b031642105b1561231f57600181015460405163c57cb64b60e01b81526001600160401b038481166004830152600160a01b9092049091166024820152604401610917565b612327612963565b5f61233861054c60208701876131b0565b9050808560e001351461236b576040516371b184f160e11b815260e0860135600482015260248101829052604401610917565b61237c611e2b61010087018761375f565b60028201546123959086906001600160801b0316612ce3565b60408051610100810182528682013581523360208201529081016123d97f000000000000000000000000000000000000000000000000000000000000000042613703565b6001600160401b031681526020015f1515815260200186608001356001600160801b031681526020018660a001356001600160801b031681526020018660c001356001600160801b03168152602001846001600160401b0316815250600d5f875f01602081019061244a91906131b0565b6001600160401b03908116825260208083019390935260409182015f2084518155848401516001820180549487015160608801511515600160e01b0260ff60e01b19918616600160a01b026001600160e01b03199097166001600160a01b0390941693909317959095179490941617909255608084015160a08501516001600160801b03908116600160801b90810292821692909217600285015560c08601516003909401805460e0909701519093169091026001600160c01b031990951692169190911792909217909155612522908601866131b0565b600480546001600160401b0392909216600160a01b0267ffffffffffffffff60a01b199092169190911790553361255c60208701876131b0565b6001600160401b03167f8efcdbe3154c1a3ac5c2ab80886764238b4ae0147eed43f5d0e6ced03b6e54dc85886040013589606001358a608001358b60a001358c60c001358d60e001358e8061010001906125b6919061375f565b6040516125cb999897969594939291906138e8565b60405180910390a35050505050565b6125e8848484846001612ed9565b61261057604051635274afe760e01b81526001600160a01b0385166004820152602401610917565b50505050565b6002546001600160a01b031633146109dc5760405163118cdaa760e01b8152336004820152602401610917565b6126508383836001612f46565b61267857604051635274afe760e01b81526001600160a01b0384166004820152602401610917565b505050565b600380546001600160a01b03191690556113c781612fa8565b5f6114c16126a2612ff9565b8360405161190160f01b8152600281019290925260228201526042902090565b60606109fc7f0000000000000000000000000000000000000000000000000000000000000000613122565b60606109fc7f0000000000000000000000000000000000000000000000000000000000000000613122565b5f8084838114158061272a5750602081115b15612752576040516337c7c7f960e11b81526004810182905260248101859052604401610917565b87811c1561277d576040516394666f0d60e01b81526004810189905260248101829052604401610917565b6040515f60208201526bffffffffffffffffffffffff1960608c901b1660218201526001600160801b031960808b901b16603582015260450160408051601f19818403018152919052805160209091012092506001600160801b03891691505f5b8181101561295557600189821c161561286757600160f81b88888381811061280857612808613722565b9050602002013587878481811061282157612821613722565b9050602002016020810190612836919061393f565b868660405160200161284c959493929190613958565b604051602081830303815290604052805190602001206128d9565b600160f81b84848a8a8581811061288057612880613722565b9050602002013589898681811061289957612899613722565b90506020020160208101906128ae919061393f565b6040516020016128c2959493929190613958565b604051602081830303815290604052805190602001205b93508585828181106128ed576128ed613722565b9050602002016020810190612902919061393f565b612915906001600160801b0316846136c5565b92506001600160801b0383111561294d576129318160016136c5565b604051635acafdc560e11b815260040161091791815260200190565b6001016127de565b505097509795505050505050565b600454600160a01b90046001600160401b031667fffffffffffffffe1981016129895750565b6001600160401b0381165f908152600d602052604090206001810154600160e01b900460ff16806129cd57506001810154600160a01b90046001600160401b031642105b156129d6575050565b600181018054600160e01b60ff60e01b19909116179055600281015460068054600160801b9092046001600160801b0316915f90612a159084906136c5565b90915550506003810154600780546001600160801b03909216915f90612a3c9084906136c5565b90915550506002810154600382015460408051600160801b9093046001600160801b03908116845290911660208301526001600160401b038416917fa528d04daf50103af440b6b0f55b80ae2edb7aec1566b7d2c0d4ec3268ed734f910160405180910390a26002810154600160801b90046001600160801b031615612b4c5760028101546040516340c10f1960e01b8152306004820152600160801b9091046001600160801b031660248201527f00000000000000000000000000000000000000000000000000000000000000006001600160a01b0316906340c10f19906044015f604051808303815f87803b158015612b35575f5ffd5b505af1158015612b47573d5f5f3e3d5ffd5b505050505b60038101546001600160801b031615611191576003810154604051630852cd8d60e31b81526001600160801b0390911660048201527f00000000000000000000000000000000000000000000000000000000000000006001600160a01b0316906342966c68906024015f604051808303815f87803b158015612bcc575f5ffd5b505af1158015612bde573d5f5f3e3d5ffd5b505050505050565b6004546001600160401b03600160a01b9182900481165f908152600d602052604081206001810154919390929104164210612c2e5760028101546001600160801b0316612c5e565b6003810154600160801b90046001600160401b03165f908152600d60205260409020600201546001600160801b03165b6001600160801b031691505090565b5f612c7782611887565b9050806001600160401b031642101561119157604051630191c3f960e21b81526001600160401b03808416600483015282166024820152604401610917565b801580612cc35750608081115b156111915760405162cf444b60e51b815260048101829052602401610917565b60a082013515612dde575f612da87f00000000000000000000000000000000000000000000000000000000000000007f00000000000000000000000000000000000000000000000000000000000000006001600160a01b03166318160ddd6040518163ffffffff1660e01b8152600401602060405180830381865afa158015612d6e573d5f5f3e3d5ffd5b505050506040513d601f19601f82011682018060405250810190612d92919061399b565b612da3906001600160801b036136d8565b61315f565b9050808360a001351115612ddc576040516307dc0f9360e11b815260a0840135600482015260248101829052604401610917565b505b6001600160801b0360808301351115612e1057604051638bcea7ef60e01b815260808301356004820152602401610917565b806001600160801b031682608001351015612e53576040516370c7508d60e01b8152608083013560048201526001600160801b0382166024820152604401610917565b5f8260a00135600754600654600554612e6c91906136c5565b612e7691906136d8565b612e8091906136c5565b90508083608001351180612ea45750612e9d6080840135826136d8565b8360c00135115b156126785760405163699b614760e11b8152600481018290526080840135602482015260c08401356044820152606401610917565b6040516323b872dd60e01b5f8181526001600160a01b038781166004528616602452604485905291602083606481808c5af1925060015f51148316612f35578383151615612f29573d5f823e3d81fd5b5f883b113d1516831692505b604052505f60605295945050505050565b60405163a9059cbb60e01b5f8181526001600160a01b038616600452602485905291602083604481808b5af1925060015f51148316612f9c578383151615612f90573d5f823e3d81fd5b5f873b113d1516831692505b60405250949350505050565b600280546001600160a01b038381166001600160a01b0319831681179093556040519116919082907f8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0905f90a35050565b5f306001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614801561305157507f000000000000000000000000000000000000000000000000000000000000000046145b1561307b57507f000000000000000000000000000000000000000000000000000000000000000090565b6109fc604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201527f0000000000000000000000000000000000000000000000000000000000000000918101919091527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b60605f61312e8361316e565b6040805160208082528183019092529192505f91906020820181803683375050509182525060208101929092525090565b5f828218828410028218611925565b5f60ff8216601f8111156114c157604051632cd44ac360e21b815260040160405180910390fd5b80356001600160401b03811681146131ab575f5ffd5b919050565b5f602082840312156131c0575f5ffd5b61192582613195565b815181526020808301516001600160a01b0316908201526040808301516001600160401b03169082015260608083015115159082015260808083015161010083019161321f908401826001600160801b03169052565b5060a083015161323a60a08401826001600160801b03169052565b5060c083015161325560c08401826001600160801b03169052565b5060e083015161327060e08401826001600160401b03169052565b5092915050565b6001600160a01b03811681146113c7575f5ffd5b5f6020828403121561329b575f5ffd5b813561192581613277565b5f5f604083850312156132b7575f5ffd5b6132c083613195565b946020939093013593505050565b5f5f604083850312156132df575f5ffd5b823591506132ef60208401613195565b90509250929050565b5f5f60408385031215613309575f5ffd5b823561331481613277565b915060208301358015158114613328575f5ffd5b809150509250929050565b5f60208284031215613343575f5ffd5b5035919050565b5f6020828403121561335a575f5ffd5b81356001600160401b0381111561336f575f5ffd5b820160c08185031215611925575f5ffd5b5f5f60408385031215613391575f5ffd5b61339a83613195565b9150602083013561332881613277565b5f602082840312156133ba575f5ffd5b81356001600160401b038111156133cf575f5ffd5b82016102a08185031215611925575f5ffd5b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b60ff60f81b8816815260e060208201525f61342d60e08301896133e1565b828103604084015261343f81896133e1565b606084018890526001600160a01b038716608085015260a0840186905283810360c0850152845180825260208087019350909101905f5b81811015613494578351835260209384019390920191600101613476565b50909b9a5050505050505050505050565b80356001600160801b03811681146131ab575f5ffd5b5f5f83601f8401126134cb575f5ffd5b5081356001600160401b038111156134e1575f5ffd5b6020830191508360208260051b85010111156134fb575f5ffd5b9250929050565b5f5f5f5f5f5f5f60a0888a031215613518575f5ffd5b873561352381613277565b9650613531602089016134a5565b95506040880135945060608801356001600160401b03811115613552575f5ffd5b61355e8a828b016134bb565b90955093505060808801356001600160401b0381111561357c575f5ffd5b6135888a828b016134bb565b989b979a50959850939692959293505050565b5f5f5f5f5f5f5f5f60c0898b0312156135b2575f5ffd5b6135bb89613195565b975060208901356135cb81613277565b96506135d960408a016134a5565b95506060890135945060808901356001600160401b038111156135fa575f5ffd5b6136068b828c016134bb565b90955093505060a08901356001600160401b03811115613624575f5ffd5b6136308b828c016134bb565b999c989b5096995094979396929594505050565b5f60208284031215613654575f5ffd5b81356001600160401b03811115613669575f5ffd5b820160a08185031215611925575f5ffd5b5f6020828403121561368a575f5ffd5b81356001600160401b0381111561369f575f5ffd5b82016101208185031215611925575f5ffd5b634e487b7160e01b5f52601160045260245ffd5b808201808211156114c1576114c16136b1565b818103818111156114c1576114c16136b1565b5f600182016136fc576136fc6136b1565b5060010190565b6001600160401b0381811683821601908111156114c1576114c16136b1565b634e487b7160e01b5f52603260045260245ffd5b634e487b7160e01b5f52603160045260245ffd5b5f81613758576137586136b1565b505f190190565b5f5f8335601e19843603018112613774575f5ffd5b8301803591506001600160401b0382111561378d575f5ffd5b6020019150368190038213156134fb575f5ffd5b818382375f9101908152919050565b5f602082840312156137c0575f5ffd5b813560ff81168114611925575f5ffd5b6001600160401b0382811682821603908111156114c1576114c16136b1565b5f6001600160401b0383168061381357634e487b7160e01b5f52601260045260245ffd5b806001600160401b0384160491505092915050565b5f81518060208401855e5f93019283525090919050565b5f61183c6138566138508488613828565b86613828565b84613828565b80820281158282048414176114c1576114c16136b1565b5f60208284031215613883575f5ffd5b815161192581613277565b81835281816020850137505f828201602090810191909152601f909101601f19169091010190565b8481526001600160401b0384166020820152606060408201525f6138de60608301848661388e565b9695505050505050565b6001600160401b038a1681528860208201528760408201528660608201528560808201528460a08201528360c082015261010060e08201525f6139306101008301848661388e565b9b9a5050505050505050505050565b5f6020828403121561394f575f5ffd5b611925826134a5565b6001600160f81b031995909516855260018501939093526001600160801b0319608092831b81166021860152603185019190915291901b16605182015260610190565b5f602082840312156139ab575f5ffd5b505191905056",
}

// Ledger is an auto generated Go binding around an Ethereum contract.
type Ledger struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Ledger) GetABI() abi.ABI {
	return c.abi
}

// NewLedger creates a new instance of Ledger.
func NewLedger() *Ledger {
	parsed, err := LedgerMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Ledger{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Ledger) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(address token, address registry, (uint64,uint64,uint64,uint64,uint16,uint256,uint256) params, bytes32 ruleset) returns()
func (ledger *Ledger) PackConstructor(token common.Address, registry common.Address, params LedgerParams, ruleset [32]byte) []byte {
	enc, err := ledger.abi.Pack("", token, registry, params, ruleset)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackAUDITWINDOW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52073dac.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function AUDIT_WINDOW() view returns(uint64)
func (ledger *Ledger) PackAUDITWINDOW() []byte {
	enc, err := ledger.abi.Pack("AUDIT_WINDOW")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAUDITWINDOW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52073dac.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function AUDIT_WINDOW() view returns(uint64)
func (ledger *Ledger) TryPackAUDITWINDOW() ([]byte, error) {
	return ledger.abi.Pack("AUDIT_WINDOW")
}

// UnpackAUDITWINDOW is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x52073dac.
//
// Solidity: function AUDIT_WINDOW() view returns(uint64)
func (ledger *Ledger) UnpackAUDITWINDOW(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("AUDIT_WINDOW", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackBOND is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc1c1d218.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function BOND() view returns(uint256)
func (ledger *Ledger) PackBOND() []byte {
	enc, err := ledger.abi.Pack("BOND")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBOND is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc1c1d218.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function BOND() view returns(uint256)
func (ledger *Ledger) TryPackBOND() ([]byte, error) {
	return ledger.abi.Pack("BOND")
}

// UnpackBOND is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc1c1d218.
//
// Solidity: function BOND() view returns(uint256)
func (ledger *Ledger) UnpackBOND(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("BOND", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCLAIMDELAY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe18132c4.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function CLAIM_DELAY() view returns(uint64)
func (ledger *Ledger) PackCLAIMDELAY() []byte {
	enc, err := ledger.abi.Pack("CLAIM_DELAY")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCLAIMDELAY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe18132c4.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function CLAIM_DELAY() view returns(uint64)
func (ledger *Ledger) TryPackCLAIMDELAY() ([]byte, error) {
	return ledger.abi.Pack("CLAIM_DELAY")
}

// UnpackCLAIMDELAY is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe18132c4.
//
// Solidity: function CLAIM_DELAY() view returns(uint64)
func (ledger *Ledger) UnpackCLAIMDELAY(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("CLAIM_DELAY", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackCOMMITWINDOW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe97f6a68.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function COMMIT_WINDOW() view returns(uint64)
func (ledger *Ledger) PackCOMMITWINDOW() []byte {
	enc, err := ledger.abi.Pack("COMMIT_WINDOW")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCOMMITWINDOW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe97f6a68.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function COMMIT_WINDOW() view returns(uint64)
func (ledger *Ledger) TryPackCOMMITWINDOW() ([]byte, error) {
	return ledger.abi.Pack("COMMIT_WINDOW")
}

// UnpackCOMMITWINDOW is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe97f6a68.
//
// Solidity: function COMMIT_WINDOW() view returns(uint64)
func (ledger *Ledger) UnpackCOMMITWINDOW(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("COMMIT_WINDOW", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackEPOCHLENGTH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xac4746ab.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function EPOCH_LENGTH() view returns(uint64)
func (ledger *Ledger) PackEPOCHLENGTH() []byte {
	enc, err := ledger.abi.Pack("EPOCH_LENGTH")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEPOCHLENGTH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xac4746ab.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function EPOCH_LENGTH() view returns(uint64)
func (ledger *Ledger) TryPackEPOCHLENGTH() ([]byte, error) {
	return ledger.abi.Pack("EPOCH_LENGTH")
}

// UnpackEPOCHLENGTH is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xac4746ab.
//
// Solidity: function EPOCH_LENGTH() view returns(uint64)
func (ledger *Ledger) UnpackEPOCHLENGTH(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("EPOCH_LENGTH", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackMAXCOUNT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x77163c1d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_COUNT() view returns(uint64)
func (ledger *Ledger) PackMAXCOUNT() []byte {
	enc, err := ledger.abi.Pack("MAX_COUNT")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXCOUNT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x77163c1d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_COUNT() view returns(uint64)
func (ledger *Ledger) TryPackMAXCOUNT() ([]byte, error) {
	return ledger.abi.Pack("MAX_COUNT")
}

// UnpackMAXCOUNT is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x77163c1d.
//
// Solidity: function MAX_COUNT() view returns(uint64)
func (ledger *Ledger) UnpackMAXCOUNT(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("MAX_COUNT", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackMAXDATA is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa0b0607f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_DATA() view returns(uint256)
func (ledger *Ledger) PackMAXDATA() []byte {
	enc, err := ledger.abi.Pack("MAX_DATA")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXDATA is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa0b0607f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_DATA() view returns(uint256)
func (ledger *Ledger) TryPackMAXDATA() ([]byte, error) {
	return ledger.abi.Pack("MAX_DATA")
}

// UnpackMAXDATA is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa0b0607f.
//
// Solidity: function MAX_DATA() view returns(uint256)
func (ledger *Ledger) UnpackMAXDATA(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("MAX_DATA", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXPERIOD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc810b7fe.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_PERIOD() view returns(uint64)
func (ledger *Ledger) PackMAXPERIOD() []byte {
	enc, err := ledger.abi.Pack("MAX_PERIOD")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXPERIOD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc810b7fe.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_PERIOD() view returns(uint64)
func (ledger *Ledger) TryPackMAXPERIOD() ([]byte, error) {
	return ledger.abi.Pack("MAX_PERIOD")
}

// UnpackMAXPERIOD is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc810b7fe.
//
// Solidity: function MAX_PERIOD() view returns(uint64)
func (ledger *Ledger) UnpackMAXPERIOD(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("MAX_PERIOD", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackMINTCAP is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x98f1312e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MINT_CAP() view returns(uint256)
func (ledger *Ledger) PackMINTCAP() []byte {
	enc, err := ledger.abi.Pack("MINT_CAP")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMINTCAP is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x98f1312e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MINT_CAP() view returns(uint256)
func (ledger *Ledger) TryPackMINTCAP() ([]byte, error) {
	return ledger.abi.Pack("MINT_CAP")
}

// UnpackMINTCAP is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x98f1312e.
//
// Solidity: function MINT_CAP() view returns(uint256)
func (ledger *Ledger) UnpackMINTCAP(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("MINT_CAP", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackNONE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x83525394.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function NONE() view returns(uint64)
func (ledger *Ledger) PackNONE() []byte {
	enc, err := ledger.abi.Pack("NONE")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackNONE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x83525394.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function NONE() view returns(uint64)
func (ledger *Ledger) TryPackNONE() ([]byte, error) {
	return ledger.abi.Pack("NONE")
}

// UnpackNONE is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x83525394.
//
// Solidity: function NONE() view returns(uint64)
func (ledger *Ledger) UnpackNONE(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("NONE", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackQUORUM is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2e80d9b6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function QUORUM() view returns(uint16)
func (ledger *Ledger) PackQUORUM() []byte {
	enc, err := ledger.abi.Pack("QUORUM")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackQUORUM is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2e80d9b6.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function QUORUM() view returns(uint16)
func (ledger *Ledger) TryPackQUORUM() ([]byte, error) {
	return ledger.abi.Pack("QUORUM")
}

// UnpackQUORUM is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x2e80d9b6.
//
// Solidity: function QUORUM() view returns(uint16)
func (ledger *Ledger) UnpackQUORUM(data []byte) (uint16, error) {
	out, err := ledger.abi.Unpack("QUORUM", data)
	if err != nil {
		return *new(uint16), err
	}
	out0 := *abi.ConvertType(out[0], new(uint16)).(*uint16)
	return out0, nil
}

// PackREGISTRY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06433b1b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function REGISTRY() view returns(address)
func (ledger *Ledger) PackREGISTRY() []byte {
	enc, err := ledger.abi.Pack("REGISTRY")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackREGISTRY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06433b1b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function REGISTRY() view returns(address)
func (ledger *Ledger) TryPackREGISTRY() ([]byte, error) {
	return ledger.abi.Pack("REGISTRY")
}

// UnpackREGISTRY is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x06433b1b.
//
// Solidity: function REGISTRY() view returns(address)
func (ledger *Ledger) UnpackREGISTRY(data []byte) (common.Address, error) {
	out, err := ledger.abi.Unpack("REGISTRY", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackSTART is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xba9a061a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function START() view returns(uint64)
func (ledger *Ledger) PackSTART() []byte {
	enc, err := ledger.abi.Pack("START")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSTART is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xba9a061a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function START() view returns(uint64)
func (ledger *Ledger) TryPackSTART() ([]byte, error) {
	return ledger.abi.Pack("START")
}

// UnpackSTART is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xba9a061a.
//
// Solidity: function START() view returns(uint64)
func (ledger *Ledger) UnpackSTART(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("START", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackTOKEN is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x82bfefc8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function TOKEN() view returns(address)
func (ledger *Ledger) PackTOKEN() []byte {
	enc, err := ledger.abi.Pack("TOKEN")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTOKEN is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x82bfefc8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function TOKEN() view returns(address)
func (ledger *Ledger) TryPackTOKEN() ([]byte, error) {
	return ledger.abi.Pack("TOKEN")
}

// UnpackTOKEN is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x82bfefc8.
//
// Solidity: function TOKEN() view returns(address)
func (ledger *Ledger) UnpackTOKEN(data []byte) (common.Address, error) {
	out, err := ledger.abi.Unpack("TOKEN", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackAcceptOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x79ba5097.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function acceptOwnership() returns()
func (ledger *Ledger) PackAcceptOwnership() []byte {
	enc, err := ledger.abi.Pack("acceptOwnership")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAcceptOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x79ba5097.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function acceptOwnership() returns()
func (ledger *Ledger) TryPackAcceptOwnership() ([]byte, error) {
	return ledger.abi.Pack("acceptOwnership")
}

// PackAnchor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf66e1aa3.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function anchor((uint64,uint64,bytes32,bytes32,uint256,uint256,uint256,bytes32,bytes) a) returns()
func (ledger *Ledger) PackAnchor(a LedgerAnchor) []byte {
	enc, err := ledger.abi.Pack("anchor", a)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAnchor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf66e1aa3.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function anchor((uint64,uint64,bytes32,bytes32,uint256,uint256,uint256,bytes32,bytes) a) returns()
func (ledger *Ledger) TryPackAnchor(a LedgerAnchor) ([]byte, error) {
	return ledger.abi.Pack("anchor", a)
}

// PackAnchorOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x34defa7c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function anchorOf(uint64 epoch) view returns((bytes32,address,uint64,bool,uint128,uint128,uint128,uint64))
func (ledger *Ledger) PackAnchorOf(epoch uint64) []byte {
	enc, err := ledger.abi.Pack("anchorOf", epoch)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAnchorOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x34defa7c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function anchorOf(uint64 epoch) view returns((bytes32,address,uint64,bool,uint128,uint128,uint128,uint64))
func (ledger *Ledger) TryPackAnchorOf(epoch uint64) ([]byte, error) {
	return ledger.abi.Pack("anchorOf", epoch)
}

// UnpackAnchorOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x34defa7c.
//
// Solidity: function anchorOf(uint64 epoch) view returns((bytes32,address,uint64,bool,uint128,uint128,uint128,uint64))
func (ledger *Ledger) UnpackAnchorOf(data []byte) (LedgerRecord, error) {
	out, err := ledger.abi.Unpack("anchorOf", data)
	if err != nil {
		return *new(LedgerRecord), err
	}
	out0 := *abi.ConvertType(out[0], new(LedgerRecord)).(*LedgerRecord)
	return out0, nil
}

// PackBondOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x72d2b6c0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function bondOf(address poster) view returns(uint256 value)
func (ledger *Ledger) PackBondOf(poster common.Address) []byte {
	enc, err := ledger.abi.Pack("bondOf", poster)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBondOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x72d2b6c0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function bondOf(address poster) view returns(uint256 value)
func (ledger *Ledger) TryPackBondOf(poster common.Address) ([]byte, error) {
	return ledger.abi.Pack("bondOf", poster)
}

// UnpackBondOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x72d2b6c0.
//
// Solidity: function bondOf(address poster) view returns(uint256 value)
func (ledger *Ledger) UnpackBondOf(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("bondOf", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackBurnedTotal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x22fcc530.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function burnedTotal() view returns(uint256)
func (ledger *Ledger) PackBurnedTotal() []byte {
	enc, err := ledger.abi.Pack("burnedTotal")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBurnedTotal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x22fcc530.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function burnedTotal() view returns(uint256)
func (ledger *Ledger) TryPackBurnedTotal() ([]byte, error) {
	return ledger.abi.Pack("burnedTotal")
}

// UnpackBurnedTotal is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x22fcc530.
//
// Solidity: function burnedTotal() view returns(uint256)
func (ledger *Ledger) UnpackBurnedTotal(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("burnedTotal", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackClaim is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd35de751.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function claim(uint64 epoch, address account, uint128 cumulative, uint256 index, bytes32[] hashes, uint128[] sums) returns(uint256 paid)
func (ledger *Ledger) PackClaim(epoch uint64, account common.Address, cumulative *big.Int, index *big.Int, hashes [][32]byte, sums []*big.Int) []byte {
	enc, err := ledger.abi.Pack("claim", epoch, account, cumulative, index, hashes, sums)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackClaim is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd35de751.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function claim(uint64 epoch, address account, uint128 cumulative, uint256 index, bytes32[] hashes, uint128[] sums) returns(uint256 paid)
func (ledger *Ledger) TryPackClaim(epoch uint64, account common.Address, cumulative *big.Int, index *big.Int, hashes [][32]byte, sums []*big.Int) ([]byte, error) {
	return ledger.abi.Pack("claim", epoch, account, cumulative, index, hashes, sums)
}

// UnpackClaim is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd35de751.
//
// Solidity: function claim(uint64 epoch, address account, uint128 cumulative, uint256 index, bytes32[] hashes, uint128[] sums) returns(uint256 paid)
func (ledger *Ledger) UnpackClaim(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("claim", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackClaimed is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc884ef83.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function claimed(address account) view returns(uint256 value)
func (ledger *Ledger) PackClaimed(account common.Address) []byte {
	enc, err := ledger.abi.Pack("claimed", account)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackClaimed is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc884ef83.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function claimed(address account) view returns(uint256 value)
func (ledger *Ledger) TryPackClaimed(account common.Address) ([]byte, error) {
	return ledger.abi.Pack("claimed", account)
}

// UnpackClaimed is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc884ef83.
//
// Solidity: function claimed(address account) view returns(uint256 value)
func (ledger *Ledger) UnpackClaimed(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("claimed", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackClaimedTotal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc6fc65c3.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function claimedTotal() view returns(uint256)
func (ledger *Ledger) PackClaimedTotal() []byte {
	enc, err := ledger.abi.Pack("claimedTotal")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackClaimedTotal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc6fc65c3.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function claimedTotal() view returns(uint256)
func (ledger *Ledger) TryPackClaimedTotal() ([]byte, error) {
	return ledger.abi.Pack("claimedTotal")
}

// UnpackClaimedTotal is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc6fc65c3.
//
// Solidity: function claimedTotal() view returns(uint256)
func (ledger *Ledger) UnpackClaimedTotal(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("claimedTotal", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCommit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd6f66933.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function commit((address,uint64,bytes32,uint64,bytes) b) returns()
func (ledger *Ledger) PackCommit(b LedgerBatch) []byte {
	enc, err := ledger.abi.Pack("commit", b)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCommit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd6f66933.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function commit((address,uint64,bytes32,uint64,bytes) b) returns()
func (ledger *Ledger) TryPackCommit(b LedgerBatch) ([]byte, error) {
	return ledger.abi.Pack("commit", b)
}

// PackCommitmentOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7fa1ec00.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function commitmentOf(uint64 epoch, address worker) view returns(bytes32 digest)
func (ledger *Ledger) PackCommitmentOf(epoch uint64, worker common.Address) []byte {
	enc, err := ledger.abi.Pack("commitmentOf", epoch, worker)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCommitmentOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7fa1ec00.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function commitmentOf(uint64 epoch, address worker) view returns(bytes32 digest)
func (ledger *Ledger) TryPackCommitmentOf(epoch uint64, worker common.Address) ([]byte, error) {
	return ledger.abi.Pack("commitmentOf", epoch, worker)
}

// UnpackCommitmentOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7fa1ec00.
//
// Solidity: function commitmentOf(uint64 epoch, address worker) view returns(bytes32 digest)
func (ledger *Ledger) UnpackCommitmentOf(data []byte) ([32]byte, error) {
	out, err := ledger.abi.Unpack("commitmentOf", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackCredit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x78da744b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function credit(uint256 value) returns()
func (ledger *Ledger) PackCredit(value *big.Int) []byte {
	enc, err := ledger.abi.Pack("credit", value)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCredit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x78da744b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function credit(uint256 value) returns()
func (ledger *Ledger) TryPackCredit(value *big.Int) ([]byte, error) {
	return ledger.abi.Pack("credit", value)
}

// PackCurrentEpoch is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x76671808.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function currentEpoch() view returns(uint64)
func (ledger *Ledger) PackCurrentEpoch() []byte {
	enc, err := ledger.abi.Pack("currentEpoch")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCurrentEpoch is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x76671808.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function currentEpoch() view returns(uint64)
func (ledger *Ledger) TryPackCurrentEpoch() ([]byte, error) {
	return ledger.abi.Pack("currentEpoch")
}

// UnpackCurrentEpoch is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x76671808.
//
// Solidity: function currentEpoch() view returns(uint64)
func (ledger *Ledger) UnpackCurrentEpoch(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("currentEpoch", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackDisable is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4f05b219.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function disable(uint64 epoch, bytes32 reason) returns()
func (ledger *Ledger) PackDisable(epoch uint64, reason [32]byte) []byte {
	enc, err := ledger.abi.Pack("disable", epoch, reason)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDisable is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4f05b219.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function disable(uint64 epoch, bytes32 reason) returns()
func (ledger *Ledger) TryPackDisable(epoch uint64, reason [32]byte) ([]byte, error) {
	return ledger.abi.Pack("disable", epoch, reason)
}

// PackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (ledger *Ledger) PackEip712Domain() []byte {
	enc, err := ledger.abi.Pack("eip712Domain")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (ledger *Ledger) TryPackEip712Domain() ([]byte, error) {
	return ledger.abi.Pack("eip712Domain")
}

// Eip712DomainOutput serves as a container for the return parameters of contract
// method Eip712Domain.
type Eip712DomainOutput struct {
	Fields            [1]byte
	Name              string
	Version           string
	ChainId           *big.Int
	VerifyingContract common.Address
	Salt              [32]byte
	Extensions        []*big.Int
}

// UnpackEip712Domain is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x84b0196e.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (ledger *Ledger) UnpackEip712Domain(data []byte) (Eip712DomainOutput, error) {
	out, err := ledger.abi.Unpack("eip712Domain", data)
	outstruct := new(Eip712DomainOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Fields = *abi.ConvertType(out[0], new([1]byte)).(*[1]byte)
	outstruct.Name = *abi.ConvertType(out[1], new(string)).(*string)
	outstruct.Version = *abi.ConvertType(out[2], new(string)).(*string)
	outstruct.ChainId = abi.ConvertType(out[3], new(big.Int)).(*big.Int)
	outstruct.VerifyingContract = *abi.ConvertType(out[4], new(common.Address)).(*common.Address)
	outstruct.Salt = *abi.ConvertType(out[5], new([32]byte)).(*[32]byte)
	outstruct.Extensions = *abi.ConvertType(out[6], new([]*big.Int)).(*[]*big.Int)
	return *outstruct, nil
}

// PackEpochAt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7d60d355.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function epochAt(uint64 time) view returns(uint64)
func (ledger *Ledger) PackEpochAt(time uint64) []byte {
	enc, err := ledger.abi.Pack("epochAt", time)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEpochAt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7d60d355.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function epochAt(uint64 time) view returns(uint64)
func (ledger *Ledger) TryPackEpochAt(time uint64) ([]byte, error) {
	return ledger.abi.Pack("epochAt", time)
}

// UnpackEpochAt is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7d60d355.
//
// Solidity: function epochAt(uint64 time) view returns(uint64)
func (ledger *Ledger) UnpackEpochAt(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("epochAt", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackEpochEnd is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb4683db2.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function epochEnd(uint64 epoch) view returns(uint64)
func (ledger *Ledger) PackEpochEnd(epoch uint64) []byte {
	enc, err := ledger.abi.Pack("epochEnd", epoch)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEpochEnd is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb4683db2.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function epochEnd(uint64 epoch) view returns(uint64)
func (ledger *Ledger) TryPackEpochEnd(epoch uint64) ([]byte, error) {
	return ledger.abi.Pack("epochEnd", epoch)
}

// UnpackEpochEnd is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb4683db2.
//
// Solidity: function epochEnd(uint64 epoch) view returns(uint64)
func (ledger *Ledger) UnpackEpochEnd(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("epochEnd", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackHashBatch is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdfe0c59b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashBatch((address,uint64,bytes32,uint64,bytes) b) view returns(bytes32 digest)
func (ledger *Ledger) PackHashBatch(b LedgerBatch) []byte {
	enc, err := ledger.abi.Pack("hashBatch", b)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashBatch is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdfe0c59b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashBatch((address,uint64,bytes32,uint64,bytes) b) view returns(bytes32 digest)
func (ledger *Ledger) TryPackHashBatch(b LedgerBatch) ([]byte, error) {
	return ledger.abi.Pack("hashBatch", b)
}

// UnpackHashBatch is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xdfe0c59b.
//
// Solidity: function hashBatch((address,uint64,bytes32,uint64,bytes) b) view returns(bytes32 digest)
func (ledger *Ledger) UnpackHashBatch(data []byte) ([32]byte, error) {
	out, err := ledger.abi.Unpack("hashBatch", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackHashReceipt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x801f59c1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashReceipt((bytes32,bytes32,address,address,uint64,uint64,uint8,uint8,uint8,uint8,bytes,bytes32,bytes,bytes32,bytes32,uint64,uint64,uint256,uint64,uint64,bytes) r) view returns(bytes32 digest)
func (ledger *Ledger) PackHashReceipt(r LedgerReceipt) []byte {
	enc, err := ledger.abi.Pack("hashReceipt", r)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashReceipt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x801f59c1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashReceipt((bytes32,bytes32,address,address,uint64,uint64,uint8,uint8,uint8,uint8,bytes,bytes32,bytes,bytes32,bytes32,uint64,uint64,uint256,uint64,uint64,bytes) r) view returns(bytes32 digest)
func (ledger *Ledger) TryPackHashReceipt(r LedgerReceipt) ([]byte, error) {
	return ledger.abi.Pack("hashReceipt", r)
}

// UnpackHashReceipt is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x801f59c1.
//
// Solidity: function hashReceipt((bytes32,bytes32,address,address,uint64,uint64,uint8,uint8,uint8,uint8,bytes,bytes32,bytes,bytes32,bytes32,uint64,uint64,uint256,uint64,uint64,bytes) r) view returns(bytes32 digest)
func (ledger *Ledger) UnpackHashReceipt(data []byte) ([32]byte, error) {
	out, err := ledger.abi.Unpack("hashReceipt", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackHashVerdict is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7b23c120.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashVerdict((bytes,address,uint64,uint8,uint64,bytes32) v) view returns(bytes32 digest)
func (ledger *Ledger) PackHashVerdict(v LedgerVerdict) []byte {
	enc, err := ledger.abi.Pack("hashVerdict", v)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashVerdict is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7b23c120.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashVerdict((bytes,address,uint64,uint8,uint64,bytes32) v) view returns(bytes32 digest)
func (ledger *Ledger) TryPackHashVerdict(v LedgerVerdict) ([]byte, error) {
	return ledger.abi.Pack("hashVerdict", v)
}

// UnpackHashVerdict is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7b23c120.
//
// Solidity: function hashVerdict((bytes,address,uint64,uint8,uint64,bytes32) v) view returns(bytes32 digest)
func (ledger *Ledger) UnpackHashVerdict(data []byte) ([32]byte, error) {
	out, err := ledger.abi.Unpack("hashVerdict", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackHead is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f7dcfa3.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function head() view returns(uint64)
func (ledger *Ledger) PackHead() []byte {
	enc, err := ledger.abi.Pack("head")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHead is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f7dcfa3.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function head() view returns(uint64)
func (ledger *Ledger) TryPackHead() ([]byte, error) {
	return ledger.abi.Pack("head")
}

// UnpackHead is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8f7dcfa3.
//
// Solidity: function head() view returns(uint64)
func (ledger *Ledger) UnpackHead(data []byte) (uint64, error) {
	out, err := ledger.abi.Unpack("head", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackIsAuditor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x49b90557.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function isAuditor(address account) view returns(bool yes)
func (ledger *Ledger) PackIsAuditor(account common.Address) []byte {
	enc, err := ledger.abi.Pack("isAuditor", account)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackIsAuditor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x49b90557.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function isAuditor(address account) view returns(bool yes)
func (ledger *Ledger) TryPackIsAuditor(account common.Address) ([]byte, error) {
	return ledger.abi.Pack("isAuditor", account)
}

// UnpackIsAuditor is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x49b90557.
//
// Solidity: function isAuditor(address account) view returns(bool yes)
func (ledger *Ledger) UnpackIsAuditor(data []byte) (bool, error) {
	out, err := ledger.abi.Unpack("isAuditor", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackMintedTotal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x891aaf68.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function mintedTotal() view returns(uint256)
func (ledger *Ledger) PackMintedTotal() []byte {
	enc, err := ledger.abi.Pack("mintedTotal")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMintedTotal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x891aaf68.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function mintedTotal() view returns(uint256)
func (ledger *Ledger) TryPackMintedTotal() ([]byte, error) {
	return ledger.abi.Pack("mintedTotal")
}

// UnpackMintedTotal is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x891aaf68.
//
// Solidity: function mintedTotal() view returns(uint256)
func (ledger *Ledger) UnpackMintedTotal(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("mintedTotal", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8da5cb5b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function owner() view returns(address)
func (ledger *Ledger) PackOwner() []byte {
	enc, err := ledger.abi.Pack("owner")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8da5cb5b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function owner() view returns(address)
func (ledger *Ledger) TryPackOwner() ([]byte, error) {
	return ledger.abi.Pack("owner")
}

// UnpackOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8da5cb5b.
//
// Solidity: function owner() view returns(address)
func (ledger *Ledger) UnpackOwner(data []byte) (common.Address, error) {
	out, err := ledger.abi.Unpack("owner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPendingOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe30c3978.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function pendingOwner() view returns(address)
func (ledger *Ledger) PackPendingOwner() []byte {
	enc, err := ledger.abi.Pack("pendingOwner")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPendingOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe30c3978.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function pendingOwner() view returns(address)
func (ledger *Ledger) TryPackPendingOwner() ([]byte, error) {
	return ledger.abi.Pack("pendingOwner")
}

// UnpackPendingOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe30c3978.
//
// Solidity: function pendingOwner() view returns(address)
func (ledger *Ledger) UnpackPendingOwner(data []byte) (common.Address, error) {
	out, err := ledger.abi.Unpack("pendingOwner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x16f0115b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function pool() view returns(uint256)
func (ledger *Ledger) PackPool() []byte {
	enc, err := ledger.abi.Pack("pool")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x16f0115b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function pool() view returns(uint256)
func (ledger *Ledger) TryPackPool() ([]byte, error) {
	return ledger.abi.Pack("pool")
}

// UnpackPool is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x16f0115b.
//
// Solidity: function pool() view returns(uint256)
func (ledger *Ledger) UnpackPool(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("pool", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackPostBond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x09f8d4a8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function postBond() returns()
func (ledger *Ledger) PackPostBond() []byte {
	enc, err := ledger.abi.Pack("postBond")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPostBond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x09f8d4a8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function postBond() returns()
func (ledger *Ledger) TryPackPostBond() ([]byte, error) {
	return ledger.abi.Pack("postBond")
}

// PackReceived is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x83a6deb5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function received() view returns(uint256)
func (ledger *Ledger) PackReceived() []byte {
	enc, err := ledger.abi.Pack("received")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackReceived is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x83a6deb5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function received() view returns(uint256)
func (ledger *Ledger) TryPackReceived() ([]byte, error) {
	return ledger.abi.Pack("received")
}

// UnpackReceived is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x83a6deb5.
//
// Solidity: function received() view returns(uint256)
func (ledger *Ledger) UnpackReceived(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("received", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackRenounceOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x715018a6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function renounceOwnership() returns()
func (ledger *Ledger) PackRenounceOwnership() []byte {
	enc, err := ledger.abi.Pack("renounceOwnership")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRenounceOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x715018a6.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function renounceOwnership() returns()
func (ledger *Ledger) TryPackRenounceOwnership() ([]byte, error) {
	return ledger.abi.Pack("renounceOwnership")
}

// PackRootOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbb1c8ab7.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function rootOf(address account, uint128 cumulative, uint256 index, bytes32[] hashes, uint128[] sums) pure returns(bytes32 root, uint256 total)
func (ledger *Ledger) PackRootOf(account common.Address, cumulative *big.Int, index *big.Int, hashes [][32]byte, sums []*big.Int) []byte {
	enc, err := ledger.abi.Pack("rootOf", account, cumulative, index, hashes, sums)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRootOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbb1c8ab7.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function rootOf(address account, uint128 cumulative, uint256 index, bytes32[] hashes, uint128[] sums) pure returns(bytes32 root, uint256 total)
func (ledger *Ledger) TryPackRootOf(account common.Address, cumulative *big.Int, index *big.Int, hashes [][32]byte, sums []*big.Int) ([]byte, error) {
	return ledger.abi.Pack("rootOf", account, cumulative, index, hashes, sums)
}

// RootOfOutput serves as a container for the return parameters of contract
// method RootOf.
type RootOfOutput struct {
	Root  [32]byte
	Total *big.Int
}

// UnpackRootOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbb1c8ab7.
//
// Solidity: function rootOf(address account, uint128 cumulative, uint256 index, bytes32[] hashes, uint128[] sums) pure returns(bytes32 root, uint256 total)
func (ledger *Ledger) UnpackRootOf(data []byte) (RootOfOutput, error) {
	out, err := ledger.abi.Unpack("rootOf", data)
	outstruct := new(RootOfOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Root = *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	outstruct.Total = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackRulesetAt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5caeddb1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function rulesetAt(uint64 epoch) view returns(bytes32)
func (ledger *Ledger) PackRulesetAt(epoch uint64) []byte {
	enc, err := ledger.abi.Pack("rulesetAt", epoch)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRulesetAt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5caeddb1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function rulesetAt(uint64 epoch) view returns(bytes32)
func (ledger *Ledger) TryPackRulesetAt(epoch uint64) ([]byte, error) {
	return ledger.abi.Pack("rulesetAt", epoch)
}

// UnpackRulesetAt is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x5caeddb1.
//
// Solidity: function rulesetAt(uint64 epoch) view returns(bytes32)
func (ledger *Ledger) UnpackRulesetAt(data []byte) ([32]byte, error) {
	out, err := ledger.abi.Unpack("rulesetAt", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackRulesetHash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc8ab1e0d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function rulesetHash() view returns(bytes32)
func (ledger *Ledger) PackRulesetHash() []byte {
	enc, err := ledger.abi.Pack("rulesetHash")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRulesetHash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc8ab1e0d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function rulesetHash() view returns(bytes32)
func (ledger *Ledger) TryPackRulesetHash() ([]byte, error) {
	return ledger.abi.Pack("rulesetHash")
}

// UnpackRulesetHash is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc8ab1e0d.
//
// Solidity: function rulesetHash() view returns(bytes32)
func (ledger *Ledger) UnpackRulesetHash(data []byte) ([32]byte, error) {
	out, err := ledger.abi.Unpack("rulesetHash", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackScheduleRuleset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5bfece5a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function scheduleRuleset(bytes32 ruleset, uint64 from) returns()
func (ledger *Ledger) PackScheduleRuleset(ruleset [32]byte, from uint64) []byte {
	enc, err := ledger.abi.Pack("scheduleRuleset", ruleset, from)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackScheduleRuleset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5bfece5a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function scheduleRuleset(bytes32 ruleset, uint64 from) returns()
func (ledger *Ledger) TryPackScheduleRuleset(ruleset [32]byte, from uint64) ([]byte, error) {
	return ledger.abi.Pack("scheduleRuleset", ruleset, from)
}

// PackSetAuditor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7795024f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setAuditor(address auditor, bool yes) returns()
func (ledger *Ledger) PackSetAuditor(auditor common.Address, yes bool) []byte {
	enc, err := ledger.abi.Pack("setAuditor", auditor, yes)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetAuditor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7795024f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setAuditor(address auditor, bool yes) returns()
func (ledger *Ledger) TryPackSetAuditor(auditor common.Address, yes bool) ([]byte, error) {
	return ledger.abi.Pack("setAuditor", auditor, yes)
}

// PackSetVault is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6817031b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setVault(address vault_) returns()
func (ledger *Ledger) PackSetVault(vault common.Address) []byte {
	enc, err := ledger.abi.Pack("setVault", vault)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetVault is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6817031b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setVault(address vault_) returns()
func (ledger *Ledger) TryPackSetVault(vault common.Address) ([]byte, error) {
	return ledger.abi.Pack("setVault", vault)
}

// PackTransferOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf2fde38b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function transferOwnership(address newOwner) returns()
func (ledger *Ledger) PackTransferOwnership(newOwner common.Address) []byte {
	enc, err := ledger.abi.Pack("transferOwnership", newOwner)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTransferOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf2fde38b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function transferOwnership(address newOwner) returns()
func (ledger *Ledger) TryPackTransferOwnership(newOwner common.Address) ([]byte, error) {
	return ledger.abi.Pack("transferOwnership", newOwner)
}

// PackVault is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfbfa77cf.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function vault() view returns(address)
func (ledger *Ledger) PackVault() []byte {
	enc, err := ledger.abi.Pack("vault")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackVault is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfbfa77cf.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function vault() view returns(address)
func (ledger *Ledger) TryPackVault() ([]byte, error) {
	return ledger.abi.Pack("vault")
}

// UnpackVault is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfbfa77cf.
//
// Solidity: function vault() view returns(address)
func (ledger *Ledger) UnpackVault(data []byte) (common.Address, error) {
	out, err := ledger.abi.Unpack("vault", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackVotesOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8ec7c340.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function votesOf(uint64 epoch) view returns(uint256)
func (ledger *Ledger) PackVotesOf(epoch uint64) []byte {
	enc, err := ledger.abi.Pack("votesOf", epoch)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackVotesOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8ec7c340.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function votesOf(uint64 epoch) view returns(uint256)
func (ledger *Ledger) TryPackVotesOf(epoch uint64) ([]byte, error) {
	return ledger.abi.Pack("votesOf", epoch)
}

// UnpackVotesOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8ec7c340.
//
// Solidity: function votesOf(uint64 epoch) view returns(uint256)
func (ledger *Ledger) UnpackVotesOf(data []byte) (*big.Int, error) {
	out, err := ledger.abi.Unpack("votesOf", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackWithdrawBond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x66eb9cec.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdrawBond() returns()
func (ledger *Ledger) PackWithdrawBond() []byte {
	enc, err := ledger.abi.Pack("withdrawBond")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdrawBond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x66eb9cec.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdrawBond() returns()
func (ledger *Ledger) TryPackWithdrawBond() ([]byte, error) {
	return ledger.abi.Pack("withdrawBond")
}

// LedgerAnchored represents a Anchored event raised by the Ledger contract.
type LedgerAnchored struct {
	Epoch       uint64
	Previous    uint64
	Poster      common.Address
	Root        [32]byte
	Commitments [32]byte
	Total       *big.Int
	Minted      *big.Int
	Burned      *big.Int
	Ruleset     [32]byte
	Data        []byte
	Raw         *types.Log // Blockchain specific contextual infos
}

const LedgerAnchoredEventName = "Anchored"

// ContractEventName returns the user-defined event name.
func (LedgerAnchored) ContractEventName() string {
	return LedgerAnchoredEventName
}

// UnpackAnchoredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Anchored(uint64 indexed epoch, uint64 previous, address indexed poster, bytes32 root, bytes32 commitments, uint256 total, uint256 minted, uint256 burned, bytes32 ruleset, bytes data)
func (ledger *Ledger) UnpackAnchoredEvent(log *types.Log) (*LedgerAnchored, error) {
	event := "Anchored"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerAnchored)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerAuditorSet represents a AuditorSet event raised by the Ledger contract.
type LedgerAuditorSet struct {
	Auditor common.Address
	Yes     bool
	Raw     *types.Log // Blockchain specific contextual infos
}

const LedgerAuditorSetEventName = "AuditorSet"

// ContractEventName returns the user-defined event name.
func (LedgerAuditorSet) ContractEventName() string {
	return LedgerAuditorSetEventName
}

// UnpackAuditorSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event AuditorSet(address indexed auditor, bool yes)
func (ledger *Ledger) UnpackAuditorSetEvent(log *types.Log) (*LedgerAuditorSet, error) {
	event := "AuditorSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerAuditorSet)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerBondPosted represents a BondPosted event raised by the Ledger contract.
type LedgerBondPosted struct {
	Poster common.Address
	Value  *big.Int
	Raw    *types.Log // Blockchain specific contextual infos
}

const LedgerBondPostedEventName = "BondPosted"

// ContractEventName returns the user-defined event name.
func (LedgerBondPosted) ContractEventName() string {
	return LedgerBondPostedEventName
}

// UnpackBondPostedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event BondPosted(address indexed poster, uint256 value)
func (ledger *Ledger) UnpackBondPostedEvent(log *types.Log) (*LedgerBondPosted, error) {
	event := "BondPosted"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerBondPosted)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerBondWithdrawn represents a BondWithdrawn event raised by the Ledger contract.
type LedgerBondWithdrawn struct {
	Poster common.Address
	Value  *big.Int
	Raw    *types.Log // Blockchain specific contextual infos
}

const LedgerBondWithdrawnEventName = "BondWithdrawn"

// ContractEventName returns the user-defined event name.
func (LedgerBondWithdrawn) ContractEventName() string {
	return LedgerBondWithdrawnEventName
}

// UnpackBondWithdrawnEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event BondWithdrawn(address indexed poster, uint256 value)
func (ledger *Ledger) UnpackBondWithdrawnEvent(log *types.Log) (*LedgerBondWithdrawn, error) {
	event := "BondWithdrawn"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerBondWithdrawn)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerClaimed represents a Claimed event raised by the Ledger contract.
type LedgerClaimed struct {
	Epoch      uint64
	Account    common.Address
	Payout     common.Address
	Paid       *big.Int
	Cumulative *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const LedgerClaimedEventName = "Claimed"

// ContractEventName returns the user-defined event name.
func (LedgerClaimed) ContractEventName() string {
	return LedgerClaimedEventName
}

// UnpackClaimedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Claimed(uint64 indexed epoch, address indexed account, address payout, uint256 paid, uint256 cumulative)
func (ledger *Ledger) UnpackClaimedEvent(log *types.Log) (*LedgerClaimed, error) {
	event := "Claimed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerClaimed)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerCommitted represents a Committed event raised by the Ledger contract.
type LedgerCommitted struct {
	Epoch  uint64
	Worker common.Address
	Root   [32]byte
	Count  uint64
	Data   []byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const LedgerCommittedEventName = "Committed"

// ContractEventName returns the user-defined event name.
func (LedgerCommitted) ContractEventName() string {
	return LedgerCommittedEventName
}

// UnpackCommittedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Committed(uint64 indexed epoch, address indexed worker, bytes32 root, uint64 count, bytes data)
func (ledger *Ledger) UnpackCommittedEvent(log *types.Log) (*LedgerCommitted, error) {
	event := "Committed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerCommitted)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerCredited represents a Credited event raised by the Ledger contract.
type LedgerCredited struct {
	Value *big.Int
	Raw   *types.Log // Blockchain specific contextual infos
}

const LedgerCreditedEventName = "Credited"

// ContractEventName returns the user-defined event name.
func (LedgerCredited) ContractEventName() string {
	return LedgerCreditedEventName
}

// UnpackCreditedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Credited(uint256 value)
func (ledger *Ledger) UnpackCreditedEvent(log *types.Log) (*LedgerCredited, error) {
	event := "Credited"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerCredited)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerDisableVoted represents a DisableVoted event raised by the Ledger contract.
type LedgerDisableVoted struct {
	Epoch   uint64
	Auditor common.Address
	Reason  [32]byte
	Votes   *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const LedgerDisableVotedEventName = "DisableVoted"

// ContractEventName returns the user-defined event name.
func (LedgerDisableVoted) ContractEventName() string {
	return LedgerDisableVotedEventName
}

// UnpackDisableVotedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event DisableVoted(uint64 indexed epoch, address indexed auditor, bytes32 reason, uint256 votes)
func (ledger *Ledger) UnpackDisableVotedEvent(log *types.Log) (*LedgerDisableVoted, error) {
	event := "DisableVoted"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerDisableVoted)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerDisabled represents a Disabled event raised by the Ledger contract.
type LedgerDisabled struct {
	Epoch  uint64
	Poster common.Address
	Root   [32]byte
	Reason [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const LedgerDisabledEventName = "Disabled"

// ContractEventName returns the user-defined event name.
func (LedgerDisabled) ContractEventName() string {
	return LedgerDisabledEventName
}

// UnpackDisabledEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Disabled(uint64 indexed epoch, address indexed poster, bytes32 root, bytes32 reason)
func (ledger *Ledger) UnpackDisabledEvent(log *types.Log) (*LedgerDisabled, error) {
	event := "Disabled"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerDisabled)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerEIP712DomainChanged represents a EIP712DomainChanged event raised by the Ledger contract.
type LedgerEIP712DomainChanged struct {
	Raw *types.Log // Blockchain specific contextual infos
}

const LedgerEIP712DomainChangedEventName = "EIP712DomainChanged"

// ContractEventName returns the user-defined event name.
func (LedgerEIP712DomainChanged) ContractEventName() string {
	return LedgerEIP712DomainChangedEventName
}

// UnpackEIP712DomainChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event EIP712DomainChanged()
func (ledger *Ledger) UnpackEIP712DomainChangedEvent(log *types.Log) (*LedgerEIP712DomainChanged, error) {
	event := "EIP712DomainChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerEIP712DomainChanged)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerFinalized represents a Finalized event raised by the Ledger contract.
type LedgerFinalized struct {
	Epoch  uint64
	Minted *big.Int
	Burned *big.Int
	Raw    *types.Log // Blockchain specific contextual infos
}

const LedgerFinalizedEventName = "Finalized"

// ContractEventName returns the user-defined event name.
func (LedgerFinalized) ContractEventName() string {
	return LedgerFinalizedEventName
}

// UnpackFinalizedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Finalized(uint64 indexed epoch, uint256 minted, uint256 burned)
func (ledger *Ledger) UnpackFinalizedEvent(log *types.Log) (*LedgerFinalized, error) {
	event := "Finalized"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerFinalized)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerOwnershipTransferStarted represents a OwnershipTransferStarted event raised by the Ledger contract.
type LedgerOwnershipTransferStarted struct {
	PreviousOwner common.Address
	NewOwner      common.Address
	Raw           *types.Log // Blockchain specific contextual infos
}

const LedgerOwnershipTransferStartedEventName = "OwnershipTransferStarted"

// ContractEventName returns the user-defined event name.
func (LedgerOwnershipTransferStarted) ContractEventName() string {
	return LedgerOwnershipTransferStartedEventName
}

// UnpackOwnershipTransferStartedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner)
func (ledger *Ledger) UnpackOwnershipTransferStartedEvent(log *types.Log) (*LedgerOwnershipTransferStarted, error) {
	event := "OwnershipTransferStarted"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerOwnershipTransferStarted)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerOwnershipTransferred represents a OwnershipTransferred event raised by the Ledger contract.
type LedgerOwnershipTransferred struct {
	PreviousOwner common.Address
	NewOwner      common.Address
	Raw           *types.Log // Blockchain specific contextual infos
}

const LedgerOwnershipTransferredEventName = "OwnershipTransferred"

// ContractEventName returns the user-defined event name.
func (LedgerOwnershipTransferred) ContractEventName() string {
	return LedgerOwnershipTransferredEventName
}

// UnpackOwnershipTransferredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipTransferred(address indexed previousOwner, address indexed newOwner)
func (ledger *Ledger) UnpackOwnershipTransferredEvent(log *types.Log) (*LedgerOwnershipTransferred, error) {
	event := "OwnershipTransferred"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerOwnershipTransferred)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerRulesetScheduled represents a RulesetScheduled event raised by the Ledger contract.
type LedgerRulesetScheduled struct {
	Ruleset [32]byte
	From    uint64
	Raw     *types.Log // Blockchain specific contextual infos
}

const LedgerRulesetScheduledEventName = "RulesetScheduled"

// ContractEventName returns the user-defined event name.
func (LedgerRulesetScheduled) ContractEventName() string {
	return LedgerRulesetScheduledEventName
}

// UnpackRulesetScheduledEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event RulesetScheduled(bytes32 indexed ruleset, uint64 from)
func (ledger *Ledger) UnpackRulesetScheduledEvent(log *types.Log) (*LedgerRulesetScheduled, error) {
	event := "RulesetScheduled"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerRulesetScheduled)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// LedgerVaultSet represents a VaultSet event raised by the Ledger contract.
type LedgerVaultSet struct {
	Vault common.Address
	Raw   *types.Log // Blockchain specific contextual infos
}

const LedgerVaultSetEventName = "VaultSet"

// ContractEventName returns the user-defined event name.
func (LedgerVaultSet) ContractEventName() string {
	return LedgerVaultSetEventName
}

// UnpackVaultSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event VaultSet(address indexed vault)
func (ledger *Ledger) UnpackVaultSetEvent(log *types.Log) (*LedgerVaultSet, error) {
	event := "VaultSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ledger.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(LedgerVaultSet)
	if len(log.Data) > 0 {
		if err := ledger.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ledger.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (ledger *Ledger) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], ledger.abi.Errors["AlreadyBonded"].ID.Bytes()[:4]) {
		return ledger.UnpackAlreadyBondedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["AlreadyCommitted"].ID.Bytes()[:4]) {
		return ledger.UnpackAlreadyCommittedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["AlreadyVoted"].ID.Bytes()[:4]) {
		return ledger.UnpackAlreadyVotedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["AnchorDisputable"].ID.Bytes()[:4]) {
		return ledger.UnpackAnchorDisputableError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["AuditWindowOpen"].ID.Bytes()[:4]) {
		return ledger.UnpackAuditWindowOpenError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["BadCount"].ID.Bytes()[:4]) {
		return ledger.UnpackBadCountError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["BadDataLength"].ID.Bytes()[:4]) {
		return ledger.UnpackBadDataLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["BadPathLength"].ID.Bytes()[:4]) {
		return ledger.UnpackBadPathLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["BadPeriod"].ID.Bytes()[:4]) {
		return ledger.UnpackBadPeriodError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["BeforeStart"].ID.Bytes()[:4]) {
		return ledger.UnpackBeforeStartError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["ClaimsAboveTotal"].ID.Bytes()[:4]) {
		return ledger.UnpackClaimsAboveTotalError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["CommitWindowOver"].ID.Bytes()[:4]) {
		return ledger.UnpackCommitWindowOverError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["DisputeOver"].ID.Bytes()[:4]) {
		return ledger.UnpackDisputeOverError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["EpochAlreadyAnchored"].ID.Bytes()[:4]) {
		return ledger.UnpackEpochAlreadyAnchoredError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["EpochNotOver"].ID.Bytes()[:4]) {
		return ledger.UnpackEpochNotOverError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["IndexOutOfRange"].ID.Bytes()[:4]) {
		return ledger.UnpackIndexOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["InvalidShortString"].ID.Bytes()[:4]) {
		return ledger.UnpackInvalidShortStringError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["MintAboveCap"].ID.Bytes()[:4]) {
		return ledger.UnpackMintAboveCapError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["NotAnchored"].ID.Bytes()[:4]) {
		return ledger.UnpackNotAnchoredError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["NotAuditor"].ID.Bytes()[:4]) {
		return ledger.UnpackNotAuditorError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["NotBonded"].ID.Bytes()[:4]) {
		return ledger.UnpackNotBondedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["NotClaimable"].ID.Bytes()[:4]) {
		return ledger.UnpackNotClaimableError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["NotDeployer"].ID.Bytes()[:4]) {
		return ledger.UnpackNotDeployerError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["NotVault"].ID.Bytes()[:4]) {
		return ledger.UnpackNotVaultError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["NotWorker"].ID.Bytes()[:4]) {
		return ledger.UnpackNotWorkerError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["OwnableInvalidOwner"].ID.Bytes()[:4]) {
		return ledger.UnpackOwnableInvalidOwnerError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["OwnableUnauthorizedAccount"].ID.Bytes()[:4]) {
		return ledger.UnpackOwnableUnauthorizedAccountError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["PreviousNotFinal"].ID.Bytes()[:4]) {
		return ledger.UnpackPreviousNotFinalError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["QuorumTooSmall"].ID.Bytes()[:4]) {
		return ledger.UnpackQuorumTooSmallError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["RulesetTooEarly"].ID.Bytes()[:4]) {
		return ledger.UnpackRulesetTooEarlyError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["SafeERC20FailedOperation"].ID.Bytes()[:4]) {
		return ledger.UnpackSafeERC20FailedOperationError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["StringTooLong"].ID.Bytes()[:4]) {
		return ledger.UnpackStringTooLongError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["SumOutOfRange"].ID.Bytes()[:4]) {
		return ledger.UnpackSumOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["TotalAbovePool"].ID.Bytes()[:4]) {
		return ledger.UnpackTotalAbovePoolError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["TotalDecreased"].ID.Bytes()[:4]) {
		return ledger.UnpackTotalDecreasedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["TotalOutOfRange"].ID.Bytes()[:4]) {
		return ledger.UnpackTotalOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["VaultAlreadySet"].ID.Bytes()[:4]) {
		return ledger.UnpackVaultAlreadySetError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["WrongPrevious"].ID.Bytes()[:4]) {
		return ledger.UnpackWrongPreviousError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["WrongProof"].ID.Bytes()[:4]) {
		return ledger.UnpackWrongProofError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["WrongRuleset"].ID.Bytes()[:4]) {
		return ledger.UnpackWrongRulesetError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["ZeroBond"].ID.Bytes()[:4]) {
		return ledger.UnpackZeroBondError(raw[4:])
	}
	if bytes.Equal(raw[:4], ledger.abi.Errors["ZeroVault"].ID.Bytes()[:4]) {
		return ledger.UnpackZeroVaultError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// LedgerAlreadyBonded represents a AlreadyBonded error raised by the Ledger contract.
type LedgerAlreadyBonded struct {
	Poster common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyBonded(address poster)
func LedgerAlreadyBondedErrorID() common.Hash {
	return common.HexToHash("0xf30bbe5fe21e165ec62df4874eabb45810df5bf211220349f0a46d07e92ae987")
}

// UnpackAlreadyBondedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyBonded(address poster)
func (ledger *Ledger) UnpackAlreadyBondedError(raw []byte) (*LedgerAlreadyBonded, error) {
	out := new(LedgerAlreadyBonded)
	if err := ledger.abi.UnpackIntoInterface(out, "AlreadyBonded", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerAlreadyCommitted represents a AlreadyCommitted error raised by the Ledger contract.
type LedgerAlreadyCommitted struct {
	Worker common.Address
	Epoch  uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyCommitted(address worker, uint64 epoch)
func LedgerAlreadyCommittedErrorID() common.Hash {
	return common.HexToHash("0x370b781f10e54bed93d90709c9fc8431c02bdb0ef955d87c165232d2c7387e5f")
}

// UnpackAlreadyCommittedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyCommitted(address worker, uint64 epoch)
func (ledger *Ledger) UnpackAlreadyCommittedError(raw []byte) (*LedgerAlreadyCommitted, error) {
	out := new(LedgerAlreadyCommitted)
	if err := ledger.abi.UnpackIntoInterface(out, "AlreadyCommitted", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerAlreadyVoted represents a AlreadyVoted error raised by the Ledger contract.
type LedgerAlreadyVoted struct {
	Epoch   uint64
	Auditor common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyVoted(uint64 epoch, address auditor)
func LedgerAlreadyVotedErrorID() common.Hash {
	return common.HexToHash("0xe4df9458dce04a4692596a2c20490c1359a1284cec1357a3aee6fd69d8dad898")
}

// UnpackAlreadyVotedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyVoted(uint64 epoch, address auditor)
func (ledger *Ledger) UnpackAlreadyVotedError(raw []byte) (*LedgerAlreadyVoted, error) {
	out := new(LedgerAlreadyVoted)
	if err := ledger.abi.UnpackIntoInterface(out, "AlreadyVoted", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerAnchorDisputable represents a AnchorDisputable error raised by the Ledger contract.
type LedgerAnchorDisputable struct {
	Epoch uint64
	Until uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AnchorDisputable(uint64 epoch, uint64 until)
func LedgerAnchorDisputableErrorID() common.Hash {
	return common.HexToHash("0x8222aa94af1d2817e10aaa53401d258e225fb87a5985ca4567804d01a127c3e3")
}

// UnpackAnchorDisputableError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AnchorDisputable(uint64 epoch, uint64 until)
func (ledger *Ledger) UnpackAnchorDisputableError(raw []byte) (*LedgerAnchorDisputable, error) {
	out := new(LedgerAnchorDisputable)
	if err := ledger.abi.UnpackIntoInterface(out, "AnchorDisputable", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerAuditWindowOpen represents a AuditWindowOpen error raised by the Ledger contract.
type LedgerAuditWindowOpen struct {
	Epoch uint64
	Until uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AuditWindowOpen(uint64 epoch, uint64 until)
func LedgerAuditWindowOpenErrorID() common.Hash {
	return common.HexToHash("0x8a118612fdd29af7e74b97cb2aaa57916f4321c9f1b9f39ca916ee5705f9b519")
}

// UnpackAuditWindowOpenError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AuditWindowOpen(uint64 epoch, uint64 until)
func (ledger *Ledger) UnpackAuditWindowOpenError(raw []byte) (*LedgerAuditWindowOpen, error) {
	out := new(LedgerAuditWindowOpen)
	if err := ledger.abi.UnpackIntoInterface(out, "AuditWindowOpen", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerBadCount represents a BadCount error raised by the Ledger contract.
type LedgerBadCount struct {
	Count uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadCount(uint64 count)
func LedgerBadCountErrorID() common.Hash {
	return common.HexToHash("0x1d04eae7f619c625c5c35a07c0e0303268733872da548dd84229150d02c96fe9")
}

// UnpackBadCountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadCount(uint64 count)
func (ledger *Ledger) UnpackBadCountError(raw []byte) (*LedgerBadCount, error) {
	out := new(LedgerBadCount)
	if err := ledger.abi.UnpackIntoInterface(out, "BadCount", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerBadDataLength represents a BadDataLength error raised by the Ledger contract.
type LedgerBadDataLength struct {
	Length *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadDataLength(uint256 length)
func LedgerBadDataLengthErrorID() common.Hash {
	return common.HexToHash("0x19e88960e49f184b22706a1e43dfbc2c082f8fbce3a66b6682b05fabfecf5da5")
}

// UnpackBadDataLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadDataLength(uint256 length)
func (ledger *Ledger) UnpackBadDataLengthError(raw []byte) (*LedgerBadDataLength, error) {
	out := new(LedgerBadDataLength)
	if err := ledger.abi.UnpackIntoInterface(out, "BadDataLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerBadPathLength represents a BadPathLength error raised by the Ledger contract.
type LedgerBadPathLength struct {
	Hashes *big.Int
	Sums   *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadPathLength(uint256 hashes, uint256 sums)
func LedgerBadPathLengthErrorID() common.Hash {
	return common.HexToHash("0x6f8f8ff248e460dbd7f5c64b6f2632695151fbda74946051d18c7ab3aaa440c0")
}

// UnpackBadPathLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadPathLength(uint256 hashes, uint256 sums)
func (ledger *Ledger) UnpackBadPathLengthError(raw []byte) (*LedgerBadPathLength, error) {
	out := new(LedgerBadPathLength)
	if err := ledger.abi.UnpackIntoInterface(out, "BadPathLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerBadPeriod represents a BadPeriod error raised by the Ledger contract.
type LedgerBadPeriod struct {
	Period uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadPeriod(uint64 period)
func LedgerBadPeriodErrorID() common.Hash {
	return common.HexToHash("0x19e9f66c4653fda9b93a39021fff69a7edbd91fcfcb5482767bfffd50da52bcd")
}

// UnpackBadPeriodError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadPeriod(uint64 period)
func (ledger *Ledger) UnpackBadPeriodError(raw []byte) (*LedgerBadPeriod, error) {
	out := new(LedgerBadPeriod)
	if err := ledger.abi.UnpackIntoInterface(out, "BadPeriod", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerBeforeStart represents a BeforeStart error raised by the Ledger contract.
type LedgerBeforeStart struct {
	Time  uint64
	Start uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BeforeStart(uint64 time, uint64 start)
func LedgerBeforeStartErrorID() common.Hash {
	return common.HexToHash("0x065aa9524272f31ad284cecc4a4974d041b7897f99b46041862af71e98bb368c")
}

// UnpackBeforeStartError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BeforeStart(uint64 time, uint64 start)
func (ledger *Ledger) UnpackBeforeStartError(raw []byte) (*LedgerBeforeStart, error) {
	out := new(LedgerBeforeStart)
	if err := ledger.abi.UnpackIntoInterface(out, "BeforeStart", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerClaimsAboveTotal represents a ClaimsAboveTotal error raised by the Ledger contract.
type LedgerClaimsAboveTotal struct {
	Claimed *big.Int
	Total   *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ClaimsAboveTotal(uint256 claimed, uint256 total)
func LedgerClaimsAboveTotalErrorID() common.Hash {
	return common.HexToHash("0x6d0d7fefad8a100bd22b133ed99384ec0c7bca497f42bcba7a6a3a4177fd113d")
}

// UnpackClaimsAboveTotalError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ClaimsAboveTotal(uint256 claimed, uint256 total)
func (ledger *Ledger) UnpackClaimsAboveTotalError(raw []byte) (*LedgerClaimsAboveTotal, error) {
	out := new(LedgerClaimsAboveTotal)
	if err := ledger.abi.UnpackIntoInterface(out, "ClaimsAboveTotal", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerCommitWindowOver represents a CommitWindowOver error raised by the Ledger contract.
type LedgerCommitWindowOver struct {
	Epoch uint64
	Until uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error CommitWindowOver(uint64 epoch, uint64 until)
func LedgerCommitWindowOverErrorID() common.Hash {
	return common.HexToHash("0x36da754b6783548d7fe85cce5e4c4e838e7ed9a22bb48bbf3c9507dc782dc627")
}

// UnpackCommitWindowOverError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error CommitWindowOver(uint64 epoch, uint64 until)
func (ledger *Ledger) UnpackCommitWindowOverError(raw []byte) (*LedgerCommitWindowOver, error) {
	out := new(LedgerCommitWindowOver)
	if err := ledger.abi.UnpackIntoInterface(out, "CommitWindowOver", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerDisputeOver represents a DisputeOver error raised by the Ledger contract.
type LedgerDisputeOver struct {
	Epoch uint64
	Since uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DisputeOver(uint64 epoch, uint64 since)
func LedgerDisputeOverErrorID() common.Hash {
	return common.HexToHash("0xfff4f0e2100f4850b76f6c27c0e258fa2738c24ac37eb5a1afc049b91f72139d")
}

// UnpackDisputeOverError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DisputeOver(uint64 epoch, uint64 since)
func (ledger *Ledger) UnpackDisputeOverError(raw []byte) (*LedgerDisputeOver, error) {
	out := new(LedgerDisputeOver)
	if err := ledger.abi.UnpackIntoInterface(out, "DisputeOver", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerEpochAlreadyAnchored represents a EpochAlreadyAnchored error raised by the Ledger contract.
type LedgerEpochAlreadyAnchored struct {
	Epoch uint64
	Head  uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EpochAlreadyAnchored(uint64 epoch, uint64 head)
func LedgerEpochAlreadyAnchoredErrorID() common.Hash {
	return common.HexToHash("0x822cd6d6b4cdd114dfad0f1765e5092d08ebd3db4b8e07c80e27d81b7a73c017")
}

// UnpackEpochAlreadyAnchoredError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EpochAlreadyAnchored(uint64 epoch, uint64 head)
func (ledger *Ledger) UnpackEpochAlreadyAnchoredError(raw []byte) (*LedgerEpochAlreadyAnchored, error) {
	out := new(LedgerEpochAlreadyAnchored)
	if err := ledger.abi.UnpackIntoInterface(out, "EpochAlreadyAnchored", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerEpochNotOver represents a EpochNotOver error raised by the Ledger contract.
type LedgerEpochNotOver struct {
	Epoch uint64
	End   uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EpochNotOver(uint64 epoch, uint64 end)
func LedgerEpochNotOverErrorID() common.Hash {
	return common.HexToHash("0x06470fe49a3eb5668708b5e6b9f1db764f6211a06baf8b9a72520d5621ae4cda")
}

// UnpackEpochNotOverError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EpochNotOver(uint64 epoch, uint64 end)
func (ledger *Ledger) UnpackEpochNotOverError(raw []byte) (*LedgerEpochNotOver, error) {
	out := new(LedgerEpochNotOver)
	if err := ledger.abi.UnpackIntoInterface(out, "EpochNotOver", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerIndexOutOfRange represents a IndexOutOfRange error raised by the Ledger contract.
type LedgerIndexOutOfRange struct {
	Index *big.Int
	Depth *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error IndexOutOfRange(uint256 index, uint256 depth)
func LedgerIndexOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0x94666f0d776338bf3dc0d578dde468fba3b7901915ee98978704643d741cc12d")
}

// UnpackIndexOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error IndexOutOfRange(uint256 index, uint256 depth)
func (ledger *Ledger) UnpackIndexOutOfRangeError(raw []byte) (*LedgerIndexOutOfRange, error) {
	out := new(LedgerIndexOutOfRange)
	if err := ledger.abi.UnpackIntoInterface(out, "IndexOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerInvalidShortString represents a InvalidShortString error raised by the Ledger contract.
type LedgerInvalidShortString struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidShortString()
func LedgerInvalidShortStringErrorID() common.Hash {
	return common.HexToHash("0xb3512b0c6163e5f0bafab72bb631b9d58cd7a731b082f910338aa21c83d5c274")
}

// UnpackInvalidShortStringError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidShortString()
func (ledger *Ledger) UnpackInvalidShortStringError(raw []byte) (*LedgerInvalidShortString, error) {
	out := new(LedgerInvalidShortString)
	if err := ledger.abi.UnpackIntoInterface(out, "InvalidShortString", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerMintAboveCap represents a MintAboveCap error raised by the Ledger contract.
type LedgerMintAboveCap struct {
	Minted *big.Int
	Cap    *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error MintAboveCap(uint256 minted, uint256 cap)
func LedgerMintAboveCapErrorID() common.Hash {
	return common.HexToHash("0x0fb81f2658976bb013484a198fac5f45533b0c7a7eed4a842287f6fe7f1656c0")
}

// UnpackMintAboveCapError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error MintAboveCap(uint256 minted, uint256 cap)
func (ledger *Ledger) UnpackMintAboveCapError(raw []byte) (*LedgerMintAboveCap, error) {
	out := new(LedgerMintAboveCap)
	if err := ledger.abi.UnpackIntoInterface(out, "MintAboveCap", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerNotAnchored represents a NotAnchored error raised by the Ledger contract.
type LedgerNotAnchored struct {
	Epoch uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotAnchored(uint64 epoch)
func LedgerNotAnchoredErrorID() common.Hash {
	return common.HexToHash("0x8c24786141eb8468fa4757c8aedb5014e83361e9777ad8d99c092424b2551cc7")
}

// UnpackNotAnchoredError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotAnchored(uint64 epoch)
func (ledger *Ledger) UnpackNotAnchoredError(raw []byte) (*LedgerNotAnchored, error) {
	out := new(LedgerNotAnchored)
	if err := ledger.abi.UnpackIntoInterface(out, "NotAnchored", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerNotAuditor represents a NotAuditor error raised by the Ledger contract.
type LedgerNotAuditor struct {
	Sender common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotAuditor(address sender)
func LedgerNotAuditorErrorID() common.Hash {
	return common.HexToHash("0x810261c3a0a427fd17f080ea36c04092052d32b6ffbcc99c6892c6c697d1dc32")
}

// UnpackNotAuditorError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotAuditor(address sender)
func (ledger *Ledger) UnpackNotAuditorError(raw []byte) (*LedgerNotAuditor, error) {
	out := new(LedgerNotAuditor)
	if err := ledger.abi.UnpackIntoInterface(out, "NotAuditor", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerNotBonded represents a NotBonded error raised by the Ledger contract.
type LedgerNotBonded struct {
	Poster common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotBonded(address poster)
func LedgerNotBondedErrorID() common.Hash {
	return common.HexToHash("0x0b97d1119cc529b87320eb88934397b2670bb3d83d1c081465ee1673a9fa133c")
}

// UnpackNotBondedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotBonded(address poster)
func (ledger *Ledger) UnpackNotBondedError(raw []byte) (*LedgerNotBonded, error) {
	out := new(LedgerNotBonded)
	if err := ledger.abi.UnpackIntoInterface(out, "NotBonded", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerNotClaimable represents a NotClaimable error raised by the Ledger contract.
type LedgerNotClaimable struct {
	Epoch uint64
	From  uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotClaimable(uint64 epoch, uint64 from)
func LedgerNotClaimableErrorID() common.Hash {
	return common.HexToHash("0xd064e9a05a9b516f4354d2b84e9042125d1d45da634f204a77f86a030bd93df5")
}

// UnpackNotClaimableError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotClaimable(uint64 epoch, uint64 from)
func (ledger *Ledger) UnpackNotClaimableError(raw []byte) (*LedgerNotClaimable, error) {
	out := new(LedgerNotClaimable)
	if err := ledger.abi.UnpackIntoInterface(out, "NotClaimable", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerNotDeployer represents a NotDeployer error raised by the Ledger contract.
type LedgerNotDeployer struct {
	Sender common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotDeployer(address sender)
func LedgerNotDeployerErrorID() common.Hash {
	return common.HexToHash("0x0c8cc036c9c98ca91a606f42bb4fd73acf8431b681f0e19ddaaaf88693e5c4a5")
}

// UnpackNotDeployerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotDeployer(address sender)
func (ledger *Ledger) UnpackNotDeployerError(raw []byte) (*LedgerNotDeployer, error) {
	out := new(LedgerNotDeployer)
	if err := ledger.abi.UnpackIntoInterface(out, "NotDeployer", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerNotVault represents a NotVault error raised by the Ledger contract.
type LedgerNotVault struct {
	Sender common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotVault(address sender)
func LedgerNotVaultErrorID() common.Hash {
	return common.HexToHash("0xe9d60161f21916a4c5effe7a3378e39b8056de5fa1591f1f8657153da97c8bc4")
}

// UnpackNotVaultError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotVault(address sender)
func (ledger *Ledger) UnpackNotVaultError(raw []byte) (*LedgerNotVault, error) {
	out := new(LedgerNotVault)
	if err := ledger.abi.UnpackIntoInterface(out, "NotVault", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerNotWorker represents a NotWorker error raised by the Ledger contract.
type LedgerNotWorker struct {
	Sender common.Address
	Worker common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotWorker(address sender, address worker)
func LedgerNotWorkerErrorID() common.Hash {
	return common.HexToHash("0xc2802b973779d2f050b1cdfc2e6998a24bc604df9211a7d3a13e6d1715ad8720")
}

// UnpackNotWorkerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotWorker(address sender, address worker)
func (ledger *Ledger) UnpackNotWorkerError(raw []byte) (*LedgerNotWorker, error) {
	out := new(LedgerNotWorker)
	if err := ledger.abi.UnpackIntoInterface(out, "NotWorker", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerOwnableInvalidOwner represents a OwnableInvalidOwner error raised by the Ledger contract.
type LedgerOwnableInvalidOwner struct {
	Owner common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OwnableInvalidOwner(address owner)
func LedgerOwnableInvalidOwnerErrorID() common.Hash {
	return common.HexToHash("0x1e4fbdf7f3ef8bcaa855599e3abf48b232380f183f08f6f813d9ffa5bd585188")
}

// UnpackOwnableInvalidOwnerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OwnableInvalidOwner(address owner)
func (ledger *Ledger) UnpackOwnableInvalidOwnerError(raw []byte) (*LedgerOwnableInvalidOwner, error) {
	out := new(LedgerOwnableInvalidOwner)
	if err := ledger.abi.UnpackIntoInterface(out, "OwnableInvalidOwner", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerOwnableUnauthorizedAccount represents a OwnableUnauthorizedAccount error raised by the Ledger contract.
type LedgerOwnableUnauthorizedAccount struct {
	Account common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OwnableUnauthorizedAccount(address account)
func LedgerOwnableUnauthorizedAccountErrorID() common.Hash {
	return common.HexToHash("0x118cdaa7a341953d1887a2245fd6665d741c67c8c50581daa59e1d03373fa188")
}

// UnpackOwnableUnauthorizedAccountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OwnableUnauthorizedAccount(address account)
func (ledger *Ledger) UnpackOwnableUnauthorizedAccountError(raw []byte) (*LedgerOwnableUnauthorizedAccount, error) {
	out := new(LedgerOwnableUnauthorizedAccount)
	if err := ledger.abi.UnpackIntoInterface(out, "OwnableUnauthorizedAccount", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerPreviousNotFinal represents a PreviousNotFinal error raised by the Ledger contract.
type LedgerPreviousNotFinal struct {
	Epoch uint64
	Until uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PreviousNotFinal(uint64 epoch, uint64 until)
func LedgerPreviousNotFinalErrorID() common.Hash {
	return common.HexToHash("0xc57cb64bdb9625d43f7bbc3c0807f0c9303df70038b231fc91964ce547bfc480")
}

// UnpackPreviousNotFinalError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PreviousNotFinal(uint64 epoch, uint64 until)
func (ledger *Ledger) UnpackPreviousNotFinalError(raw []byte) (*LedgerPreviousNotFinal, error) {
	out := new(LedgerPreviousNotFinal)
	if err := ledger.abi.UnpackIntoInterface(out, "PreviousNotFinal", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerQuorumTooSmall represents a QuorumTooSmall error raised by the Ledger contract.
type LedgerQuorumTooSmall struct {
	Quorum uint16
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error QuorumTooSmall(uint16 quorum)
func LedgerQuorumTooSmallErrorID() common.Hash {
	return common.HexToHash("0xb2f22dfa0464bc38f5c375f98da5557c5d1f2253e1155e65e38154bac252139d")
}

// UnpackQuorumTooSmallError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error QuorumTooSmall(uint16 quorum)
func (ledger *Ledger) UnpackQuorumTooSmallError(raw []byte) (*LedgerQuorumTooSmall, error) {
	out := new(LedgerQuorumTooSmall)
	if err := ledger.abi.UnpackIntoInterface(out, "QuorumTooSmall", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerRulesetTooEarly represents a RulesetTooEarly error raised by the Ledger contract.
type LedgerRulesetTooEarly struct {
	From    uint64
	Current uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error RulesetTooEarly(uint64 from, uint64 current)
func LedgerRulesetTooEarlyErrorID() common.Hash {
	return common.HexToHash("0x3e4bfb80f0a689ae31e522afae7474b219901940a5c6d00e252a3a3c51e69aca")
}

// UnpackRulesetTooEarlyError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error RulesetTooEarly(uint64 from, uint64 current)
func (ledger *Ledger) UnpackRulesetTooEarlyError(raw []byte) (*LedgerRulesetTooEarly, error) {
	out := new(LedgerRulesetTooEarly)
	if err := ledger.abi.UnpackIntoInterface(out, "RulesetTooEarly", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerSafeERC20FailedOperation represents a SafeERC20FailedOperation error raised by the Ledger contract.
type LedgerSafeERC20FailedOperation struct {
	Token common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SafeERC20FailedOperation(address token)
func LedgerSafeERC20FailedOperationErrorID() common.Hash {
	return common.HexToHash("0x5274afe73c98b4749fc91ffae6b7b574e7842cb2144a159e9377a5f20b32edf9")
}

// UnpackSafeERC20FailedOperationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SafeERC20FailedOperation(address token)
func (ledger *Ledger) UnpackSafeERC20FailedOperationError(raw []byte) (*LedgerSafeERC20FailedOperation, error) {
	out := new(LedgerSafeERC20FailedOperation)
	if err := ledger.abi.UnpackIntoInterface(out, "SafeERC20FailedOperation", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerStringTooLong represents a StringTooLong error raised by the Ledger contract.
type LedgerStringTooLong struct {
	Str string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StringTooLong(string str)
func LedgerStringTooLongErrorID() common.Hash {
	return common.HexToHash("0x305a27a93f8e33b7392df0a0f91d6fc63847395853c45991eec52dbf24d72381")
}

// UnpackStringTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StringTooLong(string str)
func (ledger *Ledger) UnpackStringTooLongError(raw []byte) (*LedgerStringTooLong, error) {
	out := new(LedgerStringTooLong)
	if err := ledger.abi.UnpackIntoInterface(out, "StringTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerSumOutOfRange represents a SumOutOfRange error raised by the Ledger contract.
type LedgerSumOutOfRange struct {
	Level *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SumOutOfRange(uint256 level)
func LedgerSumOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0xb595fb8a14550d2b92d3d00841423db940a0e7ceae5d63334658149a2f1ad7f9")
}

// UnpackSumOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SumOutOfRange(uint256 level)
func (ledger *Ledger) UnpackSumOutOfRangeError(raw []byte) (*LedgerSumOutOfRange, error) {
	out := new(LedgerSumOutOfRange)
	if err := ledger.abi.UnpackIntoInterface(out, "SumOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerTotalAbovePool represents a TotalAbovePool error raised by the Ledger contract.
type LedgerTotalAbovePool struct {
	Pool   *big.Int
	Total  *big.Int
	Burned *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TotalAbovePool(uint256 pool, uint256 total, uint256 burned)
func LedgerTotalAbovePoolErrorID() common.Hash {
	return common.HexToHash("0xd336c28e013f54ecf1977a6f07ea8c4315bb7991e9e052b8898b343b139d7123")
}

// UnpackTotalAbovePoolError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TotalAbovePool(uint256 pool, uint256 total, uint256 burned)
func (ledger *Ledger) UnpackTotalAbovePoolError(raw []byte) (*LedgerTotalAbovePool, error) {
	out := new(LedgerTotalAbovePool)
	if err := ledger.abi.UnpackIntoInterface(out, "TotalAbovePool", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerTotalDecreased represents a TotalDecreased error raised by the Ledger contract.
type LedgerTotalDecreased struct {
	Total    *big.Int
	Previous *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TotalDecreased(uint256 total, uint256 previous)
func LedgerTotalDecreasedErrorID() common.Hash {
	return common.HexToHash("0x70c7508d0bf9fb89a9919ad15785e5f17f58e95b5776aaa7b3c778bed943d492")
}

// UnpackTotalDecreasedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TotalDecreased(uint256 total, uint256 previous)
func (ledger *Ledger) UnpackTotalDecreasedError(raw []byte) (*LedgerTotalDecreased, error) {
	out := new(LedgerTotalDecreased)
	if err := ledger.abi.UnpackIntoInterface(out, "TotalDecreased", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerTotalOutOfRange represents a TotalOutOfRange error raised by the Ledger contract.
type LedgerTotalOutOfRange struct {
	Total *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TotalOutOfRange(uint256 total)
func LedgerTotalOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0x8bcea7efdf4b4bbf3311ac1d44e781828118f89361ab595c3cc5162e58cec88e")
}

// UnpackTotalOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TotalOutOfRange(uint256 total)
func (ledger *Ledger) UnpackTotalOutOfRangeError(raw []byte) (*LedgerTotalOutOfRange, error) {
	out := new(LedgerTotalOutOfRange)
	if err := ledger.abi.UnpackIntoInterface(out, "TotalOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerVaultAlreadySet represents a VaultAlreadySet error raised by the Ledger contract.
type LedgerVaultAlreadySet struct {
	Vault common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error VaultAlreadySet(address vault)
func LedgerVaultAlreadySetErrorID() common.Hash {
	return common.HexToHash("0xa7931fd0d9e6910fc938bf942562854a951b78db590b197b3fc6dd8c5c579f54")
}

// UnpackVaultAlreadySetError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error VaultAlreadySet(address vault)
func (ledger *Ledger) UnpackVaultAlreadySetError(raw []byte) (*LedgerVaultAlreadySet, error) {
	out := new(LedgerVaultAlreadySet)
	if err := ledger.abi.UnpackIntoInterface(out, "VaultAlreadySet", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerWrongPrevious represents a WrongPrevious error raised by the Ledger contract.
type LedgerWrongPrevious struct {
	Previous uint64
	Head     uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongPrevious(uint64 previous, uint64 head)
func LedgerWrongPreviousErrorID() common.Hash {
	return common.HexToHash("0xc6c4fe292aa2774b2287909f6989282578a8fe9f3f4b176c7c267a7aa0fc5d46")
}

// UnpackWrongPreviousError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongPrevious(uint64 previous, uint64 head)
func (ledger *Ledger) UnpackWrongPreviousError(raw []byte) (*LedgerWrongPrevious, error) {
	out := new(LedgerWrongPrevious)
	if err := ledger.abi.UnpackIntoInterface(out, "WrongPrevious", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerWrongProof represents a WrongProof error raised by the Ledger contract.
type LedgerWrongProof struct {
	Root  [32]byte
	Total *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongProof(bytes32 root, uint256 total)
func LedgerWrongProofErrorID() common.Hash {
	return common.HexToHash("0x2522e54e2a4808a80f6dc7484e2fffbc939da282b0cf0feae2dc7d9b67755a3f")
}

// UnpackWrongProofError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongProof(bytes32 root, uint256 total)
func (ledger *Ledger) UnpackWrongProofError(raw []byte) (*LedgerWrongProof, error) {
	out := new(LedgerWrongProof)
	if err := ledger.abi.UnpackIntoInterface(out, "WrongProof", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerWrongRuleset represents a WrongRuleset error raised by the Ledger contract.
type LedgerWrongRuleset struct {
	Ruleset [32]byte
	Current [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongRuleset(bytes32 ruleset, bytes32 current)
func LedgerWrongRulesetErrorID() common.Hash {
	return common.HexToHash("0xe36309e2237ee68cc60706934a8c3416daeed396614d35ca85459137922fdffd")
}

// UnpackWrongRulesetError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongRuleset(bytes32 ruleset, bytes32 current)
func (ledger *Ledger) UnpackWrongRulesetError(raw []byte) (*LedgerWrongRuleset, error) {
	out := new(LedgerWrongRuleset)
	if err := ledger.abi.UnpackIntoInterface(out, "WrongRuleset", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerZeroBond represents a ZeroBond error raised by the Ledger contract.
type LedgerZeroBond struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroBond()
func LedgerZeroBondErrorID() common.Hash {
	return common.HexToHash("0x3af4d15e2af377280c3e0fb5f0cc0d6c4e1ee475a9f746427c55642ef85b715b")
}

// UnpackZeroBondError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroBond()
func (ledger *Ledger) UnpackZeroBondError(raw []byte) (*LedgerZeroBond, error) {
	out := new(LedgerZeroBond)
	if err := ledger.abi.UnpackIntoInterface(out, "ZeroBond", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// LedgerZeroVault represents a ZeroVault error raised by the Ledger contract.
type LedgerZeroVault struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroVault()
func LedgerZeroVaultErrorID() common.Hash {
	return common.HexToHash("0xc68fcf8295913206f3ff154205c05e0726fa055ff25e4540f771e9dd7e090b98")
}

// UnpackZeroVaultError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroVault()
func (ledger *Ledger) UnpackZeroVaultError(raw []byte) (*LedgerZeroVault, error) {
	out := new(LedgerZeroVault)
	if err := ledger.abi.UnpackIntoInterface(out, "ZeroVault", raw); err != nil {
		return nil, err
	}
	return out, nil
}
