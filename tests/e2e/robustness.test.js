// Bad input and bad peers against the real server: clear errors, nothing lost for others, a clean end.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { startServer } from "./server.js";

let server;
before(async () => (server = await startServer()));
after(() => server.stop());

const post = (path, body, headers = {}) =>
  fetch(server.url + path, { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } });

async function rejected(response, status) {
  assert.equal(response.status, status);
  const { error } = await response.json();
  assert.deepEqual(Object.keys(error).sort(), ["code", "message", "param", "type"]);
  assert.ok(error.message.length > 0);
  assert.ok(response.headers.get("x-request-id"));
  return error;
}

const good = () => post("/v1/chat/completions",
  JSON.stringify({ messages: [{ role: "user", content: "안녕" }], max_tokens: 4, temperature: 0 }));

test("malformed JSON, wrong types and unknown routes", async () => {
  for (const body of ["", "{", "[]", "null", '{"messages": 3}', '{"messages": [{"role": "user"}]}',
    '{"messages": [{"role": "emperor", "content": "x"}]}', '{"messages": [{"role": "user", "content": "x"}], "n": "two"}',
    '{"messages": [{"role": "user", "content": "x"}], "max_tokens": -1}', '{"a": ' + "[".repeat(100_000),
    '{"messages": [{"role": "user", "content": "\\ud800"}]}']) {
    await rejected(await post("/v1/chat/completions", body), 400);
  }
  await rejected(await post("/v1/nowhere", "{}"), 404);
  await rejected(await fetch(`${server.url}/v1/chat/completions`), 405);
  assert.equal((await good()).status, 200);
});

test("a body of 100 MB is refused before it is read", async () => {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.on("error", () => {}); // the server may cut while we still send
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: ${100 * 2 ** 20}\r\n\r\n`);
  let answer = "";
  socket.on("data", (data) => (answer += data));
  await once(socket, "close");
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.equal((await good()).status, 200);
});

test("a thousand half-open connections do not keep others out", async () => {
  const { hostname, port } = new URL(server.url);
  const sockets = Array.from({ length: 1000 }, () => connect(Number(port), hostname));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  for (const socket of sockets) socket.write("POST /v1/chat/comp");
  const answers = await Promise.all(Array.from({ length: 20 }, good));
  assert.ok(answers.every((answer) => answer.status === 200));
  for (const socket of sockets) socket.destroy();
});

test("SIGTERM lets answers end, refuses new ones and exits 0", async () => {
  const own = await startServer();
  const response = await fetch(`${own.url}/v1/completions`, {
    method: "POST",
    body: JSON.stringify({ prompt: "서울", max_tokens: 200, ignore_eos: true, stream: true }),
  });
  const reader = response.body.getReader();
  let text = new TextDecoder().decode((await reader.read()).value);
  const ended = own.stop("SIGTERM");
  for (let piece; !(piece = await reader.read()).done;) text += new TextDecoder().decode(piece.value);
  assert.ok(text.endsWith("data: [DONE]\n\n"));
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test("a full queue is 503 with Retry-After", async () => {
  const own = await startServer(["--max-running", "1", "--max-queued", "1"]);
  const body = JSON.stringify({ prompt: "서울", max_tokens: 200, ignore_eos: true });
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => fetch(`${own.url}/v1/completions`, { method: "POST", body })));
  const refused = answers.filter((answer) => answer.status === 503);
  assert.ok(refused.length > 0);
  assert.ok(answers.some((answer) => answer.status === 200));
  for (const answer of refused) assert.ok(Number(answer.headers.get("retry-after")) >= 1);
  await own.stop();
});
