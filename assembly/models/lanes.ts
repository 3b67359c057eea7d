/**
 * Vectors of which only some lanes are there: the last ones of a row, past which nothing is read or written. index.ts
 * exports the long ones though no host calls them: an export is not copied into its many callers.
 */

/** The first `count` numbers at an address, at most four; other lanes are 0. */
export function loadPart(at: usize, count: i32): v128 {
  let x = i32x4.splat(0);
  for (at += (<usize>count) << 2; count > 0; count--) {
    at -= 4;
    x = v128.load32_lane(at, v128.shuffle<u32>(x, x, 0, 0, 1, 2), 0);
  }
  return x;
}

/** Stores the first `count` lanes of a vector, at most four. */
export function storePart(at: usize, x: v128, count: i32): void {
  for (; count > 0; count--) {
    v128.store32_lane(at, x, 0);
    x = v128.shuffle<u32>(x, x, 1, 2, 3, 3);
    at += 4;
  }
}

/** The first `count` bytes at an address, at most four, as the lowest of a vector. */
export function loadBytes(at: usize, count: i32): v128 {
  if (count >= 4) return v128.load32_zero(at);
  let bytes: i32 = 0;
  for (at += <usize>count; count > 0; count--) bytes = (bytes << 8) | <i32>load<u8>(--at);
  return i32x4.splat(bytes);
}

/** Stores 1 for each of the first `count` lanes that are set, and 0 for others, as bytes. */
export function storeMask(at: usize, mask: v128, count: i32): void {
  const halves = i16x8.narrow_i32x4_s(mask, mask);
  let bytes = i32x4.extract_lane(i8x16.narrow_i16x8_s(halves, halves), 0) & 0x01010101;
  if (count >= 4) {
    store<i32>(at, bytes);
    return;
  }
  for (; count > 0; count--) {
    store<u8>(at++, bytes);
    bytes >>= 8;
  }
}
