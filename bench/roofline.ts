/**
 * What the machine gives to 128-bit wasm: the rate of multiply-adds and the rate of reading. Compiled twice by asc
 * (run.js), as the library is: `relaxed-simd` with one rounding, the baseline with a product and a sum.
 */

function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/*
 * Multiply-adds as a product needs them, x += a w: a tile of rows x 2 vectors, its operands in L1. How many chains are
 * best depends on the build: few wait for the latency of an addition, many spill registers where a product needs one.
 */

/** 4 rows x 2 vectors. */
export function tile4(turns: i32, data: usize): f32 {
  let x0 = f32x4.splat(0);
  let x1 = f32x4.splat(0);
  let x2 = f32x4.splat(0);
  let x3 = f32x4.splat(0);
  let x4 = f32x4.splat(0);
  let x5 = f32x4.splat(0);
  let x6 = f32x4.splat(0);
  let x7 = f32x4.splat(0);
  for (; turns > 0; turns--) {
    const w0 = v128.load(data);
    const w1 = v128.load(data, 16);
    let a = v128.load32_splat(data, 32);
    x0 = madd(a, w0, x0);
    x1 = madd(a, w1, x1);
    a = v128.load32_splat(data, 36);
    x2 = madd(a, w0, x2);
    x3 = madd(a, w1, x3);
    a = v128.load32_splat(data, 40);
    x4 = madd(a, w0, x4);
    x5 = madd(a, w1, x5);
    a = v128.load32_splat(data, 44);
    x6 = madd(a, w0, x6);
    x7 = madd(a, w1, x7);
  }
  x0 = f32x4.add(x0, x1);
  x0 = f32x4.add(x0, x2);
  x0 = f32x4.add(x0, x3);
  x0 = f32x4.add(x0, x4);
  x0 = f32x4.add(x0, x5);
  x0 = f32x4.add(x0, x6);
  x0 = f32x4.add(x0, x7);
  return f32x4.extract_lane(x0, 0);
}

/** 5 rows x 2 vectors. */
export function tile5(turns: i32, data: usize): f32 {
  let x0 = f32x4.splat(0);
  let x1 = f32x4.splat(0);
  let x2 = f32x4.splat(0);
  let x3 = f32x4.splat(0);
  let x4 = f32x4.splat(0);
  let x5 = f32x4.splat(0);
  let x6 = f32x4.splat(0);
  let x7 = f32x4.splat(0);
  let x8 = f32x4.splat(0);
  let x9 = f32x4.splat(0);
  for (; turns > 0; turns--) {
    const w0 = v128.load(data);
    const w1 = v128.load(data, 16);
    let a = v128.load32_splat(data, 32);
    x0 = madd(a, w0, x0);
    x1 = madd(a, w1, x1);
    a = v128.load32_splat(data, 36);
    x2 = madd(a, w0, x2);
    x3 = madd(a, w1, x3);
    a = v128.load32_splat(data, 40);
    x4 = madd(a, w0, x4);
    x5 = madd(a, w1, x5);
    a = v128.load32_splat(data, 44);
    x6 = madd(a, w0, x6);
    x7 = madd(a, w1, x7);
    a = v128.load32_splat(data, 48);
    x8 = madd(a, w0, x8);
    x9 = madd(a, w1, x9);
  }
  x0 = f32x4.add(x0, x1);
  x0 = f32x4.add(x0, x2);
  x0 = f32x4.add(x0, x3);
  x0 = f32x4.add(x0, x4);
  x0 = f32x4.add(x0, x5);
  x0 = f32x4.add(x0, x6);
  x0 = f32x4.add(x0, x7);
  x0 = f32x4.add(x0, x8);
  x0 = f32x4.add(x0, x9);
  return f32x4.extract_lane(x0, 0);
}

/** 6 rows x 2 vectors. */
export function tile6(turns: i32, data: usize): f32 {
  let x0 = f32x4.splat(0);
  let x1 = f32x4.splat(0);
  let x2 = f32x4.splat(0);
  let x3 = f32x4.splat(0);
  let x4 = f32x4.splat(0);
  let x5 = f32x4.splat(0);
  let x6 = f32x4.splat(0);
  let x7 = f32x4.splat(0);
  let x8 = f32x4.splat(0);
  let x9 = f32x4.splat(0);
  let x10 = f32x4.splat(0);
  let x11 = f32x4.splat(0);
  for (; turns > 0; turns--) {
    const w0 = v128.load(data);
    const w1 = v128.load(data, 16);
    let a = v128.load32_splat(data, 32);
    x0 = madd(a, w0, x0);
    x1 = madd(a, w1, x1);
    a = v128.load32_splat(data, 36);
    x2 = madd(a, w0, x2);
    x3 = madd(a, w1, x3);
    a = v128.load32_splat(data, 40);
    x4 = madd(a, w0, x4);
    x5 = madd(a, w1, x5);
    a = v128.load32_splat(data, 44);
    x6 = madd(a, w0, x6);
    x7 = madd(a, w1, x7);
    a = v128.load32_splat(data, 48);
    x8 = madd(a, w0, x8);
    x9 = madd(a, w1, x9);
    a = v128.load32_splat(data, 52);
    x10 = madd(a, w0, x10);
    x11 = madd(a, w1, x11);
  }
  x0 = f32x4.add(x0, x1);
  x0 = f32x4.add(x0, x2);
  x0 = f32x4.add(x0, x3);
  x0 = f32x4.add(x0, x4);
  x0 = f32x4.add(x0, x5);
  x0 = f32x4.add(x0, x6);
  x0 = f32x4.add(x0, x7);
  x0 = f32x4.add(x0, x8);
  x0 = f32x4.add(x0, x9);
  x0 = f32x4.add(x0, x10);
  x0 = f32x4.add(x0, x11);
  return f32x4.extract_lane(x0, 0);
}

/** Reads `bytes` (a multiple of 128) from the start to the end, `turns` times; every number is used once. */
export function read(data: usize, bytes: usize, turns: i32): i32 {
  let x0 = i32x4.splat(0);
  let x1 = i32x4.splat(0);
  let x2 = i32x4.splat(0);
  let x3 = i32x4.splat(0);
  for (; turns > 0; turns--) {
    for (let at = data, end = data + bytes; at < end; at += 128) {
      x0 = v128.xor(x0, v128.load(at));
      x1 = v128.xor(x1, v128.load(at, 16));
      x2 = v128.xor(x2, v128.load(at, 32));
      x3 = v128.xor(x3, v128.load(at, 48));
      x0 = v128.xor(x0, v128.load(at, 64));
      x1 = v128.xor(x1, v128.load(at, 80));
      x2 = v128.xor(x2, v128.load(at, 96));
      x3 = v128.xor(x3, v128.load(at, 112));
    }
  }
  return i32x4.extract_lane(v128.xor(v128.xor(x0, x1), v128.xor(x2, x3)), 0);
}

/** `bytes` of memory filled with different numbers: untouched pages would all be one page of zeros. */
export function filled(bytes: usize): usize {
  const data = heap.alloc(bytes);
  for (let at: usize = 0; at < bytes; at += 4) store<u32>(data + at, <u32>at * 2654435761);
  return data;
}
