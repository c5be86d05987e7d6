#!/usr/bin/env python3
"""Reference scores for src/measure/harness: made-up items, scored by transformers with lm-evaluation-harness's mechanics.

  expected.json        the items; per model the log-likelihood of each choice and the metrics; of the built-in model also a
                       text's rolling log-likelihood and greedy answers up to a stop string
  byte_tokenizer.json  256 tokens, one a byte, for the tiny models of ../models

The mechanics are written down here a second time, in Python and from the harness's documentation, apart from our own code:
what stands in src/measure is compared with what another implementation of the model and of the formulas says. Needs torch,
transformers and tokenizers:
  ../shared/lab/lab run python3 tests/goldens/eval/make.py
"""
import importlib.util
import json
import math
import pathlib

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TINY = ["qwen3", "hyperclovax"]
# One more than the harness's max_length, as src/measure counts. The tiny models hold 128.
CONTEXT = {"jikji-mini-ko": 256, "qwen3": 128, "hyperclovax": 128}

ITEMS = [
    dict(ctx="겨울이 가고 봄이 왔다. 질문: 봄이 왔나요? 답변: ", choices=["아니오", "예"], gold=1),
    dict(ctx="가게는 일요일에 쉰다. 질문: 가게는 날마다 여나요? 답변: ", choices=["아니오", "예"], gold=0),
    dict(ctx="비가 많이 내렸다.  그래서", choices=["강물이 불었다.", "땅이 말랐다."], gold=0),
    dict(ctx="아이가 웃었다.  왜냐하면", choices=["넘어져서 무릎이 까졌다.", "선물을 받았다."], gold=1),
    dict(ctx="문장: 요리사가 냄비에 물을 붓는다. 물이 끓는다.",
         choices=["요리사가 면을 넣는다.", "요리사가 밭을 간다.", "물이 얼어붙는다.", "냄비가 노래한다."], gold=0),
    dict(ctx="문장: 버스가 정류장에 선다. 문이 열린다.",
         choices=["버스가 하늘을 난다.", "문이 사라진다.", "사람들이 내린다.", "정류장이 움직인다."], gold=2),
    dict(ctx="문장: 배송도 빠르고 포장도 좋아요 긍부정:", choices=["부정", "긍정"], gold=1),
    dict(ctx="문장: 두 번 다시 안 삽니다 긍부정:\t \n", choices=["부정", "긍정"], gold=0),
    dict(ctx="전제: 모든 문은 잠겨 있다.\n가설: 열린 문이 하나 있다.\n답:", choices=["참", "알 수 없음", "거짓"], gold=2),
    dict(ctx="The shop opens at nine. Question: is it open at ten? Answer:", choices=["no", "yes"], gold=1),
    dict(ctx="가" * 120 + " 끝말:", choices=["짧다", "이것은 꽤 긴 답입니다"], gold=0),
    dict(ctx="숫자 1, 2, 3 다음은", choices=["4", "5 그리고 6", "사"], gold=0),
]
# Its tokenizer has a BOS to stand for an empty context; the byte tokenizer has none.
EMPTY = dict(ctx="", choices=["봄이 왔다.", "왔다 봄이?"], gold=0)
TEXT = ("직지는 흰 종이에 찍은 책이다. 활자 하나하나를 쇠로 부어 만들었다.\n\n"
        "도서관은 아침 아홉 시에 열고 저녁 여섯 시에 닫습니다. 책은 두 주 동안 빌릴 수 있습니다. "
        "늦게 돌려주면 그만큼 빌리지 못합니다. Any book can be asked for by its number.\n") * 3
WINDOW = 48
PROMPTS = [("안녕하세요", "요"), ("오늘 날씨가", "."), ("질문: 봄은 언제 오나요?\n답:", "\n"), ("하나 둘 셋", "넷 다섯")]
MAX_TOKENS = 24


def models_make():
    spec = importlib.util.spec_from_file_location("models_make", HERE.parent / "models/make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def byte_tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(HERE / "byte_tokenizer.json"))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def tiny(maker, name):
    config = maker.MODELS[name]
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config), attn_implementation="eager",
                                             dtype=torch.float32).eval()
    state = {}
    for tensor, value in model.state_dict().items():
        if tensor == "lm_head.weight" and config["tie_word_embeddings"]:
            continue
        shape = list(value.shape)
        state[tensor] = maker.weights(maker.fnv1a(name), tensor, shape, *maker.scale_of(tensor, shape))
    model.load_state_dict(state, strict=False)
    model.tie_weights()
    return model


