/**
 * The binaries inside the bundle, as text. src/build/embed.js describes its form; after gzip it is two thirds
 * of base64. Only the binary that is asked for becomes bytes.
 */

import relaxedSimdText from "../../build/relaxed-simd.txt";
import simdText from "../../build/simd.txt";
import { coded } from "../tensor/errors.js";

export function simd(): Uint8Array<ArrayBuffer> {
  return toBytes(simdText());
}

export function relaxedSimd(): Uint8Array<ArrayBuffer> {
  return toBytes(relaxedSimdText());
}

/**
 * The bytes of an embedded binary. TextEncoder makes the low seven bits of all of them.
 *
 * @throws Error where the page has one of the few encodings that change ASCII: ISO-2022-JP changes control
 *   characters
 */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const codes = encode(text);
  if (codes.length !== text.length) {
    throw coded(
      "UNSUPPORTED",
      new Error(
        'lstm-wasm: this script was read in an encoding that garbles the WebAssembly in it; begin the page with <meta charset="utf-8">',
      ),
    );
  }
  const [marker, rare] = codes;
  // A binary begins with 0, so its first character is what was flipped in all.
  const flipped = codes[2]!;
  let length = 0;
  for (let at = 2; at < codes.length; at++) {
    let byte = codes[at]!;
    if (byte === marker) {
      byte = codes[++at]!;
      if (byte !== rare || codes[++at] === flipped) byte |= 128;
      else byte = marker;
    }
    codes[length++] = byte ^ flipped;
  }
  // A copy is an array of this realm. A sandbox's TextEncoder may be of another, whose arrays are no
  // Uint8Array here.
  return new Uint8Array(codes.subarray(0, length));
}

/** AudioWorklet scopes have no TextEncoder. */
function encode(text: string): Uint8Array<ArrayBuffer> {
  if (typeof TextEncoder === "function") return new TextEncoder().encode(text);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
