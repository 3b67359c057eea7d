/** What a call gives for a model's inputs, read and checked. Nothing here is made twice that a model can keep. */

import type { Declared, Graph } from "../graph/ir.js";
import type { TextPort } from "../graph/keras/index.js";
import type { Operand } from "../graph/operator.js";
import { wrongShape, wrongType } from "../tensor/checks.js";
import { kindOf } from "../tensor/typed-array.js";
import type { ModelInputs } from "./model-types.js";
import { checkNames, type ModelInput, readInput, zerosOf } from "./values.js";

/** An input of the graph. */
interface Wanted {
  readonly name: string;
  /** What messages call it. */
  readonly label: string;
  readonly declared: Declared;
  /** The numbers of one that is fixed. */
  readonly constant: Operand | undefined;
  /** Whether it is a state that users do not see. */
  readonly hidden: boolean;
  /** What makes it of strings that users give. */
  readonly convert: ((inputs: Named) => Operand) | undefined;
}

type Named = Readonly<Record<string, ModelInput>>;

/** What is known of a model's inputs, as its loader gives it. */
interface InputParts {
  readonly graph: Graph;
  readonly declared: ReadonlyMap<string, Declared>;
  readonly constants: ReadonlyMap<string, Operand>;
  readonly layers?:
    | {
        readonly ports: readonly TextPort[];
        readonly states: ReadonlySet<string>;
        readonly texts: ReadonlyMap<string, (inputs: Named) => Operand>;
      }
    | undefined;
}

export class InputReader {
  readonly #wanted: readonly Wanted[];
  /** Those that users give. */
  readonly #names: readonly string[];

  constructor({ graph, declared, constants, layers }: InputParts) {
    this.#wanted = graph.inputs.map(({ name }) => ({
      name,
      label: `inputs.${name}`,
      declared: declared.get(name) ?? {},
      constant: constants.get(name),
      hidden: layers?.states.has(name) === true,
      convert: layers?.texts.get(name),
    }));
    this.#names =
      layers?.ports.map(({ name }) => name) ??
      this.#wanted.filter(({ constant }) => constant === undefined).map(({ name }) => name);
  }

  /**
   * The numbers of all inputs, in the graph's order. `extra` has those that the caller does not give. States that users
   * do not see are zeros unless they are there.
   * @throws TypeError or RangeError for an input that is missing, unknown or of another shape
   */
  read(inputs: ModelInputs, extra?: ReadonlyMap<string, Operand>): readonly Operand[] {
    const named = this.#byName(inputs, extra);
    const given: Operand[] = [];
    for (const { name, label, declared, constant, hidden, convert } of this.#wanted) {
      const ready =
        constant ?? extra?.get(name) ?? (hidden ? zerosOf(declared, this.#sizesOf(given)) : undefined);
      if (ready !== undefined) {
        if (hidden) this.#checkState(ready, declared, given);
        given.push(ready);
        continue;
      }
      if (convert !== undefined) {
        given.push(convert(named));
        continue;
      }
      const value = named[name];
      if (value === undefined) throw wrongType(label, "an input", value);
      given.push(readInput(label, declared, value));
    }
    return given;
  }

  /** @throws RangeError where a state is of another batch than the inputs that have been read */
  #checkState({ shape }: Operand, declared: Declared, given: readonly Operand[]): void {
    const axis = declared.shape?.findIndex((size) => typeof size === "string") ?? -1;
    if (axis < 0) return;
    for (let at = 0; at < given.length; at++) {
      const wanted = this.#wanted[at]!;
      // States stand behind the inputs that users give.
      if (wanted.hidden) return;
      if (wanted.declared.shape?.[0] !== declared.shape![axis]) continue;
      if (given[at]!.shape[0] === shape[axis]) continue;
      const expected = `a batch of ${shape[axis]}, as the states have it`;
      throw wrongShape(`${wanted.label}.shape`, expected, `[${given[at]!.shape.join(", ")}]`);
    }
  }

  /** What the names of sizes are in inputs that have been read. */
  #sizesOf(given: readonly Operand[]): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>();
    for (const [at, { shape }] of given.entries()) {
      // States stand behind the inputs that users give.
      if (this.#wanted[at]!.hidden) break;
      for (const [axis, size] of (this.#wanted[at]!.declared.shape ?? []).entries()) {
        if (typeof size === "string") sizes.set(size, shape[axis]!);
      }
    }
    return sizes;
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
