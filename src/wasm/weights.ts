/**
 * A weight matrix and its bias in linear memory, packed as assembly/matmul/pack.ts draws it, with the record that
 * kernels read it by. What is common to both precisions; weights-f32.ts and weights-i8.ts have the rest.
 * read-weights.ts reads it back.
 *
 * A column, such as the bias, is packed like a matrix of one input: its numbers then stand in the order of the
 * outputs.
 */
import { MATRIX_BYTES } from "../../build/abi.js";
import * as Matrix from "../../build/records/matrix.js";
import type { ParameterData } from "../tensor/like.js";
import type { Block } from "./block.js";
import type { Region } from "./region.js";

/** What a matrix is: (gates * units, columns) in PyTorch's layout. */
export interface WeightsShape {
  /** Matrices whose units are interleaved by four: an LSTM's i f g o, a GRU's r z n; 1 for a plain matrix. */
  readonly gates: number;
  /** Units of each gate. */
  readonly units: number;
  /** Inputs. */
  readonly columns: number;
}

/** Where a matrix lies. */
export interface WeightsPlace {
  /** Its lines in the first block. */
  readonly panel: Block;
  /** Bytes from one block to the next; more than its own lines where two matrices share blocks. */
  readonly blockBytes: number;
  /** Room for its record. */
  readonly record: Block;
}

/** The parts of a matrix; float32 has no scales. */
export type WeightsPart = "weights" | "scales" | "bias";

const RECORD_BYTES = (MATRIX_BYTES + 15) & ~15;

export abstract class Weights implements WeightsShape {
  declare readonly gates: number;
  declare readonly units: number;
  declare readonly columns: number;
  /** Vectors of four outputs that stand side by side in a line. */
  declare readonly vectorsPerLine: number;
  /** Lines of a block. */
  declare readonly lines: number;
  /** Bytes of one row of outputs, whole blocks. */
  declare readonly outputRow: number;
  /** int8: bytes of a rounded row of inputs; 0 in float32. */
  abstract readonly roundedRow: number;
  declare readonly region: Region;
  declare protected readonly place: WeightsPlace;
  declare readonly bias: Block;
  /** int8: a row of outputs. */
  readonly scales: Block | undefined;

  /** @param int8 1 for int8 weights */
  constructor(region: Region, shape: WeightsShape, place: WeightsPlace, int8: 0 | 1) {
    const { kernels } = region.runtime;
    this.gates = shape.gates;
    this.units = shape.units;
    this.columns = shape.columns;
    this.region = region;
    this.place = Object.freeze(place);
    this.vectorsPerLine = kernels.vectorsPerLine(int8);
    this.lines = kernels.lineCount(shape.columns, int8);
    this.outputRow = this.blocks * this.vectorsPerLine * 16;
    this.bias = region.allocate(this.outputRow);
  }

  /** Address of the record that kernels are given. */
  get matrix(): number {
    return this.place.record.pointer;
  }

  /** Blocks, each of one line's width of outputs. */
  get blocks(): number {
    return Math.ceil(vectorCount(this) / this.vectorsPerLine);
  }

  /** Bytes of staging that `store` and `readWeights` need: the record of a column, and one gate or one column. */
  get stagingBytes(): number {
    return RECORD_BYTES + this.units * 4 * Math.max(this.gates, this.lines);
  }

  /** Packs one part, in PyTorch's layout, by way of `staging`. */
  store(staging: Block, part: WeightsPart, data: ParameterData): void {
    if (part === "bias") this.packColumn(staging, this.bias, data as Float32Array);
    else this.storeMatrix(staging, part, data);
  }

  protected abstract storeMatrix(staging: Block, part: "weights" | "scales", data: ParameterData): void;

  /** Writes the record; `scales` and `corrections` are addresses, 0 in float32. */
  protected writeRecord(scales: number, corrections: number): void {
    const { panel, blockBytes, record } = this.place;
    this.#writeRecord(record, this.columns, panel.pointer, blockBytes, { scales, corrections });
  }

  protected packColumn(staging: Block, target: Block, values: Float32Array | Int32Array): void {
    const { runtime } = this.region;
    const numbers = numbersOf(staging);
    const column = this.columnOf(staging, target);
    runtime.write(numbers, 0, values);
    for (let gate = 0; gate < this.gates; gate++) {
      const source = numbers.pointer + gate * this.units * 4;
      runtime.kernels.packGate(column, this.gates, gate, this.units, source);
    }
  }

  /** The record, in `staging`, of a float32 matrix of one column whose panel is `panel`. */
  columnOf(staging: Block, panel: Block): number {
    const blockBytes = this.region.runtime.kernels.vectorsPerLine(0) * 16;
    this.#writeRecord(staging, 1, panel.pointer, blockBytes, { scales: 0, corrections: 0 });
    return staging.pointer;
  }

  #writeRecord(
    record: Block,
    columns: number,
    panel: number,
    blockBytes: number,
    { scales, corrections }: { scales: number; corrections: number },
  ): void {
    const words = new Int32Array(MATRIX_BYTES / 4);
    words[Matrix.columns] = columns;
    words[Matrix.vectors] = vectorCount(this);
    words[Matrix.blocks] = this.blocks;
    words[Matrix.outputRow] = this.outputRow;
    words[Matrix.panel] = panel;
    words[Matrix.blockBytes] = blockBytes;
    words[Matrix.bias] = this.bias.pointer;
    words[Matrix.scales] = scales;
    words[Matrix.corrections] = corrections;
    this.region.runtime.write(record, 0, words);
  }
}

/** The part of a staging block that numbers are put into. */
export function numbersOf(staging: Block): Block {
  return staging.part(RECORD_BYTES, staging.bytes - RECORD_BYTES);
}

/** The vectors of four outputs of a matrix. */
export function vectorCount({ gates, units }: Pick<WeightsShape, "gates" | "units">): number {
  return gates * Math.ceil(units / 4);
}
