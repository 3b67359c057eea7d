/** Kernels that make bytes of floats, and of products of bytes, whose sums are exact. */

import {
  BYTE_PATCHES_BYTES,
  CAST_INT8,
  CAST_UINT8,
  DOTS_BYTES,
  WIDENING_BYTES,
} from "../../../build/models-abi.js";
import * as BytePatches from "../../../build/records/bytepatches.js";
import * as Dots from "../../../build/records/dots.js";
import * as Widening from "../../../build/records/widening.js";
import type { Dtype } from "../../graph/ir.js";
import { convolution } from "../../graph/operators/conv.js";
import { planar } from "../../graph/operators/window.js";
import { elementsIn } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling, Place } from "../operator.js";

/** DynamicQuantizeLinear. */
export function compileQuantise({ call, runtime }: Compiling): Compiled {
  const count = elementsIn(call.input(0).shape);
  return {
    bind: (place) => {
      const { quantise } = modelKernels(runtime);
      const [input, output, scale, zero] = [
        place.input(0),
        place.output(0),
        place.output(1),
        place.output(2),
      ];
      return () => quantise(input, output, scale, zero, count);
    },
  };
}

/** Rows of bytes, and what is taken from them. */
interface Bytes {
  readonly source: number;
  readonly dtype: Dtype;
  readonly rows: number;
  readonly columns: number;
  readonly sourceRow: number;
  readonly sourceColumn: number;
  readonly zero: number;
  readonly zeroStep: number;
}

/** Bytes of a row of i16 that is filled up to whole vectors. */
const widthOf = (columns: number): number => Math.ceil(columns / 8) * 16;

function wideningRecord(place: Place, from: Bytes, target: number): number {
  const words = new Int32Array(WIDENING_BYTES / 4);
  words[Widening.source] = from.source;
  words[Widening.target] = target;
  words[Widening.rows] = from.rows;
  words[Widening.columns] = from.columns;
  words[Widening.sourceRow] = from.sourceRow;
  words[Widening.sourceColumn] = from.sourceColumn;
  words[Widening.targetRow] = widthOf(from.columns);
  words[Widening.type] = from.dtype === "int8" ? CAST_INT8 : CAST_UINT8;
  words[Widening.zero] = from.zero;
  words[Widening.zeroStep] = from.zeroStep;
  return place.record(words);
}

function dotsRecord(place: Place, rows: number, width: number, outputRow: number): number {
  const words = new Int32Array(DOTS_BYTES / 4);
  words[Dots.rows] = rows;
  words[Dots.width] = width;
  words[Dots.outputRow] = outputRow;
  return place.record(words);
}

/** Whether a zero point is one number, or one for each of `count`; undefined for another. */
function zeroStepOf({ call }: Compiling, at: number, count: number): number | undefined {
  if (!call.has(at)) return 0;
  const { shape } = call.input(at);
  const size = elementsIn(shape);
  if (size === 1) return 0;
  return size === count && shape.length === 1 ? 1 : undefined;
}

/** MatMulInteger by one matrix. */
export function compileIntegerProduct(node: Compiling): Compiled | undefined {
  const { call, types, runtime } = node;
  const [a, b] = [call.input(0), call.input(1)];
  if (a.shape.length < 2 || b.shape.length !== 2 || node.activation !== undefined) return undefined;
  if (elementsIn(types[0]!.shape) === 0) return { bind: () => () => {} };
  const [depth, columns] = b.shape as [number, number];
  const rows = elementsIn(a.shape.slice(0, -1));
  // One for each row of one matrix.
  const aZero = zeroStepOf(node, 2, a.shape.length === 2 ? rows : 0);
  const bZero = zeroStepOf(node, 3, columns);
  if (aZero === undefined || bZero === undefined) return undefined;
  const zeros = call.has(3) ? call.input(3) : undefined;
  const isConstant = b.data !== undefined && (zeros === undefined || zeros.data !== undefined);
  const width = widthOf(depth);
  return {
    scratchBytes: (rows + (isConstant ? 0 : columns)) * width,
    bind: (place) => {
      const { widen, dots } = modelKernels(runtime);
      const left = place.scratch;
      const step = { row: 1, column: columns };
      const right = isConstant
        ? packed(node, { at: 1, zeroAt: 3, rows: columns, columns: depth, step })
        : left + rows * width;
      const wideA = wideningRecord(
        place,
        {
          source: place.input(0),
          dtype: a.dtype,
          rows,
          columns: depth,
          sourceRow: depth,
          sourceColumn: 1,
          zero: place.input(2),
          zeroStep: aZero,
        },
        left,
      );
      const wideB = wideningRecord(
        place,
        {
          source: isConstant ? 0 : place.input(1),
          dtype: b.dtype,
          rows: columns,
          columns: depth,
          sourceRow: 1,
          sourceColumn: columns,
          zero: isConstant ? 0 : place.input(3),
          zeroStep: bZero,
        },
        right,
      );
      const product = dotsRecord(place, rows, width, columns * 4);
      const output = place.output(0);
      return () => {
        widen(wideA);
        if (!isConstant) widen(wideB);
        dots(product, left, right, output, columns);
      };
    },
  };
}

