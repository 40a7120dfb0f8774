// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package registry

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

// RegistryAdvert is an auto generated low-level Go binding around an user-defined struct.
type RegistryAdvert struct {
	Worker     common.Address
	Engines    []string
	Models     [][]byte
	Capacity   uint64
	PriceIn    *big.Int
	PriceOut   *big.Int
	PriceTrain *big.Int
	PricePin   *big.Int
	Since      uint64
	Until      uint64
}

// RegistryClaim is an auto generated low-level Go binding around an user-defined struct.
type RegistryClaim struct {
	Offer  [32]byte
	Worker common.Address
	Rank   uint8
	Price  *big.Int
	Until  uint64
}

// RegistryDecline is an auto generated low-level Go binding around an user-defined struct.
type RegistryDecline struct {
	Offer  [32]byte
	Worker common.Address
	Reason string
}

// RegistryNode is an auto generated low-level Go binding around an user-defined struct.
type RegistryNode struct {
	Key     []byte
	Payout  common.Address
	Classes [][32]byte
	Weight  uint64
}

// RegistryMetaData contains all meta data concerning the Registry contract.
var RegistryMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"AlreadyRegistered\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"class\",\"type\":\"bytes32\"}],\"name\":\"DuplicateClass\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes\",\"name\":\"key\",\"type\":\"bytes\"}],\"name\":\"InvalidKey\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"InvalidShortString\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"}],\"name\":\"NotKeyOwner\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"NotRegistered\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"}],\"name\":\"OwnableInvalidOwner\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"}],\"name\":\"OwnableUnauthorizedAccount\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"str\",\"type\":\"string\"}],\"name\":\"StringTooLong\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"count\",\"type\":\"uint256\"}],\"name\":\"TooManyClasses\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"weight\",\"type\":\"uint64\"}],\"name\":\"WeightTooHigh\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"ZeroClass\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ZeroPayout\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"name\":\"ContributionCommitted\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[],\"name\":\"EIP712DomainChanged\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"NodeDeregistered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes\",\"name\":\"key\",\"type\":\"bytes\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32[]\",\"name\":\"classes\",\"type\":\"bytes32[]\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"weight\",\"type\":\"uint64\"}],\"name\":\"NodeRegistered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"previousOwner\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"newOwner\",\"type\":\"address\"}],\"name\":\"OwnershipTransferStarted\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"previousOwner\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"newOwner\",\"type\":\"address\"}],\"name\":\"OwnershipTransferred\",\"type\":\"event\"},{\"inputs\":[],\"name\":\"DEFAULT_WEIGHT\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_CLASSES\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_WEIGHT\",\"outputs\":[{\"internalType\":\"uint64\",\"name\":\"\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"acceptOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"name\":\"commit\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"deregister\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"eip712Domain\",\"outputs\":[{\"internalType\":\"bytes1\",\"name\":\"fields\",\"type\":\"bytes1\"},{\"internalType\":\"string\",\"name\":\"name\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"version\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"chainId\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"verifyingContract\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"uint256[]\",\"name\":\"extensions\",\"type\":\"uint256[]\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"internalType\":\"string[]\",\"name\":\"engines\",\"type\":\"string[]\"},{\"internalType\":\"bytes[]\",\"name\":\"models\",\"type\":\"bytes[]\"},{\"internalType\":\"uint64\",\"name\":\"capacity\",\"type\":\"uint64\"},{\"internalType\":\"uint256\",\"name\":\"priceIn\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"priceOut\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"priceTrain\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"pricePin\",\"type\":\"uint256\"},{\"internalType\":\"uint64\",\"name\":\"since\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"until\",\"type\":\"uint64\"}],\"internalType\":\"structRegistry.Advert\",\"name\":\"a\",\"type\":\"tuple\"}],\"name\":\"hashAdvert\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"internalType\":\"uint8\",\"name\":\"rank\",\"type\":\"uint8\"},{\"internalType\":\"uint256\",\"name\":\"price\",\"type\":\"uint256\"},{\"internalType\":\"uint64\",\"name\":\"until\",\"type\":\"uint64\"}],\"internalType\":\"structRegistry.Claim\",\"name\":\"c\",\"type\":\"tuple\"}],\"name\":\"hashClaim\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"offer\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"reason\",\"type\":\"string\"}],\"internalType\":\"structRegistry.Decline\",\"name\":\"d\",\"type\":\"tuple\"}],\"name\":\"hashDecline\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"keyOf\",\"outputs\":[{\"internalType\":\"bytes\",\"name\":\"\",\"type\":\"bytes\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"}],\"name\":\"nodeOf\",\"outputs\":[{\"components\":[{\"internalType\":\"bytes\",\"name\":\"key\",\"type\":\"bytes\"},{\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"internalType\":\"bytes32[]\",\"name\":\"classes\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint64\",\"name\":\"weight\",\"type\":\"uint64\"}],\"internalType\":\"structRegistry.Node\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"owner\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"}],\"name\":\"payoutOf\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"pendingOwner\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes\",\"name\":\"pubkey33\",\"type\":\"bytes\"},{\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"internalType\":\"bytes32[]\",\"name\":\"classes\",\"type\":\"bytes32[]\"}],\"name\":\"register\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"renounceOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32[]\",\"name\":\"classes\",\"type\":\"bytes32[]\"}],\"name\":\"setClasses\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"}],\"name\":\"setPayout\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"node\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"weight\",\"type\":\"uint64\"}],\"name\":\"setWeight\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"newOwner\",\"type\":\"address\"}],\"name\":\"transferOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"}]",
	ID:  "Registry",
	Bin: "0x610160604052348015610010575f5ffd5b50336040518060400160405280600581526020016454616c6c7960d81b815250604051806040016040528060018152602001603160f81b8152506100598261013860201b60201c565b6101205261006681610138565b61014052815160208084019190912060e052815190820120610100524660a0526100f260e05161010051604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201529081019290925260608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b60805250503060c0526001600160a01b03811661012957604051631e4fbdf760e01b81525f60048201526024015b60405180910390fd5b61013281610175565b5061023d565b5f5f829050601f81511115610162578260405163305a27a960e01b815260040161012091906101e2565b805161016d82610217565b179392505050565b600380546001600160a01b031916905561018e81610191565b50565b600280546001600160a01b038381166001600160a01b0319831681179093556040519116919082907f8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0905f90a35050565b602081525f82518060208401528060208501604085015e5f604082850101526040601f19601f83011684010191505092915050565b80516020808301519190811015610237575f198160200360031b1b821691505b50919050565b60805160a05160c05160e051610100516101205161014051611a0d61028e5f395f610f2001525f610ef001525f6111d501525f6111ad01525f61110801525f61113201525f61115c0152611a0d5ff3fe608060405234801561000f575f5ffd5b5060043610610132575f3560e01c8063aff5edb1116100b4578063e30c397811610079578063e30c397814610276578063e4a28a5214610287578063f0099ee414610291578063f14fcbc8146102a4578063f2fde38b146102b7578063fa073d76146102ca575f5ffd5b8063aff5edb11461021e578063b53ff25314610226578063c6e7e82814610248578063c90e74ee1461025b578063cbde80c114610263575f5ffd5b8063715018a6116100fa578063715018a6146101cf57806379ba5097146101d757806384b0196e146101df5780638da5cb5b146101fa578063a3ff39b21461020b575f5ffd5b80630563529d146101365780633215a47a1461014b578063459974961461015e578063682a9141146101845780636da61d1e146101a4575b5f5ffd5b6101496101443660046113d9565b6102ea565b005b610149610159366004611443565b610310565b61017161016c366004611474565b6103a3565b6040519081526020015b60405180910390f35b6101976101923660046114ab565b610695565b60405161017b91906114f2565b6101b76101b23660046114ab565b6107c5565b6040516001600160a01b03909116815260200161017b565b6101496107f9565b61014961080c565b6101e7610850565b60405161017b9796959493929190611588565b6002546001600160a01b03166101b7565b6101496102193660046114ab565b610892565b6101496108b6565b610230620f424081565b6040516001600160401b03909116815260200161017b565b61014961025636600461161e565b61091f565b610171601081565b6101716102713660046116c8565b610a4b565b6003546001600160a01b03166101b7565b6102306298968081565b61017161029f3660046116e1565b610af2565b6101496102b2366004611717565b610b7b565b6101496102c53660046114ab565b610baa565b6102dd6102d83660046114ab565b610c1b565b60405161017b919061172e565b5f6102f433610ca3565b9050610301818484610cfb565b61030b3382610e04565b505050565b610318610e77565b5f61032283610ca3565b9050629896806001600160401b03831611156103615760405163326e7ea160e01b81526001600160401b03831660048201526024015b60405180910390fd5b60018101805460ff60e81b196001600160401b038516600160a01b021669ff00ffffffffffffffff60a01b1990911617600160e81b17905561030b8382610e04565b5f806103b26020840184611740565b90506001600160401b038111156103cb576103cb611785565b6040519080825280602002602001820160405280156103f4578160200160208202803683370190505b5090505f5b815181101561046c5761040f6020850185611740565b8281811061041f5761041f611799565b905060200281019061043191906117ad565b60405161043f9291906117ef565b604051809103902082828151811061045957610459611799565b60209081029190910101526001016103f9565b505f61047b6040850185611740565b90506001600160401b0381111561049457610494611785565b6040519080825280602002602001820160405280156104bd578160200160208202803683370190505b5090505f5b8151811015610535576104d86040860186611740565b828181106104e8576104e8611799565b90506020028101906104fa91906117ad565b6040516105089291906117ef565b604051809103902082828151811061052257610522611799565b60209081029190910101526001016104c2565b5061068d7ffcd75f7ac4c6d99656ef28560f858ab29b8a17fbecc7fc503bbaac8d067bdb3161056760208701876114ab565b8460405160200161057891906117fe565b604051602081830303815290604052805190602001208460405160200161059f91906117fe565b60408051601f1981840301815291905280516020909101206105c760808a0160608b01611833565b89608001358a60a001358b60c001358c60e001358d6101000160208101906105ef9190611833565b8e6101200160208101906106039190611833565b60408051602081019c909c526001600160a01b03909a16998b019990995260608a019790975260808901959095526001600160401b0393841660a089015260c088019290925260e087015261010086015261012085019190915290811661014084015216610160820152610180015b60405160208183030381529060405280519060200120610ea4565b949350505050565b6040805160808101825260608082525f602083018190529282018190528101919091526001600160a01b0382165f90815260046020526040812060018101549091600160e01b90910460ff1690036107235750506040805160a0810182525f608082018181528252602080830182905283518281529081018452928201929092526060810191909152919050565b604051806080016040528061073785610c1b565b815260018301546001600160a01b0316602080830191909152600284018054604080518285028101850182528281529401939283018282801561079757602002820191905f5260205f20905b815481526020019060010190808311610783575b50505091835250506001909201546001600160401b03600160a01b9091041660209092019190915292915050565b6001600160a01b038082165f9081526004602052604081206001015490911680156107f057806107f2565b825b9392505050565b610801610e77565b61080a5f610ed0565b565b60035433906001600160a01b031681146108445760405163118cdaa760e01b81526001600160a01b0382166004820152602401610358565b61084d81610ed0565b50565b5f6060805f5f5f6060610861610ee9565b610869610f19565b604080515f80825260208201909252600f60f81b9b939a50919850469750309650945092509050565b5f61089c33610ca3565b90506108a88183610f44565b6108b23382610e04565b5050565b5f6108c033610ca3565b6001810180545f808455600168ff000000000000000160a01b03199091169091559091506108f2906002830190611368565b60405133907ff80f07c03e488ef2bd8323b9f1b196af964916a2fca042b50c4f1a5180d09508905f90a250565b5f61092a8686610f90565b90506001600160a01b0381163314610966576040516337d69fd760e01b81523360048201526001600160a01b0382166024820152604401610358565b335f9081526004602052604090206001810154600160e01b900460ff16156109a3576040516345ed80e960e01b8152336004820152602401610358565b86865f8181106109b5576109b5611799565b6001848101805460ff60e01b1916929094013560f81c600160e01b0291909117909255506109e790602190888a61184c565b6109f091611873565b81556001810154600160e81b900460ff16610a235760018101805467ffffffffffffffff60a01b1916613d0960a61b1790555b610a2d8186610f44565b610a38818585610cfb565b610a423382610e04565b50505050505050565b5f610aec7ff6be0431ff578fcd120f3d63a039594d2eb6364981ddde3672d9583584b4c6ed8335610a8260408601602087016114ab565b610a926060870160408801611890565b6060870135610aa760a0890160808a01611833565b6040805160208101979097528601949094526001600160a01b03909216606085015260ff16608084015260a08301526001600160401b031660c082015260e001610672565b92915050565b5f610aec7f0b579183e003e9bf0b1a3f85430741ddc7917b3cf81d362d745ae67dc9cd507d8335610b2960408601602087016114ab565b610b3660408701876117ad565b604051610b449291906117ef565b6040519081900381206106729493929160200193845260208401929092526001600160a01b03166040830152606082015260800190565b604051819033907f51b7fd9bf25ba725ee4207ae0eec00838c80a4a9318c760e162c19666ae24714905f90a350565b610bb2610e77565b600380546001600160a01b0383166001600160a01b03199091168117909155610be36002546001600160a01b031690565b6001600160a01b03167f38d16b8cac22d99fc7c124b9cd0de2d3fa1faef420bfe791d8c362d765e2270060405160405180910390a350565b6001600160a01b0381165f9081526004602052604081206001810154606092600160e01b90910460ff169003610c6057505060408051602081019091525f8152919050565b60018101548154604051600160e01b90920460f81b6001600160f81b03191660208301526021820152604101604051602081830303815290604052915050919050565b6001600160a01b0381165f90815260046020526040812060018101549091600160e01b90910460ff169003610cf65760405163bfc6c33760e01b81526001600160a01b0383166004820152602401610358565b919050565b6010811115610d205760405163f21fe25760e01b815260048101829052602401610358565b5f5b81811015610dee57828282818110610d3c57610d3c611799565b905060200201355f5f1b03610d675760405163e271f23560e01b815260048101829052602401610358565b5f5b81811015610de557838382818110610d8357610d83611799565b90506020020135848484818110610d9c57610d9c611799565b9050602002013503610ddd57838383818110610dba57610dba611799565b9050602002013560405163f4b499cb60e01b815260040161035891815260200190565b600101610d69565b50600101610d22565b5060028301610dfe8284836118b0565b50505050565b816001600160a01b03167f4f8a9d2d75c1bd0d24bf6f471b3af78797d31513dc6885d79290e68f2cd6f2a9610e3884610c1b565b6001840154604051610e6b92916001600160a01b038116916002880191600160a01b90046001600160401b031690611944565b60405180910390a25050565b6002546001600160a01b0316331461080a5760405163118cdaa760e01b8152336004820152602401610358565b5f610aec610eb06110fc565b8360405161190160f01b8152600281019290925260228201526042902090565b600380546001600160a01b031916905561084d81611225565b6060610f147f0000000000000000000000000000000000000000000000000000000000000000611276565b905090565b6060610f147f0000000000000000000000000000000000000000000000000000000000000000611276565b6001600160a01b038116610f6b57604051635788801b60e11b815260040160405180910390fd5b60019190910180546001600160a01b0319166001600160a01b03909216919091179055565b5f60218214610fb657828260405163cc6154e160e01b81526004016103589291906119c0565b5f83835f818110610fc957610fc9611799565b919091013560f81c91505f9050610fe460216001868861184c565b610fed91611873565b9050600260ff83161480159061100757508160ff16600314155b8061101857506401000003d0198110155b1561103a57848460405163cc6154e160e01b81526004016103589291906119c0565b5f6401000003d01960076401000003d019846401000003d019868709090890505f6110768263400000f4600160fe1b036401000003d0196112b3565b9050816401000003d019828309146110a557868660405163cc6154e160e01b81526004016103589291906119c0565b6001818116908516146110c5576110c2816401000003d0196119ee565b90505b604080516020810185905290810182905260600160408051601f198184030181529190528051602090910120979650505050505050565b5f306001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614801561115457507f000000000000000000000000000000000000000000000000000000000000000046145b1561117e57507f000000000000000000000000000000000000000000000000000000000000000090565b610f14604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201527f0000000000000000000000000000000000000000000000000000000000000000918101919091527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b600280546001600160a01b038381166001600160a01b0319831681179093556040519116919082907f8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0905f90a35050565b60605f611282836112dd565b6040805160208082528183019092529192505f91906020820181803683375050509182525060208101929092525090565b5f5f5f6112c1868686611304565b91509150816112d4576112d46012611357565b95945050505050565b5f60ff8216601f811115610aec57604051632cd44ac360e21b815260040160405180910390fd5b5f5f825f0361131757505f90508061134f565b60405160208152602080820152602060408201528560608201528460808201528360a082015260205f60c08360055afa9250505f5190505b935093915050565b634e487b715f52806020526024601cfd5b5080545f8255905f5260205f209061080a91905f5b8082111561030b575f8184015560010161137d565b5f5f83601f8401126113a2575f5ffd5b5081356001600160401b038111156113b8575f5ffd5b6020830191508360208260051b85010111156113d2575f5ffd5b9250929050565b5f5f602083850312156113ea575f5ffd5b82356001600160401b038111156113ff575f5ffd5b61140b85828601611392565b90969095509350505050565b80356001600160a01b0381168114610cf6575f5ffd5b80356001600160401b0381168114610cf6575f5ffd5b5f5f60408385031215611454575f5ffd5b61145d83611417565b915061146b6020840161142d565b90509250929050565b5f60208284031215611484575f5ffd5b81356001600160401b03811115611499575f5ffd5b820161014081850312156107f2575f5ffd5b5f602082840312156114bb575f5ffd5b6107f282611417565b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b602081525f82516080602084015261150d60a08401826114c4565b6020858101516001600160a01b0316604086810191909152860151858303601f19016060870152805180845290820193505f92909101905b808310156115685783518252602082019150602084019350600183019250611545565b5060608601516001600160401b0381166080870152925095945050505050565b60ff60f81b8816815260e060208201525f6115a660e08301896114c4565b82810360408401526115b881896114c4565b606084018890526001600160a01b038716608085015260a0840186905283810360c0850152845180825260208087019350909101905f5b8181101561160d5783518352602093840193909201916001016115ef565b50909b9a5050505050505050505050565b5f5f5f5f5f60608688031215611632575f5ffd5b85356001600160401b03811115611647575f5ffd5b8601601f81018813611657575f5ffd5b80356001600160401b0381111561166c575f5ffd5b88602082840101111561167d575f5ffd5b602091820196509450611691908701611417565b925060408601356001600160401b038111156116ab575f5ffd5b6116b788828901611392565b969995985093965092949392505050565b5f60a08284031280156116d9575f5ffd5b509092915050565b5f602082840312156116f1575f5ffd5b81356001600160401b03811115611706575f5ffd5b8201606081850312156107f2575f5ffd5b5f60208284031215611727575f5ffd5b5035919050565b602081525f6107f260208301846114c4565b5f5f8335601e19843603018112611755575f5ffd5b8301803591506001600160401b0382111561176e575f5ffd5b6020019150600581901b36038213156113d2575f5ffd5b634e487b7160e01b5f52604160045260245ffd5b634e487b7160e01b5f52603260045260245ffd5b5f5f8335601e198436030181126117c2575f5ffd5b8301803591506001600160401b038211156117db575f5ffd5b6020019150368190038213156113d2575f5ffd5b818382375f9101908152919050565b81515f90829060208501835b8281101561182857815184526020938401939091019060010161180a565b509195945050505050565b5f60208284031215611843575f5ffd5b6107f28261142d565b5f5f8585111561185a575f5ffd5b83861115611866575f5ffd5b5050820193919092039150565b80356020831015610aec575f19602084900360031b1b1692915050565b5f602082840312156118a0575f5ffd5b813560ff811681146107f2575f5ffd5b6001600160401b038311156118c7576118c7611785565b680100000000000000008311156118e0576118e0611785565b80548382558084101561191457815f528360205f20018482035f5b81811015611910575f838201556001016118fb565b5050505b505f8181526020812083915b8581101561193c57823582820155602090920191600101611920565b505050505050565b608081525f61195660808301876114c4565b6001600160a01b038616602084810191909152838203604085015285548083525f87815282812093909201915b818110156119a1578354835260019384019360209093019201611983565b505080925050506001600160401b038316606083015295945050505050565b60208152816020820152818360408301375f818301604090810191909152601f909201601f19160101919050565b81810381811115610aec57634e487b7160e01b5f52601160045260245ffd",
}

