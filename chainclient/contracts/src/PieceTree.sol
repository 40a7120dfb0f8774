// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

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

    /// @notice The hash of a leaf.
    /// @param data Its 256 bytes.
    /// @return H(0x00 ‖ data).
    function leafHash(bytes calldata data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), data));
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
    ) internal pure returns (bytes32 hash, bytes32 root) {
        uint256 leaves = leavesOf(size);
        if (leaf >= leaves) revert LeafOutOfRange(leaf, uint64(leaves));
        if (data.length != LEAF) revert BadLeafSize(data.length);
        uint256 depth = 0;
        while (1 << depth < leaves) ++depth;
        if (path.length != depth) revert BadPathLength(path.length, depth);
        uint256 used = size % LEAF;
        if (used != 0 && leaf == leaves - 1) _requireZero(leaf, data, used);

        hash = leafHash(data);
        root = hash;
        uint256 position = leaf;
        for (uint256 i = 0; i < depth; ++i) {
            bytes32 sibling = path[i];
            root = position & 1 == 0
                ? sha256(abi.encodePacked(bytes1(0x01), root, sibling))
                : sha256(abi.encodePacked(bytes1(0x01), sibling, root));
            position >>= 1;
        }
        root = sha256(abi.encodePacked(bytes1(0x02), size, root));
    }

    /// @dev The bytes from `used` on are zero; word by word.
    function _requireZero(uint64 leaf, bytes calldata data, uint256 used) private pure {
        uint256 from = used & ~uint256(31);
        uint256 word = uint256(bytes32(data[from:from + 32])) << (8 * (used - from));
        for (uint256 i = from + 32; i < LEAF; i += 32) word |= uint256(bytes32(data[i:i + 32]));
        if (word != 0) revert BadPadding(leaf);
    }
}
