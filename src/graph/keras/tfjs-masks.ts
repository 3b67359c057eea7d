/**
 * Masks as TensorFlow.js has them. It hands every layer the mask that a layer before it was given last, whether its own
 * input has one or not. Recurrent layers alone look at it: at a masked step they repeat their state. No mask belongs to
 * what a nested model is given, or gives.
 */

import type { Value } from "../ir.js";
import { type KerasTensor, withMask } from "./tensor.js";

export class TfjsMasks {
  last: Value | undefined;
  /** How many steps it is of; undefined where that is open. */
  steps: number | undefined;

  /** What a layer is given. */
  hand(inputs: readonly KerasTensor[]): void {
    if (inputs.every(({ mask }) => mask === undefined)) return;
    this.last = inputs[0]!.mask;
    this.steps = inputs[0]!.shape[1] ?? undefined;
  }

  /** Runs a layer, or a nested model. What the first mask is within is not known behind it. */
  within(isModel: boolean, run: () => readonly KerasTensor[]): readonly KerasTensor[] {
    const before = this.last;
    const outputs = run();
    if (before === undefined) this.last = undefined;
    return isModel ? outputs.map(bare) : outputs;
  }
}

export const bare = (tensor: KerasTensor): KerasTensor => withMask(tensor, undefined);
