/** What layers refuse of configs, weights and inputs, family by family, and which of them no stream takes. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import {
  type Call,
  counted,
  innerOf,
  layerOf,
  loadCall,
  STEPS,
  tensorOf,
  X,
  Y,
} from "../../support/keras-calls.js";

const PICTURE = counted([null, 4, 4, 2], [1, 4, 4, 2]);
const IDS = counted([null, 3], [2, 3], "int64");
const WORDS = counted([null, 2], [1, 2], "string");
const masking = (name: string) => layerOf("Masking", `masked_${name}`, tensorOf(name));
const array = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

type Refusal = readonly [name: string, call: Call, message: string];

const REFUSALS: readonly Refusal[] = [
  ["LayerNormalization", { x: STEPS, config: { axis: [1, -2] } }, "axis: an array of length 2 has one twice"],
  ["LayerNormalization", { x: STEPS, config: { axis: 1 } }, "axis: [1] are not the last axes"],
  ["LayerNormalization", { config: { rms_scaling: true } }, "rms_scaling is not supported"],
  ["LayerNormalization", { x: counted([null, null], [2, 3]) }, "axis 1 of its input is open: (None, None)"],
  ["BatchNormalization", {}, "the file has no weights for it; build the model, then save it"],
  ["BatchNormalization", { config: { epsilon: Number.NaN } }, "the file has no weights for it"],
  [
    "BatchNormalization",
    { arrays: { "layers/batch_normalization/vars/0": array(3) } },
    "weight beta is missing",
  ],
  ["Rescaling", { config: { scale: ["1"] } }, "scale: expected numbers, got an array of length 1"],
  ["Reshape", { config: { target_shape: "3" } }, 'target_shape: expected sizes, got "3"'],
  ["Reshape", { config: { target_shape: [null, -1] } }, "target_shape: more than one size is open"],
  [
    "Reshape",
    { config: { target_shape: [2, 2] } },
    "target_shape: an array of length 2 does not hold 3 numbers",
  ],
  ["Reshape", { config: { dims: [2, null] } }, "target_shape: an array of length 2 does not hold 3 numbers"],
  [
    "Conv1D",
    { x: STEPS, config: { filters: 1, kernel_size: 0 } },
    "kernel_size: expected 1 integers from 1 on, got 0",
  ],
  ["Conv1D", { x: STEPS, config: { filters: 1, kernel_size: 1 } }, "the file has no weights for it"],
  ["Conv1D", { config: { filters: 1 } }, "expected an input of 3 axes, got 2"],
  [
    "Conv2D",
    { x: PICTURE, config: { filters: 1, padding: "causal" } },
    'padding: "causal" is not supported; expected "valid", "same"',
  ],
  [
    "Conv1DTranspose",
    {
      x: STEPS,
      config: { filters: 1, kernel_size: 1, padding: "same", strides: 2, output_padding: 1 },
      arrays: { "layers/conv1d_transpose/vars/0": array(1, 1, 3) },
    },
    "output_padding 1 is not supported",
  ],
  ["RepeatVector", { config: { n: 1.5 } }, "n: expected an integer from 1 on, got 1.5"],
  ["Attention", { x: STEPS, args: [[X]] }, "its value is missing"],
  ["Attention", { args: [[]] }, "its query is missing"],
  ["Attention", { args: [[X, X]] }, "expected an input of 3 axes or more, got 2"],
  [
    "MultiHeadAttention",
    { x: STEPS, args: [X, X], config: { num_heads: 1, key_dim: 1, use_gate: true } },
    "use_gate is not supported",
  ],
  [
    "Embedding",
    {
      x: counted([null], [2], "int32"),
      config: { mask_zero: true },
      arrays: { "layers/embedding/vars/0": array(9, 2) },
    },
    "mask_zero of ids of 1 axes is not supported",
  ],
  [
    "TimeDistributed",
    { config: { layer: innerOf("Flatten") } },
    "expected an input of at least 3 axes, got 2",
  ],
  ["Masking", {}, "expected an input of 3 axes or more, got 2"],
  [
    "LSTM",
    { x: STEPS, config: { units: 2 } },
    "the file has no arrays for it; build the model, then save it",
  ],
  [
    "Concatenate",
    { x: PICTURE, args: [[X, X]], config: { axis: 9 } },
    "axis: expected an axis from 1 to 3, got 9",
  ],
  ["StringLookup", { x: WORDS, config: { sparse: true, vocabulary: ["a"] } }, "sparse is not supported"],
  [
    "StringLookup",
    { x: WORDS, config: { invert: true, vocabulary: ["a"] } },
    "invert is not supported: it gives words",
  ],
  [
    "StringLookup",
    { x: WORDS, config: { num_oov_indices: 2, salt: [1, 2], vocabulary: ["a"] } },
    "salt is not supported",
  ],
  [
    "StringLookup",
    { x: WORDS, config: { vocabulary: [1] } },
    "vocabulary: expected a list of strings, got 1",
  ],
  [
    "StringLookup",
    { x: WORDS, config: { oov_token: 7, vocabulary: ["a"] } },
    "oov_token: expected a string, got 7",
  ],
  [
    "StringLookup",
    { x: counted([null, 2, 2], [1, 2, 2], "string"), config: { output_mode: "count", vocabulary: ["a"] } },
    "output_mode count of 3 axes is not supported",
  ],
  [
    "StringLookup",
    { x: WORDS, config: { output_mode: "tf_idf", vocabulary: ["a"], idf_weights: ["1"] } },
    "its idf_weights are not in the file",
  ],
  [
    "StringLookup",
    { x: WORDS, config: { output_mode: "tf_idf", vocabulary: ["a"], idf_weights: [1, 2, 3] } },
    "idf_weights: expected 2 numbers, got 3",
  ],
  ["IntegerLookup", { config: { vocabulary: [1] } }, "an input that is no integers is not supported"],
  [
    "IntegerLookup",
    { x: IDS, config: { vocabulary: [1], num_oov_indices: 0 } },
    "num_oov_indices of 0 is not supported",
  ],
  ["Flatten", { x: WORDS }, "strings are not supported"],
];

describe("layers refuse", () => {
  it.each(REFUSALS)("%s %#", (name, call, message) => {
    const run = () => loadCall(name, call);
    expect(run).toThrow(FormatError);
    expect(run).toThrow(`keras: layer "made" (${name}): ${message}`);
  });

  it("convolutions of Keras 1, whose kernels lie otherwise", () => {
    const call = { x: STEPS, config: { filters: 1, kernel_size: 1 }, version: "1.2.2" };
    expect(() => loadCall("Conv1D", call)).toThrow("convolutions of Keras 1 are not supported");
  });

  it("masks that are joined along a middle axis", () => {
    const picture = layerOf("TimeDistributed", "each", tensorOf("masked_x"), {
      layer: innerOf("RepeatVector", { n: 2 }),
    });
    const call = { x: STEPS, before: [masking("x"), picture], args: [[tensorOf("each"), tensorOf("each")]] };
    const run = () => loadCall("Concatenate", { ...call, config: { axis: 2 } });
    expect(run).toThrow("masks that are joined along another axis than the last");
  });

  it("code that the file does not hold, by the name it is registered with", () => {
    const own = { ...layerOf("Dense", "own", X), registered_name: "pack>Mine" };
    const run = () => loadCall("Flatten", { before: [own], args: [tensorOf("own")] });
    expect(run).toThrow('keras: layer "own" (Dense): pack>Mine: code that the file does not hold');
    const wrapped = { ...innerOf("Dense"), registered_name: "pack>Mine" };
    expect(() => loadCall("TimeDistributed", { x: STEPS, config: { layer: wrapped } })).toThrow("pack>Mine");
  });
});

type Unstreamed = readonly [name: string, call: Call, reason: string];

const UNSTREAMED: readonly Unstreamed[] = [
  ["Attention", { args: [[X, X]] }, "it attends to other steps of time"],
  [
    "AdditiveAttention",
    { x: counted([2, 3], [2, 3]), y: STEPS, args: [[Y, Y]], config: { use_scale: false } },
    "it attends to other steps of time",
  ],
  ["UnitNormalization", { config: { axis: 1 } }, "it goes over all steps of time"],
  [
    "LayerNormalization",
    { config: { axis: [1, 2], scale: false, center: false } },
    "it goes over all steps of time",
  ],
  [
    "Conv1DTranspose",
    {
      config: { filters: 1, kernel_size: 2, use_bias: false },
      arrays: { "layers/conv1d_transpose/vars/0": array(2, 1, 3) },
    },
    "a transposed convolution goes over time",
  ],
  ["Permute", { config: { dims: [2, 1] } }, "it moves the axis of time"],
  ["Reshape", { config: { target_shape: [3, 2] } }, "it puts steps of time into other shapes"],
  ["ZeroPadding1D", {}, "it changes how many steps of time there are"],
  ["UpSampling1D", {}, "it repeats steps of time"],
  ["GlobalMaxPooling1D", {}, "it goes over all steps of time"],
  [
    "MaxPooling1D",
    { config: { pool_size: 2, strides: 1 } },
    'its windows go over time, with padding "valid"',
  ],
  ["MaxPooling1D", { config: { pool_size: 1, strides: 2 } }, "its strides go over time"],
];

describe("no stream takes", () => {
  it.each(UNSTREAMED)("%s %#", (name, call, reason) => {
    using model = loadCall(name, { x: STEPS, ...call });
    expect(() => model.stream()).toThrow(`layer "made" (${name}): ${reason}`);
  });
});
