/** What files of Keras may state of layers and arrays besides: activations as objects, other classes, weights alone. */
import { unzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { Hdf5File } from "../../src/formats/hdf5/file.js";
import { readFilters, unfilter } from "../../src/formats/hdf5/filters.js";
import { own, readShared } from "../../src/formats/hdf5/object-header.js";
import {
  fromKeras,
  fromTensorFlow,
  type KerasModel,
  readKeras,
  readManifest,
  readNumpy,
  readTfjs,
} from "../../src/formats/index.js";
import { activationOf } from "../../src/formats/keras/activation.js";
import { arrayNames } from "../../src/formats/keras/array-names.js";
import { versionOf } from "../../src/formats/keras/version.js";
import { readNpyArray } from "../../src/formats/numpy/npy.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { type Hdf5Tree, hdf5 } from "../support/hdf5-tree.js";
import { type Arrays, kerasH5, kerasZip } from "../support/keras-writer.js";

const layer = (className: string, config: object = {}) => ({ class_name: className, config });
/** With another byte at one place. */
function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}
const described = ({ layers }: KerasModel) =>
  layers.map(({ name, className, weights }) => [name, className, [...weights.keys()].join()]);

describe("an activation", () => {
  const third = versionOf("3.8.0");
  it.each<[string, unknown, unknown]>([
    ["null", null, "linear"],
    ["a name", "swish", "silu"],
    ["a function", layer("function", "relu" as never), "relu"],
    [
      "an Activation",
      layer("Activation", { activation: "hard_silu" }),
      { name: "hardSilu", alpha: 1 / 6, beta: 0.5 },
    ],
    ["an ELU", layer("ELU", { alpha: 0.5 }), { name: "elu", alpha: 0.5 }],
    ["an ELU without alpha", layer("ELU"), { name: "elu", alpha: 1 }],
    ["a LeakyReLU", layer("LeakyReLU", { negative_slope: 0.1 }), { name: "leakyRelu", alpha: 0.1 }],
    ["a LeakyReLU without slope", layer("LeakyReLU"), { name: "leakyRelu", alpha: 0.3 }],
    ["a ReLU", layer("ReLU"), "relu"],
    ["a ReLU with an end", layer("ReLU", { max_value: 6 }), { name: "hardTanh", alpha: 0, beta: 6 }],
    ["a ReLU with a slope", layer("ReLU", { negative_slope: 0.2 }), { name: "leakyRelu", alpha: 0.2 }],
  ])("that is %s", (_, value, activation) => {
    expect(activationOf(value, third)).toEqual({ activation });
  });

  it.each<[string, unknown, string]>([
    [
      "a ReLU with a slope and an end",
      layer("ReLU", { max_value: 6, negative_slope: 0.2 }),
      '"ReLU" has no equal',
    ],
    ["a ReLU with a threshold", layer("ReLU", { threshold: 1 }), '"ReLU" has no equal'],
    ["an object without a class", { config: {} }, "has no equal here"],
    [
      "code",
      { ...layer("function"), registered_name: "my>act" },
      '"my>act" is code that the file does not hold',
    ],
    ["a number", 3, "expected an activation's name, got 3"],
  ])("has no equal that is %s", (_, value, problem) => {
    expect(activationOf(value, third)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

it.each<[string, object, readonly string[] | undefined]>([
  ["DepthwiseConv2D", {}, ["depthwise_kernel", "bias"]],
  ["SeparableConv1D", {}, ["depthwise_kernel", "pointwise_kernel", "bias"]],
  ["PReLU", {}, ["alpha"]],
  ["BatchNormalization", {}, ["gamma", "beta", "moving_mean", "moving_variance"]],
  ["BatchNormalization", { scale: false, center: false }, ["moving_mean", "moving_variance"]],
  ["LayerNormalization", { center: false }, ["gamma"]],
  ["Unknown", {}, undefined],
])("knows the arrays of a %s of %o", (className, config, names) => {
  const own = { name: "x", ownName: "x", className, config: config as never, registeredName: undefined };
  expect(arrayNames(own)).toEqual(names);
});

describe("weights alone", () => {
  const of = (arrays: Arrays) => described(readKeras(kerasH5({ layers: { x: arrays } })));
  const kernels = (gates: number, bias: number): Arrays => ({
    "x/kernel:0": { shape: [3, 2 * gates] },
    "x/recurrent_kernel:0": { shape: [2, 2 * gates] },
    "x/bias:0": { shape: [bias] },
  });

  it.each<[string, Arrays, string[][]]>([
    ["an Embedding", { "x/embeddings:0": { shape: [9, 2] } }, [["x", "Embedding", "embeddings"]]],
    [
      "a BatchNormalization",
      { "x/gamma:0": { shape: [2] }, "x/moving_mean:0": { shape: [2] } },
      [["x", "BatchNormalization", "gamma,moving_mean"]],
    ],
    ["a LayerNormalization", { "x/beta:0": { shape: [2] } }, [["x", "LayerNormalization", "beta"]]],
    ["a CuDNNLSTM", kernels(4, 16), [["x", "CuDNNLSTM", "kernel,recurrent_kernel,bias"]]],
    ["a SimpleRNN", kernels(1, 2), [["x", "SimpleRNN", "kernel,recurrent_kernel,bias"]]],
    ["a layer of two gates", kernels(2, 4), [["x", "Layer", "kernel,recurrent_kernel,bias"]]],
    [
      "a nested model",
      { "a/kernel:0": { shape: [3, 2] }, "b/kernel:0": { shape: [2, 2] } },
      [
        ["x/a", "Dense", "kernel"],
        ["x/b", "Dense", "kernel"],
      ],
    ],
    ["an array of no class", { "x/strange:0": { shape: [1] } }, [["x", "Layer", "strange"]]],
  ])("tell %s", (_, arrays, layers) => {
    expect(of(arrays)).toEqual(layers);
  });
});

describe("a file of Keras", () => {
  const config = (...layers: unknown[]) => ({ class_name: "Sequential", config: { name: "m", layers } });
  const lstm = (more = {}) => layer("LSTM", { name: "lstm", units: 2, ...more });
  const arrays: Arrays = {
    "lstm/kernel:0": { shape: [3, 8] },
    "lstm/recurrent_kernel:0": { shape: [2, 8] },
    "lstm/bias:0": { shape: [8] },
  };
  const zipped: Arrays = Object.fromEntries(
    [[3, 8], [2, 8], [8]].map((shape, at) => [`layers/lstm/cell/vars/${at}`, { shape }]),
  );

  it("of a version with two meanings has to state its gates' activation", () => {
    const read = (more: object) =>
      readKeras(kerasH5({ config: config(lstm(more)), version: "2.2.4-tf", layers: { lstm: arrays } }));
    expect(read({}).skipped).toEqual([
      { name: "lstm", reason: "its config does not state recurrent_activation" },
    ]);
    expect(read({ recurrent_activation: "sigmoid" }).layers[0]!.recurrent!.kind).toBe("LSTM");
  });

  it("has layers of code of its own, whose class is called LSTM", () => {
    const own = { ...lstm(), registered_name: "my>LSTM" };
    const { skipped } = readKeras(kerasH5({ config: config(own), layers: { lstm: arrays } }));
    expect(skipped).toEqual([{ name: "lstm", reason: "my>LSTM: code that the file does not hold" }]);
  });

  it("has the folders of earlier versions, and may lack metadata.json", () => {
    const old = Object.fromEntries(
      Object.entries(zipped).map(([path, array]) => [
        path.replace("layers", "_layer_checkpoint_dependencies"),
        array,
      ]),
    );
    const read = readKeras(kerasZip(config(lstm({ recurrent_activation: "sigmoid" })), old));
    expect(described(read)).toEqual([["lstm", "LSTM", "kernel,recurrent_kernel,bias"]]);
  });

  it("of Keras 3 is one where no version is stated", () => {
    const { "metadata.json": _, ...rest } = unzipSync(kerasZip(config(lstm()), zipped));
    const { kerasVersion, layers } = readKeras(zipSync(rest));
    expect(kerasVersion).toBe("3.15.0");
    expect(layers[0]!.recurrent!.options.recurrentActivation).toBe("sigmoid");
  });

  it("of weights alone has folders within folders", () => {
    const folders = kerasZip({}, { "layers/functional/layers/lstm_1/cell/vars/0": { shape: [3, 8] } });
    expect(described(readKeras(unzipSync(folders)["model.weights.h5"]!))).toEqual([
      ["functional/lstm_1", "LSTM", "kernel"],
    ]);
  });

  it("has a Bidirectional without bias, and cells within cells", () => {
    const without = { recurrent_activation: "sigmoid", use_bias: false };
    const bi = layer("Bidirectional", { name: "bi", layer: lstm(without) });
    const half = (name: string): Arrays => ({
      [`${name}/kernel:0`]: { shape: [3, 8] },
      [`${name}/recurrent_kernel:0`]: { shape: [2, 8] },
    });
    const read = readKeras(kerasH5({ config: config(bi), layers: { bi: { ...half("a"), ...half("b") } } }));
    expect(read.layers[0]!.recurrent!.options).toMatchObject({ bidirectional: true, bias: false });
    const cell = layer("GRUCell", { name: "g", units: 2, reset_after: false, use_bias: false });
    const stack = (...cells: object[]) => layer("StackedRNNCells", { name: "s", cells });
    const rnn = layer("RNN", { name: "r", cell: stack(stack(cell), cell) });
    const gru = (name: string, inputs: number): Arrays => ({
      [`${name}/kernel:0`]: { shape: [inputs, 6] },
      [`${name}/recurrent_kernel:0`]: { shape: [2, 6] },
    });
    const layers = { r: { ...gru("a", 3), ...gru("b", 2) } };
    const [own] = readKeras(kerasH5({ config: config(rnn), layers })).layers;
    expect(own!.parts!.map(({ recurrent }) => recurrent.options.inputSize)).toEqual([3, 2]);
  });

  it("has layers without arrays, which are named, and at least one with some", () => {
    const dense = { "layers/dense/vars/0": { shape: [1, 1] } };
    const bytes = kerasZip(config(lstm(), layer("Dense", { name: "dense", units: 1 })), dense);
    expect(readKeras(bytes).skipped).toEqual([
      { name: "lstm", reason: "the file has no arrays for it; build the model, then save it" },
    ]);
    expect(() => readKeras(kerasZip(config(lstm()), {}))).toThrow("keras: the file has no weights");
  });

  it.each<[string, Uint8Array, string]>([
    [
      "an array that is missing",
      kerasH5({ config: config(lstm()), layers: { lstm: arrays }, names: ["lstm", "x"] }),
      'layer "x": its group is missing',
    ],
    [
      "a gate that is missing",
      kerasH5({
        config: { class_name: "Sequential", config: [layer("LSTM", { name: "lstm", output_dim: 2 })] },
        version: "1.2.2",
        layers: {
          lstm: Object.fromEntries(
            ["W_i", "U_i", "b_i"].map((name) => [`lstm_${name}:0`, { shape: [2, 2] }]),
          ),
        },
      }),
      "W_f is missing",
    ],
    [
      "gates of different shapes",
      kerasH5({
        config: { class_name: "Sequential", config: [layer("SimpleRNN", { name: "r", output_dim: 2 })] },
        version: "1.2.2",
        layers: { r: { "r_W:0": { shape: [] }, "r_U:0": { shape: [2, 2] }, "r_b:0": { shape: [2] } } },
      }),
      "its gates have different shapes",
    ],
    [
      "a version that is none",
      kerasH5({ config: config(lstm()), version: "x", layers: { lstm: arrays } }),
      "keras_version: expected 1, 2 or 3, got",
    ],
    [
      "a superblock of a later version",
      changed(hdf5({ members: new Map() }), 8, 4),
      "superblock: version 4 is not supported",
    ],
    [
      "addresses of three bytes",
      changed(hdf5({ members: new Map() }), 13, 3),
      "addresses of 3 bytes are not supported",
    ],
  ])("is refused with %s", (_, bytes, message) => {
    expect(() => readKeras(bytes)).toThrow(FormatError);
    expect(() => readKeras(bytes)).toThrow(message);
  });
});

describe("a chunk of HDF5", () => {
  const sizes = { bytes: 4, elementBytes: 4 };
  it.each<[string, number[], number[], string]>([
    ["too short to be deflated", [1, 2, 3], [1], "is too short to be deflated"],
    ["not in zlib's format", Array(12).fill(1), [1], "is not in zlib's format"],
    ["deflated twice", Array(12).fill(0), [1, 1], "deflate upon deflate is not supported"],
    ["too short for its checksum", [1], [3], "is too short for its checksum"],
    ["of other bytes than its data set has", [1, 2], [2], "has 2 bytes, expected 4"],
  ])("is refused that is %s", (_, bytes, filters, message) => {
    expect(() => unfilter(Uint8Array.from(bytes), filters, 0, sizes, "keras: chunk")).toThrow(
      new FormatError(`keras: chunk${message.startsWith("deflate") ? ":" : ""} ${message}`),
    );
  });
});

describe("HDF5's parts", () => {
  const widths = { address: 8, length: 8 };
  const fileOf = (...bytes: number[]) => new Hdf5File(Uint8Array.from(bytes), widths, "keras", 1e6);
  it.each<[string, () => unknown, string]>([
    [
      "filters of version 3",
      () => readFilters(fileOf().cursor(Uint8Array.of(3, 1), "keras: filters")),
      "has 1 filters of version 3",
    ],
    [
      "a shared message of version 4",
      () => readShared(fileOf(), Uint8Array.of(4, 0), 1),
      "in a heap of their own are not supported",
    ],
    [
      "a shared message in a heap",
      () => readShared(fileOf(), Uint8Array.of(3, 1), 1),
      "in a heap of their own are not supported",
    ],
    [
      "a shared message of version 1 that leads nowhere",
      () => readShared(fileOf(1, 2), Uint8Array.from([1, 0, ...Array(14).fill(0)]), 1),
      "keras: ",
    ],
    [
      "a message that may not be shared",
      () => own(fileOf(), { type: 1, flags: 2, bytes: new Uint8Array(0) }, "layout"),
      "keras: layout: shared messages are not supported",
    ],
  ])("are refused with %s", (_, read, message) => {
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  it("may leave the base of the file open, and no end", () => {
    const bytes = kerasH5({ layers: { x: { "x/embeddings:0": { shape: [9, 2] } } } });
    expect(described(readKeras(bytes.slice().fill(0xff, 24, 32)))).toEqual(described(readKeras(bytes)));
    expect(() => readKeras(bytes.slice().fill(0xff, 40, 48))).toThrow("it is truncated");
    expect(() => readKeras(changed(bytes, 8, 1))).toThrow(FormatError);
  });
});

describe("a group of layers", () => {
  const weights = (members: Map<string, Hdf5Tree>, keras_version: string | string[] = "2.15.0") =>
    hdf5({ attributes: { keras_version, layer_names: ["x"] }, members });
  it("is refused where an array is missing, and read where a layer names none", () => {
    const without = weights(new Map([["x", { members: new Map() }]]));
    expect(() => readKeras(without)).toThrow("keras: the file has no weights");
    const missing = weights(new Map([["x", { attributes: { weight_names: ["a"] }, members: new Map() }]]));
    expect(() => readKeras(missing)).toThrow('keras: layer "x": array "a" is missing');
    expect(() => readKeras(weights(new Map(), ["2", "3"]))).toThrow("keras_version: expected 1, 2 or 3");
  });
});

it("takes 2 as a version, and names the shape that a bias of SimpleRNN has", () => {
  const rnn = {
    kernel: [[1, 2]],
    recurrentKernel: [
      [1, 2],
      [3, 4],
    ],
  };
  expect(fromKeras(rnn, "RNN", { kerasVersion: 2 }).size).toBe(2);
  expect(() => fromKeras({ ...rnn, bias: [1] }, "RNN")).toThrow("bias: expected shape [2], got [1]");
});

describe("names and shapes of TensorFlow and NumPy", () => {
  const zeros = (...shape: number[]) => Tensor.zeros(shape);
  it.each<[string, () => unknown, string]>([
    [
      "many files that are missing",
      () => readManifest([{ paths: [..."abcdefghij"], weights: [] }], {}),
      " and 2 more",
    ],
    [
      "a kernel of a plain cell",
      () =>
        fromTensorFlow(
          { "basic_rnn_cell/kernel": zeros(2, 3, 1), "basic_rnn_cell/bias": zeros(3) },
          "BasicRNN",
        ),
      "hiddenSize",
    ],
    [
      "a long name",
      () =>
        fromTensorFlow(
          { [`${"x".repeat(300)}/layer_norm_basic_lstm_cell/kernel`]: zeros(3, 4) },
          "BasicLSTM",
        ),
      "...",
    ],
    ["an array of no type", () => readNumpy(npy("<")), "numpy: "],
    ["an array of another type", () => readNumpy(npy("<z4")), "is not supported"],
    ["no array", () => readNpyArray(new Uint8Array(20), "numpy"), "numpy: no .npy file"],
  ])("are told of %s", (_, read, message) => {
    expect(read).toThrow(message);
  });

  function npy(descr: string): Uint8Array {
    const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (1,), }\n`;
    const header = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    return Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0, ...header, 0, 0, 0, 0);
  }
});

it("believes the names of TensorFlow.js' arrays, which its converter sorts, before their order", () => {
  const lstm = (name: string) => layer("LSTM", { name, units: 1 });
  const inner = layer("Sequential", { name: "front", layers: [lstm("lstm_2")] });
  const last = layer("Sequential", { name: "back", layers: [lstm("lstm_3")] });
  const config = { name: "m", layers: [inner, lstm("lstm_1"), last] };
  const weights = ["lstm_1", "lstm_2", "lstm_3"].flatMap((name) =>
    [
      ["kernel", [1, 4]],
      ["recurrent_kernel", [1, 4]],
      ["bias", [4]],
    ].map(([last, shape]) => ({ name: `${name}/lstm_cell/${last}`, shape, dtype: "float32" })),
  );
  const numbers = Float32Array.from({ length: 36 }, (_, at) => 1 + Math.floor(at / 12));
  const modelJson = {
    modelTopology: { keras_version: "2.15.0", model_config: { class_name: "Sequential", config } },
    weightsManifest: [{ paths: ["a"], weights }],
  };
  const { layers } = readTfjs(modelJson, new Uint8Array(numbers.buffer));
  expect(layers.map(({ name, weights }) => [name, weights.get("bias")!.data[0]])).toEqual([
    ["front/lstm_2", 2],
    ["lstm_1", 1],
    ["back/lstm_3", 3],
  ]);
});
