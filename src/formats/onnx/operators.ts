/** The operators that a constant passes through on its way to a layer: a function and a table line each. */

import { showShape } from "../../tensor/checks.js";
import { MOST_DIMENSIONS, sizeOf, type TensorData } from "../../tensor/like.js";
import { Tensor } from "../../tensor/tensor.js";
import { FormatError } from "../bytes.js";
import { stridesOf, visitStrided } from "../strided.js";
import { AXIS_BYTES } from "./allowance.js";
import { copyRun } from "./copy-run.js";
import { multiply, shapeOf } from "./integer-operators.js";
import type { AnyTensor, Call, Operator } from "./operator.js";

/** Outputs of one Split; the gates of both directions are 8. */
const MOST_PARTS = 64;

/** By ONNX's name. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["Identity", firstInput],
  ["Cast", cast],
  ["Concat", concat],
  ["Slice", slice],
  ["Split", split],
  ["Transpose", transpose],
  ["Squeeze", squeeze],
  ["Unsqueeze", unsqueeze],
  ["Reshape", reshape],
  ["Shape", shapeOf],
  ["Mul", multiply],
]);

function firstInput({ inputs: [tensor], label }: Call): AnyTensor {
  if (tensor === undefined) throw new FormatError(`${label}: its input is missing`);
  return tensor;
}

/**
 * Only casts that are exact here: to float32, float64 and int64. A cast to 16 bits rounds, and data that
 * stays float32 would not show that.
 */
function cast(call: Call): AnyTensor | string {
  const tensor = firstInput(call);
  const { data, shape } = tensor;
  const to = call.attribute("to")?.i;
  if (to === 1 || to === 11) {
    call.spend(4 * data.length);
    const floats = new Float32Array(data.length);
    for (let at = 0; at < data.length; at++) floats[at] = Number(data[at]);
    return new Tensor(floats, shape);
  }
  // A bigint takes ten times as long as a float. The integers that are cast are axes and sizes.
  if (to === 7) call.spend(64 * data.length);
  // Exports of opset 7 write axes and sizes as floats.
  if (to === 7 && (!(data instanceof Float32Array) || data.every(Number.isSafeInteger))) {
    return new Tensor(BigInt64Array.from(data as ArrayLike<number>, BigInt), shape);
  }
  return `is computed by Cast to type ${to}`;
}

function concat(call: Call): AnyTensor {
  const { inputs } = call;
  const first = firstInput(call);
  const axis = axisOf(call, call.attribute("axis")?.i, first.shape.length);
  const shape = [...first.shape];
  shape[axis] = 0;
  for (const tensor of inputs) {
    const fits =
      // An input that is given often is compared once.
      tensor === first ||
      (tensor?.dtype === first.dtype &&
        tensor.shape.length === shape.length &&
        tensor.shape.every((size, at) => at === axis || size === shape[at]));
    if (!fits) throw new FormatError(`${call.label}: its inputs do not fit together`);
    shape[axis]! += tensor.shape[axis]!;
    // Of tensors without numbers, axes may be of any size.
    if (!Number.isSafeInteger(shape[axis])) throw new FormatError(`${call.label}: its axis is too long`);
  }
  const result = emptyLike(call, first.data, shape);
  const blocks = sizeOf(shape.slice(0, axis));
  const row = result.length / blocks;
  let start = 0;
  for (const { data } of inputs as readonly AnyTensor[]) {
    if (data.length === 0) continue;
    const part = data.length / blocks;
    for (let from = 0, to = start; from < data.length; from += part, to += row) {
      copyRun(data, from, result, to, part);
    }
    start += part;
  }
  return likewise(first, result, shape);
}

function slice(call: Call): AnyTensor {
  const tensor = firstInput(call);
  const rank = tensor.shape.length;
  const starts = integers(call, 1, "starts");
  const ends = integers(call, 2, "ends");
  if (!starts || !ends) throw new FormatError(`${call.label}: no starts or no ends`);
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
  return gather(call, tensor, shape, offset, strides);
}

