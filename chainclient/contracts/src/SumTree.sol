// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PieceTree} from "./PieceTree.sol";

/// @title A list of sizes that numbers the leaves of all its pieces
/// @notice Pieces have ids from 0; each has a size in bytes, zero once it is removed, and the leaves of PieceTree. The
/// leaves of a list are numbered in the order of the ids. Adding, removing and finding cost the logarithm of its length.
/// @dev A tree of words. A word of level 0 holds the sizes of 8 pieces; one of level 1 to 3 the leaves under 8 words of
/// the level below, in 32 bits each (8^3 pieces of 2^22 leaves are 2^31); one above that, of 4, in 64 bits each. A
/// level begins when the list outgrows the one below. So a proof in a list of 1,000 pieces reads 4 words, which the
/// proofs beside it share, and a piece takes an eighth of a slot beside its root.
/// @custom:invariant Each lane is the sum of what is below it.
library SumTree {
    /// @notice A list.
    /// @param words By level and place: level << 64 | place.
    struct Tree {
        mapping(uint256 key => uint256 word) words;
    }

    /// @dev A one in each lane of 32 bits, and of 64.
    uint256 private constant _ONES32 = 0x0000000100000001000000010000000100000001000000010000000100000001;
    uint256 private constant _ONES64 = 0x0000000000000001000000000000000100000000000000010000000000000001;

    /// @notice Adds a piece at the end.
    /// @param tree The list.
    /// @param id The piece: how many were ever added.
    /// @param total Leaves of all pieces so far.
    /// @param size The piece's bytes, 1 to 2^30.
    function push(Tree storage tree, uint64 id, uint64 total, uint64 size) internal {
        tree.words[id >> 3] |= uint256(size) << (32 * (id & 7));
        uint256 leaves = PieceTree.leavesOf(size);
        for (uint256 level = 1; id >> _shift(level) != 0; ++level) {
            (uint256 key, uint256 bit) = _place(level, id);
            // The first piece past the level below: it begins with all that was there.
            if (id == 1 << _shift(level)) tree.words[key] = total;
            tree.words[key] += leaves << bit;
        }
    }

    /// @notice Takes a piece's leaves out.
    /// @param tree The list.
    /// @param id The piece, which has a size.
    /// @param length How many pieces were ever added.
    /// @return leaves How many leaves it had.
    function clear(Tree storage tree, uint64 id, uint64 length) internal returns (uint64 leaves) {
        uint64 size = sizeOf(tree, id);
        leaves = PieceTree.leavesOf(size);
        tree.words[id >> 3] -= uint256(size) << (32 * (id & 7));
        for (uint256 level = 1; (length - 1) >> _shift(level) != 0; ++level) {
            (uint256 key, uint256 bit) = _place(level, id);
            tree.words[key] -= uint256(leaves) << bit;
        }
    }

    /// @notice A piece's size.
    /// @param tree The list.
    /// @param id The piece.
    /// @return Its bytes; zero where there is none.
    function sizeOf(Tree storage tree, uint64 id) internal view returns (uint64) {
        return uint32(tree.words[id >> 3] >> (32 * (id & 7)));
    }

    /// @notice A piece and the leaves of those before it.
    /// @param tree The list.
    /// @param id The piece.
    /// @return size Its bytes; zero where there is none, and then there is no sense in the leaves.
    /// @return leaves How many are before it.
    function locate(Tree storage tree, uint64 id) internal view returns (uint64 size, uint64 leaves) {
        // Sums of leaves that are in the list cannot overflow.
        unchecked {
            uint256 bit = 32 * (id & 7);
            uint256 word = tree.words[id >> 3];
            size = uint32(word >> bit);
            if (size == 0) return (0, 0);
            leaves = _sum(_leaves(word) & ((1 << bit) - 1), 32);
            // Above the level at which the piece is in the first lane there is nothing before it.
            uint256 key = 0;
            for (uint256 level = 1; id >> _shift(level) != 0; ++level) {
                (key, bit) = _place(level, id);
                leaves += _sum(tree.words[key] & ((1 << bit) - 1), level < 4 ? 32 : 64);
            }
        }
    }

    /// @notice The piece that a leaf lies in.
    /// @param tree The list.
    /// @param length How many pieces were ever added.
    /// @param n The leaf's number, below the leaves of all pieces.
    /// @return id The piece.
    /// @return leaf The leaf's number in it.
    function find(Tree storage tree, uint64 length, uint64 n) internal view returns (uint64 id, uint64 leaf) {
        uint256 level = 0;
        while ((length - 1) >> _shift(level + 1) != 0) ++level;
        uint256 place = 0;
        while (true) {
            uint256 word = tree.words[(level << 64) | place];
            if (level == 0) word = _leaves(word);
            uint256 width = level < 4 ? 32 : 64;
            uint256 mask = (1 << width) - 1;
            place *= 256 / width;
            for (; n >= word & mask; word >>= width) {
                n -= uint64(word & mask);
                ++place;
            }
            if (level == 0) return (uint64(place), n);
            --level;
        }
    }

    /// @dev A word of sizes as one of leaves.
    function _leaves(uint256 word) private pure returns (uint256) {
        unchecked {
            return ((word + 255 * _ONES32) >> 8) & (0xffffff * _ONES32); // sizes have 31 bits
        }
    }

    /// @dev The sum of a word's lanes.
    function _sum(uint256 word, uint256 width) private pure returns (uint64) {
        unchecked {
            if (width == 32) word = (word & (0xffffffff * _ONES64)) + ((word >> 32) & (0xffffffff * _ONES64));
            return uint64((word * _ONES64) >> 192); // the highest lane of the product is the sum of all
        }
    }

    /// @dev Pieces under one lane of a level, as a power of two.
    function _shift(uint256 level) private pure returns (uint256) {
        unchecked {
            return level < 5 ? 3 * level : 4 + 2 * level;
        }
    }

    /// @dev Where a piece counts on a level above 0: the word's key and the lane's first bit.
    function _place(uint256 level, uint64 id) private pure returns (uint256 key, uint256 bit) {
        uint256 lane = id >> _shift(level);
        return
            level < 4 ? ((level << 64) | (lane >> 3), (lane & 7) << 5) : ((level << 64) | (lane >> 2), (lane & 3) << 6);
    }
}
