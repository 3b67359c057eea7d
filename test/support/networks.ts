/** Networks with seeded weights and states, and one way to call LSTM, GRU and RNN. */
import { type ForwardOptions, GRU, LSTM, RNN, Tensor } from "../../src/index.js";
import { expectSameBits, unmodified } from "./tensors.js";

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

/** Initial states for a batch of N: h, and the LSTM's c. */
export function seededStates(spec: NetworkSpec, batch: number, seed: number): Tensor[] {
  const rows = spec.numLayers * (spec.bidirectional ? 2 : 1);
  const sizes =
    spec.kind === "LSTM" ? [spec.projSize || spec.hiddenSize, spec.hiddenSize] : [spec.hiddenSize];
  return sizes.map((size, which) => Tensor.randn([rows, batch, size], seed + which));
}

/** @throws Error at the first difference of output or states. */
export function expectSameResult(actual: Result, expected: Result, what = ""): void {
  expectSameBits(actual.output, expected.output, `${what} output`);
  if (actual.states.length !== expected.states.length) throw new Error(`${what}: number of states differs`);
  for (const [at, state] of expected.states.entries()) {
    expectSameBits(actual.states[at]!, state, `${what} ${["hN", "cN"][at]}`);
  }
}
