/** Layers of Keras 1, which have other fields and names of weights, beside numbers that are known. */
import { expect, it } from "vitest";
import { loadKeras } from "../../../src/models/index.js";
import { type Arrays, kerasH5 } from "../../support/keras-writer.js";

const array = (shape: readonly number[], ...numbers: number[]) => ({
  shape,
  data: Float32Array.from(numbers),
});

interface Case {
  readonly className: string;
  readonly config?: object;
  readonly arrays?: Arrays;
  readonly shape: readonly number[];
  readonly data: readonly number[];
  /** What it gives of them. */
  readonly made: readonly number[];
  readonly dtype?: string;
}

const CASES: readonly Case[] = [
  {
    className: "Dense",
    config: { output_dim: 2, activation: "linear" },
    arrays: { "one_W:0": array([3, 2], 1, 0, 0, 1, 1, 1), "one_b:0": array([2], 10, 20) },
    shape: [1, 3],
    data: [1, 2, 3],
    made: [14, 25],
  },
  {
    // Loaded and saved again in one session of TensorFlow.
    className: "Dense",
    config: { output_dim: 1, activation: "linear" },
    arrays: { "one_W_1:0": array([2, 1], 1, -1), "one_b_1:0": array([1], 5) },
    shape: [1, 2],
    data: [3, 1],
    made: [7],
  },
  {
    className: "TimeDistributed",
    config: { layer: { class_name: "Dense", config: { name: "in", output_dim: 1, activation: "linear" } } },
    arrays: { "in_W_2:0": array([2, 1], 1, -1), "in_b_2:0": array([1], 5) },
    shape: [1, 1, 2],
    data: [3, 1],
    made: [7],
  },
  {
    className: "Dense",
    config: { output_dim: 1, activation: "relu", bias: false },
    arrays: { "one_W:0": array([2, 1], 1, -1) },
    shape: [2, 2],
    data: [3, 1, 1, 3],
    made: [2, 0],
  },
  {
    className: "Embedding",
    config: { input_dim: 3, output_dim: 2 },
    arrays: { "one_W:0": array([3, 2], 1, 2, 3, 4, 5, 6) },
    shape: [1, 2],
    data: [2, 0],
    made: [5, 6, 1, 2],
    dtype: "int32",
  },
  {
    className: "BatchNormalization",
    config: { epsilon: 0 },
    arrays: {
      "one_gamma:0": array([2], 2, 3),
      "one_beta:0": array([2], 10, 20),
      "one_running_mean:0": array([2], 1, 2),
      "one_running_std:0": array([2], 4, 9),
    },
    shape: [2, 2],
    data: [1, 2, 3, 5],
    made: [10, 20, 12, 23],
  },
  {
    className: "PReLU",
    arrays: { "one_alphas:0": array([2], 0.5, 0.25) },
    shape: [2, 2],
    data: [-2, -4, 2, 4],
    made: [-1, -1, 2, 4],
  },
  {
    className: "MaxPooling1D",
    config: { pool_length: 2, stride: 2, border_mode: "valid" },
    shape: [1, 4, 1],
    data: [1, 4, 3, 2],
    made: [4, 3],
  },
  {
    className: "MaxPooling2D",
    config: { pool_size: [2, 1], dim_ordering: "th" },
    shape: [1, 1, 2, 3],
    data: [1, 9, 3, 4, 5, 6],
    made: [4, 9, 6],
  },
  {
    className: "MaxPooling2D",
    config: { pool_size: [2, 1], dim_ordering: "tf" },
    shape: [1, 2, 1, 3],
    data: [1, 9, 3, 4, 5, 6],
    made: [4, 9, 6],
  },
  {
    className: "AveragePooling1D",
    config: { pool_length: 2, stride: 1, border_mode: "same" },
    shape: [1, 3, 1],
    data: [1, 3, 5],
    made: [2, 4, 5],
  },
  {
    className: "MaxPooling2D",
    config: { pool_size: [2, 1], strides: null, border_mode: "valid" },
    shape: [1, 2, 2, 1],
    data: [1, 4, 3, 2],
    made: [3, 4],
  },
  {
    className: "Reshape",
    config: { target_shape: [2, 2] },
    shape: [1, 4],
    data: [1, 2, 3, 4],
    made: [1, 2, 3, 4],
  },
  {
    className: "Permute",
    config: { dims: [2, 1] },
    shape: [1, 2, 2],
    data: [1, 2, 3, 4],
    made: [1, 3, 2, 4],
  },
];

it.each(CASES)(
  "$className $config",
  ({ className, config, arrays, shape, data, made, dtype = "float32" }) => {
    const own = {
      name: "one",
      trainable: true,
      input_dtype: dtype,
      batch_input_shape: [null, ...shape.slice(1)],
    };
    const layers = [{ class_name: className, config: { ...own, ...config } }];
    const file = kerasH5({
      // A Sequential of Keras 1 is its list.
      config: { class_name: "Sequential", config: layers },
      version: "1.2.2",
      layers: { one: arrays ?? {} },
    });
    using model = loadKeras(file);
    const { one } = model.run({ data, shape });
    expect(Array.from(one!.data as Float32Array)).toEqual(made.map((number) => expect.closeTo(number, 5)));
  },
);

it.each([
  ["sum", [6, 8]],
  ["mul", [5, 12]],
  ["ave", [3, 4]],
  ["max", [5, 6]],
  ["concat", [1, 2, 5, 6]],
])("Merge by %s", (mode, made) => {
  using model = loadKeras(merging(mode));
  const { one } = model.run({ a: Float32Array.of(1, 2), b: Float32Array.of(5, 6) });
  expect(Array.from(one!.data as Float32Array)).toEqual(made);
});

it("refuses a Merge of other modes by the layer's name", () => {
  expect(() => loadKeras(merging("cos"))).toThrow(
    'keras: layer "one" (Merge): mode: "cos" is not supported; expected "sum", "mul", "ave", "max", "concat"',
  );
});

function merging(mode: string): Uint8Array {
  const layers = ["a", "b"].map((name) => ({
    name,
    class_name: "InputLayer",
    config: { name, batch_input_shape: [null, 2], input_dtype: "float32" },
    inbound_nodes: [] as unknown[],
  }));
  const one = {
    name: "one",
    class_name: "Merge",
    config: { name: "one", mode, concat_axis: -1 },
    inbound_nodes: [["a", "b"].map((name) => [name, 0, 0])],
  };
  const inputs = ["a", "b"].map((name) => [name, 0, 0]);
  const config = {
    name: "m",
    layers: [...layers, one],
    input_layers: inputs,
    output_layers: [["one", 0, 0]],
  };
  return kerasH5({ config: { class_name: "Model", config }, version: "1.2.2", layers: { one: {} } });
}
