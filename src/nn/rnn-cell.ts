/** RNNCell: one step of an RNN, PyTorch's nn.RNNCell in inference. */
import { checkOptions } from "../tensor/checks.js";
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";
import { CELL_OPTIONS, Cell, type CellOptions } from "./cell.js";
import { cellSizesFromDict, type StateSource } from "./recurrent.js";
import { type Nonlinearity, rnnFamily } from "./rnn.js";

/** Options of `RNNCell`. */
export interface RNNCellOptions extends CellOptions {
  nonlinearity?: Nonlinearity | undefined;
}

/** One step of an RNN; parameters `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`. */
export class RNNCell extends Cell {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "RNNCell";

  readonly nonlinearity: Nonlinearity;
  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: RNNCellOptions, /** @internal */ source?: StateSource) {
    const checked = checkOptions("options", options, [...CELL_OPTIONS, "nonlinearity"]);
    const { nonlinearity = "tanh" } = checked;
    super(rnnFamily(nonlinearity)("float32"), checked, source);
    this.nonlinearity = nonlinearity;
  }

  /**
   * A cell whose sizes are read off a state dict; the weights do not tell the nonlinearity.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(
    dict: StateDictLike,
    options: { prefix?: string | undefined; nonlinearity?: Nonlinearity | undefined } = {},
  ): RNNCell {
    const { prefix = "", nonlinearity = "tanh" } = checkOptions("options", options, [
      "prefix",
      "nonlinearity",
    ]);
    return new RNNCell({ ...cellSizesFromDict(dict, prefix, 1, ""), nonlinearity }, { dict, prefix });
  }

  /**
   * One step: (N, inputSize) or (inputSize) to h, (N, hiddenSize) or (hiddenSize).
   * @param h of that shape; zeros when left out
   * @throws TypeError or RangeError naming the argument that does not fit; Error after dispose
   */
  forward(input: TensorLike, h?: TensorLike): Tensor {
    return this.step(input, ["h"], h === undefined ? undefined : [h])[0]!;
  }
}
