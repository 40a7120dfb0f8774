// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package possession

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

// PossessionDemand is an auto generated low-level Go binding around an user-defined struct.
type PossessionDemand struct {
	Auditor common.Address
	By      uint64
	Id      uint64
	Leaf    uint64
}

// PossessionProof is an auto generated low-level Go binding around an user-defined struct.
type PossessionProof struct {
	Id   uint64
	Leaf uint64
	Data []byte
	Path [][32]byte
}

// PossessionRetrieved is an auto generated low-level Go binding around an user-defined struct.
type PossessionRetrieved struct {
	Node  common.Address
	Asker common.Address
	Piece [32]byte
	Leaf  uint64
	Data  [32]byte
	Time  uint64
}

// PossessionSet is an auto generated low-level Go binding around an user-defined struct.
type PossessionSet struct {
	Next       uint64
	Leaves     uint64
	Period     uint64
	Challenged uint64
	Recent     uint64
	Proved     uint32
	Missed     uint32
	Running    uint32
	Pieces     uint32
	Outcome    uint8
}

// PossessionMetaData contains all meta data concerning the Possession contract.
var PossessionMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"contractRegistry\",\"name\":\"registry\",\"type\":\"address\"},{\"internalType\":\"contractLedger\",\"name\":\"ledger\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"leaves\",\"type\":\"uint64\"}],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"piece\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"}],\"name\":\"AlreadyAccused\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"}],\"name\":\"AlreadyDemanded\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"AlreadyForfeited\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"AlreadyProved\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"by\",\"type\":\"uint64\"}],\"name\":\"AnswerLate\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"roots\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"sizes\",\"type\":\"uint256\"}],\"name\":\"BadBatch\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"length\",\"type\":\"uint256\"}],\"name\":\"BadLeafSize\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"leaves\",\"type\":\"uint64\"}],\"name\":\"BadLeaves\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"}],\"name\":\"BadPadding\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"length\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"depth\",\"type\":\"uint256\"}],\"name\":\"BadPathLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"BadPeriod\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"BadPiece\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"DataRight\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"by\",\"type\":\"uint64\"}],\"name\":\"DemandNotOver\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"}],\"name\":\"DemandOpen\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ECDSAInvalidSignature\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"length\",\"type\":\"uint256\"}],\"name\":\"ECDSAInvalidSignatureLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"s\",\"type\":\"bytes32\"}],\"name\":\"ECDSAInvalidSignatureS\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"},{\"internalType\":\"uint256\",\"name\":\"block\",\"type\":\"uint256\"}],\"name\":\"EarlyProof\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"ForeignProof\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"Forgotten\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"InvalidShortString\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"leaves\",\"type\":\"uint64\"}],\"name\":\"LeafOutOfRange\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"NoDemand\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"index\",\"type\":\"uint64\"}],\"name\":\"NoDraw\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"}],\"name\":\"NotAuditor\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"}],\"name\":\"NotNode\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"NothingToProve\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"ProveFirst\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"SeedUnavailable\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"current\",\"type\":\"uint64\"}],\"name\":\"StaleProof\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"str\",\"type\":\"string\"}],\"name\":\"StringTooLong\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"TooManyDemands\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"}],\"name\":\"UnknownPiece\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"count\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"leaves\",\"type\":\"uint256\"}],\"name\":\"WrongCount\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"drawn\",\"type\":\"uint64\"}],\"name\":\"WrongLeaf\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"}],\"name\":\"WrongPiece\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"piece\",\"type\":\"bytes32\"}],\"name\":\"WrongRoot\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"signer\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"WrongSigner\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"piece\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"}],\"name\":\"DataWrong\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[],\"name\":\"EIP712DomainChanged\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"from\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"to\",\"type\":\"uint64\"}],\"name\":\"PeriodsMissed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"size\",\"type\":\"uint64\"}],\"name\":\"PieceAdded\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"}],\"name\":\"PieceRemoved\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"leaves\",\"type\":\"uint64\"}],\"name\":\"PossessionProved\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"}],\"name\":\"RetrievalAnswered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"by\",\"type\":\"uint64\"}],\"name\":\"RetrievalDemanded\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"}],\"name\":\"RetrievalMissed\",\"type\":\"event\"},{\"inputs\":[],\"name\":\"LEAVES\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"LEDGER\",\"outputs\":[{\"internalType\":\"contractLedger\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_BATCH\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_DEMANDS\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_LEAVES\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_PERIOD\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_SIZE\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"PERIOD\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"RECENT\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"REGISTRY\",\"outputs\":[{\"internalType\":\"contractRegistry\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"asker\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"piece\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"data\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"}],\"internalType\":\"structPossession.Retrieved\",\"name\":\"r\",\"type\":\"tuple\"},{\"internalType\":\"bytes\",\"name\":\"signature\",\"type\":\"bytes\"},{\"internalType\":\"uint64\",\"name\":\"size\",\"type\":\"uint64\"},{\"internalType\":\"bytes\",\"name\":\"data\",\"type\":\"bytes\"},{\"internalType\":\"bytes32[]\",\"name\":\"path\",\"type\":\"bytes32[]\"}],\"name\":\"accuse\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"key\",\"type\":\"bytes32\"}],\"name\":\"accused\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"yes\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32[]\",\"name\":\"roots\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint64[]\",\"name\":\"sizes\",\"type\":\"uint64[]\"}],\"name\":\"add\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"},{\"internalType\":\"bytes\",\"name\":\"data\",\"type\":\"bytes\"},{\"internalType\":\"bytes32[]\",\"name\":\"path\",\"type\":\"bytes32[]\"}],\"internalType\":\"structPossession.Proof\",\"name\":\"proof\",\"type\":\"tuple\"}],\"name\":\"answer\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"i\",\"type\":\"uint64\"}],\"name\":\"challengeOf\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"currentPeriod\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"}],\"name\":\"demand\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"demandsOf\",\"outputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"by\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"}],\"internalType\":\"structPossession.Demand[]\",\"name\":\"\",\"type\":\"tuple[]\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"eip712Domain\",\"outputs\":[{\"internalType\":\"bytes1\",\"name\":\"fields\",\"type\":\"bytes1\"},{\"internalType\":\"string\",\"name\":\"name\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"version\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"chainId\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"verifyingContract\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"uint256[]\",\"name\":\"extensions\",\"type\":\"uint256[]\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"auditor\",\"type\":\"address\"}],\"name\":\"expire\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"n\",\"type\":\"uint64\"}],\"name\":\"find\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"forfeit\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"asker\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"piece\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"data\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"}],\"internalType\":\"structPossession.Retrieved\",\"name\":\"r\",\"type\":\"tuple\"}],\"name\":\"hashRetrieved\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"}],\"name\":\"leavesBefore\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"leaves\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"}],\"name\":\"pieceOf\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"root\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"size\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"poke\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"},{\"components\":[{\"internalType\":\"uint64\",\"name\":\"id\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"leaf\",\"type\":\"uint64\"},{\"internalType\":\"bytes\",\"name\":\"data\",\"type\":\"bytes\"},{\"internalType\":\"bytes32[]\",\"name\":\"path\",\"type\":\"bytes32[]\"}],\"internalType\":\"structPossession.Proof[]\",\"name\":\"proofs\",\"type\":\"tuple[]\"}],\"name\":\"prove\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"proven\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64[]\",\"name\":\"ids\",\"type\":\"uint64[]\"}],\"name\":\"remove\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"}],\"name\":\"seedOf\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"seed\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"setOf\",\"outputs\":[{\"components\":[{\"internalType\":\"uint64\",\"name\":\"next\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"leaves\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"period\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"challenged\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"recent\",\"type\":\"uint64\"},{\"internalType\":\"uint32\",\"name\":\"proved\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"missed\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"running\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"pieces\",\"type\":\"uint32\"},{\"internalType\":\"enumPossession.Outcome\",\"name\":\"outcome\",\"type\":\"uint8\"}],\"internalType\":\"structPossession.Set\",\"name\":\"set\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"}]",
	ID:  "Possession",
	Bin: "0x6101e0604052348015610010575f5ffd5b506040516141cc3803806141cc83398101604081905261002f9161024f565b6040518060400160405280600581526020016454616c6c7960d81b815250604051806040016040528060018152602001603160f81b815250610076826101e060201b60201c565b61012052610083816101e0565b61014052815160208084019190912060e052815190820120610100524660a05261010f60e05161010051604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201529081019290925260608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b60805250503060c05260026001600160401b038316108061013a5750611f406001600160401b038316115b156101685760405163067a7d9b60e21b81526001600160401b03831660048201526024015b60405180910390fd5b6001600160401b0381161580610187575060206001600160401b038216115b156101b0576040516355d3733f60e01b81526001600160401b038216600482015260240161015f565b6001600160a01b039384166101605291909216610180526001600160401b039182166101a052166101c052610300565b5f5f829050601f8151111561020a578260405163305a27a960e01b815260040161015f91906102a5565b8051610215826102da565b179392505050565b6001600160a01b0381168114610231575f5ffd5b50565b80516001600160401b038116811461024a575f5ffd5b919050565b5f5f5f5f60808587031215610262575f5ffd5b845161026d8161021d565b602086015190945061027e8161021d565b925061028c60408601610234565b915061029a60608601610234565b905092959194509250565b602081525f82518060208401528060208501604085015e5f604082850101526040601f19601f83011684010191505092915050565b805160208083015191908110156102fa575f198160200360031b1b821691505b50919050565b60805160a05160c05160e05161010051610120516101405161016051610180516101a0516101c051613e146103b85f395f818161047301528181610b1f01528181610cb50152610cf901525f81816104b50152818161052f01528181610569015281816107dd015261214b01525f81816102d9015261062801525f818161020a0152610e6d01525f6126a201525f61267701525f612ebc01525f612e9401525f612def01525f612e1901525f612e430152613e145ff3fe608060405234801561000f575f5ffd5b50600436106101dc575f3560e01c8063775ba79811610109578063a3aa02251161009e578063cdd80f3b1161006e578063cdd80f3b146104e0578063cf80a018146104f3578063da0d5c6114610506578063fe72a7ff14610519575f5ffd5b8063a3aa022514610495578063b1a997ac1461049d578063b4d1d795146104b0578063c810b7fe146104d7575f5ffd5b80638d67799e116100d95780638d67799e146104485780638f1cf06814610453578063950bff9f146104665780639a55f9b11461046e575f5ffd5b8063775ba798146103d457806384228465146103e757806384b0196e1461041a5780638cfd175014610435575f5ffd5b80634b6604191161017f57806364f096a51161014f57806364f096a51461035e5780636937d7921461039b57806369f0d71e146103ae5780636c2cc1e3146103c1575f5ffd5b80634b660419146102d45780635687570e146102fb5780635a5c48291461030e578063637a31db1461033e575f5ffd5b8063241bfe0f116101ba578063241bfe0f1461024c57806329316a2a1461027e5780632aae964a1461029f5780632c3ef024146102b4575f5ffd5b806306040618146101e057806306433b1b14610205578063082febf014610244575b5f5ffd5b6101e8610521565b6040516001600160401b0390911681526020015b60405180910390f35b61022c7f000000000000000000000000000000000000000000000000000000000000000081565b6040516001600160a01b0390911681526020016101fc565b6101e8602081565b61026e61025a36600461341d565b60026020525f908152604090205460ff1681565b60405190151581526020016101fc565b61029161028c36600461344f565b61055a565b6040519081526020016101fc565b6102b26102ad366004613485565b610613565b005b6102c76102c23660046134c5565b61090e565b6040516101fc91906134de565b61022c7f000000000000000000000000000000000000000000000000000000000000000081565b61029161030936600461355f565b6109c4565b61032161031c366004613579565b610a9f565b604080519283526001600160401b039091166020830152016101fc565b61035161034c3660046134c5565b610aef565b6040516101fc91906135de565b61037161036c366004613579565b610b1a565b604080516001600160401b03948516815292841660208401529216918101919091526060016101fc565b6102b26103a936600461344f565b610bd0565b6102b26103bc366004613719565b610c65565b6102b26103cf366004613775565b610e18565b61026e6103e2366004613579565b6110e2565b6103fa6103f5366004613579565b6111a8565b604080516001600160401b039384168152929091166020830152016101fc565b610422611234565b6040516101fc97969594939291906137f5565b6102b261044336600461388b565b611276565b6101e8634000000081565b6101e8610461366004613579565b61148c565b610291604081565b6101e87f000000000000000000000000000000000000000000000000000000000000000081565b610291600481565b6102b26104ab3660046134c5565b6114b5565b6101e87f000000000000000000000000000000000000000000000000000000000000000081565b6101e8611f4081565b6102b26104ee3660046138c1565b6114d3565b6102b26105013660046138ff565b611738565b6102b2610514366004613964565b611851565b6101e8604081565b5f6105556001600160401b037f00000000000000000000000000000000000000000000000000000000000000001643613a4d565b905090565b5f806105926001600160401b037f00000000000000000000000000000000000000000000000000000000000000008116908516613a60565b90504381106105d657826105a7826001613a77565b60405163032c071760e11b81526001600160401b03909216600483015260248201526044015b60405180910390fd5b6105df81611ade565b91505f82900361060d57604051633d78fa4160e21b81526001600160401b03841660048201526024016105cd565b50919050565b6040516349b9055760e01b81523360048201527f00000000000000000000000000000000000000000000000000000000000000006001600160a01b0316906349b9055790602401602060405180830381865afa158015610675573d5f5f3e3d5ffd5b505050506040513d601f19601f820116820180604052508101906106999190613a8a565b6106b85760405163810261c360e01b81523360048201526024016105cd565b5f6106cb6106c68585611ba1565b611c07565b9050806001600160401b0316826001600160401b03161061071257604051630bd1fba160e21b81526001600160401b038084166004830152821660248201526044016105cd565b61071b84611c20565b6001600160a01b0384165f908152600660205260408120905b81548110156107a957336001600160a01b031682828154811061075957610759613aa9565b5f9182526020909120600290910201546001600160a01b0316036107a157604051632953763760e01b81526001600160a01b03871660048201523360248201526044016105cd565b600101610734565b5080546004116107d75760405163af0d0a3960e01b81526001600160a01b03861660048201526024016105cd565b5f6108027f000000000000000000000000000000000000000000000000000000000000000043613abd565b60408051608081018252338082526001600160401b0380851660208085019182528b83168587019081528b8416606087019081528a5460018181018d555f8d81529490942097516002909102909701805494518616600160a01b026001600160e01b03199095166001600160a01b0398891617949094178455905192909101805491518416600160401b026001600160801b0319909216929093169190911717905591519293509091908816907fd4ca6358c88ecd83798c849a53e05a62b0f3c171b83d301950a27023a097cf04906108fe908990899087906001600160401b0393841681529183166020830152909116604082015260600190565b60405180910390a3505050505050565b6001600160a01b0381165f908152600660209081526040808320805482518185028101850190935280835260609492939192909184015b828210156109b9575f848152602090819020604080516080810182526002860290920180546001600160a01b03811684526001600160401b03600160a01b90910481168486015260019182015480821693850193909352600160401b90920490911660608301529083529092019101610945565b505050509050919050565b5f610a997f8200c6e45b8a424c8661e6ae22d27d1e325cc175617d4b849ec7ce15cf0fe16e6109f660208501856134c5565b610a0660408601602087016134c5565b6040860135610a1b608088016060890161344f565b6080880135610a3060c08a0160a08b0161344f565b6040805160208101989098526001600160a01b039687169088015294909316606086015260808501919091526001600160401b0390811660a085015260c08401919091521660e08201526101000160405160208183030381529060405280519060200120611c99565b92915050565b6001600160a01b0382165f8181526005602090815260408083206001600160401b03861684528252808320549383526004909152812090918291610ae39085611cc5565b915091505b9250929050565b610af76133cc565b610b0082611d0b565b9050610b1381610b0e610521565b611df5565b5050919050565b5f5f5f7f00000000000000000000000000000000000000000000000000000000000000006001600160401b0316846001600160401b031610610b7a5760405163619ea24b60e01b81526001600160401b03851660048201526024016105cd565b5f610b8486611d0b565b9050610b8e610521565b9350610b9a8185611df5565b5050610ba68185611f92565b610bc3866103f5610bb68761055a565b89888a8760600151612052565b9497909650939450505050565b5f610bda826120cb565b600261012082015260c08101805191925090610bf590613adc565b63ffffffff16905260e081018051610c0c90613adc565b63ffffffff169052610c1e3382612194565b604080516001600160401b038416808252602082015233917f3df2d499a0270dd8e64d6217869e55a18e25c43395d949420fbe965260429409910160405180910390a25050565b336001600160a01b03851614610c9f5760405163f20f493760e01b81523360048201526001600160a01b03851660248201526044016105cd565b5f610ca9846120cb565b90506001600160401b037f0000000000000000000000000000000000000000000000000000000000000000168214610d2657604051631e8deeaf60e31b8152600481018390526001600160401b037f00000000000000000000000000000000000000000000000000000000000000001660248201526044016105cd565b5f610d308561055a565b90505f5b83811015610d8357610d7b8782610d52858b8b878a60600151612052565b888886818110610d6457610d64613aa9565b9050602002810190610d769190613b00565b612285565b600101610d34565b5060016101208301819052505f60e08301526080820180516001176001600160401b0316905260a082018051610db890613adc565b63ffffffff169052610dca8683612194565b60608201516040516001600160401b039182168152908616906001600160a01b038816907fae7d46cae807137eb4bbe726ea1dc16c89ed0c3ccf95fa0e329fdf16daaf20af906020016108fe565b821580610e255750604083115b80610e305750828114155b15610e5857604051631cbea66f60e11b815260048101849052602481018290526044016105cd565b604051637d039ebb60e11b81523360048201527f00000000000000000000000000000000000000000000000000000000000000006001600160a01b03169063fa073d76906024015f60405180830381865afa158015610eb9573d5f5f3e3d5ffd5b505050506040513d5f823e601f3d908101601f19168201604052610ee09190810190613b32565b515f03610f025760405163079dc00160e01b81523360048201526024016105cd565b5f610f0c336123c3565b335f9081526004602052604081209192505b858110156110b1575f858583818110610f3957610f39613aa9565b9050602002016020810190610f4e919061344f565b9050878783818110610f6257610f62613aa9565b905060200201355f5f1b1480610f7f57506001600160401b038116155b80610f96575063400000006001600160401b038216115b15610fb757604051635395556160e01b8152600481018390526024016105cd565b878783818110610fc957610fc9613aa9565b335f9081526005602090815260408083208a516001600160401b031684528252909120918102939093013590555084519085015161100991859184612456565b87878381811061101b5761101b613aa9565b86516040516001600160401b0386811682526020938402959095013594909116925033917f5f0b6ccd0b1f0ed6736c254f3514be3ccf4f04a55516173eb78d1042de19d0a3910160405180910390a48351849061107790613be2565b6001600160401b0316905261108b81611c07565b8460200181815161109c9190613abd565b6001600160401b031690525050600101610f1e565b50610100820180518691906110c7908390613c03565b63ffffffff169052506110da3383612194565b505050505050565b5f5f6110ed84611d0b565b90506110fb81610b0e610521565b505080604001516001600160401b0316836001600160401b03161115611124575f915050610a99565b604081810151611135908590613c1f565b6001600160401b0316106111675760405163226d745360e21b81526001600160401b03841660048201526024016105cd565b8281604001516111779190613c1f565b6001600160401b031681608001516001600160401b0316901c6001166001600160401b031660011491505092915050565b5f5f5f6111b485611d0b565b905080602001516001600160401b0316846001600160401b031610611205576020810151604051630bd1fba160e21b81526001600160401b03808716600483015290911660248201526044016105cd565b80516001600160a01b0386165f9081526004602052604090206112289186612553565b92509250509250929050565b5f6060805f5f5f6060611245612670565b61124d61269b565b604080515f80825260208201909252600f60f81b9b939a50919850469750309650945092509050565b335f908152600660205260408120805490919081905b80156113a45761129b81613c3e565b90505f8482815481106112b0576112b0613aa9565b5f91825260209182902060408051608081018252600290930290910180546001600160a01b03811684526001600160401b03600160a01b90910481168486015260019091015480821692840192909252600160401b909104166060820152915061131c9087018761344f565b6001600160401b031681604001516001600160401b0316141580611365575061134b604087016020880161344f565b6001600160401b031681606001516001600160401b031614155b15611370575061128c565b80602001516001600160401b03164311156113905760200151915061128c565b6001935061139e85836126c6565b5061128c565b821580156113ba57506001600160401b03821615155b156113e3576040516371c1ce9f60e11b81526001600160401b03831660048201526024016105cd565b82611403576040516304dec86560e41b81523360048201526024016105cd565b6114233361141d8161141860208a018a61344f565b611ba1565b876127e6565b337f9631547e8bd8570e5ff67d3ce5835a55a276366341adebe6b05532dcdfe90e8f611452602088018861344f565b6114626040890160208a0161344f565b604080516001600160401b0393841681529290911660208301520160405180910390a25050505050565b6001600160a01b0382165f9081526004602052604081206114ad908361289a565b949350505050565b6114c7816114c2836123c3565b612194565b6114d081611c20565b50565b8015806114e05750604081115b1561150857604051631cbea66f60e11b815260048101829052602481018290526044016105cd565b5f611512336123c3565b905080606001516001600160401b03165f1415801561154657505f8161012001516002811115611544576115446135aa565b145b1561157557604080820151905163f6ea562b60e01b81526001600160401b0390911660048201526024016105cd565b61157e33611c20565b335f908152600460205260408120905b83811015611709576115c1338686848181106115ac576115ac613aa9565b9050602002016020810190611418919061344f565b506115f2338686848181106115d8576115d8613aa9565b90506020020160208101906115ed919061344f565b612986565b335f9081526005602052604081209086868481811061161357611613613aa9565b9050602002016020810190611628919061344f565b6001600160401b03166001600160401b031681526020019081526020015f205f905561167e85858381811061165f5761165f613aa9565b9050602002016020810190611674919061344f565b8451849190612a11565b8360200181815161168f9190613c1f565b6001600160401b03169052508484828181106116ad576116ad613aa9565b90506020020160208101906116c2919061344f565b6001600160401b0316336001600160a01b03167ff812d4c74d7686aa92bde7be1d4c8e8074dc75bd4753bfd5e223fcaf5aa4b11160405160405180910390a360010161158e565b506101008201805184919061171f908390613c53565b63ffffffff169052506117323383612194565b50505050565b6001600160a01b0382165f908152600660205260408120905b815481101561182c57826001600160a01b031682828154811061177657611776613aa9565b5f9182526020909120600290910201546001600160a01b031603611824578181815481106117a6576117a6613aa9565b5f918252602090912060029091020154600160a01b90046001600160401b03164311611819578181815481106117de576117de613aa9565b5f918252602090912060029091020154604051631238641360e21b8152600160a01b9091046001600160401b031660048201526024016105cd565b611732848383612b16565b600101611751565b506040516304dec86560e41b81526001600160a01b03841660048201526024016105cd565b5f61185f60208a018a6134c5565b60408a013561187460808c0160608d0161344f565b604080516001600160a01b0390941660208501528301919091526001600160401b0316606082015260800160408051601f1981840301815291815281516020928301205f818152600290935291205490915060ff161561192b576118db60208a018a6134c5565b60408a01356118f060808c0160608d0161344f565b604051633603fd6760e11b81526001600160a01b03909316600484015260248301919091526001600160401b031660448201526064016105cd565b5f61193f6119388b6109c4565b8a8a612bf8565b905061194e60208b018b6134c5565b6001600160a01b0316816001600160a01b0316146119a0578061197460208c018c6134c5565b60405163366d29f760e01b81526001600160a01b039283166004820152911660248201526044016105cd565b63400000006001600160401b03881611156119d057604051635395556160e01b81525f60048201526024016105cd565b5f5f6119f2898d60600160208101906119e9919061344f565b8a8a8a8a612c22565b915091508b604001358114611a27576040805163a864586d60e01b815260048101839052908d013560248201526044016105cd565b8b608001358203611a4b57604051637993882960e01b815260040160405180910390fd5b5f84815260026020908152604091829020805460ff19166001179055908d013590611a78908e018e6134c5565b6001600160a01b03167f0372943c7ed60b65790a0f34d172972fcb6025a466317814d9fffe8aac7ec3a48e6060016020810190611ab5919061344f565b6040516001600160401b03909116815260200160405180910390a3505050505050505050505050565b804080151580611aee5750438210155b15611af857919050565b5f5f71f90827f1c53a10cb7a02335b1753200029356001600160a01b031684604051602001611b2991815260200190565b60408051601f1981840301815290829052611b4391613c6f565b5f60405180830381855afa9150503d805f8114611b7b576040519150601f19603f3d011682016040523d82523d5f602084013e611b80565b606091505b5091509150818015611b93575080516020145b15610b13576114ad81613c85565b6001600160a01b0382165f908152600460205260408120611bc29083611cc5565b9050806001600160401b03165f03610a995760405163269154a960e11b81526001600160a01b03841660048201526001600160401b03831660248201526044016105cd565b5f610100611c168360ff613abd565b610a999190613ca8565b6001600160a01b0381165f90815260066020526040902080545b8015611c9457611c4981613c3e565b9050818181548110611c5d57611c5d613aa9565b5f918252602090912060029091020154600160a01b90046001600160401b0316431115611c8f57611c8f838383612b16565b611c3a565b505050565b5f610a99611ca5612de3565b8360405161190160f01b8152600281019290925260228201526042902090565b5f611cd4600783166020613cd5565b60039290921c671fffffffffffffff165f908152602093909352506040909120546001600160401b03919091161c63ffffffff1690565b611d136133cc565b6001600160a01b0382165f818152600360208181526040808420805460c081811c89526001600160401b03608083901c81168a87015282851c8116948a01949094529216606088015294909352526001909101549081901c6002811115611d7c57611d7c6135aa565b8261012001906002811115611d9357611d936135aa565b90816002811115611da657611da66135aa565b90525060a081811c63ffffffff908116610100850152608083811c821692850192909252606083901c811660c0850152604083901c1660e08401526001600160401b0390911690820152919050565b5f5f826001600160401b031684604001516001600160401b031603611e1f5750600190505f610ae8565b60608401516001600160401b031615801590611e5057505f8461012001516002811115611e4e57611e4e6135aa565b145b611e69576040840151611e64906001613abd565b611e6f565b83604001515b9150611e7c600184613c1f565b905083602001516001600160401b03165f03611e995750600190505f5b806001600160401b0316826001600160401b031611611f1157611ebc8282613c1f565b611ec7906001613abd565b8460c001818151611ed89190613c03565b63ffffffff16905250611eeb8282613c1f565b611ef6906001613abd565b8460e001818151611f079190613c03565b63ffffffff169052505b604084810151611f219085613c1f565b6001600160401b031610611f35575f611f5e565b6040840151611f449084613c1f565b6001600160401b031684608001516001600160401b0316901b5b6001600160401b039081166080860152838116604086015260208501511660608501525f6101208501819052509250929050565b81606001516001600160401b03165f03611fca5760405163ec98d4a960e01b81526001600160401b03821660048201526024016105cd565b60018261012001516002811115611fe357611fe36135aa565b0361200c5760405163e43982fb60e01b81526001600160401b03821660048201526024016105cd565b60028261012001516002811115612025576120256135aa565b0361204e5760405163f0f2588f60e01b81526001600160401b03821660048201526024016105cd565b5050565b6040805160208082018890526bffffffffffffffffffffffff19606088901b16828401526001600160c01b031960c087811b8216605485015286901b16605c83015282518083036044018152606490920190925280519101205f906120c1906001600160401b03841690613cf7565b9695505050505050565b6120d36133cc565b5f6120dc610521565b9050806001600160401b0316836001600160401b03161015612123576040516277f1a160e81b81526001600160401b038085166004830152821660248201526044016105cd565b806001600160401b0316836001600160401b0316111561217f57826121746001600160401b037f00000000000000000000000000000000000000000000000000000000000000008116908316613a60565b6105a7906001613a77565b612188336123c3565b915061060d8284611f92565b604051806040016040528082606001516001600160401b0316604084604001516001600160401b0316901b608085602001516001600160401b0316901b60c0865f01516001600160401b0316901b171717815260200182608001516001600160401b031660408460e0015163ffffffff16901b60608560c0015163ffffffff16901b60808660a0015163ffffffff16901b60a087610100015163ffffffff16901b60c0886101200151600281111561224e5761224e6135aa565b901b171717171790526001600160a01b039092165f9081526003602090815260409091208351815592015160019092019190915550565b5f612293602083018361344f565b6001600160a01b0386165f908152600460205260408120919250806122b8838561289a565b91509150806001600160401b0316866001600160401b031610806122ff57506122e082611c07565b6001600160401b03166122f38288613c1f565b6001600160401b031610155b1561232f5760405163fd5f469360e01b8152600481018890526001600160401b03851660248201526044016105cd565b6123398187613c1f565b6001600160401b0316612352604087016020880161344f565b6001600160401b0316146123ae5786612371604087016020880161344f565b61237b8389613c1f565b6040516307b3dabd60e21b815260048101939093526001600160401b0391821660248401521660448201526064016105cd565b6123b98883876127e6565b5050505050505050565b6123cb6133cc565b6123d482611d0b565b90505f5f6123e483610b0e610521565b91509150806001600160401b0316826001600160401b031611610b1357604080516001600160401b038085168252831660208201526001600160a01b038616917f3df2d499a0270dd8e64d6217869e55a18e25c43395d949420fbe965260429409910160405180910390a25050919050565b612464600784166020613cd5565b600384901c671fffffffffffffff165f90815260208690526040812080546001600160401b0385811694169390931b9092179091556124a282611c07565b6001600160401b0316905060015b6124b981612f0c565b856001600160401b0316901c6001600160401b03165f146110da575f5f6124e08388612f28565b915091506124ed83612f0c565b6001901b876001600160401b03160361251a575f8281526020899052604090206001600160401b03871690555b5f828152602089905260408120805486841b9290612539908490613a77565b9250508190555050508061254c90613d0a565b90506124b0565b5f80805b61256a612565826001613a77565b612f0c565b612575600187613c1f565b6001600160401b0316901c6001600160401b03165f1461259f5761259881613d0a565b9050612557565b5f5b604082811b82175f908152602089905290812054908390036125c9576125c681612f8a565b90505b5f600484106125d95760406125dc565b60205b60ff1690505f6125ef600180841b613d22565b90506125fd82610100613a4d565b6126079085613a60565b93505b808316886001600160401b03161061263e5761262883821689613c1f565b975061263384613d0a565b935091811c9161260a565b845f03612655578388965096505050505050612668565b61265e85613c3e565b94505050506125a1565b935093915050565b60606105557f0000000000000000000000000000000000000000000000000000000000000000612fd0565b60606105557f0000000000000000000000000000000000000000000000000000000000000000612fd0565b815482906126d690600190613d22565b815481106126e6576126e6613aa9565b905f5260205f20906002020182828154811061270457612704613aa9565b5f9182526020909120825460029092020180546001600160a01b039092166001600160a01b031983168117825583546001600160e01b031990931617600160a01b928390046001600160401b039081169093021781556001928301805493909101805493831667ffffffffffffffff1985168117825591546001600160801b0319909416909117600160401b9384900490921690920217905581548290806127ae576127ae613d35565b5f8281526020902060025f199092019182020180546001600160e01b031916815560010180546001600160801b031916905590555050565b5f61281a836127fb604085016020860161344f565b6128086040860186613d49565b6128156060880188613d8b565b612c22565b6001600160a01b0386165f908152600560209081526040822092945090925082906128479086018661344f565b6001600160401b03166001600160401b031681526020019081526020015f205490508082146128935760405163a864586d60e01b815260048101839052602481018290526044016105cd565b5050505050565b600381901c671fffffffffffffff165f90815260208381526040822054600784169091026001600160401b031681811c63ffffffff1692918383036128e6575f5f935093505050610ae8565b6129015f196001841b016128f983612f8a565b16602061300d565b92505f60015b61291081612f0c565b876001600160401b0316901c6001600160401b03165f1461297b576129358188612f28565b5f82815260208b9052604090205490955090925061296f905f196001871b011660048310612964576040612967565b60205b60ff1661300d565b90940193600101612907565b505050509250929050565b6001600160a01b0382165f908152600660205260408120905b815481101561173257826001600160401b03168282815481106129c4576129c4613aa9565b5f9182526020909120600160029092020101546001600160401b031603612a095760405163b5ba712560e01b81526001600160401b03841660048201526024016105cd565b60010161299f565b5f5f612a1d8585611cc5565b9050612a2881611c07565b9150612a38600785166020613cd5565b6001600160401b0316816001600160401b0316901b855f015f6003876001600160401b0316901c6001600160401b031681526020019081526020015f205f828254612a839190613d22565b90915550600190505b612a9581612f0c565b612aa0600186613c1f565b6001600160401b0316901c6001600160401b03165f14612b0d575f5f612ac68388612f28565b5f82815260208b90526040812080549395509193506001600160401b038816841b92612af3908490613d22565b92505081905550505080612b0690613d0a565b9050612a8c565b50509392505050565b5f828281548110612b2957612b29613aa9565b5f91825260209182902060408051608081018252600290930290910180546001600160a01b03811684526001600160401b03600160a01b9091048116948401949094526001015480841691830191909152600160401b900490911660608201529050612b9583836126c6565b8051604080830151606084015182516001600160401b039283168152911660208201526001600160a01b03928316928716917f72f50186253b9488a1385fc3ba73772aeefa27bce2feb626b7b53b2dc7980580910160405180910390a350505050565b5f5f5f5f612c07878787613066565b925092509250612c1782826130ad565b509095945050505050565b5f5f5f612c2e89611c07565b6001600160401b0316905080886001600160401b031610612c7557604051630bd1fba160e21b81526001600160401b03808a166004830152821660248201526044016105cd565b6101008614612c9a576040516349f757bb60e01b8152600481018790526024016105cd565b5f81600114612d3957612d29612cb1600184613d22565b5f60076fffffffffffffffffffffffffffffffff8311901b905060066001600160401b0383831c11901b17600563ffffffff83831c11901b17600461ffff83831c11901b17600360ff83831c11901b176002600f83831c116d010102020202030303030303030360801b911b9190911791821c1a1790565b612d34906001613a77565b612d3b565b5f5b9050848114612d67576040516337c7c7f960e11b815260048101869052602481018290526044016105cd565b5f612d7d6101006001600160401b038d16613cf7565b90508015801590612da05750612d94600184613d22565b8a6001600160401b0316145b15612db157612db18a8a8a84613165565b612dd18b6001600160401b03168b6001600160401b03168b8b8b8b613227565b94509450505050965096945050505050565b5f306001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015612e3b57507f000000000000000000000000000000000000000000000000000000000000000046145b15612e6557507f000000000000000000000000000000000000000000000000000000000000000090565b610555604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201527f0000000000000000000000000000000000000000000000000000000000000000918101919091527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b5f60058210612f215781600202600401610a99565b5060030290565b5f5f5f612f3485612f0c565b846001600160401b0316901c6001600160401b0316905060048510612f6b57600281901c604086901b17600682600316901b611228565b600381901c604086901b17600582600716901b92509250509250929050565b7cff000000ff000000ff000000ff000000ff000000ff000000ff000000ff0160081c7effffff00ffffff00ffffff00ffffff00ffffff00ffffff00ffffff00ffffff1690565b60605f612fdc836132dd565b6040805160208082528183019092529192505f91906020820181803683375050509182525060208101929092525090565b5f81602003613043577bffffffff00000000ffffffff00000000ffffffff00000000ffffffff83811660209490941c1692909201915b505078010000000000000001000000000000000100000000000000010260c01c90565b5f8080604184900361309a578435602086013560408701355f1a61308c89828585613304565b9550955095505050506130a4565b505f915060029050825b93509350939050565b5f8260038111156130c0576130c06135aa565b036130c9575050565b60018260038111156130dd576130dd6135aa565b036130fb5760405163f645eedf60e01b815260040160405180910390fd5b600282600381111561310f5761310f6135aa565b036131305760405163fce698f760e01b8152600481018290526024016105cd565b6003826003811115613144576131446135aa565b0361204e576040516335e2f38360e21b8152600481018290526024016105cd565b601f1981165f6131758284613d22565b613180906008613a60565b85838661318e826020613a77565b9261319b93929190613dd0565b6131a491613df7565b901b90505f6131b4836020613a77565b90505b6101008110156131fc578581866131cf826020613a77565b926131dc93929190613dd0565b6131e591613df7565b91909117906131f5602082613a77565b90506131b7565b5080156110da5760405163e93dac6b60e01b81526001600160401b03871660048201526024016105cd565b5f5f6040515f815361010087600183013760205f6101018360025afa61324b575f5ffd5b5f51925082915060018153848460051b81015b808210156132a65760018a1660051b84816001018501528235816021038501525060205f60418560025afa613291575f5ffd5b5f5193508960011c995060208201915061325e565b5050600281538860c01b600182015281600982015260205f60298360025afa6132cd575f5ffd5b505f519050965096945050505050565b5f60ff8216601f811115610a9957604051632cd44ac360e21b815260040160405180910390fd5b5f80807f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a084111561333d57505f915060039050826133c2565b604080515f808252602082018084528a905260ff891692820192909252606081018790526080810186905260019060a0016020604051602081039080840390855afa15801561338e573d5f5f3e3d5ffd5b5050604051601f1901519150506001600160a01b0381166133b957505f9250600191508290506133c2565b92505f91508190505b9450945094915050565b60408051610140810182525f80825260208201819052918101829052606081018290526080810182905260a0810182905260c0810182905260e0810182905261010081018290529061012082015290565b5f6020828403121561342d575f5ffd5b5035919050565b80356001600160401b038116811461344a575f5ffd5b919050565b5f6020828403121561345f575f5ffd5b61346882613434565b9392505050565b80356001600160a01b038116811461344a575f5ffd5b5f5f5f60608486031215613497575f5ffd5b6134a08461346f565b92506134ae60208501613434565b91506134bc60408501613434565b90509250925092565b5f602082840312156134d5575f5ffd5b6134688261346f565b602080825282518282018190525f918401906040840190835b81811015612c1757835180516001600160a01b031684526020808201516001600160401b03908116828701526040808401518216908701526060928301511691850191909152909301926080909201916001016134f7565b5f60c0828403121561060d575f5ffd5b5f60c0828403121561356f575f5ffd5b613468838361354f565b5f5f6040838503121561358a575f5ffd5b6135938361346f565b91506135a160208401613434565b90509250929050565b634e487b7160e01b5f52602160045260245ffd5b600381106135da57634e487b7160e01b5f52602160045260245ffd5b9052565b81516001600160401b031681526101408101602083015161360a60208401826001600160401b03169052565b50604083015161362560408401826001600160401b03169052565b50606083015161364060608401826001600160401b03169052565b50608083015161365b60808401826001600160401b03169052565b5060a083015161367360a084018263ffffffff169052565b5060c083015161368b60c084018263ffffffff169052565b5060e08301516136a360e084018263ffffffff169052565b506101008301516136bd61010084018263ffffffff169052565b506101208301516136d26101208401826135be565b5092915050565b5f5f83601f8401126136e9575f5ffd5b5081356001600160401b038111156136ff575f5ffd5b6020830191508360208260051b8501011115610ae8575f5ffd5b5f5f5f5f6060858703121561372c575f5ffd5b6137358561346f565b935061374360208601613434565b925060408501356001600160401b0381111561375d575f5ffd5b613769878288016136d9565b95989497509550505050565b5f5f5f5f60408587031215613788575f5ffd5b84356001600160401b0381111561379d575f5ffd5b6137a9878288016136d9565b90955093505060208501356001600160401b0381111561375d575f5ffd5b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b60ff60f81b8816815260e060208201525f61381360e08301896137c7565b828103604084015261382581896137c7565b606084018890526001600160a01b038716608085015260a0840186905283810360c0850152845180825260208087019350909101905f5b8181101561387a57835183526020938401939092019160010161385c565b50909b9a5050505050505050505050565b5f6020828403121561389b575f5ffd5b81356001600160401b038111156138b0575f5ffd5b820160808185031215613468575f5ffd5b5f5f602083850312156138d2575f5ffd5b82356001600160401b038111156138e7575f5ffd5b6138f3858286016136d9565b90969095509350505050565b5f5f60408385031215613910575f5ffd5b6139198361346f565b91506135a16020840161346f565b5f5f83601f840112613937575f5ffd5b5081356001600160401b0381111561394d575f5ffd5b602083019150836020828501011115610ae8575f5ffd5b5f5f5f5f5f5f5f5f610140898b03121561397c575f5ffd5b6139868a8a61354f565b975060c08901356001600160401b038111156139a0575f5ffd5b6139ac8b828c01613927565b90985096506139bf905060e08a01613434565b94506101008901356001600160401b038111156139da575f5ffd5b6139e68b828c01613927565b9095509350506101208901356001600160401b03811115613a05575f5ffd5b613a118b828c016136d9565b999c989b5096995094979396929594505050565b634e487b7160e01b5f52601260045260245ffd5b634e487b7160e01b5f52601160045260245ffd5b5f82613a5b57613a5b613a25565b500490565b8082028115828204841417610a9957610a99613a39565b80820180821115610a9957610a99613a39565b5f60208284031215613a9a575f5ffd5b81518015158114613468575f5ffd5b634e487b7160e01b5f52603260045260245ffd5b6001600160401b038181168382160190811115610a9957610a99613a39565b5f63ffffffff821663ffffffff8103613af757613af7613a39565b60010192915050565b5f8235607e19833603018112613b14575f5ffd5b9190910192915050565b634e487b7160e01b5f52604160045260245ffd5b5f60208284031215613b42575f5ffd5b81516001600160401b03811115613b57575f5ffd5b8201601f81018413613b67575f5ffd5b80516001600160401b03811115613b8057613b80613b1e565b604051601f8201601f19908116603f011681016001600160401b0381118282101715613bae57613bae613b1e565b604052818152828201602001861015613bc5575f5ffd5b8160208401602083015e5f91810160200191909152949350505050565b5f6001600160401b0382166001600160401b038103613af757613af7613a39565b63ffffffff8181168382160190811115610a9957610a99613a39565b6001600160401b038281168282160390811115610a9957610a99613a39565b5f81613c4c57613c4c613a39565b505f190190565b63ffffffff8281168282160390811115610a9957610a99613a39565b5f82518060208501845e5f920191825250919050565b8051602080830151919081101561060d575f1960209190910360031b1b16919050565b5f6001600160401b03831680613cc057613cc0613a25565b806001600160401b0384160491505092915050565b6001600160401b0381811683821602908116908181146136d2576136d2613a39565b5f82613d0557613d05613a25565b500690565b5f60018201613d1b57613d1b613a39565b5060010190565b81810381811115610a9957610a99613a39565b634e487b7160e01b5f52603160045260245ffd5b5f5f8335601e19843603018112613d5e575f5ffd5b8301803591506001600160401b03821115613d77575f5ffd5b602001915036819003821315610ae8575f5ffd5b5f5f8335601e19843603018112613da0575f5ffd5b8301803591506001600160401b03821115613db9575f5ffd5b6020019150600581901b3603821315610ae8575f5ffd5b5f5f85851115613dde575f5ffd5b83861115613dea575f5ffd5b5050820193919092039150565b80356020831015610a99575f19602084900360031b1b169291505056",
}

