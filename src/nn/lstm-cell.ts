/** LSTMCell: one step of an LSTM, PyTorch's nn.LSTMCell in inference. */
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Activation } from "./activations.js";
import { Cell, type CellFromDictOptions, type CellOptions, cellOptions } from "./cell.js";
import { CELLS } from "./cell-kinds.js";
import { type LSTMVariant, lstmVariant, OF_LSTM } from "./cell-options.js";
import { moduleFromDict, type Reading } from "./from-state-dict.js";
import { readOptions } from "./options.js";
import { cellOptionsOf } from "./recurrent.js";
import { checkPair } from "./sequence.js";

/** Options of `LSTMCell`. */
export interface LSTMCellOptions extends CellOptions, LSTMVariant {}

const lstmCellOptions = () => cellOptions(lstmVariant());

const READING: Reading = {
  options: lstmCellOptions,
  untold: [OF_LSTM, "clip"],
  told: (below) => ({ ...cellOptionsOf(below, CELLS.LSTM, ""), peepholes: below.entries.has("weight_ci") }),
};

/** One step of an LSTM; parameters `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`. */
export class LSTMCell extends Cell {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "LSTMCell";
  declare readonly activation: Activation;
  declare readonly recurrentActivation: Activation;
  declare readonly cellActivation: Activation;
  declare readonly inputForget: boolean;
  declare readonly cellClip: number;
  declare readonly peepholes: boolean;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: LSTMCellOptions) {
    const values = readOptions(lstmCellOptions(), options);
    super(values, { table: lstmCellOptions, cell: CELLS.LSTM, options });
    this.settle(new.target === LSTMCell);
  }

  /**
   * A cell whose sizes are read off a state dict.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(
    dict: StateDictLike,
    options: CellFromDictOptions & Omit<LSTMVariant, "peepholes"> = {},
  ): LSTMCell {
    return moduleFromDict(LSTMCell, READING, dict, options);
  }

  /**
   * One step: (N, inputSize) or (inputSize) to [h, c], (N, hiddenSize) or (hiddenSize) each.
   * @param state [h, c] of that shape; zeros when left out
   * @throws TypeError or RangeError naming the argument that does not fit; Error after dispose
   */
  forward(input: TensorLike, state?: readonly [TensorLike, TensorLike]): [Tensor, Tensor] {
    return this.step(input, ["h", "c"], state === undefined ? undefined : checkPair(state)) as [
      Tensor,
      Tensor,
    ];
  }
}
