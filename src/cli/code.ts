/** The code of a file's layers while it is written. */
import type { Call } from "./call-code.js";
import { Names } from "./identifiers.js";

export class Code {
  readonly names = new Names();
  /** What of the file's value is read: weights, layers, tensors. */
  readonly used = new Set<string>();
  readonly imports = new Set<string>();
  /** Of lstm-wasm/formats, besides the reader. */
  readonly formats = new Set<string>();
  readonly lines: string[] = [];
  /** The variables that hold outputs, by those of their layers. */
  readonly outputs: [layer: string, output: string][] = [];

  /** A variable for a module that is called `name` in the file. */
  layer(kind: string, name: string): string {
    this.imports.add(kind);
    return this.names.unique(name, kind);
  }

  /** The line that runs a layer. */
  forward(variable: string, { input, state, isAlone, told }: Call): void {
    if (input.startsWith("Tensor")) this.imports.add("Tensor");
    const output = this.names.claim(`${variable}Output`);
    const result = isAlone ? output : `[${output}, ${this.names.claim(`${variable}State`)}]`;
    const passed = state === "" ? input : `${input}, ${state}`;
    this.lines.push(`const ${result} = ${variable}.forward(${passed}); // ${told}`);
    this.outputs.push([variable, output]);
  }
}
