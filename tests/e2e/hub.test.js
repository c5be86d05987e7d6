// The hub's pages in headless Chromium: search, a card that means harm, both languages, no request elsewhere.
// Skips with a message where Chromium is not installed. JIKJI_HUB_SCREENSHOT=FILE keeps a picture.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { launch, skip } from "./browser.js";
import { program } from "./server.js";

const CARD = `---
license: apache-2.0
language: [ko, en]
base_model: team/base
base_model_relation: finetune
---
# 한국어 상담 모델

**공공 상담** 문장으로 다듬었습니다. [설정](config.json), [함정](javascript:document.title='broken')

| 시험 | 점수 |
|---|---|
| 상담 | 81.2 |

<script>document.title = "broken"</script><img src="https://elsewhere.example/x.png">
![밖](https://elsewhere.example/y.png)
`;
const REPORT = JSON.stringify({
  models: [{ name: "civil", scores: { "kobest-copa": { value: 0.5125, low: 0.49, high: 0.5349, items: 1404 } } }],
});
let root;
let child;
let url;
let browser;

async function post(path, body) {
  const response = await fetch(url + path, { method: "POST", body });
  assert.equal(response.status, 200, await response.text());
}

async function publish(name, files) {
  await post("/api/repos/create", JSON.stringify({ name }));
  const lines = [{ key: "header", value: { summary: "첫 배포" } }];
  for (const [path, text] of Object.entries(files)) {
    lines.push({ key: "file", value: { path, content: Buffer.from(text).toString("base64"), encoding: "base64" } });
  }
  await post(`/api/models/${name}/commit/main`, lines.map((line) => JSON.stringify(line)).join("\n"));
}

before(async () => {
  if (skip) return;
  root = mkdtempSync(join(tmpdir(), "jikji_hub_pages_"));
  child = spawn(program, ["hub", "serve", "--port", "0", "--root", root], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  url = line.match(/http:\/\/127\.0\.0\.1:\d+/)[0];
  await publish("team/base", { "config.json": "{}" });
  await publish("team/civil-ko", { "README.md": CARD, "config.json": "{}", "jikji-eval.json": REPORT });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  if (child) {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
  if (root) rmSync(root, { recursive: true });
});

test("from the list to a model, and back in English", { skip }, async () => {
  const context = await browser.newContext({ viewport: { width: 900, height: 1100 }, locale: "ko-KR" });
  const page = await context.newPage();
  const foreign = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) foreign.push(request.url());
  });
  await page.goto(url);
  assert.equal(await page.locator("ul.models li").count(), 2);
  await page.getByLabel("검색").fill("civil");
  await page.getByRole("button", { name: "검색" }).click();
  await page.waitForURL(/search=civil/);
  assert.equal(await page.locator("ul.models li").count(), 1);
  await page.getByRole("link", { name: "team/civil-ko" }).click();
  await page.getByRole("heading", { name: "한국어 상담 모델" }).waitFor();
  assert.equal(await page.title(), "team/civil-ko");
  assert.equal(await page.locator("article script, article img").count(), 0);
  assert.equal(await page.getByRole("link", { name: "함정" }).count(), 0);
  assert.equal(await page.getByRole("cell", { name: "81.2" }).count(), 1);
  await page.getByRole("heading", { name: "보고서에 적힌 점수" }).waitFor();
  assert.equal(await page.getByRole("row", { name: /kobest-copa 0\.512 0\.490 – 0\.535 1404/ }).count(), 1);
  assert.match(await page.getByRole("link", { name: "설정" }).getAttribute("href"), /\/resolve\/[0-9a-f]{40}\/config.json$/);
  if (process.env.JIKJI_HUB_SCREENSHOT) await page.screenshot({ path: process.env.JIKJI_HUB_SCREENSHOT });
  await page.getByRole("link", { name: "English" }).click();
  await page.getByText("licence: apache-2.0").waitFor();
  await page.getByRole("heading", { name: "Scores, as its report says" }).waitFor();
  await page.getByRole("link", { name: "team/base" }).click();
  await page.getByRole("heading", { name: "Files" }).waitFor(); // the choice of language stays
  assert.deepEqual(foreign, []);
});

test("signing in, asking for a gated model, and signing out", { skip }, async () => {
  const closed = mkdtempSync(join(tmpdir(), "jikji_hub_closed_"));
  const account = (name, role) =>
    execFileSync(program, ["hub", "account", "add", name, "--root", closed, "--role", role], { encoding: "utf8" }).split(/\s/)[0];
  const server = spawn(program, ["hub", "serve", "--port", "0", "--root", closed], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = await once(createInterface({ input: server.stdout }), "line");
    const hub = line.match(/http:\/\/127\.0\.0\.1:\d+/)[0];
    const owner = { Authorization: `Bearer ${account("alice", "write")}` };
    const reader = account("bob", "read");
    const call = async (method, path, body) => {
      const response = await fetch(hub + path, { method, body: JSON.stringify(body), headers: owner });
      assert.equal(response.status, 200, await response.text());
    };
    await call("POST", "/api/repos/create", { name: "alice/gated" });
    await call("PUT", "/api/models/alice/gated/settings", { gated: "manual" });

    const context = await browser.newContext({ locale: "en-US" });
    const page = await context.newPage();
    await page.goto(`${hub}/alice/gated`);
    await page.getByRole("link", { name: "Sign in to ask for its files" }).click();
    await page.getByLabel("Token").fill("hf_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Token").fill(reader);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${hub}/alice/gated`);
    assert.equal(await page.evaluate(() => document.cookie.includes("token")), false);
    await page.getByRole("button", { name: "Ask for its files" }).click();
    await page.getByText("its owner decides").waitFor();
    await call("POST", "/api/models/alice/gated/user-access-request/handle", { user: "bob", status: "accepted" });
    await page.reload();
    assert.equal(await page.getByText("its owner decides").count(), 0);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
  } finally {
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    await ended;
    rmSync(closed, { recursive: true });
  }
});
