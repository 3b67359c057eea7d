/** Keras' files that contradict themselves, are broken or are something else: each is named. */
import { readFileSync } from "node:fs";
import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { FormatError, type KerasModel, readKeras, readTorch } from "../../src/formats/index.js";
import { hardLink, hdf5, header, SCALAR, softLink } from "../support/hdf5-writer.js";
import { type Arrays, type H5Model, kerasH5, kerasZip } from "../support/keras-writer.js";

/** Of 3 inputs and 2 units unless told. */
const cell = (className: string, more = {}) => ({
  class_name: className,
  config: { name: className.toLowerCase(), units: 2, recurrent_activation: "sigmoid", ...more },
});
const wrapper = (className: string, config: object) => ({
  class_name: className,
  config: { name: "wrapper", ...config },
});
const model = (...layers: unknown[]) => ({ class_name: "Sequential", config: { name: "model", layers } });
const arrays = (path: string, gates: number, bias: number[] | null = [2 * gates], inputs = 3): Arrays => ({
  [`${path}kernel:0`]: { shape: [inputs, 2 * gates] },
  [`${path}recurrent_kernel:0`]: { shape: [2, 2 * gates] },
  ...(bias === null ? {} : { [`${path}bias:0`]: { shape: bias } }),
});
const lstm = arrays("lstm/lstm_cell/", 4);
const folders = (...names: string[]): Arrays =>
  Object.fromEntries(
    names.flatMap((name) =>
      [[3, 8], [2, 8], [8]].map((shape, at) => [`layers/${name}/cell/vars/${at}`, { shape }]),
    ),
  );

/** An `.h5` of one LSTM, with another config or other arrays. */
const h5 = (layer: unknown, layers: H5Model["layers"] = { lstm }, more: Partial<H5Model> = {}) =>
  kerasH5({ config: model(layer), layers, ...more });
const withConfig = (config: unknown) => kerasH5({ config, layers: { lstm } });
const within = (depth: number, wrap: (inner: unknown) => unknown, innermost: unknown) =>
  Array.from({ length: depth }).reduce((inner: unknown) => wrap(inner), innermost);
const zip = (names: Record<string, string>) =>
  zipSync(Object.fromEntries(Object.entries(names).map(([name, text]) => [name, strToU8(text)])));

