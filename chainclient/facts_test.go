package chainclient_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"tally/chainclient"
	"tally/chainclient/chaintest"
	"tally/chainclient/contract/ledger"
	"tally/chainclient/contract/possession"
	"tally/chainclient/contract/registry"
	"tally/chainclient/contract/vault"
	"tally/protocol"
)

// aBook names contracts that no chain has.
var aBook = chainclient.Book{Network: protocol.Network{
	Name: "fuzz", ChainID: 1, Token: common.Address{1}, Registry: common.Address{2}, Vault: common.Address{3}, Ledger: common.Address{4}, Possession: common.Address{5},
}}

func TestBytesThatAreNoCIDStillMakeAFact(t *testing.T) {
	c := chaintest.New(t, 2)
	vlt, led := vault.NewVault(), ledger.NewLedger()
	me := c.Account(1)
	c.Do(1, &c.Book.Vault, vlt.PackOpenOffer(vault.VaultOffer{
		Submitter: me, Kind: 200, Spec: []byte("rubbish"), Value: new(big.Int), Deadline: c.Now() + 50,
	}))
	c.AdvanceTo(c.Book.Params.End(0))
	c.Do(1, &c.Book.Ledger, led.PackCommit(ledger.LedgerBatch{Worker: me, Count: 1, Data: []byte{0xff}}))
	got := facts(t, c)
	if len(got) != 2 {
		t.Fatalf("%d facts, want 2", len(got))
	}
	if o := got[0].(protocol.OfferOpened); o.Offer.Spec.Defined() || o.Offer.Submitter != me || o.Offer.Kind != 200 {
		t.Errorf("offer is %+v", o)
	}
	if b := got[1].(protocol.Committed); b.Batch.Data.Defined() || b.Batch.Worker != me {
		t.Errorf("batch is %+v", b)
	}
}