// Registry is an auto generated Go binding around an Ethereum contract.
type Registry struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Registry) GetABI() abi.ABI {
	return c.abi
}

// NewRegistry creates a new instance of Registry.
func NewRegistry() *Registry {
	parsed, err := RegistryMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Registry{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Registry) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackDEFAULTWEIGHT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb53ff253.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function DEFAULT_WEIGHT() view returns(uint64)
func (registry *Registry) PackDEFAULTWEIGHT() []byte {
	enc, err := registry.abi.Pack("DEFAULT_WEIGHT")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDEFAULTWEIGHT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb53ff253.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function DEFAULT_WEIGHT() view returns(uint64)
func (registry *Registry) TryPackDEFAULTWEIGHT() ([]byte, error) {
	return registry.abi.Pack("DEFAULT_WEIGHT")
}

// UnpackDEFAULTWEIGHT is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb53ff253.
//
// Solidity: function DEFAULT_WEIGHT() view returns(uint64)
func (registry *Registry) UnpackDEFAULTWEIGHT(data []byte) (uint64, error) {
	out, err := registry.abi.Unpack("DEFAULT_WEIGHT", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackMAXCLASSES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc90e74ee.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_CLASSES() view returns(uint256)
func (registry *Registry) PackMAXCLASSES() []byte {
	enc, err := registry.abi.Pack("MAX_CLASSES")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXCLASSES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc90e74ee.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_CLASSES() view returns(uint256)
func (registry *Registry) TryPackMAXCLASSES() ([]byte, error) {
	return registry.abi.Pack("MAX_CLASSES")
}

// UnpackMAXCLASSES is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc90e74ee.
//
// Solidity: function MAX_CLASSES() view returns(uint256)
func (registry *Registry) UnpackMAXCLASSES(data []byte) (*big.Int, error) {
	out, err := registry.abi.Unpack("MAX_CLASSES", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXWEIGHT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe4a28a52.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_WEIGHT() view returns(uint64)
func (registry *Registry) PackMAXWEIGHT() []byte {
	enc, err := registry.abi.Pack("MAX_WEIGHT")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXWEIGHT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe4a28a52.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_WEIGHT() view returns(uint64)
func (registry *Registry) TryPackMAXWEIGHT() ([]byte, error) {
	return registry.abi.Pack("MAX_WEIGHT")
}

// UnpackMAXWEIGHT is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe4a28a52.
//
// Solidity: function MAX_WEIGHT() view returns(uint64)
func (registry *Registry) UnpackMAXWEIGHT(data []byte) (uint64, error) {
	out, err := registry.abi.Unpack("MAX_WEIGHT", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackAcceptOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x79ba5097.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function acceptOwnership() returns()
func (registry *Registry) PackAcceptOwnership() []byte {
	enc, err := registry.abi.Pack("acceptOwnership")
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
func (registry *Registry) TryPackAcceptOwnership() ([]byte, error) {
	return registry.abi.Pack("acceptOwnership")
}

// PackCommit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf14fcbc8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function commit(bytes32 digest) returns()
func (registry *Registry) PackCommit(digest [32]byte) []byte {
	enc, err := registry.abi.Pack("commit", digest)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCommit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf14fcbc8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function commit(bytes32 digest) returns()
func (registry *Registry) TryPackCommit(digest [32]byte) ([]byte, error) {
	return registry.abi.Pack("commit", digest)
}

// PackDeregister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaff5edb1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function deregister() returns()
func (registry *Registry) PackDeregister() []byte {
	enc, err := registry.abi.Pack("deregister")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDeregister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaff5edb1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function deregister() returns()
func (registry *Registry) TryPackDeregister() ([]byte, error) {
	return registry.abi.Pack("deregister")
}

// PackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (registry *Registry) PackEip712Domain() []byte {
	enc, err := registry.abi.Pack("eip712Domain")
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
func (registry *Registry) TryPackEip712Domain() ([]byte, error) {
	return registry.abi.Pack("eip712Domain")
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
func (registry *Registry) UnpackEip712Domain(data []byte) (Eip712DomainOutput, error) {
	out, err := registry.abi.Unpack("eip712Domain", data)
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

// PackHashAdvert is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x45997496.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashAdvert((address,string[],bytes[],uint64,uint256,uint256,uint256,uint256,uint64,uint64) a) view returns(bytes32 digest)
func (registry *Registry) PackHashAdvert(a RegistryAdvert) []byte {
	enc, err := registry.abi.Pack("hashAdvert", a)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashAdvert is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x45997496.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashAdvert((address,string[],bytes[],uint64,uint256,uint256,uint256,uint256,uint64,uint64) a) view returns(bytes32 digest)
func (registry *Registry) TryPackHashAdvert(a RegistryAdvert) ([]byte, error) {
	return registry.abi.Pack("hashAdvert", a)
}

// UnpackHashAdvert is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x45997496.
//
// Solidity: function hashAdvert((address,string[],bytes[],uint64,uint256,uint256,uint256,uint256,uint64,uint64) a) view returns(bytes32 digest)
func (registry *Registry) UnpackHashAdvert(data []byte) ([32]byte, error) {
	out, err := registry.abi.Unpack("hashAdvert", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackHashClaim is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcbde80c1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashClaim((bytes32,address,uint8,uint256,uint64) c) view returns(bytes32 digest)
func (registry *Registry) PackHashClaim(c RegistryClaim) []byte {
	enc, err := registry.abi.Pack("hashClaim", c)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashClaim is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcbde80c1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashClaim((bytes32,address,uint8,uint256,uint64) c) view returns(bytes32 digest)
func (registry *Registry) TryPackHashClaim(c RegistryClaim) ([]byte, error) {
	return registry.abi.Pack("hashClaim", c)
}

// UnpackHashClaim is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xcbde80c1.
//
// Solidity: function hashClaim((bytes32,address,uint8,uint256,uint64) c) view returns(bytes32 digest)
func (registry *Registry) UnpackHashClaim(data []byte) ([32]byte, error) {
	out, err := registry.abi.Unpack("hashClaim", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackHashDecline is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf0099ee4.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashDecline((bytes32,address,string) d) view returns(bytes32 digest)
func (registry *Registry) PackHashDecline(d RegistryDecline) []byte {
	enc, err := registry.abi.Pack("hashDecline", d)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashDecline is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf0099ee4.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashDecline((bytes32,address,string) d) view returns(bytes32 digest)
func (registry *Registry) TryPackHashDecline(d RegistryDecline) ([]byte, error) {
	return registry.abi.Pack("hashDecline", d)
}

// UnpackHashDecline is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xf0099ee4.
//
// Solidity: function hashDecline((bytes32,address,string) d) view returns(bytes32 digest)
func (registry *Registry) UnpackHashDecline(data []byte) ([32]byte, error) {
	out, err := registry.abi.Unpack("hashDecline", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackKeyOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfa073d76.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function keyOf(address node) view returns(bytes)
func (registry *Registry) PackKeyOf(node common.Address) []byte {
	enc, err := registry.abi.Pack("keyOf", node)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackKeyOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfa073d76.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function keyOf(address node) view returns(bytes)
func (registry *Registry) TryPackKeyOf(node common.Address) ([]byte, error) {
	return registry.abi.Pack("keyOf", node)
}

// UnpackKeyOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfa073d76.
//
// Solidity: function keyOf(address node) view returns(bytes)
func (registry *Registry) UnpackKeyOf(data []byte) ([]byte, error) {
	out, err := registry.abi.Unpack("keyOf", data)
	if err != nil {
		return *new([]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([]byte)).(*[]byte)
	return out0, nil
}

// PackNodeOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x682a9141.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function nodeOf(address node) view returns((bytes,address,bytes32[],uint64))
func (registry *Registry) PackNodeOf(node common.Address) []byte {
	enc, err := registry.abi.Pack("nodeOf", node)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackNodeOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x682a9141.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function nodeOf(address node) view returns((bytes,address,bytes32[],uint64))
func (registry *Registry) TryPackNodeOf(node common.Address) ([]byte, error) {
	return registry.abi.Pack("nodeOf", node)
}

// UnpackNodeOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x682a9141.
//
// Solidity: function nodeOf(address node) view returns((bytes,address,bytes32[],uint64))
func (registry *Registry) UnpackNodeOf(data []byte) (RegistryNode, error) {
	out, err := registry.abi.Unpack("nodeOf", data)
	if err != nil {
		return *new(RegistryNode), err
	}
	out0 := *abi.ConvertType(out[0], new(RegistryNode)).(*RegistryNode)
	return out0, nil
}

// PackOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8da5cb5b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function owner() view returns(address)
func (registry *Registry) PackOwner() []byte {
	enc, err := registry.abi.Pack("owner")
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
func (registry *Registry) TryPackOwner() ([]byte, error) {
	return registry.abi.Pack("owner")
}

// UnpackOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8da5cb5b.
//
// Solidity: function owner() view returns(address)
func (registry *Registry) UnpackOwner(data []byte) (common.Address, error) {
	out, err := registry.abi.Unpack("owner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPayoutOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6da61d1e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function payoutOf(address account) view returns(address)
func (registry *Registry) PackPayoutOf(account common.Address) []byte {
	enc, err := registry.abi.Pack("payoutOf", account)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPayoutOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6da61d1e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function payoutOf(address account) view returns(address)
func (registry *Registry) TryPackPayoutOf(account common.Address) ([]byte, error) {
	return registry.abi.Pack("payoutOf", account)
}

// UnpackPayoutOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6da61d1e.
//
// Solidity: function payoutOf(address account) view returns(address)
func (registry *Registry) UnpackPayoutOf(data []byte) (common.Address, error) {
	out, err := registry.abi.Unpack("payoutOf", data)
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
func (registry *Registry) PackPendingOwner() []byte {
	enc, err := registry.abi.Pack("pendingOwner")
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
func (registry *Registry) TryPackPendingOwner() ([]byte, error) {
	return registry.abi.Pack("pendingOwner")
}

// UnpackPendingOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe30c3978.
//
// Solidity: function pendingOwner() view returns(address)
func (registry *Registry) UnpackPendingOwner(data []byte) (common.Address, error) {
	out, err := registry.abi.Unpack("pendingOwner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc6e7e828.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function register(bytes pubkey33, address payout, bytes32[] classes) returns()
func (registry *Registry) PackRegister(pubkey33 []byte, payout common.Address, classes [][32]byte) []byte {
	enc, err := registry.abi.Pack("register", pubkey33, payout, classes)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc6e7e828.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function register(bytes pubkey33, address payout, bytes32[] classes) returns()
func (registry *Registry) TryPackRegister(pubkey33 []byte, payout common.Address, classes [][32]byte) ([]byte, error) {
	return registry.abi.Pack("register", pubkey33, payout, classes)
}

// PackRenounceOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x715018a6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function renounceOwnership() returns()
func (registry *Registry) PackRenounceOwnership() []byte {
	enc, err := registry.abi.Pack("renounceOwnership")
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
func (registry *Registry) TryPackRenounceOwnership() ([]byte, error) {
	return registry.abi.Pack("renounceOwnership")
}

// PackSetClasses is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0563529d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setClasses(bytes32[] classes) returns()
func (registry *Registry) PackSetClasses(classes [][32]byte) []byte {
	enc, err := registry.abi.Pack("setClasses", classes)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetClasses is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0563529d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setClasses(bytes32[] classes) returns()
func (registry *Registry) TryPackSetClasses(classes [][32]byte) ([]byte, error) {
	return registry.abi.Pack("setClasses", classes)
}

// PackSetPayout is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa3ff39b2.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setPayout(address payout) returns()
func (registry *Registry) PackSetPayout(payout common.Address) []byte {
	enc, err := registry.abi.Pack("setPayout", payout)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetPayout is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa3ff39b2.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setPayout(address payout) returns()
func (registry *Registry) TryPackSetPayout(payout common.Address) ([]byte, error) {
	return registry.abi.Pack("setPayout", payout)
}

// PackSetWeight is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3215a47a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setWeight(address node, uint64 weight) returns()
func (registry *Registry) PackSetWeight(node common.Address, weight uint64) []byte {
	enc, err := registry.abi.Pack("setWeight", node, weight)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetWeight is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3215a47a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setWeight(address node, uint64 weight) returns()
func (registry *Registry) TryPackSetWeight(node common.Address, weight uint64) ([]byte, error) {
	return registry.abi.Pack("setWeight", node, weight)
}

// PackTransferOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf2fde38b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function transferOwnership(address newOwner) returns()
func (registry *Registry) PackTransferOwnership(newOwner common.Address) []byte {
	enc, err := registry.abi.Pack("transferOwnership", newOwner)
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
func (registry *Registry) TryPackTransferOwnership(newOwner common.Address) ([]byte, error) {
	return registry.abi.Pack("transferOwnership", newOwner)
}

// RegistryContributionCommitted represents a ContributionCommitted event raised by the Registry contract.
type RegistryContributionCommitted struct {
	Account common.Address
	Digest  [32]byte
	Raw     *types.Log // Blockchain specific contextual infos
}

const RegistryContributionCommittedEventName = "ContributionCommitted"

// ContractEventName returns the user-defined event name.
func (RegistryContributionCommitted) ContractEventName() string {
	return RegistryContributionCommittedEventName
}

// UnpackContributionCommittedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ContributionCommitted(address indexed account, bytes32 indexed digest)
func (registry *Registry) UnpackContributionCommittedEvent(log *types.Log) (*RegistryContributionCommitted, error) {
	event := "ContributionCommitted"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryContributionCommitted)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
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

// RegistryEIP712DomainChanged represents a EIP712DomainChanged event raised by the Registry contract.
type RegistryEIP712DomainChanged struct {
	Raw *types.Log // Blockchain specific contextual infos
}

const RegistryEIP712DomainChangedEventName = "EIP712DomainChanged"

// ContractEventName returns the user-defined event name.
func (RegistryEIP712DomainChanged) ContractEventName() string {
	return RegistryEIP712DomainChangedEventName
}

// UnpackEIP712DomainChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event EIP712DomainChanged()
func (registry *Registry) UnpackEIP712DomainChangedEvent(log *types.Log) (*RegistryEIP712DomainChanged, error) {
	event := "EIP712DomainChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryEIP712DomainChanged)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
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

// RegistryNodeDeregistered represents a NodeDeregistered event raised by the Registry contract.
type RegistryNodeDeregistered struct {
	Node common.Address
	Raw  *types.Log // Blockchain specific contextual infos
}

const RegistryNodeDeregisteredEventName = "NodeDeregistered"

// ContractEventName returns the user-defined event name.
func (RegistryNodeDeregistered) ContractEventName() string {
	return RegistryNodeDeregisteredEventName
}

// UnpackNodeDeregisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event NodeDeregistered(address indexed node)
func (registry *Registry) UnpackNodeDeregisteredEvent(log *types.Log) (*RegistryNodeDeregistered, error) {
	event := "NodeDeregistered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryNodeDeregistered)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
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

// RegistryNodeRegistered represents a NodeRegistered event raised by the Registry contract.
type RegistryNodeRegistered struct {
	Node    common.Address
	Key     []byte
	Payout  common.Address
	Classes [][32]byte
	Weight  uint64
	Raw     *types.Log // Blockchain specific contextual infos
}

const RegistryNodeRegisteredEventName = "NodeRegistered"

// ContractEventName returns the user-defined event name.
func (RegistryNodeRegistered) ContractEventName() string {
	return RegistryNodeRegisteredEventName
}

// UnpackNodeRegisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event NodeRegistered(address indexed node, bytes key, address payout, bytes32[] classes, uint64 weight)
func (registry *Registry) UnpackNodeRegisteredEvent(log *types.Log) (*RegistryNodeRegistered, error) {
	event := "NodeRegistered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryNodeRegistered)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
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

// RegistryOwnershipTransferStarted represents a OwnershipTransferStarted event raised by the Registry contract.
type RegistryOwnershipTransferStarted struct {
	PreviousOwner common.Address
	NewOwner      common.Address
	Raw           *types.Log // Blockchain specific contextual infos
}

const RegistryOwnershipTransferStartedEventName = "OwnershipTransferStarted"

// ContractEventName returns the user-defined event name.
func (RegistryOwnershipTransferStarted) ContractEventName() string {
	return RegistryOwnershipTransferStartedEventName
}

// UnpackOwnershipTransferStartedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner)
func (registry *Registry) UnpackOwnershipTransferStartedEvent(log *types.Log) (*RegistryOwnershipTransferStarted, error) {
	event := "OwnershipTransferStarted"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryOwnershipTransferStarted)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
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

// RegistryOwnershipTransferred represents a OwnershipTransferred event raised by the Registry contract.
type RegistryOwnershipTransferred struct {
	PreviousOwner common.Address
	NewOwner      common.Address
	Raw           *types.Log // Blockchain specific contextual infos
}

const RegistryOwnershipTransferredEventName = "OwnershipTransferred"

// ContractEventName returns the user-defined event name.
func (RegistryOwnershipTransferred) ContractEventName() string {
	return RegistryOwnershipTransferredEventName
}

// UnpackOwnershipTransferredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipTransferred(address indexed previousOwner, address indexed newOwner)
func (registry *Registry) UnpackOwnershipTransferredEvent(log *types.Log) (*RegistryOwnershipTransferred, error) {
	event := "OwnershipTransferred"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryOwnershipTransferred)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
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
func (registry *Registry) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], registry.abi.Errors["AlreadyRegistered"].ID.Bytes()[:4]) {
		return registry.UnpackAlreadyRegisteredError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["DuplicateClass"].ID.Bytes()[:4]) {
		return registry.UnpackDuplicateClassError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["InvalidKey"].ID.Bytes()[:4]) {
		return registry.UnpackInvalidKeyError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["InvalidShortString"].ID.Bytes()[:4]) {
		return registry.UnpackInvalidShortStringError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NotKeyOwner"].ID.Bytes()[:4]) {
		return registry.UnpackNotKeyOwnerError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NotRegistered"].ID.Bytes()[:4]) {
		return registry.UnpackNotRegisteredError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["OwnableInvalidOwner"].ID.Bytes()[:4]) {
		return registry.UnpackOwnableInvalidOwnerError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["OwnableUnauthorizedAccount"].ID.Bytes()[:4]) {
		return registry.UnpackOwnableUnauthorizedAccountError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["StringTooLong"].ID.Bytes()[:4]) {
		return registry.UnpackStringTooLongError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["TooManyClasses"].ID.Bytes()[:4]) {
		return registry.UnpackTooManyClassesError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["WeightTooHigh"].ID.Bytes()[:4]) {
		return registry.UnpackWeightTooHighError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["ZeroClass"].ID.Bytes()[:4]) {
		return registry.UnpackZeroClassError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["ZeroPayout"].ID.Bytes()[:4]) {
		return registry.UnpackZeroPayoutError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// RegistryAlreadyRegistered represents a AlreadyRegistered error raised by the Registry contract.
type RegistryAlreadyRegistered struct {
	Node common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyRegistered(address node)
func RegistryAlreadyRegisteredErrorID() common.Hash {
	return common.HexToHash("0x45ed80e9399c87887ea54f615514a1e3dde31e9b6c027ddceb4ffd503b70e428")
}

// UnpackAlreadyRegisteredError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyRegistered(address node)
func (registry *Registry) UnpackAlreadyRegisteredError(raw []byte) (*RegistryAlreadyRegistered, error) {
	out := new(RegistryAlreadyRegistered)
	if err := registry.abi.UnpackIntoInterface(out, "AlreadyRegistered", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryDuplicateClass represents a DuplicateClass error raised by the Registry contract.
type RegistryDuplicateClass struct {
	Class [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DuplicateClass(bytes32 class)
func RegistryDuplicateClassErrorID() common.Hash {
	return common.HexToHash("0xf4b499cbd8b570ae0526d72a294810f9dbc37e8c6ae6d40944a288d9c5fc59e5")
}

// UnpackDuplicateClassError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DuplicateClass(bytes32 class)
func (registry *Registry) UnpackDuplicateClassError(raw []byte) (*RegistryDuplicateClass, error) {
	out := new(RegistryDuplicateClass)
	if err := registry.abi.UnpackIntoInterface(out, "DuplicateClass", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryInvalidKey represents a InvalidKey error raised by the Registry contract.
type RegistryInvalidKey struct {
	Key []byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidKey(bytes key)
func RegistryInvalidKeyErrorID() common.Hash {
	return common.HexToHash("0xcc6154e1b35cc635a9471984aec344ae8e197a15f79ddf596742b0b2bbbaa4df")
}

// UnpackInvalidKeyError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidKey(bytes key)
func (registry *Registry) UnpackInvalidKeyError(raw []byte) (*RegistryInvalidKey, error) {
	out := new(RegistryInvalidKey)
	if err := registry.abi.UnpackIntoInterface(out, "InvalidKey", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryInvalidShortString represents a InvalidShortString error raised by the Registry contract.
type RegistryInvalidShortString struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidShortString()
func RegistryInvalidShortStringErrorID() common.Hash {
	return common.HexToHash("0xb3512b0c6163e5f0bafab72bb631b9d58cd7a731b082f910338aa21c83d5c274")
}

// UnpackInvalidShortStringError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidShortString()
func (registry *Registry) UnpackInvalidShortStringError(raw []byte) (*RegistryInvalidShortString, error) {
	out := new(RegistryInvalidShortString)
	if err := registry.abi.UnpackIntoInterface(out, "InvalidShortString", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNotKeyOwner represents a NotKeyOwner error raised by the Registry contract.
type RegistryNotKeyOwner struct {
	Sender common.Address
	Owner  common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotKeyOwner(address sender, address owner)
func RegistryNotKeyOwnerErrorID() common.Hash {
	return common.HexToHash("0x37d69fd7592d8f7105cff4738d53a1f2b78593ff191f40e746ad9f79220a70ca")
}

// UnpackNotKeyOwnerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotKeyOwner(address sender, address owner)
func (registry *Registry) UnpackNotKeyOwnerError(raw []byte) (*RegistryNotKeyOwner, error) {
	out := new(RegistryNotKeyOwner)
	if err := registry.abi.UnpackIntoInterface(out, "NotKeyOwner", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNotRegistered represents a NotRegistered error raised by the Registry contract.
type RegistryNotRegistered struct {
	Node common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotRegistered(address node)
func RegistryNotRegisteredErrorID() common.Hash {
	return common.HexToHash("0xbfc6c337a80b7b8201f77f0a2a54c6e5f7c6fd9124a749804a482fa16ee8a895")
}

// UnpackNotRegisteredError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotRegistered(address node)
func (registry *Registry) UnpackNotRegisteredError(raw []byte) (*RegistryNotRegistered, error) {
	out := new(RegistryNotRegistered)
	if err := registry.abi.UnpackIntoInterface(out, "NotRegistered", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryOwnableInvalidOwner represents a OwnableInvalidOwner error raised by the Registry contract.
type RegistryOwnableInvalidOwner struct {
	Owner common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OwnableInvalidOwner(address owner)
func RegistryOwnableInvalidOwnerErrorID() common.Hash {
	return common.HexToHash("0x1e4fbdf7f3ef8bcaa855599e3abf48b232380f183f08f6f813d9ffa5bd585188")
}

// UnpackOwnableInvalidOwnerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OwnableInvalidOwner(address owner)
func (registry *Registry) UnpackOwnableInvalidOwnerError(raw []byte) (*RegistryOwnableInvalidOwner, error) {
	out := new(RegistryOwnableInvalidOwner)
	if err := registry.abi.UnpackIntoInterface(out, "OwnableInvalidOwner", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryOwnableUnauthorizedAccount represents a OwnableUnauthorizedAccount error raised by the Registry contract.
type RegistryOwnableUnauthorizedAccount struct {
	Account common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OwnableUnauthorizedAccount(address account)
func RegistryOwnableUnauthorizedAccountErrorID() common.Hash {
	return common.HexToHash("0x118cdaa7a341953d1887a2245fd6665d741c67c8c50581daa59e1d03373fa188")
}

// UnpackOwnableUnauthorizedAccountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OwnableUnauthorizedAccount(address account)
func (registry *Registry) UnpackOwnableUnauthorizedAccountError(raw []byte) (*RegistryOwnableUnauthorizedAccount, error) {
	out := new(RegistryOwnableUnauthorizedAccount)
	if err := registry.abi.UnpackIntoInterface(out, "OwnableUnauthorizedAccount", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryStringTooLong represents a StringTooLong error raised by the Registry contract.
type RegistryStringTooLong struct {
	Str string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StringTooLong(string str)
func RegistryStringTooLongErrorID() common.Hash {
	return common.HexToHash("0x305a27a93f8e33b7392df0a0f91d6fc63847395853c45991eec52dbf24d72381")
}

// UnpackStringTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StringTooLong(string str)
func (registry *Registry) UnpackStringTooLongError(raw []byte) (*RegistryStringTooLong, error) {
	out := new(RegistryStringTooLong)
	if err := registry.abi.UnpackIntoInterface(out, "StringTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryTooManyClasses represents a TooManyClasses error raised by the Registry contract.
type RegistryTooManyClasses struct {
	Count *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TooManyClasses(uint256 count)
func RegistryTooManyClassesErrorID() common.Hash {
	return common.HexToHash("0xf21fe25757e06c83735ee181d1732678bd41afc25cd482f76b4a3a2df9483726")
}

// UnpackTooManyClassesError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TooManyClasses(uint256 count)
func (registry *Registry) UnpackTooManyClassesError(raw []byte) (*RegistryTooManyClasses, error) {
	out := new(RegistryTooManyClasses)
	if err := registry.abi.UnpackIntoInterface(out, "TooManyClasses", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryWeightTooHigh represents a WeightTooHigh error raised by the Registry contract.
type RegistryWeightTooHigh struct {
	Weight uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WeightTooHigh(uint64 weight)
func RegistryWeightTooHighErrorID() common.Hash {
	return common.HexToHash("0x326e7ea165fad2757cba33736d2d963e50c08768b4526f424bb7e79bbd5f48c9")
}

// UnpackWeightTooHighError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WeightTooHigh(uint64 weight)
func (registry *Registry) UnpackWeightTooHighError(raw []byte) (*RegistryWeightTooHigh, error) {
	out := new(RegistryWeightTooHigh)
	if err := registry.abi.UnpackIntoInterface(out, "WeightTooHigh", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryZeroClass represents a ZeroClass error raised by the Registry contract.
type RegistryZeroClass struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroClass(uint256 index)
func RegistryZeroClassErrorID() common.Hash {
	return common.HexToHash("0xe271f235113674a929dc0df40e46f1c6c52a1b148ee5ce655c8352a7a24d2692")
}

// UnpackZeroClassError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroClass(uint256 index)
func (registry *Registry) UnpackZeroClassError(raw []byte) (*RegistryZeroClass, error) {
	out := new(RegistryZeroClass)
	if err := registry.abi.UnpackIntoInterface(out, "ZeroClass", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryZeroPayout represents a ZeroPayout error raised by the Registry contract.
type RegistryZeroPayout struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroPayout()
func RegistryZeroPayoutErrorID() common.Hash {
	return common.HexToHash("0xaf110036c96ee2a6d44b6e05961dbe18a1e2f7e6fe860fb8f0351e6934e6ffe3")
}

// UnpackZeroPayoutError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroPayout()
func (registry *Registry) UnpackZeroPayoutError(raw []byte) (*RegistryZeroPayout, error) {
	out := new(RegistryZeroPayout)
	if err := registry.abi.UnpackIntoInterface(out, "ZeroPayout", raw); err != nil {
		return nil, err
	}
	return out, nil
}
