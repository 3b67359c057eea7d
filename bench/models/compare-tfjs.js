/**
 * TensorFlow.js layers models by `loadTfjs` beside TensorFlow.js itself, on the same random inputs: how far their outputs
 * are apart. A stateful model is called three times in a row. What TensorFlow.js does not load is counted, with its reason.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { loadTfjs } from "../../dist/models/index.js";
import { madeModels } from "./made-tfjs.js";
import "@tensorflow/tfjs-backend-cpu";

const HELP = `node bench/models/compare-tfjs.js PATH... [--made] [--case TEXT] [--masks keras]
A PATH is a model.json, or a folder of which all are taken whose names end in model.json. The files of numbers lie beside it,
with what its own name has before "model.json" before theirs. With --made models of every kind of layer are taken, which
TensorFlow.js makes itself. Masks are TensorFlow.js' unless --masks says otherwise.
Build the library and run npm ci in bench/ first.`;

/** Of float32: absolute, or as a part of the largest number. */
const [APART, PART] = [2e-6, 4e-7];
const CALLS = 3;
/** Of a size that a model leaves open: the batch, then others. */
const [BATCH, OPEN] = [3, 7];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    case: { type: "string", default: "" },
    made: { type: "boolean", default: false },
    masks: { type: "string", default: "tfjs" },
    help: { type: "boolean", default: false },
  },
});
if (values.help || (positionals.length === 0 && !values.made)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

await tf.setBackend("cpu");
const counts = { compared: 0, "not loaded by TensorFlow.js": 0, failed: 0 };
let largest = { apart: 0, name: "none" };
const isMeant = (name) => name.includes(values.case);
for (const path of positionals.flatMap(modelsIn).filter(isMeant)) {
  console.log(`${path}: ${await compare(path, ...filesOf(path))}`);
}
if (values.made) {
  for await (const { name, json, bytes } of madeModels(generator())) {
    if (isMeant(name))
      console.log(`${name}: ${await compare(name, json, new Map([["weights.bin", bytes]]))}`);
  }
}
const told = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
console.log(`${told.join(", ")}; at most ${largest.apart.toExponential(1)} apart: ${largest.name}`);
if (counts.failed > 0) process.exitCode = 1;

/** @returns {string[]} */
function modelsIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith("model.json"))
    .sort()
    .map((name) => join(path, name));
}

/** @returns {[json: object, files: Map<string, Uint8Array>]} */
function filesOf(path) {
  // Python writes NaN and Infinity into JSON; no field that counts has them.
  const text = readFileSync(path, "utf8").replace(/([:[,]\s?)-?(NaN|Infinity)\b/g, "$1null");
  const json = JSON.parse(text);
  const prefix = basename(path).slice(0, -"model.json".length);
  const paths = json.weightsManifest.flatMap((group) => group.paths);
  return [
    json,
    new Map(paths.map((name) => [name, readFileSync(join(dirname(path), prefix + basename(name)))])),
  ];
}

async function compare(name, json, files) {
  const text = JSON.stringify(json);
  let ours;
  let theirs;
  try {
    ours = loadTfjs(json, Object.fromEntries(files), { masks: values.masks });
  } catch (error) {
    counts.failed++;
    return `FAILED, ours: ${error.message}`;
  }
  try {
    const weightData = new Uint8Array(Buffer.concat([...files.values()])).buffer;
    const weightSpecs = json.weightsManifest.flatMap((group) => group.weights);
    // Core's build for Node lacks what this initializer calls, whose numbers are overwritten.
    const { modelTopology } = JSON.parse(text.replaceAll('"Orthogonal"', '"Zeros"'));
    theirs = await loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) });
  } catch (error) {
    ours.dispose();
    counts["not loaded by TensorFlow.js"]++;
    return `not loaded by TensorFlow.js: ${error.message.split("\n")[0].slice(0, 100)}`;
  }
  try {
    return measure(name, ours, theirs, text);
  } catch (error) {
    counts.failed++;
    return `FAILED: ${error.message}`;
  } finally {
    ours.dispose();
    theirs.dispose();
  }
}

function measure(name, ours, theirs, text) {
  const isStateful = /"stateful":\s*true/.test(text);
  const words = Math.min(...Array.from(text.matchAll(/"input_dim":\s*(\d+)/g), (found) => Number(found[1])));
  const stream = isStateful ? ours.stream() : undefined;
  const random = generator();
  const found = { apart: 0, most: 0 };
  for (let call = 0; call < (isStateful ? CALLS : 1); call++) {
    const given = ours.inputs.map((input) => inputOf(input, words, random));
    const feeds = Object.fromEntries(ours.inputs.map(({ name }, at) => [name, given[at]]));
    const mine = Object.values(stream === undefined ? ours.run(feeds) : stream.step(feeds));
    const tensors = given.map(({ data, shape }) => tf.tensor(Float32Array.from(data), shape));
    const result = theirs.predict(tensors.length === 1 ? tensors[0] : tensors, {
      batchSize: given[0].shape[0],
    });
    const others = Array.isArray(result) ? result : [result];
    if (mine.length !== others.length) throw new Error(`${mine.length} outputs, theirs ${others.length}`);
    for (const [at, other] of others.entries()) distance(found, mine[at], other);
    tf.dispose([tensors, result]);
  }
  const isFine = found.apart <= Math.max(APART, PART * found.most);
  counts[isFine ? "compared" : "failed"]++;
  if (found.apart > largest.apart) largest = { apart: found.apart, name };
  const many = isStateful ? `, ${CALLS} calls` : "";
  return `${found.apart.toExponential(1)} apart of ${found.most.toPrecision(2)}${many}: ${isFine ? "ok" : "DIFFERENT"}`;
}

/** Rows about as long as that of a letter, with one 1; of a model with an Embedding ids below the smallest number of words, whose type files may call a float. */
function inputOf({ shape, dtype }, words, random) {
  const sizes = shape.map((size, axis) => (typeof size === "number" ? size : axis === 0 ? BATCH : OPEN));
  const count = sizes.reduce((product, size) => product * size, 1);
  if (dtype !== "int32" && !(sizes.length === 2 && Number.isFinite(words))) {
    const most = Math.sqrt(3 / sizes.at(-1));
    const data = Float32Array.from({ length: count }, () => most * (2 * random() - 1));
    // Steps that a Masking leaves out: every third, also at the end of some rows.
    const size = sizes.at(-1);
    for (let at = 2 * size; sizes.length === 3 && at < count; at += 3 * size) data.fill(0, at, at + size);
    return { data, shape: sizes };
  }
  return { data: Int32Array.from({ length: count }, () => Math.floor(random() * words)), shape: sizes };
}

function distance(found, { data, shape }, other) {
  if (String(shape) !== String(other.shape)) {
    throw new Error(`an output of shape [${shape}], theirs [${other.shape}]`);
  }
  const expected = other.dataSync();
  for (const [at, value] of expected.entries()) {
    const apart = Math.abs(data[at] - value);
    found.apart = Math.max(found.apart, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
    found.most = Math.max(found.most, Math.abs(value));
  }
}

/** The same numbers at every start. */
function generator() {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
