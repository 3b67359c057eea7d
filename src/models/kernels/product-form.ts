/**
 * MatMul, Gemm and Einsum in one form: products of two matrices, each at places of their own in both inputs and in the
 * output. Axes that lie one behind the other are taken together, so that a batch times one matrix is one product.
 */

import type { Call } from "../../graph/operator.js";
import { equationOf } from "../../graph/operators/matmul.js";
import { broadcast, broadcastStrides, eachOffset, stridesOf } from "../../graph/shapes.js";

/** All strides and places are counted in elements. */
export interface ProductForm {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
  readonly aRow: number;
  readonly aStep: number;
  readonly bRow: number;
  readonly bStep: number;
  /** Columns of the output follow one another. */
  readonly outRow: number;
  /** Where the matrices of each product begin. */
  readonly starts: { readonly a: Int32Array; readonly b: Int32Array; readonly out: Int32Array };
  /** Whether A is input 1, and B input 0. */
  readonly isSwapped: boolean;
}

/** An axis of the output, or one that is summed over, with its stride in each tensor; 0 where it has none. */
interface Axis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
  readonly out: number;
}

export function formOfMatMul({ inputs: [left, right] }: Call): ProductForm | undefined {
  const a = left!.shape.length === 1 ? [1, left!.shape[0]!] : left!.shape;
  const b = right!.shape.length === 1 ? [right!.shape[0]!, 1] : right!.shape;
  const batch = broadcast(a.slice(0, -2), b.slice(0, -2))!;
  const [rows, depth, columns] = [a.at(-2)!, a.at(-1)!, b.at(-1)!];
  const startsOf = (shape: readonly number[], matrix: number) =>
    broadcastStrides(shape.slice(0, -2), batch).map((stride) => stride * matrix);
  const [aBatch, bBatch] = [startsOf(a, rows * depth), startsOf(b, depth * columns)];
  const out = stridesOf([...batch, rows, columns]);
  const axes: Axis[] = batch.map((size, at) => ({ size, a: aBatch[at]!, b: bBatch[at]!, out: out[at]! }));
  axes.push({ size: rows, a: depth, b: 0, out: columns }, { size: columns, a: 0, b: 1, out: 1 });
  return formOf(axes, [{ size: depth, a: 1, b: columns, out: 0 }], isLeftConstant(left, right));
}

export function formOfGemm(call: Call): ProductForm | undefined {
  const [a, b] = [call.input(0).shape, call.input(1).shape];
  const isTurned = (name: string) => call.flag(name, false);
  const [rows, depth] = isTurned("transA") ? [a[1]!, a[0]!] : [a[0]!, a[1]!];
  const columns = isTurned("transB") ? b[0]! : b[1]!;
  const [aRow, aStep] = isTurned("transA") ? [1, rows] : [depth, 1];
  const [bRow, bStep] = isTurned("transB") ? [1, depth] : [columns, 1];
  const axes = [
    { size: rows, a: aRow, b: 0, out: columns },
    { size: columns, a: 0, b: bStep, out: 1 },
  ];
  return formOf(axes, [{ size: depth, a: aStep, b: bRow, out: 0 }], false);
}

export function formOfEinsum(call: Call): ProductForm | undefined {
  const { terms, result } = equationOf(call);
  const [left, right] = [call.input(0), call.input(1)];
  const [aStrides, bStrides] = [stridesOf(left.shape), stridesOf(right.shape)];
  const sizeOf = (letter: string) =>
    left.shape[terms[0].indexOf(letter)] ?? right.shape[terms[1].indexOf(letter)]!;
  const out = stridesOf(Array.from(result, sizeOf));
  const axisOf = (letter: string, at: number): Axis => ({
    size: sizeOf(letter),
    a: aStrides[terms[0].indexOf(letter)] ?? 0,
    b: bStrides[terms[1].indexOf(letter)] ?? 0,
    out: out[at] ?? 0,
  });
  const letters = Array.from(new Set(terms.join("")));
  const summed = letters.filter((letter) => !result.includes(letter)).map((letter) => axisOf(letter, -1));
  // A sum of one operand alone is no product.
  if (summed.some(({ size, a, b }) => size !== 1 && (a === 0 || b === 0))) return undefined;
  return formOf(Array.from(result, axisOf), summed, isLeftConstant(left, right));
}

const isLeftConstant = (left: Call["inputs"][number], right: Call["inputs"][number]) =>
  left?.data !== undefined && right?.data === undefined;

/** Axes as one, as far as the last of them lie one behind the other; and those before them. */
function merged(
  axes: readonly Axis[],
  tensors: readonly ("a" | "b" | "out")[],
): { axis: Axis; rest: Axis[] } {
  const rest = [...axes];
  let axis = rest.pop() ?? { size: 1, a: 0, b: 0, out: 0 };
  for (let next = rest.at(-1); next !== undefined; next = rest.at(-1)) {
    const { size } = axis;
    if (!tensors.every((tensor) => next![tensor] === axis[tensor] * size)) break;
    axis = { ...axis, size: size * next.size };
    rest.pop();
  }
  return { axis, rest };
}

/** @param isLeftConstant whether the left input alone is constant: where it can be, it becomes B, which is packed */
function formOf(
  output: readonly Axis[],
  summed: readonly Axis[],
  isLeftConstant: boolean,
): ProductForm | undefined {
  const isLong = ({ size }: Axis) => size !== 1;
  const depth = merged(summed.filter(isLong), ["a", "b"]);
  if (depth.rest.length > 0) return undefined;
  const axes = output.filter(isLong);
  const rows = merged(
    axes.filter(({ b }) => b === 0),
    ["a", "out"],
  );
  const columns = merged(
    axes.filter(({ a }) => a === 0),
    ["b", "out"],
  );
  const taken = [...axes.filter(({ a, b }) => a === 0 || b === 0)].filter(
    (axis) => !rows.rest.includes(axis) && !columns.rest.includes(axis),
  );
  const batch = axes.filter((axis) => !taken.includes(axis));
  const startsIn = (tensor: "a" | "b" | "out") => {
    const starts: number[] = [];
    const shape = batch.map(({ size }) => size);
    eachOffset(
      shape,
      batch.map((axis) => axis[tensor]),
      0,
      (offset) => starts.push(offset),
    );
    return Int32Array.from(starts);
  };
  const starts = { a: startsIn("a"), b: startsIn("b"), out: startsIn("out") };
  const isRow = ({ size, out }: Axis) => size === 1 || out === 1;
  const isTurned = columns.axis.size === 1 && isLeftConstant && isRow(rows.axis);
  if (isRow(columns.axis) && !isTurned) {
    return {
      rows: rows.axis.size,
      depth: depth.axis.size,
      columns: columns.axis.size,
      aRow: rows.axis.a,
      aStep: depth.axis.a,
      bRow: depth.axis.b,
      bStep: columns.axis.b,
      outRow: rows.axis.out,
      starts,
      isSwapped: false,
    };
  }
  if (!isRow(rows.axis)) return undefined;
  return {
    rows: columns.axis.size,
    depth: depth.axis.size,
    columns: rows.axis.size,
    aRow: columns.axis.b,
    aStep: depth.axis.b,
    bRow: depth.axis.a,
    bStep: rows.axis.a,
    outRow: columns.axis.out,
    starts: { a: starts.b, b: starts.a, out: starts.out },
    isSwapped: true,
  };
}
