// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Ledger} from "./Ledger.sol";
import {Token} from "./Token.sol";

/// @title Deposits, offers with locks, cumulative vouchers
/// @notice A submitter deposits, opens an offer (which locks its value), and signs vouchers to workers. A voucher
/// states everything owed on its channel so far, so only the last one counts and redeeming twice moves nothing.
/// What is redeemed goes to the ledger's pool, gross: only epochs split it. A lock ends by itself when the
/// deadline and the audit window have passed; nobody sends a transaction for a refund.
/// @dev The EIP-712 domain of offers and vouchers is this contract's. There is no owner.
/// Invariant: the contract's token balance is at least the sum of `balanceOf`, and `available(a) <= balanceOf(a)`.
contract Vault is EIP712 {
    using SafeERC20 for Token;

    /// @notice A job, or a session of inference, and the most that it may cost.
    /// @param submitter Who pays.
    /// @param nonce The submitter's number for it, counting from 0.
    /// @param kind What is asked for.
    /// @param spec CID of the specification.
    /// @param tier Tier of verification.
    /// @param direct The worker, where the submitter names one; else zero.
    /// @param value What is locked.
    /// @param deadline Unix seconds.
    struct Offer {
        address submitter;
        uint64 nonce;
        uint8 kind;
        bytes spec;
        uint8 tier;
        address direct;
        uint256 value;
        uint64 deadline;
    }

    /// @notice What a payer owes a worker on one offer, in all.
    /// @param offer The offer's id.
    /// @param payer The offer's submitter.
    /// @param worker Who earned it.
    /// @param seq The channel's last receipt.
    /// @param value Everything owed so far.
    /// @param receipts Root over the channel's receipts.
    struct Voucher {
        bytes32 offer;
        address payer;
        address worker;
        uint64 seq;
        uint256 value;
        bytes32 receipts;
    }

    /// @notice An open offer's money.
    /// @param submitter Whose it is; zero where there is no such offer.
    /// @param end Last second of the lock: the deadline and the audit window.
    /// @param value What was locked.
    /// @param spent What vouchers took of it.
    struct Lock {
        address submitter;
        uint64 end;
        uint128 value;
        uint128 spent;
    }

    /// @notice The most locks that a submitter may have at once.
    uint256 public constant MAX_LOCKS = 64;
    /// @notice The longest specification CID, in bytes.
    uint256 public constant MAX_SPEC = 128;
    /// @notice How far ahead a deadline may be, in seconds.
    uint64 public constant MAX_DEADLINE = 30 days;

    bytes32 private constant _OFFER =
        keccak256(
            "Offer(address submitter,uint64 nonce,uint8 kind,bytes spec,uint8 tier,address direct,uint256 value,uint64 deadline)"
        );
    bytes32 private constant _VOUCHER =
        keccak256("Voucher(bytes32 offer,address payer,address worker,uint64 seq,uint256 value,bytes32 receipts)");

    /// @notice The token.
    Token public immutable TOKEN;
    address private immutable _DEPLOYER;

    /// @notice The epoch ledger, which redeemed value goes to; zero until `setLedger`.
    Ledger public ledger;
    /// @notice Seconds that a lock outlives its deadline; the ledger's.
    uint64 public auditWindow;

    /// @notice What an account has in the vault, locked or not.
    mapping(address account => uint256 value) public balanceOf;
    /// @notice The nonce of a submitter's next offer.
    mapping(address submitter => uint64 nonce) public nonces;
    /// @notice What was redeemed on a channel.
    mapping(bytes32 channel => uint256 value) public collected;

    mapping(bytes32 offer => Lock lock) private _locks;
    mapping(address submitter => bytes32[] offers) private _active;

    /// @notice The ledger is set, once and for good.
    /// @param ledger The epoch ledger.
    /// @param auditWindow Its audit window in seconds.
    event LedgerSet(address indexed ledger, uint64 auditWindow);
    /// @notice An account deposited.
    /// @param account The account.
    /// @param value How much.
    event Deposited(address indexed account, uint256 value);
    /// @notice An account withdrew.
    /// @param account The account.
    /// @param value How much.
    event Withdrawn(address indexed account, uint256 value);
    /// @notice An offer is open and its value locked; the fields are the Offer's.
    /// @param id The offer's EIP-712 digest.
    /// @param submitter Who pays.
    /// @param nonce The submitter's number for it.
    /// @param kind What is asked for.
    /// @param spec CID of the specification.
    /// @param tier Tier of verification.
    /// @param direct The named worker, or zero.
    /// @param value What is locked.
    /// @param deadline Unix seconds.
    event OfferOpened(
        bytes32 indexed id,
        address indexed submitter,
        uint64 nonce,
        uint8 kind,
        bytes spec,
        uint8 tier,
        address direct,
        uint256 value,
        uint64 deadline
    );
    /// @notice A voucher moved value to the ledger's pool.
    /// @param offer The offer.
    /// @param channel keccak256(abi.encode(offer, worker)).
    /// @param worker Who earned it.
    /// @param payer Who paid.
    /// @param seq The channel's last receipt.
    /// @param moved What moved now.
    /// @param collected What moved on the channel in all.
    /// @param receipts Root over the channel's receipts.
    event Redeemed(
        bytes32 indexed offer,
        bytes32 indexed channel,
        address indexed worker,
        address payer,
        uint64 seq,
        uint256 moved,
        uint256 collected,
        bytes32 receipts
    );

    /// @notice Only the deployer may do this.
    /// @param sender Who tried.
    error NotDeployer(address sender);
    /// @notice The ledger is set already and cannot change.
    /// @param ledger The ledger.
    error LedgerAlreadySet(address ledger);
    /// @notice No ledger is set yet.
    error LedgerNotSet();
    /// @notice The amount is zero.
    error ZeroAmount();
    /// @notice The account has less free value than this needs.
    /// @param account The account.
    /// @param available What is free.
    /// @param needed What was asked for.
    error InsufficientAvailable(address account, uint256 available, uint256 needed);
    /// @notice Only the submitter may open its offer.
    /// @param sender Who tried.
    /// @param submitter The offer's submitter.
    error NotSubmitter(address sender, address submitter);
    /// @notice The offer's nonce is not the submitter's next.
    /// @param nonce The offer's.
    /// @param next The next.
    error WrongNonce(uint64 nonce, uint64 next);
    /// @notice The deadline is not in the future, or more than MAX_DEADLINE ahead.
    /// @param deadline The offer's deadline.
    /// @param time The block's time.
    error DeadlineOutOfRange(uint64 deadline, uint64 time);
    /// @notice The specification CID is empty or longer than MAX_SPEC.
    /// @param length Its length.
    error BadSpecLength(uint256 length);
    /// @notice The submitter has MAX_LOCKS locks already.
    /// @param submitter The submitter.
    error TooManyLocks(address submitter);
    /// @notice There is no such offer.
    /// @param offer The id.
    error UnknownOffer(bytes32 offer);
    /// @notice The voucher's payer is not the offer's submitter.
    /// @param payer The voucher's payer.
    /// @param submitter The offer's submitter.
    error NotPayer(address payer, address submitter);
    /// @notice The voucher was signed by another account than its payer, or over other bytes.
    /// @param signer Whose signature it is over these bytes.
    /// @param payer The voucher's payer.
    error WrongSigner(address signer, address payer);
    /// @notice The lock has ended; the rest is the submitter's again.
    /// @param offer The offer.
    /// @param end The lock's last second.
    error LockEnded(bytes32 offer, uint64 end);
    /// @notice The offer's channels would take more than its lock.
    /// @param offer The offer.
    /// @param left What is left of the lock.
    /// @param needed What the voucher needs more.
    error LockExceeded(bytes32 offer, uint256 left, uint256 needed);

    /// @notice Creates a vault for a token; the ledger is set later, once.
    /// @param token The token.
    constructor(Token token) EIP712("Tally", "1") {
        TOKEN = token;
        _DEPLOYER = msg.sender;
    }

    /// @notice Names the ledger, once; deployer only.
    /// @param ledger_ The epoch ledger.
    function setLedger(Ledger ledger_) external {
        if (msg.sender != _DEPLOYER) revert NotDeployer(msg.sender);
        if (address(ledger) != address(0)) revert LedgerAlreadySet(address(ledger));
        ledger = ledger_;
        auditWindow = ledger_.AUDIT_WINDOW();
        emit LedgerSet(address(ledger_), auditWindow);
    }

    /// @notice Deposits from the sender, who has approved it.
    /// @param value How much.
    function deposit(uint256 value) external {
        _deposit(value);
    }

    /// @notice Deposits from the sender with an ERC-2612 permit in the same transaction.
    /// @dev A permit that somebody else used first is no error: what counts is the allowance.
    /// @param value How much; the permit is for exactly this.
    /// @param deadline The permit's deadline.
    /// @param v Signature.
    /// @param r Signature.
    /// @param s Signature.
    function depositWithPermit(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        // solhint-disable-next-line no-empty-blocks
        try TOKEN.permit(msg.sender, address(this), value, deadline, v, r, s) {} catch {}
        _deposit(value);
    }

    /// @notice Withdraws to the sender what no lock holds.
    /// @param value How much.
    function withdraw(uint256 value) external {
        if (value == 0) revert ZeroAmount();
        uint256 free = balanceOf[msg.sender] - _sweep(msg.sender);
        if (value > free) revert InsufficientAvailable(msg.sender, free, value);
        balanceOf[msg.sender] -= value;
        emit Withdrawn(msg.sender, value);
        TOKEN.safeTransfer(msg.sender, value);
    }

    /// @notice Opens the sender's offer and locks its value.
    /// @param o The offer.
    /// @return id Its EIP-712 digest, by which everybody refers to it.
    function openOffer(Offer calldata o) external returns (bytes32 id) {
        if (address(ledger) == address(0)) revert LedgerNotSet();
        if (msg.sender != o.submitter) revert NotSubmitter(msg.sender, o.submitter);
        uint64 next = nonces[o.submitter];
        if (o.nonce != next) revert WrongNonce(o.nonce, next);
        if (o.spec.length == 0 || o.spec.length > MAX_SPEC) revert BadSpecLength(o.spec.length);
        if (o.deadline <= block.timestamp || o.deadline > block.timestamp + MAX_DEADLINE) {
            revert DeadlineOutOfRange(o.deadline, uint64(block.timestamp));
        }
        uint256 free = balanceOf[o.submitter] - _sweep(o.submitter);
        if (o.value > free) revert InsufficientAvailable(o.submitter, free, o.value);
        bytes32[] storage active = _active[o.submitter];
        if (active.length >= MAX_LOCKS) revert TooManyLocks(o.submitter);

        id = hashOffer(o);
        nonces[o.submitter] = next + 1;
        active.push(id);
        // Within the balance, so within the token's supply, which fits 128 bits.
        _locks[id] = Lock({
            submitter: o.submitter,
            end: o.deadline + auditWindow,
            value: uint128(o.value),
            spent: 0
        });
        emit OfferOpened(id, o.submitter, o.nonce, o.kind, o.spec, o.tier, o.direct, o.value, o.deadline);
    }

    /// @notice Moves what a voucher states beyond what its channel collected to the ledger's pool. Anybody may call.
    /// @dev A voucher that states no more than was collected moves nothing and is no error, also after the lock's end.
    /// @param v The voucher.
    /// @param signature The payer's, 65 bytes, low s, v 27 or 28.
    /// @return moved What moved.
    function redeem(Voucher calldata v, bytes calldata signature) external returns (uint256 moved) {
        Lock storage lock = _locks[v.offer];
        address submitter = lock.submitter;
        if (submitter == address(0)) revert UnknownOffer(v.offer);
        if (v.payer != submitter) revert NotPayer(v.payer, submitter);
        address signer = ECDSA.recoverCalldata(hashVoucher(v), signature);
        if (signer != v.payer) revert WrongSigner(signer, v.payer);

        bytes32 channel = channelOf(v.offer, v.worker);
        uint256 before = collected[channel];
        if (v.value <= before) return 0;
        if (block.timestamp > lock.end) revert LockEnded(v.offer, lock.end);
        moved = v.value - before;
        uint256 left = lock.value - lock.spent;
        if (moved > left) revert LockExceeded(v.offer, left, moved);
        lock.spent += uint128(moved); // at most lock.value
        _move(v, channel, moved);
    }

    /// @notice What an account may withdraw or lock: its balance without the unspent part of its live locks.
    /// @param account The account.
    /// @return value The free value.
    function available(address account) external view returns (uint256 value) {
        value = balanceOf[account];
        bytes32[] storage active = _active[account];
        for (uint256 i = 0; i < active.length; ++i) {
            Lock storage lock = _locks[active[i]];
            if (block.timestamp <= lock.end) value -= lock.value - lock.spent;
        }
    }

    /// @notice An offer's lock; all zero where there is no such offer.
    /// @param offer The offer's id.
    /// @return The lock.
    function lockOf(bytes32 offer) external view returns (Lock memory) {
        return _locks[offer];
    }

    /// @notice The offers whose locks count against a submitter, ended ones included until its next write.
    /// @param submitter The submitter.
    /// @return Their ids, in no order.
    function activeOf(address submitter) external view returns (bytes32[] memory) {
        return _active[submitter];
    }

    /// @notice The EIP-712 digest of a voucher.
    /// @param v The voucher.
    /// @return digest What its payer signs.
    function hashVoucher(Voucher calldata v) public view returns (bytes32 digest) {
        return
            _hashTypedDataV4(
                keccak256(abi.encode(_VOUCHER, v.offer, v.payer, v.worker, v.seq, v.value, v.receipts))
            );
    }

    /// @notice The EIP-712 digest of an offer: its id.
    /// @param o The offer.
    /// @return digest The id.
    function hashOffer(Offer calldata o) public view returns (bytes32 digest) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(
                        _OFFER,
                        o.submitter,
                        o.nonce,
                        o.kind,
                        keccak256(o.spec),
                        o.tier,
                        o.direct,
                        o.value,
                        o.deadline
                    )
                )
            );
    }

    /// @notice The channel of a worker on an offer.
    /// @param offer The offer's id.
    /// @param worker The worker.
    /// @return The channel.
    function channelOf(bytes32 offer, address worker) public pure returns (bytes32) {
        return keccak256(abi.encode(offer, worker));
    }

    function _deposit(uint256 value) private {
        if (value == 0) revert ZeroAmount();
        balanceOf[msg.sender] += value;
        emit Deposited(msg.sender, value);
        TOKEN.safeTransferFrom(msg.sender, address(this), value);
    }

    /// @dev Moves value to the ledger; the caller has checked the voucher and its lock.
    function _move(Voucher calldata v, bytes32 channel, uint256 moved) private {
        collected[channel] = v.value;
        balanceOf[v.payer] -= moved;
        emit Redeemed(v.offer, channel, v.worker, v.payer, v.seq, moved, v.value, v.receipts);
        TOKEN.safeTransfer(address(ledger), moved);
        ledger.credit(moved);
    }

    /// @dev Drops ended and spent locks from the list and returns what the others still hold.
    function _sweep(address account) private returns (uint256 locked) {
        bytes32[] storage active = _active[account];
        uint256 i = active.length;
        while (i > 0) {
            --i;
            Lock storage lock = _locks[active[i]];
            uint256 left = lock.value - lock.spent;
            if (block.timestamp > lock.end || left == 0) {
                active[i] = active[active.length - 1];
                active.pop();
            } else {
                locked += left;
            }
        }
    }
}
