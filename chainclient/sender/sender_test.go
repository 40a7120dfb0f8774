package sender

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

func raw(t *testing.T, tx *types.Transaction) []byte {
	t.Helper()
	b, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTransactionIsFinalAfterItsConfirmations(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), func(c *Config) { c.Confirmations = 2 })
	run(t, s)
	h := send(t, s, alice, 7, "pay")
	if p := s.Pending(); len(p) != 1 || p[0].Hash != h || p[0].Label != "pay" || p[0].Block != 0 {
		t.Errorf("pending %+v", p)
	}
	c.sim.Commit()
	await(t, c.seen, nil)
	early, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Wait(early, h); !errors.Is(err, context.Canceled) {
		t.Errorf("final after one block: %v", err)
	}
	c.sim.Commit()
	if r := wait(t, s, h); r.TxHash != h || r.BlockNumber.Uint64() != 1 {
		t.Errorf("receipt %+v", r)
	}
	if p := s.Pending(); len(p) != 0 || c.balance(alice) != 7 {
		t.Errorf("pending %+v, balance %d", p, c.balance(alice))
	}
	if _, err := s.Wait(t.Context(), common.Hash{1}); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown hash: %v", err)
	}
}

func TestTransactionIsStoredBeforeItIsBroadcast(t *testing.T) {
	c, db := newChain(t, 1), memory(t)
	c.fault(func(_ context.Context, tx *types.Transaction) error {
		p := life(t, c, db, nil).Pending()
		if len(p) != 1 || p[0].Hash != tx.Hash() {
			t.Errorf("stored at broadcast: %+v", p)
		}
		return nil
	})
	send(t, life(t, c, db, nil), alice, 1, "")
	await(t, c.sent, nil)
}

// The three ways in which a broadcast's outcome is unknown, each followed by
// a crash: the next life sends the same bytes and they land once.
func TestNextLifeRebroadcastsByteForByte(t *testing.T) {
	c := newChain(t, 1)
	for name, fault := range map[string]func(context.Context, *types.Transaction) error{
		"never left": c.drop, "arrived, answer lost": c.deliverAndFail, "hangs": c.hang,
	} {
		t.Run(name, func(t *testing.T) {
			db := memory(t)
			before := c.balance(alice)
			c.fault(fault)
			h := send(t, life(t, c, db, func(c *Config) { c.CallTimeout = time.Second }), alice, 5, name)
			ours := func(tx *types.Transaction) bool { return tx.Hash() == h }
			first := await(t, c.sent, ours)
			c.fault(nil)

			s := life(t, c, db, nil)
			stop := run(t, s)
			defer stop()
			again := await(t, c.sent, ours)
			if !bytes.Equal(raw(t, first), raw(t, again)) {
				t.Errorf("sent %x, then %x", raw(t, first), raw(t, again))
			}
			// The hook sees a transaction before the pool does.
			stopMining := c.mine()
			defer stopMining()
			wait(t, s, h)
			if got := c.balance(alice) - before; got != 5 {
				t.Errorf("paid %d", got)
			}
		})
	}
}

func TestSettledTransactionIsKnownToTheNextLife(t *testing.T) {
	c, db := newChain(t, 1), memory(t)
	s := life(t, c, db, nil)
	stop := run(t, s)
	h := send(t, s, alice, 1, "")
	c.sim.Commit()
	wait(t, s, h)
	stop()
	s = life(t, c, db, nil)
	if r := wait(t, s, h); r.TxHash != h {
		t.Errorf("receipt %+v", r)
	}
	if h2 := send(t, s, alice, 1, ""); h2 == h || s.Pending()[0].Nonce != 1 {
		t.Errorf("next transaction %s %+v", h2, s.Pending())
	}
}

func TestParallelSendsGetNoncesOfTheirOwn(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), nil)
	run(t, s)
	c.mine()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			h, err := s.Send(t.Context(), alice, big.NewInt(1), nil, "")
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Wait(t.Context(), h); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if c.balance(alice) != 16 {
		t.Errorf("balance %d", c.balance(alice))
	}
}

