/**
 * Layers beside numbers that are known, where the fixtures of make_keras_layers.py have no case of them. Which of them are
 * refused, and which no stream takes.
 */
import { describe, expect, it } from "vitest";
import {
  type Call,
  type CallCase,
  type CallMessage,
  counted,
  expectRefused,
  expectResult,
  loadCall,
  MATRIX,
  OPEN,
  of,
  STEPS,
  tensorOf,
  X,
  Y,
} from "../../support/keras-calls.js";

const IDS = counted([null, 3], [2, 3], "int32");
const TRUTHS = of([1, 0, 1, 0, 0, 1], counted([null, 3], [2, 3], "bool"));
const COLUMN = of([10, 20], counted([null, 1], [2, 1]));
const PLANES = counted([null, 2, 2, 2], [1, 2, 2, 2]);
/** A layer before the one that is tested. */
const layer = (className: string, name: string, args: readonly unknown[], config: object = {}) => ({
  module: "keras.layers",
  class_name: className,
  config: { name, trainable: true, ...config },
  name,
  inbound_nodes: [{ args, kwargs: {} }],
});
const MASKED = tensorOf("masked_x");
const MASKING = layer("Masking", "masked_x", [X]);
/** Its second step does not count where it is masked. */
const HALF = of([1, 2, 3, 0, 0, 0], STEPS);
const OTHERS = of([4, 5, 6, 7, 8, 9], STEPS);
/** What the mean over all steps that count makes of a layer's output. */
const meanOf = (className: string, args: readonly unknown[], config: object = {}): Call => ({
  x: HALF,
  y: OTHERS,
  before: [MASKING, layer(className, "tested", args, config)],
  args: [tensorOf("tested")],
});
const array = (shape: readonly number[], ...numbers: number[]) => ({
  shape,
  data: Float32Array.from(numbers),
});
const IDENTITY = { "layers/dense/vars/0": array([3, 3], 1, 0, 0, 0, 1, 0, 0, 0, 1) };

