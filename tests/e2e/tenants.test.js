// The official OpenAI client as a tenant and as an administrator, against `jikji serve --store`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { program, startServer } from "./server.js";

const folder = mkdtempSync(join(tmpdir(), "jikji_tenants_"));
const environment = { JIKJI_STORE: `sqlite:${join(folder, "tenants.db")}` };
let server;
let member;
let administrator;
let key;

function tenant(...words) {
  const done = spawnSync(program, ["tenant", ...words, "--json"], {
    env: { ...process.env, LANG: "C", LC_ALL: "C", ...environment },
    encoding: "utf8",
  });
  assert.equal(done.status, 0, done.stderr);
  return JSON.parse(done.stdout);
}

const hello = { messages: [{ role: "user", content: "안녕하세요" }], max_completion_tokens: 8, temperature: 0 };
// What is changed by a command holds within a second.
async function eventually(check) {
  const end = Date.now() + 5000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

before(async () => {
  tenant("init");
  const organisation = String(tenant("add-organisation", "시청").id);
  const project = String(tenant("add-project", "민원", "--organisation", organisation).id);
  tenant("set-price", "jikji-mini-ko", "--input-price", "500", "--output-price", "1500", "--from", "2026-01-01");
  key = tenant("add-key", "봇", "--project", project);
  const manager = tenant("add-key", "관리자", "--role", "administrator", "--organisation", organisation);
  server = await startServer([], environment);
  const options = { baseURL: `${server.url}/v1`, maxRetries: 0 };
  member = new OpenAI({ ...options, apiKey: key.secret });
  administrator = new OpenAI({ ...options, apiKey: manager.secret, adminAPIKey: manager.secret });
});
after(async () => {
  const { code } = await server.stop();
  assert.equal(code, 0);
  rmSync(folder, { recursive: true });
});

test("a member generates, and may not manage", async () => {
  const answer = await member.chat.completions.create({ model: "jikji-mini-ko", ...hello });
  assert.ok(answer.usage.completion_tokens > 0);
  await assert.rejects(member.get("/organization/projects"), { status: 403, code: "insufficient_permissions" });
  await assert.rejects(administrator.chat.completions.create({ model: "jikji-mini-ko", ...hello }), { status: 403 });
});

test("what was generated is in usage and costs, to the token", async () => {
  const query = { start_time: Math.floor(Date.now() / 1000) - 3600 };
  const used = { input: 0, output: 0 };
  for (let i = 0; i < 3; i++) {
    const { usage } = await member.chat.completions.create({ model: "jikji-mini-ko", ...hello });
    used.input += usage.prompt_tokens;
    used.output += usage.completion_tokens;
  }
  const first = await member.chat.completions.create({ model: "jikji-mini-ko", ...hello });
  used.input += 2 * first.usage.prompt_tokens; // and the answer of the test before
  used.output += 2 * first.usage.completion_tokens;
  const results = await eventually(async () => {
    const page = await administrator.admin.organization.usage.completions({ ...query, group_by: ["model"] });
    const found = page.data.flatMap((bucket) => bucket.results);
    assert.equal(found.reduce((sum, result) => sum + result.num_model_requests, 0), 5);
    return found;
  });
  assert.equal(results[0].model, "jikji-mini-ko");
  assert.equal(results.reduce((sum, result) => sum + result.input_tokens, 0), used.input);
  assert.equal(results.reduce((sum, result) => sum + result.output_tokens, 0), used.output);
  const costs = await administrator.admin.organization.usage.costs(query);
  const won = costs.data.flatMap((bucket) => bucket.results).reduce((sum, result) => sum + result.amount.value, 0);
  assert.ok(Math.abs(won - (used.input * 500 + used.output * 1500) / 1e6) < 1e-9);
});

test("a service account's key works until it is deleted", async () => {
  const { projects } = administrator.admin.organization;
  const made = await projects.create({ name: "야간" });
  const names = (await projects.list()).data.map((project) => project.name);
  assert.deepEqual(names, ["민원", "야간"]);
  const account = await projects.serviceAccounts.create(made.id, { name: "batch" });
  const batch = new OpenAI({ baseURL: `${server.url}/v1`, maxRetries: 0, apiKey: account.api_key.value });
  await eventually(() => batch.models.list());
  assert.equal((await projects.apiKeys.list(made.id)).data[0].id, account.api_key.id);
  await projects.apiKeys.delete(account.api_key.id, { project_id: made.id });
  await eventually(() => assert.rejects(batch.models.list(), { status: 401, code: "invalid_api_key" }));
});

test("an emergency stop ends answers under way, and holds within a second", async () => {
  // A stream that goes on for as long as the model has context.
  const stream = await member.chat.completions.create({
    messages: hello.messages,
    model: "jikji-mini-ko",
    stream: true,
    ignore_eos: true,
  });
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  tenant("stop", "all", "--reason", "drill");
  await assert.rejects(
    async () => {
      while (!(await chunks.next()).done);
    },
    { code: "emergency_stop" },
  );
  const begun = Date.now();
  await eventually(() =>
    assert.rejects(member.chat.completions.create({ model: "jikji-mini-ko", ...hello }), { code: "emergency_stop" }),
  );
  assert.ok(Date.now() - begun < 5000);
  tenant("resume", "all");
  await eventually(() => member.chat.completions.create({ model: "jikji-mini-ko", ...hello }));
});

test("a limit and a budget are refused in words that clients know", async () => {
  tenant("set-limit", "--key", String(key.id), "--requests-per-minute", "0");
  await eventually(() =>
    assert.rejects(member.chat.completions.create({ model: "jikji-mini-ko", ...hello }), {
      status: 429,
      code: "rate_limit_exceeded",
    }),
  );
  tenant("set-limit", "--key", String(key.id));
  tenant("set-budget", "--key", String(key.id), "--amount", "0.001");
  await eventually(() =>
    assert.rejects(member.chat.completions.create({ model: "jikji-mini-ko", ...hello }), {
      status: 429,
      code: "key_spend_limit_exceeded",
      type: "insufficient_quota",
    }),
  );
});
