/**
 * The product of two matrices that are both known only at run time: alpha A B + beta C. No matrix is packed. Where there
 * are many rows, the host packs B into a panel for ../matmul/, which is faster by then.
 *
 * Every output is one chain of multiply-adds that takes the depth in order, whichever tile computes it. Nothing needs
 * more alignment than a number, and nothing past the last number is read or written.
 */

import { madd } from "../build";
import { assertNumbers } from "../debug";
import { Product } from "./records";

/** `c` is 0 where nothing is added. */
export function multiply(product: usize, a: usize, b: usize, c: usize, output: usize): void {
  const fields = changetype<Product>(product);
  const columns = fields.columns;
  assertNumbers(output, fields.rows > 0 ? (fields.rows - 1) * <i32>(fields.outputRow >> 2) + columns : 0);
  for (let left = fields.rows; left > 0; ) {
    const rows = left >= 4 ? 4 : 1;
    const wide = fields.bStep === 4 ? (rows === 4 ? 8 : 16) : columns + 1;
    let column = 0;
    while (column < columns) {
      const rest = columns - column;
      const offset = (<usize>column) << 2;
      const from = b + <usize>column * fields.bStep;
      const added = c ? c + <usize>column * fields.cStep : 0;
      if (rest >= wide) {
        if (rows === 4) fourRowsWide(product, a, from, added, output + offset);
        else oneRowWide(product, a, from, added, output + offset);
        column += wide;
        continue;
      }
      const lanes = rest >= 4 ? 4 : 1;
      if (rows === 4) fourRows(product, lanes, a, from, added, output + offset);
      else oneRow(product, lanes, a, from, added, output + offset);
      column += lanes;
    }
    left -= rows;
    a += <usize>rows * fields.aRow;
    if (c) c += <usize>rows * fields.cRow;
    output += <usize>rows * fields.outputRow;
  }
}

/** Four numbers, `step` bytes apart. */
function columns4(from: usize, step: usize): v128 {
  if (step === 4) return v128.load(from);
  const first = v128.load32_splat(from);
  if (step === 0) return first;
  const two = v128.load_lane<f32>(from + step, first, 1);
  return v128.load_lane<f32>(from + 3 * step, v128.load_lane<f32>(from + 2 * step, two, 2), 3);
}

/** A sum to where it belongs, four lanes of it or one. */
function put(product: usize, lanes: i32, sum: v128, c: usize, output: usize): void {
  const fields = changetype<Product>(product);
  sum = f32x4.mul(f32x4.splat(fields.alpha), sum);
  if (c) {
    const added = columns4(c, lanes === 4 ? fields.cStep : 0);
    sum = f32x4.add(sum, f32x4.mul(f32x4.splat(fields.beta), added));
  }
  if (lanes === 4) v128.store(output, sum);
  else v128.store_lane<f32>(output, sum, 0);
}

function fourRowsWide(product: usize, a: usize, b: usize, c: usize, output: usize): void {
  const fields = changetype<Product>(product);
  const aStep = fields.aStep;
  const bRow = fields.bRow;
  const aRow = fields.aRow;
  let a1 = a + aRow;
  let a2 = a1 + aRow;
  let a3 = a2 + aRow;
  let r0v0 = f32x4.splat(0);
  let r0v1 = f32x4.splat(0);
  let r1v0 = f32x4.splat(0);
  let r1v1 = f32x4.splat(0);
  let r2v0 = f32x4.splat(0);
  let r2v1 = f32x4.splat(0);
  let r3v0 = f32x4.splat(0);
  let r3v1 = f32x4.splat(0);
  for (let depth = fields.depth; depth > 0; depth--) {
    const w0 = v128.load(b);
    const w1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    r0v0 = madd(x, w0, r0v0);
    r0v1 = madd(x, w1, r0v1);
    x = v128.load32_splat(a1);
    r1v0 = madd(x, w0, r1v0);
    r1v1 = madd(x, w1, r1v1);
    x = v128.load32_splat(a2);
    r2v0 = madd(x, w0, r2v0);
    r2v1 = madd(x, w1, r2v1);
    x = v128.load32_splat(a3);
    r3v0 = madd(x, w0, r3v0);
    r3v1 = madd(x, w1, r3v1);
    a += aStep;
    a1 += aStep;
    a2 += aStep;
    a3 += aStep;
    b += bRow;
  }
  putTwo(product, r0v0, r0v1, c, output, 0);
  putTwo(product, r1v0, r1v1, c, output, 1);
  putTwo(product, r2v0, r2v1, c, output, 2);
  putTwo(product, r3v0, r3v1, c, output, 3);
}

