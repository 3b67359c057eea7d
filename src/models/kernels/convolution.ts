/** What convolutions and transposed ones have in common: planes, packed weights, and the records of their kernels. */

import { LANES_BYTES, PLANES_BYTES } from "../../../build/models-abi.js";
import * as Lanes from "../../../build/records/lanes.js";
import * as Planes from "../../../build/records/planes.js";
import type { Data } from "../../graph/ir.js";
import { elementsIn } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Region } from "../../wasm/region.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { Compiling, Place } from "../operator.js";
import { functionOf, type UnaryFunction } from "./unary.js";

/** Outputs of a channel that are summed at once: their sums and what they read stay in the nearest caches. */
const MOST_LANES = 64;
/** Padding may be far larger than the image: the host skips it. */
export const MOST_PLANE_BYTES = 2 ** 28;
/** What a tile reads past planes of fewer outputs than it has. */
const SLACK = 32;

/** An image dealt out to planes (assembly/models/planes.ts). */
export interface PlaneLayout {
  readonly channels: number;
  readonly sizes: readonly [height: number, width: number];
  readonly padding: readonly [top: number, left: number];
  readonly phases: readonly [rows: number, columns: number];
  /** Rows and columns of a plane. */
  readonly plane: readonly [rows: number, columns: number];
  readonly padded: boolean;
}

/** Numbers of a channel's planes. */
export function numbersOfChannel({ phases, plane }: PlaneLayout): number {
  return elementsIn(phases) * elementsIn(plane);
}

/** Bytes of all planes, with room for what is read past them. */
export function planeBytes(layout: PlaneLayout): number {
  return layout.channels * numbersOfChannel(layout) * 4 + SLACK;
}

/** Whether the planes are the image as it is. */
export function isImage({ padded, phases }: PlaneLayout): boolean {
  return !padded && elementsIn(phases) === 1;
}

export function planesRecord(layout: PlaneLayout): Int32Array {
  const words = new Int32Array(PLANES_BYTES / 4);
  words[Planes.channels] = layout.channels;
  words[Planes.height] = layout.sizes[0]!;
  words[Planes.width] = layout.sizes[1]!;
  words[Planes.top] = layout.padding[0]!;
  words[Planes.left] = layout.padding[1]!;
  words[Planes.rowPhases] = layout.phases[0]!;
  words[Planes.columnPhases] = layout.phases[1]!;
  words[Planes.rows] = layout.plane[0]!;
  words[Planes.columns] = layout.plane[1]!;
  words[Planes.padded] = layout.padded ? 1 : 0;
  words[Planes.channelBytes] = numbersOfChannel(layout) * 4;
  return words;
}

/** Outputs of all channels that lie at one distance from each other, with what they are the sums of. */
export interface LaneWork {
  readonly groups: number;
  readonly units: number;
  /** Bytes from the place of an output in its group's planes to what it reads. */
  readonly offsets: Int32Array;
  /** Address of [groups, units, taps], packed. */
  readonly weights: number;
  /** Address of [groups, units]. */
  readonly bias: number;
  readonly groupBytes: number;
  readonly outputs: readonly [rows: number, columns: number];
  readonly pitch: number;
  /** Bytes of the output from one channel, row and column to the next. */
  readonly steps: readonly [channel: number, row: number, column: number];
}

/** How many outputs in the order of planes are summed at once. */
function lanesOf({ outputs, pitch }: Pick<LaneWork, "outputs" | "pitch">): number {
  const count = (outputs[0] - 1) * pitch + outputs[1];
  return Math.ceil(count / Math.ceil(count / MOST_LANES) / 8) * 8;
}

/** Bytes of sums, which follow the planes in scratch: of each thread. */
export function sumBytes({ threads }: Runtime, work: Pick<LaneWork, "units" | "outputs" | "pitch">): number {
  return threads * work.units * lanesOf(work) * 4;
}

export function lanesRecord(
  work: LaneWork,
  place: Place,
  sums: number,
  activation: UnaryFunction | undefined,
): number {
  const words = new Int32Array(LANES_BYTES / 4);
  words[Lanes.groups] = work.groups;
  words[Lanes.units] = work.units;
  words[Lanes.taps] = work.offsets.length;
  words[Lanes.offsets] = work.offsets.length > 0 ? place.record(work.offsets) : 0;
  words[Lanes.weights] = work.weights;
  words[Lanes.bias] = work.bias;
  words[Lanes.groupBytes] = work.groupBytes;
  words[Lanes.rows] = work.outputs[0]!;
  words[Lanes.columns] = work.outputs[1]!;
  words[Lanes.pitch] = work.pitch;
  words[Lanes.lanes] = lanesOf(work);
  words[Lanes.sums] = sums;
  words[Lanes.channelRow] = work.steps[0]!;
  words[Lanes.outputRow] = work.steps[1]!;
  words[Lanes.outputColumn] = work.steps[2]!;
  const floats = new Float32Array(words.buffer);
  words[Lanes.activation] = activation?.kind ?? -1;
  floats[Lanes.alpha] = activation?.alpha ?? 0;
  floats[Lanes.beta] = activation?.beta ?? 0;
  return place.record(words);
}

/** The numbers that convolutions have kernels for; undefined for weights that are not constant, or narrow floats. */
export function constantsOf(
  node: Compiling,
): { weights: Data; bias: Data | undefined; activation: UnaryFunction | undefined } | undefined {
  const { call, types } = node;
  const { dtype } = types[0]!;
  const weights = call.input(1).data;
  const bias = call.has(2) ? call.input(2).data : undefined;
  if ((dtype !== "float32" && dtype !== "float64") || weights === undefined) return undefined;
  if (call.has(2) && bias === undefined) return undefined;
  const activation = node.activation && functionOf(node.activation);
  if (node.activation !== undefined && activation === undefined) return undefined;
  return { weights, bias, activation };
}

/** Puts numbers where they stay. */
export function store(region: Region, numbers: Float32Array): number {
  const block = region.allocate(numbers.byteLength);
  region.runtime.write(block, 0, numbers);
  return block.pointer;
}

/** Address of a bias, of zeros where there is none. */
export function storedBias(node: Compiling, weights: Data, bias: Data | undefined, channels: number): number {
  return node.shared(bias ?? weights, `bias of ${bias ? "" : "no numbers for "}${channels}`, (region) =>
    store(region, Float32Array.from(bias ?? new Float32Array(channels))),
  );
}

/**
 * Weights as the kernel `convolve` reads them, all groups one after the other.
 * @param at the index of the number of a group's unit and tap
 */
export function packLanes(
  node: Compiling,
  region: Region,
  { weights, sizes }: { weights: Data; sizes: readonly [groups: number, units: number, taps: number] },
  at: (group: number, unit: number, tap: number) => number,
): number {
  const { channelsTogether } = modelKernels(node.runtime);
  const [groups, units, taps] = sizes;
  const packed = new Float32Array(groups * units * taps);
  let to = 0;
  for (let group = 0; group < groups; group++) {
    for (let unit = 0; unit < units; ) {
      const together = channelsTogether(units - unit);
      for (let tap = 0; tap < taps; tap++) {
        for (let each = 0; each < together; each++) packed[to++] = weights[at(group, unit + each, tap)]!;
      }
      unit += together;
    }
  }
  return store(region, packed);
}
