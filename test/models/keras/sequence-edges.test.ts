/** Attention, recurrent layers and lookups beside numbers that are known, where they stand behind other layers. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { loadKeras } from "../../../src/models/index.js";
import {
  type Call,
  type CallCase,
  counted,
  expectResult,
  layerOf,
  loadCall,
  OPEN,
  of,
  STEPS,
  tensorOf,
  X,
  Y,
} from "../../support/keras-calls.js";
import { type Arrays, kerasH5 } from "../../support/keras-writer.js";

const PLACES = {
  ...layerOf("Argmax", "places", X),
  module: "keras.src.ops.numpy",
  config: { name: "places", axis: 2 },
};
const REPEATED = layerOf("RepeatVector", "rows", X, { n: 2 });
const ROWS = tensorOf("rows");
const MASKING = layerOf("Masking", "masked", X);
const MASKED = tensorOf("masked");
const VECTOR = counted([null, 3], [1, 3]);
const HALF = of([1, 2, 3, 0, 0, 0], STEPS);
const OTHERS = of([4, 5, 6, 7, 8, 9], STEPS);

const array = (shape: readonly number[], ...numbers: number[]) => ({
  shape,
  data: Float32Array.from(numbers),
});
const zeros = (...shape: number[]) =>
  array(shape, ...Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0));
const identity = (...shape: number[]) => array(shape, 1, 0, 0, 0, 1, 0, 0, 0, 1);
/** One head whose projections leave everything as it is. */
const HEAD: Call["arrays"] = {
  ...Object.fromEntries(
    ["query", "key", "value"].map((name) => [
      `layers/multi_head_attention/${name}_dense/vars/0`,
      identity(3, 1, 3),
    ]),
  ),
  "layers/multi_head_attention/output_dense/vars/0": identity(1, 3, 3),
};
const ONE_HEAD = { config: { num_heads: 1, key_dim: 3, use_bias: false }, arrays: HEAD };

const CASES: readonly CallCase[] = [
  [
    "rows that are the same",
    "Attention",
    { x: VECTOR, before: [REPEATED], args: [[ROWS, ROWS]] },
    [1, 2, 3],
    [1, 2, 3, 1, 2, 3],
  ],
  [
    "a value whose second step does not count",
    "Attention",
    { x: HALF, y: OTHERS, before: [MASKING], args: [[Y, MASKED]] },
    [1, 2, 3],
    [1, 2, 3, 1, 2, 3],
  ],
  [
    "a query whose second step does not count",
    "Attention",
    { x: HALF, before: [MASKING], args: [[MASKED, MASKED]] },
    [1, 2, 3],
    [1, 2, 3, 0, 0, 0],
  ],
  [
    "a query whose second step attends to nothing",
    "MultiHeadAttention",
    { x: HALF, before: [MASKING], args: [MASKED, MASKED], ...ONE_HEAD },
    [1, 2, 3],
    [1, 2, 3, 0.5, 1, 1.5],
  ],
  [
    "a key whose second step does not count",
    "MultiHeadAttention",
    { x: HALF, y: OTHERS, before: [MASKING], args: [Y, Y], kwargs: { key: MASKED }, ...ONE_HEAD },
    [1, 2, 3],
    [4, 5, 6, 4, 5, 6],
  ],
  [
    "keywords alone",
    "MultiHeadAttention",
    { x: VECTOR, before: [REPEATED], args: [], kwargs: { query: ROWS, value: ROWS }, ...ONE_HEAD },
    [1, 2, 3],
    [1, 2, 3, 1, 2, 3],
  ],
  [
    "an open axis",
    "Conv1DTranspose",
    {
      x: OPEN,
      config: { filters: 1, kernel_size: 1, use_bias: false },
      arrays: { "layers/conv1d_transpose/vars/0": array([1, 1, 3], 1, 1, 1) },
    },
    [1, 2, 1],
    [6, 15],
  ],
  [
    "axes that stay where they are",
    "Permute",
    { x: STEPS, config: { dims: [1, 2] } },
    [1, 2, 3],
    [1, 2, 3, 4, 5, 6],
  ],
  [
    "places of the largest numbers, counted",
    "IntegerLookup",
    {
      x: of([9, 1, 2, 0, 0, 5], STEPS),
      before: [PLACES],
      args: [tensorOf("places")],
      config: { vocabulary: [2, 0], output_mode: "count" },
    },
    [1, 3],
    [0, 1, 1],
  ],
];

describe("layers", () => {
  it.each(CASES)("%s: %s", (_, name, call, shape, data) => {
    using model = loadCall(name, call);
    expectResult(model, call, shape, data);
  });
});

