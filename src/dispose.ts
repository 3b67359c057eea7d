/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Symbol.dispose, or where the engine has none (Safari, Chrome before 134) the symbol that esbuild looks for when it
 * lowers `using` for it.
 */
export const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
