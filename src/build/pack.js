/**
 * Binaries as the text that a bundle embeds. assembly/unpack.ts makes the bytes again, and says what the text means.
 *
 * Bytes are matched with earlier ones, and what is left goes through an adaptive range coder. gzip, to which such a text
 * is noise of six bits a character, would take a quarter more for the bytes themselves: its window ends before one build
 * of a program has gone by, and it codes whole bits.
 */

/** As in assembly/unpack.ts. */
const [DISTANCE, LENGTH, AGAIN, LITERALS, CONTEXTS] = [1024, 2048, 3072, 4096, 6144];
const AFTER = 4;
const EVEN = 2 ** 15;
const CERTAIN = 2 ** 16;
const DIGIT = 64;
const LEAST_RANGE = 2 ** 24;
/** Room that the unpacker has for characters, and for the bytes that they become. */
const MOST_DIGITS = 28_672 - 12_288;
const MOST_BYTES = 2 * 65_536 - 28_672;

/** How often the matches are chosen again by what the choice before has cost. */
const ROUNDS = 4;
/** Earlier places that are looked at for a match. */
const MOST_PLACES = 2000;
/** Lengths of a match that are all tried; of a longer one only the longest few. */
const TRIED = 48;

/** Where binaries end, one after the other, and their bytes; later ones may repeat what earlier ones have. */
export function packedText(binaries) {
  const bytes = Buffer.concat(binaries);
  const found = findMatches(bytes);
  let best;
  let chances = new Uint16Array(CONTEXTS).fill(EVEN);
  for (let round = 0; round < ROUNDS; round++) {
    const coder = new Coder();
    for (const step of chooseSteps(bytes, found, chances)) coder.step(bytes, step);
    const digits = coder.end();
    if (best === undefined || digits.length < best.length) best = digits;
    chances = coder.means();
  }
  if (best.length > MOST_DIGITS || bytes.length > MOST_BYTES) {
    const [digits, all] = [best.length, bytes.length];
    throw new RangeError(
      `the unpacker has room for ${MOST_DIGITS} characters and ${MOST_BYTES} bytes, got ${digits} and ${all}`,
    );
  }
  let end = 0;
  const ends = binaries.map(({ length }) => (end += length));
  return `${ends.join(" ")} ${characters(best)}`;
}