const CONTRADICTIONS: Readonly<Record<string, readonly [make: () => Uint8Array, message: string]>> = {
  "other units": [
    () => h5(cell("LSTM", { units: 3 })),
    'keras: layer "lstm": units: expected 2, as recurrent_kernel has them, got 3',
  ],
  "units as text": [
    () => h5(cell("LSTM", { units: "2" })),
    'units: expected 2, as recurrent_kernel has them, got "2"',
  ],
  "units of NaN": [
    () =>
      withConfig(
        '{"class_name":"Sequential","config":{"layers":[{"class_name":"LSTM","config":{"name":"lstm","units":NaN,"recurrent_activation":"sigmoid"}}]}}',
      ),
    'layer "lstm": units: expected 2',
  ],
  "a bias that use_bias denies": [
    () => h5(cell("LSTM", { use_bias: false })),
    'layer "lstm": expected 2 arrays (kernel, recurrent_kernel), got 3',
  ],
  "no bias": [
    () => h5(cell("LSTM"), { lstm: arrays("lstm/", 4, null) }),
    'layer "lstm": expected 3 arrays (kernel, recurrent_kernel, bias), got 2',
  ],
  "use_bias of 1": [() => h5(cell("LSTM", { use_bias: 1 })), "use_bias: expected true or false, got 1"],
  "reset_after with the bias of before": [
    () => h5(cell("GRU", { reset_after: true }), { gru: arrays("gru/", 3) }),
    'layer "gru": reset_after: its bias is that of false, the config says true',
  ],
  "reset before with the bias of after": [
    () => h5(cell("GRU", { reset_after: false }), { gru: arrays("gru/", 3, [2, 6]) }),
    'layer "gru": reset_after: its bias is that of true, the config says false',
  ],
  "a GRU's arrays": [
    () => h5(cell("LSTM"), { lstm: arrays("lstm/", 3) }),
    'layer "lstm": recurrent_kernel: expected shape [H, 4 H] for LSTM, got [2, 6]',
  ],
  "a kernel of one dimension": [
    () => h5(cell("LSTM"), { lstm: { ...lstm, "lstm/lstm_cell/kernel:0": { shape: [24] } } }),
    'layer "lstm": kernel: expected a matrix, got shape [24]',
  ],
  "a kernel of a scalar": [
    () => h5(cell("LSTM"), { lstm: { ...lstm, "lstm/lstm_cell/kernel:0": { shape: [] } } }),
    "kernel: expected a matrix, got shape []",
  ],
  "no inputs": [
    () => h5(cell("LSTM"), { lstm: arrays("lstm/", 4, [8], 0) }),
    "kernel: expected shape [inputSize, 8], got [0, 8]",
  ],
  "no units": [
    () =>
      h5(cell("SimpleRNN"), {
        simplernn: {
          "x/kernel": { shape: [3, 0] },
          "x/recurrent_kernel": { shape: [0, 0] },
          "x/bias": { shape: [0] },
        },
      }),
    "recurrent_kernel: expected shape [H, H] for RNN, got [0, 0]",
  ],
  "a short bias": [
    () => h5(cell("LSTM"), { lstm: arrays("lstm/", 4, [3]) }),
    'layer "lstm": bias: expected shape [8], or [16] of cuDNN, got [3]',
  ],
  integers: [
    () =>
      h5(cell("LSTM"), {
        lstm: { ...lstm, "lstm/lstm_cell/kernel:0": { shape: [3, 8], data: new Int32Array(24) } },
      }),
    'layer "lstm": kernel: expected floats, got int32',
  ],
  "a CuDNNLSTM with a plain bias": [
    () => h5({ ...cell("LSTM"), class_name: "CuDNNLSTM" }),
    'layer "lstm": bias: expected one of two rows, as CuDNNLSTM has it, got [8]',
  ],
  "arrays of one name": [
    () =>
      h5(cell("LSTM"), {
        lstm: { "a/kernel": { shape: [3, 8] }, "b/kernel": { shape: [2, 8] }, "c/bias": { shape: [8] } },
      }),
    'layer "lstm": recurrent_kernel is missing',
  ],
  "a group that is missing": [
    () => h5(cell("LSTM"), { lstm }, { names: ["lstm", "other"] }),
    'keras: layer "other": its group is missing',
  ],
  "two layers of one name": [
    () => kerasH5({ config: model(cell("LSTM"), cell("LSTM")), layers: { lstm } }),
    'keras: model "model": has two layers called "lstm"',
  ],
  "a layer's group twice": [() => h5(cell("LSTM"), { lstm }, { names: ["lstm", "lstm"] }), "got 6"],
  "more arrays than a cell has": [
    () => kerasZip(model(cell("LSTM")), { ...folders("lstm"), "layers/lstm/cell/vars/10": { shape: [1] } }),
    'layer "lstm": expected 3 arrays (kernel, recurrent_kernel, bias), got 4',
  ],
  "a model that was never built": [
    () => h5(cell("LSTM"), { lstm: {} }),
    "keras: the file has no weights; build the model (call it once), then save it",
  ],
  "arrays where none belongs": [
    () => kerasZip(model(cell("LSTM")), { "layers/vars/0": { shape: [1] } }),
    "keras: the file has no weights",
  ],
};

