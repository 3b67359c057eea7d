/**
 * Callers that lie to readers and writers: every argument is given every hostile value. What comes is a result, an
 * error with a code, or what the caller's own code threw.
 */
import { afterAll, describe, expect, it } from "vitest";
import {
  dtypeOf,
  fromKeras,
  fromTensorFlow,
  listModules,
  listOnnxNodes,
  quantizeStateDict,
  readGuitarML,
  readKeras,
  readManifest,
  readNam,
  readNumpy,
  readOnnx,
  readRTNeural,
  readSafetensors,
  readTfjs,
  readTorch,
  readWeights,
  writeSafetensors,
} from "../../src/formats/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { ARGUMENTS, foreign, Own, own, revoked } from "../support/hostile-values.js";
import * as onnx from "../support/onnx-writer.js";
import { reliabilityRow } from "../support/reliability.js";
import * as torch from "../support/torch-writer.js";

const dict = () => new Map([["weight", Tensor.zeros([2, 2])]]);
const keras = () => ({ kernel: [[1, 2, 3, 4]], recurrentKernel: [[1, 2, 3, 4]], bias: [1, 2, 3, 4] });
const cell = () => ({ "lstm_cell/kernel": Tensor.zeros([2, 4]), "lstm_cell/bias": Tensor.zeros([4]) });
const group = (spec: object = {}) => ({
  paths: ["a"],
  weights: [{ name: "w", shape: [1], dtype: "float32", ...spec }],
});
const none = new Uint8Array(0);
const checkpoint = torch.saved(torch.dict({ w: torch.tensor() }));
const model = onnx.model({ nodes: [], initializers: [onnx.floats("w", [1], [1])] });
const manifest = [{ paths: ["a"], weights: [{ name: "lstm/kernel", shape: [1], dtype: "float32" }] }];
const topology = {
  class_name: "Sequential",
  config: { layers: [{ class_name: "Dense", config: { name: "lstm" } }] },
};
const modelJson = { modelTopology: topology, weightsManifest: manifest };
const nam = { version: "0.5.0", architecture: "LSTM" };

