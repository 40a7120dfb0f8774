// Package hf reads and writes models as Hugging Face directories: config.json,
// model.safetensors, tokenizer.json, tokenizer_config.json and generation_config.json.
//
// [Save] writes a directory that other implementations of the Llama architecture load,
// always the same bytes for the same model. [Load] reads one into memory. What the engine
// would run wrongly is refused by name: another architecture, activation, rope scaling,
// data type or tokenizer. Files are hostile: sizes are checked before memory is taken,
// and a load takes at most the parameters that the config names, once the weights file has
// been found to be as large, and [model.MaxParams] bounds those.
package hf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"tally/compute/exact/model"
	"tally/compute/exact/tokenizer"
)

// Errors of reading, by file.
var (
	ErrConfig    = errors.New("hf: config.json")
	ErrWeights   = errors.New("hf: model.safetensors")
	ErrTokenizer = errors.New("hf: tokenizer.json")
)

// maxConfig is the largest config.json that is read, in bytes.
const maxConfig = 1 << 20

type config struct {
	Architectures     []string        `json:"architectures"`
	AttentionBias     bool            `json:"attention_bias"`
	AttentionDropout  float64         `json:"attention_dropout"`
	BOS               *int32          `json:"bos_token_id"`
	EOS               json.RawMessage `json:"eos_token_id"`
	HeadDim           int             `json:"head_dim,omitempty"`
	HiddenAct         string          `json:"hidden_act"`
	HiddenSize        int             `json:"hidden_size"`
	InitializerRange  float64         `json:"initializer_range"`
	IntermediateSize  int             `json:"intermediate_size"`
	MaxPositions      int             `json:"max_position_embeddings"`
	MLPBias           bool            `json:"mlp_bias"`
	ModelType         string          `json:"model_type"`
	Heads             int             `json:"num_attention_heads"`
	Layers            int             `json:"num_hidden_layers"`
	KVHeads           int             `json:"num_key_value_heads,omitempty"`
	PretrainingTP     int             `json:"pretraining_tp"`
	NormEps           float64         `json:"rms_norm_eps"`
	RopeScaling       json.RawMessage `json:"rope_scaling"`
	RopeTheta         float64         `json:"rope_theta"`
	SlidingWindow     *int            `json:"sliding_window,omitempty"`
	UseSlidingWindow  bool            `json:"use_sliding_window,omitempty"`
	RopeParameters    *ropeParameters `json:"rope_parameters,omitempty"`
	Quantization      json.RawMessage `json:"quantization_config,omitempty"`
	TieWordEmbeddings bool            `json:"tie_word_embeddings"`
	TorchDtype        string          `json:"torch_dtype,omitempty"`
	UseCache          bool            `json:"use_cache"`
	Vocab             int             `json:"vocab_size"`
}

// ropeParameters is where newer configs keep what rope_theta and rope_scaling said.
type ropeParameters struct {
	Theta float64 `json:"rope_theta"`
	Type  string  `json:"rope_type"`
}

