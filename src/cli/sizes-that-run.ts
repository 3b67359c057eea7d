/** Sizes for what a model's inputs leave open, with which it runs: a convolution may need more than one frame. */

import { loadOnnx } from "lstm-wasm/models";
import type { Declared, Graph } from "../graph/ir.js";

/** Sizes for the open axes of a shape. */
export type Sizes = (shape: NonNullable<Declared["shape"]>) => readonly number[];

const isOpen = (size: number | string): boolean => typeof size === "string" || size < 0;

/** All open sizes are 1. */
export const ones: Sizes = (shape) => shape.map((size) => (isOpen(size) ? 1 : (size as number)));

/** The last open axis of each input is of this length, or with `afterBatch` those behind the first one. */
const ofLength =
  (length: number, afterBatch: boolean): Sizes =>
  (shape) => {
    const open = [...shape.keys()].filter((axis) => isOpen(shape[axis]!));
    const long = afterBatch ? open.slice(1) : open.slice(-1);
    return ones(shape).map((size, axis) => (long.includes(axis) ? length : size));
  };

/** A file that is larger is not run, and no more inputs, nor any after so many milliseconds. */
const MOST_BYTES = 2 ** 26;
const MOST_NUMBERS = 2 ** 20;
const MOST_TIME = 1000;

/** The first sizes with which the model runs on zeros; {@link ones} where none are found. */
export function sizesThatRun(
  bytes: Uint8Array,
  graph: Graph,
  externalData: Readonly<Record<string, Uint8Array>>,
): Sizes {
  const tried = [ones];
  for (let length = 2; length <= 1024; length *= 2)
    tried.push(ofLength(length, true), ofLength(length, false));
  const end = performance.now() + MOST_TIME;
  if (bytes.length > MOST_BYTES || !graph.inputs.some(({ shape }) => shape?.some(isOpen))) return ones;
  try {
    using model = loadOnnx(bytes, { externalData });
    for (const sizes of tried) {
      if (performance.now() > end) break;
      if (runs(() => model.run(zerosOf(graph, sizes)))) return sizes;
    }
  } catch {
    // A model that cannot be loaded runs with no sizes.
  }
  return ones;
}

function runs(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}

/** @throws RangeError for more numbers than are tried */
function zerosOf(
  { inputs }: Graph,
  sizes: Sizes,
): Record<string, { data: number[]; shape: readonly number[] }> {
  return Object.fromEntries(
    inputs.map(({ name, shape = [] }) => {
      const own = sizes(shape);
      const count = own.reduce((product, size) => product * size, 1);
      if (count > MOST_NUMBERS) throw new RangeError(`${name}: ${count} numbers`);
      return [name, { data: Array<number>(count).fill(0), shape: own }];
    }),
  );
}
