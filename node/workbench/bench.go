// Package workbench is what an operator does to models on the own machine: [Bench]
// measures what the engine can serve here before it is offered, [Convert] writes a model in another form,
// [Adapt] and [CheckBase] see whether an adapter and a base belong together. [BenchStorage]
// measures what the disk and the line between two processes can serve.
//
// A measurement takes the way that work takes: a model of random parameters is
// written to a directory, opened by the engine as a worker would open it, asked,
// verified and trained; nothing is simulated.
// Numbers depend on what else the machine does: compare ratios of one run.
package workbench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"tally/compute"
	"tally/compute/exact/engine"
	"tally/compute/exact/gguf"
	"tally/compute/exact/hf"
	"tally/compute/exact/kernel"
	"tally/compute/exact/model"
	"tally/compute/exact/tokenizer"
	"tally/compute/exact/train"
	"tally/protocol"
)

// ErrBench is the class of measurements that cannot be made.
var ErrBench = errors.New("workbench")

// Types are the weight types that can be measured.
func Types() []string { return []string{"f32", "f16", "q8_0"} }

// Config says what to measure.
type Config struct {
	Presets []string
	Types   []string
	Threads int           // 0: one per processor
	Time    time.Duration // of each measurement, at least
	Dir     string        // for the models; it is left empty
	Say     func(string)  // what is under way; may be nil
}

// Validate says what is wrong and what to write instead.
func (c Config) Validate() error {
	for _, p := range c.Presets {
		if _, _, err := model.Preset(p); err != nil {
			return fmt.Errorf("%w: %w", ErrBench, err)
		}
	}
	for _, t := range c.Types {
		if !slices.Contains(Types(), t) {
			return fmt.Errorf("%w: weight type %q: use one of %v", ErrBench, t, Types())
		}
	}
	if c.Time <= 0 || c.Time > time.Hour {
		return fmt.Errorf("%w: %s a measurement: want more than nothing and at most an hour", ErrBench, c.Time)
	}
	return nil
}

// Row is one model measured. Speeds are tokens per second.
type Row struct {
	Preset   string  `json:"preset"`
	Type     string  `json:"type"`
	Params   int     `json:"params"`
	Weights  int64   `json:"weights_bytes"`  // as they lie on disk, mapped
	Cache    int64   `json:"cache_bytes"`    // of keys and values of one request as long as the context
	Resident int64   `json:"resident_bytes"` // by which the process grew when the model was opened and used, mapped weights included; 0 where the system does not tell
	Decode   float64 `json:"decode"`         // one answer alone
	Batch    float64 `json:"decode_batch_8"` // eight answers at once, together
	Prefill  float64 `json:"prefill"`
	Verify   float64 `json:"verify"`
	Train    float64 `json:"train,omitempty"` // f32 only
}

