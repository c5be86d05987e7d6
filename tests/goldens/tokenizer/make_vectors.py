"""Writes vectors.json: texts of our own and what the reference tokenizers make of them. Run where `tokenizers` is."""

import json
import random
import unicodedata

import reference

SENTENCE = "나랏말싸미 듕귁에 달아 문자와로 서르 사맛디 아니할쎄"
TEXTS = [
    "", " ", "  ", "\t", "\n", "\r\n", "\n\n\n", " \n ", "\n  \n", "가", " 가", "가 ", "  가나  다라  ",
    "안녕하세요, 세계!", "대한민국 헌법 제1조 ① 대한민국은 민주공화국이다.", SENTENCE,
    "값이 싼 닭갈비와 흙냄새, 앉았다가 끓였다", "뷁쀍뛣쩗햏휋", "똠방각하 펲시콜라 찦차",
    "ㄱㄴㄷㄹㅁㅂㅅ ㅏㅑㅓㅕ ㅋㅋㅋㅋㅋㅋㅋ ㅠㅠㅠㅠ ㅎㄷㄷ ㅇㅈ?",
    unicodedata.normalize("NFD", "한글은 자모로 풀어 쓸 수 있다."), "\u1100\u1161\u11a8 \u1112\u1161\u11ab",
    "\u1113\u119e\u11eb 옛한글 \ua960\ud7b0", "大韓民國의 憲法은 漢字와 한글을 섞어 쓴다(國漢文混用).", "日本語のテキスト、中文文本。",
    "１２３４５ ＡＢＣ 전각 문자 ￦10,000", "가격은 1,234,567원(약 12.5%)이고 2026년 11월 23일 22:34에 올랐다.",
    "0 00 000 0000 00000 123456789012345678901234567890", "½ ¾ ² ³ Ⅷ ㉠ ㉮ ① ⑳ ㊗ ㎏ ㎡ ℃ № ™",
    "👩‍👩‍👧‍👦 👨🏽‍💻 🏳️‍🌈 🇰🇷🇺🇸 ❤️‍🔥 1️⃣ 🫠", "웃음😂😂😂😂😂 끝", "e\u0301 é ñ n\u0303 각\u0301 \u0301가",
    "I'm you're we've he'll she'd it's don't I'M YOU'RE WE'VE IT\u2019S 's'S'ſ 'll'LL", "a'bc 'tis ''s '가 's가",
    "HTTPServer camelCase XMLHttpRequest getURLFor ABCdef가나DEF ÀÉÎõü ǅ ʰ ªº", "한국어English混合テスト한국어",
    "def f(x):\n    if x > 0:\n\t\treturn x ** 2  # 제곱\n\n\n    return None\r\n", "SELECT * FROM 표 WHERE 이름='홍길동';--",
    "{\"이름\": \"홍길동\", \"나이\": 30, \"목록\": [1, 2, null]}", "https://www.example.kr/경로?검색=한글&n=1#끝",
    "/usr/local/bin//x\\n\\t //주석 /* */ a/b\n/\n/c", "-----=====*****_____.....!!!!!?????~~~~~", "…… ―― 「인용」 『책』 〈글〉 《신문》 “큰” ‘작은’",
    "줄바꿈\r\n윈도\r맥\n유닉스\u2028줄\u2029문단\u0085끝", "빈칸\u00a0\u2003\u3000\u200b\u180e\u202f\ufeff끝", "\u0000\u0001\u007f\u0080 제어",
    "a" * 100, "가" * 100, " " * 100 + "끝", "\n" * 50, "1" * 50, "ㅋ" * 90, "😂" * 40, "가 " * 50, " \n" * 30, "ABC" * 40, "🏳️‍🌈" * 10,
    "A" * 60 + "가" + "B" * 60, "a A b B가A나B", "<|im_start|>user\n안녕<|im_end|>", "<s>[INST] 안녕 [/INST]</s>", "▁밑줄▁ ▁", "<0x41><0xEA>",
    "\U00013000\U0001f600\U0010ffff\uffff\ue000", "ประเทศไทย हिन्दी العربية עברית Ελληνικά Русский ქართული", "ﬁﬂ ﬀ ȷ ﷺ Å Å Ω Ω",
]


def random_texts(count):
    """Texts over the characters where pre-tokenizers and normalisers disagree most easily."""
    rng = random.Random(20261123)
    pool = (list(" \t\n\r'.,/-_0189aAzZsStTéß") + list("가각힣한글말ㄱㅏㅎ") + ["\u1100", "\u1161", "\u11a8", "\u0301", "漢", "ー", "Ω",
            "Ⅷ", "½", "٣", "ǅ", "ʰ", "😀", "\u200d", "\ufe0f", "\u3000", "\u00a0", "\u0085", "'ll", "'S", "  ", "\r\n", "▁", "ſ"])
    return ["".join(rng.choice(pool) for _ in range(rng.randrange(1, 40))) for _ in range(count)]


def main():
    texts = TEXTS + random_texts(150)
    out = {"texts": texts, "ids": {}}
    for name, make in reference.ALL.items():
        tokenizer = make()
        tokenizer.encode_special_tokens = True  # special tokens in a text are text
        out["ids"][name] = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    lines = [json.dumps(text, ensure_ascii=True) for text in texts]
    with open(reference.HERE / "vectors.json", "w") as file:
        file.write('{"texts": [\n' + ",\n".join(lines) + '\n],\n"ids": {\n')
        file.write(",\n".join(f'"{name}": {json.dumps(ids, separators=(",", ":"))}' for name, ids in out["ids"].items()))
        file.write("\n}}\n")


if __name__ == "__main__":
    main()
