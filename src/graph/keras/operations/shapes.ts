/** Keras 3's operations that move numbers, and those that go over axes. */

import { show } from "../../../tensor/checks.js";
import type { Value } from "../../ir.js";
import { int } from "../builder.js";
import type { KerasOperator } from "../emitted.js";
import type { Argument, LayerCall } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";
import { argument, axesFrom, axisFrom, commonType, tensorAt, tensorsAt } from "./operands.js";

type Shape = KerasTensor["shape"];

const made = (x: KerasTensor, value: Value, shape: Shape, time: boolean): readonly KerasTensor[] => [
  { value, shape, dtype: x.dtype, time: x.time && time },
];

/** The shape without some axes from `axis` on, and with others there. */
function spliced(shape: Shape, axis: number, less: number, ...more: readonly number[]): Shape {
  return [...shape.slice(0, axis), ...more, ...shape.slice(axis + less)];
}

/** Sums and the like, over some axes or all. */
export function reduction(
  call: LayerCall,
  operator: KerasOperator,
  as: "float32" | "bool" = "float32",
): readonly KerasTensor[] {
  const { builder } = call;
  const x = tensorAt(call, 0, "x");
  const axes = axesFrom(call, "axis", x.shape.length);
  const keeps = call.flag("keepdims");
  const keepsTime = x.time && axes.every((axis) => axis > 1);
  if (x.time && !keepsTime) call.notStreamable("it goes over all steps of time");
  const value = builder.one(operator, [builder.floats(x), builder.ints(axes)], {
    keepdims: int(keeps ? 1 : 0),
  });
  const shape = keeps
    ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : x.shape.filter((_, axis) => !axes.includes(axis));
  return [{ value: builder.cast(value, "float32", as), shape, dtype: as, time: keepsTime }];
}

export function indexOf(call: LayerCall, operator: "ArgMax" | "ArgMin"): readonly KerasTensor[] {
  const { builder } = call;
  const x = tensorAt(call, 0, "x");
  if (call.field("axis") === undefined) call.refuse("a place among all axes is not supported");
  const axis = axisFrom(call, call.field("axis"), x.shape.length);
  const keeps = call.flag("keepdims");
  if (x.time && axis === 1) call.notStreamable("it goes over all steps of time");
  const found = builder.one(operator, [x.value], { axis: int(axis), keepdims: int(keeps ? 1 : 0) });
  const shape = x.shape.flatMap((size, at) => (at !== axis ? [size] : keeps ? [1] : []));
  return [{ value: builder.cast(found, "int64", "int32"), shape, dtype: "int32", time: x.time && axis > 1 }];
}

export function expandDims(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const axis = axisFrom(call, call.field("axis"), x.shape.length + 1);
  if (axis === 0) call.refuse("an axis before that of the batch is not supported");
  if (x.time && axis === 1) call.notStreamable("it moves the axis of time");
  return made(x, call.builder.unsqueeze(x.value, axis), spliced(x.shape, axis, 0, 1), axis > 1);
}

export function squeeze(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const axis = axisFrom(call, call.field("axis"), x.shape.length);
  if (axis === 0 || (x.shape[axis] !== 1 && x.shape[axis] !== null)) {
    call.broken(`axis ${axis}: expected a size of 1, got ${show(x.shape[axis])}`);
  }
  if (x.time && axis === 1) call.notStreamable("it takes the axis of time away");
  return made(x, call.builder.squeeze(x.value, axis), spliced(x.shape, axis, 1), axis > 1);
}

/** The inputs in one type. */
function alike(call: LayerCall): { list: readonly KerasTensor[]; values: Value[]; first: KerasTensor } {
  const list = tensorsAt(call, 0);
  const dtype = commonType(list);
  const values = list.map((one) => call.builder.cast(one.value, one.dtype, dtype));
  const rank = list[0]!.shape.length;
  if (list.some(({ shape }) => shape.length !== rank)) call.broken("its inputs have different axes");
  return { list, values, first: { ...list[0]!, dtype, time: list.some(({ time }) => time) } };
}

