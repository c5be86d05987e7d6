#!/usr/bin/env python3
"""The PyTorch half of bench/train: makes a model's folder, and trains it as `jikji adapt pretrain` does.

  train_torch.py make FOLDER SIZE            config.json, safetensors of random weights, the built-in model's tokenizer
  train_torch.py train FOLDER TEXT OPTIONS   OPTIONS: JSON; prints {"losses": [...], "tokens_per_second": ...}

Documents, their order and their packing are those of src/adapt/train (batch_source.cc), written out again here. Each packed
document is a row of a padded batch, so that no document sees another. Needs torch, transformers and tokenizers: runs in the lab.
"""
import json
import math
import pathlib
import shutil
import sys
import time

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

ROOT = pathlib.Path(__file__).resolve().parents[1]
SIZES = {
    "tiny": dict(hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                 head_dim=16, vocab_size=4096),
    "6.4M": dict(hidden_size=256, intermediate_size=736, num_hidden_layers=7, num_attention_heads=4, num_key_value_heads=2,
                 head_dim=64, vocab_size=4096),
    "30M": dict(hidden_size=512, intermediate_size=1408, num_hidden_layers=9, num_attention_heads=8, num_key_value_heads=4,
                head_dim=64, vocab_size=8192),
}
MASK = (1 << 64) - 1


def make(folder, size):
    folder = pathlib.Path(folder)
    torch.manual_seed(1)
    config = LlamaConfig(**SIZES[size], max_position_embeddings=2048, rope_theta=10000.0, tie_word_embeddings=True,
                         rms_norm_eps=1e-5, bos_token_id=0, eos_token_id=1)
    model = LlamaForCausalLM(config)
    print(f"{size}: {sum(p.numel() for p in model.parameters())} parameters")
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(ROOT / "models/jikji-mini-ko" / name, folder / name)


class Random:  # random.h
    def __init__(self, seed):
        self.state = seed & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)


def documents(folder, text, rows):  # text_documents.cc
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    bos, eos = (tokenizer.token_to_id(config[k]) for k in ("bos_token", "eos_token"))
    out = []
    for part in pathlib.Path(text).read_text(encoding="utf-8").split("\n\n"):
        if part.strip(" \t\r\n"):
            ids = [bos] + tokenizer.encode(part, add_special_tokens=False).ids + [eos]
            out += [ids[i:i + rows + 1] for i in range(0, len(ids) - 1, rows)]
    return out


def batches(docs, rows, seed):  # batch_source.cc
    epoch = 0
    while True:
        order, random = list(range(len(docs))), Random(seed + 0x9E3779B97F4A7C15 * epoch)
        for i in range(len(order), 1, -1):
            j = random.next() % i
            order[i - 1], order[j] = order[j], order[i - 1]
        for index in order:
            yield docs[index]
        epoch += 1


def packed(docs, rows, seed):
    batch, used = [], 0
    for doc in batches(docs, rows, seed):
        if used + len(doc) - 1 > rows:
            yield batch
            batch, used = [], 0
        batch.append(doc)
        used += len(doc) - 1


def rate(step, o):  # schedule.cc
    if step <= o["warmup"]:
        return o["peak"] * step / o["warmup"]
    share = min(1.0, (step - o["warmup"]) / max(1, o["steps"] - o["warmup"]))
    floor = o["peak"] * o["floor"]
    return floor + (o["peak"] - floor) * 0.5 * (1 + math.cos(math.pi * share))


def train(folder, text, options):
    o = json.loads(options)
    torch.set_num_threads(o["threads"])
    folder = pathlib.Path(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").train()
    decay = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    optimiser = torch.optim.AdamW([dict(params=decay, weight_decay=0.1), dict(params=plain, weight_decay=0.0)], lr=1.0,
                                  betas=(0.9, 0.95), eps=1e-8)
    losses, tokens, start = [], 0, None
    source = packed(documents(folder, text, o["length"]), o["rows"], o["seed"])
    for step in range(1, o["steps"] + 1):
        batch = next(source)
        longest = max(len(doc) for doc in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        target = torch.full((len(batch), longest), -100)
        for i, doc in enumerate(batch):
            ids[i, :len(doc)] = torch.tensor(doc)
            target[i, :len(doc) - 1] = torch.tensor(doc[1:])
        for group in optimiser.param_groups:
            group["lr"] = rate(step, o)
        # Rows are padded at their end, which no token before it sees.
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target[:, :-1].flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        if start is None:  # the first step warms up
            start = time.perf_counter()
        else:
            tokens += sum(len(doc) - 1 for doc in batch)
    print(json.dumps(dict(losses=losses, tokens_per_second=tokens / (time.perf_counter() - start))))


if __name__ == "__main__":
    {"make": make, "train": train}[sys.argv[1]](*sys.argv[2:])
