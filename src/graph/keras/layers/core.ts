/** Dense, activations, and layers that do nothing but at training. */

import { activateAs } from "../activations.js";
import type { LayerCall } from "../layer-call.js";
import { type KerasTensor, withFloats, withMask } from "../tensor.js";
import { areChannelsFirst, toLast } from "./windows.js";

/** The product with a matrix over the last axis. */
export function dense(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  const { shape } = x;
  if (shape.length < 2) call.broken(`expected an input of at least 2 axes, got ${shape.length}`);
  const isOld = call.version.major === 1;
  const kernel = call.shaped(isOld ? "W" : "kernel", [shape.at(-1) ?? -1, -1]);
  const units = kernel.shape[1]!;
  const stated = call.integer(isOld ? "output_dim" : "units", undefined, 1);
  if (units !== stated) call.broken(`its kernel has ${units} units, the config ${stated}`);
  let value = builder.matmul(builder.floats(x), builder.weight(kernel));
  if (call.flag(isOld ? "bias" : "use_bias", true)) {
    value = builder.add(value, builder.weight(call.shaped(isOld ? "b" : "bias", [units], 1)));
  }
  value = activateAs(call, value, call.field("activation"));
  return [call.tensor(value, [...shape.slice(0, -1), units], { mask: x.mask, time: x.time })];
}

export function activation(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  const value = activateAs(call, call.builder.floats(x), call.field("activation"));
  return [withFloats(x, value)];
}

/** What is there for training alone. */
export function identity(call: LayerCall): readonly KerasTensor[] {
  return [call.only()];
}

/** That of Keras 2 gives no mask. */
export function identityLayer(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  return [call.version.major < 3 ? withMask(x, undefined) : x];
}

/** All axes but the batch as one. */
export function flatten(call: LayerCall): readonly KerasTensor[] {
  const x = call.only();
  if (x.time) call.notStreamable("it puts all steps of time side by side");
  const sizes = x.shape.slice(1);
  const isTurned = areChannelsFirst(call) && sizes.length > 1;
  const size = sizes.every((one) => one !== null) ? sizes.reduce((a, b) => a * b, 1) : null;
  const value = call.builder.one("Flatten", [
    isTurned ? toLast(call.builder, x.value, sizes.length - 1) : x.value,
  ]);
  return [call.tensor(value, [x.shape[0]!, size], { dtype: x.dtype })];
}
