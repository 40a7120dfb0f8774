package minhash

import (
	"bytes"
	"errors"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// comments is real text: the comments of the Go distribution's packages, each of
// at least 20 words a record, no two the same, at most 6,000 of them.
var comments = sync.OnceValues(func() (out [][]byte, err error) {
	const most = 6000
	seen := map[[32]byte]bool{}
	root := os.DirFS(filepath.Join(build.Default.GOROOT, "src"))
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (name == "cmd" || name == "vendor") {
			return fs.SkipDir // mostly generated
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata") {
			return err
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil // a file for another toolchain
		}
		for _, c := range f.Comments[min(1, len(f.Comments)):] { // the first is the licence
			s := c.Text()
			if h := Hash([]byte(s)); len(strings.Fields(s)) >= 20 && !seen[h] {
				seen[h] = true
				if out = append(out, []byte(s)); len(out) == most {
					return fs.SkipAll
				}
			}
		}
		return nil
	})
	return out, err
})

// corpus is the first most of the comments.
func corpus(t testing.TB, most int) [][]byte {
	t.Helper()
	all, err := comments()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < most {
		t.Skipf("the Go distribution here has %d such comments, want %d", len(all), most)
	}
	return all[:most]
}

func set(records ...[]byte) map[uint64]bool {
	m := map[uint64]bool{}
	for _, r := range records {
		shingles(r, func(x uint64) { m[x] = true })
	}
	return m
}

// exact are the true Jaccard similarity and the part of a that is in b.
func exact(a, b map[uint64]bool) (jaccard, part float64) {
	both := 0
	for x := range a {
		if b[x] {
			both++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both), float64(both) / float64(len(a))
}

// shard is a sketch of records.
func shard(records [][]byte) Sketch {
	s := NewSketcher()
	for _, r := range records {
		s.Add(r)
	}
	return s.Sketch()
}

// TestEstimatesKeepTheirStandardErrors compares with the truth over real text in
// many mixtures: the root mean square of error / stated deviation is about 1 for
// an honest estimator, and single errors beyond 5 deviations do not happen.
func TestEstimatesKeepTheirStandardErrors(t *testing.T) {
	all := corpus(t, 6000)
	var similarity, near, whole []float64 // errors in standard errors
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		pick := r.Perm(len(all))
		n := 200 + r.IntN(1200)
		kept := r.IntN(n)
		size := kept + 100 + r.IntN(1200)
		var a, b [][]byte
		for i := range n {
			a = append(a, all[pick[i]])
		}
		for i := range size {
			if i < kept {
				b = append(b, all[pick[i]])
			} else {
				b = append(b, all[pick[n+(i-kept)%(len(all)-n)]])
			}
		}
		sa, sb := shard(a), shard(b)
		o := Compare(sa, sb)
		j, part := exact(set(a...), set(b...))
		similarity = append(similarity, (o.Similarity-j)/Error(j))
		near = append(near, (o.Near-part)/o.NearDeviation)
		have, different, both := map[[32]byte]bool{}, map[[32]byte]bool{}, 0
		for _, x := range b {
			have[Hash(x)] = true
		}
		for _, x := range a {
			if h := Hash(x); !different[h] {
				different[h] = true
				if have[h] {
					both++
				}
			}
		}
		truth := float64(both) / float64(len(different))
		if o.RecordsDeviation > 0 {
			whole = append(whole, (o.Records-truth)/o.RecordsDeviation)
		} else if o.Records != truth {
			t.Errorf("seed %d: %.4f said to be exact, is %.4f", seed, o.Records, truth)
		}
		if d := sa.Distinct()/float64(len(different)) - 1; math.Abs(d) > 5/math.Sqrt(keptRecords-2) {
			t.Errorf("seed %d: distinct records are off by %.3f", seed, d)
		}
	}
	for name, errs := range map[string][]float64{"similarity": similarity, "near": near, "records": whole} {
		square, worst, mean := 0.0, 0.0, 0.0
		for _, e := range errs {
			square += e * e
			mean += e
			worst = max(worst, math.Abs(e))
		}
		rms := math.Sqrt(square / float64(len(errs)))
		mean /= float64(len(errs))
		t.Logf("%s: root mean square %.2f, mean %.2f, worst %.2f standard errors", name, rms, mean, worst)
		// 30 draws: the mean has 0.18 of one standard error, the rms 0.13.
		if rms > 1.4 || rms < 0.5 || math.Abs(mean) > 0.6 || worst > 5 {
			t.Errorf("%s: root mean square %.2f, mean %.2f, worst %.2f standard errors", name, rms, mean, worst)
		}
	}
}

