// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {BlockHashes} from "./BlockHashes.sol";
import {Ledger} from "./Ledger.sol";
import {PieceTree} from "./PieceTree.sol";
import {Registry} from "./Registry.sol";
import {SumTree} from "./SumTree.sol";

/// @title Proofs of possession
/// @notice A registered node keeps one set of pieces here, each a file of which the contract knows root and size. Time
/// is cut into periods of PERIOD blocks, counted from block 0. The hash of a period's first block draws LEAVES leaves
/// of all that were in the set when the period began; in the rest of the period the node shows them with their paths.
/// Pieces added count from the next period on. Pieces are removed only when the current period is proved or given up,
/// so that what is under challenge cannot change. A period that was not proved is missed; that is recorded at the
/// next touch of the set, or by anybody's poke. An auditor may demand one leaf in the open; a node that signed wrong
/// data is accused with the right leaf. This contract only records: it holds no money, has no owner and slashes nobody.
/// @dev Leaves are numbered by a sum tree over the pieces, so that adding, removing and finding cost the logarithm of
/// their number. Invariants: a set's `leaves` is the sum over its pieces;
/// each closed period with leaves under challenge is either proved or missed; until then `challenged` stands.
/// The EIP-712 domain of Retrieved is this contract's.
contract Possession is EIP712 {
    using SumTree for SumTree.Tree;

    /// @notice What became of a period's challenge.
    enum Outcome {
        Open,
        Proved,
        Forfeited
    }

    /// @notice A node's set.
    /// @param next The id of the next piece: ids count from 0 and are never used again.
    /// @param leaves Leaves of all its pieces.
    /// @param period The period that challenged, recent and outcome speak of.
    /// @param challenged Leaves that were in the set when the period began.
    /// @param recent The last RECENT periods: bit i says whether the i-th before the period was proved.
    /// @param proved Periods proved, ever.
    /// @param missed Periods missed or given up, ever.
    /// @param running Periods missed since the last one proved.
    /// @param pieces How many pieces it has.
    /// @param outcome What became of the period.
    struct Set {
        uint64 next;
        uint64 leaves;
        uint64 period;
        uint64 challenged;
        uint64 recent;
        uint32 proved;
        uint32 missed;
        uint32 running;
        uint32 pieces;
        Outcome outcome;
    }

    /// @dev A Set in storage, packed here since the compiler would read and write its slots once a field.
    struct Packed {
        uint256 head;
        uint256 tail;
    }

    /// @notice The answer to one leaf drawn.
    /// @param id The piece that it lies in.
    /// @param leaf Its number in the piece.
    /// @param data Its 256 bytes, the end of the last leaf zero.
    /// @param path Siblings from the leaf up.
    struct Proof {
        uint64 id;
        uint64 leaf;
        bytes data;
        bytes32[] path;
    }

    /// @notice An auditor's open demand for a leaf.
    /// @param auditor The auditor.
    /// @param by The last block in which an answer counts.
    /// @param id The piece.
    /// @param leaf The leaf.
    struct Demand {
        address auditor;
        uint64 by;
        uint64 id;
        uint64 leaf;
    }

    /// @notice What a holder signs when it is asked for a leaf.
    /// @param node The holder.
    /// @param asker Who asked.
    /// @param piece The piece's root.
    /// @param leaf The leaf.
    /// @param data SHA-256 of 0x00 and the leaf's 256 bytes.
    /// @param time Unix seconds, the holder's.
    struct Retrieved {
        address node;
        address asker;
        bytes32 piece;
        uint64 leaf;
        bytes32 data;
        uint64 time;
    }

    /// @notice The longest period, in blocks: the seed of one must be at hand to its end.
    uint64 public constant MAX_PERIOD = 8000;
    /// @notice The most leaves drawn in a period.
    uint64 public constant MAX_LEAVES = 32;
    /// @notice The most pieces in one call of add or remove.
    uint256 public constant MAX_BATCH = 64;
    /// @notice The largest piece, in bytes.
    uint64 public constant MAX_SIZE = 1 << 30;
    /// @notice How many periods back a set remembers which it proved.
    uint64 public constant RECENT = 64;
    /// @notice The most demands that are open against a node.
    uint256 public constant MAX_DEMANDS = 4;

    bytes32 private constant _RETRIEVED =
        keccak256("Retrieved(address node,address asker,bytes32 piece,uint64 leaf,bytes32 data,uint64 time)");

    /// @notice The registry, asked who is a node.
    Registry public immutable REGISTRY;
    /// @notice The ledger, asked who is an auditor.
    Ledger public immutable LEDGER;
    /// @notice Blocks of a period; also how long a demand can be answered.
    uint64 public immutable PERIOD;
    /// @notice Leaves drawn in a period.
    uint64 public immutable LEAVES;

    /// @notice Whether a node was shown to have signed wrong data, by keccak256(abi.encode(node, piece root, leaf)).
    mapping(bytes32 key => bool yes) public accused;

    mapping(address node => Packed set) private _sets;
    mapping(address node => SumTree.Tree sizes) private _sizes;
    mapping(address node => mapping(uint64 id => bytes32 root)) private _roots;
    mapping(address node => Demand[] open) private _demands;

    /// @notice A node takes it upon itself to prove a piece, from the next period on.
    /// @param node The node.
    /// @param id The piece's id in its set.
    /// @param root The piece's root.
    /// @param size The piece's bytes.
    event PieceAdded(address indexed node, uint64 indexed id, bytes32 indexed root, uint64 size);
    /// @notice A node no longer proves a piece.
    /// @param node The node.
    /// @param id The piece's id.
    event PieceRemoved(address indexed node, uint64 indexed id);
    /// @notice A node proved its set.
    /// @param node The node.
    /// @param period The period.
    /// @param leaves Leaves that were under challenge.
    event PossessionProved(address indexed node, uint64 indexed period, uint64 leaves);
    /// @notice A node did not prove its set, or gave the period up.
    /// @param node The node.
    /// @param from The first period.
    /// @param to The last period.
    event PeriodsMissed(address indexed node, uint64 from, uint64 to);
    /// @notice An auditor demands a leaf.
    /// @param node The node.
    /// @param auditor The auditor.
    /// @param id The piece's id.
    /// @param leaf The leaf.
    /// @param by The last block in which an answer counts.
    event RetrievalDemanded(address indexed node, address indexed auditor, uint64 id, uint64 leaf, uint64 by);
    /// @notice A node answered all demands for a leaf.
    /// @param node The node.
    /// @param id The piece's id.
    /// @param leaf The leaf.
    event RetrievalAnswered(address indexed node, uint64 id, uint64 leaf);
    /// @notice A demand was not answered in time.
    /// @param node The node.
    /// @param auditor The auditor.
    /// @param id The piece's id.
    /// @param leaf The leaf.
    event RetrievalMissed(address indexed node, address indexed auditor, uint64 id, uint64 leaf);
    /// @notice A node signed a leaf that is not the piece's.
    /// @param node The node.
    /// @param piece The piece's root.
    /// @param leaf The leaf.
    event DataWrong(address indexed node, bytes32 indexed piece, uint64 leaf);

    /// @notice A period has 2 to MAX_PERIOD blocks: one to draw from and one to prove in.
    /// @param period The blocks.
    error BadPeriod(uint64 period);
    /// @notice In a period 1 to MAX_LEAVES leaves are drawn.
    /// @param leaves How many were given.
    error BadLeaves(uint64 leaves);
    /// @notice Only a registered node adds pieces.
    /// @param sender Who tried.
    error NotNode(address sender);
    /// @notice A call adds or removes 1 to MAX_BATCH pieces, each with root and size.
    /// @param roots Pieces, or roots.
    /// @param sizes Sizes.
    error BadBatch(uint256 roots, uint256 sizes);
    /// @notice A piece's root is not zero and its size 1 to MAX_SIZE.
    /// @param index Where in the call.
    error BadPiece(uint256 index);
    /// @notice The node has no such piece, or no longer.
    /// @param node The node.
    /// @param id The piece's id.
    error UnknownPiece(address node, uint64 id);
    /// @notice What is under challenge cannot change: prove the current period or give it up first.
    /// @param period The period.
    error ProveFirst(uint64 period);
    /// @notice A piece of which a leaf is demanded stays until that is answered or missed.
    /// @param id The piece's id.
    error DemandOpen(uint64 id);
    /// @notice A proof is good for the node that it names only.
    /// @param sender Who tried.
    /// @param node Whose proof it is.
    error ForeignProof(address sender, address node);
    /// @notice The period is over.
    /// @param period The period.
    /// @param current The current one.
    error StaleProof(uint64 period, uint64 current);
    /// @notice The period's leaves are not drawn yet.
    /// @param period The period.
    /// @param block The first block in which they can be proved.
    error EarlyProof(uint64 period, uint256 block);
    /// @notice Nothing was in the set when the period began.
    /// @param period The period.
    error NothingToProve(uint64 period);
    /// @notice The period is proved already.
    /// @param period The period.
    error AlreadyProved(uint64 period);
    /// @notice The period was given up.
    /// @param period The period.
    error AlreadyForfeited(uint64 period);
    /// @notice The hash of the period's first block cannot be had.
    /// @param period The period.
    error SeedUnavailable(uint64 period);
    /// @notice One proof belongs to each leaf drawn.
    /// @param count Proofs given.
    /// @param leaves Leaves drawn.
    error WrongCount(uint256 count, uint256 leaves);
    /// @notice The leaf drawn does not lie in the piece named.
    /// @param index Which of the proofs.
    /// @param id The piece named.
    error WrongPiece(uint256 index, uint64 id);
    /// @notice Another leaf of the piece was drawn.
    /// @param index Which of the proofs.
    /// @param leaf The leaf named.
    /// @param drawn The leaf drawn.
    error WrongLeaf(uint256 index, uint64 leaf, uint64 drawn);
    /// @notice Leaf and path do not lead to the piece's root.
    /// @param root Where they lead.
    /// @param piece The piece's root.
    error WrongRoot(bytes32 root, bytes32 piece);
    /// @notice No leaf was drawn with this number.
    /// @param index The number.
    error NoDraw(uint64 index);
    /// @notice Whether the period was proved is no longer kept.
    /// @param period The period.
    error Forgotten(uint64 period);
    /// @notice Only an auditor demands.
    /// @param sender Who tried.
    error NotAuditor(address sender);
    /// @notice An auditor has one demand open against a node at a time.
    /// @param node The node.
    /// @param auditor The auditor.
    error AlreadyDemanded(address node, address auditor);
    /// @notice MAX_DEMANDS demands are open against the node.
    /// @param node The node.
    error TooManyDemands(address node);
    /// @notice There is no such demand.
    /// @param node The node.
    error NoDemand(address node);
    /// @notice The time to answer is over.
    /// @param by The last block in which an answer counted.
    error AnswerLate(uint64 by);
    /// @notice The demand can still be answered.
    /// @param by The last block in which an answer counts.
    error DemandNotOver(uint64 by);
    /// @notice The signature is another account's.
    /// @param signer Who signed.
    /// @param node Who is accused.
    error WrongSigner(address signer, address node);
    /// @notice What was signed is the piece's leaf.
    error DataRight();
    /// @notice The node was shown wrong in this leaf before.
    /// @param node The node.
    /// @param piece The piece's root.
    /// @param leaf The leaf.
    error AlreadyAccused(address node, bytes32 piece, uint64 leaf);

    /// @notice Creates empty sets.
    /// @param registry The registry.
    /// @param ledger The ledger.
    /// @param period Blocks of a period, 2 to MAX_PERIOD.
    /// @param leaves Leaves drawn in a period, 1 to MAX_LEAVES.
    constructor(Registry registry, Ledger ledger, uint64 period, uint64 leaves) EIP712("Tally", "1") {
        if (period < 2 || period > MAX_PERIOD) revert BadPeriod(period);
        if (leaves == 0 || leaves > MAX_LEAVES) revert BadLeaves(leaves);
        REGISTRY = registry;
        LEDGER = ledger;
        PERIOD = period;
        LEAVES = leaves;
    }

    /// @notice Adds pieces to the sender's set; registered nodes only. They count from the next period on.
    /// @param roots The pieces' roots, 1 to MAX_BATCH; not zero.
    /// @param sizes Their bytes, 1 to MAX_SIZE.
    function add(bytes32[] calldata roots, uint64[] calldata sizes) external {
        if (roots.length == 0 || roots.length > MAX_BATCH || roots.length != sizes.length) {
            revert BadBatch(roots.length, sizes.length);
        }
        if (REGISTRY.keyOf(msg.sender).length == 0) revert NotNode(msg.sender);
        Set memory set = _touch(msg.sender);
        SumTree.Tree storage tree = _sizes[msg.sender];
        for (uint256 i = 0; i < roots.length; ++i) {
            uint64 size = sizes[i];
            if (roots[i] == 0 || size == 0 || size > MAX_SIZE) revert BadPiece(i);
            _roots[msg.sender][set.next] = roots[i];
            tree.push(set.next, set.leaves, size);
            emit PieceAdded(msg.sender, set.next, roots[i], size);
            ++set.next;
            set.leaves += PieceTree.leavesOf(size);
        }
        set.pieces += uint32(roots.length);
        _store(msg.sender, set);
    }

    /// @notice Removes pieces from the sender's set, when nothing is under challenge: call again for more than MAX_BATCH.
    /// @param ids The pieces' ids, 1 to MAX_BATCH.
    function remove(uint64[] calldata ids) external {
        if (ids.length == 0 || ids.length > MAX_BATCH) revert BadBatch(ids.length, ids.length);
        Set memory set = _touch(msg.sender);
        if (set.challenged != 0 && set.outcome == Outcome.Open) revert ProveFirst(set.period);
        _expireAll(msg.sender);
        SumTree.Tree storage tree = _sizes[msg.sender];
        for (uint256 i = 0; i < ids.length; ++i) {
            _live(msg.sender, ids[i]);
            _requireUndemanded(msg.sender, ids[i]);
            delete _roots[msg.sender][ids[i]];
            set.leaves -= tree.clear(ids[i], set.next);
            emit PieceRemoved(msg.sender, ids[i]);
        }
        set.pieces -= uint32(ids.length);
        _store(msg.sender, set);
    }

    /// @notice Proves the sender's set in the current period.
    /// @param node The sender: so that a proof copied from another's transaction says so.
    /// @param period The current period: so that a late or early proof says so.
    /// @param proofs One for each leaf drawn, in the order of the draws.
    function prove(address node, uint64 period, Proof[] calldata proofs) external {
        if (msg.sender != node) revert ForeignProof(msg.sender, node);
        Set memory set = _challenged(period);
        if (proofs.length != LEAVES) revert WrongCount(proofs.length, LEAVES);
        bytes32 seed = seedOf(period);
        for (uint256 i = 0; i < proofs.length; ++i) {
            _check(node, i, _draw(seed, node, period, uint64(i), set.challenged), proofs[i]);
        }
        set.outcome = Outcome.Proved;
        set.running = 0;
        set.recent |= 1;
        ++set.proved;
        _store(node, set);
        emit PossessionProved(node, period, set.challenged);
    }

    /// @notice Gives the current period up: it counts as missed, and the sender may remove what it lost.
    /// @param period The current period: so that a late transaction does not give up the next.
    function forfeit(uint64 period) external {
        Set memory set = _challenged(period);
        set.outcome = Outcome.Forfeited;
        ++set.missed;
        ++set.running;
        _store(msg.sender, set);
        emit PeriodsMissed(msg.sender, period, period);
    }

    /// @notice Records what a node missed, and its demands that are over. Anybody may call.
    /// @param node The node.
    function poke(address node) external {
        _store(node, _touch(node));
        _expireAll(node);
    }

    /// @notice Demands a leaf of a node's piece; auditors only. The node has PERIOD blocks to answer.
    /// @param node The node.
    /// @param id The piece's id.
    /// @param leaf The leaf.
    function demand(address node, uint64 id, uint64 leaf) external {
        if (!LEDGER.isAuditor(msg.sender)) revert NotAuditor(msg.sender);
        uint64 leaves = PieceTree.leavesOf(_live(node, id));
        if (leaf >= leaves) revert PieceTree.LeafOutOfRange(leaf, leaves);
        _expireAll(node);
        Demand[] storage open = _demands[node];
        for (uint256 i = 0; i < open.length; ++i) {
            if (open[i].auditor == msg.sender) revert AlreadyDemanded(node, msg.sender);
        }
        if (open.length >= MAX_DEMANDS) revert TooManyDemands(node);
        uint64 by = uint64(block.number) + PERIOD;
        open.push(Demand({auditor: msg.sender, by: by, id: id, leaf: leaf}));
        emit RetrievalDemanded(node, msg.sender, id, leaf, by);
    }

    /// @notice Answers all demands against the sender for a leaf.
    /// @param proof The leaf and its path.
    function answer(Proof calldata proof) external {
        Demand[] storage open = _demands[msg.sender];
        bool found = false;
        uint64 late = 0;
        uint256 i = open.length;
        while (i > 0) {
            --i;
            Demand memory d = open[i];
            if (d.id != proof.id || d.leaf != proof.leaf) continue;
            if (block.number > d.by) {
                late = d.by;
                continue;
            }
            found = true;
            _drop(open, i);
        }
        if (!found && late != 0) revert AnswerLate(late);
        if (!found) revert NoDemand(msg.sender);
        _requireRoot(msg.sender, _live(msg.sender, proof.id), proof);
        emit RetrievalAnswered(msg.sender, proof.id, proof.leaf);
    }

    /// @notice Records that an auditor's demand was not answered in time. Anybody may call.
    /// @param node The node.
    /// @param auditor The auditor.
    function expire(address node, address auditor) external {
        Demand[] storage open = _demands[node];
        for (uint256 i = 0; i < open.length; ++i) {
            if (open[i].auditor != auditor) continue;
            if (block.number <= open[i].by) revert DemandNotOver(open[i].by);
            _miss(node, open, i);
            return;
        }
        revert NoDemand(node);
    }

    /// @notice Records that a node signed a leaf that is not the piece's, once for each leaf. Anybody may call.
    /// @param r What it signed.
    /// @param signature Its signature, 65 bytes, low s, v 27 or 28.
    /// @param size The piece's bytes, at most MAX_SIZE.
    /// @param data The right leaf.
    /// @param path Siblings from the leaf up.
    function accuse(
        Retrieved calldata r,
        bytes calldata signature,
        uint64 size,
        bytes calldata data,
        bytes32[] calldata path
    ) external {
        bytes32 key = keccak256(abi.encode(r.node, r.piece, r.leaf));
        if (accused[key]) revert AlreadyAccused(r.node, r.piece, r.leaf);
        address signer = ECDSA.recoverCalldata(hashRetrieved(r), signature);
        if (signer != r.node) revert WrongSigner(signer, r.node);
        if (size > MAX_SIZE) revert BadPiece(0);
        (bytes32 hash, bytes32 root) = PieceTree.rootOf(size, r.leaf, data, path);
        if (root != r.piece) revert WrongRoot(root, r.piece);
        if (hash == r.data) revert DataRight();
        accused[key] = true;
        emit DataWrong(r.node, r.piece, r.leaf);
    }

    /// @notice A node's set as of this block, with what it missed, recorded or not.
    /// @param node The node.
    /// @return set The set.
    function setOf(address node) external view returns (Set memory set) {
        set = _load(node);
        _advance(set, currentPeriod());
    }

    /// @notice A piece of a node's set.
    /// @param node The node.
    /// @param id The piece's id.
    /// @return root Its root; zero where there is none, or no longer.
    /// @return size Its bytes.
    function pieceOf(address node, uint64 id) external view returns (bytes32 root, uint64 size) {
        return (_roots[node][id], _sizes[node].sizeOf(id));
    }

    /// @notice The open demands against a node, those that are over included until somebody records it.
    /// @param node The node.
    /// @return The demands, in no order.
    function demandsOf(address node) external view returns (Demand[] memory) {
        return _demands[node];
    }

    /// @notice Whether a node proved a period, of the last RECENT; the events tell of older ones.
    /// @param node The node.
    /// @param period The period.
    /// @return Whether it did.
    function proven(address node, uint64 period) external view returns (bool) {
        Set memory set = _load(node);
        _advance(set, currentPeriod());
        if (period > set.period) return false;
        if (set.period - period >= RECENT) revert Forgotten(period);
        return (set.recent >> (set.period - period)) & 1 == 1;
    }

    /// @notice A leaf that a node has to show in the current period, while that is open.
    /// @param node The node.
    /// @param i Which of the draws, from 0.
    /// @return period The period.
    /// @return id The piece's id.
    /// @return leaf The leaf.
    function challengeOf(address node, uint64 i) external view returns (uint64 period, uint64 id, uint64 leaf) {
        if (i >= LEAVES) revert NoDraw(i);
        Set memory set = _load(node);
        period = currentPeriod();
        _advance(set, period);
        _requireOpen(set, period);
        (id, leaf) = find(node, _draw(seedOf(period), node, period, i, set.challenged));
    }

    /// @notice The seed of a period: the hash of its first block.
    /// @param period The period, the current or one that began at most 8191 blocks ago.
    /// @return seed The hash.
    function seedOf(uint64 period) public view returns (bytes32 seed) {
        uint256 number = uint256(period) * PERIOD;
        if (number >= block.number) revert EarlyProof(period, number + 1);
        seed = BlockHashes.hashOf(number);
        if (seed == 0) revert SeedUnavailable(period);
    }

    /// @notice The period of this block.
    /// @return The period.
    function currentPeriod() public view returns (uint64) {
        return uint64(block.number / PERIOD);
    }

    /// @notice The piece that a leaf of a set lies in; the leaves are numbered in the order of the pieces' ids.
    /// @param node The node.
    /// @param n The leaf's number, below the set's leaves.
    /// @return id The piece's id.
    /// @return leaf The leaf's number in the piece.
    function find(address node, uint64 n) public view returns (uint64 id, uint64 leaf) {
        Set memory set = _load(node);
        if (n >= set.leaves) revert PieceTree.LeafOutOfRange(n, set.leaves);
        return _sizes[node].find(set.next, n);
    }

    /// @notice Leaves of the pieces before one of a node's set.
    /// @param node The node.
    /// @param id The piece's id.
    /// @return leaves How many; zero where the set has no such piece.
    function leavesBefore(address node, uint64 id) external view returns (uint64 leaves) {
        (, leaves) = _sizes[node].locate(id);
    }

    /// @notice The EIP-712 digest of what a holder signs.
    /// @param r The answer to a retrieval check.
    /// @return digest What its node signs.
    function hashRetrieved(Retrieved calldata r) public view returns (bytes32 digest) {
        return
            _hashTypedDataV4(
                keccak256(abi.encode(_RETRIEVED, r.node, r.asker, r.piece, r.leaf, r.data, r.time))
            );
    }

    function _store(address node, Set memory set) private {
        _sets[node] = Packed({
            head: (uint256(set.next) << 192) |
                (uint256(set.leaves) << 128) |
                (uint256(set.period) << 64) |
                set.challenged,
            tail: (uint256(set.outcome) << 192) |
                (uint256(set.pieces) << 160) |
                (uint256(set.proved) << 128) |
                (uint256(set.missed) << 96) |
                (uint256(set.running) << 64) |
                set.recent
        });
    }

    /// @dev The node's set in the current period; what was missed is announced. The caller stores it.
    function _touch(address node) private returns (Set memory set) {
        set = _load(node);
        (uint64 from, uint64 to) = _advance(set, currentPeriod());
        if (from <= to) emit PeriodsMissed(node, from, to);
    }

    /// @dev The sender's set with the period's challenge open, or the reason why it is not.
    function _challenged(uint64 period) private returns (Set memory set) {
        uint64 current = currentPeriod();
        if (period < current) revert StaleProof(period, current);
        if (period > current) revert EarlyProof(period, uint256(period) * PERIOD + 1);
        set = _touch(msg.sender);
        _requireOpen(set, period);
    }

    /// @dev Records demands that are over.
    function _expireAll(address node) private {
        Demand[] storage open = _demands[node];
        uint256 i = open.length;
        while (i > 0) {
            --i;
            if (block.number > open[i].by) _miss(node, open, i);
        }
    }

    function _miss(address node, Demand[] storage open, uint256 i) private {
        Demand memory d = open[i];
        _drop(open, i);
        emit RetrievalMissed(node, d.auditor, d.id, d.leaf);
    }

    function _drop(Demand[] storage open, uint256 i) private {
        open[i] = open[open.length - 1];
        open.pop();
    }

    /// @dev One proof against the leaf drawn.
    function _check(address node, uint256 i, uint64 n, Proof calldata proof) private view {
        uint64 id = proof.id;
        SumTree.Tree storage tree = _sizes[node];
        (uint64 size, uint64 before) = tree.locate(id);
        if (n < before || n - before >= PieceTree.leavesOf(size)) revert WrongPiece(i, id);
        if (proof.leaf != n - before) revert WrongLeaf(i, proof.leaf, n - before);
        _requireRoot(node, size, proof);
    }

    function _load(address node) private view returns (Set memory set) {
        uint256 word = _sets[node].head;
        set.next = uint64(word >> 192);
        set.leaves = uint64(word >> 128);
        set.period = uint64(word >> 64);
        set.challenged = uint64(word);
        word = _sets[node].tail;
        set.outcome = Outcome(word >> 192);
        set.pieces = uint32(word >> 160);
        set.proved = uint32(word >> 128);
        set.missed = uint32(word >> 96);
        set.running = uint32(word >> 64);
        set.recent = uint64(word);
    }

    function _requireRoot(address node, uint64 size, Proof calldata proof) private view {
        (, bytes32 root) = PieceTree.rootOf(size, proof.leaf, proof.data, proof.path);
        bytes32 piece = _roots[node][proof.id];
        if (root != piece) revert WrongRoot(root, piece);
    }

    function _requireUndemanded(address node, uint64 id) private view {
        Demand[] storage open = _demands[node];
        for (uint256 i = 0; i < open.length; ++i) {
            if (open[i].id == id) revert DemandOpen(id);
        }
    }

    /// @dev The size of a piece that is in the set.
    function _live(address node, uint64 id) private view returns (uint64 size) {
        size = _sizes[node].sizeOf(id);
        if (size == 0) revert UnknownPiece(node, id);
    }

    function _requireOpen(Set memory set, uint64 period) private pure {
        if (set.challenged == 0) revert NothingToProve(period);
        if (set.outcome == Outcome.Proved) revert AlreadyProved(period);
        if (set.outcome == Outcome.Forfeited) revert AlreadyForfeited(period);
    }

    /// @dev Moves a set to a period and counts what was missed in between: periods from..to, none where from > to.
    /// Since nothing touched the set meanwhile, its leaves were under challenge in each period after its own.
    function _advance(Set memory set, uint64 current) private pure returns (uint64 from, uint64 to) {
        if (set.period == current) return (1, 0);
        from = set.challenged != 0 && set.outcome == Outcome.Open ? set.period : set.period + 1;
        to = current - 1;
        if (set.leaves == 0) (from, to) = (1, 0);
        if (from <= to) {
            set.missed += uint32(to - from + 1); // fewer than half of all blocks
            set.running += uint32(to - from + 1);
        }
        set.recent = current - set.period < RECENT ? set.recent << (current - set.period) : 0;
        set.period = current;
        set.challenged = set.leaves;
        set.outcome = Outcome.Open;
    }

    function _draw(bytes32 seed, address node, uint64 period, uint64 i, uint64 total) private pure returns (uint64) {
        return uint64(uint256(keccak256(abi.encodePacked(seed, node, period, i))) % total);
    }
}
