/** Layers that move numbers: other shapes, other orders, edges added and cut off, places repeated. */

import { show } from "../../../tensor/checks.js";
import { text } from "../builder.js";
import type { LayerCall, LayerFunction } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";
import { type Axes, over, toFirst, toLast } from "./windows.js";

export const zeroPadding1d: LayerFunction = (call) => over(call, 1, padded);
export const zeroPadding2d: LayerFunction = (call) => over(call, 2, padded);
export const cropping1d: LayerFunction = (call) => over(call, 1, cropped);
export const cropping2d: LayerFunction = (call) => over(call, 2, cropped);
export const upSampling1d: LayerFunction = (call) => over(call, 1, larger);
export const upSampling2d: LayerFunction = (call) => over(call, 2, larger);

const productOf = (sizes: readonly (number | null)[]): number | null =>
  sizes.reduce<number | null>(
    (product, size) => (product === null || size === null ? null : product * size),
    1,
  );

export function reshape(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  const target = call.field("target_shape") ?? call.field("dims");
  const isShape =
    Array.isArray(target) &&
    target.length < 16 &&
    target.every((size) => size === null || (Number.isSafeInteger(size) && size >= -1));
  if (!isShape) call.broken(`target_shape: expected sizes, got ${show(target)}`);
  const sizes = (target as (number | null)[]).map((size) => size ?? -1);
  const own = x.shape.slice(1);
  const product = productOf(own);
  const open = sizes.indexOf(-1);
  if (open !== sizes.lastIndexOf(-1)) call.broken("target_shape: more than one size is open");
  const given = sizes.reduce((all, size) => (size === -1 ? all : all * size), 1);
  const isWrong = product !== null && (open < 0 ? given !== product : given === 0 || product % given !== 0);
  if (isWrong) call.broken(`target_shape: ${show(target)} does not hold ${product} numbers`);
  const shape = sizes.map((size) => (size >= 0 ? size : product === null ? null : product / given));
  // Where time stays as it is, each step has another shape.
  const rest = productOf(own.slice(1));
  const keepsTime = x.time && shape.length > 0 && rest !== null && productOf(shape.slice(1)) === rest;
  if (x.time && !keepsTime) call.notStreamable("it puts steps of time into other shapes");
  const value = builder.reshape(x.value, keepsTime ? [0, 0, ...(shape.slice(1) as number[])] : [0, ...sizes]);
  return [
    call.tensor(value, [x.shape[0]!, ...(keepsTime ? [own[0]!, ...shape.slice(1)] : shape)], {
      dtype: x.dtype,
      time: keepsTime,
    }),
  ];
}

export function permute(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  const dims = call.integers("dims", x.shape.length - 1, 0);
  const isOrder = new Set(dims).size === dims.length && dims.every((axis) => axis < x.shape.length);
  if (!isOrder) call.broken(`dims: expected each axis from 1 to ${dims.length}, got [${dims.join(", ")}]`);
  const time = x.time && dims[0] === 1;
  if (x.time && !time) call.notStreamable("it moves the axis of time");
  const perm = [0, ...dims];
  const shape = perm.map((axis) => x.shape[axis]!);
  return [call.tensor(call.builder.transpose(x.value, perm), shape, { dtype: x.dtype, time })];
}

export function repeatVector(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only(2);
  const count = call.integer("n", undefined, 1);
  call.notStreamable("it repeats a vector for each step of time");
  const value = builder.one("Tile", [builder.unsqueeze(x.value, 1), builder.ints([1, count, 1])]);
  return [call.tensor(value, [x.shape[0]!, count, x.shape[1]!], { dtype: x.dtype })];
}

/** How much is before and after each axis: one number, one for each axis, or pairs. */
function edgesOf(call: LayerCall, key: string, axes: Axes): readonly (readonly [number, number])[] {
  const value = call.field(key) ?? 1;
  const isSize = (one: unknown): one is number => Number.isSafeInteger(one) && (one as number) >= 0;
  const list: readonly unknown[] =
    Array.isArray(value) && axes === 2 ? value : Array.from({ length: axes }, () => value);
  const pairs = list.map((one) => (Array.isArray(one) ? one : [one, one]));
  const isRight = pairs.length === axes && pairs.every((pair) => pair.length === 2 && pair.every(isSize));
  if (!isRight) call.broken(`${key}: expected sizes of ${axes} axes, got ${show(value)}`);
  return pairs as unknown as readonly [number, number][];
}

/** The shape with other sizes of the axes between batch and channels. */
function resized(x: KerasTensor, size: (size: number, axis: number) => number): (number | null)[] {
  const last = x.shape.length - 1;
  return x.shape.map((one, axis) =>
    axis === 0 || axis === last || one === null ? one : size(one, axis - 1),
  );
}

function checkTime(call: LayerCall, x: KerasTensor, [before, after]: readonly [number, number]): void {
  if (x.time && before + after > 0) call.notStreamable("it changes how many steps of time there are");
}

function padded(call: LayerCall, x: KerasTensor, axes: Axes): readonly KerasTensor[] {
  const { builder } = call;
  const edges = edgesOf(call, "padding", axes);
  checkTime(call, x, edges[0]!);
  const pads = [0, 1].flatMap((side) => [0, 0, ...edges.map((pair) => pair[side]!)]);
  const made = builder.one("Pad", [toFirst(builder, builder.floats(x), axes), builder.ints(pads)]);
  const value = toLast(builder, made, axes);
  const shape = resized(x, (size, axis) => size + edges[axis]![0] + edges[axis]![1]);
  return [call.tensor(value, shape, { time: x.time })];
}

function cropped(call: LayerCall, x: KerasTensor, axes: Axes): readonly KerasTensor[] {
  const { builder } = call;
  const edges = edgesOf(call, "cropping", axes);
  checkTime(call, x, edges[0]!);
  let { value } = x;
  for (const [axis, [before, after]] of edges.entries()) {
    const end = after === 0 ? Number.MAX_SAFE_INTEGER : -after;
    if (before + after > 0) value = builder.slice(value, axis + 1, before, end);
  }
  const shape = resized(x, (size, axis) => size - edges[axis]![0] - edges[axis]![1]);
  if (shape.some((size) => size !== null && size < 1)) call.broken("cropping: nothing is left");
  return [call.tensor(value, shape, { dtype: x.dtype, time: x.time })];
}

function larger(call: LayerCall, x: KerasTensor, axes: Axes): readonly KerasTensor[] {
  const { builder } = call;
  const times = call.integers("size", axes, 2);
  if (x.time && times[0]! > 1) call.notStreamable("it repeats steps of time");
  const mode = call.word("interpolation", ["nearest", "bilinear"], "nearest");
  const scales = builder.constant(Float32Array.of(1, 1, ...times), [axes + 2]);
  const made = builder.one("Resize", [toFirst(builder, builder.floats(x), axes), undefined, scales], {
    mode: text(mode === "nearest" ? "nearest" : "linear"),
    coordinate_transformation_mode: text(mode === "nearest" ? "asymmetric" : "half_pixel"),
    ...(mode === "nearest" ? { nearest_mode: text("floor") } : {}),
  });
  const shape = resized(x, (size, axis) => size * times[axis]!);
  return [call.tensor(toLast(builder, made, axes), shape, { time: x.time })];
}
