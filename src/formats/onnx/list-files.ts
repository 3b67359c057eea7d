import type { Bytes } from "../bytes.js";
import { readAs } from "../recognise/index.js";
import { readModel } from "./model-proto.js";

/**
 * The names that an ONNX model has for the files beside it which hold its weights, each once. They are the keys of
 * the option `externalData`. A file may state any name: whoever opens such files takes none with a path.
 *
 * @throws TypeError for anything but bytes; FormatError if the file is broken
 */
export function listOnnxFiles(bytes: Bytes): string[] {
  return readAs("readOnnx", bytes, (file) => [...readModel(file).locations]);
}
