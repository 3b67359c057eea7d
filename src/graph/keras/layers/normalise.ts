/** Normalisation: by statistics of the training, of each step, and by numbers of the config. */

import { show } from "../../../tensor/checks.js";
import type { Value } from "../../ir.js";
import { float, type GraphBuilder, int } from "../builder.js";
import type { LayerCall } from "../layer-call.js";
import { type KerasTensor, withFloats, withMask } from "../tensor.js";
import { axisOf } from "./axes.js";
import { type Axes, toFirst, toLast } from "./windows.js";

/** The shape of numbers that belong to some axes, as they are broadcast against a tensor. */
function broadcastShape(x: KerasTensor, axes: readonly number[]): number[] {
  return x.shape.map((size, axis) => (axes.includes(axis) ? size! : 1));
}

/** x scale + shift, numbers for each place of some axes. */
function scaled(
  call: LayerCall,
  x: KerasTensor,
  axes: readonly number[],
  { scale, shift }: { readonly scale: ArrayLike<number>; readonly shift: ArrayLike<number> },
): KerasTensor {
  const { builder } = call;
  const shape = broadcastShape(x, axes);
  const constant = (numbers: ArrayLike<number>) => builder.constant(Float32Array.from(numbers), shape);
  const value = builder.add(builder.mul(builder.floats(x), constant(scale)), constant(shift));
  return withFloats(x, value);
}

export function batchNormalization(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  const axis = axisOf(call, oneOf(call.field("axis") ?? -1), x.shape.length);
  const size = call.size(x, axis);
  if (x.time && axis === 1) call.notStreamable("each step of time has numbers of its own");
  const isOld = call.version.major === 1;
  const [hasScale, hasCenter] = [call.flag("scale", true), call.flag("center", true)];
  let at = 0;
  const numbers = (name: string, old: string, isThere: boolean, usual: number): ArrayLike<number> =>
    isThere ? call.shaped(isOld ? old : name, [size], at++).data : new Float32Array(size).fill(usual);
  const gamma = numbers("gamma", "gamma", hasScale, 1);
  const beta = numbers("beta", "beta", hasCenter, 0);
  const mean = numbers("moving_mean", "running_mean", true, 0);
  const variance = numbers("moving_variance", "running_std", true, 1);
  const epsilon = call.number("epsilon", 1e-3);
  const given = call.builder.floats(x);
  // After a convolution, whose channels are the first axis: there it becomes part of its weights.
  if (axis === x.shape.length - 1 && call.builder.transposes.of(given) !== undefined && axis > 1) {
    const { builder } = call;
    const axes = (axis - 1) as Axes;
    const numbersOf = [gamma, beta, mean, variance].map((one) =>
      builder.constant(Float32Array.from(one), [size]),
    );
    const made = builder.one("BatchNormalization", [toFirst(builder, given, axes), ...numbersOf], {
      epsilon: float(epsilon),
    });
    return [withFloats(x, toLast(builder, made, axes))];
  }
  const scale = Float64Array.from(variance, (one, index) => gamma[index]! / Math.sqrt(one + epsilon));
  const shift = Float64Array.from(beta, (one, index) => one - mean[index]! * scale[index]!);
  return [scaled(call, x, [axis], { scale, shift })];
}

/** What a list of one thing has. */
const oneOf = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value);

/** Axes of the config, in order. */
function axesOf(call: LayerCall, x: KerasTensor, usual: unknown): number[] {
  const stated = call.field("axis") ?? usual;
  const list: readonly unknown[] = Array.isArray(stated) ? stated : [stated];
  const axes = list.map((axis) => axisOf(call, axis, x.shape.length));
  if (new Set(axes).size < axes.length) call.broken(`axis: ${show(stated)} has one twice`);
  return axes.sort((a, b) => a - b);
}

