/**
 * The value of a weight that passes through nodes on its way from a Constant or initializer to the layer: exporters
 * reorder gates with Slice and Concat at run time. Everything else is not constant, and said to be so by name.
 */

import { show, showShape } from "../../tensor/checks.js";
import { MOST_DIMENSIONS, sizeOf, type TensorData } from "../../tensor/like.js";
import { Tensor } from "../../tensor/tensor.js";
import { FormatError } from "../bytes.js";
import type { Attribute } from "./model-proto.js";
import type { Scope } from "./scope.js";
import { toTensor } from "./tensor-proto.js";

/** Nodes between a weight and its layer; Silero's exporter puts 3. */
const MOST_DEPTH = 200;
/** Nodes that repeat their input may blow up a file; evaluated tensors together stay below this many times its size. */
const MOST_EXPANSION = 16;
/** Of one Split; gates of both directions are 8. */
const MOST_PARTS = 64;
const ALWAYS_ALLOWED_BYTES = 64 * 2 ** 20;

/** Operators that move or repeat the numbers of their first input (Concat of all) and make no others. */
const MOVES = new Set(
  "Identity Cast Concat Expand Gather Reshape Slice Split Squeeze Tile Transpose Unsqueeze".split(" "),
);

type AnyTensor = Tensor<TensorData>;

/** Why a value is not constant: "is an input of the model", "is computed by MatMul". */
export class NotConstant {
  constructor(readonly reason: string) {}
}

interface Call {
  readonly input: (at: number) => AnyTensor | undefined;
  readonly attribute: (name: string) => Attribute | undefined;
  /** Which of the node's outputs is asked for, and how many it has. */
  readonly output: number;
  readonly outputs: number;
  /** What messages call the node. */
  readonly label: string;
  /** Throws if so many bytes are more than is left. */
  readonly allow: (bytes: number) => void;
}

/** Evaluates values once each, within an allowance for the whole file. */
export class Constants {
  readonly #known = new Map<Scope, Map<string, AnyTensor | NotConstant>>();
  readonly #zeros = new Map<Scope, Map<string, boolean>>();
  #bytesLeft: number;

  constructor(fileBytes: number) {
    this.#bytesLeft = Math.max(ALWAYS_ALLOWED_BYTES, MOST_EXPANSION * fileBytes);
  }

  /** @throws FormatError for a value that is broken; one that is merely not constant is returned as such. */
  evaluate(name: string, scope: Scope, depth = 0): AnyTensor | NotConstant {
    if (depth > MOST_DEPTH) {
      throw new FormatError(`onnx: value ${show(name)} passes through more than ${MOST_DEPTH} nodes`);
    }
    let known = this.#known.get(scope);
    if (known === undefined) {
      known = new Map();
      this.#known.set(scope, known);
    }
    let value = known.get(name);
    if (value === undefined) {
      value = this.#compute(name, scope, depth);
      known.set(name, value);
    }
    return value;
  }

  /**
   * Whether a value is zeros whatever its shape turns out to be, as exporters make initial states: zeros of a shape
   * that is known only at run time.
   */
  isZeros(name: string, scope: Scope, depth = 0): boolean {
    let zeros = this.#zeros.get(scope);
    if (zeros === undefined) {
      zeros = new Map();
      this.#zeros.set(scope, zeros);
    }
    let known = zeros.get(name);
    if (known === undefined) {
      known = depth <= MOST_DEPTH && this.#findZeros(name, scope, depth);
      zeros.set(name, known);
    }
    return known;
  }

