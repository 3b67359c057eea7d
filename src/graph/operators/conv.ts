/** Convolutions and transposed ones over one or two axes. */

import type { Data, Dtype, Type } from "../ir.js";
import { type Call, type FillingOperator, FLOATS } from "../operator.js";
import { elementsIn } from "../shapes.js";
import { centred } from "./matmul.js";
import { listOf, planar, type Window, windowOf } from "./window.js";

export interface Convolution {
  readonly window: Window;
  readonly sizes: readonly number[];
  readonly batch: number;
  readonly group: number;
  readonly inChannels: number;
  readonly outChannels: number;
}

/** Sizes that fit each other of a convolution with weights of `[out, in / group, ...kernel]`. */
export const convolution = (call: Call): Convolution => fitted(call, windowOf, false);

/** The same of a transposed one, with weights of `[in, out / group, ...kernel]`. */
export const transposedConvolution = (call: Call): Convolution => fitted(call, transposedWindow, true);

function fitted(call: Call, ofWindow: typeof windowOf, transposed: boolean): Convolution {
  const { shape } = call.input(0);
  const weight = call.input(1).shape;
  const group = call.int("group", 1);
  if (shape.length < 3 || weight.length !== shape.length) {
    throw call.broken(`an input of ${shape.length} axes and weights of ${weight.length}`);
  }
  const kernel = weight.slice(2);
  const stated = call.ints("kernel_shape");
  if (stated !== undefined && stated.join() !== kernel.join()) {
    throw call.broken(`attribute kernel_shape [${stated.join(", ")}] for weights of [${weight.join(", ")}]`);
  }
  const [batch, inChannels] = shape as [number, number];
  const outChannels = transposed ? weight[1]! * group : weight[0]!;
  const expected = transposed ? weight[0]! : weight[1]! * group;
  if (
    !(group >= 1 && group <= inChannels) ||
    expected !== inChannels ||
    outChannels % group !== 0 ||
    inChannels % group !== 0
  ) {
    throw call.broken(`${inChannels} channels in ${group} groups for weights of [${weight.join(", ")}]`);
  }
  const sizes = shape.slice(2);
  return { window: ofWindow(call, sizes, kernel), sizes, batch, group, inChannels, outChannels };
}

/** The window of a transposed convolution, whose output is what the forward one takes. */
function transposedWindow(call: Call, sizes: readonly number[], kernel: readonly number[]): Window {
  const rank = sizes.length;
  if (rank > 2) throw call.refused(`windows over ${rank} axes are not supported`);
  const strides = listOf(call, "strides", rank, 1, 1);
  const dilations = listOf(call, "dilations", rank, 1, 1);
  const extra = listOf(call, "output_padding", rank, 0, 0);
  const mode = call.text("auto_pad", "NOTSET");
  const shape = call.ints("output_shape")?.slice(-rank);
  const whole = sizes.map(
    (size, axis) => strides[axis]! * (size - 1) + extra[axis]! + (kernel[axis]! - 1) * dilations[axis]! + 1,
  );
  const isSame = mode === "SAME_UPPER" || mode === "SAME_LOWER";
  if (!isSame && mode !== "NOTSET" && mode !== "VALID") {
    throw call.refused(`attribute auto_pad: ${mode} is not supported`);
  }
  if (shape === undefined && !isSame) {
    const pads =
      mode === "VALID" ? new Array<number>(2 * rank).fill(0) : listOf(call, "pads", 2 * rank, 0, 0);
    const [before, after] = [pads.slice(0, rank), pads.slice(rank)];
    const output = whole.map((size, axis) => size - before[axis]! - after[axis]!);
    return { kernel, strides, dilations, before, after, output };
  }
  const output = shape ?? sizes.map((size, axis) => size * strides[axis]!);
  if (output.length !== rank) throw call.broken("attribute output_shape does not fit the input");
  const total = whole.map((size, axis) => Math.max(0, size - output[axis]!));
  const less = total.map((pad) => Math.floor(pad / 2));
  const more = total.map((pad) => Math.ceil(pad / 2));
  const [before, after] = mode === "SAME_UPPER" ? [less, more] : [more, less];
  return { kernel, strides, dilations, before, after, output };
}

/** Visits each pair of an outer position and an inner one that a tap of the kernel joins, both as indices in a plane. */
function eachTap(
  window: Window,
  sizes: readonly number[],
  positions: readonly number[],
  visit: (position: number, tap: number, at: number) => void,
): void {
  const [kernelRows, kernelColumns] = window.kernel as [number, number];
  const [rows, columns] = sizes as [number, number];
  for (let y = 0; y < positions[0]!; y++) {
    for (let i = 0; i < kernelRows; i++) {
      const row = y * window.strides[0]! - window.before[0]! + i * window.dilations[0]!;
      if (row < 0 || row >= rows) continue;
      for (let x = 0; x < positions[1]!; x++) {
        for (let j = 0; j < kernelColumns; j++) {
          const column = x * window.strides[1]! - window.before[1]! + j * window.dilations[1]!;
          if (column < 0 || column >= columns) continue;
          visit(y * positions[1]! + x, i * kernelColumns + j, row * columns + column);
        }
      }
    }
  }
}

