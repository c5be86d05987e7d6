// Starts `jikji serve`, or another command that serves, on a free port (unless `flags` name one) for a test file, and stops it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const program = process.env.JIKJI_PROGRAM ?? join(root, "build/release/jikji");

export const startServer = (flags = [], environment = {}) => start("serve", flags, environment);

export async function start(command, flags = [], environment = {}) {
  const port = flags.includes("--port") ? [] : ["--port", "0"];
  const child = spawn(program, [command, ...port, ...flags], {
    env: { ...process.env, LANG: "C", LC_ALL: "C", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit").then(([code, signal]) => ({ code, signal }));
  let output = "";
  let errors = "";
  child.stderr.on("data", (data) => (errors += data));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      output += line + "\n";
      const match = line.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (match) resolve(match[0]);
    });
    exited.then(({ code }) => reject(new Error(`jikji ${command} ended with ${code}: ${output}${errors}`)));
  });
  return {
    url,
    pid: child.pid,
    exited,
    output: () => output + errors,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return exited;
    },
  };
}
