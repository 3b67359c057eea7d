/**
 * Where the values of a plan lie in its arena: one block of linear memory that is planned by lifetimes. Values that are
 * views of each other share a room, which lives from the first that is made to the last that is read.
 *
 * Rooms begin at multiples of 16 bytes.
 */

import { ARRAYS, type Type, type Value } from "../graph/ir.js";
import { elementsIn } from "../graph/shapes.js";
import { align } from "../wasm/block.js";
import type { Compiled, PlannedNode, View } from "./operator.js";

/** Bytes that a tensor takes in linear memory. */
export function bytesOf({ dtype, shape }: Type): number {
  return elementsIn(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** A node with what was found out about it. */
export interface ReadyNode extends PlannedNode {
  readonly compiled: Compiled | undefined;
  readonly view: View | undefined;
}

/** Whether a graph of the node may read whatever was made before it: one that is not planned. */
export const isOpen = ({ operator, nested }: PlannedNode): boolean =>
  "control" in operator.operator && nested === undefined;

export interface Arena {
  readonly bytes: number;
  /** Offset of each value that lies in it. */
  readonly offsets: ReadonlyMap<Value, number>;
}

/** Values that share numbers: the room is the root's. */
class Rooms {
  readonly #parents = new Map<Value, { parent: Value; offset: number }>();
  readonly #shared = new Set<Value>();

  /** Where a value lies: in the room of a root, so many bytes from its beginning. */
  find(value: Value): { root: Value; offset: number } {
    let root = value;
    let offset = 0;
    for (let up = this.#parents.get(root); up !== undefined; up = this.#parents.get(root)) {
      root = up.parent;
      offset += up.offset;
    }
    // Those on the way are put below the root: a chain of nodes in place is as long as the model.
    let left = offset;
    for (let at = value; at !== root; ) {
      const up = this.#parents.get(at)!;
      this.#parents.set(at, { parent: root, offset: left });
      left -= up.offset;
      at = up.parent;
    }
    return { root, offset };
  }

  /** Whether it has its room to itself. */
  isAlone(value: Value): boolean {
    return !this.#parents.has(value) && !this.#shared.has(value);
  }

  isRoot(value: Value): boolean {
    return !this.#parents.has(value);
  }

  /** Lets a root lie in the room of another one, so many bytes from the beginning of `parent`. */
  join(value: Value, parent: Value, offset: number): void {
    this.#parents.set(value, { parent, offset });
    this.#shared.add(this.find(parent).root);
  }
}

interface Life {
  /** The node that makes the first of its values, -1 for an input of the graph. */
  begin: number;
  /** The last node that reads one of its values. */
  end: number;
  bytes: number;
}

/**
 * @param types of every value that has a type before the run, constants left out
 * @param inputs values that are written before the first node
 * @param outputs values that are read after the last one
 */
export function arrange(
  nodes: readonly ReadyNode[],
  types: ReadonlyMap<Value, Type>,
  inputs: readonly Value[],
  outputs: readonly Value[],
): Arena {
  const rooms = new Rooms();
  shareViews(nodes, types, rooms);
  const last = new Map<Value, number>();
  for (const [at, node] of nodes.entries()) {
    for (const value of node.inputs) if (value !== undefined) last.set(value, at);
  }
  // A graph in an attribute may read whatever was made before its node.
  const captured = nodes.reduce((most, node, at) => (isOpen(node) ? at : most), -1);
  for (const node of nodes.slice(0, captured)) {
    for (const value of node.outputs) {
      if (value !== undefined) last.set(value, Math.max(captured, last.get(value) ?? captured));
    }
  }
  for (const value of outputs) last.set(value, nodes.length);
  shareInPlace(nodes, types, { rooms, last, kept: new Set(inputs) });

  const lives = new Map<Value, Life>();
  const touch = (value: Value, at: number) => {
    const type = types.get(value);
    if (type === undefined) return;
    const { root, offset } = rooms.find(value);
    const life = lives.get(root);
    const bytes = offset + bytesOf(type);
    if (life === undefined) lives.set(root, { begin: at, end: at, bytes });
    else {
      life.begin = Math.min(life.begin, at);
      life.end = Math.max(life.end, at);
      life.bytes = Math.max(life.bytes, bytes);
    }
  };
  for (const value of inputs) touch(value, -1);
  for (const value of captured < 0 ? [] : inputs) touch(value, captured);
  for (const [at, node] of nodes.entries()) {
    for (const value of node.inputs) if (value !== undefined) touch(value, at);
    for (const value of node.outputs) {
      if (value === undefined) continue;
      touch(value, at);
      if (at < captured) touch(value, captured);
    }
  }
  for (const value of outputs) touch(value, nodes.length);
  return placeAll(lives, rooms, types);
}

function shareViews(nodes: readonly ReadyNode[], types: ReadonlyMap<Value, Type>, rooms: Rooms): void {
  for (const { view, inputs, outputs } of nodes) {
    if (view === undefined) continue;
    if ("outputs" in view) {
      const [source] = inputs;
      if (source === undefined || !types.has(source)) continue;
      const size = ARRAYS[types.get(source)!.dtype].BYTES_PER_ELEMENT;
      for (const [at, value] of outputs.entries()) {
        if (value !== undefined) rooms.join(value, source, view.outputs[at]! * size);
      }
      continue;
    }
    const whole = outputs[0];
    if (whole === undefined) continue;
    const size = ARRAYS[types.get(whole)!.dtype].BYTES_PER_ELEMENT;
    for (const [at, value] of inputs.entries()) {
      // One that lies elsewhere already is copied.
      if (value === undefined || !types.has(value) || !rooms.isRoot(value)) continue;
      if (rooms.find(whole).root !== value) rooms.join(value, whole, view.inputs[at]! * size);
    }
  }
}

/** Lets an output take the room of an input that nobody reads later, and that has its room to itself. */
function shareInPlace(
  nodes: readonly ReadyNode[],
  types: ReadonlyMap<Value, Type>,
  { rooms, last, kept }: { rooms: Rooms; last: ReadonlyMap<Value, number>; kept: ReadonlySet<Value> },
): void {
  // A chain of nodes in place: the room's present owner has it to itself though the value's room is another's.
  const owner = new Map<Value, Value>();
  for (const [at, { compiled, inputs, outputs }] of nodes.entries()) {
    const [output] = outputs;
    const input = compiled?.inPlace === undefined ? undefined : inputs[compiled.inPlace];
    if (input === undefined || output === undefined || !types.has(input)) continue;
    const root = rooms.find(input).root;
    const isAlone = rooms.isAlone(input) || owner.get(root) === input;
    const fits =
      isAlone && rooms.isAlone(output) && bytesOf(types.get(input)!) === bytesOf(types.get(output)!);
    const isElsewhere = inputs.some((value, other) => value === input && other !== compiled!.inPlace);
    if (!fits || isElsewhere || kept.has(input) || last.get(input) !== at) continue;
    rooms.join(output, input, 0);
    owner.set(root, output);
  }
}

/** First fit in the order of time, among the rooms that have been given back. */
function placeAll(lives: ReadonlyMap<Value, Life>, rooms: Rooms, types: ReadonlyMap<Value, Type>): Arena {
  const order = Array.from(lives).sort(([, a], [, b]) => a.begin - b.begin);
  const ends = Array.from(lives).sort(([, a], [, b]) => a.end - b.end);
  const starts = new Map<Value, number>();
  const free = new FreeList();
  let ended = 0;
  for (const [root, life] of order) {
    for (; ended < ends.length && ends[ended]![1].end < life.begin; ended++) {
      const [gone, { bytes }] = ends[ended]!;
      free.give(starts.get(gone)!, align(bytes));
    }
    starts.set(root, free.take(align(life.bytes)));
  }
  const offsets = new Map<Value, number>();
  for (const value of types.keys()) {
    const { root, offset } = rooms.find(value);
    const start = starts.get(root);
    if (start !== undefined) offsets.set(value, start + offset);
  }
  return { bytes: free.end, offsets };
}

/** Free stretches of an arena that grows at its end, in order, none beside another. */
class FreeList {
  end = 0;
  readonly #begins: number[] = [];
  readonly #sizes: number[] = [];

  /** Where so many bytes are free: the smallest stretch that holds them, or new ones at the end. */
  take(bytes: number): number {
    if (bytes === 0) return this.end;
    let best = -1;
    for (const [at, size] of this.#sizes.entries()) {
      if (size >= bytes && (best < 0 || size < this.#sizes[best]!)) best = at;
    }
    if (best >= 0) {
      const begin = this.#begins[best]!;
      this.#begins[best]! += bytes;
      this.#sizes[best]! -= bytes;
      if (this.#sizes[best] === 0) this.#remove(best);
      return begin;
    }
    const last = this.#begins.length - 1;
    const touches = last >= 0 && this.#begins[last]! + this.#sizes[last]! === this.end;
    const begin = touches ? this.#begins[last]! : this.end;
    if (touches) this.#remove(last);
    this.end = begin + bytes;
    return begin;
  }

  give(begin: number, bytes: number): void {
    if (bytes === 0) return;
    let at = this.#begins.findIndex((other) => other > begin);
    if (at < 0) at = this.#begins.length;
    this.#begins.splice(at, 0, begin);
    this.#sizes.splice(at, 0, bytes);
    this.#merge(at);
    if (at > 0) this.#merge(at - 1);
  }

  #merge(at: number): void {
    if (this.#begins[at]! + this.#sizes[at]! !== this.#begins[at + 1]) return;
    this.#sizes[at]! += this.#sizes[at + 1]!;
    this.#remove(at + 1);
  }

  #remove(at: number): void {
    this.#begins.splice(at, 1);
    this.#sizes.splice(at, 1);
  }
}