interface Operands {
  readonly input: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
  readonly bias: ArrayLike<number> | undefined;
}

/** A transposed one scatters what the other gathers: its inner positions are the outputs. */
function convolve(
  conv: Convolution,
  isTransposed: boolean,
  { input, weight, bias }: Operands,
  output: Data,
): void {
  const { batch, group, inChannels, outChannels } = conv;
  const { window, sizes } = planar(conv.window, conv.sizes);
  const [plane, taps, inPlane] = [window.output, window.kernel, sizes].map(elementsIn) as [
    number,
    number,
    number,
  ];
  const [inner, outer] = isTransposed ? [window.output, sizes] : [sizes, window.output];
  const inEach = inChannels / group;
  const outEach = outChannels / group;
  const sums = new Float64Array(plane);
  for (let item = 0; item < batch; item++) {
    for (let out = 0; out < outChannels; out++) {
      sums.fill(bias?.[out] ?? 0);
      for (let channel = 0; channel < inEach; channel++) {
        const inChannel = Math.floor(out / outEach) * inEach + channel;
        const from = (item * inChannels + inChannel) * inPlane;
        const matrix = isTransposed ? inChannel * outEach + (out % outEach) : out * inEach + channel;
        const weights = matrix * taps;
        eachTap(window, inner, outer, (position, tap, at) => {
          const to = isTransposed ? at : position;
          const source = isTransposed ? position : at;
          sums[to]! += input[from + source]! * weight[weights + tap]!;
        });
      }
      output.set(sums, (item * outChannels + out) * plane);
    }
  }
}

function typesOf(call: Call, sizesOf: typeof convolution): readonly Type[] {
  const { dtype } = call.expect(0, FLOATS);
  call.expect(1, [dtype]);
  const { window, batch, outChannels } = sizesOf(call);
  if (call.has(2) && call.expect(2, [dtype]).shape.join() !== `${outChannels}`) {
    throw call.broken(`a bias of shape [${call.input(2).shape.join(", ")}] for ${outChannels} channels`);
  }
  return [{ dtype, shape: [batch, outChannels, ...window.output] }];
}

/** Each product takes as long as a few of those of matrices. */
function convWork(call: Call, [output]: readonly Type[]): number {
  const each = elementsIn(call.input(1).shape.slice(1));
  return 6 * each * elementsIn(output!.shape) + elementsIn(call.input(0).shape);
}

const operandsOf = (call: Call): Operands => ({
  input: call.data(0).data,
  weight: call.data(1).data,
  bias: call.has(2) ? call.data(2).data : undefined,
});

const WINDOW: FillingOperator["attributes"] = {
  auto_pad: "string",
  dilations: "ints",
  group: "int",
  kernel_shape: "ints",
  pads: "ints",
  strides: "ints",
};

export const Conv: FillingOperator = {
  name: "Conv",
  attributes: WINDOW,
  shape: (call) => typesOf(call, convolution),
  work: convWork,
  run: (call, [output]) => convolve(convolution(call), false, operandsOf(call), output!.data),
};

export const ConvTranspose: FillingOperator = {
  name: "ConvTranspose",
  attributes: {
    auto_pad: "string",
    dilations: "ints",
    group: "int",
    kernel_shape: "ints",
    output_padding: "ints",
    output_shape: "ints",
    pads: "ints",
    strides: "ints",
  },
  shape: (call) => typesOf(call, transposedConvolution),
  work: (call) => 6 * elementsIn(call.input(0).shape) * elementsIn(call.input(1).shape.slice(1)),
  run: (call, [output]) => convolve(transposedConvolution(call), true, operandsOf(call), output!.data),
};

const BYTES: readonly Dtype[] = ["int8", "uint8"];

export const ConvInteger: FillingOperator = {
  name: "ConvInteger",
  attributes: WINDOW,
  shape: (call) => {
    call.expect(0, BYTES);
    call.expect(1, BYTES);
    const { window, batch, outChannels } = convolution(call);
    return [{ dtype: "int32", shape: [batch, outChannels, ...window.output] }];
  },
  work: convWork,
  run: (call, [output]) => {
    const [input, weight] = [centred(call, 0, 2, 1), centred(call, 1, 3, 0)];
    convolve(convolution(call), false, { input, weight, bias: undefined }, output!.data);
  },
};
