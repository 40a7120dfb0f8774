// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ledger} from "../src/Ledger.sol";
import {Possession} from "../src/Possession.sol";
import {Registry} from "../src/Registry.sol";
import {Token} from "../src/Token.sol";
import {Vault} from "../src/Vault.sol";

/// @notice The cheat codes of forge that the tests use.
interface Vm {
    struct Wallet {
        address addr;
        uint256 publicKeyX;
        uint256 publicKeyY;
        uint256 privateKey;
    }

    function warp(uint256 time) external;
    function roll(uint256 number) external;
    function prank(address sender) external;
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function createWallet(uint256 key) external returns (Wallet memory);
    function assume(bool condition) external pure;
}

/// @notice A deployed network, without forge-std.
abstract contract Base {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant SUPPLY = 1_000_000 ether;
    uint256 internal constant BOND = 100 ether;
    uint256 internal constant MINT_CAP = 50 ether;
    uint64 internal constant EPOCH = 100;
    uint64 internal constant COMMIT = 20;
    uint64 internal constant AUDIT = 30;
    uint64 internal constant DELAY = 40;
    uint64 internal constant PERIOD = 16;
    uint64 internal constant LEAVES = 5;
    bytes32 internal constant RULES = keccak256("rules");

    Token internal token;
    Registry internal registry;
    Vault internal vault;
    Ledger internal ledger;
    Possession internal possession;

    function deploy() internal {
        VM.warp(1_800_000_000);
        token = new Token(SUPPLY);
        registry = new Registry();
        vault = new Vault(token);
        ledger = new Ledger(token, registry, Ledger.Params(EPOCH, COMMIT, AUDIT, DELAY, 2, BOND, MINT_CAP), RULES);
        possession = new Possession(registry, ledger, PERIOD, LEAVES);
        token.setMinter(address(ledger));
        vault.setLedger(ledger);
        ledger.setVault(address(vault));
    }

    function signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev Maps any number into [low, high].
    function within(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + (x % (high - low + 1));
    }

    function check(bool condition, string memory what) internal pure {
        require(condition, what);
    }

    function same(uint256 a, uint256 b, string memory what) internal pure {
        require(a == b, what);
    }
}
