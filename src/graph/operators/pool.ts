/** Pools over one or two axes, and over all of them. */

import type { Type } from "../ir.js";
import { type Call, type FillingOperator, FLOATS, NUMBERS } from "../operator.js";
import { elementsIn } from "../shapes.js";
import { planar, type Window, windowOf } from "./window.js";

export function poolWindow(call: Call): Window {
  const { shape } = call.input(0);
  if (shape.length < 3) throw call.broken(`an input of ${shape.length} axes`);
  const sizes = shape.slice(2);
  const window = windowOf(call, sizes, call.ints("kernel_shape") ?? []);
  return call.flag("count_include_pad", false) ? window : withoutPadding(window, sizes);
}

/** Without taps that are in the padding for all outputs: a file may state far more of them than the input has numbers. */
function withoutPadding(window: Window, sizes: readonly number[]): Window {
  const { kernel, strides, dilations, before, output } = window;
  const ranges = kernel.map((taps, axis): readonly [from: number, to: number] => {
    const [pad, dilation] = [before[axis]!, dilations[axis]!];
    // Rounded down, so that no window begins within the input.
    const from = Math.floor(Math.max(0, pad - (output[axis]! - 1) * strides[axis]!) / dilation);
    const to = Math.min(taps, Math.ceil((sizes[axis]! + pad) / dilation));
    return from < to ? [from, to] : [0, taps];
  });
  return {
    ...window,
    kernel: ranges.map(([from, to]) => to - from),
    before: before.map((pad, axis) => pad - ranges[axis]![0] * dilations[axis]!),
  };
}

/** Visits the windows, each with the numbers in it and how many numbers it has with the padding. */
function eachWindow(
  call: Call,
  output: { data: { [index: number]: number } },
  make: (numbers: Float64Array, count: number, padded: number) => number,
): void {
  const { data, shape } = call.data(0);
  const { window, sizes } = planar(poolWindow(call), shape.slice(2));
  const [rows, columns] = sizes;
  const planes = shape[0]! * shape[1]!;
  const numbers = new Float64Array(elementsIn(window.kernel));
  /** Where the taps of a window lie along an axis; those in the padding as -1, those after it left out. */
  const taps = (axis: 0 | 1): number[][] =>
    Array.from({ length: window.output[axis]! }, (_, at) => {
      const size = sizes[axis];
      const list: number[] = [];
      for (let tap = 0; tap < window.kernel[axis]!; tap++) {
        const place = at * window.strides[axis]! - window.before[axis]! + tap * window.dilations[axis]!;
        if (place < size + window.after[axis]!) list.push(place >= 0 && place < size ? place : -1);
      }
      return list;
    });
  const [down, across] = [taps(0), taps(1)];
  let to = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (const ys of down) {
      for (const xs of across) {
        let count = 0;
        for (const y of ys) {
          if (y < 0) continue;
          for (const x of xs) if (x >= 0) numbers[count++] = data[(plane * rows + y) * columns + x]!;
        }
        output.data[to++] = make(numbers, count, ys.length * xs.length);
      }
    }
  }
}

/** What all windows read, each number of which takes as long as a few products. */
function poolWork(call: Call, [output]: readonly Type[]): number {
  const { kernel } = poolWindow(call);
  return 8 * elementsIn(kernel) * (elementsIn(output!.shape) + 1);
}

const pooledShape = (call: Call): readonly number[] => [
  ...call.input(0).shape.slice(0, 2),
  ...poolWindow(call).output,
];

export const MaxPool: FillingOperator = {
  name: "MaxPool",
  attributes: {
    auto_pad: "string",
    ceil_mode: "int",
    dilations: "ints",
    kernel_shape: "ints",
    pads: "ints",
    strides: "ints",
    storage_order: "int",
  },
  shape: (call) => {
    if (call.node.outputs[1] !== undefined) throw call.refused("output Indices is not supported");
    return [{ dtype: call.expect(0, NUMBERS).dtype, shape: pooledShape(call) }];
  },
  work: poolWork,
  run: (call, [output]) => {
    eachWindow(call, output!, (numbers, count) => {
      let most = -Infinity;
      for (let at = 0; at < count; at++) most = Math.max(most, numbers[at]!);
      return most;
    });
  },
};

export const AveragePool: FillingOperator = {
  name: "AveragePool",
  attributes: {
    auto_pad: "string",
    ceil_mode: "int",
    dilations: "ints",
    kernel_shape: "ints",
    pads: "ints",
    strides: "ints",
    count_include_pad: "int",
  },
  shape: (call) => [{ dtype: call.expect(0, FLOATS).dtype, shape: pooledShape(call) }],
  work: poolWork,
  run: (call, [output]) => {
    const includesPadding = call.flag("count_include_pad", false);
    eachWindow(call, output!, (numbers, count, padded) => {
      let sum = 0;
      for (let at = 0; at < count; at++) sum += numbers[at]!;
      return sum / (includesPadding ? padded : count);
    });
  },
};

export const GlobalAveragePool: FillingOperator = {
  name: "GlobalAveragePool",
  attributes: {},
  shape: (call) => {
    const { dtype, shape } = call.expect(0, FLOATS);
    return [{ dtype, shape: shape.map((size, axis) => (axis < 2 ? size : 1)) }];
  },
  work: (call) => 8 * elementsIn(call.input(0).shape),
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const size = elementsIn(shape.slice(2));
    const { data: out } = output!;
    for (let at = 0; at < out.length; at++) {
      let sum = 0;
      for (let from = at * size; from < (at + 1) * size; from++) sum += data[from]!;
      out[at] = sum / size;
    }
  },
};
