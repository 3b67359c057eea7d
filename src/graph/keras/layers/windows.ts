/** Windows over one axis or two, as convolutions and pools of Keras have them: channels are the last axis. */

import type { Value } from "../../ir.js";
import { type Attributes, type GraphBuilder, ints, text } from "../builder.js";
import type { LayerCall } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";

export type Sizes = readonly (number | null)[];

/** How many axes windows go over. */
export type Axes = 1 | 2;

export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: "valid" | "same" | "causal";
}

/** The layer's input, whose channels must be its last axis. */
export function channelsLast(call: LayerCall, axes: Axes): KerasTensor {
  call.word("data_format", ["channels_last"], "channels_last");
  return call.only(axes + 2);
}

const from = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, at) => start + at);

/** [N, ..., C] as [N, C, ...], as ONNX's operators have it. */
export function toFirst(builder: GraphBuilder, value: Value, axes: Axes): Value {
  return builder.transpose(value, [0, axes + 1, ...from(1, axes + 1)]);
}

/** [N, C, ...] as [N, ..., C]. */
export function toLast(builder: GraphBuilder, value: Value, axes: Axes): Value {
  return builder.transpose(value, [0, ...from(2, axes + 2), 1]);
}

/** Attributes of an operator with windows; padding in front is the caller's where it is causal. */
export function windowAttributes({ kernel, strides, dilations, padding }: Windows): Attributes {
  const isPlain = dilations.every((dilation) => dilation === 1);
  return {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    ...(isPlain ? {} : { dilations: ints(dilations) }),
    ...(padding === "same" ? { auto_pad: text("SAME_UPPER") } : {}),
  };
}

/** How far each window reaches. */
export const reachOf = ({ kernel, dilations }: Windows): number[] =>
  kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1);

/** How many windows there are over each axis. */
export function windowsOver(call: LayerCall, sizes: Sizes, windows: Windows): Sizes {
  const reach = reachOf(windows);
  return sizes.map((size, axis) => {
    if (size === null) return null;
    const stride = windows.strides[axis]!;
    const count =
      windows.padding === "valid" ? Math.floor((size - reach[axis]!) / stride) + 1 : Math.ceil(size / stride);
    if (count < 1) call.broken(`a window of ${reach[axis]} over an axis of ${size}`);
    return count;
  });
}

/** Says so where a window goes over several steps of time, or leaves some out. */
export function checkSteps(call: LayerCall, x: KerasTensor, windows: Windows): void {
  if (!x.time) return;
  if (windows.strides[0]! > 1) call.notStreamable("its strides go over time");
  else if (reachOf(windows)[0]! > 1 && windows.padding !== "causal") {
    call.notStreamable(`its windows go over time, with padding "${windows.padding}"`);
  }
}
