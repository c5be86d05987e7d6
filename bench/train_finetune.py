#!/usr/bin/env python3
"""Training beside llama-finetune: stories260K, the same text, 256 tokens a step, the same threads.

  bench/train_finetune.py [--seconds N] [--program FILE]

llama-finetune steps once a sequence of 256 tokens; `jikji adapt pretrain` is given as many. Its file of weights is
../shared/data/weights/stories260K, which `jikji adapt convert` makes a folder of. Both are measured three times in turns,
their first steps left out. Fails below 10 times. Needs a release build and ../shared/lab/lab, where llama-finetune is.
"""
import argparse
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
LAB = ROOT.parent / "shared/lab/lab"
MODEL = ROOT.parent / "shared/data/weights/stories260K/stories260K.gguf"
LENGTH, THREADS, LEAST = 256, 2, 10.0
WARM = 3  # steps left out


def story(words):
    """Text of our own: sentences after one pattern."""
    choose = random.Random(3).choice
    names, verbs = "cat dog girl boy bird tree sun ball house friend".split(), "saw liked found loved wanted".split()
    kinds = "big small red happy little old".split()
    return " ".join(f"Once upon a time, the {choose(kinds)} {choose(names)} {choose(verbs)} a {choose(kinds)} {choose(names)}."
                    for _ in range(words // 12))


def theirs(text, work, seconds):
    """Tokens per second, by the progress line, which names each sequence when it is done."""
    child = subprocess.Popen([LAB, "run", "llama-finetune", "-m", MODEL, "-f", text, "-o", work / "out.gguf", "-c", str(LENGTH),
                              "-b", str(LENGTH), "-ub", str(LENGTH), "-t", str(THREADS), "-epochs", "1"], cwd=ROOT,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    seen, tail = {}, b""
    while (piece := os.read(child.stdout.fileno(), 65536)):
        now = time.monotonic()
        tail = (tail + piece)[-4096:]
        found = re.findall(rb"train: \[[^\]]*\] data=0*(\d+)/", tail)
        if found and int(found[-1]) not in seen:
            seen[int(found[-1])] = now
        if seen and now - seen[min(seen)] > seconds:
            break
    child.kill()
    child.wait()
    counted = sorted(number for number in seen if number >= WARM)
    if len(counted) < 3:
        sys.exit(f"llama-finetune told of {len(counted)} steps\n{tail.decode(errors='replace')}")
    first, last = counted[0], counted[-1]
    return (last - first) * LENGTH / (seen[last] - seen[first])


def ours(program, folder, text, out, steps):
    command = [program, "adapt", "pretrain", "--model", folder, "--data", text, "--out", out, "--steps", steps, "--batch-tokens",
               LENGTH, "--max-length", LENGTH, "--threads", THREADS, "--checkpoint-minutes", 60]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    points = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    first, last = points[WARM], points[-1]
    return (last["tokens"] - first["tokens"]) / (last["seconds"] - first["seconds"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/jikji")
    parser.add_argument("--seconds", type=float, default=12, help="of llama-finetune, each time")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/tmp") as kept:
        work = pathlib.Path(kept)
        text = work / "text.txt"
        text.write_text(story(30_000))
        folder = work / "stories260K"
        subprocess.run([args.program, "adapt", "convert", MODEL, folder], check=True, capture_output=True)
        ratios = []
        for i in range(3):
            mine = ours(args.program, folder, text, work / f"run{i}", 200)
            other = theirs(text, work, args.seconds)
            ratios.append(mine / other)
            print(f"jikji {mine:.0f} tokens/s  llama-finetune {other:.0f} tokens/s  ratio {ratios[-1]:.1f}", flush=True)
        print(f"median ratio {statistics.median(ratios):.1f} (at least {LEAST:.0f})")
    return 0 if statistics.median(ratios) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
