/** Products of matrices, of floats and of integers. */

import type { Dtype, HostTensor, Type } from "../ir.js";
import { type Call, type FillingOperator, isFloat, NUMBERS, type Operand } from "../operator.js";
import { broadcast, broadcastStrides, eachOffset, elementsIn, stridesOf } from "../shapes.js";
import { zip } from "./binary.js";

interface Product {
  /** The output's shape, and the inputs' with the axes that a vector lacks. */
  readonly shape: readonly number[];
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly batch: readonly number[];
}

/** What numpy's matmul makes of two shapes. */
function product(call: Call, left: readonly number[], right: readonly number[]): Product {
  if (left.length === 0 || right.length === 0) throw call.broken("a product of a scalar");
  const a = left.length === 1 ? [1, left[0]!] : left;
  const b = right.length === 1 ? [right[0]!, 1] : right;
  const batch = broadcast(a.slice(0, -2), b.slice(0, -2));
  if (batch === undefined || a.at(-1) !== b.at(-2)) {
    throw call.broken(`shapes [${left.join(", ")}] and [${right.join(", ")}] have no product`);
  }
  const shape = batch.slice();
  if (left.length > 1) shape.push(a.at(-2)!);
  if (right.length > 1) shape.push(b.at(-1)!);
  return { shape, a, b, batch };
}

/** A sum with one more product. */
type Adding = (sum: number, x: number, y: number) => number;

const addProduct: Adding = (sum, x, y) => sum + x * y;
/** Products of 32 bits wrap: unwrapped ones would lose their last bits. */
const addWrapped: Adding = (sum, x, y) => sum + Math.imul(x, y);
/** NaN, which is refused, where a part of the sum is not exact. */
const addExact: Adding = (sum, x, y) => {
  const next = sum + x * y;
  return Number.isSafeInteger(x * y) && Number.isSafeInteger(next) ? next : Number.NaN;
};

/** How sums of products are made of numbers of a type. */
const addingOf = (dtype: Dtype): Adding =>
  dtype === "int64" ? addExact : dtype === "int32" ? addWrapped : addProduct;

/** Sums of a row that are made together: 8 KB. */
const TOGETHER = 1024;

/**
 * The matrix product of the numbers of two inputs, less their zero points. The second one is read along its rows: down
 * its columns products of 300 x 300 numbers took 2.5 times as long.
 */
function multiply(
  { a, b, batch }: Product,
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  { dtype, data: out }: HostTensor,
): void {
  const add = addingOf(dtype);
  const [rows, depth, columns] = [a.at(-2)!, a.at(-1)!, b.at(-1)!];
  const starts = (shape: readonly number[], matrix: number) =>
    broadcastStrides(shape.slice(0, -2), batch).map((stride) => stride * matrix);
  const sums = new Float64Array(Math.min(columns, TOGETHER));
  const aStarts: number[] = [];
  eachOffset(batch, starts(a, rows * depth), 0, (offset) => aStarts.push(offset));
  eachOffset(batch, starts(b, depth * columns), 0, (bStart, index) => {
    const aStart = aStarts[index]!;
    for (let row = 0; row < rows; row++) {
      for (let first = 0; first < columns; first += TOGETHER) {
        const count = Math.min(TOGETHER, columns - first);
        sums.fill(0);
        for (let k = 0; k < depth; k++) {
          const x = left[aStart + row * depth + k]!;
          const from = bStart + k * columns + first;
          // Of floats without a call, which takes as long as the product.
          if (add === addProduct) for (let at = 0; at < count; at++) sums[at]! += x * right[from + at]!;
          else for (let at = 0; at < count; at++) sums[at] = add(sums[at]!, x, right[from + at]!);
        }
        const to = (index * rows + row) * columns + first;
        for (let at = 0; at < count; at++) out[to + at] = sums[at]!;
      }
    }
  });
}

/** Products of rows and columns, and what the copies of an integer product's inputs take. */
function productWork(call: Call, [output]: readonly Type[]): number {
  const depth = call.input(0).shape.at(-1)!;
  return 4 * depth * elementsIn(output!.shape) + elementsIn(call.input(1).shape);
}

