/** How a binary becomes a module, and what is said where an engine refuses. */

import { coded } from "../tensor/errors.js";

declare global {
  /** The declarations name these two. A program whose `lib` has no `dom` would not have them. */
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
  }
}

export type Binary = Uint8Array<ArrayBuffer> | WebAssembly.Module;

/** The module to instantiate. @throws Error that says what to do where compiling from bytes is refused. */
export function compile(binary: Binary): WebAssembly.Module {
  if (!(binary instanceof Uint8Array)) {
    // Next.js compiles in one realm and runs the code in another. The loader tells a module by its prototype.
    return binary instanceof WebAssembly.Module
      ? binary
      : Object.setPrototypeOf(binary, WebAssembly.Module.prototype);
  }
  try {
    return new WebAssembly.Module(binary);
  } catch (cause) {
    throw refused(cause);
  }
}

export function refused(cause: unknown): Error {
  const message = `lstm-wasm: this scope refused to compile WebAssembly. ${advice(cause)}`;
  return coded("UNSUPPORTED", new Error(message, { cause }));
}

/**
 * Chrome before 115 compiles at most 4 KB at once on a page's thread. Strict policies and edge workers
 * compile nothing.
 */
function advice(cause: unknown): string {
  return cause instanceof RangeError
    ? "Use it in a worker, or compile lstm-wasm/lstm.wasm with WebAssembly.compile and pass it to init({ module })"
    : "Allow 'wasm-unsafe-eval' in script-src; in an edge worker bundle with the condition workerd or edge-light";
}
