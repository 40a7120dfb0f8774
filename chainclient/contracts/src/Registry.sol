// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Secp256k1} from "./Secp256k1.sol";

/// @title Who takes part: node key, payout address, classes, weight
/// @notice A node registers under its own hot key and names the cold address that its rewards go to, and what it
/// can do: engine classes and roles such as "exact/dk-1", "pin/1", "audit/1", "post/1", each in 32 bytes.
/// @dev The owner can do one thing, set weights. Every change emits the whole node, so that a watcher needs no call.
/// The EIP-712 domain of adverts, claims and declines is this contract's.
contract Registry is EIP712, Ownable2Step {
    /// @notice A registered node.
    /// @param key Its 33-byte compressed public key; empty when it is not registered.
    /// @param payout Where its rewards go.
    /// @param classes What it can do, at most MAX_CLASSES, each once.
    /// @param weight Its weight in rankings, 1,000,000 for 1.0.
    struct Node {
        bytes key;
        address payout;
        bytes32[] classes;
        uint64 weight;
    }

    /// @notice A worker's offer of service, gossiped.
    /// @param worker The node.
    /// @param engines Engine classes.
    /// @param models CIDs of the models that it holds.
    /// @param capacity Free capacity.
    /// @param priceIn Price of 1,000 tokens in.
    /// @param priceOut Price of 1,000 tokens out.
    /// @param priceTrain Price of a training unit.
    /// @param pricePin Price of a pin unit.
    /// @param since Valid from, unix seconds.
    /// @param until Valid until, unix seconds.
    struct Advert {
        address worker;
        string[] engines;
        bytes[] models;
        uint64 capacity;
        uint256 priceIn;
        uint256 priceOut;
        uint256 priceTrain;
        uint256 pricePin;
        uint64 since;
        uint64 until;
    }

    /// @notice A worker takes an offer.
    /// @param offer Digest of the offer.
    /// @param worker The node.
    /// @param rank Its rank for the offer, 0 the primary.
    /// @param price What it asks.
    /// @param until The claim holds until, unix seconds.
    struct Claim {
        bytes32 offer;
        address worker;
        uint8 rank;
        uint256 price;
        uint64 until;
    }

    /// @notice A worker refuses an offer.
    /// @param offer Digest of the offer.
    /// @param worker The node.
    /// @param reason Why, for people.
    struct Decline {
        bytes32 offer;
        address worker;
        string reason;
    }

    /// @dev A node in storage. `weighted` outlives deregistration, so that a weight cannot be shed by returning.
    struct Entry {
        uint256 x;
        address payout;
        uint64 weight;
        uint8 prefix;
        bool weighted;
        bytes32[] classes;
    }

    /// @notice The weight of a node that the owner never weighed: 1.0.
    uint64 public constant DEFAULT_WEIGHT = 1_000_000;
    /// @notice The largest weight: 10.0.
    uint64 public constant MAX_WEIGHT = 10_000_000;
    /// @notice The most classes that a node may have.
    uint256 public constant MAX_CLASSES = 16;

    bytes32 private constant _ADVERT =
        keccak256(
            "Advert(address worker,string[] engines,bytes[] models,uint64 capacity,uint256 priceIn,uint256 priceOut,uint256 priceTrain,uint256 pricePin,uint64 since,uint64 until)"
        );
    bytes32 private constant _CLAIM =
        keccak256("Claim(bytes32 offer,address worker,uint8 rank,uint256 price,uint64 until)");
    bytes32 private constant _DECLINE = keccak256("Decline(bytes32 offer,address worker,string reason)");

    mapping(address node => Entry entry) private _entries;

    /// @notice A node registered or changed; this is all of it.
    /// @param node The node's address.
    /// @param key Its compressed public key.
    /// @param payout Where its rewards go.
    /// @param classes What it can do.
    /// @param weight Its weight in rankings.
    event NodeRegistered(address indexed node, bytes key, address payout, bytes32[] classes, uint64 weight);
    /// @notice A node left.
    /// @param node The node's address.
    event NodeDeregistered(address indexed node);
    /// @notice An account dates a contribution before its data is shown.
    /// @param account The account.
    /// @param digest Digest of the contribution.
    event ContributionCommitted(address indexed account, bytes32 indexed digest);

    /// @notice The key belongs to another account than the sender.
    /// @param sender Who sent the transaction.
    /// @param owner The account that the key controls.
    error NotKeyOwner(address sender, address owner);
    /// @notice The node is registered already.
    /// @param node The node.
    error AlreadyRegistered(address node);
    /// @notice The node is not registered.
    /// @param node The node.
    error NotRegistered(address node);
    /// @notice The payout address cannot be zero.
    error ZeroPayout();
    /// @notice More than MAX_CLASSES classes.
    /// @param count How many were given.
    error TooManyClasses(uint256 count);
    /// @notice A class is zero.
    /// @param index Where in the list.
    error ZeroClass(uint256 index);
    /// @notice A class is given twice.
    /// @param class The class.
    error DuplicateClass(bytes32 class);
    /// @notice The weight is above MAX_WEIGHT.
    /// @param weight The weight.
    error WeightTooHigh(uint64 weight);

    /// @notice Creates an empty registry; the deployer owns it.
    constructor() EIP712("Tally", "1") Ownable(msg.sender) {}

    /// @notice Registers the sender as a node.
    /// @param pubkey33 Its own compressed public key: proved by deriving the sender's address from it.
    /// @param payout Where its rewards go.
    /// @param classes What it can do.
    function register(bytes calldata pubkey33, address payout, bytes32[] calldata classes) external {
        address owner = Secp256k1.toAddress(pubkey33);
        if (owner != msg.sender) revert NotKeyOwner(msg.sender, owner);
        Entry storage entry = _entries[msg.sender];
        if (entry.prefix != 0) revert AlreadyRegistered(msg.sender);
        entry.prefix = uint8(pubkey33[0]);
        entry.x = uint256(bytes32(pubkey33[1:33]));
        if (!entry.weighted) entry.weight = DEFAULT_WEIGHT;
        _setPayout(entry, payout);
        _setClasses(entry, classes);
        _emit(msg.sender, entry);
    }

    /// @notice Changes where the sender's rewards go.
    /// @param payout The new address.
    function setPayout(address payout) external {
        Entry storage entry = _registered(msg.sender);
        _setPayout(entry, payout);
        _emit(msg.sender, entry);
    }

    /// @notice Changes what the sender can do.
    /// @param classes The new list, whole.
    function setClasses(bytes32[] calldata classes) external {
        Entry storage entry = _registered(msg.sender);
        _setClasses(entry, classes);
        _emit(msg.sender, entry);
    }

    /// @notice Takes the sender out. Its weight is remembered if the owner set one.
    function deregister() external {
        Entry storage entry = _registered(msg.sender);
        entry.prefix = 0;
        entry.x = 0;
        entry.payout = address(0);
        delete entry.classes;
        emit NodeDeregistered(msg.sender);
    }

    /// @notice Dates a contribution: the digest stands with the sender and the block in an event. Anybody may.
    /// @param digest Digest of the contribution.
    function commit(bytes32 digest) external {
        emit ContributionCommitted(msg.sender, digest);
    }

    /// @notice Sets a registered node's weight; owner only.
    /// @param node The node.
    /// @param weight 1,000,000 for 1.0, at most MAX_WEIGHT; zero means never ranked.
    function setWeight(address node, uint64 weight) external onlyOwner {
        Entry storage entry = _registered(node);
        if (weight > MAX_WEIGHT) revert WeightTooHigh(weight);
        entry.weight = weight;
        entry.weighted = true;
        _emit(node, entry);
    }

    /// @notice A node, whole; an empty key when it is not registered.
    /// @param node Its address.
    /// @return The node.
    function nodeOf(address node) external view returns (Node memory) {
        Entry storage entry = _entries[node];
        if (entry.prefix == 0) return Node({key: "", payout: address(0), classes: new bytes32[](0), weight: 0});
        return Node({key: keyOf(node), payout: entry.payout, classes: entry.classes, weight: entry.weight});
    }

    /// @notice Where an account's rewards go: itself when it is no node, since contributors are paid too.
    /// @param account The account.
    /// @return Its payout address.
    function payoutOf(address account) external view returns (address) {
        address payout = _entries[account].payout;
        return payout == address(0) ? account : payout;
    }

    /// @notice The EIP-712 digest of an advert.
    /// @param a The advert.
    /// @return digest What its worker signs.
    function hashAdvert(Advert calldata a) external view returns (bytes32 digest) {
        bytes32[] memory engines = new bytes32[](a.engines.length);
        for (uint256 i = 0; i < engines.length; ++i) engines[i] = keccak256(bytes(a.engines[i]));
        bytes32[] memory models = new bytes32[](a.models.length);
        for (uint256 i = 0; i < models.length; ++i) models[i] = keccak256(a.models[i]);
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(
                        _ADVERT,
                        a.worker,
                        keccak256(abi.encodePacked(engines)),
                        keccak256(abi.encodePacked(models)),
                        a.capacity,
                        a.priceIn,
                        a.priceOut,
                        a.priceTrain,
                        a.pricePin,
                        a.since,
                        a.until
                    )
                )
            );
    }

    /// @notice The EIP-712 digest of a claim.
    /// @param c The claim.
    /// @return digest What its worker signs.
    function hashClaim(Claim calldata c) external view returns (bytes32 digest) {
        return _hashTypedDataV4(keccak256(abi.encode(_CLAIM, c.offer, c.worker, c.rank, c.price, c.until)));
    }

    /// @notice The EIP-712 digest of a decline.
    /// @param d The decline.
    /// @return digest What its worker signs.
    function hashDecline(Decline calldata d) external view returns (bytes32 digest) {
        return _hashTypedDataV4(keccak256(abi.encode(_DECLINE, d.offer, d.worker, keccak256(bytes(d.reason)))));
    }

    /// @notice A node's compressed public key; empty when it is not registered.
    /// @param node Its address.
    /// @return 33 bytes, or none.
    function keyOf(address node) public view returns (bytes memory) {
        Entry storage entry = _entries[node];
        if (entry.prefix == 0) return "";
        return abi.encodePacked(entry.prefix, entry.x);
    }

    function _setPayout(Entry storage entry, address payout) private {
        if (payout == address(0)) revert ZeroPayout();
        entry.payout = payout;
    }

    function _setClasses(Entry storage entry, bytes32[] calldata classes) private {
        if (classes.length > MAX_CLASSES) revert TooManyClasses(classes.length);
        for (uint256 i = 0; i < classes.length; ++i) {
            if (classes[i] == 0) revert ZeroClass(i);
            for (uint256 j = 0; j < i; ++j) {
                if (classes[i] == classes[j]) revert DuplicateClass(classes[i]);
            }
        }
        entry.classes = classes;
    }

    function _emit(address node, Entry storage entry) private {
        emit NodeRegistered(node, keyOf(node), entry.payout, entry.classes, entry.weight);
    }

    function _registered(address node) private view returns (Entry storage entry) {
        entry = _entries[node];
        if (entry.prefix == 0) revert NotRegistered(node);
    }
}
