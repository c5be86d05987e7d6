#!/usr/bin/env python3
"""Two quantised files of one model, value by value: same tensors and types, levels one apart at most.

    quantize_compare.py MODEL.gguf OURS.gguf THEIRS.gguf    (runs in the lab; tests/lab/quantize makes the files)

Levels are compared as the blocks keep them (4 to 8 bits); values in units of the step between two levels. `identical` is the
share of blocks that are the same to the bit. The error of each file is that against the model.
"""
import sys

import gguf
import numpy as np

ROWS = 4096  # of a tensor at a time


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


class Sums:
    level = values = apart = blocks = same = 0
    step = 0.0
    errors = np.zeros(2)

    def add(self, exact, a, b, dtype):
        """Rows of a tensor: as they were, and the blocks of both files."""
        one, two = gguf.quants.dequantize(a, dtype), gguf.quants.dequantize(b, dtype)
        (level_a, step_a), (level_b, step_b) = unpack(a, dtype), unpack(b, dtype)
        difference = np.abs(level_a - level_b)
        difference[(step_a == 0) & (step_b == 0)] = 0  # whatever the level, the value is the same
        step = np.maximum(np.maximum(np.abs(step_a), np.abs(step_b)), 1e-30)
        self.level = max(self.level, int(difference.max()))
        self.step = max(self.step, float((np.abs(one - two) / step).max()))
        self.apart += int((difference > 0).sum())
        self.values += difference.size
        block = gguf.GGML_QUANT_SIZES[dtype][1]
        same = (a.reshape(-1, block) == b.reshape(-1, block)).all(-1)
        self.same += int(same.sum())
        self.blocks += same.size
        self.errors = self.errors + [np.square(one - exact).sum(), np.square(two - exact).sum()]


def main():
    model, ours, theirs = ({t.name: t for t in gguf.GGUFReader(path).tensors} for path in sys.argv[1:4])
    assert model.keys() == ours.keys() == theirs.keys(), "not the same tensors"
    sums, tensors = Sums(), 0
    for name, a in ours.items():
        b, x = theirs[name], model[name]
        assert a.tensor_type == b.tensor_type and list(a.shape) == list(b.shape), (name, a.tensor_type, b.tensor_type)
        if a.tensor_type.name in ("F32", "F16", "BF16"):
            assert np.array_equal(a.data, b.data), name
            continue
        tensors += 1
        for first in range(0, a.data.shape[0], ROWS):
            part = slice(first, first + ROWS)
            sums.add(gguf.quants.dequantize(x.data[part], x.tensor_type), a.data[part], b.data[part], a.tensor_type)
    print(f"{tensors} tensors, {sums.values} values; levels differ by at most {sums.level}, "
          f"{100 * sums.apart / sums.values:.4f} % apart; values by at most {sums.step:.2f} steps; identical blocks "
          f"{100 * sums.same / sums.blocks:.4f} %; error ours / theirs {np.sqrt(sums.errors[0] / sums.errors[1]):.4f}")
    assert sums.level <= 1, "more than one apart"


main()
