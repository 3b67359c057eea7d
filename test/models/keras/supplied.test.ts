/** Layers that the caller supplies to `loadKeras` and `loadTfjs`, in the place of code that a file does not hold. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { loadKeras, loadTfjs, type Model, type SuppliedLayers } from "../../../src/models/index.js";
import type { TensorData } from "../../../src/tensor/like.js";
import { Tensor } from "../../../src/tensor/tensor.js";
import { callFile, counted, X, Y } from "../../support/keras-calls.js";
import { type H5Model, kerasH5 } from "../../support/keras-writer.js";

type Floats = Tensor<Float32Array>;

const input = (shape: readonly (number | null)[]) => ({
  class_name: "InputLayer",
  config: { name: "x", batch_input_shape: shape, dtype: "float32" },
});
const layer = (className: string, name: string, config: object = {}) => ({
  class_name: className,
  config: { name, ...config },
});
const sequential = (layers: readonly unknown[], name = "model") => ({
  class_name: "Sequential",
  config: { name, layers },
});
const scale = { class_name: "Scale", registered_name: "own>Scale", config: { name: "scale", by: 3 } };
const ARRAYS: H5Model["layers"] = {
  scale: { "scale/offset:0": { shape: [2], data: Float32Array.of(10, 20) } },
};

const each = (x: Tensor<TensorData>, of: (number: number, at: number) => number): Floats =>
  new Tensor(
    Float32Array.from(x.data as Float32Array, (number, at) => of(number, at)),
    x.shape,
  );

/** x by + offset. */
const LAYERS: SuppliedLayers = {
  "own>Scale": (config, weights) => {
    const offset = weights.get("offset")!.data as Float32Array;
    return ([x]) => each(x!, (number, at) => number * (config.by as number) + offset[at % 2]!);
  },
};

const load = (config: unknown, layers: SuppliedLayers = LAYERS, arrays = ARRAYS): Model<string> =>
  loadKeras(kerasH5({ config, layers: arrays }), { layers });

const results = (model: Model<string>, data: readonly number[], shape: readonly number[]) => {
  const outputs = model.run({ data: Float32Array.from(data), shape });
  const { data: numbers, shape: own, dtype } = Object.values(outputs)[0]!;
  return { data: Array.from(numbers as Float32Array), shape: [...own], dtype };
};

