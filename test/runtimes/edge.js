/** workerd, Cloudflare's engine: bundled by wrangler with the condition `workerd`, run by miniflare. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { testEdgeWorker } from "./examples.js";

const TIMEOUT = 300_000;
const wrangler = fileURLToPath(new URL("./node_modules/wrangler/bin/wrangler.js", import.meta.url));
const require = createRequire(import.meta.url);
const { version } = require("workerd/package.json");

/**
 * The oldest date that wrangler takes, and the newest that this workerd knows: the day it was built. Each with why there is
 * one thread: by the newest date there is what Node.js has, too.
 */
const DATES = {
  "2021-11-02": "no Worker",
  [`${version.slice(2, 6)}-${version.slice(6, 8)}-${version.slice(8, 10)}`]: "no threads",
};

export async function runEdge(app) {
  const rows = [];
  for (const [date, threads] of Object.entries(DATES)) {
    const how = `wrangler, compatibility ${date}`;
    const row = { runtime: "workerd", engine: "V8", version, how, threads };
    rows.push(row);
    let worker;
    try {
      const folder = await bundle(app, date);
      worker = new Miniflare(convertV4MiniflareOptions({ ...modulesOf(folder), compatibilityDate: date }));
      await worker.ready;
    } catch (error) {
      row.notRun = error.stderr || error.message;
      continue;
    }
    try {
      const response = await worker.dispatchFetch("http://localhost/", {
        signal: AbortSignal.timeout(TIMEOUT),
      });
      row.report = response.ok ? await response.json() : { error: await response.text() };
    } catch (error) {
      row.report = { error: String(error) };
    } finally {
      await worker.dispose();
    }
  }
  rows.push(await runEdgeExample(app));
  return rows;
}

/** The example's own tests. */
async function runEdgeExample(app) {
  const row = { runtime: "workerd", engine: "V8", version, how: "examples/edge-worker" };
  try {
    await testEdgeWorker(app, upload);
    return { ...row, report: { done: "its tests pass" } };
  } catch (error) {
    return { ...row, report: { error: error.stdout || error.message } };
  }
}

/** The suite as `wrangler deploy` would upload it. */
async function bundle(app, date) {
  const folder = join(app, `edge-${date}`);
  const config = `name = "suite"\nmain = "edge.js"\ncompatibility_date = "${date}"\n`;
  writeFileSync(join(app, "wrangler.toml"), config);
  await upload(app, folder);
  return folder;
}

async function upload(project, folder) {
  await promisify(execFile)(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", folder], {
    cwd: project,
    timeout: TIMEOUT,
    maxBuffer: 2 ** 24,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
  });
}

function modulesOf(folder) {
  const modules = readdirSync(folder)
    .filter((name) => /\.(js|wasm)(\?module)?$/.test(name))
    .map((name) => ({
      type: name.endsWith(".js") ? "ESModule" : "CompiledWasm",
      path: join(folder, name),
      contents: readFileSync(join(folder, name)),
    }));
  // Miniflare takes the first as the worker.
  return { modulesRoot: folder, modules: modules.sort((a, b) => (a.type < b.type ? 1 : -1)) };
}
