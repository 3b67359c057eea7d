/**
 * The benchmark: `npm run bench`, or `node bench/run.js` with a filter. Checks every peer's numbers against ours, times
 * all cells in shuffled rounds, measures the machine's roofline, cold start, latencies, heap and sizes. A complete run
 * writes bench/results.json, bench/README.md and bench/chart.svg.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { CASES } from "./cases.js";
import { defaultNode, describeMachine, lastCore, peerVersions, runJob, runtimeAt } from "./machine.js";
import { PEERS, takes } from "./peers/index.js";
import { consoleReport, writeReport } from "./report.js";
import { checkModel, threadCounts } from "./threads/check.js";

const HELP = `node bench/run.js [options]
  --case TEXT      only cases whose name contains TEXT; may be given again
  --peer NAME      only this peer (${Object.keys(PEERS).join(", ")}); may be given again
  --part NAME      only this part (check, cells, old, roofline, split, cold, stream, size); may be given again
  --rounds N       rounds of all cells (default 5, with --quick 1)
  --quick          shorter measurements, fewer of them, and no second Node
  --node PATH      the Node to measure with (default: the one in bench/node_modules, else this one)
  --old-node PATH  a second Node for the baseline build (default: this one, where it is another major version)
  --core N         the core to run on (default: the last one allowed)
  --clock NAME     wall (default), or cpu for the processor time of cells when the machine is busy; no final results
  --json FILE      where to write the raw results (default: bench/results.json after a complete run)
  --threads LIST   only float32 steps on so many threads each, beside the model of docs/performance.md: 1,2,4,8,16
  --from FILE      measure nothing: print FILE's results and write README.md and chart.svg from them
With --case, --peer, --part or --quick nothing is written but FILE. Build the library first.`;

const { values: options } = parseArgs({
  options: {
    case: { type: "string", multiple: true, default: [] },
    peer: { type: "string", multiple: true, default: [] },
    part: { type: "string", multiple: true, default: [] },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    node: { type: "string", default: defaultNode() },
    "old-node": { type: "string", default: process.execPath },
    core: { type: "string" },
    clock: { type: "string", default: "wall" },
    json: { type: "string" },
    threads: { type: "string" },
    from: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const folder = fileURLToPath(new URL(".", import.meta.url));
if (options.from !== undefined) {
  const results = JSON.parse(readFileSync(options.from, "utf8"));
  console.log(consoleReport(results));
  writeReport(results, folder);
  process.exit(0);
}

const library = (build) => `${folder}../build/${build}.wasm`;
const bundle = `${folder}../dist/index.js`;
if (!existsSync(bundle) || !existsSync(library("simd")))
  throw new Error("build the library first: npm run build");

const PARTS = ["check", "cells", "old", "roofline", "split", "cold", "stream", "size"];
const BUILDS = { relaxed: "relaxed-simd", deterministic: "simd" };

/** float32 results of a hundred steps differ by a few 1e-7 between orders of addition; a wrong gate by far more. */
const DIFFERENCE_BOUND = 1e-5;
/** Eight bits of a weight, over up to a hundred steps. */
const INT8_DIFFERENCE_BOUND = 0.05;

const unknown = options.part.find((part) => !PARTS.includes(part));
if (unknown !== undefined)
  throw new RangeError(`--part: expected one of ${PARTS.join(", ")}, got ${unknown}`);
const wrongPeer = options.peer.find((peer) => !(peer in PEERS));
if (wrongPeer !== undefined) {
  throw new RangeError(`--peer: expected one of ${Object.keys(PEERS).join(", ")}, got ${wrongPeer}`);
}

const filtered = options.case.length + options.peer.length + options.part.length > 0;
const final = !filtered && !options.quick && options.clock === "wall";
const defaultParts = filtered
  ? ["check", "cells", "roofline"]
  : PARTS.filter((part) => !(options.quick && part === "old"));
const parts = new Set(options.part.length > 0 ? options.part : defaultParts);
const peers = options.peer.length > 0 ? options.peer : Object.keys(PEERS);
const cases = CASES.filter(
  ({ name }) => options.case.length === 0 || options.case.some((text) => name.includes(text)),
);
if (cases.length === 0) throw new RangeError(`--case: no case is named ${options.case.join(" or ")}`);
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
if (!["wall", "cpu"].includes(options.clock)) {
  throw new RangeError(`--clock: expected wall or cpu, got ${options.clock}`);
}
if (!(Number.isInteger(rounds) && rounds > 0)) {
  throw new RangeError(`--rounds: expected a positive integer, got ${options.rounds}`);
}
const counts = options.threads === undefined ? undefined : threadCounts(options.threads);
const core = options.core === undefined ? lastCore() : Number(options.core);
const placing = { core };
const timing = {
  ...(options.quick ? { warmupMs: 80, measureMs: 100 } : { warmupMs: 150, measureMs: 200 }),
  clock: options.clock,
};
const runtime = runtimeAt(options.node, library("relaxed-simd"));

