/**
 * Inflates raw deflate data (RFC 1951) whose size is stated. The numbers go straight to where they stay. Nothing is
 * written past the stated size: a deflate bomb is refused at its first byte too many.
 *
 * fflate's inflate would take 1.5 KB more of a bundle after gzip. Only its stream stops in time, and that needs a window
 * of its own.
 */

import { FormatError } from "./bytes.js";

/** Deflate expands no further: 258 bytes for two bits. */
const MOST_DEFLATE_EXPANSION = 1032;
const MOST_BITS = 15;
/** Codes of so many bits are found by one look into a table. Longer ones, which are rare, are found bit by bit. */
const FAST_BITS = 9;
const END_OF_BLOCK = 256;
/** The order in which a block states the lengths of the codes for lengths. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const CUT_OFF = "the data are cut off";
const BAD_CODE = "a code that is none";

/** A Huffman code. */
interface Code {
  /** How many symbols have codes of so many bits. */
  readonly counts: Uint16Array;
  /** Symbols by their codes, short ones first. */
  readonly symbols: Uint16Array;
  /** By the next bits, the first bit lowest: 16 times the symbol plus the bits of its code; 0 for a longer code. */
  readonly fast: Uint16Array;
}

/** What a message says after the label. */
class Broken {
  constructor(readonly problem: string) {}
}

/**
 * The content of raw deflate data, which must be exactly so many bytes.
 * @param label begins messages
 */
export function inflateExactly(
  compressed: Uint8Array,
  bytes: number,
  label: string,
): Uint8Array<ArrayBuffer> {
  if (bytes > compressed.length * MOST_DEFLATE_EXPANSION) {
    throw new FormatError(
      `${label} states ${bytes} bytes, more than its ${compressed.length} can inflate to`,
    );
  }
  const content = new Uint8Array(bytes);
  let filled: number;
  try {
    filled = inflate(compressed, content);
  } catch (broken) {
    if (broken instanceof Broken) throw new FormatError(`${label} ${broken.problem}`);
    throw broken;
  }
  if (filled !== bytes) throw new FormatError(`${label} inflates to ${filled} bytes, but states ${bytes}`);
  return content;
}

function codeOf(lengths: Uint8Array): Code {
  const counts = new Uint16Array(MOST_BITS + 1);
  for (const length of lengths) counts[length]!++;
  const used = lengths.length - counts[0]!;
  counts[0] = 0;
  const next = new Uint16Array(MOST_BITS + 1);
  const starts = new Uint16Array(MOST_BITS + 1);
  let left = 1;
  for (let bits = 1; bits <= MOST_BITS; bits++) {
    left = 2 * left - counts[bits]!;
    if (left < 0) throw broken(BAD_CODE);
    next[bits] = 2 * (next[bits - 1]! + counts[bits - 1]!);
    starts[bits] = starts[bits - 1]! + counts[bits - 1]!;
  }
  // Only a code of one symbol, or of none, may leave codes unused.
  if (left > 0 && used > 1) throw broken(BAD_CODE);
  const symbols = new Uint16Array(used);
  const fast = new Uint16Array(1 << FAST_BITS);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const bits = lengths[symbol]!;
    if (bits === 0) continue;
    symbols[starts[bits]!++] = symbol;
    const code = next[bits]!++;
    if (bits > FAST_BITS) continue;
    let turned = 0;
    for (let bit = 0; bit < bits; bit++) turned |= ((code >> bit) & 1) << (bits - 1 - bit);
    for (let at = turned; at < fast.length; at += 1 << bits) fast[at] = (symbol << 4) | bits;
  }
  return { counts, symbols, fast };
}

function broken(problem: string): Broken {
  return new Broken(`does not inflate: ${problem}`);
}

let fixed: readonly [Code, Code] | undefined;

/** The codes of blocks that state none. */
function fixedCodes(): readonly [Code, Code] {
  fixed ??= [
    codeOf(Uint8Array.from({ length: 288 }, (_, at) => (at < 144 ? 8 : at < 256 ? 9 : at < 280 ? 7 : 8))),
    codeOf(new Uint8Array(32).fill(5)),
  ];
  return fixed;
}

