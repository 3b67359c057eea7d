/** GRUCell: one step of a GRU, PyTorch's nn.GRUCell in inference. */
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Activation } from "./activations.js";
import { Cell, type CellFromDictOptions, type CellOptions, cellOptions } from "./cell.js";
import { CELLS } from "./cell-kinds.js";
import { type GRUVariant, gruVariant, OF_GRU } from "./cell-options.js";
import { moduleFromDict, type Reading } from "./from-state-dict.js";
import { readOptions } from "./options.js";
import { cellOptionsOf } from "./recurrent.js";

/** Options of `GRUCell`. */
export interface GRUCellOptions extends CellOptions, GRUVariant {}

const gruCellOptions = () => cellOptions(gruVariant());

const READING: Reading = {
  options: gruCellOptions,
  untold: [OF_GRU, "clip"],
  told: (below) => cellOptionsOf(below, CELLS.GRU, ""),
};

/** One step of a GRU; parameters `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`. */
export class GRUCell extends Cell {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "GRUCell";
  declare readonly activation: Activation;
  declare readonly recurrentActivation: Activation;
  declare readonly resetAfter: boolean;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: GRUCellOptions) {
    const values = readOptions(gruCellOptions(), options);
    super(values, { table: gruCellOptions, cell: CELLS.GRU, options });
    this.settle(new.target === GRUCell);
  }

  /**
   * A cell whose sizes are read off a state dict.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(dict: StateDictLike, options: CellFromDictOptions & GRUVariant = {}): GRUCell {
    return moduleFromDict(GRUCell, READING, dict, options);
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
