/** Convolutions. */

import type { Value } from "../../ir.js";
import { activateAs } from "../activations.js";
import { int, ints } from "../builder.js";
import type { LayerCall, LayerFunction } from "../layer-call.js";
import { type KerasTensor, withFloats } from "../tensor.js";
import {
  type Axes,
  type ChannelsLast,
  checkSteps,
  over,
  reachOf,
  toFirst,
  toLast,
  type Windows,
  windowAttributes,
  windowsOver,
} from "./windows.js";

export const conv1d: LayerFunction = (call) => activated(call, 1, convolution);
export const conv2d: LayerFunction = (call) => activated(call, 2, convolution);
export const separableConv1d: LayerFunction = (call) => activated(call, 1, separable);
export const separableConv2d: LayerFunction = (call) => activated(call, 2, separable);
export const depthwiseConv1d: LayerFunction = (call) => activated(call, 1, depthwise);
export const depthwiseConv2d: LayerFunction = (call) => activated(call, 2, depthwise);
export const conv1dTranspose: LayerFunction = (call) => activated(call, 1, transposed);
export const conv2dTranspose: LayerFunction = (call) => activated(call, 2, transposed);

function activated(call: LayerCall, axes: Axes, layer: ChannelsLast): readonly KerasTensor[] {
  return over(call, axes, layer).map((made) =>
    withFloats(made, activateAs(call, made.value, call.field("activation"))),
  );
}

const PADDINGS = ["valid", "same", "causal"] as const;

function windowsOf(call: LayerCall, axes: Axes): Windows {
  if (call.version.major === 1) call.refuse("convolutions of Keras 1 are not supported");
  return {
    kernel: call.integers("kernel_size", axes, 1),
    strides: call.integers("strides", axes, 1),
    dilations: call.integers("dilation_rate", axes, 1),
    padding: call.word("padding", axes === 1 ? PADDINGS : PADDINGS.slice(0, 2), "valid"),
  };
}

/** The sizes of a kernel's axes, in the order of Keras: windows, then these. */
const kernelShape = ({ kernel }: Windows, ...rest: readonly number[]) => [...kernel, ...rest];

/** The axes of a kernel of Keras that are its windows' sizes: ONNX has them after those of channels. */
const WINDOW_AXES = { 1: [0], 2: [0, 1] } as const;

function channelsOf(call: LayerCall, x: KerasTensor): number {
  return call.size(x, -1);
}

/** The input with the channels first, and with what a causal convolution sees of the past. */
function withPast(call: LayerCall, x: KerasTensor, windows: Windows, axes: Axes): Value {
  const { builder } = call;
  const value = builder.floats(x);
  const past = reachOf(windows)[0]! - 1;
  if (windows.padding !== "causal" || past === 0) return toFirst(builder, value, axes);
  const first = toFirst(builder, value, axes);
  if (!x.time || builder.stateful || windows.strides[0]! > 1) {
    return builder.one("Pad", [first, builder.ints([0, 0, past, 0, 0, 0])]);
  }
  const { before, after } = builder.state("past", [x.shape[0]!, channelsOf(call, x), past]);
  const whole = builder.concat([before, first], 2);
  after(builder.slice(whole, 2, -past, Number.MAX_SAFE_INTEGER));
  return whole;
}

/** The bias of so many channels, where the layer has one. */
function biasOf(call: LayerCall, channels: number, at: number): Value | undefined {
  return call.flag("use_bias", true) ? call.builder.weight(call.shaped("bias", [channels], at)) : undefined;
}

/** What a convolution gives, with the channels last. */
function finished(
  call: LayerCall,
  x: KerasTensor,
  made: Value,
  { axes, sizes }: { readonly axes: Axes; readonly sizes: KerasTensor["shape"] },
): readonly KerasTensor[] {
  return [call.tensor(toLast(call.builder, made, axes), [x.shape[0]!, ...sizes], { time: x.time })];
}

function convolution(call: LayerCall, x: KerasTensor, axes: Axes): readonly KerasTensor[] {
  const { builder } = call;
  const windows = windowsOf(call, axes);
  const group = call.integer("groups", 1, 1);
  const channels = channelsOf(call, x);
  const filters = call.integer("filters", undefined, 1);
  const kernel = call.shaped("kernel", kernelShape(windows, channels / group, filters));
  checkSteps(call, x, windows);
  const weight = builder.transpose(builder.weight(kernel), [axes + 1, axes, ...WINDOW_AXES[axes]]);
  const made = builder.one("Conv", [withPast(call, x, windows, axes), weight, biasOf(call, filters, 1)], {
    ...windowAttributes(windows),
    ...(group === 1 ? {} : { group: int(group) }),
  });
  const sizes = [...windowsOver(call, x.shape.slice(1, -1), windows), filters];
  return finished(call, x, made, { axes, sizes });
}

