/** The binaries with the kernels of whole models inside the bundle of `lstm-wasm/models`, as embedded.ts has the core's. */

import modelsText from "../../build/models.txt";
import { unpack } from "./unpack.js";

export function modelsSimd(): Uint8Array<ArrayBuffer> {
  return unpack(modelsText(), 1);
}

export function modelsRelaxedSimd(): Uint8Array<ArrayBuffer> {
  return unpack(modelsText(), 0);
}
