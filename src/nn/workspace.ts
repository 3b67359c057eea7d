/**
 * The buffers of a recurrent call, one after the other in one block:
 *
 *   order [N]  active [T]                           i32: rows by falling length; rows that run at each step
 *   states, cells   of each layer and direction     rows of h and of c
 *   hidden [N, H]  sums [N, gates]                  h' before a projection makes h of it; W_hh h + b_hh
 *   gates [T, N, gates]                             what project() makes of T steps
 *   input [C, N, I]  outputs 2 x [C, N, D R]        a chunk of time, and every layer's output in turn
 *   staging [C, max(I, D R)]                        one batch row of the chunk, for batchFirst
 *   trace [T, N, 5, H]                              activated gates
 *   quantized [N, H]                                int8: h, or h' before a projection, as the kernels read it
 *   quantizedInput [T, N, I]                        int8: the input of T steps as project() reads it
 *
 * C is T for one direction, whatever the sequence's length; two directions need the whole sequence: C = L.
 */

import type { Region } from "../wasm/region.js";
import { align, Scratch } from "../wasm/scratch.js";
import type { Layer } from "./layer.js";

/**
 * Bytes of gates that one call of project() makes, unless 16 rows or one step are more: half of a 2 MB L2, so that the
 * steps find them there.
 */
const GATES_BYTES = 2 ** 20;
/** Rows of gates to make at once: enough for each weight read to serve many rows. */
const GATES_ROWS = 128;

/** Where one layer and direction keeps its state. */
export interface LayerState {
  readonly state: number;
  readonly stateRow: number;
  readonly cells: number;
  readonly cellRow: number;
}

/** What the size of a workspace depends on. */
export interface WorkspaceShape {
  readonly steps: number;
  readonly batch: number;
  readonly batchMajor: boolean;
  readonly traced: boolean;
}

export class Workspace {
  /** Steps whose input and output are in memory at a time: C. */
  chunkSteps = 0;
  /** Steps whose gates are in memory at a time: T. */
  gateSteps = 0;
  batch = 0;
  /** Whether this is a single step of one row, for which the kernel makes the gates itself. */
  single = false;
  /** Whether order and active say that all rows run at every step, in their own order. */
  uniform = false;
  order = 0;
  active = 0;
  hidden = 0;
  gates = 0;
  input = 0;
  outputs: readonly [number, number] = [0, 0];
  staging = 0;
  trace = 0;
  sums = 0;
  /** The scratch of the int8 kernels; 0 in float32. */
  quantized = 0;
  quantizedRow = 0;
  quantizedInput = 0;
  layers: readonly LayerState[] = [];
  readonly #scratch: Scratch;
  #shape: WorkspaceShape | undefined;

  constructor(region: Region) {
    this.#scratch = new Scratch(region);
  }

  /** Lays the buffers out for a call; allocates only if it needs more than any call before. */
  fit(layers: readonly Layer[], directions: number, shape: WorkspaceShape): void {
    const { steps, batch, batchMajor, traced } = shape;
    const laidOut = this.#shape;
    if (
      laidOut !== undefined &&
      laidOut.steps === steps &&
      laidOut.batch === batch &&
      laidOut.batchMajor === batchMajor &&
      laidOut.traced === traced
    ) {
      return;
    }
    this.#shape = undefined;
    const gatesRow = Math.max(...layers.map((layer) => layer.input.outputRow));
    const rows = Math.min(GATES_ROWS, Math.max(16, Math.floor(GATES_BYTES / gatesRow)));
    const gateSteps = Math.min(steps, Math.max(1, Math.floor(rows / batch)));
    const chunkSteps = directions === 2 ? steps : gateSteps;

    const { cellRow } = layers[0]!;
    const inputSize = layers[0]!.sizes.inputSize;
    const outputSize = directions * layers[0]!.outputSize;
    let next = 0;
    const place = (bytes: number): number => {
      const at = next;
      next += align(bytes);
      return at;
    };
    const order = place(batch * 4);
    const active = place(gateSteps * 4);
    const states = layers.map((layer) => {
      const { stateRow } = layer;
      return {
        state: place(batch * stateRow),
        stateRow,
        cells: place(batch * cellRow),
        cellRow,
      };
    });
    const hidden = place(layers[0]!.reduction === undefined ? 0 : batch * cellRow);
    const sums = place(batch * gatesRow);
    const gates = place(gateSteps * batch * gatesRow);
    const input = place(chunkSteps * batch * inputSize * 4);
    const outputBytes = chunkSteps * batch * outputSize * 4;
    const even = place(outputBytes);
    const odd = place(layers.length > directions ? outputBytes : 0);
    const staging = place(batchMajor ? chunkSteps * Math.max(inputSize, outputSize) * 4 : 0);
    const trace = place(traced ? gateSteps * batch * 5 * cellRow : 0);

    const inputRow = Math.max(...layers.map((layer) => layer.input.quantizedRow));
    const int8 = inputRow > 0;
    const quantizedRow = Math.max(...layers.map((layer) => layer.quantizedRow));
    const quantized = place(batch * quantizedRow);
    const quantizedInput = place(gateSteps * batch * inputRow);

    const base = this.#scratch.fit(next);
    this.chunkSteps = chunkSteps;
    this.gateSteps = gateSteps;
    this.batch = batch;
    this.single = steps === 1 && batch === 1;
    this.uniform = false;
    this.order = base + order;
    this.active = base + active;
    this.layers = states.map((layer) => ({
      ...layer,
      state: layer.state + base,
      cells: layer.cells + base,
    }));
    this.hidden = base + hidden;
    this.gates = base + gates;
    this.input = base + input;
    this.outputs = [base + even, base + odd];
    this.staging = base + staging;
    this.trace = traced ? base + trace : 0;
    this.quantized = int8 ? base + quantized : 0;
    this.quantizedRow = quantizedRow;
    this.quantizedInput = int8 ? base + quantizedInput : 0;
    this.sums = base + sums;
    this.#shape = shape;
  }
}
