/** Functional models of Keras with one call between their inputs and their output. */
import { expect } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { loadKeras, type Model } from "../../src/models/index.js";
import { type Arrays, kerasZip } from "./keras-writer.js";

/** An input as the model declares it, null for what is open, with what it is given. */
export interface Given {
  readonly shape: readonly (number | null)[];
  readonly dtype: string;
  readonly sizes: readonly number[];
  readonly data: readonly number[];
}

/** Numbers from 1 on. */
export function counted(shape: Given["shape"], sizes: readonly number[], dtype = "float32"): Given {
  const data = Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, at) => at + 1);
  return { shape, sizes, data, dtype };
}

/** [[1, 2, 3], [4, 5, 6]] */
export const MATRIX = counted([null, 3], [2, 3]);
/** [[[1, 2, 3], [4, 5, 6]]], whose axis 1 is time. */
export const STEPS = counted([null, 2, 3], [1, 2, 3]);
/** The same of an open axis 1. */
export const OPEN = counted([null, null, 3], [1, 2, 3]);

export const of = (data: readonly number[], given: Given = MATRIX): Given => ({ ...given, data });

/** A call of a layer, or an operation, of the inputs x and y. */
export interface Call {
  readonly config?: object;
  /** As Keras 3 writes them; without them the inputs in their order. */
  readonly args?: readonly unknown[];
  readonly kwargs?: object;
  readonly x?: Given;
  readonly y?: Given;
  readonly version?: string;
  /** By their paths: `layers/dense/vars/0`. */
  readonly arrays?: Arrays;
  /** Layers that `args` may have besides the inputs. */
  readonly before?: readonly object[];
}

const inputsOf = ({ x = MATRIX, y }: Call): [name: string, given: Given][] =>
  y === undefined
    ? [["x", x]]
    : [
        ["x", x],
        ["y", y],
      ];

/** An input as an argument of a call. */
export const tensorOf = (name: string) => ({
  class_name: "__keras_tensor__",
  config: { keras_history: [name, 0, 0] },
});

export const X = tensorOf("x");
export const Y = tensorOf("y");

/** A layer within a wrapper. */
export const innerOf = (className: string, config: object = {}) => ({
  module: "keras.layers",
  class_name: className,
  config: { name: "inner", trainable: true, ...config },
});

/** A layer before the one that is tested, of the tensor `from`. */
export const layerOf = (className: string, name: string, from: object, config: object = {}) => ({
  ...innerOf(className, { name, ...config }),
  name,
  inbound_nodes: [{ args: [from], kwargs: {} }],
});

/** `start:stop:step` of Python. */
export const slice = (start: unknown = null, stop: unknown = null, step: unknown = null) => ({
  class_name: "__slice__",
  config: { start, stop, step },
});

export const ELLIPSIS = { class_name: "__ellipsis__", config: {} };

/** @param className of a layer, or `ops.Sum` for an operation of Keras 3; its name in the model is "made" */
export function callFile(className: string, call: Call): Uint8Array {
  const [, operation] = /^ops\.(.*)$/.exec(className) ?? [];
  const inputs = inputsOf(call);
  const layers = inputs.map(([name, { shape, dtype }]) => ({
    module: "keras.layers",
    class_name: "InputLayer",
    config: { name, batch_shape: shape, dtype },
    name,
    inbound_nodes: [],
  }));
  const made = {
    module: operation === undefined ? "keras.layers" : "keras.src.ops.numpy",
    class_name: operation ?? className,
    // Without "trainable" Keras' layers are taken for its operations of the same name.
    config: { name: "made", ...(operation === undefined ? { trainable: true } : {}), ...call.config },
    name: "made",
    inbound_nodes: [{ args: call.args ?? inputs.map(([name]) => tensorOf(name)), kwargs: call.kwargs ?? {} }],
  };
  const config = {
    module: "keras",
    class_name: "Functional",
    config: {
      name: "model",
      layers: [...layers, ...(call.before ?? []), made],
      input_layers: inputs.map(([name]) => [name, 0, 0]),
      output_layers: [["made", 0, 0]],
    },
  };
  return kerasZip(config, call.arrays ?? {}, { version: call.version ?? "3.8.0" });
}

export const loadCall = (className: string, call: Call): Model<string> =>
  loadKeras(callFile(className, call));

/** What the model of a call gives. */
export function runCall(model: Model<string>, call: Call): { shape: readonly number[]; data: number[] } {
  const inputs = inputsOf(call).map(([name, { data, sizes }]) => [name, { data, shape: sizes }]);
  const [result] = Object.values(model.run(Object.fromEntries(inputs)));
  return { shape: result!.shape, data: Array.from(result!.data as ArrayLike<number | bigint>, Number) };
}

/** A layer's call with what its model gives. */
export type CallCase = readonly [
  what: string,
  name: string,
  call: Call,
  shape: readonly number[],
  data: readonly number[],
];

/** A call with what is said of it. */
export type CallMessage = readonly [name: string, call: Call, message: string];

export function expectResult(
  model: Model<string>,
  call: Call,
  shape: readonly number[],
  data: readonly number[],
): void {
  const result = runCall(model, call);
  expect(result.shape).toEqual(shape);
  expect(result.data).toEqual(data.map((number) => expect.closeTo(number, 5)));
}

export function expectRefused(load: () => unknown, name: string, message: string): void {
  expect(load).toThrow(FormatError);
  expect(load).toThrow(`keras: layer "made" (${name}): ${message}`);
}
