// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {MerkleSum} from "./MerkleSum.sol";
import {Registry} from "./Registry.sol";
import {Token} from "./Token.sol";

/// @title Epochs: commitments, anchored roots, disputes, cumulative claims
/// @notice Time since deployment is cut into epochs. When an epoch is over, each worker commits to its receipts once
/// (commit window); then audits happen (audit window); then a bonded poster anchors the root of everybody's
/// cumulative rewards. The root waits out a delay, in which a quorum of auditors can disable it; after that each
/// account's payout address is paid what the account earned beyond what it claimed before.
/// @dev Only one anchor at a time can be open to dispute, since the next one needs the last to be final. An anchor's
/// minting and burning happen when it is final (at the first claim or the next anchor), so a disabled one leaves no
/// trace in the sums. Invariants, where pool = received + minted - burned:
///   claimedTotal <= total of the last final anchor <= pool, and
///   the contract's token balance >= pool - claimedTotal + all bonds.
/// So neither a wrong root nor a burn can ever reach the bonds, and making an anchor final cannot fail.
/// The owner (a governor, in production) names auditors and schedules rulesets; it can do nothing else.
/// The EIP-712 domain of receipts, batches and verdicts is this contract's.
contract Ledger is EIP712, Ownable2Step {
    using SafeERC20 for Token;

    /// @notice What is fixed at deployment. Times are seconds, amounts the token's smallest unit.
    /// @param epochLength Length of an epoch.
    /// @param commitWindow How long after an epoch workers may commit.
    /// @param auditWindow How long after that audits take.
    /// @param claimDelay How long an anchored root is open to dispute.
    /// @param quorum How many auditors disable a root, at least 2.
    /// @param bond What a poster puts up, more than zero.
    /// @param mintCap The most that one anchor may mint.
    struct Params {
        uint64 epochLength;
        uint64 commitWindow;
        uint64 auditWindow;
        uint64 claimDelay;
        uint16 quorum;
        uint256 bond;
        uint256 mintCap;
    }

    /// @notice A worker's commitment to its receipts of an epoch.
    /// @param worker The worker.
    /// @param epoch The epoch.
    /// @param root Merkle root over the receipts.
    /// @param count How many, 1 to MAX_COUNT.
    /// @param data CID of the pinned DAG of receipts.
    struct Batch {
        address worker;
        uint64 epoch;
        bytes32 root;
        uint64 count;
        bytes data;
    }

    /// @notice An epoch's result.
    /// @param epoch The epoch.
    /// @param previous The last good anchored epoch, or NONE.
    /// @param root Merkle-sum root over cumulative rewards.
    /// @param commitments Root over the included commitments.
    /// @param total Sum of all cumulative rewards; fits 128 bits.
    /// @param minted What this epoch mints into the pool.
    /// @param burned What this epoch burns from the pool.
    /// @param ruleset Hash of the ruleset that was applied.
    /// @param data CID of the pinned data.
    struct Anchor {
        uint64 epoch;
        uint64 previous;
        bytes32 root;
        bytes32 commitments;
        uint256 total;
        uint256 minted;
        uint256 burned;
        bytes32 ruleset;
        bytes data;
    }

    /// @notice Co-signed work.
    /// @param offer Digest of the offer.
    /// @param channel The channel.
    /// @param payer Who pays.
    /// @param worker Who worked.
    /// @param epoch The epoch.
    /// @param seq Number on the channel.
    /// @param kind What was done.
    /// @param tier Tier of verification.
    /// @param origin Direct, assigned or protocol-issued.
    /// @param rank The worker's rank for the offer.
    /// @param spec CID of the specification.
    /// @param input Salted hash of the input.
    /// @param output CID of the output.
    /// @param trace Root of the trace.
    /// @param attribution Root of the attribution.
    /// @param unitsIn Work units in.
    /// @param unitsOut Work units out.
    /// @param value What it is worth.
    /// @param start Unix seconds.
    /// @param end Unix seconds.
    /// @param previous CID of the channel's previous receipt.
    struct Receipt {
        bytes32 offer;
        bytes32 channel;
        address payer;
        address worker;
        uint64 epoch;
        uint64 seq;
        uint8 kind;
        uint8 tier;
        uint8 origin;
        uint8 rank;
        bytes spec;
        bytes32 input;
        bytes output;
        bytes32 trace;
        bytes32 attribution;
        uint64 unitsIn;
        uint64 unitsOut;
        uint256 value;
        uint64 start;
        uint64 end;
        bytes previous;
    }

    /// @notice What an auditor found.
    /// @param receipt CID of the receipt.
    /// @param auditor The auditor.
    /// @param epoch The epoch.
    /// @param outcome What it found.
    /// @param leaf The first leaf that differs.
    /// @param computed What the auditor computed there.
    struct Verdict {
        bytes receipt;
        address auditor;
        uint64 epoch;
        uint8 outcome;
        uint64 leaf;
        bytes32 computed;
    }

    /// @notice An anchor in storage.
    /// @param root Merkle-sum root; meaningless where `poster` is zero.
    /// @param poster Who anchored it; zero where there is none.
    /// @param claimableAt When it becomes final, unix seconds.
    /// @param applied Its minting and burning have happened.
    /// @param total Sum of all cumulative rewards.
    /// @param minted What it mints.
    /// @param burned What it burns.
    /// @param previous The anchored epoch before.
    struct Record {
        bytes32 root;
        address poster;
        uint64 claimableAt;
        bool applied;
        uint128 total;
        uint128 minted;
        uint128 burned;
        uint64 previous;
    }

    /// @dev A ruleset and the first epoch that it holds for.
    struct Ruleset {
        bytes32 hash;
        uint64 from;
    }

    /// @notice Stands for "no epoch".
    uint64 public constant NONE = type(uint64).max;
    /// @notice The longest CID of pinned data, in bytes.
    uint256 public constant MAX_DATA = 128;
    /// @notice The most receipts that a worker commits to in an epoch.
    uint64 public constant MAX_COUNT = 65536;
    /// @notice The longest that each period of the parameters may be, in seconds.
    uint64 public constant MAX_PERIOD = 365 days;

    bytes32 private constant _RECEIPT =
        keccak256(
            "Receipt(bytes32 offer,bytes32 channel,address payer,address worker,uint64 epoch,uint64 seq,uint8 kind,uint8 tier,uint8 origin,uint8 rank,bytes spec,bytes32 input,bytes output,bytes32 trace,bytes32 attribution,uint64 unitsIn,uint64 unitsOut,uint256 value,uint64 start,uint64 end,bytes previous)"
        );
    bytes32 private constant _BATCH =
        keccak256("Batch(address worker,uint64 epoch,bytes32 root,uint64 count,bytes data)");
    bytes32 private constant _VERDICT =
        keccak256(
            "Verdict(bytes receipt,address auditor,uint64 epoch,uint8 outcome,uint64 leaf,bytes32 computed)"
        );

    /// @notice The token.
    Token public immutable TOKEN;
    /// @notice The registry, asked for payout addresses.
    Registry public immutable REGISTRY;
    /// @notice When epoch 0 began, unix seconds.
    uint64 public immutable START;
    /// @notice Length of an epoch in seconds.
    uint64 public immutable EPOCH_LENGTH;
    /// @notice How long after an epoch workers may commit, in seconds.
    uint64 public immutable COMMIT_WINDOW;
    /// @notice How long after that audits take, in seconds.
    uint64 public immutable AUDIT_WINDOW;
    /// @notice How long an anchored root is open to dispute, in seconds.
    uint64 public immutable CLAIM_DELAY;
    /// @notice How many auditors disable a root.
    uint16 public immutable QUORUM;
    /// @notice What a poster puts up.
    uint256 public immutable BOND;
    /// @notice The most that one anchor may mint.
    uint256 public immutable MINT_CAP;

    address private immutable _DEPLOYER;

    /// @notice The vault, the only one to credit; zero until `setVault`.
    address public vault;
    /// @notice The last anchored epoch that is not disabled, or NONE. It may still be open to dispute.
    uint64 public head = NONE;
    /// @notice What the vault moved here, ever.
    uint256 public received;
    /// @notice What final anchors minted, ever.
    uint256 public mintedTotal;
    /// @notice What final anchors burned from the pool, ever.
    uint256 public burnedTotal;
    /// @notice What was claimed, ever.
    uint256 public claimedTotal;

    /// @notice Digest of what a worker committed to for an epoch; zero where it did not.
    mapping(uint64 epoch => mapping(address worker => bytes32 digest)) public commitmentOf;
    /// @notice A poster's bond.
    mapping(address poster => uint256 value) public bondOf;
    /// @notice What an account claimed, ever.
    mapping(address account => uint256 value) public claimed;
    /// @notice Whether an account is an auditor with a vote.
    mapping(address account => bool yes) public isAuditor;

    mapping(uint64 epoch => Record anchored) private _anchors;
    /// @dev How often an epoch was disabled: votes count for one anchoring of it only.
    mapping(uint64 epoch => uint64 round) private _rounds;
    mapping(uint64 epoch => mapping(uint64 round => uint256 votes)) private _votes;
    mapping(uint64 epoch => mapping(uint64 round => mapping(address auditor => bool yes))) private _voted;
    Ruleset[] private _rulesets;

    /// @notice The vault is set, once and for good.
    /// @param vault The vault.
    event VaultSet(address indexed vault);
    /// @notice An auditor was named or dismissed.
    /// @param auditor The auditor.
    /// @param yes Whether it has a vote now.
    event AuditorSet(address indexed auditor, bool yes);
    /// @notice A ruleset holds from an epoch on.
    /// @param ruleset Its hash.
    /// @param from The first epoch.
    event RulesetScheduled(bytes32 indexed ruleset, uint64 from);
    /// @notice The vault moved value into the pool.
    /// @param value How much.
    event Credited(uint256 value);
    /// @notice A worker committed to its receipts of an epoch; the fields are the Batch's.
    /// @param epoch The epoch.
    /// @param worker The worker.
    /// @param root Merkle root over the receipts.
    /// @param count How many.
    /// @param data CID of the pinned DAG of receipts.
    event Committed(uint64 indexed epoch, address indexed worker, bytes32 root, uint64 count, bytes data);
    /// @notice A poster put up its bond.
    /// @param poster The poster.
    /// @param value How much.
    event BondPosted(address indexed poster, uint256 value);
    /// @notice A poster took its bond back.
    /// @param poster The poster.
    /// @param value How much.
    event BondWithdrawn(address indexed poster, uint256 value);
    /// @notice An epoch was anchored; the fields are the Anchor's.
    /// @param epoch The epoch.
    /// @param previous The anchored epoch before, or NONE.
    /// @param poster Who anchored it.
    /// @param root Merkle-sum root over cumulative rewards.
    /// @param commitments Root over the included commitments.
    /// @param total Sum of all cumulative rewards.
    /// @param minted What it mints when final.
    /// @param burned What it burns when final.
    /// @param ruleset Hash of the ruleset.
    /// @param data CID of the pinned data.
    event Anchored(
        uint64 indexed epoch,
        uint64 previous,
        address indexed poster,
        bytes32 root,
        bytes32 commitments,
        uint256 total,
        uint256 minted,
        uint256 burned,
        bytes32 ruleset,
        bytes data
    );
    /// @notice An auditor voted against an anchored root.
    /// @param epoch The epoch.
    /// @param auditor The auditor.
    /// @param reason What is wrong.
    /// @param votes How many votes there are now.
    event DisableVoted(uint64 indexed epoch, address indexed auditor, bytes32 reason, uint256 votes);
    /// @notice A quorum disabled an anchored root; its poster's bond was burned and the epoch can be anchored anew.
    /// @param epoch The epoch.
    /// @param poster Who had anchored it.
    /// @param root The root.
    /// @param reason The last voter's reason.
    event Disabled(uint64 indexed epoch, address indexed poster, bytes32 root, bytes32 reason);
    /// @notice An anchor became final and its minting and burning happened.
    /// @param epoch The epoch.
    /// @param minted What it minted into the pool.
    /// @param burned What it burned from the pool.
    event Finalized(uint64 indexed epoch, uint256 minted, uint256 burned);
    /// @notice An account was paid.
    /// @param epoch The epoch whose root proved it.
    /// @param account The account.
    /// @param payout Where the money went.
    /// @param paid How much.
    /// @param cumulative What the account claimed in all.
    event Claimed(uint64 indexed epoch, address indexed account, address payout, uint256 paid, uint256 cumulative);

    /// @notice A period is zero where it cannot be, or longer than MAX_PERIOD.
    /// @param period The period in seconds.
    error BadPeriod(uint64 period);
    /// @notice The quorum is below 2: never one auditor alone.
    /// @param quorum The quorum.
    error QuorumTooSmall(uint16 quorum);
    /// @notice A poster's bond cannot be zero.
    error ZeroBond();
    /// @notice Only the deployer may do this.
    /// @param sender Who tried.
    error NotDeployer(address sender);
    /// @notice The vault is set already and cannot change.
    /// @param vault The vault.
    error VaultAlreadySet(address vault);
    /// @notice The vault cannot be the zero address.
    error ZeroVault();
    /// @notice Only the vault may credit.
    /// @param sender Who tried.
    error NotVault(address sender);
    /// @notice The time lies before epoch 0.
    /// @param time The time.
    /// @param start When epoch 0 began.
    error BeforeStart(uint64 time, uint64 start);
    /// @notice Only the worker itself may commit.
    /// @param sender Who tried.
    /// @param worker The batch's worker.
    error NotWorker(address sender, address worker);
    /// @notice The epoch is not over.
    /// @param epoch The epoch.
    /// @param end When it is.
    error EpochNotOver(uint64 epoch, uint64 end);
    /// @notice It is too late to commit for the epoch.
    /// @param epoch The epoch.
    /// @param until The last second in which one could.
    error CommitWindowOver(uint64 epoch, uint64 until);
    /// @notice The worker has committed for the epoch.
    /// @param worker The worker.
    /// @param epoch The epoch.
    error AlreadyCommitted(address worker, uint64 epoch);
    /// @notice The CID of the data is empty or longer than MAX_DATA.
    /// @param length Its length.
    error BadDataLength(uint256 length);
    /// @notice The count is zero or above MAX_COUNT.
    /// @param count The count.
    error BadCount(uint64 count);
    /// @notice The poster has put up its bond.
    /// @param poster The poster.
    error AlreadyBonded(address poster);
    /// @notice The sender has no bond here.
    /// @param poster The sender.
    error NotBonded(address poster);
    /// @notice An anchor of the poster can still be disputed.
    /// @param epoch Its epoch.
    /// @param until When it becomes final.
    error AnchorDisputable(uint64 epoch, uint64 until);
    /// @notice Audits of the epoch are still under way.
    /// @param epoch The epoch.
    /// @param until The last second of the audit window.
    error AuditWindowOpen(uint64 epoch, uint64 until);
    /// @notice The epoch does not come after the last anchored one.
    /// @param epoch The epoch.
    /// @param head The last anchored one.
    error EpochAlreadyAnchored(uint64 epoch, uint64 head);
    /// @notice The anchor builds on another epoch than the last anchored one.
    /// @param previous What it builds on.
    /// @param head The last anchored one, or NONE.
    error WrongPrevious(uint64 previous, uint64 head);
    /// @notice The last anchored epoch can still be disputed.
    /// @param epoch The last anchored one.
    /// @param until When it becomes final.
    error PreviousNotFinal(uint64 epoch, uint64 until);
    /// @notice Another ruleset holds for the epoch.
    /// @param ruleset The anchor's.
    /// @param current The one that holds.
    error WrongRuleset(bytes32 ruleset, bytes32 current);
    /// @notice The anchor mints more than MINT_CAP, or than the token's supply has room for.
    /// @param minted What it mints.
    /// @param cap The cap.
    error MintAboveCap(uint256 minted, uint256 cap);
    /// @notice The total does not fit 128 bits.
    /// @param total The total.
    error TotalOutOfRange(uint256 total);
    /// @notice The total is below the anchored one before: cumulative rewards never fall.
    /// @param total The total.
    /// @param previous The one before.
    error TotalDecreased(uint256 total, uint256 previous);
    /// @notice The pool does not cover the total and what is burned.
    /// @param pool What there is with what is minted.
    /// @param total The total.
    /// @param burned What is burned.
    error TotalAbovePool(uint256 pool, uint256 total, uint256 burned);
    /// @notice A ruleset cannot be changed for epochs that have begun.
    /// @param from The first epoch it should hold for.
    /// @param current The current epoch.
    error RulesetTooEarly(uint64 from, uint64 current);
    /// @notice Only an auditor may vote.
    /// @param sender Who tried.
    error NotAuditor(address sender);
    /// @notice The epoch has no good anchored root.
    /// @param epoch The epoch.
    error NotAnchored(uint64 epoch);
    /// @notice The delay is over: the root is final.
    /// @param epoch The epoch.
    /// @param since When it became final.
    error DisputeOver(uint64 epoch, uint64 since);
    /// @notice The auditor has voted against this root.
    /// @param epoch The epoch.
    /// @param auditor The auditor.
    error AlreadyVoted(uint64 epoch, address auditor);
    /// @notice The root can still be disputed.
    /// @param epoch The epoch.
    /// @param from When it becomes claimable.
    error NotClaimable(uint64 epoch, uint64 from);
    /// @notice The path leads to another root or total than the anchored ones.
    /// @param root Where it leads.
    /// @param total The sum there.
    error WrongProof(bytes32 root, uint256 total);
    /// @notice The claims of accounts would exceed what the last final root grants to all.
    /// @param claimed Claims with this one.
    /// @param total The last final root's total.
    error ClaimsAboveTotal(uint256 claimed, uint256 total);

    /// @notice Starts epoch 0.
    /// @param token The token.
    /// @param registry The node registry.
    /// @param params What is fixed from now on.
    /// @param ruleset Hash of the first ruleset.
    constructor(
        Token token,
        Registry registry,
        Params memory params,
        bytes32 ruleset
    ) EIP712("Tally", "1") Ownable(msg.sender) {
        if (params.epochLength == 0 || params.epochLength > MAX_PERIOD) revert BadPeriod(params.epochLength);
        if (params.commitWindow > MAX_PERIOD) revert BadPeriod(params.commitWindow);
        if (params.auditWindow > MAX_PERIOD) revert BadPeriod(params.auditWindow);
        if (params.claimDelay == 0 || params.claimDelay > MAX_PERIOD) revert BadPeriod(params.claimDelay);
        if (params.bond == 0) revert ZeroBond();
        if (params.quorum < 2) revert QuorumTooSmall(params.quorum);
        _DEPLOYER = msg.sender;
        TOKEN = token;
        REGISTRY = registry;
        START = uint64(block.timestamp);
        EPOCH_LENGTH = params.epochLength;
        COMMIT_WINDOW = params.commitWindow;
        AUDIT_WINDOW = params.auditWindow;
        CLAIM_DELAY = params.claimDelay;
        QUORUM = params.quorum;
        BOND = params.bond;
        MINT_CAP = params.mintCap;
        _rulesets.push(Ruleset({hash: ruleset, from: 0}));
        emit RulesetScheduled(ruleset, 0);
    }

    /// @notice Names the vault, once; deployer only.
    /// @param vault_ The vault.
    function setVault(address vault_) external {
        if (msg.sender != _DEPLOYER) revert NotDeployer(msg.sender);
        if (vault != address(0)) revert VaultAlreadySet(vault);
        if (vault_ == address(0)) revert ZeroVault();
        vault = vault_;
        emit VaultSet(vault_);
    }

    /// @notice Names or dismisses an auditor; owner only. Votes already cast count.
    /// @param auditor The auditor.
    /// @param yes Whether it has a vote from now on.
    function setAuditor(address auditor, bool yes) external onlyOwner {
        isAuditor[auditor] = yes;
        emit AuditorSet(auditor, yes);
    }

    /// @notice Changes the ruleset from a future epoch on; owner only. A change that has not begun is replaced.
    /// @param ruleset Hash of the ruleset.
    /// @param from The first epoch it holds for.
    function scheduleRuleset(bytes32 ruleset, uint64 from) external onlyOwner {
        uint64 current = currentEpoch();
        if (from <= current) revert RulesetTooEarly(from, current);
        if (_rulesets[_rulesets.length - 1].from > current) _rulesets.pop();
        _rulesets.push(Ruleset({hash: ruleset, from: from}));
        emit RulesetScheduled(ruleset, from);
    }

    /// @notice Books value that the vault has just moved here; vault only.
    /// @param value How much.
    function credit(uint256 value) external {
        if (msg.sender != vault) revert NotVault(msg.sender);
        received += value;
        emit Credited(value);
    }

    /// @notice Commits the sender to its receipts of an epoch that is over, once.
    /// @param b The commitment.
    function commit(Batch calldata b) external {
        if (msg.sender != b.worker) revert NotWorker(msg.sender, b.worker);
        _requireOver(b.epoch);
        uint64 until = epochEnd(b.epoch) + COMMIT_WINDOW;
        if (block.timestamp > until) revert CommitWindowOver(b.epoch, until);
        if (commitmentOf[b.epoch][b.worker] != 0) revert AlreadyCommitted(b.worker, b.epoch);
        _requireData(b.data);
        if (b.count == 0 || b.count > MAX_COUNT) revert BadCount(b.count);
        commitmentOf[b.epoch][b.worker] = hashBatch(b);
        emit Committed(b.epoch, b.worker, b.root, b.count, b.data);
    }

    /// @notice Puts up the sender's bond, which it has approved.
    function postBond() external {
        if (bondOf[msg.sender] != 0) revert AlreadyBonded(msg.sender);
        bondOf[msg.sender] = BOND;
        emit BondPosted(msg.sender, BOND);
        TOKEN.safeTransferFrom(msg.sender, address(this), BOND);
    }

    /// @notice Takes the sender's bond back when none of its anchors can be disputed any more.
    function withdrawBond() external {
        uint256 value = bondOf[msg.sender];
        if (value == 0) revert NotBonded(msg.sender);
        // Only the head can be open to dispute.
        Record storage last = _anchors[head];
        if (last.poster == msg.sender && block.timestamp < last.claimableAt) {
            revert AnchorDisputable(head, last.claimableAt);
        }
        bondOf[msg.sender] = 0;
        emit BondWithdrawn(msg.sender, value);
        TOKEN.safeTransfer(msg.sender, value);
    }

    /// @notice Anchors an epoch's result; bonded posters only. Epochs may be skipped, never repeated.
    /// @param a The result.
    function anchor(Anchor calldata a) external {
        if (bondOf[msg.sender] == 0) revert NotBonded(msg.sender);
        _requireOver(a.epoch);
        uint64 until = epochEnd(a.epoch) + COMMIT_WINDOW + AUDIT_WINDOW;
        if (block.timestamp <= until) revert AuditWindowOpen(a.epoch, until);
        uint64 head_ = head;
        if (head_ != NONE && a.epoch <= head_) revert EpochAlreadyAnchored(a.epoch, head_);
        if (a.previous != head_) revert WrongPrevious(a.previous, head_);
        Record storage last = _anchors[head_];
        if (head_ != NONE && block.timestamp < last.claimableAt) revert PreviousNotFinal(head_, last.claimableAt);
        _finalize();

        bytes32 ruleset = rulesetAt(a.epoch);
        if (a.ruleset != ruleset) revert WrongRuleset(a.ruleset, ruleset);
        _requireData(a.data);
        _requireCovered(a, last.total);

        _anchors[a.epoch] = Record({
            root: a.root,
            poster: msg.sender,
            claimableAt: uint64(block.timestamp) + CLAIM_DELAY,
            applied: false,
            total: uint128(a.total),
            minted: uint128(a.minted),
            burned: uint128(a.burned),
            previous: head_
        });
        head = a.epoch;
        emit Anchored(
            a.epoch,
            head_,
            msg.sender,
            a.root,
            a.commitments,
            a.total,
            a.minted,
            a.burned,
            a.ruleset,
            a.data
        );
    }

    /// @notice Votes against an anchored root within its delay; auditors only. At the quorum the root is disabled.
    /// @param epoch The epoch.
    /// @param reason What is wrong.
    function disable(uint64 epoch, bytes32 reason) external {
        if (!isAuditor[msg.sender]) revert NotAuditor(msg.sender);
        Record memory a = _anchors[epoch];
        if (a.poster == address(0)) revert NotAnchored(epoch);
        if (block.timestamp >= a.claimableAt) revert DisputeOver(epoch, a.claimableAt);
        uint64 round = _rounds[epoch];
        if (_voted[epoch][round][msg.sender]) revert AlreadyVoted(epoch, msg.sender);
        _voted[epoch][round][msg.sender] = true;
        uint256 votes = ++_votes[epoch][round];
        emit DisableVoted(epoch, msg.sender, reason, votes);
        if (votes < QUORUM) return;

        // Open to dispute, so it is the head: the one before is the head again.
        head = a.previous;
        _rounds[epoch] = round + 1;
        delete _anchors[epoch];
        uint256 bond = bondOf[a.poster];
        bondOf[a.poster] = 0;
        emit Disabled(epoch, a.poster, a.root, reason);
        TOKEN.burn(bond);
    }

    /// @notice Pays an account's payout address what a final root grants it beyond what it claimed. Anybody may call.
    /// @dev A proof that grants no more than was claimed pays nothing and is no error.
    /// @param epoch The root's epoch.
    /// @param account The account.
    /// @param cumulative What the root grants it in all.
    /// @param index The leaf's position.
    /// @param hashes Siblings' hashes, bottom up.
    /// @param sums Siblings' sums, bottom up.
    /// @return paid What was paid.
    function claim(
        uint64 epoch,
        address account,
        uint128 cumulative,
        uint256 index,
        bytes32[] calldata hashes,
        uint128[] calldata sums
    ) external returns (uint256 paid) {
        Record storage a = _anchors[epoch];
        if (a.poster == address(0)) revert NotAnchored(epoch);
        if (block.timestamp < a.claimableAt) revert NotClaimable(epoch, a.claimableAt);
        {
            (bytes32 root, uint256 total) = MerkleSum.rootOf(account, cumulative, index, hashes, sums);
            if (root != a.root || total != a.total) revert WrongProof(root, total);
        }
        uint256 before = claimed[account];
        if (cumulative <= before) return 0;
        _finalize();
        paid = cumulative - before;
        uint256 limit = _finalTotal();
        if (claimedTotal + paid > limit) revert ClaimsAboveTotal(claimedTotal + paid, limit);
        claimed[account] = cumulative;
        claimedTotal += paid;
        address payout = REGISTRY.payoutOf(account);
        emit Claimed(epoch, account, payout, paid, cumulative);
        TOKEN.safeTransfer(payout, paid);
    }

    /// @notice An epoch's anchor; all zero where there is no good one.
    /// @param epoch The epoch.
    /// @return The anchor.
    function anchorOf(uint64 epoch) external view returns (Record memory) {
        return _anchors[epoch];
    }

    /// @notice Votes against an epoch's anchored root.
    /// @param epoch The epoch.
    /// @return How many.
    function votesOf(uint64 epoch) external view returns (uint256) {
        return _votes[epoch][_rounds[epoch]];
    }

    /// @notice The pool: what was received and minted and not burned, claimed or not; without bonds.
    /// @return Received plus minted minus burned.
    function pool() external view returns (uint256) {
        return received + mintedTotal - burnedTotal;
    }

    /// @notice The ruleset of the current epoch.
    /// @return Its hash.
    function rulesetHash() external view returns (bytes32) {
        return rulesetAt(currentEpoch());
    }

    /// @notice Where a path of the Merkle-sum tree leads; reverts as a claim would.
    /// @param account The leaf's account.
    /// @param cumulative The leaf's sum.
    /// @param index The leaf's position.
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
    ) external pure returns (bytes32 root, uint256 total) {
        return MerkleSum.rootOf(account, cumulative, index, hashes, sums);
    }

    /// @notice The EIP-712 digest of a receipt.
    /// @param r The receipt.
    /// @return digest What worker and payer sign.
    function hashReceipt(Receipt calldata r) external view returns (bytes32 digest) {
        // In three parts, since the compiler cannot hold 22 values on its stack; their concatenation is the same.
        bytes memory who = abi.encode(_RECEIPT, r.offer, r.channel, r.payer, r.worker, r.epoch, r.seq);
        bytes memory what = abi.encode(
            r.kind,
            r.tier,
            r.origin,
            r.rank,
            keccak256(r.spec),
            r.input,
            keccak256(r.output),
            r.trace
        );
        bytes memory worth = abi.encode(
            r.attribution,
            r.unitsIn,
            r.unitsOut,
            r.value,
            r.start,
            r.end,
            keccak256(r.previous)
        );
        return _hashTypedDataV4(keccak256(bytes.concat(who, what, worth)));
    }

    /// @notice The EIP-712 digest of a verdict.
    /// @param v The verdict.
    /// @return digest What its auditor signs.
    function hashVerdict(Verdict calldata v) external view returns (bytes32 digest) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(_VERDICT, keccak256(v.receipt), v.auditor, v.epoch, v.outcome, v.leaf, v.computed)
                )
            );
    }

    /// @notice The EIP-712 digest of a commitment.
    /// @param b The commitment.
    /// @return digest What its worker signs where it is sent by other ways than `commit`.
    function hashBatch(Batch calldata b) public view returns (bytes32 digest) {
        return
            _hashTypedDataV4(
                keccak256(abi.encode(_BATCH, b.worker, b.epoch, b.root, b.count, keccak256(b.data)))
            );
    }

    /// @notice The ruleset that holds for an epoch.
    /// @param epoch The epoch.
    /// @return Its hash.
    function rulesetAt(uint64 epoch) public view returns (bytes32) {
        uint256 i = _rulesets.length - 1;
        while (_rulesets[i].from > epoch) --i; // the first holds from epoch 0
        return _rulesets[i].hash;
    }

    /// @notice The epoch that a time lies in.
    /// @param time Unix seconds.
    /// @return The epoch, 0 the first.
    function epochAt(uint64 time) public view returns (uint64) {
        if (time < START) revert BeforeStart(time, START);
        return (time - START) / EPOCH_LENGTH;
    }

    /// @notice The epoch that the block lies in.
    /// @return The epoch, 0 the first.
    function currentEpoch() public view returns (uint64) {
        return epochAt(uint64(block.timestamp));
    }

    /// @notice When an epoch is over: the first second of the next; the largest time where that fits no uint64.
    /// @param epoch The epoch.
    /// @return Unix seconds.
    function epochEnd(uint64 epoch) public view returns (uint64) {
        uint256 end = START + (uint256(epoch) + 1) * EPOCH_LENGTH;
        return end > type(uint64).max ? type(uint64).max : uint64(end);
    }

    /// @dev Mints and burns for the head if it has become final; never fails, see the invariants.
    function _finalize() private {
        uint64 head_ = head;
        if (head_ == NONE) return;
        Record storage a = _anchors[head_];
        if (a.applied || block.timestamp < a.claimableAt) return;
        a.applied = true;
        mintedTotal += a.minted;
        burnedTotal += a.burned;
        emit Finalized(head_, a.minted, a.burned);
        if (a.minted != 0) TOKEN.mint(address(this), a.minted);
        if (a.burned != 0) TOKEN.burn(a.burned);
    }

    /// @dev Total of the last final anchor: the head's, or the one's before while the head is open to dispute.
    function _finalTotal() private view returns (uint256) {
        Record storage a = _anchors[head];
        return block.timestamp < a.claimableAt ? _anchors[a.previous].total : a.total;
    }

    function _requireOver(uint64 epoch) private view {
        uint64 end = epochEnd(epoch);
        if (block.timestamp < end) revert EpochNotOver(epoch, end);
    }

    /// @dev An anchor's sums: everything that it grants is in the pool after it mints and burns. Call after _finalize.
    function _requireCovered(Anchor calldata a, uint128 previousTotal) private view {
        if (a.minted != 0) {
            // Nobody else mints, so what the supply has room for now it has room for when the anchor is final.
            uint256 cap = Math.min(MINT_CAP, type(uint128).max - TOKEN.totalSupply());
            if (a.minted > cap) revert MintAboveCap(a.minted, cap);
        }
        if (a.total > type(uint128).max) revert TotalOutOfRange(a.total);
        if (a.total < previousTotal) revert TotalDecreased(a.total, previousTotal);
        uint256 covered = received + mintedTotal - burnedTotal + a.minted;
        // Subtracted rather than added up: a.burned may be anything.
        if (a.total > covered || a.burned > covered - a.total) revert TotalAbovePool(covered, a.total, a.burned);
    }

    function _requireData(bytes calldata data) private pure {
        if (data.length == 0 || data.length > MAX_DATA) revert BadDataLength(data.length);
    }
}