export const MatMul: FillingOperator = {
  name: "MatMul",
  attributes: {},
  shape: (call) => {
    const { dtype, shape } = call.expect(0, NUMBERS);
    return [{ dtype, shape: product(call, shape, call.expect(1, [dtype]).shape).shape }];
  },
  work: productWork,
  run: (call, [output]) => {
    const [a, b] = [call.data(0), call.data(1)];
    multiply(product(call, a.shape, b.shape), a.data, b.data, output!);
  },
};

/** The numbers of an input of eight bits less their zero point: one, or one for each row or column. */
export function centred(call: Call, at: number, zeroAt: number, axis: number): Float64Array {
  const { data, shape } = call.data(at);
  const result = Float64Array.from(data);
  if (!call.has(zeroAt)) return result;
  const zero = call.data(zeroAt);
  if (zero.data.length === 1) return result.map((x) => x - zero.data[0]!);
  const strides = stridesOf(shape);
  const along = axis < 0 ? axis + shape.length : axis;
  if (zero.data.length !== shape[along]) {
    // One for each matrix of a batch and each row or column of it.
    const whole = broadcast(zero.shape, shape);
    if (whole?.join() !== shape.join()) throw call.broken(`input ${zeroAt} does not fit input ${at}`);
    eachOffset(shape, broadcastStrides(zero.shape, shape), 0, (from, index) => {
      result[index]! -= zero.data[from]!;
    });
    return result;
  }
  return result.map((x, index) => x - zero.data[Math.floor(index / strides[along]!) % shape[along]!]!);
}

const BYTES: readonly Dtype[] = ["int8", "uint8"];

export const MatMulInteger: FillingOperator = {
  name: "MatMulInteger",
  attributes: {},
  shape: (call): readonly Type[] => {
    const { shape } = product(call, call.expect(0, BYTES).shape, call.expect(1, BYTES).shape);
    return [{ dtype: "int32", shape }];
  },
  work: productWork,
  run: (call, [output]) => {
    const shapes = product(call, call.input(0).shape, call.input(1).shape);
    multiply(shapes, centred(call, 0, 2, -2), centred(call, 1, 3, -1), output!);
  },
};

/** Rows, depth and columns of a Gemm. */
function gemmSizes(call: Call, a: Operand, b: Operand): { rows: number; depth: number; columns: number } {
  if (a.shape.length !== 2 || b.shape.length !== 2) throw call.broken("inputs that are no matrices");
  const [rows, depth] = call.flag("transA", false)
    ? [a.shape[1]!, a.shape[0]!]
    : (a.shape as [number, number]);
  const [other, columns] = call.flag("transB", false)
    ? [b.shape[1]!, b.shape[0]!]
    : (b.shape as [number, number]);
  if (depth !== other) throw call.broken(`a product over ${depth} and ${other} numbers`);
  return { rows, depth, columns };
}

export const Gemm: FillingOperator = {
  name: "Gemm",
  attributes: { alpha: "float", beta: "float", transA: "int", transB: "int", broadcast: "int" },
  shape: (call) => {
    const a = call.expect(0, NUMBERS);
    const { rows, columns } = gemmSizes(call, a, call.expect(1, [a.dtype]));
    if (call.has(2)) {
      const { shape } = call.expect(2, [a.dtype]);
      if (broadcast(shape, [rows, columns])?.join() !== `${rows},${columns}`) {
        throw call.broken(`input 2 of shape [${shape.join(", ")}] does not fit [${rows}, ${columns}]`);
      }
    }
    return [{ dtype: a.dtype, shape: [rows, columns] }];
  },
  work: (call) => {
    const { rows, depth, columns } = gemmSizes(call, call.input(0), call.input(1));
    return 4 * rows * depth * columns;
  },
  run: (call, [output]) => {
    const [a, b] = [call.data(0), call.data(1)];
    const { rows, depth, columns } = gemmSizes(call, a, b);
    const [aRow, aStep] = call.flag("transA", false) ? [1, rows] : [depth, 1];
    const [bStep, bColumn] = call.flag("transB", false) ? [1, depth] : [columns, 1];
    const alpha = call.float("alpha", 1);
    const beta = call.float("beta", 1);
    const sums = new Float64Array(rows * columns);
    const add = addingOf(output!.dtype);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let k = 0; k < depth; k++) {
          sum = add(sum, a.data[row * aRow + k * aStep]!, b.data[column * bColumn + k * bStep]!);
        }
        sums[row * columns + column] = alpha * sum;
      }
    }
    if (call.has(2)) {
      const left = { ...output!, data: sums };
      zip(left, call.data(2), left, (sum, c) => sum + beta * c);
    }
    output!.data.set(isFloat(output!.dtype) ? sums : sums.map(Math.trunc));
  },
};

