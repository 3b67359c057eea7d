/**
 * npm run test:runtimes: packs the package, installs the tarball in an app of its own, runs the suite (entries/suite.ts) in
 * every engine, prints the table and compares it with README.md's. Exits with 1 if any engine failed or could not be
 * started, or if README.md says something else. `--write` writes the table there instead; `--update` takes Node's checksums
 * as the expected ones; `--only=<text>` runs the targets whose names contain the text, and compares no table.
 *
 * Browsers and the other engines run beside each other, except with --write: its timings are those of an engine alone.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARM64, ARM64_PACKAGES, runArm64 } from "./arm64.js";
import { packagesOf, runBrowsers } from "./browsers.js";
import { install } from "./debian.js";
import { runEdge } from "./edge.js";
import { copyExamples } from "./examples.js";
import { makeApp } from "./pack.js";
import { judge, printTable, staleTable, writeTable } from "./report.js";
import { checkTypes, runDenoExample, runScripts } from "./scripts.js";

const CHECKSUMS = new URL("./checksums.json", import.meta.url);
const update = process.argv.includes("--update");
const write = process.argv.includes("--write");
const only = process.argv.find((option) => option.startsWith("--only="))?.slice(7) ?? "";

if (write && only !== "") throw new Error("--write: the table has all runtimes, so it goes without --only");

/** `name` of a target contains what --only asks for. */
const wanted = (name) => name.toLowerCase().includes(only.toLowerCase());

const browsers = ["Chromium", "Firefox", "WebKitGTK"].filter(wanted);
const packages = { ...(wanted(ARM64) ? ARM64_PACKAGES : {}), ...packagesOf(browsers) };

/** Every engine that is no browser. */
async function runEngines(app, work) {
  const rows = await runScripts(app, wanted);
  if (update) {
    const reference = rows.find(({ report }) => report?.checksums)?.report;
    if (reference === undefined) throw new Error("no engine gave checksums to update from");
    writeFileSync(CHECKSUMS, `${JSON.stringify(reference.checksums, null, 1)}\n`);
  }
  if (wanted(ARM64)) rows.push(await runArm64(app, work));
  if (wanted("deno")) rows.push(await runDenoExample(app));
  if (wanted("types")) rows.push(...(await checkTypes(app)));
  if (wanted("edge") || wanted("workerd")) rows.push(...(await runEdge(app)));
  return rows;
}

/** The results of functions, called beside each other or one after another. */
async function results(calls, oneByOne) {
  if (!oneByOne) return Promise.all(calls.map((call) => call()));
  const all = [];
  for (const call of calls) all.push(await call());
  return all;
}

const work = mkdtempSync(join(tmpdir(), "lstm-wasm-runtimes-"));
try {
  const app = await makeApp(work);
  copyExamples(app);
  // At once, where it can be. Whoever needs one that is still missing installs it then, and tells what is wrong.
  await install(packages).catch(() => {});
  const engines = () => runEngines(app, work);
  const pages = () => (browsers.length > 0 ? runBrowsers(browsers, app) : []);
  const rows = (await results([engines, pages], write)).flat();

  const judged = judge(rows, JSON.parse(readFileSync(CHECKSUMS, "utf8")));
  printTable(judged);
  if (judged.length === 0 || judged.some((row) => !row.passed)) process.exitCode = 1;
  if (write) writeTable(judged);
  else if (only === "") {
    const stale = staleTable(judged);
    if (stale.length > 0) {
      const ask = "npm run test:runtimes -- --write writes it anew";
      console.error(`test/runtimes/README.md is not what was measured; ${ask}\n${stale.join("\n")}`);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
