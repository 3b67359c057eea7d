/** Which class of panel holds a module's weights. */
import { wrongType, wrongValue } from "../tensor/checks.js";
import { Int8Panel } from "./int8-weights.js";
import type { Region } from "./region.js";
import { FloatPanel, type Panel, vectorCount } from "./weights.js";

/** `float32`, or `int8`: weights of 8 bits with one scale per row, inputs of 14 bits with one scale per row and step. */
export type Precision = "float32" | "int8";

const PANELS = { float32: FloatPanel, int8: Int8Panel };

/** @throws TypeError or RangeError unless `value` is a precision. */
export function checkPrecision(value: unknown): Precision {
  if (typeof value !== "string") throw wrongType("precision", '"float32" or "int8"', value);
  if (!Object.hasOwn(PANELS, value)) throw wrongValue("precision", '"float32" or "int8"', value);
  return value as Precision;
}

/**
 * Panels with equal gates and units and one number of inputs each, in new memory. In each block the lines of the first
 * are followed by those of the next, so that they are read in one walk.
 */
export function allocatePanels(
  region: Region,
  precision: Precision,
  gates: number,
  units: number,
  widths: readonly number[],
): Panel[] {
  const kind = PANELS[precision];
  const lineVectors = kind.lineVectors(region.runtime);
  const lineBytes = lineVectors * 16;
  const blocks = Math.ceil(vectorCount({ gates, units }) / lineVectors);
  const blockBytes = widths.reduce((bytes, columns) => bytes + kind.lineCount(columns) * lineBytes, 0);
  let pointer = region.allocate(blocks * blockBytes);
  return widths.map((columns) => {
    const record = region.allocate(kind.recordBytes(blocks * lineBytes, columns));
    const panel = new kind(region.runtime, { gates, units, columns }, { pointer, blockBytes, record });
    pointer += kind.lineCount(columns) * lineBytes;
    return panel;
  });
}

/** A panel in memory of its own. */
export function allocatePanel(
  region: Region,
  precision: Precision,
  gates: number,
  units: number,
  columns: number,
): Panel {
  return allocatePanels(region, precision, gates, units, [columns])[0]!;
}
