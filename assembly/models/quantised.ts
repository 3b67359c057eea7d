/**
 * Numbers of eight bits: made of float32, and their products. For a product both matrices become rows of i16 less their
 * zero points, filled up with zeros to whole vectors: eight products are one instruction, and sums are exact.
 */

import { CAST_INT8 } from "./cast";
import { storePart } from "./lanes";
import { BytePatches, Dots, Widening } from "./records";
import { lowWord } from "./rows";

/** The bytes that ONNX's DynamicQuantizeLinear makes, with their scale and zero point. */
export function quantise(input: usize, output: usize, scaleAt: usize, zeroAt: usize, count: i32): void {
  let low = f32x4.splat(0);
  let high = f32x4.splat(0);
  const end = input + ((<usize>count) << 2);
  let at = input;
  for (; at + 16 <= end; at += 16) {
    const x = v128.load(at);
    low = f32x4.min(low, x);
    high = f32x4.max(high, x);
  }
  for (; at < end; at += 4) {
    const x = v128.load32_splat(at);
    low = f32x4.min(low, x);
    high = f32x4.max(high, x);
  }
  low = f32x4.min(low, v128.shuffle<u32>(low, low, 2, 3, 0, 1));
  high = f32x4.max(high, v128.shuffle<u32>(high, high, 2, 3, 0, 1));
  const least = min(f32x4.extract_lane(low, 0), f32x4.extract_lane(low, 1));
  const most = max(f32x4.extract_lane(high, 0), f32x4.extract_lane(high, 1));
  const scale = <f32>((<f64>most - <f64>least) / 255);
  store<f32>(scaleAt, scale);
  if (!(scale < Infinity)) {
    // Of a NaN, or of one that is infinite: nothing is left of the others.
    store<u8>(zeroAt, 0);
    memory.fill(output, 0, <usize>count);
    return;
  }
  const step: f32 = scale === 0 ? 1 : scale;
  const zero = lowWord(<f64>nearest(min<f32>(max<f32>(-least / step, 0), 255)));
  store<u8>(zeroAt, zero);
  const steps = f32x4.splat(step);
  const point = i32x4.splat(zero);
  for (at = input; at < end; at += 16) {
    const whole = at + 16 <= end;
    // The last ones by themselves.
    const x = whole ? v128.load(at) : v128.load32_splat(at);
    const y = i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(x, steps))), point);
    const halves = i16x8.narrow_i32x4_s(y, y);
    const bytes = i8x16.narrow_i16x8_u(halves, halves);
    if (whole) {
      v128.store32_lane(output, bytes, 0);
      output += 4;
    } else {
      v128.store8_lane(output++, bytes, 0);
      at -= 12;
    }
  }
}

/** Rows of bytes as rows of i16 less a zero point, or one for each row. */
export function widen(record: usize): void {
  const fields = changetype<Widening>(record);
  const signed = fields.type === CAST_INT8;
  const step = <usize>fields.sourceColumn;
  let source = fields.source;
  let target = fields.target;
  let zeroAt = fields.zero;
  for (let rows = fields.rows; rows > 0; rows--) {
    let zero = 0;
    if (zeroAt) zero = signed ? <i32>load<i8>(zeroAt) : <i32>load<u8>(zeroAt);
    const point = i16x8.splat(<i16>zero);
    let from = source;
    let to = target;
    let left = fields.columns;
    if (step === 1) {
      for (; left >= 8; left -= 8) {
        const x = signed ? v128.load8x8_s(from) : v128.load8x8_u(from);
        v128.store(to, i16x8.sub(x, point));
        from += 8;
        to += 16;
      }
    }
    for (; left > 0; left--) {
      store<i16>(to, (signed ? <i32>load<i8>(from) : <i32>load<u8>(from)) - zero);
      from += step;
      to += 2;
    }
    const end = target + <usize>fields.targetRow;
    for (; to < end; to += 2) store<i16>(to, 0);
    source += <usize>fields.sourceRow;
    target = end;
    zeroAt += <usize>fields.zeroStep;
  }
}

/** Each row of A by each of so many rows of B, as i32; both have whole vectors of i16. */
export function dots(record: usize, a: usize, rowsOfB: usize, target: usize, columns: i32): void {
  const fields = changetype<Dots>(record);
  const width = fields.width;
  for (let rows = fields.rows; rows > 0; rows--) {
    let b = rowsOfB;
    let output = target;
    for (let left = columns; left > 0; left -= 4) {
      // Rows past the last one are the last one again.
      const b1 = b + (left > 1 ? width : 0);
      const b2 = b1 + (left > 2 ? width : 0);
      const b3 = b2 + (left > 3 ? width : 0);
      let s0 = i32x4.splat(0);
      let s1 = i32x4.splat(0);
      let s2 = i32x4.splat(0);
      let s3 = i32x4.splat(0);
      for (let at: usize = 0; at < width; at += 16) {
        const x = v128.load(a + at);
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.load(b + at)));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, v128.load(b1 + at)));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.load(b2 + at)));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, v128.load(b3 + at)));
      }
      const t0 = i32x4.add(v128.shuffle<u32>(s0, s1, 0, 4, 2, 6), v128.shuffle<u32>(s0, s1, 1, 5, 3, 7));
      const t1 = i32x4.add(v128.shuffle<u32>(s2, s3, 0, 4, 2, 6), v128.shuffle<u32>(s2, s3, 1, 5, 3, 7));
      const sums = i32x4.add(v128.shuffle<u32>(t0, t1, 0, 1, 4, 5), v128.shuffle<u32>(t0, t1, 2, 3, 6, 7));
      if (left >= 4) v128.store(output, sums);
      else storePart(output, sums, left);
      output += (<usize>min(left, 4)) << 2;
      b = b3 + width;
    }
    a += width;
    target += fields.outputRow;
  }
}

/** What a window takes at some of its positions; zeros where it is past the input. */
export function bytePatches(record: usize, source: usize, from: i32, count: i32): void {
  const fields = changetype<BytePatches>(record);
  const signed = fields.type === CAST_INT8;
  const rows = fields.rows;
  const columns = fields.columns;
  let zero = 0;
  if (fields.zero) zero = signed ? <i32>load<i8>(fields.zero) : <i32>load<u8>(fields.zero);
  let target = fields.target;
  for (let position = from; position < from + count; position++) {
    const top = (position / fields.outputColumns) * fields.rowStride - fields.top;
    const left = (position % fields.outputColumns) * fields.columnStride - fields.left;
    let to = target;
    let plane = source;
    for (let channel = fields.channels; channel > 0; channel--) {
      let row = top;
      for (let i = fields.kernelRows; i > 0; i--) {
        const begin = plane + <usize>(row * columns);
        let column = left;
        for (let j = fields.kernelColumns; j > 0; j--) {
          let x = 0;
          if (<u32>row < <u32>rows && <u32>column < <u32>columns) {
            const at = begin + <usize>column;
            x = (signed ? <i32>load<i8>(at) : <i32>load<u8>(at)) - zero;
          }
          store<i16>(to, x);
          to += 2;
          column += fields.columnDilation;
        }
        row += fields.rowDilation;
      }
      plane += <usize>(rows * columns);
    }
    target += <usize>fields.targetRow;
    for (; to < target; to += 2) store<i16>(to, 0);
  }
}
