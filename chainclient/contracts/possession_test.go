package contracts_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"tally/chainclient"
	"tally/chainclient/chaintest"
	"tally/chainclient/contract/possession"
	"tally/protocol"
	"tally/protocol/piece"
)

// said are the facts in a receipt.
func (w *world) said(r *types.Receipt) (facts []any) {
	w.t.Helper()
	for _, l := range r.Logs {
		f, ok, err := w.Book.Decode(*l)
		if err != nil {
			w.t.Fatal(err)
		}
		if ok {
			facts = append(facts, f.Event)
		}
	}
	return facts
}

// says fails the test unless the transaction states these facts and no others.
func (w *world) says(r *types.Receipt, want ...any) {
	w.t.Helper()
	if got := w.said(r); !reflect.DeepEqual(got, want) {
		w.t.Errorf("it says\n%+v, want\n%+v", got, want)
	}
}

func TestANodeProvesWhatWasInItsSetWhenThePeriodBegan(t *testing.T) {
	w := newWorld(t)
	h := w.holder(worker)
	me := h.addr()
	a, b, c := fileOf(t, 1, 5000), fileOf(t, 2, 100), fileOf(t, 3, 70_001)
	w.says(h.add(a, b),
		protocol.PieceAdded{Node: me, ID: 0, Root: a.root, Size: 5000},
		protocol.PieceAdded{Node: me, ID: 1, Root: b.root, Size: 100})
	if s := h.set(); s.Leaves != 21 || s.Pieces != 2 || s.Next != 2 || s.Challenged != 0 {
		t.Errorf("set is %+v", s)
	}
	first := w.begin()
	h.add(c) // counts from the next period on
	if s := h.set(); s.Leaves != 21+274 || s.Challenged != 21 || s.Outcome != protocol.ChallengeOpen || s.Period != first {
		t.Errorf("set is %+v", s)
	}
	w.says(h.prove(), protocol.PossessionProved{Node: me, Period: first, Leaves: 21})
	if s := h.set(); s.Proved != 1 || s.Outcome != protocol.ChallengeProved || s.Running != 0 {
		t.Errorf("set is %+v", s)
	}
	w.says(h.remove(1), protocol.PieceRemoved{Node: me, ID: 1})
	second := w.begin()
	if s := h.set(); s.Challenged != 20+274 || s.Missed != 0 {
		t.Errorf("set is %+v", s)
	}
	w.says(h.prove(), protocol.PossessionProved{Node: me, Period: second, Leaves: 294})
	for p, want := range map[uint64]bool{first - 1: false, first: true, second: true, second + 1: false} {
		if got := get(w, w.Book.Possession, pos.PackProven(me, p), pos.UnpackProven); got != want {
			t.Errorf("proven(%d) is %v", p, got)
		}
	}
	d := fileOf(t, 4, 1)
	w.says(h.add(d), protocol.PieceAdded{Node: me, ID: 3, Root: d.root, Size: 1}) // an id is not used again
}

