// The chat page in headless Chromium: a Korean message, a streamed reply, no request to any other host.
// Skips with a message where Chromium is not installed. JIKJI_SCREENSHOT=FILE keeps a picture.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, skip } from "./browser.js";
import { startServer } from "./server.js";

let server;
let browser;

before(async () => {
  if (skip) return;
  server = await startServer(["--api-key", "page-key"]);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function openPage(options) {
  const context = await browser.newContext({ viewport: { width: 900, height: 640 }, ...options });
  const page = await context.newPage();
  const foreign = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url)) foreign.push(request.url());
  });
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(server.url);
  return { page, foreign, problems };
}

test("a Korean conversation", { skip }, async () => {
  const { page, foreign, problems } = await openPage({ locale: "ko-KR" });
  await page.getByText("이 서버에는 API 키가 필요합니다").waitFor();
  await page.getByRole("button", { name: "설정" }).click();
  await page.getByLabel("API 키").fill("page-key");
  await page.getByLabel("API 키").blur();
  await page.getByText("jikji-mini-ko").waitFor();
  await page.getByLabel("온도").fill("0");
  await page.getByRole("button", { name: "설정" }).click();
  for (const message of ["안녕하세요", "여행 가고 싶다"]) {
    await page.locator("#prompt").fill(message);
    await page.locator("#prompt").press("Enter");
    await page.getByText(/\d+토큰/).waitFor();
  }
  const answers = await page.locator(".message.assistant").allTextContents();
  assert.equal(answers.length, 2);
  for (const answer of answers) assert.match(answer, /[가-힣]/);
  assert.equal(await page.locator(".message.error").count(), 0);
  if (process.env.JIKJI_SCREENSHOT) await page.screenshot({ path: process.env.JIKJI_SCREENSHOT });
  assert.deepEqual(foreign, []);
  assert.deepEqual(problems, []);
});

test("English, and an answer stopped midway", { skip }, async () => {
  const { page } = await openPage({ locale: "en-US" });
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("API key").fill("page-key");
  await page.getByLabel("API key").blur();
  await page.getByText("jikji-mini-ko").waitFor();
  // What a user writes is text, never markup.
  await page.locator("#prompt").fill("<img src=x onerror=alert(1)> 안녕");
  await page.locator("#prompt").press("Enter");
  await page.getByText(/tokens ·|Stopped/).waitFor();
  assert.equal(await page.locator(".message.user img").count(), 0);
  await page.getByRole("button", { name: "New chat" }).click();
  assert.equal(await page.locator(".message").count(), 0);
});