export function layerNormalization(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  const axes = axesOf(call, x, -1);
  const rank = x.shape.length;
  if (axes[0] !== rank - axes.length) call.refuse(`axis: [${axes.join(", ")}] are not the last axes`);
  if (call.flag("rms_scaling")) call.refuse("rms_scaling is not supported");
  if (x.time && axes[0] === 1) call.notStreamable("it goes over all steps of time");
  const shape = axes.map((axis) => call.size(x, axis));
  let at = 0;
  const gamma = call.flag("scale", true) ? builder.weight(call.shaped("gamma", shape, at++)) : undefined;
  const beta = call.flag("center", true) ? builder.weight(call.shaped("beta", shape, at)) : undefined;
  const ones = () => new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1);
  const value = builder.one(
    "LayerNormalization",
    [builder.floats(x), gamma ?? builder.constant(ones(), shape), beta],
    { axis: int(axes[0]!), epsilon: float(call.number("epsilon", 1e-3)) },
  );
  return [withFloats(x, value)];
}

/** x over the root of the sum of its squares. */
export function unitNorm(builder: GraphBuilder, x: Value, axes: readonly number[]): Value {
  const sum = builder.one("ReduceSum", [builder.mul(x, x), builder.ints(axes)], { keepdims: int(1) });
  return builder.div(x, builder.one("Sqrt", [builder.one("Max", [sum, builder.scalar(1e-12)])]));
}

export function unitNormalization(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  const axes = axesOf(call, x, -1);
  if (x.time && axes[0] === 1) call.notStreamable("it goes over all steps of time");
  return [withFloats(x, unitNorm(call.builder, call.builder.floats(x), axes))];
}

/** A number, or numbers for each place of the last axis. */
function lastNumbers(call: LayerCall, key: string, usual: number): Value {
  const value = call.field(key) ?? usual;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((one) => typeof one === "number"))
    call.broken(`${key}: expected numbers, got ${show(value)}`);
  return call.builder.constant(
    Float32Array.from(list as number[]),
    Array.isArray(value) ? [list.length] : [],
  );
}

export function rescaling(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  const product = builder.mul(builder.floats(x), lastNumbers(call, "scale", 1));
  const value = builder.add(product, lastNumbers(call, "offset", 0));
  return [withMask(withFloats(x, value), call.version.major === 3 ? x.mask : undefined)];
}

/** Keras' least standard deviation. */
const EPSILON = 1e-7;

export function normalization(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  const axes = (call.field("axis") ?? null) === null ? [] : axesOf(call, x, -1);
  const shape = axes.map((axis) => call.size(x, axis));
  if (x.time && axes.includes(1)) call.notStreamable("each step of time has numbers of its own");
  const count = shape.reduce((a, b) => a * b, 1);
  const numbers = (key: "mean" | "variance", at: number): ArrayLike<number> => {
    const stated = [call.field(key)].flat(16);
    if ((stated[0] ?? null) === null) {
      const { data } = call.weight(key, at);
      return data.length === count
        ? data
        : call.broken(`weight ${key}: expected ${count} numbers, got ${data.length}`);
    }
    if (!stated.every((one) => typeof one === "number") || (stated.length !== 1 && stated.length !== count)) {
      call.refuse(`${key}: expected ${count} numbers, got ${show(call.field(key))}`);
    }
    return stated.length === 1 ? new Float64Array(count).fill(stated[0] as number) : (stated as number[]);
  };
  const mean = numbers("mean", 0);
  const deviation = Float64Array.from(numbers("variance", 1), (one) => Math.max(Math.sqrt(one), EPSILON));
  const isInverse = call.flag("invert");
  const scale = deviation.map((one) => (isInverse ? one : 1 / one));
  const shift = deviation.map((one, at) => (isInverse ? mean[at]! : -mean[at]! / one));
  const result = scaled(call, x, axes, { scale, shift });
  return [withMask(result, call.version.major === 3 ? x.mask : undefined)];
}
