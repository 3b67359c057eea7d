/** What configs state of a model's inputs, in each of the ways in which Keras writes it, and what weights tell where they do not. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { loadKeras } from "../../../src/models/index.js";
import { callFile, counted } from "../../support/keras-calls.js";
import { type Arrays, kerasH5 } from "../../support/keras-writer.js";

const input = (config: object) => ({ class_name: "InputLayer", config: { name: "x", ...config } });
const dropout = (config: object = {}) => ({ class_name: "Dropout", config: { name: "d", ...config } });
const sequential = (layers: readonly unknown[], config: object = {}) => ({
  class_name: "Sequential",
  config: { name: "model", layers, ...config },
});
const array = (...shape: number[]) => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

const load = (config: unknown, layers: Readonly<Record<string, Arrays>> = {}, version = "2.15.0") =>
  loadKeras(kerasH5({ config, layers, version }));

describe("the type of an input", () => {
  it.each([
    ["float16", "float32"],
    ["bfloat16", "float32"],
    ["float64", "float32"],
    ["int8", "int8"],
    ["uint8", "uint8"],
    ["int16", "int32"],
    ["uint16", "int32"],
    ["uint32", "int64"],
    ["int64", "int64"],
    ["bool", "bool"],
  ])("is that of its numbers: %s", (dtype, expected) => {
    using model = loadKeras(callFile("Flatten", { x: counted([null, 3], [2, 3], dtype) }));
    expect(model.inputs).toEqual([{ name: "x", shape: ["batch", 3], dtype: expected }]);
  });

  it("is of floats where it is a policy, or none", () => {
    const policy = { class_name: "DTypePolicy", config: { name: "mixed_float16" } };
    for (const dtype of [policy, null]) {
      using model = load(sequential([input({ batch_shape: [null, 2], dtype }), dropout()]));
      expect(model.inputs).toEqual([{ name: "x", shape: ["batch", 2], dtype: "float32" }]);
    }
  });

  it("is the layer's of its input in Keras 1", () => {
    const first = dropout({ batch_input_shape: [null, 2], input_dtype: "int32", dtype: "float32" });
    using model = load(sequential([first]));
    expect(model.inputs.map(({ dtype }) => dtype)).toEqual(["int32"]);
  });

  it("is refused by name where there is none such", () => {
    for (const dtype of ["complex64", "toString"]) {
      const run = () => load(sequential([input({ batch_shape: [null, 2], dtype })]));
      expect(run).toThrow(FormatError);
      expect(run).toThrow(`keras: layer "x": dtype: "${dtype}" is not supported`);
    }
  });
});

describe("the shape of an input", () => {
  const FLOATS = { dtype: "float32" };

  it.each([
    ["Keras 3's batch_shape", [input({ batch_shape: [4, 2] }), dropout()], [4, 2]],
    ["batch_input_shape before it", [input({ batch_input_shape: [null, 2] }), dropout()], ["batch", 2]],
    ["a shape without the batch", [input({ shape: [5, 2] }), dropout()], ["batch", 5, 2]],
    ["an input_shape of the first layer", [dropout({ input_shape: [2] })], ["batch", 2]],
    ["open sizes", [input({ batch_shape: [null, null, 3] }), dropout()], ["batch", "?", 3]],
    [
      "a model within the model",
      [sequential([sequential([input({ batch_shape: [null, 2] })])])],
      ["batch", 2],
    ],
  ])("is stated by %s", (_, layers, shape) => {
    using model = load(sequential(layers));
    expect(model.inputs[0]!.shape).toEqual(shape);
  });

  it("is that with which a Sequential was built", () => {
    using floats = load(sequential([dropout()], { build_input_shape: [null, 3] }), {}, "3.8.0");
    expect(floats.inputs).toEqual([{ name: expect.any(String), shape: ["batch", 3], ...FLOATS }]);
    const embedding = { class_name: "Embedding", config: { name: "e", input_dim: 5, output_dim: 2 } };
    const layers = { e: { "e/embeddings:0": array(5, 2) } };
    using ids = load(sequential([embedding], { build_input_shape: [null, 7] }), layers);
    expect(ids.inputs).toEqual([{ name: expect.any(String), shape: ["batch", 7], dtype: "int32" }]);
  });

  it("is what the first layer's weights tell", () => {
    const dense = { class_name: "Dense", config: { name: "d", units: 4, use_bias: false } };
    using floats = load(sequential([dense]), { d: { "d/kernel:0": array(3, 4) } });
    expect(floats.inputs[0]).toMatchObject({ shape: ["batch", 3], ...FLOATS });
    const gru = { class_name: "GRU", config: { name: "g", units: 2, reset_after: true } };
    const weights = {
      "g/gru_cell/kernel:0": array(3, 6),
      "g/gru_cell/recurrent_kernel:0": array(2, 6),
      "g/gru_cell/bias:0": array(2, 6),
    };
    using rows = load(sequential([gru]), { g: weights });
    expect(rows.inputs[0]).toMatchObject({ shape: ["batch", "?", 3], ...FLOATS });
    const embedding = { class_name: "Embedding", config: { name: "e", input_dim: 5, output_dim: 2 } };
    using ids = load(sequential([embedding]), { e: { "e/embeddings:0": array(5, 2) } });
    expect(ids.inputs[0]).toMatchObject({ shape: ["batch", "?"], dtype: "int32" });
  });

  it.each([
    ["of a kernel that is no matrix", { d: { "d/kernel:0": array(4) } }],
    ["without a kernel", {}],
  ])("is not told by a Dense %s", (_, weights) => {
    const dense = { class_name: "Dense", config: { name: "d", units: 4 } };
    expect(() => load(sequential([dense]), weights)).toThrow("does not tell the shape of its input");
  });

  it.each([
    ["text", "(2,)"],
    ["an empty list", []],
    ["a size below 0", [null, -1]],
    ["no whole number", [null, 1.5]],
    ["seventeen axes", Array(17).fill(1)],
  ])("is refused where it is %s", (_, shape) => {
    const run = () => load(sequential([input({ batch_shape: shape }), dropout()]));
    expect(run).toThrow(FormatError);
    expect(run).toThrow('keras: layer "x": input shape: expected sizes or null');
  });

  it.each(["sparse", "ragged"])("must be of dense numbers, not %s", (key) => {
    const run = (value: unknown) =>
      load(sequential([input({ batch_shape: [null, 2], [key]: value }), dropout()]));
    run(false).dispose();
    run(null).dispose();
    expect(() => run(true)).toThrow(`keras: layer "x" (InputLayer): ${key} inputs are not supported`);
  });
});
