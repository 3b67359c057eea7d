/**
 * Whole models by `loadOnnx` beside onnxruntime-web, and by `loadTfjs` beside TF.js: `npm run bench:models`. Both run in
 * the same fresh process on one core. A run of all cases writes results.json and README.md beside this file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeFigures } from "../figures.js";
import { defaultNode, describeMachine, lastCore, peerVersions, runJob, runtimeAt } from "../machine.js";
import { median } from "../measure.js";
import { CASES, pathOf } from "./cases.js";
import { LAYERS_CASES } from "./layers-cases.js";
import { PEERS, table, timeOf } from "./table.js";

const HELP = `node bench/models/run.js [options]
  --case TEXT    only cases whose name contains TEXT; nothing is written
  --only PEER    only cases beside onnxruntime-web, or beside tfjs; the others stay as they are written
  --rounds N     fresh processes for each case (default 5)
  --warmup MS    least warm-up of each side (default 1000)
  --clock NAME   wall (default), or cpu for processor time when the machine is busy
  --node PATH    the Node to measure with (default: the one in bench/node_modules, else this one)
The environment: MODELS=FOLDER has the files that no package carries, PROXIES=FOLDER (default: MODELS) those that
make_proxies.py writes. A case without its file is left out. Build the library first.`;

const { values: options } = parseArgs({
  options: {
    case: { type: "string" },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    warmup: { type: "string", default: "1000" },
    clock: { type: "string", default: "wall" },
    node: { type: "string", default: defaultNode() },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
/** Processes of a start for each round: 15 in five rounds. */
const STARTS = 3;

const here = fileURLToPath(new URL(".", import.meta.url));
const rounds = Number(options.rounds);
if (!(rounds >= 1)) throw new RangeError(`--rounds: expected a number from 1, got ${options.rounds}`);
if (options.only !== "" && PEERS[options.only] === undefined) {
  throw new RangeError(`--only: expected ${Object.keys(PEERS).join(" or ")}, got ${options.only}`);
}
const all = [...CASES, ...LAYERS_CASES.map((spec) => ({ ...spec, from: "layers" }))];
const isWanted = (spec) => options.only === "" || options.only === peerOf(spec);
const cases = all.filter(
  (spec) => isWanted(spec) && (options.case === undefined || spec.name.includes(options.case)),
);
if (cases.length === 0) throw new RangeError(`--case: no case contains ${options.case}`);

const runtime = runtimeAt(options.node, `${here}../../build/relaxed-simd.wasm`);
const core = lastCore();
const timing = { warmupMs: Number(options.warmup), measureMs: 500, clock: options.clock };

const results = {
  date: new Date().toISOString().slice(0, 10),
  machine: { ...describeMachine(), load: os.loadavg()[0] },
  node: runtime.version,
  versions: peerVersions(),
  rounds,
  clock: options.clock,
  cases: [],
};
console.log(
  `${results.machine.cpu}, ${results.machine.cores} cores, load ${results.machine.load.toFixed(1)}`,
);
console.log(`Node ${runtime.version}, core ${core ?? "any"}, ${rounds} processes for each case`);
for (const spec of cases) {
  const result = await resultOf(spec);
  results.cases.push(result);
  console.log(lineOf(result));
}
const leftOut = results.cases.filter((result) => result.leftOut !== undefined).length;
const failed = results.cases.filter((result) => result.failed !== undefined).length;
console.log(`${cases.length - leftOut - failed} measured, ${leftOut} left out, ${failed} failed`);
if (options.case === undefined) {
  if (options.only !== "") {
    const before = JSON.parse(readFileSync(`${here}results.json`, "utf8")).cases;
    results.cases.push(...before.filter(({ peer }) => peer !== options.only));
  }
  writeFileSync(`${here}results.json`, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(`${here}README.md`, table(results));
  writeFigures(`${here}../../`);
}
if (failed > 0) process.exitCode = 1;

function peerOf({ from }) {
  return from === "layers" ? "tfjs" : "onnxruntime-web";
}

async function resultOf(spec) {
  const { name, floor, from, file, source, sha256, start } = spec;
  const about = { name, peer: peerOf(spec), floor };
  const isMade = from === "small" || from === "layers";
  const path = isMade ? undefined : pathOf(spec);
  if (!isMade && path === undefined) {
    const whole =
      source === undefined ? "npm ci in bench/" : [source, sha256].filter(Boolean).join(", sha256 ");
    return { ...about, leftOut: `${file}: ${whole}` };
  }
  if (start === true) return startOf(about, path);
  const samples = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const job = from === "layers" ? "layers-model" : "model";
      samples.push(await runJob(runtime, job, { caseName: name, path, ...timing }, { core }));
    }
  } catch (error) {
    const lines = String(error.message).split("\n");
    return { ...about, failed: lines.find((line) => /^\w*Error/.test(line)) ?? lines[0] };
  }
  const worst = samples.reduce((most, sample) => (sample.difference > most.difference ? sample : most));
  const ratios = samples.map(({ ours, theirs }) => theirs.us / ours.us);
  const ratio = median(ratios);
  return {
    ...about,
    sha256: samples[0].sha256,
    oursUs: median(samples.map(({ ours }) => ours.us)),
    theirsUs: median(samples.map(({ theirs }) => theirs.us)),
    ratio,
    least: Math.min(...ratios),
    greatest: Math.max(...ratios),
    met: ratio >= 0.95 * floor,
    difference: worst.difference,
    where: worst.where,
    largest: worst.largest,
    coreShare: Math.min(...samples.flatMap(({ ours, theirs }) => [ours.coreShare, theirs.coreShare])),
  };
}

/** A start of each side after the other, each in a process of its own. */
async function startOf(about, path) {
  const sides = { ours: [], theirs: [] };
  for (let round = 0; round < STARTS * rounds; round++) {
    for (const [side, times] of Object.entries(sides)) {
      const argument = { caseName: about.name, path, side };
      const { us, cpuUs } = await runJob(runtime, "model-start", argument, { core, flags: ["--expose-gc"] });
      times.push(options.clock === "cpu" ? cpuUs : us);
    }
  }
  const [oursUs, theirsUs] = Object.values(sides).map(median);
  const ratios = sides.ours.map((us, at) => sides.theirs[at] / us);
  const ratio = theirsUs / oursUs;
  return {
    ...about,
    oursUs,
    theirsUs,
    ratio,
    least: Math.min(...ratios),
    greatest: Math.max(...ratios),
    met: ratio >= 0.95 * about.floor,
  };
}

function lineOf({ name, peer, floor, leftOut, failed, ...result }) {
  if (leftOut !== undefined) return `${name}: left out, ${leftOut}`;
  if (failed !== undefined) return `${name}: FAILED, ${failed}`;
  const { oursUs, theirsUs, ratio, least, greatest, met, difference, where, largest, coreShare } = result;
  const times = `${timeOf(oursUs)}, ${PEERS[peer]} ${timeOf(theirsUs)}`;
  const spread = `${ratio.toFixed(2)}x (${least.toFixed(2)} to ${greatest.toFixed(2)})`;
  const beside = `${name}: ${times}, ${spread}, floor ${floor}x ${met ? "met" : "NOT MET"}`;
  if (difference === undefined) return beside;
  const end = `difference ${difference.toExponential(1)} (${where}, up to ${largest.toPrecision(2)}), core ${Math.round(coreShare * 100)} %`;
  return `${beside}, ${end}`;
}
