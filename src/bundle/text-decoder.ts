/**
 * Stands in for TextDecoder in the library's bundle (esbuild's inject): @assemblyscript/loader makes one at import, for
 * strings of a module's memory. No kernel has any; to make one takes 0.1 ms of a start in Node; and AudioWorklet scopes have none, so that
 * there a processor would silently never register.
 */
export class TextDecoder {
  decode(): never {
    throw new Error("TextDecoder: lstm-wasm's kernels have no strings");
  }
}
