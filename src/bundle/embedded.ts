/**
 * The binaries inside the bundle, as text (embed.js), which gzip takes to three quarters of what base64 takes. Only the one
 * that is asked for becomes bytes.
 */
import relaxedSimdText from "../../build/relaxed-simd.txt";
import simdText from "../../build/simd.txt";

export function simd(): Uint8Array<ArrayBuffer> {
  return toBytes(simdText);
}

export function relaxedSimd(): Uint8Array<ArrayBuffer> {
  return toBytes(relaxedSimdText);
}

/**
 * The text is ASCII, so that the engine makes its bytes; what is left to do here is one eighth bit after the other.
 *
 * @throws Error where the script was read in one of the few encodings that change ASCII, as ISO-2022-JP does control characters.
 */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const begin = text.indexOf("\n") + 1;
  const end = begin + Number(text.slice(0, begin));
  const ascii = encode(text);
  if (ascii.length !== text.length) {
    throw new Error(
      'lstm-wasm: this script was read in an encoding that garbles the WebAssembly in it; begin the page with <meta charset="utf-8">',
    );
  }
  // An array of this realm: a sandbox's TextEncoder may be another's, whose arrays are no Uint8Array here.
  const binary = new Uint8Array(ascii.subarray(begin, end));
  let at = 0;
  ascii.subarray(end).forEach((distance) => {
    at += distance;
    if (distance < 127) binary[at]! |= 128;
  });
  return binary;
}

/** AudioWorklet scopes have no TextEncoder. */
function encode(text: string): Uint8Array<ArrayBuffer> {
  if (typeof TextEncoder === "function") return new TextEncoder().encode(text);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
