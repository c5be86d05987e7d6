// The manifests of `jikji fleet kubernetes` against the schemas of Kubernetes' own API, and what must hold between them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";

const require = createRequire(import.meta.url);
const program = process.env.JIKJI_PROGRAM ?? new URL("../../build/release/jikji", import.meta.url).pathname;
const flags = ["--image", "registry.example/jikji:1", "--model", "/models/qwen3-0.6b", "--nodes", "8"];
const render = (...more) => execFileSync(program, ["fleet", "kubernetes", ...flags, ...more], { encoding: "utf8", stdio: "pipe" });
const manifests = (...more) =>
  parseAllDocuments(render(...more), { strict: true }).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });

// A copy that notes which fields a validator reads: it asks for every field that the schema knows, and for no other.
function watched(value, path, read) {
  if (value === null || typeof value !== "object") return value;
  const copy = Array.isArray(value) ? [] : {};
  for (const [key, child] of Object.entries(value)) copy[key] = watched(child, `${path}/${key}`, read);
  return new Proxy(copy, {
    get(target, key) {
      if (typeof key === "string") read.add(`${path}/${key}`);
      return target[key];
    },
  });
}

function fields(value, path = "") {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, child]) => [`${path}/${key}`, ...fields(child, `${path}/${key}`)]);
}

// What is wrong with a manifest; empty where nothing is.
function faults(manifest) {
  const Kind = require(`kubernetes-models/${manifest.apiVersion}`)[manifest.kind];
  assert.ok(Kind, `${manifest.apiVersion} has no ${manifest.kind}`);
  try {
    new Kind(structuredClone(manifest)).validate();
  } catch (error) {
    return [error.message];
  }
  const read = new Set();
  const path = manifest.apiVersion === "v1" ? ["core", "v1"] : manifest.apiVersion.split("/");
  const group = path.map((part) => part[0].toUpperCase() + part.slice(1)).join("");
  const { validate } = require(`./node_modules/kubernetes-models/_schemas/IoK8sApi${group}${manifest.kind}.js`);
  validate(watched(manifest, "", read));
  return fields(manifest).filter((field) => !read.has(field)).map((field) => `${field} is unknown`);
}

test("every manifest is as the API's schema wants it", () => {
  const all = manifests();
  assert.deepEqual(all.map(({ kind }) => kind),
    ["Service", "StatefulSet", "Deployment", "PodDisruptionBudget", "Deployment", "Service"]);
  for (const manifest of all) assert.deepEqual(faults(manifest), [], `${manifest.kind} ${manifest.metadata.name}`);
});

test("the check can fail", () => {
  const node = manifests()[2];
  const changes = [
    (m) => { m.spec.replicas = "8"; },
    (m) => { delete m.spec.selector; },
    (m) => { m.spec.replica = 8; },
    (m) => { m.spec.template.spec.containers[0].readinesProbe = {}; },
    (m) => { m.spec.template.spec.containers[0].ports[0].containerPort = "http"; },
    (m) => { delete m.spec.template.spec.containers[0].name; },
  ];
  for (const change of changes) {
    const broken = structuredClone(node);
    change(broken);
    assert.notDeepEqual(faults(broken), [], change.toString());
  }
});

test("selectors find their pods, services their ports, and values stand where they belong", () => {
  const all = manifests("--name", "seoul", "--namespace", "ai");
  const pods = all.filter(({ spec }) => spec.template).map(({ spec }) => spec.template);
  const matches = (selector) => pods.filter(({ metadata }) => Object.entries(selector).every(([k, v]) => metadata.labels[k] === v));
  for (const { kind, metadata, spec } of all) {
    assert.equal(metadata.namespace, "ai");
    assert.ok(metadata.name.startsWith("seoul"));
    const selected = matches(spec.selector.matchLabels ?? spec.selector);
    assert.equal(selected.length, 1, `${kind} ${metadata.name} selects one kind of pod`);
    if (spec.template) assert.equal(selected[0], spec.template);
    const ports = selected[0].spec.containers[0].ports;
    for (const { port, targetPort } of kind === "Service" ? spec.ports : []) {
      assert.ok(ports.some(({ name, containerPort }) => name === targetPort || containerPort === port));
    }
  }
  const [, , node] = all;
  assert.equal(node.spec.replicas, 8);
  assert.equal(node.spec.template.spec.containers[0].image, "registry.example/jikji:1");
  assert.ok(node.spec.template.spec.containers[0].args.includes("--register=http://seoul-etcd:2379"));
});

test("what would break out of its place is refused, and names the field", () => {
  for (const [flag, value] of [["--name", "a: b"], ["--model", "x\ny"], ["--image", ""]]) {
    assert.throws(() => render(flag, value), ({ status, stderr }) => status === 2 && stderr.includes(flag.slice(2)));
  }
});
