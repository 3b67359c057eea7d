/** The declarations as a user's compiler sees them: every option of strictness on, no skipLibCheck. Needs `npm run build`. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, SNIPPETS } from "../support/pages.js";

// Inside the package, so that "lstm-wasm" resolves to its own dist/.
const folder = new URL("build/consumer/", root);
const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

const { ENTRIES } = (await import(new URL("src/build/entries.js", root).href)) as {
  ENTRIES: Record<string, string>;
};

/** What the binaries' own entries give. */
const BINARIES = `
import relaxed from "lstm-wasm/lstm-relaxed.wasm";
import baseline from "lstm-wasm/lstm.wasm";
import models from "lstm-wasm/models.wasm";
import relaxedModels from "lstm-wasm/models-relaxed.wasm";
import shared from "lstm-wasm/lstm-shared.wasm";
import relaxedShared from "lstm-wasm/lstm-shared-relaxed.wasm";
import { initThreads } from "lstm-wasm/threads";
export const modules: readonly WebAssembly.Module[] = [relaxed, baseline, models, relaxedModels, relaxedShared];
export const started = initThreads({ module: shared });
`;

/** Where a variable may be undefined, and what is returned goes in again; the wrong uses must not compile. */
const CALLS = `
import { type Activation, type ActivationName, argmax, concat, Dropout, type DropoutOptions, Embedding, elu, GRU, GroupNorm, type GroupNormOptions, init, LayerNorm, type LayerNormOptions, leakyRelu, Linear, LSTM, type LSTMOptions, type LSTMState, type MaxPool1dOptions, maxPool1d, type MemoryUsage, memoryUsage, type NestedNumbers, type Precision, relu, RNN, Sequential, type SequentialMember, Stream, Tensor, type TensorData, type TensorDtype, type TensorLike, type TensorOptions, topk } from "lstm-wasm";
import { type AmpModel, dtypeOf, type KerasModel, type KerasRecurrent, listModules, type OnnxLayer, type OnnxModule, type ReadWeightsOptions, readOnnx, readSafetensors, readWeights, type StateDict, type Weights, writeSafetensors } from "lstm-wasm/formats";
import { loadKeras, type LoadKerasOptions, loadOnnx, type LoadOnnxOptions, loadTfjs, type Model } from "lstm-wasm/models";
import { endThreads, initThreads, type Threads, type ThreadsOptions } from "lstm-wasm/threads";

declare const maybe: { lengths?: number[] | undefined; flag?: boolean | undefined; size?: number | undefined };
const precision: Precision = "float32";
const options: LSTMOptions = { inputSize: 6, hiddenSize: 3, batchFirst: maybe.flag, projSize: maybe.size, precision };
using lstm = new LSTM(options);
let state: LSTMState | undefined;
let output: Tensor;
[output, state] = lstm.forward({ data: [1, 2, 3, 4, 5, 6], dims: [1, 6] }, state);
[output, state] = lstm.forward({ data: new Float64Array(6), shape: [1, 6] }, state, { lengths: maybe.lengths });
[output] = lstm.forward(output, [...state], { lengths: new Int32Array(1) });
[output] = lstm.forward(output, undefined, { mask: [[true], [false]], maskedOutput: "zeros" });
[output] = lstm.forward(output, undefined, { mask: output });
const activation: Activation = { name: "hardSigmoid", alpha: 0.2, beta: 0.5 };
const activationName: ActivationName = "mish";
new LSTM({ inputSize: 6, hiddenSize: 3, activation, cellActivation: activationName, peepholes: maybe.flag, clip: maybe.size });
new GRU({ inputSize: 6, hiddenSize: 3, recurrentActivation: activation, resetAfter: maybe.flag, reverse: maybe.flag });
using stream = lstm.stream({ batchSize: maybe.size });
stream.state = stream.state;
stream.clone().state = [output, output];
const gates: readonly number[] = lstm.trace(output).layers[0]!.f.shape;
lstm.loadStateDict(lstm.stateDict()).loadStateDict(Object.fromEntries(lstm.stateDict()), { strict: maybe.flag });
const hidden: Tensor = GRU.fromStateDict({ weight_ih_l0: { data: [1], dims: [1, 1] } }).forward(output)[1];
new Embedding({ numEmbeddings: 4, embeddingDim: 2 }).forward([[1, 2], [3, 0]]);
LSTM.fromStateDict(lstm.stateDict(), { rename: (name: string) => "x." + name }).dispose();
Linear.fromStateDict(lstm.stateDict(), { rename: { weight: "kernel" } }).dispose();
const kept: string | undefined = lstm.stateDict().metadata[""]?.kind;
const dict: StateDict = readSafetensors(new Uint8Array());
const read: Tensor<TensorData> | undefined = LSTM.fromStateDict(dict) && dict.get("weight_ih_l0");
const ofStream: Stream<LSTMState> = lstm.stream();
const shape: readonly number[] = [2, 3];
const layerNorm: LayerNormOptions = { normalizedShape: shape, eps: maybe.size, elementwiseAffine: maybe.flag, bias: maybe.flag };
const groupNorm: GroupNormOptions = { numGroups: 1, numChannels: 3, eps: maybe.size, affine: maybe.flag, bias: maybe.flag };
const dropout: DropoutOptions = { p: maybe.size, inplace: maybe.flag };
const pool: MaxPool1dOptions = { kernelSize: 2, stride: maybe.size, padding: maybe.size, dilation: maybe.size, ceilMode: maybe.flag };
const members: SequentialMember[] = [lstm, relu, elu, leakyRelu, (x) => maxPool1d(x, pool), new Dropout(), new Dropout(dropout)];
new Sequential(...members).loadStateDict(dict, { prefix: "net.", strict: maybe.flag });
new Sequential(members).forward([[1, 2]]).data.fill(0);
new Sequential({ norm: new LayerNorm(layerNorm), head: new Linear({ inFeatures: 3, outFeatures: 1 }) }).forward({ data: [1], dims: [1] });
new Sequential(new Map<string, SequentialMember>([["norm", new GroupNorm(groupNorm)], ["relu", relu]])).children.at(-1);
const normalized: readonly number[] = LayerNorm.fromStateDict(dict, { prefix: "norm.", eps: maybe.size }).normalizedShape;
const pooled: Tensor = maxPool1d(leakyRelu(elu(output, 0.5), maybe.size), 2);
const groups: number = GroupNorm.fromStateDict(dict, { numGroups: 2 }).numGroups + GroupNorm.fromStateDict(dict).numGroups;
const printed: string = String(lstm) + stream.toString() + new Sequential(members).summary();
const numbers: number = lstm.numParameters + (new Embedding({ numEmbeddings: 4, embeddingDim: 2 }).paddingIdx ?? 0);
const told: TensorOptions = { dtype: "bool" };
const mask: Tensor<Uint8Array> = new Tensor(new Uint8Array(2), [2], told);
const dtype: TensorDtype = mask.dtype;
const like: TensorLike<Uint8Array> = { data: new Uint8Array(2), dims: [2], dtype };
writeSafetensors({ mask, like, same: { data: mask.data, shape: mask.shape, dtype } });
const best: number = argmax(output, -1, maybe.flag).at(0, -1) + argmax({ data: [1], dims: [1] }, maybe.size).at();
const [values, indices]: [Tensor<Uint8Array>, Tensor<Int32Array>] = topk(mask, 1, maybe.size);
const scores: Tensor = topk({ data: [1, 2], shape: [2] }, 1)[0];
const joined: Tensor = concat([output, scores], maybe.size);
const masks: Tensor<Uint8Array> = concat([mask, values, like]);
const wide: Tensor<BigInt64Array> = new Tensor(new BigInt64Array(6), [2, 3]);
const one: bigint = wide.at(0, 1) + wide.select(0, -1).at(0) + wide.transpose(0, 1).at(2, 1);
const lists: bigint[][] = wide.slice(1, maybe.size, maybe.size).toArray<2>();
const list: number[] = joined.reshape([-1]).toArray<1>().concat(joined.select(0, 0).toArray<0>());
const nestedNumbers: NestedNumbers = joined.toArray();
const element: number | bigint = read!.at(0);
new Embedding({ numEmbeddings: 4, embeddingDim: 2 }).forward(indices);
const inFile: string = dtypeOf(mask);
init({ deterministic: maybe.flag });
const usage: MemoryUsage = memoryUsage();
const held: number = usage.modules + usage.bytes + usage.memory;
const readOptions: ReadWeightsOptions = { path: ["model"], nodes: ["LSTM_3"], externalData: {} };
const weights: Weights = readWeights(new ArrayBuffer(8), readOptions);
const ofFile: StateDict | readonly OnnxLayer[] | AmpModel | KerasModel =
  weights.format === "torch" || weights.format === "safetensors" || weights.format === "numpy" || weights.format === "manifest" ? weights.value
  : weights.format === "onnx" ? weights.value.layers : weights.value;
const ofOther: AmpModel | undefined =
  weights.format === "nam" || weights.format === "guitarml" || weights.format === "rtneural" ? weights.value : undefined;
const ofKeras: KerasModel | undefined = weights.format === "keras" ? weights.value : undefined;
const recurrent: KerasRecurrent | undefined = ofKeras?.layers[0]?.recurrent;
if (recurrent !== undefined) LSTM.fromStateDict(recurrent.stateDict).dispose();
const found: OnnxModule | undefined = readOnnx(new Uint8Array()).modules[0];
const padding: number | undefined = found?.kind === "Conv1d" ? found.padding : found?.inFeatures;
const made: readonly string[] = readOnnx(new Uint8Array()).layerTensors;
const mostGroups = listModules(dict).map((info) => (info.kind === "Conv1d" ? info.mostGroups : 1));
const ofOnnx: LoadOnnxOptions = { precision, onProgress: (nodes: number, all: number) => nodes / all, constants: { sr: 16000 } };
const vad: Model = loadOnnx(new Uint8Array(), ofOnnx);
const ofLayers: LoadKerasOptions = { precision: "int8", onProgress: () => {}, weights: new ArrayBuffer(8) };
const table: string = loadKeras({}, ofLayers).summary() + loadTfjs({}, new Uint8Array(), { masks: "tfjs", precision }).summary();
const states: readonly unknown[] = vad.summary({ inputs: { sr: 1n } }).states;
export { states, table };
const many: ThreadsOptions = { threads: maybe.size, deterministic: maybe.flag, worker: new URL("https://a.test/worker.js") };
const started: Promise<Threads> = initThreads(many);
const why: Promise<string | undefined> = started.then(({ threads, reason }) => (threads > 1 ? undefined : reason));
const ended: Promise<void> = endThreads();
export { ended, why };
export { best, element, gates, groups, held, hidden, inFile, list, lists, made, masks, mostGroups, nestedNumbers, normalized, numbers, ofFile, ofOther, one, ofStream, padding, pooled, printed, read };

// @ts-expect-error an option that no reader takes
readWeights(new Uint8Array(), { prefix: "lstm." });
// @ts-expect-error an option of loadStateDict
loadOnnx(new Uint8Array(), { strict: false });
// @ts-expect-error a misspelt option
initThreads({ thread: 2 });
// @ts-expect-error a promise, which one has to await
initThreads().threads;
// @ts-expect-error text, which readers of JSON alone take
readWeights("{}");
// @ts-expect-error a misspelt option
new LSTM({ inputSize: 6, hiddenSise: 3 });
// @ts-expect-error the LSTM's projection
new GRU({ inputSize: 6, hiddenSize: 3, projSize: 2 });
// @ts-expect-error a nonlinearity that does not exist
new RNN({ inputSize: 6, hiddenSize: 3, nonlinearity: "swish" });
// @ts-expect-error one state where two are wanted
lstm.forward(output, output);
// @ts-expect-error a tensor without its shape
lstm.forward(new Float32Array(6));
// @ts-expect-error only LSTMs have gates to show
new RNN({ inputSize: 6, hiddenSize: 3 }).trace(output);
// @ts-expect-error a module makes its streams
new Stream();
// @ts-expect-error shapes are fixed
output.shape = [1];
// @ts-expect-error it is counted
lstm.numParameters = 1;
// @ts-expect-error a dtype is what the data says
output.dtype = "int8";
// @ts-expect-error a dtype that no tensor has
new Tensor(new Uint8Array(2), [2], { dtype: "float16" });
// @ts-expect-error tensors of two dtypes
concat([mask, output]);
// @ts-expect-error arrays as deep as is said
const flat: number[] = output.toArray<2>();
// @ts-expect-error a class where an instance is wanted
new Sequential(Linear);
// @ts-expect-error a function of numbers
new Sequential((x: number) => x);
// @ts-expect-error a size that is no number
maxPool1d(output, "2");
`;

