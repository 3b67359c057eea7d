/** Two builds of the library side by side in a temporary folder, which is removed however the process ends. */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

let temporary;
let worktree;
let running;

function git(...args) {
  return execFileSync("git", ["-C", root, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
}

/** The full name of the commit. @throws RangeError where git knows none. */
export function commitOf(revision) {
  try {
    return git("rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`);
  } catch {
    throw new RangeError(`REVISION: expected a commit of this repository, got ${revision}`);
  }
}

/** The commit that is checked out here, and whether files differ from it. */
export function thisRevision() {
  const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
  return `${git("rev-parse", "HEAD")}${changed ? " with changes" : ""}`;
}

/** The folder with index.js, given itself or as its `dist`. @throws RangeError where there is none. */
export function builtFolder(folder) {
  const found = [folder, join(folder, "dist")].find((candidate) => existsSync(join(candidate, "index.js")));
  if (found === undefined) throw new RangeError(`--dist: expected a folder with index.js, got ${folder}`);
  return resolve(found);
}

function temporaryFolder() {
  if (temporary !== undefined) return temporary;
  temporary = mkdtempSync(join(tmpdir(), "lstm-wasm-ab-"));
  process.on("exit", removeAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  return temporary;
}

function removeAll() {
  try {
    if (running !== undefined) process.kill(-running, "SIGKILL");
  } catch (error) {
    // It ended by itself.
    if (error.code !== "ESRCH") throw error;
  }
  if (worktree !== undefined) {
    rmSync(worktree, { recursive: true, force: true });
    git("worktree", "prune");
  }
  rmSync(temporary, { recursive: true, force: true });
}

/** In a process group of its own, so that nothing goes on writing once the folder is removed. */
async function npm(folder, ...args) {
  temporaryFolder();
  const child = spawn("npm", args, { cwd: folder, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  running = child.pid;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", done);
  });
  running = undefined;
  if (code !== 0) throw new Error(`npm ${args.join(" ")} in ${folder} ended with ${code}:\n${output}`);
}

/** Builds this checkout and copies its dist. @returns the address of the copy's index.js */
export async function buildThis() {
  await npm(root, "run", "build");
  return copyOf(join(root, "dist"), "new");
}

/** Checks out the commit, builds it and copies its dist. @returns the address of the copy's index.js */
export async function buildOther(commit) {
  worktree = join(temporaryFolder(), "worktree");
  git("worktree", "add", "--detach", worktree, commit);
  await npm(worktree, "ci", "--no-audit", "--no-fund");
  await npm(worktree, "run", "build");
  return copyOf(join(worktree, "dist"), "old");
}

/**
 * Both sides are measured from copies whose paths have the same length, and which stay the same when this checkout is
 * built again meanwhile.
 * @param {"old" | "new"} side
 * @returns the address of the copy's index.js
 */
export function copyOf(dist, side) {
  const folder = join(temporaryFolder(), side);
  mkdirSync(folder);
  cpSync(dist, join(folder, "dist"), { recursive: true });
  const description = join(dirname(dist), "package.json");
  if (existsSync(description)) cpSync(description, join(folder, "package.json"));
  else writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return pathToFileURL(join(folder, "dist", "index.js")).href;
}

/** Installs the package of a Node into bench/build, where a later run finds it. @returns its path */
export async function installedNode(name, version) {
  const folder = join(root, "bench", "build", `node-${version}`);
  const path = join(folder, "node_modules", name, "bin", "node");
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    await npm(
      folder,
      "install",
      "--prefix",
      folder,
      "--no-save",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
      `${name}@${version}`,
    );
  }
  return path;
}
