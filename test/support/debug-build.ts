/** The debug builds, build/debug.wasm and build/models-debug.wasm, made anew where its sources changed. Test files run at once, so one builds and the others wait. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const lock = `${root}build/debug.lock`;
const PAUSE_MS = 100;
/** A lock that is older was left behind by a run that was killed. */
const MOST_PAUSES = 900;

export function debugBuild(name: "debug" | "models-debug" = "debug"): WebAssembly.Module {
  for (let pause = 0; !taken() && pause < MOST_PAUSES; pause++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
  try {
    execFileSync(process.execPath, ["src/build/wasm.js", "--stale", name], { cwd: root, stdio: "pipe" });
    return new WebAssembly.Module(readFileSync(`${root}build/${name}.wasm`));
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function taken(): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