function putTwo(product: usize, left: v128, right: v128, c: usize, output: usize, row: usize): void {
  const fields = changetype<Product>(product);
  output += row * fields.outputRow;
  if (c) c += row * fields.cRow;
  put(product, 4, left, c, output);
  put(product, 4, right, c ? c + 4 * fields.cStep : 0, output + 16);
}

function oneRowWide(product: usize, a: usize, b: usize, c: usize, output: usize): void {
  const fields = changetype<Product>(product);
  const aStep = fields.aStep;
  const bRow = fields.bRow;
  let v0 = f32x4.splat(0);
  let v1 = f32x4.splat(0);
  let v2 = f32x4.splat(0);
  let v3 = f32x4.splat(0);
  for (let depth = fields.depth; depth > 0; depth--) {
    const x = v128.load32_splat(a);
    v0 = madd(x, v128.load(b), v0);
    v1 = madd(x, v128.load(b, 16), v1);
    v2 = madd(x, v128.load(b, 32), v2);
    v3 = madd(x, v128.load(b, 48), v3);
    a += aStep;
    b += bRow;
  }
  putTwo(product, v0, v1, c, output, 0);
  putTwo(product, v2, v3, c ? c + 8 * fields.cStep : 0, output + 32, 0);
}

/** Four columns of four rows, or one: B may have any step. */
function fourRows(product: usize, lanes: i32, a: usize, b: usize, c: usize, output: usize): void {
  const fields = changetype<Product>(product);
  const aStep = fields.aStep;
  const aRow = fields.aRow;
  const bRow = fields.bRow;
  const bStep = lanes === 4 ? fields.bStep : 0;
  let r0 = f32x4.splat(0);
  let r1 = f32x4.splat(0);
  let r2 = f32x4.splat(0);
  let r3 = f32x4.splat(0);
  for (let depth = fields.depth; depth > 0; depth--) {
    const w = columns4(b, bStep);
    r0 = madd(v128.load32_splat(a), w, r0);
    r1 = madd(v128.load32_splat(a + aRow), w, r1);
    r2 = madd(v128.load32_splat(a + 2 * aRow), w, r2);
    r3 = madd(v128.load32_splat(a + 3 * aRow), w, r3);
    a += aStep;
    b += bRow;
  }
  const cRow = c ? fields.cRow : 0;
  const outputRow = fields.outputRow;
  put(product, lanes, r0, c, output);
  put(product, lanes, r1, c + cRow, output + outputRow);
  put(product, lanes, r2, c + 2 * cRow, output + 2 * outputRow);
  put(product, lanes, r3, c + 3 * cRow, output + 3 * outputRow);
}

function oneRow(product: usize, lanes: i32, a: usize, b: usize, c: usize, output: usize): void {
  const fields = changetype<Product>(product);
  const aStep = fields.aStep;
  const bRow = fields.bRow;
  const bStep = lanes === 4 ? fields.bStep : 0;
  let sum = f32x4.splat(0);
  for (let depth = fields.depth; depth > 0; depth--) {
    sum = madd(v128.load32_splat(a), columns4(b, bStep), sum);
    a += aStep;
    b += bRow;
  }
  put(product, lanes, sum, c, output);
}
