/** Max pooling over time, four sequences to a vector: data [length, row] holds their elements one `row` apart. */

import { assertRows } from "./debug";

/**
 * In place: position p of a stride of at least 1 reads no row before row p, where its result goes. NaN stays, as in
 * PyTorch. Padding is the caller's, as rows of -Inf. `row` is the bytes from one element of a sequence to the next.
 */
export function maxPool1d(
  data: usize,
  row: usize,
  positions: i32,
  kernelSize: i32,
  stride: i32,
  dilation: i32,
): void {
  assertRows(data, (positions - 1) * stride + (kernelSize - 1) * dilation + 1, row);
  const step = <usize>stride * row;
  const tap = <usize>dilation * row;
  let source = data;
  for (; positions > 0; positions--) {
    for (let lane: usize = 0; lane < row; lane += 16) {
      let from = source + lane;
      let largest = v128.load(from);
      for (let taps = kernelSize - 1; taps > 0; taps--) {
        from += tap;
        largest = f32x4.max(largest, v128.load(from));
      }
      v128.store(data + lane, largest);
    }
    data += row;
    source += step;
  }
}
