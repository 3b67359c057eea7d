/**
 * Transposed convolutions over one or two axes. With a stride of s, outputs that are s apart see the same taps of the
 * kernel: they are a plain convolution of the input, which is computed for each of the s remainders by itself.
 */

import { type Convolution, transposedConvolution } from "../../graph/operators/conv.js";
import { planar } from "../../graph/operators/window.js";
import { elementsIn } from "../../graph/shapes.js";
import { align } from "../../wasm/block.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling } from "../operator.js";
import {
  constantsOf,
  lanesRecord,
  MOST_PLANE_BYTES,
  numbersOfChannel,
  type PlaneLayout,
  packLanes,
  planeBytes,
  planesRecord,
  storedBias,
  sumBytes,
} from "./convolution.js";

/** Remainders of both axes together, which are a kernel call each. */
const MOST_PARTS = 256;

/** What the outputs of one remainder along an axis have in common. */
interface Remainder {
  /** The first output, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** The taps that they see, and where the first output's lie in the input, be it in the padding. */
  readonly taps: readonly number[];
  readonly places: readonly number[];
}

/** Remainders along one axis that have outputs. */
function remaindersOf(
  output: number,
  { kernel, stride, dilation, before }: { kernel: number; stride: number; dilation: number; before: number },
): Remainder[] {
  const remainders: Remainder[] = [];
  const tapsOf = new Map<number, number[]>();
  for (let tap = 0; tap < kernel; tap++) {
    const rest = (tap * dilation) % stride;
    const taps = tapsOf.get(rest);
    if (taps === undefined) tapsOf.set(rest, [tap]);
    else taps.push(tap);
  }
  for (let first = 0; first < Math.min(stride, output); first++) {
    const taps = tapsOf.get((first + before) % stride) ?? [];
    const from = Math.floor((first + before) / stride);
    const places = taps.map((tap) => from - Math.floor((tap * dilation) / stride));
    remainders.push({ first, count: Math.ceil((output - first) / stride), taps, places });
  }
  return remainders;
}

/** Numbers of padding before and after an axis that the remainders read. */
function paddingOf(remainders: readonly Remainder[], size: number): [before: number, after: number] {
  let before = 0;
  let after = 0;
  for (const { places, count } of remainders) {
    for (const place of places) {
      before = Math.max(before, -place);
      after = Math.max(after, place + count - size);
    }
  }
  return [before, after];
}

export function compileConvTranspose(node: Compiling): Compiled | undefined {
  const constants = constantsOf(node);
  if (constants === undefined) return undefined;
  if (elementsIn(node.types[0]!.shape) === 0) return { bind: () => () => {} };
  const conv: Convolution = transposedConvolution(node.call);
  const { window, sizes } = planar(conv.window, conv.sizes);
  const { batch, group: groups, inChannels, outChannels } = conv;
  const [units, channels] = [outChannels / groups, inChannels / groups];
  const [rows, columns] = [0, 1].map((axis) =>
    remaindersOf(window.output[axis]!, {
      kernel: window.kernel[axis]!,
      stride: window.strides[axis]!,
      dilation: window.dilations[axis]!,
      before: window.before[axis]!,
    }),
  ) as [Remainder[], Remainder[]];
  const [top, bottom] = paddingOf(rows, sizes[0]);
  const [left, right] = paddingOf(columns, sizes[1]);
  const layout: PlaneLayout = {
    channels: inChannels,
    sizes,
    padding: [top, left],
    phases: [1, 1],
    plane: [top + sizes[0] + bottom, left + sizes[1] + right],
    padded: top + bottom + left + right > 0,
  };
  const pitch = layout.plane[1];
  if (rows.length * columns.length > MOST_PARTS) return undefined;
  const parts = rows.flatMap((row) => columns.map((column) => ({ row, column })));
  const planes = align(planeBytes(layout));
  if (planes > MOST_PLANE_BYTES) return undefined;
  const sums = parts.map(({ row, column }) =>
    sumBytes(node.runtime, { units, outputs: [row.count, column.count], pitch }),
  );
  const kernels = modelKernels(node.runtime);
  const { weights, bias, activation } = constants;
  const [kernelColumns, kernelTaps] = [window.kernel[1]!, elementsIn(window.kernel)];
  const outColumns = window.output[1]!;
  return {
    scratchBytes: planes + Math.max(...sums),
    bind: (place) => {
      const storedAt = storedBias(node, weights, bias, outChannels);
      const works = parts.map(({ row, column }) => {
        const taps = row.taps.flatMap((i) => column.taps.map((j) => i * kernelColumns + j));
        const places = row.places.flatMap((y) => column.places.map((x) => (y + top) * pitch + x + left));
        const name = `transposed: lanes of ${groups} groups, taps ${taps.join()} of ${kernelTaps}`;
        const packed = node.shared(weights, name, (region) => {
          const counts: [number, number, number] = [groups, units, channels * taps.length];
          return packLanes(node, region, { weights, sizes: counts }, (group, unit, tap) => {
            const channel = group * channels + Math.floor(tap / taps.length);
            return (channel * units + unit) * kernelTaps + taps[tap % taps.length]!;
          });
        });
        const offsets = new Int32Array(channels * taps.length);
        for (let at = 0; at < offsets.length; at++) {
          const channel = Math.floor(at / taps.length);
          offsets[at] = (channel * numbersOfChannel(layout) + places[at % taps.length]!) * 4;
        }
        const record = lanesRecord(
          {
            groups,
            units,
            offsets,
            weights: packed,
            bias: storedAt,
            groupBytes: channels * numbersOfChannel(layout) * 4,
            outputs: [row.count, column.count],
            pitch,
            steps: [
              elementsIn(window.output) * 4,
              window.strides[0]! * outColumns * 4,
              window.strides[1]! * 4,
            ],
          },
          place,
          place.scratch + planes,
          activation,
        );
        return { record, from: (row.first * outColumns + column.first) * 4 };
      });
      const filling = place.record(planesRecord(layout));
      const [input, output] = [place.input(0), place.output(0)];
      const inputBytes = inChannels * elementsIn(sizes) * 4;
      const outputBytes = outChannels * elementsIn(window.output) * 4;
      const { scratch } = place;
      return () => {
        for (let item = 0; item < batch; item++) {
          kernels.fillPlanes(filling, input + item * inputBytes, scratch);
          for (let at = 0; at < works.length; at++) {
            const { record, from } = works[at]!;
            kernels.convolve(record, scratch, output + item * outputBytes + from);
          }
        }
      };
    },
  };
}
