/** Copies of whole tensors, one after the other in one call of a kernel. */

import { COPY_BYTES, COPY_RUNS } from "../../../build/models-abi.js";
import * as Copy from "../../../build/records/copy.js";
import { modelKernels } from "../../wasm/models.js";
import { numbersAt } from "../../wasm/numbers-at.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { Place } from "../operator.js";

export interface Run {
  readonly source: number;
  readonly target: number;
  readonly bytes: number;
}

/** What makes some copies. */
export interface Runs {
  call(): void;
  /** Lets a copy, counted from the first one, go elsewhere from now on. */
  redirect(at: number, target: number): void;
}

const WORDS = COPY_BYTES / 4;

export function runsOf(runtime: Runtime, place: Place, runs: readonly Run[]): Runs {
  if (runs.length === 0) return { call: () => {}, redirect: () => {} };
  const words = new Int32Array(runs.length * WORDS);
  for (const [at, { source, target, bytes }] of runs.entries()) {
    const record = words.subarray(at * WORDS);
    record[Copy.source] = source;
    record[Copy.target] = target;
    record[Copy.kind] = COPY_RUNS;
    // Of no bytes there are no rows.
    record[Copy.rows] = bytes === 0 ? 0 : 1;
    record[Copy.columns] = bytes;
  }
  const records = place.record(words);
  const { copy } = modelKernels(runtime);
  const placed = numbersAt(runtime, Int32Array, records, words.length);
  return {
    call: () => copy(records, runs.length),
    redirect: (at, target) => {
      placed()[at * WORDS + Copy.target] = target;
    },
  };
}
