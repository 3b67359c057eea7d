/** A weight matrix in linear memory, packed as assembly/panel.ts draws it. */
import type { ParameterData } from "../tensor.js";
import type { Kernels } from "./kernels.js";
import type { Region } from "./region.js";
import type { Runtime } from "./runtime.js";

/** How the units of a matrix's gates are laid out in vectors of four, and vectors in lines. */
export interface PanelLayout {
  /** Matrices whose units are interleaved. */
  readonly gates: number;
  /** Vectors of four outputs that stand side by side for one input. */
  readonly lineVectors: number;
}

/** A plain matrix: sixteen outputs to a line. */
export const PLAIN: PanelLayout = { gates: 1, lineVectors: 4 };

/** The number of vectors of four that hold `units` units of each gate. */
export function vectorCount(layout: PanelLayout, units: number): number {
  return layout.gates * Math.ceil(units / 4);
}

/** The number of blocks of a panel, each one line wide. */
export function blockCount(layout: PanelLayout, units: number): number {
  return Math.ceil(vectorCount(layout, units) / layout.lineVectors);
}

/** Where number `gate`, `unit` stands among the floats of one line of outputs. */
export function outputIndex(layout: PanelLayout, gate: number, unit: number): number {
  return (layout.gates * (unit >> 2) + gate) * 4 + (unit & 3);
}

/** Size and place of a panel. */
export interface PanelPlace {
  readonly layout: PanelLayout;
  /** Units of each gate. */
  readonly units: number;
  /** Inputs. */
  readonly columns: number;
  /** The first line, aligned to 16 bytes. */
  readonly pointer: number;
  /** Bytes from one block to the next; more than the panel's own lines when two panels share blocks. */
  readonly blockBytes: number;
}

/** What is the same in every precision; each precision has a class of its own. */
export abstract class Panel implements PanelPlace {
  readonly layout: PanelLayout;
  readonly units: number;
  readonly columns: number;
  readonly blocks: number;
  readonly blockBytes: number;
  readonly pointer: number;

  constructor({ layout, units, columns, pointer, blockBytes }: PanelPlace) {
    this.layout = layout;
    this.units = units;
    this.columns = columns;
    this.blocks = blockCount(layout, units);
    this.pointer = pointer;
    this.blockBytes = blockBytes;
  }

  /** The address of what int8 kernels read a matrix by; 0 in float32. */
  abstract readonly record: number;

  /** Bytes of staging that `store` and `read` need: one gate. */
  abstract get stagingBytes(): number;

  /** Bytes of scratch for one row of inputs of `project`. */
  abstract get scratchRow(): number;

  /** Packs PyTorch's (gates * units, columns) matrix, by way of `staging`; or takes the scales of an int8 matrix. */
  abstract store(runtime: Runtime, staging: number, part: PanelPart, data: ParameterData): void;

  /** A copy of what was stored. */
  abstract read(runtime: Runtime, staging: number, part: PanelPart): ParameterData;

  /** output = start + input x weights for `rows` rows; a plain `start` of one row serves all. */
  abstract project(
    kernels: Kernels,
    rows: number,
    input: number,
    inputRow: number,
    start: number,
    output: number,
    outputRow: number,
    scratch: number,
  ): void;
}

/** The weights, or their scales, of which float32 has none. */
export type PanelPart = "weights" | "scales";

export class FloatPanel extends Panel {
  readonly record = 0;
  readonly scratchRow = 0;

  /** Lines of a panel with so many inputs. */
  static lineCount(columns: number): number {
    return columns;
  }

  static create(_: Region, place: PanelPlace): FloatPanel {
    return new FloatPanel(place);
  }

  get stagingBytes(): number {
    return this.units * this.columns * 4;
  }

  store(runtime: Runtime, staging: number, _: PanelPart, matrix: ParameterData): void {
    const { gates, lineVectors } = this.layout;
    const size = this.units * this.columns;
    for (let gate = 0; gate < gates; gate++) {
      runtime.floats.set(matrix.subarray(gate * size, (gate + 1) * size), staging / 4);
      runtime.kernels.packGate(
        this.pointer,
        this.blockBytes,
        lineVectors,
        gates,
        gate,
        staging,
        this.units,
        this.columns,
      );
    }
  }

  read(runtime: Runtime, staging: number): Float32Array {
    const { gates, lineVectors } = this.layout;
    const size = this.units * this.columns;
    const matrix = new Float32Array(gates * size);
    for (let gate = 0; gate < gates; gate++) {
      runtime.kernels.unpackGate(
        this.pointer,
        this.blockBytes,
        lineVectors,
        gates,
        gate,
        staging,
        this.units,
        this.columns,
      );
      matrix.set(runtime.floats.subarray(staging / 4, staging / 4 + size), gate * size);
    }
    return matrix;
  }

  project(
    kernels: Kernels,
    rows: number,
    input: number,
    inputRow: number,
    start: number,
    output: number,
    outputRow: number,
  ): void {
    const { columns, blocks, pointer, blockBytes } = this;
    kernels.project(rows, columns, blocks, input, inputRow, pointer, blockBytes, start, 0, output, outputRow);
  }
}
