/**
 * What an operator is: the shapes that it gives, and its evaluation in plain JavaScript. That one folds constants, and
 * is what kernels are compared with. Floats are computed in double precision and rounded to float32.
 */

import { FormatError, unsupported } from "../formats/bytes.js";
import { show, showShape } from "../tensor/checks.js";
import {
  ARRAYS,
  type Attribute,
  type AttributeKind,
  type Data,
  type Dtype,
  FLOATS,
  type Graph,
  type HostFunction,
  type HostTensor,
  type Node,
  type RecurrentLayer,
  type Type,
} from "./ir.js";
import { elementsIn } from "./shapes.js";

export { FLOATS, INTEGERS, NUMBERS, NUMBERS_AND_BOOLS } from "./ir.js";

/** An input: a tensor, or its type where shapes alone are asked for. */
export type Operand = Type & { readonly data?: Data };

const OLDEST_OPSET = 6;

interface Named {
  /** With its domain, unless that is ONNX's own. */
  readonly name: string;
  /** The first opset in which it is what it is here; 6 where it is left out. */
  readonly oldest?: number;
  /** The attributes that it has in any version. What is not listed is refused. */
  readonly attributes: Readonly<Record<string, AttributeKind | readonly AttributeKind[]>>;
}

interface Shaped extends Named {
  /** The outputs' types. What else than shapes it needs of an input is asked by {@link Call.data}. */
  readonly shape: (call: Call) => readonly Type[];
  /** How many products it computes, or what takes as long, where that is more than its outputs' numbers. */
  readonly work?: (call: Call, types: readonly Type[]) => number;
}

/** One that computes: it fills outputs of its types, which are zeros. */
export interface FillingOperator extends Shaped {
  readonly run: (call: Call, outputs: readonly HostTensor[]) => void;
}

/** One whose outputs may be numbers that exist: those of an input, or of an attribute. */
export interface GivingOperator extends Shaped {
  readonly give: (call: Call, types: readonly Type[]) => readonly HostTensor[];
}

export type PlainOperator = FillingOperator | GivingOperator;

/** Runs a graph of an attribute with these inputs. */
export type RunGraph = (graph: Graph, inputs: readonly HostTensor[]) => readonly HostTensor[];

export interface ControlOperator extends Named {
  /** The graph without inputs that takes its place, where its inputs tell so. */
  readonly branch?: (call: Call) => Graph | undefined;
  readonly control: (call: Call, run: RunGraph) => readonly HostTensor[];
}

export type Operator = PlainOperator | ControlOperator;

type ValueOf<Kind extends AttributeKind> = Extract<Attribute, { kind: Kind }>["value"];

/** Operators by their names. */
export type OperatorTable = ReadonlyMap<string, Operator>;

/** A shape depends on numbers that are not known yet. */
export class NeedsData extends Error {
  constructor(readonly input: number) {
    super(`the numbers of input ${input} are not known yet`);
  }
}

/** A node with its inputs: what operators read, with checks that name the node. */
export class Call {
  constructor(
    readonly node: Node,
    readonly inputs: readonly (Operand | undefined)[],
  ) {}

  get opset(): number {
    return this.node.opset;
  }

  /** What is wrong in the file. */
  broken(message: string): FormatError {
    return new FormatError(`${this.node.label}: ${message}`);
  }

  /** What the file may hold, and is not supported. */
  refused(message: string): FormatError {
    return unsupported(`${this.node.label}: ${message}`);
  }

  has(input: number): boolean {
    return this.inputs[input] !== undefined;
  }

  input(at: number): Operand {
    const input = this.inputs[at];
    if (input === undefined) throw this.broken(`input ${at} is missing`);
    return input;
  }

  /** An input with its numbers. */
  data(at: number): HostTensor {
    const input = this.input(at);
    if (input.data === undefined) throw new NeedsData(at);
    return input as HostTensor;
  }

  /** The numbers of an input, which must be integers. */
  integers(at: number): number[] {
    const { dtype, data } = this.data(at);
    if (dtype !== "int64" && dtype !== "int32")
      throw this.refused(`input ${at} of ${dtype} is not supported`);
    return Array.from(data);
  }

  /** The one number of an input. */
  scalar(at: number): number {
    const { data, shape } = this.data(at);
    if (data.length !== 1)
      throw this.broken(`input ${at}: expected one number, got shape ${showShape(shape)}`);
    return data[0]!;
  }

