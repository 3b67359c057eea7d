/** LayerNorm: the last dimensions to a mean of 0 and a variance of 1. */
import { checkInteger, isArray, sameShape, showShape, wrongShape } from "../tensor/checks.js";
import { copyShape, type StateDictLike, sizeOf, type TensorLike } from "../tensor/like.js";
import { asTensor, type Tensor } from "../tensor/tensor.js";
import { moduleFromDict, type Reading } from "./from-state-dict.js";
import { eps, Normalization } from "./normalization.js";
import { boolean, named, type Option, readOptions } from "./options.js";
import type { Rename } from "./rename.js";
import { shapeOf } from "./state-dict.js";

/** Options of `LayerNorm`, as PyTorch's. */
export interface LayerNormOptions {
  /** The sizes of the last dimensions, which are normalised together; a number for the last one alone. */
  normalizedShape: number | readonly number[];
  /** Added to the variance. 1e-5 when left out. */
  eps?: number | undefined;
  /** Whether there are a weight and a bias for each number; true when left out. */
  elementwiseAffine?: boolean | undefined;
  /** false: a weight alone. Without effect where elementwiseAffine is false. */
  bias?: boolean | undefined;
}

const normalizedShape: Option<readonly number[]> = {
  print: (sizes) => `(${sizes.join(", ")}${sizes.length > 1 ? "" : ","})`,
  check(name, value) {
    if (!isArray(value)) return Object.freeze([checkInteger(name, value, 1)]);
    const shape = copyShape(value, name);
    if (sizeOf(shape, name) === 0 || shape.length === 0) {
      throw wrongShape(name, "at least 1 dimension, and sizes of at least 1", showShape(shape));
    }
    return Object.freeze(shape);
  },
};

const layerNormOptions = () => ({
  normalizedShape,
  eps,
  elementwiseAffine: named(boolean(true)),
  bias: named(boolean(true)),
});

const READING: Reading = {
  options: layerNormOptions,
  untold: ["eps"],
  told: ({ entries, prefix }) => ({
    normalizedShape: shapeOf(entries, "weight", undefined, prefix),
    bias: entries.has("bias"),
  }),
};

/** Sums are float64, so that a row far from zero keeps its digits. */
export class LayerNorm extends Normalization {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "LayerNorm";
  declare readonly normalizedShape: readonly number[];
  declare readonly elementwiseAffine: boolean;

  /**
   * Weights begin as PyTorch's: ones, and zeros for the bias.
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: LayerNormOptions) {
    const values = readOptions(layerNormOptions(), options);
    super(values, layerNormOptions, values.normalizedShape, values.elementwiseAffine, options);
    this.settle(new.target === LayerNorm);
  }

  /** A LayerNorm whose normalizedShape is that of `weight`, and which has a `bias` where the dict has one. */
  static fromStateDict(
    dict: StateDictLike,
    options: { prefix?: string | undefined; rename?: Rename | undefined; eps?: number | undefined } = {},
  ): LayerNorm {
    return moduleFromDict(LayerNorm, READING, dict, options);
  }

  /**
   * (..., *normalizedShape) to the same shape. The variance is divided by the number of elements, as PyTorch's.
   * @throws TypeError or RangeError when `input` is not a tensor with these last dimensions.
   */
  forward(input: TensorLike): Tensor {
    this.assertAlive();
    const { data, shape } = asTensor(input, "input");
    const { normalizedShape } = this;
    const leading = shape.length - normalizedShape.length;
    if (leading < 0 || !sameShape(shape.slice(leading), normalizedShape)) {
      throw wrongShape("input.shape", `(..., ${normalizedShape.join(", ")})`, showShape(shape));
    }
    return this.normalize({ data, shape, count: sizeOf(normalizedShape), repeat: 1 });
  }
}