/** A constant input as rows of i16. */
interface Packing {
  readonly at: number;
  readonly zeroAt: number;
  readonly rows: number;
  readonly columns: number;
  /** Numbers from one row to the next, and from one number of a row to the next. */
  readonly step: { readonly row: number; readonly column: number };
}

/** Where constant rows less their zero points are: made once. */
function packed({ call, runtime, shared }: Compiling, { at, zeroAt, rows, columns, step }: Packing): number {
  const numbers = call.input(at).data!;
  const zeros = call.has(zeroAt) ? call.data(zeroAt).data : undefined;
  const first = zeros?.[0] ?? 0;
  const points =
    zeros?.every((zero: number) => zero === first) === false ? Array.from(zeros).join() : `${first}`;
  return shared(numbers, `rows of i16 less ${points}`, (region) => {
    const width = widthOf(columns) / 2;
    const block = region.allocate(rows * width * 2);
    const made = new Int16Array(width);
    const bytes = new Uint8Array(made.buffer);
    for (let row = 0; row < rows; row++) {
      const zero = zeros === undefined ? 0 : zeros[zeros.length === 1 ? 0 : row]!;
      for (let k = 0; k < columns; k++) {
        made[k] = numbers[row * step.row + k * step.column]! - zero;
      }
      runtime.write(block, row * bytes.length, bytes);
    }
    return block.pointer;
  });
}

/** Bytes of patches that are made at once: they stay in the nearest cache but one. */
const PATCH_BYTES = 2 ** 17;

/** ConvInteger by constant weights. */
export function compileIntegerConv(node: Compiling): Compiled | undefined {
  const { call, types, runtime } = node;
  const weights = call.input(1);
  const isConstant = weights.data !== undefined && (!call.has(3) || call.input(3).data !== undefined);
  if (!isConstant || zeroStepOf(node, 2, 0) !== 0 || node.activation !== undefined) return undefined;
  if (elementsIn(types[0]!.shape) === 0) return { bind: () => () => {} };
  const { batch, group, inChannels, outChannels, ...conv } = convolution(call);
  if (zeroStepOf(node, 3, outChannels) === undefined) return undefined;
  const { window, sizes } = planar(conv.window, conv.sizes);
  const [positions, inPlane] = [elementsIn(window.output), elementsIn(sizes)];
  const [units, channels] = [outChannels / group, inChannels / group];
  const taps = channels * elementsIn(window.kernel);
  const width = widthOf(taps);
  const most = Math.min(positions, Math.max(4, Math.floor(PATCH_BYTES / width)));
  return {
    scratchBytes: most * width,
    bind: (place) => {
      const { bytePatches, dots } = modelKernels(runtime);
      const step = { row: taps, column: 1 };
      const left = packed(node, { at: 1, zeroAt: 3, rows: outChannels, columns: taps, step });
      const words = new Int32Array(BYTE_PATCHES_BYTES / 4);
      words[BytePatches.target] = place.scratch;
      words[BytePatches.targetRow] = width;
      words[BytePatches.channels] = channels;
      words[BytePatches.rows] = sizes[0];
      words[BytePatches.columns] = sizes[1];
      words[BytePatches.kernelRows] = window.kernel[0]!;
      words[BytePatches.kernelColumns] = window.kernel[1]!;
      words[BytePatches.rowStride] = window.strides[0]!;
      words[BytePatches.columnStride] = window.strides[1]!;
      words[BytePatches.rowDilation] = window.dilations[0]!;
      words[BytePatches.columnDilation] = window.dilations[1]!;
      words[BytePatches.top] = window.before[0]!;
      words[BytePatches.left] = window.before[1]!;
      words[BytePatches.outputColumns] = window.output[1]!;
      words[BytePatches.type] = call.input(0).dtype === "int8" ? CAST_INT8 : CAST_UINT8;
      words[BytePatches.zero] = place.input(2);
      const patches = place.record(words);
      const product = dotsRecord(place, units, width, positions * 4);
      const [input, output, scratch] = [place.input(0), place.output(0), place.scratch];
      return () => {
        for (let which = 0; which < batch * group; which++) {
          const source = input + which * channels * inPlane;
          const rows = left + (which % group) * units * width;
          const target = output + which * units * positions * 4;
          for (let from = 0; from < positions; from += most) {
            const count = Math.min(most, positions - from);
            bytePatches(patches, source, from, count);
            dots(product, rows, scratch, target + from * 4, count);
          }
        }
      };
    },
  };
}
