/** One number of linear memory that the host reads or writes while a plan runs. */

import { ARRAYS, type Data, type Dtype } from "../../graph/ir.js";
import type { Runtime } from "../../wasm/runtime.js";

export interface Cell {
  get(): number;
  set(x: number): void;
}

export function cellAt({ memory }: Runtime, dtype: Dtype, address: number): Cell {
  const Numbers = ARRAYS[dtype];
  let view: Data = new Numbers(0);
  const current = (): Data => {
    // None at first, or detached by growth.
    if (view.length === 0) view = new Numbers(memory.buffer as ArrayBuffer, address, 1);
    return view;
  };
  return {
    get: () => current()[0]!,
    set: (x) => {
      current()[0] = x;
    },
  };
}
