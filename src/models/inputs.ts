/** What a call gives for a model's inputs, read and checked. Nothing here is made twice that a model can keep. */

import type { Declared, Graph, HostTensor } from "../graph/ir.js";
import type { TextPort } from "../graph/keras/index.js";
import type { Operand } from "../graph/operator.js";
import { sameShape, wrongShape, wrongType } from "../tensor/checks.js";
import { kindOf, lengthOf } from "../tensor/typed-array.js";
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

/** An input of the step before. */
interface Last {
  readonly value: unknown;
  readonly length: number;
  readonly operand: HostTensor;
}

export class InputReader {
  readonly #wanted: readonly Wanted[];
  /** Those that users give. */
  readonly #names: readonly string[];
  /** What a stream's steps use again, so that nothing is allocated in one: a list, the last inputs, names. */
  #spare: Operand[] | undefined;
  readonly #last: Last[] = [];
  #left: { readonly extra: object; readonly size: number; readonly names: readonly string[] } | undefined;

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
    // Within a getter of an input another step may be taken: it has a list of its own.
    const given = this.#spare ?? [];
    this.#spare = undefined;
    for (let at = 0; at < this.#wanted.length; at++) {
      const { name, label, declared, constant, hidden, convert } = this.#wanted[at]!;
      const ready =
        constant ?? extra?.get(name) ?? (hidden ? zerosOf(declared, this.#sizesOf(given)) : undefined);
      if (ready !== undefined) {
        if (hidden) this.#checkState(ready, declared, given);
        given[at] = ready;
        continue;
      }
      if (convert !== undefined) {
        given[at] = convert(named);
        continue;
      }
      const value = named[name];
      if (value === undefined) throw wrongType(label, "an input", value);
      given[at] =
        extra === undefined ? readInput(label, declared, value) : this.#readStep(at, label, declared, value);
    }
    return given;
  }

  /** Takes back a list that {@link read} gave, for the next step. */
  takeBack(given: readonly Operand[]): void {
    this.#spare = given as Operand[];
  }

  /** Reads an input of a stream. One that is the same object or number as in the step before is what it was. */
  #readStep(at: number, label: string, declared: Declared, value: ModelInput): HostTensor {
    const last = this.#last[at];
    if (last !== undefined && Object.is(last.value, value) && isSame(last, value)) return last.operand;
    const operand = readInput(label, declared, value);
    this.#last[at] = { value, length: operand.data.length, operand };
    return operand;
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
    const names = extra === undefined || extra.size === 0 ? all : this.#namesWithout(extra);
    const isNumbers = typeof inputs !== "object" || kindOf(inputs) !== undefined;
    const isTensor =
      !isNumbers && inputs !== null && "data" in inputs && ("shape" in inputs || "dims" in inputs);
    if (names.length === 1 && (isNumbers || isTensor) && inputs !== undefined) {
      return { [names[0]!]: inputs as ModelInput };
    }
    if (isNumbers || inputs === null || Array.isArray(inputs)) {
      throw wrongType("inputs", `an object with ${names.join(", ")}`, inputs);
    }
    for (const name in inputs) {
      if (!names.includes(name) && Object.hasOwn(inputs, name)) checkNames("inputs", [name], names);
    }
    return inputs as Named;
  }

  #namesWithout(extra: ReadonlyMap<string, Operand>): readonly string[] {
    const left = this.#left;
    if (left?.extra === extra && left.size === extra.size) return left.names;
    const names = this.#names.filter((name) => !extra.has(name));
    this.#left = { extra, size: extra.size, names };
    return names;
  }
}

/** Whether an object has still the numbers and the shape that were read of it; what had to be converted has not. */
function isSame({ operand, length }: Last, value: ModelInput): boolean {
  if (typeof value !== "object") return true;
  const isNumbers = kindOf(value) !== undefined;
  const { data, shape } = value as { readonly data?: unknown; readonly shape?: readonly number[] };
  const numbers = isNumbers ? value : data;
  if (numbers !== operand.data || lengthOf(operand.data) !== length) return false;
  return isNumbers || (shape !== undefined && sameShape(shape, operand.shape));
}