const CONFIGS: Readonly<Record<string, readonly [layer: unknown, message: string]>> = {
  "a class_name that is a number": [
    { class_name: 5, config: {} },
    'layer 0 of "model": class_name: expected a string, got 5',
  ],
  "no class_name": [{ config: {} }, "class_name: expected a string, got undefined"],
  "a config that is null": [{ class_name: "LSTM", config: null }, "config: expected an object"],
  "a layer that is null": [null, 'layer 0 of "model": expected { class_name, config }, got null'],
  "a layer that is a number": [7, "expected { class_name, config }, got 7"],
  "go_backwards of text": [cell("LSTM", { go_backwards: "no" }), "go_backwards: expected true or false"],
  "a long name": [
    cell("LSTM", { name: "n".repeat(1e5), units: 5 }),
    'layer "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...": units',
  ],
  "a Bidirectional of a Bidirectional": [
    wrapper("Bidirectional", { layer: wrapper("Bidirectional", { layer: cell("LSTM") }) }),
    'layer "wrapper": layer: a Bidirectional takes no other one',
  ],
  "a Bidirectional of nothing": [
    wrapper("Bidirectional", {}),
    "layer: missing in the config of a Bidirectional",
  ],
  "a Bidirectional of one half's arrays": [
    wrapper("Bidirectional", { layer: cell("LSTM") }),
    'layer "backward_lstm": expected 3 arrays (kernel, recurrent_kernel, bias), got 0',
  ],
  "an unknown merge_mode": [
    wrapper("Bidirectional", { layer: cell("LSTM"), merge_mode: "max" }),
    'merge_mode: expected "concat", "sum", "mul", "ave" or null, got "max"',
  ],
  "a backward_layer of text": [
    wrapper("Bidirectional", { layer: cell("LSTM"), backward_layer: "x" }),
    'backward_layer: expected { class_name, config }, got "x"',
  ],
  "a TimeDistributed of nothing": [
    wrapper("TimeDistributed", {}),
    'layer "wrapper": layer: missing in the config of a TimeDistributed',
  ],
  "an RNN without cell": [wrapper("RNN", {}), "cell: missing in the config of an RNN"],
  "an RNN of text": [
    wrapper("RNN", { cell: "x" }),
    'layer "wrapper": expected { class_name, config }, got "x"',
  ],
  "an RNN of no cells": [wrapper("RNN", { cell: [] }), "cells: expected cells, got an array of length 0"],
  "no stacked cells": [
    wrapper("RNN", { cell: wrapper("StackedRNNCells", { cells: [] }) }),
    "cells: expected cells, got an array of length 0",
  ],
  "models 60 deep": [
    within(30, (inner) => wrapper("Sequential", { layers: [inner] }), cell("LSTM")),
    "keras: model_config: nests deeper than 64",
  ],
};

