// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package vault

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

// VaultLock is an auto generated low-level Go binding around an user-defined struct.
type VaultLock struct {
	Submitter common.Address
	End       uint64
	Value     *big.Int
	Spent     *big.Int
}

// VaultOffer is an auto generated low-level Go binding around an user-defined struct.
type VaultOffer struct {
	Submitter common.Address
	Nonce     uint64
	Kind      uint8
	Spec      []byte
	Tier      uint8
	Direct    common.Address
	Value     *big.Int
	Deadline  uint64
}

// VaultVoucher is an auto generated low-level Go binding around an user-defined struct.
type VaultVoucher struct {
	Offer    [32]byte
	Payer    common.Address
	Worker   common.Address
	Seq      uint64
	Value    *big.Int
	Receipts [32]byte
}

// VaultMetaData contains all meta data concerning the Vault contract.
var VaultMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"contractToken\",\"name\":\"token\",\"type\":\"address\"}],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"length\",\"type\":\"uint256\"}],\"name\":\"BadSpecLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"deadline\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"time\",\"type\":\"uint64\"}],\"name\":\"DeadlineOutOfRange\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ECDSAInvalidSignature\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"length\",\"type\":\"uint256\"}],\"name\":\"ECDSAInvalidSignatureLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"s\",\"type\":\"bytes32\"}],\"name\":\"ECDSAInvalidSignatureS\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"available\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"needed\",\"type\":\"uint256\"}],\"name\":\"InsufficientAvailable\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"InvalidShortString\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"ledger\",\"type\":\"address\"}],\"name\":\"LedgerAlreadySet\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"LedgerNotSet\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"end\",\"type\":\"uint64\"}],\"name\":\"LockEnded\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"left\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"needed\",\"type\":\"uint256\"}],\"name\":\"LockExceeded\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"}],\"name\":\"NotDeployer\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"payer\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"submitter\",\"type\":\"address\"}],\"name\":\"NotPayer\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"submitter\",\"type\":\"address\"}],\"name\":\"NotSubmitter\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"token\",\"type\":\"address\"}],\"name\":\"SafeERC20FailedOperation\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"str\",\"type\":\"string\"}],\"name\":\"StringTooLong\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"submitter\",\"type\":\"address\"}],\"name\":\"TooManyLocks\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"}],\"name\":\"UnknownOffer\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"next\",\"type\":\"uint64\"}],\"name\":\"WrongNonce\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"signer\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"payer\",\"type\":\"address\"}],\"name\":\"WrongSigner\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ZeroAmount\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"name\":\"Deposited\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[],\"name\":\"EIP712DomainChanged\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"ledger\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"auditWindow\",\"type\":\"uint64\"}],\"name\":\"LedgerSet\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"id\",\"type\":\"bytes32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"submitter\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint8\",\"name\":\"kind\",\"type\":\"uint8\"},{\"indexed\":false,\"internalType\":\"bytes\",\"name\":\"spec\",\"type\":\"bytes\"},{\"indexed\":false,\"internalType\":\"uint8\",\"name\":\"tier\",\"type\":\"uint8\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"direct\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"deadline\",\"type\":\"uint64\"}],\"name\":\"OfferOpened\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"channel\",\"type\":\"bytes32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"payer\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"seq\",\"type\":\"uint64\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"moved\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"collected\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"receipts\",\"type\":\"bytes32\"}],\"name\":\"Redeemed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"name\":\"Withdrawn\",\"type\":\"event\"},{\"inputs\":[],\"name\":\"MAX_DEADLINE\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_LOCKS\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_SPEC\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"TOKEN\",\"outputs\":[{\"internalType\":\"contractToken\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"submitter\",\"type\":\"address\"}],\"name\":\"activeOf\",\"outputs\":[{\"internalType\":\"bytes32[]\",\"name\":\"\",\"type\":\"bytes32[]\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"auditWindow\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"}],\"name\":\"available\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"}],\"name\":\"balanceOf\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"}],\"name\":\"channelOf\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"pure\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"channel\",\"type\":\"bytes32\"}],\"name\":\"collected\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"name\":\"deposit\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"deadline\",\"type\":\"uint256\"},{\"internalType\":\"uint8\",\"name\":\"v\",\"type\":\"uint8\"},{\"internalType\":\"bytes32\",\"name\":\"r\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"s\",\"type\":\"bytes32\"}],\"name\":\"depositWithPermit\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"eip712Domain\",\"outputs\":[{\"internalType\":\"bytes1\",\"name\":\"fields\",\"type\":\"bytes1\"},{\"internalType\":\"string\",\"name\":\"name\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"version\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"chainId\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"verifyingContract\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"uint256[]\",\"name\":\"extensions\",\"type\":\"uint256[]\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"submitter\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint8\",\"name\":\"kind\",\"type\":\"uint8\"},{\"internalType\":\"bytes\",\"name\":\"spec\",\"type\":\"bytes\"},{\"internalType\":\"uint8\",\"name\":\"tier\",\"type\":\"uint8\"},{\"internalType\":\"address\",\"name\":\"direct\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"},{\"internalType\":\"uint64\",\"name\":\"deadline\",\"type\":\"uint64\"}],\"internalType\":\"structVault.Offer\",\"name\":\"o\",\"type\":\"tuple\"}],\"name\":\"hashOffer\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"payer\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"seq\",\"type\":\"uint64\"},{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"receipts\",\"type\":\"bytes32\"}],\"internalType\":\"structVault.Voucher\",\"name\":\"v\",\"type\":\"tuple\"}],\"name\":\"hashVoucher\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"ledger\",\"outputs\":[{\"internalType\":\"contractLedger\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"}],\"name\":\"lockOf\",\"outputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"submitter\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"end\",\"type\":\"uint64\"},{\"internalType\":\"uint128\",\"name\":\"value\",\"type\":\"uint128\"},{\"internalType\":\"uint128\",\"name\":\"spent\",\"type\":\"uint128\"}],\"internalType\":\"structVault.Lock\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"submitter\",\"type\":\"address\"}],\"name\":\"nonces\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"submitter\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"nonce\",\"type\":\"uint64\"},{\"internalType\":\"uint8\",\"name\":\"kind\",\"type\":\"uint8\"},{\"internalType\":\"bytes\",\"name\":\"spec\",\"type\":\"bytes\"},{\"internalType\":\"uint8\",\"name\":\"tier\",\"type\":\"uint8\"},{\"internalType\":\"address\",\"name\":\"direct\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"},{\"internalType\":\"uint64\",\"name\":\"deadline\",\"type\":\"uint64\"}],\"internalType\":\"structVault.Offer\",\"name\":\"o\",\"type\":\"tuple\"}],\"name\":\"openOffer\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"id\",\"type\":\"bytes32\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"payer\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"seq\",\"type\":\"uint64\"},{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"receipts\",\"type\":\"bytes32\"}],\"internalType\":\"structVault.Voucher\",\"name\":\"v\",\"type\":\"tuple\"},{\"internalType\":\"bytes\",\"name\":\"signature\",\"type\":\"bytes\"}],\"name\":\"redeem\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"moved\",\"type\":\"uint256\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"contractLedger\",\"name\":\"ledger_\",\"type\":\"address\"}],\"name\":\"setLedger\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"value\",\"type\":\"uint256\"}],\"name\":\"withdraw\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"}]",
	ID:  "Vault",
	Bin: "0x6101a0604052348015610010575f5ffd5b506040516122a33803806122a383398101604081905261002f91610175565b6040518060400160405280600581526020016454616c6c7960d81b815250604051806040016040528060018152602001603160f81b8152506100768261012f60201b60201c565b610120526100838161012f565b61014052815160208084019190912060e052815190820120610100524660a05261010f60e05161010051604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201529081019290925260608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b60805250503060c0526001600160a01b03166101605233610180526101fd565b5f5f829050601f81511115610162578260405163305a27a960e01b815260040161015991906101a2565b60405180910390fd5b805161016d826101d7565b179392505050565b5f60208284031215610185575f5ffd5b81516001600160a01b038116811461019b575f5ffd5b9392505050565b602081525f82518060208401528060208501604085015e5f604082850101526040601f19601f83011684010191505092915050565b805160208083015191908110156101f7575f198160200360031b1b821691505b50919050565b60805160a05160c05160e051610100516101205161014051610160516101805161202561027e5f395f6108f101525f818161035a015281816108bb01528181610a96015281816113d4015261164c01525f6116ab01525f61167b01525f6119ae01525f61198601525f6118e101525f61190b01525f61193501526120255ff3fe608060405234801561000f575f5ffd5b506004361061013d575f3560e01c80637ecebe00116100b4578063b6b55f2511610079578063b6b55f25146103c9578063bd605df5146103dc578063c24042f2146103ef578063c6a4bcf514610402578063d322934314610415578063debfb45e1461041d575f5ffd5b80637ecebe001461032d57806382bfefc81461035557806384b0196e1461037c57806388e939fd14610397578063b1e910c6146103b6575f5ffd5b80633246887d116101055780633246887d146102935780634a970be7146102a6578063558f4443146102b957806356397c35146102c15780636f0e530f146102ec57806370a082311461030e575f5ffd5b806308f046f71461014157806310098ad51461022a5780631818180e1461024b57806325dcc2ee1461025e5780632e1a7d4d1461027e575b5f5ffd5b6101d361014f366004611b5a565b60408051608080820183525f80835260208084018290528385018290526060938401829052948152600685528390208351918201845280546001600160a01b0381168352600160a01b90046001600160401b0316948201949094526001909301546001600160801b0380821693850193909352600160801b90049091169082015290565b6040805182516001600160a01b031681526020808401516001600160401b031690820152828201516001600160801b0390811692820192909252606092830151909116918101919091526080015b60405180910390f35b61023d610238366004611b85565b610437565b604051908152602001610221565b61023d610259366004611bb6565b6104f8565b61027161026c366004611b85565b610777565b6040516102219190611c33565b61029161028c366004611b5a565b6107e0565b005b6102916102a1366004611b85565b6108e6565b6102916102b4366004611c7f565b610a56565b61023d608081565b6002546102d4906001600160a01b031681565b6040516001600160a01b039091168152602001610221565b6102f662278d0081565b6040516001600160401b039091168152602001610221565b61023d61031c366004611b85565b60036020525f908152604090205481565b6102f661033b366004611b85565b60046020525f90815260409020546001600160401b031681565b6102d47f000000000000000000000000000000000000000000000000000000000000000081565b610384610b01565b6040516102219796959493929190611cf0565b61023d6103a5366004611b5a565b60056020525f908152604090205481565b61023d6103c4366004611d86565b610b43565b6102916103d7366004611b5a565b610c71565b61023d6103ea366004611d86565b610c7d565b61023d6103fd366004611dbd565b6111a0565b61023d610410366004611dd7565b611251565b61023d604081565b6002546102f690600160a01b90046001600160401b031681565b6001600160a01b0381165f908152600360209081526040808320546007909252822090915b81548110156104f1575f60065f84848154811061047b5761047b611e05565b5f9182526020808320909101548352820192909252604001902080549091506001600160401b03600160a01b9091041642116104e85760018101546104d2906001600160801b03600160801b820481169116611e2d565b6104e5906001600160801b031685611e4c565b93505b5060010161045c565b5050919050565b82355f90815260066020526040812080546001600160a01b031680610537576040516279174960e11b8152863560048201526024015b60405180910390fd5b6001600160a01b0381166105516040880160208901611b85565b6001600160a01b03161461059c5761056f6040870160208801611b85565b604051632f081df360e01b81526001600160a01b039182166004820152908216602482015260440161052e565b5f6105b06105a9886111a0565b8787611295565b90506105c26040880160208901611b85565b6001600160a01b0316816001600160a01b03161461061757806105eb6040890160208a01611b85565b60405163366d29f760e01b81526001600160a01b0392831660048201529116602482015260440161052e565b5f61062d883561041060608b0160408c01611b85565b5f8181526005602052604090205490915060808901358110610656575f95505050505050610770565b8454600160a01b90046001600160401b03164211156106a357845460405163bebfca6960e01b81528a356004820152600160a01b9091046001600160401b0316602482015260440161052e565b6106b18160808b0135611e4c565b60018601549096505f906106d7906001600160801b03600160801b820481169116611e2d565b6001600160801b031690508087111561071457604051633b8c011360e11b81528a356004820152602481018290526044810188905260640161052e565b868660010160108282829054906101000a90046001600160801b031661073a9190611e5f565b92506101000a8154816001600160801b0302191690836001600160801b031602179055506107698a84896112bf565b5050505050505b9392505050565b6001600160a01b0381165f908152600760209081526040918290208054835181840281018401909452808452606093928301828280156107d457602002820191905f5260205f20905b8154815260200190600101908083116107c0575b50505050509050919050565b805f0361080057604051631f2a200560e01b815260040160405180910390fd5b5f61080a3361145b565b335f908152600360205260409020546108239190611e4c565b9050808211156108565760405163126d048360e11b8152336004820152602481018290526044810183905260640161052e565b335f9081526003602052604081208054849290610874908490611e4c565b909155505060405182815233907f7084f5476618d8e60b11ef0d7d3f06914655adb8793e28ff7f018d4c76d505d59060200160405180910390a26108e26001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016338461158d565b5050565b336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161461093157604051630646601b60e11b815233600482015260240161052e565b6002546001600160a01b03161561096a576002546040516362a96a0f60e11b81526001600160a01b03909116600482015260240161052e565b600280546001600160a01b0319166001600160a01b03831690811790915560408051631481cf6b60e21b815290516352073dac916004808201926020929091908290030181865afa1580156109c1573d5f5f3e3d5ffd5b505050506040513d601f19601f820116820180604052508101906109e59190611e92565b6002805467ffffffffffffffff60a01b1916600160a01b6001600160401b0393841681029190911791829055604051910490911681526001600160a01b038216907f803aa71542ea2897d8a3e11cc93cf98bf4e2712162c49fce4132655e452e2e8d9060200160405180910390a250565b60405163d505accf60e01b8152336004820152306024820152604481018690526064810185905260ff8416608482015260a4810183905260c481018290527f00000000000000000000000000000000000000000000000000000000000000006001600160a01b03169063d505accf9060e4015f604051808303815f87803b158015610adf575f5ffd5b505af1925050508015610af0575060015b50610afa856115c7565b5050505050565b5f6060805f5f5f6060610b12611674565b610b1a6116a4565b604080515f80825260208201909252600f60f81b9b939a50919850469750309650945092509050565b5f610c6b7f8ad63ca8496181419f3a9ca9f2210e38a1dc17db9e82f4aee96e1a58aa57b733610b756020850185611b85565b610b856040860160208701611ead565b610b956060870160408801611ec8565b610ba26060880188611ee1565b604051610bb0929190611f2a565b604051908190039020610bc960a0890160808a01611ec8565b610bd960c08a0160a08b01611b85565b60c08a0135610bef6101008c0160e08d01611ead565b60408051602081019a909a526001600160a01b03988916908a01526001600160401b0396871660608a015260ff95861660808a015260a08901949094529390911660c08701529390931660e085015261010084015216610120820152610140015b604051602081830303815290604052805190602001206116cf565b92915050565b610c7a816115c7565b50565b6002545f906001600160a01b0316610ca8576040516303fb3dad60e31b815260040160405180910390fd5b610cb56020830183611b85565b6001600160a01b0316336001600160a01b031614610d075733610cdb6020840184611b85565b604051631c70634960e21b81526001600160a01b0392831660048201529116602482015260440161052e565b5f600481610d186020860186611b85565b6001600160a01b0316815260208082019290925260409081015f20546001600160401b031692508291610d4f918601908601611ead565b6001600160401b031614610d9957610d6d6040840160208501611ead565b60405162d2fdef60e51b81526001600160401b039182166004820152908216602482015260440161052e565b610da66060840184611ee1565b15905080610dc257506080610dbe6060850185611ee1565b9050115b15610df257610dd46060840184611ee1565b604051630fc614cf60e01b815261052e925060040190815260200190565b42610e04610100850160e08601611ead565b6001600160401b0316111580610e3e5750610e2262278d0042611f39565b610e33610100850160e08601611ead565b6001600160401b0316115b15610e8257610e54610100840160e08501611ead565b60405163f0fdf19160e01b81526001600160401b03918216600482015242909116602482015260440161052e565b5f610e98610e936020860186611b85565b61145b565b60035f610ea86020880188611b85565b6001600160a01b03166001600160a01b031681526020019081526020015f2054610ed29190611e4c565b9050808460c001351115610f2357610eed6020850185611b85565b60405163126d048360e11b81526001600160a01b0390911660048201526024810182905260c0850135604482015260640161052e565b5f600781610f346020880188611b85565b6001600160a01b03168152602081019190915260409081015f20805490925010610f8a57610f656020860186611b85565b604051632145b6e960e21b81526001600160a01b03909116600482015260240161052e565b610f9385610b43565b9350610fa0836001611f4c565b60045f610fb06020890189611b85565b6001600160a01b0316815260208082019290925260409081015f908120805467ffffffffffffffff19166001600160401b039590951694909417909355835460018101855584845292829020909201869055815160808101909252819061101990880188611b85565b6001600160a01b03168152600254602090910190600160a01b90046001600160401b031661104e610100890160e08a01611ead565b6110589190611f4c565b6001600160401b0390811682526001600160801b0360c089013581166020808501919091525f6040948501819052898152600682528490208551815487840151909516600160a01b026001600160e01b03199095166001600160a01b0390911617939093178355928401516060909401518116600160801b029316929092176001909201919091556110ec90860186611b85565b6001600160a01b0316847fa89ddb21b84d1f4d50450eba307a3886756422965f94dd9b457a6229689979136111276040890160208a01611ead565b61113760608a0160408b01611ec8565b61114460608b018b611ee1565b61115460a08d0160808e01611ec8565b61116460c08e0160a08f01611b85565b8d60c001358e60e001602081019061117c9190611ead565b604051611190989796959493929190611f6b565b60405180910390a3505050919050565b5f610c6b7f03471d7639da0ce52fa29bcef09904670735811c5df62160b8289fd87a26fafd83356111d76040860160208701611b85565b6111e76060870160408801611b85565b6111f76080880160608901611ead565b6040805160208101969096528501939093526001600160a01b039182166060850152166080838101919091526001600160401b0390911660a0838101919091529085013560c083015284013560e082015261010001610c50565b5f82826040516020016112779291909182526001600160a01b0316602082015260400190565b60405160208183030381529060405280519060200120905092915050565b5f5f5f5f6112a48787876116fb565b9250925092506112b48282611742565b509095945050505050565b5f82815260056020908152604080832060808701359055839260039290916112ec91908801908801611b85565b6001600160a01b03166001600160a01b031681526020019081526020015f205f8282546113199190611e4c565b9091555061132f90506060840160408501611b85565b6001600160a01b03168284357f42f7cadeab81d115e25e09cbadd5c29dde912319d97aa70e51a4fdaf2bd5a88d61136c6040880160208901611b85565b61137c6080890160608a01611ead565b604080516001600160a01b0390931683526001600160401b0390911660208301528101869052608080890135606083015260a0808a0135918301919091520160405180910390a46002546113fd906001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000811691168361158d565b6002546040516378da744b60e01b8152600481018390526001600160a01b03909116906378da744b906024015f604051808303815f87803b158015611440575f5ffd5b505af1158015611452573d5f5f3e3d5ffd5b50505050505050565b6001600160a01b0381165f90815260076020526040812080545b80156104f15761148481611fe8565b90505f60065f84848154811061149c5761149c611e05565b5f9182526020808320909101548352820192909252604001812060018101549092506114da906001600160801b03600160801b820481169116611e2d565b82546001600160801b03919091169150600160a01b90046001600160401b0316421180611505575080155b15611579578354849061151a90600190611e4c565b8154811061152a5761152a611e05565b905f5260205f20015484848154811061154557611545611e05565b905f5260205f2001819055508380548061156157611561611ffd565b600190038181905f5260205f20015f90559055611586565b6115838186611f39565b94505b5050611475565b61159a83838360016117fa565b6115c257604051635274afe760e01b81526001600160a01b038416600482015260240161052e565b505050565b805f036115e757604051631f2a200560e01b815260040160405180910390fd5b335f9081526003602052604081208054839290611605908490611f39565b909155505060405181815233907f2da466a7b24304f47e87fa2e1e5a81b9831ce54fec19055ce277ca2f39ba42c49060200160405180910390a2610c7a6001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001633308461185c565b606061169f7f0000000000000000000000000000000000000000000000000000000000000000611898565b905090565b606061169f7f0000000000000000000000000000000000000000000000000000000000000000611898565b5f610c6b6116db6118d5565b8360405161190160f01b8152600281019290925260228201526042902090565b5f8080604184900361172f578435602086013560408701355f1a611721898285856119fe565b955095509550505050611739565b505f915060029050825b93509350939050565b5f82600381111561175557611755612011565b0361175e575050565b600182600381111561177257611772612011565b036117905760405163f645eedf60e01b815260040160405180910390fd5b60028260038111156117a4576117a4612011565b036117c55760405163fce698f760e01b81526004810182905260240161052e565b60038260038111156117d9576117d9612011565b036108e2576040516335e2f38360e21b81526004810182905260240161052e565b60405163a9059cbb60e01b5f8181526001600160a01b038616600452602485905291602083604481808b5af1925060015f51148316611850578383151615611844573d5f823e3d81fd5b5f873b113d1516831692505b60405250949350505050565b61186a848484846001611ac6565b61189257604051635274afe760e01b81526001600160a01b038516600482015260240161052e565b50505050565b60605f6118a483611b33565b6040805160208082528183019092529192505f91906020820181803683375050509182525060208101929092525090565b5f306001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614801561192d57507f000000000000000000000000000000000000000000000000000000000000000046145b1561195757507f000000000000000000000000000000000000000000000000000000000000000090565b61169f604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201527f0000000000000000000000000000000000000000000000000000000000000000918101919091527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b5f80807f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0841115611a3757505f91506003905082611abc565b604080515f808252602082018084528a905260ff891692820192909252606081018790526080810186905260019060a0016020604051602081039080840390855afa158015611a88573d5f5f3e3d5ffd5b5050604051601f1901519150506001600160a01b038116611ab357505f925060019150829050611abc565b92505f91508190505b9450945094915050565b6040516323b872dd60e01b5f8181526001600160a01b038781166004528616602452604485905291602083606481808c5af1925060015f51148316611b22578383151615611b16573d5f823e3d81fd5b5f883b113d1516831692505b604052505f60605295945050505050565b5f60ff8216601f811115610c6b57604051632cd44ac360e21b815260040160405180910390fd5b5f60208284031215611b6a575f5ffd5b5035919050565b6001600160a01b0381168114610c7a575f5ffd5b5f60208284031215611b95575f5ffd5b813561077081611b71565b5f60c08284031215611bb0575f5ffd5b50919050565b5f5f5f60e08486031215611bc8575f5ffd5b611bd28585611ba0565b925060c08401356001600160401b03811115611bec575f5ffd5b8401601f81018613611bfc575f5ffd5b80356001600160401b03811115611c11575f5ffd5b866020828401011115611c22575f5ffd5b939660209190910195509293505050565b602080825282518282018190525f918401906040840190835b818110156112b4578351835260209384019390920191600101611c4c565b803560ff81168114611c7a575f5ffd5b919050565b5f5f5f5f5f60a08688031215611c93575f5ffd5b8535945060208601359350611caa60408701611c6a565b94979396509394606081013594506080013592915050565b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b60ff60f81b8816815260e060208201525f611d0e60e0830189611cc2565b8281036040840152611d208189611cc2565b606084018890526001600160a01b038716608085015260a0840186905283810360c0850152845180825260208087019350909101905f5b81811015611d75578351835260209384019390920191600101611d57565b50909b9a5050505050505050505050565b5f60208284031215611d96575f5ffd5b81356001600160401b03811115611dab575f5ffd5b82016101008185031215610770575f5ffd5b5f60c08284031215611dcd575f5ffd5b6107708383611ba0565b5f5f60408385031215611de8575f5ffd5b823591506020830135611dfa81611b71565b809150509250929050565b634e487b7160e01b5f52603260045260245ffd5b634e487b7160e01b5f52601160045260245ffd5b6001600160801b038281168282160390811115610c6b57610c6b611e19565b81810381811115610c6b57610c6b611e19565b6001600160801b038181168382160190811115610c6b57610c6b611e19565b6001600160401b0381168114610c7a575f5ffd5b5f60208284031215611ea2575f5ffd5b815161077081611e7e565b5f60208284031215611ebd575f5ffd5b813561077081611e7e565b5f60208284031215611ed8575f5ffd5b61077082611c6a565b5f5f8335601e19843603018112611ef6575f5ffd5b8301803591506001600160401b03821115611f0f575f5ffd5b602001915036819003821315611f23575f5ffd5b9250929050565b818382375f9101908152919050565b80820180821115610c6b57610c6b611e19565b6001600160401b038181168382160190811115610c6b57610c6b611e19565b6001600160401b038916815260ff8816602082015260e060408201528560e082015285876101008301375f61010087830181019190915260ff9590951660608201526001600160a01b0393909316608084015260a08301919091526001600160401b031660c0820152601f909201601f1916909101019392505050565b5f81611ff657611ff6611e19565b505f190190565b634e487b7160e01b5f52603160045260245ffd5b634e487b7160e01b5f52602160045260245ffd",
}

