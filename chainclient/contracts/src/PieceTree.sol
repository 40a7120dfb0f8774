// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Piece roots
/// @notice The SHA-256 tree over a piece's bytes that protocol/piece describes: leaves of 256 bytes, the last one
/// filled up with zero bytes; leaf H(0x00 ‖ bytes), node H(0x01 ‖ left ‖ right), root H(0x02 ‖ length ‖ top).
/// @dev A test compares it with the Go package on the vectors that are on file there.
library PieceTree {
    /// @notice Bytes under one leaf.
    uint256 internal constant LEAF = 256;

    /// @notice A leaf is not 256 bytes long.
    /// @param length Its bytes.
    error BadLeafSize(uint256 length);
    /// @notice A path has another length than the piece's depth.
    /// @param length Hashes given.
    /// @param depth Hashes that a path of the piece has.
    error BadPathLength(uint256 length, uint256 depth);
    /// @notice The bytes past the end of the piece, in its last leaf, are not zero.
    /// @param leaf The leaf.
    error BadPadding(uint64 leaf);
    /// @notice The piece has no such leaf.
    /// @param leaf The leaf.
    /// @param leaves How many it has.
    error LeafOutOfRange(uint64 leaf, uint64 leaves);

    /// @notice How many leaves a piece has.
    /// @param size Its bytes, below 2^64 - 255.
    /// @return Leaves.
    function leavesOf(uint64 size) internal pure returns (uint64) {
        return (size + 255) / 256;
    }

    /// @notice Where a leaf and its path lead.
    /// @param size The piece's bytes.
    /// @param leaf The leaf's number.
    /// @param data Its 256 bytes.
    /// @param path Siblings from the leaf up.
    /// @return hash The leaf's hash.
    /// @return root The root.
    function rootOf(
        uint64 size,
        uint64 leaf,
        bytes calldata data,
        bytes32[] calldata path
    ) internal view returns (bytes32 hash, bytes32 root) {
        uint256 leaves = leavesOf(size);
        if (leaf >= leaves) revert LeafOutOfRange(leaf, uint64(leaves));
        if (data.length != LEAF) revert BadLeafSize(data.length);
        uint256 depth = leaves == 1 ? 0 : Math.log2(leaves - 1) + 1;
        if (path.length != depth) revert BadPathLength(path.length, depth);
        uint256 used = size % LEAF;
        if (used != 0 && leaf == leaves - 1) _requireZero(leaf, data, used);

        return _climb(size, leaf, data, path);
    }

    /// @dev The hashes of rootOf, of a leaf of LEAF bytes. In assembly, since the compiler's sha256 copies its input to
    /// fresh memory each time: a proof of five leaves over 1 GiB would cost half as much again.
    function _climb(
        uint256 size,
        uint256 leaf,
        bytes calldata data,
        bytes32[] calldata path
    ) private view returns (bytes32 hash, bytes32 root) {
        // One buffer past the free memory for all of them. Precompile 2 is SHA-256; it fails only for lack of gas.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 0)
            calldatacopy(add(buffer, 1), data.offset, 256)
            if iszero(staticcall(gas(), 2, buffer, 257, 0, 32)) { revert(0, 0) }
            hash := mload(0)
            root := hash
            mstore8(buffer, 1)
            let sibling := path.offset
            let end := add(sibling, shl(5, path.length))
            for {} lt(sibling, end) { sibling := add(sibling, 32) } {
                let side := shl(5, and(leaf, 1)) // 0 puts the hash on the left, 32 on the right
                mstore(add(buffer, add(1, side)), root)
                mstore(add(buffer, sub(33, side)), calldataload(sibling))
                if iszero(staticcall(gas(), 2, buffer, 65, 0, 32)) { revert(0, 0) }
                root := mload(0)
                leaf := shr(1, leaf)
            }
            mstore8(buffer, 2)
            mstore(add(buffer, 1), shl(192, size))
            mstore(add(buffer, 9), root)
            if iszero(staticcall(gas(), 2, buffer, 41, 0, 32)) { revert(0, 0) }
            root := mload(0)
        }
    }

    /// @dev The bytes from `used` on are zero; word by word.
    function _requireZero(uint64 leaf, bytes calldata data, uint256 used) private pure {
        uint256 from = used & ~uint256(31);
        uint256 word = uint256(bytes32(data[from:from + 32])) << (8 * (used - from));
        for (uint256 i = from + 32; i < LEAF; i += 32) word |= uint256(bytes32(data[i:i + 32]));
        if (word != 0) revert BadPadding(leaf);
    }
}
