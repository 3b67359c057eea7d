/** The rows of recurrent nodes: records by which kernels find them, their order, and copies of them. */

import type { Layer } from "../../nn/layer.js";
import { RUN_RECORD_BYTES, type RunBuffers, setRun } from "../../nn/run-record.js";
import { numbersAt } from "../../wasm/numbers-at.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { Place } from "../operator.js";

/** Address of a Run and its walks. */
export function recordOf(place: Place, runtime: Runtime, layer: Layer, buffers: RunBuffers): number {
  const words = new Int32Array(RUN_RECORD_BYTES / 4);
  const address = place.record(words);
  // The record has addresses within itself.
  setRun(words, 0, address, layer, buffers);
  numbersAt(runtime, Int32Array, address, words.length)().set(words);
  return address;
}

/** How a level gives its output. */
interface Giving {
  readonly runtime: Runtime;
  readonly layers: readonly Layer[];
  readonly steps: number;
  readonly batch: number;
  readonly output: "time" | "directions" | "batch";
  readonly isTurned: boolean;
}

/** A direction's rows, [T, N, H], to where the node has them. */
export function copyOutput(level: Giving, output: number, direction: number, from: number): () => void {
  const { runtime, layers, steps, batch, isTurned } = level;
  const { kernels } = runtime;
  const { hiddenSize } = layers[0]!.shape;
  const directions = layers.length;
  const row = hiddenSize * 4;
  /** From one to the next, in rows of the output. */
  const [ofStep, ofItem, ofDirection] =
    level.output === "batch"
      ? [directions, steps * directions, 1]
      : level.output === "time"
        ? [batch * directions, directions, 1]
        : [batch * directions, 1, batch];
  const start = output + (direction * ofDirection + (isTurned ? (steps - 1) * ofStep : 0)) * row;
  const stride = (isTurned ? -ofStep : ofStep) * row;
  if (level.output === "directions") {
    return () => kernels.copyRows(start, stride, from, batch * row, steps, batch * hiddenSize);
  }
  return () => {
    for (let item = 0; item < batch; item++) {
      const to = start + item * ofItem * row;
      kernels.copyRows(to, stride, from + item * row, batch * row, steps, hiddenSize);
    }
  };
}

/** Where lengths are, and what is made of them. */
interface Lengths {
  readonly steps: number;
  readonly batch: number;
  readonly lengths: number;
  readonly order: number;
  readonly active: number;
}

/** Writes the order of rows by falling length, and how many run at each step. */
export function sortRows(runtime: Runtime, { steps, batch, lengths, order, active }: Lengths): () => void {
  const given = numbersAt(runtime, Int32Array, lengths, batch);
  const rows = numbersAt(runtime, Int32Array, order, batch);
  const running = numbersAt(runtime, Int32Array, active, steps);
  return () => {
    const [numbers, sorted, counts] = [given(), rows(), running()];
    let at = 0;
    for (let length = steps; length >= 0; length--) {
      // Rows that are placed by now run at step `length`.
      if (length < steps) counts[length] = at;
      for (let row = 0; row < batch; row++) {
        if (Math.min(Math.max(numbers[row]!, 0), steps) === length) sorted[at++] = row;
      }
    }
  };
}

/** Where a mask is, and what is made of it. */
interface Masked {
  /** [N, T], a byte each. */
  readonly from: number;
  /** [T, N], an i32 each. */
  readonly to: number;
  readonly steps: number;
  readonly batch: number;
  /** `count` i32: whether a row has an output before its first step that counts, which is then its state. */
  readonly started: number;
  readonly count: number;
  readonly begins: boolean;
}

/** Writes a mask as kernels have it. */
export function turnMask(
  runtime: Runtime,
  { from, to, steps, batch, started, count, begins }: Masked,
): () => void {
  const given = numbersAt(runtime, Uint8Array, from, batch * steps);
  const turned = numbersAt(runtime, Int32Array, to, steps * batch);
  const begun = numbersAt(runtime, Int32Array, started, count);
  return () => {
    const [flags, numbers] = [given(), turned()];
    begun().fill(begins ? 1 : 0);
    for (let item = 0; item < batch; item++) {
      for (let step = 0; step < steps; step++) {
        numbers[step * batch + item] = flags[item * steps + step]!;
      }
    }
  };
}
