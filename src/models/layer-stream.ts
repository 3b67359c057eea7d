/** Streams of models of layers, which know their states. */

import { unsupported } from "../formats/bytes.js";
import type { Declared } from "../graph/ir.js";
import { wrongValue } from "../tensor/checks.js";
import { InputReader } from "./inputs.js";
import type { ModelValue, Planner } from "./model-types.js";
import type { LayerParts, ModelParts, StepPlanner } from "./parts.js";
import { ModelStream } from "./stream.js";

/**
 * A step takes one step of time, or in a stateful model what a call of Keras takes.
 * @throws FormatError that names the layer which cannot be computed step by step
 */
export function streamOfLayers(
  model: StepPlanner,
  parts: ModelParts,
  { states, timed, notStreamable }: Omit<LayerParts, "stream">,
  given: unknown,
): ModelStream {
  if (given !== undefined) {
    throw wrongValue("states", "none: a model of layers keeps those of its layers", "some");
  }
  if (notStreamable !== undefined) throw unsupported(`keras: a stream is not possible: ${notStreamable}`);
  const declared = new Map<string, Declared>(parts.declared);
  for (const name of timed) {
    const { dtype, shape } = model.declaredOf(name);
    declared.set(name, { dtype, shape: shape?.map((size, axis) => (axis === 1 ? 1 : size)) });
  }
  const declaredOf = (name: string): Declared => declared.get(name) ?? {};
  const reader = new InputReader({ ...parts, declared });
  const hidden = Array.from(states, (name): ModelValue => ({ name, ...declaredOf(name) }) as ModelValue);
  const planner: Planner = {
    inputs: [...model.inputs, ...hidden],
    outputs: [...model.outputs, ...hidden],
    hidden: states,
    declaredOf,
    compute: (inputs, extra) => model.compute(inputs, extra, reader),
    declaredPlan: () => model.declaredPlan(),
  };
  return new ModelStream(planner, Object.fromEntries(Array.from(states, (name) => [name, name])));
}
