/**
 * One network on several threads: `npm run bench:threads`. Against one thread in turns with the ceiling, beside
 * onnxruntime-web, latency, and among more threads than cores. A complete run with --write writes results.json beside
 * this file and a section of bench/README.md.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { defaultNode, describeMachine, lastCore, peerVersions, runJob, runtimeAt } from "../machine.js";
import { pathOf } from "../models/cases.js";
import { CROWD_CASES, CROWDS, THREAD_CASES } from "./cases.js";
import { roundFigures } from "./figures.js";
import { consoleReport, withSection } from "./report.js";
import { inOrder } from "./tables.js";

const PARTS = ["turns", "latency", "crowd"];
const HELP = `npm run bench:threads -- [options]
  --threads N    how many threads, on as many cores (default 2, for which the floors are)
  --rounds N     processes for each figure (default 9)
  --case TEXT    only cases whose name contains TEXT, and only turns; may be given again
  --part NAME    only this part (${PARTS.join(", ")}); may be given again
  --cores LIST   the cores to run on, as taskset takes them (default: the last N that the machine has)
  --node PATH    the Node to measure with (default: the one in bench/node_modules, else this one)
  --write        write results.json and the section of bench/README.md; of a complete run only
Cases: ${THREAD_CASES.map(({ name }) => name).join("; ")}
The environment: MODELS and PROXIES as in bench/models/run.js. Build the library first, and npm ci in bench/.`;

const { values: options } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "9" },
    case: { type: "string", multiple: true, default: [] },
    part: { type: "string", multiple: true, default: [] },
    cores: { type: "string" },
    node: { type: "string", default: defaultNode() },
    write: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

function integer(name, least, most) {
  const number = Number(options[name]);
  if (options[name].trim() === "" || !(Number.isInteger(number) && number >= least && number <= most)) {
    throw new RangeError(`--${name}: expected an integer from ${least} to ${most}, got ${options[name]}`);
  }
  return number;
}

const threads = integer("threads", 2, 64);
const rounds = integer("rounds", 1, 1000);
const unknown = options.part.find((part) => !PARTS.includes(part));
if (unknown !== undefined) {
  throw new RangeError(`--part: expected one of ${PARTS.join(", ")}, got ${unknown}`);
}
const cases = THREAD_CASES.filter(
  ({ name }) => options.case.length === 0 || options.case.some((text) => name.includes(text)),
);
if (cases.length === 0) throw new RangeError(`--case: no case is named ${options.case.join(" or ")}`);
const isComplete = options.case.length + options.part.length === 0;
if (options.write && !isComplete) {
  throw new RangeError("--write: expected a complete run, got one with --case or --part");
}
const parts = options.part.length > 0 ? options.part : options.case.length > 0 ? ["turns"] : PARTS;

const here = fileURLToPath(new URL(".", import.meta.url));
if (!existsSync(`${here}../../dist/threads/index.js`)) {
  throw new Error("build the library first: npm run build");
}
const runtime = runtimeAt(options.node, `${here}../../build/relaxed-simd.wasm`);
const machineCores = os.cpus().length;
const cores = options.cores ?? Array.from({ length: threads }, (_, at) => machineCores - threads + at).join();
if (options.cores === undefined && threads > machineCores) {
  throw new RangeError(
    `--threads: expected at most ${machineCores}, a core for each, got ${threads}; or give --cores`,
  );
}
const lastOf = cores.split(/[,-]/).at(-1);
/** Nothing is placed where there is no taskset. */
const on = (list) => (lastCore() === undefined ? {} : { core: list });

const timing = { warmupMs: 400, measureMs: 600 };
const LATENCY_PROCESSES = 3;
/** How often a round is made while its ceiling is too low. */
const ATTEMPTS = 3;
/** The busy process has its core by then. */
const SETTLE_MS = 300;

const progress = (text) => process.stderr.write(`${text}\n`);
const job = (name, argument, list = cores) =>
  runJob(runtime, `../threads/${name}`, { ...timing, ...argument }, on(list));

function missing({ model }) {
  if (model === undefined || pathOf(model) !== undefined) return undefined;
  return `${model.file}: ${model.source ?? "npm ci in bench/"}`;
}

async function takeTurns() {
  const rows = cases.map((spec) => {
    const leftOut = missing(spec);
    return leftOut === undefined ? { name: spec.name, attempts: [] } : { name: spec.name, leftOut };
  });
  for (let round = 0; round < rounds; round++) {
    for (const [at, { name, model, web }] of cases.entries()) {
      const { attempts } = rows[at];
      if (attempts === undefined) continue;
      const path = model && pathOf(model);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        progress(
          `round ${round + 1} of ${rounds}: ${name}${attempt > 0 ? ", again: its ceiling was too low" : ""}`,
        );
        const found = await job("turns", { caseName: name, path, threads });
        attempts.push(found);
        if (roundFigures(found, threads).counts) break;
      }
      if (web === undefined) continue;
      for (const side of round % 2 === 0 ? ["ours", "web"] : ["web", "ours"]) {
        const { us } = await job("beside", { caseName: name, side, threads });
        attempts.at(-1)[side === "ours" ? "besideUs" : "webUs"] = us;
      }
    }
  }
  return inOrder(rows);
}

/** Each process takes a third of the steps, a single round a tenth of that. */
async function takeLatency() {
  const processes = [];
  for (let round = 0; round < Math.min(rounds, LATENCY_PROCESSES); round++) {
    progress(`latency, process ${round + 1}`);
    processes.push(await job("latency", { threads, part: (rounds === 1 ? 0.1 : 1) / LATENCY_PROCESSES }));
  }
  return processes;
}

async function takeCrowds() {
  const rows = CROWDS.flatMap((crowd) => CROWD_CASES.map((caseName) => ({ ...crowd, caseName, rounds: [] })));
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) {
      progress(`round ${round + 1} of ${rounds}: ${row.name}, ${row.caseName}`);
      row.rounds.push(await takeCrowd(row));
    }
  }
  return rows.map(({ name, caseName, rounds: taken }) => ({ name, caseName, rounds: taken }));
}

async function takeCrowd({ caseName, cores: fewer, busy, threads: more }) {
  const asked = { caseName, threads: fewer === undefined ? (more ?? threads) : undefined };
  if (!busy) return job("crowd", asked, fewer === undefined ? cores : lastOf);
  const command = [process.execPath, "-e", "for (;;);"];
  if (lastCore() !== undefined) command.unshift("taskset", "-c", lastOf);
  const other = spawn(command[0], command.slice(1), { stdio: "ignore" });
  try {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return await job("crowd", asked);
  } finally {
    other.kill("SIGKILL");
  }
}

const begin = performance.now();
const results = {
  date: new Date().toISOString().slice(0, 10),
  machine: { ...describeMachine(), load: os.loadavg()[0] },
  node: runtime.version,
  versions: peerVersions(),
  settings: { threads, rounds, cores, ...timing },
};
if (parts.includes("turns")) results.cases = await takeTurns();
if (parts.includes("latency")) results.latency = await takeLatency();
if (parts.includes("crowd")) results.crowds = await takeCrowds();
results.tookSeconds = Math.round((performance.now() - begin) / 1000);
console.log(consoleReport(results));
if (options.write) {
  writeFileSync(`${here}results.json`, `${JSON.stringify(results, undefined, 1)}\n`);
  const page = `${here}../README.md`;
  writeFileSync(page, withSection(readFileSync(page, "utf8"), results));
}
process.exit(0);
