#!/usr/bin/env python3
"""The official OpenAI Python client against a running `jikji serve` with the built-in model.

The client is in the lab, so CI does not run this; tests/e2e/openai.test.js asks the same of the Node.js client there.
    build/release/jikji serve --port 8080 --api-key k &
    ../shared/lab/lab run python3 tests/lab/openai_python.py http://127.0.0.1:8080 k
"""
import sys

import openai

HELLO = [{"role": "user", "content": "안녕하세요"}]


def fails(kind, call, **expected):
    try:
        call()
    except kind as error:
        for name, value in expected.items():
            assert getattr(error, name) == value, (name, getattr(error, name), value)
        return
    raise AssertionError(f"{kind.__name__} expected")


def main() -> None:
    url, key = sys.argv[1], sys.argv[2]
    client = openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)
    model = client.models.list().data[0].id
    chat = lambda **body: client.chat.completions.create(  # noqa: E731
        **({"model": model, "messages": HELLO, "temperature": 0, "max_completion_tokens": 24} | body))

    plain = chat()
    text = plain.choices[0].message.content
    assert text and plain.usage.total_tokens == plain.usage.prompt_tokens + plain.usage.completion_tokens
    print("chat:", text)

    pieces, usage = [], None
    for chunk in chat(stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        if chunk.choices and chunk.choices[0].delta.content:
            pieces.append(chunk.choices[0].delta.content)
    assert "".join(pieces) == text and usage == plain.usage
    print("stream:", len(pieces), "pieces add up")

    logprobs = chat(logprobs=True, top_logprobs=2).choices[0].logprobs.content
    assert bytes(b for entry in logprobs for b in entry.bytes).decode().startswith(text)
    assert all(entry.logprob <= 0 and len(entry.top_logprobs) == 2 for entry in logprobs)
    print("logprobs:", len(logprobs), "tokens")

    stop = text[2]
    stopped = chat(stop=[stop]).choices[0]
    assert stopped.message.content == text[: text.index(stop)] and stopped.finish_reason == "stop"
    print("stop:", repr(stop))

    several = [choice.message.content for choice in chat(n=3, temperature=1, seed=5).choices]
    assert several == [choice.message.content for choice in chat(n=3, temperature=1, seed=5).choices]
    print("n and seed:", len(several), "choices, the same twice")

    answer = client.completions.create(model=model, prompt="서울은", max_tokens=6, temperature=0, echo=True, logprobs=1)
    assert answer.choices[0].text.startswith("서울은")
    assert len(answer.choices[0].logprobs.tokens) == len(answer.choices[0].logprobs.token_logprobs)
    print("completions:", answer.choices[0].text)

    fails(openai.NotFoundError, lambda: chat(model="absent"))
    fails(openai.BadRequestError, lambda: chat(temperature=3), param="temperature")
    fails(openai.BadRequestError, lambda: chat(messages=[{"role": "user", "content": "말 " * 5000}]),
          code="context_length_exceeded")
    stranger = openai.OpenAI(base_url=url + "/v1", api_key="wrong", max_retries=0)
    fails(openai.AuthenticationError, stranger.models.list)
    print("errors: 404, 400, 400, 401 as they should be")


if __name__ == "__main__":
    main()
