/** maxPool1d: the largest element under a window; PyTorch's max_pool1d. */
import { checkInteger, showShape, wrongShape, wrongValue } from "../tensor/checks.js";
import type { TensorLike } from "../tensor/like.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { borrow, LANES } from "./functional.js";
import { boolean, integer, type Option, readOptions } from "./options.js";

/** Options of `maxPool1d`, as PyTorch's. */
export interface MaxPool1dOptions {
  kernelSize: number;
  /** kernelSize when left out. */
  stride?: number | undefined;
  /** Elements of -Infinity on each side, at most half of kernelSize. */
  padding?: number | undefined;
  dilation?: number | undefined;
  /** true: a last window that begins inside of the input, or its padding before it, may end beyond. */
  ceilMode?: boolean | undefined;
}

const stride: Option<number | undefined> = {
  check: (name, value) => (value === undefined ? undefined : checkInteger(name, value, 1)),
};

const maxPool1dOptions = () => ({
  kernelSize: integer(1),
  stride,
  padding: integer(0, 0),
  dilation: integer(1, 1),
  ceilMode: boolean(false),
});

/** Output positions of one kernel call, so that its buffer stays small. */
const CHUNK_POSITIONS = 256;

/**
 * (N, C, L) to (N, C, Lout), or without the N on both sides: the largest element under each window, NaN where one is.
 * Lout = floor((L + 2 padding - dilation * (kernelSize - 1) - 1) / stride) + 1; with ceilMode the quotient is
 * rounded up, as far as the last window begins before L + padding.
 * @param options the kernel's size alone, or with the other options
 * @throws TypeError or RangeError when `input` is not such a tensor, or too short, or an option is out of range.
 */
export function maxPool1d(input: TensorLike, options: number | MaxPool1dOptions): Tensor {
  const given = typeof options === "number" ? { kernelSize: options } : options;
  const { kernelSize, padding, dilation, ceilMode, ...values } = readOptions(maxPool1dOptions(), given);
  const { stride = kernelSize } = values;
  if (padding * 2 > kernelSize) {
    throw wrongValue("padding", `at most half of kernelSize ${kernelSize}`, padding);
  }
  const { data, shape } = asTensor(input, "input");
  const axis = shape.length - 1;
  if (axis !== 1 && axis !== 2) throw wrongShape("input.shape", "(N, C, L) or (C, L)", showShape(shape));
  const length = shape[axis]!;
  const reach = dilation * (kernelSize - 1) + 1;
  const beyond = ceilMode ? stride - 1 : 0;
  const least = Math.max(1, reach - 2 * padding - beyond);
  if (length < least) {
    throw wrongShape(`input.shape[${axis}]`, `at least ${least} under the kernel`, length);
  }
  let positions = Math.floor((length + 2 * padding - reach + beyond) / stride) + 1;
  if ((positions - 1) * stride >= length + padding) positions--;
  const output = Tensor.zeros([...shape.slice(0, axis), positions]);
  const rows = output.data.length / positions;
  if (rows === 0) return output;
  const lanes = Math.min(LANES, Math.ceil(rows / 4) * 4);
  const most = Math.min(positions, CHUNK_POSITIONS);
  const span = (count: number) => (count - 1) * stride + reach;
  borrow(span(most) * lanes * 4, (runtime, buffer) => {
    const slab = runtime.view(buffer);
    for (let row = 0; row < rows; row += lanes) {
      const used = Math.min(lanes, rows - row);
      for (let done = 0; done < positions; done += most) {
        const count = Math.min(most, positions - done);
        const first = done * stride - padding;
        slab.fill(Number.NEGATIVE_INFINITY, 0, span(count) * lanes);
        const from = Math.max(0, first);
        const to = Math.min(length, first + span(count));
        for (let lane = 0; lane < used; lane++) {
          const source = (row + lane) * length;
          for (let at = from; at < to; at++) slab[(at - first) * lanes + lane] = data[source + at]!;
        }
        runtime.kernels.maxPool1d(buffer.pointer, lanes * 4, count, kernelSize, stride, dilation);
        for (let lane = 0; lane < used; lane++) {
          const target = (row + lane) * positions + done;
          for (let at = 0; at < count; at++) output.data[target + at] = slab[at * lanes + lane]!;
        }
      }
    }
  });
  return output;
}
