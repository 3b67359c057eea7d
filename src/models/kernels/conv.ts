/**
 * Convolutions over one or two axes. Where a channel has many outputs, vectors are of outputs beside each other; where it
 * has few, what an output sees is a row that is multiplied with packed weights, which are then read once.
 */

import { WALK_BYTES } from "../../../build/abi.js";
import { PATCH_ROWS_BYTES } from "../../../build/models-abi.js";
import * as PatchRows from "../../../build/records/patchrows.js";
import type { Data } from "../../graph/ir.js";
import { type Convolution, convolution } from "../../graph/operators/conv.js";
import { planar, type Window } from "../../graph/operators/window.js";
import { elementsIn } from "../../graph/shapes.js";
import { align } from "../../wasm/block.js";
import { modelKernels } from "../../wasm/models.js";
import { allocateGroups } from "../../wasm/precision.js";
import { setWalk } from "../../wasm/walk.js";
import type { Compiled, Compiling } from "../operator.js";
import {
  constantsOf,
  isImage,
  type LaneWork,
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

/** Outputs of a channel below which rows are faster, where a group has enough channels to fill a panel's vectors. */
const FEW_OUTPUTS = 12;
const MANY_CHANNELS = 8;
/** Taps below which halves of filters cost more than they save. */
const FEW_TAPS = 16;
/** Outputs that the kernel of halves needs. */
const LEAST_OUTPUTS = 4;
/** Rows that a product is given at once. */
const MOST_ROWS = 96;

export function compileConv(node: Compiling): Compiled | undefined {
  const constants = constantsOf(node);
  if (constants === undefined) return undefined;
  if (elementsIn(node.types[0]!.shape) === 0) return { bind: () => () => {} };
  const conv = convolution(node.call);
  const { window, sizes } = planar(conv.window, conv.sizes);
  const outputs = elementsIn(window.output);
  const isFew = outputs < FEW_OUTPUTS && conv.outChannels / conv.group >= MANY_CHANNELS;
  if (isFew) return compileRows(node, conv, window, sizes, constants);
  const [kernelRows, taps] = window.kernel as [number, number];
  const isOneRow = conv.inChannels * kernelRows * window.output[0]! === 1 && outputs >= LEAST_OUTPUTS;
  return isOneRow && isMirrored(constants.weights, conv.outChannels, taps)
    ? compileMirrored(node, conv, window, sizes, constants)
    : compileLanes(node, conv, window, sizes, constants);
}

/** Whether one half of the filters is the same from both ends, but for tap 0, and the other half changes its sign. */
function isMirrored(weights: Data, units: number, taps: number): boolean {
  if (taps < FEW_TAPS || taps % 2 > 0 || units % 2 > 0) return false;
  for (let unit = 0; unit < units; unit++) {
    const sign = unit < units / 2 ? 1 : -1;
    for (let near = unit * taps + 1, far = near + taps - 2; near < far; near++, far--) {
      if (weights[near] !== sign * weights[far]!) return false;
    }
  }
  return true;
}

type Constants = NonNullable<ReturnType<typeof constantsOf>>;
type Sizes = readonly [number, number];

function layoutOf(channels: number, sizes: Sizes, window: Window, phases: Sizes): PlaneLayout {
  const { before, after } = window;
  const padded = [0, 1].map((axis) => sizes[axis]! + before[axis]! + after[axis]!);
  return {
    channels,
    sizes,
    padding: before as [number, number],
    phases,
    plane: [Math.ceil(padded[0]! / phases[0]), Math.ceil(padded[1]! / phases[1])],
    padded: [...before, ...after].some((pad) => pad > 0),
  };
}

/** Bytes from an output's place to what each tap of each channel reads. */
function offsetsOf(layout: PlaneLayout, { kernel, dilations }: Window, channels: number): Int32Array {
  const { phases, plane } = layout;
  const channelBytes = numbersOfChannel(layout) * 4;
  const taps = elementsIn(kernel);
  const offsets = new Int32Array(channels * taps);
  let to = 0;
  for (let i = 0; i < kernel[0]!; i++) {
    for (let j = 0; j < kernel[1]!; j++) {
      const [y, x] = [i * dilations[0]!, j * dilations[1]!];
      const phase = (y % phases[0]) * phases[1] + (x % phases[1]);
      const row = phase * plane[0] + Math.floor(y / phases[0]);
      offsets[to++] = (row * plane[1] + Math.floor(x / phases[1])) * 4;
    }
  }
  for (; to < offsets.length; to++) offsets[to] = offsets[to - taps]! + channelBytes;
  return offsets;
}

function compileLanes(
  node: Compiling,
  conv: Convolution,
  window: Window,
  sizes: Sizes,
  { weights, bias, activation }: Constants,
): Compiled | undefined {
  const kernels = modelKernels(node.runtime);
  const { batch, group: groups, inChannels, outChannels } = conv;
  // A stride may be far longer than the axis.
  const phases = window.strides.map((stride, axis) => (window.output[axis] === 1 ? 1 : stride));
  const layout = layoutOf(inChannels, sizes, window, phases as [number, number]);
  if (planeBytes(layout) > MOST_PLANE_BYTES) return undefined;
  const outputs = window.output as [number, number];
  const [units, pitch] = [outChannels / groups, layout.plane[1]];
  const channels = inChannels / groups;
  const taps = channels * elementsIn(window.kernel);
  // Of mirrored filters the first taps of each.
  const unitNumbers = weights.length / outChannels;
  // A tile of few outputs reads past the planes.
  const copies = !isImage(layout) || (outputs[0] - 1) * pitch + outputs[1] < 8;
  const planes = copies ? align(planeBytes(layout)) : 0;
  return {
    scratchBytes: planes + sumBytes(node.runtime, { units, outputs, pitch }),
    bind: (place) => {
      const packed = node.shared(weights, `conv: lanes of ${groups}`, (region) =>
        packLanes(node, region, { weights, sizes: [groups, units, taps] }, (group, unit, tap) => {
          return (group * units + unit) * unitNumbers + tap;
        }),
      );
      const columns = outputs[1];
      const work: LaneWork = {
        groups,
        units,
        offsets: offsetsOf(layout, window, channels),
        weights: packed,
        bias: storedBias(node, weights, bias, outChannels),
        groupBytes: channels * numbersOfChannel(layout) * 4,
        outputs,
        pitch,
        steps: [elementsIn(outputs) * 4, columns * 4, 4],
      };
      const lanes = lanesRecord(work, place, place.scratch + planes, activation);
      const filling = place.record(planesRecord(layout));
      const [input, output] = [place.input(0), place.output(0)];
      const inputBytes = inChannels * elementsIn(sizes) * 4;
      const outputBytes = outChannels * elementsIn(outputs) * 4;
      const { scratch } = place;
      return () => {
        for (let item = 0; item < batch; item++) {
          const from = input + item * inputBytes;
          if (copies) kernels.fillPlanes(filling, from, scratch);
          kernels.convolve(lanes, copies ? scratch : from, output + item * outputBytes);
        }
      };
    },
  };
}

/** Sums and differences of what two taps see, and two groups of filters over them. */
function compileMirrored(
  node: Compiling,
  conv: Convolution,
  window: Window,
  sizes: Sizes,
  constants: Constants,
): Compiled | undefined {
  const kernels = modelKernels(node.runtime);
  const { batch } = conv;
  const [taps, columns] = [window.kernel[1]!, window.output[1]!];
  const layout = layoutOf(1, sizes, window, window.strides as [number, number]);
  const inChannels = taps + 2;
  const itemBytes = inChannels * columns * 4;
  const one = [1, 1];
  const none = [0, 0];
  const pairs = { ...window, kernel: one, strides: one, dilations: one, before: none, after: none };
  const rest = compileLanes(node, { ...conv, inChannels, group: 2 }, pairs, [1, columns], constants);
  const planes = align(planeBytes(layout));
  const all = planes + align(batch * itemBytes);
  if (rest === undefined || all > MOST_PLANE_BYTES) return undefined;
  return {
    scratchBytes: all + rest.scratchBytes!,
    bind: (place) => {
      const { scratch } = place;
      const seen = scratch + planes;
      const run = rest.bind({ ...place, input: () => seen, scratch: scratch + all });
      const filling = place.record(planesRecord(layout));
      const offsets = place.record(offsetsOf(layout, window, 1));
      const input = place.input(0);
      return () => {
        for (let item = 0; item < batch; item++) {
          kernels.fillPlanes(filling, input + item * sizes[1] * 4, scratch);
          kernels.mirror(scratch, offsets, taps, columns, seen + item * itemBytes);
        }
        run();
      };
    },
  };
}

function compileRows(
  node: Compiling,
  conv: Convolution,
  window: Window,
  sizes: Sizes,
  { weights, bias, activation }: Constants,
): Compiled | undefined {
  const kernels = modelKernels(node.runtime);
  const { batch, group: groups, inChannels, outChannels } = conv;
  const layout = layoutOf(inChannels, sizes, window, [1, 1]);
  const outputs = window.output as [number, number];
  const positions = elementsIn(outputs);
  const [units, channels] = [outChannels / groups, inChannels / groups];
  const taps = channels * elementsIn(window.kernel);
  const together = Math.max(1, Math.min(batch, Math.floor(MOST_ROWS / positions)));
  if (planeBytes(layout) * together > MOST_PLANE_BYTES) return undefined;
  const copies = !isImage(layout);
  const itemNumbers = inChannels * numbersOfChannel(layout);
  const planes = copies ? align(together * itemNumbers * 4) : 0;
  const patches = align(together * positions * taps * 4);
  const matrices = node.shared(weights, `conv: rows of ${groups}`, (region) => {
    const made = allocateGroups(region, groups, units, taps);
    region.borrow(made[0]!.stagingBytes, (staging) => {
      for (const [group, matrix] of made.entries()) {
        const from = group * units * taps;
        matrix.store(staging, "weights", (weights as Float32Array).subarray(from, from + units * taps));
      }
    });
    return made;
  });
  return {
    scratchBytes: planes + patches + together * positions * matrices[0]!.outputRow,
    bind: (place) => {
      const walk = new Int32Array(WALK_BYTES / 4);
      setWalk(walk, 0, matrices[0]!, taps * 4, 0);
      const words = new Int32Array(PATCH_ROWS_BYTES / 4);
      words[PatchRows.groups] = groups;
      words[PatchRows.units] = units;
      words[PatchRows.taps] = taps;
      words[PatchRows.offsets] = place.record(offsetsOf(layout, window, channels));
      words[PatchRows.positions] = positions;
      words[PatchRows.columns] = outputs[1];
      words[PatchRows.rowBytes] = window.strides[0]! * layout.plane[1] * 4;
      words[PatchRows.columnBytes] = window.strides[1]! * 4;
      words[PatchRows.groupBytes] = channels * numbersOfChannel(layout) * 4;
      words[PatchRows.itemBytes] = itemNumbers * 4;
      words[PatchRows.matrices] = matrices[0]!.matrix;
      words[PatchRows.walk] = place.record(walk);
      words[PatchRows.bias] = storedBias(node, weights, bias, outChannels);
      words[PatchRows.patches] = place.scratch + planes;
      words[PatchRows.sums] = place.scratch + planes + patches;
      const floats = new Float32Array(words.buffer);
      words[PatchRows.activation] = activation?.kind ?? -1;
      floats[PatchRows.alpha] = activation?.alpha ?? 0;
      floats[PatchRows.beta] = activation?.beta ?? 0;
      const rows = place.record(words);
      const fill = (items: number) => place.record(planesRecord({ ...layout, channels: items * inChannels }));
      const whole = fill(together);
      const rest = batch % together === 0 ? whole : fill(batch % together);
      const [input, output] = [place.input(0), place.output(0)];
      const inputBytes = inChannels * elementsIn(sizes) * 4;
      const outputBytes = outChannels * positions * 4;
      const { scratch } = place;
      return () => {
        for (let item = 0; item < batch; item += together) {
          const items = Math.min(together, batch - item);
          const from = input + item * inputBytes;
          if (copies) kernels.fillPlanes(items === together ? whole : rest, from, scratch);
          kernels.convolveRows(rows, copies ? scratch : from, output + item * outputBytes, items);
        }
      };
    },
  };
}
