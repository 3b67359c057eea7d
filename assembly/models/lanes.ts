/** Vectors of which only some lanes are there: the last ones of a row, past which nothing is read or written. */

/** The first `count` numbers at an address, at most four; other lanes are 0. */
export function loadPart(at: usize, count: i32): v128 {
  if (count >= 4) return v128.load(at);
  if (count <= 1) return count === 1 ? v128.load32_zero(at) : i32x4.splat(0);
  const low = v128.load64_zero(at);
  return count === 3 ? v128.load32_lane(at + 8, low, 2) : low;
}

/** Stores the first `count` lanes of a vector, at most four. */
export function storePart(at: usize, x: v128, count: i32): void {
  if (count >= 4) {
    v128.store(at, x);
    return;
  }
  if (count >= 2) {
    v128.store64_lane(at, x, 0);
    if (count === 3) v128.store32_lane(at + 8, x, 2);
  } else if (count === 1) v128.store32_lane(at, x, 0);
}
