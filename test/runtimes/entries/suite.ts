/**
 * What every engine runs, in plain JavaScript without a platform's API. These are PyTorch's golden cases, as
 * test/nn/golden.test.ts runs them, and three timed cases. In deterministic mode each golden case and each case of
 * deterministic-cases.ts (streams, int8) gives a checksum of its results. Whole models are compared with onnxruntime
 * (model-cases.ts) and with Keras (keras-cases.ts), and give a checksum too. `library` is the packed package, `models` its
 * entry for them.
 */

import { deterministicCases } from "../../support/deterministic-cases.js";
import { expectClose, type Golden, type GoldenModule, goldenCases } from "../../support/golden.js";
// @ts-expect-error esbuild's text loader
import modelNumbers from "../models.json";
import { expectKeras, KERAS_CASES, runKeras } from "./keras-cases.js";
import { MODEL_CASES, runModel } from "./model-cases.js";

export { reportThreads } from "./threads-case.js";
export { MODEL_CASES };

type Numbers = { readonly data: Float32Array; readonly shape: readonly number[] };
type Library = typeof import("../../../src/index.js");
type Models = Pick<typeof import("../../../src/models/index.js"), "loadOnnx" | "loadKeras">;

export interface SuiteResult {
  /** The binary that ran the golden cases and the timed ones, and the one of deterministic mode. */
  builds: { default: string; deterministic: string };
  /** Golden cases and whole models within the tolerance, with the build that the engine gets by default. */
  passed: number;
  models: number;
  failures: string[];
  /** Cases on subnormal numbers, left out because the scope's thread flushes them to zero. */
  leftOut: string[];
  /** Checksum of each case in deterministic mode, by name. */
  checksums: Record<string, string>;
  /** Microseconds per call, by name of the timed case. */
  timings: Record<string, number>;
}

const MODULES = ["LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell", "Linear", "Embedding"] as const;

/** Checksums of the packed binaries, by build; esbuild puts them in. */
declare const BINARIES: Record<string, string>;

/**
 * @param files the bytes of the whole models by name
 * @param modules the packed binaries where the platform compiles them and no bytes are seen
 */
export function runSuite(
  library: Library,
  models: Models,
  files: Record<string, Uint8Array>,
  modules: Record<string, WebAssembly.Module> = {},
): SuiteResult {
  const flushes = flushesSubnormals();
  const builds = watchBuilds(modules);
  const failures: string[] = [];
  const all = MODULES.flatMap((module) => goldenCases(module as GoldenModule));
  const flushed = flushes ? all.filter(hasSubnormals) : [];
  const golden = all.filter((testCase) => !flushed.includes(testCase));
  for (const testCase of golden) {
    try {
      const results = compute(library, testCase);
      for (const [key, expected] of Object.entries<Golden>(testCase.expected)) {
        expectClose(`${testCase.name} ${key}`, results[key]!, expected);
      }
    } catch (error) {
      failures.push(String(error));
    }
  }
  const passed = golden.length - failures.length;
  for (const model of MODEL_CASES) {
    try {
      const [probabilities] = runModel(models, files[model.file]!, model);
      expectProbabilities(model.name, probabilities!.data);
    } catch (error) {
      failures.push(String(error));
    }
  }
  for (const model of KERAS_CASES) {
    try {
      expectKeras(model, runKeras(models, model));
    } catch (error) {
      failures.push(String(error));
    }
  }
  const timings = timeCases(library);
  const byDefault = builds.at(-1) ?? "none";
  library.init({ deterministic: true });
  const checksums: Record<string, string> = {};
  for (const testCase of golden)
    checksums[testCase.name] = checksum(Object.values(compute(library, testCase)));
  const seeded = deterministicCases.map(({ name, run }) => ({ name: `seeded: ${name}`, run }));
  const kept = seeded.filter(({ name }) => !(flushes && WITH_SUBNORMALS.test(name)));
  for (const { name, run } of kept) checksums[name] = checksum(run(library));
  for (const model of MODEL_CASES) {
    checksums[`model: ${model.name}`] = checksum(runModel(models, files[model.file]!, model));
  }
  for (const model of KERAS_CASES) checksums[`model: ${model.name}`] = checksum(runKeras(models, model));
  const deterministic = builds.at(-1) ?? "none";
  library.init();
  return {
    builds: { default: byDefault, deterministic },
    passed,
    models: MODEL_CASES.length + KERAS_CASES.length,
    failures,
    leftOut: [...flushed, ...seeded.filter((one) => !kept.includes(one))].map(({ name }) => name),
    checksums,
    timings,
  };
}

/** Of the seeded cases, those in which subnormal numbers occur: a gate that is shut is one. */
const WITH_SUBNORMALS = /subnormal|saturated/;

/** onnxruntime's, which make-models.js has written. */
function expectProbabilities(name: string, data: ArrayLike<number>): void {
  const expected: number[] = JSON.parse(modelNumbers as unknown as string)[name];
  const apart = expected.map((probability, step) => Math.abs(probability - data[step]!));
  const worst = Math.max(...apart);
  if (!(worst <= 1e-5)) throw new Error(`${name}: ${worst} from onnxruntime in step ${apart.indexOf(worst)}`);
}

/** The error of an engine or a page that does not run WebAssembly, or not with SIMD. */
export function refusal({ LSTM }: Library): { refusal: string } {
  try {
    new LSTM({ inputSize: 2, hiddenSize: 3 });
  } catch (error) {
    return { refusal: String(error) };
  }
  throw new Error("expected an error at the first use");
}

