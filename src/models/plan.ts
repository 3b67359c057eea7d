/**
 * A graph for inputs of certain shapes, as a list of kernel calls over fixed addresses. Its block holds the arena, then
 * scratch that each node has to itself while it runs.
 *
 * Nodes without kernels are evaluated on the host. A value whose type is known only at run time stays there.
 */

import { ARRAYS, type Data, type HostTensor, type Type, type Value } from "../graph/ir.js";
import type { Operand } from "../graph/operator.js";
import { HostRun } from "../graph/run-host.js";
import { elementsIn } from "../graph/shapes.js";
import { Steps } from "../graph/steps.js";
import { align, type Block } from "../wasm/block.js";
import { Region } from "../wasm/region.js";
import type { Runtime } from "../wasm/runtime.js";
import { type Arena, arrange, bytesOf, type ReadyNode } from "./arena.js";
import type { Folded } from "./fold.js";
import type { Place } from "./operator.js";
import type { PlannedNode } from "./planned-node.js";
import { rewrite } from "./rewrites/index.js";
import type { Store } from "./store.js";

/** An input of the graph in a plan. */
export interface Slot {
  readonly name: string;
  /** Where its numbers are to be; undefined for what is constant, or read by nobody. */
  readonly block: Block | undefined;
}

/** A step of a plan with what it computes, for whoever times it. */
export interface Step {
  readonly node: PlannedNode;
  readonly call: () => void;
  readonly onHost: boolean;
}

/** A result of a run, whose numbers may be a view of linear memory. */
export interface PlanOutput {
  readonly name: string;
  /** Its shape is frozen. */
  readonly tensor: HostTensor;
}

export class Plan {
  readonly inputs: readonly Slot[];
  readonly steps: readonly Step[];
  readonly region: Region;
  readonly #given: readonly Operand[];
  readonly #folded: Folded;
  readonly #runtime: Runtime;
  readonly #arena: Arena;
  readonly #block: Block;
  readonly #outputs: Folded["outputs"];
  readonly #table: Store["hostTable"];
  readonly #fileBytes: number | undefined;
  /** What nodes on the host gave in the present run, where it has no room in the arena. */
  readonly #made = new Map<Value, HostTensor>();
  #host: HostRun | undefined;
  /** Outputs whose places no run changes, as views of this buffer. To make them takes longer than a small kernel. */
  #lastOutputs: { readonly buffer: ArrayBuffer; readonly list: readonly PlanOutput[] } | undefined;