def encode(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False)


def encode_pair(tokenizer, context, continuation):
    """Trailing white space of the context moves over; the whole is encoded, and what is past the context is scored."""
    if context == "":
        return [tokenizer.bos_token_id], encode(tokenizer, continuation)
    spaces = len(context) - len(context.rstrip())
    if spaces:
        continuation, context = context[-spaces:] + continuation, context[:-spaces]
    head = encode(tokenizer, context)
    return head, encode(tokenizer, context + continuation)[len(head):]


@torch.no_grad()
def logprobs(model, ids):
    """ln p of each token after the first."""
    logits = model(torch.tensor([ids[:-1]])).logits[0].double()
    return torch.log_softmax(logits, -1)[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]


def loglikelihood(model, tokenizer, context, continuation, max_length):
    head, tail = encode_pair(tokenizer, context, continuation)
    ids = (head + tail)[-(max_length + 1):]
    return float(logprobs(model, ids)[-len(tail):].sum())


def macro_f1(golds, chosen):
    scores = []
    for label in sorted(set(golds) | set(chosen)):
        hits = sum(g == c == label for g, c in zip(golds, chosen))
        precision = hits / chosen.count(label) if label in chosen else 0.0
        recall = hits / golds.count(label) if label in golds else 0.0
        scores.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return sum(scores) / len(scores)


def metrics(items, scores):
    gold = [item["gold"] for item in items]
    plain = [int(np.argmax(s)) for s in scores]
    chars = [int(np.argmax(np.array(s) / [len(c) for c in i["choices"]])) for i, s in zip(items, scores)]
    octets = [int(np.argmax(np.array(s) / [len(c.encode()) for c in i["choices"]])) for i, s in zip(items, scores)]
    mean = lambda chosen: sum(g == c for g, c in zip(gold, chosen)) / len(gold)
    return dict(acc=mean(plain), acc_norm=mean(chars), acc_bytes=mean(octets), f1=macro_f1(gold, plain))


def rolling(model, tokenizer, text, max_length):
    """The harness's loglikelihood_rolling with one token of context, and bits per byte."""
    ids, total, done = encode(tokenizer, text), 0.0, 0
    first = ids[:max_length]
    total += float(logprobs(model, [tokenizer.bos_token_id] + first).sum())
    done = len(first)
    while done < len(ids):
        count = min(len(ids) - done, max_length)
        end = done + count
        total += float(logprobs(model, ids[end - max_length - 1:end])[-count:].sum())
        done = end
    return dict(text=text, window=max_length + 1, loglikelihood=total,
                bits_per_byte=-total / len(text.encode()) / math.log(2))


@torch.no_grad()
def generate(model, tokenizer, prompt, stop):
    ids = torch.tensor([encode(tokenizer, prompt)])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=MAX_TOKENS)
    text = tokenizer.decode(out[0][ids.shape[1]:], skip_special_tokens=True)
    return dict(prompt=prompt, stop=stop, max_tokens=MAX_TOKENS, text=text.split(stop)[0])


def main():
    maker, bytes_only = models_make(), byte_tokenizer()
    folder = ROOT / "models/jikji-mini-ko"
    mini = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    mini_tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = []
    for name, model, tokenizer in [("jikji-mini-ko", mini, mini_tokenizer)] + [
            (name, tiny(maker, name), bytes_only) for name in TINY]:
        items = ITEMS + ([EMPTY] if tokenizer is mini_tokenizer else [])
        scores = [[loglikelihood(model, tokenizer, i["ctx"], " " + c, CONTEXT[name] - 1) for c in i["choices"]]
                  for i in items]
        expected.append(dict(name=name, context=CONTEXT[name], items=items, loglikelihoods=scores,
                             metrics=metrics(items, scores)))
        print(name, expected[-1]["metrics"])
    out = dict(models=expected, rolling=rolling(mini, mini_tokenizer, TEXT, WINDOW - 1),
               generation=[generate(mini, mini_tokenizer, *p) for p in PROMPTS])
    print(out["rolling"]["bits_per_byte"], [g["text"] for g in out["generation"]])
    (HERE / "expected.json").write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