/** Letters of an Einsum's inputs and output. */
interface Equation {
  readonly terms: readonly [string, string];
  readonly result: string;
}

/** Einsum of two operands: each letter once in an operand, no ellipsis. */
export function equationOf(call: Call): Equation {
  const text = call.text("equation", "").replaceAll(" ", "");
  const match = /^([A-Za-z]*),([A-Za-z]*)(?:->([A-Za-z]*))?$/.exec(text);
  const isPlain = (term: string) => new Set(term).size === term.length;
  const terms = match?.slice(1, 3) as [string, string] | undefined;
  if (terms === undefined || call.inputs.length !== 2 || !terms.every(isPlain)) {
    throw call.refused(
      `attribute equation: ${text} is not supported; two operands with different letters are`,
    );
  }
  const both = Array.from(new Set(terms.join(""))).sort();
  const once = both.filter((letter) => !terms.every((term) => term.includes(letter)));
  const result = match![3] ?? once.join("");
  if (!isPlain(result) || Array.from(result).some((letter) => !both.includes(letter))) {
    throw call.broken(`attribute equation: ${text} has no such output`);
  }
  return { terms, result };
}

/** The size of every letter. */
function letterSizes(call: Call, { terms }: Equation): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [at, term] of terms.entries()) {
    const { shape } = call.input(at);
    if (shape.length !== term.length) throw call.broken(`input ${at} of ${shape.length} axes for ${term}`);
    for (const [axis, letter] of Array.from(term).entries()) {
      const known = sizes.get(letter);
      if (known !== undefined && known !== shape[axis]) throw call.broken(`two sizes for ${letter}`);
      sizes.set(letter, shape[axis]!);
    }
  }
  return sizes;
}

export const Einsum: FillingOperator = {
  name: "Einsum",
  attributes: { equation: "string" },
  shape: (call) => {
    const equation = equationOf(call);
    const { dtype } = call.expect(0, NUMBERS);
    call.expect(1, [dtype]);
    const sizes = letterSizes(call, equation);
    return [{ dtype, shape: Array.from(equation.result, (letter) => sizes.get(letter)!) }];
  },
  // A list has the place of each number that is summed, and it is no longer than the products are many.
  work: (call) => 64 * elementsIn(Array.from(letterSizes(call, equationOf(call)).values())),
  run: (call, [output]) => {
    const equation = equationOf(call);
    const sizes = letterSizes(call, equation);
    const summed = Array.from(sizes.keys()).filter((letter) => !equation.result.includes(letter));
    const letters = [...equation.result, ...summed];
    const shape = letters.map((letter) => sizes.get(letter)!);
    const [a, b] = [call.data(0), call.data(1)];
    const stridesIn = (at: 0 | 1) => {
      const strides = stridesOf(call.input(at).shape);
      return letters.map((letter) => strides[equation.terms[at].indexOf(letter)] ?? 0);
    };
    const width = elementsIn(summed.map((letter) => sizes.get(letter)!));
    const outer = shape.slice(0, equation.result.length);
    const inner = shape.slice(equation.result.length);
    const [aStrides, bStrides] = [stridesIn(0), stridesIn(1)];
    const offsets = (strides: readonly number[], part: readonly number[]) => {
      const list = new Float64Array(elementsIn(part));
      eachOffset(part, strides, 0, (offset, index) => {
        list[index] = offset;
      });
      return list;
    };
    const [aInner, bInner] = [aStrides, bStrides].map((all) => offsets(all.slice(outer.length), inner)) as [
      Float64Array,
      Float64Array,
    ];
    const aOuter = offsets(aStrides.slice(0, outer.length), outer);
    const add = addingOf(output!.dtype);
    eachOffset(outer, bStrides.slice(0, outer.length), 0, (bStart, index) => {
      let sum = 0;
      for (let k = 0; k < width; k++) {
        sum = add(sum, a.data[aOuter[index]! + aInner[k]!]!, b.data[bStart + bInner[k]!]!);
      }
      output!.data[index] = sum;
    });
  },
};