func TestALogThatNoContractWroteIsNoFact(t *testing.T) {
	a, err := vault.VaultMetaData.ParseABI()
	if err != nil {
		t.Fatal(err)
	}
	opened, deposited := a.Events["OfferOpened"].ID, a.Events["Deposited"].ID
	for name, l := range map[string]types.Log{
		"no topics":        {Address: aBook.Vault},
		"unknown event":    {Address: aBook.Vault, Topics: []common.Hash{{9}}},
		"another address":  {Address: common.Address{9}, Topics: []common.Hash{opened}},
		"no use for it":    {Address: aBook.Vault, Topics: []common.Hash{deposited}},
		"another contract": {Address: aBook.Ledger, Topics: []common.Hash{opened}},
	} {
		if _, ok, err := aBook.Decode(l); ok || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
	for name, l := range map[string]types.Log{
		"no data":    {Address: aBook.Vault, Topics: []common.Hash{opened, {}, {}}},
		"few topics": {Address: aBook.Vault, Topics: []common.Hash{opened}, Data: make([]byte, 512)},
	} {
		if _, ok, err := aBook.Decode(l); ok || !errors.Is(err, chainclient.ErrLog) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	var events []types.Log
	for _, m := range []struct {
		at   common.Address
		meta *bind.MetaData
	}{{aBook.Registry, &registry.RegistryMetaData}, {aBook.Vault, &vault.VaultMetaData}, {aBook.Ledger, &ledger.LedgerMetaData}, {aBook.Possession, &possession.PossessionMetaData}} {
		a, err := m.meta.ParseABI()
		if err != nil {
			f.Fatal(err)
		}
		for _, e := range a.Events {
			events = append(events, types.Log{Address: m.at, Topics: []common.Hash{e.ID}})
		}
	}
	f.Add(uint8(0), uint8(2), []byte{})
	f.Add(uint8(5), uint8(3), make([]byte, 640))
	f.Add(uint8(9), uint8(1), append(make([]byte, 31), 0x40))
	f.Fuzz(func(t *testing.T, which, topics uint8, data []byte) {
		l := events[int(which)%len(events)]
		l.Topics = append([]common.Hash(nil), l.Topics...)
		for i := range topics % 4 {
			l.Topics = append(l.Topics, common.Hash{31: i})
		}
		l.Data = data
		fact, ok, err := aBook.Decode(l)
		if ok != (fact.Event != nil) || ok && err != nil {
			t.Fatalf("%+v, %v, %v", fact, ok, err)
		}
	})
}

// rpcError is an endpoint's error with revert data.
type rpcError struct{ data any }

func (rpcError) Error() string    { return "execution reverted" }
func (e rpcError) ErrorData() any { return e.data }

func TestARevertIsExplained(t *testing.T) {
	a, err := ledger.LedgerMetaData.ParseABI()
	if err != nil {
		t.Fatal(err)
	}
	over := a.Errors["EpochNotOver"]
	args, err := over.Inputs.Pack(uint64(3), uint64(77))
	if err != nil {
		t.Fatal(err)
	}
	data := common.Bytes2Hex(append(over.ID[:4:4], args...))
	for in, want := range map[string]string{
		"0x" + data:  "EpochNotOver(epoch 3, end 77)",
		data[:20]:    "0x" + data[:20], // cut short
		"0xdeadbeef": "0xdeadbeef",
		"0x":         "0x",
		"0x4e487b710000000000000000000000000000000000000000000000000000000000000011": "arithmetic",
	} {
		got := chainclient.Explain(rpcError{in})
		if !errors.Is(got, chainclient.ErrReverted) || !strings.Contains(got.Error(), want) {
			t.Errorf("%s: got %v, want %s", in, got, want)
		}
	}
	if !chainclient.Reverted(chainclient.Explain(rpcError{"0x" + data}), "EpochNotOver") {
		t.Error("the error has no name")
	}
	other := errors.New("connection refused")
	for _, e := range []error{other, rpcError{"zz"}, rpcError{7}, rpcError{nil}} {
		if got := chainclient.Explain(e); !errors.Is(got, e) {
			t.Errorf("%#v became %v", e, got)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add([]byte{0xde, 0xad, 0xbe, 0xef})
	f.Add(common.FromHex("08c379a0"))
	for _, m := range []*bind.MetaData{&registry.RegistryMetaData, &vault.VaultMetaData, &ledger.LedgerMetaData, &possession.PossessionMetaData} {
		a, err := m.ParseABI()
		if err != nil {
			f.Fatal(err)
		}
		for _, e := range a.Errors {
			f.Add(append(e.ID[:4:4], make([]byte, 32*len(e.Inputs))...))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := chainclient.Explain(rpcError{common.Bytes2Hex(data)}); !errors.Is(err, chainclient.ErrReverted) {
			t.Fatal(err)
		}
	})
}

func TestWaitSaysWhyATransactionFailed(t *testing.T) {
	c := chaintest.New(t, 2)
	w := c.As(1)
	c.AdvanceTo(c.Book.Params.End(0))
	batch := protocol.Batch{Worker: c.Account(1), Count: 1, Data: cidOf("receipts")}
	done(t, w)(w.Commit(t.Context(), batch))
	// A second one that slipped past the trial, as when two programs send at once.
	data := ledger.NewLedger().PackCommit(ledger.LedgerBatch{Worker: batch.Worker, Count: 1, Data: batch.Data.Bytes()})
	h, err := c.Sender(1).Send(t.Context(), c.Book.Ledger, nil, data, "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.Wait(t.Context(), h)
	if r == nil || r.Status != types.ReceiptStatusFailed || !chainclient.Reverted(err, "AlreadyCommitted") {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestArgumentsThatNoChainTakesAreRefusedAtOnce(t *testing.T) {
	ctx := t.Context()
	c := chaintest.New(t, 1)
	cl := c.As(0)
	big129, err := protocol.AmountOf(new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"offer without spec":  func() error { _, _, err := cl.OpenOffer(ctx, protocol.Offer{}); return err },
		"batch without data":  func() error { _, err := cl.Commit(ctx, protocol.Batch{}); return err },
		"anchor without data": func() error { _, err := cl.Anchor(ctx, protocol.Anchored{}); return err },
		"claim past 128 bits": func() error { _, err := cl.Claim(ctx, 0, protocol.SumLeaf{Value: big129}, 0, nil); return err },
		"sibling past 128 bits": func() error {
			_, err := cl.Claim(ctx, 0, protocol.SumLeaf{}, 0, []protocol.SumNode{{Sum: big129}})
			return err
		},
		"class too long": func() error { _, err := cl.SetClasses(ctx, []string{strings.Repeat("x", 33)}); return err },
		"empty class":    func() error { _, err := cl.SetClasses(ctx, []string{""}); return err },
		"supply past 128 bits": func() error {
			_, err := chainclient.Deploy(ctx, c, c.Keys[0], chainclient.Deployment{Name: "a", Params: chaintest.Params(), Supply: big129})
			return err
		},
	} {
		if err := call(); !errors.Is(err, chainclient.ErrArgument) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestADeployerWithoutGasMoneyIsTold(t *testing.T) {
	c := chaintest.Bare(t, 1)
	poor := chaintest.Bare(t, 2).Keys[1]
	_, err := chainclient.Deploy(t.Context(), c, poor, chainclient.Deployment{Name: "a", Params: chaintest.Params()})
	if !errors.Is(err, chainclient.ErrDeploy) || !strings.Contains(err.Error(), "gas money") {
		t.Errorf("got %v", err)
	}
}
