/** Layers that the caller supplies, in the place of those of the file. */

import type { LayerConfig } from "../../formats/keras/config.js";
import { show } from "../../tensor/checks.js";
import type { StateDict } from "../../tensor/tensor.js";
import type { HostFunction, Type } from "../ir.js";
import { typesOfFunction } from "../operators/function.js";
import { isTensor, type LayerCall, tensorsIn } from "./layer-call.js";
import type { KerasTensor } from "./tensor.js";

/** What computes a layer; undefined for one that the caller does not supply. */
export type Supply = (layer: LayerConfig, weights: StateDict) => HostFunction | undefined;

/** Sizes that stand for those that are open. What differs with them is open too. */
const TRIALS = [2, 3] as const;

/** Keywords that say nothing to a supplied layer. */
const IGNORED = ["mask", "training"];

/** A layer whose numbers a function gives. */
export function supplied(call: LayerCall, compute: HostFunction): readonly KerasTensor[] {
  const { builder, inputs, kwargs } = call;
  for (const [key, value] of kwargs) {
    if (!IGNORED.includes(key) && (isTensor(value) || tensorsIn(value).length > 0)) {
      call.refuse(`${key}: a tensor by keyword is not supported for a layer of options.layers`);
    }
  }
  call.notStreamable("what it computes is not known");
  const [types, others] = TRIALS.map((size) =>
    typesOfFunction(
      compute,
      inputs.map(({ dtype, shape }): Type => ({ dtype, shape: shape.map((own) => own ?? size) })),
    ),
  ) as [readonly Type[], readonly Type[]];
  const values = builder.node(
    "lstm-wasm.Function",
    inputs.map(({ value }) => value),
    { compute: { kind: "function", value: compute } },
    types.length,
  );
  return types.map(({ dtype, shape }, at) => {
    const other = others[at];
    if (other?.dtype !== dtype || other.shape.length !== shape.length) {
      call.refuse(`output ${show(at)} has other axes, or another type, for a batch of another size`);
    }
    return call.tensor(
      values[at]!,
      shape.map((size, axis) => (size === other.shape[axis] ? size : null)),
      { dtype },
    );
  });
}
