/** The weights of one layer and direction, packed for the kernels, with the record that these read it by. */
import { LAYER_BYTES } from "../../build/abi.js";
import * as LayerRecord from "../../build/records/layer.js";
import type { ParameterData } from "../tensor/like.js";
import { align, type Block } from "../wasm/block.js";
import { allocateTogether, allocateWeights, type Precision } from "../wasm/precision.js";
import type { Region } from "../wasm/region.js";
import type { Weights, WeightsPart } from "../wasm/weights.js";
import type { CellKind } from "./cell-kinds.js";
import { type CellOptions, storeCellOptions } from "./cell-options.js";
import type { ParameterSpec } from "./state-dict.js";

/** By these i and f see c, and o sees c'. */
export const PEEPHOLES: readonly string[] = ["weight_ci", "weight_cf", "weight_co"];

export interface LayerShape {
  readonly cell: CellKind;
  /** RNN: the number of its activation; else 0. */
  readonly activation: number;
  /** undefined for PyTorch's cell. */
  readonly options: CellOptions | undefined;
  readonly precision: Precision;
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** Numbers in h: hiddenSize, or the projection's size. */
  readonly outputSize: number;
  readonly bias: boolean;
  /** Whether the steps are taken from the last to the first. */
  readonly reverse: boolean;
}

export class Layer {
  declare readonly shape: LayerShape;
  /** W_ih and b_ih. */
  declare readonly weightInput: Weights;
  /** W_hh and b_hh. */
  declare readonly weightHidden: Weights;
  /** W_hr, whose bias is zeros. */
  declare readonly weightProjection: Weights | undefined;
  readonly #region: Region;
  readonly #record: Block;
  /** [3, cRow]: the weights of PEEPHOLES, where the cell has them. */
  declare readonly peepholes: Block | undefined;

  constructor(region: Region, shape: LayerShape) {
    this.#region = region;
    const { cell, precision, inputSize, hiddenSize, outputSize } = shape;
    this.shape = shape;
    const rows = { gates: cell.gates, units: hiddenSize };
    const [input, hidden] = allocateTogether(region, precision, rows, [inputSize, outputSize]);
    this.weightInput = input!;
    this.weightHidden = hidden!;
    this.weightProjection =
      outputSize < hiddenSize ? allocateWeights(region, precision, outputSize, hiddenSize) : undefined;
    const { options } = shape;
    this.peepholes = options?.peepholes ? region.allocate(PEEPHOLES.length * this.cRow) : undefined;
    this.#record = region.allocate(LAYER_BYTES);
    const words = new Int32Array(LAYER_BYTES / 4);
    words[LayerRecord.kind] = cell.kind;
    words[LayerRecord.activation] = shape.activation;
    words[LayerRecord.options] =
      options === undefined ? 0 : storeCellOptions(region, options, this.peepholes?.pointer ?? 0);
    words[LayerRecord.units] = hiddenSize;
    words[LayerRecord.outputSize] = outputSize;
    words[LayerRecord.reverse] = shape.reverse ? 1 : 0;
    words[LayerRecord.weightInput] = this.weightInput.matrix;
    words[LayerRecord.weightHidden] = this.weightHidden.matrix;
    words[LayerRecord.weightProjection] = this.weightProjection?.matrix ?? 0;
    region.runtime.write(this.#record, 0, words);
    Object.freeze(shape);
    Object.freeze(this);
  }

  /** Address of the record that kernels are given. */
  get address(): number {
    return this.#record.pointer;
  }

  /** Bytes of a row of h: whole blocks where a projection writes it, else whole vectors. */
  get hRow(): number {
    return this.weightProjection?.outputRow ?? align(this.shape.outputSize * 4);
  }

  /** Bytes of a row of c, and of each row of a trace: whole vectors. */
  get cRow(): number {
    return align(this.shape.hiddenSize * 4);
  }

  /** int8: bytes of a rounded row of h, or of what is projected to h; 0 in float32. */
  get roundedRow(): number {
    return Math.max(this.weightHidden.roundedRow, this.weightProjection?.roundedRow ?? 0);
  }

  /** PyTorch's names and shapes, each name followed by `suffix`: `_l0`, `_l1_reverse`, or nothing for cells. */
  specs(suffix: string): ParameterSpec[] {
    const { cell, precision, inputSize, hiddenSize, outputSize, bias } = this.shape;
    const rows = cell.gates * hiddenSize;
    const int8 = precision === "int8";
    const specs: ParameterSpec[] = [
      { name: `weight_ih${suffix}`, shape: [rows, inputSize], int8 },
      { name: `weight_hh${suffix}`, shape: [rows, outputSize], int8 },
    ];
    if (bias) {
      specs.push({ name: `bias_ih${suffix}`, shape: [rows] }, { name: `bias_hh${suffix}`, shape: [rows] });
    }
    if (outputSize < hiddenSize) {
      specs.push({ name: `weight_hr${suffix}`, shape: [outputSize, hiddenSize], int8 });
    }
    if (this.peepholes !== undefined) {
      for (const name of PEEPHOLES) specs.push({ name: name + suffix, shape: [hiddenSize] });
    }
    return specs;
  }

  /** Bytes of staging that `store` and `readWeights` need. */
  get stagingBytes(): number {
    const { weightInput, weightHidden, weightProjection } = this;
    return Math.max(weightInput.stagingBytes, weightHidden.stagingBytes, weightProjection?.stagingBytes ?? 0);
  }

  /** Packs one parameter, or the scales of one, named without its suffix. */
  store(staging: Block, name: string, part: WeightsPart, data: ParameterData): void {
    const peephole = PEEPHOLES.indexOf(name);
    if (peephole < 0) this.weightsOf(name).store(staging, partOf(name, part), data);
    else this.#region.runtime.write(this.peepholes!, peephole * this.cRow, data);
  }

  /** What has a parameter that is no peephole. */
  weightsOf(name: string): Weights {
    if (name.endsWith("_ih")) return this.weightInput;
    return name.endsWith("_hh") ? this.weightHidden : this.weightProjection!;
  }
}

export function partOf(name: string, part: WeightsPart): WeightsPart {
  return name.startsWith("bias") ? "bias" : part;
}
