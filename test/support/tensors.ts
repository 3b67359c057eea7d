/** Tensors compared to the bit, cut and joined. */
import { Tensor } from "../../src/index.js";

/** @throws Error at the first difference of shape or bits. */
export function expectSameBits(actual: Tensor, expected: Tensor, what = "tensor"): void {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new Error(`${what}: shape [${actual.shape}], expected [${expected.shape}]`);
  }
  const a = new Uint32Array(actual.data.buffer, actual.data.byteOffset, actual.data.length);
  const b = new Uint32Array(expected.data.buffer, expected.data.byteOffset, expected.data.length);
  for (let at = 0; at < b.length; at++) {
    if (a[at] !== b[at]) {
      throw new Error(
        `${what}[${at}] of shape [${expected.shape}]: ${actual.data[at]}, expected ${expected.data[at]}`,
      );
    }
  }
}

/** Calls `call` and throws if it changed one of the tensors. */
export function unmodified<T>(tensors: readonly Tensor[], call: () => T): T {
  const copies = tensors.map(({ data, shape }) => new Tensor(data.slice(), shape));
  const result = call();
  for (const [at, tensor] of tensors.entries()) expectSameBits(tensor, copies[at]!, `argument ${at} after`);
  return result;
}

/** The slices of `tensor` at `positions` of `axis`, in that order. */
export function take({ data, shape }: Tensor, axis: number, positions: readonly number[]): Tensor {
  const width = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const outer = shape.slice(0, axis).reduce((product, size) => product * size, 1);
  const result = Tensor.zeros([...shape.slice(0, axis), positions.length, ...shape.slice(axis + 1)]);
  for (let block = 0; block < outer; block++) {
    for (const [at, position] of positions.entries()) {
      const from = (block * shape[axis]! + position) * width;
      result.data.set(data.subarray(from, from + width), (block * positions.length + at) * width);
    }
  }
  return result;
}

/** Positions from `begin` to before `end`. */
export function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, at) => begin + at);
}

/** Tensors joined along `axis`. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const { shape } = tensors[0]!;
  const outer = shape.slice(0, axis).reduce((product, size) => product * size, 1);
  const total = tensors.reduce((sum, tensor) => sum + tensor.shape[axis]!, 0);
  const result = Tensor.zeros([...shape.slice(0, axis), total, ...shape.slice(axis + 1)]);
  let next = 0;
  for (let block = 0; block < outer; block++) {
    for (const { data } of tensors) {
      const length = data.length / outer;
      result.data.set(data.subarray(block * length, (block + 1) * length), next);
      next += length;
    }
  }
  return result;
}

/** (A, B, size) to (B, A, size). */
export function transpose({ data, shape }: Tensor): Tensor {
  const [first, second, size] = shape as [number, number, number];
  const result = Tensor.zeros([second, first, size]);
  for (let a = 0; a < first; a++) {
    for (let b = 0; b < second; b++) {
      const from = (a * second + b) * size;
      result.data.set(data.subarray(from, from + size), (b * first + a) * size);
    }
  }
  return result;
}

/** The same numbers in another shape. */
export function reshape(tensor: Tensor, shape: readonly number[]): Tensor {
  return new Tensor(tensor.data, shape);
}
