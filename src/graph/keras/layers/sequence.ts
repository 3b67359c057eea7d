/** What makes sequences and their masks: Embedding, Masking, and TimeDistributed, which applies a layer to each step. */

import { innerLayers, wrappedLayer } from "../../../formats/keras/config.js";
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
  if (isMasked && x.shape.length !== 2)
    call.refuse(`mask_zero of ids of ${x.shape.length} axes is not supported`);
  const mask = isMasked
    ? builder.one("Not", [builder.one("Equal", [ids, builder.scalar(0, "int32")])])
    : undefined;
  const value = builder.one("Gather", [builder.weight(table), ids], { axis: int(0) });
  return [call.tensor(value, [...x.shape, table.shape[1]!], { mask, time: x.time || isIds })];
}

/** A step whose numbers all are the value does not count, and is 0. */
export function masking(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = call.only(3);
  const value = builder.floats(x);
  const differs = builder.one("Not", [
    builder.one("Equal", [value, builder.scalar(call.number("mask_value", 0))]),
  ]);
  const counts = builder.one("ReduceMax", [builder.cast(differs, "bool", "float32"), builder.ints([-1])], {
    keepdims: int(1),
  });
  const mask = builder.cast(builder.squeeze(counts, 2), "float32", "bool");
  return [call.tensor(builder.mul(value, counts), x.shape, { mask, time: x.time })];
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
  const value = builder.reshape(x.value, joinSizes(builder, builder.ints([-1]), builder.shapeOf(x.value, 2)));
  const steps: KerasTensor = { value, shape: [null, ...shape.slice(2)], dtype: x.dtype, time: false };
  return call.context.run(inner, call, steps).map((output) => {
    if (output.mask !== undefined) call.refuse("the mask of its layer's steps is not supported");
    const sizes = joinSizes(builder, builder.shapeOf(x.value, 0, 2), builder.shapeOf(output.value, 1));
    return {
      ...output,
      value: builder.reshape(output.value, sizes),
      shape: [...shape.slice(0, 2), ...output.shape.slice(1)],
      mask: x.mask,
      time: x.time,
    };
  });
}

const joinSizes = (builder: GraphBuilder, ...parts: Parameters<GraphBuilder["concat"]>[0]) =>
  builder.concat(parts, 0);
