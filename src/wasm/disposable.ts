/// <reference lib="esnext.disposable" preserve="true" />
/** `using` for what has a dispose(), and console.log for what has a toString(). */

/**
 * What `Symbol.dispose` calls dispose() on; where the engine has none (Safari, Chrome before 134) it is the symbol
 * that esbuild looks for when it lowers `using`. A function makes the class, since esbuild leaves no class with a
 * computed name out of a bundle, nor what extends it: 61 KB for a program that only reads files.
 */
export const DisposableBase: abstract new () => Disposable & { dispose(): void; toString(): string } =
  /* @__PURE__ */ (() => {
    const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    abstract class DisposableBase {
      abstract dispose(): void;

      [disposeSymbol](): void {
        this.dispose();
      }

      /** What console.log shows in Node, Deno and Bun. */
      [Symbol.for("nodejs.util.inspect.custom")](): string {
        return String(this);
      }
    }
    return DisposableBase;
  })();
