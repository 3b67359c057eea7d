/**
 * The types of `lstm-wasm/lstm.wasm` and `lstm-wasm/lstm-relaxed.wasm`, on platforms that import wasm files.
 */
declare const compiled: WebAssembly.Module;
export default compiled;