  #findZeros(name: string, scope: Scope, depth: number): boolean {
    const origin = scope.find(name);
    if (origin.kind === "input") return false;
    if (origin.kind === "tensor") return allZeros(toTensor(origin.tensor));
    const { node, scope: home } = origin;
    if (node.domain !== "") return false;
    if (node.opType === "Constant") {
      const value = this.evaluate(origin.name, home, depth);
      return value instanceof Tensor && allZeros(value);
    }
    // Until opset 8, an operator of its own made tensors of one number.
    if (node.opType === "ConstantFill") return (home.attribute(node, "value")?.f ?? 0) === 0;
    if (node.opType === "ConstantOfShape") {
      const value = home.attribute(node, "value")?.t;
      return value === undefined || allZeros(toTensor(value));
    }
    if (!MOVES.has(node.opType)) return false;
    const inputs = node.opType === "Concat" ? node.inputs : node.inputs.slice(0, 1);
    return inputs.every((input) => this.isZeros(input, home, depth + 1));
  }

  #compute(name: string, scope: Scope, depth: number): AnyTensor | NotConstant {
    const origin = scope.find(name);
    if (origin.kind === "input") return new NotConstant("is an input of the model");
    if (origin.kind === "tensor") return this.#pay(toTensor(origin.tensor));
    const { node, scope: home } = origin;
    if (home !== scope) return this.evaluate(origin.name, home, depth + 1);
    const attribute = (key: string) => scope.attribute(node, key);
    const label = `onnx: ${node.opType} ${show(node.name || name)}`;
    if (node.opType === "Constant" && node.domain === "") {
      // Paid before it is made, since it may fail at its end, in every call of a function anew.
      this.#spend(8 * (attribute("value_ints")?.ints.length ?? 0));
      const constant = constantOf(attribute, label);
      return constant instanceof Tensor ? this.#pay(constant) : constant;
    }
    const operation = node.domain === "" ? OPERATIONS.get(node.opType) : undefined;
    const output = node.outputs.indexOf(name);
    if (operation === undefined || (output > 0 && node.opType !== "Split")) {
      return new NotConstant(`is computed by ${node.opType}`);
    }
    const inputs: (AnyTensor | undefined)[] = [];
    for (const input of node.inputs) {
      const value = input === "" ? undefined : this.evaluate(input, scope, depth + 1);
      if (value instanceof NotConstant) return value;
      inputs.push(value);
    }
    const allow = (bytes: number) => this.#allow(bytes);
    const call = { input: (at: number) => inputs[at], attribute, label, allow };
    const result = operation({ ...call, output, outputs: node.outputs.length }, inputs);
    return result instanceof Tensor ? this.#pay(result) : result;
  }

  #pay(tensor: AnyTensor): AnyTensor {
    this.#spend(tensor.data.byteLength);
    return tensor;
  }

  #spend(bytes: number): void {
    this.#allow(bytes);
    this.#bytesLeft -= bytes;
  }

  #allow(bytes: number): void {
    if (bytes > this.#bytesLeft) {
      throw new FormatError("onnx: constants take more memory than a file of this size may");
    }
  }
}

/** The value of a Constant node; strings and sparse tensors are none that a weight can have. */
export function constantOf(
  attribute: (name: string) => Attribute | undefined,
  label: string,
): AnyTensor | NotConstant {
  const value = attribute("value")?.t;
  if (value !== undefined) return toTensor(value);
  const [float, int] = [attribute("value_float")?.f, attribute("value_int")?.i];
  if (float !== undefined) return new Tensor(Float32Array.of(float), []);
  if (int !== undefined) return new Tensor(BigInt64Array.of(toBigInt(int, label)), []);
  const [floats, ints] = [attribute("value_floats")?.floats, attribute("value_ints")?.ints];
  if (floats !== undefined) return new Tensor(Float32Array.from(floats), [floats.length]);
  if (ints !== undefined) {
    return new Tensor(
      BigInt64Array.from(ints, (one) => toBigInt(one, label)),
      [ints.length],
    );
  }
  return new NotConstant("is a constant without numbers");
}

/** Whether all numbers are zeros; a tensor of integers may be compared with the number 0 too. */
export function allZeros({ data }: AnyTensor): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: 0n == 0
  return (data as Float32Array).every((number) => number == 0);
}

function toBigInt(value: number, label: string): bigint {
  if (!Number.isSafeInteger(value)) throw new FormatError(`${label}: ${value} is out of range`);
  return BigInt(value);
}

type Operation = (call: Call, inputs: readonly (AnyTensor | undefined)[]) => AnyTensor | NotConstant;

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["Identity", (call) => data(call)],
  ["Cast", cast],
  ["Concat", concat],
  ["Slice", slice],
  ["Split", split],
  ["Transpose", transpose],
  ["Squeeze", squeeze],
  ["Unsqueeze", unsqueeze],
  ["Reshape", reshape],
]);

function data({ input, label }: Call): AnyTensor {
  const tensor = input(0);
  if (tensor === undefined) throw new FormatError(`${label}: its input is missing`);
  return tensor;
}

/** Types by number that a cast leaves exact here; to 16 bits it would round, which the reader's float32 does not show. */
function cast(call: Call): AnyTensor | NotConstant {
  const tensor = data(call);
  const to = call.attribute("to")?.i;
  if (to === 1 || to === 11) {
    return new Tensor(Float32Array.from(tensor.data as ArrayLike<number>, Number), tensor.shape);
  }
  // Exports of opset 7 write axes and sizes as floats.
  if (to === 7 && (!(tensor.data instanceof Float32Array) || tensor.data.every(Number.isSafeInteger))) {
    return new Tensor(BigInt64Array.from(tensor.data as ArrayLike<number>, BigInt), tensor.shape);
  }
  return new NotConstant(`is computed by Cast to type ${to}`);
}

