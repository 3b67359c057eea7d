/**
 * The corpus of malformed and hostile files: for each reader, what the file tries and what the reader says of it.
 */

import { AMP } from "./amp.js";
import { KERAS } from "./keras.js";
import { NUMPY } from "./numpy.js";
import { ONNX } from "./onnx.js";
import type { HostileFile } from "./readers.js";
import { SAFETENSORS } from "./safetensors.js";
import { TORCH } from "./torch.js";
import { EXPORTED } from "./torch-exported.js";
import { KEYS } from "./torch-keys.js";
import { LEGACY } from "./torch-legacy.js";
import { QUANTISED } from "./torch-quantised.js";
import { RECORDS } from "./torch-records.js";
import { REPEATS } from "./torch-repeats.js";
import { WEIGHTS } from "./weights.js";

export const HOSTILE: readonly HostileFile[] = [
  ...SAFETENSORS.map((file) => ({ reader: "readSafetensors" as const, ...file })),
  ...[...TORCH, ...KEYS, ...EXPORTED, ...LEGACY, ...RECORDS, ...REPEATS, ...QUANTISED].map((file) => ({
    reader: "readTorch" as const,
    ...file,
  })),
  ...ONNX.map((file) => ({ reader: "readOnnx" as const, ...file })),
  ...KERAS.map((file) => ({ reader: "readKeras" as const, ...file })),
  ...NUMPY.map((file) => ({ reader: "readNumpy" as const, ...file })),
  ...AMP,
  ...WEIGHTS.map((file) => ({ reader: "readWeights" as const, ...file })),
];