func TestTwoRecordsAreAsSimilarAsTheirShingles(t *testing.T) {
	words := strings.Fields(string(bytes.Join(corpus(t, 400), []byte(" "))))
	square, n := 0.0, 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		at := r.IntN(len(words) - 600)
		a := slices.Clone(words[at : at+500])
		b := slices.Clone(a)
		for range 1 + r.IntN(60) {
			b[r.IntN(len(b))] = words[r.IntN(len(words))]
		}
		ra, rb := []byte(strings.Join(a, " ")), []byte(strings.Join(b, " "))
		j, _ := exact(set(ra), set(rb))
		if j == 1 {
			continue
		}
		e := (Similarity(Of(ra), Of(rb)) - j) / Error(j)
		if math.Abs(e) > 5 {
			t.Errorf("seed %d: off by %.1f standard errors at %.2f", seed, e, j)
		}
		square += e * e
		n++
	}
	if rms := math.Sqrt(square / float64(n)); rms > 1.4 || rms < 0.5 {
		t.Errorf("root mean square %.2f standard errors over %d pairs", rms, n)
	}
}

func TestCaseAndLayoutDoNotMakeADifference(t *testing.T) {
	a := []byte("The Quick brown Fox\njumps over the LAZY Ärger, twice.")
	b := []byte("  the quick\t brown fox jumps  over\r\n the lazy ärger, twice. ")
	if Hash(a) != Hash(b) {
		t.Error("hashes differ")
	}
	if Of(a) != Of(b) {
		t.Error("signatures differ")
	}
	for _, c := range []string{"the quick brown fox jumps over the lazy ärger twice.", "the quick brown fox jumps over the lazy ärger, twice. x", "thequick brown fox jumps over the lazy ärger, twice."} {
		if Hash(a) == Hash([]byte(c)) {
			t.Errorf("%q has the same hash", c)
		}
	}
	if s := Similarity(Of(a), Of([]byte("The quick, brown fox jumps over the lazy ärger — twice!"))); s != 1 {
		t.Errorf("punctuation makes it %.2f similar", s)
	}
}

func TestScriptsWithoutSpacesHaveWords(t *testing.T) {
	a := "機械学習は人工知能の一分野であり、経験から自動的に改善するアルゴリズムを研究する"
	n := 0
	shingles([]byte(a), func(uint64) { n++ })
	if n < 30 {
		t.Errorf("%d shingles", n)
	}
	if s := Similarity(Of([]byte(a)), Of([]byte(a+"学問である"))); s < 0.6 || s == 1 {
		t.Errorf("similarity %.2f to the same with five characters more", s)
	}
}

func TestShortAndWordlessRecordsAreTold(t *testing.T) {
	seen := map[Signature]string{}
	for _, s := range []string{"a", "b", "a b", "b a", "a b c d", "a b c d e", "...", ""} {
		sig := Of([]byte(s))
		if other, ok := seen[sig]; ok && strings.Trim(s+other, ".") != "" {
			t.Errorf("%q and %q have one signature", s, other)
		}
		seen[sig] = s
	}
	if Of([]byte("!?")) == Of([]byte("--")) {
		t.Error("records without words are all the same")
	}
}

// TestTheSameTextGivesTheSameBytesEverywhere holds the functions to a vector:
// a change would make every kept sketch worthless.
func TestTheSameTextGivesTheSameBytesEverywhere(t *testing.T) {
	s := shard([][]byte([][]byte{[]byte("To be, or not to be: that is the question."), []byte("Sein oder Nichtsein; das ist hier die Frage.")}))
	if got, want := s.Signature[0], uint64(0xfbc473af380a666); got != want {
		t.Errorf("signature begins with %#x, want %#x", got, want)
	}
	if got, want := s.Signature[127], uint64(0x21076f86c3a7a7); got != want {
		t.Errorf("signature ends with %#x, want %#x", got, want)
	}
	if got, want := s.records[0], uint64(0x28516c2c633a4e45); got != want {
		t.Errorf("least record hash %#x, want %#x", got, want)
	}
	if got, want := s.shingles[0], uint64(0x20cbbb49e0ac7633); got != want {
		t.Errorf("least shingle hash %#x, want %#x", got, want)
	}
}

func TestCopiesAreFoundThroughTheirKeys(t *testing.T) {
	all := corpus(t, 6000)
	index := map[Key][]int{}
	var shards []Sketch
	for i := range 10 {
		s := shard(all[i*500 : (i+1)*500])
		for _, k := range s.Keys() {
			index[k] = append(index[k], i)
		}
		shards = append(shards, s)
	}
	candidates := func(s Sketch) map[int]bool {
		keys := s.Keys()
		if len(keys) > MaxKeys {
			t.Errorf("%d keys", len(keys))
		}
		out := map[int]bool{}
		for _, k := range keys {
			for _, i := range index[k] {
				out[i] = true
			}
		}
		return out
	}
	for i, s := range shards {
		if got := candidates(s); !got[i] {
			t.Errorf("shard %d does not find itself among %v", i, got)
		}
	}
	// A tenth of shard 3, and shard 7 with one word of every record changed.
	part := shard(all[1500:1550])
	if got := candidates(part); !got[3] {
		t.Errorf("a tenth of shard 3 finds %v", got)
	}
	if o := Compare(part, shards[3]); math.Abs(o.Near-1) > 0.01 || o.Records != 1 {
		t.Errorf("a tenth of shard 3: %+v", o)
	}
	var changed [][]byte
	for _, r := range all[3500:4000] {
		w := strings.Fields(string(r))
		w[len(w)/2] = "altered"
		changed = append(changed, []byte(strings.Join(w, " ")))
	}
	near := shard(changed)
	if got := candidates(near); !got[7] {
		t.Errorf("shard 7 with changes finds %v", got)
	}
	if o := Compare(near, shards[7]); o.Records > 0.05 || o.Near < 0.6 {
		t.Errorf("shard 7 with changes: %+v", o)
	}
	fresh := shard(all[5500:6000])
	for i, s := range shards {
		if o := Compare(fresh, s); o.Near > 0.25 {
			t.Errorf("new text overlaps with shard %d: %+v", i, o)
		}
	}
}

