/** A weight matrix in linear memory, packed as assembly/panel.ts draws it, with the record that kernels read it by. */
import type { ParameterData } from "../tensor/like.js";
import type { Kernels } from "./kernels.js";
import type { Runtime } from "./runtime.js";

/** Bytes of assembly/matrix.ts's Matrix: six fields. */
export const RECORD_BYTES = 24;

/** Where number `gate`, `unit` stands among the outputs of a matrix of `gates` gates. */
export function outputIndex(gates: number, gate: number, unit: number): number {
  return (gates * (unit >> 2) + gate) * 4 + (unit & 3);
}

/** The vectors of four outputs of a matrix. */
export function vectorCount({ gates, units }: Pick<PanelShape, "gates" | "units">): number {
  return gates * Math.ceil(units / 4);
}

/** What a panel holds. */
export interface PanelShape {
  /** Matrices whose units are interleaved by four: an LSTM's i f g o, a GRU's r z n; 1 for a plain matrix. */
  readonly gates: number;
  /** Units of each gate. */
  readonly units: number;
  /** Inputs. */
  readonly columns: number;
}

/** Where a panel lies. */
export interface PanelPlace {
  /** The first line, aligned to 16 bytes. */
  readonly pointer: number;
  /** Bytes from one block to the next; more than the panel's own lines when two panels share blocks. */
  readonly blockBytes: number;
  /** Where the record goes, aligned to 4 bytes; in int8 to 16, since the scales follow it. */
  readonly record: number;
}

/** The weights, or their scales, of which float32 has none. */
export type PanelPart = "weights" | "scales";

/** What is the same in every precision; each precision has a class of its own. */
export abstract class Panel implements PanelShape, PanelPlace {
  readonly gates: number;
  readonly units: number;
  readonly columns: number;
  readonly pointer: number;
  readonly blockBytes: number;
  readonly record: number;
  /** Vectors of four outputs that stand side by side in a line. */
  abstract readonly lineVectors: number;

  constructor({ gates, units, columns }: PanelShape, { pointer, blockBytes, record }: PanelPlace) {
    this.gates = gates;
    this.units = units;
    this.columns = columns;
    this.pointer = pointer;
    this.blockBytes = blockBytes;
    this.record = record;
  }

  /** Each block makes one line's width of outputs. */
  get blocks(): number {
    return Math.ceil(vectorCount(this) / this.lineVectors);
  }

  /** Bytes of one row of outputs, whole blocks. */
  get outputRow(): number {
    return this.blocks * this.lineVectors * 16;
  }

  /** Bytes of staging that `store` and `read` need: one gate. */
  abstract get stagingBytes(): number;

  /** int8: bytes of a quantised row of inputs; 0 in float32. */
  abstract get quantizedRow(): number;

  /** Packs PyTorch's (gates * units, columns) matrix, by way of `staging`; or takes the scales of an int8 matrix. */
  abstract store(runtime: Runtime, staging: number, part: PanelPart, data: ParameterData): void;

  /** A copy of what was stored. */
  abstract read(runtime: Runtime, staging: number, part: PanelPart): ParameterData;

  /**
   * output = start + input x weights for `rows` rows, row strides in bytes; `start` is one row for all, and `quantized`
   * has room for `rows` quantised rows. Output rows are at least `outputRow` bytes apart.
   */
  project(
    kernels: Kernels,
    rows: number,
    input: number,
    inputRow: number,
    start: number,
    output: number,
    outputRow: number,
    quantized: number,
  ): void {
    const { record, columns, quantizedRow } = this;
    if (quantizedRow === 0) kernels.project(record, rows, input, inputRow, start, output, outputRow, 0);
    else {
      kernels.quantizeRows(rows, columns, input, inputRow, quantized, quantizedRow);
      kernels.project(record, rows, quantized, quantizedRow, start, output, outputRow, 0);
    }
  }

  protected writeRecord(runtime: Runtime, scales: number, corrections: number): void {
    const { columns, pointer, blockBytes } = this;
    runtime.integers.set(
      [columns, vectorCount(this), pointer, blockBytes, scales, corrections],
      this.record / 4,
    );
  }
}

export class FloatPanel extends Panel {
  readonly lineVectors = FloatPanel.lineVectors();
  readonly quantizedRow = 0;

  constructor(runtime: Runtime, shape: PanelShape, place: PanelPlace) {
    super(shape, place);
    this.writeRecord(runtime, 0, 0);
  }

  static lineVectors(): number {
    return 8;
  }

  /** Lines of a panel with so many inputs. */
  static lineCount(columns: number): number {
    return columns;
  }

  static recordBytes(): number {
    return RECORD_BYTES;
  }

  get stagingBytes(): number {
    return this.units * this.columns * 4;
  }

  store(runtime: Runtime, staging: number, _: PanelPart, matrix: ParameterData): void {
    const { gates, units, columns, pointer, blockBytes, lineVectors } = this;
    const size = units * columns;
    for (let gate = 0; gate < gates; gate++) {
      runtime.floats.set(matrix.subarray(gate * size, (gate + 1) * size), staging / 4);
      runtime.kernels.packGate(pointer, blockBytes, lineVectors, gates, gate, staging, units, columns);
    }
  }

  read(runtime: Runtime, staging: number): Float32Array {
    const { gates, units, columns, pointer, blockBytes, lineVectors } = this;
    const size = units * columns;
    const matrix = new Float32Array(gates * size);
    for (let gate = 0; gate < gates; gate++) {
      runtime.kernels.unpackGate(pointer, blockBytes, lineVectors, gates, gate, staging, units, columns);
      matrix.set(runtime.floats.subarray(staging / 4, staging / 4 + size), gate * size);
    }
    return matrix;
  }
}
