/** Modules on several threads give the bits of one, whatever they are made of. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GRU, Linear, LSTM, RNN, Tensor } from "../../src/index.js";
import { endThreads, initThreads } from "../../src/threads/index.js";
import { expectSameBits } from "../support/tensors.js";

interface Module {
  stateDict(): Map<string, Tensor>;
  loadStateDict(dict: Map<string, Tensor>): unknown;
}

const input = (shape: number[], seed = 1) => Tensor.randn(shape, seed);

/** What a case computes of a module: all tensors that it gives. */
type Use<M> = (module: M) => Tensor[];
interface Case<M = never> {
  readonly name: string;
  readonly make: () => M & Module;
  readonly use: Use<M>;
}
const defined = <M>(name: string, make: () => M & Module, use: Use<M>): Case =>
  ({ name, make, use }) as unknown as Case;

const H = 128;
const lstm =
  (more: object = {}) =>
  () =>
    new LSTM({ inputSize: 40, hiddenSize: H, ...more });
const gru =
  (more: object = {}) =>
  () =>
    new GRU({ inputSize: 40, hiddenSize: H, ...more });
const rnn =
  (more: object = {}) =>
  () =>
    new RNN({ inputSize: 40, hiddenSize: 4 * H, ...more });
/** Twice, since the second call finds counters and parities that the first has left. */
const run =
  (steps: number, batch: number, options = {}) =>
  (module: LSTM | GRU | RNN) => {
    const given = input(batch === 0 ? [steps, 40] : [steps, batch, 40]);
    return [1, 2].flatMap(() => {
      const [output, state] = (module as GRU).forward(given, undefined, options);
      return [output, ...[state].flat()];
    });
  };
const mask = (steps: number, batch: number) =>
  Array.from({ length: steps }, (_, step) =>
    Array.from({ length: batch }, (_, row) => (step * 7 + row * 3) % 5 > 1),
  );