const CASES: readonly CallCase[] = [
  ["one input", "Add", { args: [[X]] }, [2, 3], [1, 2, 3, 4, 5, 6]],
  ["integers", "Add", { x: IDS, args: [[X, X]] }, [2, 3], [2, 4, 6, 8, 10, 12]],
  ["integers and floats", "Add", { x: IDS, y: MATRIX, args: [[X, Y]] }, [2, 3], [2, 4, 6, 8, 10, 12]],
  ["truths", "Add", { x: TRUTHS, args: [[X, X]] }, [2, 3], [2, 0, 2, 0, 0, 2]],
  [
    "integers",
    "Average",
    { x: IDS, y: of([2, 2, 2, 2, 2, 2], IDS), args: [[X, Y]] },
    [2, 3],
    [1.5, 2, 2.5, 3, 3.5, 4],
  ],
  ["an axis of 1 at last", "Multiply", { y: COLUMN, args: [[X, Y]] }, [2, 3], [10, 20, 30, 80, 100, 120]],
  [
    "an axis of 1 at first",
    "Subtract",
    { x: COLUMN, y: MATRIX, args: [[X, Y]] },
    [2, 3],
    [9, 8, 7, 16, 15, 14],
  ],
  [
    "an open axis beside one of 2",
    "Maximum",
    { x: OPEN, y: STEPS, args: [[X, Y]] },
    [1, 2, 3],
    [1, 2, 3, 4, 5, 6],
  ],
  [
    "fewer axes",
    "Minimum",
    { x: STEPS, y: counted([null, 3], [1, 3]), args: [[X, Y]] },
    [1, 2, 3],
    [1, 2, 3, 1, 2, 3],
  ],
  [
    "an axis of Keras 1",
    "Concatenate",
    { args: [[X, X]], config: { concat_axis: 1 } },
    [2, 6],
    [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6],
  ],
  [
    "an open axis",
    "Concatenate",
    { x: OPEN, args: [[X, X]], config: { axis: -2 } },
    [1, 4, 3],
    [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6],
  ],
  [
    "an open axis beside one of 2",
    "Concatenate",
    { x: OPEN, y: STEPS, args: [[X, Y]] },
    [1, 2, 6],
    [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6],
  ],
  ["two vectors", "Dot", { args: [[X, X]], config: { axes: 1 } }, [2, 1], [14, 77]],
  [
    "a vector and a matrix",
    "Dot",
    { x: counted([null, 2], [1, 2]), y: STEPS, args: [[X, Y]], config: { axes: [1, 1] } },
    [1, 3],
    [9, 12, 15],
  ],
  [
    "a matrix and a vector",
    "Dot",
    { x: STEPS, y: counted([null, 3], [1, 3]), args: [[X, Y]], config: { axes: [2, 1] } },
    [1, 2],
    [14, 32],
  ],
  [
    "a product with a matrix",
    "Dense",
    { config: { units: 3, use_bias: false, activation: null }, arrays: IDENTITY },
    [2, 3],
    [1, 2, 3, 4, 5, 6],
  ],
  [
    "an input of open axes",
    "Dense",
    { x: counted([null, null], [2, 3]), config: { units: 3, use_bias: false }, arrays: IDENTITY },
    [2, 3],
    [1, 2, 3, 4, 5, 6],
  ],
  [
    "a vector of channels first",
    "Flatten",
    { config: { data_format: "channels_first" } },
    [2, 3],
    [1, 2, 3, 4, 5, 6],
  ],
  [
    "planes of channels first",
    "Flatten",
    { x: PLANES, config: { data_format: "channels_first" } },
    [1, 8],
    [1, 5, 2, 6, 3, 7, 4, 8],
  ],
  [
    "a mask of channels first",
    "GlobalAveragePooling1D",
    {
      x: of([9, 1, 2, 0, 0, 5], counted([null, 2, 3], [1, 2, 3])),
      y: of([1, 1, 0], counted([null, 3], [1, 3], "bool")),
      args: [X],
      kwargs: { mask: Y },
      config: { data_format: "channels_first" },
    },
    [1, 2],
    [5, 0],
  ],
  ["an open axis", "Flatten", { x: OPEN }, [1, 6], [1, 2, 3, 4, 5, 6]],
  ["a batch alone", "Flatten", { x: counted([null], [3]) }, [3, 1], [1, 2, 3]],
  ["above a threshold", "ReLU", { config: { threshold: 3 } }, [2, 3], [0, 0, 3, 4, 5, 6]],
  [
    "a slope below a threshold, and a limit",
    "ReLU",
    { config: { threshold: 3, negative_slope: 2, max_value: 5 } },
    [2, 3],
    [-4, -2, 3, 4, 5, 5],
  ],
  [
    "a slope",
    "LeakyReLU",
    { x: of([-1, 0, 1, -2, 0, 2]), config: { alpha: 0.5 } },
    [2, 3],
    [-0.5, 0, 1, -1, 0, 2],
  ],
  [
    "a list of one axis",
    "Softmax",
    { x: of([0, 0, 0, 5, 5, 5]), config: { axis: [-1] } },
    [2, 3],
    Array(6).fill(1 / 3),
  ],
  [
    "a mask by keyword",
    "Softmax",
    { x: of([0, 0, 9, 9, 5, 5]), y: of([1, 1, 0, 0, 1, 1], TRUTHS), args: [X], kwargs: { mask: Y } },
    [2, 3],
    [0.5, 0.5, 0, 0, 0.5, 0.5],
  ],
  [
    "an axis as a list",
    "BatchNormalization",
    {
      config: { axis: [1], scale: false, center: false, epsilon: 0 },
      arrays: {
        "layers/batch_normalization/vars/0": array([3], 1, 2, 3),
        "layers/batch_normalization/vars/1": array([3], 1, 4, 9),
      },
    },
    [2, 3],
    [0, 0, 0, 3, 1.5, 1],
  ],
  [
    "a mask joined with itself",
    "GlobalAveragePooling1D",
    meanOf("Add", [[MASKED, MASKED]]),
    [1, 3],
    [2, 4, 6],
  ],
  [
    "a mask along time",
    "GlobalAveragePooling1D",
    meanOf("Concatenate", [[MASKED, Y]], { axis: 1 }),
    [1, 3],
    [4, 5, 6],
  ],
  [
    "one mask of two that are joined",
    "GlobalAveragePooling1D",
    meanOf("Concatenate", [[MASKED, Y]]),
    [1, 6],
    [0.5, 1, 1.5, 5.5, 6.5, 7.5],
  ],
  [
    "one mask of two that are joined, in Keras 2",
    "GlobalAveragePooling1D",
    { ...meanOf("Concatenate", [[MASKED, Y]]), version: "2.15.0" },
    [1, 6],
    [1, 2, 3, 4, 5, 6],
  ],
  ["one mask of two", "GlobalAveragePooling1D", meanOf("Multiply", [[MASKED, Y]]), [1, 3], [5.5, 9, 13.5]],
  [
    "a named function",
    "Activation",
    { x: of([-1, 0, 1, -2, 0, 2]), config: { activation: { class_name: "function", config: "relu" } } },
    [2, 3],
    [0, 0, 1, 0, 0, 2],
  ],
  [
    "an Activation",
    "Activation",
    {
      x: of([-1, 0, 1, -2, 0, 2]),
      config: { activation: { class_name: "Activation", config: { activation: "relu" } } },
    },
    [2, 3],
    [0, 0, 1, 0, 0, 2],
  ],
  [
    "a Softmax",
    "Activation",
    { x: of([0, 0, 0, 5, 5, 5]), config: { activation: { class_name: "Softmax" } } },
    [2, 3],
    Array(6).fill(1 / 3),
  ],
  [
    "a Softmax over the last axis",
    "Activation",
    { x: of([0, 0, 0, 5, 5, 5]), config: { activation: { class_name: "Softmax", config: { axis: -1 } } } },
    [2, 3],
    Array(6).fill(1 / 3),
  ],
  [
    "the old name of a gelu",
    "Activation",
    { x: of([0, 20, -20, 0, 0, 0]), config: { activation: "gelu_new" } },
    [2, 3],
    [0, 20, 0, 0, 0, 0],
  ],
];

