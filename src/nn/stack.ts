/** The layers and directions of a recurrent module, run over a sequence chunk by chunk: one kernel call for each. */
import { allocateFloats } from "../tensor/like.js";
import type { Block } from "../wasm/block.js";
import type { Precision } from "../wasm/precision.js";
import type { Region } from "../wasm/region.js";
import type { CellKind } from "./cell-kinds.js";
import type { CellOptions } from "./cell-options.js";
import { Layer } from "./layer.js";
import { RowOrder } from "./row-order.js";
import { checkStill, type Sequence } from "./sequence.js";
import { type Layout, Workspace } from "./workspace.js";

export interface StackShape {
  readonly cell: CellKind;
  /** RNN: the number of its activation; else 0. */
  readonly activation: number;
  /** undefined for PyTorch's cell. */
  readonly options: CellOptions | undefined;
  readonly precision: Precision;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly directions: 1 | 2;
  readonly projSize: number;
  readonly bias: boolean;
  /** One direction from the end of the sequence, with output rows in the order of time, as ONNX's reverse. */
  readonly reverse: boolean;
  /** The same with rows in the order of computing, as Keras' go_backwards: each layer turns what the last one gives. */
  readonly goBackwards: boolean;
}

/** Checked states, or undefined for zeros: h and, for an LSTM, c. */
export type InitialStates = readonly (Float32Array | undefined)[];

/** What one layer and direction has just done with a chunk of time. */
export interface LayerChunk {
  /** Layer k, direction d is number k * directions + d. */
  readonly layer: number;
  /** The first step, of the sequence. */
  readonly start: number;
  readonly steps: number;
  /** (steps, N, inputSize of the layer). */
  readonly input: Float32Array;
  /** (steps, N, directions * outputSize). */
  readonly output: Float32Array;
  /** (steps, N, TRACE_ROWS, cRow), or nothing. */
  readonly trace: Float32Array;
}

/** Who looks on, and whether the kernels write traces for it. */
export interface Observer {
  readonly traced: boolean;
  see(chunk: LayerChunk): void;
}

export class Stack {
  declare readonly shape: StackShape;
  /** Layer k, direction d is number k * directions + d. */
  declare readonly layers: readonly Layer[];
  /** Numbers in each row of h and c. */
  declare readonly stateSizes: readonly number[];
  /** Numbers in one output row. */
  declare readonly outputSize: number;
  declare readonly region: Region;
  /** Of the layers' records. Calls read it, since V8 calls a builtin, 7 ns, for each element of a frozen array. */
  readonly #addresses: readonly number[];
  /** Whether all layers begin at the end of the sequence. */
  readonly #fromEnd: boolean;

  constructor(region: Region, shape: StackShape) {
    const { cell, inputSize, hiddenSize, numLayers, directions } = shape;
    this.region = region;
    this.shape = shape;
    const outputSize = shape.projSize || hiddenSize;
    this.outputSize = directions * outputSize;
    this.layers = Array.from({ length: numLayers * directions }, (_, index) => {
      const width = index < directions ? inputSize : this.outputSize;
      return new Layer(region, { ...shape, inputSize: width, outputSize, reverse: isReverse(shape, index) });
    });
    this.#addresses = this.layers.map((layer) => layer.address);
    this.#fromEnd = this.layers.every((layer) => layer.shape.reverse);
    this.stateSizes = cell.states.map((state) => (state === "h" ? outputSize : hiddenSize));
    for (const part of [shape, cell, cell.states, this.layers, this.stateSizes, this]) Object.freeze(part);
  }

  /** A new workspace for calls of this stack. */
  workspace(region: Region): Workspace {
    return new Workspace(region, this.layers, this.shape.directions);
  }

