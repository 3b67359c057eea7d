/** What forward and trace of LSTM, GRU and RNN refuse: input, states, lengths. */
import { Tensor } from "../../../src/index.js";
import {
  any,
  batchFirst,
  bidirectional,
  gru,
  inputRefusals,
  lstm,
  projected,
  refuses,
  rnn,
  zeros,
} from "../../support/refusals.js";

const inputs = {
  "LSTM.forward": (input: unknown) => lstm.forward(any(input)),
  "LSTM.trace": (input: unknown) => lstm.trace(any(input)),
  "GRU.forward": (input: unknown) => gru.forward(any(input)),
  "RNN.forward": (input: unknown) => rnn.forward(any(input)),
};

for (const [name, forward] of Object.entries(inputs)) {
  refuses(`${name}'s input`, [
    ...inputRefusals(forward),
    ["1 dimension", () => forward(zeros(6)), RangeError, "input.shape: expected 2 or 3 dimensions, got [6]"],
    [
      "4 dimensions",
      () => forward(zeros(1, 1, 1, 6)),
      RangeError,
      "input.shape: expected 2 or 3 dimensions, got [1, 1, 1, 6]",
    ],
    [
      "a scalar",
      () => forward(Tensor.from(3)),
      RangeError,
      "input.shape: expected 2 or 3 dimensions, got []",
    ],
    [
      "another size",
      () => forward(zeros(5, 2, 7)),
      RangeError,
      "input.shape[2]: expected inputSize 6, got 7",
    ],
    [
      "another size without a batch",
      () => forward(zeros(5, 7)),
      RangeError,
      "input.shape[1]: expected inputSize 6, got 7",
    ],
    [
      "no time step",
      () => forward(zeros(0, 2, 6)),
      RangeError,
      "input.shape[0]: expected a sequence length of at least 1, got 0",
    ],
    [
      "no time step without a batch",
      () => forward(zeros(0, 6)),
      RangeError,
      "input.shape[0]: expected a sequence length of at least 1, got 0",
    ],
  ]);
}

refuses("batchFirst's input", [
  [
    "no time step",
    () => batchFirst.forward(zeros(2, 0, 6)),
    RangeError,
    "input.shape[1]: expected a sequence length of at least 1, got 0",
  ],
  [
    "states that follow batchFirst",
    () => batchFirst.forward(zeros(2, 5, 6), [zeros(2, 1, 4), zeros(2, 1, 4)]),
    RangeError,
    "h0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [2, 1, 4]",
  ],
]);

const input = zeros(5, 2, 6);
for (const [name, call] of Object.entries({
  "LSTM.forward": (state: unknown, of = input) => lstm.forward(of, any(state)),
  "LSTM.trace": (state: unknown, of = input) => lstm.trace(of, any(state)),
})) {
  const h = zeros(2, 2, 4);
  refuses(`${name}'s state`, [
    ["null", () => call(null), TypeError, "state: expected [h0, c0], got null"],
    ["one state", () => call(h), TypeError, "state: expected [h0, c0], got an Object"],
    [
      "one state in an array",
      () => call([h]),
      TypeError,
      "state: expected [h0, c0], both or none, got an array of length 1",
    ],
    [
      "an extra state",
      () => call([h, h, h]),
      TypeError,
      "state: expected [h0, c0], both or none, got an array of length 3",
    ],
    [
      "an empty array",
      () => call([]),
      TypeError,
      "state: expected [h0, c0], both or none, got an array of length 0",
    ],
    [
      "no c0",
      () => call([h, undefined]),
      TypeError,
      "c0: expected a Tensor or { data, shape }, got undefined",
    ],
    ["h0 null", () => call([null, h]), TypeError, "h0: expected a Tensor or { data, shape }, got null"],
    [
      "options in its place",
      () => call({ lengths: [5, 5] }),
      TypeError,
      "state: expected [h0, c0], got an Object",
    ],
    [
      "another number of layers",
      () => call([zeros(1, 2, 4), h]),
      RangeError,
      "h0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [1, 2, 4]",
    ],
    [
      "another batch",
      () => call([h, zeros(2, 1, 4)]),
      RangeError,
      "c0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [2, 1, 4]",
    ],
    [
      "another size",
      () => call([h, zeros(2, 2, 5)]),
      RangeError,
      "c0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [2, 2, 5]",
    ],
    [
      "2 dimensions for an input of 3",
      () => call([zeros(2, 4), zeros(2, 4)]),
      RangeError,
      "h0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [2, 4]",
    ],
    [
      "3 dimensions for an input of 2",
      () => call([zeros(2, 1, 4), zeros(2, 1, 4)], zeros(5, 6)),
      RangeError,
      "h0.shape: expected [2, 4] (layers * directions, size), got [2, 1, 4]",
    ],
    [
      "a BigInt64Array",
      () => call([h, new Tensor(new BigInt64Array(16), [2, 2, 4])]),
      TypeError,
      "c0.data: expected a Float32Array, got a BigInt64Array",
    ],
    [
      "a tensor whose data were replaced",
      () => call([Object.assign(zeros(2, 2, 4), { data: new Float32Array(99) }), h]),
      RangeError,
      "h0.data.length: expected 16 for shape [2, 2, 4], got 99",
    ],
    [
      "data that is not of the shape's length",
      () => call([h, { data: new Float32Array(15), shape: [2, 2, 4] }]),
      RangeError,
      "c0.data.length: expected 16 for shape [2, 2, 4], got 15",
    ],
  ]);
}

