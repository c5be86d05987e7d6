"""Writes small tokenizers (tokenizer.json) trained or put together here, each with what `tokenizers` makes of some texts:
small_unigram.json and small_stages.json. Also seeds the fuzzer of the loader."""

import json
import pathlib

import make_vectors
import reference
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

TEXTS = make_vectors.TEXTS[::2] + make_vectors.random_texts(40)
FUZZ = pathlib.Path(reference.HERE).parents[2] / "fuzz/corpus/tokenizer_json"


def lines():
    words = make_vectors.SENTENCE.split() + "안녕하세요 세계 대한민국 헌법 문자 한글 사람 나라 말씀 hello world token".split()
    return [" ".join(words[(i * 7 + k * 3) % len(words)] for k in range(8)) for i in range(400)]


def unigram(byte_fallback):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<unk>", "<s>", "</s>"] + ([f"<0x{b:02X}>" for b in range(256)] if byte_fallback else [])
    tokenizer.train_from_iterator(lines(), trainers.UnigramTrainer(
        vocab_size=len(special) + 120, special_tokens=special, unk_token="<unk>", show_progress=False))
    if byte_fallback:
        saved = json.loads(tokenizer.to_str())
        saved["model"]["byte_fallback"] = True
        saved["added_tokens"] = saved["added_tokens"][:3]  # bytes are ordinary tokens
        saved["decoder"] = {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
        tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tokenizer


def bpe(normalizer, pre_tokenizer, added=()):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.train_from_iterator(lines() + TEXTS[:40], trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<unk>"], show_progress=False))
    tokenizer.add_tokens(list(added))
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


def stages():
    n, p = normalizers, pre_tokenizers
    digits = Regex(r"\d")
    yield bpe(n.NFD(), p.Whitespace())
    yield bpe(n.NFKC(), p.WhitespaceSplit())
    yield bpe(n.Sequence([n.NFKD(), n.StripAccents()]), p.Sequence([p.Punctuation(), p.Digits(individual_digits=True)]))
    yield bpe(n.Sequence([n.Prepend("_"), n.Replace(" ", "_"), n.Replace(Regex("[0-9]+"), "#")]), None)
    yield bpe(n.Strip(), p.Digits())
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        yield bpe(None, p.Split(digits, behavior))
        yield bpe(None, p.Split(Regex(r"[가-힣]+"), behavior, invert=True))
        yield bpe(None, p.Sequence([p.Split(" ", behavior), p.Metaspace(prepend_scheme="first")]))
        yield bpe(None, p.Punctuation(behavior))
    yield bpe(None, p.Metaspace(prepend_scheme="always", split=False))
    yield bpe(None, p.Metaspace(prepend_scheme="never"))
    yield bpe(n.NFC(), p.Sequence([p.Split(Regex(r"\s+"), "isolated"), p.ByteLevel(add_prefix_space=True)]))
    yield bpe(n.NFC(), p.WhitespaceSplit(), [
        AddedToken("한글", single_word=True, normalized=False), AddedToken("나라", lstrip=True, rstrip=True, normalized=False),
        AddedToken("ABC", normalized=True), AddedToken("ABCDEF", normalized=False), AddedToken("1", normalized=True, rstrip=True),
        AddedToken("끝", lstrip=True, normalized=False)])


def write(name, tokenizers):
    entries = []
    for tokenizer in tokenizers:
        entries.append({"tokenizer": json.loads(tokenizer.to_str()),
                        "ids": [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS],
                        "decoded": [tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) for text in TEXTS[:40]]})
    text = ",\n".join(json.dumps(entry, ensure_ascii=True, separators=(",", ":")) for entry in entries)
    (reference.HERE / name).write_text('{"texts": ' + json.dumps(TEXTS) + ',\n"entries": [\n' + text + "\n]}\n")


def seeds():
    FUZZ.mkdir(parents=True, exist_ok=True)
    for i, entry in enumerate(json.loads((reference.HERE / "small_stages.json").read_text())["entries"][::3]):
        document = entry["tokenizer"]
        keep = {token: i for token, i in document["model"]["vocab"].items() if len(token) < 2 and ord(token[0]) < 0x180 or token == "<unk>"}
        document["model"]["vocab"] = keep
        document["model"]["merges"] = []
        (FUZZ / f"stages_{i}.json").write_text(json.dumps(document, ensure_ascii=True, separators=(",", ":")))
    document = json.loads((reference.HERE / "small_unigram.json").read_text())["entries"][0]["tokenizer"]
    document["model"]["vocab"] = document["model"]["vocab"][:40]
    (FUZZ / "unigram.json").write_text(json.dumps(document, ensure_ascii=True, separators=(",", ":")))


if __name__ == "__main__":
    write("small_unigram.json", [unigram(False), unigram(True)])
    write("small_stages.json", stages())
    seeds()
