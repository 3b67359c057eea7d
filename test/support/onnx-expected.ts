/** What PyTorch had in the modules that it exported, as make_onnx.py, make_onnx_dynamo.py and make_onnx_writers.py wrote it down. */
import { readFileSync } from "node:fs";

interface Numbers {
  shape: number[];
  data: number[];
}

export interface ExpectedOnnx {
  kind: string;
  numLayers: number;
  bidirectional: boolean;
  batchFirst: boolean;
  bias: boolean;
  takesState: boolean;
  state: Record<string, Numbers>;
  /** An input and an output, of files that are run. */
  run?: Record<string, Numbers>;
}

/** Of each file of a folder, by name. */
export function expectedIn(folder: URL): Record<string, ExpectedOnnx> {
  return JSON.parse(readFileSync(new URL("expected.json", folder), "utf8"));
}
