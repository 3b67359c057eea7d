/** The same numbers elsewhere: transposes, slices, joins, repeats. */

import type { HostTensor } from "../ir.js";
import type { Call, FillingOperator } from "../operator.js";
import { around, broadcast, broadcastStrides, eachOffset, stridesOf } from "../shapes.js";

/** Numbers that stand together are copied by one call from so many on: a loop that runs once is not compiled. */
const LEAST_RUN = 16;

/** Fills an output with the numbers of an input at the offsets of these strides. */
function gather(input: HostTensor, output: HostTensor, strides: readonly number[], start = 0): void {
  const { data } = input;
  const { data: out, shape } = output;
  let run = 1;
  let axes = shape.length;
  while (axes > 0 && (strides[axes - 1] === run || shape[axes - 1] === 1)) run *= shape[--axes]!;
  if (run >= LEAST_RUN) {
    eachOffset(shape.slice(0, axes), strides, start, (offset, index) => {
      out.set(data.subarray(offset, offset + run), index * run);
    });
    return;
  }
  eachOffset(shape, strides, start, (offset, index) => {
    out[index] = data[offset]!;
  });
}

export function permutation(call: Call): readonly number[] {
  const { length } = call.input(0).shape;
  const perm = call.ints("perm");
  if (perm === undefined) return Array.from({ length }, (_, axis) => length - 1 - axis);
  if (perm.length !== length || call.axes(perm, length).length !== length) {
    throw call.broken(`attribute perm [${perm.join(", ")}] is not of ${length} axes`);
  }
  return perm;
}

export interface Cut {
  readonly start: number;
  readonly step: number;
  readonly size: number;
}

/** What a Slice takes of each axis. */
export function cuts(call: Call): Cut[] {
  const { shape } = call.input(0);
  const result: Cut[] = shape.map((size) => ({ start: 0, step: 1, size }));
  const isNew = call.opset >= 10;
  const starts = isNew ? call.integers(1) : call.ints("starts");
  const ends = isNew ? call.integers(2) : call.ints("ends");
  if (starts === undefined || ends === undefined) throw call.broken("no starts or no ends are given");
  const axes = (isNew && call.has(3) ? call.integers(3) : call.ints("axes")) ?? starts.map((_, at) => at);
  const steps = call.has(4) ? call.integers(4) : starts.map(() => 1);
  if (![ends, axes, steps].every(({ length }) => length === starts.length)) {
    throw call.broken("starts, ends, axes and steps are not equally many");
  }
  call.axes(axes, shape.length);
  for (const [at, stated] of axes.entries()) {
    const axis = call.axis(stated, shape.length);
    const size = shape[axis]!;
    const step = steps[at]!;
    if (step === 0) throw call.broken("a step of 0");
    const from = (index: number) => (index < 0 ? index + size : index);
    const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
    const start = Math.min(Math.max(from(starts[at]!), step > 0 ? 0 : Math.min(0, size - 1)), most);
    const end = Math.min(Math.max(from(ends[at]!), least), most);
    result[axis] = { start, step, size: Math.max(0, Math.ceil((end - start) / step)) };
  }
  return result;
}

const withSize = (shape: readonly number[], axis: number, size: number): number[] =>
  shape.map((own, other) => (other === axis ? size : own));

/** How far a Split's outputs reach along its axis. */
function splitSizes(call: Call, size: number): readonly number[] {
  const stated = call.opset >= 13 && call.has(1) ? call.integers(1) : call.ints("split");
  const count = stated?.length ?? call.int("num_outputs", call.node.outputs.length);
  if (count < 1 || count > 100_000) throw call.broken(`${count} outputs`);
  if (stated === undefined) {
    const each = Math.ceil(size / count);
    return Array.from({ length: count }, (_, at) => Math.max(0, Math.min(each, size - at * each)));
  }
  if (stated.some((part) => part < 0) || stated.reduce((sum, part) => sum + part, 0) !== size) {
    throw call.broken(`parts [${stated.join(", ")}] of an axis of size ${size}`);
  }
  return stated;
}

/** Where a Concat's inputs lie. */
export function joined(call: Call): { axis: number; shape: readonly number[] } {
  const first = call.input(0);
  const axis = call.axis(call.int("axis", 1), first.shape.length);
  const shape = first.shape.slice();
  for (let at = 1; at < call.inputs.length; at++) {
    const input = call.expect(at, [first.dtype]);
    const fits =
      input.shape.length === shape.length &&
      input.shape.every((size, other) => other === axis || size === shape[other]);
    if (!fits) throw call.broken(`input ${at} of shape [${input.shape.join(", ")}] does not fit the first`);
    shape[axis]! += input.shape[axis]!;
  }
  return { axis, shape };
}

