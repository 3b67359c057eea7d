/**
 * The buffers of a recurrent call, one after the other in one block, and the records that kernels find them by:
 *
 *   order [N]  active [C]                      i32: rows by falling length; rows that run at each step
 *   runs                                       a Run and its walks for each layer and direction
 *   h, c of each layer and direction           rows of state
 *   unprojected [N, H]  sums [N, gates]        o tanh c' before a projection; W_hh h + b_hh
 *   gates [T, N, gates]                        W_ih x + b_ih of T steps
 *   input [C, N, I]  outputs 2 x [C, N, D R]   a chunk of time, and every layer's output in turn
 *   staging [C, max(I, D R)]                   one batch row of the chunk, for batchFirst
 *   trace [C, N, 5, H]                         what the gates of a layer did
 *   callerH [layers D, N, R]  callerC          the states as the caller has them
 *   mask [C, N]  started [layers D, N]         i32: which steps count; rows that had one
 *   keptH, keptC [N, ...]                      the state of masked rows during a step
 *   resetH [N, H]                              GRU whose reset comes before the product: r h
 *   rounded [N, H]  roundedInput [T, N, I]     int8: rows as the kernels read them
 *   otherH [N, R]                              on several threads: what one of them writes while others read h
 *
 * On several threads each direction has gates, sums and the like of its own, and each thread room for rounded rows.
 *
 * C is T where all layers run in one direction, whatever the sequence's length, and on several threads as many T as take
 * SHARED_CHUNK_BYTES. Else they need it whole: C = L.
 */
import { TRACE_ROWS } from "../../build/abi.js";
import type { Block } from "../wasm/block.js";
import type { Region } from "../wasm/region.js";
import { Scratch } from "../wasm/scratch.js";
import type { Layer } from "./layer.js";
import type { MaskedOutput } from "./mask.js";
import type { RowOrder } from "./row-order.js";
import { gateStepsOf, RUN_RECORD_BYTES, setRun } from "./run-record.js";

/** Of inputs and outputs, about: threads that have rows of a batch meet at the end of a chunk. batch-128 is 1.04x with it. */
const SHARED_CHUNK_BYTES = 2 ** 22;

/** What the size of a workspace depends on. */
export interface WorkspaceShape {
  readonly steps: number;
  readonly batch: number;
  readonly batchMajor: boolean;
  readonly traced: boolean;
  /** What masked steps give, where there is a mask. */
  readonly masked: MaskedOutput | undefined;
}

/** A workspace laid out for calls of one shape. */
export interface Layout {
  readonly batch: number;
  /** C: steps whose input and output are in memory at a time. */
  readonly chunkSteps: number;
  /** Address of the Run of each layer and direction. */
  readonly runs: readonly number[];
  readonly order: Block;
  readonly active: Block;
  readonly input: Block;
  /** Of even layers and of odd ones: a layer reads one and writes the other. */
  readonly outputs: readonly [even: Block, odd: Block];
  readonly staging: Block;
  readonly trace: Block;
  readonly mask: Block;
  readonly started: Block;
  /** callerH, and the LSTM's callerC. */
  readonly callerStates: readonly Block[];
}

export class Workspace {
  readonly #region: Region;
  readonly #scratch: Scratch;
  readonly #layers: readonly Layer[];
  readonly #directions: number;
  #shape: WorkspaceShape | undefined;
  #layout: Layout | undefined;
  /** Whether order and active say that all rows run at every step, in their own order. */
  #allRun = false;

  constructor(region: Region, layers: readonly Layer[], directions: number) {
    this.#region = region;
    this.#scratch = new Scratch(region);
    this.#layers = layers;
    this.#directions = directions;
  }

  /** Lays the buffers out for a call; allocates only if it needs more than any call before. */
  fit(shape: WorkspaceShape): Layout {
    const last = this.#shape;
    if (
      last !== undefined &&
      last.steps === shape.steps &&
      last.batch === shape.batch &&
      last.batchMajor === shape.batchMajor &&
      last.traced === shape.traced &&
      last.masked === shape.masked
    ) {
      return this.#layout!;
    }
    this.#shape = undefined;
    this.#layout = this.#layOut(shape);
    this.#allRun = false;
    this.#shape = shape;
    return this.#layout;
  }

