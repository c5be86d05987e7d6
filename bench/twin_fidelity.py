#!/usr/bin/env python3
"""The simulation is the system: 8 real `jikji serve` nodes behind `jikji route` under a replayed trace, and the twin of the same.

Usage: bench/twin_fidelity.py TRACE [--rate 8] [--requests 280]       (build/bench/bench/fleet_load and build/release/jikji must be built)
TRACE: Mooncake's conversation trace (.jsonl.zst). One node is measured alone, a step model is fitted to that and to nothing else, and
`jikji simulate` replays the same requests on 8 such nodes. The nodes share this machine, so the load must be one that its cores can
serve at once: the twin gives each node a machine of its own. Prints both and how far the twin is off.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import fleet_nodes
from fleet_nodes import LOAD, NODES
from processes import PROGRAM

KV_CACHE = "32MiB"
CHUNK_TOKENS = 256  # --step-tokens
SLOWDOWN = 2  # --prefill-slowdown


def solve(rows: list[list[float]], values: list[float]) -> list[float]:
    """Least squares of relative errors; few unknowns, well apart."""
    size = len(rows[0])
    table = [[sum(row[i] * row[j] / value**2 for row, value in zip(rows, values)) for j in range(size)] for i in range(size)]
    right = [sum(row[i] / value for row, value in zip(rows, values)) for i in range(size)]
    for k in range(size):
        for i in range(k + 1, size):
            factor = table[i][k] / table[k][k]
            table[i] = [a - factor * b for a, b in zip(table[i], table[k])]
            right[i] -= factor * right[k]
    for k in reversed(range(size)):
        right[k] = (right[k] - sum(table[k][j] * right[j] for j in range(k + 1, size))) / table[k][k]
    return right


def fit(points: list[dict]) -> dict:
    """The numbers of an [[engine]] table, in seconds."""
    alone = [point for point in points if point["clients"] == 1 and point["output"] == 2]
    request, prompt, attention = solve([[1, p["prompt"], p["prompt"] ** 2 / 2] for p in alone], [p["first_s"] for p in alone])
    decode = [point for point in points if point["output"] > 2]
    rows, values = [], []
    for point in decode:
        clients, length, output = point["clients"], point["prompt"], point["output"]
        # Of a token's time, what the prompts of the other clients take.
        others = (clients - 1) * (prompt * length + attention * length**2 / 2) / output
        rows.append([1, clients, clients * (length + output / 2)])
        values.append(point["tpot_s"] - others)
    base, sequence, context = solve(rows, values)
    return {"request": max(0, request - base), "base": base, "sequence": max(0, sequence), "context": max(0, context), "prompt": prompt, "attention": max(0, attention)}


def engine_table(step: dict, kv_tokens: int) -> str:
    return f"""[[engine]]
model = "jikji-mini-ko"
chip = "H200"            # its watts alone come from here, and are not looked at
gpus = 1
request_ms = {step["request"] * 1e3}
base_ms = {step["base"] * 1e3}
sequence_us = {step["sequence"] * 1e6}
context_ns = {step["context"] * 1e9}
prompt_us = {step["prompt"] * 1e6}
attention_ns = {step["attention"] * 1e9}
kv_tokens = {kv_tokens}
max_running = 64
chunk_tokens = {CHUNK_TOKENS}
prefill_slowdown = {SLOWDOWN}.0
"""


def simulate(folder: pathlib.Path, rows: list[dict]) -> dict:
    seconds = rows[-1]["timestamp"] / 1000
    own = len(rows) / (seconds * (1 + 1 / len(rows)))
    run = subprocess.run(
        [PROGRAM, "simulate", "--nodes", str(NODES), "--model", "jikji-mini-ko", "--engines", folder / "engine.toml", "--trace",
         folder / "trace.jsonl", "--replay", "--block-tokens", str(fleet_nodes.BLOCK_TOKENS), "--rate", str(own), "--hours",
         str((seconds + 0.5 / own) / 3600), "--failures", "0", "--uncontrolled", "--json"],
        capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    report = json.loads(run.stdout)
    return report | {"seconds": seconds} | report["classes"]["standard"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace")
    parser.add_argument("--rate", type=float, default=8)
    parser.add_argument("--requests", type=int, default=280)
    parser.add_argument("--seed", type=int, default=1, help="other conversations of the trace")
    args = parser.parse_args()
    flags = ["--kv-cache", KV_CACHE, "--step-tokens", str(CHUNK_TOKENS), "--prefill-slowdown", str(SLOWDOWN)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = fleet_nodes.scaled_trace(args.trace, args.seed, args.requests, args.rate)
        fleet_nodes.write_trace(rows, folder / "trace.jsonl")
        lone = fleet_nodes.start_nodes(1, *flags)
        measured = subprocess.run([LOAD, "measure", lone[0].url], capture_output=True, text=True, check=True).stdout
        step = fit([json.loads(line) for line in measured.splitlines()])
        kv_tokens = fleet_nodes.cache_tokens(lone[0])
        lone[0].end()
        (folder / "engine.toml").write_text(engine_table(step, kv_tokens))
        nodes = fleet_nodes.start_nodes(NODES, *flags)
        router = fleet_nodes.start_router(nodes, "bounded")
        real = fleet_nodes.replay(router, folder / "trace.jsonl", 2, 0.05)
        router.end()
        for node in nodes:
            node.end()
        twin = simulate(folder, rows)
    print(f"{real['requests']} requests, {args.rate:g} a second, {real['prompt_tokens'] / real['requests']:.0f} tokens of prompt and "
          f"{real['output_tokens'] / real['requests']:.0f} of answer each")
    print("one node: " + ", ".join(f"{name} {value * 1e6:.4g} us" for name, value in step.items()))
    print(f"{'':<24}{'real':>10}{'twin':>10}{'twin is off':>13}")
    compared = [("requests/s", real["finished"] / real["seconds"], twin["finished"] / twin["seconds"]),
                ("output tokens/s", real["output_tokens"] / real["seconds"], twin["output_tokens"] / twin["seconds"])]
    for label, key in (("latency", "latency"), ("time to first token", "ttft"), ("time per token", "tpot")):
        for i, quantile in enumerate(("p50", "p95")):
            compared.append((f"{label} {quantile}, ms", real[f"{key}_s"][i] * 1e3, twin[f"{key}_{quantile}_s"] * 1e3))
    compared.append(("prompt from cache, %", 100 * real["cached_tokens"] / real["prompt_tokens"], 100 * twin["cached_share"]))
    for label, a, b in compared:
        print(f"{label:<24}{a:>10.2f}{b:>10.2f}{100 * (b / a - 1):>11.1f} %")


if __name__ == "__main__":
    main()