export function repeats(call: Call): readonly number[] {
  const { length } = call.input(0).shape;
  const counts = call.integers(1);
  if (counts.length !== length) throw call.broken(`${counts.length} repeats for ${length} axes`);
  return counts;
}

function expanded(call: Call): readonly number[] {
  const { shape } = call.input(0);
  const result = broadcast(shape, call.checkShape(call.integers(1)));
  if (result === undefined)
    throw call.broken(`shape [${shape.join(", ")}] does not fit the one to expand to`);
  return result;
}

export const Trilu: FillingOperator = {
  name: "Trilu",
  attributes: { upper: "int" },
  shape: (call) => {
    const { dtype, shape } = call.input(0);
    if (shape.length < 2) throw call.broken("an input of fewer than two axes");
    return [{ dtype, shape }];
  },
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const [rows, columns] = shape.slice(-2) as [number, number];
    const upper = call.flag("upper", true);
    const k = call.has(1) ? call.scalar(1) : 0;
    for (let at = 0; at < data.length; at++) {
      const distance = (at % columns) - (Math.floor(at / columns) % rows);
      if (upper ? distance >= k : distance <= k) output!.data[at] = data[at]!;
    }
  },
};

export const Transpose: FillingOperator = {
  name: "Transpose",
  attributes: { perm: "ints" },
  shape: (call) => {
    const { dtype, shape } = call.input(0);
    return [{ dtype, shape: permutation(call).map((axis) => shape[axis]!) }];
  },
  run: (call, [output]) => {
    const strides = stridesOf(call.input(0).shape);
    gather(
      call.data(0),
      output!,
      permutation(call).map((axis) => strides[axis]!),
    );
  },
};

export const Slice: FillingOperator = {
  name: "Slice",
  attributes: { starts: "ints", ends: "ints", axes: "ints" },
  shape: (call) => [{ dtype: call.input(0).dtype, shape: cuts(call).map(({ size }) => size) }],
  run: (call, [output]) => {
    const own = stridesOf(call.input(0).shape);
    const parts = cuts(call);
    const start = parts.reduce((sum, part, axis) => sum + part.start * own[axis]!, 0);
    gather(
      call.data(0),
      output!,
      parts.map(({ step }, axis) => step * own[axis]!),
      start,
    );
  },
};

export const Concat: FillingOperator = {
  name: "Concat",
  attributes: { axis: "int" },
  shape: (call) => [{ dtype: call.input(0).dtype, shape: joined(call).shape }],
  run: (call, [output]) => {
    const { axis, shape } = joined(call);
    const { outer, size, inner } = around(shape, axis);
    let begin = 0;
    for (let at = 0; at < call.inputs.length; at++) {
      const input = call.data(at);
      const width = input.shape[axis]! * inner;
      for (let row = 0; row < outer; row++) {
        const part = input.data.subarray(row * width, (row + 1) * width);
        output!.data.set(part, row * size * inner + begin);
      }
      begin += width;
    }
  },
};

export const Split: FillingOperator = {
  name: "Split",
  attributes: { axis: "int", split: "ints", num_outputs: "int" },
  shape: (call) => {
    const { dtype, shape } = call.input(0);
    const axis = call.axis(call.int("axis", 0), shape.length);
    return splitSizes(call, shape[axis]!).map((size) => ({ dtype, shape: withSize(shape, axis, size) }));
  },
  run: (call, outputs) => {
    const { data, shape } = call.data(0);
    const axis = call.axis(call.int("axis", 0), shape.length);
    const { outer, size, inner } = around(shape, axis);
    let begin = 0;
    for (const output of outputs) {
      const width = output.shape[axis]! * inner;
      for (let row = 0; row < outer; row++) {
        const from = row * size * inner + begin;
        output.data.set(data.subarray(from, from + width), row * width);
      }
      begin += width;
    }
  },
};

export const Tile: FillingOperator = {
  name: "Tile",
  attributes: {},
  shape: (call) => {
    const { dtype, shape } = call.input(0);
    return [{ dtype, shape: repeats(call).map((count, axis) => count * shape[axis]!) }];
  },
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const strides = stridesOf(shape);
    // As if each axis were two: repeats, then sizes.
    const both = repeats(call).flatMap((count, axis) => [count, shape[axis]!]);
    const steps = strides.flatMap((stride) => [0, stride]);
    eachOffset(both, steps, 0, (offset, index) => {
      output!.data[index] = data[offset]!;
    });
  },
};

export const Expand: FillingOperator = {
  name: "Expand",
  attributes: {},
  shape: (call) => [{ dtype: call.input(0).dtype, shape: expanded(call) }],
  run: (call, [output]) => {
    gather(call.data(0), output!, broadcastStrides(call.input(0).shape, output!.shape));
  },
};
