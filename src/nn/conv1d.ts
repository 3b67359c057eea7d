/** Conv1d: convolution (cross-correlation, as PyTorch's) over the last dimension. */
import {
  checkBoolean,
  checkInteger,
  checkOptions,
  showShape,
  wrongType,
  wrongValue,
} from "../tensor/checks.js";
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { align, Scratch } from "../wasm/scratch.js";
import { FloatPanel, RECORD_BYTES, vectorCount } from "../wasm/weights.js";
import { Module } from "./module.js";
import type { StateSource } from "./recurrent.js";
import { entriesBelow, type ParameterSpec, shapeOf } from "./state-dict.js";

/** What stands beyond the ends of the input. */
export type PaddingMode = "zeros" | "reflect";

/** Options of `Conv1d`, as PyTorch's. */
export interface Conv1dOptions {
  inChannels: number;
  outChannels: number;
  kernelSize: number;
  stride?: number | undefined;
  /** Elements on each side; `"valid"` is 0, `"same"` as many as keep the length (stride 1 only). */
  padding?: number | "valid" | "same" | undefined;
  dilation?: number | undefined;
  /** Groups of channels that see only each other; divides both channel counts. */
  groups?: number | undefined;
  bias?: boolean | undefined;
  paddingMode?: PaddingMode | undefined;
}

/** What `Conv1d.fromStateDict` takes: weights do not tell these, and a wrong one gives other numbers. */
export type Conv1dFromStateDictOptions = { prefix?: string | undefined } & Pick<
  Conv1dOptions,
  "stride" | "padding" | "dilation" | "groups" | "paddingMode"
>;

const PADDING_MODES: readonly string[] = ["zeros", "reflect"];

/** Output positions of one kernel call: enough to read the weights rarely, few enough that the buffers stay small. */
const CHUNK_POSITIONS = 256;

