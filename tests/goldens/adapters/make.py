#!/usr/bin/env python3
"""Reference logits of adapted models: LoRA and DoRA merged into the weights by NumPy, run by transformers in float32.

Models and adapters are computed from names (../models/make.py, ../train/make.py), so that only what transformers answers is
kept: the logits of the last token of each model's prompt.

  logits.json   {"rank", "alpha", "models": [{"name", "kind", "logits"}]}

PEFT itself is not at hand; what it computes is documented: y = W x + (alpha / r) B A x, and with DoRA
y = m / |W + (alpha / r) B A| (by row) times that. Needs torch and transformers:
  ../shared/lab/lab run python3 tests/goldens/adapters/make.py
"""
import importlib.util
import json
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent


def module(name):
    spec = importlib.util.spec_from_file_location(name, HERE.parent / name / "make.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


models = module("models")
sys.modules["make"] = models  # as ../train/make.py imports it
train = module("train")


def adapt(model, name, dora):
    scale = np.float32(train.ALPHA / train.RANK)
    values = lambda path, part, shape, offset: models.weights(  # noqa: E731
        models.fnv1a(name), f"{path}.{part}", shape, -2, offset).numpy()
    for path, linear in model.named_modules():
        if path.split(".")[-1] not in train.TARGETS:
            continue
        rows, cols = linear.weight.shape
        a = values(path, "lora_A.weight", [train.RANK, cols], 0)
        b = values(path, "lora_B.weight", [rows, train.RANK], 0)
        merged = linear.weight.detach().numpy() + scale * (b @ a)
        if dora:
            m = values(path, "lora_magnitude_vector", [rows], 1)
            merged *= (m / np.linalg.norm(merged, axis=1))[:, None]
        linear.weight.data = torch.from_numpy(merged)


def main():
    prompts = {m["name"]: m["prompt"] for m in json.loads((HERE.parent / "models/models.json").read_text())["models"]}
    entries = []
    for kind, names in (("lora", train.LORA), ("dora", train.DORA)):
        for name in names:
            model = train.load(name, models.MODELS[name])
            adapt(model, name, kind == "dora")
            with torch.no_grad():
                logits = model(torch.tensor([prompts[name]]), use_cache=False).logits[0, -1]
            entries.append(dict(name=name, kind=kind, logits=[float(f"{x:.9g}") for x in logits.tolist()]))
            print(f"{name:18} {kind}  best {int(logits.argmax())}")
    lines = ",\n".join(json.dumps(e, separators=(",", ":")) for e in entries)
    (HERE / "logits.json").write_text(f'{{"rank":{train.RANK},"alpha":{train.ALPHA},"models":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