  /** The order of rows, and where all run to the end also how many run at each step. */
  setOrder(order: RowOrder | undefined): void {
    if (order === undefined && this.#allRun) return;
    const { batch, chunkSteps, order: rows, active } = this.#layout!;
    const { runtime } = this.#region;
    runtime.write(rows, 0, order?.rows ?? new Int32Array(batch).map((_, row) => row));
    if (order === undefined) runtime.write(active, 0, new Int32Array(chunkSteps).fill(batch));
    this.#allRun = order === undefined;
  }

  #layOut({ steps, batch, batchMajor, traced, masked }: WorkspaceShape): Layout {
    const layers = this.#layers;
    const directions = this.#directions;
    const { hRow, cRow, weightHidden, weightProjection, shape } = layers[0]!;
    const { inputSize, hiddenSize, outputSize, cell } = shape;
    const hasC = cell.states.length > 1;
    const gatesRow = weightHidden.outputRow;
    const gateSteps = gateStepsOf(layers[0]!, steps, batch);
    // The second tells: directions take turns, and so do layers that each begin at the end of the one before.
    const oneWay = (layers[1] ?? layers[0]!).shape.reverse === shape.reverse;
    const stateRows = layers.length * batch;
    const outputRow = directions * outputSize * 4;
    const { threads } = this.#region.runtime;
    const shared = threads > 1;
    const pieceBytes = gateSteps * batch * (inputSize * 4 + outputRow);
    const pieces = shared ? Math.ceil(SHARED_CHUNK_BYTES / pieceBytes) : 1;
    const chunkSteps = oneWay ? Math.min(steps, gateSteps * pieces) : steps;
    const rows = chunkSteps * batch;
    // What directions that run at once may not share; one for each.
    const own = shared ? directions : 1;
    const [order, active, runs, h, c, unprojected, sums, gates, input, even, odd, staging, trace, ...rest] =
      this.#scratch.parts([
        batch * 4,
        chunkSteps * 4,
        layers.length * RUN_RECORD_BYTES,
        stateRows * hRow,
        hasC ? stateRows * cRow : 0,
        weightProjection === undefined ? 0 : own * batch * cRow,
        own * batch * gatesRow,
        own * gateSteps * batch * gatesRow,
        rows * inputSize * 4,
        rows * outputRow,
        layers.length > directions ? rows * outputRow : 0,
        batchMajor ? chunkSteps * Math.max(inputSize * 4, outputRow) : 0,
        traced ? rows * TRACE_ROWS * cRow : 0,
        stateRows * outputSize * 4,
        hasC ? stateRows * hiddenSize * 4 : 0,
        threads * batch * Math.max(...layers.map((layer) => layer.roundedRow)),
        threads * gateSteps * batch * Math.max(...layers.map((layer) => layer.weightInput.roundedRow)),
        masked === undefined ? 0 : rows * 4,
        masked === undefined ? 0 : stateRows * 4,
        masked === undefined ? 0 : own * batch * hRow,
        masked === undefined || !hasC ? 0 : own * batch * cRow,
        shape.options?.resetAfter === false ? own * batch * hRow : 0,
        shared ? own * batch * hRow : 0,
      ]);
    const [callerH, callerC, rounded, roundedInput, mask, started, keptH, keptC, resetH, otherH] = rest;

    const words = new Int32Array(runs.bytes / 4);
    const outputs = [even, odd] as const;
    layers.forEach((layer, index) => {
      const level = Math.floor(index / directions);
      const stateRow = index * batch;
      const place = (index % own) * batch;
      setRun(words, (index * RUN_RECORD_BYTES) / 4, runs.pointer, layer, {
        batch,
        order: order.pointer,
        active: active.pointer,
        mask: masked === undefined ? 0 : mask.pointer,
        repeat: masked === "repeat" ? 1 : 0,
        started: started.pointer + stateRow * 4,
        keptH: keptH.pointer + place * hRow,
        keptC: keptC.pointer + place * cRow,
        resetH: resetH.pointer + place * hRow,
        input: (level === 0 ? input : outputs[(level - 1) & 1]!).pointer,
        output: outputs[level & 1]!.pointer + (index % directions) * outputSize * 4,
        outputRow,
        gates: gates.pointer + place * gateSteps * gatesRow,
        gateSteps,
        sums: sums.pointer + place * gatesRow,
        h: h.pointer + stateRow * hRow,
        otherH: shared ? otherH.pointer + place * hRow : 0,
        c: hasC ? c.pointer + stateRow * cRow : 0,
        unprojected: unprojected.pointer + place * cRow,
        callerH: callerH.pointer + stateRow * outputSize * 4,
        callerC: callerC.pointer + stateRow * hiddenSize * 4,
        trace: traced ? trace.pointer : 0,
        rounded: rounded.pointer,
        roundedInput: roundedInput.pointer,
      });
    });
    this.#region.runtime.write(runs, 0, words);
    return {
      batch,
      chunkSteps,
      runs: layers.map((_, index) => runs.pointer + index * RUN_RECORD_BYTES),
      order,
      active,
      input,
      outputs,
      staging,
      trace,
      mask,
      started,
      callerStates: hasC ? [callerH, callerC] : [callerH],
    };
  }
}
