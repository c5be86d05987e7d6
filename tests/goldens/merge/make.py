#!/usr/bin/env python3
"""Model merges computed anew by NumPy, as the papers and mergekit's documentation define the methods.

Models "a", "b" and "c" have the shape of the `llama` model of ../models/make.py and weights computed from their names, so that
only results are kept.

  merges.json   per recipe: the YAML, and per tensor {"norm", "at": [index...], "value": [...]}

Linear (Wortsman et al. 2022), slerp (Shoemake 1985), task arithmetic (Ilharco et al. 2023), TIES (Yadav et al. 2023), DARE (Yu et
al. 2024). mergekit itself is not at hand. Needs torch and transformers (for ../models/make.py):
  ../shared/lab/lab run python3 tests/goldens/merge/make.py
"""
import importlib.util
import json
import math
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("models", HERE.parent / "models/make.py")
models = importlib.util.module_from_spec(spec)
spec.loader.exec_module(models)

TENSORS = {t["name"]: t for m in json.loads((HERE.parent / "models/models.json").read_text())["models"] if m["name"] == "llama"
           for t in m["tensors"]}
LAYERS = 1 + max(int(name.split(".")[2]) for name in TENSORS if ".layers." in name)
PICKED = ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.up_proj.weight",
          f"model.layers.{LAYERS - 1}.mlp.down_proj.weight", "model.layers.1.input_layernorm.weight", "lm_head.weight"]
SEED, SAMPLES = 5, 10


def values(model, name):
    t = TENSORS[name]
    return models.weights(models.fnv1a(model), name, t["shape"], t["exponent"], t["offset"]).numpy().astype(np.float64)


def layer_of(name):
    return int(name.split(".")[2]) if ".layers." in name else None


def depth(name):
    layer = layer_of(name)
    if layer is None:
        return 0.0 if "embed_tokens" in name else 1.0
    return layer / (LAYERS - 1)


def along(points, name):
    return float(np.interp(depth(name) * (len(points) - 1), range(len(points)), points))


def slerp(a, b, t):
    cosine = float(np.sum(a * b) / (np.linalg.norm(a) * np.linalg.norm(b)))
    if abs(cosine) > 0.9995:
        return (1 - t) * a + t * b
    angle = math.acos(cosine)
    return math.sin((1 - t) * angle) / math.sin(angle) * a + math.sin(t * angle) / math.sin(angle) * b


def largest(delta, density):
    flat = delta.reshape(-1)
    order = np.argsort(-np.abs(flat), kind="stable")[:int(density * flat.size)]
    out = np.zeros_like(flat)
    out[order] = flat[order]
    return out.reshape(delta.shape)


def mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def dropped_at_random(delta, density, name, number):
    with np.errstate(over="ignore"):
        golden = np.uint64(0x9E3779B97F4A7C15)
        seed = np.uint64(SEED ^ models.fnv1a(name)) + np.uint64(number)
        bits = mix(mix(np.array([seed + golden]))[0] + np.arange(delta.size, dtype=np.uint64) + golden)
    kept = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53 < density
    return np.where(kept.reshape(delta.shape), delta / density, 0.0)


def agreed(deltas, weights, normalize):
    """TIES' election: only what points the way of the weighted sum counts."""
    weighted = np.stack([w * d for w, d in zip(weights, deltas)])
    way = np.where(weighted.sum(0) >= 0, 1.0, -1.0)
    mask = np.sign(weighted) == way
    total = (weighted * mask).sum(0)
    if not normalize:
        return total
    divisor = (np.array(weights).reshape(-1, *[1] * deltas[0].ndim) * mask).sum(0)
    return total / np.where(np.abs(divisor) < 1e-8, 1.0, divisor)


def deltas(name):
    a = values("a", name)
    return a, [values(m, name) - a for m in "bc"]


def dare(name, densities):
    a, d = deltas(name)
    return a, [dropped_at_random(x, p, name, i) for i, (x, p) in enumerate(zip(d, densities))]


def task_arithmetic(name):
    a, (b, c) = deltas(name)
    return a + 0.7 * (0.6 * b - 0.25 * c)


def ties(name):
    a, (b, c) = deltas(name)
    weights = [1.0, 0.3 if "mlp" in name else 0.8]
    return a + agreed([largest(b, 0.6), largest(c, 0.25)], weights, True)


def dare_ties(name):
    a, d = dare(name, [0.5, 0.8])
    return a + agreed(d, [0.5, 0.9], False)


def dare_linear(name):
    a, (b, c) = dare(name, [0.3, 0.9])
    return a + 0.5 * b + 0.25 * c


def sources(*entries):
    return "models:\n" + "".join(f"  - {{model: {model}, parameters: {{{parameters}}}}}\n" for model, parameters in entries)


CASES = [
    ("merge_method: linear\n" + sources(("b", "weight: 3"), ("c", "weight: [1, 2]")),
     lambda n: (3 * values("b", n) + along([1, 2], n) * values("c", n)) / (3 + along([1, 2], n))),
    ("merge_method: linear\nparameters: {normalize: false}\n" + sources(("b", "weight: 0.4"), ("c", "weight: 0.5")),
     lambda n: 0.4 * values("b", n) + 0.5 * values("c", n)),
    ("merge_method: slerp\nbase_model: a\nmodels: [{model: b}, {model: a}]\n"
     "parameters: {t: [{filter: self_attn, value: [0.1, 0.9, 0.3]}, {value: 0.4}]}\n",
     lambda n: slerp(values("a", n), values("b", n), along([0.1, 0.9, 0.3], n) if "self_attn" in n else 0.4)),
    ("merge_method: task_arithmetic\nbase_model: a\nparameters: {lambda: 0.7}\n" + sources(("b", "weight: 0.6"), ("c", "weight: -0.25")),
     task_arithmetic),
    ("merge_method: ties\nbase_model: a\n" + sources(
        ("b", "weight: 1, density: 0.6"), ("c", "weight: [{filter: mlp, value: 0.3}, {value: 0.8}], density: 0.25")), ties),
    ("merge_method: dare_ties\nbase_model: a\n" + sources(("b", "weight: 0.5, density: 0.5"), ("c", "weight: 0.9, density: 0.8")),
     dare_ties),
    ("merge_method: dare_linear\nbase_model: a\n" + sources(("b", "weight: 0.5, density: 0.3"), ("c", "weight: 0.25, density: 0.9")),
     dare_linear),
    ("merge_method: passthrough\nslices: [{sources: [{model: b, parameters: {scale: [{filter: down_proj, value: 0.5}, {value: 1}]}}]}]\n",
     lambda n: values("b", n) * (0.5 if "down_proj" in n else 1)),
]


def sample(x):
    flat = np.asarray(x, dtype=np.float64).reshape(-1)
    at = sorted({i * flat.size // SAMPLES + i % 3 for i in range(SAMPLES)})
    digits = lambda v: float(f"{float(v):.9g}")  # noqa: E731
    return dict(norm=digits(np.linalg.norm(flat)), at=at, value=[digits(flat[i]) for i in at])


def main():
    lines = []
    for recipe, merge in CASES:
        lines.append(json.dumps(dict(recipe=recipe, tensors={n: sample(merge(n)) for n in PICKED}), separators=(",", ":")))
        print(recipe.split("\n")[0])
    text = ",\n".join(lines)
    (HERE / "merges.json").write_text(f'{{"seed":{SEED},"merges":[\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
