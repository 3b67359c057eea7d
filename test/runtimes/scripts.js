/** Runtimes that are started as a command, and the TypeScript compiler. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const binary = (path) => fileURLToPath(new URL(`./node_modules/${path}`, import.meta.url));
const TIMEOUT = 300_000;

/** Without any permission; what `npm:` would download is in node_modules already. */
const DENO_RUN = ["run", "--no-prompt", "--node-modules-dir=manual", "--no-remote"];

const node = (version) => ({
  name: "Node.js",
  engine: "V8",
  file: binary(`node-${version}/bin/node`),
  version: ["-p", "process.version"],
  ways: { import: ["import.js"], require: ["require.cjs"] },
  threads: 2,
});

const RUNTIMES = [
  // V8 without SIMD, as in Chrome 86, and that of Chrome 93, the oldest that is promised.
  {
    ...node("15"),
    ways: { "too old": ["refusal.js"] },
    refusal: "no SIMD in WebAssembly; expected at least Chrome",
  },
  { ...node("16"), ways: { import: ["import.js"] }, threads: "no process.getBuiltinModule" },
  node("20"),
  node("22"),
  node("24"),
  node("newest"),
  {
    // WebAssembly has no SIMD on processors before SSE 4.1, and V8 can be told that this is one.
    ...node("24"),
    ways: { "without SIMD": ["--no-enable-sse4-1", "refusal.js"] },
    refusal: "no SIMD in WebAssembly; expected at least Chrome",
  },
  {
    name: "Deno",
    engine: "V8",
    file: binary("@deno/linux-x64-glibc/deno"),
    version: ["eval", "console.log(Deno.version.deno)"],
    ways: { import: [...DENO_RUN, "import.js"], "npm: specifier": [...DENO_RUN, "import-npm.js"] },
    threads: 2,
  },
  {
    name: "Bun",
    engine: "JavaScriptCore",
    file: binary("@oven/bun-linux-x64/bin/bun"),
    version: ["-p", "Bun.version"],
    ways: { import: ["import.js"], require: ["require.cjs"] },
    threads: 2,
  },
];

/** A row per runtime and way of loading: { runtime, engine, version, how } with a report, or { notRun } saying why. */
export async function runScripts(app, wanted) {
  const rows = [];
  const run = async (file, args) =>
    (await promisify(execFile)(file, args, { cwd: app, timeout: TIMEOUT, maxBuffer: 2 ** 24 })).stdout;
  for (const { name, engine, file, version, ways, refusal, threads } of RUNTIMES.filter((runtime) =>
    wanted(runtime.name),
  )) {
    for (const [how, args] of Object.entries(ways)) {
      const row = { runtime: name, engine, version: "", how, refusal, threads };
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

/** examples/deno.ts as it stands. */
export async function runDenoExample(app) {
  const { name, engine, file, version } = RUNTIMES.find((runtime) => runtime.name === "Deno");
  const row = { runtime: name, engine, version: "", how: "examples/deno.ts" };
  const run = async (args) => (await promisify(execFile)(file, args, { cwd: app, timeout: TIMEOUT })).stdout;
  try {
    row.version = (await run(version)).trim();
  } catch (error) {
    return { ...row, notRun: error.message };
  }
  try {
    const printed = await run([...DENO_RUN, "examples/deno.ts"]);
    // Deno breaks an array of long numbers into lines.
    const complete = /^(\d \[\s*(-?[\d.e-]+,?\s*){3}\]\n){5}$/.test(printed);
    return { ...row, report: complete ? { done: "prints five steps" } : { error: printed } };
  } catch (error) {
    return { ...row, report: { error: error.stderr || error.message } };
  }
}

const COMPILERS = ["typescript-5", "typescript"];
const OPTIONS = "--noEmit --strict --target es2022 --lib es2022,dom,esnext.disposable";

/** Where the packed declarations have to compile without skipLibCheck: an ES module, and a CommonJS one, which requires it. */
const RESOLUTIONS = [
  { how: "nodenext", options: "--module nodenext --moduleResolution nodenext", file: "consumer.ts" },
  {
    how: "nodenext, CommonJS",
    options: "--module nodenext --moduleResolution nodenext",
    file: "consumer.cts",
  },
  { how: "bundler", options: "--module esnext --moduleResolution bundler", file: "consumer.ts" },
];

export async function checkTypes(app) {
  const run = (compiler, args) => {
    const file = binary(`${compiler}/bin/tsc`);
    return promisify(execFile)(process.execPath, [file, ...args], { cwd: app, timeout: TIMEOUT });
  };
  const rows = [];
  for (const compiler of COMPILERS) {
    const found = await run(compiler, ["--version"]).catch((error) => ({ error }));
    for (const { how, options, file } of RESOLUTIONS) {
      const row = {
        runtime: "TypeScript",
        engine: "tsc",
        how,
        version: found.stdout?.split(" ")[1]?.trim(),
      };
      rows.push(row);
      if (found.error) row.notRun = String(found.error.stderr || found.error);
      else
        row.report = await run(compiler, [...`${OPTIONS} ${options}`.split(" "), file]).then(
          () => ({ done: "compiles" }),
          (error) => ({ error: error.stdout || error.message }),
        );
    }
  }
  return rows;
}
