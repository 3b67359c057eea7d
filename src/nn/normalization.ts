/** What LayerNorm and GroupNorm share: rows to a mean of 0 and a variance of 1, times weights, plus biases. */
import { wrongType, wrongValue } from "../tensor/checks.js";
import { allocateFloats, type ParameterData, sizeOf } from "../tensor/like.js";
import { Tensor } from "../tensor/tensor.js";
import type { Block } from "../wasm/block.js";
import { Scratch } from "../wasm/scratch.js";
import { Module } from "./module.js";
import { type Option, type OptionTable, printFloat } from "./options.js";
import type { ParameterSpec } from "./state-dict.js";

/** Numbers that are copied in and out at once, where a row is not longer. */
const CHUNK = 16384;

/** The numbers of a call and how they are cut into rows. */
interface Rows {
  readonly data: Float32Array;
  readonly shape: readonly number[];
  /** Numbers of a row. */
  readonly count: number;
  /** Consecutive numbers that a weight serves. */
  readonly repeat: number;
}

/** @internal The option of both. */
export const eps: Option<number> = {
  fallback: 1e-5,
  named: true,
  // As Python does below 1e-4: 1e-05.
  print: (value) =>
    value > 0 && value < 1e-4 ? value.toExponential().replace(/-(.)$/, "-0$1") : printFloat(value),
  check(name, value) {
    if (typeof value !== "number") throw wrongType(name, "a number", value);
    if (!(value >= 0)) throw wrongValue(name, "a number of at least 0", value);
    return value;
  },
};

export abstract class Normalization extends Module {
  declare readonly eps: number;
  declare readonly bias: boolean;
  /** Of each parameter. */
  readonly #shape: readonly number[];
  /** The parameters that there are. */
  readonly #names: readonly string[];
  readonly #scratch: Scratch;
  /** Ones and zeros where the module has no such parameter. */
  readonly #blocks: { readonly [name: string]: Block };

  /** @internal */
  protected constructor(
    values: { readonly bias: boolean },
    table: () => OptionTable,
    shape: readonly number[],
    affine: boolean,
    options: object,
  ) {
    super({ ...values, bias: affine && values.bias }, table);
    this.#shape = shape;
    this.#names = ["weight", "bias"].slice(0, affine ? 1 + +values.bias : 0);
    this.#scratch = new Scratch(this.region);
    const size = sizeOf(shape, "weight");
    this.#blocks = this.construct(() => {
      const weight = this.region.allocate(size * 4);
      this.runtime.write(weight, 0, allocateFloats(size, "weight").fill(1));
      return { weight, bias: this.region.allocate(size * 4) };
    });
    this.begin(options);
  }

  /** @internal A row's weights begin where those of the row before it end, and again with the first. */
  protected normalize({ data, shape, count, repeat }: Rows): Tensor {
    const output = Tensor.zeros(shape);
    const size = output.data.length;
    if (size === 0) return output;
    const { weight, bias } = this.#blocks as { weight: Block; bias: Block };
    const { runtime, eps } = this;
    const channels = count / repeat;
    const groups = sizeOf(this.#shape) / channels;
    const numbers = Math.max(1, Math.floor(CHUNK / count)) * count;
    const buffer = this.#scratch.fit(Math.min(size, numbers) * 4);
    for (let from = 0; from < size; from += numbers) {
      const part = Math.min(numbers, size - from);
      runtime.write(buffer, 0, data, from, part);
      for (let at = 0; at < part; at += count) {
        const parameters = (((from + at) / count) % groups) * channels * 4;
        const row = buffer.pointer + at * 4;
        runtime.kernels.normalize(
          row,
          count,
          repeat,
          weight.pointer + parameters,
          bias.pointer + parameters,
          eps,
        );
      }
      runtime.copyOut(buffer, 0, part, output.data, from);
    }
    return output;
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    return this.#names.map((name) => ({ name, shape: this.#shape }));
  }

  /** @internal */
  protected storeParameters(values: ReadonlyMap<string, ParameterData>): void {
    for (const [name, data] of values) this.runtime.write(this.#blocks[name]!, 0, data);
  }

  /** @internal */
  protected readParameter(name: string): ParameterData {
    return this.runtime.read(this.#blocks[name]!, 0, sizeOf(this.#shape), "stateDict");
  }
}
