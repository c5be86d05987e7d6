#!/usr/bin/env python3
"""Seconds from the start of `jikji serve` to its first answer (one greedy token over HTTP), for each model.

Usage: bench/startup.py [--program PATH] [--repeat N] [MODEL...]   (no model: the built-in one)
Prints one JSON line per model: the median, all times, and the load time that the server itself tells.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
URL = re.compile(r"http://127\.0\.0\.1:\d+")
LOADED = re.compile(r"loaded in\s+([\d.]+) s")


def first_answer(program: str, model: str) -> tuple[float, float]:
    """(seconds to the first answer, seconds of loading as the server prints them)"""
    command = [program, "serve", "--port", "0"] + (["--model", model] if model else [])
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"LC_ALL": "C"}) as server:
        url = loaded = None
        for line in server.stdout:
            url = url or (URL.search(line) or [None])[0]
            if match := LOADED.search(line):
                loaded = float(match[1])
                break
        if url is None:
            raise SystemExit(f"the server of {model or 'the built-in model'} ended with {server.wait()}")
        body = json.dumps({"prompt": "안녕", "max_tokens": 1, "temperature": 0}).encode()
        request = urllib.request.Request(url + "/v1/completions", body)
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["usage"]["completion_tokens"] == 1
        seconds = time.monotonic() - started
        server.terminate()
    return seconds, loaded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/jikji"))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("models", nargs="*", default=[""])
    args = parser.parse_args()
    for model in args.models:
        runs = [first_answer(args.program, model) for _ in range(args.repeat)]
        print(json.dumps({
            "model": pathlib.Path(model).name or "jikji-mini-ko",
            "first_answer_s": round(statistics.median(run[0] for run in runs), 3),
            "load_s": statistics.median(run[1] for run in runs),
            "all_s": [round(run[0], 3) for run in runs],
        }))


if __name__ == "__main__":
    main()
