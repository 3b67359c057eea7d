/** Tensors of a state dict that a caller gives, which may be anything: read once, checked, and what they are then. */

import { show, wrongType } from "../tensor/checks.js";
import { asFloat32, asShaped, entriesOf, type StateDictLike, type TensorData } from "../tensor/like.js";
import { Tensor } from "../tensor/tensor.js";
import { kindOf, ofThisRealm } from "../tensor/typed-array.js";

/**
 * The data and shape of an argument. Integer typed arrays stay what they are; all else becomes float32.
 * @throws TypeError or RangeError that names the argument
 */
export function checkedTensor(value: unknown, name: string): Tensor<TensorData> {
  const { data, shape } = asShaped<TensorData>(value, name, (numbers, _, size) =>
    /^(Big)?U?[Ii]nt\d+A/.test(kindOf(numbers) ?? "")
      ? ofThisRealm(numbers as TensorData)
      : asFloat32(numbers, _, size),
  );
  return new Tensor(data, shape);
}

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
    tensors.set(name, { tensor: checkedTensor(given, `dict[${show(name)}]`), given });
  }
  return tensors;
}
