// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PieceTree} from "../src/PieceTree.sol";
import {SumTree} from "../src/SumTree.sol";
import {Base} from "./Base.sol";

/// @notice The libraries, callable.
contract Lists {
    using SumTree for SumTree.Tree;

    SumTree.Tree private tree;
    uint64 public length;
    uint64 public total;

    function push(uint64 size) external {
        tree.push(length, total, size);
        ++length;
        total += PieceTree.leavesOf(size);
    }

    function clear(uint64 id) external returns (uint64 leaves) {
        leaves = tree.clear(id, length);
        total -= leaves;
    }

    function locate(uint64 id) external view returns (uint64 size, uint64 leaves) {
        return tree.locate(id);
    }

    function find(uint64 n) external view returns (uint64 id, uint64 leaf) {
        return tree.find(length, n);
    }

    function rootOf(
        uint64 size,
        uint64 leaf,
        bytes calldata data,
        bytes32[] calldata path
    ) external view returns (bytes32 hash, bytes32 root) {
        return PieceTree.rootOf(size, leaf, data, path);
    }
}

/// @notice Trees against their definitions, written down plainly.
contract PiecesTest is Base {
    Lists private lists;

    function setUp() external {
        lists = new Lists();
    }

    function testFuzz_TheTreeNumbersLeavesAsAListDoes(uint256 seed, uint16 count) external {
        count = uint16(within(count, 1, 150));
        uint64[] memory sizes = new uint64[](count);
        uint256 r = seed;
        for (uint256 i = 0; i < count; ++i) {
            r = uint256(keccak256(abi.encode(r)));
            sizes[i] = r % 5 == 0 ? 1 << 30 : uint64(within(r >> 8, 1, 1 << 30));
            lists.push(sizes[i]);
            // Now and then one goes, the last or any.
            uint256 gone = (r >> 64) % (i + 1);
            if ((r >> 128) % 3 == 0 && sizes[gone] != 0) {
                same(lists.clear(uint64(gone)), _leaves(sizes[gone]), "leaves of what went");
                sizes[gone] = 0;
            }
        }
        _compare(sizes, 1);
    }

    /// @notice Past 8, 64, 512, 4096 and 16384 pieces a level begins; the last two have wider lanes.
    function test_TheTreeHoldsAcrossItsLevels() external {
        uint64[] memory sizes = new uint64[](16_400);
        for (uint256 i = 0; i < sizes.length; ++i) {
            sizes[i] = 1 << 30; // the most: where a lane could overflow, it would
            lists.push(sizes[i]);
        }
        for (uint256 i = 0; i < sizes.length; i += 997) {
            lists.clear(uint64(i));
            sizes[i] = 0;
        }
        _compare(sizes, 61);
    }

    function testFuzz_APathLeadsToTheRootAndNoOtherLeafDoes(uint256 seed, uint16 length, uint256 which, uint256 bit) external view {
        uint64 size = uint64(within(length, 1, 9000));
        uint256 count = _leaves(size);
        uint64 leaf = uint64(within(which, 0, count - 1));
        bytes[] memory leaves = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 used = i == count - 1 ? size - 256 * i : 256;
            leaves[i] = new bytes(256);
            for (uint256 j = 0; j < used; ++j) leaves[i][j] = bytes1(uint8(seed >> ((i * 7 + j) % 248)));
        }
        (bytes32 root, bytes32[] memory path) = _plain(size, leaves, leaf);
        (bytes32 hash, bytes32 got) = lists.rootOf(size, leaf, leaves[leaf], path);
        check(got == root && hash == sha256(bytes.concat(hex"00", leaves[leaf])), "root");

        uint256 at = (bit >> 3) % 256;
        bytes memory other = bytes.concat(leaves[leaf]);
        other[at] ^= bytes1(uint8(1 << (bit & 7)));
        try lists.rootOf(size, leaf, other, path) returns (bytes32, bytes32 wrong) {
            check(wrong != root, "another leaf");
            check(leaf != count - 1 || at < size - 256 * (count - 1), "padding that is not zero");
        } catch {
            check(leaf == count - 1 && at >= size - 256 * (count - 1), "refused");
        }
        if (count > 1) {
            (, got) = lists.rootOf(size, leaf == 0 ? 1 : leaf - 1, bytes.concat(leaves[leaf == 0 ? 1 : leaf - 1]), path);
            check(got != root || keccak256(leaves[leaf]) == keccak256(leaves[leaf == 0 ? 1 : leaf - 1]), "another place");
        }
    }

    function testFuzz_WhatHasAnotherShapeIsRefused(uint64 size, uint64 leaf, uint8 length, uint16 bytes_) external view {
        size = uint64(within(size, 1, 1 << 40));
        uint64 count = _leaves(size);
        uint256 depth = 0;
        while (1 << depth < count) ++depth;
        uint256 data = bytes_ % 4 == 0 ? bytes_ % 600 : 256;
        length = length % 2 == 0 ? uint8(depth) : length;
        leaf = leaf % 2 == 0 ? leaf % count : leaf;
        try lists.rootOf(size, leaf, new bytes(data), new bytes32[](length)) {
            check(data == 256 && length == depth && leaf < count, "accepted");
        } catch {
            check(data != 256 || length != depth || leaf >= count, "refused");
        }
    }

    function _leaves(uint64 size) private pure returns (uint64) {
        return size / 256 + (size % 256 == 0 ? 0 : 1);
    }

    function _compare(uint64[] memory sizes, uint256 step) private view {
        uint64 before = 0;
        for (uint256 i = 0; i < sizes.length; ++i) {
            uint64 leaves = _leaves(sizes[i]);
            if (i % step == 0 || i < 70 || i + 20 > sizes.length) {
                (uint64 size, uint64 sum) = lists.locate(uint64(i));
                same(size, sizes[i], "size");
                if (size != 0) {
                    same(sum, before, "leaves before");
                    _found(before, i, 0);
                    _found(before + leaves / 2, i, leaves / 2);
                    _found(before + leaves - 1, i, leaves - 1);
                }
            }
            before += leaves;
        }
        same(lists.total(), before, "total");
        (uint64 past, ) = lists.locate(uint64(sizes.length));
        same(past, 0, "past the end");
    }

    function _found(uint64 n, uint256 id, uint64 leaf) private view {
        (uint64 gotId, uint64 gotLeaf) = lists.find(n);
        same(gotId, id, "found piece");
        same(gotLeaf, leaf, "found leaf");
    }

    /// @dev All levels, padded with zero subtrees, as protocol/piece says.
    function _plain(
        uint64 size,
        bytes[] memory leaves,
        uint256 at
    ) private pure returns (bytes32 root, bytes32[] memory path) {
        uint256 depth = 0;
        while (1 << depth < leaves.length) ++depth;
        bytes32[] memory level = new bytes32[](1 << depth);
        for (uint256 i = 0; i < leaves.length; ++i) level[i] = sha256(bytes.concat(hex"00", leaves[i]));
        path = new bytes32[](depth);
        for (uint256 h = 0; h < depth; ++h) {
            path[h] = level[at ^ 1];
            at >>= 1;
            for (uint256 i = 0; i < 1 << (depth - h - 1); ++i) {
                level[i] = sha256(bytes.concat(hex"01", level[2 * i], level[2 * i + 1]));
            }
        }
        root = sha256(abi.encodePacked(hex"02", size, level[0]));
    }
}
