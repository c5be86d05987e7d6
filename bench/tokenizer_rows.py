#!/usr/bin/env python3
"""Learning a vocabulary: how long it takes, and how much shorter Korean becomes.

  bench/tokenizer_rows.py [--program FILE] [--text FOLDER]

1. `jikji adapt tokenizer train`: byte-level BPE of 16,384 tokens from 60 MB of Korean, 2 threads: at most 60 s.
2. `jikji adapt tokenizer extend`: Qwen2's tokenizer with 16,384 more tokens from the same text, then `report` on text that
   lies behind what was learnt from: at least 30 % fewer tokens.

The text is a third each of statutes, film reviews and technical documentation, from ../shared/data/ko-text. Fails where a row
is not met.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from train_adapter import DATA, ROOT, write_tokenizer

LEARNT, HELD = 20_000_000, 1_000_000  # bytes of each kind
SECONDS, FEWER = 60.0, 30.0
KINDS = {"statutes": "legal", "reviews": "nsmc_reviews", "technical": "ms_docs"}


def cut(folder, kind, work):
    """(learnt from, held out): whole lines; what is held out begins where the other ends."""
    file = folder / f"{KINDS[kind]}.txt.zst"
    content = subprocess.run(["zstdcat", file], capture_output=True, check=True).stdout
    end = content.index(b"\n", LEARNT) + 1
    last = content.index(b"\n", end + HELD) + 1
    parts = work / f"{kind}.txt", work / f"{kind}-held-out.txt"
    parts[0].write_bytes(content[:end])
    parts[1].write_bytes(content[end:last])
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/jikji")
    parser.add_argument("--text", type=pathlib.Path, default=DATA / "ko-text")
    args = parser.parse_args()

    def jikji(*arguments):
        command = [str(part) for part in (args.program, "adapt", "tokenizer", *arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return done.stdout

    with tempfile.TemporaryDirectory() as kept:
        work = pathlib.Path(kept)
        learnt, held = zip(*(cut(args.text, kind, work) for kind in KINDS), strict=True)
        text = [part for file in learnt for part in ("--text", file)]
        start = time.monotonic()
        print(jikji("train", work / "new", "--vocab", 16384, "--threads", 2, *text).splitlines()[0])
        seconds = time.monotonic() - start
        print(f"train: {seconds:.1f} s (at most {SECONDS:.0f})", flush=True)

        (work / "qwen2").mkdir()
        write_tokenizer(work / "qwen2")
        start = time.monotonic()
        jikji("extend", work / "qwen2", work / "extended", "--add", 16384, "--threads", 2, *text)
        print(f"extend: {time.monotonic() - start:.1f} s")
        against = [part for file in held for part in ("--text", file)]
        rows = json.loads(jikji("report", work / "qwen2", work / "extended", "--json", *against))
        total = {}
        for before, after in zip(rows[::2], rows[1::2], strict=True):
            fewer = 100 * (1 - after["tokens"] / before["tokens"])
            print(f"  {pathlib.Path(before['text']).stem}: {before['characters_per_token']:.2f} to "
                  f"{after['characters_per_token']:.2f} characters a token, {fewer:.1f} % fewer tokens")
        for row in rows:
            total[row["tokenizer"]] = total.get(row["tokenizer"], 0) + row["tokens"]
        before, after = total.values()
        fewer = 100 * (1 - after / before)
        print(f"extended: {fewer:.1f} % fewer tokens on held-out text (at least {FEWER:.0f})")
    return 0 if seconds <= SECONDS and fewer >= FEWER else 1


if __name__ == "__main__":
    sys.exit(main())