/** An argument, by the call that takes it. */
const CALLS: Readonly<Record<string, (value: never) => unknown>> = {
  listModules: (x) => listModules(x),
  quantizeStateDict: (x) => quantizeStateDict(x),
  "quantizeStateDict options": (x) => quantizeStateDict(dict(), x),
  "quantizeStateDict modules": (x) => quantizeStateDict(dict(), { modules: x }),
  "quantizeStateDict module": (x) => quantizeStateDict(dict(), { modules: [x] }),
  writeSafetensors: (x) => writeSafetensors(x),
  "writeSafetensors tensor": (x) => writeSafetensors({ a: x }),
  "writeSafetensors options": (x) => writeSafetensors({}, x),
  "writeSafetensors metadata": (x) => writeSafetensors({}, { metadata: x }),
  "writeSafetensors text": (x) => writeSafetensors({}, { metadata: { a: x } }),
  fromKeras: (x) => fromKeras(x, "LSTM"),
  "fromKeras kind": (x) => fromKeras(keras(), x),
  "fromKeras options": (x) => fromKeras(keras(), "LSTM", x),
  "fromKeras layer": (x) => fromKeras(keras(), "LSTM", { layer: x }),
  "fromKeras kernel": (x) => fromKeras({ ...keras(), kernel: x }, "LSTM"),
  "fromKeras recurrentKernel": (x) => fromKeras({ ...keras(), recurrentKernel: x }, "LSTM"),
  "fromKeras bias": (x) => fromKeras({ ...keras(), bias: x }, "LSTM"),
  "fromKeras activation": (x) => fromKeras(keras(), "LSTM", { activation: x }),
  "fromKeras activation's config": (x) =>
    fromKeras(keras(), "LSTM", { activation: { class_name: "LeakyReLU", config: x } as never }),
  "fromKeras recurrentActivation": (x) => fromKeras(keras(), "LSTM", { recurrentActivation: x }),
  "fromKeras kerasVersion": (x) => fromKeras(keras(), "LSTM", { kerasVersion: x }),
  "fromKeras resetAfter": (x) => fromKeras(keras(), "LSTM", { resetAfter: x }),
  "fromKeras goBackwards": (x) => fromKeras(keras(), "LSTM", { goBackwards: x }),
  readKeras: (x) => readKeras(x),
  readTfjs: (x) => readTfjs(x, none),
  "readTfjs topology": (x) => readTfjs({ ...modelJson, modelTopology: x }, new Uint8Array(4)),
  "readTfjs layers": (x) =>
    readTfjs({ ...modelJson, modelTopology: { ...topology, config: { layers: x } } }, new Uint8Array(4)),
  "readTfjs weights": (x) => readTfjs(modelJson, x),
  "readTfjs file": (x) => readTfjs(modelJson, { a: x }),
  fromTensorFlow: (x) => fromTensorFlow(x, "LSTM"),
  "fromTensorFlow kind": (x) => fromTensorFlow(cell(), x),
  "fromTensorFlow options": (x) => fromTensorFlow(cell(), "LSTM", x),
  "fromTensorFlow prefix": (x) => fromTensorFlow(cell(), "LSTM", { prefix: x }),
  "fromTensorFlow layers": (x) => fromTensorFlow(cell(), "LSTM", { layers: x }),
  "fromTensorFlow forgetBias": (x) => fromTensorFlow(cell(), "LSTM", { forgetBias: x }),
  "fromTensorFlow peepholes": (x) => fromTensorFlow(cell(), "LSTM", { peepholes: x }),
  "fromTensorFlow cellClip": (x) => fromTensorFlow(cell(), "LSTM", { cellClip: x }),
  "fromTensorFlow projClip": (x) => fromTensorFlow(cell(), "LSTM", { projClip: x }),
  "fromTensorFlow kernel": (x) => fromTensorFlow({ ...cell(), "lstm_cell/kernel": x }, "LSTM"),
  "fromTensorFlow bias": (x) => fromTensorFlow({ ...cell(), "lstm_cell/bias": x }, "LSTM"),
  readNumpy: (x) => readNumpy(x),
  readManifest: (x) => readManifest(x, none),
  "readManifest weights": (x) => readManifest([group()], x),
  "readManifest file": (x) => readManifest([group()], { a: x }),
  "readManifest group": (x) => readManifest([x], none),
  "readManifest paths": (x) => readManifest([{ ...group(), paths: x }], none),
  "readManifest path": (x) => readManifest([{ ...group(), paths: [x] }], none),
  "readManifest specs": (x) => readManifest([{ ...group(), weights: x }], none),
  "readManifest spec": (x) => readManifest([{ ...group(), weights: [x] }], none),
  "readManifest name": (x) => readManifest([group({ name: x })], none),
  "readManifest shape": (x) => readManifest([group({ shape: x })], none),
  "readManifest dtype": (x) => readManifest([group({ dtype: x })], none),
  "readManifest quantization": (x) => readManifest([group({ quantization: x })], none),
  "readManifest scale": (x) =>
    readManifest([group({ quantization: { dtype: "uint8", min: 0, scale: x } })], none),
  "readManifest entry": (x) => readManifest({ w: x }, none),
  "readManifest filename": (x) => readManifest({ w: { filename: x, shape: [1] } }, none),
  readSafetensors: (x) => readSafetensors(x),
  readTorch: (x) => readTorch(x),
  "readTorch options": (x) => readTorch(none, x),
  "readTorch path": (x) => readTorch(none, { path: x }),
  readOnnx: (x) => readOnnx(x),
  "readOnnx options": (x) => readOnnx(none, x),
  "readOnnx nodes": (x) => readOnnx(none, { nodes: x }),
  "readOnnx externalData": (x) => readOnnx(none, { externalData: x }),
  "readOnnx file": (x) => readOnnx(none, { externalData: { a: x } }),
  listOnnxNodes: (x) => listOnnxNodes(x),
  readWeights: (x) => readWeights(x),
  "readWeights file": (x) => readWeights({ "model.json": x }),
  "readWeights options": (x) => readWeights(none, x),
  "readWeights path": (x) => readWeights(checkpoint, { path: x }),
  "readWeights nodes": (x) => readWeights(model, { nodes: x }),
  "readWeights externalData": (x) => readWeights(model, { externalData: x }),
  dtypeOf: (x) => dtypeOf(x),
  "dtypeOf data": (x) => dtypeOf({ data: x }),
  readNam: (x) => readNam(x),
  "readNam config": (x) => readNam({ ...nam, config: x }),
  readGuitarML: (x) => readGuitarML(x),
  readRTNeural: (x) => readRTNeural(x),
  "readRTNeural layers": (x) => readRTNeural({ in_shape: [null, null, 1], layers: x }),
};

const answering = (answer: (key: string | symbol) => unknown) =>
  new Proxy([], { get: (_, key) => answer(key) });
const typed = (properties: Record<string, unknown>) => own(new Uint8Array(9), properties);
const transferred = <Value extends object>(value: Value, buffer: ArrayBuffer): Value => {
  structuredClone(buffer, { transfer: [buffer] });
  return value;
};
const pairs = (entry: unknown) => ({
  get() {},
  *[Symbol.iterator]() {
    for (;;) yield entry;
  },
});

