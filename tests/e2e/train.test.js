// The live page of a training run in a browser: it shows the curve, and the next steps without being loaded again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, skip } from "./browser.js";
import { program } from "./server.js";

const model = join(dirname(fileURLToPath(import.meta.url)), "../../models/jikji-mini-ko");

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

test("the live page of a run follows it", { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "train-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "text.txt"), "봄이 오면 산에 들에 꽃이 핍니다.\n\n".repeat(50));
  const child = spawn(program, ["adapt", "pretrain", "--model", model, "--data", join(folder, "text.txt"), "--out",
    join(folder, "run"), "--steps", "100000", "--batch-tokens", "64", "--max-length", "64", "--threads", "1",
    "--live", String(await freePort())], { env: { ...process.env, LANG: "C", LC_ALL: "C" }, stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = line.match(/http:\/\/127\.0\.0\.1:\d+\//);
      if (found) resolve(found[0]);
    });
    exited.then(() => reject(new Error("the run ended before it told its page")));
  });
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  let loads = 0;
  page.on("load", () => ++loads);
  await page.goto(url);
  await page.getByText(/step \d+\/100000/).first().waitFor();
  const stepShown = async () => Number((await page.locator("body").innerText()).match(/step (\d+)\/100000/)?.[1] ?? 0);
  const first = await stepShown();
  // The page asks again by itself, and shows what it gets.
  while ((await stepShown()) <= first) await page.waitForResponse(url);
  assert.ok(await page.locator("svg path, svg polyline").count() > 0, "a curve is drawn");
  assert.equal(loads, 1, "it was loaded once");
  // Another page of the site is none, and nothing was refused by the page's own policy.
  assert.equal((await page.request.get(url + "other")).status(), 404);
  assert.deepEqual(complaints, []);
  // When the run is gone the page stays as it was.
  child.kill("SIGTERM");
  await exited;
  assert.ok((await stepShown()) > first);
});
