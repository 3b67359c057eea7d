/** Numbers taken and put by indices, and padding. */

import type { HostTensor } from "../ir.js";
import type { Call, FillingOperator } from "../operator.js";
import { around, elementsIn, stridesOf } from "../shapes.js";

/** An index counted from the first on. */
export function counted(call: Call, index: number, size: number): number {
  const at = index < 0 ? index + size : index;
  if (at < 0 || at >= size) throw call.broken(`index ${index} is not in an axis of size ${size}`);
  return at;
}

export const Gather: FillingOperator = {
  name: "Gather",
  attributes: { axis: "int" },
  shape: (call) => {
    const { dtype, shape } = call.input(0);
    const axis = call.axis(call.int("axis", 0), shape.length);
    const indices = call.expect(1, ["int64", "int32"]);
    return [{ dtype, shape: [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)] }];
  },
  work: (call) => {
    const { shape } = call.input(0);
    const { outer } = around(shape, call.axis(call.int("axis", 0), shape.length));
    return 64 * outer * elementsIn(call.input(1).shape);
  },
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const { outer, size, inner } = around(shape, call.axis(call.int("axis", 0), shape.length));
    const indices = Array.from(call.data(1).data, (index) => counted(call, index, size));
    let to = 0;
    for (let row = 0; row < outer; row++) {
      for (const index of indices) {
        const from = (row * size + index) * inner;
        output!.data.set(data.subarray(from, from + inner), to);
        to += inner;
      }
    }
  },
};

/** Where an input is not 0: how many that are tells its numbers alone, so that no plan has room for it. */
export const NonZero: FillingOperator = {
  name: "NonZero",
  oldest: 9,
  attributes: {},
  shape: (call) => {
    const { data, shape } = call.data(0);
    let count = 0;
    for (let at = 0; at < data.length; at++) if (data[at] !== 0) count++;
    return [{ dtype: "int64", shape: [shape.length, count] }];
  },
  work: (call) => 8 * elementsIn(call.input(0).shape),
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const strides = stridesOf(shape);
    const count = output!.shape[1]!;
    let to = 0;
    for (let at = 0; at < data.length; at++) {
      if (data[at] === 0) continue;
      for (const [axis, size] of shape.entries()) {
        output!.data[axis * count + to] = Math.floor(at / strides[axis]!) % size;
      }
      to++;
    }
  },
};

const REDUCTIONS: ReadonlyMap<string, (a: number, b: number) => number> = new Map([
  ["none", (_: number, b: number) => b],
  ["add", (a: number, b: number) => a + b],
  ["mul", (a: number, b: number) => a * b],
  ["max", Math.max],
  ["min", Math.min],
]);

export const ScatterND: FillingOperator = {
  name: "ScatterND",
  attributes: { reduction: "string" },
  shape: (call) => {
    const { dtype, shape } = call.input(0);
    const indices = call.expect(1, ["int64"]).shape;
    const updates = call.expect(2, [dtype]).shape;
    const depth = indices.at(-1) ?? 0;
    const expected = [...indices.slice(0, -1), ...shape.slice(depth)];
    if (depth > shape.length || expected.join() !== updates.join()) {
      throw call.broken(`updates of shape [${updates.join(", ")}]; expected [${expected.join(", ")}]`);
    }
    return [{ dtype, shape }];
  },
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const indices = call.data(1);
    const updates = call.data(2).data;
    const reduction = call.text("reduction", "none");
    const apply = REDUCTIONS.get(reduction);
    if (apply === undefined) throw call.refused(`attribute reduction: ${reduction} is not supported`);
    const depth = indices.shape.at(-1)!;
    const strides = stridesOf(shape);
    const width = elementsIn(shape.slice(depth));
    const rows = elementsIn(indices.shape.slice(0, -1));
    const out = output!.data;
    out.set(data);
    for (let row = 0; row < rows; row++) {
      let to = 0;
      for (let axis = 0; axis < depth; axis++) {
        to += counted(call, indices.data[row * depth + axis]!, shape[axis]!) * strides[axis]!;
      }
      for (let at = 0; at < width; at++) out[to + at] = apply(out[to + at]!, updates[row * width + at]!);
    }
  },
};

export interface Padding {
  readonly before: number[];
  readonly after: number[];
}

export function padding(call: Call): Padding {
  const { length: rank } = call.input(0).shape;
  const stated = call.opset >= 11 ? call.integers(1) : (call.ints("pads") ?? call.ints("paddings"));
  if (stated === undefined) throw call.broken("no pads are given");
  const axes = call.has(3) ? call.integers(3) : undefined;
  const count = axes?.length ?? rank;
  if (stated.length !== 2 * count) throw call.broken(`${stated.length} pads for ${count} axes`);
  if (axes !== undefined) call.axes(axes, rank);
  const before = new Array<number>(rank).fill(0);
  const after = before.slice();
  for (let at = 0; at < count; at++) {
    const axis = axes === undefined ? at : call.axis(axes[at]!, rank);
    before[axis] = stated[at]!;
    after[axis] = stated[at + count]!;
  }
  return { before, after };
}

/** Where a padded axis takes the number at `at` from; -1 for nowhere. */
export const SOURCES: ReadonlyMap<string, (at: number, size: number) => number> = new Map([
  ["constant", (at: number, size: number) => (at >= 0 && at < size ? at : -1)],
  ["edge", (at: number, size: number) => Math.min(Math.max(at, 0), size - 1)],
  ["wrap", (at: number, size: number) => ((at % size) + size) % size],
  [
    "reflect",
    (at: number, size: number) => {
      if (size === 1) return 0;
      const period = 2 * (size - 1);
      const within = ((at % period) + period) % period;
      return within < size ? within : period - within;
    },
  ],
]);

export const Pad: FillingOperator = {
  name: "Pad",
  attributes: { mode: "string", pads: "ints", paddings: "ints", value: "float" },
  shape: (call) => {
    const { dtype, shape } = call.input(0);
    const { before, after } = padding(call);
    return [{ dtype, shape: shape.map((size, axis) => size + before[axis]! + after[axis]!) }];
  },
  work: (_, [output]) => 32 * elementsIn(output!.shape),
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const mode = call.text("mode", "constant");
    const source = SOURCES.get(mode);
    if (source === undefined) throw call.refused(`attribute mode: ${mode} is not supported`);
    if (mode !== "constant" && data.length === 0 && output!.data.length > 0) {
      throw call.broken(`mode ${mode} of an axis of size 0`);
    }
    const { before } = padding(call);
    const strides = stridesOf(shape);
    const value = call.has(2) ? call.scalar(2) : call.float("value", 0);
    const from = output!.shape.map((size, axis) =>
      Array.from({ length: size }, (_, at) => source(at - before[axis]!, shape[axis]!)),
    );
    fillPadded(output!, data, { from, strides, value });
  },
};

function fillPadded(
  output: HostTensor,
  data: HostTensor["data"],
  { from, strides, value }: { from: number[][]; strides: readonly number[]; value: number },
): void {
  let to = 0;
  const visit = (axis: number, offset: number): void => {
    if (axis === from.length) {
      output.data[to++] = offset < 0 ? value : data[offset]!;
      return;
    }
    for (const at of from[axis]!) visit(axis + 1, at < 0 || offset < 0 ? -1 : offset + at * strides[axis]!);
  };
  visit(0, 0);
}
