/** Constants of a graph, and what is known of it whatever its inputs are. */

import type { Data, HostTensor, Node } from "../graph/ir.js";

/** What one model's plans have in common: constants that no input's shape has a part in, made once. */
export class Constants {
  readonly results = new Map<Node, readonly HostTensor[]>();
  readonly #numbers = new WeakSet<Data>();

  /** @param inlines whether nodes may become others */
  constructor(readonly inlines: boolean) {}

  add(data: Data): void {
    this.#numbers.add(data);
  }

  /** Whether these numbers are the same in every plan. */
  has(data: Data | undefined): boolean {
    return data !== undefined && this.#numbers.has(data);
  }
}
