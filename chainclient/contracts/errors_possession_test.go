package contracts_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/params"

	"tally/chainclient"
	"tally/chainclient/chaintest"
	"tally/chainclient/contract/possession"
	"tally/protocol"
	"tally/protocol/piece"
)

// challenged is a holder of three files, in a period whose leaves are drawn.
func challenged(w *world) (h *holder, period uint64) {
	w.t.Helper()
	h = w.holder(worker)
	h.add(fileOf(w.t, 1, 5000), fileOf(w.t, 2, 1000), fileOf(w.t, 3, 70_001)) // each leaf has a path, and one beside it
	return h, w.begin()
}

// refusedProof fails the test unless the change makes a good proof fail by the named error.
func (h *holder) refusedProof(name string, period uint64, change func([]possession.PossessionProof)) {
	h.w.t.Helper()
	p := h.proofs(period)
	h.w.allowed(h.i, h.w.Book.Possession, pos.PackProve(h.addr(), period, p))
	change(p)
	h.w.refused(name, h.i, h.w.Book.Possession, pos.PackProve(h.addr(), period, p))
}

// retrieved is what the worker says it has at a leaf.
func (w *world) retrieved(f file, leaf uint64, data common.Hash) (possession.PossessionRetrieved, []byte) {
	w.t.Helper()
	m := protocol.Retrieved{Node: w.Account(worker), Asker: w.Account(auditor1), Piece: f.root, Leaf: leaf, Data: data, Time: w.Now()}
	s, err := protocol.Sign(w.Book.Network, w.Keys[worker], m)
	if err != nil {
		w.t.Fatal(err)
	}
	return possession.PossessionRetrieved{Node: m.Node, Asker: m.Asker, Piece: m.Piece, Leaf: m.Leaf, Data: m.Data, Time: m.Time}, s.Signature()
}

func (w *world) demanded(h *holder, auditor int, id, leaf uint64) {
	w.t.Helper()
	w.Do(auditor, &w.Book.Possession, pos.PackDemand(h.addr(), id, leaf))
}

