/** Windows over one axis or two, as convolutions and pools of Keras have them. */

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

/** Whether the channels of the layer's input are its first axis after the batch. */
export function areChannelsFirst(call: LayerCall): boolean {
  if (call.version.major === 1) return call.word("dim_ordering", ["tf", "th"], "tf") === "th";
  return call.word("data_format", ["channels_last", "channels_first"], "channels_last") === "channels_first";
}

const from = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, at) => start + at);

const firstOf = (axes: number): number[] => [0, axes + 1, ...from(1, axes + 1)];
const lastOf = (axes: number): number[] => [0, ...from(2, axes + 2), 1];

/** [N, ..., C] as [N, C, ...], as ONNX's operators have it. */
export function toFirst(builder: GraphBuilder, value: Value, axes: number): Value {
  return builder.transpose(value, firstOf(axes));
}

/** [N, C, ...] as [N, ..., C]. */
export function toLast(builder: GraphBuilder, value: Value, axes: number): Value {
  return builder.transpose(value, lastOf(axes));
}

/** What a layer gives of an input whose channels are the last axis. */
export type ChannelsLast = (call: LayerCall, x: KerasTensor, axes: Axes) => readonly KerasTensor[];

/** A layer with the channels of its input and its outputs where its config has them. */
export function over(call: LayerCall, axes: Axes, layer: ChannelsLast): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only(axes + 2);
  if (!areChannelsFirst(call)) return layer(call, x, axes);
  if (x.time) call.notStreamable("its channels stand where time does");
  const turned = (tensor: KerasTensor, perm: readonly number[]): KerasTensor => ({
    ...tensor,
    value: builder.transpose(tensor.value, perm),
    shape: perm.map((axis) => tensor.shape[axis]!),
    time: false,
  });
  return layer(call, turned(x, lastOf(axes)), axes).map((output) =>
    output.shape.length === x.shape.length ? turned(output, firstOf(axes)) : output,
  );
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
