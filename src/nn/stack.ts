/**
 * The layers and directions of a recurrent module, run over a sequence chunk by chunk. What differs between LSTM, GRU
 * and RNN is a `Family`; its `runSteps` is the only place that calls the kernel.
 */
import { allocateFloats, copyFloats } from "../tensor/like.js";
import type { Kernels } from "../wasm/kernels.js";
import type { Precision } from "../wasm/precision.js";
import type { Region } from "../wasm/region.js";
import { Layer } from "./layer.js";
import type { Sequence } from "./sequence.js";
import { type LayerState, Workspace } from "./workspace.js";

/** One kernel call: some steps of one layer and direction. Pointers and strides in bytes. */
export interface StepRun extends Omit<LayerState, "cellRow"> {
  readonly steps: number;
  /** The input from which the kernel makes the gates itself, in int8 quantised; 0 when they have been made. */
  readonly input: number;
  readonly gates: number;
  readonly gatesTime: number;
  readonly gatesRow: number;
  readonly hidden: number;
  /** Scratch for W_hh h + b_hh, rows as those of the gates. */
  readonly sums: number;
  /** int8: scratch for a quantised row of every batch row's h, and bytes of one row; 0 in float32. */
  readonly quantized: number;
  readonly quantizedRow: number;
  readonly output: number;
  readonly outputTime: number;
  readonly outputRow: number;
  readonly order: number;
  readonly active: number;
  readonly batch: number;
  /** 1 to walk the weights from their end in the first step. */
  readonly backwards: number;
  readonly trace: number;
}

/** What LSTM, GRU and RNN differ in. */
export interface Family {
  readonly precision: Precision;
  /** Matrices of hiddenSize rows in W_ih and W_hh. */
  readonly gates: number;
  /** The states by name: h, and the LSTM's c. */
  readonly states: readonly ("h" | "c")[];
  runSteps(kernels: Kernels, layer: Layer, run: StepRun): void;
}

export interface StackSizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly directions: 1 | 2;
  readonly projSize: number;
  readonly bias: boolean;
}

/** The caller's row in each place of the workspace, and the length of each of the caller's rows. */
interface RowOrder {
  readonly rows: Int32Array;
  readonly lengths: Int32Array;
}

/**
 * Called for each row that a layer has run: layer k, direction d is number k * directions + d. The last three are where the
 * row's trace (five rows of the cells' size, where an LSTM is traced), the layer's input and its h are, in floats.
 */
export type TraceSink = (
  layer: number,
  step: number,
  row: number,
  trace: number,
  input: number,
  h: number,
) => void;

export class Stack {
  readonly family: Family;
  readonly sizes: StackSizes;
  /** Layer k, direction d is number k * directions + d. */
  readonly layers: readonly Layer[];
  /** Numbers in each row of h and c. */
  readonly stateSizes: readonly number[];
  readonly region: Region;

  constructor(region: Region, family: Family, sizes: StackSizes) {
    const { inputSize, hiddenSize, numLayers, directions, projSize, bias } = sizes;
    const outputSize = projSize || hiddenSize;
    this.region = region;
    this.family = family;
    this.sizes = sizes;
    this.stateSizes = family.states.map((state) => (state === "h" ? outputSize : hiddenSize));
    this.layers = Array.from({ length: numLayers * directions }, (_, index) => {
      const first = index < directions;
      const width = first ? inputSize : directions * outputSize;
      return new Layer(region, family.precision, family.gates, {
        inputSize: width,
        hiddenSize,
        projSize,
        bias,
      });
    });
  }

  /** Numbers in one output row. */
  get outputSize(): number {
    return this.sizes.directions * this.layers[0]!.outputSize;
  }

  /** A workspace laid out for one step at a time, as a stream needs it. */
  streamWorkspace(region: Region, batch: number): Workspace {
    const workspace = new Workspace(region);
    workspace.fit(this.layers, 1, {
      steps: 1,
      batch,
      batchMajor: false,
      traced: false,
    });
    this.#writeRows(workspace);
    return workspace;
  }

