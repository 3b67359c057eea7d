/** A matrix of int8 weights with one scale per row, as assembly/matmul/i8.ts reads it. */
import { SUM_COLUMNS } from "../../build/abi.js";
import type { ParameterData } from "../tensor/like.js";
import type { Block } from "./block.js";
import type { Region } from "./region.js";
import { numbersOf, Weights, type WeightsPlace, type WeightsShape } from "./weights.js";

export class Int8Weights extends Weights {
  declare readonly roundedRow: number;
  declare readonly scales: Block;
  /** A row of outputs for every SUM_COLUMNS inputs. */
  readonly #corrections: Block;

  constructor(region: Region, shape: WeightsShape, place: WeightsPlace) {
    super(region, shape, place, 1);
    this.roundedRow = region.runtime.kernels.roundedRow(shape.columns);
    this.scales = region.allocate(this.outputRow);
    this.#corrections = region.allocate(this.outputRow * Math.ceil(shape.columns / SUM_COLUMNS));
    this.writeRecord(this.scales.pointer, this.#corrections.pointer);
    // Lines are arranged between any two uses, from the start on: so lanes past the last unit are read as zero.
    region.runtime.kernels.arrangeLines(this.matrix);
    Object.freeze(this);
  }

  protected storeMatrix(staging: Block, part: "weights" | "scales", data: ParameterData): void {
    if (part === "scales") {
      this.packColumn(staging, this.scales, data as Float32Array);
      return;
    }
    const { runtime } = this.region;
    const { gates, units, columns } = this;
    const numbers = numbersOf(staging);
    const rowBytes = this.lines * 4;
    // What needs room, or may find that data was transferred, comes before the panel is touched.
    const corrections = this.#correctionsOf(data);
    runtime.kernels.restoreLines(this.matrix);
    try {
      for (let gate = 0; gate < gates; gate++) {
        runtime.kernels.clearFloats(numbers.pointer, units * this.lines);
        for (let unit = 0; unit < units; unit++) {
          const at = (gate * units + unit) * columns;
          runtime.write(numbers, unit * rowBytes, data, at, columns);
        }
        runtime.kernels.packGate(this.matrix, gates, gate, units, numbers.pointer);
      }
    } finally {
      runtime.kernels.arrangeLines(this.matrix);
    }
    corrections.forEach((column, section) => {
      this.packColumn(staging, this.#corrections.part(section * this.outputRow, this.outputRow), column);
    });
  }

  /** -8192 times the sum of a row's weights, one for every SUM_COLUMNS of them, modulo 2^32 as the kernel sums. */
  #correctionsOf(matrix: ParameterData): Int32Array[] {
    const { columns } = this;
    return Array.from({ length: Math.ceil(columns / SUM_COLUMNS) }, (_, section) => {
      const start = section * SUM_COLUMNS;
      return Int32Array.from({ length: this.gates * this.units }, (_, row) => {
        let sum = 0;
        const end = row * columns + Math.min(columns, start + SUM_COLUMNS);
        for (let at = row * columns + start; at < end; at++) sum += matrix[at]!;
        return Math.imul(sum, -8192);
      });
    });
  }
}