func TestWhatWasMissedIsRecordedAtTheNextTouch(t *testing.T) {
	w := newWorld(t)
	h := w.holder(worker)
	me := h.addr()
	h.add(fileOf(t, 1, 5000), fileOf(t, 2, 5000))
	first := w.begin()
	h.prove()
	w.begin()
	w.begin()
	fourth := w.begin()
	if s := h.set(); s.Missed != 2 || s.Running != 2 || s.Proved != 1 || s.Period != fourth {
		t.Errorf("a view does not count what nobody recorded: %+v", s)
	}
	w.says(w.Do(stranger, &w.Book.Possession, pos.PackPoke(me)), protocol.PeriodsMissed{Node: me, From: first + 1, To: first + 2})
	w.says(w.Do(stranger, &w.Book.Possession, pos.PackPoke(me)))
	w.begin()
	w.says(w.Do(stranger, &w.Book.Possession, pos.PackPoke(me)), protocol.PeriodsMissed{Node: me, From: fourth, To: fourth})
	if s := h.set(); s.Missed != 3 || s.Running != 3 {
		t.Errorf("set is %+v", s)
	}
	w.says(h.prove(), protocol.PossessionProved{Node: me, Period: fourth + 1, Leaves: 40})
	if s := h.set(); s.Missed != 3 || s.Running != 0 || s.Proved != 2 {
		t.Errorf("set is %+v", s)
	}

	// A period given up is missed at once, and not again; what was lost can go.
	sixth := w.begin()
	w.says(w.Do(h.i, &w.Book.Possession, pos.PackForfeit(sixth)), protocol.PeriodsMissed{Node: me, From: sixth, To: sixth})
	h.remove(0)
	w.begin()
	w.says(h.prove(), protocol.PossessionProved{Node: me, Period: sixth + 1, Leaves: 20})
	if s := h.set(); s.Missed != 4 || s.Proved != 3 || s.Running != 0 {
		t.Errorf("set is %+v", s)
	}

	// An empty set has nothing to miss.
	h.remove(1)
	w.begin()
	last := w.begin()
	w.says(h.add(fileOf(t, 3, 1)), protocol.PieceAdded{Node: me, ID: 2, Root: h.files[2].root, Size: 1})
	if s := h.set(); s.Missed != 4 || s.Challenged != 0 || s.Period != last {
		t.Errorf("set is %+v", s)
	}
	// The period it was added in asks for nothing, the next for all.
	w.begin()
	w.begin()
	w.says(w.Do(stranger, &w.Book.Possession, pos.PackPoke(me)), protocol.PeriodsMissed{Node: me, From: last + 1, To: last + 1})
}

func TestAProofIsGoodForOneNodeOnly(t *testing.T) {
	w := newWorld(t)
	f := fileOf(t, 1, 1<<20)
	h, other := w.holder(worker), w.holder(stranger)
	h.add(f)
	other.add(f)
	p := w.begin()
	w.refused("WrongLeaf", other.i, w.Book.Possession, pos.PackProve(other.addr(), p, h.proofs(p)))
	w.allowed(other.i, w.Book.Possession, pos.PackProve(other.addr(), p, other.proofs(p)))
}

func TestALargeSetIsRemovedInSteps(t *testing.T) {
	w := newWorld(t)
	h := w.holder(worker)
	files := make([]file, 64)
	for i := range files {
		files[i] = fileOf(t, uint64(i), 300)
	}
	h.add(files...)
	h.add(files...)
	h.add(files...)
	w.begin()
	h.prove()
	ids := make([]uint64, 0, 192)
	for id := range uint64(192) {
		ids = append(ids, id)
	}
	for some := range slices.Chunk(ids, 64) {
		h.remove(some...)
	}
	if s := h.set(); s.Leaves != 0 || s.Pieces != 0 || s.Next != 192 {
		t.Errorf("set is %+v", s)
	}
	w.begin()
	if s := h.set(); s.Challenged != 0 || s.Missed != 0 {
		t.Errorf("set is %+v", s)
	}
}

// The draws of the contract and of package protocol, on sets that pieces joined
// and left in any order.
func TestGoAndSolidityDrawTheSameLeaves(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(3, 4))
	h := w.holder(worker)
	for range 6 {
		files := make([]file, 1+r.IntN(20))
		for i := range files {
			files[i] = fileOf(t, r.Uint64(), 1+r.Uint64N(10_000))
		}
		h.add(files...)
		period := w.begin()
		s := h.set()
		seed := w.seed(period)
		if onChain := get(w, w.Book.Possession, pos.PackSeedOf(period), pos.UnpackSeedOf); onChain != seed {
			t.Fatalf("seed of period %d is %x on chain, %s in the headers", period, onChain, seed)
		}
		for i := range uint64(chaintest.ProofLeaves) {
			p, leaf, err := protocol.FindLeaf(h.held, protocol.DrawLeaf(seed, h.addr(), period, i, s.Challenged))
			if err != nil {
				t.Fatal(err)
			}
			got := get(w, w.Book.Possession, pos.PackChallengeOf(h.addr(), i), pos.UnpackChallengeOf)
			if got.Period != period || got.Id != p.ID || got.Leaf != leaf {
				t.Errorf("draw %d is %+v on chain, piece %d leaf %d in Go", i, got, p.ID, leaf)
			}
		}
		for range 20 {
			n := r.Uint64N(s.Leaves)
			p, leaf, err := protocol.FindLeaf(h.held, n)
			if err != nil {
				t.Fatal(err)
			}
			if got := get(w, w.Book.Possession, pos.PackFind(h.addr(), n), pos.UnpackFind); got.Id != p.ID || got.Leaf != leaf {
				t.Errorf("leaf %d is %+v on chain, piece %d leaf %d in Go", n, got, p.ID, leaf)
			}
			if before := get(w, w.Book.Possession, pos.PackLeavesBefore(h.addr(), p.ID), pos.UnpackLeavesBefore); before != n-leaf {
				t.Errorf("%d leaves before piece %d on chain, %d in Go", before, p.ID, n-leaf)
			}
		}
		h.prove()
		var gone []uint64
		for _, p := range h.held[:len(h.held)-1] {
			if r.IntN(3) == 0 {
				gone = append(gone, p.ID)
			}
		}
		if len(gone) > 0 {
			h.remove(gone...)
		}
	}
}

