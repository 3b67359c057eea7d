/** One number of linear memory that the host reads or writes while a plan runs. */

import { ARRAYS, type Data, type Dtype } from "../../graph/ir.js";
import { numbersAt } from "../../wasm/numbers-at.js";
import type { Runtime } from "../../wasm/runtime.js";

export interface Cell {
  get(): number;
  set(x: number): void;
}

export function cellAt(runtime: Runtime, dtype: Dtype, address: number): Cell {
  const numbers = numbersAt<Data>(runtime, ARRAYS[dtype], address, 1);
  return {
    get: () => numbers()[0]!,
    set: (x) => {
      numbers()[0] = x;
    },
  };
}
