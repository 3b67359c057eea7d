/** GRU: PyTorch's nn.GRU in inference. The kernel is assembly/recurrent.ts. */
import { checkBoolean, checkOptions } from "../tensor/checks.js";
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

/** Options of `GRU`. */
export type GRUOptions = RecurrentOptions;

/** @internal */
export const gruFamily = (precision: Precision): Family => singleStateFamily(precision, 0);

/**
 * A gated recurrent unit network, as PyTorch's `nn.GRU`: r, z = sigmoid of W_ih x + b_ih + W_hh h + b_hh;
 * n = tanh(W_in x + b_in + r (W_hn h + b_hn)); h' = (h - n) z + n.
 */
export class GRU extends SingleStateRecurrent {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "GRU";
  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: GRUOptions, /** @internal */ source?: StateSource) {
    super(gruFamily, checkOptions("options", options, RECURRENT_OPTIONS), 0, source);
  }

  /**
   * A GRU whose sizes, layers, directions and bias are read off a state dict's names and shapes. Int8 weights make it one
   * of precision int8.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(dict: StateDictLike, options: FromStateDictOptions = {}): GRU {
    const checked = checkOptions("options", options, FROM_STATE_DICT_OPTIONS);
    const { prefix = "", batchFirst = false } = checked;
    const { projSize: _, ...sizes } = sizesFromDict(dict, prefix, 3);
    const precision = precisionFromDict(dict, prefix, "weight_ih_l0", checked.precision);
    const read = { ...sizes, precision, batchFirst: checkBoolean("batchFirst", batchFirst) };
    return new GRU(read, { dict, prefix });
  }
}
