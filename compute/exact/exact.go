// Package exact is the engine that the network can check by equality: it trains and
// serves small language models, bit for bit the same on every machine.
//
// Its parts, from the bottom: kernel (arithmetic under contract DK-1, docs/spec/dk-1.md),
// tokenizer (byte-level BPE), model (a decoder of the Llama family), hf (Hugging Face
// directories), infer (generation, traces, verification) and train (training, checkpoints,
// verification). Each can be used alone; none knows the network.
//
// The contract: the same request on the same model, or the same recipe on the same documents,
// gives the same tokens, parameters and trace leaves on any processor, with any number of
// threads, in any batch, before and after a crash. A NaN or an infinity fails the job
// instead. Golden results are kept in testdata/golden.txt: a change of any of them is a
// new engine class.
package exact

// Class names the arithmetic. Nodes of different classes do not check each other's work.
const Class = "exact/dk-1"
