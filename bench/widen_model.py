#!/usr/bin/env python3
"""Widens a Llama with zeros so that every matrix has a multiple of 256 columns, and writes it as GGUF F32.

Usage, in the reference lab: widen_model.py MODEL_FOLDER OUT.gguf

The model computes what it computed before: what is added is zero, the norms' weights make up for the mean being over more
values, and a further query head has no output. So K-quants, whose blocks are 256 values, can be tried on small trained
weights. The tokenizer is named llama-bpe, whose pattern the built-in model has.
"""
import json
import math
import pathlib
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

BLOCK = 256
CONVERTER = "/usr/share/llama.cpp/llama.cpp-tools"
BESIDE = ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]


def up(count: int) -> int:
    return -(-count // BLOCK) * BLOCK


def padded(tensor: torch.Tensor, *shape: int) -> torch.Tensor:
    out = torch.zeros(shape)
    out[tuple(slice(0, n) for n in tensor.shape)] = tensor.float()
    return out


def widen(tensors: dict, config: dict) -> dict:
    if config["num_key_value_heads"] != 1:
        raise SystemExit("a further query head would change which keys the others see: one KV head is needed")
    hidden, wide = config["hidden_size"], up(config["hidden_size"])
    inner = up(config["intermediate_size"])
    queries = up(config["num_attention_heads"] * config["head_dim"])
    out = {}
    for name, tensor in tensors.items():
        kind = name.split(".")[-2]
        if kind.endswith("norm"):
            out[name] = padded(tensor, wide) * math.sqrt(hidden / wide)
        elif kind in ("embed_tokens", "lm_head", "k_proj", "v_proj"):
            out[name] = padded(tensor, tensor.shape[0], wide)
        elif kind == "q_proj":
            out[name] = padded(tensor, queries, wide)
        elif kind == "o_proj":
            out[name] = padded(tensor, wide, queries)
        elif kind in ("gate_proj", "up_proj"):
            out[name] = padded(tensor, inner, wide)
        elif kind == "down_proj":
            out[name] = padded(tensor, wide, inner)
        else:
            raise SystemExit(f"{name}: no such tensor is known")
    config.update(hidden_size=wide, intermediate_size=inner, num_attention_heads=queries // config["head_dim"],
                  rms_norm_eps=config["rms_norm_eps"] * hidden / wide, dtype="float32")
    return out


def main() -> None:
    source, target = pathlib.Path(sys.argv[1]), sys.argv[2]
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    tensors = widen(load_file(source / "model.safetensors"), config)
    sys.path.insert(0, CONVERTER)
    from conversion import base, get_model_class
    base.TextModel.get_vocab_base_pre = lambda self, tokenizer: "llama-bpe"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        for name in BESIDE:
            (folder / name).write_bytes((source / name).read_bytes())
        import gguf
        model = get_model_class("LlamaForCausalLM")
        with torch.inference_mode():
            model(folder, gguf.LlamaFileType.ALL_F32, pathlib.Path(target)).write()


if __name__ == "__main__":
    main()