function compile(
  name: string,
  files: readonly string[],
  types: readonly string[],
  lib: readonly string[],
  conditions?: readonly string[],
): string {
  const config = new URL(`${name}.json`, folder);
  const compilerOptions = {
    ...{
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
    },
    ...{ noEmit: true, target: "es2022", module: "nodenext", types, lib },
    ...(conditions && { module: "esnext", moduleResolution: "bundler", customConditions: conditions }),
  };
  writeFileSync(config, JSON.stringify({ compilerOptions, files }));
  const { stdout } = spawnSync(process.execPath, [compiler, "-p", fileURLToPath(config)], {
    encoding: "utf8",
  });
  return stdout;
}

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("calls.ts", folder), CALLS);
  for (const [at, { code }] of SNIPPETS.entries()) writeFileSync(new URL(`snippet-${at}.ts`, folder), code);
  writeFileSync(new URL("binaries.ts", folder), BINARIES);
});
afterAll(() => rmSync(folder, { recursive: true }));

it("take the snippets of README.md and docs/ as they stand", () => {
  const files = SNIPPETS.map((_, at) => `snippet-${at}.ts`);
  expect(files.length).toBeGreaterThan(2);
  expect(compile("snippets", files, ["node"], ["es2022", "dom"])).toBe("");
});

