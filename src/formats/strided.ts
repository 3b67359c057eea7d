/** Elements of a tensor in another order, or some of them. Strides tell where each lies. */

/** The strides of a row-major tensor, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/**
 * Visits the elements of a tensor in row-major order. `from` is where an element lies: offset + index *
 * strides. `to` counts the elements. The caller makes sure that `from` stays within the data.
 */
export function visitStrided(
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  visit: (from: number, to: number) => void,
): void {
  const count = shape.reduce((product, size) => product * size, 1);
  // Every step would carry through axes of size 1. Among the others, half of all steps carry at most.
  const axes = [...shape.keys()].filter((axis) => shape[axis] !== 1);
  const lengths = axes.map((axis) => shape[axis]!);
  const jumps = axes.map((axis) => strides[axis]!);
  const index = axes.map(() => 0);
  let from = offset;
  for (let to = 0; to < count; to++) {
    visit(from, to);
    // Counts up the index, the last axis fastest.
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      from += jumps[axis]!;
      if (++index[axis]! < lengths[axis]!) break;
      from -= jumps[axis]! * lengths[axis]!;
      index[axis] = 0;
    }
  }
}
