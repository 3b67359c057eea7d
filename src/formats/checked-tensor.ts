/** Tensors of a state dict that a caller gives, which may be anything: read once, checked, and what they are then. */

import { show, wrongType } from "../tensor/checks.js";
import { entriesOf, type StateDictLike, type TensorData } from "../tensor/like.js";
import { asAnyTensor, type Tensor } from "../tensor/tensor.js";

/**
 * The tensors of a state dict, each beside the caller's own.
 * @throws TypeError or RangeError that names the tensor
 */
export function checkedDict(
  dict: StateDictLike,
): Map<string, { readonly tensor: Tensor<TensorData>; readonly given: unknown }> {
  const tensors = new Map<string, { tensor: Tensor<TensorData>; given: unknown }>();
  for (const [name, given] of entriesOf(dict)) {
    if (typeof name !== "string") throw wrongType("dict", "names that are strings", name);
    tensors.set(name, { tensor: asAnyTensor(given, `dict[${show(name)}]`), given });
  }
  return tensors;
}
