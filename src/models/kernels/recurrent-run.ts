/**
 * One layer of a recurrent node, in one or two directions, over a sequence in linear memory. Input, outputs and states
 * stay where they lie. Rows are copied only where the kernels have them in another order than the node: a layer takes
 * [T, N, I] and gives [T, N, D, H].
 */

import type { Layer } from "../../nn/layer.js";
import { gateStepsOf, type RunBuffers } from "../../nn/run-record.js";
import { align } from "../../wasm/block.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { Place } from "../operator.js";
import { copyOutput, recordOf, sortRows } from "./recurrent-rows.js";

/** A call of a kernel, or of what copies for one. */
export type KernelCall = () => void;

export interface Level {
  readonly runtime: Runtime;
  /** One for each direction. They have the same sizes. */
  readonly layers: readonly Layer[];
  readonly steps: number;
  readonly batch: number;
  /** [T, N, I] or [N, T, I]. */
  readonly input: "time" | "batch";
  /** [T, N, D, H], [T, D, N, H] or [N, T, D, H]. */
  readonly output: "time" | "directions" | "batch";
  /** [D, N, H] or [N, D, H]. */
  readonly states: "directions" | "batch";
  /** Whether the output's rows go from the last step to the first. */
  readonly isTurned: boolean;
  /** Whether anybody may read the output. */
  readonly isRead: boolean;
  readonly hasLengths: boolean;
  /** What masked steps give, where there is a mask. */
  readonly masked: "repeat" | "zeros" | undefined;
}

/** What all levels of a node share. */
export interface Rows {
  readonly order: number;
  readonly active: number;
  /** A state of zeros. */
  readonly zeros: number;
  /** What is done before the first level. */
  readonly calls: readonly KernelCall[];
}

/** Addresses of a level's numbers; of what is left out 0. */
export interface LevelPlace {
  readonly rows: Rows;
  readonly input: number;
  readonly output: number;
  /** Initial states: h and c. */
  readonly given: readonly [number, number];
  /** Last states: h and c. */
  readonly wanted: readonly [number, number];
  /** i32 [T, N], and [D, N] of zeros, where there is a mask. */
  readonly mask?: number;
  readonly started?: number;
}

/** Where the parts of a level's scratch lie, for scratch that begins at `start`. */
export function levelScratch(level: Level, start: number) {
  const { runtime, layers, steps, batch, masked } = level;
  const layer = layers[0]!;
  const { threads } = runtime;
  // What directions that run at once may not share; one for each.
  const own = threads > 1 ? layers.length : 1;
  const { inputSize, hiddenSize } = layer.shape;
  const gateSteps = gateStepsOf(layer, steps, Math.max(1, batch));
  const { hRow, cRow, weightHidden, weightInput } = layer;
  let next = start;
  const part = (bytes: number) => {
    const at = next;
    next += align(bytes);
    return at;
  };
  const parts = {
    gateSteps,
    sums: part(own * batch * weightHidden.outputRow),
    gates: part(own * gateSteps * batch * weightHidden.outputRow),
    rounded: part(threads * batch * weightHidden.roundedRow),
    roundedInput: part(threads * gateSteps * batch * weightInput.roundedRow),
    resetH: part(own * batch * hRow),
    h: part(layers.length * batch * hRow),
    otherH: part(threads > 1 ? own * batch * hRow : 0),
    c: part(layers.length * batch * cRow),
    keptH: part(masked === undefined ? 0 : own * batch * hRow),
    keptC: part(masked === undefined ? 0 : own * batch * cRow),
    callerH: part(batch * hiddenSize * 4),
    callerC: part(batch * hiddenSize * 4),
    input: part(turnsInput(level) ? steps * batch * inputSize * 4 : 0),
    output: part(hiddenSize * 4 * (level.isRead ? (copiesOutput(level) ? own * steps * batch : 0) : 1)),
  };
  return { ...parts, bytes: next - start };
}

