/**
 * The binaries of a bundle, out of the text that src/build/pack.js has made of them: a program by itself, which runs once
 * before the others. In JavaScript it would take more than ten times as long, since none of it is compiled yet.
 *
 * The text is one number of six bits a character. Where it lies in a range tells the first bit, which takes its part of
 * the range, and so the next. A bit's part is the chance that its context has had so far. The bits are literal bytes,
 * and matches: so many bytes again from so far before.
 */

/** Where the text begins; chances of two bytes lie below. */
const TEXT: usize = 20_480;
/** Where the bytes begin that come of it. */
const BYTES: usize = 36_864;

/** Contexts of numbers and of literals; those below tell the kind of a step. */
const DISTANCE: u32 = 2048;
const LENGTH: u32 = 4096;
const AGAIN: u32 = 6144;
const LITERALS: u32 = 8192;
/** Contexts of whether a match has the distance of the one before. */
const AFTER: u32 = 4;
/** Contexts of a number's bits, by how many there are. */
const NUMBER_BITS: u32 = 64;

/** A range below has room for one more character. */
const LEAST_RANGE: u32 = 1 << 24;
/** An even chance, which memory of zeros stands for. */
const EVEN: u32 = 1 << 15;

let read = TEXT;
let code: u32 = 0;
let range: u32 = 1;

/** The next bit. */
function bit(context: u32): u32 {
  while (range < LEAST_RANGE) {
    const character = <u32>load<u8>(read++);
    // A backslash, 92, would have to be escaped.
    code = (code << 6) + character - 61 - u32(character > 92);
    range <<= 6;
  }
  const place = (<usize>context) << 1;
  const chance = <u32>load<u16>(place) ^ EVEN;
  const bound = (range >>> 12) * (chance >>> 4);
  const one = code < bound;
  if (one) {
    range = bound;
  } else {
    code -= bound;
    range -= bound;
  }
  store<u16>(place, (one ? chance + ((65_536 - chance) >>> 5) : chance - (chance >>> 5)) ^ EVEN);
  return u32(one);
}

/** How many bits follow the first, in ones and a zero; then these. */
function number(base: u32): u32 {
  let bits: u32 = 0;
  while (bit(base + bits)) bits++;
  const inner = base + NUMBER_BITS * (bits + 1);
  let result: u32 = 1;
  while (bits > 0) {
    bits--;
    result = (result << 1) + bit(inner + (result < 32 ? result : 32 + bits));
  }
  return result;
}

/** The address of so many bytes of the text that lies at 20480. */
export function unpack(count: usize): usize {
  const end = BYTES + count;
  let at = BYTES;
  let kind: u32 = 0;
  let distance: usize = 0;
  while (at < end) {
    if (bit(kind)) {
      const again = bit(AFTER + (kind >> 1));
      kind = 2 + again;
      if (!again) distance = number(DISTANCE);
      const to = at + (again ? number(AGAIN) : number(LENGTH) + 1);
      while (at < to) {
        store<u8>(at, load<u8>(at - distance));
        at++;
      }
    } else {
      kind >>= 1;
      const base = LITERALS + ((<u32>load<u8>(at - 1) >> 5) << 8);
      let node: u32 = 1;
      while (node < 256) node = (node << 1) + bit(base + node);
      store<u8>(at++, <u8>node);
    }
  }
  return BYTES;
}
