/** What LSTMCell, GRUCell and RNNCell share: a stack of one layer that takes one step. */
import { checkBoolean, checkInteger, sameShape, showShape, wrongValue } from "../tensor/checks.js";
import type { TensorLike } from "../tensor/like.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { StackModule, type StateSource } from "./recurrent.js";
import type { Family } from "./stack.js";

/** Options that all cells have, as PyTorch's. */
export interface CellOptions {
  inputSize: number;
  hiddenSize: number;
  bias?: boolean | undefined;
}

export const CELL_OPTIONS = ["inputSize", "hiddenSize", "bias"] as const;

export abstract class Cell extends StackModule {
  /** @internal */
  protected constructor(family: Family, options: Partial<CellOptions>, source?: StateSource) {
    const inputSize = checkInteger("inputSize", options.inputSize, 1);
    const hiddenSize = checkInteger("hiddenSize", options.hiddenSize, 1);
    const { bias = true } = options;
    checkBoolean("bias", bias);
    super(family, { inputSize, hiddenSize, numLayers: 1, directions: 1, projSize: 0, bias }, [""], source);
  }

  /** @internal One step of (N, inputSize) or (inputSize): the new states, (N, hiddenSize) or (hiddenSize). */
  protected step(
    input: TensorLike,
    names: readonly string[],
    states: readonly unknown[] | undefined,
  ): Tensor[] {
    void this.runtime;
    const { data, shape } = asTensor(input, "input");
    if (shape.length !== 1 && shape.length !== 2) {
      throw wrongValue("input.shape", "1 or 2 dimensions", showShape(shape));
    }
    const last = shape.length - 1;
    if (shape[last] !== this.inputSize) {
      throw wrongValue(`input.shape[${last}]`, `inputSize ${this.inputSize}`, shape[last]);
    }
    const batched = shape.length === 2;
    const batch = batched ? shape[0]! : 1;
    const stateShape = batched ? [batch, this.hiddenSize] : [this.hiddenSize];
    const initial = names.map((name, which) => {
      if (states === undefined) return undefined;
      const state = asTensor(states[which], name);
      if (!sameShape(state.shape, stateShape)) {
        throw wrongValue(`${name}.shape`, showShape(stateShape), showShape(state.shape));
      }
      return state.data;
    });
    const sequence = { data, steps: 1, batch, batched, batchMajor: false, lengths: undefined };
    return this.stack
      .run(this.workspace, sequence, initial)
      .states.map((state) => new Tensor(state, stateShape));
  }
}
