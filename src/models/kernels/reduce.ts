/** Kernels of reductions along axes, of the place of the largest number, and of running sums. */

import {
  REDUCE_MAX,
  REDUCE_MIN,
  REDUCE_SQUARES,
  REDUCE_SUM,
  REDUCTION_BYTES,
} from "../../../build/models-abi.js";
import * as fields from "../../../build/records/reduction.js";
import type { Call } from "../../graph/operator.js";
import { around, elementsIn } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling, Place } from "../operator.js";

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

/** The axes that fall away; undefined where they are not known yet. */
function reducedAxes(call: Call): readonly number[] | undefined {
  if (call.has(1) && call.input(1).data === undefined) return undefined;
  const rank = call.input(0).shape.length;
  const stated = call.intsOf("axes", 1);
  if (stated !== undefined && stated.length > 0) return call.axes(stated, rank);
  return call.flag("noop_with_empty_axes", false) ? [] : Array.from({ length: rank }, (_, axis) => axis);
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

/** ReduceSum, ReduceMean, ReduceL2, ReduceMax and ReduceMin of float32 numbers. */
export function compileReduce({ call, types, runtime, activation }: Compiling): Compiled | undefined {
  const { operator } = call.node;
  const kind = kindOf(operator);
  const axes = reducedAxes(call);
  if (kind === undefined || axes === undefined) return undefined;
  if (types[0]!.dtype !== "float32" || activation !== undefined) return undefined;
  const { shape } = call.input(0);
  const results = elementsIn(types[0]!.shape);
  const steps = stepsOf(shape, axes);
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

/** CumSum of float32 numbers along an axis that is known. */
export function compileCumSum({ call, runtime, activation }: Compiling): Compiled | undefined {
  const { shape, dtype } = call.input(0);
  if (dtype !== "float32" || activation !== undefined || call.input(1).data === undefined) return undefined;
  const middle = around(shape, call.axis(call.scalar(1), shape.length));
  const what = {
    kind: call.flag("reverse", false) ? 1 : 0,
    divisor: 1,
    root: call.flag("exclusive", false),
  };
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