/** A snippet that asks nothing of Node or of a page. */
const plain = `snippet-${SNIPPETS.findIndex(({ title }) => title === "docs/api.md, snippet 1")}.ts`;

it("need no library beyond ES2022 and the DOM, not even for Symbol.dispose", () => {
  expect(compile("page", [plain], [], ["es2022", "dom"])).toBe("");
});

it("need no DOM where Node's types are there", () => {
  expect(compile("node", [plain], ["node"], ["es2022"])).toBe("");
});

it("let pass what is right and nothing else", () => {
  expect(compile("calls", ["calls.ts"], [], ["es2022", "dom", "esnext.disposable"])).toBe("");
});

it.each(["workerd", "edge-light"])("are found under the condition %s", (condition) => {
  const lib = ["es2022", "dom", "esnext.disposable"];
  expect(compile(condition, ["calls.ts", "binaries.ts"], [], lib, [condition])).toBe("");
});

/** Of each entry: what its exports are declared with, and an editor shows, though no program can import it. */
const DECLARED_FOR_OTHERS: Record<string, readonly string[]> = {
  index: [
    ...["Cell", "DisposableBase", "Module", "Normalization", "Recurrent", "SingleState"],
    ...["AnyData", "ArraysOf", "ElementOf", "IndexData", "IntegerArray", "ParameterData"],
    // The table that the names of activations are read off, what masks have, and what state dicts tell besides.
    ...["Base", "CellFromDictOptions", "Constants", "Described", "Skipped", "Flag", "KINDS"],
  ],
  "formats/index": ["CellInfo", "Found", "FoundModule", "RecurrentInfo"],
  "threads/index": [],
  "models/index": [
    ...[
      "AnyData",
      "Bytes",
      "DisposableBase",
      "Dtype",
      "IntegerArray",
      "KerasConfig",
      "LoadModelOptions",
      "ManifestWeights",
      "NumberArray",
      "TensorData",
    ],
    // Range, which is the name of a global of browsers.
    "Range_2",
  ],
};

