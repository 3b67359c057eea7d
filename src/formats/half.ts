/** 16-bit floats to float32. The conversion is exact: float32 has every value of both 16-bit types. */

/**
 * Up to 16 numbers are made here, and copied. A buffer of their own takes a microsecond, and a file may have 65,000
 * tensors of one number.
 */
const FEW = 16;
const FEW_FLOATS = new Float32Array(FEW);
const FEW_BITS = new Uint32Array(FEW_FLOATS.buffer);

/** From the bits of IEEE binary16: sign, 5 bits of exponent, 10 of fraction. */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const isFew = halves.length <= FEW;
  const result = isFew ? FEW_FLOATS : new Float32Array(halves.length);
  const bits = isFew ? FEW_BITS : new Uint32Array(result.buffer);
  for (let at = 0; at < halves.length; at++) {
    const half = halves[at]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      // Zero or subnormal: fraction * 2^-24 is exact in float32.
      result[at] = fraction * 2 ** -24;
      bits[at]! |= sign;
    } else {
      // The exponent's bias changes from 15 to 127. All ones (infinity, NaN) stay all ones.
      bits[at] = sign | ((exponent === 0x1f ? 0xff : exponent + 112) << 23) | (fraction << 13);
    }
  }
  return isFew ? result.slice(0, halves.length) : result;
}

/** From the bits of bfloat16, which are the upper half of a float32. */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const isFew = halves.length <= FEW;
  const bits = isFew ? FEW_BITS : new Uint32Array(halves.length);
  for (let at = 0; at < halves.length; at++) bits[at] = halves[at]! << 16;
  return isFew ? FEW_FLOATS.slice(0, halves.length) : new Float32Array(bits.buffer);
}
