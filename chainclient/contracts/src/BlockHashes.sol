// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Hashes of past blocks
/// @notice The last 256 by BLOCKHASH, the last 8191 from the history contract of EIP-2935.
library BlockHashes {
    /// @notice The history contract: takes a block's number in 32 bytes, gives its hash, reverts out of its range.
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @notice The hash of a block.
    /// @param number The block, before this one.
    /// @return hash Its hash; zero where it cannot be had.
    function hashOf(uint256 number) internal view returns (bytes32 hash) {
        hash = blockhash(number);
        if (hash != 0 || number >= block.number) return hash;
        // It has no functions, only this.
        // solhint-disable-next-line avoid-low-level-calls
        (bool ok, bytes memory out) = HISTORY.staticcall(abi.encode(number));
        if (ok && out.length == 32) hash = bytes32(out);
    }
}
