/** What calls of Keras 3's operations are given: tensors and plain numbers, which are broadcast. */

import { show } from "../../../tensor/checks.js";
import type { Dtype, Value } from "../../ir.js";
import { type Argument, isTensor, type LayerCall } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";

/** An argument by its place or its name. */
export function argument(call: LayerCall, at: number, ...names: readonly string[]): Argument | undefined {
  const name = names.find((one) => call.kwargs.has(one));
  return call.args[at] ?? (name === undefined ? undefined : call.kwargs.get(name));
}

export function tensorAt(call: LayerCall, at: number, ...names: readonly string[]): KerasTensor {
  const found = argument(call, at, ...names);
  return isTensor(found) ? found : call.refuse(`argument ${at}: expected a tensor, got ${shown(found)}`);
}

/** The tensors of an argument that is a list. */
export function tensorsAt(call: LayerCall, at: number): readonly KerasTensor[] {
  const list = call.args[at];
  if (!Array.isArray(list) || list.length === 0 || !list.every(isTensor)) {
    call.refuse(`argument ${at}: expected a list of tensors`);
  }
  return list as readonly KerasTensor[];
}

const shown = (value: Argument | undefined): string =>
  typeof value === "object" && value !== null ? "an object" : show(value);

type Operand = KerasTensor | number;

/** Tensors and numbers of a call. */
export function operandsOf(call: LayerCall, names: readonly string[] = ["x1", "x2"]): readonly Operand[] {
  return names.map((name, at): Operand => {
    const found = argument(call, at, name);
    if (isTensor(found) || typeof found === "number") return found;
    if (typeof found === "boolean") return Number(found);
    return call.refuse(`argument ${at}: ${shown(found)} is not supported`);
  });
}

/** The type in which operands are computed together. */
export function commonType(operands: readonly Operand[]): Dtype {
  const types = operands.filter((one) => typeof one !== "number").map(({ dtype }) => dtype);
  const isWhole = operands.every((one) => typeof one !== "number" || Number.isInteger(one));
  if (!isWhole || types.includes("float32")) return "float32";
  if (types.includes("int64")) return "int64";
  return types.every((type) => type === types[0]) ? types[0]! : "int32";
}

export function numbersOf(call: LayerCall, operand: Operand, dtype: Dtype): Value {
  if (typeof operand === "number") return call.builder.scalar(operand, dtype);
  return call.builder.cast(operand.value, operand.dtype, dtype);
}

/** The shape of what operands are broadcast to, and whether its axis 1 is time. */
export function broadcastAll(
  call: LayerCall,
  operands: readonly Operand[],
): Pick<KerasTensor, "shape" | "time"> {
  const tensors = operands.filter((one) => typeof one !== "number");
  const rank = Math.max(0, ...tensors.map(({ shape }) => shape.length));
  const shape = Array.from({ length: rank }, (_, axis): number | null => {
    let size: number | null = 1;
    for (const tensor of tensors) {
      const at = axis - rank + tensor.shape.length;
      const own = at < 0 ? 1 : tensor.shape[at]!;
      if (own === 1) continue;
      if (size !== 1 && size !== null && own !== null && size !== own) {
        call.broken(`its operands have axes of ${size} and ${own}`);
      }
      size = size === 1 ? own : (size ?? own);
    }
    return size;
  });
  const timed = tensors.filter(({ time }) => time);
  if (timed.some((tensor) => tensor.shape.length < rank)) {
    call.notStreamable("it joins tensors of different axes");
  }
  return { shape, time: timed.length > 0 };
}

/** An axis counted from the first one on, the batch among them. */
export function axisFrom(call: LayerCall, stated: unknown, rank: number): number {
  const axis = Number.isSafeInteger(stated) ? (stated as number) : Number.NaN;
  const counted = axis < 0 ? axis + rank : axis;
  if (!(counted >= 0 && counted < rank)) {
    call.broken(`axis: expected an axis of ${rank}, got ${show(stated)}`);
  }
  return counted;
}

/** Axes in order; all where none is stated. */
export function axesFrom(call: LayerCall, key: string, rank: number): number[] {
  const stated = call.field(key);
  if (stated === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list: readonly unknown[] = Array.isArray(stated) ? stated : [stated];
  const axes = list.map((axis) => axisFrom(call, axis, rank)).sort((a, b) => a - b);
  if (new Set(axes).size < axes.length) call.broken(`${key}: ${show(stated)} has one twice`);
  return axes;
}
