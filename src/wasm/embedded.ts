/**
 * The binaries inside the bundle: as text, one character a byte (build:text in package.json), which
 * gzip takes to 12 KB for both where base64 took 22. Only the one that is asked for becomes bytes.
 */
import relaxedSimdText from "../../build/relaxed-simd.txt";
import simdText from "../../build/simd.txt";

export function simd(): Uint8Array<ArrayBuffer> {
  return bytes(simdText);
}

export function relaxedSimd(): Uint8Array<ArrayBuffer> {
  return bytes(relaxedSimdText);
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const binary = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) binary[at] = text.charCodeAt(at);
  return binary;
}