describe("layers", () => {
  it.each(CASES)("%s: %s", (_, name, call, shape, data) => {
    using model = loadCall(name, call);
    expectResult(model, call, shape, data);
  });
});

const REFUSALS: readonly CallMessage[] = [
  ["Add", { args: [[]] }, "expected inputs, got none"],
  ["Add", { y: counted([null, 2], [2, 2]), args: [[X, Y]] }, "its inputs have axes of 3 and 2"],
  ["Subtract", { args: [[X]] }, "expected 2 inputs, got 1"],
  ["Subtract", { args: [[X, X, X]] }, "expected 2 inputs, got 3"],
  ["Concatenate", { y: STEPS, args: [[X, Y]] }, "its inputs have 2, 3 axes"],
  ["Concatenate", { args: [[X, X]], config: { axis: 0 } }, "axis: expected an axis from 1 to 1, got 0"],
  [
    "Concatenate",
    { x: STEPS, y: counted([null, 3, 3], [1, 3, 3]), args: [[X, Y]] },
    "its inputs have axes of 2 and 3",
  ],
  ["Dot", { args: [[X]], config: { axes: 1 } }, "expected 2 inputs, got 1"],
  ["Dot", { y: PLANES, args: [[X, Y]], config: { axes: 1 } }, "its inputs have axes of 3 and 2"],
  [
    "Dot",
    { y: counted([null], [2]), args: [[X, Y]], config: { axes: 1 } },
    "expected an input of 2 axes or more, got 1",
  ],
  [
    "Dot",
    {
      x: counted([null, null, null, 3], [1, 2, 2, 3]),
      y: STEPS,
      args: [[X, Y]],
      config: { axes: [3, 2] },
    },
    "several open axes, (None, None, 2), are not supported",
  ],
  ["Dot", { args: [[X, X]], config: { axes: [1] } }, "axes: expected two axes, got an array of length 1"],
  ["Dot", { args: [[X, X]], config: { axes: {} } }, "axes: expected two axes, got"],
  ["Dot", { args: [[X, X]] }, "axes: expected an axis from 1 to 1, got undefined"],
  [
    "Dense",
    { x: counted([null], [3]), config: { units: 3 }, arrays: IDENTITY },
    "expected an input of at least 2 axes, got 1",
  ],
  [
    "Dense",
    { config: { units: 2, use_bias: false }, arrays: IDENTITY },
    "its kernel has 3 units, the config 2",
  ],
  [
    "Dense",
    { x: COLUMN, config: { units: 3 }, arrays: IDENTITY },
    "weight kernel: expected shape [1, ?], got [3, 3]",
  ],
  [
    "Dense",
    { y: MATRIX, args: [[X, Y]], config: { units: 3 }, arrays: IDENTITY },
    "2 inputs are not supported",
  ],
  [
    "Flatten",
    { config: { data_format: "other" } },
    'data_format: "other" is not supported; expected "channels_last", "channels_first"',
  ],
  ["Softmax", { x: STEPS, config: { axis: [1, 2] } }, "a softmax over several axes is not supported"],
  [
    "Softmax",
    { x: STEPS, before: [MASKING], args: [MASKED], config: { axis: 1 } },
    "a mask over another axis than the last is not supported",
  ],
  [
    "Softmax",
    { x: STEPS, before: [MASKING], args: [MASKED] },
    "a mask over three axes or more is not supported",
  ],
  [
    "PReLU",
    { arrays: { "layers/p_re_lu/vars/0": array([2], 1, 1) } },
    "weight alpha: expected the sizes of its input after the batch, (3), or 1 in their place, got [2]",
  ],
  [
    "PReLU",
    { arrays: { "layers/p_re_lu/vars/0": array([1, 3], 1, 1, 1) } },
    "weight alpha: expected the sizes of its input after the batch, (3), or 1 in their place, got [1, 3]",
  ],
  ["ReLU", { config: { max_value: "6" } }, 'max_value: expected a number, got "6"'],
  [
    "Activation",
    { config: { activation: { class_name: "Softmax", config: { axis: 1 } } } },
    "activation: a Softmax over axis 1 is not supported",
  ],
  ["Activation", { config: { activation: "none_such" } }, "activation: "],
];