func TestPossessionRefuses(t *testing.T) {
	one := [][32]byte{{1}}
	refusals{
		"BadPeriod": func(w *world) {
			for _, p := range []uint64{0, 1, 8001} {
				w.uncreatable("BadPeriod", &possession.PossessionMetaData, pos.PackConstructor(w.Book.Registry, w.Book.Ledger, p, 1))
			}
			w.create(&possession.PossessionMetaData, pos.PackConstructor(w.Book.Registry, w.Book.Ledger, 2, 1))
			w.create(&possession.PossessionMetaData, pos.PackConstructor(w.Book.Registry, w.Book.Ledger, 8000, 32))
		},
		"BadLeaves": func(w *world) {
			for _, n := range []uint64{0, 33} {
				w.uncreatable("BadLeaves", &possession.PossessionMetaData, pos.PackConstructor(w.Book.Registry, w.Book.Ledger, 2, n))
			}
		},
		"NotNode": func(w *world) {
			w.refused("NotNode", worker, w.Book.Possession, pos.PackAdd(one, []uint64{1}))
			h := w.holder(worker)
			w.allowed(h.i, w.Book.Possession, pos.PackAdd(one, []uint64{1}))
			w.Do(h.i, &w.Book.Registry, reg.PackDeregister())
			w.refused("NotNode", worker, w.Book.Possession, pos.PackAdd(one, []uint64{1}))
		},
		"BadBatch": func(w *world) {
			h := w.holder(worker)
			many := slices.Repeat(one, 65)
			for roots, sizes := range map[int]int{0: 0, 1: 2, 2: 1, 65: 65} {
				w.refused("BadBatch", h.i, w.Book.Possession, pos.PackAdd(many[:roots], slices.Repeat([]uint64{1}, sizes)))
			}
			w.Do(h.i, &w.Book.Possession, pos.PackAdd(many[:64], slices.Repeat([]uint64{1}, 64)))
			w.refused("BadBatch", h.i, w.Book.Possession, pos.PackRemove(nil))
			w.refused("BadBatch", h.i, w.Book.Possession, pos.PackRemove(make([]uint64, 65)))
		},
		"BadPiece": func(w *world) {
			h := w.holder(worker)
			w.refused("BadPiece", h.i, w.Book.Possession, pos.PackAdd(one, []uint64{0}))
			w.refused("BadPiece", h.i, w.Book.Possession, pos.PackAdd(one, []uint64{1<<30 + 1}))
			w.refused("BadPiece", h.i, w.Book.Possession, pos.PackAdd([][32]byte{{1}, {}}, []uint64{1, 1}))
			w.allowed(h.i, w.Book.Possession, pos.PackAdd(one, []uint64{1 << 30}))
			f := fileOf(w.t, 1, 1000)
			r, sig := w.retrieved(f, 0, common.Hash{1})
			p := f.prove(w.t, 0)
			w.refused("BadPiece", stranger, w.Book.Possession, pos.PackAccuse(r, sig, 1<<30+1, p.Leaf, p.Path))
		},
		"UnknownPiece": func(w *world) {
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 1), fileOf(w.t, 2, 1))
			w.refused("UnknownPiece", h.i, w.Book.Possession, pos.PackRemove([]uint64{2}))
			w.refused("UnknownPiece", h.i, w.Book.Possession, pos.PackRemove([]uint64{1<<64 - 1}))
			w.refused("UnknownPiece", h.i, w.Book.Possession, pos.PackRemove([]uint64{0, 0}))
			h.remove(1)
			w.refused("UnknownPiece", h.i, w.Book.Possession, pos.PackRemove([]uint64{1}))
			w.refused("UnknownPiece", auditor1, w.Book.Possession, pos.PackDemand(h.addr(), 1, 0))
			w.refused("UnknownPiece", auditor1, w.Book.Possession, pos.PackDemand(w.Account(stranger), 0, 0))
		},
		"ProveFirst": func(w *world) {
			h, _ := challenged(w)
			w.refused("ProveFirst", h.i, w.Book.Possession, pos.PackRemove([]uint64{0}))
			h.add(fileOf(w.t, 4, 1))
			w.refused("ProveFirst", h.i, w.Book.Possession, pos.PackRemove([]uint64{3}))
			h.prove()
			w.allowed(h.i, w.Book.Possession, pos.PackRemove([]uint64{0, 3}))
			w.begin()
			w.refused("ProveFirst", h.i, w.Book.Possession, pos.PackRemove([]uint64{0}))
		},
		"DemandOpen": func(w *world) {
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 1000))
			w.demanded(h, auditor1, 0, 1)
			w.refused("DemandOpen", h.i, w.Book.Possession, pos.PackRemove([]uint64{0}))
			w.Do(h.i, &w.Book.Possession, pos.PackAnswer(h.proof(0, 1)))
			w.allowed(h.i, w.Book.Possession, pos.PackRemove([]uint64{0}))
		},
		"ForeignProof": func(w *world) {
			// What an honest node sent, sent by another which has the same files.
			h, period := challenged(w)
			data := pos.PackProve(h.addr(), period, h.proofs(period))
			w.allowed(h.i, w.Book.Possession, data)
			w.refused("ForeignProof", stranger, w.Book.Possession, data)
		},
		"StaleProof": func(w *world) {
			h, period := challenged(w)
			data := pos.PackProve(h.addr(), period, h.proofs(period))
			w.begin()
			w.refused("StaleProof", h.i, w.Book.Possession, data)
			w.refused("StaleProof", h.i, w.Book.Possession, pos.PackForfeit(period))
			// Its leaves are no answer to the next period's draws either.
			again := pos.PackProve(h.addr(), period+1, h.proofs(period))
			if _, err := w.Try(h.i, &w.Book.Possession, again); !chainclient.Reverted(err, "WrongPiece") && !chainclient.Reverted(err, "WrongLeaf") {
				w.t.Errorf("got %v", err)
			}
		},
		"EarlyProof": func(w *world) {
			h, period := challenged(w)
			p := h.proofs(period)
			w.refused("EarlyProof", h.i, w.Book.Possession, pos.PackProve(h.addr(), period+1, p))
			w.refused("EarlyProof", h.i, w.Book.Possession, pos.PackProve(h.addr(), 1<<63, p))
			w.refused("EarlyProof", h.i, w.Book.Possession, pos.PackForfeit(period+1))
			w.mine((period+1)*chaintest.ProofPeriod - w.block()) // the challenge block: no seed yet
			w.refused("EarlyProof", h.i, w.Book.Possession, pos.PackProve(h.addr(), period+1, p))
			w.mine(1)
			w.allowed(h.i, w.Book.Possession, pos.PackProve(h.addr(), period+1, h.proofs(period+1)))
		},
		"NothingToProve": func(w *world) {
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 1))
			w.refused("NothingToProve", h.i, w.Book.Possession, pos.PackProve(h.addr(), w.period(), nil))
			w.refused("NothingToProve", h.i, w.Book.Possession, pos.PackForfeit(w.period()))
			w.refused("NothingToProve", stranger, w.Book.Possession, pos.PackChallengeOf(h.addr(), 0))
		},
		"AlreadyProved": func(w *world) {
			h, period := challenged(w)
			data := pos.PackProve(h.addr(), period, h.proofs(period))
			w.Do(h.i, &w.Book.Possession, data)
			w.refused("AlreadyProved", h.i, w.Book.Possession, data) // replayed
			w.refused("AlreadyProved", h.i, w.Book.Possession, pos.PackForfeit(period))
			w.refused("AlreadyProved", h.i, w.Book.Possession, pos.PackChallengeOf(h.addr(), 0))
		},
		"AlreadyForfeited": func(w *world) {
			h, period := challenged(w)
			p := h.proofs(period)
			w.Do(h.i, &w.Book.Possession, pos.PackForfeit(period))
			w.refused("AlreadyForfeited", h.i, w.Book.Possession, pos.PackProve(h.addr(), period, p))
			w.refused("AlreadyForfeited", h.i, w.Book.Possession, pos.PackForfeit(period))
			w.refused("AlreadyForfeited", h.i, w.Book.Possession, pos.PackChallengeOf(h.addr(), 0))
		},
		"SeedUnavailable": func(w *world) {
			code, err := w.CodeAt(w.t.Context(), w.Book.Possession, nil)
			if err != nil {
				w.t.Fatal(err)
			}
			// Past the 256 hashes that the machine has, on a chain without the history contract.
			if err := seedAt(w.t, code, 300, false); !chainclient.Reverted(err, "SeedUnavailable") {
				w.t.Errorf("got %v", err)
			}
			if err := seedAt(w.t, code, 200, false); err != nil {
				w.t.Error(err)
			}
			// With it, but past the 8191 that it has.
			if err := seedAt(w.t, code, 9000, true); !chainclient.Reverted(err, "SeedUnavailable") {
				w.t.Errorf("got %v", err)
			}
		},
		"WrongCount": func(w *world) {
			h, period := challenged(w)
			p := h.proofs(period)
			w.refused("WrongCount", h.i, w.Book.Possession, pos.PackProve(h.addr(), period, p[:4]))
			w.refused("WrongCount", h.i, w.Book.Possession, pos.PackProve(h.addr(), period, append(p, p[0])))
			w.refused("WrongCount", h.i, w.Book.Possession, pos.PackProve(h.addr(), period, nil))
		},
		"WrongPiece": func(w *world) {
			h, period := challenged(w)
			for _, other := range []uint64{1, 2, 3} {
				h.refusedProof("WrongPiece", period, func(p []possession.PossessionProof) { p[4].Id = (p[4].Id + other) % 4 })
			}
			h.refusedProof("WrongPiece", period, func(p []possession.PossessionProof) { p[0].Id = 1<<64 - 1 })
		},
		"WrongLeaf": func(w *world) {
			h, period := challenged(w)
			h.refusedProof("WrongLeaf", period, func(p []possession.PossessionProof) { p[0].Leaf ^= 1 })
			h.refusedProof("WrongLeaf", period, func(p []possession.PossessionProof) { p[3].Leaf = 1<<64 - 1 })
			// A sound proof, of a leaf that was not drawn.
			h.refusedProof("WrongLeaf", period, func(p []possession.PossessionProof) {
				p[2] = h.proof(p[2].Id, (p[2].Leaf+1)%piece.Leaves(h.files[p[2].Id].size))
			})
		},
		"WrongRoot": func(w *world) {
			h, period := challenged(w)
			h.refusedProof("WrongRoot", period, func(p []possession.PossessionProof) { p[0].Data[0] ^= 1 })
			h.refusedProof("WrongRoot", period, func(p []possession.PossessionProof) { p[1].Path[0][31] ^= 1 })
			h.refusedProof("WrongRoot", period, func(p []possession.PossessionProof) { p[4].Path[len(p[4].Path)-1][0] ^= 1 })
			w.demanded(h, auditor1, 0, 1)
			a := h.proof(0, 1)
			a.Data[7] ^= 1
			w.refused("WrongRoot", h.i, w.Book.Possession, pos.PackAnswer(a))
			f := fileOf(w.t, 1, 1000)
			r, sig := w.retrieved(f, 1, common.Hash{1})
			p := f.prove(w.t, 1)
			w.refused("WrongRoot", stranger, w.Book.Possession, pos.PackAccuse(r, sig, 999, p.Leaf, p.Path)) // the size is bound
			p.Path[0][0] ^= 1
			w.refused("WrongRoot", stranger, w.Book.Possession, pos.PackAccuse(r, sig, 1000, p.Leaf, p.Path))
		},
		"BadLeafSize": func(w *world) {
			h, period := challenged(w)
			h.refusedProof("BadLeafSize", period, func(p []possession.PossessionProof) { p[0].Data = p[0].Data[:255] })
			h.refusedProof("BadLeafSize", period, func(p []possession.PossessionProof) { p[0].Data = append(p[0].Data, 0) })
			h.refusedProof("BadLeafSize", period, func(p []possession.PossessionProof) { p[0].Data = nil })
		},
		"BadPathLength": func(w *world) {
			h, period := challenged(w)
			h.refusedProof("BadPathLength", period, func(p []possession.PossessionProof) { p[0].Path = append(p[0].Path, [32]byte{}) })
			h.refusedProof("BadPathLength", period, func(p []possession.PossessionProof) { p[1].Path = p[1].Path[:len(p[1].Path)-1] })
		},
		"BadPadding": func(w *world) {
			// Every leaf is a piece's last: 100 bytes, and 156 that must be zero.
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 100))
			period := w.begin()
			for _, at := range []int{100, 127, 128, 255} {
				h.refusedProof("BadPadding", period, func(p []possession.PossessionProof) { p[0].Data[at] = 1 })
			}
			h.refusedProof("WrongRoot", period, func(p []possession.PossessionProof) { p[0].Data[99] ^= 1 })
		},
		"LeafOutOfRange": func(w *world) {
			h := w.holder(worker)
			f := fileOf(w.t, 1, 1000)
			h.add(f)
			w.refused("LeafOutOfRange", auditor1, w.Book.Possession, pos.PackDemand(h.addr(), 0, 4))
			w.allowed(auditor1, w.Book.Possession, pos.PackDemand(h.addr(), 0, 3))
			w.refused("LeafOutOfRange", stranger, w.Book.Possession, pos.PackFind(h.addr(), 4))
			r, sig := w.retrieved(f, 4, common.Hash{1})
			p := f.prove(w.t, 3)
			w.refused("LeafOutOfRange", stranger, w.Book.Possession, pos.PackAccuse(r, sig, 1000, p.Leaf, p.Path))
		},
		"NoDraw": func(w *world) {
			h, _ := challenged(w)
			w.refused("NoDraw", stranger, w.Book.Possession, pos.PackChallengeOf(h.addr(), chaintest.ProofLeaves))
		},
		"Forgotten": func(w *world) {
			h, period := challenged(w)
			h.prove()
			proven := func(p uint64) []byte { return pos.PackProven(h.addr(), p) }
			for range 63 {
				w.begin()
			}
			if !get(w, w.Book.Possession, proven(period), pos.UnpackProven) {
				w.t.Error("a period proved 63 periods ago is forgotten")
			}
			w.begin()
			w.refused("Forgotten", stranger, w.Book.Possession, proven(period))
			if get(w, w.Book.Possession, proven(period+1), pos.UnpackProven) {
				w.t.Error("a period is proved that was not")
			}
		},
		"NotAuditor": func(w *world) {
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 1000))
			w.refused("NotAuditor", stranger, w.Book.Possession, pos.PackDemand(h.addr(), 0, 0))
		},
		"AlreadyDemanded": func(w *world) {
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 1000))
			w.demanded(h, auditor1, 0, 0)
			w.refused("AlreadyDemanded", auditor1, w.Book.Possession, pos.PackDemand(h.addr(), 0, 1))
			w.allowed(auditor2, w.Book.Possession, pos.PackDemand(h.addr(), 0, 1))
		},
		"TooManyDemands": func(w *world) {
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 1000))
			for _, i := range []int{payer, poster, stranger} {
				w.Do(owner, &w.Book.Ledger, led.PackSetAuditor(w.Account(i), true))
			}
			for _, i := range []int{payer, poster, auditor1, auditor2} {
				w.demanded(h, i, 0, 2)
			}
			w.refused("TooManyDemands", stranger, w.Book.Possession, pos.PackDemand(h.addr(), 0, 0))
			w.mine(chaintest.ProofPeriod + 1)
			w.allowed(stranger, w.Book.Possession, pos.PackDemand(h.addr(), 0, 0)) // the others are over
		},
		"NoDemand": func(w *world) {
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 1000))
			w.refused("NoDemand", h.i, w.Book.Possession, pos.PackAnswer(h.proof(0, 0)))
			w.refused("NoDemand", stranger, w.Book.Possession, pos.PackExpire(h.addr(), w.Account(auditor1)))
			w.demanded(h, auditor1, 0, 1)
			w.refused("NoDemand", h.i, w.Book.Possession, pos.PackAnswer(h.proof(0, 0)))
			w.refused("NoDemand", stranger, w.Book.Possession, pos.PackAnswer(h.proof(0, 1)))
			w.refused("NoDemand", stranger, w.Book.Possession, pos.PackExpire(h.addr(), w.Account(auditor2)))
		},
		"AnswerLate": func(w *world) {
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 1000))
			w.demanded(h, auditor1, 0, 1)
			w.mine(chaintest.ProofPeriod)
			w.allowed(h.i, w.Book.Possession, pos.PackAnswer(h.proof(0, 1)))
			w.mine(1)
			w.refused("AnswerLate", h.i, w.Book.Possession, pos.PackAnswer(h.proof(0, 1)))
		},
		"DemandNotOver": func(w *world) {
			h := w.holder(worker)
			h.add(fileOf(w.t, 1, 1000))
			w.demanded(h, auditor1, 0, 1)
			w.mine(chaintest.ProofPeriod)
			w.refused("DemandNotOver", stranger, w.Book.Possession, pos.PackExpire(h.addr(), w.Account(auditor1)))
			w.mine(1)
			w.allowed(stranger, w.Book.Possession, pos.PackExpire(h.addr(), w.Account(auditor1)))
		},
		"WrongSigner": func(w *world) {
			f := fileOf(w.t, 1, 1000)
			p := f.prove(w.t, 1)
			r, sig := w.retrieved(f, 1, common.Hash{1})
			w.allowed(stranger, w.Book.Possession, pos.PackAccuse(r, sig, 1000, p.Leaf, p.Path))
			other := r
			other.Node = w.Account(stranger)
			w.refused("WrongSigner", stranger, w.Book.Possession, pos.PackAccuse(other, sig, 1000, p.Leaf, p.Path))
			other = r
			other.Data[0]++ // another word than it signed
			w.refused("WrongSigner", stranger, w.Book.Possession, pos.PackAccuse(other, sig, 1000, p.Leaf, p.Path))
			w.refused("ECDSAInvalidSignatureLength", stranger, w.Book.Possession, pos.PackAccuse(r, sig[:64], 1000, p.Leaf, p.Path))
			high := bytes.Clone(sig)
			s := new(big.Int).Sub(order, new(big.Int).SetBytes(sig[32:64]))
			copy(high[32:64], common.LeftPadBytes(s.Bytes(), 32))
			high[64] ^= 27 ^ 28
			w.refused("ECDSAInvalidSignatureS", stranger, w.Book.Possession, pos.PackAccuse(r, high, 1000, p.Leaf, p.Path))
		},
		"DataRight": func(w *world) {
			f := fileOf(w.t, 1, 1000)
			p := f.prove(w.t, 3)
			r, sig := w.retrieved(f, 3, leafHash(p.Leaf))
			w.refused("DataRight", stranger, w.Book.Possession, pos.PackAccuse(r, sig, 1000, p.Leaf, p.Path))
		},
		"AlreadyAccused": func(w *world) {
			f := fileOf(w.t, 1, 1000)
			p := f.prove(w.t, 1)
			r, sig := w.retrieved(f, 1, common.Hash{1})
			w.Do(stranger, &w.Book.Possession, pos.PackAccuse(r, sig, 1000, p.Leaf, p.Path))
			w.refused("AlreadyAccused", stranger, w.Book.Possession, pos.PackAccuse(r, sig, 1000, p.Leaf, p.Path))
			r, sig = w.retrieved(f, 1, common.Hash{2}) // signed anew
			w.refused("AlreadyAccused", stranger, w.Book.Possession, pos.PackAccuse(r, sig, 1000, p.Leaf, p.Path))
			r, sig = w.retrieved(f, 2, common.Hash{2})
			p = f.prove(w.t, 2)
			w.allowed(stranger, w.Book.Possession, pos.PackAccuse(r, sig, 1000, p.Leaf, p.Path))
		},
	}.run(t, &possession.PossessionMetaData)
}

