/** The parameters of a stack's layers under PyTorch's names. */
import { matrixNameOf } from "../int8/round-weights.js";
import type { ParameterData } from "../tensor/like.js";
import type { WeightsPart } from "../wasm/weights.js";
import type { Stack, StackShape } from "./stack.js";
import type { ParameterSpec } from "./state-dict.js";

/** What the parameters of each layer and direction end in, in the order of a stack's layers. */
export function suffixesOf({
  numLayers,
  directions,
}: Pick<StackShape, "numLayers" | "directions">): string[] {
  const ends = directions === 2 ? ["", "_reverse"] : [""];
  return Array.from({ length: numLayers }, (_, layer) => ends.map((end) => `_l${layer}${end}`)).flat();
}

export class StackParameters {
  readonly #stack: Stack;
  readonly #suffixes: readonly string[];

  /** @param suffixes of each layer and direction's names */
  constructor(stack: Stack, suffixes: readonly string[]) {
    this.#stack = stack;
    this.#suffixes = suffixes;
  }

  specs(): ParameterSpec[] {
    return this.#stack.layers.flatMap((layer, index) => layer.specs(this.#suffixes[index]!));
  }

  store(values: ReadonlyMap<string, ParameterData>): void {
    this.#stack.region.borrow(this.#stagingBytes, (staging) => {
      for (const [name, data] of values) {
        const { layer, plain, part } = this.#locate(name);
        layer.store(staging, plain, part, data);
      }
    });
  }

  read(name: string): ParameterData {
    return this.#stack.region.borrow(this.#stagingBytes, (staging) => {
      const { layer, plain, part } = this.#locate(name);
      return layer.read(staging, plain, part);
    });
  }

  get #stagingBytes(): number {
    return this.#stack.layers.reduce((most, layer) => Math.max(most, layer.stagingBytes), 0);
  }

  /** The layer of a parameter or of its scales, and the name without its suffix. */
  #locate(name: string) {
    const matrix = matrixNameOf(name);
    const part: WeightsPart = matrix === undefined ? "weights" : "scales";
    const full = matrix ?? name;
    const index = this.#suffixes.findIndex((suffix) => full.endsWith(suffix));
    const plain = full.slice(0, full.length - this.#suffixes[index]!.length);
    return { layer: this.#stack.layers[index]!, plain, part };
  }
}