  /**
   * Runs a checked sequence from checked initial states (undefined: zeros). Returns the output in the input's layout and
   * the final states, (layers * directions, batch, size) each.
   *
   * @param traced whether the kernel writes the traces, which only some sinks read
   */
  run(
    workspace: Workspace,
    sequence: Sequence,
    initial: readonly (Float32Array | undefined)[],
    sink?: TraceSink,
    traced = sink !== undefined,
  ): { output: Float32Array; states: Float32Array[] } {
    const { steps, batch, batchMajor } = sequence;
    const { directions, inputSize } = this.sizes;
    const { outputSize, layers } = this;
    if (batch === 0) {
      return { output: new Float32Array(0), states: this.stateSizes.map(() => new Float32Array(0)) };
    }

    workspace.fit(layers, directions, {
      steps,
      batch,
      batchMajor: batchMajor && batch > 1,
      traced,
    });
    const order = orderByLength(sequence);
    this.#writeRows(workspace, order);
    this.writeStates(workspace, initial, order);
    // One chunk in the caller's order is copied out as it is.
    const whole = workspace.chunkSteps === steps && !(batchMajor && batch > 1);
    const output = whole ? undefined : allocateFloats(steps * batch * outputSize, "output");

    for (let start = 0; start < steps; start += workspace.chunkSteps) {
      const count = Math.min(workspace.chunkSteps, steps - start);
      this.#readChunk(workspace, sequence, start, count, inputSize);
      this.#runChunk(workspace, order, start, count, sink);
      if (output !== undefined) this.#writeChunk(workspace, sequence, start, count, output, outputSize);
    }
    return {
      output:
        output ??
        copyFloats(
          this.region.runtime.floats,
          this.#result(workspace) / 4,
          steps * batch * outputSize,
          "output",
        ),
      states: this.readStates(workspace, order),
    };
  }

  /** Number `step` of a stream, whose input is in the workspace; returns where the output is. */
  runStep(workspace: Workspace, step: number): number {
    this.#runChunk(workspace, undefined, step, 1, undefined);
    return this.#result(workspace);
  }

