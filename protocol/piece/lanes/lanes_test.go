package lanes

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
)

// noise returns n bytes that have no pattern.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n+8)
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := 0; i < n; i += 8 {
		v := rng.Uint64()
		for k := range 8 {
			b[i+k] = byte(v >> (8 * k))
		}
	}
	return b[:n:n]
}

// each runs f with every way to hash that this processor has.
func each(t *testing.T, f func(t *testing.T, s set)) {
	for _, s := range sets() {
		t.Run(fmt.Sprintf("%d", s.width), func(t *testing.T) { f(t, s) })
	}
}

func TestEveryWayGivesTheDigestsOfTheStandardLibrary(t *testing.T) {
	each(t, func(t *testing.T, s set) {
		s.least, s.short = 1, false
		for _, size := range []int{1, 64, 100, 128, 192, 256, 320, 4096} {
			for n := range 40 {
				data := noise(uint64(size+n), n*size)
				tag := byte(n * 7)
				got := make([]Hash, n)
				s.tagged(got, tag, data, size)
				for i := range got {
					m := data[i*size : (i+1)*size]
					if want := Hash(sha256.Sum256(append([]byte{tag}, m...))); got[i] != want {
						t.Fatalf("tagged, message %d of %d of %d bytes: got %x, want %x", i, n, size, got[i], want)
					}
				}
				if size == 64 {
					pairs := make([]Hash, 2*n, 2*n+1) // the odd one is nobody's
					for i := range pairs {
						pairs[i] = Hash(data[32*i:])
					}
					s.pairs(pairs[:n], tag, pairs)
					for i := range got {
						if got[i] != pairs[i] {
							t.Fatalf("pair %d of %d: got %x, want %x", i, n, pairs[i], got[i])
						}
					}
				}
				msgs := make([][]byte, n)
				for i := range msgs {
					msgs[i] = data[i*size : (i+1)*size]
				}
				s.plain(got, msgs)
				for i := range got {
					if want := Hash(sha256.Sum256(msgs[i])); got[i] != want {
						t.Fatalf("plain, message %d of %d of %d bytes: got %x, want %x", i, n, size, got[i], want)
					}
				}
			}
		}
	})
}

func TestLongMessagesKeepTheirLength(t *testing.T) {
	const size = 1 << 20
	data := noise(1, 3*size)
	each(t, func(t *testing.T, s set) {
		s.least, s.short = 1, false
		got := make([]Hash, 3)
		s.plain(got, [][]byte{data[:size], data[size : 2*size], data[2*size:]})
		for i := range got {
			if got[i] != sha256.Sum256(data[i*size:(i+1)*size]) {
				t.Fatalf("message %d differs", i)
			}
		}
	})
}

func TestWordsOfOnesAndZeroesHash(t *testing.T) {
	each(t, func(t *testing.T, s set) {
		s.least, s.short = 1, false
		for _, fill := range []byte{0, 0xff, 0x80, 1} {
			data := bytes.Repeat([]byte{fill}, 256*s.width)
			got := make([]Hash, s.width)
			s.tagged(got, fill, data, 256)
			for i, h := range got {
				if h != sha256.Sum256(append([]byte{fill}, data[:256]...)) {
					t.Fatalf("lane %d of bytes %#x differs", i, fill)
				}
			}
		}
	})
}

func TestMessagesThatAreNotAlikeAreHashedToo(t *testing.T) {
	data := noise(2, 4096)
	var msgs [][]byte
	for _, n := range []int{64, 64, 64, 64, 0, 0, 0, 0, 128, 128, 128, 128, 128, 63, 64} {
		msgs = append(msgs, data[n:2*n])
	}
	got := make([]Hash, len(msgs)+1)
	Plain(got, msgs)
	for i, m := range msgs {
		if got[i] != sha256.Sum256(m) {
			t.Errorf("message %d of %d bytes differs", i, len(m))
		}
	}
	if got[len(msgs)] != (Hash{}) {
		t.Error("a digest of no message was written")
	}
	Plain(got[:1], nil)
	Pairs(got[:1], 0, got[1:2])
	Tagged(got[:1], 0, nil, 64)
	Tagged(got[:1], 0, data, 0)
	if got[0] != sha256.Sum256(msgs[0]) {
		t.Error("a digest was written without a message")
	}
}

func FuzzTagged(f *testing.F) {
	f.Add(byte(0), uint8(4), []byte("leaf"))
	f.Add(byte(1), uint8(1), bytes.Repeat([]byte{0xff}, 3000))
	f.Fuzz(func(t *testing.T, tag byte, blocks uint8, data []byte) {
		size := Block * (1 + int(blocks%8))
		data = append(data, make([]byte, (size-len(data)%size)%size)...)
		for _, s := range sets() {
			s.least, s.short = 1, false
			got := make([]Hash, len(data)/size)
			s.tagged(got, tag, data, size)
			for i, h := range got {
				if h != sha256.Sum256(append([]byte{tag}, data[i*size:(i+1)*size]...)) {
					t.Fatalf("width %d: message %d of %d bytes differs", s.width, i, size)
				}
			}
		}
	})
}

func BenchmarkTagged(b *testing.B) {
	data := noise(1, 64<<10)
	for _, s := range sets() {
		for _, size := range []int{256, 64} {
			b.Run(fmt.Sprintf("lanes=%d/size=%d", s.width, size), func(b *testing.B) {
				dst := make([]Hash, len(data)/size)
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					s.tagged(dst, 0, data, size)
				}
			})
		}
	}
}

func BenchmarkPlain(b *testing.B) {
	const size = 1<<20 + 39
	data := noise(1, 16*size)
	var msgs [][]byte
	for i := range 16 {
		msgs = append(msgs, data[i*size:][:1<<20])
	}
	for _, s := range sets() {
		s.short = false
		b.Run(fmt.Sprintf("lanes=%d", s.width), func(b *testing.B) {
			dst := make([]Hash, 16)
			b.SetBytes(16 << 20)
			for b.Loop() {
				s.plain(dst, msgs)
			}
		})
	}
}

func TestHashingAllocatesNothing(t *testing.T) {
	data, dst := noise(3, 20*256), make([]Hash, 20)
	msgs := [][]byte{data[:256], data[256:512], data[512:768], data[768:1024], data[1024:1280], data[1280:1536], data[1536:1792], data[1792:2048]}
	each(t, func(t *testing.T, s set) {
		if n := testing.AllocsPerRun(10, func() {
			s.tagged(dst, 0, data, 256)
			s.pairs(dst[:10], 1, dst)
			s.plain(dst[:len(msgs)], msgs)
		}); n > 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
