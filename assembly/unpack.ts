/**
 * The binaries of a bundle, out of the text that src/build/pack.js has made of them: a program by itself, which runs once
 * before the others. In JavaScript it would take more than ten times as long, since none of it is compiled yet.
 *
 * The text is one number of six bits a character. Where it lies in a range tells the first bit, which takes its part of
 * the range, and so the next. A bit's part is the chance that its context has had so far. The bits are literal bytes,
 * and matches: so many bytes again from so far before.
 */

/** Where the text begins; chances of two bytes lie below. */
const TEXT: usize = 12_288;
/** Where the bytes begin that come of it. */
const BYTES: usize = 28_672;

/** Contexts of numbers and of literals; those below tell the kind of a step. */
const DISTANCE: u32 = 1024;
const LENGTH: u32 = 2048;
const AGAIN: u32 = 3072;
const LITERALS: u32 = 4096;
/** Contexts of whether a match has the distance of the one before. */
const AFTER: u32 = 4;

/** A range below has room for one more character. */
const LEAST_RANGE: u32 = 1 << 24;

let read = TEXT;
let code: u32 = 0;
let range: u32 = 1;

/**
 * Bits until they are at least `end`, a power of two, with a 1 before them. A bit has the context of those before it, of
 * the last ones in `mask`. They are one loop, since a call for each bit costs half as much again.
 */
function bits(context: u32, end: u32, mask: u32): u32 {
  let node: u32 = 1;
  let now = code;
  let left = range;
  do {
    while (left < LEAST_RANGE) {
      const character = <u32>load<u8>(read++);
      // A backslash, 92, would have to be escaped.
      now = (now << 6) + character - 61 - u32(character > 92);
      left <<= 6;
    }
    const place = (<usize>context + (node & mask)) << 1;
    let chance = <i32>load<i16>(place);
    const bound = (left >>> 12) * <u32>((chance >> 4) + 2048);
    chance -= chance >> 5;
    node <<= 1;
    if (now < bound) {
      left = bound;
      node++;
      chance += 1023;
    } else {
      now -= bound;
      left -= bound;
      chance -= 1024;
    }
    store<u16>(place, chance);
  } while (node < end);
  code = now;
  range = left;
  return node;
}

/** How many bits follow the first, in four; then these. */
function number(context: u32): u32 {
  const count = bits(context, 16, 63) - 16;
  return count ? bits(context + (count << 6), 1 << count, 63) : 1;
}

/** The address of so many bytes of the text that lies at 12288. */
export function unpack(count: usize): usize {
  const end = BYTES + count;
  let at = BYTES;
  let kind: u32 = 0;
  let distance: usize = 0;
  while (at < end) {
    if (bits(kind, 2, 63) & 1) {
      const again = bits(AFTER + (kind >> 1), 2, 63) & 1;
      kind = 2 + again;
      if (!again) distance = number(DISTANCE);
      const to = at + (again ? number(AGAIN) : number(LENGTH) + 1);
      while (at < to) {
        store<u8>(at, load<u8>(at - distance));
        at++;
      }
    } else {
      kind >>= 1;
      store<u8>(at, <u8>bits(LITERALS + ((<u32>load<u8>(at - 1) >> 5) << 8), 256, 255));
      at++;
    }
  }
  return BYTES;
}
