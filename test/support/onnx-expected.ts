/** What PyTorch had in the modules that it exported, as make_onnx.py and make_onnx_dynamo.py wrote it down. */
import { readFileSync } from "node:fs";

export interface ExpectedOnnx {
  kind: string;
  numLayers: number;
  bidirectional: boolean;
  bias: boolean;
  takesState: boolean;
  state: Record<string, { shape: number[]; data: number[] }>;
}

/** Of each file of a folder, by name. */
export function expectedIn(folder: URL): Record<string, ExpectedOnnx> {
  return JSON.parse(readFileSync(new URL("expected.json", folder), "utf8"));
}
