/** What is known of the shapes of values. They tell which axis is which where a Reshape has only numbers. */

import { MOST_DIMENSIONS } from "../../tensor/like.js";
import type { Constants } from "./constants.js";
import type { Node } from "./model-proto.js";
import type { Scope } from "./scope.js";
import type { Sizes } from "./stated-shapes.js";

/** Nodes that are looked through on the way to a value whose shape is stated. */
const MOST_STEPS = 4;

/** Stated shapes, of values and of those that they come from by a few nodes. */
export class ValueShapes {
  constructor(readonly constants: Constants) {}

  /** What is known of a value's sizes. Undefined if not even their number is. */
  find(name: string, scope: Scope, steps = MOST_STEPS): Sizes | undefined {
    const stated = this.constants.statedShapes.get(name, scope.graph);
    if (stated !== undefined || name === "" || steps === 0) return stated;
    const origin = scope.find(name);
    if (origin.kind !== "node" || origin.scope !== scope || origin.node.domain !== "") return undefined;
    const { node } = origin;
    const before = () => this.find(node.inputs[0] ?? "", scope, steps - 1);
    switch (node.opType) {
      case "Identity":
        return before();
      case "Transpose": {
        const perm = scope.attribute(node, "perm")?.ints;
        const sizes = before();
        if (perm === undefined || perm.length !== sizes?.length) return undefined;
        return perm.map((axis) => sizes[axis] ?? -1);
      }
      case "Slice":
        return this.#sliced(node, scope, before());
      case "Reshape":
        return this.#numbers(node.inputs[1] ?? "", scope)?.map((size) => (size > 0 ? size : -1));
      default:
        return undefined;
    }
  }

  /** A Slice of the first axis keeps the others. */
  #sliced(node: Node, scope: Scope, sizes: Sizes | undefined): Sizes | undefined {
    const axes = this.#numbers(node.inputs[3] ?? "", scope) ?? scope.attribute(node, "axes")?.ints;
    return axes?.length === 1 && axes[0] === 0 ? sizes?.map((size, at) => (at === 0 ? -1 : size)) : undefined;
  }

  #numbers(name: string, scope: Scope): number[] | undefined {
    return name === "" ? undefined : this.constants.integers(name, scope, MOST_DIMENSIONS);
  }
}
