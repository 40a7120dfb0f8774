package hf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tally/compute/exact/model"
	"tally/compute/exact/tokenizer"
)

func saved(t testing.TB, tied, bias bool) (*model.Model, map[string][]byte) {
	tok, err := tokenizer.Train(t.Context(), slices.Values([]string{"some text, some more text"}), 260)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Init(model.Config{
		Vocab: 260, Width: 8, Layers: 2, Heads: 2, KVHeads: 1, HeadDim: 4, FFN: 12, Context: 16,
		RopeTheta: 10000, NormEps: 1e-5, Tied: tied, QKVBias: bias,
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	files, err := Save(m, tok)
	if err != nil {
		t.Fatal(err)
	}
	return m, files
}

func dir(files map[string][]byte) fstest.MapFS {
	out := fstest.MapFS{}
	for name, data := range files {
		out[name] = &fstest.MapFile{Data: data}
	}
	return out
}

func TestSavedModelsLoadToTheSameBits(t *testing.T) {
	for _, tied := range []bool{true, false} {
		for _, bias := range []bool{true, false} {
			m, files := saved(t, tied, bias)
			got, tok, err := Load(dir(files))
			if err != nil {
				t.Fatal(err)
			}
			if got.ParamHash() != m.ParamHash() || got.Config != m.Config {
				t.Fatalf("tied %v, bias %v: the model changed", tied, bias)
			}
			again, err := Save(got, tok)
			if err != nil {
				t.Fatal(err)
			}
			for name := range files {
				if !bytes.Equal(files[name], again[name]) {
					t.Fatalf("%s changed", name)
				}
			}
		}
	}
}

// convert rewrites a safetensors file with two bytes a value.
func convert(data []byte, dtype string, to func(uint32) uint16) []byte {
	n := binary.LittleEndian.Uint64(data)
	head := string(data[8 : 8+n])
	head = strings.ReplaceAll(head, `"F32"`, `"`+dtype+`"`)
	var out []byte
	for at := 8 + n; at < uint64(len(data)); at += 4 {
		out = binary.LittleEndian.AppendUint16(out, to(binary.LittleEndian.Uint32(data[at:])))
	}
	// Offsets are all multiples of 4: halve them.
	parts := strings.Split(head, `"data_offsets":[`)
	for i := 1; i < len(parts); i++ {
		end := strings.IndexByte(parts[i], ']')
		var halves []string
		for _, s := range strings.Split(parts[i][:end], ",") {
			v := 0
			for _, c := range s {
				v = v*10 + int(c-'0')
			}
			halves = append(halves, itoa(v/2))
		}
		parts[i] = strings.Join(halves, ",") + parts[i][end:]
	}
	head = strings.Join(parts, `"data_offsets":[`)
	result := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	return append(append(result, head...), out...)
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestHalfPrecisionWeightsAreRead(t *testing.T) {
	m, files := saved(t, true, false)
	files["model.safetensors"] = convert(files["model.safetensors"], "BF16", func(b uint32) uint16 { return uint16(b >> 16) })
	got, _, err := Load(dir(files))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range m.Flat() {
		if math.Float32bits(got.Flat()[i]) != math.Float32bits(v)&0xffff0000 {
			t.Fatalf("value %d is %v, want %v cut to BF16", i, got.Flat()[i], v)
		}
	}
	for h, want := range map[uint16]float32{0: 0, 1: 1.0 / (1 << 24), 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 1.0 / (1 << 14), 0x83ff: -1023.0 / (1 << 24)} {
		if got := math.Float32frombits(half(h)); got != want {
			t.Errorf("half %#x is %v, want %v", h, got, want)
		}
	}
}

func TestWhatWouldRunWronglyIsRefusedByName(t *testing.T) {
	for _, c := range []struct {
		file, from, to, says string
		err                  error
	}{
		{"config.json", "LlamaForCausalLM", "GemmaForCausalLM", "GemmaForCausalLM", ErrConfig},
		{"config.json", `"silu"`, `"gelu"`, "gelu", ErrConfig},
		{"config.json", `"rope_scaling": null`, `"rope_scaling": {"rope_type":"llama3"}`, "rope_scaling", ErrConfig},
		{"config.json", `"mlp_bias": false`, `"mlp_bias": true`, "mlp_bias", ErrConfig},
		{"config.json", `"attention_bias": false`, `"attention_bias": true`, "attention_bias", ErrConfig},
		{"config.json", `"hidden_size": 8`, `"hidden_size": 1099511627776`, "width", ErrConfig},
		{"config.json", `"vocab_size": 260`, `"vocab_size": 200000`, "parameters need", ErrWeights},
		{"config.json", `"intermediate_size": 12`, `"intermediate_size": 13`, "shape", ErrWeights},
		{"config.json", `{`, `[`, "", ErrConfig},
		{"model.safetensors", `"F32"`, `"F64"`, "F64", ErrWeights},
		{"model.safetensors", `"model.norm.weight"`, `"model.norm.weighs"`, "missing", ErrWeights},
		{"tokenizer.json", `"BPE"`, `"Unigram"`, "Unigram", ErrTokenizer},
	} {
		_, files := saved(t, true, false)
		before := files[c.file]
		files[c.file] = bytes.Replace(before, []byte(c.from), []byte(c.to), 1)
		if len(c.from) == len(c.to) || c.file != "model.safetensors" {
			if bytes.Equal(before, files[c.file]) {
				t.Fatalf("%s does not hold %s", c.file, c.from)
			}
		}
		if _, _, err := Load(dir(files)); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", c.to, err)
		}
	}
	_, files := saved(t, true, false)
	data := files["model.safetensors"]
	for name, bad := range map[string][]byte{
		"truncated": data[:len(data)-1], "longer": append(slices.Clone(data), 0), "NaN": append(slices.Clone(data[:len(data)-4]), 0, 0, 0xc0, 0x7f),
		"huge header": append(binary.LittleEndian.AppendUint64(nil, 1<<60), data[8:]...),
	} {
		files["model.safetensors"] = bad
		if _, _, err := Load(dir(files)); !errors.Is(err, ErrWeights) {
			t.Errorf("%s: %v", name, err)
		}
	}
	delete(files, "model.safetensors")
	if _, _, err := Load(dir(files)); !errors.Is(err, ErrWeights) {
		t.Errorf("missing: %v", err)
	}
}

func FuzzConfig(f *testing.F) {
	_, files := saved(f, true, true)
	f.Add(files["config.json"])
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := parse(data); err == nil && c.Validate() != nil {
			t.Fatalf("parse let %+v pass", c)
		}
	})
}

func FuzzSafetensors(f *testing.F) {
	m, files := saved(f, true, false)
	f.Add(files["model.safetensors"])
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		into, err := model.New(m.Config)
		if err != nil {
			t.Fatal(err)
		}
		if readSafetensors(bytes.NewReader(data), int64(len(data)), into) == nil {
			for _, v := range into.Flat() {
				if v-v != 0 {
					t.Fatal("a value is not finite")
				}
			}
		}
	})
}
