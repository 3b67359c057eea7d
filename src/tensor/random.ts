/**
 * Random numbers for initial weights and `Tensor.randn`. A seed gives the same numbers on every engine: they
 * are made by operations that every engine rounds alike.
 */

/**
 * Makes uniform numbers in [0, 1) of 24 bits, the precision of a float32. Without a seed they are
 * Math.random's.
 */
export function uniform(seed?: number): () => number {
  if (seed === undefined) return Math.random;
  // splitmix32: a counter stepped by the golden ratio, mixed twice with constants of the MurmurHash3 family.
  let counter = (seed ^ Math.floor(seed / 2 ** 32)) | 0;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let bits = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 8) / 2 ** 24;
  };
}

/**
 * Makes standard normal numbers by the ratio of uniforms, with the quick steps of Leva (1992) that accept or
 * reject most draws. Math.log and Math.cos differ between engines in the last bit, so no number is made of
 * them. One draw in a hundred takes a logarithm, only to compare with it.
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
