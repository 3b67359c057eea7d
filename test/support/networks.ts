/**
 * What property tests need: networks with seeded weights, one way to call LSTM, GRU and RNN, cutting and joining of
 * tensors, and a comparison of bits.
 */
import { type ForwardOptions, GRU, LSTM, RNN, Tensor } from "../../src/index.js";

export type Recurrent = LSTM | GRU | RNN;
export type Kind = "LSTM" | "GRU" | "RNN";

/** A network's constructor options in one record for all kinds. */
export interface NetworkSpec {
  readonly kind: Kind;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bidirectional: boolean;
  readonly bias: boolean;
  /** Only for LSTM; 0 for none. */
  readonly projSize: number;
  /** Only for RNN. */
  readonly nonlinearity: "tanh" | "relu";
  readonly seed: number;
}

/** The options that the spec's module takes. */
function optionsOf(spec: NetworkSpec) {
  const { inputSize, hiddenSize, numLayers, bidirectional, bias } = spec;
  return { inputSize, hiddenSize, numLayers, bidirectional, bias };
}

/** The spec's module with its initial weights, which are random. */
export function makeModule(spec: NetworkSpec, batchFirst = false): Recurrent {
  const options = { ...optionsOf(spec), batchFirst };
  if (spec.kind === "LSTM") return new LSTM({ ...options, projSize: spec.projSize });
  if (spec.kind === "GRU") return new GRU(options);
  return new RNN({ ...options, nonlinearity: spec.nonlinearity });
}

/** Weights of the spec's seed, of the size that keeps states away from saturation and from vanishing. */
export function seededDict(spec: NetworkSpec): Map<string, Tensor> {
  using module = makeModule(spec);
  let seed = spec.seed;
  return new Map(
    [...module.stateDict()].map(([name, { shape }]) => {
      const tensor = Tensor.randn(shape, seed++);
      return [
        name,
        new Tensor(
          tensor.data.map((x) => x / Math.sqrt(spec.hiddenSize)),
          shape,
        ),
      ];
    }),
  );
}

/** The spec's module with its seeded weights. */
export function makeNetwork(spec: NetworkSpec, batchFirst = false): Recurrent {
  return makeModule(spec, batchFirst).loadStateDict(seededDict(spec));
}

export interface Result {
  readonly output: Tensor;
  /** hN, and the LSTM's cN. */
  readonly states: readonly Tensor[];
}

/** `forward` with states as an array for every kind; checks that no argument was modified. */
export function run(
  module: Recurrent,
  input: Tensor,
  states?: readonly Tensor[],
  options?: ForwardOptions,
): Result {
  return unmodified([input, ...(states ?? [])], () => {
    if (module instanceof LSTM) {
      const [output, final] = module.forward(input, states as readonly [Tensor, Tensor] | undefined, options);
      return { output, states: final };
    }
    const [output, final] = module.forward(input, states?.[0], options);
    return { output, states: [final] };
  });
}

/** Calls `call` and throws if it changed one of the tensors. */
export function unmodified<T>(tensors: readonly Tensor[], call: () => T): T {
  const copies = tensors.map(({ data, shape }) => new Tensor(data.slice(), shape));
  const result = call();
  for (const [at, tensor] of tensors.entries()) expectSameBits(tensor, copies[at]!, `argument ${at} after`);
  return result;
}

/** Initial states for a batch of N: h, and the LSTM's c. */
export function seededStates(spec: NetworkSpec, batch: number, seed: number): Tensor[] {
  const rows = spec.numLayers * (spec.bidirectional ? 2 : 1);
  const sizes =
    spec.kind === "LSTM" ? [spec.projSize || spec.hiddenSize, spec.hiddenSize] : [spec.hiddenSize];
  return sizes.map((size, which) => Tensor.randn([rows, batch, size], seed + which));
}

/** @throws Error at the first difference of shape or bits. */
export function expectSameBits(actual: Tensor, expected: Tensor, what = "tensor"): void {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new Error(`${what}: shape [${actual.shape}], expected [${expected.shape}]`);
  }
  const a = new Uint32Array(actual.data.buffer, actual.data.byteOffset, actual.data.length);
  const b = new Uint32Array(expected.data.buffer, expected.data.byteOffset, expected.data.length);
  for (let at = 0; at < b.length; at++) {
    if (a[at] !== b[at]) {
      throw new Error(
        `${what}[${at}] of shape [${expected.shape}]: ${actual.data[at]}, expected ${expected.data[at]}`,
      );
    }
  }
}

/** @throws Error at the first difference of output or states. */
export function expectSameResult(actual: Result, expected: Result, what = ""): void {
  expectSameBits(actual.output, expected.output, `${what} output`);
  if (actual.states.length !== expected.states.length) throw new Error(`${what}: number of states differs`);
  for (const [at, state] of expected.states.entries()) {
    expectSameBits(actual.states[at]!, state, `${what} ${["hN", "cN"][at]}`);
  }
}

/** The slices of `tensor` at `positions` of `axis`, in that order. */
export function take({ data, shape }: Tensor, axis: number, positions: readonly number[]): Tensor {
  const width = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const outer = shape.slice(0, axis).reduce((product, size) => product * size, 1);
  const result = Tensor.zeros([...shape.slice(0, axis), positions.length, ...shape.slice(axis + 1)]);
  for (let block = 0; block < outer; block++) {
    for (const [at, position] of positions.entries()) {
      const from = (block * shape[axis]! + position) * width;
      result.data.set(data.subarray(from, from + width), (block * positions.length + at) * width);
    }
  }
  return result;
}

/** Positions from `begin` to before `end`. */
export function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, at) => begin + at);
}

/** Tensors joined along `axis`. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const { shape } = tensors[0]!;
  const outer = shape.slice(0, axis).reduce((product, size) => product * size, 1);
  const total = tensors.reduce((sum, tensor) => sum + tensor.shape[axis]!, 0);
  const result = Tensor.zeros([...shape.slice(0, axis), total, ...shape.slice(axis + 1)]);
  let next = 0;
  for (let block = 0; block < outer; block++) {
    for (const { data } of tensors) {
      const length = data.length / outer;
      result.data.set(data.subarray(block * length, (block + 1) * length), next);
      next += length;
    }
  }
  return result;
}

/** (A, B, size) to (B, A, size). */
export function transpose({ data, shape }: Tensor): Tensor {
  const [first, second, size] = shape as [number, number, number];
  const result = Tensor.zeros([second, first, size]);
  for (let a = 0; a < first; a++) {
    for (let b = 0; b < second; b++) {
      const from = (a * second + b) * size;
      result.data.set(data.subarray(from, from + size), (b * first + a) * size);
    }
  }
  return result;
}

/** The same numbers in another shape. */
export function reshape(tensor: Tensor, shape: readonly number[]): Tensor {
  return new Tensor(tensor.data, shape);
}
