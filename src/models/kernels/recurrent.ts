/**
 * LSTM, GRU and RNN nodes of constant weights on the kernels of recurrent modules. Input, outputs and states stay where
 * they lie in linear memory. Rows are copied only where a layer's are in another order than the node's: a layer takes
 * [T, N, I] and gives [T, N, H], a node [T, D, N, H], or the batch first.
 */

import type { Call } from "../../graph/operator.js";
import type { Layer } from "../../nn/layer.js";
import { gateStepsOf, RUN_RECORD_BYTES, type RunBuffers, setRun } from "../../nn/run-record.js";
import { align } from "../../wasm/block.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { Compiled, Compiling, Place } from "../operator.js";
import {
  floatWeights,
  type Kind,
  layersOf,
  type NodeWeights,
  quantisedWeights,
} from "./recurrent-weights.js";

type Step = () => void;

/** A node whose layers are packed. */
interface Node {
  readonly call: Call;
  readonly runtime: Runtime;
  readonly layers: readonly Layer[];
  readonly steps: number;
  readonly batch: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly directions: number;
  readonly batchFirst: boolean;
  readonly hasC: boolean;
  readonly lengths: boolean;
}

export const compileLSTM = (node: Compiling) => compile(node, "LSTM", floatWeights);
export const compileGRU = (node: Compiling) => compile(node, "GRU", floatWeights);
export const compileRNN = (node: Compiling) => compile(node, "RNN", floatWeights);
export const compileDynamicQuantizeLSTM = (node: Compiling) => compile(node, "LSTM", quantisedWeights);

export function compile(
  compiling: Compiling,
  kind: Kind,
  read: (call: Call) => NodeWeights | undefined,
): Compiled | undefined {
  const { call, types, runtime } = compiling;
  const { dtype, shape } = call.input(0);
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const batchFirst = call.flag("layout", false);
  const [steps, batch] = batchFirst ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
  const inputSize = shape[2]!;
  const hiddenSize = types[0]!.shape[3]!;
  if (inputSize === 0 || hiddenSize === 0 || compiling.activation !== undefined) return undefined;
  if (call.has(4) && call.input(4).dtype !== "int32") return undefined;
  const layers = layersOf(compiling, kind, read);
  if (layers === undefined) return undefined;
  const node: Node = {
    call,
    runtime,
    layers,
    steps,
    batch,
    inputSize,
    hiddenSize,
    directions: layers.length,
    batchFirst,
    hasC: kind === "LSTM",
    lengths: call.has(4) && !call.input(4).data?.every((length) => length >= steps),
  };
  return {
    scratchBytes: scratchOf(node, 0).bytes,
    bind: (place) => (batch === 0 ? () => {} : bind(node, place)),
  };
}

/** Where the parts of a node's scratch lie, for scratch that begins at `start`. */
function scratchOf(node: Node, start: number) {
  const { layers, steps, batch, inputSize, hiddenSize } = node;
  const layer = layers[0]!;
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
    sums: part(batch * weightHidden.outputRow),
    gates: part(gateSteps * batch * weightHidden.outputRow),
    rounded: part(batch * weightHidden.roundedRow),
    roundedInput: part(gateSteps * batch * weightInput.roundedRow),
    resetH: part(batch * hRow),
    h: part(layers.length * batch * hRow),
    c: part(layers.length * batch * cRow),
    callerH: part(batch * hiddenSize * 4),
    callerC: part(batch * hiddenSize * 4),
    input: part(turnsInput(node) ? steps * batch * inputSize * 4 : 0),
    output: part(hiddenSize * 4 * (gives(node, 0) ? (copiesOutput(node) ? steps * batch : 0) : 1)),
  };
  return { ...parts, bytes: next - start };
}

type Scratch = ReturnType<typeof scratchOf>;

const turnsInput = ({ batchFirst, batch }: Node) => batchFirst && batch > 1;
const copiesOutput = ({ directions, batchFirst, batch }: Node) => batch > 1 && (directions > 1 || batchFirst);
/** Whether a direction's states are not one after the other. */
const dealsStates = ({ directions, batchFirst, batch }: Node) => batchFirst && batch > 1 && directions > 1;
/** Whether anybody may read an output. */
const gives = ({ call }: Node, output: number) => call.node.outputs[output] !== undefined;

function bind(node: Node, place: Place): Step {
  const { runtime, layers, steps, batch, inputSize, hiddenSize } = node;
  const { kernels } = runtime;
  const scratch = scratchOf(node, place.scratch);
  const calls: Step[] = [];
  let input = place.input(0);
  if (turnsInput(node)) {
    const [row, source] = [inputSize * 4, input];
    input = scratch.input;
    calls.push(() => {
      for (let item = 0; item < batch; item++) {
        const from = source + item * steps * row;
        kernels.copyRows(scratch.input + item * row, batch * row, from, row, steps, inputSize);
      }
    });
  }
  const order = place.record(Int32Array.from({ length: batch }, (_, row) => row));
  const active = place.record(new Int32Array(steps).fill(batch));
  if (node.lengths) calls.push(sortRows(node, place.input(4), order, active));
  const zeros = place.record(new Int32Array(batch * hiddenSize));
  for (const [direction, layer] of layers.entries()) {
    calls.push(...bindDirection(node, place, { layer, direction, input, order, active, zeros, scratch }));
  }
  if (calls.length === 2) {
    const [load, run] = calls as [Step, Step];
    return () => {
      load();
      run();
    };
  }
  return () => {
    for (let at = 0; at < calls.length; at++) calls[at]!();
  };
}

/** What the directions of a node share. */
interface Binding {
  readonly layer: Layer;
  readonly direction: number;
  readonly input: number;
  readonly order: number;
  readonly active: number;
  readonly zeros: number;
  readonly scratch: Scratch;
}

