/** Numbers rounded to those of narrower types. */

import type { Dtype } from "./ir.js";

/** To the nearest integer, halves to the even one. */
export function roundEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** A number of binary16: 11 bits down to 2^-24, infinite from 65520 on. */
export function roundToHalf(x: number): number {
  const size = Math.abs(x);
  if (!(size < 65520)) return Number.isNaN(x) ? x : Math.sign(x) * Infinity;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const unit = 2 ** (exponent - 10);
  return roundEven(x / unit) * unit;
}

const BITS = new Uint32Array(1);
const FLOAT = new Float32Array(BITS.buffer);

/** A number of bfloat16, the upper half of a float32. */
export function roundToBfloat(x: number): number {
  if (Number.isNaN(x)) return x;
  FLOAT[0] = x;
  const bits = BITS[0]!;
  BITS[0] = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
  return FLOAT[0]!;
}

/** How a type of 16 bits rounds; undefined for one that arrays round. */
export function roundingOf(dtype: Dtype): ((x: number) => number) | undefined {
  return dtype === "float16" ? roundToHalf : dtype === "bfloat16" ? roundToBfloat : undefined;
}
