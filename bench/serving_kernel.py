#!/usr/bin/env python3
"""Settings of src/twin/serving_kernel.cc: searched for over one half of the configurations, judged on the other.

Usage: bench/serving_kernel.py POINTS.csv ttft|tpot [--seconds 420] [--seed 1]     (needs NumPy)
POINTS.csv: InferenceX' measured serving points, unpacked. The search changes a few settings at random and keeps what lowers the median
error of time with a configuration left out, over the configurations whose name has an even checksum. Prints the settings, and the error
over all, over that half and over the other, which the search has not seen.
"""
import argparse
import csv
import json
import re
import time
import zlib

import numpy as np

SPREAD = ("tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size")
LABELS, NUMBERS, LINEAR_LABELS = 7, 14, 6
SETTINGS = [f"label{i}" for i in range(LABELS)] + [f"number{i}" for i in range(NUMBERS)] + ["spread", "noise", "linear", "tail"]
START = dict(zip(SETTINGS, [.4, .1, .4, .3, 1, .6, .1] + [3, 3, 4, 8, 5, 8, 4, 2] + [6, 6, 8, 8, 8, 6] + [6, .003, 3, 4]))


def number(row: dict, name: str, least: float) -> float:
    return max(least, float(row[name])) if row[name] else least


class Points:
    """As src/twin/serving_points.cc and serving_kernel.cc read them."""

    def __init__(self, path: str, target: str):
        labels, numbers, spreads, values, self.names, together = [], [], [], [], [], []
        for row in csv.DictReader(open(path)):
            source = row["silicon_data_source"]
            told = re.search(r"concurrency=(\d+)", source)
            c = float(told[1]) if told else number(row, "batch_size", 0)
            if c < 1:
                continue
            apart = row["mode"] == "disagg"
            workers = []
            for part in (("prefill_", "decode_") if apart else ("", "")):
                spread = [number(row, part + name, 1) for name in SPREAD]
                workers.append((spread, max(spread[0] * spread[1] * spread[2], spread[3] * spread[4])))
            (prefill_spread, pg), (spread, dg) = workers
            pw, dw = (number(row, f"{part}_num_workers", 1) if apart else 1 for part in ("prefill", "decode"))
            origin = source.split(";")[0]
            label = [row["model_path"], row["system"], row["precision"], row["backend"], row["mode"],
                     "" if "concurrency=" in origin else origin, row["backend_version"]]
            isl = number(row, "isl", 1)
            numbers.append([c, isl, number(row, "osl", 1), pg * pw + dg * dw if apart else dg, pg, dg, pw, dw, c / (pg * pw), c / (dg * dw),
                            c * isl / (pg * pw), c / dw, c / pw, pg * pw / (dg * dw)])
            labels.append([zlib.crc32(text.encode()) for text in label])
            spreads.append(spread)
            values.append(number(row, f"silicon_{target}_ms", 1e-6))
            self.names.append(" ".join(label[:5]) + str(prefill_spread) + str(spread) + f"{pw}x{dw}")
            together.append(row["mode"] == "agg")
        self.labels, self.values = np.array(labels), np.log(values)
        self.numbers, self.spread = np.log2(numbers), np.log2(spreads)
        n = self.numbers.T
        linear = [n[0], n[1], n[2], n[3], n[8], n[9], n[0]**2, n[1]**2, n[8]**2, n[9]**2, n[0] * n[1], n[4], n[5], n[6], n[7], n[13]]
        linear += [n[i] * np.array(together) for i in (0, 1, 8, 9, 10)]
        linear += [self.labels[:, i] == label for i in range(LINEAR_LABELS) for label in sorted(set(self.labels[:, i]))]
        linear = np.array(linear, dtype=float).T
        self.linear = (linear - linear.mean(0)) / (linear.std(0) + 1e-9)

    def covariance(self, s: dict, at: np.ndarray) -> np.ndarray:
        distance = np.zeros((len(at), len(at)))
        for i in range(LABELS):
            column = self.labels[at, i]
            distance += s[f"label{i}"] * (column[:, None] != column[None])
        scaled = np.hstack([self.numbers[at] / [s[f"number{i}"] for i in range(NUMBERS)], self.spread[at] / s["spread"]])
        squares = (scaled**2).sum(1)
        distance += np.maximum(squares[:, None] + squares[None] - 2 * scaled @ scaled.T, 0) / 2
        return (1 + distance / s["tail"]) ** -s["tail"] + s["linear"] * self.linear[at] @ self.linear[at].T / self.linear.shape[1]

    def errors(self, s: dict, at: np.ndarray) -> np.ndarray:
        """Differences of logarithms, each with its configuration left out."""
        inverse = np.linalg.inv(self.covariance(s, at) + s["noise"] * np.eye(len(at)))
        weights = inverse @ (self.values[at] - self.values[at].mean())
        groups: dict[str, list[int]] = {}
        for i, point in enumerate(at):
            groups.setdefault(self.names[point], []).append(i)
        out = np.empty(len(at))
        for group in groups.values():
            out[group] = np.linalg.solve(inverse[np.ix_(group, group)], weights[group])
        return out


def shares(errors: np.ndarray) -> np.ndarray:
    return np.abs(np.exp(-errors) - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("points")
    parser.add_argument("target", choices=["ttft", "tpot"])
    parser.add_argument("--seconds", type=float, default=420)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    points = Points(args.points, args.target)
    seen = np.array([zlib.crc32(name.encode()) % 2 == 0 for name in points.names])

    def cost(settings: dict) -> float:
        errors = points.errors(settings, np.where(seen)[0])
        return float(np.median(shares(errors)) + 0.5 * np.minimum(np.abs(errors), 1).mean())  # the mean: smoother

    draw = np.random.default_rng(args.seed)
    best, least = START, cost(START)
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        tried = dict(best)
        for name in draw.choice(SETTINGS, size=draw.integers(1, 4), replace=False):
            tried[name] *= float(np.exp(0.6 * draw.normal()))
        found = cost(tried)
        if found < least:
            best, least = tried, found
    print(json.dumps({name: float(f"{value:.3g}") for name, value in best.items()}))
    error = shares(points.errors(best, np.arange(len(seen))))
    for name, part in (("all", seen | True), ("searched", seen), ("not seen", ~seen)):
        print(f"{name:<10}{100 * np.median(error[part]):>6.1f} %")


if __name__ == "__main__":
    main()