describe("supplied layers", () => {
  it("compute in the place of a registered class, with the file's weights", () => {
    using model = load(sequential([input([null, 2]), layer("ReLU", "r"), scale, layer("ReLU", "s")]));
    expect(model.outputs).toEqual([{ name: "s", shape: ["batch", 2], dtype: "float32" }]);
    expect(results(model, [1, 2, -3, -4], [2, 2]).data).toEqual([13, 26, 10, 20]);
    expect(results(model, [1, 2], [1, 2]).data).toEqual([13, 26]);
    expect(model.summary()).toContain("scale (Scale)");
  });

  it("are found by the names of classes and of layers", () => {
    const lambdas = sequential([input([null, 2]), layer("Lambda", "one"), layer("Lambda", "two")]);
    const names: unknown[] = [];
    using model = load(
      lambdas,
      {
        Lambda: (config) => {
          names.push(config.name);
          return ([x]) => each(x!, (number) => number + 1);
        },
        two:
          () =>
          ([x]) =>
            each(x!, (number) => number * 10),
      },
      {},
    );
    expect(results(model, [1, 2], [1, 2]).data).toEqual([20, 30]);
    expect(names).toEqual(["one"]);
  });

  it("are made once, however often the model calls the layer", () => {
    let made = 0;
    const config = {
      class_name: "Functional",
      config: {
        name: "model",
        layers: [
          { ...input([null, 1]), name: "x", inbound_nodes: [] },
          { ...layer("Lambda", "l"), name: "l", inbound_nodes: [[["x", 0, 0, {}]], [["l", 0, 0, {}]]] },
        ],
        input_layers: [["x", 0, 0]],
        output_layers: [["l", 1, 0]],
      },
    };
    const layers: SuppliedLayers = {
      Lambda: () => {
        made++;
        return ([x]) => each(x!, (number) => number * 2);
      },
    };
    using model = load(config, layers, {});
    expect(results(model, [3], [1, 1]).data).toEqual([12]);
    expect(made).toBe(1);
  });

  it("give several tensors, of other types and sizes", () => {
    const config = {
      class_name: "Functional",
      config: {
        name: "model",
        layers: [
          { ...input([null, null, 2]), name: "x", inbound_nodes: [] },
          { ...layer("Ends", "ends"), name: "ends", inbound_nodes: [[["x", 0, 0, {}]]] },
        ],
        input_layers: [["x", 0, 0]],
        output_layers: [
          ["ends", 0, 0],
          ["ends", 0, 1],
        ],
      },
    };
    using model = load(
      config,
      {
        Ends:
          () =>
          ([x]) => {
            const [batch, steps] = x!.shape as [number, number];
            return [
              new Tensor(
                BigInt64Array.from({ length: batch }, () => BigInt(steps)),
                [batch],
              ),
              new Tensor(new Uint8Array(batch * steps).fill(1), [batch, steps], { dtype: "bool" }),
            ];
          },
      },
      {},
    );
    expect(model.outputs.map(({ shape, dtype }) => [shape, dtype])).toEqual([
      [["batch"], "int64"],
      [["batch", "?"], "bool"],
    ]);
    const { ends, ends_1 } = model.run({ data: new Float32Array(12), shape: [2, 3, 2] });
    expect(ends!.data).toEqual(BigInt64Array.of(3n, 3n));
    expect([ends_1!.shape, ends_1!.dtype]).toEqual([[2, 3], "bool"]);
  });

  it("work within a nested model and a TimeDistributed", () => {
    const nested = sequential([scale], "inner");
    const arrays = { inner: { "scale/offset:0": { shape: [2], data: Float32Array.of(10, 20) } } };
    using model = load(sequential([input([null, 2]), nested]), LAYERS, arrays);
    expect(results(model, [1, 2], [1, 2]).data).toEqual([13, 26]);
    const timed = layer("TimeDistributed", "timed", { layer: scale });
    const own = { timed: { "timed/offset:0": { shape: [2], data: Float32Array.of(10, 20) } } };
    using wrapped = load(sequential([input([null, null, 2]), timed]), LAYERS, own);
    expect(results(wrapped, [1, 2, 3, 4], [1, 2, 2])).toEqual({
      data: [13, 26, 19, 32],
      shape: [1, 2, 2],
      dtype: "float32",
    });
  });

  it("go into models of TensorFlow.js", () => {
    const modelTopology = {
      keras_version: "2.15.0",
      model_config: sequential([input([null, 2]), layer("Lambda", "l")]),
    };
    using model = loadTfjs({ modelTopology, weightsManifest: [] }, new Uint8Array(0), {
      layers: {
        Lambda:
          () =>
          ([x]) =>
            each(x!, (number) => -number),
      },
    });
    expect(results(model, [1, 2], [1, 2]).data).toEqual([-1, -2]);
  });

  it("are called with zeros once for each new shape, and see tensors of their own", () => {
    const given: number[][] = [];
    using model = load(
      sequential([input([null, 1]), layer("Lambda", "l"), layer("ReLU", "r")]),
      {
        Lambda:
          () =>
          ([x]) => {
            given.push(Array.from(x!.data as Float32Array));
            (x!.data as Float32Array).fill(7);
            return x!;
          },
      },
      {},
    );
    expect(given).toEqual([
      [0, 0],
      [0, 0, 0],
    ]);
    given.length = 0;
    const data = Float32Array.of(4, 5, 6, 7);
    for (let turn = 0; turn < 2; turn++) expect(results(model, [...data], [4, 1]).data).toEqual([7, 7, 7, 7]);
    expect(given).toEqual([
      [0, 0, 0, 0],
      [4, 5, 6, 7],
      [4, 5, 6, 7],
    ]);
  });

  it("are not streamed", () => {
    using model = load(
      sequential([input([null, null, 2]), layer("Lambda", "l")]),
      {
        Lambda:
          () =>
          ([x]) =>
            x!,
      },
      {},
    );
    expect(() => model.stream()).toThrow('layer "l" (Lambda): what it computes is not known');
  });
});