export function concatenate(call: LayerCall): readonly KerasTensor[] {
  const { list, values, first } = alike(call);
  const axis = axisFrom(call, call.field("axis") ?? -1, first.shape.length);
  if (first.time && axis === 1) call.notStreamable("it joins tensors along time");
  const shape = first.shape.map((size, at) => {
    const sizes = list.map((one) => one.shape[at]!);
    if (at !== axis) return sizes.find((one) => one !== null) ?? size;
    return sizes.reduce<number | null>((a, b) => (a === null || b === null ? null : a + b), 0);
  });
  return made(first, call.builder.concat(values, axis), shape, true);
}

export function stack(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const { values, first } = alike(call);
  const axis = axisFrom(call, call.field("axis") ?? 0, first.shape.length + 1);
  if (axis === 0) call.refuse("an axis before that of the batch is not supported");
  if (first.time && axis === 1) call.notStreamable("it moves the axis of time");
  const apart = values.map((value) => builder.unsqueeze(value, axis));
  return made(first, builder.concat(apart, axis), spliced(first.shape, axis, 0, values.length), axis > 1);
}

/** By a permutation, which must leave the batch where it is. */
function permuted(call: LayerCall, x: KerasTensor, perm: readonly number[]): readonly KerasTensor[] {
  if (perm[0] !== 0) call.refuse("a batch that is not the first axis is not supported");
  if (new Set(perm).size !== x.shape.length) call.broken(`axes: [${perm.join(", ")}] is no order`);
  if (x.time && perm[1] !== 1) call.notStreamable("it moves the axis of time");
  const shape = perm.map((axis) => x.shape[axis]!);
  return made(x, call.builder.transpose(x.value, perm), shape, perm[1] === 1);
}

export function transpose(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const stated = call.field("axes");
  if (!Array.isArray(stated)) call.refuse("axes: expected a list");
  return permuted(
    call,
    x,
    (stated as unknown[]).map((axis) => axisFrom(call, axis, x.shape.length)),
  );
}

export function swapAxes(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const [a, b] = ["axis1", "axis2"].map((key) => axisFrom(call, call.field(key), x.shape.length));
  const perm = x.shape.map((_, axis) => (axis === a ? b! : axis === b ? a! : axis));
  return permuted(call, x, perm);
}

export function reshape(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const stated = call.field("newshape") ?? call.field("shape");
  const isShape = Array.isArray(stated) && stated.every((size) => Number.isSafeInteger(size) && size >= -1);
  if (!isShape || (stated as number[]).filter((size) => size === -1).length > 1) {
    call.refuse(`newshape: ${show(stated)} is not supported`);
  }
  const sizes = stated as number[];
  if (x.time) call.notStreamable("it puts steps of time into other shapes");
  const shape = sizes.map((size, axis) => (size >= 0 ? size : axis === 0 ? x.shape[0]! : null));
  const all = x.shape
    .slice(1)
    .reduce((a, b) => (a === null || b === null ? null : a * b), 1 as number | null);
  const open = sizes.indexOf(-1);
  const rest = sizes.slice(1).reduce((a, b) => (b === -1 ? a : a * b), 1);
  // Where the batch stays as it is, an open size is what remains.
  if (open > 0 && all !== null && sizes[0] === x.shape[0] && all % rest === 0) shape[open] = all / rest;
  return made(x, call.builder.reshape(x.value, sizes), shape, false);
}

export function matmul(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const [a, b] = [tensorAt(call, 0, "x1"), tensorAt(call, 1, "x2")];
  const [rank, other] = [a.shape.length, b.shape.length];
  if (rank !== other || rank < 3) call.refuse(`a product of ${rank} and ${other} axes is not supported`);
  if (b.time) call.notStreamable("it joins several steps of time");
  const shape = [...a.shape.slice(0, -1), b.shape.at(-1)!];
  return [
    { value: builder.matmul(builder.floats(a), builder.floats(b)), shape, dtype: "float32", time: a.time },
  ];
}

