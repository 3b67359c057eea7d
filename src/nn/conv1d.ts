/** Conv1d: convolution (cross-correlation, as PyTorch's) over the last dimension. */
import { CONVOLUTION_BYTES, WALK_BYTES } from "../../build/abi.js";
import * as Convolution from "../../build/records/convolution.js";
import { showShape, wrongShape } from "../tensor/checks.js";
import { allocateFloats, type ParameterData, type StateDictLike, type TensorLike } from "../tensor/like.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { partOf } from "../tensor/typed-array.js";
import { allocateGroups } from "../wasm/precision.js";
import { readWeights } from "../wasm/read-weights.js";
import { Scratch } from "../wasm/scratch.js";
import { setWalk } from "../wasm/walk.js";
import type { Weights } from "../wasm/weights.js";
import {
  CONV1D_READING,
  type Conv1dFromStateDictOptions,
  type Conv1dOptions,
  checkTogether,
  conv1dOptions,
  type PaddingMode,
} from "./conv1d-options.js";
import { moduleFromDict } from "./from-state-dict.js";
import { Module } from "./module.js";
import { readOptions } from "./options.js";
import type { ParameterSpec } from "./state-dict.js";

/** Output positions of one kernel call: enough to read the weights rarely, few enough that the buffers stay small. */
const CHUNK_POSITIONS = 256;

