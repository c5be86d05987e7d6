#!/usr/bin/env python3
"""Holds `jikji adapt quantize` to llama-quantize: same tensors and types, levels one apart at most.

The programs are in the lab, so CI does not run this.
    build/release/jikji adapt quantize model-bf16.gguf ours.gguf --type Q4_K --pure
    llama-quantize --pure model-bf16.gguf theirs.gguf Q4_K_S
    ../shared/lab/lab run python3 tests/lab/quantize_compare.py model-bf16.gguf ours.gguf theirs.gguf

Levels are compared as the blocks keep them (4 to 8 bits); values in units of the step between two levels. `apart` is the
share of levels that differ. The error of each file is that against the model.
"""
import sys

import gguf
import numpy as np

ROWS = 1024  # of each tensor: enough to see every kind of group, and quick


def unpack(blocks, dtype):
    """The level of each value, and the step between two: both [rows, values]."""
    rows, name = blocks.shape[0], dtype.name
    half = lambda b, at: np.ascontiguousarray(b[..., at:at + 2]).view(np.float16).astype(np.float32)  # noqa: E731
    whole = lambda parts: np.concatenate(parts, axis=-1).reshape(rows, -1).astype(np.int32)  # noqa: E731
    if name == "Q8_0":
        b = blocks.reshape(rows, -1, 34)
        return b[..., 2:].copy().view(np.int8).reshape(rows, -1).astype(np.int32), half(b, 0).repeat(32, -1).reshape(rows, -1)
    if name == "Q4_0":
        b = blocks.reshape(rows, -1, 18)
        return whole([b[..., 2:] & 15, b[..., 2:] >> 4]), np.abs(half(b, 0)).repeat(32, -1).reshape(rows, -1)
    if name == "Q6_K":
        b = blocks.reshape(rows, -1, 210)
        parts = []
        for side in range(2):
            low, high = b[..., 64 * side:64 * side + 64], b[..., 128 + 32 * side:160 + 32 * side]
            parts += [(low[..., :32] & 15) | ((high & 3) << 4), (low[..., 32:] & 15) | (((high >> 2) & 3) << 4),
                      (low[..., :32] >> 4) | (((high >> 4) & 3) << 4), (low[..., 32:] >> 4) | ((high >> 6) << 4)]
        scales = np.ascontiguousarray(b[..., 192:208]).view(np.int8).astype(np.float32) * half(b, 208)
        # A group's scale may have either sign; levels are counted from the same side.
        sign = np.where(scales < 0, -1, 1).repeat(16, -1).reshape(rows, -1)
        return sign * (whole(parts) - 32), np.abs(scales).repeat(16, -1).reshape(rows, -1)
    b = blocks.reshape(rows, -1, 144 if name == "Q4_K" else 176)
    packed, quants = b[..., 4:16].astype(np.int32), b[..., -128:]
    scales = np.concatenate([packed[..., :4] & 63, (packed[..., 8:12] & 15) | ((packed[..., :4] >> 6) << 4)], axis=-1)
    parts = []
    for group in range(8):
        part = quants[..., 32 * (group // 2):32 * (group // 2) + 32]
        part = part >> 4 if group % 2 else part & 15
        parts.append(part if name == "Q4_K" else part | (((b[..., 16:48] >> group) & 1) << 4))
    return whole(parts), (scales.astype(np.float32) * half(b, 0)).repeat(32, -1).reshape(rows, -1)


def main():
    model, ours, theirs = ({t.name: t for t in gguf.GGUFReader(path).tensors} for path in sys.argv[1:4])
    assert model.keys() == ours.keys() == theirs.keys(), "not the same tensors"
    worst_level, worst_value, values, apart = 0, 0.0, 0, 0
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
        (level_a, step_a), (level_b, step_b) = (unpack(t.data[:ROWS], t.tensor_type) for t in (a, b))
        difference = np.abs(level_a - level_b)
        worst_level = max(worst_level, int(difference.max()))
        step = np.maximum(np.maximum(np.abs(step_a), np.abs(step_b)), 1e-30)
        worst_value = max(worst_value, float((np.abs(one - two) / step).max()))
        apart += int((difference > 0).sum())
        values += difference.size
        errors += [np.square(one - exact).sum(), np.square(two - exact).sum()]
    print(f"{values} values; levels differ by at most {worst_level}, {100 * apart / values:.3f} % apart; "
          f"values by at most {worst_value:.2f} steps; error ours / theirs {np.sqrt(errors[0] / errors[1]):.4f}")
    assert worst_level <= 1, "more than one apart"


main()
