// A real router in front of real nodes: one is killed, and no request that had no token yet is lost.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start, startServer } from "./server.js";

let nodes;
let router;
before(async () => {
  nodes = await Promise.all([startServer(), startServer(), startServer()]);
  router = await start("route", ["--look-seconds", "0.2", ...nodes.flatMap((node) => ["--node", node.url])]);
});
after(async () => {
  await router.stop();
  await Promise.all(nodes.map((node) => node.stop("SIGKILL")));
});

const ask = (content, more = {}) =>
  fetch(`${router.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content }], temperature: 0, max_tokens: 16, ...more }),
  });

test("the router answers as a node does, streamed or not", async () => {
  const direct = await (await fetch(`${nodes[0].url}/v1/chat/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "안녕하세요" }], temperature: 0, max_tokens: 16 }),
  })).json();
  const routed = await (await ask("안녕하세요")).json();
  assert.equal(routed.choices[0].message.content, direct.choices[0].message.content);
  const stream = await (await ask("안녕하세요", { stream: true })).text();
  const text = stream.split("\n").filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? "").join("");
  assert.equal(text, direct.choices[0].message.content);
  assert.ok(stream.trimEnd().endsWith("data: [DONE]"));
});

test("SIGKILL of a node: no request is lost before its first token, others are told", async () => {
  const pending = Array.from({ length: 48 }, (_, i) => ask(`여행 ${i}`, { stream: i % 2 === 0, max_tokens: 64 }));
  nodes[1].stop("SIGKILL");
  let told = 0;
  for (const response of await Promise.all(pending)) {
    assert.equal(response.status, 200);
    const text = await response.text();
    if (text.includes("node_lost")) told += 1;
    else assert.ok(text.includes("[DONE]") || JSON.parse(text).choices[0].finish_reason);
  }
  assert.ok(told < 48);
  for (let i = 0; i < 6; ++i) {
    const response = await ask("다시");
    assert.equal(response.status, 200);
    assert.notEqual(response.headers.get("x-jikji-node"), nodes[1].url);
  }
  const list = await (await fetch(`${router.url}/router/nodes`)).json();
  assert.equal(list.filter((node) => node.state === "serving").length, 2);
});

test("a drained node gets nothing new", async () => {
  const host = new URL(nodes[0].url).host;
  assert.equal((await fetch(`${router.url}/router/drain?${host}`, { method: "POST" })).status, 200);
  for (let i = 0; i < 6; ++i) {
    assert.equal((await ask(`배수 ${i}`)).headers.get("x-jikji-node"), nodes[2].url);
  }
});
