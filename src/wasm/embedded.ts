/**
 * The binaries inside the bundle: as text, one character a byte (build:text in package.json), which
 * gzip takes to about half of what base64 takes. Only the one that is asked for becomes bytes.
 */
import relaxedSimdText from "../../build/relaxed-simd.txt";
import simdText from "../../build/simd.txt";

export function simd(): Uint8Array<ArrayBuffer> {
  return toBytes(simdText);
}

export function relaxedSimd(): Uint8Array<ArrayBuffer> {
  return toBytes(relaxedSimdText);
}

/** @throws Error where the script was not read as UTF-8: a classic script is read in the encoding of its page. */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const binary = new Uint8Array(text.length);
  let bits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    bits |= code;
    binary[at] = code;
  }
  if (bits > 0xff) {
    throw new Error(
      'lstm-wasm: this script was not read as UTF-8, which garbles the WebAssembly in it; begin the page with <meta charset="utf-8">',
    );
  }
  return binary;
}
