// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Possession} from "../src/Possession.sol";
import {Base, Vm} from "./Base.sol";

/// @notice Three nodes do what they may with their sets, in any order, at any time. What each set must be is kept here
/// in plain lists. A piece's leaves are all alike, so that its path is easy to make.
contract Holders is Base {
    struct Held {
        bytes32 root;
        uint8 depth; // 2^depth leaves; NONE when it is removed
    }

    struct Node {
        address account;
        uint64 begun; // leaves at the period's first block
        bool done; // the period is proved or given up
        uint256 proved;
        uint256 missed;
        uint256 running;
    }

    uint8 public constant NONE = 255;

    Node[3] public nodes;
    address public auditor = address(0xAD00);
    mapping(uint256 node => Held[] held) private _held;
    mapping(bytes4 action => uint256 times) public succeeded;
    uint256 private _now; // block.number does not follow roll inside one call under every compiler

    constructor() {
        deploy();
        VM.roll(1000);
        _now = 1000;
        ledger.setAuditor(auditor, true);
        for (uint256 i = 0; i < 3; ++i) {
            Vm.Wallet memory w = VM.createWallet(0xB0B + i);
            nodes[i].account = w.addr;
            VM.prank(w.addr);
            registry.register(
                abi.encodePacked(w.publicKeyY % 2 == 0 ? uint8(2) : uint8(3), w.publicKeyX),
                w.addr,
                new bytes32[](0)
            );
        }
    }

    function all() external view returns (Possession) {
        return possession;
    }

    function heldOf(uint256 i) external view returns (Held[] memory) {
        return _held[i];
    }

    function leavesOf(uint256 i) public view returns (uint64 leaves) {
        for (uint256 k = 0; k < _held[i].length; ++k) {
            if (_held[i][k].depth != NONE) leaves += uint64(1 << _held[i][k].depth);
        }
    }

    function pass(uint256 blocks) external {
        blocks = within(blocks, 1, 24);
        for (uint256 b = 0; b < blocks; ++b) {
            ++_now;
            if (_now % PERIOD != 0) continue;
            for (uint256 i = 0; i < 3; ++i) {
                Node storage n = nodes[i];
                if (n.begun != 0 && !n.done) {
                    ++n.missed;
                    ++n.running;
                }
                n.begun = leavesOf(i);
                n.done = false;
            }
        }
        VM.roll(_now);
        _count();
    }

    function add(uint256 who, uint256 count, uint256 seed) external {
        who %= 3;
        count = within(count, 1, 6);
        bytes32[] memory roots = new bytes32[](count);
        uint64[] memory sizes = new uint64[](count);
        for (uint256 k = 0; k < count; ++k) {
            uint8 depth = uint8((seed >> (8 * k)) % 6);
            roots[k] = _root(who, _held[who].length, depth);
            sizes[k] = uint64(256 << depth);
            _held[who].push(Held(roots[k], depth));
        }
        bytes32 before = _challenge(who);
        VM.prank(nodes[who].account);
        possession.add(roots, sizes);
        check(_challenge(who) == before, "adding changed the challenge");
        _count();
    }

    function remove(uint256 who, uint256 a, uint256 b) external {
        who %= 3;
        uint256 count = _held[who].length;
        if (count == 0) return;
        a %= count;
        b %= count;
        uint64[] memory ids = new uint64[](a == b ? 1 : 2);
        ids[0] = uint64(a);
        if (a != b) ids[1] = uint64(b);
        bool live = _held[who][a].depth != NONE && _held[who][b].depth != NONE;
        bool free = nodes[who].begun == 0 || nodes[who].done;
        bytes32 before = _challenge(who);
        VM.prank(nodes[who].account);
        try possession.remove(ids) {
            check(live && free, "removed what may not go");
            _held[who][a].depth = NONE;
            _held[who][b].depth = NONE;
            _count();
        } catch {
            check(!live || !free || _demanded(who, a) || _demanded(who, b), "could not remove what may go");
        }
        check(_challenge(who) == before, "removing changed the challenge");
    }

    function prove(uint256 who, uint256 wrong) external {
        who %= 3;
        Node storage n = nodes[who];
        uint64 period = uint64(_now / PERIOD);
        bool open = n.begun != 0 && !n.done && _now % PERIOD != 0;
        bool right = wrong % 4 != 0;
        Possession.Proof[] memory proofs = new Possession.Proof[](LEAVES);
        for (uint64 i = 0; open && i < LEAVES; ++i) {
            (, uint64 id, uint64 leaf) = possession.challengeOf(n.account, i);
            proofs[i] = _proof(who, id, leaf);
        }
        if (!right && open) proofs[wrong % LEAVES].data[(wrong >> 8) % 256] ^= 0x01;
        VM.prank(n.account);
        try possession.prove(n.account, period, proofs) {
            check(open && right, "proved what may not be");
            n.done = true;
            n.running = 0;
            ++n.proved;
            _count();
        } catch {
            check(!open || !right, "could not prove");
        }
    }

    function forfeit(uint256 who) external {
        who %= 3;
        Node storage n = nodes[who];
        VM.prank(n.account);
        try possession.forfeit(uint64(_now / PERIOD)) {
            check(n.begun != 0 && !n.done, "gave up what was not open");
            n.done = true;
            ++n.missed;
            ++n.running;
            _count();
        } catch {
            check(n.begun == 0 || n.done, "could not give up");
        }
    }

    function poke(uint256 who) external {
        possession.poke(nodes[who % 3].account);
        _count();
    }

    function demand(uint256 who, uint256 which, uint256 leaf) external {
        who %= 3;
        if (_held[who].length == 0) return;
        which %= _held[who].length;
        uint8 depth = _held[who][which].depth;
        uint256 open = 0;
        Possession.Demand[] memory demands = possession.demandsOf(nodes[who].account);
        for (uint256 i = 0; i < demands.length; ++i) if (_now <= demands[i].by) ++open;
        leaf %= 40;
        VM.prank(auditor);
        try possession.demand(nodes[who].account, uint64(which), uint64(leaf)) {
            check(depth != NONE && leaf < 1 << depth && open == 0, "demanded what may not be");
            _count();
        } catch {
            check(depth == NONE || leaf >= 1 << depth || open != 0, "could not demand");
        }
    }

    function answer(uint256 who) external {
        who %= 3;
        Possession.Demand[] memory open = possession.demandsOf(nodes[who].account);
        if (open.length == 0) return;
        Possession.Proof memory proof = _proof(who, open[0].id, open[0].leaf);
        VM.prank(nodes[who].account);
        try possession.answer(proof) {
            check(_now <= open[0].by, "answered late");
            _count();
        } catch {
            check(_now > open[0].by, "could not answer");
        }
    }

    /// @dev What the node has to show now, as one hash; zero where that is nothing, or not drawn yet.
    function _challenge(uint256 who) private view returns (bytes32 hash) {
        // Once the period is proved or given up, what was drawn may go.
        if (nodes[who].begun == 0 || nodes[who].done || _now % PERIOD == 0) return 0;
        for (uint64 i = 0; i < LEAVES; ++i) {
            (uint64 period, uint64 id, uint64 leaf) = possession.challengeOf(nodes[who].account, i);
            hash = keccak256(abi.encode(hash, period, id, leaf));
        }
    }

    function _demanded(uint256 who, uint256 id) private view returns (bool) {
        Possession.Demand[] memory open = possession.demandsOf(nodes[who].account);
        for (uint256 i = 0; i < open.length; ++i) {
            if (open[i].id == id && _now <= open[i].by) return true;
        }
        return false;
    }

    function _data(uint256 who, uint256 id) private pure returns (bytes memory data) {
        data = new bytes(256);
        for (uint256 i = 0; i < 256; i += 31) data[i] = bytes1(uint8(uint256(keccak256(abi.encode(who, id, i)))));
    }

    /// @dev A tree whose leaves are all alike has one node on each level.
    function _path(uint256 who, uint256 id, uint8 depth) private pure returns (bytes32 top, bytes32[] memory path) {
        path = new bytes32[](depth);
        top = sha256(bytes.concat(hex"00", _data(who, id)));
        for (uint256 h = 0; h < depth; ++h) {
            path[h] = top;
            top = sha256(bytes.concat(hex"01", top, top));
        }
    }

    function _root(uint256 who, uint256 id, uint8 depth) private pure returns (bytes32) {
        (bytes32 top, ) = _path(who, id, depth);
        return sha256(abi.encodePacked(hex"02", uint64(256 << depth), top));
    }

    function _proof(uint256 who, uint64 id, uint64 leaf) private view returns (Possession.Proof memory) {
        (, bytes32[] memory path) = _path(who, id, _held[who][id].depth == NONE ? 0 : _held[who][id].depth);
        return Possession.Proof({id: id, leaf: leaf, data: _data(who, id), path: path});
    }

    function _count() private {
        ++succeeded[msg.sig];
    }
}
