// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Compressed secp256k1 public keys
/// @notice Takes points in the form of SEC 1, section 2.3.4, and gives the accounts that they control.
library Secp256k1 {
    /// @dev The field's prime, 2^256 - 2^32 - 977.
    uint256 private constant _P = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    /// @dev (P + 1) / 4: P is 3 mod 4, so a square root is one exponentiation.
    uint256 private constant _ROOT = 0x3FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFBFFFFF0C;

    /// @notice The bytes are no compressed point of the curve.
    /// @param key The bytes.
    error InvalidKey(bytes key);

    /// @notice The account that a public key controls: the last 20 bytes of keccak256(x ‖ y).
    /// @param key 33 bytes, prefix 2 or 3 (y even or odd) and x.
    /// @return account Its address.
    function toAddress(bytes calldata key) internal view returns (address account) {
        if (key.length != 33) revert InvalidKey(key);
        uint8 prefix = uint8(key[0]);
        uint256 x = uint256(bytes32(key[1:33]));
        if ((prefix != 2 && prefix != 3) || x >= _P) revert InvalidKey(key);
        uint256 square = addmod(mulmod(mulmod(x, x, _P), x, _P), 7, _P);
        uint256 y = Math.modExp(square, _ROOT, _P);
        if (mulmod(y, y, _P) != square) revert InvalidKey(key);
        // y is never zero: -7 has no cube root in the field, so the other root is P - y.
        if (y & 1 != prefix & 1) y = _P - y;
        account = address(uint160(uint256(keccak256(abi.encode(x, y)))));
    }
}
