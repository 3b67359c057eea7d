/**
 * Runs ONNX's own backend cases, each on the host and as a model, and prints what passed for each operator.
 *
 *     node test/onnx/run.js operators FILE   writes the names of the operators that run, for write_cases.py
 *     node test/onnx/run.js FOLDER [NAME]    runs the cases that it wrote, or those whose names have NAME in them
 *     node test/onnx/run.js FOLDER --write   runs the cases, and writes docs/operators.md
 *
 * A case passes within rtol 1e-3 and atol 1e-7, as ONNX runs it; how many pass within 1e-5 and 1e-6 is told too.
 * Fails for a case of the wanted types that is wrong or crashes, for one refused that REFUSED does not list, and where
 * docs/operators.md says something else than the run.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "./load.js";
import { operatorsPage } from "./page.js";
import { isRefused } from "./refused.js";

const writes = process.argv.includes("--write");
const [folder, filter = ""] = process.argv.slice(2).filter((argument) => argument !== "--write");
if (folder === undefined) throw new TypeError("usage: run.js FOLDER [NAME]");

const { GRAPH_OPERATORS, Call, FormatError, loadOnnx, readOnnxGraph, runOnHost } = await load();

if (folder === "operators") {
  writeFileSync(filter, JSON.stringify(Array.from(GRAPH_OPERATORS.keys()).sort()));
  process.exit();
}

const ARRAYS = {
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
};

function tensorOf({ dtype, shape, file }) {
  const { buffer } = new Uint8Array(readFileSync(join(folder, file)));
  const data = new (ARRAYS[dtype] ?? Float32Array)(buffer);
  return { dtype, shape, data: dtype === "int64" ? Float64Array.from(data, Number) : data };
}

/** What is wrong with a result; undefined if nothing is. */
function difference(expected, got, rtol, atol) {
  if (got === undefined) return "no such output";
  if (got.dtype !== expected.dtype) return `${got.dtype}, expected ${expected.dtype}`;
  if (got.shape.join() !== expected.shape.join()) return `shape [${got.shape}], expected [${expected.shape}]`;
  for (let at = 0; at < expected.data.length; at++) {
    const [want, have] = [expected.data[at], got.data[at]];
    if (Object.is(want, have) || want === have) continue;
    if (!(Math.abs(want - have) <= atol + rtol * Math.abs(want)))
      return `[${at}] is ${have}, expected ${want}`;
  }
  return undefined;
}

/** The two ways in which a graph runs, each giving outputs by name. */
const WAYS = {
  host: (bytes) => {
    const { graph } = readOnnxGraph(bytes);
    return { run: (inputs) => runOnHost(graph, GRAPH_OPERATORS, inputs), dispose: () => {} };
  },
  model: (bytes) => {
    const model = loadOnnx(bytes);
    const types = new Map(readOnnxGraph(bytes).graph.outputs.map(({ name, dtype }) => [name, dtype]));
    const resultOf = ([name, { data, shape, dtype }]) => [
      name,
      {
        shape,
        // Floats of all widths come as float32.
        dtype: dtype === "float32" ? (types.get(name) ?? dtype) : dtype,
        data: dtype === "int64" ? Float64Array.from(data, Number) : data,
      },
    ];
    return {
      run: (inputs) => new Map(Object.entries(model.run(Object.fromEntries(inputs))).map(resultOf)),
      dispose: () => model.dispose(),
    };
  },
};

/** Runs a case in one way: its kind, and the reason where it did not pass. */
function outcomeOf(test, way) {
  let isClose = true;
  let runner;
  try {
    runner = WAYS[way](new Uint8Array(readFileSync(join(folder, `${test.name}.onnx`))));
    for (const set of test.sets) {
      const inputs = new Map();
      for (const [at, described] of set.inputs.entries()) {
        if (described !== null) inputs.set(test.inputs[at], tensorOf(described));
      }
      const results = runner.run(inputs);
      for (const [at, described] of set.outputs.entries()) {
        if (described === null) return { kind: "wrong", reason: "a result of a type that should be refused" };
        const [expected, got] = [tensorOf(described), results.get(test.outputs[at])];
        const reason = difference(expected, got, 1e-3, 1e-7);
        if (reason !== undefined) return { kind: "wrong", reason: `${test.outputs[at]}: ${reason}` };
        isClose &&= difference(expected, got, 1e-5, 1e-6) === undefined;
      }
    }
    return { kind: "passed", isClose };
  } catch (error) {
    const isNamed = error instanceof FormatError && error.code === "LSTM_WASM_UNSUPPORTED";
    return isNamed ? { kind: "refused", reason: error.message } : { kind: "crashed", reason: error.stack };
  } finally {
    runner?.dispose();
  }
}

/** The outcome as a model; that on the host where only this one is not right. */
function outcome(test) {
  const [host, model] = [outcomeOf(test, "host"), outcomeOf(test, "model")];
  if (model.kind === "passed" && host.kind !== "passed")
    return { ...host, reason: `on the host: ${host.reason}` };
  return model;
}

const cases = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")).filter(({ name }) =>
  name.includes(filter),
);
const totals = { wanted: counts(), other: counts() };
const table = new Map();
/** What was refused of each operator, in the words of its messages. */
const refusals = new Map();
let failures = 0;

function counts() {
  return { cases: 0, passed: 0, close: 0, refused: 0, wrong: 0, crashed: 0 };
}

function count(into, { kind, isClose }) {
  into.cases++;
  into[kind]++;
  if (isClose) into.close++;
}

for (const test of cases) {
  const result = outcome(test);
  count(totals[test.wanted ? "wanted" : "other"], result);
  // A message names the operator that it is of: onnx: node "n" (Resize, opset 19): attribute mode: cubic ...
  const [, operator, refusal] =
    /^onnx: node .*? \(([\w.]+), opset \d+\): (.*)$/.exec(result.reason ?? "") ?? [];
  if (test.wanted && result.kind === "refused" && operator !== undefined) {
    refusals.set(operator, (refusals.get(operator) ?? new Set()).add(refusal));
  }
  if (test.wanted) {
    for (const operator of test.operators) {
      if (!table.has(operator)) table.set(operator, counts());
      count(table.get(operator), result);
    }
  }
  const isRight =
    result.kind === "passed" || (result.kind === "refused" && (!test.wanted || isRefused(result.reason)));
  if (!isRight) {
    failures++;
    console.log(`${result.kind} ${test.name}: ${result.reason}`);
  } else if (filter !== "" && result.reason !== undefined)
    console.log(`${result.kind} ${test.name}: ${result.reason}`);
}
if (filter === "") console.table(Object.fromEntries([...table].sort(([a], [b]) => (a < b ? -1 : 1))));
console.table(totals);
if (filter === "") {
  const page = fileURLToPath(new URL("../../docs/operators.md", import.meta.url));
  const text = operatorsPage({ operators: GRAPH_OPERATORS, Call, table, refusals, totals: totals.wanted });
  if (writes) writeFileSync(page, text);
  else if (readFileSync(page, "utf8") !== text) {
    console.log("docs/operators.md is not what this run says: npm run test:onnx -- --write");
    failures++;
  }
}
process.exitCode = failures === 0 ? 0 : 1;
