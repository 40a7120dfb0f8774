// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title The token that Tally settles in
/// @notice An ERC-20 with permits (ERC-2612) and burning. One account, the epoch ledger, can mint, and only
/// within the cap that the ledger itself enforces. There is no owner.
/// @dev The supply fits 128 bits, so every amount of this token does: the ledger's Merkle-sum tree relies on it.
contract Token is ERC20, ERC20Permit, ERC20Burnable {
    /// @notice The only account that can mint; zero until `setMinter`.
    address public minter;

    address private immutable _DEPLOYER;

    /// @notice The minter is set, once and for good.
    /// @param minter The account that can mint from now on.
    event MinterSet(address indexed minter);

    /// @notice Only the deployer may do this.
    /// @param sender Who tried.
    error NotDeployer(address sender);
    /// @notice The minter is set already and cannot change.
    /// @param minter The minter.
    error MinterAlreadySet(address minter);
    /// @notice The minter cannot be the zero address.
    error ZeroMinter();
    /// @notice Only the minter may mint.
    /// @param sender Who tried.
    error NotMinter(address sender);
    /// @notice The supply would no longer fit 128 bits.
    /// @param supply The supply that was asked for.
    error SupplyOutOfRange(uint256 supply);

    /// @notice Creates the token.
    /// @param initialSupply Minted to the deployer: what a faucet hands out, zero where there is none.
    constructor(uint256 initialSupply) ERC20("Tally", "TLY") ERC20Permit("Tally") {
        _DEPLOYER = msg.sender;
        _mint(msg.sender, initialSupply);
    }

    /// @notice Gives the right to mint to `account`, once.
    /// @param account The epoch ledger.
    function setMinter(address account) external {
        if (msg.sender != _DEPLOYER) revert NotDeployer(msg.sender);
        if (minter != address(0)) revert MinterAlreadySet(minter);
        if (account == address(0)) revert ZeroMinter();
        minter = account;
        emit MinterSet(account);
    }

    /// @notice Mints `amount` to `to`.
    /// @param to Who receives it.
    /// @param amount How much, in the smallest unit.
    function mint(address to, uint256 amount) external {
        if (msg.sender != minter) revert NotMinter(msg.sender);
        _mint(to, amount);
    }

    /// @dev Keeps the supply within 128 bits, whoever mints.
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from == address(0) && totalSupply() > type(uint128).max) revert SupplyOutOfRange(totalSupply());
    }
}
