"""Writes corpora.json: hashes of what the reference tokenizers make of ../shared/data/ko-text, after 2 MB and after 10 MB.

A text is cut into blocks of whole lines, at least 64 KiB each, encoded one by one; the hash of the ids, h = h * P + id + 1
modulo 2^64, runs over all of them. `build/release/bench/tokenizer_bench --check` and text_test compare."""

import json
import subprocess
import sys

import numpy as np
import reference

CORPORA = ["legal", "nsmc_reviews", "ms_docs"]
SIZES = [2_000_000, 10_000_000]
P = 0x9E3779B97F4A7C15


def read(name, limit):
    path = reference.DATA / "ko-text" / f"{name}.txt.zst"
    try:
        from compression import zstd
        with zstd.open(path) as file:
            data = file.read(limit)
    except ImportError:
        process = subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE)
        data = process.stdout.read(limit)
        process.kill()
    return data[:data.rfind(b"\n") + 1]


def blocks(data):
    at = 0
    while at < len(data):
        end = data.find(b"\n", min(len(data) - 1, at + (64 << 10) - 1))
        end = len(data) if end < 0 else end + 1
        yield data[at:end].decode()
        at = end


def roll(hash_, ids):
    """h * P**n + sum (id + 1) * P**(n - 1 - i), modulo 2**64."""
    with np.errstate(over="ignore"):
        powers = np.full(len(ids), P, dtype=np.uint64)
        powers[:1] = 1
        powers = np.cumprod(powers, dtype=np.uint64)[::-1]
        total = int(np.sum((ids.astype(np.uint64) + np.uint64(1)) * powers, dtype=np.uint64))
    return (hash_ * pow(P, len(ids), 1 << 64) + total) % (1 << 64)


def main():
    names = sys.argv[1:] or list(reference.ALL)
    out = {}
    for name in names:
        tokenizer = reference.ALL[name]()
        for corpus in CORPORA:
            for size in SIZES:
                hash_, tokens, texts = 0, 0, list(blocks(read(corpus, size)))
                for at in range(0, len(texts), 8):
                    for encoding in tokenizer.encode_batch(texts[at:at + 8], add_special_tokens=False):
                        ids = np.array(encoding.ids, dtype=np.int64)
                        hash_ = roll(hash_, ids)
                        tokens += len(ids)
                out.setdefault(name, {}).setdefault(corpus, {})[str(size)] = {"tokens": tokens, "hash": f"{hash_:016x}"}
                print(name, corpus, size, tokens, f"{hash_:016x}", file=sys.stderr, flush=True)
    lines = [f'  "{name}": {json.dumps(value)}' for name, value in out.items()]
    (reference.HERE / "corpora.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