func TestFeeIsRaisedByReplacementWithinTheLimit(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), func(c *Config) {
		c.BumpAfter = 30 * time.Millisecond
		c.MaxFee = big.NewInt(20e9)
	})
	run(t, s)
	// A pool that finds the first version too cheap, without saying so.
	var cheap atomic.Pointer[big.Int]
	c.fault(func(ctx context.Context, tx *types.Transaction) error {
		cheap.CompareAndSwap(nil, tx.GasFeeCap())
		if tx.GasFeeCap().Cmp(cheap.Load()) <= 0 {
			return nil
		}
		return c.Client.SendTransaction(ctx, tx)
	})
	h := send(t, s, alice, 3, "")
	c.mine()
	r := wait(t, s, h)
	if r.TxHash == h {
		t.Fatal("the cheap version landed")
	}
	if again := wait(t, s, r.TxHash); again.TxHash != r.TxHash || c.balance(alice) != 3 {
		t.Errorf("receipt %s, balance %d", again.TxHash, c.balance(alice))
	}

	// And one that is never satisfied: the limit holds.
	for len(c.sent) > 0 {
		<-c.sent
	}
	c.fault(func(context.Context, *types.Transaction) error { return nil })
	send(t, s, alice, 3, "")
	fees := map[uint64]bool{}
	for range 60 {
		fee := await(t, c.sent, nil).GasFeeCap()
		if fee.Cmp(big.NewInt(20e9)) > 0 {
			t.Fatalf("fee %s", fee)
		}
		fees[fee.Uint64()] = true
	}
	if len(fees) < 2 {
		t.Errorf("fees %v", fees)
	}
}

func TestReorgTakesTransactionBackAndItLandsAgain(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), func(c *Config) { c.Confirmations = 3 })
	run(t, s)
	parent := c.head()
	h := send(t, s, alice, 9, "")
	first := await(t, c.sent, nil)
	c.sim.Commit()
	was := await(t, c.seen, nil)
	if err := c.sim.Fork(parent); err != nil {
		t.Fatal(err)
	}
	c.sim.Rollback() // the pool had taken it back in: a pool of another machine does not
	c.sim.Commit()
	c.sim.Commit()
	again := await(t, c.sent, nil)
	if !bytes.Equal(raw(t, first), raw(t, again)) {
		t.Error("other bytes after the reorg")
	}
	c.mine()
	if r := wait(t, s, h); r.BlockHash == was.BlockHash || c.balance(alice) != 9 {
		t.Errorf("block %s, balance %d", r.BlockHash, c.balance(alice))
	}
}

func TestFinalTransactionTakenBackByDeepReorgIsSentAgain(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), nil)
	run(t, s)
	parent := c.head()
	h := send(t, s, alice, 1, "")
	c.sim.Commit()
	wait(t, s, h)
	if err := c.sim.Fork(parent); err != nil {
		t.Fatal(err)
	}
	c.sim.Rollback()
	c.sim.Commit()
	c.sim.Commit()
	h2 := send(t, s, alice, 2, "")
	c.mine()
	wait(t, s, h2)
	wait(t, s, h)
	if c.balance(alice) != 3 {
		t.Errorf("balance %d", c.balance(alice))
	}
}

func TestForeignTransactionWithOurNonceIsReported(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), func(c *Config) { c.BumpAfter = 100 * time.Millisecond })
	c.fault(c.drop)
	h := send(t, s, alice, 1, "")
	foreign, err := types.SignNewTx(testKey(), types.LatestSignerForChainID(big.NewInt(1337)), &types.DynamicFeeTx{
		ChainID: big.NewInt(1337), To: &alice, Value: big.NewInt(100), Gas: 21000, GasFeeCap: big.NewInt(1e10), GasTipCap: big.NewInt(1e9),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Client.SendTransaction(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	c.fault(nil)
	c.mine()
	run(t, s)
	if _, err := s.Wait(t.Context(), h); !errors.Is(err, ErrNonceTaken) {
		t.Errorf("got %v", err)
	}
	wait(t, s, send(t, s, alice, 1, "")) // and life goes on
	if c.balance(alice) != 101 {
		t.Errorf("balance %d", c.balance(alice))
	}
}

func TestNonceGapIsFilled(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), func(c *Config) { c.BumpAfter = 20 * time.Millisecond })
	c.lie = 2
	run(t, s)
	c.mine()
	wait(t, s, send(t, s, alice, 4, ""))
	n, err := c.NonceAt(t.Context(), crypto.PubkeyToAddress(testKey().PublicKey), nil)
	if err != nil || n != 3 || c.balance(alice) != 4 {
		t.Errorf("nonce %d, %v, balance %d", n, err, c.balance(alice))
	}
}