const CASES: readonly Case[] = [
  defined("LSTM", lstm(), run(50, 0)),
  defined("LSTM, one step", lstm(), run(1, 0)),
  defined("LSTM, a batch", lstm(), run(21, 5)),
  defined("LSTM, a batch of several chunks", lstm(), run(120, 64)),
  defined("LSTM, rows of one length", lstm({ reverse: true }), run(9, 6, { lengths: Array(6).fill(9) })),
  defined("LSTM, a batch with a projection", lstm({ projSize: 36, numLayers: 2 }), run(12, 9)),
  defined("LSTM, a batch of a large layer", lstm({ hiddenSize: 512 }), run(5, 17)),
  defined("LSTM of odd sizes", () => new LSTM({ inputSize: 40, hiddenSize: 203 }), run(9, 3)),
  defined("LSTM without bias, three layers", lstm({ bias: false, numLayers: 3 }), run(33, 0)),
  defined("LSTM, two directions", lstm({ bidirectional: true, numLayers: 2 }), run(37, 2)),
  defined(
    "LSTM, two directions of a large layer",
    lstm({ hiddenSize: 300, bidirectional: true }),
    run(20, 4),
  ),
  defined("LSTM from the end", lstm({ reverse: true }), run(40, 0)),
  defined("LSTM with a projection", lstm({ hiddenSize: 256, projSize: 72 }), run(25, 3)),
  defined(
    "LSTM with a projection, two directions",
    lstm({ hiddenSize: 256, projSize: 72, bidirectional: true }),
    run(25, 3),
  ),
  defined("LSTM, lengths", lstm(), run(30, 4, { lengths: [30, 7, 1, 22] })),
  defined(
    "LSTM, lengths from the end",
    lstm({ bidirectional: true }),
    run(30, 4, { lengths: [30, 7, 1, 22] }),
  ),
  defined("LSTM, a mask", lstm(), run(30, 4, { mask: mask(30, 4) })),
  defined(
    "LSTM with a projection, a mask",
    lstm({ projSize: 36, hiddenSize: 256 }),
    run(30, 4, { mask: mask(30, 4), maskedOutput: "zeros" }),
  ),
  defined("LSTM, a mask over many rows", lstm(), run(30, 11, { mask: mask(30, 11), maskedOutput: "zeros" })),
  defined(
    "LSTM with peepholes",
    lstm({ peepholes: true, activation: "softsign", cellClip: 0.5 }),
    run(20, 2),
  ),
  defined("LSTM of int8", lstm({ hiddenSize: 512, precision: "int8" }), run(23, 0)),
  defined("LSTM of int8, a batch", lstm({ hiddenSize: 300, precision: "int8" }), run(11, 6)),
  defined("LSTM of int8, a batch of few units", lstm({ precision: "int8", projSize: 72 }), run(23, 13)),
  defined(
    "LSTM of int8, two directions",
    lstm({ hiddenSize: 300, precision: "int8", bidirectional: true }),
    run(11, 6),
  ),
  defined(
    "LSTM of int8 with a projection",
    lstm({ hiddenSize: 512, projSize: 100, precision: "int8" }),
    run(11, 2),
  ),
  defined("GRU", gru({ hiddenSize: 256 }), run(41, 0)),
  defined("GRU of 128 units", gru(), run(25, 3)),
  defined("GRU, a batch in two directions", gru({ hiddenSize: 256, bidirectional: true }), run(15, 7)),
  defined(
    "GRU whose reset comes before the product",
    gru({ hiddenSize: 256, resetAfter: false }),
    run(30, 3),
  ),
  defined("GRU whose reset comes before the product, a batch", gru({ resetAfter: false }), run(30, 8)),
  defined(
    "GRU whose reset comes before the product, a batch of a large layer",
    gru({ hiddenSize: 600, resetAfter: false }),
    run(3, 17),
  ),
  defined("GRU of int8", gru({ hiddenSize: 512, precision: "int8" }), run(12, 2)),
  defined("RNN", rnn(), run(31, 0)),
  defined("RNN, relu, a batch", rnn({ nonlinearity: "relu", bidirectional: true }), run(9, 3)),
  defined("a stream", lstm({ hiddenSize: 256, numLayers: 2 }), (module: LSTM) => {
    const stream = module.stream();
    const steps = Array.from({ length: 30 }, (_, at) => stream.step(input([40], at)));
    return steps.slice(-1).concat([stream.state].flat(2) as Tensor[]);
  }),
  defined("a trace", lstm({ bidirectional: true }), (module: LSTM) => {
    const { output, layers } = module.trace(input([12, 6, 40]));
    return [
      output,
      ...layers.flatMap((layer) => Object.values(layer).filter((part) => part instanceof Tensor)),
    ];
  }),
  defined(
    "Linear",
    () => new Linear({ inFeatures: 1024, outFeatures: 1024 }),
    (module: Linear) => [module.forward(input([40, 1024]))],
  ),
];

/** What each case gives on one thread, without any of this. */
const expected = new Map<string, { dict: Map<string, Tensor>; tensors: Tensor[] }>();

beforeAll(() => {
  for (const { name, make, use } of CASES) {
    const module = make() as Module;
    expected.set(name, { dict: module.stateDict(), tensors: (use as Use<unknown>)(module) });
  }
});

describe.each([1, 2, 3, 4, 7])("on %i threads", (threads) => {
  beforeAll(async () => {
    expect(await initThreads({ threads })).toEqual({ threads, reason: undefined });
  });

  afterAll(endThreads);

  it.each(CASES)("$name", ({ name, make, use }) => {
    const module = make() as Module;
    const { dict, tensors } = expected.get(name)!;
    module.loadStateDict(dict);
    for (let turn = 0; turn < 2; turn++) {
      const got = (use as Use<unknown>)(module);
      expect(got).toHaveLength(tensors.length);
      for (const [at, tensor] of got.entries()) expectSameBits(tensor, tensors[at]!);
    }
  });
});
