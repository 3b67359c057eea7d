/**
 * UTF-8 to a string without TextDecoder, which AudioWorklet scopes lack. It is as strict as WHATWG's fatal
 * mode: overlong forms, surrogates and code points past U+10FFFF are refused.
 */

import { FormatError } from "./bytes.js";

/**
 * Code units that become text in one call. With far more arguments String.fromCharCode overflows the stack.
 */
const CHUNK = 4096;

/** The smallest code point that a sequence of 2, 3 or 4 bytes may stand for. */
const LEAST = [0x80, 0x800, 0x10000];

/**
 * @param name what messages begin with
 * @throws FormatError if the bytes are not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  let text = "";
  const units: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const lead = bytes[at++]!;
    let code = lead;
    if (lead >= 0x80) {
      const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
      code = lead & (0x3f >> more);
      let valid = lead >= 0xc2 && lead <= 0xf4;
      for (let left = more; left > 0 && valid; left--) {
        const next = bytes[at++];
        valid = next !== undefined && next >> 6 === 2;
        code = (code << 6) | (next! & 0x3f);
      }
      valid &&= code >= LEAST[more - 1]! && code <= 0x10ffff && code >> 11 !== 0x1b;
      if (!valid) throw new FormatError(`${name}: byte ${start} is not valid UTF-8`);
    }
    if (code < 0x10000) units.push(code);
    else units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    if (units.length >= CHUNK) {
      text += String.fromCharCode(...units);
      units.length = 0;
    }
  }
  return text + String.fromCharCode(...units);
}

/** Up to this many characters are joined eight at a time: 90 ns for 20 of them, where a call on an array takes 140. */
const SHORT = 24;

/** Text of up to 24 bytes that are all ASCII, as nearly every name of a file is; else undefined. */
export function shortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > SHORT) return undefined;
  for (let at = start; at < end; at++) if (bytes[at]! >= 0x80) return undefined;
  const of = String.fromCharCode;
  let text = "";
  let at = start;
  for (; at + 8 <= end; at += 8) {
    text += of(
      bytes[at]!,
      bytes[at + 1]!,
      bytes[at + 2]!,
      bytes[at + 3]!,
      bytes[at + 4]!,
      bytes[at + 5]!,
      bytes[at + 6]!,
      bytes[at + 7]!,
    );
  }
  for (; at < end; at++) text += of(bytes[at]!);
  return text;
}
