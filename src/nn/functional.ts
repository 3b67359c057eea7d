/** relu, leakyRelu, elu, sigmoid, tanh, softmax and logSoftmax over tensors; PyTorch's functions of these names. */
import { RELU, SIGMOID, TANH } from "../../build/abi.js";
import { wrongType } from "../tensor/checks.js";
import type { TensorLike } from "../tensor/like.js";
import { along } from "../tensor/runs.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { align, type Block } from "../wasm/block.js";
import { currentRuntime } from "../wasm/current.js";
import type { Runtime } from "../wasm/runtime.js";

/** Elements of one kernel call: 64 KB stay in the first cache, and the call's cost is lost in them. */
const CHUNK = 16384;

/** @internal Rows computed side by side, a cache line wide. */
export const LANES = 16;

/** max(x, 0) of each element; NaN stays NaN. @throws TypeError or RangeError when `input` is not a tensor. */
export function relu(input: TensorLike): Tensor {
  return activation(RELU, input);
}

/**
 * x where it is above 0, elsewhere `negativeSlope` times x; NaN stays NaN.
 * @throws TypeError or RangeError when `input` is not a tensor, or `negativeSlope` not a number.
 */
export function leakyRelu(input: TensorLike, negativeSlope = 0.01): Tensor {
  checkNumber("negativeSlope", negativeSlope);
  return elementwise(input, 1, ({ kernels }, { pointer }, count) => {
    kernels.rectify(pointer, count, negativeSlope, 0);
  });
}

/**
 * x where it is above 0, elsewhere `alpha` times e^x - 1, which loses no digit near 0; NaN stays NaN.
 * @throws TypeError or RangeError when `input` is not a tensor, or `alpha` not a number.
 */
export function elu(input: TensorLike, alpha = 1): Tensor {
  checkNumber("alpha", alpha);
  return elementwise(input, 2, ({ kernels }, { pointer }, count) => {
    // tanh(x / 2), of which the kernel makes e^x - 1. Numbers above 0, which it leaves alone, need not be halved.
    const halves = pointer + align(count * 4);
    kernels.copyRows(halves, 0, pointer, 0, 1, count);
    kernels.rectify(halves, count, 0.5, 0);
    kernels.activate(TANH, halves, count);
    kernels.rectify(pointer, count, alpha, halves);
  });
}

/** 1 / (1 + e^-x) of each element. @throws TypeError or RangeError when `input` is not a tensor. */
export function sigmoid(input: TensorLike): Tensor {
  return activation(SIGMOID, input);
}

/** tanh of each element. @throws TypeError or RangeError when `input` is not a tensor. */
export function tanh(input: TensorLike): Tensor {
  return activation(TANH, input);
}

/**
 * e^x divided by its sum along dimension `dim`, which counts from the end when negative.
 * @throws TypeError or RangeError when `input` is not a tensor, or has no such dimension.
 */
export function softmax(input: TensorLike, dim: number): Tensor {
  return alongDimension(0, input, dim);
}

/**
 * The logarithm of `softmax`, also where softmax itself rounds to 0.
 * @throws TypeError or RangeError when `input` is not a tensor, or has no such dimension.
 */
export function logSoftmax(input: TensorLike, dim: number): Tensor {
  return alongDimension(1, input, dim);
}

function checkNumber(name: string, value: unknown): void {
  if (typeof value !== "number") throw wrongType(name, "a number", value);
}

function activation(kind: number, input: TensorLike): Tensor {
  return elementwise(input, 1, ({ kernels }, { pointer }, count) => {
    kernels.activate(kind, pointer, count);
  });
}

/** What `compute` makes of each chunk, in place, at the beginning of a buffer that has room for `parts` of them. */
function elementwise(
  input: TensorLike,
  parts: number,
  compute: (runtime: Runtime, buffer: Block, count: number) => void,
): Tensor {
  const { data, shape } = asTensor(input, "input");
  const output = Tensor.zeros(shape);
  const size = output.data.length;
  borrow(align(Math.min(size, CHUNK) * 4) * parts, (runtime, buffer) => {
    for (let from = 0; from < size; from += CHUNK) {
      const count = Math.min(CHUNK, size - from);
      runtime.write(buffer, 0, data, from, count);
      compute(runtime, buffer, count);
      runtime.copyOut(buffer, 0, count, output.data, from);
    }
  });
  return output;
}

/** @internal What `use` does with a block of the current runtime, which is given back after it. */
export function borrow(bytes: number, use: (runtime: Runtime, buffer: Block) => void): void {
  const runtime = currentRuntime();
  const buffer = runtime.allocate(bytes);
  try {
    use(runtime, buffer);
  } finally {
    runtime.free(buffer);
  }
}

/** softmax, or with `logarithm` 1 logSoftmax. */
function alongDimension(logarithm: 0 | 1, input: TensorLike, dim: number): Tensor {
  const { data, shape } = asTensor(input, "input");
  // Terms of one softmax stand `inner` apart; element 0 of number s is at (s / inner) * inner * count + s % inner.
  const { size: count, inner } = along(shape, dim);
  const output = Tensor.zeros(shape);
  if (output.data.length === 0) return output;
  const softmaxes = output.data.length / count;
  const vectors = Math.ceil(Math.min(softmaxes, LANES) / 4);
  const row = vectors * 4;
  borrow(count * row * 4, (runtime, buffer) => {
    const slab = runtime.view(buffer);
    for (let from = 0; from < softmaxes; from += LANES) {
      const lanes = Math.min(LANES, softmaxes - from);
      const starts = Array.from({ length: lanes }, (_, lane) => {
        const number = from + lane;
        return Math.floor(number / inner) * inner * count + (number % inner);
      });
      for (const [lane, start] of starts.entries()) {
        for (let at = 0; at < count; at++) slab[at * row + lane] = data[start + at * inner]!;
      }
      runtime.kernels.softmax(buffer.pointer, row * 4, vectors, count, logarithm);
      for (const [lane, start] of starts.entries()) {
        for (let at = 0; at < count; at++) output.data[start + at * inner] = slab[at * row + lane]!;
      }
    }
  });
  return output;
}
