/**
 * The types of `lstm-wasm/lstm.wasm`, `lstm-wasm/models.wasm` and their relaxed builds, on platforms that import wasm files.
 */
declare const compiled: WebAssembly.Module;
export default compiled;