// Report is all of it.
type Report struct {
	Kernel  string `json:"kernel"` // which inner kernels this processor runs
	Class   string `json:"class"`
	Threads int    `json:"threads"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Rows    []Row  `json:"rows"`
}

// Bench measures every preset with every type.
func Bench(ctx context.Context, c Config) (Report, error) {
	if err := c.Validate(); err != nil {
		return Report{}, err
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	r := kernel.NewRunner(c.Threads)
	rep := Report{Kernel: r.Class(), Class: engine.New(c.Threads).Class(), Threads: r.Threads(), OS: runtime.GOOS, Arch: runtime.GOARCH, Rows: []Row{}}
	for _, preset := range c.Presets {
		b, err := newBench(ctx, c, preset)
		if err != nil {
			return rep, err
		}
		for _, t := range c.Types {
			row, err := b.row(ctx, t)
			if err != nil {
				return rep, errors.Join(fmt.Errorf("workbench: %s in %s: %w", preset, t, err), b.close())
			}
			rep.Rows = append(rep.Rows, row)
		}
		if err := b.close(); err != nil {
			return rep, fmt.Errorf("workbench: %w", err)
		}
	}
	return rep, nil
}

// bench is one preset under measurement. What it is made of lies on disk only, so that the
// memory measured is that of serving.
type bench struct {
	c      Config
	preset string
	shape  model.Config
	dir    string // holds a directory for each type, and the text
	prompt string // of at most half the context
}

func newBench(ctx context.Context, c Config, preset string) (_ *bench, err error) {
	c.Say("preparing " + preset)
	b := &bench{c: c, preset: preset}
	if b.shape, _, err = model.Preset(preset); err != nil {
		return nil, err
	}
	text := prose(b.shape.Vocab)
	tok, err := tokenizer.Train(ctx, slices.Values(text), b.shape.Vocab)
	if err != nil {
		return nil, err
	}
	b.shape.Vocab = tok.Vocab() // the text may not have as many pairs
	m, err := model.Init(b.shape, 1)
	if err != nil {
		return nil, err
	}
	ids := tok.Encode(text[0])
	b.prompt = tok.Decode(ids[:min(len(ids), b.shape.Context*3/8)])
	if b.dir, err = os.MkdirTemp(c.Dir, "bench-"); err != nil {
		return nil, fmt.Errorf("workbench: %w", err)
	}
	if err := b.write(m, tok, text); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error { return os.RemoveAll(b.dir) }

// write lays the model out with weights of every type, and the text.
func (b *bench) write(m *model.Model, tok *tokenizer.Tokenizer, text []string) error {
	put := func(dir, name string, data []byte) error {
		dir = filepath.Join(b.dir, dir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("workbench: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("workbench: %w", err)
		}
		return nil
	}
	for _, weights := range b.c.Types {
		files, err := hf.Save(m, tok)
		if err != nil {
			return err
		}
		if weights != "f32" {
			delete(files, "model.safetensors")
			typ := kernel.F16
			if weights == "q8_0" {
				typ = kernel.Q8_0
			}
			var out bytes.Buffer
			if err := gguf.Write(&out, gguf.Model{Params: m.Params(), Tokenizer: tok}, typ, b.preset); err != nil {
				return err
			}
			files["model.gguf"] = out.Bytes()
		}
		for name, data := range files {
			if err := put(weights, name, data); err != nil {
				return err
			}
		}
	}
	return put("text", "text", []byte(protocol.JoinRecords(text)))
}

// prose makes text of made-up words, more of them for larger vocabularies.
func prose(vocab int) []string {
	const letters = "etaoinshrdlucmfwypvbgkjqxz"
	words := make([]string, vocab)
	for i := range words {
		var w strings.Builder
		for j := range 3 + kernel.Bits64(1, 0, uint64(i), 0)%7 {
			at := min(kernel.Bits64(2, j, uint64(i), 0)%26, kernel.Bits64(3, j, uint64(i), 0)%26)
			w.WriteByte(letters[at])
		}
		words[i] = w.String()
	}
	docs := make([]string, 64)
	for d := range docs {
		var b strings.Builder
		for i := range vocab / 2 {
			n := uint64(d*vocab + i)
			b.WriteString(words[min(kernel.Bits64(4, 0, n, 0)%uint64(vocab), kernel.Bits64(5, 0, n, 0)%uint64(vocab))])
			b.WriteByte(' ')
		}
		docs[d] = b.String()
	}
	return docs
}

func (b *bench) row(ctx context.Context, weights string) (Row, error) {
	dir := filepath.Join(b.dir, weights)
	row := Row{Preset: b.preset, Type: weights, Params: b.shape.Params(), Weights: weightsOf(dir)}
	row.Cache = 8 * int64(b.shape.Context) * int64(b.shape.Layers) * int64(b.shape.KVHeads) * int64(b.shape.HeadDim)
	debug.FreeOSMemory()
	before := rss()
	e := engine.New(b.c.Threads)
	defer e.Close()
	var err error
	m := compute.Model{ID: protocol.CIDOf([]byte(b.preset + weights)), Files: os.DirFS(dir)}
	room := b.shape.Context
	b.c.Say(b.preset + " " + weights + ": prefill")
	if row.Prefill, err = b.rate(func() (int, error) {
		t, err := e.Generate(ctx, compute.InferJob{Model: m, Request: request(b.prompt, 1)}, nothing)
		return len(t.Output.Prompt), err
	}); err != nil {
		return row, err
	}
	b.c.Say(b.preset + " " + weights + ": decode")
	write := room / 2
	var t protocol.Transcript
	if row.Decode, err = b.decode(ctx, e, m, request("a", write), &t); err != nil {
		return row, err
	}
	row.Resident = max(0, rss()-before)
	b.c.Say(b.preset + " " + weights + ": verify")
	if row.Verify, err = b.rate(func() (int, error) {
		f, err := e.VerifyTranscript(ctx, m, t)
		if err == nil && !f.Equal {
			err = fmt.Errorf("%w: an answer of this machine does not verify on it: leaf %d", ErrBench, f.Leaf)
		}
		return len(t.Output.Tokens), err
	}); err != nil {
		return row, err
	}
	b.c.Say(b.preset + " " + weights + ": eight answers at once")
	if row.Batch, err = b.batch(ctx, e, m, request("a", write)); err != nil {
		return row, err
	}
	if weights == "f32" {
		b.c.Say(b.preset + ": training")
		row.Train, err = b.train(ctx, e)
	}
	return row, err
}

func request(prompt string, tokens int) protocol.InferRequest {
	return protocol.InferRequest{Prompt: prompt, MaxTokens: uint64(tokens)}
}

func nothing(compute.Chunk) error { return nil }

// rate runs f for the time of a measurement, after once to warm up, and returns
// how many of what it counts it does in a second.
func (b *bench) rate(f func() (int, error)) (float64, error) {
	if _, err := f(); err != nil {
		return 0, err
	}
	start, sum := time.Now(), 0
	for {
		n, err := f()
		if err != nil {
			return 0, err
		}
		sum += n
		if d := time.Since(start); d >= b.c.Time {
			return float64(sum) / d.Seconds(), nil
		}
	}
}

// decode measures from the first token written to the last, so without the prompt.
func (b *bench) decode(ctx context.Context, e *engine.Engine, m compute.Model, q protocol.InferRequest, t *protocol.Transcript) (float64, error) {
	var spent time.Duration
	tokens := 0
	for first := true; first || spent < b.c.Time; first = false {
		var begin time.Time
		n := 0
		got, err := e.Generate(ctx, compute.InferJob{Model: m, Request: q}, func(c compute.Chunk) error {
			if n == 0 && len(c.Tokens) > 0 {
				begin = time.Now()
			}
			n += len(c.Tokens)
			return nil
		})
		if err != nil {
			return 0, err
		}
		spent += time.Since(begin)
		tokens += n - 1
		*t = got
		if n < 2 {
			break // it ended at once; the speed would be that of nothing
		}
	}
	return float64(tokens) / spent.Seconds(), nil
}

// batch measures eight answers together.
func (b *bench) batch(ctx context.Context, e *engine.Engine, m compute.Model, q protocol.InferRequest) (float64, error) {
	type end struct {
		n   int
		err error
	}
	return b.rate(func() (int, error) {
		ends := make(chan end)
		for i := range 8 {
			q := q
			q.Seed, q.Temperature = uint64(i), 0x3f800000 // 1, so that they are eight answers
			go func() {
				t, err := e.Generate(ctx, compute.InferJob{Model: m, Request: q, Client: fmt.Sprint(i)}, nothing)
				ends <- end{len(t.Output.Tokens), err}
			}()
		}
		sum := 0
		var failed error
		for range 8 {
			x := <-ends
			sum += x.n
			failed = errors.Join(failed, x.err)
		}
		return sum, failed
	})
}

// train measures from the end of the first step on.
func (b *bench) train(ctx context.Context, e *engine.Engine) (float64, error) {
	r, err := train.NewRecipe(b.preset, 1)
	if err != nil {
		return 0, err
	}
	r.Config.Vocab = max(257, b.shape.Vocab)
	r.EvalWindows = 1
	raw, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("workbench: %w", err)
	}
	var begin time.Time
	var first, rate float64
	job := compute.TrainJob{
		Spec:   protocol.TrainSpec{Recipe: raw, MaxTokens: uint64(r.Steps) * uint64(r.BatchSize) * uint64(r.Context)},
		Shards: []compute.Shard{{Files: os.DirFS(filepath.Join(b.dir, "text"))}},
	}
	enough := errors.New("measured enough")
	_, err = e.Train(ctx, job, func(p compute.Progress) error {
		if begin.IsZero() {
			begin, first = time.Now(), float64(p.Tokens)
			return nil
		}
		d := time.Since(begin)
		rate = (float64(p.Tokens) - first) / d.Seconds()
		if d >= b.c.Time {
			return enough
		}
		return nil
	}, func(compute.Checkpoint) error { return nil })
	if errors.Is(err, enough) {
		err = nil
	}
	return rate, err
}

func weightsOf(dir string) int64 {
	var sum int64
	for _, name := range []string{"model.safetensors", "model.gguf"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// rss is the memory of this process that is in use, where Linux tells.
func rss() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
