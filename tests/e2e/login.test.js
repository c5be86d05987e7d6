// People log in by way of a real OpenID Connect provider, over TLS, against `jikji serve --store`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { createServer as createPlainServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Provider } from "oidc-provider";
import { program, startServer } from "./server.js";

const folder = mkdtempSync(join(tmpdir(), "jikji_login_"));
const path = (name) => join(folder, name);
const environment = { JIKJI_STORE: `sqlite:${path("tenants.db")}` };
const certificate = path("certificate.pem");
const people = {
  kim: { email: "Kim@city.example", email_verified: true },
  stranger: { email: "stranger@city.example", email_verified: true },
  thief: { email: "kim@city.example", email_verified: true }, // the address, given to another person
  liar: { email: "lee@city.example", email_verified: false },
};
let front, issuer, server, flags, userKey;

function run(command, ...words) {
  const done = spawnSync(command, words, { env: { ...process.env, LANG: "C", LC_ALL: "C", ...environment }, encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}
const tenant = (...words) => JSON.parse(run(program, "tenant", ...words, "--json"));

async function freePort() {
  const probe = createPlainServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

before(async () => {
  run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", path("key.pem"), "-out", certificate);
  tenant("init");
  const organisation = String(tenant("add-organisation", "시청").id);
  const project = String(tenant("add-project", "민원", "--organisation", organisation).id);
  tenant("set-price", "jikji-mini-ko", "--input-price", "500", "--output-price", "1500", "--from", "2026-01-01");
  userKey = tenant("add-user", "kim@city.example", "--project", project).key;
  tenant("add-user", "lee@city.example", "--project", project);

  front = createServer({ key: readFileSync(path("key.pem")), cert: readFileSync(certificate) });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  issuer = `https://localhost:${front.address().port}`;
  const port = await freePort();
  const redirect = `http://127.0.0.1:${port}/login/callback`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "jikji", client_secret: "a secret/with:marks", redirect_uris: [redirect], grant_types: ["authorization_code"] }],
    pkce: { required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false, // the address in the ID token itself
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    cookies: { keys: ["of this test"] },
  });
  front.on("request", provider.callback());
  writeFileSync(path("secret"), "a secret/with:marks\n");
  flags = ["--oidc-issuer", issuer, "--oidc-client-id", "jikji", "--oidc-client-secret-file", path("secret"), "--oidc-redirect", redirect];
  server = await startServer([...flags, "--port", String(port)], { ...environment, SSL_CERT_FILE: certificate });
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // this test's own requests to the provider
});
after(async () => {
  const { code } = await server.stop();
  front.closeAllConnections();
  front.close();
  assert.equal(code, 0);
  rmSync(folder, { recursive: true });
});

// A browser with cookies, one jar for each host, that follows nothing by itself.
class Browser {
  jars = {};
  async go(url, options = {}) {
    const jar = (this.jars[new URL(url).origin] ??= {});
    const cookie = Object.entries(jar).map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { redirect: "manual", ...options, headers: { ...options.headers, ...(cookie && { cookie }) } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (value === "" || /Max-Age=0/i.test(line)) delete jar[name];
      else jar[name] = value;
    }
    return answer;
  }
  // From /login through the provider's pages to the address that it sends the browser back to.
  async comeBack(person) {
    let answer = await this.go(`${server.url}/login`);
    assert.equal(answer.status, 303, await answer.text());
    let url = answer.headers.get("location");
    for (let steps = 0; steps < 12; steps++) {
      if (url.startsWith(`${server.url}/login/callback`)) return url;
      answer = await this.go(url);
      if (answer.status === 200) {
        const page = await answer.text();
        const form = page.match(/action="([^"]+)"/)[1];
        const prompt = page.match(/name="prompt" value="([^"]+)"/)[1];
        answer = await this.go(new URL(form, url).href, {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({ prompt, login: person, password: "x" }).toString(),
        });
      }
      url = new URL(answer.headers.get("location"), url).href;
    }
    assert.fail("the provider did not send the browser back");
  }
  async logIn(person) {
    return this.go(await this.comeBack(person));
  }
  get session() {
    return this.jars[server.url]?.jikji_session;
  }
}

