#!/usr/bin/env python3
"""Writes the seeds of fuzz/corpus/gguf and fuzz/corpus/safetensors: small files of every kind, good and nearly good.

Needs numpy and gguf (gguf-py). Usage: make_fuzz_corpus.py
"""
import json
import pathlib
import struct

import gguf
import numpy as np

CORPUS = pathlib.Path(__file__).parents[3] / "fuzz" / "corpus"


def write_gguf(name, fill):
    writer = gguf.GGUFWriter(CORPUS / "gguf" / name, "llama")
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_values(writer):
    writer.add_block_count(2)
    for suffix, add in [("u8", writer.add_uint8), ("i8", writer.add_int8), ("u16", writer.add_uint16),
                        ("i16", writer.add_int16), ("u32", writer.add_uint32), ("i32", writer.add_int32),
                        ("u64", writer.add_uint64), ("i64", writer.add_int64), ("f32", writer.add_float32),
                        ("f64", writer.add_float64)]:
        add("x." + suffix, 7)
    writer.add_bool("x.bool", True)
    writer.add_array("x.ints", [1, 2, 3])
    writer.add_array("x.floats", [0.5, 1.5])
    writer.add_array("x.bools", [True, False])


def add_vocabulary(writer):
    writer.add_tokenizer_model("llama")
    writer.add_token_list(["<unk>", "<0x0A>", "▁가", "나"])
    writer.add_token_scores([0.0, 0.0, -1.0, -2.0])
    writer.add_token_types([2, 6, 1, 1])
    writer.add_bos_token_id(1)


def add_tensors(writer):
    for name in ["F32", "F16", "BF16", "Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]:
        dtype = gguf.GGMLQuantizationType[name]
        values, size = gguf.GGML_QUANT_SIZES[dtype]
        if values == 1:
            data = np.zeros((2, 2), dtype={"F32": np.float32, "F16": np.float16, "BF16": np.uint16}[name])
            writer.add_tensor(f"{name}.weight", data.view(np.uint8) if name == "BF16" else data,
                              raw_dtype=dtype if name == "BF16" else None)
        else:
            writer.add_tensor(f"{name}.weight", np.full((1, size), 0x11, dtype=np.uint8), raw_dtype=dtype)


def add_alignment(writer):
    writer.add_custom_alignment(8)
    writer.add_tensor("a", np.ones(3, dtype=np.float32))
    writer.add_tensor("b", np.ones(1, dtype=np.float32))


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


SAFETENSORS = {
    "empty": safetensors({}),
    "plain": safetensors({"__metadata__": {"format": "pt"}, "a": tensor("F32", [1, 2], 0, 8),
                          "b": tensor("BF16", [2], 8, 12), "c": tensor("F16", [], 12, 14)}, bytes(14)),
    "padded": safetensors(b'{"a":{"dtype":"F16","shape":[0],"data_offsets":[0,0]}}      '),
    "escaped": safetensors(b'{"\\uAC00\\n":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}', bytes(4)),
    "other_type": safetensors({"a": tensor("F8_E4M3", [3], 0, 3)}, bytes(3)),
    "hole": safetensors({"a": tensor("F32", [1], 0, 4), "b": tensor("F32", [1], 8, 12)}, bytes(12)),
    "overflow": safetensors({"a": tensor("F32", [2**32, 2**32], 0, 0)}),
    "index": json.dumps({"metadata": {"total_size": 4}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})
    .encode(),
    "index_traversal": json.dumps({"weight_map": {"a": "../1.safetensors"}}).encode(),
}


def main():
    for folder in ["gguf", "safetensors"]:
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    write_gguf("values", add_values)
    write_gguf("vocabulary", add_vocabulary)
    write_gguf("tensors", add_tensors)
    write_gguf("alignment", add_alignment)
    for name, content in SAFETENSORS.items():
        (CORPUS / "safetensors" / name).write_bytes(content)


main()
