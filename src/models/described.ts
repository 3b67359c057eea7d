/** A model's inputs and outputs as its users see them. */

import type { Declared } from "../graph/ir.js";
import type { TextPort } from "../graph/keras/index.js";
import type { ModelValue } from "./model-types.js";

/** @param known what is known of inputs beside what the file says */
export function describedAll(
  ports: readonly TextPort[],
  known: ReadonlyMap<string, Declared>,
): readonly ModelValue[] {
  return Object.freeze(
    ports.map(({ name, dtype, shape }) => described(name, { dtype, shape: known.get(name)?.shape ?? shape })),
  );
}

export function described(name: string, { dtype, shape }: Pick<TextPort, "dtype" | "shape">): ModelValue {
  return Object.freeze({
    name,
    shape: shape && Object.freeze(shape.map((size) => (size === -1 ? "?" : size))),
    dtype,
  });
}
