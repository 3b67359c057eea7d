/** Rows that a loop collects without knowing how many: on the host, in room that grows and is kept for the next run. */

import { ARRAYS, type Data, type HostTensor, type Type } from "../../graph/ir.js";
import type { Call } from "../../graph/operator.js";
import { MOST_COLLECTED } from "../../graph/operators/control.js";
import { elementsIn } from "../../graph/shapes.js";
import type { Runtime } from "../../wasm/runtime.js";

export interface RowSource {
  readonly type: Type;
  /** Address of a row. */
  readonly source: number;
  give(tensor: HostTensor): void;
}

export class Rows {
  readonly #size: number;
  #data: Data;
  #row: Data;
  #count = 0;

  constructor(
    readonly runtime: Runtime,
    readonly call: Call,
    readonly from: RowSource,
  ) {
    this.#size = elementsIn(from.type.shape);
    this.#data = new ARRAYS[from.type.dtype](0);
    this.#row = this.#data;
  }

  begin(): void {
    const { type, source } = this.from;
    this.#count = 0;
    this.#row = new ARRAYS[type.dtype](this.runtime.memory.buffer as ArrayBuffer, source, this.#size);
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
    this.#data.set(this.#row, from);
    this.#count++;
  }

  end(): void {
    const { dtype, shape } = this.from.type;
    const data = this.#data.subarray(0, this.#count * this.#size);
    this.from.give({ dtype, shape: [this.#count, ...shape], data });
  }
}
