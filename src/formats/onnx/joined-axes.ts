/**
 * The axes of a Reshape that joins the directions of a layer: (L, N, D, H) to (L, N, D*H). PyTorch's exporters
 * write its shape as [0, 0, -1], as numbers, or computed from the shape of a value on the way. Numbers of the
 * same product, such as [N, L, D*H], would scramble the rows. So one of the first two must be certain, and the
 * other follows: the next layer's W tells that the last is D*H.
 */

import { MOST_DIMENSIONS } from "../../tensor/like.js";
import type { Constants } from "./constants.js";
import type { Node } from "./model-proto.js";
import type { Recurrent } from "./recurrent-node.js";
import type { Scope } from "./scope.js";
import type { ValueShapes } from "./value-shapes.js";

/** The letters of the axes of values between two layers, by the names of the values. */
export type KnownAxes = ReadonlyMap<string, readonly string[]>;

/** A size of a shape: a number, or the letter of the axis that it is computed from. */
type Part = number | string | undefined;

/** Nodes between a Concat and the Shape that a part of it comes from: PyTorch puts 2. */
const MOST_STEPS = 6;

/** The axes behind the Reshape, or undefined if it may do anything but join D and H. */
export function joinedAxes(
  node: Node,
  axes: readonly string[],
  before: Recurrent,
  known: KnownAxes,
  shapes: ValueShapes,
): string[] | undefined {
  const { directions, hiddenSize } = before;
  const { scope } = before.site;
  if (axes.length !== 4 || axes[2] !== "D" || axes[3] !== "H") return undefined;
  const parts = partsOf(node, scope, known, shapes.constants);
  if (parts?.length !== 3) return undefined;
  const keepsZero = (scope.attribute(node, "allowzero")?.i ?? 0) !== 0;
  const [first, second] = [0, 1].map((at) => {
    const [part, axis] = [parts[at], axes[at]!];
    if (part === undefined || part === -1) return undefined;
    if (part === 0) return !keepsZero;
    if (typeof part === "string") return part === axis;
    const size = sizeOfAxis(axis, before, known, shapes);
    return size === undefined ? undefined : size === part;
  });
  const last = parts[2];
  if (first === false || second === false || last === 0) return undefined;
  // Where the last one is whatever is left, both must be certain.
  const isCertain = last === -1 ? first && second : first || second;
  const joins = typeof last !== "number" || last === -1 || last === directions * hiddenSize;
  return isCertain && joins ? [axes[0]!, axes[1]!, "DH"] : undefined;
}

/** The sizes of a Reshape's shape. */
function partsOf(node: Node, scope: Scope, known: KnownAxes, constants: Constants): Part[] | undefined {
  const stated = scope.attribute(node, "shape")?.ints;
  if (stated !== undefined) return stated.length > MOST_DIMENSIONS ? undefined : [...stated];
  const name = node.inputs[1] ?? "";
  if (name === "") return undefined;
  const numbers = constants.integers(name, scope, MOST_DIMENSIONS);
  if (numbers !== undefined) return numbers;
  const origin = scope.find(name);
  if (origin.kind !== "node" || origin.scope !== scope) return undefined;
  const { opType, domain, inputs } = origin.node;
  if (domain !== "" || opType !== "Concat" || inputs.length !== 3) return undefined;
  return inputs.map((input) => {
    const one = constants.integers(input, scope, 1);
    return one?.length === 1 ? one[0] : letterOf(input, scope, known, constants);
  });
}

/** The axis whose size a value of one number is, if it is one of a known value's shape. */
function letterOf(start: string, scope: Scope, known: KnownAxes, constants: Constants): string | undefined {
  let name = start;
  /** Which of the numbers is asked for. */
  let index: number | undefined;
  for (let step = 0; step < MOST_STEPS; step++) {
    const origin = name === "" ? undefined : scope.find(name);
    if (origin?.kind !== "node" || origin.scope !== scope || origin.node.domain !== "") return undefined;
    const { opType, inputs } = origin.node;
    name = inputs[0] ?? "";
    const one = (at: number): number | undefined => constants.integers(inputs[at] ?? "", scope, 1)?.[0];
    switch (opType) {
      case "Identity":
      case "Cast":
      case "Squeeze":
      case "Unsqueeze":
      case "Reshape":
        break;
      case "Gather":
        if (index !== undefined) return undefined;
        index = one(1);
        if (index === undefined) return undefined;
        break;
      case "Slice": {
        const [from, to] = [one(1), one(2)];
        const isOne = from !== undefined && from >= 0 && to === from + 1;
        if (index !== undefined || !isOne || (inputs[4] && one(4) !== 1)) return undefined;
        index = from;
        break;
      }
      case "Shape": {
        const axes = known.get(name);
        const start = scope.attribute(origin.node, "start")?.i ?? 0;
        const end = scope.attribute(origin.node, "end")?.i ?? axes?.length;
        if (axes === undefined || (index === undefined && end !== start + 1)) return undefined;
        const axis = start + (index ?? 0);
        return axes[axis < 0 ? axis + axes.length : axis];
      }
      default:
        return undefined;
    }
  }
  return undefined;
}

/** The size of L or N where the file states it: of a value between the layers, or of the layer's states. */
function sizeOfAxis(
  axis: string,
  { batchFirst, site: { node, scope } }: Recurrent,
  known: KnownAxes,
  shapes: ValueShapes,
): number | undefined {
  const values: [string, readonly string[]][] = [...known];
  const state = batchFirst ? ["N", "D", "H"] : ["D", "N", "H"];
  for (const at of [5, 6]) if (node.inputs[at]) values.push([node.inputs[at], state]);
  for (const [name, axes] of values) {
    const at = axes.indexOf(axis);
    const sizes = at < 0 ? undefined : (shapes.constants.shapeOf(name, scope) ?? shapes.find(name, scope));
    if (sizes?.length === axes.length && sizes[at]! >= 0) return sizes[at];
  }
  return undefined;
}
