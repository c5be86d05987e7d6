#!/usr/bin/env python3
"""KoBEST and KLUE-NLI scored by `jikji eval` and by transformers: the same log-likelihoods and the same metrics.

Usage: tests/lab/eval_compare.py [--limit N] [--data DIR] [--program FILE]
The built-in model takes the first N items of each task twice: by `jikji eval` with an F32 cache and activations in f32, and
by transformers with the mechanics of tests/goldens/eval/make.py, run in the lab (../shared/lab/lab). Prints the largest
difference of a log-likelihood and each task's metrics; fails past 1e-4, or where a metric differs.
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = ROOT.parent / "shared/lab/lab"
TASKS = {name: name for name in
         ["kobest_boolq", "kobest_copa", "kobest_hellaswag", "kobest_sentineg", "kobest_wic"]} | {"klue_nli": "klue_nli_dev"}
CONTEXT = 512  # the built-in model's own
WITHIN = 1e-4

# Run in the lab: reads {task: items}, writes {task: [log-likelihoods, metrics]}.
SCORE = """
import importlib.util, json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
spec = importlib.util.spec_from_file_location("make", "tests/goldens/eval/make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)
folder = "models/jikji-mini-ko"
model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
tokenizer = AutoTokenizer.from_pretrained(folder)
out = {}
for task, items in json.load(open(sys.argv[1])).items():
    scores = [[make.loglikelihood(model, tokenizer, i["ctx"], " " + c, int(sys.argv[2]) - 1) for c in i["choices"]]
              for i in items]
    out[task] = [scores, make.metrics(items, scores)]
json.dump(out, open(sys.argv[3], "w"))
"""


def read_items(data: pathlib.Path, stem: str, limit: int) -> list:
    text = subprocess.run(["zstd", "-dcq", data / f"{stem}.jsonl.zst"], check=True, capture_output=True).stdout.decode()
    return [json.loads(line) for line in text.splitlines()[:limit]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "build/release/jikji"))
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data/ko-eval")
    parser.add_argument("--limit", type=int, default=50)
    args = parser.parse_args()
    report = subprocess.run(
        [args.program, "eval", "--task", "kobest,klue_nli", "--data", args.data, "--limit", str(args.limit), "--context",
         str(CONTEXT), "--kv-dtype", "F32", "--isa", "avx512-vnni", "--json", ROOT / "models/jikji-mini-ko"],
        check=True, capture_output=True, text=True)
    ours = json.loads(report.stdout)["models"][0]
    work = ROOT / "build/eval_compare"
    work.mkdir(parents=True, exist_ok=True)
    items = {task: read_items(args.data, stem, args.limit) for task, stem in TASKS.items()}
    (work / "items.json").write_text(json.dumps(items))
    subprocess.run([LAB, "run", "python3", "-c", SCORE, "build/eval_compare/items.json", str(CONTEXT),
                    "build/eval_compare/scores.json"], cwd=ROOT, check=True, capture_output=True)
    theirs = json.loads((work / "scores.json").read_text())
    worst, same = 0.0, True
    for task in ours["tasks"]:
        scores, metrics = theirs[task["name"]]
        for item, expected in zip(task["items"], scores, strict=True):
            worst = max(worst, *(abs(a - b) for a, b in zip(item["loglikelihoods"], expected, strict=True)))
        for metric, value in metrics.items():
            name = task["name"] if metric == "acc" else f"{task['name']}.{metric}"
            same = same and abs(ours["scores"][name]["value"] - value) < 1e-12
        print(f"{task['name']:17} {len(scores)} items  " + "  ".join(f"{m} {v:.4f}" for m, v in metrics.items()))
    print(f"largest difference of a log-likelihood: {worst:.1e}; metrics {'the same' if same else 'DIFFER'}")
    return 0 if same and worst <= WITHIN else 1


if __name__ == "__main__":
    sys.exit(main())
