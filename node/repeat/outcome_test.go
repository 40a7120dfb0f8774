package repeat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute"
	"tally/compute/exact/engine"
	"tally/compute/exact/train"
	"tally/protocol"
)

// stored is a store in memory.
type stored map[cid.Cid][]byte

func (s stored) put(b []byte) cid.Cid {
	c := protocol.CIDOf(b)
	s[c] = b
	return c
}

// Get implements Store.
func (s stored) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	b, ok := s[c]
	if !ok {
		return nil, fmt.Errorf("no %s here", c)
	}
	return b, nil
}

// Fetch implements Store.
func (s stored) Fetch(ctx context.Context, c cid.Cid) error { _, err := s.Get(ctx, c); return err }

// FS implements Store.
func (s stored) FS(_ context.Context, c cid.Cid) (fs.FS, error) {
	return fstest.MapFS{"text": {Data: s[c]}}, nil
}

// Texts implements Store.
func (s stored) Texts(ctx context.Context, c cid.Cid, _, _ string) (fs.FS, error) {
	return s.FS(ctx, c)
}

// Schema implements Datanets.
func (stored) Schema(context.Context, cid.Cid) (schema, field string, err error) {
	return "text", "", nil
}

// OpenFile implements Store.
func (s stored) OpenFile(ctx context.Context, c cid.Cid) (io.ReadCloser, error) {
	b, err := s.Get(ctx, c)
	return io.NopCloser(bytes.NewReader(b)), err
}

// A worker that trains honestly and delivers another model must fail its audit: no
// segment of its trace differs.
func TestAnotherModelThanTheTraceEndsWithIsAMismatch(t *testing.T) {
	r, err := train.NewRecipe("test", 7)
	if err != nil {
		t.Fatal(err)
	}
	r.Steps, r.Warmup, r.CheckpointEvery = 8, 2, 4
	recipe, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	s, e := stored{}, engine.New(2)
	var text bytes.Buffer
	for i := range 200 {
		fmt.Fprintf(&text, "Function F%d reads item %d and returns an error if number %d is missing.\n\x1e", i, i*7%31, i*13%17)
	}
	root := s.put(text.Bytes())
	job := compute.TrainJob{Spec: protocol.TrainSpec{Recipe: recipe, MaxTokens: 1 << 30, Shards: []cid.Cid{root}}}
	files, err := s.FS(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	job.Shards = []compute.Shard{{Root: root, Files: files}}
	var trace protocol.TrainTrace
	res, err := e.Train(t.Context(), job, func(compute.Progress) error { return nil }, func(c compute.Checkpoint) error {
		b, err := io.ReadAll(c.Data)
		trace.Leaves, trace.Checkpoints = append(trace.Leaves, c.Leaf), append(trace.Checkpoints, s.put(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Release() }()
	p := New(Config{Store: s, Datanets: s})
	honest := protocol.TrainOutput{ParamHash: res.ParamHash, Params: res.Params, Steps: res.Steps}
	if f, ok, err := p.outcome(t.Context(), e, job, trace, honest); err != nil || !ok {
		t.Fatalf("an honest delivery: %+v, %v, %v", f, ok, err)
	}
	short := trace
	short.Leaves, short.Checkpoints = trace.Leaves[:1], trace.Checkpoints[:1]
	for what, c := range map[string]struct {
		trace protocol.TrainTrace
		out   protocol.TrainOutput
	}{
		"other parameters": {trace, protocol.TrainOutput{ParamHash: common.Hash{1}, Params: res.Params, Steps: res.Steps}},
		"other number":     {trace, protocol.TrainOutput{ParamHash: res.ParamHash, Params: res.Params + 1, Steps: res.Steps}},
		"other steps":      {trace, protocol.TrainOutput{ParamHash: res.ParamHash, Params: res.Params, Steps: res.Steps - 1}},
		"an early end":     {short, honest},
	} {
		if f, ok, err := p.outcome(t.Context(), e, job, c.trace, c.out); err != nil || ok || f.Outcome != protocol.OutcomeMismatch {
			t.Errorf("%s: %+v, %v, %v", what, f, ok, err)
		}
	}
	forged := trace
	forged.Leaves = []common.Hash{trace.Leaves[0], {9}}
	if f, ok, err := p.outcome(t.Context(), e, job, forged, honest); err != nil || ok || f.Outcome != protocol.OutcomeMismatch {
		t.Errorf("a checkpoint of another leaf: %+v, %v, %v", f, ok, err)
	}
}