// Possession is an auto generated Go binding around an Ethereum contract.
type Possession struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Possession) GetABI() abi.ABI {
	return c.abi
}

// NewPossession creates a new instance of Possession.
func NewPossession() *Possession {
	parsed, err := PossessionMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Possession{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Possession) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(address registry, address ledger, uint64 period, uint64 leaves) returns()
func (possession *Possession) PackConstructor(registry common.Address, ledger common.Address, period uint64, leaves uint64) []byte {
	enc, err := possession.abi.Pack("", registry, ledger, period, leaves)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackLEAVES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9a55f9b1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function LEAVES() view returns(uint64)
func (possession *Possession) PackLEAVES() []byte {
	enc, err := possession.abi.Pack("LEAVES")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLEAVES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9a55f9b1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function LEAVES() view returns(uint64)
func (possession *Possession) TryPackLEAVES() ([]byte, error) {
	return possession.abi.Pack("LEAVES")
}

// UnpackLEAVES is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x9a55f9b1.
//
// Solidity: function LEAVES() view returns(uint64)
func (possession *Possession) UnpackLEAVES(data []byte) (uint64, error) {
	out, err := possession.abi.Unpack("LEAVES", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackLEDGER is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4b660419.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function LEDGER() view returns(address)
func (possession *Possession) PackLEDGER() []byte {
	enc, err := possession.abi.Pack("LEDGER")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLEDGER is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4b660419.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function LEDGER() view returns(address)
func (possession *Possession) TryPackLEDGER() ([]byte, error) {
	return possession.abi.Pack("LEDGER")
}

// UnpackLEDGER is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x4b660419.
//
// Solidity: function LEDGER() view returns(address)
func (possession *Possession) UnpackLEDGER(data []byte) (common.Address, error) {
	out, err := possession.abi.Unpack("LEDGER", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackMAXBATCH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x950bff9f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_BATCH() view returns(uint256)
func (possession *Possession) PackMAXBATCH() []byte {
	enc, err := possession.abi.Pack("MAX_BATCH")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXBATCH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x950bff9f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_BATCH() view returns(uint256)
func (possession *Possession) TryPackMAXBATCH() ([]byte, error) {
	return possession.abi.Pack("MAX_BATCH")
}

// UnpackMAXBATCH is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x950bff9f.
//
// Solidity: function MAX_BATCH() view returns(uint256)
func (possession *Possession) UnpackMAXBATCH(data []byte) (*big.Int, error) {
	out, err := possession.abi.Unpack("MAX_BATCH", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXDEMANDS is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa3aa0225.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_DEMANDS() view returns(uint256)
func (possession *Possession) PackMAXDEMANDS() []byte {
	enc, err := possession.abi.Pack("MAX_DEMANDS")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXDEMANDS is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa3aa0225.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_DEMANDS() view returns(uint256)
func (possession *Possession) TryPackMAXDEMANDS() ([]byte, error) {
	return possession.abi.Pack("MAX_DEMANDS")
}

// UnpackMAXDEMANDS is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa3aa0225.
//
// Solidity: function MAX_DEMANDS() view returns(uint256)
func (possession *Possession) UnpackMAXDEMANDS(data []byte) (*big.Int, error) {
	out, err := possession.abi.Unpack("MAX_DEMANDS", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXLEAVES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x082febf0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_LEAVES() view returns(uint64)
func (possession *Possession) PackMAXLEAVES() []byte {
	enc, err := possession.abi.Pack("MAX_LEAVES")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXLEAVES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x082febf0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_LEAVES() view returns(uint64)
func (possession *Possession) TryPackMAXLEAVES() ([]byte, error) {
	return possession.abi.Pack("MAX_LEAVES")
}

// UnpackMAXLEAVES is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x082febf0.
//
// Solidity: function MAX_LEAVES() view returns(uint64)
func (possession *Possession) UnpackMAXLEAVES(data []byte) (uint64, error) {
	out, err := possession.abi.Unpack("MAX_LEAVES", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackMAXPERIOD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc810b7fe.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_PERIOD() view returns(uint64)
func (possession *Possession) PackMAXPERIOD() []byte {
	enc, err := possession.abi.Pack("MAX_PERIOD")
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
func (possession *Possession) TryPackMAXPERIOD() ([]byte, error) {
	return possession.abi.Pack("MAX_PERIOD")
}

// UnpackMAXPERIOD is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc810b7fe.
//
// Solidity: function MAX_PERIOD() view returns(uint64)
func (possession *Possession) UnpackMAXPERIOD(data []byte) (uint64, error) {
	out, err := possession.abi.Unpack("MAX_PERIOD", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackMAXSIZE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8d67799e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_SIZE() view returns(uint64)
func (possession *Possession) PackMAXSIZE() []byte {
	enc, err := possession.abi.Pack("MAX_SIZE")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXSIZE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8d67799e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_SIZE() view returns(uint64)
func (possession *Possession) TryPackMAXSIZE() ([]byte, error) {
	return possession.abi.Pack("MAX_SIZE")
}

// UnpackMAXSIZE is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8d67799e.
//
// Solidity: function MAX_SIZE() view returns(uint64)
func (possession *Possession) UnpackMAXSIZE(data []byte) (uint64, error) {
	out, err := possession.abi.Unpack("MAX_SIZE", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackPERIOD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb4d1d795.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function PERIOD() view returns(uint64)
func (possession *Possession) PackPERIOD() []byte {
	enc, err := possession.abi.Pack("PERIOD")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPERIOD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb4d1d795.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function PERIOD() view returns(uint64)
func (possession *Possession) TryPackPERIOD() ([]byte, error) {
	return possession.abi.Pack("PERIOD")
}

// UnpackPERIOD is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb4d1d795.
//
// Solidity: function PERIOD() view returns(uint64)
func (possession *Possession) UnpackPERIOD(data []byte) (uint64, error) {
	out, err := possession.abi.Unpack("PERIOD", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackRECENT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfe72a7ff.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function RECENT() view returns(uint64)
func (possession *Possession) PackRECENT() []byte {
	enc, err := possession.abi.Pack("RECENT")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRECENT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfe72a7ff.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function RECENT() view returns(uint64)
func (possession *Possession) TryPackRECENT() ([]byte, error) {
	return possession.abi.Pack("RECENT")
}

// UnpackRECENT is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfe72a7ff.
//
// Solidity: function RECENT() view returns(uint64)
func (possession *Possession) UnpackRECENT(data []byte) (uint64, error) {
	out, err := possession.abi.Unpack("RECENT", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackREGISTRY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06433b1b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function REGISTRY() view returns(address)
func (possession *Possession) PackREGISTRY() []byte {
	enc, err := possession.abi.Pack("REGISTRY")
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
func (possession *Possession) TryPackREGISTRY() ([]byte, error) {
	return possession.abi.Pack("REGISTRY")
}

// UnpackREGISTRY is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x06433b1b.
//
// Solidity: function REGISTRY() view returns(address)
func (possession *Possession) UnpackREGISTRY(data []byte) (common.Address, error) {
	out, err := possession.abi.Unpack("REGISTRY", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackAccuse is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xda0d5c61.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function accuse((address,address,bytes32,uint64,bytes32,uint64) r, bytes signature, uint64 size, bytes data, bytes32[] path) returns()
func (possession *Possession) PackAccuse(r PossessionRetrieved, signature []byte, size uint64, data []byte, path [][32]byte) []byte {
	enc, err := possession.abi.Pack("accuse", r, signature, size, data, path)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAccuse is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xda0d5c61.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function accuse((address,address,bytes32,uint64,bytes32,uint64) r, bytes signature, uint64 size, bytes data, bytes32[] path) returns()
func (possession *Possession) TryPackAccuse(r PossessionRetrieved, signature []byte, size uint64, data []byte, path [][32]byte) ([]byte, error) {
	return possession.abi.Pack("accuse", r, signature, size, data, path)
}

// PackAccused is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x241bfe0f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function accused(bytes32 key) view returns(bool yes)
func (possession *Possession) PackAccused(key [32]byte) []byte {
	enc, err := possession.abi.Pack("accused", key)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAccused is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x241bfe0f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function accused(bytes32 key) view returns(bool yes)
func (possession *Possession) TryPackAccused(key [32]byte) ([]byte, error) {
	return possession.abi.Pack("accused", key)
}

// UnpackAccused is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x241bfe0f.
//
// Solidity: function accused(bytes32 key) view returns(bool yes)
func (possession *Possession) UnpackAccused(data []byte) (bool, error) {
	out, err := possession.abi.Unpack("accused", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackAdd is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6c2cc1e3.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function add(bytes32[] roots, uint64[] sizes) returns()
func (possession *Possession) PackAdd(roots [][32]byte, sizes []uint64) []byte {
	enc, err := possession.abi.Pack("add", roots, sizes)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAdd is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6c2cc1e3.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function add(bytes32[] roots, uint64[] sizes) returns()
func (possession *Possession) TryPackAdd(roots [][32]byte, sizes []uint64) ([]byte, error) {
	return possession.abi.Pack("add", roots, sizes)
}

// PackAnswer is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8cfd1750.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function answer((uint64,uint64,bytes,bytes32[]) proof) returns()
func (possession *Possession) PackAnswer(proof PossessionProof) []byte {
	enc, err := possession.abi.Pack("answer", proof)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAnswer is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8cfd1750.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function answer((uint64,uint64,bytes,bytes32[]) proof) returns()
func (possession *Possession) TryPackAnswer(proof PossessionProof) ([]byte, error) {
	return possession.abi.Pack("answer", proof)
}

// PackChallengeOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x64f096a5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function challengeOf(address node, uint64 i) view returns(uint64 period, uint64 id, uint64 leaf)
func (possession *Possession) PackChallengeOf(node common.Address, i uint64) []byte {
	enc, err := possession.abi.Pack("challengeOf", node, i)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackChallengeOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x64f096a5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function challengeOf(address node, uint64 i) view returns(uint64 period, uint64 id, uint64 leaf)
func (possession *Possession) TryPackChallengeOf(node common.Address, i uint64) ([]byte, error) {
	return possession.abi.Pack("challengeOf", node, i)
}

// ChallengeOfOutput serves as a container for the return parameters of contract
// method ChallengeOf.
type ChallengeOfOutput struct {
	Period uint64
	Id     uint64
	Leaf   uint64
}

// UnpackChallengeOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x64f096a5.
//
// Solidity: function challengeOf(address node, uint64 i) view returns(uint64 period, uint64 id, uint64 leaf)
func (possession *Possession) UnpackChallengeOf(data []byte) (ChallengeOfOutput, error) {
	out, err := possession.abi.Unpack("challengeOf", data)
	outstruct := new(ChallengeOfOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Period = *abi.ConvertType(out[0], new(uint64)).(*uint64)
	outstruct.Id = *abi.ConvertType(out[1], new(uint64)).(*uint64)
	outstruct.Leaf = *abi.ConvertType(out[2], new(uint64)).(*uint64)
	return *outstruct, nil
}

// PackCurrentPeriod is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06040618.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function currentPeriod() view returns(uint64)
func (possession *Possession) PackCurrentPeriod() []byte {
	enc, err := possession.abi.Pack("currentPeriod")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCurrentPeriod is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06040618.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function currentPeriod() view returns(uint64)
func (possession *Possession) TryPackCurrentPeriod() ([]byte, error) {
	return possession.abi.Pack("currentPeriod")
}

// UnpackCurrentPeriod is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x06040618.
//
// Solidity: function currentPeriod() view returns(uint64)
func (possession *Possession) UnpackCurrentPeriod(data []byte) (uint64, error) {
	out, err := possession.abi.Unpack("currentPeriod", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackDemand is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2aae964a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function demand(address node, uint64 id, uint64 leaf) returns()
func (possession *Possession) PackDemand(node common.Address, id uint64, leaf uint64) []byte {
	enc, err := possession.abi.Pack("demand", node, id, leaf)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDemand is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2aae964a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function demand(address node, uint64 id, uint64 leaf) returns()
func (possession *Possession) TryPackDemand(node common.Address, id uint64, leaf uint64) ([]byte, error) {
	return possession.abi.Pack("demand", node, id, leaf)
}

// PackDemandsOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2c3ef024.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function demandsOf(address node) view returns((address,uint64,uint64,uint64)[])
func (possession *Possession) PackDemandsOf(node common.Address) []byte {
	enc, err := possession.abi.Pack("demandsOf", node)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDemandsOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2c3ef024.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function demandsOf(address node) view returns((address,uint64,uint64,uint64)[])
func (possession *Possession) TryPackDemandsOf(node common.Address) ([]byte, error) {
	return possession.abi.Pack("demandsOf", node)
}

// UnpackDemandsOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x2c3ef024.
//
// Solidity: function demandsOf(address node) view returns((address,uint64,uint64,uint64)[])
func (possession *Possession) UnpackDemandsOf(data []byte) ([]PossessionDemand, error) {
	out, err := possession.abi.Unpack("demandsOf", data)
	if err != nil {
		return *new([]PossessionDemand), err
	}
	out0 := *abi.ConvertType(out[0], new([]PossessionDemand)).(*[]PossessionDemand)
	return out0, nil
}

// PackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (possession *Possession) PackEip712Domain() []byte {
	enc, err := possession.abi.Pack("eip712Domain")
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
func (possession *Possession) TryPackEip712Domain() ([]byte, error) {
	return possession.abi.Pack("eip712Domain")
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
func (possession *Possession) UnpackEip712Domain(data []byte) (Eip712DomainOutput, error) {
	out, err := possession.abi.Unpack("eip712Domain", data)
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

// PackExpire is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcf80a018.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function expire(address node, address auditor) returns()
func (possession *Possession) PackExpire(node common.Address, auditor common.Address) []byte {
	enc, err := possession.abi.Pack("expire", node, auditor)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackExpire is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcf80a018.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function expire(address node, address auditor) returns()
func (possession *Possession) TryPackExpire(node common.Address, auditor common.Address) ([]byte, error) {
	return possession.abi.Pack("expire", node, auditor)
}

// PackFind is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84228465.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function find(address node, uint64 n) view returns(uint64 id, uint64 leaf)
func (possession *Possession) PackFind(node common.Address, n uint64) []byte {
	enc, err := possession.abi.Pack("find", node, n)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackFind is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84228465.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function find(address node, uint64 n) view returns(uint64 id, uint64 leaf)
func (possession *Possession) TryPackFind(node common.Address, n uint64) ([]byte, error) {
	return possession.abi.Pack("find", node, n)
}

// FindOutput serves as a container for the return parameters of contract
// method Find.
type FindOutput struct {
	Id   uint64
	Leaf uint64
}

// UnpackFind is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x84228465.
//
// Solidity: function find(address node, uint64 n) view returns(uint64 id, uint64 leaf)
func (possession *Possession) UnpackFind(data []byte) (FindOutput, error) {
	out, err := possession.abi.Unpack("find", data)
	outstruct := new(FindOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Id = *abi.ConvertType(out[0], new(uint64)).(*uint64)
	outstruct.Leaf = *abi.ConvertType(out[1], new(uint64)).(*uint64)
	return *outstruct, nil
}

// PackForfeit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6937d792.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function forfeit(uint64 period) returns()
func (possession *Possession) PackForfeit(period uint64) []byte {
	enc, err := possession.abi.Pack("forfeit", period)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackForfeit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6937d792.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function forfeit(uint64 period) returns()
func (possession *Possession) TryPackForfeit(period uint64) ([]byte, error) {
	return possession.abi.Pack("forfeit", period)
}

// PackHashRetrieved is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5687570e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashRetrieved((address,address,bytes32,uint64,bytes32,uint64) r) view returns(bytes32 digest)
func (possession *Possession) PackHashRetrieved(r PossessionRetrieved) []byte {
	enc, err := possession.abi.Pack("hashRetrieved", r)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashRetrieved is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5687570e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashRetrieved((address,address,bytes32,uint64,bytes32,uint64) r) view returns(bytes32 digest)
func (possession *Possession) TryPackHashRetrieved(r PossessionRetrieved) ([]byte, error) {
	return possession.abi.Pack("hashRetrieved", r)
}

// UnpackHashRetrieved is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x5687570e.
//
// Solidity: function hashRetrieved((address,address,bytes32,uint64,bytes32,uint64) r) view returns(bytes32 digest)
func (possession *Possession) UnpackHashRetrieved(data []byte) ([32]byte, error) {
	out, err := possession.abi.Unpack("hashRetrieved", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackLeavesBefore is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f1cf068.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function leavesBefore(address node, uint64 id) view returns(uint64 leaves)
func (possession *Possession) PackLeavesBefore(node common.Address, id uint64) []byte {
	enc, err := possession.abi.Pack("leavesBefore", node, id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLeavesBefore is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f1cf068.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function leavesBefore(address node, uint64 id) view returns(uint64 leaves)
func (possession *Possession) TryPackLeavesBefore(node common.Address, id uint64) ([]byte, error) {
	return possession.abi.Pack("leavesBefore", node, id)
}

// UnpackLeavesBefore is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8f1cf068.
//
// Solidity: function leavesBefore(address node, uint64 id) view returns(uint64 leaves)
func (possession *Possession) UnpackLeavesBefore(data []byte) (uint64, error) {
	out, err := possession.abi.Unpack("leavesBefore", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackPieceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5a5c4829.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function pieceOf(address node, uint64 id) view returns(bytes32 root, uint64 size)
func (possession *Possession) PackPieceOf(node common.Address, id uint64) []byte {
	enc, err := possession.abi.Pack("pieceOf", node, id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPieceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5a5c4829.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function pieceOf(address node, uint64 id) view returns(bytes32 root, uint64 size)
func (possession *Possession) TryPackPieceOf(node common.Address, id uint64) ([]byte, error) {
	return possession.abi.Pack("pieceOf", node, id)
}

// PieceOfOutput serves as a container for the return parameters of contract
// method PieceOf.
type PieceOfOutput struct {
	Root [32]byte
	Size uint64
}

// UnpackPieceOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x5a5c4829.
//
// Solidity: function pieceOf(address node, uint64 id) view returns(bytes32 root, uint64 size)
func (possession *Possession) UnpackPieceOf(data []byte) (PieceOfOutput, error) {
	out, err := possession.abi.Unpack("pieceOf", data)
	outstruct := new(PieceOfOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Root = *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	outstruct.Size = *abi.ConvertType(out[1], new(uint64)).(*uint64)
	return *outstruct, nil
}

// PackPoke is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1a997ac.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function poke(address node) returns()
func (possession *Possession) PackPoke(node common.Address) []byte {
	enc, err := possession.abi.Pack("poke", node)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPoke is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1a997ac.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function poke(address node) returns()
func (possession *Possession) TryPackPoke(node common.Address) ([]byte, error) {
	return possession.abi.Pack("poke", node)
}

// PackProve is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x69f0d71e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function prove(address node, uint64 period, (uint64,uint64,bytes,bytes32[])[] proofs) returns()
func (possession *Possession) PackProve(node common.Address, period uint64, proofs []PossessionProof) []byte {
	enc, err := possession.abi.Pack("prove", node, period, proofs)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProve is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x69f0d71e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function prove(address node, uint64 period, (uint64,uint64,bytes,bytes32[])[] proofs) returns()
func (possession *Possession) TryPackProve(node common.Address, period uint64, proofs []PossessionProof) ([]byte, error) {
	return possession.abi.Pack("prove", node, period, proofs)
}

// PackProven is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x775ba798.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function proven(address node, uint64 period) view returns(bool)
func (possession *Possession) PackProven(node common.Address, period uint64) []byte {
	enc, err := possession.abi.Pack("proven", node, period)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProven is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x775ba798.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function proven(address node, uint64 period) view returns(bool)
func (possession *Possession) TryPackProven(node common.Address, period uint64) ([]byte, error) {
	return possession.abi.Pack("proven", node, period)
}

// UnpackProven is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x775ba798.
//
// Solidity: function proven(address node, uint64 period) view returns(bool)
func (possession *Possession) UnpackProven(data []byte) (bool, error) {
	out, err := possession.abi.Unpack("proven", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackRemove is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcdd80f3b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function remove(uint64[] ids) returns()
func (possession *Possession) PackRemove(ids []uint64) []byte {
	enc, err := possession.abi.Pack("remove", ids)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRemove is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcdd80f3b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function remove(uint64[] ids) returns()
func (possession *Possession) TryPackRemove(ids []uint64) ([]byte, error) {
	return possession.abi.Pack("remove", ids)
}

// PackSeedOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x29316a2a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function seedOf(uint64 period) view returns(bytes32 seed)
func (possession *Possession) PackSeedOf(period uint64) []byte {
	enc, err := possession.abi.Pack("seedOf", period)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSeedOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x29316a2a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function seedOf(uint64 period) view returns(bytes32 seed)
func (possession *Possession) TryPackSeedOf(period uint64) ([]byte, error) {
	return possession.abi.Pack("seedOf", period)
}

// UnpackSeedOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x29316a2a.
//
// Solidity: function seedOf(uint64 period) view returns(bytes32 seed)
func (possession *Possession) UnpackSeedOf(data []byte) ([32]byte, error) {
	out, err := possession.abi.Unpack("seedOf", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackSetOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x637a31db.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setOf(address node) view returns((uint64,uint64,uint64,uint64,uint64,uint32,uint32,uint32,uint32,uint8) set)
func (possession *Possession) PackSetOf(node common.Address) []byte {
	enc, err := possession.abi.Pack("setOf", node)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x637a31db.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setOf(address node) view returns((uint64,uint64,uint64,uint64,uint64,uint32,uint32,uint32,uint32,uint8) set)
func (possession *Possession) TryPackSetOf(node common.Address) ([]byte, error) {
	return possession.abi.Pack("setOf", node)
}

// UnpackSetOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x637a31db.
//
// Solidity: function setOf(address node) view returns((uint64,uint64,uint64,uint64,uint64,uint32,uint32,uint32,uint32,uint8) set)
func (possession *Possession) UnpackSetOf(data []byte) (PossessionSet, error) {
	out, err := possession.abi.Unpack("setOf", data)
	if err != nil {
		return *new(PossessionSet), err
	}
	out0 := *abi.ConvertType(out[0], new(PossessionSet)).(*PossessionSet)
	return out0, nil
}

// PossessionDataWrong represents a DataWrong event raised by the Possession contract.
type PossessionDataWrong struct {
	Node  common.Address
	Piece [32]byte
	Leaf  uint64
	Raw   *types.Log // Blockchain specific contextual infos
}

const PossessionDataWrongEventName = "DataWrong"

// ContractEventName returns the user-defined event name.
func (PossessionDataWrong) ContractEventName() string {
	return PossessionDataWrongEventName
}

// UnpackDataWrongEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event DataWrong(address indexed node, bytes32 indexed piece, uint64 leaf)
func (possession *Possession) UnpackDataWrongEvent(log *types.Log) (*PossessionDataWrong, error) {
	event := "DataWrong"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != possession.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PossessionDataWrong)
	if len(log.Data) > 0 {
		if err := possession.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range possession.abi.Events[event].Inputs {
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

// PossessionEIP712DomainChanged represents a EIP712DomainChanged event raised by the Possession contract.
type PossessionEIP712DomainChanged struct {
	Raw *types.Log // Blockchain specific contextual infos
}

const PossessionEIP712DomainChangedEventName = "EIP712DomainChanged"

// ContractEventName returns the user-defined event name.
func (PossessionEIP712DomainChanged) ContractEventName() string {
	return PossessionEIP712DomainChangedEventName
}

// UnpackEIP712DomainChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event EIP712DomainChanged()
func (possession *Possession) UnpackEIP712DomainChangedEvent(log *types.Log) (*PossessionEIP712DomainChanged, error) {
	event := "EIP712DomainChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != possession.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PossessionEIP712DomainChanged)
	if len(log.Data) > 0 {
		if err := possession.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range possession.abi.Events[event].Inputs {
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

// PossessionPeriodsMissed represents a PeriodsMissed event raised by the Possession contract.
type PossessionPeriodsMissed struct {
	Node common.Address
	From uint64
	To   uint64
	Raw  *types.Log // Blockchain specific contextual infos
}

const PossessionPeriodsMissedEventName = "PeriodsMissed"

// ContractEventName returns the user-defined event name.
func (PossessionPeriodsMissed) ContractEventName() string {
	return PossessionPeriodsMissedEventName
}

// UnpackPeriodsMissedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event PeriodsMissed(address indexed node, uint64 from, uint64 to)
func (possession *Possession) UnpackPeriodsMissedEvent(log *types.Log) (*PossessionPeriodsMissed, error) {
	event := "PeriodsMissed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != possession.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PossessionPeriodsMissed)
	if len(log.Data) > 0 {
		if err := possession.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range possession.abi.Events[event].Inputs {
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

// PossessionPieceAdded represents a PieceAdded event raised by the Possession contract.
type PossessionPieceAdded struct {
	Node common.Address
	Id   uint64
	Root [32]byte
	Size uint64
	Raw  *types.Log // Blockchain specific contextual infos
}

const PossessionPieceAddedEventName = "PieceAdded"

// ContractEventName returns the user-defined event name.
func (PossessionPieceAdded) ContractEventName() string {
	return PossessionPieceAddedEventName
}

// UnpackPieceAddedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event PieceAdded(address indexed node, uint64 indexed id, bytes32 indexed root, uint64 size)
func (possession *Possession) UnpackPieceAddedEvent(log *types.Log) (*PossessionPieceAdded, error) {
	event := "PieceAdded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != possession.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PossessionPieceAdded)
	if len(log.Data) > 0 {
		if err := possession.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range possession.abi.Events[event].Inputs {
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

// PossessionPieceRemoved represents a PieceRemoved event raised by the Possession contract.
type PossessionPieceRemoved struct {
	Node common.Address
	Id   uint64
	Raw  *types.Log // Blockchain specific contextual infos
}

const PossessionPieceRemovedEventName = "PieceRemoved"

// ContractEventName returns the user-defined event name.
func (PossessionPieceRemoved) ContractEventName() string {
	return PossessionPieceRemovedEventName
}

// UnpackPieceRemovedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event PieceRemoved(address indexed node, uint64 indexed id)
func (possession *Possession) UnpackPieceRemovedEvent(log *types.Log) (*PossessionPieceRemoved, error) {
	event := "PieceRemoved"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != possession.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PossessionPieceRemoved)
	if len(log.Data) > 0 {
		if err := possession.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range possession.abi.Events[event].Inputs {
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

// PossessionPossessionProved represents a PossessionProved event raised by the Possession contract.
type PossessionPossessionProved struct {
	Node   common.Address
	Period uint64
	Leaves uint64
	Raw    *types.Log // Blockchain specific contextual infos
}

const PossessionPossessionProvedEventName = "PossessionProved"

// ContractEventName returns the user-defined event name.
func (PossessionPossessionProved) ContractEventName() string {
	return PossessionPossessionProvedEventName
}

// UnpackPossessionProvedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event PossessionProved(address indexed node, uint64 indexed period, uint64 leaves)
func (possession *Possession) UnpackPossessionProvedEvent(log *types.Log) (*PossessionPossessionProved, error) {
	event := "PossessionProved"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != possession.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PossessionPossessionProved)
	if len(log.Data) > 0 {
		if err := possession.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range possession.abi.Events[event].Inputs {
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

// PossessionRetrievalAnswered represents a RetrievalAnswered event raised by the Possession contract.
type PossessionRetrievalAnswered struct {
	Node common.Address
	Id   uint64
	Leaf uint64
	Raw  *types.Log // Blockchain specific contextual infos
}

const PossessionRetrievalAnsweredEventName = "RetrievalAnswered"

// ContractEventName returns the user-defined event name.
func (PossessionRetrievalAnswered) ContractEventName() string {
	return PossessionRetrievalAnsweredEventName
}

// UnpackRetrievalAnsweredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event RetrievalAnswered(address indexed node, uint64 id, uint64 leaf)
func (possession *Possession) UnpackRetrievalAnsweredEvent(log *types.Log) (*PossessionRetrievalAnswered, error) {
	event := "RetrievalAnswered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != possession.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PossessionRetrievalAnswered)
	if len(log.Data) > 0 {
		if err := possession.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range possession.abi.Events[event].Inputs {
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

// PossessionRetrievalDemanded represents a RetrievalDemanded event raised by the Possession contract.
type PossessionRetrievalDemanded struct {
	Node    common.Address
	Auditor common.Address
	Id      uint64
	Leaf    uint64
	By      uint64
	Raw     *types.Log // Blockchain specific contextual infos
}

const PossessionRetrievalDemandedEventName = "RetrievalDemanded"

// ContractEventName returns the user-defined event name.
func (PossessionRetrievalDemanded) ContractEventName() string {
	return PossessionRetrievalDemandedEventName
}

// UnpackRetrievalDemandedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event RetrievalDemanded(address indexed node, address indexed auditor, uint64 id, uint64 leaf, uint64 by)
func (possession *Possession) UnpackRetrievalDemandedEvent(log *types.Log) (*PossessionRetrievalDemanded, error) {
	event := "RetrievalDemanded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != possession.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PossessionRetrievalDemanded)
	if len(log.Data) > 0 {
		if err := possession.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range possession.abi.Events[event].Inputs {
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

// PossessionRetrievalMissed represents a RetrievalMissed event raised by the Possession contract.
type PossessionRetrievalMissed struct {
	Node    common.Address
	Auditor common.Address
	Id      uint64
	Leaf    uint64
	Raw     *types.Log // Blockchain specific contextual infos
}

const PossessionRetrievalMissedEventName = "RetrievalMissed"

// ContractEventName returns the user-defined event name.
func (PossessionRetrievalMissed) ContractEventName() string {
	return PossessionRetrievalMissedEventName
}

// UnpackRetrievalMissedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event RetrievalMissed(address indexed node, address indexed auditor, uint64 id, uint64 leaf)
func (possession *Possession) UnpackRetrievalMissedEvent(log *types.Log) (*PossessionRetrievalMissed, error) {
	event := "RetrievalMissed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != possession.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PossessionRetrievalMissed)
	if len(log.Data) > 0 {
		if err := possession.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range possession.abi.Events[event].Inputs {
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
func (possession *Possession) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], possession.abi.Errors["AlreadyAccused"].ID.Bytes()[:4]) {
		return possession.UnpackAlreadyAccusedError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["AlreadyDemanded"].ID.Bytes()[:4]) {
		return possession.UnpackAlreadyDemandedError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["AlreadyForfeited"].ID.Bytes()[:4]) {
		return possession.UnpackAlreadyForfeitedError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["AlreadyProved"].ID.Bytes()[:4]) {
		return possession.UnpackAlreadyProvedError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["AnswerLate"].ID.Bytes()[:4]) {
		return possession.UnpackAnswerLateError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["BadBatch"].ID.Bytes()[:4]) {
		return possession.UnpackBadBatchError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["BadLeafSize"].ID.Bytes()[:4]) {
		return possession.UnpackBadLeafSizeError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["BadLeaves"].ID.Bytes()[:4]) {
		return possession.UnpackBadLeavesError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["BadPadding"].ID.Bytes()[:4]) {
		return possession.UnpackBadPaddingError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["BadPathLength"].ID.Bytes()[:4]) {
		return possession.UnpackBadPathLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["BadPeriod"].ID.Bytes()[:4]) {
		return possession.UnpackBadPeriodError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["BadPiece"].ID.Bytes()[:4]) {
		return possession.UnpackBadPieceError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["DataRight"].ID.Bytes()[:4]) {
		return possession.UnpackDataRightError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["DemandNotOver"].ID.Bytes()[:4]) {
		return possession.UnpackDemandNotOverError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["DemandOpen"].ID.Bytes()[:4]) {
		return possession.UnpackDemandOpenError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["ECDSAInvalidSignature"].ID.Bytes()[:4]) {
		return possession.UnpackECDSAInvalidSignatureError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["ECDSAInvalidSignatureLength"].ID.Bytes()[:4]) {
		return possession.UnpackECDSAInvalidSignatureLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["ECDSAInvalidSignatureS"].ID.Bytes()[:4]) {
		return possession.UnpackECDSAInvalidSignatureSError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["EarlyProof"].ID.Bytes()[:4]) {
		return possession.UnpackEarlyProofError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["ForeignProof"].ID.Bytes()[:4]) {
		return possession.UnpackForeignProofError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["Forgotten"].ID.Bytes()[:4]) {
		return possession.UnpackForgottenError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["InvalidShortString"].ID.Bytes()[:4]) {
		return possession.UnpackInvalidShortStringError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["LeafOutOfRange"].ID.Bytes()[:4]) {
		return possession.UnpackLeafOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["NoDemand"].ID.Bytes()[:4]) {
		return possession.UnpackNoDemandError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["NoDraw"].ID.Bytes()[:4]) {
		return possession.UnpackNoDrawError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["NotAuditor"].ID.Bytes()[:4]) {
		return possession.UnpackNotAuditorError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["NotNode"].ID.Bytes()[:4]) {
		return possession.UnpackNotNodeError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["NothingToProve"].ID.Bytes()[:4]) {
		return possession.UnpackNothingToProveError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["ProveFirst"].ID.Bytes()[:4]) {
		return possession.UnpackProveFirstError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["SeedUnavailable"].ID.Bytes()[:4]) {
		return possession.UnpackSeedUnavailableError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["StaleProof"].ID.Bytes()[:4]) {
		return possession.UnpackStaleProofError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["StringTooLong"].ID.Bytes()[:4]) {
		return possession.UnpackStringTooLongError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["TooManyDemands"].ID.Bytes()[:4]) {
		return possession.UnpackTooManyDemandsError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["UnknownPiece"].ID.Bytes()[:4]) {
		return possession.UnpackUnknownPieceError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["WrongCount"].ID.Bytes()[:4]) {
		return possession.UnpackWrongCountError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["WrongLeaf"].ID.Bytes()[:4]) {
		return possession.UnpackWrongLeafError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["WrongPiece"].ID.Bytes()[:4]) {
		return possession.UnpackWrongPieceError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["WrongRoot"].ID.Bytes()[:4]) {
		return possession.UnpackWrongRootError(raw[4:])
	}
	if bytes.Equal(raw[:4], possession.abi.Errors["WrongSigner"].ID.Bytes()[:4]) {
		return possession.UnpackWrongSignerError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// PossessionAlreadyAccused represents a AlreadyAccused error raised by the Possession contract.
type PossessionAlreadyAccused struct {
	Node  common.Address
	Piece [32]byte
	Leaf  uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyAccused(address node, bytes32 piece, uint64 leaf)
func PossessionAlreadyAccusedErrorID() common.Hash {
	return common.HexToHash("0x6c07face369771dde228178082c03ab5f32f6a64d8d195d2d04824f2d057b2c8")
}

// UnpackAlreadyAccusedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyAccused(address node, bytes32 piece, uint64 leaf)
func (possession *Possession) UnpackAlreadyAccusedError(raw []byte) (*PossessionAlreadyAccused, error) {
	out := new(PossessionAlreadyAccused)
	if err := possession.abi.UnpackIntoInterface(out, "AlreadyAccused", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionAlreadyDemanded represents a AlreadyDemanded error raised by the Possession contract.
type PossessionAlreadyDemanded struct {
	Node    common.Address
	Auditor common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyDemanded(address node, address auditor)
func PossessionAlreadyDemandedErrorID() common.Hash {
	return common.HexToHash("0x29537637b01e97c750055362d60157e71242eabe1cf4de8bae711a171491601e")
}

// UnpackAlreadyDemandedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyDemanded(address node, address auditor)
func (possession *Possession) UnpackAlreadyDemandedError(raw []byte) (*PossessionAlreadyDemanded, error) {
	out := new(PossessionAlreadyDemanded)
	if err := possession.abi.UnpackIntoInterface(out, "AlreadyDemanded", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionAlreadyForfeited represents a AlreadyForfeited error raised by the Possession contract.
type PossessionAlreadyForfeited struct {
	Period uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyForfeited(uint64 period)
func PossessionAlreadyForfeitedErrorID() common.Hash {
	return common.HexToHash("0xf0f2588feea92f8c056bc73e14b54c88d29398da702add6144b19169154641ad")
}

// UnpackAlreadyForfeitedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyForfeited(uint64 period)
func (possession *Possession) UnpackAlreadyForfeitedError(raw []byte) (*PossessionAlreadyForfeited, error) {
	out := new(PossessionAlreadyForfeited)
	if err := possession.abi.UnpackIntoInterface(out, "AlreadyForfeited", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionAlreadyProved represents a AlreadyProved error raised by the Possession contract.
type PossessionAlreadyProved struct {
	Period uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyProved(uint64 period)
func PossessionAlreadyProvedErrorID() common.Hash {
	return common.HexToHash("0xe43982fb693dca093abb7918e25a607e3d0e19b494a9ddc38fbd7ece56d89ae8")
}

// UnpackAlreadyProvedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyProved(uint64 period)
func (possession *Possession) UnpackAlreadyProvedError(raw []byte) (*PossessionAlreadyProved, error) {
	out := new(PossessionAlreadyProved)
	if err := possession.abi.UnpackIntoInterface(out, "AlreadyProved", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionAnswerLate represents a AnswerLate error raised by the Possession contract.
type PossessionAnswerLate struct {
	By uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AnswerLate(uint64 by)
func PossessionAnswerLateErrorID() common.Hash {
	return common.HexToHash("0xe3839d3e7d801daa31fcb917a3011dc95f650b4dff64fba61383d852e21a3cb8")
}

// UnpackAnswerLateError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AnswerLate(uint64 by)
func (possession *Possession) UnpackAnswerLateError(raw []byte) (*PossessionAnswerLate, error) {
	out := new(PossessionAnswerLate)
	if err := possession.abi.UnpackIntoInterface(out, "AnswerLate", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionBadBatch represents a BadBatch error raised by the Possession contract.
type PossessionBadBatch struct {
	Roots *big.Int
	Sizes *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadBatch(uint256 roots, uint256 sizes)
func PossessionBadBatchErrorID() common.Hash {
	return common.HexToHash("0x397d4cde4acc032b3f8cee07890fb2fc6cb842e595108a952fb637b755224b8d")
}

// UnpackBadBatchError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadBatch(uint256 roots, uint256 sizes)
func (possession *Possession) UnpackBadBatchError(raw []byte) (*PossessionBadBatch, error) {
	out := new(PossessionBadBatch)
	if err := possession.abi.UnpackIntoInterface(out, "BadBatch", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionBadLeafSize represents a BadLeafSize error raised by the Possession contract.
type PossessionBadLeafSize struct {
	Length *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadLeafSize(uint256 length)
func PossessionBadLeafSizeErrorID() common.Hash {
	return common.HexToHash("0x49f757bbad4d4cf8e72f02fb7e47b420c9bc3fd072ddcfc85e45fa6c74528f08")
}

// UnpackBadLeafSizeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadLeafSize(uint256 length)
func (possession *Possession) UnpackBadLeafSizeError(raw []byte) (*PossessionBadLeafSize, error) {
	out := new(PossessionBadLeafSize)
	if err := possession.abi.UnpackIntoInterface(out, "BadLeafSize", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionBadLeaves represents a BadLeaves error raised by the Possession contract.
type PossessionBadLeaves struct {
	Leaves uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadLeaves(uint64 leaves)
func PossessionBadLeavesErrorID() common.Hash {
	return common.HexToHash("0x55d3733f7da3964e463acf2836b18349bef2697316c338fd2d2c2bc1e144ca09")
}

// UnpackBadLeavesError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadLeaves(uint64 leaves)
func (possession *Possession) UnpackBadLeavesError(raw []byte) (*PossessionBadLeaves, error) {
	out := new(PossessionBadLeaves)
	if err := possession.abi.UnpackIntoInterface(out, "BadLeaves", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionBadPadding represents a BadPadding error raised by the Possession contract.
type PossessionBadPadding struct {
	Leaf uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadPadding(uint64 leaf)
func PossessionBadPaddingErrorID() common.Hash {
	return common.HexToHash("0xe93dac6b3160b61cfbe1f7f4dd347571bc3d6d2db041e8ec2e421692ce70b883")
}

// UnpackBadPaddingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadPadding(uint64 leaf)
func (possession *Possession) UnpackBadPaddingError(raw []byte) (*PossessionBadPadding, error) {
	out := new(PossessionBadPadding)
	if err := possession.abi.UnpackIntoInterface(out, "BadPadding", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionBadPathLength represents a BadPathLength error raised by the Possession contract.
type PossessionBadPathLength struct {
	Length *big.Int
	Depth  *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadPathLength(uint256 length, uint256 depth)
func PossessionBadPathLengthErrorID() common.Hash {
	return common.HexToHash("0x6f8f8ff248e460dbd7f5c64b6f2632695151fbda74946051d18c7ab3aaa440c0")
}

// UnpackBadPathLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadPathLength(uint256 length, uint256 depth)
func (possession *Possession) UnpackBadPathLengthError(raw []byte) (*PossessionBadPathLength, error) {
	out := new(PossessionBadPathLength)
	if err := possession.abi.UnpackIntoInterface(out, "BadPathLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionBadPeriod represents a BadPeriod error raised by the Possession contract.
type PossessionBadPeriod struct {
	Period uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadPeriod(uint64 period)
func PossessionBadPeriodErrorID() common.Hash {
	return common.HexToHash("0x19e9f66c4653fda9b93a39021fff69a7edbd91fcfcb5482767bfffd50da52bcd")
}

// UnpackBadPeriodError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadPeriod(uint64 period)
func (possession *Possession) UnpackBadPeriodError(raw []byte) (*PossessionBadPeriod, error) {
	out := new(PossessionBadPeriod)
	if err := possession.abi.UnpackIntoInterface(out, "BadPeriod", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionBadPiece represents a BadPiece error raised by the Possession contract.
type PossessionBadPiece struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadPiece(uint256 index)
func PossessionBadPieceErrorID() common.Hash {
	return common.HexToHash("0x5395556102be1e3b567b1927f63a680fffa79c3ae9e527e1cfa658efdc83a9eb")
}

// UnpackBadPieceError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadPiece(uint256 index)
func (possession *Possession) UnpackBadPieceError(raw []byte) (*PossessionBadPiece, error) {
	out := new(PossessionBadPiece)
	if err := possession.abi.UnpackIntoInterface(out, "BadPiece", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionDataRight represents a DataRight error raised by the Possession contract.
type PossessionDataRight struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DataRight()
func PossessionDataRightErrorID() common.Hash {
	return common.HexToHash("0x799388293ed3e9284f1c13381889830edbd04056d9005073e1968bf9ff78c4bf")
}

// UnpackDataRightError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DataRight()
func (possession *Possession) UnpackDataRightError(raw []byte) (*PossessionDataRight, error) {
	out := new(PossessionDataRight)
	if err := possession.abi.UnpackIntoInterface(out, "DataRight", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionDemandNotOver represents a DemandNotOver error raised by the Possession contract.
type PossessionDemandNotOver struct {
	By uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DemandNotOver(uint64 by)
func PossessionDemandNotOverErrorID() common.Hash {
	return common.HexToHash("0x48e1904c3000f33c42e85d76b1a201a43bfe87d20913ecb9b0684b2fab4ce1d9")
}

// UnpackDemandNotOverError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DemandNotOver(uint64 by)
func (possession *Possession) UnpackDemandNotOverError(raw []byte) (*PossessionDemandNotOver, error) {
	out := new(PossessionDemandNotOver)
	if err := possession.abi.UnpackIntoInterface(out, "DemandNotOver", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionDemandOpen represents a DemandOpen error raised by the Possession contract.
type PossessionDemandOpen struct {
	Id uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DemandOpen(uint64 id)
func PossessionDemandOpenErrorID() common.Hash {
	return common.HexToHash("0xb5ba71256ada54a2002cef0404e3e5d8c1b8db82a5a76a57ee358ab2c871be5a")
}

// UnpackDemandOpenError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DemandOpen(uint64 id)
func (possession *Possession) UnpackDemandOpenError(raw []byte) (*PossessionDemandOpen, error) {
	out := new(PossessionDemandOpen)
	if err := possession.abi.UnpackIntoInterface(out, "DemandOpen", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionECDSAInvalidSignature represents a ECDSAInvalidSignature error raised by the Possession contract.
type PossessionECDSAInvalidSignature struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ECDSAInvalidSignature()
func PossessionECDSAInvalidSignatureErrorID() common.Hash {
	return common.HexToHash("0xf645eedf0193584640b6b90cb9477e4c95b98636c148a891d4c0a146dc46e75a")
}

// UnpackECDSAInvalidSignatureError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ECDSAInvalidSignature()
func (possession *Possession) UnpackECDSAInvalidSignatureError(raw []byte) (*PossessionECDSAInvalidSignature, error) {
	out := new(PossessionECDSAInvalidSignature)
	if err := possession.abi.UnpackIntoInterface(out, "ECDSAInvalidSignature", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionECDSAInvalidSignatureLength represents a ECDSAInvalidSignatureLength error raised by the Possession contract.
type PossessionECDSAInvalidSignatureLength struct {
	Length *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ECDSAInvalidSignatureLength(uint256 length)
func PossessionECDSAInvalidSignatureLengthErrorID() common.Hash {
	return common.HexToHash("0xfce698f7e8e5342cd615f641317bc45fe7e1e4a8b0a14dd1383ff8dc9c41917f")
}

// UnpackECDSAInvalidSignatureLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ECDSAInvalidSignatureLength(uint256 length)
func (possession *Possession) UnpackECDSAInvalidSignatureLengthError(raw []byte) (*PossessionECDSAInvalidSignatureLength, error) {
	out := new(PossessionECDSAInvalidSignatureLength)
	if err := possession.abi.UnpackIntoInterface(out, "ECDSAInvalidSignatureLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionECDSAInvalidSignatureS represents a ECDSAInvalidSignatureS error raised by the Possession contract.
type PossessionECDSAInvalidSignatureS struct {
	S [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ECDSAInvalidSignatureS(bytes32 s)
func PossessionECDSAInvalidSignatureSErrorID() common.Hash {
	return common.HexToHash("0xd78bce0cccb935155ed6428d1c13e50b7f3550fd2b66b9fe266006fea4a5e1eb")
}

// UnpackECDSAInvalidSignatureSError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ECDSAInvalidSignatureS(bytes32 s)
func (possession *Possession) UnpackECDSAInvalidSignatureSError(raw []byte) (*PossessionECDSAInvalidSignatureS, error) {
	out := new(PossessionECDSAInvalidSignatureS)
	if err := possession.abi.UnpackIntoInterface(out, "ECDSAInvalidSignatureS", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionEarlyProof represents a EarlyProof error raised by the Possession contract.
type PossessionEarlyProof struct {
	Period uint64
	Block  *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EarlyProof(uint64 period, uint256 block)
func PossessionEarlyProofErrorID() common.Hash {
	return common.HexToHash("0x06580e2e7f7d43c6c99fe64c68457ed267d269f3ad1a5bf2e11eff80dd584f10")
}

// UnpackEarlyProofError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EarlyProof(uint64 period, uint256 block)
func (possession *Possession) UnpackEarlyProofError(raw []byte) (*PossessionEarlyProof, error) {
	out := new(PossessionEarlyProof)
	if err := possession.abi.UnpackIntoInterface(out, "EarlyProof", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionForeignProof represents a ForeignProof error raised by the Possession contract.
type PossessionForeignProof struct {
	Sender common.Address
	Node   common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ForeignProof(address sender, address node)
func PossessionForeignProofErrorID() common.Hash {
	return common.HexToHash("0xf20f49370d678772eb271d198e13146889fbca4161cc4be48745f0fa85d4f742")
}

// UnpackForeignProofError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ForeignProof(address sender, address node)
func (possession *Possession) UnpackForeignProofError(raw []byte) (*PossessionForeignProof, error) {
	out := new(PossessionForeignProof)
	if err := possession.abi.UnpackIntoInterface(out, "ForeignProof", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionForgotten represents a Forgotten error raised by the Possession contract.
type PossessionForgotten struct {
	Period uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Forgotten(uint64 period)
func PossessionForgottenErrorID() common.Hash {
	return common.HexToHash("0x89b5d14c039dd98585fff2fd44a3a39177a12ce565dbfff6e4cd1d1a46bb9bdd")
}

// UnpackForgottenError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Forgotten(uint64 period)
func (possession *Possession) UnpackForgottenError(raw []byte) (*PossessionForgotten, error) {
	out := new(PossessionForgotten)
	if err := possession.abi.UnpackIntoInterface(out, "Forgotten", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionInvalidShortString represents a InvalidShortString error raised by the Possession contract.
type PossessionInvalidShortString struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidShortString()
func PossessionInvalidShortStringErrorID() common.Hash {
	return common.HexToHash("0xb3512b0c6163e5f0bafab72bb631b9d58cd7a731b082f910338aa21c83d5c274")
}

// UnpackInvalidShortStringError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidShortString()
func (possession *Possession) UnpackInvalidShortStringError(raw []byte) (*PossessionInvalidShortString, error) {
	out := new(PossessionInvalidShortString)
	if err := possession.abi.UnpackIntoInterface(out, "InvalidShortString", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionLeafOutOfRange represents a LeafOutOfRange error raised by the Possession contract.
type PossessionLeafOutOfRange struct {
	Leaf   uint64
	Leaves uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error LeafOutOfRange(uint64 leaf, uint64 leaves)
func PossessionLeafOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0x2f47ee844ba93f1ea565abc2e399aa6cb82d945b08c22da77177c04689e3b83d")
}

// UnpackLeafOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error LeafOutOfRange(uint64 leaf, uint64 leaves)
func (possession *Possession) UnpackLeafOutOfRangeError(raw []byte) (*PossessionLeafOutOfRange, error) {
	out := new(PossessionLeafOutOfRange)
	if err := possession.abi.UnpackIntoInterface(out, "LeafOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionNoDemand represents a NoDemand error raised by the Possession contract.
type PossessionNoDemand struct {
	Node common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoDemand(address node)
func PossessionNoDemandErrorID() common.Hash {
	return common.HexToHash("0x4dec86509463dbfc2c7932054be5881d6bcad9f9c0712e3f223b18ee0d71c863")
}

// UnpackNoDemandError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoDemand(address node)
func (possession *Possession) UnpackNoDemandError(raw []byte) (*PossessionNoDemand, error) {
	out := new(PossessionNoDemand)
	if err := possession.abi.UnpackIntoInterface(out, "NoDemand", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionNoDraw represents a NoDraw error raised by the Possession contract.
type PossessionNoDraw struct {
	Index uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoDraw(uint64 index)
func PossessionNoDrawErrorID() common.Hash {
	return common.HexToHash("0x619ea24b38a8ae36b4159a705be0bbb8bc0493e192dacd6a6a1c017862ac3f8b")
}

// UnpackNoDrawError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoDraw(uint64 index)
func (possession *Possession) UnpackNoDrawError(raw []byte) (*PossessionNoDraw, error) {
	out := new(PossessionNoDraw)
	if err := possession.abi.UnpackIntoInterface(out, "NoDraw", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionNotAuditor represents a NotAuditor error raised by the Possession contract.
type PossessionNotAuditor struct {
	Sender common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotAuditor(address sender)
func PossessionNotAuditorErrorID() common.Hash {
	return common.HexToHash("0x810261c3a0a427fd17f080ea36c04092052d32b6ffbcc99c6892c6c697d1dc32")
}

// UnpackNotAuditorError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotAuditor(address sender)
func (possession *Possession) UnpackNotAuditorError(raw []byte) (*PossessionNotAuditor, error) {
	out := new(PossessionNotAuditor)
	if err := possession.abi.UnpackIntoInterface(out, "NotAuditor", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionNotNode represents a NotNode error raised by the Possession contract.
type PossessionNotNode struct {
	Sender common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotNode(address sender)
func PossessionNotNodeErrorID() common.Hash {
	return common.HexToHash("0x079dc00127d75b8ec8bef86983d24e9e6e396526cc9288c1a652055f675afb91")
}

// UnpackNotNodeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotNode(address sender)
func (possession *Possession) UnpackNotNodeError(raw []byte) (*PossessionNotNode, error) {
	out := new(PossessionNotNode)
	if err := possession.abi.UnpackIntoInterface(out, "NotNode", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionNothingToProve represents a NothingToProve error raised by the Possession contract.
type PossessionNothingToProve struct {
	Period uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NothingToProve(uint64 period)
func PossessionNothingToProveErrorID() common.Hash {
	return common.HexToHash("0xec98d4a9e529ad1131aa0e7f26adec08a0e4793b91c33750228b798c3d6a4f20")
}

// UnpackNothingToProveError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NothingToProve(uint64 period)
func (possession *Possession) UnpackNothingToProveError(raw []byte) (*PossessionNothingToProve, error) {
	out := new(PossessionNothingToProve)
	if err := possession.abi.UnpackIntoInterface(out, "NothingToProve", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionProveFirst represents a ProveFirst error raised by the Possession contract.
type PossessionProveFirst struct {
	Period uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ProveFirst(uint64 period)
func PossessionProveFirstErrorID() common.Hash {
	return common.HexToHash("0xf6ea562b9c3f6323ca6433c48c3a8a201999ac1ce6a315c207477343ac120563")
}

// UnpackProveFirstError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ProveFirst(uint64 period)
func (possession *Possession) UnpackProveFirstError(raw []byte) (*PossessionProveFirst, error) {
	out := new(PossessionProveFirst)
	if err := possession.abi.UnpackIntoInterface(out, "ProveFirst", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionSeedUnavailable represents a SeedUnavailable error raised by the Possession contract.
type PossessionSeedUnavailable struct {
	Period uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SeedUnavailable(uint64 period)
func PossessionSeedUnavailableErrorID() common.Hash {
	return common.HexToHash("0xf5e3e904e0adbcf334d92088656aa6a60350426afdd79a3e84c2e17cddb7aa80")
}

// UnpackSeedUnavailableError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SeedUnavailable(uint64 period)
func (possession *Possession) UnpackSeedUnavailableError(raw []byte) (*PossessionSeedUnavailable, error) {
	out := new(PossessionSeedUnavailable)
	if err := possession.abi.UnpackIntoInterface(out, "SeedUnavailable", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionStaleProof represents a StaleProof error raised by the Possession contract.
type PossessionStaleProof struct {
	Period  uint64
	Current uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StaleProof(uint64 period, uint64 current)
func PossessionStaleProofErrorID() common.Hash {
	return common.HexToHash("0x77f1a100c9db1817c5d582d81999f291574b7f6e3bd0c1b661eb43294c785e88")
}

// UnpackStaleProofError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StaleProof(uint64 period, uint64 current)
func (possession *Possession) UnpackStaleProofError(raw []byte) (*PossessionStaleProof, error) {
	out := new(PossessionStaleProof)
	if err := possession.abi.UnpackIntoInterface(out, "StaleProof", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionStringTooLong represents a StringTooLong error raised by the Possession contract.
type PossessionStringTooLong struct {
	Str string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StringTooLong(string str)
func PossessionStringTooLongErrorID() common.Hash {
	return common.HexToHash("0x305a27a93f8e33b7392df0a0f91d6fc63847395853c45991eec52dbf24d72381")
}

// UnpackStringTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StringTooLong(string str)
func (possession *Possession) UnpackStringTooLongError(raw []byte) (*PossessionStringTooLong, error) {
	out := new(PossessionStringTooLong)
	if err := possession.abi.UnpackIntoInterface(out, "StringTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionTooManyDemands represents a TooManyDemands error raised by the Possession contract.
type PossessionTooManyDemands struct {
	Node common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TooManyDemands(address node)
func PossessionTooManyDemandsErrorID() common.Hash {
	return common.HexToHash("0xaf0d0a395b9601a48863e2d4490353c64d083d83e9b8d4b62834190568bc81f8")
}

// UnpackTooManyDemandsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TooManyDemands(address node)
func (possession *Possession) UnpackTooManyDemandsError(raw []byte) (*PossessionTooManyDemands, error) {
	out := new(PossessionTooManyDemands)
	if err := possession.abi.UnpackIntoInterface(out, "TooManyDemands", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionUnknownPiece represents a UnknownPiece error raised by the Possession contract.
type PossessionUnknownPiece struct {
	Node common.Address
	Id   uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error UnknownPiece(address node, uint64 id)
func PossessionUnknownPieceErrorID() common.Hash {
	return common.HexToHash("0x4d22a9527d37d0d29b122a4615b64b68e2e0bb0d3ed3325709172ceba9b2a97f")
}

// UnpackUnknownPieceError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error UnknownPiece(address node, uint64 id)
func (possession *Possession) UnpackUnknownPieceError(raw []byte) (*PossessionUnknownPiece, error) {
	out := new(PossessionUnknownPiece)
	if err := possession.abi.UnpackIntoInterface(out, "UnknownPiece", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionWrongCount represents a WrongCount error raised by the Possession contract.
type PossessionWrongCount struct {
	Count  *big.Int
	Leaves *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongCount(uint256 count, uint256 leaves)
func PossessionWrongCountErrorID() common.Hash {
	return common.HexToHash("0xf46f757871802addf3b01f57405479da942775d3c5f7489ced984c285a1ec4bf")
}

// UnpackWrongCountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongCount(uint256 count, uint256 leaves)
func (possession *Possession) UnpackWrongCountError(raw []byte) (*PossessionWrongCount, error) {
	out := new(PossessionWrongCount)
	if err := possession.abi.UnpackIntoInterface(out, "WrongCount", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionWrongLeaf represents a WrongLeaf error raised by the Possession contract.
type PossessionWrongLeaf struct {
	Index *big.Int
	Leaf  uint64
	Drawn uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongLeaf(uint256 index, uint64 leaf, uint64 drawn)
func PossessionWrongLeafErrorID() common.Hash {
	return common.HexToHash("0x1ecf6af4b7f397f6835aef74fbfa96961ed5c260caaab0663e7de8bf5b3ee576")
}

// UnpackWrongLeafError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongLeaf(uint256 index, uint64 leaf, uint64 drawn)
func (possession *Possession) UnpackWrongLeafError(raw []byte) (*PossessionWrongLeaf, error) {
	out := new(PossessionWrongLeaf)
	if err := possession.abi.UnpackIntoInterface(out, "WrongLeaf", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionWrongPiece represents a WrongPiece error raised by the Possession contract.
type PossessionWrongPiece struct {
	Index *big.Int
	Id    uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongPiece(uint256 index, uint64 id)
func PossessionWrongPieceErrorID() common.Hash {
	return common.HexToHash("0xfd5f46930074ad9e11e31de6ea8ae2227671544e534fc54b6ea5081cd19dbcd6")
}

// UnpackWrongPieceError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongPiece(uint256 index, uint64 id)
func (possession *Possession) UnpackWrongPieceError(raw []byte) (*PossessionWrongPiece, error) {
	out := new(PossessionWrongPiece)
	if err := possession.abi.UnpackIntoInterface(out, "WrongPiece", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionWrongRoot represents a WrongRoot error raised by the Possession contract.
type PossessionWrongRoot struct {
	Root  [32]byte
	Piece [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongRoot(bytes32 root, bytes32 piece)
func PossessionWrongRootErrorID() common.Hash {
	return common.HexToHash("0xa864586d2a8349087c0526b31fd228c7c3946fb4fe0a81d106bb2994a2b3c293")
}

// UnpackWrongRootError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongRoot(bytes32 root, bytes32 piece)
func (possession *Possession) UnpackWrongRootError(raw []byte) (*PossessionWrongRoot, error) {
	out := new(PossessionWrongRoot)
	if err := possession.abi.UnpackIntoInterface(out, "WrongRoot", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PossessionWrongSigner represents a WrongSigner error raised by the Possession contract.
type PossessionWrongSigner struct {
	Signer common.Address
	Node   common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongSigner(address signer, address node)
func PossessionWrongSignerErrorID() common.Hash {
	return common.HexToHash("0x366d29f7de543b1e5962d6f7315450f1f5ec3d853d28dca80282b4c242185268")
}

// UnpackWrongSignerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongSigner(address signer, address node)
func (possession *Possession) UnpackWrongSignerError(raw []byte) (*PossessionWrongSigner, error) {
	out := new(PossessionWrongSigner)
	if err := possession.abi.UnpackIntoInterface(out, "WrongSigner", raw); err != nil {
		return nil, err
	}
	return out, nil
}
