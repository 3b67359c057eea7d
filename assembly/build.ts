/**
 * Only this file and matmul/dot.ts ask which build it is. `relaxed-simd` rounds a multiply-add once where the CPU
 * can: 54 against 40 GFLOP/s on one Sapphire Rapids core. `simd` rounds product and sum, the same on every CPU.
 */

/** Whether madd rounds once. matmul/f32.ts chooses its tiles by it. */
export const FUSED: bool = ASC_FEATURE_RELAXED_SIMD;

/** a * b + c on four lanes. */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** c - a * b on four lanes. */
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}
