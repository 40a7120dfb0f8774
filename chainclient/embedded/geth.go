package embedded

import (
	"context"
	"log/slog"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	gethlog "github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
)

// gasLimit is a block's, as on Ethereum mainnet at Osaka.
const gasLimit = 60_000_000

func nodeConfig(cfg Config, log gethlog.Logger) *node.Config {
	nc := node.DefaultConfig
	nc.Name = "evm" // the directory inside DataDir
	nc.DataDir = cfg.DataDir
	nc.IPCPath = ""
	nc.UseLightweightKDF = true
	nc.Logger = log
	nc.P2P = p2p.Config{NoDiscovery: true, NoDial: true}
	nc.HTTPHost, nc.HTTPPort = "127.0.0.1", cfg.Port
	nc.WSHost, nc.WSPort = "127.0.0.1", cfg.Port
	nc.HTTPModules = []string{"eth", "net", "web3"}
	nc.WSModules = nc.HTTPModules
	// No other site's page may use the port through a browser: the host check
	// stops DNS rebinding, and no origin is allowed.
	nc.HTTPVirtualHosts = []string{"localhost"}
	nc.HTTPCors, nc.WSOrigins = nil, nil
	return &nc
}

func ethConfig(chainID uint64, alloc map[common.Address]*big.Int) *ethconfig.Config {
	cc := *params.AllDevChainProtocolChanges
	cc.ChainID = new(big.Int).SetUint64(chainID)
	cc.BogotaTime = nil // unreleased repricing: stay with Osaka
	accounts := core.SystemContractAllocs()
	// Without a consensus layer the beacon roots (EIP-4788) are all zero, and
	// writing them would cost 2 kB of disk a block. The block hashes of
	// EIP-2935 are true and stay.
	delete(accounts, params.BeaconRootsAddress)
	for a, v := range alloc {
		accounts[a] = types.Account{Balance: v}
	}
	ec := ethconfig.Defaults
	ec.NetworkId = chainID
	ec.Genesis = &core.Genesis{
		Config: &cc, GasLimit: gasLimit, Difficulty: new(big.Int),
		BaseFee: big.NewInt(params.InitialBaseFee), Alloc: accounts,
	}
	ec.SyncMode = ethconfig.FullSync
	// Archive mode on the hash scheme writes every state in its block's batch;
	// all else keeps state in memory until a clean shutdown.
	ec.NoPruning, ec.StateScheme = true, rawdb.HashScheme
	ec.TransactionHistory = 0 // all of it
	ec.LogNoHistory = true    // log searches read the blocks' blooms: no index to rebuild after a crash
	ec.Miner.GasCeil = gasLimit
	ec.Miner.GasPrice = big.NewInt(1)
	ec.Miner.Recommit = 100 * time.Millisecond
	ec.TxPool.NoLocals, ec.TxPool.Journal = true, ""
	ec.TxPool.PriceLimit = 1
	// One local key may have thousands in flight.
	ec.TxPool.AccountSlots, ec.TxPool.GlobalSlots = 4096, 16384
	ec.TxPool.AccountQueue, ec.TxPool.GlobalQueue = 4096, 16384
	// The defaults want more than 4 GB.
	ec.DatabaseCache, ec.TrieCleanCache, ec.TrieDirtyCache, ec.SnapshotCache = 16, 16, 16, 0
	ec.DatabaseHandles = 64
	ec.RPCTxFeeCap = 0 // no opinion on fees
	return &ec
}

// quiet is a go-ethereum logger of a type of its own: given one of its own
// loggers, gethlog.SetDefault would replace slog's default as well.
type quiet struct{ gethlog.Logger }

func quietLog(to *slog.Logger) gethlog.Logger {
	return quiet{gethlog.NewLogger(fatalOnly{to.Handler()})}
}

// fatalOnly passes go-ethereum's fatal errors on, after which it ends the
// process, and drops the rest.
type fatalOnly struct{ h slog.Handler }

func (f fatalOnly) Enabled(_ context.Context, l slog.Level) bool { return l >= gethlog.LevelCrit }

func (f fatalOnly) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelError
	return f.h.Handle(ctx, r)
}

func (f fatalOnly) WithAttrs(a []slog.Attr) slog.Handler { return fatalOnly{f.h.WithAttrs(a)} }
func (f fatalOnly) WithGroup(n string) slog.Handler      { return fatalOnly{f.h.WithGroup(n)} }
