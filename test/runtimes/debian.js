/** Debian's packages: for this machine installed, for another architecture unpacked into a folder. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };

const start = promisify(execFile);

/** dpkg is for one at a time. */
let installed = Promise.resolve();

/** Installs those of `packages`, { name: a file of it }, that are missing; `left` gives the milliseconds that are left. */
export function install(packages, left = () => 900_000) {
  const done = installed.then(() => installMissing(packages, left));
  installed = done.catch(() => {});
  return done;
}

async function installMissing(packages, left) {
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  await start("apt-get", ["update", "-qq"], { env, timeout: Math.min(300_000, left()) });
  const options = ["install", "-y", "-qq", "--no-install-recommends"];
  await start("apt-get", [...options, ...missing], { env, timeout: left(), maxBuffer: 2 ** 26 });
}

/**
 * Unpacks packages of another architecture into `folder`/root and returns that. The lists are read into `folder`: this
 * machine's dpkg and apt never hear of the architecture, whose packages would otherwise be candidates of every install.
 */
export async function unpack(names, architecture, folder, left) {
  const root = join(folder, "root");
  const status = join(folder, "status");
  for (const path of ["lists/partial", "cache/archives/partial", "root"]) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  writeFileSync(status, "");
  const settings = {
    "APT::Architecture": architecture,
    "APT::Architectures": architecture,
    // apt's own user may not write to a folder of mkdtemp's.
    "APT::Sandbox::User": "root",
    "Dir::State::lists": join(folder, "lists"),
    "Dir::State::status": status,
    "Dir::Cache": join(folder, "cache"),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const run = (file, args) => start(file, args, { cwd: folder, env, timeout: left(), maxBuffer: 2 ** 26 });
  await run("apt-get", ["-qq", ...options, "update"]);
  await run("apt-get", ["-qq", ...options, "download", ...names]);
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
    await run("dpkg-deb", ["-x", file, root]);
  }
  return root;
}
