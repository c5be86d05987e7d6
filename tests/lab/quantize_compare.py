#!/usr/bin/env python3
"""Holds `jikji adapt quantize` to llama-quantize: same tensors and types, levels at most one apart.

The programs are in the lab, so CI does not run this.
    build/release/jikji adapt quantize model-bf16.gguf ours.gguf --type Q4_K --pure
    llama-quantize --pure model-bf16.gguf theirs.gguf Q4_K_S
    ../shared/lab/lab run python3 tests/lab/quantize_compare.py model-bf16.gguf ours.gguf theirs.gguf

Both files' values are compared in units of the step between two levels of their group, the larger of the two files';
`apart` is the share of values that differ by half a step or more. The error of each is that against the model.
"""
import sys

import gguf
import numpy as np

ROWS = 2048  # of each tensor: enough to see every kind of group, and quick


def steps(blocks, dtype):
    """The step between levels of each value: [rows, values]."""
    rows = blocks.shape[0]
    name = dtype.name
    half = lambda b, at: np.ascontiguousarray(b[..., at:at + 2]).view(np.float16).astype(np.float32)  # noqa: E731
    if name in ("Q4_0", "Q8_0"):
        size = 18 if name == "Q4_0" else 34
        return np.abs(half(blocks.reshape(rows, -1, size), 0)).repeat(32, axis=-1).reshape(rows, -1)
    if name == "Q6_K":
        b = blocks.reshape(rows, -1, 210)
        scales = np.ascontiguousarray(b[..., 192:208]).view(np.int8).astype(np.float32)
        return np.abs(scales * half(b, 208)).repeat(16, axis=-1).reshape(rows, -1)
    b = blocks.reshape(rows, -1, 144 if name == "Q4_K" else 176)
    packed = b[..., 4:16].astype(np.int32)
    low, high = packed[..., :4] & 63, (packed[..., 8:12] & 15) | ((packed[..., 0:4] >> 6) << 4)
    scales = np.concatenate([low, high], axis=-1).astype(np.float32)
    return (scales * half(b, 0)).repeat(32, axis=-1).reshape(rows, -1)


def main():
    model, ours, theirs = (gguf.GGUFReader(path) for path in sys.argv[1:4])
    by_name = lambda reader: {t.name: t for t in reader.tensors}  # noqa: E731
    model, ours, theirs = by_name(model), by_name(ours), by_name(theirs)
    assert model.keys() == ours.keys() == theirs.keys(), "not the same tensors"
    worst, values, apart = 0.0, 0, 0
    errors = np.zeros(2)
    for name, a in ours.items():
        b = theirs[name]
        assert a.tensor_type == b.tensor_type and list(a.shape) == list(b.shape), (name, a.tensor_type, b.tensor_type)
        if a.tensor_type.name in ("F32", "F16", "BF16"):
            assert np.array_equal(a.data, b.data), name
            continue
        x = model[name]
        exact = gguf.quants.dequantize(x.data[:ROWS], x.tensor_type)
        one, two = (gguf.quants.dequantize(t.data[:ROWS], t.tensor_type) for t in (a, b))
        step = np.maximum(steps(a.data[:ROWS], a.tensor_type), steps(b.data[:ROWS], b.tensor_type))
        difference = np.abs(one - two) / np.maximum(step, 1e-30)
        worst = max(worst, float(difference.max()))
        apart += int((difference >= 0.5).sum())
        values += difference.size
        errors += [np.square(one - exact).sum(), np.square(two - exact).sum()]
    print(f"{values} values; largest difference {worst:.3f} levels; {100 * apart / values:.3f} % apart; "
          f"error ours / theirs {np.sqrt(errors[0] / errors[1]):.4f}")
    # One level, and what the rounding of scales to f16 and six bits moves the levels themselves.
    assert worst < 1.5, "more than one level apart"


main()
