/** Kernels of reductions along axes, of the place of the largest number, and of running sums. */

import {
  REDUCE_MAX,
  REDUCE_MIN,
  REDUCE_SQUARES,
  REDUCE_SUM,
  REDUCTION_BYTES,
} from "../../../build/models-abi.js";
import * as fields from "../../../build/records/reduction.js";
import { reducedAxes } from "../../graph/operators/reduce.js";
import { around, elementsIn } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling, Place } from "../operator.js";
import { inexact, isInteger, numberType } from "./integers.js";

/** An axis in the middle of a tensor. */
interface Middle {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

interface Reducing {
  readonly kind: number;
  readonly divisor: number;
  readonly root: boolean;
}

const doNothing = (): void => {};

function recordOf(place: Place, middle: Middle, what: Reducing, from: number, to: number): number {
  const words = new Int32Array(REDUCTION_BYTES / 4);
  words[fields.kind] = what.kind;
  words[fields.outer] = middle.outer;
  words[fields.count] = middle.size;
  words[fields.inner] = middle.inner;
  words[fields.input] = from;
  words[fields.output] = to;
  words[fields.divisor] = new Int32Array(Float32Array.of(what.divisor).buffer)[0]!;
  words[fields.root] = what.root ? 1 : 0;
  return place.record(words);
}

/** The steps in which axes fall away, the last ones first; neighbours are one. There is one step at least. */
function stepsOf(shape: readonly number[], axes: readonly number[]): Middle[] {
  const groups: { size: number; falls: boolean }[] = [];
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const falls = axes.includes(axis);
    const before = groups.at(-1);
    if (before?.falls === falls) before.size *= size;
    else groups.push({ size, falls });
  }
  const steps: Middle[] = [];
  let inner = 1;
  for (let at = groups.length - 1; at >= 0; at--) {
    const { size, falls } = groups[at]!;
    if (!falls) inner *= size;
    else steps.push({ outer: elementsIn(groups.slice(0, at).map((group) => group.size)), size, inner });
  }
  return steps.length > 0 ? steps : [{ outer: 1, size: 1, inner }];
}

function kindOf(operator: string): number | undefined {
  switch (operator) {
    case "ReduceSum":
    case "ReduceMean":
      return REDUCE_SUM;
    case "ReduceL2":
      return REDUCE_SQUARES;
    case "ReduceMax":
      return REDUCE_MAX;
    case "ReduceMin":
      return REDUCE_MIN;
    default:
      return undefined;
  }
}

/** Sums, extremes, or sums so far, of integers. */
function compileNumbers(
  { call, types, runtime }: Compiling,
  middle: Middle,
  what: Reducing,
  running: boolean,
): Compiled {
  const type = numberType(types[0]!.dtype)!;
  return {
    bind: (place) => {
      const record = recordOf(place, middle, what, place.input(0), place.output(0));
      const { reduceNumbers } = modelKernels(runtime);
      return () => {
        if (reduceNumbers(record, type, running ? 1 : 0) !== 0) throw inexact(call);
      };
    },
  };
}

