/** Linear: y = x W^T + b. */

import { scaleNameOf } from "../int8/round-weights.js";
import { checkBoolean, checkInteger, checkOptions, showShape, wrongValue } from "../tensor/checks.js";
import type { ParameterData, StateDictLike, TensorLike } from "../tensor/like.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { allocatePanel, checkPrecision, type Precision } from "../wasm/precision.js";
import { align, Scratch } from "../wasm/scratch.js";
import type { Panel } from "../wasm/weights.js";
import { Module } from "./module.js";
import type { StateSource } from "./recurrent.js";
import { entriesBelow, type ParameterSpec, precisionFromDict, shapeOf } from "./state-dict.js";

/** Options of `Linear`, as PyTorch's. */
export interface LinearOptions {
  inFeatures: number;
  outFeatures: number;
  bias?: boolean | undefined;
  /** `"int8"`: weights of 8 bits with one scale per row. `"float32"` when left out. */
  precision?: Precision | undefined;
}

/** Rows of one kernel call: enough to read the weights rarely, few enough that the buffers stay small. */
const CHUNK_ROWS = 256;

export class Linear extends Module {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "Linear";
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  readonly precision: Precision;
  readonly #panel: Panel;
  readonly #bias: number;
  readonly #scratch: Scratch;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(inFeatures).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: LinearOptions, /** @internal */ source?: StateSource) {
    const checked = checkOptions("options", options, ["inFeatures", "outFeatures", "bias", "precision"]);
    const { inFeatures, outFeatures, bias = true, precision = "float32" } = checked;
    checkPrecision(precision);
    const columns = checkInteger("inFeatures", inFeatures, 1);
    const units = checkInteger("outFeatures", outFeatures, 1);
    checkBoolean("bias", bias);
    super();
    this.inFeatures = columns;
    this.outFeatures = units;
    this.bias = bias;
    this.precision = precision;
    this.#scratch = new Scratch(this.region);
    try {
      this.#panel = allocatePanel(this.region, precision, 1, units, columns);
      this.#bias = this.region.allocate(this.#panel.outputRow);
      if (source === undefined) this.initialise(1 / Math.sqrt(columns));
      else this.loadStateDict(source.dict, { prefix: source.prefix });
    } catch (error) {
      this.region.release();
      throw error;
    }
  }

  /**
   * A Linear whose sizes are read off `weight` (outFeatures, inFeatures) and whether there is a `bias`. Int8 weights make
   * it one of precision int8; float weights are quantised when that is asked for.
   */
  static fromStateDict(
    dict: StateDictLike,
    options: { prefix?: string | undefined; precision?: Precision | undefined } = {},
  ): Linear {
    const checked = checkOptions("options", options, ["prefix", "precision"]);
    const { prefix = "" } = checked;
    const entries = entriesBelow(dict, prefix);
    const [outFeatures, inFeatures] = shapeOf(entries, "weight", 2, prefix) as [number, number];
    const precision = precisionFromDict(dict, prefix, "weight", checked.precision);
    const read = { inFeatures, outFeatures, bias: entries.has("bias"), precision };
    return new Linear(read, { dict, prefix });
  }

  /**
   * (..., inFeatures) to (..., outFeatures).
   * @throws TypeError or RangeError when `input` is not a tensor with that last dimension.
   */
  forward(input: TensorLike): Tensor {
    const { kernels } = this.runtime;
    const { data, shape } = checkRows("input", input, this.inFeatures);
    const leading = shape.slice(0, -1);
    const rows = leading.reduce((product, size) => product * size, 1);
    const output = Tensor.zeros([...leading, this.outFeatures]);
    const panel = this.#panel;
    const chunkRows = Math.min(rows, CHUNK_ROWS);
    const inputRow = this.inFeatures * 4;
    const paddedRow = panel.outputRow;
    const outputRow = this.outFeatures * 4;
    const from = this.#scratch.fit(chunkRows * (inputRow + paddedRow + outputRow + panel.quantizedRow) + 64);
    const padded = align(from + chunkRows * inputRow);
    const to = padded + chunkRows * paddedRow;
    const scratch = align(to + chunkRows * outputRow);
    for (let row = 0; row < rows; row += chunkRows) {
      const count = Math.min(chunkRows, rows - row);
      const { floats } = this.runtime;
      floats.set(data.subarray(row * this.inFeatures, (row + count) * this.inFeatures), from / 4);
      panel.project(kernels, count, from, inputRow, this.#bias, padded, paddedRow, scratch);
      kernels.copyRows(to, outputRow, padded, paddedRow, count, this.outFeatures);
      output.data.set(floats.subarray(to / 4, to / 4 + count * this.outFeatures), row * this.outFeatures);
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
    const { runtime } = this;
    const weight = values.get("weight");
    if (weight !== undefined) {
      const staging = this.region.allocate(this.#panel.stagingBytes);
      try {
        this.#panel.store(runtime, staging, "weights", weight);
      } finally {
        this.region.free(staging);
      }
    }
    const scales = values.get(scaleNameOf("weight"));
    if (scales !== undefined) this.#panel.store(runtime, 0, "scales", scales);
    const bias = values.get("bias");
    if (bias !== undefined) runtime.floats.set(bias, this.#bias / 4);
  }

  /** @internal */
  protected readParameter(name: string): ParameterData {
    if (name === "bias") {
      return this.runtime.floats.slice(this.#bias / 4, this.#bias / 4 + this.outFeatures);
    }
    const staging = this.region.allocate(this.#panel.stagingBytes);
    try {
      return this.#panel.read(this.runtime, staging, name === "weight" ? "weights" : "scales");
    } finally {
      this.region.free(staging);
    }
  }
}

/** @internal An input (..., inFeatures). @throws TypeError or RangeError naming what does not fit. */
export function checkRows(name: string, input: TensorLike, inFeatures: number) {
  const { data, shape } = asTensor(input, name);
  const last = shape.length - 1;
  if (last < 0) throw wrongValue(`${name}.shape`, "at least 1 dimension", showShape(shape));
  if (shape[last] !== inFeatures) {
    throw wrongValue(`${name}.shape[${last}]`, `inFeatures ${inFeatures}`, shape[last]);
  }
  return { data, shape };
}