const FILES: Readonly<Record<string, readonly [make: () => Uint8Array, message: string]>> = {
  "a config that is a list": [() => withConfig([1]), "keras: model_config: expected an object"],
  "a config that is cut off": [() => withConfig('{"a":'), "keras: model_config: not valid JSON"],
  "an empty config": [() => withConfig({}), "keras: the model: class_name: expected a string, got undefined"],
  "a key twice": [
    () => withConfig('{"class_name":"Sequential","class_name":"x","config":{}}'),
    'keras: model_config: key "class_name" occurs twice',
  ],
  "NaN for a key": [() => withConfig("{NaN: 1}"), "keras: model_config: not valid JSON"],
  "strings without an end": [
    () => kerasZip(`NaN${'"\\'.repeat(1e6)}`, {}, { level: 9 }),
    "keras: config.json: not valid JSON",
  ],
  "a million brackets": [
    () => kerasZip("[".repeat(1e6), {}, { level: 9 }),
    "config.json: nests deeper than 64",
  ],
  "layers that are no list": [
    () => withConfig({ class_name: "Sequential", config: { name: "m", layers: {} } }),
    'keras: Sequential "m": its config has no layers',
  ],
  "a subclass of Model": [
    () => withConfig({ class_name: "Mine", config: {} }),
    "save it as a functional model, or give the arrays to fromKeras",
  ],
  "a version to come": [
    () => h5(cell("LSTM"), { lstm }, { version: "9.1.0" }),
    'keras: keras_version: expected 1, 2 or 3, got "9.1.0"',
  ],
  "no version": [
    () => h5(cell("LSTM"), { lstm }, { version: "x" }),
    'keras_version: expected 1, 2 or 3, got "x"',
  ],
  "metadata that is a list": [
    () => kerasZip(model(cell("LSTM")), folders("lstm"), { more: { "metadata.json": strToU8("[]") } }),
    "keras: metadata.json: expected an object",
  ],
  "weights in shards": [
    () => kerasZip(model(cell("LSTM")), {}, { more: { "model.weights.json": strToU8("{}") } }),
    "keras: its weights lie in several files (model.weights.json); save it without max_shard_size",
  ],
  "a bomb": [
    () => kerasZip(model(cell("LSTM")), {}, { level: 9, more: { "model.weights.h5": new Uint8Array(7e7) } }),
    "keras: zip: entries inflate to more than 67108864 bytes",
  ],
  "a model that is used 2,000 times": [
    () => {
      const large = wrapper("Sequential", { layers: [cell("LSTM")] });
      return kerasZip(model(...Array(2000).fill(large)), {
        ...{ "layers/sequential/layers/lstm/cell/vars/0": { shape: [3000, 8] } },
        ...{ "layers/sequential/layers/lstm/cell/vars/1": { shape: [2, 8] } },
        ...{ "layers/sequential/layers/lstm/cell/vars/2": { shape: [8] } },
      });
    },
    "more than the file may become",
  ],
  "a large group 800 times": [
    () => {
      const large = { "lstm/kernel": { shape: [30_000, 8] } };
      return h5(cell("LSTM"), { lstm: large }, { names: Array(800).fill("lstm") });
    },
    "/model_weights/lstm/lstm/kernel takes 960000 bytes, more than the file may become",
  ],
  "a SavedModel": [() => zip({ "saved_model.pb": "x" }), "keras: got a zip with a TensorFlow SavedModel"],
  "an .npz": [() => zip({ "a.npy": "x" }), "keras: got a NumPy archive (.npz)"],
  "a .tflite": [() => strToU8("\0\0\0\0TFL3xxxx"), "keras: got a TensorFlow Lite model (.tflite)"],
  "a PyTorch file": [
    () => readFileSync(new URL("files/torch/zip.pt", import.meta.url)),
    "keras: got a PyTorch file; readTorch takes it",
  ],
  "a model.json": [
    () => strToU8('{"modelTopology":{},"weightsManifest":[]}'),
    "keras: got a TensorFlow.js model.json; give readWeights an object of it",
  ],
  "an architecture": [
    () => strToU8(JSON.stringify(model(cell("LSTM")))),
    "keras: got the architecture of a Keras model (model.json); which holds no weights",
  ],
};

/** Layers that are listed with a reason, while others of the model are read. */
const SKIPPED: Readonly<Record<string, readonly [layer: unknown, reason: string]>> = {
  Lambda: [wrapper("Lambda", { function: ["x"] }), "Lambda: its Python code is not run"],
  "a registered layer": [
    { ...wrapper("LSTM", {}), registered_name: "mine>LSTM" },
    "mine>LSTM: code that the file does not hold",
  ],
  "an int8 policy": [
    wrapper("LSTM", {
      units: 2,
      dtype: { class_name: "QuantizedDTypePolicy", config: { name: "int8_from_float32" } },
    }),
    "its weights are quantised",
  ],
  "a registered activation": [
    wrapper("LSTM", {
      units: 2,
      activation: { class_name: "function", config: "f", registered_name: "a>f" },
    }),
    'activation: activation "a>f" is code that the file does not hold',
  ],
  "an activation that is a number": [
    wrapper("LSTM", { units: 2, activation: 5 }),
    "expected an activation's name, got 5",
  ],
  "an activation called __proto__": [
    wrapper("LSTM", { units: 2, activation: "__proto__" }),
    'activation "__proto__" has no equal here',
  ],
  "a slope that is text": [
    wrapper("LSTM", { units: 2, activation: { class_name: "LeakyReLU", config: { alpha: "x" } } }),
    '"LeakyReLU": alpha: expected a finite number, got "x"',
  ],
  "an Activation of an Activation": [
    wrapper("LSTM", {
      units: 2,
      activation: within(2, (activation) => ({ class_name: "Activation", config: { activation } }), "tanh"),
    }),
    'activation "Activation" has no equal here',
  ],
  "an RNN of a layer": [wrapper("RNN", { cell: cell("GRU") }), "its cell GRU is not read"],
  "a Bidirectional of a Dense": [wrapper("Bidirectional", { layer: cell("Dense") }), "Dense is not read"],
};

