/** Tensors between the layers of a Keras model, while its graph is built. */

import type { Dtype, HostTensor, Value } from "../ir.js";

/** A tensor that a layer gives. */
export interface KerasTensor {
  readonly value: Value;
  /** With the batch as axis 0; null is a size that is open. */
  readonly shape: readonly (number | null)[];
  readonly dtype: Dtype;
  /** Truth values [N, T]: which steps count. {@link GraphBuilder.maskAxes} tells of more axes. */
  readonly mask?: Value | undefined;
  /** Whether axis 1 is the time of the model's inputs, which a stream goes through. */
  readonly time: boolean;
  /** Whether it is made of the last step of time, as a state is: in a stream of the one that is there. */
  readonly ofLast?: boolean | undefined;
  /** Of an input of the model as it is: ids become steps where an Embedding takes them. */
  readonly input?: InputPort | undefined;
  /** Of strings: the input that they are. Its value stands in no graph. */
  readonly texts?: InputPort | undefined;
}

/** Strings as the caller gives them. */
export interface Texts {
  readonly data: readonly string[];
  readonly shape: readonly number[];
}

/** An input of the graph that is made of strings before a run. */
export interface ConvertedPort {
  readonly name: string;
  /** The model's input whose strings it is made of. */
  readonly from: string;
  readonly value: Value;
  readonly shape: readonly (number | null)[];
  readonly dtype: Dtype;
  readonly convert: (texts: Texts) => HostTensor;
}

/** An input of the model. */
export interface InputPort {
  readonly name: string;
  readonly value: Value;
  readonly shape: readonly (number | null)[];
  readonly dtype: Dtype;
  /** Whether axis 1 is time. */
  time: boolean;
  /** Whether it is strings, which are no input of the graph. */
  readonly isTexts: boolean;
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

/** The tensor with other floats in its places: its mask and its time stay. */
export const withFloats = (tensor: KerasTensor, value: Value): KerasTensor => ({
  ...tensor,
  value,
  dtype: "float32",
  input: undefined,
});

/** How messages and tables show a shape. */
export function showOpen(shape: readonly (number | null)[]): string {
  return `(${shape.map((size) => size ?? "None").join(", ")})`;
}
