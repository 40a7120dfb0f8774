// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Secp256k1} from "../src/Secp256k1.sol";
import {Vault} from "../src/Vault.sol";
import {Base, Vm} from "./Base.sol";

/// @notice Makes the library's function callable with calldata, so that reverts can be caught.
contract Keys {
    function toAddress(bytes calldata key) external view returns (address) {
        return Secp256k1.toAddress(key);
    }
}

/// @notice One call at a time, with any arguments.
contract FuzzTest is Base {
    uint256 private constant _N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    uint256 private constant _P = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;

    Keys private keys;
    uint256 private constant _KEY = 0xA11CE;
    address private payer;

    function setUp() external {
        deploy();
        keys = new Keys();
        payer = VM.addr(_KEY);
        token.transfer(payer, 1000 ether);
        VM.prank(payer);
        token.approve(address(vault), 1000 ether);
        VM.prank(payer);
        vault.deposit(1000 ether);
    }

    function testFuzz_EveryKeyProvesItsAddress(uint256 key) external {
        key = within(key, 1, _N - 1);
        Vm.Wallet memory w = VM.createWallet(key);
        uint8 prefix = w.publicKeyY % 2 == 0 ? 2 : 3;
        check(keys.toAddress(abi.encodePacked(prefix, w.publicKeyX)) == w.addr, "address");
        check(keys.toAddress(abi.encodePacked(prefix ^ 1, w.publicKeyX)) != w.addr, "other root");
    }

    function testFuzz_AKeyIsAPointOfTheCurveOrRefused(uint256 x, bool odd) external view {
        // Euler's criterion, computed another way than the library does.
        uint256 square = addmod(mulmod(mulmod(x, x, _P), x, _P), 7, _P);
        bool onCurve = x < _P && _power(square, (_P - 1) / 2) == 1;
        try keys.toAddress(abi.encodePacked(odd ? uint8(3) : uint8(2), x)) {
            check(onCurve, "accepted");
        } catch {
            check(!onCurve, "refused");
        }
    }

    function testFuzz_EpochsTileTime(uint64 epoch) external view {
        epoch = uint64(within(epoch, 0, 1 << 40));
        uint64 end = ledger.epochEnd(epoch);
        same(ledger.epochAt(end - 1), epoch, "last second");
        same(ledger.epochAt(end), epoch + 1, "first of the next");
    }

    function testFuzz_AnEpochsEndNeverOverflows(uint64 epoch) external view {
        check(ledger.epochEnd(epoch) > ledger.START(), "end");
    }

    function testFuzz_OnlyThePayersSignatureMovesMoney(uint256 key, uint256 value) external {
        key = within(key, 1, _N - 1);
        value = within(value, 1, 100 ether);
        bytes32 id = _open(100 ether, 60);
        Vault.Voucher memory v = Vault.Voucher(id, payer, address(this), 1, value, 0);
        try vault.redeem(v, signature(key, vault.hashVoucher(v))) {
            same(key, _KEY, "another's signature");
        } catch {
            check(key != _KEY, "the payer's signature");
        }
    }

    function testFuzz_AnySignatureBytesAreHandled(bytes calldata junk) external {
        bytes32 id = _open(100 ether, 60);
        Vault.Voucher memory v = Vault.Voucher(id, payer, address(this), 1, 1 ether, 0);
        try vault.redeem(v, junk) {
            check(false, "junk accepted");
        } catch {
            same(vault.collected(vault.channelOf(id, address(this))), 0, "collected");
        }
    }

    function testFuzz_VouchersInAnyOrderMoveTheHighest(uint256[6] calldata values, uint256 lock) external {
        lock = within(lock, 1, 500 ether);
        bytes32 id = _open(lock, 60);
        uint256 highest;
        for (uint256 i = 0; i < values.length; ++i) {
            uint256 value = within(values[i], 0, lock);
            Vault.Voucher memory v = Vault.Voucher(id, payer, address(this), uint64(i), value, 0);
            uint256 moved = vault.redeem(v, signature(_KEY, vault.hashVoucher(v)));
            same(moved, value > highest ? value - highest : 0, "moved");
            if (value > highest) highest = value;
        }
        same(ledger.received(), highest, "received");
        same(vault.lockOf(id).spent, highest, "spent");
    }

    function testFuzz_ALockHoldsUntilItsEndAndNoLonger(uint256 value, uint64 deadline, uint64 later) external {
        value = within(value, 1, 1000 ether);
        deadline = uint64(within(deadline, 1, 30 days));
        later = uint64(within(later, 0, 60 days));
        uint256 opened = block.timestamp;
        bytes32 id = _open(value, deadline);
        VM.warp(opened + later);
        bool live = later <= uint256(deadline) + AUDIT;
        same(vault.available(payer), live ? 1000 ether - value : 1000 ether, "available");
        Vault.Voucher memory v = Vault.Voucher(id, payer, address(this), 1, value, 0);
        try vault.redeem(v, signature(_KEY, vault.hashVoucher(v))) {
            check(live, "redeemed after the end");
        } catch {
            check(!live, "refused before the end");
        }
    }

    function _open(uint256 value, uint64 seconds_) private returns (bytes32) {
        Vault.Offer memory o = Vault.Offer({
            submitter: payer,
            nonce: vault.nonces(payer),
            kind: 1,
            spec: "spec",
            tier: 1,
            direct: address(0),
            value: value,
            deadline: uint64(block.timestamp) + seconds_
        });
        VM.prank(payer);
        return vault.openOffer(o);
    }

    function _power(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = 1;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = mulmod(result, base, _P);
            base = mulmod(base, base, _P);
        }
    }
}
