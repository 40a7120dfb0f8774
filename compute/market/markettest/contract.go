package markettest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/ethereum/go-ethereum/crypto"

	"tally/compute/market"
	"tally/protocol"
)

// ConnContract holds streams to what package market asks of them. dial gives the
// two ends of a new stream, on which the one who opened it may have had to speak
// first for the other end to appear.
func ConnContract(t *testing.T, dial func(t *testing.T) (a, b market.Conn)) {
	t.Run("messages arrive whole, in order, both ways", func(t *testing.T) {
		a, b := dial(t)
		for _, pair := range [][2]market.Conn{{a, b}, {b, a}} {
			for _, m := range [][]byte{[]byte("one"), bytes.Repeat([]byte("two"), 100_000), []byte("three")} {
				sent := make(chan error, 1)
				go func() { sent <- pair[0].Send(m) }()
				got, err := pair[1].Recv(1 << 20)
				if err != nil || !bytes.Equal(got, m) {
					t.Fatalf("got %d bytes and %v, want %d", len(got), err, len(m))
				}
				if err := <-sent; err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	t.Run("a message larger than asked for is refused", func(t *testing.T) {
		a, b := dial(t)
		go func() { _ = a.Send(make([]byte, 1000)) }() // its end is the receiver's to judge
		if got, err := b.Recv(999); err == nil {
			t.Fatalf("got %d bytes", len(got))
		}
	})
	t.Run("what was sent before Close arrives, then the end", func(t *testing.T) {
		a, b := dial(t)
		if err := a.Send([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Recv(100); err != nil || string(got) != "last words" {
			t.Fatalf("got %q, %v", got, err)
		}
		if got, err := b.Recv(100); err == nil {
			t.Fatalf("got %q after the end", got)
		}
	})
	t.Run("Close ends a Recv under way", func(t *testing.T) {
		a, _ := dial(t)
		ended := make(chan error, 1)
		go func() {
			_, err := a.Recv(100)
			ended <- err
		}()
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil {
			t.Fatal("a message came from nowhere")
		}
	})
	t.Run("both ends know each other", func(t *testing.T) {
		a, b := dial(t)
		if a.Remote() == b.Remote() {
			t.Fatalf("both ends say that the peer is %s", a.Remote())
		}
	})
}

// LedgerContract holds an empty ledger to what package market asks of it. count
// says how many receipts with both signatures it holds.
func LedgerContract(t *testing.T, n protocol.Network, l market.Ledger, count func() int) {
	key := func(name string) *ecdsa.PrivateKey {
		k, err := crypto.ToECDSA(crypto.Keccak256([]byte("contract " + name)))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	worker, payer := key("worker"), key("payer")
	r := protocol.Receipt{
		Worker: crypto.PubkeyToAddress(worker.PublicKey), Payer: crypto.PubkeyToAddress(payer.PublicKey),
		Seq: 1, Kind: protocol.KindInfer, Tier: protocol.TierExact, Origin: protocol.OriginAssigned, Value: protocol.NewAmount(5),
	}
	r.Channel = protocol.Channel(r.Offer, r.Worker)
	issued, err := protocol.IssueReceipt(n, worker, r)
	if err != nil {
		t.Fatal(err)
	}
	both, err := issued.Cosign(n, payer)
	if err != nil {
		t.Fatal(err)
	}
	d, err := protocol.Digest(n, r)
	if err != nil {
		t.Fatal(err)
	}
	v, err := protocol.Sign(n, payer, protocol.Voucher{Payer: r.Payer, Worker: r.Worker, Seq: 1, Value: r.Value, Receipts: d})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), issued, nil); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 0 {
		t.Fatalf("%d receipts have both signatures, want none yet", got)
	}
	for range 3 {
		if err := l.Record(t.Context(), both, &v); err != nil {
			t.Fatal(err)
		}
		if got := count(); got != 1 {
			t.Fatalf("%d receipts are held, want 1 however often it comes", got)
		}
	}
	if err := l.Record(t.Context(), issued, nil); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 1 {
		t.Fatal("one signature took the place of two")
	}
	other := n
	other.ChainID++
	foreign, err := protocol.IssueReceipt(other, worker, r)
	if err != nil {
		t.Fatal(err)
	}
	if foreign, err = foreign.Cosign(other, payer); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), foreign, &v); err == nil {
		t.Fatal("a receipt of another network was recorded")
	}
}

// StoreContract holds storage to what package market asks of it: there fetches
// from here.
func StoreContract(t *testing.T, here, there market.Store) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	doc, err := protocol.Encode(protocol.PinSpec{Size: 3})
	must(err)
	c, err := here.PutBlock(ctx, doc)
	must(err)
	if !c.Equals(protocol.CIDOf(doc)) {
		t.Fatalf("a document is kept under %s, want %s", c, protocol.CIDOf(doc))
	}
	_, err = here.PutBlock(ctx, doc)
	must(err)
	got, err := there.GetBlock(ctx, c)
	must(err)
	if !bytes.Equal(got, doc) {
		t.Fatalf("a document came as %x, want %x", got, doc)
	}

	data := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	file, err := here.ImportFile(ctx, bytes.NewReader(data))
	must(err)
	must(here.Pin(ctx, file, "contract", 0))
	if _, err := there.OpenFile(ctx, file); err == nil {
		t.Fatal("a file is open before it was fetched")
	}
	must(there.Fetch(ctx, file))
	must(there.Pin(ctx, file, "contract", 0))
	must(there.Pin(ctx, file, "contract", 0))
	f, err := there.OpenFile(ctx, file)
	must(err)
	got, err = io.ReadAll(f)
	must(errors.Join(err, f.Close()))
	if !bytes.Equal(got, data) {
		t.Fatal("a file's bytes changed on the way")
	}
	p1, n1, err := here.Piece(ctx, file)
	must(err)
	p2, n2, err := there.Piece(ctx, file)
	must(err)
	if p1 != p2 || n1 != n2 || n1 < uint64(len(data)) {
		t.Fatalf("the CAR file has %d bytes with %s here, %d with %s there", n1, p1, n2, p2)
	}
	a, err := here.Range(ctx, file, n1-1000, 1000)
	must(err)
	b, err := there.Range(ctx, file, n1-1000, 1000)
	must(err)
	if len(a) != 1000 || !bytes.Equal(a, b) {
		t.Fatal("a range differs between the two")
	}
	if _, err := there.Range(ctx, file, n1-1, 2); err == nil {
		t.Fatal("a range past the end was read")
	}

	dir, err := here.ImportFS(ctx, fstest.MapFS{"a.txt": {Data: []byte("A")}, "b.bin": {Data: data}})
	must(err)
	must(here.Pin(ctx, dir, "contract", 0))
	must(there.Fetch(ctx, dir))
	files, err := there.FS(ctx, dir)
	must(err)
	for name, want := range map[string]string{"a.txt": "A", "b.bin": string(data)} {
		if got, err := fs.ReadFile(files, name); err != nil || string(got) != want {
			t.Fatalf("%s has %d bytes, %v", name, len(got), err)
		}
	}
	one, err := there.FS(ctx, file)
	must(err)
	names, err := fs.ReadDir(one, ".")
	must(err)
	if len(names) != 1 {
		t.Fatalf("a file is shown as a directory of %d", len(names))
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := there.GetBlock(ended, protocol.CIDOf([]byte("nowhere"))); err == nil {
		t.Fatal("a block from nowhere")
	}
}
