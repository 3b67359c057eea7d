/** The binaries inside the bundle, as text. src/build/pack.js describes it. Only what is asked for becomes bytes. */

import coreText from "../../build/core.txt";
import { unpack } from "./unpack.js";

export function simd(): Uint8Array<ArrayBuffer> {
  return unpack(coreText(), 1);
}

export function relaxedSimd(): Uint8Array<ArrayBuffer> {
  return unpack(coreText(), 0);
}
