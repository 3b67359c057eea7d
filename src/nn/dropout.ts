/** Dropout, which does nothing but in training. */
import { copyFloats, type ParameterData, type TensorLike } from "../tensor/like.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { Module } from "./module.js";
import { boolean, named, probability, readOptions } from "./options.js";
import type { ParameterSpec } from "./state-dict.js";

/** Options of `Dropout`, as PyTorch's. */
export interface DropoutOptions {
  /** The probability of a zero in training: checked, and without effect in inference. 0.5 when left out. */
  p?: number | undefined;
  /** Checked, and without effect in inference. */
  inplace?: boolean | undefined;
}

const dropoutOptions = () => ({ p: named(probability(0.5)), inplace: named(boolean(false)) });

/** PyTorch's Dropout after `eval()`: the identity, since this library only infers. It has no parameters. */
export class Dropout extends Module {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "Dropout";
  declare readonly p: number;
  declare readonly inplace: boolean;

  /** @throws TypeError or RangeError for an option that is unknown or out of range. */
  constructor(options: DropoutOptions = {}) {
    super(readOptions(dropoutOptions(), options), dropoutOptions);
    this.settle(new.target === Dropout);
  }

  /**
   * A tensor of any shape to a copy of it: an output is the caller's to change, here as elsewhere.
   * @throws TypeError or RangeError when `input` is not a tensor.
   */
  forward(input: TensorLike): Tensor {
    this.assertAlive();
    const { data, shape } = asTensor(input, "input");
    return new Tensor(copyFloats(data, 0, data.length, "input"), shape);
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    return [];
  }

  /** @internal */
  protected storeParameters(): void {}

  /** @internal */
  protected readParameter(): ParameterData {
    return new Float32Array(0);
  }
}