export function flip(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const axes = axesFrom(call, "axis", x.shape.length);
  if (axes.includes(0)) call.refuse("a batch that is turned round is not supported");
  if (x.time && axes.includes(1)) call.notStreamable("it turns time round");
  const value = axes.reduce((turned, axis) => call.builder.flip(turned, axis), x.value);
  return made(x, value, x.shape, true);
}

/** A slice of an axis, as Python has it. */
interface Part {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
}

const isAll = ({ start, stop, step }: Part): boolean =>
  (start ?? 0) === 0 && stop === null && (step ?? 1) === 1;

/** `x[:, -1]`, `x[..., None, 2:]` */
export function getItem(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = tensorAt(call, 0, "x");
  const key = argument(call, 1, "key") ?? null;
  const items: readonly Argument[] = Array.isArray(key) ? key : [key];
  const isEllipsis = (item: Argument) => item instanceof Map && item.get("class_name") === "__ellipsis__";
  const used = items.filter((item) => item !== null && !isEllipsis(item)).length;
  const hidden = x.shape.length - used;
  if (hidden < 0) call.broken(`${used} indices for ${x.shape.length} axes`);
  let axis = 0;
  let { value } = x;
  const shape: (number | null)[] = [];
  const later: ((value: Value) => Value)[] = [];
  let touchesTime = false;
  const keep = (count: number) => {
    for (let at = 0; at < count; at++) shape.push(x.shape[axis++]!);
  };
  for (const item of items) {
    if (isEllipsis(item)) keep(hidden);
    else if (item === null) {
      const at = shape.length;
      touchesTime ||= at < 2 && axis < 2;
      if (at === 0) call.refuse("an axis before that of the batch is not supported");
      later.push((one) => builder.unsqueeze(one, at));
      shape.push(1);
    } else {
      const index = typeof item === "number" ? item : undefined;
      const part = index === undefined ? partOf(call, item) : { start: index, stop: null, step: null };
      if (index === undefined && isAll(part)) keep(1);
      else {
        if (axis === 0) call.refuse("a part of the batch is not supported");
        touchesTime ||= axis === 1;
        const size = x.shape[axis]!;
        if (index !== undefined) {
          const end = index === -1 ? Number.MAX_SAFE_INTEGER : index + 1;
          value = builder.slice(value, axis, index, end);
          const at = shape.length;
          later.push((one) => builder.squeeze(one, at));
        } else {
          value = sliced(call, value, axis, part);
          shape.push(size === null ? null : lengthOf(part, size));
        }
        axis++;
      }
    }
  }
  keep(x.shape.length - axis);
  if (x.time && touchesTime) call.notStreamable("it takes some steps of time");
  return made(
    x,
    later.reduce((one, change) => change(one), value),
    shape,
    !touchesTime,
  );
}

function partOf(call: LayerCall, item: Argument): Part {
  const config =
    item instanceof Map && item.get("class_name") === "__slice__" ? item.get("config") : undefined;
  if (!(config instanceof Map)) return call.refuse("an index that is neither a number nor a slice");
  const [start, stop, step] = ["start", "stop", "step"].map((name) => {
    const value = config.get(name) ?? null;
    if (value !== null && !Number.isSafeInteger(value)) call.refuse(`a slice with ${name} ${show(value)}`);
    return value as number | null;
  });
  if (step === 0) call.broken("a slice with step 0");
  return { start: start!, stop: stop!, step: step! };
}

function sliced(call: LayerCall, value: Value, axis: number, { start, stop, step }: Part): Value {
  const by = step ?? 1;
  const end = stop ?? (by > 0 ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER);
  return call.builder.slice(value, axis, start ?? (by > 0 ? 0 : -1), end, by);
}

function lengthOf({ start, stop, step }: Part, size: number): number {
  const by = step ?? 1;
  const within = (at: number, low: number, high: number) =>
    Math.min(Math.max(at < 0 ? at + size : at, low), high);
  const [low, high] = by > 0 ? [0, size] : [-1, size - 1];
  const from = start === null ? (by > 0 ? 0 : size - 1) : within(start, low, high);
  const to = stop === null ? (by > 0 ? size : -1) : within(stop, low, high);
  return Math.max(0, Math.ceil((to - from) / by));
}
