/** Types only: what `lstm-wasm/lstm.wasm` and `lstm-wasm/lstm-relaxed.wasm` give where a platform imports wasm files. */
declare const compiled: WebAssembly.Module;
export default compiled;
