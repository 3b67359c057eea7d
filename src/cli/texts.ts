/** Strings for a model's input: a text file with one on each line. */
import type { ModelValue } from "lstm-wasm/models";
import { decodeUtf8 } from "../formats/utf8.js";
import type { Texts } from "../graph/keras/tensor.js";
import { isNpy } from "./npy.js";

/**
 * The lines of a file, as many in each row as the model declares: those of open axes after the first one are 1.
 * @throws RangeError for what is no text in UTF-8, and for lines that fill no whole rows
 */
export function readTexts(bytes: Uint8Array, declared: ModelValue["shape"]): Texts {
  if (isNpy(bytes)) throw new RangeError("an .npy file; strings are read from a text file, one on each line");
  const data = decodeUtf8(bytes, "text")
    .replace(/^\ufeff|\r?\n$/g, "")
    .split(/\r?\n/);
  const [first, ...rest] = (declared ?? []).map((size) => (typeof size === "number" ? size : 1));
  if (first === undefined) return { data, shape: [] };
  const row = rest.reduce((product, size) => product * size, 1);
  if (data.length % row !== 0) {
    throw new RangeError(`expected a multiple of ${row} lines, a string on each, got ${data.length}`);
  }
  return { data, shape: [data.length / row, ...rest] };
}
