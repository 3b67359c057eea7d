/**
 * The binaries inside the bundle, as text (embed.js), which gzip takes to about half of what base64 takes. Only the one that
 * is asked for becomes bytes.
 */
import relaxedSimdText from "../../build/relaxed-simd.txt";
import simdText from "../../build/simd.txt";

export function simd(): Uint8Array<ArrayBuffer> {
  return toBytes(simdText);
}

export function relaxedSimd(): Uint8Array<ArrayBuffer> {
  return toBytes(relaxedSimdText);
}

/** The text is ASCII, so that the engine makes its bytes; what is left to do here is one eighth bit after the other. */
function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const begin = text.indexOf("\n") + 1;
  const end = begin + Number(text.slice(0, begin));
  const ascii = encode(text);
  const binary = ascii.slice(begin, end);
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
