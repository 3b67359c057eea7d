/** Kernels that make bytes of floats, and of products of bytes, whose sums are exact. */

import { CAST_INT8, CAST_UINT8, DOTS_BYTES, WIDENING_BYTES } from "../../../build/models-abi.js";
import * as Dots from "../../../build/records/dots.js";
import * as Widening from "../../../build/records/widening.js";
import type { Data, Dtype } from "../../graph/ir.js";
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
      const right = isConstant ? packed(node, b.data!, zeros?.data) : left + rows * width;
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
      const words = new Int32Array(DOTS_BYTES / 4);
      words[Dots.a] = left;
      words[Dots.b] = right;
      words[Dots.output] = place.output(0);
      words[Dots.rows] = rows;
      words[Dots.columns] = columns;
      words[Dots.width] = width;
      const product = place.record(words);
      return () => {
        widen(wideA);
        if (!isConstant) widen(wideB);
        dots(product);
      };
    },
  };
}

/** Columns of a constant matrix as rows of i16: made once. */
function packed({ call, runtime, shared }: Compiling, numbers: Data, zeros: Data | undefined): number {
  const [depth, columns] = call.input(1).shape as [number, number];
  const first = zeros?.[0] ?? 0;
  const points =
    zeros?.every((zero: number) => zero === first) === false ? Array.from(zeros).join() : `${first}`;
  return shared(numbers, `rows of i16 less ${points}`, (region) => {
    const step = widthOf(depth) / 2;
    const block = region.allocate(columns * step * 2);
    const rows = new Int16Array(runtime.memory.buffer, block.pointer, columns * step);
    for (let column = 0; column < columns; column++) {
      const zero = zeros === undefined ? 0 : zeros[zeros.length === 1 ? 0 : column]!;
      for (let k = 0; k < depth; k++) rows[column * step + k] = numbers[k * columns + column]! - zero;
    }
    return block.pointer;
  });
}
