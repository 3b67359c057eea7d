/** A graph for inputs of certain shapes, which is run by writing them and calling its program. */

import type { HostTensor } from "../graph/ir.js";
import type { Operand } from "../graph/operator.js";
import { elementsIn } from "../graph/shapes.js";
import { Steps } from "../graph/steps.js";
import type { Block } from "../wasm/block.js";
import { Region } from "../wasm/region.js";
import type { Folded } from "./operator.js";
import { Program, type Step } from "./program.js";
import type { Store } from "./store.js";

/** An input of the graph in a plan. */
export interface Slot {
  readonly name: string;
  /** Where its numbers are to be; undefined for what is constant, or read by nobody. */
  readonly block: Block | undefined;
}

/** A result of a run, whose numbers may be a view of linear memory. */
export interface PlanOutput {
  readonly name: string;
  /** Its shape is frozen. */
  readonly tensor: HostTensor;
}

/**
 * The least work of a node (`Folded.most`) that several threads share: a step of 256 units, or eight of 128. A frame of
 * Silero VAD has half of it, in a convolution, and took 1.02 times as long in a memory that is shared.
 */
const SPLIT_WORK = 2 ** 20;

export class Plan {
  readonly inputs: readonly Slot[];
  readonly region: Region;
  readonly #given: readonly Operand[];
  readonly #folded: Folded;
  readonly #names: readonly string[];
  readonly #program: Program;
  readonly #budget: Steps;
  readonly #store: Store;
  readonly #arena: Block | undefined;
  /** Outputs whose places no run changes, as views of this buffer. To make them takes longer than a small kernel. */
  #lastOutputs: { readonly buffer: ArrayBuffer; readonly list: readonly PlanOutput[] } | undefined;

  /**
   * @param all the model's store
   * @param given types of the graph's inputs by name, with numbers for those that are constant
   * @param onProgress is told how many nodes are ready, of how many
   * @throws FormatError for what the graph does not allow; RangeError where there is no room
   */
  constructor(
    all: Store,
    given: ReadonlyMap<string, Operand>,
    folded: Folded,
    onProgress?: (done: number, total: number) => void,
  ) {
    const isLarge = folded.open > 0 || folded.most >= SPLIT_WORK;
    const store = isLarge ? all : all.small;
    this.#store = store;
    const { graph, runtime } = store;
    let numbers = 0;
    for (const { shape } of given.values()) numbers += elementsIn(shape);
    this.#budget = new Steps(graph.fileBytes, numbers);
    this.#given = Array.from(given.values());
    this.#folded = folded;
    this.#names = graph.outputs.map(({ name }) => name);
    this.region = new Region(runtime, this);
    try {
      const shared = { store, region: this.region, budget: this.#budget };
      this.#program = new Program(shared, folded, folded.results, undefined, onProgress);
      this.#arena = store.arena;
      this.inputs = graph.inputs.map(({ name, value }) => ({ name, block: this.#program.blockOf(value) }));
    } catch (error) {
      this.region.release();
      throw error;
    }
  }

  get steps(): readonly Step[] {
    return this.#program.steps;
  }

  /** Whether the room in which its values lie is still the store's. */
  get hasRoom(): boolean {
    return this.#arena === this.#store.arena;
  }

  /** Whether these are the types, and the constants, of the inputs that it was made for, in the graph's order. */
  fits(given: readonly Operand[]): boolean {
    let at = 0;
    for (const { shape, data } of this.#given) {
      const other = given[at++]!;
      if (!sameNumbers(shape, other.shape)) return false;
      if (data !== undefined && (other.data === undefined || !sameNumbers(data, other.data))) return false;
    }
    return true;
  }

  /** What is called before the steps. */
  begin(): void {
    this.#budget.restart();
    this.#program.begin();
  }

  /** Computes the outputs of what has been written to the inputs. */
  run(): void {
    const { hold } = this.region.runtime;
    hold?.(1);
    try {
      this.begin();
      this.#program.run();
    } finally {
      hold?.(0);
    }
  }

  /** The outputs of the last run. Their numbers may be views of linear memory, of no use after the next call. */
  outputs(): readonly PlanOutput[] {
    const { buffer } = this.region.runtime.memory;
    if (this.#lastOutputs?.buffer === buffer) return this.#lastOutputs.list;
    const { results } = this.#folded;
    const list = this.#names.map((name, at): PlanOutput => {
      const { dtype, shape, data } = this.#program.find(results[at]!)!;
      return { name, tensor: { dtype, shape: Object.freeze([...shape]), data } };
    });
    if (results.every((value) => this.#program.stays(value))) this.#lastOutputs = { buffer, list };
    return list;
  }
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
