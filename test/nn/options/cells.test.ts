/** Every option of a cell, and masks, in any combination, beside the float64 network of test/support. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Activation, type ForwardOptions, GRU, LSTM, RNN, Tensor } from "../../../src/index.js";
import {
  type ReferenceMask,
  type ReferenceOptions,
  referenceForward,
} from "../../support/reference-network.js";

/** Those of states: no network of random weights leaves float32 with them. */
const ACTIVATIONS: readonly Activation[] = [
  "tanh",
  "sigmoid",
  "softsign",
  "relu6",
  "hardTanh",
  "tanhShrink",
  { name: "hardSigmoid", alpha: 0.2, beta: 0.5 },
  { name: "hardSigmoid", alpha: 1 / 6, beta: 0.5 },
  { name: "scaledTanh", alpha: 1.5, beta: 0.7 },
  { name: "leakyRelu", alpha: 0.2 },
  { name: "affine", alpha: 0.5, beta: 0.1 },
  "gelu",
  "softplus",
  "elu",
];
/** Of gates: others than from 0 to 1 make networks that magnify rounding without bound. */
const GATES: readonly Activation[] = [
  "sigmoid",
  { name: "hardSigmoid", alpha: 0.2, beta: 0.5 },
  { name: "hardSigmoid", alpha: 1 / 6, beta: 0.5 },
  { name: "hardTanh", alpha: 0, beta: 0.9 },
];
const activation = fc.option(fc.constantFrom(...ACTIVATIONS), { nil: undefined });
const gateActivation = fc.option(fc.constantFrom(...GATES), { nil: undefined });
const bound = fc.option(fc.constantFrom(0.3, 1.5), { nil: undefined });
const flag = fc.boolean();
const direction = fc.constantFrom("forward", "bidirectional", "reverse", "goBackwards");

/** Steps of several chunks: a chunk has at most 128 rows. */
const call = fc.record({
  steps: fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 60, max: 80 })),
  batch: fc.integer({ min: 1, max: 4 }),
  batchFirst: flag,
  withState: flag,
  masked: fc.constantFrom("no", "repeat", "zeros"),
  seed: fc.nat({ max: 2 ** 31 }),
});

const network = fc.record({
  kind: fc.constantFrom("LSTM", "GRU", "RNN"),
  inputSize: fc.constantFrom(1, 5),
  hiddenSize: fc.constantFrom(1, 3, 4, 7),
  numLayers: fc.integer({ min: 1, max: 2 }),
  direction,
  bias: flag,
  activation,
  recurrentActivation: gateActivation,
  cellActivation: activation,
  clip: bound,
  cellClip: bound,
  inputForget: flag,
  peepholes: flag,
  resetAfter: flag,
  projected: flag,
});

type Network = typeof network extends fc.Arbitrary<infer Value> ? Value : never;

/** The module, and its options in the reference's words. */
function make(drawn: Network, batchFirst: boolean): [LSTM | GRU | RNN, ReferenceOptions] {
  const { kind, hiddenSize, numLayers, activation, recurrentActivation, cellActivation } = drawn;
  const given = { bidirectional: false, reverse: false, goBackwards: false, clip: drawn.clip };
  if (drawn.direction !== "forward") given[drawn.direction as "reverse"] = true;
  const { inputSize, bias } = drawn;
  const sizes = { inputSize, hiddenSize, numLayers, bias, batchFirst };
  // The reference takes no option as undefined.
  const reference = (options: object) =>
    JSON.parse(JSON.stringify({ kind, hiddenSize, numLayers, ...given, ...options })) as ReferenceOptions;
  if (kind === "RNN") {
    return [new RNN({ ...sizes, ...given, nonlinearity: activation }), reference({ activation })];
  }
  if (kind === "GRU") {
    const options = { activation, recurrentActivation, resetAfter: drawn.resetAfter };
    return [new GRU({ ...sizes, ...given, ...options }), reference(options)];
  }
  const { inputForget, peepholes, cellClip } = drawn;
  const options = { activation, recurrentActivation, cellActivation, inputForget, peepholes, cellClip };
  const projSize = drawn.projected && hiddenSize > 1 ? hiddenSize - 1 : 0;
  return [new LSTM({ ...sizes, ...given, ...options, projSize }), reference(options)];
}

