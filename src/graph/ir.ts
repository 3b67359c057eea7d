/**
 * A graph as a runner takes it: values, and nodes in an order in which each finds its inputs made. Nothing in it knows
 * the format of a file. A graph in an attribute, such as a branch of `If`, is made when it is first asked for: in real
 * files branches that are not taken may be wrong.
 */

import type { LayerKind, LayerOptions } from "../formats/layer-options.js";
import type { StateDict } from "../tensor/tensor.js";

/** Element types, by PyTorch's names. */
export type Dtype =
  | "float32"
  | "float16"
  | "bfloat16"
  | "float64"
  | "int64"
  | "int32"
  | "uint8"
  | "int8"
  | "bool";

/** Floats of every width are float32 numbers. An int64 is a number of float64, exact within 2^53. */
export type Data = Float32Array | Float64Array | Int32Array | Uint8Array | Int8Array;

export const ARRAYS = {
  float32: Float32Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  float64: Float32Array,
  int64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} satisfies Record<Dtype, new (length: number) => Data>;

/** What is known of a value before it is computed. */
export interface Type {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** Row-major numbers. They are never written once an operator has returned them: operators may share them. */
export interface HostTensor extends Type {
  readonly data: Data;
}

/** A value of a graph. Each is an object of its own: names may occur in several branches. */
export interface Value {
  readonly name: string;
  /** Of a constant: its numbers. */
  readonly data?: HostTensor;
}

/** What a file declares of an input or output, which need not be true. A size without a name is -1. */
export interface Declared {
  readonly dtype?: Dtype | undefined;
  readonly shape?: readonly (number | string)[] | undefined;
}

/** An input or output of a graph, by its own name: the value of an output may have another one. */
export interface Port extends Declared {
  readonly name: string;
  readonly value: Value;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly Node[];
  /** The size of the file whose graph it is, with those beside it: what it may compute grows with it. */
  readonly fileBytes?: number;
}

export interface Node {
  /** Of its file, or made of its operator and place where the file has none. */
  readonly name: string;
  /** The operator, after its domain unless that is ONNX's own: `com.microsoft.DynamicQuantizeLSTM`. */
  readonly operator: string;
  /** The version of the operator set. */
  readonly opset: number;
  /** What messages call it. */
  readonly label: string;
  /** Undefined where an optional one is left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly (Value | undefined)[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A recurrent module in a node, as readers give it: by PyTorch's names, with all options. */
export interface RecurrentLayer {
  readonly kind: LayerKind;
  readonly stateDict: StateDict;
  readonly options: LayerOptions;
}

/** Computes a node on the host. What it is given is not to be written, nor what it gives. */
export type HostFunction = (inputs: readonly HostTensor[]) => readonly HostTensor[];

export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: () => HostTensor }
  | { readonly kind: "graph"; readonly value: () => Graph }
  | { readonly kind: "layer"; readonly value: RecurrentLayer }
  | { readonly kind: "function"; readonly value: HostFunction }
  | { readonly kind: "unknown"; readonly value: undefined };

export type AttributeKind = Attribute["kind"];

export const FLOATS: readonly Dtype[] = ["float32", "float64", "float16", "bfloat16"];
export const INTEGERS: readonly Dtype[] = ["int64", "int32", "int8", "uint8"];
export const NUMBERS: readonly Dtype[] = [
  "float32",
  "float64",
  "float16",
  "bfloat16",
  "int64",
  "int32",
  "int8",
  "uint8",
];
export const NUMBERS_AND_BOOLS: readonly Dtype[] = [
  "float32",
  "float64",
  "float16",
  "bfloat16",
  "int64",
  "int32",
  "int8",
  "uint8",
  "bool",
];