/** ReduceSum, ReduceMean, ReduceL2, ReduceMax and ReduceMin of float32 numbers; of integers sums and extremes. */
export function compileReduce(node: Compiling): Compiled | undefined {
  const { call, types, runtime, activation } = node;
  const { operator } = call.node;
  const kind = kindOf(operator);
  // Axes may not be known yet.
  if (kind === undefined || (call.has(1) && call.input(1).data === undefined)) return undefined;
  const axes = reducedAxes(call);
  const { dtype } = types[0]!;
  if ((dtype !== "float32" && !isInteger(dtype)) || activation !== undefined) return undefined;
  const { shape } = call.input(0);
  const results = elementsIn(types[0]!.shape);
  const steps = stepsOf(shape, axes);
  if (dtype !== "float32") {
    const isMean = operator === "ReduceMean" || operator === "ReduceL2";
    if (isMean || steps.length !== 1 || elementsIn(shape) === 0) return undefined;
    return compileNumbers(node, steps[0]!, { kind, divisor: 1, root: false }, false);
  }
  const divisor = operator === "ReduceMean" ? elementsIn(shape) / Math.max(1, results) : 1;
  const rooms = steps.slice(0, -1).map(({ outer, inner }) => outer * inner * 4);
  return {
    scratchBytes: rooms.reduce((sum, bytes) => sum + bytes, 0),
    bind: (place) => {
      if (results === 0) return doNothing;
      let from = place.input(0);
      let free = place.scratch;
      const records = steps.map((step, at) => {
        const isLast = at === steps.length - 1;
        const to = isLast ? place.output(0) : free;
        free += rooms[at] ?? 0;
        // Squares are taken once.
        const own = kind === REDUCE_SQUARES && at > 0 ? REDUCE_SUM : kind;
        const what = { kind: own, divisor: isLast ? divisor : 1, root: isLast && operator === "ReduceL2" };
        const record = recordOf(place, step, what, from, to);
        from = to;
        return record;
      });
      const kernels = modelKernels(runtime);
      const [first] = records;
      if (records.length === 1) return () => kernels.reduce(first!);
      return () => {
        for (const record of records) kernels.reduce(record);
      };
    },
  };
}

/** ArgMax and ArgMin of float32 numbers. */
export function compileArgExtreme({ call, runtime, activation }: Compiling): Compiled | undefined {
  const { shape, dtype } = call.input(0);
  if (dtype !== "float32" || activation !== undefined) return undefined;
  const middle = around(shape, call.axis(call.int("axis", 0), shape.length));
  const what = {
    kind: call.node.operator === "ArgMin" ? REDUCE_MIN : REDUCE_MAX,
    divisor: 1,
    root: call.flag("select_last_index", false),
  };
  return {
    bind: (place) => {
      const record = recordOf(place, middle, what, place.input(0), place.output(0));
      const kernels = modelKernels(runtime);
      return () => kernels.indexOfExtreme(record);
    },
  };
}

/** CumSum of float32 numbers or integers along an axis that is known. */
export function compileCumSum(node: Compiling): Compiled | undefined {
  const { call, runtime, activation } = node;
  const { shape, dtype } = call.input(0);
  if (activation !== undefined || call.input(1).data === undefined) return undefined;
  const middle = around(shape, call.axis(call.scalar(1), shape.length));
  const what = {
    kind: call.flag("reverse", false) ? 1 : 0,
    divisor: 1,
    root: call.flag("exclusive", false),
  };
  if (dtype !== "float32") {
    return isInteger(dtype) && elementsIn(shape) > 0 ? compileNumbers(node, middle, what, true) : undefined;
  }
  return {
    inPlace: 0,
    bind: (place) => {
      if (elementsIn(shape) === 0) return doNothing;
      const record = recordOf(place, middle, what, place.input(0), place.output(0));
      const kernels = modelKernels(runtime);
      return () => kernels.cumulate(record);
    },
  };
}

/** What a number more takes is a step past each of those that are better. */
const MOST_TOP = 256;

/** TopK of float32 numbers, of which few are taken. */
export function compileTop({ call, types, runtime, activation }: Compiling): Compiled | undefined {
  const { shape, dtype } = call.input(0);
  if (dtype !== "float32" || activation !== undefined) return undefined;
  const axis = call.axis(call.int("axis", -1), shape.length);
  const k = types[0]!.shape[axis]!;
  if (k > MOST_TOP) return undefined;
  const what = { kind: call.flag("largest", true) ? 1 : 0, divisor: 1, root: false };
  return {
    bind: (place) => {
      const [values, indices] = [place.output(0), place.output(1)];
      const record = recordOf(place, around(shape, axis), what, place.input(0), values);
      const { topOf } = modelKernels(runtime);
      return () => topOf(record, indices, k);
    },
  };
}
