/** Linear: y = x W^T + b. */
import { WALK_BYTES } from "../../build/abi.js";
import { showShape, wrongShape } from "../tensor/checks.js";
import type { ParameterData, StateDictLike, TensorLike } from "../tensor/like.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { SPLIT_WEIGHTS } from "../wasm/current.js";
import { allocateWeights, type Precision } from "../wasm/precision.js";
import { readWeights } from "../wasm/read-weights.js";
import { Scratch } from "../wasm/scratch.js";
import { setWalk } from "../wasm/walk.js";
import type { Weights, WeightsPart } from "../wasm/weights.js";
import { moduleFromDict, type Reading } from "./from-state-dict.js";
import { Module } from "./module.js";
import { boolean, integer, named, precision, readOptions } from "./options.js";
import type { Rename } from "./rename.js";
import { type ParameterSpec, precisionOf, shapeOf } from "./state-dict.js";

/** Options of `Linear`, as PyTorch's. */
export interface LinearOptions {
  inFeatures: number;
  outFeatures: number;
  bias?: boolean | undefined;
  /** `"int8"`: weights of 8 bits with one scale per row. `"float32"` when left out. */
  precision?: Precision | undefined;
}

const linearOptions = () => ({
  inFeatures: named(integer(1)),
  outFeatures: named(integer(1)),
  bias: named(boolean(true)),
  precision,
});

const READING: Reading = {
  options: linearOptions,
  untold: ["precision"],
  told: ({ entries, prefix }) => {
    const [outFeatures, inFeatures] = shapeOf(entries, "weight", 2, prefix);
    return { inFeatures, outFeatures, bias: entries.has("bias"), precision: precisionOf(entries, "weight") };
  },
};

/** The parts of the weights by the names of parameters. */
const PARTS: Readonly<Record<string, WeightsPart>> = {
  weight: "weights",
  weight_scale: "scales",
  bias: "bias",
};

/** Rows of one kernel call: enough to read the weights rarely, few enough that the buffers stay small. */
const CHUNK_ROWS = 256;

export class Linear extends Module {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "Linear";
  declare readonly inFeatures: number;
  declare readonly outFeatures: number;
  declare readonly bias: boolean;
  declare readonly precision: Precision;
  readonly #weights: Weights;
  readonly #scratch: Scratch;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(inFeatures).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: LinearOptions) {
    const values = readOptions(linearOptions(), options);
    super(values, linearOptions, values.inFeatures * values.outFeatures >= SPLIT_WEIGHTS);
    this.#scratch = new Scratch(this.region);
    this.#weights = this.construct(() =>
      allocateWeights(this.region, values.precision, values.outFeatures, values.inFeatures),
    );
    this.begin(options, 1 / Math.sqrt(values.inFeatures));
    this.settle(new.target === Linear);
  }

  /**
   * A Linear whose sizes are read off `weight` (outFeatures, inFeatures) and whether there is a `bias`. Int8
   * weights make it one of precision int8; float weights are quantised when that is asked for.
   */
  static fromStateDict(
    dict: StateDictLike,
    options: {
      prefix?: string | undefined;
      rename?: Rename | undefined;
      precision?: Precision | undefined;
    } = {},
  ): Linear {
    return moduleFromDict(Linear, READING, dict, options);
  }

  /**
   * (..., inFeatures) to (..., outFeatures).
   * @throws TypeError or RangeError when `input` is not a tensor with that last dimension.
   */
  forward(input: TensorLike): Tensor {
    this.assertAlive();
    const { data, shape } = checkRows("input", input, this.inFeatures);
    const leading = shape.slice(0, -1);
    const rows = leading.reduce((product, size) => product * size, 1);
    const output = Tensor.zeros([...leading, this.outFeatures]);
    if (rows === 0) return output;
    const { runtime } = this.region;
    const { kernels } = runtime;
    const { inFeatures, outFeatures } = this;
    const weights = this.#weights;
    const chunkRows = Math.min(rows, CHUNK_ROWS);
    const inputRow = inFeatures * 4;
    const outputRow = outFeatures * 4;
    const [walk, from, sums, to, rounded] = this.#scratch.parts([
      WALK_BYTES,
      chunkRows * inputRow,
      chunkRows * weights.outputRow,
      chunkRows * outputRow,
      chunkRows * weights.roundedRow,
    ]);
    const words = new Int32Array(WALK_BYTES / 4);
    setWalk(words, 0, weights, inputRow, rounded.pointer);
    runtime.write(walk, 0, words);
    for (let row = 0; row < rows; row += chunkRows) {
      const count = Math.min(chunkRows, rows - row);
      runtime.write(from, 0, data, row * inFeatures, count * inFeatures);
      kernels.matmul(weights.matrix, walk.pointer, count, from.pointer, sums.pointer, 0);
      kernels.copyRows(to.pointer, outputRow, sums.pointer, weights.outputRow, count, outFeatures);
      runtime.copyOut(to, 0, count * outFeatures, output.data, row * outFeatures);
    }
    return output;
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    const shape = [this.outFeatures, this.inFeatures];
    const specs: ParameterSpec[] = [{ name: "weight", shape, int8: this.precision === "int8" }];
    if (this.bias) specs.push({ name: "bias", shape: [this.outFeatures] });
    return specs;
  }

  /** @internal */
  protected storeParameters(values: ReadonlyMap<string, ParameterData>): void {
    this.region.borrow(this.#weights.stagingBytes, (staging) => {
      for (const [name, data] of values) this.#weights.store(staging, PARTS[name]!, data);
    });
  }

  /** @internal */
  protected readParameter(name: string): ParameterData {
    return this.region.borrow(this.#weights.stagingBytes, (staging) =>
      readWeights(this.#weights, staging, PARTS[name]!),
    );
  }
}

/** @internal An input (..., inFeatures). @throws TypeError or RangeError naming what does not fit. */
export function checkRows(name: string, input: TensorLike, inFeatures: number) {
  const { data, shape } = asTensor(input, name);
  const last = shape.length - 1;
  if (last < 0) throw wrongShape(`${name}.shape`, "at least 1 dimension", showShape(shape));
  if (shape[last] !== inFeatures) {
    throw wrongShape(`${name}.shape[${last}]`, `inFeatures ${inFeatures}`, shape[last]);
  }
  return { data, shape };
}
