/** Runtimes that are started as a command, and the TypeScript compiler. */
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const binary = (path) => fileURLToPath(new URL(`./node_modules/${path}`, import.meta.url));
const TIMEOUT = 120_000;

const node = (version) => ({
  name: "Node.js",
  engine: "V8",
  file: binary(`node-${version}/bin/node`),
  version: ["-p", "process.version"],
  ways: { import: ["import.js"], require: ["require.cjs"] },
});

const RUNTIMES = [
  node("20"),
  node("22"),
  node("24"),
  node("newest"),
  {
    name: "Deno",
    engine: "V8",
    file: binary("@deno/linux-x64-glibc/deno"),
    version: ["eval", "console.log(Deno.version.deno)"],
    ways: { import: ["run", "--node-modules-dir=manual", "--no-remote", "import.js"] },
  },
  {
    name: "Bun",
    engine: "JavaScriptCore",
    file: binary("@oven/bun-linux-x64/bin/bun"),
    version: ["-p", "Bun.version"],
    ways: { import: ["import.js"], require: ["require.cjs"] },
  },
];

/** A row per runtime and way of loading: { runtime, engine, version, how } with a report, or { notRun } saying why. */
export async function runScripts(app, wanted) {
  const rows = [];
  const run = async (file, args) =>
    (await promisify(execFile)(file, args, { cwd: app, timeout: TIMEOUT, maxBuffer: 2 ** 24 })).stdout;
  for (const { name, engine, file, version, ways } of RUNTIMES.filter((runtime) => wanted(runtime.name))) {
    for (const [how, args] of Object.entries(ways)) {
      const row = { runtime: name, engine, version: "", how };
      rows.push(row);
      try {
        row.version = (await run(file, version)).trim().replace(/^v/, "");
      } catch (error) {
        row.notRun = error.message;
        continue;
      }
      try {
        row.report = JSON.parse(await run(file, args));
      } catch (error) {
        row.report = { error: error.stderr || error.message };
      }
    }
  }
  return rows;
}

/** The packed declarations under both kinds of resolution that the package supports, without skipLibCheck. */
export function checkTypes(app) {
  const resolutions = { nodenext: ["nodenext", "nodenext"], bundler: ["esnext", "bundler"] };
  return Object.entries(resolutions).map(([how, [module, resolution]]) => {
    const options = `--noEmit --strict --target es2022 --lib es2022,dom,esnext.disposable --types --module ${module} --moduleResolution ${resolution}`;
    const tsc = binary(".bin/tsc");
    const version = spawnSync(tsc, ["--version"], { encoding: "utf8", timeout: TIMEOUT });
    const row = {
      runtime: "TypeScript",
      engine: "tsc",
      how,
      version: version.stdout?.split(" ")[1]?.trim() ?? "",
    };
    if (version.status !== 0) return { ...row, notRun: String(version.error ?? version.stderr) };
    const args = options.replace("--types ", "").split(" ");
    const result = spawnSync(tsc, [...args, join(app, "consumer.ts")], {
      cwd: app,
      encoding: "utf8",
      timeout: TIMEOUT,
    });
    return { ...row, report: result.status === 0 ? { compiled: true } : { error: result.stdout } };
  });
}
