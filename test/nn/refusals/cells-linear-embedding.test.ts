/** What forward of the cells, Linear and Embedding refuses. */
import { Tensor } from "../../../src/index.js";
import {
  any,
  embedding,
  gruCell,
  inputRefusals,
  linear,
  lstmCell,
  refuses,
  rnnCell,
  zeros,
} from "../../support/refusals.js";

const cells = {
  LSTMCell: (cellInput: unknown, state?: unknown) => lstmCell.forward(any(cellInput), any(state)),
  GRUCell: (cellInput: unknown, state?: unknown) => gruCell.forward(any(cellInput), any(state)),
  RNNCell: (cellInput: unknown, state?: unknown) => rnnCell.forward(any(cellInput), any(state)),
};
for (const [name, forward] of Object.entries(cells)) {
  const state = (h: Tensor) => (name === "LSTMCell" ? [h, h] : h);
  refuses(`${name}.forward`, [
    ...inputRefusals((given) => forward(given)),
    [
      "3 dimensions",
      () => forward(zeros(1, 2, 6)),
      RangeError,
      "input.shape: expected 1 or 2 dimensions, got [1, 2, 6]",
    ],
    ["another size", () => forward(zeros(2, 5)), RangeError, "input.shape[1]: expected inputSize 6, got 5"],
    [
      "another size without a batch",
      () => forward(zeros(5)),
      RangeError,
      "input.shape[0]: expected inputSize 6, got 5",
    ],
    [
      "a state of another batch",
      () => forward(zeros(2, 6), state(zeros(3, 4))),
      RangeError,
      "h.shape: expected [2, 4], got [3, 4]",
    ],
    [
      "a state without a batch for an input with one",
      () => forward(zeros(2, 6), state(zeros(4))),
      RangeError,
      "h.shape: expected [2, 4], got [4]",
    ],
    [
      "a state with a batch for an input without",
      () => forward(zeros(6), state(zeros(1, 4))),
      RangeError,
      "h.shape: expected [4], got [1, 4]",
    ],
  ]);
}

refuses("cells' states", [
  [
    "LSTMCell with one state",
    () => lstmCell.forward(zeros(2, 6), any([zeros(2, 4)])),
    TypeError,
    "state: expected [h0, c0], both or none, got an array of length 1",
  ],
  [
    "LSTMCell with a bare state",
    () => lstmCell.forward(zeros(2, 6), any(zeros(2, 4))),
    TypeError,
    "state: expected [h0, c0], got an Object",
  ],
  [
    "LSTMCell with a wrong c",
    () => lstmCell.forward(zeros(2, 6), [zeros(2, 4), zeros(2, 5)]),
    RangeError,
    "c.shape: expected [2, 4], got [2, 5]",
  ],
  [
    "GRUCell with null",
    () => gruCell.forward(zeros(2, 6), any(null)),
    TypeError,
    "h: expected a Tensor or { data, shape }, got null",
  ],
]);

refuses("Linear.forward", [
  ...inputRefusals((given) => linear.forward(any(given))),
  [
    "a scalar",
    () => linear.forward(Tensor.from(1)),
    RangeError,
    "input.shape: expected at least 1 dimension, got []",
  ],
  [
    "another size",
    () => linear.forward(zeros(2, 5)),
    RangeError,
    "input.shape[1]: expected inFeatures 6, got 5",
  ],
]);

const embed = (indices: unknown) => () => embedding.forward(any(indices));
refuses("Embedding.forward", [
  [
    "nothing",
    embed(undefined),
    TypeError,
    "indices: expected a number, an array or { data, shape }, got undefined",
  ],
  ["null", embed(null), TypeError, "indices: expected a number, an array or { data, shape }, got null"],
  ["a string", embed("1"), TypeError, 'indices: expected a number, an array or { data, shape }, got "1"'],
  ["an index past the end", embed(5), RangeError, "indices[0]: expected an integer from 0 to 4, got 5"],
  ["a negative index", embed([0, -1]), RangeError, "indices[1]: expected an integer from 0 to 4, got -1"],
  ["a fraction", embed([0.5]), RangeError, "indices[0]: expected an integer from 0 to 4, got 0.5"],
  ["NaN", embed([[Number.NaN]]), RangeError, "indices[0]: expected an integer from 0 to 4, got NaN"],
  [
    "a large bigint",
    embed(BigInt64Array.of(1n, 9n)),
    RangeError,
    "indices[1]: expected an integer from 0 to 4, got 9n",
  ],
  ["a string among numbers", embed([[0, "1"]]), TypeError, 'indices[0][1]: expected a number, got "1"'],
  ["arrays of unequal lengths", embed([[0, 1], [2]]), RangeError, "indices[1].length: expected 2, got 1"],
  [
    "null as an index",
    embed({ data: [1, null], shape: [2] }),
    TypeError,
    "indices[1]: expected an integer, got null",
  ],
  [
    "a string as an index",
    embed({ data: ["1"], shape: [1] }),
    TypeError,
    'indices[0]: expected an integer, got "1"',
  ],
  ["a boolean", embed({ data: [true], shape: [1] }), TypeError, "indices[0]: expected an integer, got true"],
  ["no shape", embed({ data: [1] }), TypeError, "indices.shape: expected an array of sizes, got undefined"],
  [
    "data that is not of the shape's length",
    embed({ data: [1, 2], shape: [3] }),
    RangeError,
    "indices.data.length: expected 3 for shape [3], got 2",
  ],
  [
    "data that is a string",
    embed({ data: "12", shape: [2] }),
    TypeError,
    'indices.data: expected an array of integers, got "12"',
  ],
  [
    "a DataView",
    embed({ data: new DataView(new ArrayBuffer(8)), shape: [2] }),
    TypeError,
    "indices.data: expected an array of integers, got a DataView",
  ],
  [
    "a bare DataView",
    embed(new DataView(new ArrayBuffer(8))),
    TypeError,
    "indices.shape: expected an array of sizes, got undefined",
  ],
]);
