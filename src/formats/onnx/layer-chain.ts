/**
 * PyTorch exports a module of several layers as a chain of nodes. Between two of them, Transpose, Squeeze and
 * Reshape join the directions of Y (L, D, N, H) to the next X (L, N, D*H). Such chains are found here. Two
 * nodes stay separate layers if anything else stands between them, or if a value between them is used a
 * second time.
 */

import { getOrMake } from "../get-or-make.js";
import { sameCell } from "./cell-options.js";
import type { Constants } from "./constants.js";
import { joinedAxes, type KnownAxes } from "./joined-axes.js";
import type { Graph, Node } from "./model-proto.js";
import type { Recurrent } from "./recurrent-node.js";
import type { Scope } from "./scope.js";
import { ValueShapes } from "./value-shapes.js";

/** Nodes between two layers; PyTorch puts 2. */
const MOST_BETWEEN = 8;

/** The layers, one list for each chain, in order. */
export function findStacks(layers: readonly Recurrent[], constants: Constants): Recurrent[][] {
  const uses = new Uses();
  const shapes = new ValueShapes(constants);
  const after = new Map<Recurrent, Recurrent>();
  const followers = new Set<Recurrent>();
  const byNode = new Map<Scope, Map<Node, Recurrent>>();
  for (const layer of layers) {
    const { scope, node } = layer.site;
    getOrMake(byNode, scope, () => new Map<Node, Recurrent>()).set(node, layer);
  }
  for (const layer of layers) {
    const { scope } = layer.site;
    const usedOnce = (name: string) => uses.count(name, scope) === 1;
    const before = layerBefore(layer, byNode.get(scope)!, usedOnce, shapes);
    if (before === undefined || after.has(before)) continue;
    after.set(before, layer);
    followers.add(layer);
  }
  return layers
    .filter((layer) => !followers.has(layer))
    .map((first) => {
      const stack = [first];
      for (let next = after.get(first); next !== undefined; next = after.get(next)) stack.push(next);
      return stack;
    });
}

/**
 * How often names are used. Graphs are numbered in the order in which they begin, so that the graphs within
 * one have the numbers behind its own. Each model and function is gone through once, however many of the
 * graphs within it have layers.
 */
class Uses {
  readonly #roots = new Set<Graph>();
  /** The numbers of a graph and of the last one within it. */
  readonly #ranges = new Map<Graph, { readonly first: number; last: number }>();
  /** For each name, the graph of each use, in order. */
  readonly #places = new Map<string, number[]>();

  /**
   * The uses in the scope's graph and the graphs within it, counted up to 2. Asking for the shape of a value
   * is none.
   */
  count(name: string, { root, graph }: Scope): number {
    if (!this.#roots.has(root)) {
      this.#roots.add(root);
      this.#visit(root);
    }
    const places = this.#places.get(name) ?? [];
    const { first, last } = this.#ranges.get(graph)!;
    let [low, high] = [0, places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[middle]! < first) low = middle + 1;
      else high = middle;
    }
    return [places[low], places[low + 1]].filter((at) => at !== undefined && at <= last).length;
  }

  #visit(graph: Graph): void {
    const number = this.#ranges.size;
    const range = { first: number, last: number };
    this.#ranges.set(graph, range);
    const use = (name: string) => getOrMake(this.#places, name, (): number[] => []).push(number);
    graph.outputs.forEach(use);
    const nodes = graph.nodes.filter(({ opType }) => opType !== "Shape");
    for (const { inputs } of nodes) inputs.forEach(use);
    for (const { attributes } of nodes) {
      for (const { graphs } of attributes.values()) for (const inner of graphs) this.#visit(inner());
    }
    range.last = this.#ranges.size - 1;
  }
}

