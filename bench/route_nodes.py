#!/usr/bin/env python3
"""Ways to route, on real nodes: 8 `jikji serve` of the built-in model behind `jikji route`, under conversations of a recorded trace.

Usage: bench/route_nodes.py TRACE [--rate 20] [--requests 300] [--rounds 4] [--policies a,b] [--keep FILE]
(build/bench/bench/fleet_load and build/release/jikji must be built)

TRACE: Mooncake's conversation trace (.jsonl.zst), scaled to the model's context. A round draws conversations and gives every policy the
same requests at the same times, and fresh nodes; the policies take turns at being first. Goodput counts requests whose first token came
within --ttft and whose tokens came at --tpot or less. Max/mean is of requests, and of tokens of prompt that were computed, by node. The
rounds are summed up at the end, with the difference of each policy from the first of --policies and its standard error over rounds.
`others` is the most of the machine that other programs took in a run that counts; one in which they took more than --others percent is
run again, at most --retries times. --keep adds the rounds to those of a file, so that they may be run one by one.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import tempfile
import time

import fleet_nodes
from fleet_nodes import NODES, get

POLICIES = "bounded,round-robin,least-requests,prefix-affinity"


def metric(node, name: str) -> float:
    """The sum of a node's counter over its labels."""
    text = get(node.url + "/metrics")[1].decode()
    return sum(float(value) for value in re.findall(rf"^{re.escape(name)}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))


def busiest(values: list[float]) -> float:
    return max(values) * len(values) / sum(values)


def foreign_seconds() -> float:
    """Processor time that the machine has spent on programs that are not this one's and have ended."""
    fields = [int(value) for value in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    busy = sum(fields) - fields[3] - fields[4]  # less idle and waiting for disks
    own = sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
    return busy / os.sysconf("SC_CLK_TCK") - own


def run_policy(policy: str, trace: pathlib.Path, args: argparse.Namespace) -> dict:
    began, foreign = time.monotonic(), foreign_seconds()
    nodes = fleet_nodes.start_nodes(NODES, "--kv-cache", args.kv_cache)
    router = fleet_nodes.start_router(nodes, policy)
    seen = fleet_nodes.replay(router, trace, args.ttft, args.tpot)
    seen["node_requests"] = [metric(node, "vllm:request_success_total") for node in nodes]
    seen["node_prefill"] = [metric(node, "vllm:prompt_tokens_total") - metric(node, "vllm:prefix_cache_hits_total") for node in nodes]
    router.end()
    for node in nodes:
        node.end()
    seen["others"] = 100 * (foreign_seconds() - foreign) / ((time.monotonic() - began) * os.cpu_count())
    return seen


def run_undisturbed(policy: str, trace: pathlib.Path, args: argparse.Namespace) -> dict:
    """The least disturbed of its runs."""
    best = run_policy(policy, trace, args)
    for _ in range(args.retries):
        if best["others"] <= args.others:
            break
        best = min(best, run_policy(policy, trace, args), key=lambda seen: seen["others"])
    return best


def promised(seen: dict) -> float:
    return 100 * seen["good"] / seen["requests"]


def show(rounds: list[dict], policies: list[str]) -> None:
    print(f"{'policy':<16}{'goodput/s':>10}{'in promise':>12}{'to the first':>15}{'cache hits':>12}{'max/mean requests':>19}"
          f"{'max/mean prefill':>18}{'TTFT p50/p95 ms':>18}{'others':>8}")
    for policy in policies:
        seen = [one[policy] for one in rounds]

        def total(key: str) -> float:
            return sum(one[key] for one in seen)

        apart = [promised(one[policy]) - promised(one[policies[0]]) for one in rounds]
        error = statistics.stdev(apart) / len(apart) ** 0.5 if len(apart) > 1 else 0
        ttft = [statistics.mean(one["ttft_s"][i] for one in seen) * 1e3 for i in (0, 1)]
        print(f"{policy:<16}{total('good') / total('seconds'):>10.2f}{100 * total('good') / total('requests'):>10.1f} %"
              f"{statistics.mean(apart):>+8.1f} ± {error:<4.1f}{100 * total('cached_tokens') / total('prompt_tokens'):>10.1f} %"
              f"{statistics.mean(busiest(one['node_requests']) for one in seen):>19.2f}"
              f"{statistics.mean(busiest(one['node_prefill']) for one in seen):>18.2f}{f'{ttft[0]:.0f} / {ttft[1]:.0f}':>18}{max(one['others'] for one in seen):>6.0f} %", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace")
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--ttft", type=float, default=0.1)
    parser.add_argument("--tpot", type=float, default=0.005)
    parser.add_argument("--kv-cache", default="32MiB", help="of a node")
    parser.add_argument("--others", type=float, default=8)
    parser.add_argument("--retries", type=int, default=2)
    parser.add_argument("--policies", default=POLICIES)
    parser.add_argument("--keep", type=pathlib.Path, help="file of rounds of the same settings")
    args = parser.parse_args()
    policies = args.policies.split(",")
    rounds = json.loads(args.keep.read_text()) if args.keep and args.keep.exists() else []
    print(f"{NODES} nodes, about {args.requests} requests a round, {args.rate:g} a second; in promise: first token within "
          f"{args.ttft * 1e3:g} ms, {args.tpot * 1e3:g} ms a token")
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "trace.jsonl"
        for _ in range(args.rounds):
            seed = len(rounds) + 1
            fleet_nodes.write_trace(fleet_nodes.scaled_trace(args.trace, seed, args.requests, args.rate), trace)
            turn = seed % len(policies)
            rounds.append({policy: run_undisturbed(policy, trace, args) for policy in policies[turn:] + policies[:turn]})
            if args.keep:
                args.keep.write_text(json.dumps(rounds))
    print(f"{len(rounds)} rounds, {sum(one[policies[0]]['requests'] for one in rounds)} requests")
    show(rounds, policies)


if __name__ == "__main__":
    main()