refuses("states of projections and directions", [
  [
    "h0 of hiddenSize for a projection",
    () => projected.forward(input, [zeros(1, 2, 4), zeros(1, 2, 4)]),
    RangeError,
    "h0.shape: expected [1, 2, 2] (layers * directions, batch, size), got [1, 2, 4]",
  ],
  [
    "c0 of projSize for a projection",
    () => projected.forward(input, [zeros(1, 2, 2), zeros(1, 2, 2)]),
    RangeError,
    "c0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [1, 2, 2]",
  ],
  [
    "one direction's state for two",
    () => bidirectional.forward(input, [zeros(1, 2, 4), zeros(1, 2, 4)]),
    RangeError,
    "h0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [1, 2, 4]",
  ],
]);

for (const [name, call] of Object.entries({
  "GRU.forward": (h0: unknown) => gru.forward(input, any(h0)),
  "RNN.forward": (h0: unknown) => rnn.forward(input, any(h0)),
})) {
  refuses(`${name}'s state`, [
    ["null", () => call(null), TypeError, "h0: expected a Tensor or { data, shape }, got null"],
    [
      "the LSTM's pair",
      () => call([zeros(1, 2, 4), zeros(1, 2, 4)]),
      TypeError,
      "h0: expected a Tensor, such as Tensor.from(nested), or { data, shape }, got an array of length 2",
    ],
    [
      "another shape",
      () => call(zeros(2, 2, 4)),
      RangeError,
      "h0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [2, 2, 4]",
    ],
    [
      "2 dimensions for an input of 3",
      () => call(zeros(1, 4)),
      RangeError,
      "h0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [1, 4]",
    ],
  ]);
}

for (const [name, call] of Object.entries({
  "LSTM.forward": (options: unknown) => lstm.forward(input, undefined, any(options)),
  "LSTM.trace": (options: unknown) => lstm.trace(input, undefined, any(options)),
  "GRU.forward": (options: unknown) => gru.forward(input, undefined, any(options)),
  "RNN.forward": (options: unknown) => rnn.forward(input, undefined, any(options)),
})) {
  const lengths = (value: unknown) => () => call({ lengths: value });
  refuses(`${name}'s lengths`, [
    ["null options", () => call(null), TypeError, "options: expected an object of options, got null"],
    [
      "lengths in place of the options",
      () => call([5, 5]),
      TypeError,
      "options: expected an object of options, got an array of length 2",
    ],
    [
      "an unknown option",
      () => call({ length: [5, 5] }),
      TypeError,
      "options.length: unknown option; known are lengths, mask, maskedOutput",
    ],
    ["null", lengths(null), TypeError, "lengths: expected an array of one integer per batch row, got null"],
    ["one number", lengths(5), TypeError, "lengths: expected an array of one integer per batch row, got 5"],
    [
      "a string",
      lengths("55"),
      TypeError,
      'lengths: expected an array of one integer per batch row, got "55"',
    ],
    [
      "a Tensor",
      lengths(zeros(2)),
      TypeError,
      "lengths: expected an array of one integer per batch row, got an Object",
    ],
    ["too few", lengths([5]), RangeError, "lengths.length: expected batch 2, got 1"],
    ["too many", lengths(new Int32Array(3)), RangeError, "lengths.length: expected batch 2, got 3"],
    ["0", lengths([5, 0]), RangeError, "lengths[1]: expected an integer from 1 to 5, got 0"],
    [
      "more than the input has",
      lengths([6, 5]),
      RangeError,
      "lengths[0]: expected an integer from 1 to 5, got 6",
    ],
    ["a fraction", lengths([5, 2.5]), RangeError, "lengths[1]: expected an integer from 1 to 5, got 2.5"],
    ["NaN", lengths([Number.NaN, 5]), RangeError, "lengths[0]: expected an integer from 1 to 5, got NaN"],
    ["strings", lengths(["5", 5]), TypeError, 'lengths[0]: expected a number, got "5"'],
    ["a hole", lengths([5, undefined]), TypeError, "lengths[1]: expected a number, got undefined"],
    [
      "a BigInt64Array",
      lengths(BigInt64Array.of(5n, 5n)),
      TypeError,
      "lengths[0]: expected a number, got 5n",
    ],
  ]);
}