/** @returns how many bytes were made */
function inflate(data: Uint8Array, content: Uint8Array): number {
  let at = 0;
  let held = 0;
  let heldBits = 0;
  let filled = 0;

  const take = (bits: number): number => {
    while (heldBits < bits) {
      if (at >= data.length) throw broken(CUT_OFF);
      held |= data[at++]! << heldBits;
      heldBits += 8;
    }
    const value = held & ((1 << bits) - 1);
    held >>>= bits;
    heldBits -= bits;
    return value;
  };

  const decode = ({ counts, symbols, fast }: Code): number => {
    while (heldBits < MOST_BITS && at < data.length) {
      held |= data[at++]! << heldBits;
      heldBits += 8;
    }
    const found = fast[held & ((1 << FAST_BITS) - 1)]!;
    const bits = found & 15;
    if (found > 0 && bits <= heldBits) {
      held >>>= bits;
      heldBits -= bits;
      return found >> 4;
    }
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length <= MOST_BITS; length++) {
      code |= take(1);
      const count = counts[length]!;
      if (code - first < count) return symbols[index + code - first]!;
      index += count;
      first = 2 * (first + count);
      code *= 2;
    }
    throw broken(BAD_CODE);
  };

  const readCodes = (): readonly [Code, Code] => {
    const [literals, distances, stated] = [take(5) + 257, take(5) + 1, take(4) + 4];
    const ofLengths = new Uint8Array(ORDER.length);
    for (const symbol of ORDER.slice(0, stated)) ofLengths[symbol] = take(3);
    const code = codeOf(ofLengths);
    const lengths = new Uint8Array(literals + distances);
    for (let index = 0; index < lengths.length; ) {
      const symbol = decode(code);
      if (symbol < 16) {
        lengths[index++] = symbol;
        continue;
      }
      const repeats = symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7);
      const value = symbol === 16 ? lengths[index - 1] : 0;
      if (value === undefined || index + repeats > lengths.length) throw broken("lengths that do not fit");
      lengths.fill(value, index, index + repeats);
      index += repeats;
    }
    if (literals > 286 || distances > 30 || lengths[END_OF_BLOCK] === 0) throw broken(BAD_CODE);
    return [codeOf(lengths.subarray(0, literals)), codeOf(lengths.subarray(literals))];
  };

  const tooMany = () => new Broken(`inflates to more than the ${content.length} bytes it states`);

  const copyStored = () => {
    at -= heldBits >> 3;
    held = heldBits = 0;
    const length = take(16);
    if (take(16) !== (length ^ 0xffff)) throw broken("a stored block of two lengths");
    if (at + length > data.length) throw broken(CUT_OFF);
    if (filled + length > content.length) throw tooMany();
    content.set(data.subarray(at, at + length), filled);
    at += length;
    filled += length;
  };

  const readBlock = ([literals, distances]: readonly [Code, Code]) => {
    for (;;) {
      const symbol = decode(literals);
      if (symbol < END_OF_BLOCK) {
        if (filled === content.length) throw tooMany();
        content[filled++] = symbol;
        continue;
      }
      if (symbol === END_OF_BLOCK) return;
      if (symbol > 285) throw broken(BAD_CODE);
      const length = symbol === 285 ? 258 : 3 + spread(symbol - 257, 4, take);
      const code = decode(distances);
      if (code > 29) throw broken(BAD_CODE);
      const from = filled - 1 - spread(code, 2, take);
      if (from < 0) throw broken("a distance to before the data");
      const end = filled + length;
      if (end > content.length) throw tooMany();
      for (let next = from; filled < end; ) content[filled++] = content[next++]!;
    }
  };

  for (let isLast = 0; isLast === 0; ) {
    isLast = take(1);
    const kind = take(2);
    if (kind === 0) copyStored();
    else if (kind === 3) throw broken("a block of no known kind");
    else readBlock(kind === 1 ? fixedCodes() : readCodes());
  }
  return filled;
}

/** Symbols stand for ranges that double in length after each `step` of them: the start of one, and the bits in it. */
function spread(symbol: number, step: 2 | 4, take: (bits: number) => number): number {
  if (symbol < 2 * step) return symbol;
  const bits = Math.floor(symbol / step) - 1;
  return ((step + (symbol % step)) << bits) + take(bits);
}