// order is secp256k1's.
var order, _ = new(big.Int).SetString("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141", 16)

// seedAt asks for the seed of period 0 at a block, with the history contract or
// without; it holds nothing either way.
func seedAt(t *testing.T, code []byte, block int64, history bool) error {
	t.Helper()
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		t.Fatal(err)
	}
	at := common.Address{19: 0xaa}
	db.SetCode(at, code, tracing.CodeChangeUnspecified)
	if history {
		db.SetCode(params.HistoryStorageAddress, params.HistoryStorageCode, tracing.CodeChangeUnspecified)
	}
	rules := *params.AllDevChainProtocolChanges
	rules.BogotaTime = nil
	out, _, err := runtime.Call(at, pos.PackSeedOf(0), &runtime.Config{ChainConfig: &rules, State: db, BlockNumber: big.NewInt(block), Random: new(common.Hash)})
	if errors.Is(err, vm.ErrExecutionReverted) {
		return chainclient.Explain(reverted(out))
	}
	return err
}

// reverted is how an endpoint says what a call reverted with.
type reverted []byte

func (reverted) Error() string    { return "execution reverted" }
func (r reverted) ErrorData() any { return common.Bytes2Hex(r) }

// leafHash is SHA-256 of 0x00 ‖ the leaf.
func leafHash(leaf []byte) common.Hash { return sha256.Sum256(append([]byte{0}, leaf...)) }