function concat(call: Call, inputs: readonly (AnyTensor | undefined)[]): AnyTensor {
  const first = data(call);
  const axis = axisOf(call, call.attribute("axis")?.i, first.shape.length);
  const shape = [...first.shape];
  shape[axis] = 0;
  for (const tensor of inputs) {
    const fits =
      tensor?.data.constructor === first.data.constructor &&
      tensor.shape.length === shape.length &&
      tensor.shape.every((size, at) => at === axis || size === shape[at]);
    if (!fits) throw new FormatError(`${call.label}: its inputs do not fit together`);
    shape[axis]! += tensor.shape[axis]!;
  }
  // The other operations make no more than they are given, but one input may be given many times.
  call.allow(shape.reduce((product, size) => product * size, first.data.BYTES_PER_ELEMENT));
  const result = emptyLike(first, sizeOf(shape));
  const blocks = sizeOf(shape.slice(0, axis));
  const row = sizeOf(shape.slice(axis));
  let start = 0;
  for (const tensor of inputs as readonly AnyTensor[]) {
    const part = sizeOf(tensor.shape.slice(axis));
    for (let block = 0; block < blocks; block++) {
      copy(tensor.data, block * part, part, result, block * row + start);
    }
    start += part;
  }
  return new Tensor(result, shape);
}

function slice(call: Call): AnyTensor {
  const tensor = data(call);
  const rank = tensor.shape.length;
  const starts = integers(call, 1, "starts");
  const ends = integers(call, 2, "ends");
  if (starts === undefined || ends === undefined)
    throw new FormatError(`${call.label}: no starts or no ends`);
  const axes = integers(call, 3, "axes") ?? starts.map((_, at) => at);
  const steps = integers(call, 4, "steps") ?? starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    throw new FormatError(`${call.label}: starts, ends, axes and steps differ in length`);
  }
  const shape = [...tensor.shape];
  const strides = stridesOf(tensor.shape);
  let offset = 0;
  const sliced = new Set<number>();
  for (const [at, given] of axes.entries()) {
    const axis = axisOf(call, given, rank);
    const step = steps[at]!;
    if (step === 0 || sliced.has(axis)) {
      throw new FormatError(`${call.label}: ${step === 0 ? "a step of 0" : `axis ${axis} twice`}`);
    }
    sliced.add(axis);
    const size = tensor.shape[axis]!;
    const clamp = (value: number, least: number, most: number) =>
      Math.min(Math.max(value < 0 ? value + size : value, least), most);
    const start = step > 0 ? clamp(starts[at]!, 0, size) : clamp(starts[at]!, 0, size - 1);
    const end = step > 0 ? clamp(ends[at]!, 0, size) : clamp(ends[at]!, -1, size - 1);
    shape[axis] = Math.max(0, Math.ceil((end - start) / step));
    offset += start * strides[axis]!;
    strides[axis]! *= step;
  }
  return gather(tensor, shape, offset, strides);
}

/** Parts of one axis: as long as `split` says, or equally long but for the last. */
function split(call: Call): AnyTensor {
  const tensor = data(call);
  const axis = axisOf(call, call.attribute("axis")?.i ?? 0, tensor.shape.length);
  const size = tensor.shape[axis]!;
  if (call.outputs > MOST_PARTS) throw new FormatError(`${call.label}: more than ${MOST_PARTS} parts`);
  const even = Math.ceil(size / call.outputs);
  const given = integers(call, 1, "split");
  const length = (at: number) => given?.[at] ?? Math.min(even, size - at * even);
  const lengths = Array.from({ length: call.outputs }, (_, at) => length(at));
  const sum = lengths.reduce((total, one) => total + one, 0);
  if (sum !== size || lengths.some((one) => one < 0) || (given?.length ?? call.outputs) !== lengths.length) {
    throw new FormatError(
      `${call.label}: parts of [${lengths.slice(0, 8)}] do not make up axis ${axis} of ${showShape(tensor.shape)}`,
    );
  }
  const start = lengths.slice(0, call.output).reduce((total, one) => total + one, 0);
  const shape = tensor.shape.map((whole, at) => (at === axis ? lengths[call.output]! : whole));
  const strides = stridesOf(tensor.shape);
  return gather(tensor, shape, start * strides[axis]!, strides);
}