const models = (browser) => browser.go(`${server.url}/v1/models`);
const audit = () => run(program, "audit", "export", path("tenants.db.audit"));

test("a person logs in, generates with the rights of its role, and logs out", async () => {
  const browser = new Browser();
  assert.equal((await models(browser)).status, 401);
  const answer = await browser.logIn("kim");
  assert.equal(answer.status, 303);
  const cookie = answer.headers.getSetCookie().find((line) => line.startsWith("jikji_session="));
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Strict/);
  assert.equal((await models(browser)).status, 200);
  const generated = await browser.go(`${server.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ messages: [{ role: "user", content: "안녕" }], max_completion_tokens: 4 }),
  });
  assert.equal(generated.status, 200);
  assert.equal((await browser.go(`${server.url}/v1/organization/projects`)).status, 403);
  const kept = browser.session;
  const out = await browser.go(`${server.url}/logout`, { method: "POST" });
  assert.equal(out.status, 204);
  assert.equal(browser.session, undefined);
  const old = await fetch(`${server.url}/v1/models`, { headers: { cookie: `jikji_session=${kept}` } });
  assert.equal(old.status, 401);
});

test("a new login ends the session before; a revoked user is out and cannot log in", async () => {
  const first = new Browser();
  const second = new Browser();
  assert.equal((await first.logIn("kim")).status, 303);
  assert.equal((await second.logIn("kim")).status, 303);
  assert.equal((await models(first)).status, 401);
  assert.equal((await models(second)).status, 200);
  tenant("revoke-key", "--key", String(userKey));
  const end = Date.now() + 5000;
  while ((await models(second)).status !== 401) assert.ok(Date.now() < end);
  assert.equal((await second.logIn("kim")).status, 403);
});

test("who is no user, took over an address, or whose address nobody verified, stays out", async () => {
  for (const person of ["stranger", "thief", "liar"]) {
    const browser = new Browser();
    assert.equal((await browser.logIn(person)).status, 403, person);
    assert.equal(browser.session, undefined);
  }
});

test("what comes back to another browser, twice, or with another state opens nothing", async () => {
  const browser = new Browser();
  const back = await browser.comeBack("liar");
  assert.equal((await new Browser().go(back)).status, 403); // no cookie: a link that was sent to someone
  const other = new Browser();
  await other.comeBack("liar");
  assert.equal((await other.go(back)).status, 403); // a login of its own, but not this one
  assert.equal((await browser.go(back.replace(/state=[^&]+/, "state=" + "0".repeat(64)))).status, 403);
  assert.equal((await browser.go(back.replace(/code=[^&]+/, "code=wrong"))).status, 403);
  assert.equal((await browser.go(back.replace(/code=[^&]+/, "error=access_denied"))).status, 400);
});

test("logins and refusals are in the audit log, and it verifies", () => {
  const events = audit();
  for (const event of ["user.added", "login.succeeded", "login.failed", "logout.succeeded"]) {
    assert.ok(events.includes(event), event);
  }
  run(program, "audit", "verify", path("tenants.db.audit"));
});

test("a provider whose certificate nobody vouches for is not talked to", async () => {
  const port = String(await freePort());
  const environment2 = { JIKJI_STORE: environment.JIKJI_STORE, JIKJI_JOURNAL: path("second"), JIKJI_AUDIT: path("second.audit") };
  const distrustful = await startServer([...flags, "--port", port], { ...environment2, SSL_CERT_FILE: "/dev/null", SSL_CERT_DIR: folder });
  const answer = await fetch(`${distrustful.url}/login`, { redirect: "manual" });
  assert.equal(answer.headers.get("location"), null);
  assert.match((await answer.json()).error.message, /certificate/);
  await distrustful.stop();
});
