/** `lstm-wasm/formats`: files to state dicts. Plain TypeScript without wasm; each reader tree-shakes on its own. */

export type { StateDict } from "../tensor.js";
