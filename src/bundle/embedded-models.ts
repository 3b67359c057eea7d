/** The binaries with the kernels of whole models inside the bundle of `lstm-wasm/models`, as embedded.ts has the core's. */

import baselineText from "../../build/models.txt";
import relaxedText from "../../build/models-relaxed.txt";
import { toBytes } from "./embedded.js";

export function modelsSimd(): Uint8Array<ArrayBuffer> {
  return toBytes(baselineText());
}

export function modelsRelaxedSimd(): Uint8Array<ArrayBuffer> {
  return toBytes(relaxedText());
}
