/**
 * FarmHash's Hash64, which TensorFlow calls Fingerprint64: by it a lookup chooses one of several numbers for a word that it
 * does not know. Written from the published algorithm, for any length.
 */

const [K0, K1, K2] = [0xc3a5c85c97cb3127n, 0xb492b66fbe98f273n, 0x9ae16a3b2f90404fn] as const;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const turned = (value: bigint, by: bigint): bigint => (u64(value) >> by) | u64(value << (64n - by));
const mixed = (value: bigint): bigint => u64(value) ^ (u64(value) >> 47n);

/** Two numbers as one. */
function joined(u: bigint, v: bigint, factor: bigint): bigint {
  const a = mixed((u64(u) ^ u64(v)) * factor);
  return u64(mixed((u64(v) ^ a) * factor) * factor);
}

/** Bytes of UTF-8; half a pair of surrogates is U+FFFD. AudioWorklet scopes have no TextEncoder. */
function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const letter of text) {
    const point = letter.codePointAt(0)!;
    const code = point >> 11 === 0x1b ? 0xfffd : point;
    if (code < 0x80) bytes.push(code);
    else {
      const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      bytes.push(((0xff00 >> (more + 1)) & 0xff) | (code >> (6 * more)));
      for (let at = more - 1; at >= 0; at--) bytes.push(0x80 | ((code >> (6 * at)) & 0x3f));
    }
  }
  return Uint8Array.from(bytes);
}

export function fingerprint64(text: string): bigint {
  const bytes = utf8(text);
  const { length } = bytes;
  const view = new DataView(bytes.buffer);
  const word = (at: number): bigint => view.getBigUint64(at, true);
  if (length > 64) return long(word, length);
  const size = BigInt(length);
  const factor = K2 + 2n * size;
  if (length > 16) {
    const a = word(0) * (length > 32 ? K2 : K1);
    const [b, c, d] = [word(8), word(length - 8) * factor, word(length - 16) * K2];
    const y = turned(a + b, 43n) + turned(c, 30n) + d;
    const z = joined(y, a + turned(b + K2, 18n) + c, factor);
    if (length <= 32) return z;
    const [e, f] = [word(16) * factor, word(24)];
    const [g, h] = [(y + word(length - 32)) * factor, (z + word(length - 24)) * factor];
    return joined(turned(e + f, 43n) + turned(g, 30n) + h, e + turned(f + a, 18n) + g, factor);
  }
  if (length >= 8) {
    const [a, b] = [word(0) + K2, word(length - 8)];
    return joined(turned(b, 37n) * factor + a, (turned(a, 25n) + b) * factor, factor);
  }
  if (length >= 4) {
    const [first, last] = [0, length - 4].map((at) => BigInt(view.getUint32(at, true))) as [bigint, bigint];
    return joined(size + (first << 3n), last, factor);
  }
  if (length === 0) return K2;
  const y = BigInt(bytes[0]! + (bytes[length >> 1]! << 8));
  const z = size + BigInt(bytes[length - 1]! << 2);
  return u64(mixed((y * K2) ^ (z * K0)) * K2);
}

type Pair = readonly [bigint, bigint];

/** More than 64 bytes: rounds of 64, of which the last one takes the last 64. */
function long(word: (at: number) => bigint, length: number): bigint {
  let y = 81n * K1 + 113n;
  let z = mixed(y * K2 + 113n) * K2;
  let x = 81n * K2 + word(0);
  let [v, w]: [Pair, Pair] = [
    [0n, 0n],
    [0n, 0n],
  ];
  const weak = (at: number, a: bigint, b: bigint): Pair => {
    const first = a + word(at);
    const second = turned(b + first + word(at + 24), 21n);
    const sum = first + word(at + 8) + word(at + 16);
    return [u64(sum + word(at + 24)), u64(second + turned(sum, 44n) + first)];
  };
  const round = (at: number, factor: bigint, times: bigint): void => {
    const next = (turned(x + y + v[0] + word(at + 8), 37n) * factor) ^ (w[1] * times);
    y = u64(turned(y + v[1] + word(at + 48), 42n) * factor + v[0] * times + word(at + 40));
    x = u64(turned(z + w[0], 33n) * factor);
    z = u64(next);
    v = weak(at, v[1] * factor, z + w[0]);
    w = weak(at + 32, x + w[1], y + word(at + 16));
  };
  const rest = (length - 1) & 63;
  for (let at = 0; at < length - 1 - rest; at += 64) round(at, K1, 1n);
  const factor = K1 + ((z & 0xffn) << 1n);
  const sum = w[0] + BigInt(rest);
  v = [v[0] + sum, v[1]];
  w = [sum + v[0], w[1]];
  round(length - 64, factor, 9n);
  return joined(joined(v[0], w[0], factor) + mixed(y) * K0 + z, joined(v[1], w[1], factor) + x, factor);
}
