package model

import (
	"errors"
	"fmt"
)

// ErrPreset says that a preset's name is unknown.
var ErrPreset = errors.New("model: unknown preset")

// TrainDefaults are the training settings that go with a preset. See train.Recipe for
// what each means.
type TrainDefaults struct {
	Steps, BatchSize, Context, Warmup, CheckpointEvery int
	LR, WeightDecay, ClipNorm                          float64
}

// Presets lists the names that Preset knows, smallest first.
func Presets() []string { return []string{"test", "tiny", "small", "base"} }

// Preset returns a named shape and its training settings: "test" (50 thousand
// parameters, seconds), "tiny" (0.84 million, about a minute), "small" (8 million)
// and "base" (25 million).
func Preset(name string) (Config, TrainDefaults, error) {
	c := Config{RopeTheta: 10000, NormEps: 1e-5, Tied: true}
	d := TrainDefaults{WeightDecay: 0.1, ClipNorm: 1}
	switch name {
	case "test":
		c.Vocab, c.Width, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.FFN, c.Context = 384, 32, 2, 2, 1, 16, 96, 64
		d.Steps, d.BatchSize, d.Context, d.Warmup, d.CheckpointEvery, d.LR = 200, 8, 32, 20, 50, 1e-2
	case "tiny":
		c.Vocab, c.Width, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.FFN, c.Context = 768, 128, 4, 4, 2, 32, 352, 128
		d.Steps, d.BatchSize, d.Context, d.Warmup, d.CheckpointEvery, d.LR = 200, 8, 128, 20, 20, 4e-3
	case "small":
		c.Vocab, c.Width, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.FFN, c.Context = 4096, 256, 8, 8, 4, 32, 704, 256
		d.Steps, d.BatchSize, d.Context, d.Warmup, d.CheckpointEvery, d.LR = 1000, 8, 256, 100, 100, 1.5e-3
	case "base":
		c.Vocab, c.Width, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.FFN, c.Context = 8192, 448, 10, 7, 7, 64, 1216, 512
		d.Steps, d.BatchSize, d.Context, d.Warmup, d.CheckpointEvery, d.LR = 4000, 16, 512, 200, 200, 8e-4
	default:
		return Config{}, TrainDefaults{}, fmt.Errorf("%w %q: choose one of %v", ErrPreset, name, Presets())
	}
	return c, d, nil
}
