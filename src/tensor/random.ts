/**
 * Random numbers for initial weights and `Tensor.randn`. Only additions, multiplications and shifts of integers and
 * one square root of a float32 pass through, so a seed gives the same numbers on every engine.
 */

/** Uniform numbers in [0, 1) with 24 bits each, the precision of a float32. Without a seed, Math.random's. */
export function uniform(seed?: number): () => number {
  if (seed === undefined) return Math.random;
  // splitmix32: a counter stepped by the golden ratio, mixed twice (constants of the MurmurHash3 family of finalizers).
  let counter = (seed ^ Math.floor(seed / 2 ** 32)) | 0;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let bits = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 8) / 2 ** 24;
  };
}

/**
 * Standard normal numbers: the sum of twelve uniform ones less six would have short tails, and Math.log and Math.cos
 * differ between engines in the last bit, so the ratio-of-uniforms test is used with the exact bound of its quick
 * accept and reject steps (Leva 1992), which leaves a logarithm to about one draw in a hundred, only to compare.
 */
export function normal(seed?: number): () => number {
  const next = uniform(seed);
  return () => {
    for (;;) {
      const u = 1 - next();
      const v = 1.7156 * (next() - 0.5);
      const x = u - 0.449871;
      const y = Math.abs(v) + 0.386595;
      const q = x * x + y * (0.196 * y - 0.25472 * x);
      if (q < 0.27597 || (q <= 0.27846 && v * v <= -4 * u * u * Math.log(u))) return v / u;
    }
  };
}