describe.each(Object.entries(ENTRIES))("dist/%s.d.ts", (path, source) => {
  const text = readFileSync(new URL(`dist/${path}.d.ts`, root), "utf8");
  const listed = (pattern: RegExp): string[] =>
    Array.from(text.matchAll(pattern), (match) => match[1]!.split(/, */)).flat();
  const imported = listed(/^import \{ (.*) \} from/gm);
  const values = [
    ...listed(/^export declare (?:abstract )?(?:class|const|function) (\w+)/gm),
    // A name that is also a global of browsers is declared by another.
    ...listed(/^export \{ \w+_\d as (\w+) \}/gm),
  ];
  const exported = [
    ...values,
    ...listed(/^export declare (?:interface|type) (\w+)/gm),
    ...listed(/^export (?:type )?\{ (\w.*) \}/gm).map((name) => name.replace(/^\w+_\d as /, "")),
  ];

  it("declares what the entry exports and nothing else", async () => {
    // A function has a declaration for each way to call it.
    expect([...new Set(values)].sort()).toEqual(
      Object.keys(await import(new URL(`dist/${path}.js`, root).href)).sort(),
    );
    const entry = readFileSync(new URL(source, root), "utf8");
    const names = Array.from(
      entry.matchAll(/^export (?:type )?\{([^}]*)\}/gm),
      (match) => match[1]!.match(/\w+(?=\s*(,|$))/g)!,
    );
    const declared = Array.from(
      entry.matchAll(/^export (?:async )?(?:class|const|function|interface|type) (\w+)/gm),
      (match) => match[1]!,
    );
    // What `export *` passes on has no list; the values were compared with those of the script.
    const passedOn = /^export \* from/m.test(entry) ? values : [];
    expect([...new Set(exported)].sort()).toEqual(
      [...new Set([...names.flat(), ...declared, ...passedOn])].sort(),
    );
  });

  it("has nothing internal", () => {
    const declared = listed(/^declare (?:abstract )?(?:class|const|function|interface|type) (\w+)/gm);
    const types = listed(/^export type \{ (\w.*) \}/gm);
    const others = declared.filter((name) => !types.includes(name));
    expect(others.sort()).toEqual([...DECLARED_FOR_OTHERS[path]!].sort());
    expect(text.match(/.*@internal.*/g)).toBeNull();
    expect(text.match(/^ *(private|protected|_).*/gm)).toBeNull();
  });

  it("imports from index.d.ts alone, whose classes it has no copies of", () => {
    const modules = Array.from(text.matchAll(/\bfrom\s*["'](.*?)["']|\bimport\(["'](.*?)["']\)/g));
    // Threads have nothing to do with tensors.
    const isAlone = path === "index" || path === "threads/index";
    const expected = isAlone ? [] : ["../index.js"];
    expect(modules.map((match) => match[1] ?? match[2])).toEqual(expected);
    const copies = listed(/^(?:export )?declare (?:abstract )?\w+ (\w+)/gm);
    expect(copies.filter((name) => imported.includes(name))).toEqual([]);
    expect(isAlone || imported.includes("Tensor")).toBe(true);
  });
});
