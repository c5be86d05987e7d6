#!/usr/bin/env python3
"""Reference gradients for src/adapt/train: PyTorch's autograd over transformers' models, in float32.

The models are those of ../models/make.py, whose weights are computed from names, so that only gradients are kept, and of each
tensor's gradient only a sample: its L2 norm, its largest magnitude, and 12 values spread over it.

  gradients.json   per model: two documents and which of their tokens the loss is taken on, the mean loss, and per tensor
                   {"norm", "max", "at": [index...], "value": [...]}; for some models the same with adapters of rank 4, LoRA
                   and DoRA

Needs torch and transformers:  ../shared/lab/lab run python3 tests/goldens/train/make.py
"""
import json
import pathlib
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))
from make import MODELS, fnv1a, scale_of, uniform, weights  # noqa: E402

DORA = ["llama-bias", "qwen3"]
LORA = ["llama-bias", "qwen3", "exaone4-hybrid", "hyperclovax"]
RANK, ALPHA, SAMPLES = 4, 12.0, 12
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Lora(torch.nn.Module):
    def __init__(self, base, name, seed, dora):
        super().__init__()
        self.base = base
        if dora:
            value = weights(seed, f"{name}.lora_magnitude_vector", [base.out_features], -2, 1)
            self.magnitude_vector = torch.nn.Parameter(value)
        for part, shape in (("A", [RANK, base.in_features]), ("B", [base.out_features, RANK])):
            value = weights(seed, f"{name}.lora_{part}.weight", shape, -2, 0)
            setattr(self, part, torch.nn.Parameter(value))

    def forward(self, x):
        scale = ALPHA / RANK
        y = x @ self.base.weight.T + (x @ self.A.T @ self.B.T) * scale
        if hasattr(self, "magnitude_vector"):
            norm = (self.base.weight + scale * self.B @ self.A).norm(dim=1).detach()
            y = y * (self.magnitude_vector / norm)
        return y if self.base.bias is None else y + self.base.bias


def load(name, config):
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config), attn_implementation="eager",
                                             dtype=torch.float32)
    state = {}
    for tensor, value in model.state_dict().items():
        if tensor == "lm_head.weight" and config["tie_word_embeddings"]:
            continue
        exponent, offset = scale_of(tensor, list(value.shape))
        state[tensor] = weights(fnv1a(name), tensor, list(value.shape), exponent, offset)
    model.load_state_dict(state, strict=False)
    model.tie_weights()
    return model


def add_adapters(model, name, dora):
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for path, module in list(model.named_modules()):
        if path.split(".")[-1] in TARGETS:
            parent = model.get_submodule(path.rsplit(".", 1)[0])
            setattr(parent, path.split(".")[-1], Lora(module, path, fnv1a(name), dora))


def documents(name):
    ids = [int(x) for x in (uniform(fnv1a(name) ^ 2, 43) + 1) * 128]
    mask = [int(x > -0.4) for x in uniform(fnv1a(name) ^ 3, 43)]
    return [dict(tokens=ids[:28], trained=mask[:28]), dict(tokens=ids[28:], trained=mask[28:])]


def loss_of(model, docs):
    total, count = 0.0, 0
    for doc in docs:
        logits = model(torch.tensor([doc["tokens"]]), use_cache=False).logits[0].float()
        nll = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(doc["tokens"][1:]), reduction="none")
        keep = torch.tensor(doc["trained"][1:], dtype=torch.bool)
        total, count = total + nll[keep].sum(), count + int(keep.sum())
    return total / count


def sample(gradient):
    flat = gradient.reshape(-1)
    count = min(SAMPLES, flat.numel())
    at = sorted({i * flat.numel() // count + (i * 37) % max(1, flat.numel() // count) for i in range(count)})
    digits = lambda x: float(f"{float(x):.9g}")  # all that float32 has
    return dict(norm=digits(flat.double().norm()), max=digits(flat.abs().max()), at=at,
                value=[digits(flat[i]) for i in at])


def entry(name, config, kind):
    model = load(name, config)
    if kind != "full":
        add_adapters(model, name, kind == "dora")
    docs = documents(name)
    loss = loss_of(model, docs)
    loss.backward()
    loss = float(loss.detach())
    tensors = {}
    for tensor, parameter in model.named_parameters():
        if parameter.requires_grad:
            if kind != "full":
                path, part = tensor.rsplit(".", 1)
                tensor = f"base_model.model.{path}.lora_{part}" + (".weight" if len(part) == 1 else "")
            tensors[tensor] = sample(parameter.grad)
    print(f"{name:18} {kind}  loss {loss:.6f}  {len(tensors)} tensors")
    return dict(name=name, kind=kind, documents=docs, loss=loss, tensors=tensors)


def main():
    entries = [entry(name, config, "full") for name, config in MODELS.items()]
    entries += [entry(name, MODELS[name], "lora") for name in LORA]
    entries += [entry(name, MODELS[name], "dora") for name in DORA]
    head = dict(rank=RANK, alpha=ALPHA)
    text = ",\n".join(json.dumps(e, separators=(",", ":")) for e in entries)
    (HERE / "gradients.json").write_text(f'{{"lora":{json.dumps(head)},"models":[\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
