// Package contract is the parent of the generated bindings of Tally's contracts, one package per contract (two
// EIP-712 contracts in one package would clash): token, registry, vault and ledger. Each holds the ABI, the creation
// bytecode and the types that abigen (version 2) makes of them.
//
// Everything below this directory except this file is generated from the Solidity sources in chainclient/contracts
// and committed, so that building and testing the Go code needs no npm. To change a contract, change its source and
// run go generate ./chainclient/... ; the same sources give the same bytes on every machine.
package contract

//go:generate npm ci --omit=dev --prefix ../contracts
//go:generate node ../contracts/build.mjs
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --abi token/Token.abi --bin token/Token.bin --pkg token --type Token --out token/token.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --abi registry/Registry.abi --bin registry/Registry.bin --pkg registry --type Registry --out registry/registry.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --abi vault/Vault.abi --bin vault/Vault.bin --pkg vault --type Vault --out vault/vault.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --abi ledger/Ledger.abi --bin ledger/Ledger.bin --pkg ledger --type Ledger --out ledger/ledger.go