func TestRepeatsWithinAShardAreCountedOnce(t *testing.T) {
	s := NewSketcher()
	for range 10 {
		for _, r := range corpus(t, 300) {
			s.Add(r)
		}
	}
	k := s.Sketch()
	if k.Records != 3000 || k.Distinct() > 300 || k.Distinct() < 280 {
		t.Errorf("%d records, %.0f distinct", k.Records, k.Distinct())
	}
}

func TestNothingOverlapsWithNothing(t *testing.T) {
	empty, some := NewSketcher().Sketch(), shard([][]byte{[]byte("a b c d e f")})
	for _, o := range []Overlap{Compare(empty, empty), Compare(empty, some)} {
		if o.Records != 0 || o.Near != 0 || o.Similarity != 0 || o.NearDeviation != 1 {
			t.Errorf("%+v", o)
		}
	}
	if o := Compare(some, empty); o.Records != 0 || o.Near != 0 || o.Similarity != 0 {
		t.Errorf("%+v", o)
	}
	if len(empty.Keys()) != 0 {
		t.Error("an empty shard has keys")
	}
}

func TestASketchComesBackFromItsBytes(t *testing.T) {
	for _, n := range []int{0, 1, 100, 4000} {
		s := shard(corpus(t, 4000)[:n])
		b, err := s.MarshalBinary()
		if err != nil || len(b) > MaxSketch {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		var back Sketch
		if err := back.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if back.Records != s.Records || back.Signature != s.Signature || !slices.Equal(back.records, s.records) || !slices.Equal(back.shingles, s.shingles) {
			t.Errorf("%d records: another sketch", n)
		}
		for _, bad := range [][]byte{b[:len(b)-1], append(bytes.Clone(b), 0), append([]byte{2}, b[1:]...), nil} {
			if err := new(Sketch).UnmarshalBinary(bad); !errors.Is(err, ErrSketch) {
				t.Errorf("%d of %d bytes: %v", len(bad), len(b), err)
			}
		}
	}
}

func TestAnErrorOfTheRecordsEndsTheSketch(t *testing.T) {
	broken := errors.New("cut")
	_, err := OfRecords(func(yield func([]byte, error) bool) {
		_ = yield([]byte("a"), nil) && yield(nil, broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func FuzzSketch(f *testing.F) {
	for _, records := range [][][]byte{nil, {[]byte("a b c d e f g")}, {[]byte("x"), []byte("日本語の文章")}} {
		b, err := shard(records).MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Sketch
		if s.UnmarshalBinary(b) != nil {
			return
		}
		again, err := s.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%d bytes come back as %d, %v", len(b), len(again), err)
		}
		o := Compare(s, s)
		if s.Records > 0 && (o.Records != 1 || o.Near != 1 || o.Similarity != 1) {
			t.Fatalf("a sketch and itself: %+v", o)
		}
		if d := s.Distinct(); d < 0 || d > float64(s.Records) || math.IsNaN(d) {
			t.Fatalf("%v distinct of %d", d, s.Records)
		}
		if len(s.Keys()) > MaxKeys {
			t.Fatal("too many keys")
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte("Some text of five words, and more."))
	f.Add([]byte("\xff\xfe"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		shingles(b, func(uint64) { n++ })
		if n < 1 || n > len(b)+1 {
			t.Fatalf("%d shingles of %d bytes", n, len(b))
		}
		if upper := bytes.ToUpper(b); bytes.Equal(bytes.ToLower(upper), b) && Hash(upper) != Hash(b) {
			t.Fatal("case makes a difference")
		}
	})
}

func BenchmarkSketch(b *testing.B) {
	records := corpus(b, 2000)
	n := 0
	for _, r := range records {
		n += len(r)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		shard(records)
	}
}

func BenchmarkCompare(b *testing.B) {
	all := corpus(b, 4000)
	x, y := shard(all[:3000]), shard(all[1000:])
	b.ReportAllocs()
	for b.Loop() {
		Compare(x, y)
	}
}