// The proofs on file in package piece are answers to demands.
func TestSolidityTakesThePieceVectors(t *testing.T) {
	data, err := os.ReadFile("../../protocol/piece/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Length uint64
		Root   string
		Index  uint64
		Path   []string
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	h := w.holder(worker)
	taken := 0
	for _, v := range vectors {
		if v.Length == 0 {
			continue // no piece
		}
		root, leaf := common.HexToHash(v.Root), make([]byte, piece.LeafSize)
		for i := range leaf {
			if n := int(v.Index)*piece.LeafSize + i; n < int(v.Length) {
				leaf[i] = byte(n*7 + n/256) // as the vectors' bytes are made
			}
		}
		w.Do(h.i, &w.Book.Possession, pos.PackAdd([][32]byte{root}, []uint64{v.Length}))
		w.demanded(h, auditor1, h.next, v.Index)
		var path [][32]byte
		for _, p := range v.Path {
			path = append(path, common.HexToHash(p))
		}
		w.says(w.Do(h.i, &w.Book.Possession, pos.PackAnswer(possession.PossessionProof{Id: h.next, Leaf: v.Index, Data: leaf, Path: path})),
			protocol.RetrievalAnswered{Node: h.addr(), ID: h.next, Leaf: v.Index})
		h.next++
		taken++
	}
	if taken < 10 {
		t.Errorf("%d vectors", taken)
	}
}

func TestADemandIsAnsweredOrMissed(t *testing.T) {
	w := newWorld(t)
	h := w.holder(worker)
	me := h.addr()
	h.add(fileOf(t, 1, 5000), fileOf(t, 2, 5000))
	ask := func(i int, id, leaf uint64) *types.Receipt {
		return w.Do(i, &w.Book.Possession, pos.PackDemand(me, id, leaf))
	}
	r := ask(auditor1, 1, 7)
	by := r.BlockNumber.Uint64() + chaintest.ProofPeriod
	w.says(r, protocol.RetrievalDemanded{Node: me, Auditor: w.Account(auditor1), ID: 1, Leaf: 7, By: by})
	ask(auditor2, 1, 7)
	if d := get(w, w.Book.Possession, pos.PackDemandsOf(me), pos.UnpackDemandsOf); len(d) != 2 || d[0].Auditor != w.Account(auditor1) || d[0].By != by {
		t.Errorf("demands are %+v", d)
	}
	// One answer is for both.
	w.says(w.Do(h.i, &w.Book.Possession, pos.PackAnswer(h.proof(1, 7))), protocol.RetrievalAnswered{Node: me, ID: 1, Leaf: 7})
	if d := get(w, w.Book.Possession, pos.PackDemandsOf(me), pos.UnpackDemandsOf); len(d) != 0 {
		t.Errorf("demands are %+v", d)
	}

	// What is over is missed by anybody's word, once: by expire, poke, demand or remove.
	missed := func(i int) any {
		return protocol.RetrievalMissed{Node: me, Auditor: w.Account(i), ID: 0, Leaf: 3}
	}
	ask(auditor1, 0, 3)
	ask(auditor2, 0, 3)
	w.mine(chaintest.ProofPeriod)
	w.says(w.Do(stranger, &w.Book.Possession, pos.PackExpire(me, w.Account(auditor1))), missed(auditor1))
	w.refused("NoDemand", stranger, w.Book.Possession, pos.PackExpire(me, w.Account(auditor1)))
	if got := w.said(ask(auditor1, 1, 1)); len(got) != 2 || got[0] != missed(auditor2) {
		t.Errorf("it says %+v", got)
	}
	w.Do(h.i, &w.Book.Possession, pos.PackAnswer(h.proof(1, 1)))
	ask(auditor1, 0, 3)
	w.mine(chaintest.ProofPeriod)
	if got := w.said(w.Do(stranger, &w.Book.Possession, pos.PackPoke(me))); len(got) == 0 || got[len(got)-1] != missed(auditor1) {
		t.Errorf("it says %+v", got)
	}
	w.begin()
	h.prove()
	ask(auditor1, 0, 3)
	w.mine(chaintest.ProofPeriod)
	if w.block()%chaintest.ProofPeriod == 0 {
		w.mine(1)
	}
	h.prove()
	// The piece went, but not what was asked for before.
	if got := w.said(h.remove(0)); len(got) != 2 || got[0] != missed(auditor1) {
		t.Errorf("it says %+v", got)
	}
}

func TestASignedLeafThatIsWrongConvictsItsHolder(t *testing.T) {
	w := newWorld(t)
	f := fileOf(t, 1, 1000)
	right := f.prove(t, 3)
	said := func(data common.Hash) protocol.Signed[protocol.Retrieved] {
		m := protocol.Retrieved{Node: w.Account(worker), Asker: w.Account(auditor1), Piece: f.root, Leaf: 3, Data: data, Time: w.Now()}
		s, err := protocol.Sign(w.Book.Network, w.Keys[worker], m)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	c := w.As(stranger)
	if _, err := c.Accuse(t.Context(), said(leafHash(right.Leaf)), f.size, right); !chainclient.Reverted(err, "DataRight") {
		t.Errorf("an honest holder is accused: %v", err)
	}
	h, err := c.Accuse(t.Context(), said(leafHash(bytes.Repeat([]byte{0}, 256))), f.size, right)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Wait(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	w.says(r, protocol.DataWrong{Node: w.Account(worker), Piece: f.root, Leaf: 3})
	for leaf, want := range map[uint64]bool{3: true, 2: false} {
		if got, err := c.Accused(t.Context(), w.Account(worker), f.root, leaf); err != nil || got != want {
			t.Errorf("leaf %d: %v, %v", leaf, got, err)
		}
	}
	if _, err := c.Accuse(t.Context(), said(common.Hash{9}), f.size, right); !chainclient.Reverted(err, "AlreadyAccused") {
		t.Errorf("got %v", err)
	}
}

// Beyond the 256 hashes that the machine has, the seed comes from the history
// contract, and a proof with it is as good.
func TestALongPeriodIsProvedFromTheHistoryOfHashes(t *testing.T) {
	w := newWorld(t)
	const period = 300
	w.Book.Possession = w.create(&possession.PossessionMetaData, pos.PackConstructor(w.Book.Registry, w.Book.Ledger, period, 5))
	w.Book.Params.ProofPeriod = period
	h := w.holder(worker)
	h.add(fileOf(t, 1, 50_000))
	w.mine(2*period - 2 - w.block()) // the last chance: the transaction is in block 599, the seed of block 300
	w.says(h.prove(), protocol.PossessionProved{Node: h.addr(), Period: 1, Leaves: 196})
}

func TestACommitmentStandsWithItsAccountAndBlock(t *testing.T) {
	w := newWorld(t)
	digest := common.Hash(sha256.Sum256([]byte("a contribution and its salt")))
	w.says(w.Do(stranger, &w.Book.Registry, reg.PackCommit(digest)), protocol.ContributionCommitted{Account: w.Account(stranger), Digest: digest})
}