describe("errors of supplied layers", () => {
  const lambda = sequential([input([null, 2]), layer("Lambda", "l")]);

  it("tell what is not supplied", () => {
    expect(() => load(lambda, {}, {})).toThrow(FormatError);
    expect(() => load(lambda, {}, {})).toThrow('keras: layer "l" (Lambda): its Python code is not run');
    expect(() => load(sequential([input([null, 2]), scale]), {})).toThrow("own>Scale");
  });

  it.each([
    ...[
      ["null", null, "null"],
      ["a Map", new Map([["Lambda", () => () => []]]), "a Map"],
      ["a Set", new Set(), "a Set"],
      ["an array", [], "an array of length 0"],
      ["a Promise", Promise.resolve({}), "a Promise"],
      ["a function", () => ({}), "a function"],
      ["an object of a class", new (class Layers {})(), "an Object"],
    ].map(([what, layers, got]): [string, unknown, string] => [
      what as string,
      layers,
      `options.layers: expected a plain object of functions by the names of classes, got ${got}`,
    ]),
    ["a number", { Lambda: 1 }, "options.layers.Lambda: expected a function"],
    [
      "no function of inputs",
      { Lambda: () => 1 },
      'layer "l" (Lambda): options.layers.Lambda: expected a function',
    ],
    ["a number of inputs", { Lambda: () => () => 1 }, 'layer "l" (Lambda): output 0: expected a Tensor'],
    ["no outputs", { Lambda: () => () => [] }, 'layer "l" (Lambda): what it gives: expected a Tensor'],
  ])("refuse %s", (_, layers, message) => {
    expect(() => load(lambda, layers as never, {})).toThrow(TypeError);
    expect(() => load(lambda, layers as never, {})).toThrow(message);
  });

  it.each([
    ["a tensor", Y],
    ["a list with one", [1, Y]],
  ])("refuse %s by keyword", (_, scale) => {
    const call = { y: counted([null, 3], [2, 3]), args: [X], kwargs: { scale } };
    const run = () =>
      loadKeras(callFile("Lambda", call), {
        layers: {
          Lambda:
            () =>
            ([x]) =>
              x!,
        },
      });
    expect(run).toThrow(FormatError);
    expect(run).toThrow(
      'keras: layer "made" (Lambda): scale: a tensor by keyword is not supported for a layer of options.layers',
    );
  });

  it("take plain keywords, and a mask, for nothing", () => {
    const kwargs = { mask: Y, training: false, scale: 2, name: null };
    const call = { y: counted([null, 3], [2, 3], "bool"), args: [X], kwargs };
    using model = loadKeras(callFile("Lambda", call), {
      layers: {
        Lambda:
          () =>
          ([x]) =>
            x!,
      },
    });
    const shape = [1, 3];
    const { made } = model.run({ x: { data: [1, 2, 3], shape }, y: { data: [1, 0, 1], shape } });
    expect(made!.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it.each<[string, (batch: number) => Tensor<TensorData> | readonly Tensor<TensorData>[]]>([
    ["axes", (batch) => new Tensor(new Float32Array(2), batch === 2 ? [2] : [2, 1])],
    ["type", (batch) => new Tensor(batch === 2 ? new Float32Array(2) : new Int32Array(2), [2])],
    ["count", (batch) => Array.from({ length: 4 - batch }, () => new Tensor(new Float32Array(1), [1]))],
  ])("refuse outputs whose %s differs with the batch", (_, give) => {
    const layers: SuppliedLayers = {
      Lambda:
        () =>
        ([x]) =>
          give(x!.shape[0]!),
    };
    expect(() => load(lambda, layers, {})).toThrow(
      /^keras: layer "l" \(Lambda\): output [01] has other axes, or another type, for a batch of another size$/,
    );
  });

  it("name the layer for what it throws", () => {
    const cause = new Error("no such thing");
    const thrower = () => {
      throw cause;
    };
    for (const layers of [{ Lambda: thrower }, { Lambda: () => thrower }]) {
      expect(() => load(lambda, layers, {})).toThrow(
        expect.objectContaining({
          message: 'keras: layer "l" (Lambda): options.layers threw: no such thing',
          cause,
          code: "LSTM_WASM_TYPE",
        }),
      );
    }
  });

  it("tell what is thrown that is no Error, and a type that graphs have not", () => {
    const text = () => {
      throw "no such thing";
    };
    expect(() => load(lambda, { Lambda: () => text }, {})).toThrow(
      'keras: layer "l" (Lambda): options.layers threw: no such thing',
    );
    const shorts = () => new Tensor(new Int16Array(2), [2]);
    expect(() => load(lambda, { Lambda: () => shorts }, {})).toThrow(
      'keras: layer "l" (Lambda): output 0.dtype: expected one of float32, int64, int32, int8, uint8, bool, got "int16"',
    );
  });

  it("name the layer where a run gives another shape", () => {
    let calls = 0;
    using model = load(
      lambda,
      {
        Lambda:
          () =>
          ([x]) =>
            ++calls > 3 ? new Tensor(new Float32Array(3), [3]) : x!,
      },
      {},
    );
    expect(() => results(model, [1, 2], [1, 2])).toThrow(
      'keras: layer "l" (Lambda): its outputs: expected what it gave of zeros, float32 [1, 2], got float32 [3]',
    );
  });

  it("refuse a use of the model within its own layer", () => {
    const uses: ((model: Model<string>) => unknown)[] = [
      (model) => model.run(Float32Array.of(1, 2)),
      (model) => model.dispose(),
    ];
    for (const use of uses) {
      let own: Model<string> | undefined;
      using model = load(
        lambda,
        {
          Lambda:
            () =>
            ([x]) => {
              if (own !== undefined) use(own);
              return x!;
            },
        },
        {},
      );
      own = model;
      expect(() => results(model, [1, 2], [1, 2])).toThrow("used within one of its own layers");
      own = undefined;
      expect(results(model, [1, 2], [1, 2]).data).toEqual([1, 2]);
    }
  });
});
