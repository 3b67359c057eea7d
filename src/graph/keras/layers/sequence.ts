/** What makes sequences and their masks: Embedding, Masking, and TimeDistributed, which applies a layer to each step. */

import { innerLayers, wrappedLayer } from "../../../formats/keras/config.js";
import { masksWithinSteps } from "../../../formats/keras/version.js";
import type { Value } from "../../ir.js";
import { type GraphBuilder, int } from "../builder.js";
import type { LayerCall } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";

/** The rows of a table that ids name. Index 0 is a step that does not count, where the config says so. */
export function embedding(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  const table = call.shaped(call.version.major === 1 ? "W" : "embeddings", [-1, -1]);
  const ids = builder.cast(x.value, x.dtype, "int32");
  const isIds = x.shape.length === 2 && x.input !== undefined;
  if (isIds) x.input!.time = true;
  const isMasked = call.flag("mask_zero");
  const axes = x.shape.length;
  if (isMasked && axes < 2) call.refuse(`mask_zero of ids of ${axes} axes is not supported`);
  const mask = isMasked
    ? builder.mask(builder.one("Not", [builder.one("Equal", [x.value, builder.scalar(0, x.dtype)])]), axes)
    : undefined;
  const value = builder.one("Gather", [builder.weight(table), ids], { axis: int(0) });
  return [call.tensor(value, [...x.shape, table.shape[1]!], { mask, time: x.time || isIds })];
}

/** A step whose numbers all are the value does not count, and is 0. */
export function masking(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  const axes = x.shape.length - 1;
  if (axes < 2) call.broken(`expected an input of 3 axes or more, got ${axes + 1}`);
  const value = builder.floats(x);
  const differs = builder.one("Not", [
    builder.one("Equal", [value, builder.scalar(call.number("mask_value", 0))]),
  ]);
  const any = builder.one("ReduceMax", [builder.cast(differs, "bool", "float32"), builder.ints([-1])], {
    keepdims: int(1),
  });
  const mask = builder.mask(builder.cast(builder.squeeze(any, axes), "float32", "bool"), axes);
  return [call.tensor(builder.mul(value, any), x.shape, { mask, time: x.time })];
}

/** A layer, or a model, over each step: steps are put into the batch. */
export function timeDistributed(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only();
  const { shape } = x;
  if (shape.length < 3) call.broken(`expected an input of at least 3 axes, got ${shape.length}`);
  const wrapped = wrappedLayer(call.layer, "layer")!;
  const isModel = innerLayers(wrapped) !== undefined;
  const inner = { ...wrapped, name: isModel ? `${call.name}/${wrapped.name}` : call.name };
  const joined = (value: Value): Value =>
    builder.reshape(value, builder.concat([builder.ints([-1]), builder.shapeOf(value, 2)], 0));
  const parted = (value: Value): Value =>
    builder.reshape(value, builder.concat([builder.shapeOf(x.value, 0, 2), builder.shapeOf(value, 1)], 0));
  const { version, tfjs } = call.context;
  const hasInner = tfjs === undefined && masksWithinSteps(version);
  const axes = x.mask === undefined ? 2 : builder.maskAxes(x.mask);
  const takesMask = axes > 2 && (hasInner || version.major === 3);
  const steps: KerasTensor = {
    value: joined(x.value),
    shape: [null, ...shape.slice(2)],
    dtype: x.dtype,
    mask: takesMask ? builder.mask(joined(x.mask!), axes - 1) : undefined,
    time: false,
  };
  return call.context.run(inner, call, steps).map((output) => {
    const own = hasInner ? output.mask : undefined;
    return {
      ...output,
      value: parted(output.value),
      shape: [...shape.slice(0, 2), ...output.shape.slice(1)],
      mask:
        own !== undefined
          ? builder.mask(parted(own), builder.maskAxes(own) + 1)
          : hasInner && axes > 2
            ? anyWithin(builder, x.mask!, axes)
            : x.mask,
      time: x.time,
    };
  });
}

/** Which steps have one within them that counts. */
function anyWithin(builder: GraphBuilder, mask: Value, axes: number): Value {
  const within = Array.from({ length: axes - 2 }, (_, at) => at + 2);
  const any = builder.one("ReduceMax", [builder.cast(mask, "bool", "float32"), builder.ints(within)], {
    keepdims: int(0),
  });
  return builder.cast(any, "float32", "bool");
}