export class Conv1d extends Module {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "Conv1d";
  declare readonly inChannels: number;
  declare readonly outChannels: number;
  declare readonly kernelSize: number;
  declare readonly stride: number;
  declare readonly padding: number | "valid" | "same";
  declare readonly dilation: number;
  declare readonly groups: number;
  declare readonly bias: boolean;
  declare readonly paddingMode: PaddingMode;
  /** One matrix per group, whose columns are tap by tap, channel by channel. */
  readonly #weights: readonly Weights[];
  readonly #scratch: Scratch;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(inChannels / groups * kernelSize).
   * @throws TypeError or RangeError for an option that is unknown, out of range, or does not fit the others.
   */
  constructor(options: Conv1dOptions) {
    const values = readOptions(conv1dOptions(), options);
    checkTogether(values);
    super(values, conv1dOptions);
    this.#scratch = new Scratch(this.region);
    const { groups } = values;
    const columns = (values.inChannels / groups) * values.kernelSize;
    this.#weights = this.construct(() =>
      allocateGroups(this.region, groups, values.outChannels / groups, columns),
    );
    this.begin(options, 1 / Math.sqrt(columns));
    this.settle(new.target === Conv1d);
  }

  /** A Conv1d whose sizes are read off `weight` (outChannels, inChannels / groups, kernelSize) and a `bias`. */
  static fromStateDict(dict: StateDictLike, options: Conv1dFromStateDictOptions = {}): Conv1d {
    return moduleFromDict(Conv1d, CONV1D_READING, dict, options);
  }

  /**
   * (N, inChannels, L) to (N, outChannels, Lout), or without the N on both sides;
   * Lout = floor((L + padding left and right - dilation * (kernelSize - 1) - 1) / stride) + 1.
   * @throws TypeError or RangeError when `input` is not such a tensor, or too short for the kernel or the reflection.
   */
  forward(input: TensorLike): Tensor {
    this.assertAlive();
    const { data, shape } = asTensor(input, "input");
    if (shape.length !== 2 && shape.length !== 3) {
      throw wrongShape("input.shape", "(N, C, L) or (C, L)", showShape(shape));
    }
    const axis = shape.length - 2;
    const [channels, length] = shape.slice(axis) as [number, number];
    if (channels !== this.inChannels) {
      throw wrongShape(`input.shape[${axis}]`, `inChannels ${this.inChannels}`, channels);
    }
    const [left, right] = this.#paddings();
    const most = Math.max(left, right);
    if (this.paddingMode === "reflect" && most > 0 && length <= most) {
      throw wrongShape(
        `input.shape[${axis + 1}]`,
        `more than the padding ${most} that it is reflected into`,
        length,
      );
    }
    const reach = this.dilation * (this.kernelSize - 1) + 1;
    if (length + left + right < reach) {
      const needed = `at least ${reach - left - right}, the kernel's reach of ${reach} less the padding`;
      throw wrongShape(`input.shape[${axis + 1}]`, needed, length);
    }
    const positions = Math.floor((length + left + right - reach) / this.stride) + 1;
    const batch = shape.slice(0, axis);
    const output = Tensor.zeros([...batch, this.outChannels, positions]);
    for (let row = 0; row < (batch[0] ?? 1); row++) {
      const source = partOf(data, row * channels * length, channels * length);
      const size = this.outChannels * positions;
      const target = output.data.subarray(row * size, (row + 1) * size);
      this.#forwardRow({ data: source, width: length }, { data: target, width: positions }, left);
    }
    return output;
  }

  /** Elements before and after the input; PyTorch's "same" puts an odd one after it. */
  #paddings(): [left: number, right: number] {
    if (this.padding === "valid") return [0, 0];
    if (this.padding !== "same") return [this.padding, this.padding];
    const both = this.dilation * (this.kernelSize - 1);
    return [Math.floor(both / 2), Math.ceil(both / 2)];
  }

  /** One batch row, some output positions at a time; `left` elements of padding come before the input. */
  #forwardRow(input: Columns, output: Columns, left: number): void {
    const { runtime } = this;
    const { kernelSize, stride, dilation, inChannels, outChannels } = this;
    const reach = dilation * (kernelSize - 1) + 1;
    for (let done = 0; done < output.width; done += CHUNK_POSITIONS) {
      const positions = Math.min(CHUNK_POSITIONS, output.width - done);
      const start = done * stride - left;
      const span = (positions - 1) * stride + reach;
      const [from, to] = neededPart(start, start + span, input.width, this.paddingMode === "reflect");
      const length = to - from;
      const parts = this.#layOut(positions, length, start - from, span);
      // Whole rows, the usual case, are one copy: 129 small ones took longer than a small convolution's arithmetic.
      if (length === input.width) runtime.write(parts.source, 0, input.data, 0, inChannels * length);
      else {
        for (let channel = 0; channel < inChannels; channel++) {
          const begin = channel * input.width + from;
          runtime.write(parts.source, channel * length * 4, input.data, begin, length);
        }
      }
      runtime.kernels.conv1d(parts.convolution.pointer);
      if (positions === output.width) {
        runtime.copyOut(parts.output, 0, outChannels * positions, output.data, 0);
        continue;
      }
      for (let channel = 0; channel < outChannels; channel++) {
        const target = channel * output.width + done;
        runtime.copyOut(parts.output, channel * positions * 4, positions, output.data, target);
      }
    }
  }

  /** The buffers of one kernel call, and its record. */
  #layOut(positions: number, length: number, first: number, span: number) {
    const { runtime } = this;
    const { groups, kernelSize, stride, dilation, inChannels, outChannels } = this;
    const { columns, outputRow, matrix } = this.#weights[0]!;
    const channels = inChannels / groups;
    const [convolution, walk, source, frames, patches, sums, output] = this.#scratch.parts([
      CONVOLUTION_BYTES,
      WALK_BYTES,
      inChannels * length * 4,
      channels * span * 4,
      dilation > 1 ? positions * columns * 4 : 0,
      positions * outputRow,
      outChannels * positions * 4,
    ]);
    const inputRow = dilation > 1 ? columns * 4 : stride * channels * 4;
    const walkWords = new Int32Array(WALK_BYTES / 4);
    setWalk(walkWords, 0, this.#weights[0]!, inputRow, 0);
    runtime.write(walk, 0, walkWords);
    const words = new Int32Array(CONVOLUTION_BYTES / 4);
    words[Convolution.groups] = groups;
    words[Convolution.channels] = channels;
    words[Convolution.units] = outChannels / groups;
    words[Convolution.kernelSize] = kernelSize;
    words[Convolution.stride] = stride;
    words[Convolution.dilation] = dilation;
    words[Convolution.reflect] = this.paddingMode === "reflect" ? 1 : 0;
    words[Convolution.positions] = positions;
    words[Convolution.source] = source.pointer;
    words[Convolution.length] = length;
    words[Convolution.first] = first;
    words[Convolution.span] = span;
    words[Convolution.frames] = frames.pointer;
    words[Convolution.patches] = patches.pointer;
    words[Convolution.matrices] = matrix;
    words[Convolution.walk] = walk.pointer;
    words[Convolution.sums] = sums.pointer;
    words[Convolution.output] = output.pointer;
    runtime.write(convolution, 0, words);
    return { convolution, source, output };
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    const shape = [this.outChannels, this.inChannels / this.groups, this.kernelSize];
    const specs: ParameterSpec[] = [{ name: "weight", shape }];
    if (this.bias) specs.push({ name: "bias", shape: [this.outChannels] });
    return specs;
  }

  /** @internal */
  protected storeParameters(values: ReadonlyMap<string, ParameterData>): void {
    const staging = this.#scratch.fit(this.#weights[0]!.stagingBytes);
    for (const [name, data] of values) {
      const isBias = name === "bias";
      const channels = this.inChannels / this.groups;
      const rows = isBias ? data : swapLast(data as Float32Array, channels, this.kernelSize);
      const size = rows.length / this.groups;
      this.#weights.forEach((weights, group) => {
        weights.store(staging, isBias ? "bias" : "weights", rows.subarray(group * size, (group + 1) * size));
      });
    }
  }

  /** @internal */
  protected readParameter(name: string): Float32Array {
    const staging = this.#scratch.fit(this.#weights[0]!.stagingBytes);
    const isBias = name === "bias";
    const parts = this.#weights.map((weights) => readWeights(weights, staging, isBias ? "bias" : "weights"));
    const values = allocateFloats(
      parts.reduce((sum, part) => sum + part.length, 0),
      "stateDict",
    );
    parts.forEach((part, group) => {
      values.set(part, group * part.length);
    });
    return isBias ? values : swapLast(values, this.kernelSize, this.inChannels / this.groups);
  }
}

/** Rows of `width` numbers, a row for each channel. */
interface Columns {
  readonly data: Float32Array;
  readonly width: number;
}

/** The elements of a row of `length` that positions `start` to `end` see, be it in the mirror. */
function neededPart(
  start: number,
  end: number,
  length: number,
  reflect: boolean,
): [from: number, to: number] {
  const mirrorOfEnd = reflect && end > length ? 2 * (length - 1) - (end - 1) : start;
  const mirrorOfStart = reflect && start < 0 ? 1 - start : end;
  const from = Math.min(length, Math.max(0, Math.min(start, mirrorOfEnd)));
  return [from, Math.max(from, Math.min(length, Math.max(end, mirrorOfStart)))];
}

/** (..., rows, columns) to (..., columns, rows). */
function swapLast(values: Float32Array, rows: number, columns: number): Float32Array {
  const swapped = allocateFloats(values.length, "weight");
  for (let matrix = 0; matrix < values.length; matrix += rows * columns) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        swapped[matrix + column * rows + row] = values[matrix + row * columns + column]!;
      }
    }
  }
  return swapped;
}