  /**
   * Runs a checked sequence from checked initial states. Returns the output in the input's layout, and the final
   * states, (layers * directions, batch, size) each.
   */
  run(
    workspace: Workspace,
    sequence: Sequence,
    initial: InitialStates,
    observer?: Observer,
  ): { output: Float32Array; states: Float32Array[] } {
    const { steps, batch, batchMajor } = sequence;
    if (batch === 0) {
      return { output: new Float32Array(0), states: this.stateSizes.map(() => new Float32Array(0)) };
    }
    checkStill(sequence.name, sequence.data, steps * batch * this.shape.inputSize);
    const turned = batchMajor && batch > 1;
    const { mask } = sequence;
    const traced = observer?.traced ?? false;
    const layout = workspace.fit({ steps, batch, batchMajor: turned, traced, masked: mask?.output });
    const order = RowOrder.of(sequence);
    workspace.setOrder(order);
    this.loadStates(layout, initial);

    const count = steps * batch * this.outputSize;
    const { runtime } = this.region;
    // One chunk in the caller's layout is copied out as it is.
    const inOnePiece = layout.chunkSteps === steps && !turned;
    const output = inOnePiece ? undefined : allocateFloats(count, "output");
    if (mask !== undefined) runtime.write(layout.started, 0, new Int32Array(layout.started.bytes / 4));
    const chunks = Math.ceil(steps / layout.chunkSteps);
    for (let chunk = 0; chunk < chunks; chunk++) {
      const start = (this.#fromEnd ? chunks - 1 - chunk : chunk) * layout.chunkSteps;
      const chunkSteps = Math.min(layout.chunkSteps, steps - start);
      this.#readChunk(layout, sequence, start, chunkSteps);
      if (order !== undefined) runtime.write(layout.active, 0, order.running(start, chunkSteps));
      if (mask !== undefined) {
        runtime.write(layout.mask, 0, mask.steps, start * batch, chunkSteps * batch);
      }
      this.#runLayers(layout, start, chunkSteps, observer);
      if (output !== undefined) this.#writeChunk(layout, sequence, start, chunkSteps, output);
    }
    const result = output ?? runtime.read(this.result(layout), 0, count, "output");
    const isTurned = this.shape.goBackwards && this.shape.numLayers % 2 === 1;
    return {
      output: isTurned ? turnSteps(result, sequence, this.outputSize) : result,
      states: this.storeStates(layout),
    };
  }

  /** Number `step` of a stream, which has one direction. Its input is in the workspace, and its output then in `result`. */
  runStep({ runs }: Layout, step: number): void {
    const { kernels } = this.region.runtime;
    for (let index = 0; index < runs.length; index++) {
      kernels.runLayer(this.#addresses[index]!, runs[index]!, 1, step & 1);
    }
  }

  /** Where the last layer's output is. */
  result(layout: Layout): Block {
    return layout.outputs[(this.shape.numLayers - 1) & 1]!;
  }

  /** All layers over the chunk of `steps` steps that begins at step `start`. */
  #runLayers(layout: Layout, start: number, steps: number, observer: Observer | undefined): void {
    const { kernels, pair } = this.region.runtime;
    const addresses = this.#addresses;
    const { runs } = layout;
    if (pair !== undefined && this.shape.directions === 2 && observer === undefined) {
      for (let at = 0; at < addresses.length; at += 2) {
        pair(addresses[at]!, runs[at]!, addresses[at + 1]!, runs[at + 1]!, steps, start & 1);
      }
      return;
    }
    for (let index = 0; index < addresses.length; index++) {
      kernels.runLayer(addresses[index]!, runs[index]!, steps, start & 1);
      if (observer !== undefined) observer.see(this.#chunkOf(layout, index, start, steps));
    }
  }

  #chunkOf(layout: Layout, index: number, start: number, steps: number): LayerChunk {
    const { runtime } = this.region;
    const level = Math.floor(index / this.shape.directions);
    const input = level === 0 ? layout.input : layout.outputs[(level - 1) & 1]!;
    const rows = steps * layout.batch;
    const { shape } = this.layers[index]!;
    const traceRow = layout.trace.bytes / (4 * layout.chunkSteps * layout.batch);
    return {
      layer: index,
      start,
      steps,
      input: runtime.read(input, 0, rows * shape.inputSize, "trace"),
      output: runtime.read(layout.outputs[level & 1]!, 0, rows * this.outputSize, "trace"),
      trace: runtime.read(layout.trace, 0, rows * traceRow, "trace"),
    };
  }

  /** The initial states into the workspace, whose rows are in its order. */
  loadStates({ callerStates, runs }: Layout, initial: InitialStates): void {
    const { runtime } = this.region;
    let given = 0;
    for (let which = 0; which < callerStates.length; which++) {
      const state = initial[which];
      if (state === undefined) continue;
      const block = callerStates[which]!;
      checkStill(which === 0 ? "h0" : "c0", state, block.bytes / 4);
      runtime.write(block, 0, state, 0, block.bytes / 4);
      given = 1;
    }
    for (let index = 0; index < runs.length; index++) {
      runtime.kernels.loadStates(this.#addresses[index]!, runs[index]!, given);
    }
  }

  /** The states as (layers * directions, batch, size) each. */
  storeStates({ callerStates, runs }: Layout): Float32Array[] {
    const { runtime } = this.region;
    for (let index = 0; index < runs.length; index++) {
      runtime.kernels.storeStates(this.#addresses[index]!, runs[index]!);
    }
    const states: Float32Array[] = [];
    for (const block of callerStates) states.push(runtime.read(block, 0, block.bytes / 4, "state"));
    return states;
  }

  /** Copies a chunk of the input in, steps outermost. */
  #readChunk(
    { input, staging }: Layout,
    { data, steps, batch, batchMajor }: Sequence,
    start: number,
    count: number,
  ): void {
    const { runtime } = this.region;
    const size = this.shape.inputSize;
    if (!batchMajor || batch === 1) {
      runtime.write(input, 0, data, start * batch * size, count * batch * size);
      return;
    }
    for (let row = 0; row < batch; row++) {
      const begin = (row * steps + start) * size;
      runtime.write(staging, 0, data, begin, count * size);
      const target = input.pointer + row * size * 4;
      runtime.kernels.copyRows(target, batch * size * 4, staging.pointer, size * 4, count, size);
    }
  }

  /** Copies the chunk of the last layer's output out, in the input's layout. */
  #writeChunk(
    layout: Layout,
    { steps, batch, batchMajor }: Sequence,
    start: number,
    count: number,
    output: Float32Array,
  ): void {
    const { runtime } = this.region;
    const { staging } = layout;
    const size = this.outputSize;
    const result = this.result(layout);
    if (!batchMajor || batch === 1) {
      runtime.copyOut(result, 0, count * batch * size, output, start * batch * size);
      return;
    }
    for (let row = 0; row < batch; row++) {
      const source = result.pointer + row * size * 4;
      runtime.kernels.copyRows(staging.pointer, size * 4, source, batch * size * 4, count, size);
      runtime.copyOut(staging, 0, count * size, output, (row * steps + start) * size);
    }
  }
}

/** Whether layer and direction number `index` begins at the end: with rows in the order of computing every other layer. */
export function isReverse(
  { directions, reverse, goBackwards }: Pick<StackShape, "directions" | "reverse" | "goBackwards">,
  index: number,
): boolean {
  if (directions === 2) return index % 2 === 1;
  return reverse || (goBackwards && index % 2 === 0);
}

/** The steps in the other order, in the input's layout. */
function turnSteps(output: Float32Array, { steps, batch, batchMajor }: Sequence, size: number): Float32Array {
  const row = batchMajor ? size : batch * size;
  const turned = output.slice();
  for (let at = 0; at < output.length; at += row) {
    const step = (at / row) % steps;
    turned.set(output.subarray(at, at + row), at + (steps - 1 - 2 * step) * row);
  }
  return turned;
}