/** Whether the case's parameters, input or state hold a number below float32's smallest normal one. */
function hasSubnormals(golden: ReturnType<typeof goldenCases>[number]): boolean {
  const state = "state" in golden ? golden.state : undefined;
  const tensors = [
    ...golden.stateDict.values(),
    golden.input,
    ...(state === undefined ? [] : [state].flat()),
  ];
  return tensors.some(({ data }) => data.some((value) => value !== 0 && Math.abs(value) < 2 ** -126));
}

// (module (func (export "f") (param f32) (result f32) local.get 0 f32.const 2 f32.mul))
const DOUBLE_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 125, 1, 125, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 12, 1, 10,
  0, 32, 0, 67, 0, 0, 0, 64, 148, 11,
]);

/**
 * Whether WebAssembly takes subnormal numbers for zero here, against its specification: Firefox does on audio
 * threads. In any other scope all cases have to pass.
 */
function flushesSubnormals(): boolean {
  if (!("AudioWorkletProcessor" in globalThis)) return false;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(DOUBLE_MODULE));
  return (exports.f as (value: number) => number)(1e-40) === 0;
}

/**
 * The builds that are instantiated from now on, as seen at WebAssembly's own constructors. Those of whole models are left
 * out, since they go with the others, and so is what unpacks binaries.
 */
function watchBuilds(modules: Record<string, WebAssembly.Module>): string[] {
  const builds: string[] = [];
  const names = new Map(Object.entries(modules).map(([name, module]) => [module, name]));
  const { Module, Instance } = WebAssembly;
  WebAssembly.Module = new Proxy(Module, {
    construct(target, [bytes]) {
      const module = new target(bytes);
      const sum = hashBytes(new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength));
      names.set(module, Object.keys(BINARIES).find((name) => BINARIES[name] === sum) ?? "unknown");
      return module;
    },
  });
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, [module, imports]) {
      const name = names.get(module) ?? "unknown";
      const instance = new target(module, imports);
      const isCore = !name.startsWith("models") && !("unpack" in instance.exports);
      if (isCore) builds.push(name);
      return instance;
    },
  });
  return builds;
}

/** The named results of a golden case. */
function compute(library: Library, golden: ReturnType<typeof goldenCases>[number]): Record<string, Numbers> {
  // The loader types each module's case on its own; here one path serves all, so the types are given up.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const { module: kind, options, stateDict, input, state, lengths } = golden as any;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const module = new (library as any)[kind](options).loadStateDict(stateDict);
  try {
    if (kind === "Linear" || kind === "Embedding") return { output: module.forward(input) };
    if (kind === "LSTMCell") {
      const [hN, cN] = module.forward(input, state);
      return { hN, cN };
    }
    if (kind.endsWith("Cell")) return { hN: module.forward(input, state) };
    const [output, last] = module.forward(input, state, lengths === undefined ? {} : { lengths });
    return kind === "LSTM" ? { output, hN: last[0], cN: last[1] } : { output, hN: last };
  } finally {
    module.dispose();
  }
}

/** Over the float32 bits. WebAssembly leaves a NaN's sign and payload to the engine, so all NaNs count as one. */
function checksum(results: Numbers[]): string {
  const size = results.reduce((sum, { data }) => sum + data.length, 0);
  const bits = new DataView(new ArrayBuffer(4 * size));
  let at = 0;
  for (const { data } of results) {
    for (const value of data) {
      if (Number.isNaN(value)) bits.setUint32(at, 0x7fc00000, true);
      else bits.setFloat32(at, value, true);
      at += 4;
    }
  }
  return hashBytes(new Uint8Array(bits.buffer));
}

/** FNV-1a, 32 bits. */
export function hashBytes(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** AudioWorklets have no `performance`; Date.now's millisecond is fine enough for the runs below. */
const now = (): number => (globalThis.performance ?? Date).now();
const RUN_MILLISECONDS = 60;

function timeCases({ LSTM, GRU, Tensor }: Library): Record<string, number> {
  const streamed = new LSTM({ inputSize: 64, hiddenSize: 128 });
  const stream = streamed.stream();
  const sample = Tensor.randn([64], 1).data;
  const batched = new LSTM({ inputSize: 64, hiddenSize: 256 });
  const sequence = Tensor.randn([50, 16, 64], 2);
  const stacked = new GRU({ inputSize: 32, hiddenSize: 64, numLayers: 2, bidirectional: true });
  const single = Tensor.randn([100, 1, 32], 3);
  const cases: Record<string, () => void> = {
    "LSTM stream step, 64 to 128": () => stream.step(sample),
    "LSTM 64 to 256, 50 steps, batch 16": () => batched.forward(sequence),
    "GRU 32 to 64, 2 layers, 2 directions, 100 steps": () => stacked.forward(single),
  };
  const timings = Object.fromEntries(Object.entries(cases).map(([name, run]) => [name, perCall(run)]));
  for (const module of [stream, streamed, batched, stacked]) module.dispose();
  return timings;
}

/** Microseconds per call: the better of two runs, after one that warms the engine up. */
function perCall(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    let calls = 0;
    const start = now();
    let elapsed = 0;
    // A clock that stands still, as in Cloudflare's production workers, must not hang the suite.
    for (let chunk = 1; elapsed < RUN_MILLISECONDS && calls < 5e5; chunk = Math.min(chunk * 2, 64)) {
      for (let at = 0; at < chunk; at++) run();
      calls += chunk;
      elapsed = now() - start;
    }
    if (round > 0) best = Math.min(best, (elapsed * 1000) / calls);
  }
  return best;
}
