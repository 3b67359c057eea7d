/** A model's inputs and outputs as its users see them. */

import type { Declared, Port } from "../graph/ir.js";
import type { ModelValue } from "./model-types.js";
import type { ModelParts } from "./parts.js";

export function describedAll(ports: readonly Port[], parts: ModelParts): readonly ModelValue[] {
  return Object.freeze(
    ports.map(({ name, dtype, shape }) =>
      described(name, { dtype, shape: parts.declared.get(name)?.shape ?? shape }),
    ),
  );
}

export function described(name: string, { dtype, shape }: Declared): ModelValue {
  return Object.freeze({
    name,
    shape: shape && Object.freeze(shape.map((size) => (size === -1 ? "?" : size))),
    dtype,
  });
}
