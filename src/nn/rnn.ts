/** RNN: PyTorch's nn.RNN (Elman) in inference. The kernel is assembly/recurrent.ts. */
import { checkBoolean, checkOptions, wrongType, wrongValue } from "../tensor/checks.js";
import type { StateDictLike } from "../tensor/like.js";
import type { Precision } from "../wasm/precision.js";
import {
  FROM_STATE_DICT_OPTIONS,
  type FromStateDictOptions,
  RECURRENT_OPTIONS,
  type RecurrentOptions,
  SingleStateRecurrent,
  type StateSource,
  sizesFromDict,
} from "./recurrent.js";
import { singleStateFamily } from "./single-state-family.js";
import type { Family } from "./stack.js";
import { precisionFromDict } from "./state-dict.js";

export type Nonlinearity = "tanh" | "relu";

/** Options of `RNN`. */
export interface RNNOptions extends RecurrentOptions {
  nonlinearity?: Nonlinearity | undefined;
}

/**
 * @internal What the RNN is in a precision.
 * @throws TypeError for what is not a string; RangeError for an unknown nonlinearity.
 */
export function rnnFamily(nonlinearity: Nonlinearity): (precision: Precision) => Family {
  if (typeof nonlinearity !== "string") throw wrongType("nonlinearity", '"tanh" or "relu"', nonlinearity);
  if (nonlinearity !== "tanh" && nonlinearity !== "relu") {
    throw wrongValue("nonlinearity", '"tanh" or "relu"', nonlinearity);
  }
  return (precision) => singleStateFamily(precision, nonlinearity === "relu" ? 2 : 1);
}

/** An Elman network, as PyTorch's `nn.RNN`: h' = tanh or relu of W_ih x + b_ih + W_hh h + b_hh. */
export class RNN extends SingleStateRecurrent {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "RNN";
  readonly nonlinearity: Nonlinearity;
  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: RNNOptions, /** @internal */ source?: StateSource) {
    const checked = checkOptions("options", options, [...RECURRENT_OPTIONS, "nonlinearity"]);
    const { nonlinearity = "tanh" } = checked;
    super(rnnFamily(nonlinearity), checked, 0, source);
    this.nonlinearity = nonlinearity;
  }

  /**
   * An RNN whose sizes, layers, directions and bias are read off a state dict; the weights do not tell the nonlinearity.
   * Int8 weights make it one of precision int8.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(
    dict: StateDictLike,
    options: FromStateDictOptions & { nonlinearity?: Nonlinearity | undefined } = {},
  ): RNN {
    const checked = checkOptions("options", options, [...FROM_STATE_DICT_OPTIONS, "nonlinearity"]);
    const { prefix = "", batchFirst = false, nonlinearity = "tanh" } = checked;
    const { projSize: _, ...sizes } = sizesFromDict(dict, prefix, 1);
    const precision = precisionFromDict(dict, prefix, "weight_ih_l0", checked.precision);
    const read = { ...sizes, precision, nonlinearity, batchFirst: checkBoolean("batchFirst", batchFirst) };
    return new RNN(read, { dict, prefix });
  }
}
