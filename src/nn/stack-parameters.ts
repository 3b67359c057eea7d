/** The parameters of a stack's layers under PyTorch's names. */
import { matrixNameOf } from "../int8/round-weights.js";
import type { ParameterData } from "../tensor/like.js";
import type { Block } from "../wasm/block.js";
import { readWeights } from "../wasm/read-weights.js";
import type { WeightsPart } from "../wasm/weights.js";
import { type Layer, PEEPHOLES, partOf } from "./layer.js";
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
  readonly #stack: Pick<Stack, "layers" | "region">;
  /** The index of the layer whose names end so. */
  readonly #suffixes: ReadonlyMap<string, number>;

  /** @param suffixes of each layer and direction's names */
  constructor(stack: Pick<Stack, "layers" | "region">, suffixes: readonly string[]) {
    this.#stack = stack;
    this.#suffixes = new Map(suffixes.map((suffix, index) => [suffix, index]));
  }

  specs(): ParameterSpec[] {
    return [...this.#suffixes].flatMap(([suffix, index]) => this.#stack.layers[index]!.specs(suffix));
  }

  store(values: ReadonlyMap<string, ParameterData>): void {
    const most = this.#stack.layers.reduce((bytes, layer) => Math.max(bytes, layer.stagingBytes), 0);
    this.#stack.region.borrow(most, (staging) => {
      for (const [name, data] of values) {
        const { layer, plain, part } = this.#locate(name);
        layer.store(staging, plain, part, data);
      }
    });
  }

  read(name: string): ParameterData {
    const { layer, plain, part } = this.#locate(name);
    return this.#stack.region.borrow(layer.stagingBytes, (staging) =>
      readParameter(layer, staging, plain, part),
    );
  }

  /** The layer of a parameter or of its scales, and the name without its suffix. */
  #locate(name: string) {
    const matrix = matrixNameOf(name);
    const part: WeightsPart = matrix === undefined ? "weights" : "scales";
    const full = matrix ?? name;
    const end = full.lastIndexOf("_l");
    // The names of a cell have no suffix.
    const start = end < 0 ? full.length : end;
    const index = this.#suffixes.get(full.slice(start))!;
    return { layer: this.#stack.layers[index]!, plain: full.slice(0, start), part };
  }
}

/** A copy of one parameter, or of its scales, named without its suffix. */
function readParameter(layer: Layer, staging: Block, name: string, part: WeightsPart): ParameterData {
  const peephole = PEEPHOLES.indexOf(name);
  if (peephole < 0) return readWeights(layer.weightsOf(name), staging, partOf(name, part));
  const { runtime } = layer.weightInput.region;
  return runtime.read(layer.peepholes!, peephole * layer.cRow, layer.shape.hiddenSize, name);
}
