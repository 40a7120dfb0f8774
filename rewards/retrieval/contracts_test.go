package retrieval_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient/chaintest"
	"tally/protocol"
	"tally/protocol/piece"
	"tally/rewards/journal"
	"tally/rewards/retrieval"
	"tally/rewards/ruleset"
)

// contracts is a checker's chain over the real contracts.
type contracts struct{ *chaintest.Chain }

func (c contracts) Now(context.Context) (uint64, error) { return c.Chain.Now(), nil }

func (c contracts) Facts(ctx context.Context) ([]protocol.Fact, error) {
	logs, err := c.FilterLogs(ctx, ethereum.FilterQuery{Addresses: c.Book.Contracts()})
	if err != nil {
		return nil, err
	}
	var out []protocol.Fact
	for _, l := range logs {
		f, ok, err := c.Book.Decode(l)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		h, err := c.HeaderByHash(ctx, l.BlockHash)
		if err != nil {
			return nil, err
		}
		f.Time = h.Time
		out = append(out, f)
	}
	return out, nil
}

func (c contracts) BlockAfter(ctx context.Context, t uint64) (uint64, common.Hash, error) {
	head, err := c.BlockNumber(ctx)
	for n := uint64(0); err == nil && n <= head; n++ {
		b, err := c.BlockByNumber(ctx, protocol.NewAmount(n).Big())
		if err != nil {
			return 0, common.Hash{}, err
		}
		if b.Time() > t {
			return n, b.Hash(), nil
		}
	}
	return 0, common.Hash{}, errors.Join(err, errors.New("no block yet"))
}

// answers asks holders that live in the test.
type answers func(node common.Address, leaf uint64) (retrieval.Answer, error)

func (f answers) Ask(_ context.Context, node common.Address, _ common.Hash, leaf uint64) (retrieval.Answer, error) {
	return f(node, leaf)
}

type nobody struct{}

func (nobody) SendReport(context.Context, protocol.Signed[protocol.RetrievalReport]) error {
	return nil
}

func TestTheContractTakesDemandsAndAccusations(t *testing.T) {
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const liar, mute, honest, auditor = 1, 2, 3, 4
	sim := chaintest.New(t, 5, auditor)
	chain, n := contracts{sim}, sim.Book.Network
	file := bytes.Repeat([]byte("shard"), 333) // its last leaf is padded
	root, size, err := piece.Sum(bytes.NewReader(file))
	ok(err)
	for _, i := range []int{liar, mute, honest, auditor} {
		class := ruleset.ClassPin
		if i == auditor {
			class = ruleset.ClassAudit
		}
		_, err := sim.As(i).Register(ctx, crypto.CompressPubkey(&sim.Keys[i].PublicKey), sim.Account(i), []string{class})
		ok(err)
		if i != auditor {
			_, err = sim.As(i).AddPieces(ctx, []common.Hash{root}, []uint64{size})
			ok(err)
		}
	}
	sim.AdvanceTo(sim.Book.Params.CommitBy(0) + 1)

	ask := answers(func(node common.Address, leaf uint64) (retrieval.Answer, error) {
		if node == sim.Account(mute) {
			return retrieval.Answer{}, errors.New("no route")
		}
		key, of := sim.Keys[honest], file
		if node == sim.Account(liar) {
			key, of = sim.Keys[liar], bytes.Repeat([]byte("other"), 333)
		}
		p, err := piece.Prove(bytes.NewReader(of), size, leaf)
		if err != nil {
			return retrieval.Answer{}, err
		}
		s, err := protocol.Sign(n, key, protocol.Retrieved{Node: node, Asker: sim.Account(auditor), Piece: root, Leaf: leaf, Data: leafHash(p.Leaf), Time: uint64(time.Now().Unix())})
		return retrieval.Answer{Signed: s.Bytes(), Proof: p}, err
	})
	j, err := journal.Open("", n)
	ok(err)
	defer j.Close()
	c, err := retrieval.New(retrieval.Config{
		Key: sim.Keys[auditor], Network: n, Params: sim.Book.Params, Chain: chain, Asker: ask, Courier: nobody{}, Journal: j, Judge: sim.As(auditor),
		Checks: 20, Bytes: 1 << 20, Again: time.Nanosecond, Resend: 1,
	})
	ok(err)
	for range 60 { // a step for each question, also the second ones
		ok(c.Step(ctx))
	}
	accused, demanded := map[common.Address]int{}, map[common.Address]int{}
	fs, err := chain.Facts(ctx)
	ok(err)
	for _, f := range fs {
		switch e := f.Event.(type) {
		case protocol.DataWrong:
			accused[e.Node]++
		case protocol.RetrievalDemanded:
			demanded[e.Node]++
		}
	}
	seen := map[common.Address]int{}
	all, err := j.Reports(ctx, 0)
	ok(err)
	for _, s := range all {
		r, err := s.Open(n)
		ok(err)
		seen[r.Node]++
		if want := map[common.Address]uint8{
			sim.Account(liar): protocol.RetrievalWrong, sim.Account(mute): protocol.RetrievalSilent, sim.Account(honest): protocol.RetrievalGood,
		}[r.Node]; r.Outcome != want {
			t.Errorf("report %+v, want outcome %d", r, want)
		}
	}
	if len(seen) != 3 {
		t.Fatalf("reports on %v: the draw left somebody out", seen)
	}
	if len(accused) != 1 || accused[sim.Account(liar)] != seen[sim.Account(liar)] || len(demanded) != 1 || demanded[sim.Account(mute)] != 1 {
		t.Errorf("accused %v, demanded %v, reported on %v", accused, demanded, seen)
	}
}