describe("layers that are refused", () => {
  it.each(REFUSALS)("%s %#", (name, call, message) => {
    expectRefused(() => loadCall(name, call), name, message);
  });
});

const UNSTREAMED: readonly CallMessage[] = [
  [
    "Add",
    { y: PLANES, x: counted([null, 2, 2], [1, 2, 2]), args: [[X, Y]] },
    "it joins tensors of different axes",
  ],
  ["Concatenate", { args: [[X, X]], config: { axis: 1 } }, "it joins tensors along time"],
  ["Dot", { args: [[X, X]], config: { axes: 2 } }, "it sums over axes of several steps"],
  ["Softmax", { config: { axis: 1 } }, "it goes over all steps of time"],
  [
    "Cropping2D",
    { x: PLANES, config: { cropping: 0, data_format: "channels_first" } },
    "its channels stand where time does",
  ],
  [
    "PReLU",
    { arrays: { "layers/p_re_lu/vars/0": array([2, 3], 1, 1, 1, 1, 1, 1) } },
    "each step of time has slopes of its own",
  ],
];

describe("layers in streams", () => {
  it.each(UNSTREAMED)("%s", (name, call, reason) => {
    using model = loadCall(name, { x: STEPS, ...call });
    expect(() => model.stream()).toThrow(`layer "made" (${name}): ${reason}`);
  });
});
