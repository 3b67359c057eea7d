/** TensorFlow.js with its wasm backend in the place that imports this. It takes an address, and no bytes. */
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { create as createPeer } from "../peers/tfjs.js";

export function create(spec, { address }) {
  if (address !== undefined) setWasmPaths(address);
  return createPeer(spec);
}
