/** Many numbers to one along axes, running sums, and the largest ones. */

import type { Dtype, HostTensor, Type } from "../ir.js";
import { type Call, type FillingOperator, isFloat, NUMBERS, NUMBERS_AND_BOOLS } from "../operator.js";
import { around, eachOffset, elementsIn, stridesOf } from "../shapes.js";

interface Reduction {
  readonly start: number;
  readonly add: (sum: number, x: number) => number;
  readonly end?: (sum: number, count: number) => number;
}

/** The axes that fall away: those given, or all of them. */
export function reducedAxes(call: Call): readonly number[] {
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

/** Reading a number takes as long as a few products. */
const read = (call: Call): number => 16 * elementsIn(call.input(0).shape);

const AXES: FillingOperator["attributes"] = { axes: "ints", keepdims: "int", noop_with_empty_axes: "int" };

const reducedType = (call: Call, takes: readonly Dtype[]): readonly Type[] => [
  { dtype: call.expect(0, takes).dtype, shape: reducedShape(call) },
];
const reducedNumbers = (call: Call): readonly Type[] => reducedType(call, NUMBERS);
const reducedAny = (call: Call): readonly Type[] => reducedType(call, NUMBERS_AND_BOOLS);

function reduce(call: Call, [output]: readonly HostTensor[], { start, add, end }: Reduction): void {
  const { data, shape } = call.data(0);
  const axes = reducedAxes(call);
  // Where each number goes: along axes that fall away, nowhere else.
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
  const sums = new Float64Array(output!.data.length).fill(start);
  // A sum that is not exact on its way would come back as another one.
  const mayBeInexact = output!.dtype === "int64";
  eachOffset(shape, strides, 0, (to, index) => {
    const next = add(sums[to]!, data[index]!);
    sums[to] = mayBeInexact && !Number.isSafeInteger(next) ? Number.NaN : next;
  });
  const count = data.length / Math.max(1, sums.length);
  for (let at = 0; at < sums.length; at++) {
    output!.data[at] = end === undefined ? sums[at]! : end(sums[at]!, count);
  }
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

export const ReduceSum: FillingOperator = {
  name: "ReduceSum",
  attributes: AXES,
  shape: reducedNumbers,
  work: read,
  run: (call, outputs) => reduce(call, outputs, { start: 0, add: sum }),
};

export const ReduceMean: FillingOperator = {
  name: "ReduceMean",
  attributes: AXES,
  shape: reducedNumbers,
  work: read,
  run: (call, outputs) => {
    const isOfFloats = isFloat(call.input(0).dtype);
    const end = (total: number, count: number) => (isOfFloats ? total / count : Math.trunc(total / count));
    reduce(call, outputs, { start: 0, add: sum, end });
  },
};

export const ReduceMax: FillingOperator = {
  name: "ReduceMax",
  attributes: AXES,
  shape: reducedAny,
  work: read,
  run: (call, outputs) => {
    reduce(call, outputs, { start: limit(call.input(0).dtype, 0), add: Math.max });
  },
};

export const ReduceMin: FillingOperator = {
  name: "ReduceMin",
  attributes: AXES,
  shape: reducedAny,
  work: read,
  run: (call, outputs) => {
    reduce(call, outputs, { start: limit(call.input(0).dtype, 1), add: Math.min });
  },
};

export const ReduceL2: FillingOperator = {
  name: "ReduceL2",
  attributes: AXES,
  shape: reducedNumbers,
  work: read,
  run: (call, outputs) => {
    const end = isFloat(call.input(0).dtype) ? Math.sqrt : (total: number) => Math.trunc(Math.sqrt(total));
    reduce(call, outputs, { start: 0, add: (total, x) => total + x * x, end });
  },
};

const PLACE: FillingOperator["attributes"] = { axis: "int", keepdims: "int", select_last_index: "int" };
const axisOf = (call: Call) => call.axis(call.int("axis", 0), call.input(0).shape.length);

function placeType(call: Call): readonly Type[] {
  const { shape } = call.expect(0, NUMBERS);
  const axis = axisOf(call);
  if (shape[axis] === 0) throw call.broken(`axis ${axis} is of size 0`);
  const parts = call.flag("keepdims", true) ? [1] : [];
  return [{ dtype: "int64", shape: [...shape.slice(0, axis), ...parts, ...shape.slice(axis + 1)] }];
}

/** Where the best number along an axis is. */
function placeOf(
  call: Call,
  [output]: readonly HostTensor[],
  isBetter: (x: number, best: number) => boolean,
): void {
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
}

export const ArgMax: FillingOperator = {
  name: "ArgMax",
  attributes: PLACE,
  shape: placeType,
  work: read,
  run: (call, outputs) => placeOf(call, outputs, (x, best) => x > best),
};

export const ArgMin: FillingOperator = {
  name: "ArgMin",
  attributes: PLACE,
  shape: placeType,
  work: read,
  run: (call, outputs) => placeOf(call, outputs, (x, best) => x < best),
};

export const CumSum: FillingOperator = {
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

export const TopK: FillingOperator = {
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
  work: (call) => 256 * elementsIn(call.input(0).shape),
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
