/**
 * What property tests draw and compute. fast-check draws sizes around the kernels' tiles (4 units, lines of 16) and
 * sequences of several chunks of time (a chunk has at most 128 rows). It prints the seed of a failure.
 */
import fc from "fast-check";
import { it } from "vitest";
import { Tensor } from "../../src/index.js";
import {
  makeModule,
  type NetworkSpec,
  type Recurrent,
  type Result,
  run,
  seededDict,
  seededStates,
} from "./networks.js";
import { concat, range, take } from "./tensors.js";

export const RUNS = { numRuns: 40 };

export const size = fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33);
export const seed = fc.nat({ max: 2 ** 31 });

/** Networks; `over` fixes some of the options. */
const network = (over: Partial<NetworkSpec> = {}): fc.Arbitrary<NetworkSpec> =>
  fc
    .record({
      kind: fc.constantFrom("LSTM" as const, "LSTM" as const, "GRU" as const, "RNN" as const),
      inputSize: size,
      hiddenSize: size,
      numLayers: fc.integer({ min: 1, max: 3 }),
      bidirectional: fc.boolean(),
      bias: fc.boolean(),
      projection: fc.option(fc.nat({ max: 31 }), { nil: undefined }),
      nonlinearity: fc.constantFrom("tanh" as const, "relu" as const),
      seed,
    })
    .map(({ projection, ...drawn }) => {
      const spec = { ...drawn, ...over };
      const projected = spec.kind === "LSTM" && projection !== undefined && spec.hiddenSize > 1;
      return { ...spec, projSize: projected ? 1 + (projection % (spec.hiddenSize - 1)) : 0, ...over };
    });

export interface SequenceSpec {
  readonly steps: number;
  readonly batch: number;
  readonly withStates: boolean;
  readonly inputSeed: number;
  /** One fraction per row, of which a length is made. */
  readonly fractions: readonly number[];
}

/** Sequences; half of them have more rows than a chunk of time. */
const sequence: fc.Arbitrary<SequenceSpec> = fc.record({
  steps: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 60, max: 150 })),
  batch: fc.integer({ min: 1, max: 9 }),
  withStates: fc.boolean(),
  inputSeed: seed,
  fractions: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 9, maxLength: 9 }),
});

export function inputOf(spec: NetworkSpec, { steps, batch, inputSeed }: SequenceSpec): Tensor {
  return Tensor.randn([steps, batch, spec.inputSize], inputSeed);
}

export function statesOf(
  spec: NetworkSpec,
  { batch, withStates, inputSeed }: SequenceSpec,
): Tensor[] | undefined {
  return withStates ? seededStates(spec, batch, inputSeed + 1) : undefined;
}

export function lengthsOf({ steps, batch, fractions }: SequenceSpec): number[] {
  return fractions.slice(0, batch).map((fraction) => 1 + Math.floor(fraction * (steps - 1)));
}

/** The states of some rows of the batch. */
export function rowsOf(states: readonly Tensor[] | undefined, rows: readonly number[]): Tensor[] | undefined {
  return states?.map((state) => take(state, 1, rows));
}

/** Fills what lies past each row's length of (L, N, size). */
export function fillPadding(tensor: Tensor, lengths: readonly number[], value: number): Tensor {
  const [steps, batch, width] = tensor.shape as [number, number, number];
  const data = tensor.data.slice();
  for (let step = 0; step < steps; step++) {
    for (let row = 0; row < batch; row++) {
      if (step >= lengths[row]!)
        data.fill(value, (step * batch + row) * width, (step * batch + row + 1) * width);
    }
  }
  return new Tensor(data, tensor.shape);
}

/** (L, N, size) with the elements of each row in reverse, as far as its length; what lies past it is zero. */
function reverseRows(tensor: Tensor, lengths: readonly number[]): Tensor {
  const [steps, batch, width] = tensor.shape as [number, number, number];
  const reversed = Tensor.zeros([steps, batch, width]);
  for (let row = 0; row < batch; row++) {
    for (let step = 0; step < lengths[row]!; step++) {
      const from = ((lengths[row]! - 1 - step) * batch + row) * width;
      reversed.data.set(tensor.data.subarray(from, from + width), (step * batch + row) * width);
    }
  }
  return reversed;
}

/** One layer and direction as a network of its own. */
function singleLayer(spec: NetworkSpec, layer: number, direction: number): Recurrent {
  const directions = spec.bidirectional ? 2 : 1;
  const inputSize = layer === 0 ? spec.inputSize : directions * (spec.projSize || spec.hiddenSize);
  const suffix = `_l${layer}${direction === 1 ? "_reverse" : ""}`;
  const entries = [...seededDict(spec)].filter(([name]) => /_l\d+(_reverse)?$/.exec(name)![0] === suffix);
  const dict = new Map(entries.map(([name, tensor]) => [name.replace(suffix, "_l0"), tensor]));
  return makeModule({ ...spec, inputSize, numLayers: 1, bidirectional: false }).loadStateDict(dict);
}

/** The network computed one layer and one direction at a time, the second on the reversed sequence. */
export function layerByLayer(
  spec: NetworkSpec,
  input: Tensor,
  states: readonly Tensor[] | undefined,
  lengths: readonly number[] | undefined,
): Result {
  const [steps, batch] = input.shape as [number, number];
  const ends = lengths ?? new Array(batch).fill(steps);
  const options = lengths === undefined ? {} : { lengths };
  const finals: (readonly Tensor[])[] = [];
  let current = input;
  for (let layer = 0; layer < spec.numLayers; layer++) {
    const outputs = range(0, spec.bidirectional ? 2 : 1).map((direction) => {
      using module = singleLayer(spec, layer, direction);
      const initial = states?.map((state) => take(state, 0, [finals.length]));
      const read = direction === 0 ? current : reverseRows(current, ends);
      const result = run(module, read, initial, options);
      finals.push(result.states);
      return direction === 0 ? result.output : reverseRows(result.output, ends);
    });
    current = concat(outputs, 2);
  }
  return {
    output: current,
    states: finals[0]!.map((_, which) =>
      concat(
        finals.map((final) => final[which]!),
        0,
      ),
    ),
  };
}

type Spec = readonly [NetworkSpec, SequenceSpec];

/** A property of every network and sequence. */
export function holds(
  name: string,
  check: (...spec: Spec) => void,
  over: Partial<NetworkSpec> = {},
  runs = RUNS,
): void {
  it(name, () => fc.assert(fc.property(network(over), sequence, check), runs));
}