func TestRevertKeepsItsDataAndStoresNothingWhenForeseen(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), nil)
	run(t, s)
	h1 := send(t, s, once, 0, "first")
	h2 := send(t, s, once, 0, "second") // the estimate cannot see the first
	c.sim.Commit()
	wait(t, s, h1)
	_, err := s.Wait(t.Context(), h2)
	rev, ok := errors.AsType[*RevertError](err)
	data, _ := RevertData(err)
	if !ok || rev.Hash != h2 || rev.Receipt == nil || !bytes.Equal(data, common.FromHex("deadbeef")) {
		t.Errorf("wait: %v, data %x", err, data)
	}
	_, err = s.Send(t.Context(), once, nil, nil, "third")
	if data, ok := RevertData(err); !ok || !bytes.Equal(data, common.FromHex("deadbeef")) {
		t.Errorf("send: %v, data %x", err, data)
	}
	if p := s.Pending(); len(p) != 0 {
		t.Errorf("stored %+v", p)
	}
}

func TestWrongChainIsRefused(t *testing.T) {
	c, db := newChain(t, 1), memory(t)
	s := life(t, c, db, func(c *Config) { c.ChainID = 5 })
	if _, err := s.Send(t.Context(), alice, nil, nil, ""); !errors.Is(err, ErrWrongChain) {
		t.Errorf("send: %v", err)
	}
	if err := s.Run(t.Context()); !errors.Is(err, ErrWrongChain) {
		t.Errorf("run: %v", err)
	}
	send(t, life(t, c, db, nil), alice, 1, "")
	wiped := newChain(t, 2) // same id, another genesis
	if err := life(t, wiped, db, nil).Run(t.Context()); !errors.Is(err, ErrWrongChain) {
		t.Errorf("wiped chain: %v", err)
	}
}

func TestSendIsBoundedAndChecksFunds(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), func(c *Config) { c.MaxPending = 2 })
	send(t, s, alice, 1, "")
	send(t, s, alice, 1, "")
	if _, err := s.Send(t.Context(), alice, nil, nil, ""); !errors.Is(err, ErrFull) {
		t.Errorf("third: %v", err)
	}
	s = life(t, c, memory(t), nil)
	if _, err := s.Send(t.Context(), alice, new(big.Int).Lsh(common.Big1, 90), nil, ""); err == nil || len(s.Pending()) != 0 {
		t.Errorf("unpayable: %v, stored %+v", err, s.Pending())
	}
	if _, err := New(Config{}); !errors.Is(err, ErrConfig) {
		t.Errorf("empty config: %v", err)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	tx, err := types.SignNewTx(testKey(), types.LatestSignerForChainID(big.NewInt(1)), &types.DynamicFeeTx{
		ChainID: big.NewInt(1), Nonce: 3, To: &alice, Value: big.NewInt(1), Gas: 21000, GasFeeCap: big.NewInt(1), GasTipCap: big.NewInt(1),
	})
	if err != nil {
		f.Fatal(err)
	}
	b, err := (&entry{nonce: 3, label: "x", created: time.Unix(9, 0), versions: []*types.Transaction{tx}}).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"versions":[""]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(3, b)
		if err != nil {
			return
		}
		again, err := e.encode()
		if err != nil {
			t.Fatal(err)
		}
		if f, err := decodeEntry(3, again); err != nil || f.newest().Hash() != e.newest().Hash() || f.state != e.state {
			t.Errorf("round trip: %v", err)
		}
	})
}

// A deposit was estimated while the vault held some of the account's tokens, so
// that it would change two balances; before it was mined, a voucher emptied both,
// and it ran out of gas filling them again: half as much again as the estimate is
// not enough for a cheap call.
func TestGasCoversBalancesThatAreEmptiedMeanwhile(t *testing.T) {
	c := newChain(t, 1)
	s := life(t, c, memory(t), nil)
	sent := make(chan uint64, 1)
	c.fault(func(_ context.Context, tx *types.Transaction) error {
		sent <- tx.Gas()
		return nil
	})
	send(t, s, common.Address{1}, 1, "transfer")
	const estimate = 21_000
	if gas := <-sent; gas < estimate*3/2+2*17_100 {
		t.Errorf("%d gas for an estimate of %d", gas, estimate)
	}
}
