/** Checksums: Bob Jenkins' lookup3 of metadata, and Fletcher's of chunks. */

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

/** Fletcher's sum of 16-bit words, the high byte first. A last odd byte counts as a high one. */
export function fletcher32(bytes: Uint8Array): number {
  let low = 0;
  let high = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    low = (low + ((bytes[at]! << 8) | (bytes[at + 1] ?? 0))) % 65535;
    high = (high + low) % 65535;
  }
  return high * 65536 + low;
}
