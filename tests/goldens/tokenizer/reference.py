"""The reference tokenizers that goldens are made with: Hugging Face's `tokenizers` over the files of ../shared/data."""

import base64
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parents[3] / "shared/data"
TOKENIZERS = DATA / "tokenizers"

GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
          r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = CL100K.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_characters():
    """GPT-2's printable character of each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(0x100 + i) for i, b in enumerate(others)}


def byte_level(pattern, model):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def from_ranks(path, pattern):
    """tiktoken's encoding: a piece that is a token is that token, else any two neighbours that are a token together
    merge, the lowest rank first."""
    written = byte_characters()
    ranks = {}
    for line in path.read_bytes().splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            if left in ranks and right in ranks:
                merges.append((left, right))

    def write(token):
        return "".join(written[b] for b in token)

    vocabulary = {write(token): rank for token, rank in ranks.items()}
    model = models.BPE(vocab=vocabulary, merges=[(write(a), write(b)) for a, b in merges], ignore_merges=True)
    return byte_level(pattern, model)


def qwen2():
    folder = TOKENIZERS / "qwen2"
    vocabulary = json.loads((folder / "vocab.json").read_text())
    merges = [tuple(line.split(" ")) for line in (folder / "merges.txt").read_text().split("\n")
              if line and not line.startswith("#version")]
    tokenizer = byte_level(QWEN2, models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False)
                                  for t in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    return tokenizer


ALL = {
    "qwen2": qwen2,
    "llama3": lambda: from_ranks(TOKENIZERS / "llama3/tokenizer.model", CL100K),
    "mistral": lambda: Tokenizer.from_file(str(TOKENIZERS / "mistral/tokenizer.json")),
    "cl100k": lambda: from_ranks(TOKENIZERS / "tiktoken/cl100k_base.tiktoken", CL100K),
    "o200k": lambda: from_ranks(TOKENIZERS / "tiktoken/o200k_base.tiktoken", O200K),
    "r50k": lambda: from_ranks(TOKENIZERS / "tiktoken/r50k_base.tiktoken", GPT2),
    "jikji-mini-ko": lambda: Tokenizer.from_file(str(HERE.parents[2] / "models/jikji-mini-ko/tokenizer.json")),
}
