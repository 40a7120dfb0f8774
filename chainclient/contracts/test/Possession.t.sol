// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Possession} from "../src/Possession.sol";
import {Holders} from "./Holders.sol";

/// @notice What holds of sets and periods after any sequence of actions.
contract PossessionTest {
    Holders private holders;
    Possession private possession;

    function setUp() external {
        holders = new Holders();
        possession = holders.all();
    }

    /// @notice Tells forge to call the handler and nothing else.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(holders);
    }

    function invariant_ASetsLeavesAreThoseOfItsPieces() external view {
        for (uint256 i = 0; i < 3; ++i) {
            Possession.Set memory set = _set(i);
            require(set.leaves == holders.leavesOf(i), "leaves");
            uint256 live = 0;
            Holders.Held[] memory held = holders.heldOf(i);
            for (uint256 k = 0; k < held.length; ++k) {
                if (held[k].depth != 255) ++live;
            }
            require(set.pieces == live && set.next == held.length, "pieces");
        }
    }

    function invariant_FindingIsTheInverseOfCounting() external view {
        for (uint256 i = 0; i < 3; ++i) {
            (address account, , , , , ) = holders.nodes(i);
            Holders.Held[] memory held = holders.heldOf(i);
            uint64 before = 0;
            for (uint64 k = 0; k < held.length; ++k) {
                (bytes32 root, uint64 size) = possession.pieceOf(account, k);
                if (held[k].depth == 255) {
                    require(root == 0 && size == 0, "removed");
                    continue;
                }
                uint64 leaves = uint64(1 << held[k].depth);
                require(root == held[k].root && size == 256 * leaves, "piece");
                require(possession.leavesBefore(account, k) == before, "before");
                (uint64 id, uint64 leaf) = possession.find(account, before);
                require(id == k && leaf == 0, "first leaf");
                (id, leaf) = possession.find(account, before + leaves - 1);
                require(id == k && leaf == leaves - 1, "last leaf");
                before += leaves;
            }
        }
    }

    function invariant_EveryClosedPeriodIsProvedOrMissed() external view {
        for (uint256 i = 0; i < 3; ++i) {
            (, , , uint256 proved, uint256 missed, uint256 running) = holders.nodes(i);
            Possession.Set memory set = _set(i);
            require(set.proved == proved && set.missed == missed, "periods");
            require(set.running == running, "running");
        }
    }

    function invariant_TheChallengeIsWhatThePeriodBeganWith() external view {
        for (uint256 i = 0; i < 3; ++i) {
            (, uint64 begun, bool done, , , ) = holders.nodes(i);
            Possession.Set memory set = _set(i);
            require(set.challenged == begun, "challenged");
            require((set.outcome != Possession.Outcome.Open) == done, "outcome");
        }
    }

    /// @notice The invariants would be empty if the handler's actions never succeeded.
    function test_TheHandlerReachesEverything() external {
        uint256 r = 1;
        for (uint256 i = 0; i < 1500; ++i) {
            r = uint256(keccak256(abi.encode(r)));
            uint256 x = uint256(keccak256(abi.encode(r, 1)));
            uint256 what = r % 16;
            if (what < 3) holders.pass(x);
            else if (what < 5) holders.add(x, r >> 8, r >> 16);
            else if (what < 7) holders.remove(x, r >> 8, r >> 16);
            else if (what < 11) holders.prove(x, r >> 8);
            else if (what < 12) holders.forfeit(x);
            else if (what < 13) holders.poke(x);
            else if (what < 14) holders.answer(x);
            else holders.demand(x, r >> 8, (r >> 16) % 4);
        }
        _reached(holders.pass.selector, "pass");
        _reached(holders.add.selector, "add");
        _reached(holders.remove.selector, "remove");
        _reached(holders.prove.selector, "prove");
        _reached(holders.forfeit.selector, "forfeit");
        _reached(holders.poke.selector, "poke");
        _reached(holders.demand.selector, "demand");
        _reached(holders.answer.selector, "answer");
        for (uint256 i = 0; i < 3; ++i) {
            Possession.Set memory set = _set(i);
            require(set.proved > 3 && set.missed > 3, "periods");
        }
    }

    function _set(uint256 i) private view returns (Possession.Set memory) {
        (address account, , , , , ) = holders.nodes(i);
        return possession.setOf(account);
    }

    function _reached(bytes4 action, string memory name) private view {
        require(holders.succeeded(action) > 3, name);
    }
}
