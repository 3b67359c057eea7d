/** Node.js for 64-bit Arm under qemu-user: the suite on V8's other instruction set, with no machine that has it. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { install, unpack } from "./debian.js";

export const ARM64 = "Node.js on arm64";

const EMULATOR = "/usr/bin/qemu-aarch64";
export const ARM64_PACKAGES = { "qemu-user": EMULATOR };
const LIBRARIES = ["libc6", "libstdc++6", "libgcc-s1", "libatomic1"];
/** For everything, downloads included: without other load it is a minute and a half. */
const TIMEOUT = 480_000;

/** The row, of which anything that is missing or late makes one that did not run. */
export async function runArm64(app, work) {
  const row = { runtime: ARM64, engine: "V8", version: "", how: "import, emulated", threads: 2 };
  const end = Date.now() + TIMEOUT;
  const left = () => Math.max(1, end - Date.now());
  let run;
  try {
    const node = await installNode(left);
    await install(ARM64_PACKAGES, left);
    const folder = join(work, "arm64");
    mkdirSync(folder);
    const root = await unpack(LIBRARIES, "arm64", folder, left);
    run = async (args) => {
      const options = { cwd: app, timeout: left(), killSignal: "SIGKILL", maxBuffer: 2 ** 24 };
      return (await promisify(execFile)(EMULATOR, ["-L", root, node, ...args], options)).stdout;
    };
    row.version = (await run(["-p", "process.version"])).trim().replace(/^v/, "");
  } catch (error) {
    return { ...row, notRun: reason(error) };
  }
  try {
    // An emulator's timings say nothing of the library.
    return { ...row, report: { ...JSON.parse(await run(["import.js"])), timings: undefined } };
  } catch (error) {
    return { ...row, report: { error: reason(error) } };
  }
}

/** Installs what arm64/package-lock.json says and returns the program's path. */
async function installNode(left) {
  const folder = fileURLToPath(new URL("./arm64", import.meta.url));
  const args = ["ci", "--force", "--no-audit", "--no-fund", "--loglevel=error"];
  // On SIGTERM npm goes on for many seconds.
  await promisify(execFile)("npm", args, { cwd: folder, timeout: left(), killSignal: "SIGKILL" });
  return join(folder, "node_modules/node-24/bin/node");
}

/** A program that is stopped at the end of the time says nothing of it. */
function reason(error) {
  if (error.killed || error.code === "ETIMEDOUT") return `not done within ${TIMEOUT / 1000} s`;
  return String(error.stderr || error.message);
}
