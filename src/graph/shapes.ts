/** Arithmetic of shapes. */

export function elementsIn(shape: readonly number[]): number {
  let elements = 1;
  for (const size of shape) elements *= size;
  return elements;
}

/** How far apart neighbours along each axis lie. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** The shape that both are broadcast to; undefined if there is none. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return undefined;
    shape[axis] = left === 1 ? right : left;
  }
  return shape;
}

/** The strides with which `shape` is read as `target`, to which it is broadcast: 0 along an axis that repeats. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = stridesOf(shape);
  const before = target.length - shape.length;
  return target.map((_, axis) => (axis < before || shape[axis - before] === 1 ? 0 : own[axis - before]!));
}

/**
 * Visits the elements of `shape` in order, each with its offset in an array that has these strides. The offset of the
 * first is `start`.
 */
export function eachOffset(
  shape: readonly number[],
  strides: readonly number[],
  start: number,
  visit: (offset: number, index: number) => void,
): void {
  const elements = elementsIn(shape);
  const last = shape.length - 1;
  const width = shape[last] ?? 1;
  const step = strides[last] ?? 0;
  const at = new Array<number>(shape.length).fill(0);
  let offset = start;
  for (let index = 0; index < elements; ) {
    for (let column = 0; column < width; column++) visit(offset + column * step, index++);
    for (let axis = last - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      at[axis] = 0;
    }
  }
}

/** The sizes before an axis, at it and after it, each multiplied. */
export function around(
  shape: readonly number[],
  axis: number,
): { outer: number; size: number; inner: number } {
  return {
    outer: elementsIn(shape.slice(0, axis)),
    size: shape[axis] ?? 1,
    inner: elementsIn(shape.slice(axis + 1)),
  };
}