/** Each channel by kernels of its own, with the channels first. */
function eachChannel(
  call: LayerCall,
  x: KerasTensor,
  windows: Windows,
  { axes, name, bias }: { readonly axes: Axes; readonly name: string; readonly bias: boolean },
): { made: Value; channels: number } {
  const { builder } = call;
  const channels = channelsOf(call, x);
  const multiplier = call.integer("depth_multiplier", 1, 1);
  const kernel = call.shaped(name, kernelShape(windows, channels, multiplier));
  const turned = builder.transpose(builder.weight(kernel), [axes, axes + 1, ...WINDOW_AXES[axes]]);
  const all = channels * multiplier;
  const inputs = [withPast(call, x, windows, axes), builder.reshape(turned, [all, 1, ...windows.kernel])];
  const made = builder.one("Conv", bias ? [...inputs, biasOf(call, all, 1)] : inputs, {
    ...windowAttributes(windows),
    group: int(channels),
  });
  return { made, channels: all };
}

function depthwise(call: LayerCall, x: KerasTensor, axes: Axes): readonly KerasTensor[] {
  const windows = windowsOf(call, axes);
  checkSteps(call, x, windows);
  const name = call.weights.has("depthwise_kernel") ? "depthwise_kernel" : "kernel";
  const { made, channels } = eachChannel(call, x, windows, { axes, name, bias: true });
  const sizes = [...windowsOver(call, x.shape.slice(1, -1), windows), channels];
  return finished(call, x, made, { axes, sizes });
}

function separable(call: LayerCall, x: KerasTensor, axes: Axes): readonly KerasTensor[] {
  const { builder } = call;
  const windows = windowsOf(call, axes);
  checkSteps(call, x, windows);
  const each = eachChannel(call, x, windows, { axes, name: "depthwise_kernel", bias: false });
  const filters = call.integer("filters", undefined, 1);
  const ones = new Array<number>(axes).fill(1);
  const kernel = call.shaped("pointwise_kernel", [...ones, each.channels, filters], 1);
  const weight = builder.transpose(builder.weight(kernel), [axes + 1, axes, ...WINDOW_AXES[axes]]);
  const made = builder.one("Conv", [each.made, weight, biasOf(call, filters, 2)], {
    kernel_shape: ints(ones),
  });
  const sizes = [...windowsOver(call, x.shape.slice(1, -1), windows), filters];
  return finished(call, x, made, { axes, sizes });
}

function transposed(call: LayerCall, x: KerasTensor, axes: Axes): readonly KerasTensor[] {
  const { builder } = call;
  const windows = windowsOf(call, axes);
  if (x.time && (reachOf(windows)[0]! > 1 || windows.strides[0]! > 1)) {
    call.notStreamable("a transposed convolution goes over time");
  }
  const filters = call.integer("filters", undefined, 1);
  const kernel = call.shaped("kernel", kernelShape(windows, filters, channelsOf(call, x)));
  const weight = builder.transpose(builder.weight(kernel), [axes + 1, axes, ...WINDOW_AXES[axes]]);
  const isGiven = (call.field("output_padding") ?? null) !== null;
  const given = isGiven ? call.integers("output_padding", axes, 0, 0) : undefined;
  const edges = reachOf(windows).map((reach, axis) =>
    edgesOf(call, { reach, stride: windows.strides[axis]!, padding: windows.padding, given: given?.[axis] }),
  );
  const { auto_pad: _, ...attributes } = windowAttributes(windows);
  const made = builder.one(
    "ConvTranspose",
    [toFirst(builder, builder.floats(x), axes), weight, biasOf(call, filters, 1)],
    {
      ...attributes,
      pads: ints([...edges.map(({ before }) => before), ...edges.map(({ after }) => after)]),
      ...(edges.some(({ more }) => more > 0) ? { output_padding: ints(edges.map(({ more }) => more)) } : {}),
    },
  );
  const sizes = x.shape.slice(1, -1).map((size, axis) => {
    const { before, after, more } = edges[axis]!;
    if (size === null) return null;
    return (size - 1) * windows.strides[axis]! + reachOf(windows)[axis]! - before - after + more;
  });
  return finished(call, x, made, { axes, sizes: [...sizes, filters] });
}

interface TransposedAxis {
  readonly reach: number;
  readonly stride: number;
  readonly padding: Windows["padding"];
  /** Its output_padding; undefined where the layer has none. */
  readonly given: number | undefined;
}

/** What is cut off (N - 1) stride + reach in front and behind, and what is added behind. */
function edgesOf(call: LayerCall, { reach, stride, padding, given }: TransposedAxis) {
  if (padding === "valid") return { before: 0, after: 0, more: given ?? Math.max(stride - reach, 0) };
  const total = given === undefined ? reach - stride : 2 * Math.floor(reach / 2) - given;
  if (given !== undefined && total < 0) call.refuse(`output_padding ${given} is not supported`);
  const before = Math.floor(Math.max(total, 0) / 2);
  return { before, after: Math.max(total, 0) - before, more: Math.max(-total, 0) };
}
