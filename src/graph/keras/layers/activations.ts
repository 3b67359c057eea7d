/** Layers that are activations with constants of their own. */

import { showShape } from "../../../tensor/checks.js";
import type { Value } from "../../ir.js";
import { activate, maskedSoftmax } from "../activations.js";
import { float } from "../builder.js";
import type { LayerCall } from "../layer-call.js";
import { type KerasTensor, showOpen, withFloats } from "../tensor.js";
import { axisOf } from "./axes.js";

export function relu(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  const slope = call.number("negative_slope", 0);
  const threshold = call.number("threshold", 0);
  const most = call.number("max_value", Number.POSITIVE_INFINITY);
  const value = builder.floats(x);
  const t = builder.scalar(threshold);
  let made: Value;
  if (threshold === 0) {
    made =
      slope === 0 ? builder.one("Relu", [value]) : builder.one("LeakyRelu", [value], { alpha: float(slope) });
  } else {
    const below = slope === 0 ? builder.scalar(0) : builder.mul(builder.sub(value, t), builder.scalar(slope));
    made = builder.one("Where", [builder.one("GreaterOrEqual", [value, t]), value, below]);
  }
  if (most !== Number.POSITIVE_INFINITY) made = builder.one("Min", [made, builder.scalar(most)]);
  return [withFloats(x, made)];
}

export function leakyRelu(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  const slope = call.number("negative_slope", call.number("alpha", 0.3));
  return [withFloats(x, activate(call.builder, call.builder.floats(x), { name: "leakyRelu", alpha: slope }))];
}

export function elu(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  const alpha = call.number("alpha", 1);
  return [withFloats(x, activate(call.builder, call.builder.floats(x), { name: "elu", alpha }))];
}

export function thresholdedRelu(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  const alpha = call.number("theta", 1);
  return [withFloats(x, activate(call.builder, call.builder.floats(x), { name: "thresholdedRelu", alpha }))];
}

export function prelu(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  const slopes = call.weight(call.version.major === 1 ? "alphas" : "alpha");
  const fits =
    slopes.shape.length === x.shape.length - 1 &&
    slopes.shape.every((size, axis) => size === 1 || size === x.shape[axis + 1]);
  if (!fits) {
    const expected = `the sizes of its input after the batch, ${showOpen(x.shape.slice(1))}, or 1 in their place`;
    call.broken(`weight alpha: expected ${expected}, got ${showShape(slopes.shape)}`);
  }
  if (x.time && slopes.shape.length > 1 && slopes.shape[0]! > 1) {
    call.notStreamable("each step of time has slopes of its own");
  }
  return [withFloats(x, builder.one("PRelu", [builder.floats(x), builder.weight(slopes)]))];
}

export function softmax(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.ranked(call.input(), undefined);
  const stated = call.field("axis") ?? -1;
  const list: readonly unknown[] = Array.isArray(stated) ? stated : [stated];
  if (list.length !== 1) call.refuse("a softmax over several axes is not supported");
  const axis = axisOf(call, list[0], x.shape.length);
  if (x.time && axis === 1) call.notStreamable("it goes over all steps of time");
  if (x.mask !== undefined && axis !== x.shape.length - 1)
    call.refuse("a mask over another axis than the last is not supported");
  // Of a tensor of three axes or more a mask does not say what a softmax is over.
  if (x.mask !== undefined && x.shape.length > 2)
    call.refuse("a mask over three axes or more is not supported");
  return [withFloats(x, maskedSoftmax(builder, builder.floats(x), x.mask, axis))];
}
