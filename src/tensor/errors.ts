/**
 * The codes of errors. Every error that the library throws has one, beside its class and its message, so that a
 * program can tell errors apart without reading messages, which may change.
 */

/**
 * What is wrong, as `error.code` tells it:
 *
 * - `LSTM_WASM_TYPE` (TypeError): an argument of the wrong kind, or an unknown option.
 * - `LSTM_WASM_RANGE` (RangeError): a value out of range.
 * - `LSTM_WASM_SHAPE` (RangeError): a shape or a length that does not fit, or a state dict with other keys.
 * - `LSTM_WASM_FORMAT` (FormatError, a RangeError): a file that is broken or hostile.
 * - `LSTM_WASM_UNSUPPORTED` (FormatError, RangeError or Error): what a file, a module or the engine lacks support for.
 * - `LSTM_WASM_DISPOSED` (Error): a use after dispose(), or of a buffer that was transferred.
 * - `LSTM_WASM_MEMORY` (RangeError): no room, in WebAssembly memory or for a result.
 * - `LSTM_WASM_THREAD` (Error): a thread of `lstm-wasm/threads` failed in the middle of a call.
 */
export type ErrorCode =
  | "LSTM_WASM_TYPE"
  | "LSTM_WASM_RANGE"
  | "LSTM_WASM_SHAPE"
  | "LSTM_WASM_FORMAT"
  | "LSTM_WASM_UNSUPPORTED"
  | "LSTM_WASM_DISPOSED"
  | "LSTM_WASM_MEMORY"
  | "LSTM_WASM_THREAD";

export type Kind = ErrorCode extends `LSTM_WASM_${infer Rest}` ? Rest : never;

/** The error with its code, which is not listed among its keys: two errors are equal by class and message. */
export function coded<Thrown extends Error>(kind: Kind, error: Thrown): Thrown & { code: ErrorCode } {
  return Object.defineProperty(error as Thrown & { code: ErrorCode }, "code", { value: `LSTM_WASM_${kind}` });
}

/** What `make` makes. @throws RangeError with `message` where the engine has no room for it */
export function room<Made>(make: () => Made, message: () => string): Made {
  try {
    return make();
  } catch (cause) {
    throw coded("MEMORY", new RangeError(message(), { cause }));
  }
}