/** One part of an axis. Parts are as long as `split` says, or equally long except for the last. */
function split(call: Call): AnyTensor {
  const tensor = firstInput(call);
  const axis = axisOf(call, call.attribute("axis")?.i ?? 0, tensor.shape.length);
  const size = tensor.shape[axis]!;
  if (call.outputCount > MOST_PARTS) throw new FormatError(`${call.label}: more than ${MOST_PARTS} parts`);
  const even = Math.ceil(size / call.outputCount);
  const given = integers(call, 1, "split");
  const lengths = Array.from(
    { length: call.outputCount },
    (_, at) => given?.[at] ?? Math.min(even, size - at * even),
  );
  const sum = lengths.reduce((total, length) => total + length, 0);
  if (
    sum !== size ||
    lengths.some((length) => length < 0) ||
    (given?.length ?? call.outputCount) !== lengths.length
  ) {
    throw new FormatError(
      `${call.label}: parts of [${lengths.slice(0, 8)}] do not make up axis ${axis} of ${showShape(tensor.shape)}`,
    );
  }
  const start = lengths.slice(0, call.output).reduce((total, length) => total + length, 0);
  const shape = tensor.shape.map((length, at) => (at === axis ? lengths[call.output]! : length));
  const strides = stridesOf(tensor.shape);
  return gather(call, tensor, shape, start * strides[axis]!, strides);
}

function transpose(call: Call): AnyTensor {
  const tensor = firstInput(call);
  const rank = tensor.shape.length;
  const perm = call.attribute("perm")?.ints ?? tensor.shape.map((_, at) => rank - 1 - at);
  if (
    perm.length !== rank ||
    new Set(perm).size !== rank ||
    !perm.every((axis) => axis >= 0 && axis < rank)
  ) {
    throw new FormatError(
      `${call.label}: perm [${perm.slice(0, 8).join(", ")}] does not fit shape ${showShape(tensor.shape)}`,
    );
  }
  const strides = stridesOf(tensor.shape);
  return gather(
    call,
    tensor,
    perm.map((axis) => tensor.shape[axis]!),
    0,
    perm.map((axis) => strides[axis]!),
  );
}

function squeeze(call: Call): AnyTensor {
  const tensor = firstInput(call);
  const given = integers(call, 1, "axes");
  const axes = given?.map((axis) => axisOf(call, axis, tensor.shape.length));
  const gone = (axis: number, size: number) => (axes === undefined ? size === 1 : axes.includes(axis));
  if (tensor.shape.some((size, axis) => gone(axis, size) && size !== 1)) {
    throw new FormatError(
      `${call.label}: axes [${axes}] of shape ${showShape(tensor.shape)} are not all of size 1`,
    );
  }
  return likewise(
    tensor,
    tensor.data,
    tensor.shape.filter((size, axis) => !gone(axis, size)),
  );
}

function unsqueeze(call: Call): AnyTensor {
  const tensor = firstInput(call);
  const given = integers(call, 1, "axes");
  if (given === undefined) throw new FormatError(`${call.label}: no axes`);
  const rank = checkRank(call, tensor.shape.length + given.length);
  const axes = new Set(given.map((axis) => axisOf(call, axis, rank)));
  if (axes.size !== given.length) throw new FormatError(`${call.label}: axes [${given}] repeat`);
  const sizes = [...tensor.shape];
  return likewise(
    tensor,
    tensor.data,
    Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : sizes.shift()!)),
  );
}

function reshape(call: Call): AnyTensor {
  const tensor = firstInput(call);
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
  return likewise(tensor, tensor.data, shape);
}

/** At most one integer per dimension. Newer opsets give them as an input, older ones as an attribute. */
function integers({ inputs, attribute, label, spend }: Call, at: number, name: string): number[] | undefined {
  const list: ArrayLike<number | bigint> | undefined = inputs[at]?.data ?? attribute(name)?.ints;
  if (list === undefined) return undefined;
  if (list instanceof Float32Array) throw new FormatError(`${label}: ${name} are no integers`);
  if (list.length > MOST_DIMENSIONS) throw new FormatError(`${label}: ${name}: ${list.length} numbers`);
  spend(AXIS_BYTES * list.length);
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

/** The elements at offset + index * strides, row-major. The caller keeps them within the tensor. */
function gather(
  call: Call,
  tensor: AnyTensor,
  shape: readonly number[],
  offset: number,
  strides: readonly number[],
): AnyTensor {
  const { data } = tensor;
  const result = emptyLike(call, data, shape);
  visitStrided(shape, strides, offset, (from, to) => {
    result[to] = data[from]!;
  });
  return likewise(tensor, result, shape);
}

function likewise({ dtype }: AnyTensor, data: TensorData, shape: readonly number[]): AnyTensor {
  return new Tensor(data, shape, { dtype });
}

function emptyLike({ spend }: Call, data: TensorData, shape: readonly number[]): TensorData {
  const length = sizeOf(shape);
  // Numbers take the same time whatever their width. 64 MB of single bytes would take a second.
  spend(length * Math.max(4, data.BYTES_PER_ELEMENT));
  return new (data.constructor as new (length: number) => TensorData)(length);
}
