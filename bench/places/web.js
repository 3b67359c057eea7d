/** onnxruntime-web in the place that imports this. It is given its binary where a place has it: not all can fetch. */
import * as ort from "onnxruntime-web";
import { create as createPeer } from "../peers/onnxruntime.js";

export function create(spec, { binary }) {
  if (binary !== undefined) ort.env.wasm.wasmBinary = binary;
  return createPeer(spec, "web");
}
