/** Linear: y = x W^T + b. */
import { checkBoolean, checkInteger, checkOptions, showShape, wrongValue } from "../checks.js";
import { asTensor, type StateDictLike, Tensor, type TensorLike } from "../tensor.js";
import { Panel, PLAIN } from "../wasm/panel.js";
import { align, Scratch } from "../wasm/scratch.js";
import { Module } from "./module.js";
import { entriesBelow, type ParameterSpec, shapeOf } from "./parameters.js";
import type { StateSource } from "./recurrent.js";

/** Options of `Linear`, as PyTorch's. */
export interface LinearOptions {
  inFeatures: number;
  outFeatures: number;
  bias?: boolean;
}

/** Rows of one kernel call: enough to read the weights rarely, few enough that the buffers stay small. */
const CHUNK_ROWS = 256;

export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  /** @internal */
  protected get kind(): string {
    return "Linear";
  }
  readonly #panel: Panel;
  readonly #bias: number;
  readonly #scratch: Scratch;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(inFeatures).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: LinearOptions, /** @internal */ source?: StateSource) {
    const {
      inFeatures,
      outFeatures,
      bias = true,
    } = checkOptions("options", options, ["inFeatures", "outFeatures", "bias"]);
    const columns = checkInteger("inFeatures", inFeatures, 1);
    const units = checkInteger("outFeatures", outFeatures, 1);
    checkBoolean("bias", bias);
    super();
    this.inFeatures = columns;
    this.outFeatures = units;
    this.bias = bias;
    this.#scratch = new Scratch(this.region);
    try {
      this.#panel = Panel.allocate(this.region, PLAIN, units, columns);
      this.#bias = this.region.allocate(this.#panel.blocks * 64);
      if (source === undefined) this.initialise(1 / Math.sqrt(columns));
      else this.loadStateDict(source.dict, { prefix: source.prefix });
    } catch (error) {
      this.region.release();
      throw error;
    }
  }

  /** A Linear whose sizes are read off `weight` (outFeatures, inFeatures) and whether there is a `bias`. */
  static fromStateDict(dict: StateDictLike, options: { prefix?: string } = {}): Linear {
    const { prefix = "" } = checkOptions("options", options, ["prefix"]);
    const entries = entriesBelow(dict, prefix);
    const [outFeatures, inFeatures] = shapeOf(entries, "weight", 2, prefix) as [number, number];
    return new Linear({ inFeatures, outFeatures, bias: entries.has("bias") }, { dict, prefix });
  }

  /**
   * (..., inFeatures) to (..., outFeatures).
   * @throws TypeError or RangeError when `input` is not a tensor with that last dimension.
   */
  forward(input: TensorLike): Tensor {
    const { kernels } = this.runtime;
    const { data, shape } = asTensor(input, "input");
    const last = shape.length - 1;
    if (last < 0) throw wrongValue("input.shape", "at least 1 dimension", showShape(shape));
    if (shape[last] !== this.inFeatures) {
      throw wrongValue(`input.shape[${last}]`, `inFeatures ${this.inFeatures}`, shape[last]);
    }
    const rows = shape.slice(0, last).reduce((product, size) => product * size, 1);
    const output = Tensor.zeros([...shape.slice(0, last), this.outFeatures]);
    const panel = this.#panel;
    const chunkRows = Math.min(rows, CHUNK_ROWS);
    const inputRow = this.inFeatures * 4;
    const paddedRow = panel.blocks * 64;
    const outputRow = this.outFeatures * 4;
    const from = this.#scratch.fit(chunkRows * (inputRow + paddedRow + outputRow) + 48);
    const padded = align(from + chunkRows * inputRow);
    const to = padded + chunkRows * paddedRow;
    for (let row = 0; row < rows; row += chunkRows) {
      const count = Math.min(chunkRows, rows - row);
      const { floats } = this.runtime;
      floats.set(data.subarray(row * this.inFeatures, (row + count) * this.inFeatures), from / 4);
      kernels.project(
        count,
        this.inFeatures,
        panel.blocks,
        from,
        inputRow,
        panel.pointer,
        panel.blockBytes,
        this.#bias,
        0,
        padded,
        paddedRow,
      );
      kernels.copyRows(to, outputRow, padded, paddedRow, count, this.outFeatures);
      output.data.set(floats.subarray(to / 4, to / 4 + count * this.outFeatures), row * this.outFeatures);
    }
    return output;
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    const specs: ParameterSpec[] = [{ name: "weight", shape: [this.outFeatures, this.inFeatures] }];
    if (this.bias) specs.push({ name: "bias", shape: [this.outFeatures] });
    return specs;
  }

  /** @internal */
  protected storeParameters(values: ReadonlyMap<string, Float32Array>): void {
    const weight = values.get("weight");
    if (weight !== undefined) {
      const staging = this.region.allocate(weight.byteLength);
      this.#panel.pack(this.runtime, staging, weight);
      this.region.free(staging);
    }
    const bias = values.get("bias");
    if (bias !== undefined) this.runtime.floats.set(bias, this.#bias / 4);
  }

  /** @internal */
  protected readParameter(name: string): Float32Array {
    if (name === "bias") {
      return this.runtime.floats.slice(this.#bias / 4, this.#bias / 4 + this.outFeatures);
    }
    const staging = this.region.allocate(this.inFeatures * this.outFeatures * 4);
    const weight = this.#panel.unpack(this.runtime, staging);
    this.region.free(staging);
    return weight;
  }
}
