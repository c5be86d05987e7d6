#!/usr/bin/env python3
"""Reference outputs for src/model: tiny checkpoints of every family, run by transformers in float32.

No weights are kept: both this script and the test (src/model/golden_models_test.cc) compute them from the tensors' names with
one integer formula, so that only what transformers answers is committed:

  models.json           per model: its config.json, the same as GGUF keys, its tensors (shape, exponent, offset, name in
                        GGUF), a prompt of 24 tokens, 64 greedy tokens, and the smallest gap between the best and the
                        second logit on the way
  expected.safetensors  per model `NAME.logits`: [24, vocab] f32; for jikji-mini-ko the rows that models.json names

Names and keys of GGUF come from gguf-py, not from our tables. Needs torch, transformers, safetensors and gguf:
  ../shared/lab/lab run python3 tests/goldens/models/make.py
"""
import json
import math
import pathlib

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PROMPT, GREEDY = 24, 64
MASK = (1 << 64) - 1


def fnv1a(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def uniform(seed, count):
    """SplitMix64 of seed + i; the top 24 bits as a number in [-1, 1) that float32 holds exactly."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.int64) - (1 << 23)).astype(np.float32) / np.float32(1 << 23)


def weights(model_seed, name, shape, exponent, offset):
    u = uniform(fnv1a(name) ^ model_seed, math.prod(shape))
    return torch.from_numpy(np.float32(offset) + u * np.float32(2.0**exponent)).reshape(shape)


def scale_of(name, shape):
    """(exponent, offset): norms about 1; the head so that logits spread; embeddings small beside what the layers add,
    lest a tied head only repeats its input; the rest keeps the size of x."""
    if len(shape) == 1:
        return (-3, 0) if name.endswith(".bias") else (-2, 1)
    if "lm_head" in name or "embed_tokens" in name:
        return (0, 0) if "lm_head" in name else (-2, 0)
    return round(math.log2(math.sqrt(3 / shape[1]))), 0


BASE = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
            vocab_size=256, max_position_embeddings=128, rms_norm_eps=1e-5, hidden_act="silu", bos_token_id=1,
            eos_token_id=2, tie_word_embeddings=False)
LLAMA = dict(BASE, model_type="llama", architectures=["LlamaForCausalLM"])
# Old and new forms of the same field on purpose: rope_theta + rope_scaling, and transformers 5's rope_parameters.
MODELS = {
    "llama": dict(LLAMA, rope_theta=10000.0),
    "llama-tied": dict(LLAMA, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 5e5}),
    "llama-bias": dict(LLAMA, attention_bias=True, mlp_bias=True, rope_theta=10000.0),
    "llama-head-dim": dict(LLAMA, head_dim=32, num_key_value_heads=1, rope_theta=10000.0),
    "llama-linear": dict(LLAMA, rope_theta=10000.0, rope_scaling={"type": "linear", "factor": 4.0}),
    "llama-llama3": dict(LLAMA, head_dim=32, rope_theta=500000.0,
                         rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                       "high_freq_factor": 4.0, "original_max_position_embeddings": 64}),
    "llama-yarn": dict(LLAMA, head_dim=32,
                       rope_parameters={"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0,
                                        "original_max_position_embeddings": 32}),
    "llama-yarn-custom": dict(LLAMA, head_dim=32,
                              rope_parameters={"rope_type": "yarn", "rope_theta": 20000.0, "factor": 8.0,
                                               "original_max_position_embeddings": 64, "attention_factor": 1.5,
                                               "beta_fast": 16.0, "beta_slow": 2.0, "truncate": False}),
    "mistral": dict(BASE, model_type="mistral", architectures=["MistralForCausalLM"], head_dim=16, sliding_window=20,
                    rope_theta=1000000.0),
    "qwen2": dict(BASE, model_type="qwen2", architectures=["Qwen2ForCausalLM"], rms_norm_eps=1e-6,
                  rope_theta=1000000.0, tie_word_embeddings=True, use_sliding_window=False, sliding_window=16,
                  max_window_layers=1),
    "qwen2-window": dict(BASE, model_type="qwen2", architectures=["Qwen2ForCausalLM"], rms_norm_eps=1e-6,
                         rope_theta=1000000.0, use_sliding_window=True, sliding_window=16, max_window_layers=1),
    "qwen3": dict(BASE, model_type="qwen3", architectures=["Qwen3ForCausalLM"], rms_norm_eps=1e-6, head_dim=32,
                  rope_theta=1000000.0, tie_word_embeddings=True),
    # 32B: three layers with a window and rotary embedding, then one over everything without position.
    "exaone4-hybrid": dict(BASE, model_type="exaone4", architectures=["Exaone4ForCausalLM"], num_hidden_layers=4,
                           head_dim=16, rope_theta=1000000.0, sliding_window=16, sliding_window_pattern="LLLG",
                           layer_types=["sliding_attention"] * 3 + ["full_attention"],
                           rope_scaling={"rope_type": "llama3", "factor": 16.0, "low_freq_factor": 1.0,
                                         "high_freq_factor": 4.0, "original_max_position_embeddings": 64}),
    # 1.2B: no window, rotary embedding everywhere.
    "exaone4-global": dict(BASE, model_type="exaone4", architectures=["Exaone4ForCausalLM"], head_dim=16,
                           rope_theta=1000000.0, sliding_window=None, sliding_window_pattern=None,
                           layer_types=["full_attention"] * 3, tie_word_embeddings=True),
    # SEED Think 14B: norms before and after, and maximal-update scales.
    "hyperclovax": dict(BASE, model_type="hyperclovax", architectures=["HyperCLOVAXForCausalLM"], head_dim=16,
                        rope_theta=10000.0, use_post_norm=True, attention_multiplier=0.125, residual_multiplier=0.5,
                        embedding_multiplier=2.0, logits_scaling=0.25),
}
ARCHITECTURES = {"llama": gguf.MODEL_ARCH.LLAMA, "mistral": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2,
                 "qwen3": gguf.MODEL_ARCH.QWEN3, "exaone4": gguf.MODEL_ARCH.EXAONE4}


def gguf_keys(config):
    """What llama.cpp's converter writes for such a config.json, or None where it knows no such model."""
    if config["model_type"] not in ARCHITECTURES:
        return None
    arch = gguf.MODEL_ARCH_NAMES[ARCHITECTURES[config["model_type"]]]
    rope = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    k = gguf.Keys
    keys = {k.General.ARCHITECTURE: arch}

    def put(key, value):
        keys[key.format(arch=arch)] = value

    put(k.LLM.CONTEXT_LENGTH, config["max_position_embeddings"])
    put(k.LLM.EMBEDDING_LENGTH, config["hidden_size"])
    put(k.LLM.BLOCK_COUNT, config["num_hidden_layers"])
    put(k.LLM.FEED_FORWARD_LENGTH, config["intermediate_size"])
    put(k.LLM.VOCAB_SIZE, config["vocab_size"])
    put(k.Attention.HEAD_COUNT, config["num_attention_heads"])
    put(k.Attention.HEAD_COUNT_KV, config["num_key_value_heads"])
    put(k.Attention.LAYERNORM_RMS_EPS, config["rms_norm_eps"])
    put(k.Rope.FREQ_BASE, config.get("rope_theta") or rope["rope_theta"])
    put(k.Rope.DIMENSION_COUNT, head_dim)
    if "head_dim" in config:
        put(k.Attention.KEY_LENGTH, head_dim)
        put(k.Attention.VALUE_LENGTH, head_dim)
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind in ("linear", "yarn"):
        put(k.Rope.SCALING_TYPE, kind)
        put(k.Rope.SCALING_FACTOR, rope["factor"])
    if kind == "yarn":
        put(k.Rope.SCALING_ORIG_CTX_LEN, rope["original_max_position_embeddings"])
        for field, key in (("truncate", k.Rope.SCALING_YARN_TRUNCATE),
                           ("attention_factor", k.Rope.SCALING_YARN_ATTN_FACTOR),
                           ("beta_fast", k.Rope.SCALING_YARN_BETA_FAST),
                           ("beta_slow", k.Rope.SCALING_YARN_BETA_SLOW)):
            if field in rope:
                put(key, rope[field])
    if config.get("sliding_window") and config.get("use_sliding_window", True):
        put(k.Attention.SLIDING_WINDOW, config["sliding_window"])
        if "layer_types" in config:
            put(k.Attention.SLIDING_WINDOW_PATTERN, [t == "sliding_attention" for t in config["layer_types"]])
        elif "max_window_layers" in config:
            put(k.Attention.SLIDING_WINDOW_PATTERN,
                [i >= config["max_window_layers"] for i in range(config["num_hidden_layers"])])
    return keys


def rope_factors(config):
    """`rope_freqs.weight` as llama.cpp's converter writes it for llama3 scaling."""
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    if rope.get("rope_type") != "llama3":
        return None
    dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    freqs = 1.0 / (config["rope_theta"] ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim))
    factor, low, high = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"]
    old = rope["original_max_position_embeddings"]
    out = []
    for freq in freqs:
        wavelen = 2 * math.pi / freq
        if wavelen < old / high:
            out.append(1.0)
        elif wavelen > old / low:
            out.append(factor)
        else:
            smooth = (old / wavelen - low) / (high - low)
            out.append(float(1 / ((1 - smooth) / factor + smooth)))
    return torch.tensor(out, dtype=torch.float32)


