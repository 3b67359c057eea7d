/** Builds a graph node by node, with ONNX's operators. Weights that a layer uses twice are one constant. */

import { FormatError } from "../../formats/bytes.js";
import type { Tensor } from "../../tensor/tensor.js";
import { ARRAYS, type Attribute, type Data, type Dtype, type Node, type Value } from "../ir.js";
import { int64s, MOST_ELEMENTS } from "../operator.js";
import { NEWEST_OPSET } from "../opset.js";
import type { KerasOperator } from "./emitted.js";
import { type ConvertedPort, type InputPort, type KerasTensor, type StatePort, showOpen } from "./tensor.js";
import { Transposes } from "./transposes.js";
import { numbersIn, Work } from "./work.js";

/** Of a model, those of nested models counted for every use. To plan and run as many takes up to a second. */
const MOST_NODES = 8_000;

export type Attributes = Readonly<Record<string, Attribute>>;

export const int = (value: number): Attribute => ({ kind: "int", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const text = (value: string): Attribute => ({ kind: "string", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });

/** The numbers of ONNX's element types, for Cast. */
const TYPE_NUMBERS: Readonly<Partial<Record<Dtype, number>>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
};

export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly inputs: InputPort[] = [];
  readonly states: StatePort[] = [];
  readonly converts: ConvertedPort[] = [];
  /** Of the layer whose nodes are made: `keras: layer "NAME" (CLASS)`. */
  label = "keras";
  /** The layer's name. */
  layerName = "";
  /** Why the model cannot be streamed; the first reason counts. */
  notStreamable: string | undefined;
  readonly transposes = new Transposes();
  /** How many axes masks have that have more than two. */
  readonly #maskAxes = new Map<Value, number>();
  readonly #constants = new Map<Data, Value>();
  /** By the number and its type. */
  readonly #scalars = new Map<string, Value>();
  /** How many states have each name, before these are told apart. */
  readonly #stateNames = new Map<string, number>();

  readonly #work: Work;

  /** @param stateful whether a layer of the model keeps its states: a step of a stream is then a call of Keras */
  constructor(
    readonly stateful: boolean,
    fileBytes = 0,
  ) {
    this.#work = new Work(fileBytes);
  }

  /** An input of the model. */
  input(name: string, shape: readonly (number | null)[], dtype: Dtype | "string"): KerasTensor {
    const isTexts = dtype === "string";
    const time = shape.length >= 3 && !isTexts;
    const own = isTexts ? "int64" : dtype;
    const input: InputPort = { name, value: { name }, shape, dtype: own, time, isTexts };
    this.inputs.push(input);
    this.#work.allow(numbersIn(shape));
    return { value: input.value, shape, dtype: own, time, ...(isTexts ? { texts: input } : { input }) };
  }

  /** What is made of strings before a run. */
  converted(
    { name: from }: InputPort,
    { shape, dtype }: Pick<KerasTensor, "shape" | "dtype">,
    convert: ConvertedPort["convert"],
  ): KerasTensor {
    const name = `${this.layerName}/texts_${this.converts.length}`;
    const value: Value = { name };
    this.converts.push({ name, from, value, shape, dtype, convert });
    return { value, shape, dtype, time: false };
  }

  /**
   * A state: what a layer is given of the call before. It is zeros in the first one.
   * @param what the state of the layer is called: "h", "c", "past"
   * @returns its value, and what takes the one that the layer leaves
   */
  state(what: string, shape: readonly (number | null)[]): { before: Value; after: (value: Value) => void } {
    const plain = `${this.layerName}/${what}`;
    const count = this.#stateNames.get(plain) ?? 0;
    this.#stateNames.set(plain, count + 1);
    const name = count === 0 ? plain : `${plain}_${count}`;
    this.checkSize(shape, "a state");
    const before: Value = { name };
    return { before, after: (output) => this.states.push({ name, input: before, output, shape }) };
  }

  /** @throws FormatError that names the layer, for more numbers than a tensor may have; open sizes count as 1 */
  checkSize(shape: readonly (number | null)[], what: string): void {
    const numbers = numbersIn(shape);
    if (!(numbers <= MOST_ELEMENTS)) {
      throw new FormatError(
        `${this.label}: ${what} of shape ${showOpen(shape)} has more than ${MOST_ELEMENTS} numbers`,
      );
    }
    this.spend(numbers);
  }

  /** Counts numbers that are made, or what takes as long. @throws FormatError that names the layer at which it is too much */
  spend(numbers: number): void {
    if (!this.#work.spend(numbers)) {
      throw new FormatError(
        `${this.label}: the model makes more numbers than its file and its inputs allow for`,
      );
    }
  }

  /** @throws FormatError for more nodes than a model may have */
  node(
    operator: KerasOperator | "lstm-wasm.Layer" | "lstm-wasm.Function",
    inputs: Node["inputs"],
    attributes: Attributes = {},
    outputs = 1,
  ): Value[] {
    const { length } = this.nodes;
    if (length >= MOST_NODES) {
      throw new FormatError(
        `${this.label}: more than ${MOST_NODES} nodes, those of nested models counted per call`,
      );
    }
    const name = `${this.layerName}/${operator}_${length}`;
    const made = Array.from({ length: outputs }, (_, at): Value => ({ name: `${name}:${at}` }));
    this.nodes.push({
      name,
      operator,
      opset: NEWEST_OPSET,
      label: this.label,
      inputs,
      outputs: made,
      attributes: new Map(Object.entries(attributes)),
    });
    return made;
  }

  /** The nodes that these values are made by. */
  needed(values: readonly Value[]): readonly Node[] {
    const read = new Set<Value | undefined>(values);
    const kept: Node[] = [];
    for (const node of this.nodes.slice().reverse()) {
      if (!node.outputs.some((output) => read.has(output))) continue;
      for (const input of node.inputs) read.add(input);
      kept.push(node);
    }
    return kept.reverse();
  }

  /** A node of one output. */
  one(
    operator: KerasOperator | "lstm-wasm.Layer" | "lstm-wasm.Function",
    inputs: Node["inputs"],
    attributes?: Attributes,
  ): Value {
    const before = this.transposes.before(operator, inputs);
    if (before !== undefined) {
      return this.transpose(this.one(operator, before.inputs, attributes), before.perm);
    }
    return this.node(operator, inputs, attributes)[0]!;
  }

  /** The same numbers give the same value. */
  constant(data: Data, shape: readonly number[], dtype: Dtype = "float32"): Value {
    const known = this.#constants.get(data);
    if (known?.data?.shape.join() === shape.join()) return known!;
    const value: Value = { name: `${this.layerName}/constant`, data: { dtype, shape, data } };
    this.#constants.set(data, value);
    return value;
  }

  /** A mask of so many axes: [N, T], and those of the steps within each step of a TimeDistributed. */
  mask(value: Value, axes: number): Value {
    if (axes > 2) this.#maskAxes.set(value, axes);
    return value;
  }

  maskAxes(mask: Value): number {
    return this.#maskAxes.get(mask) ?? 2;
  }

  /** The numbers of a weight, in another shape of as many where one is given. */
  weight({ data, shape }: Tensor, as: readonly number[] = shape): Value {
    return this.constant(data as Float32Array, as);
  }

  /** Integers as an operator takes them. */
  ints(numbers: readonly number[], shape?: readonly number[]): Value {
    return { name: "", data: int64s(numbers, shape) };
  }

  /** The same number is the same value, which has room only once. */
  scalar(number: number, dtype: Dtype = "float32"): Value {
    const key = dtype + number;
    const known = this.#scalars.get(key);
    if (known !== undefined) return known;
    const value: Value = { name: "", data: { dtype, shape: [], data: ARRAYS[dtype].of(number) } };
    this.#scalars.set(key, value);
    return value;
  }

  add(a: Value, b: Value): Value {
    return this.one("Add", [a, b]);
  }

  sub(a: Value, b: Value): Value {
    return this.one("Sub", [a, b]);
  }

  mul(a: Value, b: Value): Value {
    return this.one("Mul", [a, b]);
  }

  div(a: Value, b: Value): Value {
    return this.one("Div", [a, b]);
  }

  matmul(a: Value, b: Value): Value {
    return this.one("MatMul", [a, b]);
  }

  transpose(value: Value, perm: readonly number[]): Value {
    if (perm.every((axis, at) => axis === at)) return value;
    const known = this.transposes.cancelled(value, perm);
    if (known !== undefined) return known;
    const made = this.one("Transpose", [value], { perm: ints(perm) });
    // Those of constants are computed once, before any run.
    if (value.data === undefined) this.transposes.add(made, { input: value, perm });
    return made;
  }

  /** @param axis from 0 on */
  concat(values: readonly Value[], axis: number): Value {
    if (values.length === 1) return values[0]!;
    const turned = values.map((value) => this.transposes.of(value));
    const perm = turned[0]?.perm;
    if (perm !== undefined && turned.every((one) => one?.perm.join() === perm.join())) {
      const inputs = turned.map((one) => one!.input);
      return this.transpose(this.one("Concat", inputs, { axis: int(perm[axis]!) }), perm);
    }
    return this.one("Concat", values, { axis: int(axis) });
  }

  /** Rows `from` to `to` of an axis, by steps: 1, or -1 for the last first. */
  slice(value: Value, axis: number, from: number, to: number, step = 1): Value {
    const turned = this.transposes.of(value);
    if (turned !== undefined) {
      const { input, perm } = turned;
      return this.transpose(this.slice(input, perm[axis]!, from, to, step), perm);
    }
    return this.one("Slice", [value, ...[from, to, axis, step].map((one) => this.ints([one]))]);
  }

  /** An axis turned round. */
  flip(value: Value, axis: number): Value {
    return this.slice(value, axis, -1, Number.MIN_SAFE_INTEGER, -1);
  }

  /** Sizes of 0 are copied, and one of -1 is what remains. */
  reshape(value: Value, shape: readonly number[] | Value): Value {
    return this.one("Reshape", [value, "name" in shape ? shape : this.ints(shape)]);
  }

  unsqueeze(value: Value, axis: number): Value {
    return this.one("Unsqueeze", [value, this.ints([axis])]);
  }

  squeeze(value: Value, axis: number): Value {
    return this.one("Squeeze", [value, this.ints([axis])]);
  }

  /** Sizes of a value, as they are in a run: `shapeOf(x, 0, 2)` are those of axes 0 and 1. */
  shapeOf(value: Value, start = 0, end?: number): Value {
    return this.one("Shape", [value], { start: int(start), ...(end === undefined ? {} : { end: int(end) }) });
  }

  cast(value: Value, from: Dtype, to: Dtype): Value {
    return from === to ? value : this.one("Cast", [value], { to: int(TYPE_NUMBERS[to]!) });
  }

  /** A tensor's value as float32 numbers. */
  floats({ value, dtype }: KerasTensor): Value {
    return this.cast(value, dtype, "float32");
  }
}
