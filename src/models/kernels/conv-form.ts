/** What a convolution reads where: plain and transposed ones in one form. */

import type { Convolution } from "../../graph/operators/conv.js";
import { planar } from "../../graph/operators/window.js";

/** Outputs of one block of a panel: fewer cost as much. */
const BLOCK_OUTPUTS = 32;

export type Pair = readonly [rows: number, columns: number];

/** Where a group's channels lie, and what each output position reads of them. */
export interface Form {
  readonly batch: number;
  /** Groups, after groups of few channels were joined. */
  readonly groups: number;
  /** Channels of a group. */
  readonly channels: number;
  /** Outputs of a group. */
  readonly units: number;
  readonly input: Pair;
  /** Of the padded planes. */
  readonly planes: Pair;
  /**
   * Where the input begins in the planes, how far apart its numbers stand, how many of them are before the planes, and
   * how many are in them.
   */
  readonly begin: Pair;
  readonly spread: Pair;
  readonly skipped: Pair;
  readonly kept: Pair;
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly output: Pair;
}

/** How many groups are multiplied together: as many as fill one block with outputs. */
export function groupsTogether({ group, outChannels }: Convolution): number {
  const each = outChannels / group;
  let together = 1;
  for (let count = 2; count <= group && count * each <= BLOCK_OUTPUTS; count++) {
    if (group % count === 0) together = count;
  }
  return together;
}

export function formOf(conv: Convolution, joined: number, isTransposed: boolean): Form {
  const { window, sizes } = planar(conv.window, conv.sizes);
  const pair = (make: (axis: 0 | 1) => number): Pair => [make(0), make(1)];
  const groups = conv.group / joined;
  const kernel = window.kernel as Pair;
  const dilations = window.dilations as Pair;
  const output = window.output as Pair;
  const common = {
    batch: conv.batch,
    groups,
    channels: conv.inChannels / groups,
    units: conv.outChannels / groups,
    input: sizes,
    kernel,
    dilations,
    output,
  };
  if (!isTransposed) {
    const strides = window.strides as Pair;
    const reach = pair(
      (axis) => (output[axis] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1,
    );
    const begin = window.before as Pair;
    const isPadded = pair((axis) => (begin[axis] > 0 || reach[axis] > sizes[axis] ? 1 : 0));
    const planes = pair((axis) => (isPadded[0] + isPadded[1] > 0 ? reach[axis] : sizes[axis]));
    const kept = pair((axis) => Math.max(0, Math.min(sizes[axis], planes[axis] - begin[axis])));
    return { ...common, strides, planes, begin, spread: [1, 1], skipped: [0, 0], kept };
  }
  const spread = window.strides as Pair;
  const first = pair((axis) => (kernel[axis] - 1) * dilations[axis] - window.before[axis]!);
  const skipped = pair((axis) => Math.max(0, Math.ceil(-first[axis] / spread[axis])));
  const begin = pair((axis) => first[axis] + skipped[axis] * spread[axis]);
  const planes = pair((axis) => output[axis] + (kernel[axis] - 1) * dilations[axis]);
  const kept = pair((axis) => {
    const room = Math.ceil((planes[axis] - begin[axis]) / spread[axis]);
    return Math.max(0, Math.min(sizes[axis] - skipped[axis], room));
  });
  return { ...common, strides: [1, 1], planes, begin, spread, skipped, kept };
}
