/** RNN: PyTorch's nn.RNN (Elman) in inference. The kernels are assembly/layer.ts and assembly/cells/rnn.ts. */
import type { StateDictLike } from "../tensor/like.js";
import { type Activation, activation } from "./activations.js";
import { CELLS } from "./cell-kinds.js";
import { type FromStateDictOptions, moduleFromDict, type Reading } from "./from-state-dict.js";
import { readOptions } from "./options.js";
import { type RecurrentOptions, recurrentOptions, recurrentOptionsOf, UNTOLD } from "./recurrent.js";
import { SingleState } from "./single-state.js";

/** Options of `RNN`. */
export interface RNNOptions extends RecurrentOptions {
  /** `"tanh"` when left out. */
  nonlinearity?: Activation | undefined;
}

const rnnOptions = () => recurrentOptions({ nonlinearity: activation("tanh") });

const READING: Reading = {
  options: rnnOptions,
  untold: [UNTOLD, "nonlinearity"],
  told: (below) => recurrentOptionsOf(below, CELLS.RNN),
};

/** An Elman network, as PyTorch's `nn.RNN`: h' = nonlinearity of W_ih x + b_ih + W_hh h + b_hh. */
export class RNN extends SingleState {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "RNN";
  declare readonly nonlinearity: Activation;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: RNNOptions) {
    const values = readOptions(rnnOptions(), options);
    super(values, { table: rnnOptions, cell: CELLS.RNN, options });
    this.settle(new.target === RNN);
  }

  /**
   * An RNN whose sizes, layers, directions and bias are read off a state dict; the weights do not tell the
   * nonlinearity. Int8 weights make it one of precision int8.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(
    dict: StateDictLike,
    options: FromStateDictOptions & { nonlinearity?: Activation | undefined } = {},
  ): RNN {
    return moduleFromDict(RNN, READING, dict, options);
  }
}
