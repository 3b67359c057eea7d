/** The outputs of a Keras model and their names. */

import type { KerasTensor } from "./tensor.js";

/** A model's result under its name. */
export interface Output {
  readonly name: string;
  readonly tensor: KerasTensor;
}

/** Outputs by their names: the second of one name is `NAME_1`. */
export function named(outputs: readonly (readonly [name: string, tensor: KerasTensor])[]): readonly Output[] {
  const taken = new Set<string>(outputs.map(([name]) => name));
  const counts = new Map<string, number>();
  return outputs.map(([name, tensor]) => {
    let count = counts.get(name) ?? 0;
    let own = name;
    if (count > 0) {
      own = `${name}_${count}`;
      while (taken.has(own)) own = `${name}_${++count}`;
      taken.add(own);
    }
    counts.set(name, count + 1);
    return { name: own, tensor };
  });
}
