/** Many numbers to one along axes, running sums, and the largest ones. */

import type { Dtype, Type } from "../ir.js";
import { type Call, isFloat, NUMBERS, type PlainOperator } from "../operator.js";
import { around, eachOffset, stridesOf } from "../shapes.js";

interface Reduction {
  readonly start: number;
  readonly add: (sum: number, x: number) => number;
  readonly end?: (sum: number, count: number) => number;
}

/** The axes that fall away: those given, or all of them. */
function reducedAxes(call: Call): readonly number[] {
  const rank = call.input(0).shape.length;
  const stated = call.intsOf("axes", 1);
  if (stated !== undefined && stated.length > 0) return call.axes(stated, rank);
  return call.flag("noop_with_empty_axes", false) ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

function reducedShape(call: Call): readonly number[] {
  const { shape } = call.input(0);
  const axes = reducedAxes(call);
  if (call.flag("keepdims", true)) return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return shape.filter((_, axis) => !axes.includes(axis));
}

function reduce(name: string, takes: readonly Dtype[], make: (dtype: Dtype) => Reduction): PlainOperator {
  return {
    name,
    attributes: { axes: "ints", keepdims: "int", noop_with_empty_axes: "int" },
    shape: (call) => [{ dtype: call.expect(0, takes).dtype, shape: reducedShape(call) }],
    run: (call, [output]) => {
      const { data, shape, dtype } = call.data(0);
      const { start, add, end } = make(dtype);
      const axes = reducedAxes(call);
      // Where each number goes: along axes that fall away, nowhere else.
      const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
      const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
      const sums = new Float64Array(output!.data.length).fill(start);
      eachOffset(shape, strides, 0, (to, index) => {
        sums[to] = add(sums[to]!, data[index]!);
      });
      const count = data.length / Math.max(1, sums.length);
      for (let at = 0; at < sums.length; at++) {
        output!.data[at] = end === undefined ? sums[at]! : end(sums[at]!, count);
      }
    },
  };
}

/** The smallest and largest number of a type, which no number is beyond. */
const LIMITS: ReadonlyMap<Dtype, readonly [number, number]> = new Map<Dtype, readonly [number, number]>([
  ["int64", [-(2 ** 63), 2 ** 63]],
  ["int32", [-(2 ** 31), 2 ** 31 - 1]],
  ["int8", [-128, 127]],
  ["uint8", [0, 255]],
  ["bool", [0, 1]],
]);
const limit = (dtype: Dtype, which: 0 | 1): number =>
  LIMITS.get(dtype)?.[which] ?? (which === 0 ? -Infinity : Infinity);

const sum = (x: number, y: number): number => x + y;

/** ArgMax and ArgMin. */
function indexOf(name: string, isBetter: (x: number, best: number) => boolean): PlainOperator {
  const axisOf = (call: Call) => call.axis(call.int("axis", 0), call.input(0).shape.length);
  return {
    name,
    attributes: { axis: "int", keepdims: "int", select_last_index: "int" },
    shape: (call) => {
      const { shape } = call.expect(0, NUMBERS);
      const axis = axisOf(call);
      if (shape[axis] === 0) throw call.broken(`axis ${axis} is of size 0`);
      const parts = call.flag("keepdims", true) ? [1] : [];
      return [{ dtype: "int64", shape: [...shape.slice(0, axis), ...parts, ...shape.slice(axis + 1)] }];
    },
    run: (call, [output]) => {
      const { data, shape } = call.data(0);
      const { outer, size, inner } = around(shape, axisOf(call));
      const last = call.flag("select_last_index", false);
      for (let row = 0; row < outer; row++) {
        for (let column = 0; column < inner; column++) {
          let best = 0;
          const number = (at: number) => data[(row * size + at) * inner + column]!;
          for (let at = 1; at < size; at++) {
            if (isBetter(number(at), number(best)) || (last && number(at) === number(best))) best = at;
          }
          output!.data[row * inner + column] = best;
        }
      }
    },
  };
}

const cumSum: PlainOperator = {
  name: "CumSum",
  attributes: { exclusive: "int", reverse: "int" },
  shape: (call) => [{ dtype: call.expect(0, NUMBERS).dtype, shape: call.input(0).shape }],
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const { outer, size, inner } = around(shape, call.axis(call.scalar(1), shape.length));
    const exclusive = call.flag("exclusive", false);
    const reverse = call.flag("reverse", false);
    for (let row = 0; row < outer; row++) {
      for (let column = 0; column < inner; column++) {
        let total = 0;
        for (let step = 0; step < size; step++) {
          const at = (row * size + (reverse ? size - 1 - step : step)) * inner + column;
          const next = total + data[at]!;
          output!.data[at] = exclusive ? total : next;
          total = next;
        }
      }
    }
  },
};

/** How many numbers a TopK takes, and along which axis. */
function topOf(call: Call): { axis: number; k: number } {
  const { shape } = call.input(0);
  const axis = call.axis(call.int("axis", -1), shape.length);
  const k = call.has(1) ? call.scalar(1) : call.int("k", -1);
  if (!(k >= 0 && k <= shape[axis]!)) throw call.broken(`k is ${k}, and axis ${axis} of size ${shape[axis]}`);
  return { axis, k };
}

const topK: PlainOperator = {
  name: "TopK",
  attributes: { axis: "int", largest: "int", sorted: "int", k: "int" },
  shape: (call): readonly Type[] => {
    const { dtype } = call.expect(0, NUMBERS);
    const { axis, k } = topOf(call);
    const shape = call.input(0).shape.map((size, other) => (other === axis ? k : size));
    return [
      { dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  run: (call, [values, indices]) => {
    const { data, shape } = call.data(0);
    const { axis, k } = topOf(call);
    const { outer, size, inner } = around(shape, axis);
    const sign = call.flag("largest", true) ? -1 : 1;
    for (let row = 0; row < outer; row++) {
      for (let column = 0; column < inner; column++) {
        const number = (at: number) => data[(row * size + at) * inner + column]!;
        const order = Array.from({ length: size }, (_, at) => at);
        order.sort((a, b) => sign * (number(a) - number(b)) || a - b);
        for (let at = 0; at < k; at++) {
          const to = (row * k + at) * inner + column;
          values!.data[to] = number(order[at]!);
          indices!.data[to] = order[at]!;
        }
      }
    }
  },
};

const mean = (total: number, count: number, dtype: Dtype): number =>
  isFloat(dtype) ? total / count : Math.trunc(total / count);

export const reductions: readonly PlainOperator[] = [
  reduce("ReduceSum", NUMBERS, () => ({ start: 0, add: sum })),
  reduce("ReduceMean", NUMBERS, (dtype) => ({
    start: 0,
    add: sum,
    end: (total, count) => mean(total, count, dtype),
  })),
  reduce("ReduceMax", [...NUMBERS, "bool"], (dtype) => ({ start: limit(dtype, 0), add: Math.max })),
  reduce("ReduceMin", [...NUMBERS, "bool"], (dtype) => ({ start: limit(dtype, 1), add: Math.min })),
  reduce("ReduceL2", NUMBERS, () => ({ start: 0, add: (total, x) => total + x * x, end: Math.sqrt })),
  indexOf("ArgMax", (x, best) => x > best),
  indexOf("ArgMin", (x, best) => x < best),
  cumSum,
  topK,
];
