/** GroupNorm: groups of channels to a mean of 0 and a variance of 1. */
import { showShape, wrongShape, wrongValue } from "../tensor/checks.js";
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import { asTensor, type Tensor } from "../tensor/tensor.js";
import { moduleFromDict, type Reading } from "./from-state-dict.js";
import { eps, Normalization } from "./normalization.js";
import { boolean, integer, named, readOptions } from "./options.js";
import type { Rename } from "./rename.js";
import { shapeOf } from "./state-dict.js";

/** Options of `GroupNorm`, as PyTorch's. */
export interface GroupNormOptions {
  /** Groups of consecutive channels, each normalised by itself; divides numChannels. */
  numGroups: number;
  numChannels: number;
  /** Added to the variance. 1e-5 when left out. */
  eps?: number | undefined;
  /** Whether there are a weight and a bias for each channel; true when left out. */
  affine?: boolean | undefined;
  /** false: a weight alone. Without effect where affine is false. */
  bias?: boolean | undefined;
}

const groupNormOptions = () => ({
  numGroups: integer(1),
  numChannels: integer(1),
  eps,
  affine: named(boolean(true)),
  bias: named(boolean(true)),
});

const READING: Reading = {
  options: groupNormOptions,
  untold: ["numGroups", "eps"],
  told: ({ entries, prefix }) => ({
    numChannels: shapeOf(entries, "weight", 1, prefix)[0],
    bias: entries.has("bias"),
  }),
};

/** Sums are float64, so that a group far from zero keeps its digits. */
export class GroupNorm extends Normalization {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "GroupNorm";
  declare readonly numGroups: number;
  declare readonly numChannels: number;
  declare readonly affine: boolean;

  /**
   * Weights begin as PyTorch's: ones, and zeros for the bias.
   * @throws TypeError or RangeError for an option that is unknown, out of range, or does not fit the others.
   */
  constructor(options: GroupNormOptions) {
    const values = readOptions(groupNormOptions(), options);
    const { numGroups, numChannels, affine } = values;
    if (numChannels % numGroups !== 0) {
      throw wrongValue("numChannels", `a multiple of numGroups ${numGroups}`, numChannels);
    }
    super(values, groupNormOptions, [numChannels], affine, options);
    this.settle(new.target === GroupNorm);
  }

  /**
   * A GroupNorm with as many channels as `weight`, and a `bias` where the dict has one. Weights do not tell the
   * groups: `numGroups` has to be given where the dict's metadata does not tell it.
   * @throws TypeError or RangeError naming what does not fit, also where nothing tells the groups.
   */
  static fromStateDict(
    dict: StateDictLike,
    options: {
      numGroups?: number | undefined;
      prefix?: string | undefined;
      rename?: Rename | undefined;
      eps?: number | undefined;
    } = {},
  ): GroupNorm {
    return moduleFromDict(GroupNorm, READING, dict, options);
  }

  /**
   * (N, numChannels, ...) to the same shape. The variance is divided by the number of elements, as PyTorch's.
   * @throws TypeError or RangeError when `input` is not such a tensor, or is a batch of 1 with one number in each
   *   group, as PyTorch.
   */
  forward(input: TensorLike): Tensor {
    this.assertAlive();
    const { data, shape } = asTensor(input, "input");
    const { numGroups, numChannels } = this;
    if (shape.length < 2) throw wrongShape("input.shape", "(N, C, ...)", showShape(shape));
    if (shape[1] !== numChannels) throw wrongShape("input.shape[1]", `numChannels ${numChannels}`, shape[1]);
    const repeat = shape.slice(2).reduce((product, size) => product * size, 1);
    const count = (numChannels / numGroups) * repeat;
    if (shape[0] === 1 && count === 1) {
      throw wrongShape("input.shape", "more than one number in a group", showShape(shape));
    }
    return this.normalize({ data, shape, count, repeat });
  }
}
