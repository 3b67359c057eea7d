/**
 * Nodes that move numbers from regular places to others: what is moved is brought into few axes here, so that most of it
 * goes by rows of bytes, and written into the records of one kernel (assembly/models/copy.ts).
 */

import {
  COPY_1,
  COPY_4,
  COPY_8,
  COPY_16,
  COPY_AXIS_BYTES,
  COPY_BYTES,
  COPY_RUNS,
  COPY_TURNED,
} from "../../../build/models-abi.js";
import * as Copy from "../../../build/records/copy.js";
import * as CopyAxis from "../../../build/records/copyaxis.js";
import { ARRAYS } from "../../graph/ir.js";
import { joined } from "../../graph/operators/move.js";
import { around, elementsIn, stridesOf } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { Compiled, Compiling, Place } from "../operator.js";
import {
  type Reading,
  readAll,
  readExpanded,
  readSlice,
  readSplit,
  readTiled,
  readTransposed,
} from "./readings.js";

/** Numbers to be copied. Steps are bytes from one number to the next along each axis. */
export interface Transfer {
  readonly shape: readonly number[];
  readonly source: number;
  readonly sourceSteps: readonly number[];
  readonly target: number;
  readonly targetSteps: readonly number[];
  /** Bytes of a number. */
  readonly size: number;
}

interface Axis {
  readonly size: number;
  readonly source: number;
  readonly target: number;
}

/** The kernel's kind for units of so many bytes; undefined if it has none. */
function kindOf(bytes: number): number | undefined {
  if (bytes === 1) return COPY_1;
  if (bytes === 4) return COPY_4;
  if (bytes === 8) return COPY_8;
  return bytes === 16 ? COPY_16 : undefined;
}

/** A row of fewer numbers is not worth the loop around it, where another axis may be the row. */
const SHORT = 4;

/** The axes along which there is a way to go, with neighbours joined that are one axis in both places. */
function join({ shape, sourceSteps, targetSteps }: Transfer): Axis[] {
  const axes: Axis[] = [];
  for (const [at, size] of shape.entries()) {
    if (size === 1) continue;
    const axis = { size, source: sourceSteps[at]!, target: targetSteps[at]! };
    const last = axes.at(-1);
    if (last?.source === size * axis.source && last.target === size * axis.target) {
      axes[axes.length - 1] = { ...axis, size: last.size * size };
    } else axes.push(axis);
  }
  return axes;
}

/** Takes the last axis off, or the longest one where that is short. */
function takeLong(axes: Axis[]): Axis {
  let at = axes.length - 1;
  if (at >= 0 && axes[at]!.size < SHORT) {
    for (const [other, { size }] of axes.entries()) if (size > axes[at]!.size) at = other;
  }
  return axes.splice(at, 1)[0] ?? { size: 1, source: 0, target: 0 };
}

/** The words of a copy's record. */
function wordsOf(transfer: Transfer): number[] {
  const axes = join(transfer);
  let unit = transfer.size;
  let kind = kindOf(unit)!;
  let columns: Axis;
  let rows: Axis | undefined;
  const last = axes.at(-1) ?? { size: 1, source: unit, target: unit };
  if (last.source === unit && last.target === unit) {
    axes.pop();
    const bytes = last.size * unit;
    const wide = kindOf(bytes);
    columns = { size: bytes, source: 0, target: 0 };
    if (wide === undefined || axes.length === 0) kind = COPY_RUNS;
    else {
      // What are neighbours everywhere goes as one.
      kind = wide;
      unit = bytes;
      columns = takeLong(axes);
    }
  } else {
    const across = axes.findIndex(({ source }) => source === unit);
    if (unit === 4 && last.target === unit && across >= 0) {
      kind = COPY_TURNED;
      columns = axes.pop()!;
      rows = axes.splice(across, 1)[0]!;
    } else columns = takeLong(axes);
  }
  rows ??= takeLong(axes);
  const words = new Array<number>(COPY_BYTES / 4);
  words[Copy.source] = transfer.source;
  words[Copy.target] = transfer.target;
  words[Copy.kind] = kind;
  words[Copy.rows] = rows.size;
  words[Copy.sourceRow] = rows.source;
  words[Copy.targetRow] = rows.target;
  words[Copy.columns] = columns.size;
  words[Copy.sourceColumn] = columns.source;
  words[Copy.targetColumn] = columns.target;
  words[Copy.axes] = axes.length;
  for (const { size, source, target } of axes) {
    const axis = new Array<number>(COPY_AXIS_BYTES / 4);
    axis[CopyAxis.size] = size;
    axis[CopyAxis.sourceStep] = source;
    axis[CopyAxis.targetStep] = target;
    axis[CopyAxis.at] = 0;
    words.push(...axis);
  }
  return words;
}

