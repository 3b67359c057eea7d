/** Pools over one or two axes. */

import { POOL_BYTES, REDUCE_SUM, REDUCTION_BYTES } from "../../../build/models-abi.js";
import * as Pool from "../../../build/records/pool.js";
import * as Reduction from "../../../build/records/reduction.js";
import type { Call } from "../../graph/operator.js";
import { poolWindow } from "../../graph/operators/pool.js";
import { planar, type Window } from "../../graph/operators/window.js";
import { elementsIn } from "../../graph/shapes.js";
import { align } from "../../wasm/block.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling } from "../operator.js";
import { applyActivation, isActivation } from "./unary.js";

/** Padding may be far larger than the image: the host skips it. */
const MOST_LINE_NUMBERS = 2 ** 24;

/** What joins more numbers takes longer than a second: the host counts its work, and says which node has too much. */
const MOST_JOINS = 2 ** 31;

/** For each output along an axis, how many taps count: a window may have as many as the axis. */
function tapsAlong(window: Window, size: number, axis: number, includesPadding: boolean): number[] {
  const [taps, dilation, before] = [window.kernel[axis]!, window.dilations[axis]!, window.before[axis]!];
  const most = includesPadding ? size + window.after[axis]! : size;
  return Array.from({ length: window.output[axis]! }, (_, at) => {
    const start = at * window.strides[axis]! - before;
    /** How many taps lie before a place. */
    const until = (place: number) => Math.min(taps, Math.max(0, Math.ceil((place - start) / dilation)));
    return until(most) - (includesPadding ? 0 : until(0));
  });
}

/** What the sum of each window is divided by. */
function countsOf(call: Call, window: Window, sizes: readonly [number, number]): Float32Array {
  const includesPadding = call.flag("count_include_pad", false);
  const across = tapsAlong(window, sizes[1], 1, includesPadding);
  return Float32Array.from(
    tapsAlong(window, sizes[0], 0, includesPadding).flatMap((down) => across.map((taps) => down * taps)),
  );
}

/** MaxPool and AveragePool. */
export function compilePool(node: Compiling): Compiled | undefined {
  const { call, types, runtime, activation } = node;
  const { dtype, shape } = types[0]!;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  if (activation !== undefined && !isActivation(activation.name)) return undefined;
  if (elementsIn(shape) === 0) return { bind: () => () => {} };
  const input = call.input(0).shape;
  const { window, sizes } = planar(poolWindow(call), input.slice(2));
  const { kernel, strides, dilations, before, output } = window;
  const reach = (output[1]! - 1) * strides[1]! + (kernel[1]! - 1) * dilations[1]! + 1;
  // A vector may read past the last window.
  const lineNumbers = Math.max(reach, before[1]! + sizes[1]) + 4;
  if (lineNumbers > MOST_LINE_NUMBERS || elementsIn(kernel) > MOST_LINE_NUMBERS) return undefined;
  const joins =
    elementsIn(shape) * kernel[1]! + (elementsIn(shape) / output[1]!) * (kernel[0]! + lineNumbers);
  if (joins > MOST_JOINS) return undefined;
  const isAverage = call.node.operator === "AveragePool";
  const kernels = modelKernels(runtime);
  return {
    scratchBytes: align(lineNumbers * 4),
    bind: (place) => {
      const words = new Int32Array(POOL_BYTES / 4);
      words[Pool.channels] = input[0]! * input[1]!;
      words[Pool.height] = sizes[0]!;
      words[Pool.width] = sizes[1]!;
      words[Pool.rows] = output[0]!;
      words[Pool.columns] = output[1]!;
      words[Pool.kernelRows] = kernel[0]!;
      words[Pool.kernelColumns] = kernel[1]!;
      words[Pool.rowStride] = strides[0]!;
      words[Pool.columnStride] = strides[1]!;
      words[Pool.rowDilation] = dilations[0]!;
      words[Pool.columnDilation] = dilations[1]!;
      words[Pool.top] = before[0]!;
      words[Pool.left] = before[1]!;
      words[Pool.line] = place.scratch;
      words[Pool.lineNumbers] = lineNumbers;
      words[Pool.counts] = isAverage ? place.record(new Int32Array(countsOf(call, window, sizes).buffer)) : 0;
      const record = place.record(words);
      const [from, to] = [place.input(0), place.output(0)];
      const then = applyActivation(node, to, elementsIn(shape));
      return () => {
        kernels.pool(record, from, to);
        then?.();
      };
    },
  };
}

/** GlobalAveragePool: the mean of every channel. */
export function compileGlobalPool({ call, types, runtime, activation }: Compiling): Compiled | undefined {
  const { dtype, shape } = types[0]!;
  if ((dtype !== "float32" && dtype !== "float64") || activation !== undefined) return undefined;
  const outer = elementsIn(shape);
  const count = elementsIn(call.input(0).shape.slice(2));
  if (outer === 0 || count === 0) return undefined;
  return {
    bind: (place) => {
      const words = new Int32Array(REDUCTION_BYTES / 4);
      words[Reduction.kind] = REDUCE_SUM;
      words[Reduction.outer] = outer;
      words[Reduction.count] = count;
      words[Reduction.inner] = 1;
      words[Reduction.root] = 0;
      words[Reduction.input] = place.input(0);
      words[Reduction.output] = place.output(0);
      new Float32Array(words.buffer)[Reduction.divisor] = count;
      const record = place.record(words);
      const kernels = modelKernels(runtime);
      return () => kernels.reduce(record);
    },
  };
}
