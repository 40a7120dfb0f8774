// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ledger} from "../src/Ledger.sol";
import {Vault} from "../src/Vault.sol";
import {Base} from "./Base.sol";

/// @notice Does to the contracts what anybody might, in any order, with any numbers. Where an action may be refused,
/// that is no failure; what succeeds is recorded. Posters anchor roots that are right in their sums only.
contract Handler is Base {
    struct Opened {
        bytes32 id;
        uint256 payer;
    }

    struct Rooted {
        uint64 epoch;
        uint128[4] grants;
    }

    Opened[] public offers;
    Rooted[] private _roots;
    address[4] public earners; // workers and accounts of rewards
    address[2] public posters;
    address[3] public auditors;
    uint256[3] private _keys = [uint256(0xA), 0xB, 0xC]; // payers
    uint256 public burnedBonds;
    uint256 private _votes; // against the head, since it was anchored
    mapping(bytes4 action => uint256 times) public succeeded;

    constructor() {
        deploy();
        for (uint256 i = 0; i < 4; ++i) earners[i] = address(uint160(0xE000 + i));
        for (uint256 i = 0; i < 2; ++i) {
            posters[i] = address(uint160(0xB000 + i));
            token.transfer(posters[i], 10_000 ether);
            VM.prank(posters[i]);
            token.approve(address(ledger), type(uint256).max);
        }
        for (uint256 i = 0; i < 3; ++i) {
            auditors[i] = address(uint160(0xAD00 + i));
            ledger.setAuditor(auditors[i], true);
            token.transfer(payer(i), 10_000 ether);
            VM.prank(payer(i));
            token.approve(address(vault), type(uint256).max);
        }
    }

    function payer(uint256 i) public view returns (address) {
        return VM.addr(_keys[i % 3]);
    }

    function offersCount() external view returns (uint256) {
        return offers.length;
    }

    function pass(uint256 time) external {
        VM.warp(block.timestamp + within(time, 1, 150));
        _count();
    }

    function deposit(uint256 who, uint256 value) external {
        address a = payer(who);
        value = within(value, 0, token.balanceOf(a));
        if (value == 0) return;
        VM.prank(a);
        vault.deposit(value);
        _count();
    }

    function withdraw(uint256 who, uint256 value) external {
        address a = payer(who);
        uint256 free = vault.available(a);
        value = within(value, 0, free + free / 4);
        if (value == 0) return;
        VM.prank(a);
        try vault.withdraw(value) {
            check(value <= free, "withdrew more than was available");
            _count();
        } catch {
            check(value > free, "could not withdraw what was available");
        }
    }

    function open(uint256 who, uint256 value, uint256 time) external {
        address a = payer(who);
        uint256 free = vault.available(a);
        Vault.Offer memory o = Vault.Offer({
            submitter: a,
            nonce: vault.nonces(a),
            kind: 1,
            spec: "spec",
            tier: 1,
            direct: address(0),
            value: within(value, 0, free + free / 8) / 2,
            deadline: uint64(block.timestamp + within(time, 1, 300))
        });
        VM.prank(a);
        try vault.openOffer(o) returns (bytes32 id) {
            check(o.value <= free, "locked more than was available");
            same(vault.available(a), free - o.value, "available after opening");
            offers.push(Opened(id, who % 3));
            _count();
        } catch {
            check(o.value > free || vault.activeOf(a).length >= 64, "could not lock what was available");
        }
    }

    function redeem(uint256 which, uint256 who, uint256 value) external {
        if (offers.length == 0) return;
        Opened memory o = offers[offers.length - 1 - (which % offers.length) % 6]; // mostly live ones
        uint256 locked = vault.lockOf(o.id).value;
        address worker = earners[who % 4];
        Vault.Voucher memory v = Vault.Voucher(o.id, payer(o.payer), worker, 1, within(value, 0, locked + locked / 8), 0);
        uint256 before = vault.collected(vault.channelOf(o.id, worker));
        try vault.redeem(v, signature(_keys[o.payer], vault.hashVoucher(v))) returns (uint256 moved) {
            same(moved, v.value > before ? v.value - before : 0, "moved");
            if (moved == 0) return;
            check(block.timestamp <= vault.lockOf(o.id).end, "redeemed after the lock's end");
            _count();
        } catch {
            Vault.Lock memory l = vault.lockOf(o.id);
            check(block.timestamp > l.end || v.value - before > l.value - l.spent, "could not redeem what was locked");
        }
    }

    function bond(uint256 who, bool post) external {
        address a = posters[who % 2];
        VM.prank(a);
        if (post) {
            try ledger.postBond() {
                _count();
            } catch {
                same(ledger.bondOf(a), BOND, "could not post a bond");
            }
        } else {
            try ledger.withdrawBond() {
                _count();
            } catch {}
        }
    }

    function anchor(uint256 who, uint256 total, uint256[3] calldata cuts, uint256 minted, uint256 burned) external {
        uint64 head = ledger.head();
        uint256 floor;
        uint64 epoch;
        if (head != ledger.NONE()) {
            Ledger.Record memory last = ledger.anchorOf(head);
            floor = last.total;
            epoch = head + 1;
            if (block.timestamp < last.claimableAt) VM.warp(last.claimableAt);
        }
        uint256 ready = uint256(ledger.epochEnd(epoch)) + COMMIT + AUDIT + 1;
        if (block.timestamp < ready) VM.warp(ready);
        if (ledger.bondOf(posters[who % 2]) == 0) {
            VM.prank(posters[who % 2]);
            ledger.postBond();
        }

        Ledger.Anchor memory a;
        a.epoch = epoch;
        a.previous = head;
        a.ruleset = RULES;
        a.data = "data";
        a.minted = within(minted, 0, MINT_CAP);
        uint256 covered = ledger.pool() + a.minted;
        if (head != ledger.NONE() && !ledger.anchorOf(head).applied) {
            covered = covered + ledger.anchorOf(head).minted - ledger.anchorOf(head).burned;
        }
        a.total = within(total, floor, covered);
        a.burned = within(burned, 0, covered - a.total + 1); // at times one too much
        uint128[4] memory grants = _cut(a.total, cuts);
        (a.root, ) = _tree(grants);
        VM.prank(posters[who % 2]);
        try ledger.anchor(a) {
            check(a.burned <= covered - a.total, "anchored what the pool does not cover");
            _roots.push(Rooted(epoch, grants));
            _votes = 0;
            _count();
        } catch {
            check(a.burned > covered - a.total, "could not anchor what the pool covers");
        }
    }

    function disable(uint256 who) external {
        uint64 head = ledger.head();
        if (head == ledger.NONE()) return;
        Ledger.Record memory a = ledger.anchorOf(head);
        uint256 held = ledger.bondOf(a.poster);
        uint256 supply = token.totalSupply();
        VM.prank(auditors[who % 3]);
        try ledger.disable(head, "wrong") {
            bool disabled = ledger.head() != head;
            check(disabled == (++_votes == 2), "disabled by another number of votes than the quorum");
            if (!disabled) return;
            same(supply - token.totalSupply(), held, "burned bond");
            burnedBonds += held;
            _roots.pop();
            _count();
        } catch {}
    }

    function claim(uint256 which, uint256 who, bool wait) external {
        if (_roots.length == 0) return;
        Rooted memory r = _roots[which % _roots.length];
        Ledger.Record memory a = ledger.anchorOf(r.epoch);
        if (wait && block.timestamp < a.claimableAt) VM.warp(a.claimableAt);
        who %= 4;
        (bytes32[] memory hashes, uint128[] memory sums) = _path(r.grants, who);
        uint256 before = ledger.claimed(earners[who]);
        try ledger.claim(r.epoch, earners[who], r.grants[who], who, hashes, sums) returns (uint256 paid) {
            check(block.timestamp >= a.claimableAt, "paid from a disputable root");
            same(paid, r.grants[who] > before ? r.grants[who] - before : 0, "paid");
            if (paid != 0) _count();
        } catch (bytes memory why) {
            check(
                block.timestamp < a.claimableAt || bytes4(why) == Ledger.ClaimsAboveTotal.selector,
                "could not claim from a final root"
            );
        }
    }

    function vaultBalances() external view returns (uint256 sum) {
        for (uint256 i = 0; i < 3; ++i) sum += vault.balanceOf(payer(i));
    }

    function bonds() public view returns (uint256) {
        return ledger.bondOf(posters[0]) + ledger.bondOf(posters[1]);
    }

    function collected(bytes32 offer) external view returns (uint256 sum) {
        for (uint256 i = 0; i < 4; ++i) sum += vault.collected(vault.channelOf(offer, earners[i]));
    }

    function all() external view returns (address, address, address) {
        return (address(token), address(vault), address(ledger));
    }

    /// @dev Total of the last final root.
    function finalTotal() external view returns (uint256) {
        uint64 head = ledger.head();
        if (head == ledger.NONE()) return 0;
        Ledger.Record memory a = ledger.anchorOf(head);
        return block.timestamp < a.claimableAt ? ledger.anchorOf(a.previous).total : a.total;
    }

    function _count() private {
        ++succeeded[msg.sig];
    }

    /// @dev Cuts a total into four grants, without regard to what was granted before.
    function _cut(uint256 total, uint256[3] calldata cuts) private pure returns (uint128[4] memory grants) {
        for (uint256 i = 0; i < 3; ++i) {
            uint256 part = within(cuts[i], 0, total);
            grants[i] = uint128(part);
            total -= part;
        }
        grants[3] = uint128(total);
    }

    function _leaf(uint128[4] memory grants, uint256 i) private view returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x00), earners[i], grants[i]));
    }

    function _pair(uint128[4] memory grants, uint256 i) private view returns (bytes32 hash, uint128 sum) {
        hash = keccak256(
            abi.encodePacked(bytes1(0x01), _leaf(grants, i), grants[i], _leaf(grants, i + 1), grants[i + 1])
        );
        sum = grants[i] + grants[i + 1];
    }

    function _tree(uint128[4] memory grants) private view returns (bytes32 root, uint256 total) {
        (bytes32 l, uint128 ls) = _pair(grants, 0);
        (bytes32 r, uint128 rs) = _pair(grants, 2);
        return (keccak256(abi.encodePacked(bytes1(0x01), l, ls, r, rs)), uint256(ls) + rs);
    }

    function _path(
        uint128[4] memory grants,
        uint256 i
    ) private view returns (bytes32[] memory hashes, uint128[] memory sums) {
        hashes = new bytes32[](2);
        sums = new uint128[](2);
        hashes[0] = _leaf(grants, i ^ 1);
        sums[0] = grants[i ^ 1];
        (hashes[1], sums[1]) = _pair(grants, i < 2 ? 2 : 0);
    }
}
