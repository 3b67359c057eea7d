/** Rows that a loop collects without knowing how many: on the host, in room that grows and is kept for the next run. */

import { ARRAYS, type Data, type HostTensor, type Type } from "../../graph/ir.js";
import type { Call } from "../../graph/operator.js";
import { MOST_COLLECTED } from "../../graph/operators/control.js";
import { elementsIn } from "../../graph/shapes.js";
import { numbersAt } from "../../wasm/numbers-at.js";
import type { Runtime } from "../../wasm/runtime.js";

export interface RowSource {
  readonly type: Type;
  /** Address of a row. */
  readonly source: number;
  give(tensor: HostTensor): void;
}

export class Rows {
  readonly #size: number;
  readonly #row: () => Data;
  #data: Data;
  #count = 0;

  constructor(
    runtime: Runtime,
    readonly call: Call,
    readonly from: RowSource,
  ) {
    const { type, source } = from;
    this.#size = elementsIn(type.shape);
    this.#row = numbersAt<Data>(runtime, ARRAYS[type.dtype], source, this.#size);
    this.#data = new ARRAYS[type.dtype](0);
  }

  begin(): void {
    this.#count = 0;
  }

  /** @throws FormatError for more than a loop may collect */
  add(): void {
    const from = this.#count * this.#size;
    if (from + this.#size + this.#count >= MOST_COLLECTED) {
      throw this.call.broken(`it collects more than ${MOST_COLLECTED} elements`);
    }
    if (from + this.#size > this.#data.length) {
      const grown = new ARRAYS[this.from.type.dtype](Math.max(64, 2 * (from + this.#size)));
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data.set(this.#row(), from);
    this.#count++;
  }

  end(): void {
    const { dtype, shape } = this.from.type;
    const data = this.#data.subarray(0, this.#count * this.#size);
    this.from.give({ dtype, shape: [this.#count, ...shape], data });
  }
}
