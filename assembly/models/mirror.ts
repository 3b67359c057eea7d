/**
 * What mirrored filters see. One that is the same from both ends multiplies the sum of two numbers, one that changes its
 * sign their difference: half the products. The filters of a Fourier transform are of both kinds.
 */

import { assertNumbers } from "../debug";

/**
 * Tap n with tap `taps` - n, of `columns` outputs: [sums, differences] of [taps / 2 + 1, columns]. Tap 0 and the one in the
 * middle stand alone in both. `taps` is even, and there are four columns or more.
 * @param offsets i32 [taps]: bytes from an output's place in the planes (planes.ts) to what each tap reads
 */
export function mirror(planes: usize, offsets: usize, taps: i32, columns: i32, output: usize): void {
  const half = taps >> 1;
  const row = (<usize>columns) << 2;
  const differences = <usize>(half + 1) * row;
  assertNumbers(output, 2 * (half + 1) * columns);
  for (let tap = 0; tap <= half; tap++) {
    const near = planes + <usize>load<u32>(offsets + ((<usize>tap) << 2));
    const isPair = tap > 0 && tap < half;
    const far = isPair ? planes + <usize>load<u32>(offsets + ((<usize>(taps - tap)) << 2)) : near;
    const mask = i32x4.splat(isPair ? -1 : 0);
    for (let at: usize = 0; at < row; at += 16) {
      // The last four end where the row does.
      const place = min(at, row - 16);
      const x = v128.load(near + place);
      const y = v128.and(v128.load(far + place), mask);
      v128.store(output + place, f32x4.add(x, y));
      v128.store(output + differences + place, f32x4.sub(x, y));
    }
    output += row;
  }
}
