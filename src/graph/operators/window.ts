/** Windows over axes, as convolutions and pools have them. */

import type { Call } from "../operator.js";

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before and after each axis. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly output: readonly number[];
}

export function listOf(
  call: Call,
  name: string,
  length: number,
  missing: number,
  least: number,
): readonly number[] {
  const list = call.ints(name) ?? new Array<number>(length).fill(missing);
  if (list.length !== length || list.some((number) => !(number >= least && number < 2 ** 31))) {
    throw call.broken(`attribute ${name} [${list.join(", ")}] does not fit ${length} axes`);
  }
  return list;
}

/** @param sizes of the axes that windows go over, which are at most two */
export function windowOf(call: Call, sizes: readonly number[], kernel: readonly number[]): Window {
  const rank = sizes.length;
  if (rank > 2) throw call.refused(`windows over ${rank} axes are not supported`);
  if (kernel.length !== rank || kernel.some((size) => !(size >= 1 && size < 2 ** 31))) {
    throw call.broken(`a kernel of [${kernel.join(", ")}] for ${rank} axes`);
  }
  const strides = listOf(call, "strides", rank, 1, 1);
  const dilations = listOf(call, "dilations", rank, 1, 1);
  const reach = kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1);
  const mode = call.text("auto_pad", "NOTSET");
  let before: readonly number[];
  let after: readonly number[];
  if (mode === "NOTSET" || mode === "VALID") {
    const pads =
      mode === "VALID" ? new Array<number>(2 * rank).fill(0) : listOf(call, "pads", 2 * rank, 0, 0);
    before = pads.slice(0, rank);
    after = pads.slice(rank);
  } else if (mode === "SAME_UPPER" || mode === "SAME_LOWER") {
    const total = sizes.map((size, axis) =>
      Math.max(0, (Math.ceil(size / strides[axis]!) - 1) * strides[axis]! + reach[axis]! - size),
    );
    const less = total.map((pad) => Math.floor(pad / 2));
    const more = total.map((pad) => Math.ceil(pad / 2));
    [before, after] = mode === "SAME_UPPER" ? [less, more] : [more, less];
  } else throw call.refused(`attribute auto_pad: ${mode} is not supported`);
  const ceil = call.flag("ceil_mode", false);
  const output = sizes.map((size, axis) => {
    const padded = size + before[axis]! + after[axis]! - reach[axis]!;
    if (padded < 0) throw call.broken(`a kernel of ${kernel[axis]} over an axis of ${size}`);
    const stride = strides[axis]!;
    if (!ceil) return Math.floor(padded / stride) + 1;
    const count = Math.ceil(padded / stride) + 1;
    // A window that begins in the padding after the input is left out.
    return (count - 1) * stride >= size + before[axis]! ? count - 1 : count;
  });
  return { kernel, strides, dilations, before, after, output };
}

/** The same window over two axes, the first of which may be of size 1. */
export function planar(
  window: Window,
  sizes: readonly number[],
): { window: Window; sizes: readonly [number, number] } {
  if (sizes.length === 2) return { window, sizes: sizes as [number, number] };
  const { kernel, strides, dilations, before, after, output } = window;
  return {
    window: {
      kernel: [1, ...kernel],
      strides: [1, ...strides],
      dilations: [1, ...dilations],
      before: [0, ...before],
      after: [0, ...after],
      output: [1, ...output],
    },
    sizes: [1, sizes[0]!],
  };
}
