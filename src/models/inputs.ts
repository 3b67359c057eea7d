/** What a call gives for a model's inputs, read and checked. Nothing here is made twice that a model can keep. */

import type { Declared } from "../graph/ir.js";
import type { Operand } from "../graph/operator.js";
import { wrongType } from "../tensor/checks.js";
import { kindOf } from "../tensor/typed-array.js";
import type { ModelInputs, ModelParts } from "./model-types.js";
import { checkNames, type ModelInput, readInput } from "./values.js";

/** An input of the graph. */
interface Wanted {
  readonly name: string;
  /** What messages call it. */
  readonly label: string;
  readonly declared: Declared;
  /** The numbers of one that is fixed. */
  readonly constant: Operand | undefined;
}

type Named = Readonly<Record<string, ModelInput>>;

export class InputReader {
  readonly #wanted: readonly Wanted[];
  /** Those that are not fixed. */
  readonly #names: readonly string[];

  constructor({ graph, declared, constants }: ModelParts) {
    this.#wanted = graph.inputs.map(({ name }) => ({
      name,
      label: `inputs.${name}`,
      declared: declared.get(name) ?? {},
      constant: constants.get(name),
    }));
    this.#names = this.#wanted.filter(({ constant }) => constant === undefined).map(({ name }) => name);
  }

  /**
   * The numbers of all inputs, in the graph's order. `extra` has those that the caller does not give.
   * @throws TypeError or RangeError for an input that is missing, unknown or of another shape
   */
  read(inputs: ModelInputs, extra?: ReadonlyMap<string, Operand>): readonly Operand[] {
    const named = this.#byName(inputs, extra);
    const given: Operand[] = [];
    for (const { name, label, declared, constant } of this.#wanted) {
      const ready = constant ?? extra?.get(name);
      if (ready !== undefined) {
        given.push(ready);
        continue;
      }
      const value = named[name];
      if (value === undefined) throw wrongType(label, "an input", value);
      given.push(readInput(label, declared, value));
    }
    return given;
  }

  #byName(inputs: ModelInputs, extra?: ReadonlyMap<string, Operand>): Named {
    const all = this.#names;
    const names = extra === undefined || extra.size === 0 ? all : all.filter((name) => !extra.has(name));
    const isNumbers = typeof inputs !== "object" || kindOf(inputs) !== undefined;
    const isTensor =
      !isNumbers && inputs !== null && "data" in inputs && ("shape" in inputs || "dims" in inputs);
    if (names.length === 1 && (isNumbers || isTensor) && inputs !== undefined) {
      return { [names[0]!]: inputs as ModelInput };
    }
    if (isNumbers || inputs === null || Array.isArray(inputs)) {
      throw wrongType("inputs", `an object with ${names.join(", ")}`, inputs);
    }
    checkNames("inputs", Object.keys(inputs), names);
    return inputs as Named;
  }
}
