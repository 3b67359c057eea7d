/** The record of a run of one layer and direction, and of its walks: what kernels find a call's buffers by. */
import { RUN_BYTES, WALK_BYTES, WHOLE } from "../../build/abi.js";
import * as Run from "../../build/records/run.js";
import { setWalk } from "../wasm/walk.js";
import type { Layer } from "./layer.js";

/** Bytes of gates to make at once, unless 16 rows or one step are more. The steps find them in an L2 of 2 MB. */
const GATES_BYTES = 2 ** 20;
/** Rows of gates to make at once: enough for each weight read to serve many rows. */
const GATES_ROWS = 128;

/** A run and its three walks. */
export const RUN_RECORD_BYTES = (RUN_BYTES + 3 * WALK_BYTES + 15) & ~15;

/** Addresses of a run's buffers, as assembly/records.ts says what they hold; 0 for what the run has not. */
export interface RunBuffers {
  readonly batch: number;
  readonly order: number;
  readonly active: number;
  readonly mask: number;
  readonly repeat: number;
  readonly started: number;
  readonly keptH: number;
  readonly keptC: number;
  readonly input: number;
  readonly output: number;
  /** Bytes from one row of outputs to the next. */
  readonly outputRow: number;
  readonly gates: number;
  readonly gateSteps: number;
  readonly sums: number;
  readonly h: number;
  readonly otherH: number;
  readonly c: number;
  readonly unprojected: number;
  readonly resetH: number;
  readonly callerH: number;
  readonly callerC: number;
  readonly trace: number;
  readonly rounded: number;
  readonly roundedInput: number;
}

/** How many steps' gates a run makes at once. */
export function gateStepsOf({ weightHidden }: Layer, steps: number, batch: number): number {
  const rows = Math.min(GATES_ROWS, Math.max(16, Math.floor(GATES_BYTES / weightHidden.outputRow)));
  return Math.min(steps, Math.max(1, Math.floor(rows / batch)));
}

/** Puts it into `words`, from number `at` on; `address` is where `words` will be. */
export function setRun(
  words: Int32Array,
  at: number,
  address: number,
  layer: Layer,
  buffers: RunBuffers,
): void {
  const { inputSize, hiddenSize, outputSize } = layer.shape;
  const { hRow, cRow } = layer;
  const walk = at + RUN_BYTES / 4;
  words[at + Run.batch] = buffers.batch;
  words[at + Run.order] = buffers.order;
  words[at + Run.active] = buffers.active;
  words[at + Run.mask] = buffers.mask;
  words[at + Run.repeat] = buffers.repeat;
  words[at + Run.started] = buffers.started;
  words[at + Run.keptH] = buffers.keptH;
  words[at + Run.keptC] = buffers.keptC;
  words[at + Run.resetH] = buffers.resetH;
  words[at + Run.input] = buffers.input;
  words[at + Run.output] = buffers.output;
  words[at + Run.outputRow] = buffers.outputRow;
  words[at + Run.gates] = buffers.gates;
  words[at + Run.gateSteps] = buffers.gateSteps;
  words[at + Run.sums] = buffers.sums;
  words[at + Run.h] = buffers.h;
  words[at + Run.nextH] = buffers.h;
  words[at + Run.otherH] = buffers.otherH;
  words[at + Run.stage] = WHOLE;
  words[at + Run.hRow] = hRow;
  words[at + Run.c] = buffers.c;
  words[at + Run.cRow] = cRow;
  words[at + Run.unprojected] = buffers.unprojected;
  words[at + Run.callerH] = buffers.callerH;
  words[at + Run.callerC] = buffers.callerC;
  words[at + Run.trace] = buffers.trace;
  words[at + Run.fromUnit] = 0;
  words[at + Run.toUnit] = hiddenSize;
  words[at + Run.fromOutput] = 0;
  words[at + Run.toOutput] = outputSize;
  words[at + Run.inputWalk] = address + walk * 4;
  words[at + Run.hiddenWalk] = address + walk * 4 + WALK_BYTES;
  words[at + Run.projectionWalk] = address + walk * 4 + 2 * WALK_BYTES;
  setWalk(words, walk, layer.weightInput, inputSize * 4, buffers.roundedInput);
  setWalk(words, walk + WALK_BYTES / 4, layer.weightHidden, hRow, buffers.rounded);
  if (layer.weightProjection === undefined) return;
  setWalk(words, walk + WALK_BYTES / 2, layer.weightProjection, cRow, buffers.rounded);
}
