#!/usr/bin/env python3
"""Ways to route, on one recorded trace, in the twin: goodput, cache hits and the busiest node, for each.

Usage: bench/route_baselines.py TRACE [--nodes 1000] [--rate 7000] [--hours 0.3] [--policies a,b] [--program PATH]
TRACE: Mooncake's conversation trace (.jsonl.zst), replayed in as many copies as the rate asks for. No node fails. Goodput counts
requests whose first token came within 2 s and whose tokens came at 50 ms or less; the rate of the trace grows within the hour.
"""
import argparse
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
POLICIES = "bounded,round-robin,least-requests,prefix-affinity,llm-d,dynamo"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace")
    parser.add_argument("--program", default=str(ROOT / "build/release/jikji"))
    parser.add_argument("--nodes", default="1000")
    parser.add_argument("--rate", default="7000")
    parser.add_argument("--hours", default="0.3")
    parser.add_argument("--policies", default=POLICIES)
    args = parser.parse_args()
    print(f"{args.nodes} nodes, {args.rate} requests/s, {args.hours} h")
    print(f"{'policy':<16} {'in promise':>10} {'cache hits':>10} {'busiest/mean':>12} {'TTFT p50/p95 s':>15} {'TPOT p50/p95 ms':>16}")
    for policy in args.policies.split(","):
        run = subprocess.run(
            [args.program, "simulate", "--nodes", args.nodes, "--rate", args.rate, "--hours", args.hours, "--failures", "0",
             "--trace", args.trace, "--replay", "--policy", policy, "--json"],
            capture_output=True, text=True, check=True)
        report = json.loads(run.stdout)
        service = report["classes"]["standard"]
        print(f"{policy:<16} {100 * service['good'] / service['offered']:>8.2f} % {100 * report['cached_share']:>8.1f} %"
              f" {report['busiest_over_mean']:>12.2f} {service['ttft_p50_s']:>7.2f}/{service['ttft_p95_s']:.2f}"
              f" {1000 * service['tpot_p50_s']:>8.1f}/{1000 * service['tpot_p95_s']:.1f}", flush=True)


if __name__ == "__main__":
    main()