/** [outer][inner][size] of a tensor, with the outer axes changed where `turned`. */
function nested({ data, shape }: Tensor, turned = false): number[][][] {
  const [first, second, size] = shape as [number, number, number];
  const [outer, inner] = turned ? [second, first] : [first, second];
  return Array.from({ length: outer }, (_, a) =>
    Array.from({ length: inner }, (_, b) => {
      const row = turned ? b * second + a : a * second + b;
      return Array.from(data.subarray(row * size, (row + 1) * size));
    }),
  );
}

const apart = (a: readonly number[], b: readonly number[]) =>
  b.reduce((most, value, at) => Math.max(most, Math.abs(a[at]! - value)), 0);

/** Weights changed by a millionth, some up and some down: about what the kernels' activations are off. */
function disturbed(dict: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const change = (x: number, at: number) => x * (1 + (at % 3 === 0 ? 1e-6 : -1e-6));
  return new Map([...dict].map(([name, { data, shape }]) => [name, new Tensor(data.map(change), shape)]));
}

/**
 * Some networks magnify rounding over many steps. Where a result is further off than others, float64 with disturbed
 * weights has to be, too.
 * @param moved what float64 gives with them
 */
function expectNear(actual: number[][][], expected: number[][][], what: string, moved: () => number[][][]) {
  const [a, b] = [actual.flat(2), expected.flat(2)];
  expect(a.length, what).toBe(b.length);
  const near = 1e-5 * b.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  if (apart(a, b) <= near) return;
  const allowed = near + 4 * apart(moved().flat(2), b);
  for (const [at, value] of b.entries()) {
    if (!(Math.abs(a[at]! - value) <= allowed)) {
      throw new Error(`${what}[${at}]: ${a[at]}, expected ${value} within ${allowed}`);
    }
  }
}

it("gives what float64 gives, in any combination", () => {
  fc.assert(
    fc.property(network, call, (drawn, { steps, batch, batchFirst, withState, masked, seed }) => {
      const [module, options] = make(drawn, batchFirst);
      using _ = module;
      let next = seed;
      const dict = new Map(
        [...module.stateDict()].map(([name, { shape }]) => {
          const tensor = Tensor.randn(shape, next++);
          return [
            name,
            new Tensor(
              tensor.data.map((x) => x / Math.sqrt(drawn.hiddenSize)),
              shape,
            ),
          ] as const;
        }),
      );
      module.loadStateDict(dict);
      const shape = batchFirst ? [batch, steps] : [steps, batch];
      const input = Tensor.randn([...shape, drawn.inputSize], next++);
      const rows = module.stack.layers.length;
      const states = module.stack.stateSizes.map((size) =>
        withState ? Tensor.randn([rows, batch, size], next++) : Tensor.zeros([rows, batch, size]),
      );
      const draws = Tensor.randn([steps, batch], next++).data;
      const flags = Array.from({ length: steps }, (_, step) =>
        Array.from({ length: batch }, (_, row) => draws[step * batch + row]! > 0),
      );
      const mask: ReferenceMask | undefined =
        masked === "no" ? undefined : { steps: flags, output: masked as "repeat" };
      const given: ForwardOptions | undefined = mask && {
        mask: batchFirst ? Array.from({ length: batch }, (_, row) => flags.map((step) => step[row]!)) : flags,
        maskedOutput: mask.output,
      };
      const [output, final] =
        module instanceof LSTM
          ? module.forward(input, withState ? [states[0]!, states[1]!] : undefined, given)
          : module.forward(input, withState ? states[0] : undefined, given);
      const reference = (weights: ReadonlyMap<string, Tensor>) =>
        referenceForward(
          options,
          weights,
          nested(input, batchFirst),
          states.map((state) => nested(state)),
          mask,
        );
      const truth = reference(dict);
      const moved = () => reference(disturbed(dict));
      expectNear(nested(output, batchFirst), truth.output, "output", () => moved().output);
      for (const [at, state] of (Array.isArray(final) ? final : [final]).entries()) {
        expectNear(nested(state as Tensor), truth.states[at]!, `state ${at}`, () => moved().states[at]!);
      }
    }),
    { numRuns: 300 },
  );
});
