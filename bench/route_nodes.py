#!/usr/bin/env python3
"""Ways to route, on real nodes: 8 `jikji serve` of the built-in model behind `jikji route`, under a slice of a recorded trace.

Usage: bench/route_nodes.py TRACE [--rate 20] [--requests 440] [--policies a,b]   (build/bench/bench/fleet_load, build/release/jikji)
TRACE: Mooncake's conversation trace (.jsonl.zst), scaled to the model's context. Every policy gets the same requests at the same times,
and fresh nodes. Goodput counts requests whose first token came within --ttft and whose tokens came at --tpot or less. Max/mean is of
requests, and of tokens of prompt that were computed, by node.
"""
import argparse
import pathlib
import re
import tempfile

import fleet_nodes
from fleet_nodes import NODES, get

POLICIES = "bounded,round-robin,least-requests,prefix-affinity"


def metric(node, name: str) -> float:
    """The sum of a node's counter over its labels."""
    text = get(node.url + "/metrics")[1].decode()
    return sum(float(value) for value in re.findall(rf"^{re.escape(name)}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))


def busiest(values: list[float]) -> float:
    return max(values) * len(values) / sum(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace")
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--requests", type=int, default=440)
    parser.add_argument("--skip", type=int, default=3000, help="requests of the trace before the first")
    parser.add_argument("--ttft", type=float, default=0.1)
    parser.add_argument("--tpot", type=float, default=0.005)
    parser.add_argument("--kv-cache", default="32MiB", help="of a node")
    parser.add_argument("--policies", default=POLICIES)
    args = parser.parse_args()
    rows = fleet_nodes.scaled_trace(args.trace, args.skip, args.requests, args.rate)
    print(f"{NODES} nodes, {args.requests} requests, {args.rate:g} a second; in promise: first token within {args.ttft * 1e3:g} ms, "
          f"{args.tpot * 1e3:g} ms a token")
    print(f"{'policy':<16}{'goodput/s':>10}{'in promise':>12}{'cache hits':>12}{'max/mean requests':>19}{'max/mean prefill':>18}"
          f"{'TTFT p50/p95 ms':>18}")
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "trace.jsonl"
        fleet_nodes.write_trace(rows, trace)
        for policy in args.policies.split(","):
            nodes = fleet_nodes.start_nodes(NODES, "--kv-cache", args.kv_cache)
            router = fleet_nodes.start_router(nodes, policy)
            seen = fleet_nodes.replay(router, trace, args.ttft, args.tpot)
            requests = [metric(node, "vllm:request_success_total") for node in nodes]
            prefill = [metric(node, "vllm:prompt_tokens_total") - metric(node, "vllm:prefix_cache_hits_total") for node in nodes]
            router.end()
            for node in nodes:
                node.end()
            print(f"{policy:<16}{seen['good'] / seen['seconds']:>10.2f}{100 * seen['good'] / seen['requests']:>10.1f} %"
                  f"{100 * seen['cached_tokens'] / seen['prompt_tokens']:>10.1f} %{busiest(requests):>19.2f}{busiest(prefill):>18.2f}"
                  f"{seen['ttft_s'][0] * 1e3:>10.0f} / {seen['ttft_s'][1] * 1e3:.0f}", flush=True)


if __name__ == "__main__":
    main()