describe("lookups of places", () => {
  const call: Call = {
    x: of([9, 1, 2, 0, 0, 5], STEPS),
    before: [PLACES],
    args: [tensorOf("places")],
    config: { vocabulary: [2, 0] },
  };

  it("go step by step where each has a number of its own", () => {
    using model = loadCall("IntegerLookup", call);
    using stream = model.stream();
    const steps = [9, 1, 2, 0, 0, 5];
    const made = [0, 3].map(
      (at) => stream.step({ shape: [1, 1, 3], data: steps.slice(at, at + 3) }).made!.data[0],
    );
    expect(made).toEqual([2n, 1n]);
  });

  it("do not where they are counted", () => {
    using model = loadCall("IntegerLookup", {
      ...call,
      config: { vocabulary: [2, 0], output_mode: "count" },
    });
    expect(() => model.stream()).toThrow('layer "made" (IntegerLookup): it counts over all steps of time');
  });
});

/** A GRU of zeros: each step halves its state. */
const GRU: Arrays = {
  "g/gru_cell/kernel:0": zeros(3, 6),
  "g/gru_cell/recurrent_kernel:0": zeros(2, 6),
  "g/gru_cell/bias:0": zeros(2, 6),
};
const gru = (config: object = {}) => ({ units: 2, reset_after: true, ...config });
const functional = (layers: readonly object[]) => ({
  class_name: "Functional",
  config: {
    name: "m",
    layers,
    input_layers: [
      ["x", 0, 0],
      ["h", 0, 0],
    ],
    output_layers: [["g", 0, 0]],
  },
});
const layer = (className: string, name: string, config: object, ...from: string[]) => ({
  class_name: className,
  config: { name, ...config },
  name,
  inbound_nodes: from.length === 0 ? [] : [from.map((one) => [one, 0, 0, {}])],
});

describe("a GRU", () => {
  const load = (size: number, states: number, config: object = {}) => {
    const layers = [
      layer("InputLayer", "x", { batch_input_shape: [null, 3] }),
      layer("InputLayer", "h", { batch_input_shape: [null, states] }),
      layer("Reshape", "sized", { target_shape: [2, size] }, "rows"),
      layer("RepeatVector", "rows", { n: 2 }, "x"),
      layer("GRU", "g", gru(config), size === 3 ? "rows" : "sized", "h"),
    ];
    return loadKeras(kerasH5({ config: functional(layers), layers: { g: GRU } }));
  };

  it("begins with a state that the graph gives", () => {
    using model = load(3, 2);
    const { g } = model.run({ x: { data: [1, 2, 3], shape: [1, 3] }, h: { data: [8, -4], shape: [1, 2] } });
    expect(Array.from(g!.data as Float32Array)).toEqual([expect.closeTo(2, 6), expect.closeTo(-1, 6)]);
  });

  it("is refused with a state of another size", () => {
    expect(() => load(3, 4)).toThrow(FormatError);
    expect(() => load(3, 4)).toThrow('keras: layer "g" (GRU): expected 1 initial states of 2 units, got 1');
  });

  it("is refused with rows of another size than its kernel takes", () => {
    const layers = [
      layer("InputLayer", "x", { batch_input_shape: [null, 2, 4] }),
      layer("InputLayer", "h", { batch_input_shape: [null, 2] }),
      layer("GRU", "g", gru(), "x"),
    ];
    expect(() => loadKeras(kerasH5({ config: functional(layers), layers: { g: GRU } }))).toThrow(
      'keras: layer "g" (GRU): its kernel takes 3 numbers for each step, its input has 4',
    );
  });

  it("that keeps its states is refused within another layer", () => {
    const wrapped = { class_name: "GRU", config: { name: "g", ...gru({ stateful: true }) } };
    const layers = [
      layer("InputLayer", "x", { batch_input_shape: [2, 2, 2, 3] }),
      layer("InputLayer", "h", { batch_input_shape: [2, 2] }),
      layer("TimeDistributed", "g", { layer: wrapped }, "x"),
    ];
    expect(() => loadKeras(kerasH5({ config: functional(layers), layers: { g: GRU } }))).toThrow(
      "stateful within another layer is not supported",
    );
  });
});

it("weights that are no floats are refused by name", () => {
  const kernel = { shape: [3, 1], data: Int32Array.of(1, 2, 3) };
  const run = () => loadCall("Dense", { config: { units: 1 }, arrays: { "layers/dense/vars/0": kernel } });
  expect(run).toThrow('keras: layer "made" (Dense): weight kernel of int32 is not supported');
});
