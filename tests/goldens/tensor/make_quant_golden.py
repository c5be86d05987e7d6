#!/usr/bin/env python3
"""Writes quant_golden.gguf: blocks of each quantised type and what they unpack to.

Needs numpy, gguf (gguf-py) and ggml's shared library. Usage: make_quant_golden.py [LIBGGML]
Tensors: `input`, 8,192 values, some far larger or smaller than the others, half of them in BF16's precision (so that some lie
half-way between two levels) with groups and blocks of zeros among them; for each type T `T.packed`, those values packed by ggml; `T.random`, blocks of random bits
with finite scales; `T.packed.f32` and `T.random.f32`, both unpacked by gguf-py.
"""
import ctypes
import ctypes.util
import pathlib
import sys

import gguf
import numpy as np

TYPES = ["Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
SCALES = {"Q4_0": [0], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}  # bytes of f16 scales in a block
VALUES = 8192


def ggml_quantize(library, dtype, values):
    block_values, block_bytes = gguf.GGML_QUANT_SIZES[dtype]
    out = np.zeros(values.size // block_values * block_bytes, dtype=np.uint8)
    written = library.ggml_quantize_chunk(
        ctypes.c_int(dtype.value), values.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_int64(0), ctypes.c_int64(1), ctypes.c_int64(values.size), None)
    assert written == out.size
    return out.reshape(1, -1)


def random_blocks(generator, name, dtype):
    block_values, block_bytes = gguf.GGML_QUANT_SIZES[dtype]
    blocks = generator.integers(0, 256, size=(256 // block_values, block_bytes), dtype=np.uint8)
    for at in SCALES[name]:
        scales = generator.normal(size=len(blocks)).astype(np.float16)
        blocks[:, at:at + 2] = scales.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(1, -1)


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else ctypes.util.find_library("ggml-base")
    library = ctypes.CDLL(name)
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    generator = np.random.default_rng(20260101)
    sizes = np.exp2(generator.integers(-4, 4, size=VALUES // 16)).repeat(16)
    values = (generator.normal(size=VALUES) * sizes * 0.02).astype(np.float32)
    half = values[VALUES // 2:]
    half.view(np.uint32)[:] &= 0xFFFF0000
    half.reshape(-1, 256)[::4, 192:] = 0
    half.reshape(-1, 256)[3] = 0
    writer = gguf.GGUFWriter(pathlib.Path(__file__).parent / "quant_golden.gguf", "golden")
    writer.add_tensor("input", values.reshape(1, -1))
    for type_name in TYPES:
        dtype = gguf.GGMLQuantizationType[type_name]
        for kind, blocks in [("packed", ggml_quantize(library, dtype, values)),
                             ("random", random_blocks(generator, type_name, dtype))]:
            writer.add_tensor(f"{type_name}.{kind}", blocks, raw_dtype=dtype)
            writer.add_tensor(f"{type_name}.{kind}.f32", gguf.quants.dequantize(blocks, dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
