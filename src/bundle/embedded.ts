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
 * The bytes of an embedded binary. TextEncoder makes the low seven bits of all of them, of which the seventh is flipped;
 * eighth bits are set where markers were.
 *
 * @throws Error where the page has one of the few encodings that change ASCII: ISO-2022-JP changes control
 *   characters
 */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const parts = text.slice(2).split(text[0]!);
  const characters = parts.join("");
  const ascii = encode(characters);
  if (ascii.length !== characters.length) {
    throw coded(
      "UNSUPPORTED",
      new Error(
        'lstm-wasm: this script was read in an encoding that garbles the WebAssembly in it; begin the page with <meta charset="utf-8">',
      ),
    );
  }
  // A copy is an array of this realm. A sandbox's TextEncoder may be of another, whose arrays are no
  // Uint8Array here.
  const binary = new Uint8Array(ascii);
  // A binary begins with 0, so its first character is what was flipped in all.
  const flipped = binary[0]!;
  for (let at = 0; at < binary.length; at++) binary[at]! ^= flipped;
  const flip = 128 | (text.charCodeAt(1) ^ flipped);
  let index = 0;
  parts.forEach((part) => {
    index += part.length;
    binary[index]! ^= flip; // nothing where the last part ends
  });
  return binary;
}

/** AudioWorklet scopes have no TextEncoder. */
function encode(text: string): Uint8Array<ArrayBuffer> {
  if (typeof TextEncoder === "function") return new TextEncoder().encode(text);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
