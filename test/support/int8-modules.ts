/** int8 modules with the same weights in each run, the forms of their activations, and comparisons. */
import { afterEach, expect } from "vitest";
import { GRU, type Linear, LSTM, RNN, Tensor, type TensorData } from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";

const runtime = currentRuntime();

/** Takes planes (1) or numbers (0) from now on (assembly/matmul/dot.ts): modules made before are of no use then. */
export const selectGroups = (form: number) => runtime.configure(form);
afterEach(() => selectGroups(runtime.kernels.dotIsOneInstruction()));

/** How activations reach the dot products: the baseline build has one form, the relaxed one two. */
export const FORMS = runtime.build === "simd" ? [0] : [0, 1];

type AnyModule = LSTM | GRU | RNN;

export const float32Of = (shape: number[], seed: number, scale = 1) => {
  const tensor = Tensor.randn(shape, seed);
  return new Tensor(
    tensor.data.map((x) => x * scale),
    shape,
  );
};

/** The same numbers in each run: integers over all of int8, scales for weights in +-bound, biases in +-bound. */
export function drawn<M extends AnyModule | Linear>(module: M, bound = 0.3): M {
  const dict = module.stateDict<Float32Array | Int8Array>();
  let seed = 100;
  for (const [name, { data, shape }] of dict) {
    const { data: random } = Tensor.randn([...shape], seed++);
    for (let at = 0; at < data.length; at++) {
      const x = random[at]! % 1;
      if (data instanceof Int8Array) data[at] = Math.round(127 * x);
      else data[at] = name.endsWith("_scale") ? (bound * (1 + x / 2)) / 127 : bound * x;
    }
  }
  module.loadStateDict(dict);
  return module;
}

export const TOLERANCE = 2e-6;

export function expectNear(name: string, got: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(got.length, name).toBe(expected.length);
  for (let at = 0; at < expected.length; at++) {
    const error = Math.abs(got[at]! - expected[at]!);
    if (!(error <= TOLERANCE * Math.max(1, Math.abs(expected[at]!)))) {
      throw new Error(`${name}[${at}]: expected ${expected[at]}, got ${got[at]}, off by ${error}`);
    }
  }
}

const bitsOf = ({ data }: { data: Float32Array }) =>
  new Int32Array(data.buffer, data.byteOffset, data.length);

export function expectSameBits(name: string, got: Tensor, expected: Tensor): void {
  expect(got.shape, name).toEqual(expected.shape);
  expect(bitsOf(got), name).toEqual(bitsOf(expected));
}

/** The rows of one batch row of a (steps, batch, size) tensor. */
export function rowsOf({ data, shape }: Tensor, row: number): Float32Array[] {
  const [steps, batch, size] = shape as [number, number, number];
  return Array.from({ length: steps }, (_, step) =>
    data.slice((step * batch + row) * size, (step * batch + row + 1) * size),
  );
}

interface ModuleClass {
  new (options: { inputSize: number; hiddenSize: number; precision: "int8" }): AnyModule;
  fromStateDict(dict: ReadonlyMap<string, Tensor<TensorData>>): AnyModule;
}

export const MODULES: [name: string, Module: ModuleClass, options: object][] = [
  ["LSTM", LSTM, {}],
  ["LSTM with a projection", LSTM, { projSize: 18 }],
  ["GRU", GRU, {}],
  ["RNN", RNN, {}],
];

export const runAny = (module: AnyModule, input: Tensor, lengths?: number[]): [Tensor, unknown] =>
  module instanceof LSTM
    ? module.forward(input, undefined, lengths && { lengths })
    : module.forward(input, undefined, lengths && { lengths });
