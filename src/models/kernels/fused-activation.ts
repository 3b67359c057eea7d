/** An activation at the end of a node, in place, by the kernels of recurrent cells. */

import { ACTIVATION_BYTES, RELU, SIGMOID, TANH } from "../../../build/abi.js";
import { writeActivation } from "../../nn/activations.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { FusedActivation, Place } from "../operator.js";

/** By ONNX's name: our numbers of those that have a kernel of their own. */
const KERNELS: Readonly<Record<string, number>> = { Relu: RELU, Sigmoid: SIGMOID, Tanh: TANH };

/** Acts on so many numbers; the room reaches to the next multiple of four. */
export type Activate = (data: number, count: number) => void;

/** Undefined for an activation that has no kernel here. */
export function activateBy(
  { name, alpha }: FusedActivation,
  { kernels }: Runtime,
): ((place: Place) => Activate) | undefined {
  if (Object.hasOwn(KERNELS, name)) {
    const number = KERNELS[name]!;
    return () => (data, count) => kernels.activate(number, data, count);
  }
  if (name !== "LeakyRelu") return undefined;
  return (place) => {
    const words = new Int32Array(ACTIVATION_BYTES / 4);
    writeActivation(words, new Float32Array(words.buffer), 0, { name: "leakyRelu", alpha });
    const record = place.record(words);
    return (data, count) => kernels.shape(record, data, count);
  };
}