const VALUES: Readonly<Record<string, () => unknown>> = {
  ...ARGUMENTS,
  null: () => null,
  undefined: () => undefined,
  "a BigInt": () => 5n,
  NaN: () => Number.NaN,
  "a long string": () => "y".repeat(1e6),
  "a revoked array": () => revoked([]),
  "a revoked map": () => revoked(new Map()),
  "a revoked function": () => revoked(() => {}),
  "a sparse array": () => new Array(2 ** 32 - 1),
  "an array that says 2^53": () => answering((key) => (key === "length" ? 2 ** 53 - 1 : 1)),
  "an array of objects that says 2^32": () =>
    answering((key) => (key === "length" ? 2 ** 32 - 1 : { kind: "Linear", prefix: "" })),
  "an array whose iterator never ends": () =>
    own([1], { [Symbol.iterator as never]: pairs(1)[Symbol.iterator] }),
  "a proxy that answers 5": () => new Proxy({}, { get: () => 5 }),
  "a proxy that answers null": () => new Proxy({}, { get: () => null }),
  "a proxy whose keys lie": () => new Proxy({}, { ownKeys: () => [1] as never }),
  "a proxy that throws its own": () =>
    new Proxy(
      {},
      {
        get() {
          throw new Own();
        },
        ownKeys() {
          throw new Own();
        },
      },
    ),
  "a tag that says bytes": () => ({ [Symbol.toStringTag]: "Uint8Array" }),
  "a tag that says ArrayBuffer": () => ({ [Symbol.toStringTag]: "ArrayBuffer" }),
  "a tag that throws": () => ({
    get [Symbol.toStringTag]() {
      throw new TypeError("Cannot x");
    },
  }),
  "a prototype only": () => Object.create(Uint8Array.prototype),
  "bytes whose length lies": () => typed({ byteLength: 1e9, length: 1e9 }),
  "bytes whose buffer lies": () => typed({ buffer: {}, byteOffset: -5 }),
  "a proxy of bytes": () => new Proxy(new Uint8Array(9), {}),
  "foreign bytes": () => foreign("new Uint8Array(9)"),
  "a foreign buffer": () => foreign("new ArrayBuffer(9)"),
  "shared bytes": () => new Uint8Array(new SharedArrayBuffer(16)),
  "a shared buffer": () => new SharedArrayBuffer(16),
  "a DataView": () => new DataView(new ArrayBuffer(8)),
  "bytes that were transferred": () => {
    const bytes = new Uint8Array(8);
    return transferred(bytes, bytes.buffer);
  },
  "a buffer that was transferred": () => {
    const buffer = new ArrayBuffer(8);
    return transferred(buffer, buffer);
  },
  "a dict that never ends": () => pairs(["weight", Tensor.zeros([1])]),
  "a dict of no pairs": () => ({ get() {}, [Symbol.iterator]: () => [1, 2][Symbol.iterator]() }),
  "get alone": () => ({ get() {} }),
  "keys that are numbers": () => new Map([[1, Tensor.zeros([1])]]),
  "keys that are symbols": () => new Map([[Symbol("x"), Tensor.zeros([1])]]),
  "tensors that are null": () => new Map([["weight", null]]),
  "tensors that are revoked": () => new Map([["weight", revoked({})]]),
  "tensors without numbers": () => new Map([["weight_ih_l0", { shape: [4, 1] }]]),
  "a shape past its data": () => ({ weight: { data: new Float32Array(1), shape: [2 ** 20, 2 ** 20] } }),
  "a foreign dict": () => foreign("new Map([['weight', { data: new Float32Array(4), shape: [2, 2] }]])"),
};

let tried = 0;

describe.each(Object.entries(CALLS))("%s", (name, call) => {
  it.each(Object.entries(VALUES))("%s", (_, make) => {
    tried++;
    try {
      call(make() as never);
    } catch (error) {
      if (error instanceof Own) return;
      const { code, message, stack } = error as Error & { code?: string };
      expect(code, `${name}: ${stack}`).toMatch(/^LSTM_WASM_/);
      expect(message.length).toBeLessThan(300);
    }
  });
});

describe("what is read once and copied", () => {
  it("takes bytes and dicts of another realm like our own", () => {
    const file = writeSafetensors({ weight: { data: Float32Array.of(1, 2), shape: [2] } });
    const there = foreign(`new Uint8Array([${file}])`) as Uint8Array;
    const shared = new Uint8Array(new SharedArrayBuffer(file.length));
    shared.set(file);
    for (const bytes of [there, there.buffer, shared])
      expect(readSafetensors(bytes as never)).toEqual(readSafetensors(file));
    const map = foreign("new Map([['weight', { data: Float32Array.of(1, 2), shape: [1, 2] }]])") as never;
    expect(listModules(map)).toMatchObject([{ kind: "Linear", inFeatures: 2, outFeatures: 1 }]);
    expect(quantizeStateDict(map).get("weight")!.data).toBeInstanceOf(Int8Array);
  });

  it("says which buffer was transferred", () => {
    const bytes = new Uint8Array(8);
    transferred(bytes, bytes.buffer);
    expect(() => readTorch(bytes)).toThrow(
      expect.objectContaining({ code: "LSTM_WASM_DISPOSED", message: "bytes: its buffer was transferred" }),
    );
  });

  it("asks for fromKeras' weights once", () => {
    let asked = 0;
    const weights = {
      ...keras(),
      get bias() {
        asked++;
        return [1, 2, 3, 4];
      },
    };
    fromKeras(weights, "LSTM");
    expect(asked).toBe(1);
  });
});

afterAll(() => {
  reliabilityRow({
    attack: "Hostile arguments of readers and writers",
    tried,
    survived: tried,
    note: "a result, an error with a code, or what the caller's own code threw",
  });
});
