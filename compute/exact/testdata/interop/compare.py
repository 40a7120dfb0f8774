"""Compares a model directory written by this engine with mlx-lm, an independent implementation.

Usage: compare.py DIRECTORY EXPECTED.json
EXPECTED has "tokens" (prompt and greedy answer), "prompt" (length of the prompt) and "logits"
(one row for each token). Ends with status 0 if all greedy tokens are equal and all logits within 1e-3.
"""
import json
import pathlib
import sys

import mlx.core as mx
import numpy as np
from mlx_lm.utils import load_model

mx.set_default_device(mx.cpu)
directory, expected = pathlib.Path(sys.argv[1]), json.load(open(sys.argv[2]))
model, _ = load_model(directory)
tokens, prompt = expected["tokens"], expected["prompt"]
theirs = np.array(model(mx.array([tokens]))[0].astype(mx.float32))
ours = np.array(expected["logits"], dtype=np.float32)
worst = float(np.abs(theirs[: len(ours), : ours.shape[1]] - ours).max())
wrong = [i for i in range(prompt, len(tokens)) if int(theirs[i - 1].argmax()) != tokens[i]]
print(f"{len(tokens) - prompt} greedy tokens, {len(wrong)} differ; logits differ by at most {worst:.2e}")
if wrong or not worst <= 1e-3:
    sys.exit(1)

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
for text, ids in expected["texts"]:
    if tokenizer.encode(text).ids != ids:
        sys.exit(f"the tokens of {text!r} are {tokenizer.encode(text).ids}, ours {ids}")
    if tokenizer.decode(ids) != text:
        sys.exit(f"{ids} is decoded as {tokenizer.decode(ids)!r}, want {text!r}")
print(f"{len(expected['texts'])} texts have the same tokens")
