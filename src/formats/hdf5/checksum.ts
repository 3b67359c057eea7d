/** Checksums: Bob Jenkins' lookup3 of metadata, Fletcher's of chunks, and Adler's of what was deflated. */

/** lookup3 with the initial value 0. */
export function checksum(bytes: Uint8Array): number {
  const { length } = bytes;
  const words = [0, 0, 0].map(() => (0xdeadbeef + length) | 0);
  let [a, b, c] = words as [number, number, number];
  const turn = (value: number, by: number) => (value << by) | (value >>> (32 - by));
  const word = (at: number) =>
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24);
  for (let at = 0; at < length; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    if (at + 12 < length) {
      a = ((a - c) | 0) ^ turn(c, 4);
      c = (c + b) | 0;
      b = ((b - a) | 0) ^ turn(a, 6);
      a = (a + c) | 0;
      c = ((c - b) | 0) ^ turn(b, 8);
      b = (b + a) | 0;
      a = ((a - c) | 0) ^ turn(c, 16);
      c = (c + b) | 0;
      b = ((b - a) | 0) ^ turn(a, 19);
      a = (a + c) | 0;
      c = ((c - b) | 0) ^ turn(b, 4);
      b = (b + a) | 0;
    } else {
      c = ((c ^ b) - turn(b, 14)) | 0;
      a = ((a ^ c) - turn(c, 11)) | 0;
      b = ((b ^ a) - turn(a, 25)) | 0;
      c = ((c ^ b) - turn(b, 16)) | 0;
      a = ((a ^ c) - turn(c, 4)) | 0;
      b = ((b ^ a) - turn(a, 14)) | 0;
      c = ((c ^ b) - turn(b, 24)) | 0;
    }
  }
  return c >>> 0;
}

/** So many numbers are summed up before what is left of a division is taken, which is slow. */
const AT_ONCE = 2000;

/** The sum of numbers, and the sum of all such sums on the way, in 16 bits each. */
function sums(count: number, divisor: number, first: number, numberAt: (at: number) => number): number {
  let low = first;
  let high = 0;
  for (let at = 0; at < count; ) {
    const end = Math.min(at + AT_ONCE, count);
    while (at < end) {
      low += numberAt(at++);
      high += low;
    }
    low %= divisor;
    high %= divisor;
  }
  return high * 65536 + low;
}

/** Fletcher's sum of 16-bit words, the high byte first. A last odd byte counts as a high one. */
export function fletcher32(bytes: Uint8Array): number {
  const wordAt = (at: number) => (bytes[2 * at]! << 8) | (bytes[2 * at + 1] ?? 0);
  return sums(Math.ceil(bytes.length / 2), 65535, 0, wordAt);
}

/** Adler's sum, which zlib's format ends with. */
export function adler32(bytes: Uint8Array): number {
  return sums(bytes.length, 65521, 1, (at) => bytes[at]!);
}
