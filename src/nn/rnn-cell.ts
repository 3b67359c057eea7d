/** RNNCell: one step of an RNN, PyTorch's nn.RNNCell in inference. */
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Activation, activation } from "./activations.js";
import { Cell, type CellFromDictOptions, type CellOptions, cellOptions } from "./cell.js";
import { CELLS } from "./cell-kinds.js";
import { moduleFromDict, type Reading } from "./from-state-dict.js";
import { readOptions } from "./options.js";
import { cellOptionsOf } from "./recurrent.js";

const rnnCellOptions = () => cellOptions({ nonlinearity: activation("tanh") });

const READING: Reading = {
  options: rnnCellOptions,
  untold: ["nonlinearity", "clip"],
  told: (below) => cellOptionsOf(below, CELLS.RNN, ""),
};

/** Options of `RNNCell`. */
export interface RNNCellOptions extends CellOptions {
  nonlinearity?: Activation | undefined;
}

/** One step of an RNN; parameters `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`. */
export class RNNCell extends Cell {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "RNNCell";

  declare readonly nonlinearity: Activation;
  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: RNNCellOptions) {
    const values = readOptions(rnnCellOptions(), options);
    super(values, { table: rnnCellOptions, cell: CELLS.RNN, options });
    this.settle(new.target === RNNCell);
  }

  /**
   * A cell whose sizes are read off a state dict; the weights do not tell the nonlinearity.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(
    dict: StateDictLike,
    options: CellFromDictOptions & { nonlinearity?: Activation | undefined } = {},
  ): RNNCell {
    return moduleFromDict(RNNCell, READING, dict, options);
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