/** Cases that are not ranked measure our own float32 alone. */
const isTimed = (peer, spec) => (spec.ranked || peer in BUILDS) && takes(peer, spec);
/** Int8 differs in its steps alone: it starts, and costs a call, as float32 does. */
const floatPeers = peers.filter((peer) => !PEERS[peer].int8);

/** A process that had less than this of its core is timed again, as often as the run allows in all. */
const LEAST_CORE_SHARE = 0.97;
let retriesLeft = options.quick ? 5 : 40;

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** The order of a round; the seed is the round's number. */
function shuffled(items, seed) {
  const keyed = items.map((item, index) => {
    const hash = Math.imul((index + 1) * 2654435761 + seed * 40503, 0x9e3779b1);
    return { item, key: (hash ^ (hash >>> 15)) >>> 0 };
  });
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

async function check() {
  const differences = {};
  for (const spec of cases) {
    const { name } = spec;
    progress(`check ${name}`);
    const timed = peers.filter((peer) => isTimed(peer, spec));
    const result = await runJob(runtime, "check", { caseName: name, peers: timed }, placing);
    for (const [peer, { max }] of Object.entries(result)) {
      const bound = PEERS[peer].int8 ? INT8_DIFFERENCE_BOUND : DIFFERENCE_BOUND;
      if (!(max <= bound)) {
        throw new Error(`${name}: ${peer} differs from ours by ${max}, more than ${bound}`);
      }
    }
    differences[name] = result;
  }
  return { bound: DIFFERENCE_BOUND, differences };
}

/** Rounds over cases and peers. Peers of a case run right after one another, so that what drifts is the same for all. */
async function timeCells(node, chosenCases, chosenPeers, count = rounds) {
  const cells = chosenCases.flatMap((spec) =>
    chosenPeers
      .filter((peer) => isTimed(peer, spec))
      .map((peer) => ({ caseName: spec.name, peer, rounds: [] })),
  );
  for (let round = 0; round < count; round++) {
    for (const [at, { name }] of shuffled(chosenCases, round).entries()) {
      const peersOfCase = cells.filter((cell) => cell.caseName === name);
      for (const cell of shuffled(peersOfCase, round + at * 31)) {
        progress(
          `${node.version} round ${round + 1}/${count}, ${at + 1}/${chosenCases.length}: ${name} ${cell.peer}`,
        );
        cell.rounds.push(await timeCell(node, { caseName: name, peer: cell.peer }));
      }
    }
  }
  return cells;
}

async function timeCell(node, argument) {
  let best;
  for (;;) {
    const result = await runJob(node, "cell", { ...argument, ...timing }, placing);
    if (best === undefined || result.coreShare > best.coreShare) best = result;
    if (best.coreShare >= LEAST_CORE_SHARE || retriesLeft === 0 || options.clock === "cpu") return best;
    retriesLeft--;
  }
}

async function measureRoofline() {
  const asc = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  mkdirSync(`${folder}build`, { recursive: true });
  const result = {};
  for (const [peer, build] of Object.entries(BUILDS)) {
    progress(`roofline ${build}`);
    const rooflineWasm = `${folder}build/roofline-${build}.wasm`;
    const features = build === "simd" ? ["simd"] : ["simd", "relaxed-simd"];
    execFileSync(
      process.execPath,
      [
        asc,
        `${folder}roofline.ts`,
        "--outFile",
        rooflineWasm,
        ..."-O3 --converge --noAssert --runtime stub --use abort=".split(" "),
        ...features.flatMap((feature) => ["--enable", feature]),
      ],
      // Not the root, whose asconfig.json is the library's.
      { cwd: folder },
    );
    const job = { rooflineWasm, libraryWasm: library(build) };
    result[peer] = await runJob(runtime, "roofline", job, placing);
  }
  return result;
}

/** Where the time of each `forward` goes, in the relaxed build. */
async function splitCalls() {
  const splits = [];
  for (const { name: caseName } of cases.filter(({ kind, ranked }) => kind !== "step" && ranked)) {
    const all = [];
    for (let round = 0; round < rounds; round++) {
      progress(`split ${round + 1}/${rounds}: ${caseName}`);
      const job = { caseName, deterministic: false, ...timing };
      all.push(await runJob(runtime, "split", job, placing));
    }
    splits.push({ caseName, rounds: all });
  }
  return splits;
}

async function coldStarts() {
  const collecting = { ...placing, flags: ["--expose-gc"] };
  const starts = floatPeers.map((peer) => ({ peer, rounds: [] }));
  for (let round = 0; round < 2 * rounds; round++) {
    for (const start of shuffled(starts, round)) {
      progress(`cold start ${round + 1}/${2 * rounds}: ${start.peer}`);
      start.rounds.push(await runJob(runtime, "cold", { caseName: "step-32", peer: start.peer }, collecting));
    }
  }
  const parts = [];
  for (let round = 0; round < 2 * rounds && floatPeers.includes("relaxed"); round++) {
    progress(`parts of a cold start ${round + 1}/${2 * rounds}`);
    parts.push(await runJob(runtime, "start", { caseName: "step-32" }, collecting));
  }
  return { caseName: "step-32", starts, parts };
}

async function streamSteps() {
  const caseName = "step-1x40";
  const million = options.quick ? 200_000 : 1_000_000;
  const counts = {
    relaxed: million,
    deterministic: million,
    web: million / 10,
    node: million / 10,
    tfjs: million / 50,
  };
  const latency = {};
  for (const peer of floatPeers) {
    progress(`latency ${peer}`);
    latency[peer] = await runJob(runtime, "latency", { caseName, peer, steps: counts[peer] }, placing);
  }
  const heap = {};
  const withState = {};
  for (const peer of peers.filter((name) => name in BUILDS)) {
    progress(`heap ${peer}`);
    const job = { caseName, peer, steps: 1_000_000 };
    heap[peer] = await runJob(runtime, "heap", job, { ...placing, flags: ["--expose-gc"] });
    withState[peer] = await timeCell(runtime, { caseName, peer, readState: true });
  }
  return { caseName, latency, heap, withState };
}

const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };

