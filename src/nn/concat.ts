/** concat: tensors one after the other; PyTorch's cat. */

import { checkedList } from "../tensor/checked-list.js";
import { showShape, wrongShape, wrongType } from "../tensor/checks.js";
import { type AnyData, sizeOf, type TensorData, type TensorLike } from "../tensor/like.js";
import { along, zerosLike } from "../tensor/runs.js";
import { asAnyTensor, Tensor } from "../tensor/tensor.js";

/**
 * Tensors of one dtype, joined along dimension `dim`, which counts from the end when negative.
 * @param tensors  one or more (..., size, ...), whose other sizes are equal; scalars count as vectors of one
 * @returns (..., sum of the sizes, ...), a copy
 * @throws TypeError or RangeError that names the tensor: `tensors[1].shape[0]: expected 2 as in tensors[0], got 3`.
 *   PyTorch passes over a vector without elements; here it must fit too.
 */
export function concat<Data extends TensorData>(
  tensors: readonly TensorLike<Data>[],
  dim?: number,
): Tensor<Data>;
export function concat(tensors: readonly TensorLike[], dim?: number): Tensor;
export function concat(tensors: readonly TensorLike<AnyData>[], dim = 0): Tensor<TensorData> {
  const given = checkedList(tensors, "tensors", "an array of tensors", asAnyTensor);
  const [first] = given;
  if (first === undefined) throw wrongShape("tensors.length", "at least 1", 0);
  const { shape, dtype } = first;
  const { axis, inner } = along(shape, dim);
  const sizes = [...shape];
  sizes[axis] = 0;
  const parts = given.map((tensor, at) => {
    const name = `tensors[${at}]`;
    // Again, since what was read later may have cut the buffer of what was read before.
    const part = asAnyTensor(tensor, name);
    const size = part.shape[axis] ?? 1;
    const as = (value: unknown) => `${value} as in tensors[0]`;
    if (part.dtype !== dtype) throw wrongType(`${name}.dtype`, as(`"${dtype}"`), part.dtype);
    if (part.shape.length !== shape.length) {
      throw wrongShape(`${name}.shape`, as(`${shape.length} dimensions`), showShape(part.shape));
    }
    part.shape.forEach((length, d) => {
      if (d !== axis && length !== shape[d]) throw wrongShape(`${name}.shape[${d}]`, as(shape[d]), length);
    });
    sizes[axis]! += size;
    return { data: part.data, run: size * inner };
  });
  const joined = zerosLike(first.data, sizeOf(sizes));
  // Millions of tensors without elements would take turns in each row.
  const filled = parts.filter(({ run }) => run > 0);
  let to = 0;
  for (let row = 0; to < joined.length; row++) {
    for (const { data, run } of filled) {
      for (let at = row * run; at < (row + 1) * run; at++) joined[to++] = data[at]!;
    }
  }
  return new Tensor(joined, sizes, { dtype });
}
