/** The weights of one layer and direction, packed for the kernels. */
import type { ParameterData } from "../tensor/like.js";
import { allocatePanel, allocatePanels, type Precision } from "../wasm/precision.js";
import type { Region } from "../wasm/region.js";
import type { Runtime } from "../wasm/runtime.js";
import { align } from "../wasm/scratch.js";
import { outputIndex, type Panel, type PanelPart } from "../wasm/weights.js";
import type { ParameterSpec } from "./state-dict.js";

export interface LayerSizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** Size of the projected h, or 0. */
  readonly projSize: number;
  readonly bias: boolean;
}

export class Layer {
  readonly sizes: LayerSizes;
  /** Numbers in h: hiddenSize, or projSize where there is a projection. */
  readonly outputSize: number;
  readonly input: Panel;
  readonly hidden: Panel;
  /** W_hr, with `reductionStart` pointing to zeros in its outputs' layout. */
  readonly reduction: Panel | undefined;
  readonly reductionStart: number;
  /** b_ih in the order of the input panel's outputs; zeros without bias. */
  readonly inputBias: number;
  /** b_hh in the order of the hidden panel's outputs; zeros without bias. */
  readonly hiddenBias: number;
  readonly #precision: Precision;

  /** @param gates matrices of hiddenSize rows in W_ih and W_hh: 4 for an LSTM, 3 for a GRU, 1 for an RNN */
  constructor(region: Region, precision: Precision, gates: number, sizes: LayerSizes) {
    const { inputSize, hiddenSize, projSize } = sizes;
    const outputSize = projSize || hiddenSize;
    this.sizes = sizes;
    this.outputSize = outputSize;
    this.#precision = precision;
    const widths = [inputSize, outputSize];
    [this.input, this.hidden] = allocatePanels(region, precision, gates, hiddenSize, widths) as [
      Panel,
      Panel,
    ];
    this.inputBias = region.allocate(this.input.outputRow);
    this.hiddenBias = region.allocate(this.hidden.outputRow);
    if (projSize > 0) {
      this.reduction = allocatePanel(region, precision, 1, projSize, hiddenSize);
      this.reductionStart = region.allocate(this.reduction.outputRow);
    } else {
      this.reduction = undefined;
      this.reductionStart = 0;
    }
  }

  /** Bytes of a row of h: where a projection writes it, whole blocks. */
  get stateRow(): number {
    return this.reduction?.outputRow ?? align(this.outputSize * 4);
  }

  /** Bytes of a row of c, and of each of the five rows of a trace. */
  get cellRow(): number {
    return align(this.sizes.hiddenSize * 4);
  }

  /** int8: bytes of a quantised row of h, or of what is projected to h; 0 in float32. */
  get quantizedRow(): number {
    return Math.max(this.hidden.quantizedRow, this.reduction?.quantizedRow ?? 0);
  }

  /** PyTorch's names and shapes, each name followed by `suffix`: `_l0`, `_l1_reverse`, or nothing for cells. */
  specs(suffix: string): ParameterSpec[] {
    const { inputSize, hiddenSize, projSize, bias } = this.sizes;
    const rows = this.input.gates * hiddenSize;
    const int8 = this.#precision === "int8";
    const specs: ParameterSpec[] = [
      { name: `weight_ih${suffix}`, shape: [rows, inputSize], int8 },
      { name: `weight_hh${suffix}`, shape: [rows, this.outputSize], int8 },
    ];
    if (bias) {
      specs.push({ name: `bias_ih${suffix}`, shape: [rows] }, { name: `bias_hh${suffix}`, shape: [rows] });
    }
    if (projSize > 0) specs.push({ name: `weight_hr${suffix}`, shape: [projSize, hiddenSize], int8 });
    return specs;
  }

  /** Bytes of staging that `store` and `read` need: the largest matrix of one gate. */
  get stagingBytes(): number {
    const { input, hidden, reduction } = this;
    return Math.max(input.stagingBytes, hidden.stagingBytes, reduction?.stagingBytes ?? 0);
  }

  /** Packs one parameter, or the scales of one, named without its suffix. */
  store(runtime: Runtime, staging: number, name: string, part: PanelPart, data: ParameterData): void {
    const panel = this.#panelOf(name);
    if (panel !== undefined) {
      panel.store(runtime, staging, part, data);
      return;
    }
    const { floats } = runtime;
    this.#eachBias(name, (address, index) => {
      floats[address] = data[index]!;
    });
  }

  /** A copy of one parameter, or of its scales, named without its suffix. */
  read(runtime: Runtime, staging: number, name: string, part: PanelPart): ParameterData {
    const panel = this.#panelOf(name);
    if (panel !== undefined) return panel.read(runtime, staging, part);
    const { floats } = runtime;
    const data = new Float32Array(this.input.gates * this.sizes.hiddenSize);
    this.#eachBias(name, (address, index) => {
      data[index] = floats[address]!;
    });
    return data;
  }

  #panelOf(name: string): Panel | undefined {
    if (name === "weight_ih") return this.input;
    if (name === "weight_hh") return this.hidden;
    return name === "weight_hr" ? this.reduction : undefined;
  }

  /** Visits the float at which each element of a bias stands. */
  #eachBias(name: string, visit: (address: number, index: number) => void): void {
    const { hiddenSize } = this.sizes;
    const pointer = name === "bias_ih" ? this.inputBias : this.hiddenBias;
    const { gates } = this.input;
    for (let gate = 0; gate < gates; gate++) {
      for (let unit = 0; unit < hiddenSize; unit++) {
        visit(pointer / 4 + outputIndex(gates, gate, unit), gate * hiddenSize + unit);
      }
    }
  }
}
