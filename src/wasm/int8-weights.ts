/** A matrix of int8 weights with one scale per row, as assembly/int8.ts reads it. */
import type { ParameterData } from "../tensor/like.js";
import type { Runtime } from "./runtime.js";
import { align } from "./scratch.js";
import {
  outputIndex,
  Panel,
  type PanelPart,
  type PanelPlace,
  type PanelShape,
  RECORD_BYTES,
} from "./weights.js";

/** Inputs whose integer sum fits in 32 bits: CHUNK_LINES lines of four. */
const CHUNK_COLUMNS = 2048;

export class Int8Panel extends Panel {
  readonly lineVectors: number;
  readonly #scales: number;
  readonly #corrections: number;

  constructor(runtime: Runtime, shape: PanelShape, place: PanelPlace) {
    super(shape, place);
    this.lineVectors = Int8Panel.lineVectors(runtime);
    this.#scales = this.record + align(RECORD_BYTES);
    this.#corrections = this.#scales + this.outputRow;
    this.writeRecord(runtime, this.#scales, this.#corrections);
  }

  static lineVectors(runtime: Runtime): number {
    return runtime.kernels.groupVectors();
  }

  /** Lines of a panel with so many inputs: four to a line. */
  static lineCount(columns: number): number {
    return Math.ceil(columns / 4);
  }

  /** The record, the scales, and the corrections of each chunk. */
  static recordBytes(outputRow: number, columns: number): number {
    return align(RECORD_BYTES) + outputRow * (1 + Math.ceil(columns / CHUNK_COLUMNS));
  }

  get stagingBytes(): number {
    return this.units * this.#rowBytes;
  }

  get quantizedRow(): number {
    const header = 8 + Math.ceil(this.columns / CHUNK_COLUMNS) * 4;
    return align(header) + Math.ceil(this.columns / 16) * 32;
  }

  /** Bytes of a row in staging, whose groups of four are what packGate moves in place of floats. */
  get #rowBytes(): number {
    return Int8Panel.lineCount(this.columns) * 4;
  }

  store(runtime: Runtime, staging: number, part: PanelPart, data: ParameterData): void {
    if (part === "scales") {
      this.#eachOutput((at, row) => {
        runtime.floats[this.#scales / 4 + at] = data[row]!;
      });
      return;
    }
    const { gates, units, columns, lineVectors } = this;
    const rowBytes = this.#rowBytes;
    runtime.bytes.fill(0, staging, staging + this.stagingBytes);
    this.#eachBlock((lines, bytes) => {
      runtime.bytes.fill(0, lines, lines + bytes);
    });
    for (let gate = 0; gate < gates; gate++) {
      for (let unit = 0; unit < units; unit++) {
        const from = (gate * units + unit) * columns;
        runtime.bytes.set(data.subarray(from, from + columns), staging + unit * rowBytes);
      }
      runtime.kernels.packGate(
        this.pointer,
        this.blockBytes,
        lineVectors,
        gates,
        gate,
        staging,
        units,
        rowBytes / 4,
      );
    }
    this.#eachBlock((lines, bytes) => {
      runtime.kernels.arrangeLines(lines, bytes);
    });
    this.#storeCorrections(runtime, data);
  }

  /** -8192 times the sum of each row's weights, chunk by chunk, modulo 2^32 as the kernel sums. */
  #storeCorrections(runtime: Runtime, matrix: ParameterData): void {
    const { columns, outputRow } = this;
    const { integers } = runtime;
    this.#eachOutput((at, row) => {
      for (let start = 0; start < columns; start += CHUNK_COLUMNS) {
        let sum = 0;
        const end = row * columns + Math.min(columns, start + CHUNK_COLUMNS);
        for (let from = row * columns + start; from < end; from++) sum += matrix[from]!;
        const chunk = start / CHUNK_COLUMNS;
        integers[this.#corrections / 4 + (chunk * outputRow) / 4 + at] = Math.imul(sum, -8192);
      }
    });
  }

  read(runtime: Runtime, staging: number, part: PanelPart): ParameterData {
    const { gates, units, columns, lineVectors } = this;
    if (part === "scales") {
      const scales = new Float32Array(gates * units);
      this.#eachOutput((at, row) => {
        scales[row] = runtime.floats[this.#scales / 4 + at]!;
      });
      return scales;
    }
    const rowBytes = this.#rowBytes;
    const matrix = new Int8Array(gates * units * columns);
    this.#eachBlock((lines, bytes) => {
      runtime.kernels.restoreLines(lines, bytes);
    });
    for (let gate = 0; gate < gates; gate++) {
      runtime.kernels.unpackGate(
        this.pointer,
        this.blockBytes,
        lineVectors,
        gates,
        gate,
        staging,
        units,
        rowBytes / 4,
      );
      for (let unit = 0; unit < units; unit++) {
        const from = staging + unit * rowBytes;
        matrix.set(runtime.bytes.subarray(from, from + columns), (gate * units + unit) * columns);
      }
    }
    this.#eachBlock((lines, bytes) => {
      runtime.kernels.arrangeLines(lines, bytes);
    });
    return matrix;
  }

  /** Visits the lines of each block: where they begin and how many bytes they are. */
  #eachBlock(visit: (lines: number, bytes: number) => void): void {
    const bytes = Int8Panel.lineCount(this.columns) * this.lineVectors * 16;
    for (let block = 0; block < this.blocks; block++) visit(this.pointer + block * this.blockBytes, bytes);
  }

  /** Visits each row of PyTorch's matrix with its place in the outputs' layout. */
  #eachOutput(visit: (at: number, row: number) => void): void {
    for (let gate = 0; gate < this.gates; gate++) {
      for (let unit = 0; unit < this.units; unit++) {
        visit(outputIndex(this.gates, gate, unit), gate * this.units + unit);
      }
    }
  }
}