const turnsInput = ({ input, batch }: Level) => input === "batch" && batch > 1;
const copiesOutput = ({ layers, output, batch, steps, isTurned }: Level) =>
  (isTurned && steps > 1) ||
  (batch > 1 && (output === "batch" || (output === "directions" && layers.length > 1)));
/** Whether a direction's states are not one after the other. */
const dealsStates = ({ layers, states, batch }: Level) =>
  states === "batch" && batch > 1 && layers.length > 1;

/** All calls as one. */
export function inOrder(calls: readonly KernelCall[]): KernelCall {
  if (calls.length === 2) {
    const [load, run] = calls as [KernelCall, KernelCall];
    return () => {
      load();
      run();
    };
  }
  return () => {
    for (let at = 0; at < calls.length; at++) calls[at]!();
  };
}

/** @param lengths address of the rows' lengths, i32, where the level has them */
export function bindRows(level: Level, place: Place, lengths = 0): Rows {
  const { runtime, layers, steps, batch, hasLengths } = level;
  const order = place.record(Int32Array.from({ length: batch }, (_, row) => row));
  const active = place.record(new Int32Array(steps).fill(batch));
  const zeros = place.record(new Int32Array(batch * layers[0]!.shape.hiddenSize));
  const sort = hasLengths ? [sortRows(runtime, { steps, batch, lengths, order, active })] : [];
  return { order, active, zeros, calls: sort };
}

/** The calls that run a level; `start` is where its scratch begins. */
export function bindLevel(level: Level, place: Place, start: number, at: LevelPlace): KernelCall[] {
  const { runtime, layers, steps, batch } = level;
  const { kernels } = runtime;
  const scratch = levelScratch(level, start);
  const calls: KernelCall[] = [];
  let { input } = at;
  if (turnsInput(level)) {
    const { inputSize } = layers[0]!.shape;
    const [row, source] = [inputSize * 4, input];
    input = scratch.input;
    calls.push(() => {
      for (let item = 0; item < batch; item++) {
        const from = source + item * steps * row;
        kernels.copyRows(scratch.input + item * row, batch * row, from, row, steps, inputSize);
      }
    });
  }
  const bound = [...layers.keys()].map((direction) =>
    bindDirection(level, place, { at, direction, input, scratch }),
  );
  const { pair } = runtime;
  if (pair !== undefined && bound.length === 2) {
    const [first, second] = bound as [Direction, Direction];
    let zigzag = 0;
    const both = () => {
      pair(first.layer, first.run, second.layer, second.run, steps, zigzag);
      zigzag ^= steps & 1;
    };
    return [...calls, ...first.before, ...second.before, both, ...first.after, ...second.after];
  }
  for (const { layer, run, before, after } of bound) {
    let zigzag = 0;
    const alone = () => {
      kernels.runLayer(layer, run, steps, zigzag);
      zigzag ^= steps & 1;
    };
    calls.push(...before, alone, ...after);
  }
  return calls;
}

/** A direction: addresses of its layer and its run, and what stands before the run and after it. */
interface Direction {
  readonly layer: number;
  readonly run: number;
  readonly before: readonly KernelCall[];
  readonly after: readonly KernelCall[];
}

/** What the directions of a level share. */
interface Binding {
  readonly at: LevelPlace;
  readonly direction: number;
  readonly input: number;
  readonly scratch: ReturnType<typeof levelScratch>;
}