function bindDirection(node: Node, place: Place, binding: Binding): Step[] {
  const { runtime, steps, batch, hiddenSize, directions, hasC, lengths } = node;
  const { kernels } = runtime;
  const { layer, direction, input, order, active, zeros, scratch } = binding;
  const row = hiddenSize * 4;
  const ofDirection = direction * (dealsStates(node) ? row : batch * row);
  /** Address of a state of the node: h or c. */
  const given = [5, hasC ? 6 : -1].map((at) =>
    at > 0 && node.call.has(at) ? place.input(at) + ofDirection : 0,
  );
  const wanted = [1, hasC ? 2 : -1].map((at) =>
    at > 0 && gives(node, at) ? place.output(at) + ofDirection : 0,
  );
  // States are made where the node gives them, unless their rows would not lie as the kernels have them.
  const isDirect =
    !dealsStates(node) && !lengths && layer.hRow === row && wanted.every((address) => address % 16 === 0);
  const [ownH, ownC] = [
    scratch.h + direction * batch * layer.hRow,
    scratch.c + direction * batch * layer.cRow,
  ];
  const result = gives(node, 0) ? place.output(0) : 0;
  const buffers: RunBuffers = {
    ...scratch,
    batch,
    order,
    active,
    mask: 0,
    repeat: 0,
    started: 0,
    keptH: 0,
    keptC: 0,
    input,
    output: copiesOutput(node) || result === 0 ? scratch.output : result + direction * row,
    // A row for all steps where nobody reads them.
    outputRow: result === 0 ? 0 : copiesOutput(node) ? row : directions * row,
    h: (isDirect && wanted[0]) || ownH,
    c: hasC ? (isDirect && wanted[1]) || ownC : 0,
    unprojected: 0,
    trace: 0,
    callerH: dealsStates(node) ? scratch.callerH : given[0] || zeros,
    callerC: dealsStates(node) ? scratch.callerC : given[1] || zeros,
  };
  const record = recordOf(place, runtime, layer, buffers);
  const hasGiven = given.some((address) => address !== 0);
  const calls: Step[] = [];
  const whole = directions * row;
  if (dealsStates(node) && hasGiven) {
    calls.push(() => {
      for (let which = 0; which < 2; which++) {
        const [to, from] = [which === 0 ? scratch.callerH : scratch.callerC, given[which]!];
        kernels.copyRows(to, row, from === 0 ? zeros : from, from === 0 ? row : whole, batch, hiddenSize);
      }
    });
  }
  const isPadded = layer.hRow !== row;
  calls.push(() => {
    // What scratch held may be numbers that take long, in the lanes past the last unit.
    if (!hasGiven || isPadded) kernels.loadStates(layer.address, record, 0);
    if (hasGiven) kernels.loadStates(layer.address, record, 1);
  });
  let zigzag = 0;
  calls.push(() => {
    kernels.runLayer(layer.address, record, steps, zigzag);
    zigzag ^= steps & 1;
  });
  if (!isDirect && wanted.some((address) => address !== 0)) {
    const deals = dealsStates(node);
    const storing = recordOf(place, runtime, layer, {
      ...buffers,
      callerH: (!deals && wanted[0]) || scratch.callerH,
      callerC: (!deals && wanted[1]) || scratch.callerC,
    });
    calls.push(() => {
      kernels.storeStates(layer.address, storing);
      if (!deals) return;
      for (let which = 0; which < 2; which++) {
        const [to, from] = [wanted[which]!, which === 0 ? scratch.callerH : scratch.callerC];
        if (to !== 0) kernels.copyRows(to, whole, from, row, batch, hiddenSize);
      }
    });
  }
  if (result !== 0 && copiesOutput(node)) calls.push(copyOutput(node, result, direction, scratch.output));
  return calls;
}

function recordOf(place: Place, { memory }: Runtime, layer: Layer, buffers: RunBuffers): number {
  const words = new Int32Array(RUN_RECORD_BYTES / 4);
  const address = place.record(words);
  // The record has addresses within itself.
  setRun(words, 0, address, layer, buffers);
  new Int32Array(memory.buffer, address, words.length).set(words);
  return address;
}

/** A direction's rows to where the node has them. */
function copyOutput(node: Node, output: number, direction: number, from: number): Step {
  const { runtime, steps, batch, hiddenSize, directions, batchFirst } = node;
  const { kernels } = runtime;
  const row = hiddenSize * 4;
  if (!batchFirst) {
    const [step, to] = [batch * row, output + direction * batch * row];
    return () => kernels.copyRows(to, directions * step, from, step, steps, batch * hiddenSize);
  }
  return () => {
    for (let item = 0; item < batch; item++) {
      const to = output + (item * steps * directions + direction) * row;
      kernels.copyRows(to, directions * row, from + item * row, batch * row, steps, hiddenSize);
    }
  };
}

/** Writes the order of rows by falling length, and how many run at each step. */
function sortRows(
  { runtime: { memory }, steps, batch }: Node,
  lengths: number,
  order: number,
  active: number,
): Step {
  let numbers = new Int32Array(memory.buffer);
  const lengthOf = (row: number) => Math.min(Math.max(numbers[lengths / 4 + row]!, 0), steps);
  return () => {
    if (numbers.length === 0) numbers = new Int32Array(memory.buffer);
    let at = 0;
    for (let length = steps; length >= 0; length--) {
      // Rows that are placed by now run at step `length`.
      if (length < steps) numbers[active / 4 + length] = at;
      for (let row = 0; row < batch; row++) {
        if (lengthOf(row) === length) numbers[order / 4 + at++] = row;
      }
    }
  };
}
