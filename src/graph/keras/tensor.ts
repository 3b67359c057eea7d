/** Tensors between the layers of a Keras model, while its graph is built. */

import type { Dtype, Value } from "../ir.js";

/** A tensor that a layer gives. */
export interface KerasTensor {
  readonly value: Value;
  /** With the batch as axis 0; null is a size that is open. */
  readonly shape: readonly (number | null)[];
  readonly dtype: Dtype;
  /** Truth values [N, T]: which steps count. */
  readonly mask?: Value | undefined;
  /** Whether axis 1 is the time of the model's inputs, which a stream goes through. */
  readonly time: boolean;
  /** Of an input of the model as it is: ids become steps where an Embedding takes them. */
  readonly input?: InputPort | undefined;
}

/** An input of the model. */
export interface InputPort {
  readonly name: string;
  readonly value: Value;
  readonly shape: readonly (number | null)[];
  readonly dtype: Dtype;
  /** Whether axis 1 is time. */
  time: boolean;
}

/** A state that a layer keeps between calls: an input and an output of the graph that users do not see. */
export interface StatePort {
  /** Of both the state and the input: the layer's name with what it is. */
  readonly name: string;
  readonly input: Value;
  readonly output: Value;
  /** null is the size of the batch. */
  readonly shape: readonly (number | null)[];
}

/** The tensor with another mask. */
export const withMask = (tensor: KerasTensor, mask: KerasTensor["mask"]): KerasTensor => ({
  ...tensor,
  mask,
});

/** How messages and tables show a shape. */
export function showOpen(shape: readonly (number | null)[]): string {
  return `(${shape.map((size) => size ?? "None").join(", ")})`;
}