function transpose(call: Call): AnyTensor {
  const tensor = data(call);
  const rank = tensor.shape.length;
  const perm = call.attribute("perm")?.ints ?? tensor.shape.map((_, at) => rank - 1 - at);
  if (
    perm.length !== rank ||
    new Set(perm).size !== rank ||
    !perm.every((axis) => axis >= 0 && axis < rank)
  ) {
    throw new FormatError(
      `${call.label}: perm [${perm.join(", ")}] does not fit shape ${showShape(tensor.shape)}`,
    );
  }
  const strides = stridesOf(tensor.shape);
  return gather(
    tensor,
    perm.map((axis) => tensor.shape[axis]!),
    0,
    perm.map((axis) => strides[axis]!),
  );
}

function squeeze(call: Call): AnyTensor {
  const tensor = data(call);
  const given = integers(call, 1, "axes");
  const axes = given?.map((axis) => axisOf(call, axis, tensor.shape.length));
  const gone = (axis: number, size: number) => (axes === undefined ? size === 1 : axes.includes(axis));
  if (tensor.shape.some((size, axis) => gone(axis, size) && size !== 1)) {
    throw new FormatError(
      `${call.label}: axes [${axes}] of shape ${showShape(tensor.shape)} are not all of size 1`,
    );
  }
  return new Tensor(
    tensor.data,
    tensor.shape.filter((size, axis) => !gone(axis, size)),
  );
}

function unsqueeze(call: Call): AnyTensor {
  const tensor = data(call);
  const given = integers(call, 1, "axes");
  if (given === undefined) throw new FormatError(`${call.label}: no axes`);
  const rank = checkRank(call, tensor.shape.length + given.length);
  const axes = new Set(given.map((axis) => axisOf(call, axis, rank)));
  if (axes.size !== given.length) throw new FormatError(`${call.label}: axes [${given}] repeat`);
  const sizes = [...tensor.shape];
  return new Tensor(
    tensor.data,
    Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : sizes.shift()!)),
  );
}

function reshape(call: Call): AnyTensor {
  const tensor = data(call);
  const wanted = integers(call, 1, "shape");
  if (wanted === undefined) throw new FormatError(`${call.label}: no shape`);
  checkRank(call, wanted.length);
  const keepsZero = (call.attribute("allowzero")?.i ?? 0) !== 0;
  const shape = wanted.map((size, at) => (size === 0 && !keepsZero ? (tensor.shape[at] ?? 0) : size));
  const free = shape.indexOf(-1);
  if (free >= 0) {
    const rest = shape.reduce((product, size, at) => (at === free ? product : product * size), 1);
    shape[free] = tensor.data.length / rest;
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements !== tensor.data.length || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new FormatError(`${call.label}: shape [${wanted}] does not fit ${showShape(tensor.shape)}`);
  }
  return new Tensor(tensor.data, shape);
}

/** Integers, one per dimension at most, that newer opsets give as an input and older ones as an attribute. */
function integers({ input, attribute, label }: Call, at: number, name: string): number[] | undefined {
  const list: ArrayLike<number | bigint> | undefined = input(at)?.data ?? attribute(name)?.ints;
  if (list === undefined) return undefined;
  if (list instanceof Float32Array) throw new FormatError(`${label}: ${name} are no integers`);
  if (list.length > MOST_DIMENSIONS) throw new FormatError(`${label}: ${name}: ${list.length} numbers`);
  return Array.from(list, Number);
}

/** An axis counted from the front; negative ones count from the end. */
function axisOf({ label }: Call, axis: number | undefined, rank: number): number {
  if (axis === undefined || !Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new FormatError(`${label}: axis ${axis} of ${rank} dimensions`);
  }
  return axis < 0 ? axis + rank : axis;
}

function checkRank({ label }: Call, rank: number): number {
  if (rank > MOST_DIMENSIONS) throw new FormatError(`${label}: more than ${MOST_DIMENSIONS} dimensions`);
  return rank;
}

function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The elements at offset + index * strides, row-major. The caller keeps them within the tensor. */
function gather(
  tensor: AnyTensor,
  shape: readonly number[],
  offset: number,
  strides: readonly number[],
): AnyTensor {
  const result = emptyLike(tensor, sizeOf(shape));
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < result.length; to++) {
    result[to] = tensor.data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return new Tensor(result, shape);
}

function emptyLike({ data }: AnyTensor, length: number): TensorData {
  return new (data.constructor as new (length: number) => TensorData)(length);
}

function copy(from: TensorData, start: number, count: number, to: TensorData, at: number): void {
  to.set(from.subarray(start, start + count) as never, at);
}
