package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/ethereum/go-ethereum/crypto"
)

func identity(t testing.TB) Identity {
	t.Helper()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// seal is text sealed to a recipient.
func seal(t testing.TB, text []byte, recipient string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := Seal(&b, recipient)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(b []byte, id Identity) ([]byte, error) {
	r, err := Open(bytes.NewReader(b), id)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// random is n bytes that no compression or luck explains.
func random(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}

func TestWhatIsSealedOpensWithItsIdentityAlone(t *testing.T) {
	id := identity(t)
	for _, n := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 300_000} {
		text := random(n)
		sealed := seal(t, text, id.Recipient())
		if n > 16 && bytes.Contains(sealed, text[:16]) {
			t.Fatalf("%d bytes: the text shows", n)
		}
		r, err := Open(iotest.HalfReader(bytes.NewReader(sealed)), id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%d bytes: got %d, %v", n, len(got), err)
		}
		at, err := OpenSeeker(bytes.NewReader(sealed), int64(len(sealed)), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := at.Seek(int64(n/2), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(at); err != nil || !bytes.Equal(got, text[n/2:]) {
			t.Errorf("%d bytes, from the middle: %d, %v", n, len(got), err)
		}
		if _, err := Open(bytes.NewReader(sealed), identity(t)); !errors.Is(err, ErrKey) {
			t.Errorf("%d bytes, another's identity: %v", n, err)
		}
	}
}

func TestSealingTwiceGivesDifferentBytes(t *testing.T) {
	id := identity(t)
	if bytes.Equal(seal(t, []byte("same"), id.Recipient()), seal(t, []byte("same"), id.Recipient())) {
		t.Error("the same text was sealed to the same bytes")
	}
}

func TestEveryWayToBeWrongHasItsError(t *testing.T) {
	id := identity(t)
	sealed := seal(t, random(200_000), id.Recipient())
	header := bytes.Index(sealed, []byte("\n---")) + 4
	flip := func(at int) []byte {
		b := bytes.Clone(sealed)
		b[at] ^= 1
		return b
	}
	// The stanza's body, base64 of the wrapped key, stands on the line before "---".
	replaced := bytes.Clone(sealed)
	copy(replaced[header-24:], "AAAAAAAA")
	var pass bytes.Buffer
	scrypt, err := age.NewScryptRecipient("x")
	if err != nil {
		t.Fatal(err)
	}
	scrypt.SetWorkFactor(2)
	w, err := age.Encrypt(&pass, scrypt)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var armoured bytes.Buffer
	a := armor.NewWriter(&armoured)
	if _, err := a.Write(sealed); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, ErrForeign},
		{"plain text", []byte("once upon a time"), ErrForeign},
		{"armour", armoured.Bytes(), ErrForeign},
		{"another age version", []byte("age-encryption.org/v2\n"), ErrForeign},
		{"a passphrase", pass.Bytes(), ErrForeign},
		{"an endless header", []byte(intro + strings.Repeat("-> X25519 a\nAAAA\n", 10_000)), ErrForeign},
		{"a header cut", sealed[:100], ErrTruncated},
		{"the first line cut", sealed[:10], ErrTruncated},
		{"the nonce cut", sealed[:header+50], ErrTruncated},
		{"another's stanza", replaced, ErrKey},
		{"the header's MAC changed", flip(header + 3), ErrTampered},
		{"the first piece changed", flip(header + 100), ErrTampered},
		{"a middle piece changed", flip(100_000), ErrTampered},
		{"the last piece changed", flip(len(sealed) - 1), ErrTruncated},
		{"cut inside a piece", sealed[:100_000], ErrTruncated},
		{"cut between pieces", sealed[:len(sealed)-(200_000%(64<<10))-16], ErrTruncated},
		{"something after the end", append(bytes.Clone(sealed), 'x'), ErrTruncated},
	} {
		if _, err := open(tt.in, id); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		r, err := OpenSeeker(bytes.NewReader(tt.in), int64(len(tt.in)), id)
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if err == nil {
			t.Errorf("%s: opens by seeking", tt.name)
		}
	}
	broken := errors.New("line is cut")
	if _, err := Open(iotest.ErrReader(broken), id); !errors.Is(err, broken) {
		t.Errorf("a reader's error: %v", err)
	}
	r, err := Open(io.MultiReader(bytes.NewReader(sealed[:150_000]), iotest.ErrReader(broken)), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, broken) || errors.Is(err, ErrTampered) {
		t.Errorf("a reader's error on the way: %v", err)
	}
}

func TestAGrantCarriesADatanetsKeyToItsReaderAlone(t *testing.T) {
	datanet, reader, other := identity(t), identity(t), identity(t)
	shard := seal(t, []byte("private text"), datanet.Recipient())
	grant, err := Grant(datanet, reader.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if len(grant) > MaxGrant {
		t.Errorf("a grant of %d bytes", len(grant))
	}
	id, err := Unwrap(grant, reader, datanet.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if text, err := open(shard, id); err != nil || string(text) != "private text" {
		t.Errorf("reads %q, %v", text, err)
	}
	if _, err := Unwrap(grant, other, datanet.Recipient()); !errors.Is(err, ErrKey) {
		t.Errorf("another reader: %v", err)
	}
	if _, err := Unwrap(grant, reader, other.Recipient()); !errors.Is(err, ErrGrant) {
		t.Errorf("another datanet: %v", err)
	}
	if _, err := Unwrap(append(grant, make([]byte, MaxGrant)...), reader, datanet.Recipient()); !errors.Is(err, ErrForeign) {
		t.Errorf("a huge grant: %v", err)
	}
	if _, err := Unwrap(seal(t, []byte("no key"), reader.Recipient()), reader, datanet.Recipient()); !errors.Is(err, ErrForeign) {
		t.Errorf("a grant of something else: %v", err)
	}
	for i := range grant {
		b := bytes.Clone(grant)
		b[i] ^= 1
		if got, err := Unwrap(b, reader, datanet.Recipient()); err == nil {
			t.Fatalf("grant with byte %d changed gives %v", i, got)
		}
		if _, err := Unwrap(grant[:i], reader, datanet.Recipient()); err == nil {
			t.Fatalf("grant of %d bytes opens", i)
		}
	}
}

// The vector was computed apart, from RFC 5869 and BIP 173; it holds the
// derivation for ever, since a change would lose every grant.
func TestAReadersIdentityFollowsFromItsNodesKey(t *testing.T) {
	key, err := crypto.HexToECDSA("0000000000000000000000000000000000000000000000000000000000000001")
	if err != nil {
		t.Fatal(err)
	}
	id, err := ReaderIdentity(key)
	if err != nil {
		t.Fatal(err)
	}
	const want = "AGE-SECRET-KEY-1FVVW09ZZZCG88Z8RVCWL5Q26LKVJFRV2LYU0KF7VDL6EF86ACC7QDHCE9M"
	if id.Secret() != want {
		t.Errorf("identity of %s, want that of %s", id.Recipient(), want)
	}
	for i := range 50 {
		key, err := crypto.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		id, err := ReaderIdentity(key)
		if err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
		if again, err := ReaderIdentity(key); err != nil || again.Secret() != id.Secret() {
			t.Fatalf("key %d: another identity the second time, %v", i, err)
		}
		if back, err := ParseIdentity(id.Secret()); err != nil || back.Recipient() != id.Recipient() {
			t.Fatalf("key %d: %v", i, err)
		}
	}
	if _, err := ReaderIdentity(nil); !errors.Is(err, ErrIdentity) {
		t.Errorf("no key: %v", err)
	}
}

func TestAnIdentityPrintsAsItsRecipient(t *testing.T) {
	id := identity(t)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(format, id); strings.Contains(strings.ToUpper(s), "SECRET") || !strings.Contains(s, id.Recipient()) {
			t.Errorf("%s prints %s", format, s)
		}
	}
	if _, err := ParseIdentity(id.Secret() + "X"); !errors.Is(err, ErrIdentity) || strings.Contains(err.Error(), id.Secret()[:30]) {
		t.Errorf("an error quotes the secret: %v", err)
	}
}

func TestOnlyX25519RecipientsAreTaken(t *testing.T) {
	id := identity(t)
	if err := ValidRecipient(id.Recipient()); err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"", "age1", id.Secret(), strings.ToUpper(id.Recipient()), id.Recipient() + "q", hybrid.Recipient().String(), "ssh-ed25519 AAAA"} {
		if err := ValidRecipient(s); !errors.Is(err, ErrRecipient) {
			t.Errorf("%.40q: %v", s, err)
		}
		if _, err := Seal(io.Discard, s); !errors.Is(err, ErrRecipient) {
			t.Errorf("seal to %.40q: %v", s, err)
		}
	}
	for name, err := range map[string]error{
		"open": func() error { _, err := Open(strings.NewReader(""), Identity{}); return err }(),
		"seek": func() error { _, err := OpenSeeker(strings.NewReader(""), 0, Identity{}); return err }(),
		"give": func() error { _, err := Grant(Identity{}, id.Recipient()); return err }(),
	} {
		if !errors.Is(err, ErrIdentity) {
			t.Errorf("%s with the zero identity: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key, err := crypto.HexToECDSA("0000000000000000000000000000000000000000000000000000000000000002")
	if err != nil {
		f.Fatal(err)
	}
	id, err := ReaderIdentity(key)
	if err != nil {
		f.Fatal(err)
	}
	text := []byte("some text of a shard")
	f.Add(seal(f, text, id.Recipient()))
	f.Add([]byte(intro))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := open(b, id)
		known := 0
		for _, class := range []error{ErrKey, ErrForeign, ErrTruncated, ErrTampered} {
			if errors.Is(err, class) {
				known++
			}
		}
		if err != nil && known != 1 {
			t.Fatalf("of %d classes: %v", known, err)
		}
		r, errAt := OpenSeeker(bytes.NewReader(b), int64(len(b)), id)
		if err == nil {
			if errAt != nil {
				t.Fatal(errAt)
			}
			if at, err := io.ReadAll(r); err != nil || !bytes.Equal(at, got) {
				t.Fatalf("by seeking %q, %v, else %q", at, err, got)
			}
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	datanet, reader := identity(f), identity(f)
	grant, err := Grant(datanet, reader.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(grant)
	f.Add([]byte(intro))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := Unwrap(b, reader, datanet.Recipient())
		if (err == nil) != (id.Secret() == datanet.Secret()) {
			t.Fatalf("%v, %v", id, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	id := identity(f)
	f.Add(id.Secret())
	f.Add(id.Recipient())
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseIdentity(s); err == nil {
			if back, err := ParseIdentity(id.Secret()); err != nil || back.Recipient() != id.Recipient() {
				t.Fatal(err)
			}
		}
		if ValidRecipient(s) == nil {
			if _, err := Seal(io.Discard, s); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	id := identity(b)
	text := random(8 << 20)
	b.SetBytes(int64(len(text)))
	b.Run("seal", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			w, err := Seal(io.Discard, id.Recipient())
			if err != nil {
				b.Fatal(err)
			}
			if _, err := w.Write(text); err != nil {
				b.Fatal(err)
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	sealed := seal(b, text, id.Recipient())
	b.Run("open", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			r, err := Open(bytes.NewReader(sealed), id)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
