// Package contracts is the directory of Tally's contracts: Solidity sources in
// src, their fuzz and invariant tests in test, and the tests in Go beside this
// file, which run them on go-ethereum's simulated backend. The README says what
// each contract promises and what its calls cost.
//
// Generating makes ABI, creation bytecode and Go bindings of the sources, one
// package per contract under chainclient/contract (two EIP-712 contracts in one
// package would clash). They are committed, so building and testing the Go code
// needs no npm; the same sources give the same bytes on every machine.
package contracts

//go:generate npm ci --omit=dev --omit=optional
//go:generate node build.mjs
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --abi ../contract/token/Token.abi --bin ../contract/token/Token.bin --pkg token --type Token --out ../contract/token/token.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --abi ../contract/registry/Registry.abi --bin ../contract/registry/Registry.bin --pkg registry --type Registry --out ../contract/registry/registry.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --abi ../contract/vault/Vault.abi --bin ../contract/vault/Vault.bin --pkg vault --type Vault --out ../contract/vault/vault.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --abi ../contract/ledger/Ledger.abi --bin ../contract/ledger/Ledger.bin --pkg ledger --type Ledger --out ../contract/ledger/ledger.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --abi ../contract/possession/Possession.abi --bin ../contract/possession/Possession.bin --pkg possession --type Possession --out ../contract/possession/possession.go
