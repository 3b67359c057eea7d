/**
 * Stands in for the global TextDecoder in every file (esbuild --inject): @assemblyscript/loader makes one at import, and
 * AudioWorklet scopes have none, so there a processor would silently never register.
 */
class MissingTextDecoder {
  decode(): never {
    throw new Error("TextDecoder: this scope has none; read files on the page and post the tensors");
  }
}

const available = globalThis.TextDecoder ?? MissingTextDecoder;

export { available as TextDecoder };