/** The bytes as they are, six bits a character. */
export function digitsText(binary) {
  const bits = Array.from(binary, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return characters(bits.match(/.{1,6}/g).map((digit) => Number.parseInt(digit.padEnd(6, "0"), 2)));
}

/**
 * Digits of six bits as characters from "=" to "}", but for a backslash: in a literal none is escaped, and in a page no
 * "</script>" can end the script.
 */
const characters = (digits) =>
  digits.map((digit) => String.fromCharCode(digit + (digit > 30 ? 62 : 61))).join("");

/** What the unpacker undoes. */
class Coder {
  #chances = new Uint16Array(CONTEXTS).fill(EVEN);
  /** How often each context was a 1, and was at all. */
  #ones = new Float64Array(CONTEXTS).fill(0.4);
  #all = new Float64Array(CONTEXTS).fill(0.8);
  /** Where the range begins, and how long it is. */
  #low = 0;
  #range = LEAST_RANGE;
  #digits = [];
  #distance = 0;
  #kind = 0;

  /** A literal, where the length is 0, or as many bytes from `distance` before. */
  step(bytes, { at, length, distance }) {
    const take = (context, bit) => this.#bit(context, bit);
    take(this.#kind + 1, length > 0);
    if (length === 0) {
      literalBits(bytes, at, take);
      this.#kind >>= 1;
      return;
    }
    const again = distance === this.#distance;
    take(AFTER + 1 + (this.#kind >> 1), again);
    if (!again) numberBits(DISTANCE, distance, take);
    numberBits(again ? AGAIN : LENGTH, again ? length : length - 1, take);
    this.#distance = distance;
    this.#kind = again ? 3 : 2;
  }

  #bit(context, bit) {
    this.#all[context]++;
    const chance = this.#chances[context];
    const bound = (this.#range >>> 12) * (chance >> 4);
    this.#chances[context] -= ((chance - EVEN) >> 5) + (bit ? -1023 : 1024);
    if (bit) {
      this.#ones[context]++;
      this.#range = bound;
    } else {
      this.#low += bound;
      this.#range -= bound;
    }
    while (this.#range < LEAST_RANGE) this.#give();
  }

  /** Gives out the highest digit of where the range begins; what goes over is carried into those before. */
  #give() {
    let digit = Math.floor(this.#low / LEAST_RANGE);
    if (digit >= DIGIT) {
      digit -= DIGIT;
      let at = this.#digits.length - 1;
      for (; this.#digits[at] === DIGIT - 1; at--) this.#digits[at] = 0;
      this.#digits[at]++;
    }
    this.#digits.push(digit);
    this.#low = (this.#low % LEAST_RANGE) * DIGIT;
    this.#range *= DIGIT;
  }

  end() {
    for (let left = 0; left < 5; left++) this.#give();
    // The first is 0: the range begins a digit below its most.
    return this.#digits.slice(1);
  }

  /** Chances of a 1 over the whole text. */
  means() {
    const most = CERTAIN - 64;
    return Uint16Array.from(this.#all, (all, at) =>
      Math.max(64, Math.min(most, (CERTAIN * this.#ones[at]) / all)),
    );
  }
}

/** The bits of a number that follow its first, each in the context of those before it, of the last ones in `mask`. */
function treeBits(base, number, { count, mask }, take) {
  for (let left = count - 1, node = 1; left >= 0; left--) {
    const bit = (number >> left) & 1;
    take(base + (node & mask), bit);
    node = node * 2 + bit;
  }
}

/** The bits of a byte, in contexts by the high ones of the byte before. */
function literalBits(bytes, at, take) {
  treeBits(LITERALS + (at > 0 ? bytes[at - 1] >> 5 : 0) * 256, bytes[at], { count: 8, mask: 255 }, take);
}

/** How many bits follow the first, in four; then these. */
function numberBits(base, number, take) {
  const count = 31 - Math.clz32(number);
  treeBits(base, count, { count: 4, mask: 63 }, take);
  treeBits(base + 64 * count, number, { count, mask: 63 }, take);
}

/** For each byte its matches, longer and longer ones, each at its smallest distance. */
function findMatches(bytes) {
  const heads = new Int32Array(65_536).fill(-1);
  const before = new Int32Array(bytes.length).fill(-1);
  return Array.from(bytes.subarray(0, -1), (_, at) => {
    const pair = bytes.readUInt16LE(at);
    const matches = [];
    let longest = 1;
    let left = MOST_PLACES;
    for (let place = heads[pair]; place >= 0 && left > 0; place = before[place], left--) {
      const length = matchLength(bytes, at, place);
      if (length <= longest) continue;
      longest = length;
      matches.push({ length, distance: at - place });
    }
    before[at] = heads[pair];
    heads[pair] = at;
    return matches;
  });
}

function matchLength(bytes, at, place) {
  let length = 0;
  while (at + length < bytes.length && bytes[at + length] === bytes[place + length]) length++;
  return length;
}

/** The cheapest way through the bytes, if each context has its chance all the way. */
function chooseSteps(bytes, found, chances) {
  const prices = [1, 0].map((bit) =>
    Float64Array.from(chances, (chance) => -Math.log2(Math.abs(bit - chance / CERTAIN))),
  );
  const price = (context, bit) => prices[+bit][context];
  const sum = (code, ...what) => {
    let bits = 0;
    code(...what, (context, bit) => {
      bits += price(context, bit);
    });
    return bits;
  };
  const known = new Map();
  const numberPrice = (base, number) => {
    const key = base * 2 ** 20 + number;
    if (!known.has(key)) known.set(key, sum(numberBits, base, number));
    return known.get(key);
  };
  const ways = Array.from({ length: bytes.length + 1 }, () => ({ bits: Number.POSITIVE_INFINITY }));
  ways[0] = { bits: 0, kind: 0, distance: 0 };
  const offer = (step, bits, distance, kind) => {
    const to = step.at + Math.max(1, step.length);
    if (bits < ways[to].bits) ways[to] = { bits, kind, distance, step };
  };
  for (let at = 0; at < bytes.length; at++) {
    const { bits, kind, distance } = ways[at];
    offer({ at, length: 0 }, bits + price(kind + 1, 0) + sum(literalBits, bytes, at), distance, kind >> 1);
    const matched = bits + price(kind + 1, 1);
    const repeated = distance > 0 ? matchLength(bytes, at, at - distance) : 0;
    for (const length of lengthsBetween(1, repeated)) {
      const cost = matched + price(AFTER + 1 + (kind >> 1), 1) + numberPrice(AGAIN, length);
      offer({ at, length, distance }, cost, distance, 3);
    }
    let shortest = 2;
    for (const match of found[at] ?? []) {
      const far = matched + price(AFTER + 1 + (kind >> 1), 0) + numberPrice(DISTANCE, match.distance);
      for (const length of match.distance === distance ? [] : lengthsBetween(shortest, match.length)) {
        offer({ ...match, at, length }, far + numberPrice(LENGTH, length - 1), match.distance, 2);
      }
      shortest = match.length + 1;
    }
  }
  const steps = [];
  for (let to = bytes.length; to > 0; to = steps.at(-1).at) steps.push(ways[to].step);
  return steps.reverse();
}

function lengthsBetween(shortest, longest) {
  const lengths = [];
  for (let length = shortest; length <= longest; length++) {
    if (length <= TRIED || length > longest - 8) lengths.push(length);
  }
  return lengths;
}
