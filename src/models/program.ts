/**
 * The nodes of a graph for inputs of certain shapes, as a list of kernel calls over fixed addresses. Its block holds the
 * arena, then scratch that each node has to itself while it runs. The graphs of a node are programs of their own.
 *
 * Nodes without kernels are evaluated on the host. A value whose type is known only at run time stays there.
 */

import { ARRAYS, type Data, type HostTensor, type Type, type Value } from "../graph/ir.js";
import { HostRun } from "../graph/run-host.js";
import { elementsIn } from "../graph/shapes.js";
import type { Steps } from "../graph/steps.js";
import { align, type Block } from "../wasm/block.js";
import { numbersAt } from "../wasm/numbers-at.js";
import type { Region } from "../wasm/region.js";
import type { Runtime } from "../wasm/runtime.js";
import { type Arena, arrange, bytesOf, isOpen, type ReadyNode } from "./arena.js";
import { compileFloats } from "./kernels/narrow.js";
import type { Folded, InnerProgram, Place, PlannedNode } from "./operator.js";
import { rewrite } from "./rewrites/index.js";
import type { Store } from "./store.js";

/** A step of a program with what it computes, for whoever times it. */
export interface Step {
  readonly node: PlannedNode;
  readonly call: () => void;
  readonly onHost: boolean;
  /** Of the node's graphs. */
  readonly inner: readonly Step[];
}

/** What the programs of a plan share. */
export interface Shared {
  readonly store: Store;
  readonly region: Region;
  /** What a run may compute. */
  readonly budget: Steps;
}

export class Program implements InnerProgram {
  readonly steps: readonly Step[];
  readonly #shared: Shared;
  readonly #folded: Folded;
  readonly #outer: Program | undefined;
  readonly #runtime: Runtime;
  readonly #arena: Arena;
  readonly #block: Block;
  /** What nodes on the host gave in the present run, where it has no room in the arena. */
  readonly #made = new Map<Value, HostTensor>();
  #host: HostRun | undefined;

