// Usage: node check.js PROGRAM HUB_FOLDER OWNER/NAME (after `npm install` in this folder; by hand).
// Holds `jikji hub sbom --format cyclonedx` to the schema that CycloneDX publishes. SPDX's schema is in no package; what its
// profiles require is checked in src/hub/lineage/lineage_test.cc.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import Ajv from "ajv";
import formats from "ajv-formats";

const [program, root, model] = process.argv.slice(2);
const resolve = createRequire(import.meta.url).resolve;
const entry = resolve("@cyclonedx/cyclonedx-library");
const schemas = join(entry.slice(0, entry.indexOf("cyclonedx-library")), "cyclonedx-library", "res", "schema");
const schema = (name) => JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), "utf8"));

const ajv = new Ajv({ strict: false, allErrors: true });
for (const name of ["spdx", "jsf-0.82"]) ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
formats(ajv);
for (const name of ["iri-reference", "idn-email"]) ajv.addFormat(name, true);
const valid = ajv.compile(schema("bom-1.6"));
const bill = JSON.parse(execFileSync(program, ["hub", "sbom", model, "--root", root, "--format", "cyclonedx"], { encoding: "utf8" }));
if (!valid(bill)) {
  console.error(valid.errors);
  process.exit(1);
}
console.log(`${model}: valid CycloneDX ${bill.specVersion}, ${bill.metadata.component.components.length} files`);
