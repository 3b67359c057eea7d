/**
 * Writes ONNX's own cases into a folder of the system's temporary ones, and runs them: `npm run test:onnx`. With
 * `-- --write` it writes docs/operators.md.
 * ONNX_PYTHON names a Python that has what requirements.txt lists; without it, one is made beside the cases.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = join(tmpdir(), "lstm-wasm-onnx");
const cases = join(folder, "cases");
mkdirSync(cases, { recursive: true });

const run = (command, ...args) => execFileSync(command, args, { stdio: "inherit" });

function python() {
  if (process.env.ONNX_PYTHON !== undefined) return process.env.ONNX_PYTHON;
  const own = join(folder, "python", "bin", "python");
  if (!existsSync(own)) run("/usr/bin/python3", "-m", "venv", join(folder, "python"));
  run(own, "-m", "pip", "install", "--quiet", "--requirement", join(here, "requirements.txt"));
  return own;
}

const operators = join(cases, "operators.json");
const runner = join(here, "run.js");
run(process.execPath, runner, "operators", operators);
run(python(), join(here, "write_cases.py"), cases, operators);
try {
  run(process.execPath, runner, cases, ...process.argv.slice(2));
} catch {
  // The runner has said what is wrong.
  process.exitCode = 1;
}
