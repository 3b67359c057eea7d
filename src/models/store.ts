/** What the plans of one model share: its graph, its constants in linear memory, and its packed weights. */

import { getOrMake } from "../formats/get-or-make.js";
import type { Data, Graph, HostTensor, Node } from "../graph/ir.js";
import type { OperatorTable } from "../graph/operator.js";
import type { Block } from "../wasm/block.js";
import type { ModelRuntimes } from "../wasm/current.js";
import type { Precision } from "../wasm/precision.js";
import { Region } from "../wasm/region.js";
import { living, type Runtime } from "../wasm/runtime.js";
import { Constants } from "./constants.js";
import type { ModelTable } from "./fold.js";
import type { Rewrite } from "./operator.js";

export interface StoreOptions {
  readonly precision: Precision;
  readonly rewrites: readonly Rewrite[];
  /** Whose `small` it is. */
  readonly large?: Store;
}

export class Store {
  readonly constants: Constants;
  readonly region: Region;
  readonly hostTable: OperatorTable;
  readonly precision: Precision;
  readonly rewrites: readonly Rewrite[];
  readonly runtime: Runtime;
  /** Of plans that are no work for several threads: in the memory of those. The store itself where there is one memory. */
  readonly small: Store;
  readonly #derived: Map<Node, readonly HostTensor[]>;
  /** What was made of numbers, by the region that it is in: several plans may have numbers that no model owns. */
  readonly #made = new WeakMap<Region, WeakMap<Data, Map<string, unknown>>>();
  #arena: Block | undefined;

  /** @param owner what the memory is given back with when it is forgotten */
  constructor(
    readonly graph: Graph,
    readonly table: ModelTable,
    [runtime, small]: ModelRuntimes,
    owner: object,
    options: StoreOptions,
  ) {
    const { precision, rewrites, large } = options;
    this.runtime = runtime;
    this.region = new Region(runtime, owner);
    this.hostTable = new Map(Array.from(table, ([name, { operator }]) => [name, operator]));
    this.precision = precision;
    this.rewrites = rewrites;
    this.constants = large?.constants ?? new Constants(rewrites.length > 0);
    this.#derived = large === undefined ? new Map() : large.#derived;
    this.small =
      small === runtime ? this : new Store(graph, table, [small, small], owner, { ...options, large: this });
  }

  /** Bytes of the constants and weights that are in linear memory. */
  get bytes(): number {
    return this.region.bytes - (this.#arena?.bytes ?? 0) + (this.small === this ? 0 : this.small.bytes);
  }

  /** Bytes of the rooms of plans. */
  get arenaBytes(): number {
    return (this.#arena?.bytes ?? 0) + (this.small === this ? 0 : this.small.arenaBytes);
  }

  /** Says that their model is complete, and lives. */
  live(): void {
    living.set(this.small.region, 0);
    living.set(this.region, 1);
  }

  release(): void {
    for (const store of [this, this.small]) {
      store.region.release();
      store.#arena = undefined;
    }
  }

  /**
   * What `make` gives for these numbers: made once. It lasts as long as the model, or as long as the plan where the
   * numbers are the plan's own.
   */
  shared<Made>(numbers: Data, what: string, make: (region: Region) => Made, plan: Region): Made {
    const region = this.constants.has(numbers) ? this.region : plan;
    const all = getOrMake(this.#made, region, () => new WeakMap<Data, Map<string, unknown>>());
    const made = getOrMake(all, numbers, () => new Map<string, unknown>());
    if (!made.has(what)) made.set(what, make(region));
    return made.get(what) as Made;
  }

  /** Constants that are made for a node of these: made once where these are the model's. */
  derive(node: Node, from: readonly Data[], make: () => readonly HostTensor[]): readonly HostTensor[] {
    const last = this.#derived.get(node);
    if (last !== undefined) return last;
    const made = make();
    if (!from.every((numbers) => this.constants.has(numbers))) return made;
    for (const { data } of made) this.constants.add(data);
    this.#derived.set(node, made);
    return made;
  }

  /** The room of the plans' values, which lie in it together: one plan runs at a time. Undefined before there is one. */
  get arena(): Block | undefined {
    return this.#arena;
  }

  /** The same with at least so many bytes. One that is too small is another afterwards, and plans in it are of no use. */
  arenaOf(bytes: number): Block {
    const last = this.#arena;
    if (last !== undefined && last.bytes >= bytes) return last;
    this.#arena = undefined;
    if (last !== undefined) this.region.free(last);
    this.#arena = this.region.allocate(bytes);
    return this.#arena;
  }

  /** Where constant numbers are in linear memory. */
  address(numbers: Data, plan: Region): number {
    return this.shared(
      numbers,
      "numbers",
      (region) => {
        const block = region.allocate(numbers.byteLength);
        this.runtime.write(block, 0, numbers);
        return block.pointer;
      },
      plan,
    );
  }
}
