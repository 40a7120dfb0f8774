// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ledger} from "../src/Ledger.sol";
import {Token} from "../src/Token.sol";
import {Vault} from "../src/Vault.sol";
import {Handler} from "./Handler.sol";

/// @notice What holds of the money after any sequence of actions.
contract MoneyTest {
    uint256 private constant _SUPPLY = 1_000_000 ether;

    Handler private handler;
    Token private token;
    Vault private vault;
    Ledger private ledger;

    function setUp() external {
        handler = new Handler();
        (address t, address v, address l) = handler.all();
        (token, vault, ledger) = (Token(t), Vault(v), Ledger(l));
    }

    /// @notice Tells forge to call the handler and nothing else.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_TheVaultHoldsExactlyWhatItOwes() external view {
        require(token.balanceOf(address(vault)) == handler.vaultBalances(), "vault");
    }

    function invariant_AvailableIsPartOfTheBalance() external view {
        for (uint256 i = 0; i < 3; ++i) {
            require(vault.available(handler.payer(i)) <= vault.balanceOf(handler.payer(i)), "available");
        }
    }

    function invariant_NoOfferPaysMoreThanItsLock() external view {
        for (uint256 i = 0; i < handler.offersCount(); ++i) {
            (bytes32 id, ) = handler.offers(i);
            Vault.Lock memory l = vault.lockOf(id);
            require(l.spent <= l.value && handler.collected(id) == l.spent, "lock");
        }
    }

    function invariant_TheLedgerHoldsExactlyThePoolAndTheBonds() external view {
        require(
            token.balanceOf(address(ledger)) == ledger.pool() - ledger.claimedTotal() + handler.bonds(),
            "ledger"
        );
    }

    function invariant_ClaimsStayBelowTheFinalTotal() external view {
        require(ledger.claimedTotal() <= handler.finalTotal(), "claims");
    }

    function invariant_SupplyChangesOnlyByMintingAndBurning() external view {
        require(
            token.totalSupply() == _SUPPLY + ledger.mintedTotal() - ledger.burnedTotal() - handler.burnedBonds(),
            "supply"
        );
    }

    /// @notice The invariants would be empty if the handler's actions never succeeded.
    function test_TheHandlerReachesEverything() external {
        uint256 r = 1;
        for (uint256 i = 0; i < 1500; ++i) {
            r = uint256(keccak256(abi.encode(r)));
            uint256 x = uint256(keccak256(abi.encode(r, 1)));
            uint256 y = uint256(keccak256(abi.encode(r, 2)));
            uint256 what = r % 18;
            if (what < 2) handler.pass(x);
            else if (what < 4) handler.deposit(x, y);
            else if (what < 5) handler.withdraw(x, y);
            else if (what < 8) handler.open(x, y, r);
            else if (what < 12) handler.redeem(x, y, r);
            else if (what < 13) handler.bond(x, y % 2 == 0);
            else if (what < 14) handler.anchor(x, y, [r, r >> 8, r >> 16], r >> 24, r >> 32);
            else if (what < 15) handler.disable(x);
            else handler.claim(x, y, r % 4 == 0);
        }
        _reached(handler.pass.selector, "pass");
        _reached(handler.deposit.selector, "deposit");
        _reached(handler.withdraw.selector, "withdraw");
        _reached(handler.open.selector, "open");
        _reached(handler.redeem.selector, "redeem");
        _reached(handler.bond.selector, "bond");
        _reached(handler.anchor.selector, "anchor");
        _reached(handler.disable.selector, "disable");
        _reached(handler.claim.selector, "claim");
        require(ledger.mintedTotal() != 0 && ledger.burnedTotal() != 0, "minting and burning");
    }

    function _reached(bytes4 action, string memory name) private view {
        require(handler.succeeded(action) > 3, name);
    }
}