/** The layer whose Y becomes this one's X, if the two are layers of one module. */
function layerBefore(
  layer: Recurrent,
  layers: ReadonlyMap<Node, Recurrent>,
  usedOnce: (name: string) => boolean,
  shapes: ValueShapes,
): Recurrent | undefined {
  const { scope, node } = layer.site;
  const between: Node[] = [];
  let value = node.inputs[0] ?? "";
  while (value !== "" && between.length <= MOST_BETWEEN && usedOnce(value)) {
    const origin = scope.find(value);
    if (origin.kind !== "node" || origin.scope !== scope) return undefined;
    const before = layers.get(origin.node);
    if (before !== undefined) {
      const joins =
        origin.node.outputs[0] === value && fits(before, layer) && joinsDirections(before, between, shapes);
      return joins ? before : undefined;
    }
    between.unshift(origin.node);
    value = origin.node.inputs[0] ?? "";
  }
  return undefined;
}

function fits(before: Recurrent, after: Recurrent): boolean {
  return (
    before !== after &&
    before.kind === after.kind &&
    before.direction === after.direction &&
    before.hiddenSize === after.hiddenSize &&
    before.batchFirst === after.batchFirst &&
    !before.split &&
    sameCell(before.cells[0]!, after.cells[0]!) &&
    (before.p === undefined) === (after.p === undefined) &&
    before.lengths === after.lengths &&
    (before.scales === undefined) === (after.scales === undefined) &&
    after.inputSize === before.directions * before.hiddenSize &&
    // One module cannot have a state that is constant in one layer and fed in another.
    (before.h0 === "runtime") === (after.h0 === "runtime") &&
    (before.c0 === "runtime") === (after.c0 === "runtime")
  );
}

/** Whether the nodes turn the axes of Y into those of X. Each axis is followed by its letter. */
function joinsDirections(before: Recurrent, between: readonly Node[], shapes: ValueShapes): boolean {
  const { directions, batchFirst } = before;
  const { inputs, outputs } = before.site.node;
  const expected = batchFirst ? ["N", "L"] : ["L", "N"];
  let axes = batchFirst ? ["N", "L", "D", "H"] : ["L", "D", "N", "H"];
  const known = new Map<string, readonly string[]>([
    [inputs[0] ?? "", [...expected, "I"]],
    [outputs[0] ?? "", axes],
  ]);
  for (const node of between) {
    const next = node.domain === "" ? moveAxes(node, axes, before, known, shapes) : undefined;
    if (next === undefined) return false;
    axes = next;
    known.set(node.outputs[0] ?? "", axes);
  }
  const last = axes[2];
  return (
    axes.length === 3 &&
    axes[0] === expected[0] &&
    axes[1] === expected[1] &&
    (last === "DH" || (last === "H" && directions === 1))
  );
}

/** The axes behind a node. Undefined for a node that does not only move the axes of the layer before it. */
function moveAxes(
  node: Node,
  axes: readonly string[],
  before: Recurrent,
  known: KnownAxes,
  shapes: ValueShapes,
): string[] | undefined {
  const {
    directions,
    site: { scope },
  } = before;
  const list = (name: string, at: number): number[] | undefined => {
    const attribute = scope.attribute(node, name);
    // Each pair of layers reads the list anew. One of more numbers than axes does not join layers.
    if (attribute !== undefined) return attribute.ints.length > axes.length ? [] : [...attribute.ints];
    return node.inputs[at] ? shapes.constants.integers(node.inputs[at], scope, axes.length) : undefined;
  };
  switch (node.opType) {
    case "Identity":
      return [...axes];
    case "Dropout": // Does nothing in inference. A third input may ask for training.
      return node.inputs[2] ? undefined : [...axes];
    case "Transpose": {
      const perm = list("perm", 1) ?? axes.map((_, at) => axes.length - 1 - at);
      const moved = perm.map((axis) => axes[axis]);
      return perm.length === axes.length && moved.every((axis) => axis !== undefined)
        ? (moved as string[])
        : undefined;
    }
    case "Squeeze": {
      const gone = list("axes", 1)?.map((axis) => (axis < 0 ? axis + axes.length : axis));
      if (gone?.length !== 1 || axes[gone[0]!] !== "D" || directions !== 1) return undefined;
      return axes.filter((_, at) => at !== gone[0]);
    }
    case "Reshape":
      return joinedAxes(node, axes, before, known, shapes);
    default:
      return undefined;
  }
}