  /**
   * @param reads the values that are read when it has run
   * @param outer the program of the graph around it
   * @param onProgress is told how many nodes are ready, of how many
   * @throws FormatError for what the graph does not allow; RangeError where there is no room
   */
  constructor(
    shared: Shared,
    folded: Folded,
    reads: readonly Value[],
    outer?: Program,
    onProgress?: (done: number, total: number) => void,
  ) {
    const { store, region, budget } = shared;
    this.#shared = shared;
    this.#runtime = store.runtime;
    this.#folded = folded;
    this.#outer = outer;
    const kept = living(folded, reads);
    // Graphs in attributes may read values that a rewrite leaves out.
    const list = kept.some(isOpen) ? kept : rewrite(kept, reads, store);
    const nodes = list.flatMap((node, at) => {
      onProgress?.(at, list.length);
      return ready(shared, node, (value) => this.#isOutside(value));
    });
    const types = this.#typesIn(nodes);
    const inputs = folded.inputs.filter((value) => types.has(value));
    this.#arena = arrange(nodes, types, inputs, reads);
    const scratch = align(this.#arena.bytes);
    const scratchBytes = nodes.reduce((most, { compiled }) => Math.max(most, compiled?.scratchBytes ?? 0), 0);
    const bytes = scratch + scratchBytes;
    if (bytes > budget.roomBytes && nodes.length > 0) {
      const { call } = nodes.reduce((most, node) => (bytesMade(node) > bytesMade(most) ? node : most));
      throw call.broken(`its values and those beside it take ${bytes} bytes, more than ${budget.roomBytes}`);
    }
    this.#block = outer === undefined ? store.arenaOf(bytes) : region.allocate(bytes);
    this.steps = nodes.flatMap((node) => this.#bind(node, this.#block.pointer + scratch));
    onProgress?.(list.length, list.length);
  }

  /** Forgets what the last run has left on the host. */
  begin(): void {
    // Also of an empty map it makes a new table.
    if (this.#made.size > 0) this.#made.clear();
    this.#host = undefined;
  }

  run(): void {
    for (const { call } of this.steps) call();
  }

  address(value: Value): number | undefined {
    const own = this.#folded.resolve(value);
    const offset = this.#arena.offsets.get(own);
    if (offset !== undefined) return this.#block.pointer + offset;
    const data = (own.data ?? this.#folded.known.get(own))?.data;
    if (data !== undefined) return this.#shared.store.address(data, this.#shared.region);
    return this.#outer?.address(own);
  }

  /** Room of a value in the arena; undefined for one that has none. */
  blockOf(value: Value): Block | undefined {
    const offset = this.#arena.offsets.get(value);
    if (offset === undefined) return undefined;
    return this.#block.part(offset, bytesOf(this.#folded.known.get(value)!));
  }

  /** A value, whose numbers may be a view of linear memory. */
  find(value: Value): HostTensor | undefined {
    const own = this.#folded.resolve(value);
    const made = this.#made.get(own);
    if (made !== undefined) return made;
    const known = this.#folded.known.get(own);
    if (known?.data !== undefined) return known as HostTensor;
    const offset = this.#arena.offsets.get(own);
    if (known === undefined || offset === undefined) return this.#outer?.find(own);
    const { dtype, shape } = known;
    const data = numbersAt<Data>(
      this.#runtime,
      ARRAYS[dtype],
      this.#block.pointer + offset,
      elementsIn(shape),
    );
    return { ...known, data: data() };
  }

  /** Whether no run changes where a value's numbers lie. */
  stays(value: Value): boolean {
    return !this.#made.has(this.#folded.resolve(value));
  }

  /** The types of the values that need room. What the graph around has is there. */
  #typesIn(nodes: readonly ReadyNode[]): Map<Value, Type> {
    const types = new Map<Value, Type>();
    const { inputs, known } = this.#folded;
    const add = (value: Value | undefined) => {
      const type = value === undefined ? undefined : known.get(value);
      const isOwn = type !== undefined && type.data === undefined && !this.#isOutside(value!);
      if (isOwn) types.set(value!, type);
    };
    for (const value of inputs) add(value);
    for (const node of nodes) {
      for (const value of node.inputs) add(value);
      for (const value of node.outputs) add(value);
    }
    return types;
  }

  #isOutside(value: Value): boolean {
    return (
      this.#outer !== undefined && (this.#outer.#arena.offsets.has(value) || this.#outer.#isOutside(value))
    );
  }

  /** The kernel calls of a node: none, one, or its evaluation on the host. */
  #bind(node: ReadyNode, scratch: number): Step[] {
    const { compiled, view, nested, graphs = [] } = node;
    if (view !== undefined && "outputs" in view) return [];
    const place = this.#placeOf(node, scratch);
    if (nested !== undefined) {
      const programs = graphs.map((graph, at) => new Program(this.#shared, graph, nested.reads[at]!, this));
      const call = nested.bind({
        ...place,
        runtime: this.#runtime,
        programs,
        budget: this.#shared.budget,
        give: (at, tensor) => this.#made.set(node.outputs[at]!, tensor),
      });
      const inner = programs.flatMap(({ steps }) => steps);
      return [{ node, call, onHost: inner.some(({ onHost }) => onHost), inner }];
    }
    if (compiled === undefined) return [{ node, call: () => this.#onHost(node), onHost: true, inner: [] }];
    return [{ node, call: compiled.bind(place), onHost: false, inner: [] }];
  }

  #placeOf({ inputs, outputs, types }: ReadyNode, scratch: number): Place {
    return {
      input: (at) => {
        const value = inputs[at];
        return value === undefined ? 0 : this.address(value)!;
      },
      output: (at) => {
        const value = outputs[at];
        if (value !== undefined) return this.address(value)!;
        return this.#shared.region.allocate(bytesOf(types![at]!)).pointer;
      },
      scratch,
      record: (words) => {
        const block = this.#shared.region.allocate(words.byteLength);
        this.#runtime.write(block, 0, words);
        return block.pointer;
      },
    };
  }

  #onHost({ call, inputs, outputs }: ReadyNode): void {
    const { store, budget } = this.#shared;
    this.#host ??= new HostRun(store.hostTable, (value) => this.find(value), budget);
    const results = this.#host.node(call.node, inputs.slice(0, call.node.inputs.length));
    for (const [at, value] of outputs.entries()) {
      if (value === undefined) continue;
      const offset = this.#arena.offsets.get(value);
      const result = results[at]!;
      if (offset === undefined) {
        // What it was given by reference may be overwritten before the run ends.
        this.#made.set(value, { ...result, data: result.data.slice() });
      } else this.#runtime.write(this.#block, offset, result.data);
    }
  }
}

/** The nodes whose outputs somebody reads. A graph in an attribute may read any value. */
function living({ nodes }: Folded, reads: readonly Value[]): PlannedNode[] {
  const read = new Set(reads);
  const kept: PlannedNode[] = [];
  let readsAll = false;
  for (let at = nodes.length - 1; at >= 0; at--) {
    const node = nodes[at]!;
    const isRead = readsAll || node.outputs.some((value) => value !== undefined && read.has(value));
    if (!isRead) continue;
    readsAll ||= isOpen(node);
    for (const value of node.inputs) if (value !== undefined) read.add(value);
    kept.push(node);
  }
  return kept.reverse();
}

const bytesMade = ({ types = [] }: PlannedNode): number =>
  types.reduce((sum, type) => sum + bytesOf(type), 0);

/** Looks for a node's views and kernels. One that stands for others is these where it has no kernel. */
function ready(shared: Shared, node: PlannedNode, isOutside: (value: Value) => boolean): ReadyNode[] {
  const { store, region } = shared;
  const { operator, call, types, parts } = node;
  if (types === undefined || node.nested !== undefined)
    return [{ ...node, compiled: undefined, view: undefined }];
  const view = operator.view?.(call, types);
  // Constants are not in the arena, where views are, nor is what the graph around has.
  const isElsewhere = call.inputs[0]?.data !== undefined || isOutside(node.inputs[0]!);
  if (view !== undefined && "outputs" in view && !isElsewhere) {
    return [{ ...node, compiled: undefined, view }];
  }
  const compiling = {
    call,
    types,
    activation: node.activation,
    runtime: store.runtime,
    precision: store.precision,
    shared: <Made>(numbers: Data, what: string, make: (own: Region) => Made) =>
      store.shared(numbers, what, make, region),
  };
  // What stands for several nodes would round once where these round after each.
  const compiled = parts === undefined ? compileFloats(operator, compiling) : operator.compile?.(compiling);
  if (compiled === undefined && parts !== undefined)
    return parts.flatMap((part) => ready(shared, part, isOutside));
  return [{ ...node, compiled, view: view !== undefined && "inputs" in view ? view : undefined }];
}