  /**
   * @param given types of the graph's inputs by name, with numbers for those that are constant
   * @param onProgress is told how many nodes are ready, of how many
   * @throws FormatError for what the graph does not allow; RangeError where there is no room
   */
  constructor(
    store: Store,
    given: ReadonlyMap<string, Operand>,
    folded: Folded,
    onProgress?: (done: number, total: number) => void,
  ) {
    const { graph, runtime } = store;
    this.#table = store.hostTable;
    this.#fileBytes = graph.fileBytes;
    this.#runtime = runtime;
    this.#folded = folded;
    this.#given = Array.from(given.values());
    this.region = new Region(runtime, this);
    try {
      const kept = living(folded);
      // Graphs in attributes may read values that a rewrite leaves out.
      const list = kept.some(isControl) ? kept : rewrite(kept, folded, store);
      const nodes = list.flatMap((node, at) => {
        onProgress?.(at, list.length);
        return ready(store, this.region, node);
      });
      const types = typesIn(graph, nodes, folded);
      const inputs = graph.inputs.map(({ value }) => value).filter((value) => types.has(value));
      const outputs = folded.outputs.map(({ value }) => value);
      this.#arena = arrange(nodes, types, inputs, outputs);
      const scratch = align(this.#arena.bytes);
      const scratchBytes = nodes.reduce(
        (most, { compiled }) => Math.max(most, compiled?.scratchBytes ?? 0),
        0,
      );
      this.#block = this.region.allocate(scratch + scratchBytes);
      this.inputs = graph.inputs.map(({ name, value }) => ({ name, block: this.#blockOf(value) }));
      this.#outputs = folded.outputs;
      this.steps = nodes.flatMap((node) => this.#bind(node, store, this.#block.pointer + scratch));
      onProgress?.(list.length, list.length);
    } catch (error) {
      this.region.release();
      throw error;
    }
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

  /** Computes the outputs of what has been written to the inputs. */
  run(): void {
    this.#made.clear();
    this.#host = undefined;
    for (const { call } of this.steps) call();
  }

  /** The outputs of the last run. Their numbers may be views of linear memory, of no use after the next call. */
  outputs(): readonly PlanOutput[] {
    const { buffer } = this.#runtime.memory;
    if (this.#lastOutputs?.buffer === buffer) return this.#lastOutputs.list;
    const list = this.#outputs.map(({ name, value }): PlanOutput => {
      const { dtype, shape, data } = this.#find(value)!;
      return { name, tensor: { dtype, shape: Object.freeze([...shape]), data } };
    });
    const stay = !this.#outputs.some(({ value }) => this.#made.has(this.#folded.resolve(value)));
    if (stay) this.#lastOutputs = { buffer, list };
    return list;
  }

  #blockOf(value: Value): Block | undefined {
    const offset = this.#arena.offsets.get(value);
    return offset === undefined
      ? undefined
      : this.#block.part(offset, bytesOf(this.#folded.known.get(value)!));
  }

  /** The kernel calls of a node: none, one, or its evaluation on the host. */
  #bind(node: ReadyNode, store: Store, scratch: number): Step[] {
    const { compiled, view, inputs, outputs } = node;
    if (view !== undefined && "outputs" in view) return [];
    if (compiled === undefined) return [{ node, call: () => this.#onHost(node), onHost: true }];
    const { offsets } = this.#arena;
    const start = this.#block.pointer;
    const place: Place = {
      input: (at) => {
        const value = inputs[at];
        if (value === undefined) return 0;
        const offset = offsets.get(value);
        if (offset !== undefined) return start + offset;
        return store.address((value.data ?? this.#folded.known.get(value)!).data!, this.region);
      },
      output: (at) => {
        const value = outputs[at];
        if (value !== undefined) return start + offsets.get(value)!;
        return this.region.allocate(bytesOf(node.types![at]!)).pointer;
      },
      scratch,
      record: (words) => {
        const block = this.region.allocate(words.byteLength);
        this.#runtime.write(block, 0, words);
        return block.pointer;
      },
    };
    return [{ node, call: compiled.bind(place), onHost: false }];
  }

  #find(value: Value): HostTensor | undefined {
    const own = this.#folded.resolve(value);
    const made = this.#made.get(own);
    if (made !== undefined) return made;
    const known = this.#folded.known.get(own);
    if (known === undefined || known.data !== undefined) return known as HostTensor | undefined;
    const offset = this.#arena.offsets.get(own);
    if (offset === undefined) return undefined;
    return { ...known, data: viewOf(this.#runtime, this.#block.pointer + offset, known) };
  }

  /** What one run may compute on the host. */
  #steps(): Steps {
    let numbers = 0;
    for (const { shape } of this.#given) numbers += elementsIn(shape);
    return new Steps(this.#fileBytes, numbers);
  }

  #onHost({ call, inputs, outputs }: ReadyNode): void {
    this.#host ??= new HostRun(this.#table, (value) => this.#find(value), this.#steps());
    const results = this.#host.node(call.node, inputs);
    for (const [at, value] of outputs.entries()) {
      if (value === undefined) continue;
      const offset = this.#arena.offsets.get(value);
      const result = results[at]!;
      if (offset === undefined) {
        // What it was given by reference may be overwritten before the run ends.
        this.#made.set(value, { ...result, data: result.data.slice() });
      } else viewOf(this.#runtime, this.#block.pointer + offset, result).set(result.data);
    }
  }
}

/** The numbers at an address. */
function viewOf({ memory }: Runtime, address: number, { dtype, shape }: Type): Data {
  return new ARRAYS[dtype](memory.buffer, address, elementsIn(shape));
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

const isControl = ({ operator }: PlannedNode): boolean => "control" in operator.operator;

/** The nodes whose outputs somebody reads. A graph in an attribute may read any value. */
function living({ nodes, outputs }: Folded): PlannedNode[] {
  const read = new Set(outputs.map(({ value }) => value));
  const kept: PlannedNode[] = [];
  let readsAll = false;
  for (let at = nodes.length - 1; at >= 0; at--) {
    const node = nodes[at]!;
    const isRead = readsAll || node.outputs.some((value) => value !== undefined && read.has(value));
    if (!isRead) continue;
    readsAll ||= isControl(node);
    for (const value of node.inputs) if (value !== undefined) read.add(value);
    kept.push(node);
  }
  return kept.reverse();
}

/** Looks for a node's views and kernels. One that stands for others is these where it has no kernel. */
function ready(store: Store, region: Region, node: PlannedNode): ReadyNode[] {
  const { operator, call, types, parts } = node;
  if (types === undefined) return [{ ...node, compiled: undefined, view: undefined }];
  const view = operator.view?.(call, types);
  // Constants are not in the arena, where views are.
  if (view !== undefined && "outputs" in view && call.inputs[0]?.data === undefined) {
    return [{ ...node, compiled: undefined, view }];
  }
  const compiled = operator.compile?.({
    call,
    types,
    activation: node.activation,
    runtime: store.runtime,
    precision: store.precision,
    shared: (numbers, what, make) => store.shared(numbers, what, make, region),
  });
  if (compiled === undefined && parts !== undefined)
    return parts.flatMap((part) => ready(store, region, part));
  return [{ ...node, compiled, view: view !== undefined && "inputs" in view ? view : undefined }];
}

/** The types of the values that need room. Values that a graph in an attribute reads last as long as it. */
function typesIn(graph: Store["graph"], nodes: readonly ReadyNode[], { known }: Folded): Map<Value, Type> {
  const types = new Map<Value, Type>();
  const add = (value: Value | undefined) => {
    const type = value === undefined ? undefined : known.get(value);
    if (type !== undefined && type.data === undefined) types.set(value!, type);
  };
  for (const { value } of graph.inputs) add(value);
  for (const { inputs, outputs } of nodes) {
    for (const value of inputs) add(value);
    for (const value of outputs) add(value);
  }
  return types;
}
