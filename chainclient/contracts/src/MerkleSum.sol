// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle-sum trees over cumulative rewards
/// @notice A leaf is keccak256(0x00 ‖ account ‖ cumulative) with the sum `cumulative`; a node is
/// keccak256(0x01 ‖ left hash ‖ left sum ‖ right hash ‖ right sum) with both sums added; sums are 128 bits wide.
/// Leaves are sorted by account and padded with (0, 0) to a power of two; a single leaf is the root.
/// Because every hash covers the sums below it, no set of provable leaves can sum to more than the root's total.
library MerkleSum {
    /// @notice The longest path.
    uint256 internal constant MAX_DEPTH = 32;

    /// @notice The path's hashes and sums differ in number, or are more than MAX_DEPTH.
    /// @param hashes How many hashes.
    /// @param sums How many sums.
    error BadPathLength(uint256 hashes, uint256 sums);
    /// @notice The index lies outside a tree of the path's depth.
    /// @param index The index.
    /// @param depth The depth.
    error IndexOutOfRange(uint256 index, uint256 depth);
    /// @notice A sum on the path does not fit 128 bits.
    /// @param level Where, 0 at the leaves.
    error SumOutOfRange(uint256 level);

    /// @notice The root hash and total that a path leads to.
    /// @param account The leaf's account.
    /// @param cumulative The leaf's sum.
    /// @param index The leaf's position; bit i says whether the path's i-th node is a right child.
    /// @param hashes Siblings' hashes, bottom up.
    /// @param sums Siblings' sums, bottom up.
    /// @return root The root hash.
    /// @return total The root's sum.
    function rootOf(
        address account,
        uint128 cumulative,
        uint256 index,
        bytes32[] calldata hashes,
        uint128[] calldata sums
    ) internal pure returns (bytes32 root, uint256 total) {
        uint256 depth = hashes.length;
        if (depth != sums.length || depth > MAX_DEPTH) revert BadPathLength(depth, sums.length);
        if (index >> depth != 0) revert IndexOutOfRange(index, depth);
        root = keccak256(abi.encodePacked(bytes1(0x00), account, cumulative));
        total = cumulative;
        for (uint256 i = 0; i < depth; ++i) {
            // Both are below 2^128, so neither cast loses anything.
            root = (index >> i) & 1 == 0
                ? keccak256(abi.encodePacked(bytes1(0x01), root, uint128(total), hashes[i], sums[i]))
                : keccak256(abi.encodePacked(bytes1(0x01), hashes[i], sums[i], root, uint128(total)));
            total += sums[i];
            if (total > type(uint128).max) revert SumOutOfRange(i + 1);
        }
    }
}