/** Bytes as shipped and compressed, ours and what a page would load of the peers. */
async function sizes() {
  const modules = `${folder}node_modules`;
  const measured = (name, files) => {
    const bytes = Buffer.concat(files.map((file) => (typeof file === "string" ? readFileSync(file) : file)));
    // Half a minute for the megabytes of onnxruntime-web, whose size gzip tells well enough.
    const brotli = bytes.length < 4 * 2 ** 20 ? brotliCompressSync(bytes, BROTLI).length : undefined;
    return {
      name,
      raw: bytes.length,
      gzip: gzipSync(bytes, { level: 9 }).length,
      brotli,
    };
  };
  const { build } = await import("esbuild");
  const options = { bundle: true, minify: true, format: "esm", write: false };
  const whole = await build({ ...options, entryPoints: [bundle] });
  const contents = 'export { LSTM } from "./dist/index.js";';
  const alone = await build({ ...options, stdin: { contents, resolveDir: `${folder}..` } });
  const tf = `${modules}/@tensorflow`;
  return [
    measured("lstm-wasm without formats, bundled by esbuild", [whole.outputFiles[0].contents]),
    measured("lstm-wasm's LSTM alone, bundled by esbuild", [alone.outputFiles[0].contents]),
    measured("relaxed-simd.wasm (in both)", [library("relaxed-simd")]),
    measured("simd.wasm (in both)", [library("simd")]),
    measured("onnxruntime-web: ort.wasm.min.mjs, ort-wasm-simd-threaded.mjs and .wasm", [
      `${modules}/onnxruntime-web/dist/ort.wasm.min.mjs`,
      `${modules}/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs`,
      `${modules}/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm`,
    ]),
    measured("tfjs: tf-core.min.js, tf-backend-wasm.min.js and tfjs-backend-wasm-simd.wasm", [
      `${tf}/tfjs-core/dist/tf-core.min.js`,
      `${tf}/tfjs-backend-wasm/dist/tf-backend-wasm.min.js`,
      `${tf}/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm`,
    ]),
  ];
}

if (counts !== undefined) {
  const { cpu, cores } = describeMachine();
  const { relaxed: reading } = await measureRoofline();
  console.log(`${cpu}, ${cores} cores, Node ${runtime.version}, ${rounds} rounds`);
  await checkModel({ runtime, counts, rounds, reading, progress });
  process.exit(0);
}

const begin = performance.now();
const results = {
  date: new Date().toISOString().slice(0, 10),
  command: ["node bench/run.js", ...process.argv.slice(2)].join(" "),
  machine: { ...describeMachine(), core },
  node: runtime.version,
  versions: peerVersions(),
  settings: { rounds, ...timing },
};
if (parts.has("check")) results.check = await check();
if (parts.has("roofline")) results.roofline = await measureRoofline();
if (parts.has("cells")) results.cells = await timeCells(runtime, cases, peers);
if (parts.has("old")) {
  const old = runtimeAt(options["old-node"], library("relaxed-simd"));
  const major = (version) => version.split(".")[0];
  if (major(old.version) !== major(runtime.version)) {
    const ranked = cases.filter((spec) => spec.ranked);
    results.old = {
      node: old.version,
      cells: await timeCells(old, ranked, ["deterministic", "web"], Math.ceil(rounds / 3)),
    };
  }
}
if (parts.has("split")) results.split = await splitCalls();
if (parts.has("cold")) results.cold = await coldStarts();
if (parts.has("stream")) results.stream = await streamSteps();
if (parts.has("size")) results.sizes = await sizes();
results.tookSeconds = Math.round((performance.now() - begin) / 1000);
progress("");

console.log(consoleReport(results));
const file = options.json ?? (final ? `${folder}results.json` : undefined);
if (file !== undefined) writeFileSync(file, `${JSON.stringify(results)}\n`);
if (final) writeReport(results, folder);