// Vault is an auto generated Go binding around an Ethereum contract.
type Vault struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Vault) GetABI() abi.ABI {
	return c.abi
}

// NewVault creates a new instance of Vault.
func NewVault() *Vault {
	parsed, err := VaultMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Vault{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Vault) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(address token) returns()
func (vault *Vault) PackConstructor(token common.Address) []byte {
	enc, err := vault.abi.Pack("", token)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackMAXDEADLINE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6f0e530f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_DEADLINE() view returns(uint64)
func (vault *Vault) PackMAXDEADLINE() []byte {
	enc, err := vault.abi.Pack("MAX_DEADLINE")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXDEADLINE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6f0e530f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_DEADLINE() view returns(uint64)
func (vault *Vault) TryPackMAXDEADLINE() ([]byte, error) {
	return vault.abi.Pack("MAX_DEADLINE")
}

// UnpackMAXDEADLINE is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6f0e530f.
//
// Solidity: function MAX_DEADLINE() view returns(uint64)
func (vault *Vault) UnpackMAXDEADLINE(data []byte) (uint64, error) {
	out, err := vault.abi.Unpack("MAX_DEADLINE", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackMAXLOCKS is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd3229343.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_LOCKS() view returns(uint256)
func (vault *Vault) PackMAXLOCKS() []byte {
	enc, err := vault.abi.Pack("MAX_LOCKS")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXLOCKS is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd3229343.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_LOCKS() view returns(uint256)
func (vault *Vault) TryPackMAXLOCKS() ([]byte, error) {
	return vault.abi.Pack("MAX_LOCKS")
}

// UnpackMAXLOCKS is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd3229343.
//
// Solidity: function MAX_LOCKS() view returns(uint256)
func (vault *Vault) UnpackMAXLOCKS(data []byte) (*big.Int, error) {
	out, err := vault.abi.Unpack("MAX_LOCKS", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXSPEC is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x558f4443.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_SPEC() view returns(uint256)
func (vault *Vault) PackMAXSPEC() []byte {
	enc, err := vault.abi.Pack("MAX_SPEC")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXSPEC is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x558f4443.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_SPEC() view returns(uint256)
func (vault *Vault) TryPackMAXSPEC() ([]byte, error) {
	return vault.abi.Pack("MAX_SPEC")
}

// UnpackMAXSPEC is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x558f4443.
//
// Solidity: function MAX_SPEC() view returns(uint256)
func (vault *Vault) UnpackMAXSPEC(data []byte) (*big.Int, error) {
	out, err := vault.abi.Unpack("MAX_SPEC", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackTOKEN is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x82bfefc8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function TOKEN() view returns(address)
func (vault *Vault) PackTOKEN() []byte {
	enc, err := vault.abi.Pack("TOKEN")
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
func (vault *Vault) TryPackTOKEN() ([]byte, error) {
	return vault.abi.Pack("TOKEN")
}

// UnpackTOKEN is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x82bfefc8.
//
// Solidity: function TOKEN() view returns(address)
func (vault *Vault) UnpackTOKEN(data []byte) (common.Address, error) {
	out, err := vault.abi.Unpack("TOKEN", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackActiveOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x25dcc2ee.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function activeOf(address submitter) view returns(bytes32[])
func (vault *Vault) PackActiveOf(submitter common.Address) []byte {
	enc, err := vault.abi.Pack("activeOf", submitter)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackActiveOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x25dcc2ee.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function activeOf(address submitter) view returns(bytes32[])
func (vault *Vault) TryPackActiveOf(submitter common.Address) ([]byte, error) {
	return vault.abi.Pack("activeOf", submitter)
}

// UnpackActiveOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x25dcc2ee.
//
// Solidity: function activeOf(address submitter) view returns(bytes32[])
func (vault *Vault) UnpackActiveOf(data []byte) ([][32]byte, error) {
	out, err := vault.abi.Unpack("activeOf", data)
	if err != nil {
		return *new([][32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([][32]byte)).(*[][32]byte)
	return out0, nil
}

// PackAuditWindow is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdebfb45e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function auditWindow() view returns(uint64)
func (vault *Vault) PackAuditWindow() []byte {
	enc, err := vault.abi.Pack("auditWindow")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAuditWindow is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdebfb45e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function auditWindow() view returns(uint64)
func (vault *Vault) TryPackAuditWindow() ([]byte, error) {
	return vault.abi.Pack("auditWindow")
}

// UnpackAuditWindow is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xdebfb45e.
//
// Solidity: function auditWindow() view returns(uint64)
func (vault *Vault) UnpackAuditWindow(data []byte) (uint64, error) {
	out, err := vault.abi.Unpack("auditWindow", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackAvailable is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x10098ad5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function available(address account) view returns(uint256 value)
func (vault *Vault) PackAvailable(account common.Address) []byte {
	enc, err := vault.abi.Pack("available", account)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAvailable is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x10098ad5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function available(address account) view returns(uint256 value)
func (vault *Vault) TryPackAvailable(account common.Address) ([]byte, error) {
	return vault.abi.Pack("available", account)
}

// UnpackAvailable is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x10098ad5.
//
// Solidity: function available(address account) view returns(uint256 value)
func (vault *Vault) UnpackAvailable(data []byte) (*big.Int, error) {
	out, err := vault.abi.Unpack("available", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackBalanceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x70a08231.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function balanceOf(address account) view returns(uint256 value)
func (vault *Vault) PackBalanceOf(account common.Address) []byte {
	enc, err := vault.abi.Pack("balanceOf", account)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBalanceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x70a08231.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function balanceOf(address account) view returns(uint256 value)
func (vault *Vault) TryPackBalanceOf(account common.Address) ([]byte, error) {
	return vault.abi.Pack("balanceOf", account)
}

// UnpackBalanceOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x70a08231.
//
// Solidity: function balanceOf(address account) view returns(uint256 value)
func (vault *Vault) UnpackBalanceOf(data []byte) (*big.Int, error) {
	out, err := vault.abi.Unpack("balanceOf", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackChannelOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc6a4bcf5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function channelOf(bytes32 offer, address worker) pure returns(bytes32)
func (vault *Vault) PackChannelOf(offer [32]byte, worker common.Address) []byte {
	enc, err := vault.abi.Pack("channelOf", offer, worker)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackChannelOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc6a4bcf5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function channelOf(bytes32 offer, address worker) pure returns(bytes32)
func (vault *Vault) TryPackChannelOf(offer [32]byte, worker common.Address) ([]byte, error) {
	return vault.abi.Pack("channelOf", offer, worker)
}

// UnpackChannelOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc6a4bcf5.
//
// Solidity: function channelOf(bytes32 offer, address worker) pure returns(bytes32)
func (vault *Vault) UnpackChannelOf(data []byte) ([32]byte, error) {
	out, err := vault.abi.Unpack("channelOf", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackCollected is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x88e939fd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function collected(bytes32 channel) view returns(uint256 value)
func (vault *Vault) PackCollected(channel [32]byte) []byte {
	enc, err := vault.abi.Pack("collected", channel)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCollected is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x88e939fd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function collected(bytes32 channel) view returns(uint256 value)
func (vault *Vault) TryPackCollected(channel [32]byte) ([]byte, error) {
	return vault.abi.Pack("collected", channel)
}

// UnpackCollected is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x88e939fd.
//
// Solidity: function collected(bytes32 channel) view returns(uint256 value)
func (vault *Vault) UnpackCollected(data []byte) (*big.Int, error) {
	out, err := vault.abi.Unpack("collected", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb6b55f25.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function deposit(uint256 value) returns()
func (vault *Vault) PackDeposit(value *big.Int) []byte {
	enc, err := vault.abi.Pack("deposit", value)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb6b55f25.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function deposit(uint256 value) returns()
func (vault *Vault) TryPackDeposit(value *big.Int) ([]byte, error) {
	return vault.abi.Pack("deposit", value)
}

// PackDepositWithPermit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4a970be7.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function depositWithPermit(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) returns()
func (vault *Vault) PackDepositWithPermit(value *big.Int, deadline *big.Int, v uint8, r [32]byte, s [32]byte) []byte {
	enc, err := vault.abi.Pack("depositWithPermit", value, deadline, v, r, s)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDepositWithPermit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4a970be7.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function depositWithPermit(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) returns()
func (vault *Vault) TryPackDepositWithPermit(value *big.Int, deadline *big.Int, v uint8, r [32]byte, s [32]byte) ([]byte, error) {
	return vault.abi.Pack("depositWithPermit", value, deadline, v, r, s)
}

// PackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (vault *Vault) PackEip712Domain() []byte {
	enc, err := vault.abi.Pack("eip712Domain")
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
func (vault *Vault) TryPackEip712Domain() ([]byte, error) {
	return vault.abi.Pack("eip712Domain")
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
func (vault *Vault) UnpackEip712Domain(data []byte) (Eip712DomainOutput, error) {
	out, err := vault.abi.Unpack("eip712Domain", data)
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

// PackHashOffer is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1e910c6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashOffer((address,uint64,uint8,bytes,uint8,address,uint256,uint64) o) view returns(bytes32 digest)
func (vault *Vault) PackHashOffer(o VaultOffer) []byte {
	enc, err := vault.abi.Pack("hashOffer", o)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashOffer is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1e910c6.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashOffer((address,uint64,uint8,bytes,uint8,address,uint256,uint64) o) view returns(bytes32 digest)
func (vault *Vault) TryPackHashOffer(o VaultOffer) ([]byte, error) {
	return vault.abi.Pack("hashOffer", o)
}

// UnpackHashOffer is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb1e910c6.
//
// Solidity: function hashOffer((address,uint64,uint8,bytes,uint8,address,uint256,uint64) o) view returns(bytes32 digest)
func (vault *Vault) UnpackHashOffer(data []byte) ([32]byte, error) {
	out, err := vault.abi.Unpack("hashOffer", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackHashVoucher is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc24042f2.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashVoucher((bytes32,address,address,uint64,uint256,bytes32) v) view returns(bytes32 digest)
func (vault *Vault) PackHashVoucher(v VaultVoucher) []byte {
	enc, err := vault.abi.Pack("hashVoucher", v)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashVoucher is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc24042f2.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashVoucher((bytes32,address,address,uint64,uint256,bytes32) v) view returns(bytes32 digest)
func (vault *Vault) TryPackHashVoucher(v VaultVoucher) ([]byte, error) {
	return vault.abi.Pack("hashVoucher", v)
}

// UnpackHashVoucher is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc24042f2.
//
// Solidity: function hashVoucher((bytes32,address,address,uint64,uint256,bytes32) v) view returns(bytes32 digest)
func (vault *Vault) UnpackHashVoucher(data []byte) ([32]byte, error) {
	out, err := vault.abi.Unpack("hashVoucher", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackLedger is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x56397c35.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function ledger() view returns(address)
func (vault *Vault) PackLedger() []byte {
	enc, err := vault.abi.Pack("ledger")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLedger is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x56397c35.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function ledger() view returns(address)
func (vault *Vault) TryPackLedger() ([]byte, error) {
	return vault.abi.Pack("ledger")
}

// UnpackLedger is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x56397c35.
//
// Solidity: function ledger() view returns(address)
func (vault *Vault) UnpackLedger(data []byte) (common.Address, error) {
	out, err := vault.abi.Unpack("ledger", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackLockOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x08f046f7.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function lockOf(bytes32 offer) view returns((address,uint64,uint128,uint128))
func (vault *Vault) PackLockOf(offer [32]byte) []byte {
	enc, err := vault.abi.Pack("lockOf", offer)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLockOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x08f046f7.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function lockOf(bytes32 offer) view returns((address,uint64,uint128,uint128))
func (vault *Vault) TryPackLockOf(offer [32]byte) ([]byte, error) {
	return vault.abi.Pack("lockOf", offer)
}

// UnpackLockOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x08f046f7.
//
// Solidity: function lockOf(bytes32 offer) view returns((address,uint64,uint128,uint128))
func (vault *Vault) UnpackLockOf(data []byte) (VaultLock, error) {
	out, err := vault.abi.Unpack("lockOf", data)
	if err != nil {
		return *new(VaultLock), err
	}
	out0 := *abi.ConvertType(out[0], new(VaultLock)).(*VaultLock)
	return out0, nil
}

// PackNonces is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7ecebe00.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function nonces(address submitter) view returns(uint64 nonce)
func (vault *Vault) PackNonces(submitter common.Address) []byte {
	enc, err := vault.abi.Pack("nonces", submitter)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackNonces is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7ecebe00.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function nonces(address submitter) view returns(uint64 nonce)
func (vault *Vault) TryPackNonces(submitter common.Address) ([]byte, error) {
	return vault.abi.Pack("nonces", submitter)
}

// UnpackNonces is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7ecebe00.
//
// Solidity: function nonces(address submitter) view returns(uint64 nonce)
func (vault *Vault) UnpackNonces(data []byte) (uint64, error) {
	out, err := vault.abi.Unpack("nonces", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackOpenOffer is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbd605df5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function openOffer((address,uint64,uint8,bytes,uint8,address,uint256,uint64) o) returns(bytes32 id)
func (vault *Vault) PackOpenOffer(o VaultOffer) []byte {
	enc, err := vault.abi.Pack("openOffer", o)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOpenOffer is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbd605df5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function openOffer((address,uint64,uint8,bytes,uint8,address,uint256,uint64) o) returns(bytes32 id)
func (vault *Vault) TryPackOpenOffer(o VaultOffer) ([]byte, error) {
	return vault.abi.Pack("openOffer", o)
}

// UnpackOpenOffer is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbd605df5.
//
// Solidity: function openOffer((address,uint64,uint8,bytes,uint8,address,uint256,uint64) o) returns(bytes32 id)
func (vault *Vault) UnpackOpenOffer(data []byte) ([32]byte, error) {
	out, err := vault.abi.Unpack("openOffer", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackRedeem is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1818180e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function redeem((bytes32,address,address,uint64,uint256,bytes32) v, bytes signature) returns(uint256 moved)
func (vault *Vault) PackRedeem(v VaultVoucher, signature []byte) []byte {
	enc, err := vault.abi.Pack("redeem", v, signature)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRedeem is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1818180e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function redeem((bytes32,address,address,uint64,uint256,bytes32) v, bytes signature) returns(uint256 moved)
func (vault *Vault) TryPackRedeem(v VaultVoucher, signature []byte) ([]byte, error) {
	return vault.abi.Pack("redeem", v, signature)
}

// UnpackRedeem is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x1818180e.
//
// Solidity: function redeem((bytes32,address,address,uint64,uint256,bytes32) v, bytes signature) returns(uint256 moved)
func (vault *Vault) UnpackRedeem(data []byte) (*big.Int, error) {
	out, err := vault.abi.Unpack("redeem", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackSetLedger is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3246887d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setLedger(address ledger_) returns()
func (vault *Vault) PackSetLedger(ledger common.Address) []byte {
	enc, err := vault.abi.Pack("setLedger", ledger)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetLedger is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3246887d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setLedger(address ledger_) returns()
func (vault *Vault) TryPackSetLedger(ledger common.Address) ([]byte, error) {
	return vault.abi.Pack("setLedger", ledger)
}

// PackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2e1a7d4d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdraw(uint256 value) returns()
func (vault *Vault) PackWithdraw(value *big.Int) []byte {
	enc, err := vault.abi.Pack("withdraw", value)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2e1a7d4d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdraw(uint256 value) returns()
func (vault *Vault) TryPackWithdraw(value *big.Int) ([]byte, error) {
	return vault.abi.Pack("withdraw", value)
}

// VaultDeposited represents a Deposited event raised by the Vault contract.
type VaultDeposited struct {
	Account common.Address
	Value   *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const VaultDepositedEventName = "Deposited"

// ContractEventName returns the user-defined event name.
func (VaultDeposited) ContractEventName() string {
	return VaultDepositedEventName
}

// UnpackDepositedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Deposited(address indexed account, uint256 value)
func (vault *Vault) UnpackDepositedEvent(log *types.Log) (*VaultDeposited, error) {
	event := "Deposited"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != vault.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(VaultDeposited)
	if len(log.Data) > 0 {
		if err := vault.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range vault.abi.Events[event].Inputs {
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

// VaultEIP712DomainChanged represents a EIP712DomainChanged event raised by the Vault contract.
type VaultEIP712DomainChanged struct {
	Raw *types.Log // Blockchain specific contextual infos
}

const VaultEIP712DomainChangedEventName = "EIP712DomainChanged"

// ContractEventName returns the user-defined event name.
func (VaultEIP712DomainChanged) ContractEventName() string {
	return VaultEIP712DomainChangedEventName
}

// UnpackEIP712DomainChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event EIP712DomainChanged()
func (vault *Vault) UnpackEIP712DomainChangedEvent(log *types.Log) (*VaultEIP712DomainChanged, error) {
	event := "EIP712DomainChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != vault.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(VaultEIP712DomainChanged)
	if len(log.Data) > 0 {
		if err := vault.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range vault.abi.Events[event].Inputs {
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

// VaultLedgerSet represents a LedgerSet event raised by the Vault contract.
type VaultLedgerSet struct {
	Ledger      common.Address
	AuditWindow uint64
	Raw         *types.Log // Blockchain specific contextual infos
}

const VaultLedgerSetEventName = "LedgerSet"

// ContractEventName returns the user-defined event name.
func (VaultLedgerSet) ContractEventName() string {
	return VaultLedgerSetEventName
}

// UnpackLedgerSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event LedgerSet(address indexed ledger, uint64 auditWindow)
func (vault *Vault) UnpackLedgerSetEvent(log *types.Log) (*VaultLedgerSet, error) {
	event := "LedgerSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != vault.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(VaultLedgerSet)
	if len(log.Data) > 0 {
		if err := vault.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range vault.abi.Events[event].Inputs {
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

// VaultOfferOpened represents a OfferOpened event raised by the Vault contract.
type VaultOfferOpened struct {
	Id        [32]byte
	Submitter common.Address
	Nonce     uint64
	Kind      uint8
	Spec      []byte
	Tier      uint8
	Direct    common.Address
	Value     *big.Int
	Deadline  uint64
	Raw       *types.Log // Blockchain specific contextual infos
}

const VaultOfferOpenedEventName = "OfferOpened"

// ContractEventName returns the user-defined event name.
func (VaultOfferOpened) ContractEventName() string {
	return VaultOfferOpenedEventName
}

// UnpackOfferOpenedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OfferOpened(bytes32 indexed id, address indexed submitter, uint64 nonce, uint8 kind, bytes spec, uint8 tier, address direct, uint256 value, uint64 deadline)
func (vault *Vault) UnpackOfferOpenedEvent(log *types.Log) (*VaultOfferOpened, error) {
	event := "OfferOpened"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != vault.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(VaultOfferOpened)
	if len(log.Data) > 0 {
		if err := vault.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range vault.abi.Events[event].Inputs {
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

// VaultRedeemed represents a Redeemed event raised by the Vault contract.
type VaultRedeemed struct {
	Offer     [32]byte
	Channel   [32]byte
	Worker    common.Address
	Payer     common.Address
	Seq       uint64
	Moved     *big.Int
	Collected *big.Int
	Receipts  [32]byte
	Raw       *types.Log // Blockchain specific contextual infos
}

const VaultRedeemedEventName = "Redeemed"

// ContractEventName returns the user-defined event name.
func (VaultRedeemed) ContractEventName() string {
	return VaultRedeemedEventName
}

// UnpackRedeemedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Redeemed(bytes32 indexed offer, bytes32 indexed channel, address indexed worker, address payer, uint64 seq, uint256 moved, uint256 collected, bytes32 receipts)
func (vault *Vault) UnpackRedeemedEvent(log *types.Log) (*VaultRedeemed, error) {
	event := "Redeemed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != vault.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(VaultRedeemed)
	if len(log.Data) > 0 {
		if err := vault.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range vault.abi.Events[event].Inputs {
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

// VaultWithdrawn represents a Withdrawn event raised by the Vault contract.
type VaultWithdrawn struct {
	Account common.Address
	Value   *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const VaultWithdrawnEventName = "Withdrawn"

// ContractEventName returns the user-defined event name.
func (VaultWithdrawn) ContractEventName() string {
	return VaultWithdrawnEventName
}

// UnpackWithdrawnEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Withdrawn(address indexed account, uint256 value)
func (vault *Vault) UnpackWithdrawnEvent(log *types.Log) (*VaultWithdrawn, error) {
	event := "Withdrawn"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != vault.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(VaultWithdrawn)
	if len(log.Data) > 0 {
		if err := vault.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range vault.abi.Events[event].Inputs {
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
func (vault *Vault) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], vault.abi.Errors["BadSpecLength"].ID.Bytes()[:4]) {
		return vault.UnpackBadSpecLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["DeadlineOutOfRange"].ID.Bytes()[:4]) {
		return vault.UnpackDeadlineOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["ECDSAInvalidSignature"].ID.Bytes()[:4]) {
		return vault.UnpackECDSAInvalidSignatureError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["ECDSAInvalidSignatureLength"].ID.Bytes()[:4]) {
		return vault.UnpackECDSAInvalidSignatureLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["ECDSAInvalidSignatureS"].ID.Bytes()[:4]) {
		return vault.UnpackECDSAInvalidSignatureSError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["InsufficientAvailable"].ID.Bytes()[:4]) {
		return vault.UnpackInsufficientAvailableError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["InvalidShortString"].ID.Bytes()[:4]) {
		return vault.UnpackInvalidShortStringError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["LedgerAlreadySet"].ID.Bytes()[:4]) {
		return vault.UnpackLedgerAlreadySetError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["LedgerNotSet"].ID.Bytes()[:4]) {
		return vault.UnpackLedgerNotSetError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["LockEnded"].ID.Bytes()[:4]) {
		return vault.UnpackLockEndedError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["LockExceeded"].ID.Bytes()[:4]) {
		return vault.UnpackLockExceededError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["NotDeployer"].ID.Bytes()[:4]) {
		return vault.UnpackNotDeployerError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["NotPayer"].ID.Bytes()[:4]) {
		return vault.UnpackNotPayerError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["NotSubmitter"].ID.Bytes()[:4]) {
		return vault.UnpackNotSubmitterError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["SafeERC20FailedOperation"].ID.Bytes()[:4]) {
		return vault.UnpackSafeERC20FailedOperationError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["StringTooLong"].ID.Bytes()[:4]) {
		return vault.UnpackStringTooLongError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["TooManyLocks"].ID.Bytes()[:4]) {
		return vault.UnpackTooManyLocksError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["UnknownOffer"].ID.Bytes()[:4]) {
		return vault.UnpackUnknownOfferError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["WrongNonce"].ID.Bytes()[:4]) {
		return vault.UnpackWrongNonceError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["WrongSigner"].ID.Bytes()[:4]) {
		return vault.UnpackWrongSignerError(raw[4:])
	}
	if bytes.Equal(raw[:4], vault.abi.Errors["ZeroAmount"].ID.Bytes()[:4]) {
		return vault.UnpackZeroAmountError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// VaultBadSpecLength represents a BadSpecLength error raised by the Vault contract.
type VaultBadSpecLength struct {
	Length *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadSpecLength(uint256 length)
func VaultBadSpecLengthErrorID() common.Hash {
	return common.HexToHash("0x0fc614cfe77ae196119de515f278a48ef8ae57a660cf9de2f946ccd8b54465a0")
}

// UnpackBadSpecLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadSpecLength(uint256 length)
func (vault *Vault) UnpackBadSpecLengthError(raw []byte) (*VaultBadSpecLength, error) {
	out := new(VaultBadSpecLength)
	if err := vault.abi.UnpackIntoInterface(out, "BadSpecLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultDeadlineOutOfRange represents a DeadlineOutOfRange error raised by the Vault contract.
type VaultDeadlineOutOfRange struct {
	Deadline uint64
	Time     uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DeadlineOutOfRange(uint64 deadline, uint64 time)
func VaultDeadlineOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0xf0fdf19109f4b7eaf0402efe23dabf35cee304c87efe5637461ab2c3b7970349")
}

// UnpackDeadlineOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DeadlineOutOfRange(uint64 deadline, uint64 time)
func (vault *Vault) UnpackDeadlineOutOfRangeError(raw []byte) (*VaultDeadlineOutOfRange, error) {
	out := new(VaultDeadlineOutOfRange)
	if err := vault.abi.UnpackIntoInterface(out, "DeadlineOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultECDSAInvalidSignature represents a ECDSAInvalidSignature error raised by the Vault contract.
type VaultECDSAInvalidSignature struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ECDSAInvalidSignature()
func VaultECDSAInvalidSignatureErrorID() common.Hash {
	return common.HexToHash("0xf645eedf0193584640b6b90cb9477e4c95b98636c148a891d4c0a146dc46e75a")
}

// UnpackECDSAInvalidSignatureError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ECDSAInvalidSignature()
func (vault *Vault) UnpackECDSAInvalidSignatureError(raw []byte) (*VaultECDSAInvalidSignature, error) {
	out := new(VaultECDSAInvalidSignature)
	if err := vault.abi.UnpackIntoInterface(out, "ECDSAInvalidSignature", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultECDSAInvalidSignatureLength represents a ECDSAInvalidSignatureLength error raised by the Vault contract.
type VaultECDSAInvalidSignatureLength struct {
	Length *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ECDSAInvalidSignatureLength(uint256 length)
func VaultECDSAInvalidSignatureLengthErrorID() common.Hash {
	return common.HexToHash("0xfce698f7e8e5342cd615f641317bc45fe7e1e4a8b0a14dd1383ff8dc9c41917f")
}

// UnpackECDSAInvalidSignatureLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ECDSAInvalidSignatureLength(uint256 length)
func (vault *Vault) UnpackECDSAInvalidSignatureLengthError(raw []byte) (*VaultECDSAInvalidSignatureLength, error) {
	out := new(VaultECDSAInvalidSignatureLength)
	if err := vault.abi.UnpackIntoInterface(out, "ECDSAInvalidSignatureLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultECDSAInvalidSignatureS represents a ECDSAInvalidSignatureS error raised by the Vault contract.
type VaultECDSAInvalidSignatureS struct {
	S [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ECDSAInvalidSignatureS(bytes32 s)
func VaultECDSAInvalidSignatureSErrorID() common.Hash {
	return common.HexToHash("0xd78bce0cccb935155ed6428d1c13e50b7f3550fd2b66b9fe266006fea4a5e1eb")
}

// UnpackECDSAInvalidSignatureSError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ECDSAInvalidSignatureS(bytes32 s)
func (vault *Vault) UnpackECDSAInvalidSignatureSError(raw []byte) (*VaultECDSAInvalidSignatureS, error) {
	out := new(VaultECDSAInvalidSignatureS)
	if err := vault.abi.UnpackIntoInterface(out, "ECDSAInvalidSignatureS", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultInsufficientAvailable represents a InsufficientAvailable error raised by the Vault contract.
type VaultInsufficientAvailable struct {
	Account   common.Address
	Available *big.Int
	Needed    *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InsufficientAvailable(address account, uint256 available, uint256 needed)
func VaultInsufficientAvailableErrorID() common.Hash {
	return common.HexToHash("0x24da090678028611bade38ac2dce2f79fabd8ffe061276ce639b68ff16610c8f")
}

// UnpackInsufficientAvailableError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InsufficientAvailable(address account, uint256 available, uint256 needed)
func (vault *Vault) UnpackInsufficientAvailableError(raw []byte) (*VaultInsufficientAvailable, error) {
	out := new(VaultInsufficientAvailable)
	if err := vault.abi.UnpackIntoInterface(out, "InsufficientAvailable", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultInvalidShortString represents a InvalidShortString error raised by the Vault contract.
type VaultInvalidShortString struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidShortString()
func VaultInvalidShortStringErrorID() common.Hash {
	return common.HexToHash("0xb3512b0c6163e5f0bafab72bb631b9d58cd7a731b082f910338aa21c83d5c274")
}

// UnpackInvalidShortStringError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidShortString()
func (vault *Vault) UnpackInvalidShortStringError(raw []byte) (*VaultInvalidShortString, error) {
	out := new(VaultInvalidShortString)
	if err := vault.abi.UnpackIntoInterface(out, "InvalidShortString", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultLedgerAlreadySet represents a LedgerAlreadySet error raised by the Vault contract.
type VaultLedgerAlreadySet struct {
	Ledger common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error LedgerAlreadySet(address ledger)
func VaultLedgerAlreadySetErrorID() common.Hash {
	return common.HexToHash("0xc552d41e03abe6e596f6ac1c9be845873edcaa44b2548eb9f276291cbd99be05")
}

// UnpackLedgerAlreadySetError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error LedgerAlreadySet(address ledger)
func (vault *Vault) UnpackLedgerAlreadySetError(raw []byte) (*VaultLedgerAlreadySet, error) {
	out := new(VaultLedgerAlreadySet)
	if err := vault.abi.UnpackIntoInterface(out, "LedgerAlreadySet", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultLedgerNotSet represents a LedgerNotSet error raised by the Vault contract.
type VaultLedgerNotSet struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error LedgerNotSet()
func VaultLedgerNotSetErrorID() common.Hash {
	return common.HexToHash("0x1fd9ed68443828aa1221dd0d7fc36c2b7404a59d2b94d7b8f8d5564ac3f14603")
}

// UnpackLedgerNotSetError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error LedgerNotSet()
func (vault *Vault) UnpackLedgerNotSetError(raw []byte) (*VaultLedgerNotSet, error) {
	out := new(VaultLedgerNotSet)
	if err := vault.abi.UnpackIntoInterface(out, "LedgerNotSet", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultLockEnded represents a LockEnded error raised by the Vault contract.
type VaultLockEnded struct {
	Offer [32]byte
	End   uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error LockEnded(bytes32 offer, uint64 end)
func VaultLockEndedErrorID() common.Hash {
	return common.HexToHash("0xbebfca69ebe3b0018d925d2151067223c7da2c77265b7c52932fb66856f8db10")
}

// UnpackLockEndedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error LockEnded(bytes32 offer, uint64 end)
func (vault *Vault) UnpackLockEndedError(raw []byte) (*VaultLockEnded, error) {
	out := new(VaultLockEnded)
	if err := vault.abi.UnpackIntoInterface(out, "LockEnded", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultLockExceeded represents a LockExceeded error raised by the Vault contract.
type VaultLockExceeded struct {
	Offer  [32]byte
	Left   *big.Int
	Needed *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error LockExceeded(bytes32 offer, uint256 left, uint256 needed)
func VaultLockExceededErrorID() common.Hash {
	return common.HexToHash("0x7718022644d693a3b5cc89459cd510e656b42aaf57ac5a9280d9831b234c30d2")
}

// UnpackLockExceededError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error LockExceeded(bytes32 offer, uint256 left, uint256 needed)
func (vault *Vault) UnpackLockExceededError(raw []byte) (*VaultLockExceeded, error) {
	out := new(VaultLockExceeded)
	if err := vault.abi.UnpackIntoInterface(out, "LockExceeded", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultNotDeployer represents a NotDeployer error raised by the Vault contract.
type VaultNotDeployer struct {
	Sender common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotDeployer(address sender)
func VaultNotDeployerErrorID() common.Hash {
	return common.HexToHash("0x0c8cc036c9c98ca91a606f42bb4fd73acf8431b681f0e19ddaaaf88693e5c4a5")
}

// UnpackNotDeployerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotDeployer(address sender)
func (vault *Vault) UnpackNotDeployerError(raw []byte) (*VaultNotDeployer, error) {
	out := new(VaultNotDeployer)
	if err := vault.abi.UnpackIntoInterface(out, "NotDeployer", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultNotPayer represents a NotPayer error raised by the Vault contract.
type VaultNotPayer struct {
	Payer     common.Address
	Submitter common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotPayer(address payer, address submitter)
func VaultNotPayerErrorID() common.Hash {
	return common.HexToHash("0x2f081df349b4d79f824641e5273abd04fbf8532288274b4c021b9ab1e1a81802")
}

// UnpackNotPayerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotPayer(address payer, address submitter)
func (vault *Vault) UnpackNotPayerError(raw []byte) (*VaultNotPayer, error) {
	out := new(VaultNotPayer)
	if err := vault.abi.UnpackIntoInterface(out, "NotPayer", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultNotSubmitter represents a NotSubmitter error raised by the Vault contract.
type VaultNotSubmitter struct {
	Sender    common.Address
	Submitter common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotSubmitter(address sender, address submitter)
func VaultNotSubmitterErrorID() common.Hash {
	return common.HexToHash("0x71c18d248cd734fcc8e615692fc5dd2a1970a094b71b385cc3386fba895c0c21")
}

// UnpackNotSubmitterError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotSubmitter(address sender, address submitter)
func (vault *Vault) UnpackNotSubmitterError(raw []byte) (*VaultNotSubmitter, error) {
	out := new(VaultNotSubmitter)
	if err := vault.abi.UnpackIntoInterface(out, "NotSubmitter", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultSafeERC20FailedOperation represents a SafeERC20FailedOperation error raised by the Vault contract.
type VaultSafeERC20FailedOperation struct {
	Token common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SafeERC20FailedOperation(address token)
func VaultSafeERC20FailedOperationErrorID() common.Hash {
	return common.HexToHash("0x5274afe73c98b4749fc91ffae6b7b574e7842cb2144a159e9377a5f20b32edf9")
}

// UnpackSafeERC20FailedOperationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SafeERC20FailedOperation(address token)
func (vault *Vault) UnpackSafeERC20FailedOperationError(raw []byte) (*VaultSafeERC20FailedOperation, error) {
	out := new(VaultSafeERC20FailedOperation)
	if err := vault.abi.UnpackIntoInterface(out, "SafeERC20FailedOperation", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultStringTooLong represents a StringTooLong error raised by the Vault contract.
type VaultStringTooLong struct {
	Str string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StringTooLong(string str)
func VaultStringTooLongErrorID() common.Hash {
	return common.HexToHash("0x305a27a93f8e33b7392df0a0f91d6fc63847395853c45991eec52dbf24d72381")
}

// UnpackStringTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StringTooLong(string str)
func (vault *Vault) UnpackStringTooLongError(raw []byte) (*VaultStringTooLong, error) {
	out := new(VaultStringTooLong)
	if err := vault.abi.UnpackIntoInterface(out, "StringTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultTooManyLocks represents a TooManyLocks error raised by the Vault contract.
type VaultTooManyLocks struct {
	Submitter common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TooManyLocks(address submitter)
func VaultTooManyLocksErrorID() common.Hash {
	return common.HexToHash("0x8516dba47137d427666f551b7dfc05bf8add9d2b54e954feba6d5e9bbd77bf1d")
}

// UnpackTooManyLocksError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TooManyLocks(address submitter)
func (vault *Vault) UnpackTooManyLocksError(raw []byte) (*VaultTooManyLocks, error) {
	out := new(VaultTooManyLocks)
	if err := vault.abi.UnpackIntoInterface(out, "TooManyLocks", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultUnknownOffer represents a UnknownOffer error raised by the Vault contract.
type VaultUnknownOffer struct {
	Offer [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error UnknownOffer(bytes32 offer)
func VaultUnknownOfferErrorID() common.Hash {
	return common.HexToHash("0x00f22e9200eab91cfedf06f1b152470dd32deaaadfad51cdb388610c40c08d3d")
}

// UnpackUnknownOfferError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error UnknownOffer(bytes32 offer)
func (vault *Vault) UnpackUnknownOfferError(raw []byte) (*VaultUnknownOffer, error) {
	out := new(VaultUnknownOffer)
	if err := vault.abi.UnpackIntoInterface(out, "UnknownOffer", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultWrongNonce represents a WrongNonce error raised by the Vault contract.
type VaultWrongNonce struct {
	Nonce uint64
	Next  uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongNonce(uint64 nonce, uint64 next)
func VaultWrongNonceErrorID() common.Hash {
	return common.HexToHash("0x1a5fbde0b3b8d326e4442c24bf303a09eb030d7dd42c15e15678d2e0e8e9d0f9")
}

// UnpackWrongNonceError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongNonce(uint64 nonce, uint64 next)
func (vault *Vault) UnpackWrongNonceError(raw []byte) (*VaultWrongNonce, error) {
	out := new(VaultWrongNonce)
	if err := vault.abi.UnpackIntoInterface(out, "WrongNonce", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultWrongSigner represents a WrongSigner error raised by the Vault contract.
type VaultWrongSigner struct {
	Signer common.Address
	Payer  common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongSigner(address signer, address payer)
func VaultWrongSignerErrorID() common.Hash {
	return common.HexToHash("0x366d29f7de543b1e5962d6f7315450f1f5ec3d853d28dca80282b4c242185268")
}

// UnpackWrongSignerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongSigner(address signer, address payer)
func (vault *Vault) UnpackWrongSignerError(raw []byte) (*VaultWrongSigner, error) {
	out := new(VaultWrongSigner)
	if err := vault.abi.UnpackIntoInterface(out, "WrongSigner", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// VaultZeroAmount represents a ZeroAmount error raised by the Vault contract.
type VaultZeroAmount struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroAmount()
func VaultZeroAmountErrorID() common.Hash {
	return common.HexToHash("0x1f2a2005cb66a8e145327e8814e243a0996aec9bfe1e15a495778b1236dbd485")
}

// UnpackZeroAmountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroAmount()
func (vault *Vault) UnpackZeroAmountError(raw []byte) (*VaultZeroAmount, error) {
	out := new(VaultZeroAmount)
	if err := vault.abi.UnpackIntoInterface(out, "ZeroAmount", raw); err != nil {
		return nil, err
	}
	return out, nil
}
