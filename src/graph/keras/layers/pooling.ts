/** Pools: over windows, and over all places. */

import type { Value } from "../../ir.js";
import { int } from "../builder.js";
import type { KerasOperator } from "../emitted.js";
import type { LayerFunction } from "../layer-call.js";
import {
  type ChannelsLast,
  checkSteps,
  over,
  type Sizes,
  toFirst,
  toLast,
  type Windows,
  windowAttributes,
  windowsOver,
} from "./windows.js";

export const maxPooling1d: LayerFunction = (call) => over(call, 1, pool("MaxPool"));
export const maxPooling2d: LayerFunction = (call) => over(call, 2, pool("MaxPool"));
export const averagePooling1d: LayerFunction = (call) => over(call, 1, pool("AveragePool"));
export const averagePooling2d: LayerFunction = (call) => over(call, 2, pool("AveragePool"));
export const globalMaxPooling1d: LayerFunction = (call) => over(call, 1, global("ReduceMax"));
export const globalMaxPooling2d: LayerFunction = (call) => over(call, 2, global("ReduceMax"));
export const globalAveragePooling1d: LayerFunction = (call) => over(call, 1, global("ReduceMean"));
export const globalAveragePooling2d: LayerFunction = (call) => over(call, 2, global("ReduceMean"));

/** Taps of a window, which vectors join, that take as long as it takes to make a number. */
const TAPS_PER_NUMBER = 16;

/** What all windows read, but for what they have of padding. */
const tapsIn = (from: Sizes, to: Sizes, kernel: readonly number[]): number =>
  kernel.reduce(
    (all, taps, axis) => all * (to[axis] ?? 1) * Math.min(taps, from[axis] ?? 1),
    from.at(-1) ?? 1,
  );

const pool =
  (operator: "MaxPool" | "AveragePool"): ChannelsLast =>
  (call, x, axes) => {
    const { builder } = call;
    const isOld = call.version.major === 1 && axes === 1;
    const kernel = call.integers(isOld ? "pool_length" : "pool_size", axes, 2);
    const strided = isOld ? "stride" : "strides";
    const windows: Windows = {
      kernel,
      strides: (call.field(strided) ?? null) === null ? kernel : call.integers(strided, axes, 1),
      dilations: kernel.map(() => 1),
      padding: call.word(call.version.major === 1 ? "border_mode" : "padding", ["valid", "same"], "valid"),
    };
    checkSteps(call, x, windows);
    const made = builder.one(
      operator,
      [toFirst(builder, builder.floats(x), axes)],
      windowAttributes(windows),
    );
    const sizes = windowsOver(call, x.shape.slice(1, -1), windows);
    const shape = [x.shape[0]!, ...sizes, x.shape.at(-1)!];
    builder.spend(tapsIn(x.shape.slice(1), sizes, kernel) / TAPS_PER_NUMBER);
    return [call.tensor(toLast(builder, made, axes), shape, { time: x.time })];
  };

const global =
  (operator: "ReduceMax" | "ReduceMean"): ChannelsLast =>
  (call, x, axes) => {
    const { builder } = call;
    if (x.time) call.notStreamable("it goes over all steps of time");
    const keeps = call.flag("keepdims");
    const value = builder.floats(x);
    // After a convolution the channels are the first axis.
    const isPlain = axes === 2 || operator === "ReduceMax" || call.context.tfjs !== undefined;
    const masked = isPlain ? undefined : call.maskOf(x);
    const isFirst = builder.transposes.of(value) !== undefined && !keeps && masked === undefined;
    const places = (axes === 1 ? [1] : [1, 2]).map((axis) => (isFirst ? axis + 1 : axis));
    const reduce = (name: KerasOperator, value: Value): Value =>
      builder.one(name, [value, builder.ints(places)], { keepdims: int(keeps ? 1 : 0) });
    const shape = [x.shape[0]!, ...(keeps ? places.map(() => 1) : []), x.shape.at(-1)!];
    if (masked === undefined) {
      return [call.tensor(reduce(operator, isFirst ? toFirst(builder, value, axes) : value), shape)];
    }
    const mask = builder.unsqueeze(builder.cast(masked, "bool", "float32"), 2);
    const sum = reduce("ReduceSum", builder.mul(value, mask));
    return [call.tensor(builder.div(sum, reduce("ReduceSum", mask)), shape)];
  };
