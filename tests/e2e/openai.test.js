// The official OpenAI client against `jikji serve`, as a developer would use it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { startServer } from "./server.js";

const key = "test-key-1";
let server;
let client;
let model;

before(async () => {
  server = await startServer(["--api-key", key]);
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 });
  model = (await client.models.list()).data[0].id;
});
after(async () => {
  const { code } = await server.stop();
  assert.equal(code, 0);
});

const hello = [{ role: "user", content: "안녕하세요" }];
const greedy = { temperature: 0, max_completion_tokens: 24 };

test("models: listed and found by id", async () => {
  assert.equal(model, "jikji-mini-ko");
  const found = await client.models.retrieve(model);
  assert.equal(found.object, "model");
  await assert.rejects(client.models.retrieve("absent"), { status: 404 });
});

test("chat: an answer with usage and a reason", async () => {
  const { data, response } = await client.chat.completions
    .create({ model, messages: hello, ...greedy }, { headers: { "X-Request-Id": "my-request-7" } })
    .withResponse();
  assert.equal(response.headers.get("x-request-id"), "my-request-7");
  assert.equal(data.object, "chat.completion");
  assert.equal(data.choices.length, 1);
  const [choice] = data.choices;
  assert.equal(choice.message.role, "assistant");
  assert.ok(choice.message.content.length > 0);
  assert.ok(["stop", "length"].includes(choice.finish_reason));
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  assert.ok(data.usage.completion_tokens <= 24);
});

test("chat: a stream adds up to the plain answer, in whole characters", async () => {
  const plain = await client.chat.completions.create({ model, messages: hello, ...greedy });
  const stream = await client.chat.completions.create({
    model, messages: hello, ...greedy, stream: true, stream_options: { include_usage: true },
  });
  let content = "";
  const roles = [];
  const reasons = [];
  const ids = new Set();
  let usage = null;
  for await (const chunk of stream) {
    ids.add(chunk.id);
    if (chunk.usage) {
      assert.deepEqual(chunk.choices, []);
      usage = chunk.usage;
      continue;
    }
    const [choice] = chunk.choices;
    if (choice.delta.role) roles.push(choice.delta.role);
    assert.ok(!choice.delta.content?.includes("\uFFFD"));
    content += choice.delta.content ?? "";
    if (choice.finish_reason) reasons.push(choice.finish_reason);
  }
  assert.equal(content, plain.choices[0].message.content);
  assert.deepEqual(roles, ["assistant"]);
  assert.deepEqual(reasons, [plain.choices[0].finish_reason]);
  assert.equal(ids.size, 1);
  assert.deepEqual(usage, plain.usage);
});

test("chat: a seed gives the same answer again, n gives several", async () => {
  const ask = { model, messages: hello, temperature: 2, seed: 42, n: 3, max_completion_tokens: 16 };
  const first = await client.chat.completions.create(ask);
  const second = await client.chat.completions.create(ask);
  const texts = (answer) => answer.choices.map((choice) => choice.message.content);
  assert.equal(first.choices.length, 3);
  assert.deepEqual(first.choices.map((choice) => choice.index), [0, 1, 2]);
  assert.deepEqual(texts(first), texts(second));
  assert.ok(new Set(texts(first)).size > 1);
});

test("chat: logprobs spell the answer byte by byte", async () => {
  const answer = await client.chat.completions.create({
    model, messages: hello, ...greedy, logprobs: true, top_logprobs: 3,
  });
  const [choice] = answer.choices;
  const bytes = choice.logprobs.content.flatMap((entry) => entry.bytes);
  assert.ok(Buffer.from(bytes).toString("utf8").startsWith(choice.message.content));
  for (const entry of choice.logprobs.content) {
    assert.ok(entry.logprob <= 0);
    assert.equal(entry.top_logprobs.length, 3);
    assert.ok(entry.top_logprobs[0].logprob >= entry.top_logprobs[2].logprob);
    // Greedy: the token taken is the likeliest.
    assert.equal(entry.token, entry.top_logprobs[0].token);
  }
});

test("chat: stop strings end the answer and are not in it", async () => {
  const whole = (await client.chat.completions.create({ model, messages: hello, ...greedy })).choices[0].message.content;
  const stop = [...whole][2];
  const answer = await client.chat.completions.create({ model, messages: hello, ...greedy, stop: [stop] });
  assert.equal(answer.choices[0].message.content, whole.slice(0, whole.indexOf(stop)));
  assert.equal(answer.choices[0].finish_reason, "stop");
});

test("completions: text, echo and token logprobs", async () => {
  const answer = await client.completions.create({
    model, prompt: "대한민국", max_tokens: 8, temperature: 0, echo: true, logprobs: 2,
  });
  const [choice] = answer.choices;
  assert.ok(choice.text.startsWith("대한민국"));
  assert.equal(choice.logprobs.tokens.length, choice.logprobs.token_logprobs.length);
  assert.equal(choice.logprobs.token_logprobs[0], null);
  assert.equal(choice.logprobs.text_offset[0], 0);
});

test("completions: a stream of several prompts", async () => {
  const prompts = ["서울은", "부산은"];
  const plain = await client.completions.create({ model, prompt: prompts, max_tokens: 8, temperature: 0 });
  const stream = await client.completions.create({ model, prompt: prompts, max_tokens: 8, temperature: 0, stream: true });
  const texts = ["", ""];
  for await (const chunk of stream) for (const choice of chunk.choices) texts[choice.index] += choice.text;
  assert.deepEqual(texts, plain.choices.map((choice) => choice.text));
});

test("errors: each has its status, type and parameter", async () => {
  const create = (body) => client.chat.completions.create({ model, messages: hello, ...body });
  await assert.rejects(create({ model: "absent" }), (error) => error.status === 404 && /absent/.test(error.message));
  await assert.rejects(create({ temperature: 3 }), (error) => error.status === 400 && error.param === "temperature");
  await assert.rejects(create({ messages: [] }), (error) => error.status === 400 && error.param === "messages");
  await assert.rejects(create({ messages: [{ role: "user", content: "말 ".repeat(5000) }] }),
    (error) => error.status === 400 && error.code === "context_length_exceeded");
  await assert.rejects(create({ stream_options: { include_usage: true } }), { status: 400 });
  await assert.rejects(create({ tools: [] }), { status: 400 });
  const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "wrong", maxRetries: 0 });
  await assert.rejects(stranger.models.list(), { status: 401 });
});

test("an aborted stream leaves the engine", async () => {
  const stream = await client.chat.completions.create({
    model, messages: hello, temperature: 1, stream: true, max_completion_tokens: 1500,
    logit_bias: { 5: -100, 1: -100 },  // never ends by itself
  });
  for await (const chunk of stream) {
    if (chunk.choices[0].delta.content) break; // leaving the loop closes the connection
  }
  const running = async () => {
    const response = await fetch(`${server.url}/metrics`, { headers: { Authorization: `Bearer ${key}` } });
    return Number((await response.text()).match(/^vllm:num_requests_running\{.*\} (\S+)$/m)[1]);
  };
  const deadline = Date.now() + 10_000;
  while ((await running()) !== 0) assert.ok(Date.now() < deadline, "the request still runs");
});
