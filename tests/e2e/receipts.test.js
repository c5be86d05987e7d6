// Answers with receipts from `jikji serve --store`, made again by `jikji replay`; and the audit log
// that they point into.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { program, startServer } from "./server.js";

const folder = mkdtempSync(join(tmpdir(), "jikji_receipts_"));
const store = join(folder, "tenants.db");
const environment = { JIKJI_STORE: `sqlite:${store}` };
let server;
let key;

const jikji = (...words) =>
  spawnSync(program, words, { env: { ...process.env, LANG: "C", LC_ALL: "C", ...environment }, encoding: "utf8" });

function must(...words) {
  const done = jikji(...words);
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

const tenant = (...words) => JSON.parse(must("tenant", ...words, "--json"));

const post = (path, body) =>
  fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key.secret}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

function file(name, content) {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

before(async () => {
  tenant("init");
  const organisation = String(tenant("add-organisation", "시청").id);
  key = tenant("add-key", "봇", "--project", String(tenant("add-project", "민원", "--organisation", organisation).id));
  server = await startServer(["--guard", "default"], environment);
});
after(() => rmSync(folder, { recursive: true }));

const chat = { messages: [{ role: "user", content: "안녕하세요" }], max_tokens: 24, temperature: 1.1 };
const kept = [];

test("an answer has a mark and a receipt; whole, streamed, several choices", async () => {
  for (const [path, body] of [
    ["/v1/chat/completions", chat],
    ["/v1/chat/completions", { ...chat, n: 3, seed: 7 }],
    ["/v1/completions", { prompt: ["옛날", "오늘"], max_tokens: 16, n: 2 }],
    ["/v1/chat/completions", { messages: [{ role: "user", content: "제 번호는 010-1234-5678" }], max_tokens: 8 }],
  ]) {
    const answer = await post(path, body);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("x-ai-generated"), "true");
    const text = await answer.text();
    const parsed = JSON.parse(text);
    assert.equal(parsed.ai_generated, true);
    assert.match(parsed.receipt.model_digest, /^sha256:[0-9a-f]{64}$/);
    kept.push({ answer: text, receipt: parsed.receipt, body, texts: parsed.choices.map((c) => c.text ?? c.message.content) });
  }
  const stream = await (await post("/v1/chat/completions", { ...chat, stream: true })).text();
  const chunks = stream.split("\n\n").filter((line) => line.startsWith("data: {")).map((line) => JSON.parse(line.slice(6)));
  const { receipt } = chunks.at(-1);
  kept.push({
    answer: JSON.stringify(receipt),
    receipt,
    body: { ...chat, stream: true },
    texts: [chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join("")],
  });
});

test("jikji replay makes each again, bit for bit, on any number of threads", () => {
  kept.forEach(({ answer, body, texts }, i) => {
    const paths = [file(`answer${i}.json`, answer), "--request", file(`request${i}.json`, body)];
    const again = jikji("replay", ...paths, "--guard", "default", "--threads", String(1 + (i % 2)));
    assert.equal(again.status, 0, again.stderr);
    assert.equal(again.stdout, texts.map((text) => text + "\n").join(""));
    assert.equal(again.stderr.match(/the same, bit for bit/g).length, texts.length);
  });
});

test("a replay of another request, or of a changed receipt, is refused", () => {
  const { receipt, body } = kept[1];
  const refuses = (changed, request, why) => {
    const done = jikji("replay", file("r.json", changed), "--request", file("q.json", request));
    assert.notEqual(done.status, 0);
    assert.match(done.stderr, why);
  };
  refuses(receipt, { ...body, messages: [{ role: "user", content: "아니요" }] }, /prompt/);
  refuses(receipt, { ...body, temperature: 0.2 }, /parameters/);
  refuses({ ...receipt, model_digest: "sha256:00" }, body, /model_digest/);
  const changed = structuredClone(receipt);
  changed.prompts[0].choices[1].digest = kept[2].receipt.prompts[0].choices[0].digest;
  refuses(changed, body, /DIFFERENT/);
  // The guard masked the number before the model saw it.
  refuses(kept[3].receipt, kept[3].body, /guard/);
});

test("the log verifies, and has the record of every receipt", async () => {
  const { code } = await server.stop();
  assert.equal(code, 0);
  assert.match(must("audit", "verify", `${store}.audit`), / 0 faults/);
  const records = must("audit", "export", `${store}.audit`).trim().split("\n").map((line) => JSON.parse(line));
  for (const { receipt } of kept) {
    const record = records[receipt.log.record];
    assert.equal(record.event, "generation.ended");
    assert.equal(record.leaf, receipt.log.leaf);
    assert.equal(record.fields.request, receipt.request);
    assert.equal(record.fields.model_digest, receipt.model_digest);
    assert.match(record.fields.content, /^hmac:/);
    assert.ok(records.some((one) => one.event === "admission.granted" && one.fields.request === receipt.request));
    const proof = JSON.parse(must("audit", "prove", `${store}.audit`, "--record", String(receipt.log.record)));
    assert.equal(proof.index, receipt.log.record);
  }
  const events = records.map((record) => record.event);
  for (const event of ["organization.created", "project.created", "api_key.created", "guard.found"]) {
    assert.ok(events.includes(event), event);
  }
});
