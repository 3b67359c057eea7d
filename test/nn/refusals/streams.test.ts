/** What a stream refuses: its options, the input of a step, a state. */
import { describe, expect, it } from "vitest";
import { Tensor } from "../../../src/index.js";
import { checksum } from "../../support/deterministic-cases.js";
import {
  any,
  bidirectional,
  gru,
  inputRefusals,
  lstm,
  pair,
  refuses,
  rnn,
  stream,
  zeros,
} from "../../support/refusals.js";

refuses("stream", [
  [
    "a bidirectional module",
    () => bidirectional.stream(),
    RangeError,
    "stream: a bidirectional module needs the future of its input",
  ],
  [
    "batchSize 0",
    () => lstm.stream({ batchSize: 0 }),
    RangeError,
    "batchSize: expected an integer of at least 1, got 0",
  ],
  [
    "batchSize 1.5",
    () => gru.stream({ batchSize: 1.5 }),
    RangeError,
    "batchSize: expected an integer of at least 1, got 1.5",
  ],
  [
    "batchSize 2^40",
    () => lstm.stream({ batchSize: 2 ** 40 }),
    RangeError,
    "batchSize: expected an integer from 1 to 268435456, got 1099511627776",
  ],
  [
    "batchSize null",
    () => rnn.stream(any({ batchSize: null })),
    TypeError,
    "batchSize: expected a number, got null",
  ],
  ["a bare batch size", () => rnn.stream(any(2)), TypeError, "options: expected an object of options, got 2"],
  [
    "an unknown option",
    () => lstm.stream(any({ batch: 2 })),
    TypeError,
    "options.batch: unknown option; known are batchSize",
  ],
]);

refuses("stream.step", [
  ...inputRefusals((given) => stream.step(any(given))),
  [
    "a bare array of another length",
    () => stream.step(new Float32Array(7)),
    RangeError,
    "input.length: expected batchSize * inputSize = 6, got 7",
  ],
  [
    "a bare array of one row for two",
    () => pair.step(new Float32Array(6)),
    RangeError,
    "input.length: expected batchSize * inputSize = 12, got 6",
  ],
  [
    "a bare Float64Array",
    () => stream.step(any(new Float64Array(6))),
    TypeError,
    "input: expected a Tensor, such as Tensor.from(nested), or { data, shape }, got a Float64Array",
  ],
  [
    "a whole sequence",
    () => stream.step(zeros(1, 1, 6)),
    RangeError,
    "input.shape: expected [1, 6] or [6], got [1, 1, 6]",
  ],
  ["a scalar", () => stream.step(Tensor.from(1)), RangeError, "input.shape: expected [1, 6] or [6], got []"],
  ["another size", () => stream.step(zeros(7)), RangeError, "input.shape[0]: expected inputSize 6, got 7"],
  [
    "another size with a batch",
    () => stream.step(zeros(1, 7)),
    RangeError,
    "input.shape[1]: expected inputSize 6, got 7",
  ],
  [
    "another batch",
    () => stream.step(zeros(2, 6)),
    RangeError,
    "input.shape[0]: expected batchSize 1, got 2",
  ],
  [
    "no batch for a batch of two",
    () => pair.step(zeros(12)),
    RangeError,
    "input.shape: expected [2, 6], got [12]",
  ],
]);

describe("stream.step whose output went to a worker", () => {
  it("says so, and the state is as it was", () => {
    const other = lstm.stream();
    const output = other.step(Tensor.randn([6], 1));
    const before = checksum(other.state);
    structuredClone(output.data, { transfer: [output.data.buffer] });
    expect(() => other.step(zeros(6))).toThrow(
      new Error("stream: the buffer of its output was transferred; transfer a copy of the output"),
    );
    expect(checksum(other.state)).toBe(before);
    const clone = other.clone();
    expect(clone.step(zeros(6)).shape).toEqual([4]);
    clone.dispose();
    other.dispose();
  });
});

const setState = (state: unknown) => () => {
  stream.state = any(state);
};
const setPair = (state: unknown) => () => {
  pair.state = any(state);
};
refuses("stream.state", [
  ["undefined", setState(undefined), TypeError, "state: expected a state shaped as forward's, got undefined"],
  ["null", setState(null), TypeError, "state: expected [h0, c0], got null"],
  ["one state", setState(zeros(2, 1, 4)), TypeError, "state: expected [h0, c0], got an Object"],
  [
    "one state in an array",
    setState([zeros(2, 1, 4)]),
    TypeError,
    "state: expected [h0, c0], both or none, got an array of length 1",
  ],
  [
    "a good h0 and a bad c0",
    setState([Tensor.randn([2, 1, 4]), zeros(2, 1, 5)]),
    RangeError,
    "c0.shape: expected [2, 1, 4] (layers * directions, batch, size), got [2, 1, 5]",
  ],
  [
    "states without a batch",
    setState([zeros(2, 4), zeros(2, 4)]),
    RangeError,
    "h0.shape: expected [2, 1, 4] (layers * directions, batch, size), got [2, 4]",
  ],
  [
    "undefined for a GRU",
    setPair(undefined),
    TypeError,
    "state: expected a state shaped as forward's, got undefined",
  ],
  ["null for a GRU", setPair(null), TypeError, "h0: expected a Tensor or { data, shape }, got null"],
  [
    "another batch for a GRU",
    setPair(zeros(1, 1, 4)),
    RangeError,
    "h0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [1, 1, 4]",
  ],
]);