func null(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// parse turns a config.json into a shape.
func parse(data []byte) (model.Config, error) {
	f := config{HiddenAct: "silu", NormEps: 1e-6, RopeTheta: 10000, MaxPositions: 2048}
	if err := json.Unmarshal(data, &f); err != nil {
		return model.Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if len(f.Architectures) != 1 {
		return model.Config{}, fmt.Errorf("%w: %d architectures, want one", ErrConfig, len(f.Architectures))
	}
	if f.RopeParameters != nil {
		if t := f.RopeParameters.Type; t != "" && t != "default" {
			return model.Config{}, fmt.Errorf("%w: rope type %.40q is not supported", ErrConfig, t)
		}
		if f.RopeParameters.Theta != 0 {
			f.RopeTheta = f.RopeParameters.Theta
		}
	}
	c := model.Config{
		Vocab: f.Vocab, Width: f.HiddenSize, Layers: f.Layers, Heads: f.Heads, KVHeads: f.KVHeads, HeadDim: f.HeadDim,
		FFN: f.IntermediateSize, Context: f.MaxPositions, RopeTheta: f.RopeTheta, NormEps: f.NormEps, Tied: f.TieWordEmbeddings,
	}
	switch arch := f.Architectures[0]; {
	case arch != "LlamaForCausalLM" && arch != "Qwen2ForCausalLM":
		return model.Config{}, fmt.Errorf("%w: architecture %.80q: LlamaForCausalLM and Qwen2ForCausalLM are supported", ErrConfig, arch)
	case arch == "Qwen2ForCausalLM":
		c.QKVBias = true
	case f.AttentionBias:
		return model.Config{}, fmt.Errorf("%w: attention_bias puts a bias on the output projection, which is not supported", ErrConfig)
	}
	switch {
	case f.HiddenAct != "silu":
		return model.Config{}, fmt.Errorf("%w: hidden_act %.40q: only silu is supported", ErrConfig, f.HiddenAct)
	case f.MLPBias:
		return model.Config{}, fmt.Errorf("%w: mlp_bias is not supported", ErrConfig)
	case !null(f.RopeScaling):
		return model.Config{}, fmt.Errorf("%w: rope_scaling is not supported", ErrConfig)
	case !null(f.Quantization):
		return model.Config{}, fmt.Errorf("%w: quantized weights are not supported", ErrConfig)
	case f.UseSlidingWindow:
		return model.Config{}, fmt.Errorf("%w: sliding windows are not supported", ErrConfig)
	}
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.HeadDim == 0 && c.Heads > 0 {
		c.HeadDim = c.Width / c.Heads
	}
	// A longer context than the engine's is used up to the engine's bound.
	c.Context = min(c.Context, model.MaxContext)
	if err := c.Validate(); err != nil {
		return model.Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c, nil
}

// Load reads a model and its tokenizer.
func Load(dir fs.FS) (*model.Model, *tokenizer.Tokenizer, error) {
	data, err := readFile(dir, "config.json", maxConfig)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	c, err := parse(data)
	if err != nil {
		return nil, nil, err
	}
	m, err := loadWeights(dir, c)
	if err != nil {
		return nil, nil, err
	}
	data, err = readFile(dir, "tokenizer.json", tokenizer.MaxFile)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
	}
	t, err := tokenizer.Read(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
	}
	if t.Vocab() > c.Vocab {
		return nil, nil, fmt.Errorf("%w: %d tokens, the model has %d", ErrTokenizer, t.Vocab(), c.Vocab)
	}
	return m, t, nil
}

func loadWeights(dir fs.FS, c model.Config) (*model.Model, error) {
	f, err := dir.Open("model.safetensors")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWeights, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWeights, err)
	}
	if least := 2 * int64(c.Params()); info.Size() < least {
		return nil, fmt.Errorf("%w: %d bytes, the config's %d parameters need at least %d", ErrWeights, info.Size(), c.Params(), least)
	}
	m, err := model.New(c)
	if err != nil {
		return nil, err
	}
	if err := readSafetensors(f, info.Size(), m); err != nil {
		return nil, err
	}
	return m, nil
}

func readFile(dir fs.FS, name string, most int64) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return data, err
}

// Save returns the files of a model's directory by name.
func Save(m *model.Model, t *tokenizer.Tokenizer) (map[string][]byte, error) {
	c := m.Config
	f := config{
		Architectures: []string{"LlamaForCausalLM"}, ModelType: "llama", HiddenAct: "silu", HiddenSize: c.Width, HeadDim: c.HeadDim,
		InitializerRange: 0.02, IntermediateSize: c.FFN, MaxPositions: c.Context, Heads: c.Heads, Layers: c.Layers,
		KVHeads: c.KVHeads, PretrainingTP: 1, NormEps: c.NormEps, RopeTheta: c.RopeTheta, TieWordEmbeddings: c.Tied,
		TorchDtype: "float32", UseCache: true, Vocab: c.Vocab, RopeScaling: json.RawMessage("null"), EOS: json.RawMessage("null"),
	}
	if c.QKVBias {
		f.Architectures, f.ModelType = []string{"Qwen2ForCausalLM"}, "qwen2"
	}
	generation := map[string]any{"do_sample": false}
	special := map[string]any{
		"add_prefix_space": false, "clean_up_tokenization_spaces": false, "model_max_length": c.Context,
		"tokenizer_class": "PreTrainedTokenizerFast",
	}
	if end := t.End(); end >= 0 {
		f.EOS = fmt.Append(nil, end)
		f.BOS = &end
		generation["bos_token_id"], generation["eos_token_id"] = end, end
		special["bos_token"], special["eos_token"], special["unk_token"] = tokenizer.EndOfText, tokenizer.EndOfText, tokenizer.EndOfText
	}
	files := make(map[string][]byte)
	for name, v := range map[string]any{
		"config.json": f, "generation_config.json": generation, "tokenizer_config.json": special,
	} {
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("hf: %s: %w", name, err)
		}
		files[name] = append(data, '\n')
	}
	data, err := t.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
	}
	files["tokenizer.json"] = append(data, '\n')
	var b bytes.Buffer
	b.Grow(4*c.Params() + 1<<16)
	if err := writeSafetensors(&b, m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWeights, err)
	}
	files["model.safetensors"] = b.Bytes()
	return files, nil
}
