/**
 * Keeps Transposes from standing between convolutions. Those of Keras have the channels last, ONNX's first, so that each
 * has a Transpose on both sides. What computes number by number goes before the Transpose of its input, until it meets
 * the next one, which turns axes back: then both are gone.
 */

import type { Value } from "../ir.js";

/** Operators whose numbers are made of the numbers at the same place. */
const ELEMENTWISE: ReadonlySet<string> = new Set([
  ...["Abs", "Add", "And", "Clip", "Div", "Equal", "Exp", "Gelu", "Greater", "GreaterOrEqual", "LeakyRelu"],
  ...["Less", "LessOrEqual", "Log", "Max", "Min", "Mul", "Neg", "Not", "Or", "Pow", "PRelu", "Relu"],
  ...["Sigmoid", "Sqrt", "Sub", "Tanh", "Where"],
]);

/** A value that is another one with its axes in another order. */
export interface Turned {
  readonly input: Value;
  readonly perm: readonly number[];
}

export class Transposes {
  readonly #turned = new Map<Value, Turned>();

  add(value: Value, turned: Turned): void {
    this.#turned.set(value, turned);
  }

  /** What a value is a Transpose of, if it is one. */
  of(value: Value | undefined): Turned | undefined {
    return value === undefined ? undefined : this.#turned.get(value);
  }

  /** The value whose Transpose by `perm` gives it back. */
  cancelled(value: Value, perm: readonly number[]): Value | undefined {
    const turned = this.#turned.get(value);
    return turned !== undefined && perm.every((axis, at) => turned.perm[axis] === at)
      ? turned.input
      : undefined;
  }

  /** Inputs with which an operator computes before the Transposes of its inputs, and the order that these give. */
  before(
    operator: string,
    inputs: readonly (Value | undefined)[],
  ): { readonly inputs: readonly (Value | undefined)[]; readonly perm: readonly number[] } | undefined {
    if (!ELEMENTWISE.has(operator)) return undefined;
    const perm = inputs.map((input) => this.of(input)).find((turned) => turned !== undefined)?.perm;
    if (perm === undefined) return undefined;
    const made: (Value | undefined)[] = [];
    for (const input of inputs) {
      const turned = this.of(input);
      if (input === undefined) made.push(input);
      else if (turned !== undefined) {
        if (turned.perm.join() !== perm.join()) return undefined;
        made.push(turned.input);
      } else {
        const constant = turnedBack(input, perm);
        if (constant === undefined) return undefined;
        made.push(constant);
      }
    }
    return { inputs: made, perm };
  }
}

/** A constant in the order before a Transpose: one number, or numbers along one axis. */
function turnedBack(value: Value, perm: readonly number[]): Value | undefined {
  const { data } = value;
  if (data === undefined || data.shape.length > perm.length) return undefined;
  const wide = [...new Array<number>(perm.length - data.shape.length).fill(1), ...data.shape];
  if (wide.filter((size) => size !== 1).length > 1) return undefined;
  if (data.shape.length === 0) return value;
  const shape = new Array<number>(perm.length);
  for (const [to, from] of perm.entries()) shape[from] = wide[to]!;
  return { ...value, data: { ...data, shape } };
}
