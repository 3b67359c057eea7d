/** Objects of PyTorch 2 that stand around a module or a tensor: what torch.compile and torch.distributed add. */

import { isArray } from "../../tensor/checks.js";
import { Global, PyObject } from "./pickle/globals.js";

/**
 * What torch.compile makes of a module. It is called with the module, and keeps it as its part `_orig_mod`, as the keys
 * of its state dict have it.
 */
export function compiledModule([module]: readonly unknown[]): PyObject {
  const compiled = new PyObject(new Global("torch._dynamo.eval_frame.OptimizedModule"), []);
  compiled.state = new Map([["_modules", new Map([["_orig_mod", module]])]]);
  return compiled;
}

/** Whether a class is a tensor that is spread over devices. It moved from `_tensor.api` with PyTorch 2.5. */
export function isDTensor(type: unknown): boolean {
  return type instanceof Global && /^torch\.distributed\.(tensor|_tensor)(\.\w+)*\.DTensor$/.test(type.name);
}

/**
 * The tensor of this device, where it is the whole one. `args` are the class, dtype, size... of the whole, and `state`
 * is its attributes, perhaps after a None.
 * @returns undefined where the file holds a part, or not what a DTensor has
 */
export function wholeOf(args: unknown, state: unknown): unknown {
  const attributes = isArray(state) ? state[1] : state;
  if (!isArray(args) || !(attributes instanceof Map)) return undefined;
  const local = attributes.get("_local_tensor");
  const spec = attributes.get("_spec");
  const placements =
    spec instanceof PyObject && spec.state instanceof Map ? spec.state.get("placements") : undefined;
  // A sum that is still to be made (Partial) has the size of the whole, too.
  const isPlaced = (place: unknown) =>
    place instanceof PyObject && /\.placement_types\.(Replicate|Shard)$/.test(place.type.name);
  if (!isArray(placements) || !placements.every(isPlaced)) return undefined;
  const size = (local as { size?: unknown } | undefined)?.size;
  return isArray(size) && isArray(args[2]) && sameSize(size, args[2]) ? local : undefined;
}

function sameSize(one: readonly unknown[], other: readonly unknown[]): boolean {
  return (
    one.length === other.length && one.length <= 64 && one.every((length, axis) => length === other[axis])
  );
}

export const SHARDED = "it is a DTensor, of which the file has one device's part; save tensor.full_tensor()";