  #attribute<Kind extends AttributeKind>(name: string, kind: Kind): ValueOf<Kind> | undefined {
    const attribute = this.node.attributes.get(name);
    return (attribute?.kind === kind ? attribute.value : undefined) as never;
  }

  int(name: string, missing: number): number {
    return this.#attribute(name, "int") ?? missing;
  }

  flag(name: string, missing: boolean): boolean {
    return this.int(name, missing ? 1 : 0) !== 0;
  }

  float(name: string, missing: number): number {
    return this.#attribute(name, "float") ?? missing;
  }

  text(name: string, missing: string): string {
    return this.#attribute(name, "string") ?? missing;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name, "ints");
  }

  floats(name: string): readonly number[] | undefined {
    return this.#attribute(name, "floats");
  }

  texts(name: string): readonly string[] | undefined {
    return this.#attribute(name, "strings");
  }

  tensor(name: string): HostTensor | undefined {
    return this.#attribute(name, "tensor")?.();
  }

  graph(name: string): Graph {
    const graph = this.#attribute(name, "graph");
    if (graph === undefined) throw this.broken(`attribute ${name} is missing`);
    return graph();
  }

  layer(name: string): RecurrentLayer {
    const layer = this.#attribute(name, "layer");
    if (layer === undefined) throw this.broken(`attribute ${name} is missing`);
    return layer;
  }

  compute(name: string): HostFunction {
    const compute = this.#attribute(name, "function");
    if (compute === undefined) throw this.broken(`attribute ${name} is missing`);
    return compute;
  }

  /** Integers that newer opsets have as an input and older ones as an attribute; undefined if neither is there. */
  intsOf(name: string, input: number): readonly number[] | undefined {
    return this.has(input) ? this.integers(input) : this.ints(name);
  }

  /** An axis counted from the first one on. */
  axis(axis: number, rank: number, name = "axis"): number {
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
      throw this.broken(`${name} ${axis} is not in a tensor of ${rank} axes`);
    }
    return axis < 0 ? axis + rank : axis;
  }

  /** Axes counted from the first one on, in order. */
  axes(axes: readonly number[], rank: number): number[] {
    const counted = axes.map((axis) => this.axis(axis, rank, "axes:"));
    if (new Set(counted).size !== counted.length) throw this.broken(`axes [${axes.join(", ")}] repeat one`);
    return counted.sort((a, b) => a - b);
  }

  /** Refuses an input of another type. */
  expect(at: number, dtypes: readonly Dtype[]): Operand {
    const input = this.input(at);
    if (!dtypes.includes(input.dtype)) throw this.refused(`input ${at} of ${input.dtype} is not supported`);
    return input;
  }

  /** The integers of a shape, whose sizes and product are within limits. */
  checkShape(shape: readonly number[]): readonly number[] {
    for (const size of shape) {
      if (!Number.isSafeInteger(size) || size < 0) throw this.broken(`no such shape: ${showShape(shape)}`);
    }
    if (elementsIn(shape.map((size) => Math.max(1, size))) > MOST_ELEMENTS) {
      throw this.broken(`an output of shape ${showShape(shape)} has more than ${MOST_ELEMENTS} elements`);
    }
    return shape;
  }
}

/** Of a tensor: 256 MB of float32. */
export const MOST_ELEMENTS = 2 ** 26;
const MOST_RANK = 16;

export const isFloat = (dtype: Dtype): boolean => FLOATS.includes(dtype);

/** Zeros. The type must have been checked. */
export function zeros({ dtype, shape }: Type): HostTensor {
  return { dtype, shape, data: new ARRAYS[dtype](elementsIn(shape)) };
}

/** A tensor of int64 numbers. */
export function int64s(numbers: readonly number[], shape: readonly number[] = [numbers.length]): HostTensor {
  return { dtype: "int64", shape, data: Float64Array.from(numbers) };
}

/** @throws FormatError for an opset before it, and for attributes that it has not or of another kind */
export function checkNode(call: Call, operator: Operator): void {
  const { name, oldest = OLDEST_OPSET } = operator;
  // Only ONNX's own operators are numbered so.
  if (call.opset < oldest && !name.includes(".")) {
    throw call.refused(`opsets before ${oldest} are not supported`);
  }
  for (const [name, { kind }] of call.node.attributes) {
    const expected = Object.hasOwn(operator.attributes, name) ? operator.attributes[name] : undefined;
    if (expected === undefined) throw call.refused(`attribute ${show(name)} is not known`);
    if (kind !== expected && !(typeof expected === "object" && expected.includes(kind))) {
      throw call.refused(`attribute ${name}: expected ${expected}, got ${kind}`);
    }
  }
}

/**
 * The types of what a plain operator gives.
 * @throws FormatError for what is wrong or refused, NeedsData where shapes depend on numbers that are not there
 */
export function typesOf(operator: PlainOperator, call: Call): readonly Type[] {
  checkNode(call, operator);
  const types = operator.shape(call);
  for (const { shape } of types) {
    if (shape.length > MOST_RANK) throw call.refused(`an output of more than ${MOST_RANK} axes`);
    call.checkShape(shape);
  }
  return types;
}