function bindDirection(level: Level, place: Place, { at, direction, input, scratch }: Binding): Direction {
  const { runtime, layers, steps, batch, masked } = level;
  const { kernels } = runtime;
  const layer = layers[direction]!;
  const { hiddenSize, cell } = layer.shape;
  const hasC = cell.states.length > 1;
  const { zeros, order, active } = at.rows;
  const row = hiddenSize * 4;
  const deals = dealsStates(level);
  const ofDirection = direction * (deals ? row : batch * row);
  const part = (address: number, isThere: boolean) => (isThere && address !== 0 ? address + ofDirection : 0);
  const given = [part(at.given[0], true), part(at.given[1], hasC)] as const;
  const wanted = [part(at.wanted[0], true), part(at.wanted[1], hasC)] as const;
  // States are made where the node gives them, unless their rows would not lie as the kernels have them.
  const isDirect =
    !deals && !level.hasLengths && layer.hRow === row && wanted.every((address) => address % 16 === 0);
  const [ownH, ownC] = [
    scratch.h + direction * batch * layer.hRow,
    scratch.c + direction * batch * layer.cRow,
  ];
  const result = level.isRead ? at.output : 0;
  const isCopied = copiesOutput(level);
  // Directions that run at once have room of their own.
  const side = runtime.threads > 1 ? direction * batch : 0;
  const ownOutput = scratch.output + (isCopied ? side * steps * row : 0);
  const { outputRow: gatesRow } = layer.weightHidden;
  const buffers: RunBuffers = {
    ...scratch,
    sums: scratch.sums + side * gatesRow,
    gates: scratch.gates + side * scratch.gateSteps * gatesRow,
    resetH: scratch.resetH + side * layer.hRow,
    otherH: runtime.threads > 1 ? scratch.otherH + side * layer.hRow : 0,
    keptH: scratch.keptH + side * layer.hRow,
    keptC: scratch.keptC + side * layer.cRow,
    batch,
    order,
    active,
    mask: at.mask ?? 0,
    repeat: masked === "repeat" ? 1 : 0,
    started: at.started === undefined ? 0 : at.started + direction * batch * 4,
    input,
    output: isCopied || result === 0 ? ownOutput : result + direction * row,
    // A row for all steps where nobody reads them.
    outputRow: result === 0 ? 0 : isCopied ? row : layers.length * row,
    h: (isDirect && wanted[0]) || ownH,
    c: hasC ? (isDirect && wanted[1]) || ownC : 0,
    unprojected: 0,
    trace: 0,
    callerH: deals ? scratch.callerH : given[0] || zeros,
    callerC: deals ? scratch.callerC : given[1] || zeros,
  };
  const record = recordOf(place, runtime, layer, buffers);
  const hasGiven = given.some((address) => address !== 0);
  const before: KernelCall[] = [];
  const after: KernelCall[] = [];
  const whole = layers.length * row;
  if (deals && hasGiven) {
    before.push(() => {
      for (let which = 0; which < 2; which++) {
        const [to, from] = [which === 0 ? scratch.callerH : scratch.callerC, given[which]!];
        kernels.copyRows(to, row, from === 0 ? zeros : from, from === 0 ? row : whole, batch, hiddenSize);
      }
    });
  }
  const isPadded = layer.hRow !== row;
  before.push(() => {
    // What scratch held may be numbers that take long, in the lanes past the last unit.
    if (!hasGiven || isPadded) kernels.loadStates(layer.address, record, 0);
    if (hasGiven) kernels.loadStates(layer.address, record, 1);
  });
  if (!isDirect && wanted.some((address) => address !== 0)) {
    const storing = recordOf(place, runtime, layer, {
      ...buffers,
      callerH: (!deals && wanted[0]) || scratch.callerH,
      callerC: (!deals && wanted[1]) || scratch.callerC,
    });
    after.push(() => {
      kernels.storeStates(layer.address, storing);
      if (!deals) return;
      for (let which = 0; which < 2; which++) {
        const [to, from] = [wanted[which]!, which === 0 ? scratch.callerH : scratch.callerC];
        if (to !== 0) kernels.copyRows(to, whole, from, row, batch, hiddenSize);
      }
    });
  }
  if (result !== 0 && isCopied) after.push(copyOutput(level, result, direction, ownOutput));
  return { layer: layer.address, run: record, before, after };
}
