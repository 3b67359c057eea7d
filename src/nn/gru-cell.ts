/** GRUCell: one step of a GRU, PyTorch's nn.GRUCell in inference. */
import { checkOptions } from "../tensor/checks.js";
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";
import { CELL_OPTIONS, Cell, type CellOptions } from "./cell.js";
import { gruFamily } from "./gru.js";
import { cellSizesFromDict, type StateSource } from "./recurrent.js";

/** One step of a GRU; parameters `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`. */
export class GRUCell extends Cell {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "GRUCell";

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: CellOptions, /** @internal */ source?: StateSource) {
    super(gruFamily("float32"), checkOptions("options", options, CELL_OPTIONS), source);
  }

  /** A cell whose sizes are read off a state dict. @throws TypeError or RangeError naming every key that does not fit. */
  static fromStateDict(dict: StateDictLike, options: { prefix?: string | undefined } = {}): GRUCell {
    const { prefix = "" } = checkOptions("options", options, ["prefix"]);
    return new GRUCell(cellSizesFromDict(dict, prefix, 3, ""), { dict, prefix });
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