function refusal(read: () => unknown): Error {
  try {
    read();
  } catch (error) {
    return error as Error;
  }
  throw new Error("it was read");
}
const expectRefusal = (read: () => unknown, message: string) => {
  const error = refusal(read);
  expect(error, error.stack).toBeInstanceOf(FormatError);
  expect(error.message).toContain(message);
  expect(error.message.length).toBeLessThan(300);
};
const described = ({ layers }: KerasModel) =>
  layers.map(({ name, recurrent }) => `${name} ${recurrent?.options.hiddenSize ?? ""}`.trim());

describe("readKeras refuses", () => {
  it.each(Object.entries({ ...CONTRADICTIONS, ...FILES }))("%s", (_, [make, message]) => {
    const bytes = make();
    expectRefusal(() => readKeras(bytes), message);
  });

  it.each(Object.entries(CONFIGS))("%s", (_, [layer, message]) => {
    const wrapped = { ...arrays("wrapper/forward_lstm/", 4), "wrapper/other/kernel": { shape: [1] } };
    const half = { wrapper: arrays("wrapper/forward_lstm/", 4) };
    const name = (layer as { config?: { name?: string } } | null)?.config?.name ?? "lstm";
    const layers =
      name === "wrapper"
        ? message.includes("backward_lstm")
          ? half
          : { wrapper: wrapped }
        : new Map([[name, lstm]]);
    const bytes = h5(layer, layers);
    expectRefusal(() => readKeras(bytes), message);
  });

  it("what readTorch names", () => {
    expectRefusal(
      () => readTorch(kerasZip(model(), folders("lstm"))),
      "torch: got a Keras model (.keras); readKeras takes it",
    );
    expectRefusal(
      () => readTorch(h5(cell("LSTM"))),
      "torch: got an HDF5 file, as Keras writes (.h5); readKeras takes it",
    );
  });
});

