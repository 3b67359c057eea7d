/** GRU: PyTorch's nn.GRU in inference. The kernels are assembly/layer.ts and assembly/cells/gru.ts. */
import type { StateDictLike } from "../tensor/like.js";
import type { Activation } from "./activations.js";
import { CELLS } from "./cell-kinds.js";
import { type GRUVariant, gruVariant, OF_GRU } from "./cell-options.js";
import { type FromStateDictOptions, moduleFromDict, type Reading } from "./from-state-dict.js";
import { readOptions } from "./options.js";
import { type RecurrentOptions, recurrentOptions, recurrentOptionsOf, UNTOLD } from "./recurrent.js";
import { SingleState } from "./single-state.js";

/** Options of `GRU`. */
export interface GRUOptions extends RecurrentOptions, GRUVariant {}

const gruOptions = () => recurrentOptions(undefined, gruVariant());

const READING: Reading = {
  options: gruOptions,
  untold: [UNTOLD, OF_GRU],
  told: (below) => recurrentOptionsOf(below, CELLS.GRU),
};

/**
 * A gated recurrent unit network, as PyTorch's `nn.GRU`: r, z = sigmoid of W_ih x + b_ih + W_hh h + b_hh;
 * n = tanh(W_in x + b_in + r (W_hn h + b_hn)); h' = (h - n) z + n.
 */
export class GRU extends SingleState {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "GRU";
  declare readonly activation: Activation;
  declare readonly recurrentActivation: Activation;
  declare readonly resetAfter: boolean;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: GRUOptions) {
    const values = readOptions(gruOptions(), options);
    super(values, { table: gruOptions, cell: CELLS.GRU, options });
    this.settle(new.target === GRU);
  }

  /**
   * A GRU whose sizes, layers, directions and bias are read off a state dict's names and shapes. Int8 weights make
   * it one of precision int8.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(dict: StateDictLike, options: FromStateDictOptions & GRUVariant = {}): GRU {
    return moduleFromDict(GRU, READING, dict, options);
  }
}