  /** Where the last layer's output is. */
  #result(workspace: Workspace): number {
    return workspace.outputs[(this.sizes.numLayers - 1) & 1]!;
  }

  /** All layers over the chunk of `count` steps that begins at step `start`. */
  #runChunk(
    workspace: Workspace,
    order: RowOrder | undefined,
    start: number,
    count: number,
    sink: TraceSink | undefined,
  ): void {
    const { numLayers, directions } = this.sizes;
    let source = workspace.input;
    for (let layer = 0; layer < numLayers; layer++) {
      const target = workspace.outputs[layer & 1]!;
      for (let direction = 0; direction < directions; direction++) {
        this.#runLayer(workspace, layer, direction, source, target, order, start, count, sink);
      }
      source = target;
    }
  }

  /** One layer and direction over the chunk: gates of some steps as one product, then these steps, until all are done. */
  #runLayer(
    workspace: Workspace,
    layerNumber: number,
    direction: number,
    source: number,
    target: number,
    order: RowOrder | undefined,
    start: number,
    count: number,
    sink: TraceSink | undefined,
  ): void {
    const { kernels } = this.region.runtime;
    const { batch, gateSteps, single, quantizedInput } = workspace;
    const index = layerNumber * this.sizes.directions + direction;
    const layer = this.layers[index]!;
    const layerState = workspace.layers[index]!;
    const { inputSize } = layer.sizes;
    const inputRow = inputSize * 4;
    const gatesRow = layer.input.outputRow;
    const outputRow = this.outputSize * 4;
    const by = direction === 0 ? 1 : -1;

    for (let done = 0; done < count; done += gateSteps) {
      const steps = Math.min(gateSteps, count - done);
      const earliest = by > 0 ? done : count - done - steps;
      const begin = by > 0 ? earliest : earliest + steps - 1;
      let input = source + earliest * batch * inputRow;
      if (!single) {
        const { inputBias } = layer;
        layer.input.project(
          kernels,
          steps * batch,
          input,
          inputRow,
          inputBias,
          workspace.gates,
          gatesRow,
          quantizedInput,
        );
      } else if (quantizedInput !== 0) {
        kernels.quantizeRows(1, inputSize, input, inputRow, quantizedInput, 0);
        input = quantizedInput;
      }
      if (order !== undefined) this.#writeActive(workspace, order, start + begin, by, steps);
      this.family.runSteps(kernels, layer, {
        steps,
        input: single ? input : 0,
        gates: workspace.gates + (begin - earliest) * batch * gatesRow,
        gatesTime: by * batch * gatesRow,
        gatesRow,
        state: layerState.state,
        stateRow: layerState.stateRow,
        cells: layerState.cells,
        hidden: workspace.hidden,
        sums: workspace.sums,
        quantized: workspace.quantized,
        quantizedRow: workspace.quantizedRow,
        output: target + direction * layer.outputSize * 4 + begin * batch * outputRow,
        outputTime: by * batch * outputRow,
        outputRow,
        order: workspace.order,
        active: workspace.active,
        batch,
        backwards: (start + done) & 1,
        trace: workspace.trace,
      });
      if (sink === undefined) continue;
      for (let at = 0; at < steps; at++) {
        const step = begin + by * at;
        for (let row = 0; row < batch; row++) {
          if (order !== undefined && start + step >= order.lengths[row]!) continue;
          const number = step * batch + row;
          const trace = workspace.trace / 4 + (at * batch + row) * 5 * (layer.cellRow / 4);
          const h = target / 4 + number * this.outputSize + direction * layer.outputSize;
          sink(index, start + step, row, trace, source / 4 + number * inputSize, h);
        }
      }
    }
  }

  /** Initial states into the workspace, rows in the order given. */
  writeStates(workspace: Workspace, initial: readonly (Float32Array | undefined)[], order?: RowOrder): void {
    const { floats } = this.region.runtime;
    const { batch, layers } = workspace;
    for (let which = 0; which < this.stateSizes.length; which++) {
      const size = this.stateSizes[which]!;
      const data = initial[which];
      for (let index = 0; index < layers.length; index++) {
        const layer = layers[index]!;
        const at = (which === 0 ? layer.state : layer.cells) / 4;
        const row = (which === 0 ? layer.stateRow : layer.cellRow) / 4;
        if (data === undefined) floats.fill(0, at, at + batch * row);
        else {
          const together = rowsTogether(batch, row, size, order);
          for (let slot = 0; slot < batch; slot += together) {
            const from = index * batch + (order === undefined ? slot : order.rows[slot]!);
            copyRow(floats, at + slot * row, data, from * size, together * size);
          }
        }
      }
    }
  }

  /** The states as (layers * directions, batch, size) each. */
  readStates(workspace: Workspace, order?: RowOrder): Float32Array[] {
    const { floats } = this.region.runtime;
    const { batch, layers } = workspace;
    return this.stateSizes.map((size, which) => {
      const data = new Float32Array(layers.length * batch * size);
      for (let index = 0; index < layers.length; index++) {
        const layer = layers[index]!;
        const at = (which === 0 ? layer.state : layer.cells) / 4;
        const row = (which === 0 ? layer.stateRow : layer.cellRow) / 4;
        const together = rowsTogether(batch, row, size, order);
        for (let slot = 0; slot < batch; slot += together) {
          const to = index * batch + (order === undefined ? slot : order.rows[slot]!);
          copyRow(data, to * size, floats, at + slot * row, together * size);
        }
      }
      return data;
    });
  }

  /** The order of rows, and where all run to the end also how many run at each step. */
  #writeRows(workspace: Workspace, order?: RowOrder): void {
    if (order === undefined && workspace.uniform) return;
    const { integers } = this.region.runtime;
    const { batch } = workspace;
    for (let slot = 0; slot < batch; slot++) {
      integers[workspace.order / 4 + slot] = order === undefined ? slot : order.rows[slot]!;
    }
    if (order === undefined) {
      integers.fill(batch, workspace.active / 4, workspace.active / 4 + workspace.gateSteps);
    }
    workspace.uniform = order === undefined;
  }

  /** How many rows run at each of `count` steps from step `begin` on, going by `by`. */
  #writeActive(
    workspace: Workspace,
    { rows, lengths }: RowOrder,
    begin: number,
    by: number,
    count: number,
  ): void {
    const { integers } = this.region.runtime;
    const { batch } = workspace;
    let running = by > 0 ? batch : 0;
    for (let at = 0; at < count; at++) {
      const step = begin + at * by;
      while (running > 0 && lengths[rows[running - 1]!]! <= step) running--;
      while (running < batch && lengths[rows[running]!]! > step) running++;
      integers[workspace.active / 4 + at] = running;
    }
  }

  /** Copies a chunk of the input in, steps outermost. */
  #readChunk(workspace: Workspace, sequence: Sequence, start: number, count: number, size: number): void {
    const { kernels, floats } = this.region.runtime;
    const { data, steps, batch, batchMajor } = sequence;
    const { input, staging } = workspace;
    if (!batchMajor || batch === 1) {
      // By its length now: a growable buffer may have become longer since it was checked.
      const whole = data.length === count * batch * size;
      floats.set(
        whole ? data : data.subarray(start * batch * size, (start + count) * batch * size),
        input / 4,
      );
      return;
    }
    for (let row = 0; row < batch; row++) {
      const from = (row * steps + start) * size;
      floats.set(data.subarray(from, from + count * size), staging / 4);
      kernels.copyRows(input + row * size * 4, batch * size * 4, staging, size * 4, count, size);
    }
  }

  /** Copies the chunk of the last layer's output out, in the input's layout. */
  #writeChunk(
    workspace: Workspace,
    sequence: Sequence,
    start: number,
    count: number,
    output: Float32Array,
    size: number,
  ): void {
    const { kernels, floats } = this.region.runtime;
    const { steps, batch, batchMajor } = sequence;
    const result = this.#result(workspace);
    if (!batchMajor || batch === 1) {
      output.set(floats.subarray(result / 4, result / 4 + count * batch * size), start * batch * size);
      return;
    }
    const { staging } = workspace;
    for (let row = 0; row < batch; row++) {
      kernels.copyRows(staging, size * 4, result + row * size * 4, batch * size * 4, count, size);
      output.set(floats.subarray(staging / 4, staging / 4 + count * size), (row * steps + start) * size);
    }
  }
}

/** The batch rows by falling length, so that those which still run come first; undefined when all have all steps. */
function orderByLength({ lengths, batch, steps }: Sequence): RowOrder | undefined {
  if (lengths === undefined || lengths.every((length) => length === steps)) return undefined;
  const rows = Int32Array.from({ length: batch }, (_, row) => row);
  return { rows: rows.sort((a, b) => lengths[b]! - lengths[a]! || a - b), lengths };
}

/** How many rows of state stand in one piece on both sides: all, or one. */
function rowsTogether(batch: number, row: number, size: number, order: RowOrder | undefined): number {
  return order === undefined && row === size ? batch : 1;
}

/** Copies one row; a loop, since a view and a call cost more than 32 numbers. */
function copyRow(target: Float32Array, to: number, source: Float32Array, from: number, count: number): void {
  if (count > 32) {
    target.set(source.subarray(from, from + count), to);
    return;
  }
  for (let at = 0; at < count; at++) target[to + at] = source[from + at]!;
}
