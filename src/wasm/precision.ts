/** Which class holds a module's weights, and the memory that they share. */
import { MATRIX_BYTES } from "../../build/abi.js";
import { wrongType, wrongValue } from "../tensor/checks.js";
import type { Block } from "./block.js";
import type { Region } from "./region.js";
import { vectorCount, type Weights, type WeightsShape } from "./weights.js";
import { FloatWeights } from "./weights-f32.js";
import { Int8Weights } from "./weights-i8.js";

/** `float32`, or `int8`: weights of 8 bits with a scale per row, inputs of 14 bits with a scale per row and step. */
export type Precision = "float32" | "int8";

const WEIGHTS = { float32: FloatWeights, int8: Int8Weights };

/** @throws TypeError or RangeError unless `value` is a precision. */
export function checkPrecision(value: unknown): Precision {
  if (typeof value !== "string") throw wrongType("precision", '"float32" or "int8"', value);
  if (!Object.hasOwn(WEIGHTS, value)) throw wrongValue("precision", '"float32" or "int8"', value);
  return value as Precision;
}

/**
 * Matrices of equal gates and units and one number of columns each. In each block the lines of the first are
 * followed by those of the next, so that they are read in one walk.
 */
export function allocateTogether(
  region: Region,
  precision: Precision,
  { gates, units }: { gates: number; units: number },
  widths: readonly number[],
): Weights[] {
  const layouts = widths.map((columns) => layoutOf(region, precision, { gates, units, columns }));
  const blockBytes = layouts.reduce((bytes, layout) => bytes + layout.blockBytes, 0);
  const panels = allocatePanels(region, layouts[0]!.blocks * blockBytes);
  let offset = 0;
  return widths.map((columns, number) => {
    const panel = panels.part(offset, panels.bytes - offset);
    offset += layouts[number]!.blockBytes;
    const place = { panel, blockBytes, record: region.allocate(MATRIX_BYTES) };
    return new WEIGHTS[precision](region, { gates, units, columns }, place);
  });
}

/** A plain matrix of `units` outputs by itself. */
export function allocateWeights(
  region: Region,
  precision: Precision,
  units: number,
  columns: number,
): Weights {
  return allocateTogether(region, precision, { gates: 1, units }, [columns])[0]!;
}

/** Plain float32 matrices of one shape, whose records follow one another. */
export function allocateGroups(region: Region, groups: number, units: number, columns: number): Weights[] {
  const shape = { gates: 1, units, columns };
  const { blocks, blockBytes } = layoutOf(region, "float32", shape);
  const panelBytes = blocks * blockBytes;
  const panels = allocatePanels(region, groups * panelBytes);
  const records = region.allocate(groups * MATRIX_BYTES);
  return Array.from({ length: groups }, (_, group) => {
    const panel = panels.part(group * panelBytes, panelBytes);
    const record = records.part(group * MATRIX_BYTES, MATRIX_BYTES);
    return new FloatWeights(region, shape, { panel, blockBytes, record });
  });
}

/** The blocks of a matrix, and the bytes of one by itself. */
function layoutOf(region: Region, precision: Precision, shape: WeightsShape) {
  const { kernels } = region.runtime;
  const int8 = precision === "int8" ? 1 : 0;
  const vectorsPerLine = kernels.vectorsPerLine(int8);
  return {
    blocks: Math.ceil(vectorCount(shape) / vectorsPerLine),
    blockBytes: kernels.lineCount(shape.columns, int8) * vectorsPerLine * 16,
  };
}

/** Two cache lines, which CPUs fetch as a pair; a float line is as long. */
const PAIR_BYTES = 128;

/**
 * Room for panels that begins one vector before a pair of cache lines. So the first of a line's eight vectors asks for
 * the next pair while the others are in the last (docs/performance.md, "One row").
 */
function allocatePanels(region: Region, bytes: number): Block {
  const block = region.allocate(bytes + PAIR_BYTES);
  return block.part(PAIR_BYTES - 16 - (block.pointer % PAIR_BYTES), bytes);
}