export class Conv1d extends Module {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "Conv1d";
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number | "valid" | "same";
  readonly dilation: number;
  readonly groups: number;
  readonly bias: boolean;
  readonly paddingMode: PaddingMode;
  /** One panel per group, of `#columns` inputs: tap by tap, channel by channel. */
  readonly #panels: FloatPanel[];
  /** The panels' records, one after the other. */
  readonly #matrices: number;
  readonly #bias: number;
  readonly #scratch: Scratch;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(inChannels / groups * kernelSize).
   * @throws TypeError or RangeError for an option that is unknown, out of range, or does not fit the others.
   */
  constructor(options: Conv1dOptions, /** @internal */ source?: StateSource) {
    const {
      inChannels,
      outChannels,
      kernelSize,
      stride = 1,
      padding = 0,
      dilation = 1,
      groups = 1,
      bias = true,
      paddingMode = "zeros",
    } = checkOptions("options", options, [
      "inChannels",
      "outChannels",
      "kernelSize",
      "stride",
      "padding",
      "dilation",
      "groups",
      "bias",
      "paddingMode",
    ]);
    const inputs = checkInteger("inChannels", inChannels, 1);
    const outputs = checkInteger("outChannels", outChannels, 1);
    const taps = checkInteger("kernelSize", kernelSize, 1);
    checkInteger("stride", stride, 1);
    checkInteger("dilation", dilation, 1);
    checkInteger("groups", groups, 1);
    checkBoolean("bias", bias);
    for (const [name, channels] of [["inChannels", inputs] as const, ["outChannels", outputs] as const]) {
      if (channels % groups !== 0) throw wrongValue(name, `a multiple of groups ${groups}`, channels);
    }
    if (typeof padding === "string") {
      if (padding !== "valid" && padding !== "same") {
        throw wrongValue("padding", 'an integer of at least 0, "valid" or "same"', JSON.stringify(padding));
      }
      if (padding === "same" && stride !== 1) throw wrongValue("stride", '1 for padding "same"', stride);
    } else checkInteger("padding", padding, 0);
    if (typeof paddingMode !== "string") throw wrongType("paddingMode", '"zeros" or "reflect"', paddingMode);
    if (!PADDING_MODES.includes(paddingMode)) {
      throw wrongValue("paddingMode", '"zeros" or "reflect"', JSON.stringify(paddingMode));
    }
    super();
    this.inChannels = inputs;
    this.outChannels = outputs;
    this.kernelSize = taps;
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
    this.groups = groups;
    this.bias = bias;
    this.paddingMode = paddingMode;
    const columns = this.#columns;
    const shape = { gates: 1, units: outputs / groups, columns };
    const blockBytes = FloatPanel.lineVectors() * 16 * columns;
    const panelBytes = blockBytes * Math.ceil(vectorCount(shape) / FloatPanel.lineVectors());
    this.#scratch = new Scratch(this.region);
    try {
      const first = this.region.allocate(groups * panelBytes);
      this.#matrices = this.region.allocate(groups * RECORD_BYTES);
      this.#panels = Array.from({ length: groups }, (_, group) => {
        const pointer = first + group * panelBytes;
        const record = this.#matrices + group * RECORD_BYTES;
        return new FloatPanel(this.region.runtime, shape, { pointer, blockBytes, record });
      });
      this.#bias = this.region.allocate(groups * this.#sumsRow);
      if (source === undefined) this.initialise(1 / Math.sqrt(columns));
      else this.loadStateDict(source.dict, { prefix: source.prefix });
    } catch (error) {
      this.region.release();
      throw error;
    }
  }

  /** A Conv1d whose sizes are read off `weight` (outChannels, inChannels / groups, kernelSize) and a `bias`. */
  static fromStateDict(dict: StateDictLike, options: Conv1dFromStateDictOptions = {}): Conv1d {
    const {
      prefix = "",
      groups = 1,
      ...others
    } = checkOptions("options", options, [
      "prefix",
      "stride",
      "padding",
      "dilation",
      "groups",
      "paddingMode",
    ]);
    checkInteger("groups", groups, 1);
    const entries = entriesBelow(dict, prefix);
    const sizes = shapeOf(entries, "weight", 3, prefix) as [number, number, number];
    const [outChannels, channels, kernelSize] = sizes;
    const bias = entries.has("bias");
    const inChannels = channels * groups;
    const read = { inChannels, outChannels, kernelSize, groups, bias, ...others };
    return new Conv1d(read, { dict, prefix });
  }

  /** Inputs of one output. */
  get #columns(): number {
    return (this.inChannels / this.groups) * this.kernelSize;
  }

  /** Bytes of the sums of one position and group. */
  get #sumsRow(): number {
    return this.#panels[0]!.outputRow;
  }

  /**
   * (N, inChannels, L) to (N, outChannels, Lout), or without the N on both sides;
   * Lout = floor((L + padding left and right - dilation * (kernelSize - 1) - 1) / stride) + 1.
   * @throws TypeError or RangeError when `input` is not such a tensor, or too short for the kernel or the reflection.
   */
  forward(input: TensorLike): Tensor {
    void this.runtime;
    const { data, shape } = asTensor(input, "input");
    if (shape.length !== 2 && shape.length !== 3) {
      throw wrongValue("input.shape", "(N, C, L) or (C, L)", showShape(shape));
    }
    const axis = shape.length - 2;
    const [channels, length] = shape.slice(axis) as [number, number];
    if (channels !== this.inChannels) {
      throw wrongValue(`input.shape[${axis}]`, `inChannels ${this.inChannels}`, channels);
    }
    const [left, right] = this.#paddings();
    const most = Math.max(left, right);
    if (this.paddingMode === "reflect" && most > 0 && length <= most) {
      throw wrongValue(
        `input.shape[${axis + 1}]`,
        `more than the padding ${most} that it is reflected into`,
        length,
      );
    }
    const reach = this.dilation * (this.kernelSize - 1) + 1;
    if (length + left + right < reach) {
      const needed = `at least ${reach - left - right}, the kernel's reach of ${reach} less the padding`;
      throw wrongValue(`input.shape[${axis + 1}]`, needed, length);
    }
    const positions = Math.floor((length + left + right - reach) / this.stride) + 1;
    const batch = shape.slice(0, axis);
    const output = Tensor.zeros([...batch, this.outChannels, positions]);
    for (let row = 0; row < (batch[0] ?? 1); row++) {
      this.#forwardRow(
        data.subarray(row * channels * length, (row + 1) * channels * length),
        length,
        left,
        output.data.subarray(row * this.outChannels * positions, (row + 1) * this.outChannels * positions),
        positions,
      );
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

  /** One batch row, some output positions at a time. */
  #forwardRow(
    input: Float32Array,
    length: number,
    left: number,
    output: Float32Array,
    positions: number,
  ): void {
    const { kernels } = this.runtime;
    const { groups, kernelSize, stride, dilation, inChannels, outChannels } = this;
    const sumsRow = this.#sumsRow;
    const channels = inChannels / groups;
    const reflect = this.paddingMode === "reflect";
    const reach = dilation * (kernelSize - 1) + 1;
    for (let done = 0; done < positions; done += CHUNK_POSITIONS) {
      const count = Math.min(CHUNK_POSITIONS, positions - done);
      const start = done * stride - left;
      const span = (count - 1) * stride + reach;
      const [from, to] = neededPart(start, start + span, length, reflect);
      const part = to - from;
      const source = this.#scratch.fit(
        align(inChannels * part * 4) +
          align(channels * span * 4) +
          align(dilation > 1 ? count * this.#columns * 4 : 0) +
          count * sumsRow +
          outChannels * count * 4,
      );
      const frames = source + align(inChannels * part * 4);
      const patches = frames + align(channels * span * 4);
      const sums = patches + align(dilation > 1 ? count * this.#columns * 4 : 0);
      const result = sums + count * sumsRow;
      const { floats } = this.runtime;
      copyColumns(floats, source / 4, part, 0, input, 0, length, from, inChannels, part);
      kernels.conv1dForward(
        groups,
        channels,
        outChannels / groups,
        kernelSize,
        stride,
        dilation,
        count,
        source,
        part,
        start - from,
        span,
        reflect ? 1 : 0,
        frames,
        patches,
        this.#matrices,
        this.#bias,
        sums,
        sumsRow,
        result,
      );
      copyColumns(output, 0, positions, done, floats, result / 4, count, 0, outChannels, count);
    }
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    const shape = [this.outChannels, this.inChannels / this.groups, this.kernelSize];
    const specs: ParameterSpec[] = [{ name: "weight", shape }];
    if (this.bias) specs.push({ name: "bias", shape: [this.outChannels] });
    return specs;
  }

  /** @internal */
  protected storeParameters(values: ReadonlyMap<string, Float32Array>): void {
    const units = this.outChannels / this.groups;
    const weight = values.get("weight");
    if (weight !== undefined) {
      const staging = this.#scratch.fit(units * this.#columns * 4);
      const taps = swapLast(weight, this.inChannels / this.groups, this.kernelSize);
      const size = units * this.#columns;
      for (const [group, panel] of this.#panels.entries()) {
        panel.store(this.runtime, staging, "weights", taps.subarray(group * size, (group + 1) * size));
      }
    }
    const bias = values.get("bias");
    if (bias !== undefined) {
      for (let group = 0; group < this.groups; group++) {
        const at = (this.#bias + group * this.#sumsRow) / 4;
        this.runtime.floats.set(bias.subarray(group * units, (group + 1) * units), at);
      }
    }
  }

  /** @internal */
  protected readParameter(name: string): Float32Array {
    const units = this.outChannels / this.groups;
    const isBias = name === "bias";
    const size = isBias ? units : units * this.#columns;
    const values = new Float32Array(this.groups * size);
    for (const [group, panel] of this.#panels.entries()) {
      const at = (this.#bias + group * this.#sumsRow) / 4;
      values.set(
        isBias
          ? this.runtime.floats.subarray(at, at + units)
          : panel.read(this.runtime, this.#scratch.fit(size * 4)),
        group * size,
      );
    }
    return isBias ? values : swapLast(values, this.kernelSize, this.inChannels / this.groups);
  }
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

/** Copies `rows` x `columns` elements between two arrays, in each of which rows of `width` begin at `base`. */
function copyColumns(
  target: Float32Array,
  targetBase: number,
  targetWidth: number,
  targetColumn: number,
  source: Float32Array,
  sourceBase: number,
  sourceWidth: number,
  sourceColumn: number,
  rows: number,
  columns: number,
): void {
  // Whole rows, the usual case, are one copy: 129 small ones took longer than a small convolution's arithmetic.
  if (targetWidth === columns && sourceWidth === columns) {
    target.set(source.subarray(sourceBase, sourceBase + rows * columns), targetBase);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const at = sourceBase + row * sourceWidth + sourceColumn;
    target.set(source.subarray(at, at + columns), targetBase + row * targetWidth + targetColumn);
  }
}

/** (..., rows, columns) to (..., columns, rows). */
function swapLast(values: Float32Array, rows: number, columns: number): Float32Array {
  const swapped = new Float32Array(values.length);
  for (let matrix = 0; matrix < values.length; matrix += rows * columns) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        swapped[matrix + column * rows + row] = values[matrix + row * columns + column]!;
      }
    }
  }
  return swapped;
}
