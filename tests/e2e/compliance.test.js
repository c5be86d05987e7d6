// A customer's life by the command line: filed, approved by two people, served, erased; and the report.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { program, startServer } from "./server.js";

const folder = mkdtempSync(join(tmpdir(), "jikji_compliance_"));
const store = join(folder, "tenants.db");
const environment = { JIKJI_STORE: `sqlite:${store}` };
const verifier = join(dirname(fileURLToPath(import.meta.url)), "../audit/verify_audit.py");
after(() => rmSync(folder, { recursive: true }));

const jikji = (words, more = {}) =>
  spawnSync(program, words, { env: { ...process.env, LANG: "C", LC_ALL: "C", ...environment, ...more }, encoding: "utf8" });

function must(words, more) {
  const done = jikji(words, more);
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

const tenant = (words, as) => JSON.parse(must(["tenant", ...words, "--json"], as ? { JIKJI_AS_KEY: as } : {}));
const report = () =>
  Object.fromEntries(
    JSON.parse(must(["compliance", "report", "--json", "--guard", "default"])).duties.flatMap((duty) =>
      duty.facts.map((fact) => [fact.id, fact.state]),
    ),
  );

test("no key before two people have approved; what is erased has a certificate", async () => {
  tenant(["init"]);
  const organisation = String(tenant(["add-organisation", "직지상사"]).id);
  const project = String(tenant(["add-project", "상담", "--organisation", organisation]).id);
  const people = ["김", "이", "박"].map((name) => tenant(["add-key", name, "--role", "operator"]).secret);
  tenant(["require-files", "on"]);
  assert.notEqual(jikji(["tenant", "add-key", "봇", "--project", project]).status, 0);
  const file = join(folder, "customer.json");
  writeFileSync(
    file,
    JSON.stringify({
      legal_name: "직지상사", business_number: "124-81-00998", headquarters: "KR", parent: "KR",
      screening_list: "consolidated 2026-11-20", screening_result: "clear", screened_by: "심사팀", end_use: "민원 상담",
    }),
  );
  tenant(["file-customer", "--organisation", organisation, "--file", file], people[0]);
  assert.notEqual(jikji(["tenant", "approve-customer", "--organisation", organisation], { JIKJI_AS_KEY: people[0] }).status, 0);
  assert.equal(tenant(["approve-customer", "--organisation", organisation], people[1]).approved, false);
  assert.equal(report()["customer-files"], "partly");
  assert.equal(tenant(["approve-customer", "--organisation", organisation], people[2]).approved, true);
  const key = tenant(["add-key", "봇", "--project", project]).secret;
  assert.equal(report()["access-log"], "open"); // no server has run yet

  const server = await startServer([], environment);
  const answer = await fetch(`${server.url}/v1/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ prompt: "안녕", max_tokens: 4 }),
  });
  assert.equal(answer.status, 200);
  tenant(["archive", "--organisation", organisation]);
  tenant(["erase", "--organisation", organisation, "--reason", "계약 종료"]);
  must(["compliance", "review", "--note", "nothing unusual"]);
  await new Promise((resolve) => {
    const look = setInterval(() => {
      if (jikji(["audit", "certificate", `${store}.audit`, "--tenant", `org-${organisation}`]).status !== 0) return;
      clearInterval(look);
      resolve();
    }, 100);
  });
  assert.equal((await server.stop()).code, 0);

  for (const [action, what] of [["certificate", /key\.destroyed/], ["evidence", /customer\.approved/]]) {
    const pack = must(["audit", action, `${store}.audit`, "--tenant", `org-${organisation}`]);
    const records = JSON.parse(pack).records.map((one) => Buffer.from(one.record, "base64").toString("latin1"));
    assert.ok(records.some((record) => what.test(record)));
    writeFileSync(join(folder, "pack.json"), pack);
    const checked = spawnSync("python3", [verifier, "pack", join(folder, "pack.json"), `${store}.audit/signing.pub`]);
    assert.equal(checked.status, 0, String(checked.stderr));
  }
  const facts = report();
  for (const id of ["access-log", "log-verifies", "receipts", "erasure", "access-review", "prompt-guard"]) {
    assert.equal(facts[id], "met", id);
  }
  const page = join(folder, "report.html");
  must(["compliance", "report", "--html", page]);
  assert.match(readFileSync(page, "utf8"), /AI Basic Act 31\(2\)/);
});

test("retention tells what is past its time, and deletes it only when told to", () => {
  const rules = (days) =>
    ["content", "usage", "acts"].map((kind) => `[[retention]]\nkind = "${kind}"\nfrom = "2026-01-01"\ndays = ${days}\ntext = "t"\ntext_ko = "t"\n`).join("");
  const run = (...words) => JSON.parse(must(["compliance", "retention", "--json", ...words])).retention;
  assert.deepEqual(run().map((entry) => entry.kind), ["content", "usage", "acts"]);
  const file = join(folder, "retention.toml");
  writeFileSync(file, rules(0));
  const usage = (list) => list.find((entry) => entry.kind === "usage");
  const past = usage(run("--retention", file));
  assert.ok(past.rows > 0 && !past.deleted);
  assert.equal(usage(run("--retention", file, "--apply")).deleted, true);
  assert.equal(usage(run("--retention", file)).rows, 0);
  writeFileSync(file, rules(-1));
  assert.notEqual(jikji(["compliance", "retention", "--retention", file]).status, 0);
});