@torch.no_grad()
def run(model, prompt):
    """Logits of the prompt, greedy continuation, and the smallest lead of a chosen token over the next best."""
    out = model(torch.tensor([prompt]), use_cache=True)
    logits, cache, ids, gap = out.logits[0].float(), out.past_key_values, [], math.inf
    last = logits[-1]
    while True:
        best = torch.topk(last, 2)
        gap = min(gap, float(best.values[0] - best.values[1]))
        ids.append(int(best.indices[0]))
        if len(ids) == GREEDY:
            return logits, ids, gap
        out = model(torch.tensor([[ids[-1]]]), past_key_values=cache, use_cache=True)
        last, cache = out.logits[0, -1].float(), out.past_key_values


def tiny(name, config):
    seed = fnv1a(name)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config), attn_implementation="eager",
                                             dtype=torch.float32).eval()
    state = dict(model.state_dict())
    if config["tie_word_embeddings"]:
        del state["lm_head.weight"]
    arch = ARCHITECTURES.get(config["model_type"])
    name_map = gguf.get_tensor_name_map(arch, config["num_hidden_layers"]) if arch else None
    tensors, loaded = [], {}
    for tensor, value in sorted(state.items()):
        shape = list(value.shape)
        exponent, offset = scale_of(tensor, shape)
        entry = dict(name=tensor, shape=shape, exponent=exponent, offset=offset)
        if name_map:
            entry["gguf"] = name_map.get_name(tensor, try_suffixes=(".weight", ".bias"))
            assert entry["gguf"], tensor
        tensors.append(entry)
        loaded[tensor] = weights(seed, tensor, shape, exponent, offset)
    missing, unexpected = model.load_state_dict(loaded, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    prompt = [int(x) for x in (uniform(seed ^ 1, PROMPT) + 1) * config["vocab_size"] / 2]
    logits, greedy, gap = run(model, prompt)
    entry = dict(name=name, config=config, gguf=gguf_keys(config), tensors=tensors, prompt=prompt, greedy=greedy,
                 gap=gap)
    if name_map and (factors := rope_factors(config)) is not None:
        entry["rope_freqs"] = [float(x) for x in factors]
    return entry, logits


def built_in():
    model = AutoModelForCausalLM.from_pretrained(ROOT / "models/jikji-mini-ko", attn_implementation="eager",
                                                 dtype=torch.float32).eval()
    prompt = [0] + [int(x) for x in (uniform(fnv1a("jikji-mini-ko"), PROMPT - 1) + 1) * 2000 + 64]
    logits, greedy, gap = run(model, prompt)
    rows = [0, 11, 23]
    return dict(name="jikji-mini-ko", rows=rows, prompt=prompt, greedy=greedy, gap=gap), logits[rows]


def main():
    entries, expected = [], {}
    for name, config in MODELS.items():
        entry, logits = tiny(name, config)
        entries.append(entry)
        expected[f"{name}.logits"] = logits.contiguous()
        print(f"{name:18} logits std {float(logits.std()):6.3f}  smallest gap {entry['gap']:.5f}  "
              f"distinct greedy {len(set(entry['greedy']))}")
    mini, logits = built_in()
    expected["jikji-mini-ko.logits"] = logits.contiguous()
    print(f"jikji-mini-ko      logits std {float(logits.std()):6.3f}  smallest gap {mini['gap']:.5f}")
    save_file(expected, HERE / "expected.safetensors")
    (HERE / "expected.safetensors").chmod(0o644)
    text = ",\n".join(json.dumps(e, separators=(",", ":")) for e in entries)
    (HERE / "models.json").write_text(
        f'{{"models":[\n{text}\n],\n"built_in":{json.dumps(mini, separators=(",", ":"))}}}\n')


if __name__ == "__main__":
    main()