describe("readKeras reads", () => {
  it.each(Object.entries(SKIPPED))("beside %s", (_, [layer, reason]) => {
    const layers = { lstm, wrapper: arrays("wrapper/", 4) };
    const { skipped, layers: read } = readKeras(kerasH5({ config: model(cell("LSTM"), layer), layers }));
    expect(skipped).toEqual([{ name: "wrapper", reason: expect.stringContaining(reason) }]);
    expect(read[0]!.recurrent?.kind).toBe("LSTM");
    expect(read[1]!.recurrent).toBeUndefined();
  });

  it.each(["__proto__", "constructor", "toString", "/", "", "a/b"])("a layer called %j", (name) => {
    const bytes = h5(
      cell("LSTM", { name }),
      new Map([[name === "/" || name === "" ? "x" : name.replace("/", "_"), lstm]]),
    );
    expect(described(readKeras(bytes))).toEqual([`${name} 2`.trim()]);
  });

  it("no prototype from a config", () => {
    const text =
      '{"class_name":"Sequential","config":{"__proto__":{"units":3},"layers":[{"class_name":"LSTM","config":{"__proto__":{"activation":"relu"},"name":"lstm","units":2,"recurrent_activation":"sigmoid"}}]}}';
    expect(readKeras(withConfig(text)).layers[0]!.recurrent!.options.activation).toBe("tanh");
  });

  it("NaN and Infinity, and strings that have them", () => {
    const text =
      '{"class_name":"Sequential","config":{"layers":[{"class_name":"Masking","config":{"name":"NaN \\" Infinity","mask_value":NaN,"x":-Infinity}},{"class_name":"LSTM","config":{"name":"lstm","units":2,"recurrent_activation":"sigmoid"}}]}}';
    const { layers } = readKeras(withConfig(text));
    expect(layers.map(({ name }) => name)).toEqual(['NaN " Infinity', "lstm"]);
    expect(layers[0]!.config).toMatchObject({ mask_value: null, x: Number.NEGATIVE_INFINITY });
  });

  it("arrays of no layer, and says so", () => {
    const others = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, { shape: [1] }]));
    const bytes = kerasH5({ config: model(cell("LSTM")), layers: { lstm, other: others } });
    const names = '"other/a", "other/b", "other/c", "other/d" and 1 more';
    expect(readKeras(bytes).warnings).toEqual([`arrays of no layer of the config: ${names}`]);
    expect(readKeras(h5(cell("LSTM"))).warnings).toEqual([]);
  });

  it("a deflated .keras", () => {
    expect(described(readKeras(kerasZip(model(cell("LSTM")), folders("lstm"), { level: 9 })))).toEqual([
      "lstm 2",
    ]);
  });

  it("the arrays of a subclass of Model, which has no config of layers", () => {
    const file = (name: string) => readFileSync(new URL(`files/keras/${name}`, import.meta.url));
    const { layers, skipped, warnings } = readKeras(file("subclass-k2.keras"));
    expect(layers.map(({ name, className, weights }) => [name, className, [...weights.keys()]])).toEqual([
      ["dense", "Dense", ["kernel", "bias"]],
      ["lstm", "LSTM", ["kernel", "recurrent_kernel", "bias"]],
    ]);
    expect(skipped[0]!.reason).toMatch(
      /^Net "net": its config has no layers, as that of a subclass of Model;/,
    );
    expect(warnings).toHaveLength(1);
    expect(readKeras(file("subclass-k3.keras")).layers[0]).toMatchObject({
      name: "encoder",
      className: "LSTM",
    });
  });

  it("a nested model that is called as the outer one", () => {
    const bytes = kerasH5({ config: model(model(cell("LSTM"))), layers: { model: lstm } });
    expect(described(readKeras(bytes))).toEqual(["model/lstm 2"]);
  });

  it("layers of one class by their counter, 10 after 9", () => {
    const names = Array.from({ length: 12 }, (_, at) => (at === 0 ? "lstm" : `lstm_${at}`));
    const all = folders(...names);
    const data = new Float32Array(8).fill(10);
    const config = model(...names.map((name) => cell("LSTM", { name })));
    const { layers } = readKeras(
      kerasZip(config, { ...all, "layers/lstm_10/cell/vars/2": { shape: [8], data } }),
    );
    expect(layers.map(({ weights }) => weights.get("bias")!.data[0])).toEqual([...Array(10).fill(0), 10, 0]);
  });

  it("a file with soft links that lead to nothing", () => {
    const bytes = hdf5((add) => {
      const vars = add(header(hardLink("0", add(header(...SCALAR))), softLink("1", "/lost")));
      const dense = add(header(hardLink("vars", vars), softLink("lost", "/nowhere")));
      return header(hardLink("layers", add(header(hardLink("dense", dense), softLink("lost", "../lost")))));
    });
    expect(readKeras(bytes).layers.map(({ name, weights }) => [name, [...weights.keys()]])).toEqual([
      ["dense", ["kernel"]],
    ]);
  });
});
