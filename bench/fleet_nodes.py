"""Real nodes of the built-in model behind a router, and a recorded trace that is scaled to them: for twin_fidelity.py and route_nodes.py."""
import json
import pathlib
import random
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/fleet"))
from processes import Jikji, get, until  # noqa: E402

LOAD = ROOT / "build/bench/bench/fleet_load"
NODES = 8
CONTEXT = 2048  # tokens, of the built-in model
# Mooncake's prompts are up to 60 times the context. A thirty-second of each fits nineteen in twenty; the rest is left out.
PROMPT_DIVISOR = 32
OUTPUT_DIVISOR = 8
TRACE_BLOCK_TOKENS = 512
BLOCK_TOKENS = TRACE_BLOCK_TOKENS // PROMPT_DIVISOR
# Mooncake's times are told in steps of three seconds.
TIME_STEP_MS = 3000


def scaled_trace(path: str, seed: int, count: int, rate: float) -> list[dict]:
    """About `count` requests of Mooncake's trace at `rate` a second: shorter, and each somewhere within its step of time.

    Whole conversations are drawn, over all of the trace: a slice of it would cut them, and with them most of what caches could hold.
    """
    text = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
    draw = random.Random(seed)
    conversations: dict[int, list[dict]] = {}
    for line in text.splitlines():
        row = json.loads(line)
        row["input_length"] = max(1, row["input_length"] // PROMPT_DIVISOR)
        row["output_length"] = max(2, row["output_length"] // OUTPUT_DIVISOR)
        row["timestamp"] += draw.random() * TIME_STEP_MS
        if row["input_length"] + row["output_length"] < CONTEXT - 8:
            # The first block is every prompt's; the second is the conversation's.
            conversations.setdefault(row["hash_ids"][:2][-1], []).append(row)
    drawn = list(conversations.values())
    draw.shuffle(drawn)
    rows: list[dict] = []
    for conversation in drawn:
        if len(rows) >= count:
            break
        rows += conversation
    rows.sort(key=lambda row: row["timestamp"])
    first, last = rows[0]["timestamp"], rows[-1]["timestamp"]
    for row in rows:
        row["timestamp"] = (row["timestamp"] - first) / (last - first) * 1000 * len(rows) / rate
    return rows


def write_trace(rows: list[dict], path: pathlib.Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def start_nodes(count: int, *flags: str) -> list[Jikji]:
    """One thread each. Drafts are off: how many are right depends on the text, which a step model does not know."""
    return [Jikji("serve", "--threads", "1", "--speculate", "0", "--log-level", "error", *flags) for _ in range(count)]


def start_router(nodes: list[Jikji], policy: str) -> Jikji:
    router = Jikji("route", "--policy", policy, *(flag for node in nodes for flag in ("--node", node.url)))
    until("every node serves", lambda: get(router.url + "/router/nodes")[1].count(b'"serving"') == len(nodes))
    return router


def replay(router: Jikji, trace: pathlib.Path, ttft_s: float, tpot_s: float) -> dict:
    """What the clients saw."""
    run = subprocess.run([LOAD, "replay", router.url, trace, str(BLOCK_TOKENS), str(ttft_s), str(tpot_s)],
                         capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout)


def cache_tokens(node: Jikji) -> int:
    metrics = get(node.url + "/metrics")[1].decode()
    line = next(line for line in metrics.splitlines() if line.startswith("vllm:cache_config_info"))
    size, blocks = (int(re.search(rf'{name}="(\d+)"', line)[1]) for name in ("block_size", "num_gpu_blocks"))
    return size * blocks
