/** A model's inputs and outputs as its users see them. */

import type { Port } from "../graph/ir.js";
import type { ModelValue } from "./model-types.js";
import type { ModelParts } from "./parts.js";

export function describedAll(ports: readonly Port[], parts: ModelParts): readonly ModelValue[] {
  return Object.freeze(ports.map((port) => described(port, parts)));
}

function described({ name, dtype, shape }: Port, parts: ModelParts): ModelValue {
  const sizes = parts.declared.get(name)?.shape ?? shape;
  return Object.freeze({
    name,
    shape: sizes && Object.freeze(sizes.map((size) => (size === -1 ? "?" : size))),
    dtype,
  });
}
