#!/usr/bin/env python3
"""What an adapter costs on a 0.6 B model: peak memory and tokens per second of `jikji adapt sft`.

  bench/train_adapter.py FOLDER [lora|qlora ...] [--steps N] [--program FILE]

FOLDER has config.json and BF16 safetensors of a Qwen3-0.6B's shape (../shared/lab/synth.py qwen3-0.6b FOLDER makes one);
the tokenizer and the template are Qwen2's from ../shared/data/tokenizers, the conversations ../shared/data/ko-chat's. Memory is
the process's peak resident set, mapped files counted; speed leaves the first step out, which reads the model from the disk.
Fails where a run takes more memory than it may, or is slower than it may be.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared/data"
CHATS = DATA / "ko-chat/sft_welfare_qa_MIT.jsonl.zst"
COMMON = ["--lora-rank", "8", "--max-length", "256", "--checkpoint-minutes", "60", "--seed", "7"]
# name: (settings, most GB of memory, fewest tokens/s)
RUNS = {"lora": (["--batch-tokens", "512"], 4.0, 0.0),
        "qlora": (["--batch-tokens", "320", "--base-type", "Q4_0"], 2.0, 60.0)}


def write_tokenizer(folder):
    """tokenizer.json of Qwen2's vocab.json, merges.txt and tokenizer_config.json."""
    source = DATA / "tokenizers/qwen2"
    config = json.loads((source / "tokenizer_config.json").read_text())
    merges = [line for line in (source / "merges.txt").read_text().splitlines() if line and not line.startswith("#version")]
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
               r"\s+(?!\S)|\s+")
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    added = [{"id": int(number), **token} for number, token in config["added_tokens_decoder"].items()]
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": added, "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}, byte_level]},
        "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "vocab": json.loads((source / "vocab.json").read_text()), "merges": merges}}))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def run(program, name, folder, work, steps):
    settings, most, fewest = RUNS[name]
    out = work / name
    command = [program, "adapt", "sft", "--model", folder, "--data", CHATS, "--out", out, "--steps", str(steps), *COMMON,
               *settings]
    with open(work / f"{name}.log", "w+") as log:
        child = subprocess.Popen([str(part) for part in command], stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        if status != 0:
            sys.exit((work / f"{name}.log").read_text()[-2000:])
    plan = next(line for line in (work / f"{name}.log").read_text().splitlines() if line.startswith("memory"))
    points = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    speed = (points[-1]["tokens"] - points[0]["tokens"]) / (points[-1]["seconds"] - points[0]["seconds"])
    peak = usage.ru_maxrss * 1024 / 1e9
    met = peak <= most and speed >= fewest
    print(f"{name:6} peak {peak:.2f} GB (at most {most:.0f})  {speed:.0f} tokens/s (at least {fewest:.0f})  "
          f"{'met' if met else 'NOT MET'}  planned: {plan}", flush=True)
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("runs", nargs="*", default=list(RUNS), metavar="RUN")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--program", default=ROOT / "build/release/jikji")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        work = pathlib.Path(kept)
        folder = work / "model"
        folder.mkdir()
        for file in args.folder.resolve().iterdir():
            if file.name == "config.json" or file.suffix == ".safetensors":
                (folder / file.name).symlink_to(file)
        write_tokenizer(folder)
        met = [run(args.program, name, folder, work, args.steps) for name in args.runs]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