/** A call that makes these copies, one after the other; undefined if there is nothing to copy. */
export function copying(
  runtime: Runtime,
  place: Place,
  transfers: readonly Transfer[],
): (() => void) | undefined {
  const some = transfers.filter(({ shape }) => elementsIn(shape) > 0);
  if (some.length === 0) return undefined;
  const { copy } = modelKernels(runtime);
  const records = place.record(Int32Array.from(some.flatMap(wordsOf)));
  const count = some.length;
  return () => copy(records, count);
}

export const nothing = (): void => {};

const scaled = (steps: readonly number[], by: number): number[] => steps.map((step) => step * by);

/** Kernels of a node whose outputs are read from input 0 at regular distances. */
export function compileReading(node: Compiling, reading: Reading): Compiled | undefined {
  const { call, types, runtime } = node;
  const parts = reading(call, types);
  if (parts === undefined) return undefined;
  const size = ARRAYS[call.input(0).dtype].BYTES_PER_ELEMENT;
  return {
    bind: (place) => {
      const transfers = parts
        .map(({ start, shape, steps }, at) => ({
          shape,
          source: place.input(0) + start * size,
          sourceSteps: scaled(steps, size),
          target: call.node.outputs[at] === undefined ? 0 : place.output(at),
          targetSteps: scaled(stridesOf(shape), size),
          size,
        }))
        .filter(({ target }) => target !== 0);
      return copying(runtime, place, transfers) ?? nothing;
    },
  };
}

/** Of Identity, Reshape, Squeeze, Unsqueeze, Flatten and Dropout. */
export const compileWhole = (node: Compiling): Compiled | undefined => compileReading(node, readAll);
export const compileTransposed = (node: Compiling): Compiled | undefined =>
  compileReading(node, readTransposed);
export const compileSlice = (node: Compiling): Compiled | undefined => compileReading(node, readSlice);
export const compileSplit = (node: Compiling): Compiled | undefined => compileReading(node, readSplit);
export const compileExpanded = (node: Compiling): Compiled | undefined => compileReading(node, readExpanded);
export const compileTiled = (node: Compiling): Compiled | undefined => compileReading(node, readTiled);

/** Of Concat. Inputs that have been made in the output stay there. */
export function compileJoined({ call, types, runtime }: Compiling): Compiled {
  const [{ dtype, shape }] = types as [Compiling["types"][0]];
  const { outer, size, inner } = around(shape, joined(call).axis);
  const bytes = ARRAYS[dtype].BYTES_PER_ELEMENT;
  return {
    bind: (place) => {
      let target = place.output(0);
      const transfers = call.inputs.map((_, at) => {
        const width = elementsIn(call.input(at).shape) / (outer || 1);
        const transfer = {
          shape: [outer, width],
          source: place.input(at),
          sourceSteps: [width * bytes, bytes],
          target,
          targetSteps: [size * inner * bytes, bytes],
          size: bytes,
        };
        target += width * bytes;
        return transfer;
      });
      const moved = transfers.filter(({ source, target }) => source !== target);
      return copying(runtime, place, moved) ?? nothing;
    },
  };
}
