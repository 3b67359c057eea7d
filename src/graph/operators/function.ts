/** A node that a function of the host computes: code of the caller, for layers that a file does not hold. */

import { sameShape, showShape, wrongShape } from "../../tensor/checks.js";
import type { HostFunction, HostTensor, Type } from "../ir.js";
import { type Call, type GivingOperator, zeros } from "../operator.js";

/** The types that a function gave for inputs of some types. */
const known = new WeakMap<HostFunction, Map<string, readonly Type[]>>();
/** Shapes whose types are kept of each function. */
const MOST_KEPT = 16;

/** The types of what a function gives. It is called with zeros for types of inputs that are new. */
export function typesOfFunction(compute: HostFunction, inputs: readonly Type[]): readonly Type[] {
  const kept = known.get(compute) ?? new Map<string, readonly Type[]>();
  known.set(compute, kept);
  const key = inputs.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join();
  const found = kept.get(key);
  if (found !== undefined) return found;
  const types = compute(inputs.map(zeros)).map(({ dtype, shape }): Type => ({ dtype, shape }));
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(key, types);
  return types;
}

const shownAll = (types: readonly Type[]): string =>
  types.map(({ dtype, shape }) => `${dtype} ${showShape(shape)}`).join(", ");

/** `lstm-wasm.Function`: any number of inputs and outputs. */
export const HostFunctionNode: GivingOperator = {
  name: "lstm-wasm.Function",
  attributes: { compute: "function" },
  shape: (call) => typesOfFunction(call.compute("compute"), call.inputs as readonly Type[]),
  give: run,
};

function run(call: Call, types: readonly Type[]): readonly HostTensor[] {
  const given = call.compute("compute")(call.inputs.map((_, at) => call.data(at)));
  const fits =
    given.length === types.length &&
    given.every(({ dtype, shape }, at) => dtype === types[at]!.dtype && sameShape(shape, types[at]!.shape));
  if (!fits) {
    throw wrongShape(
      `${call.node.label}: its outputs`,
      `what it gave of zeros, ${shownAll(types)}`,
      shownAll(given),
    );
  }
  return given;
}
