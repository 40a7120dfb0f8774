package readers

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ethereum/go-ethereum/crypto"

	"tally/internal/kv"
	"tally/protocol"
	"tally/storage/sealed"
)

func newRing(t *testing.T) (Ring, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	db, err := kv.Open("", kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return Ring{db, key, protocol.Network{Name: "t", ChainID: 1}}, key
}

func TestGrantCarriesEveryKeyToItsReaderAlone(t *testing.T) {
	owner, key := newRing(t)
	reader, _ := newRing(t)
	stranger, _ := newRing(t)
	origin := protocol.CIDOf([]byte("a datanet"))
	var newest string
	var files [][]byte
	for range 3 {
		to, keep, err := owner.Draw()
		if err != nil {
			t.Fatal(err)
		}
		if err := keep(origin); err != nil {
			t.Fatal(err)
		}
		newest = to
		var b bytes.Buffer
		w, err := sealed.Seal(&b, to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, strings.Repeat("a page of text. ", 10_000)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		files = append(files, b.Bytes())
	}
	to, err := reader.Recipient()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := owner.Issue(protocol.Grant{Datanet: origin, Owner: crypto.PubkeyToAddress(key.PublicKey), Recipient: to}, newest, 7)
	if err != nil {
		t.Fatal(err)
	}
	g, err := signed.Open(owner.Network)
	if err != nil || len(g.Keys) != 3 || g.Keys[0].Reader != newest || g.Created != 7 || g.Validate() != nil {
		t.Fatalf("%+v, %v", g, err)
	}
	if err := stranger.Take(g); !errors.Is(err, sealed.ErrKey) {
		t.Errorf("a stranger: %v", err)
	}
	if err := reader.Take(g); err != nil {
		t.Fatal(err)
	}
	ids, err := reader.Identities(origin, newest)
	if err != nil || len(ids) != 3 || ids[0].Recipient() != newest {
		t.Fatalf("%d identities, %v", len(ids), err)
	}
	for i, f := range files {
		plain, err := Unseal(bytes.NewReader(f), ids)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(plain, []byte(strings.Repeat("a page of text. ", 10_000))); err != nil {
			t.Errorf("file %d: %v", i, err)
		}
	}
	if _, err := Unseal(bytes.NewReader(files[0]), nil); !errors.Is(err, sealed.ErrKey) {
		t.Errorf("without keys: %v", err)
	}
	if list, err := owner.Grants(origin); err != nil || len(list) != 1 {
		t.Errorf("%d grants, %v", len(list), err)
	}
	if b, err := owner.Envelope(g); err != nil || !bytes.Equal(b, signed.Bytes()) {
		t.Errorf("served as %x, %v", b, err)
	}
	if err := owner.Drop(g); err != nil {
		t.Fatal(err)
	}
	if list, err := owner.Grants(origin); err != nil || len(list) != 0 {
		t.Errorf("%d grants, %v", len(list), err)
	}
	g.Keys[0].Reader = g.Keys[1].Reader // the owner errs, or lies
	if err := reader.Take(g); !errors.Is(err, sealed.ErrGrant) {
		t.Errorf("a key under another's name: %v", err)
	}
}
