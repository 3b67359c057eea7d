/**
 * A recurrent module as one node, the batch first.
 *
 *   inputs    x [N, T, I], a mask [N, T] of bool, h0 [L D, N, H] and c0; x alone is needed
 *   outputs   y [N, T, D H], hN [L D, N, H] and cN
 *
 * An attribute says what a masked step gives: "repeat", the last output, and zeros before the first; "state", the state
 * that stands still; "zeros".
 */

import { layerSuffix } from "../../formats/layer-suffix.js";
import { sameShape, showShape } from "../../tensor/checks.js";
import type { Data, HostTensor, RecurrentLayer, Type } from "../ir.js";
import { type Call, type FillingOperator, FLOATS } from "../operator.js";
import type { Activation } from "./activations.js";
import { type Cell, type Direction, GRU_CELL, LSTM_CELL, RNN_CELL } from "./cells.js";
import { layerActivation } from "./layer-activations.js";

const CELLS: Readonly<Record<RecurrentLayer["kind"], Cell>> = {
  LSTM: LSTM_CELL,
  GRU: GRU_CELL,
  RNN: RNN_CELL,
};
/** Where the gates of ours, which are PyTorch's, stand in PyTorch's order: those of cells.ts are ONNX's. */
const GATES: Readonly<Record<RecurrentLayer["kind"], readonly number[]>> = {
  LSTM: [0, 3, 1, 2],
  GRU: [1, 0, 2],
  RNN: [0],
};
const PEEPHOLES = ["weight_ci", "weight_co", "weight_cf"];

interface Sizes {
  readonly layer: RecurrentLayer;
  readonly batch: number;
  readonly steps: number;
  readonly directions: number;
  readonly hidden: number;
}

function sizesOf(call: Call): Sizes {
  const layer = call.layer("layer");
  const { inputSize, hiddenSize, bidirectional, numLayers, projSize = 0, initialState } = layer.options;
  if (projSize > 0) throw call.refused("a projection is not supported");
  if (initialState) throw call.refused("an initial state in the weights is not supported");
  const { shape } = call.expect(0, FLOATS);
  if (shape.length !== 3 || shape[2] !== inputSize) {
    throw call.broken(`input of shape ${showShape(shape)}; expected (N, T, ${inputSize})`);
  }
  const [batch, steps] = shape as [number, number];
  const directions = bidirectional ? 2 : 1;
  const states = [directions * numLayers, batch, hiddenSize];
  const fits = (at: number, expected: readonly number[]) => {
    if (call.has(at) && !sameShape(call.input(at).shape, expected))
      throw call.broken(
        `input ${at} of shape ${showShape(call.input(at).shape)}; expected ${showShape(expected)}`,
      );
  };
  if (call.has(1)) call.expect(1, ["bool"]);
  fits(1, [batch, steps]);
  for (const at of [2, 3]) {
    if (call.has(at)) call.expect(at, FLOATS);
    fits(at, states);
  }
  return { layer, batch, steps, directions, hidden: hiddenSize };
}

function typesOf(call: Call): readonly Type[] {
  const { dtype } = call.input(0);
  const { layer, batch, steps, directions, hidden } = sizesOf(call);
  const masked = call.text("maskedOutput", "repeat");
  if (!["repeat", "state", "zeros"].includes(masked)) throw call.refused(`masked output ${masked}`);
  const state: Type = { dtype, shape: [directions * layer.options.numLayers, batch, hidden] };
  const all: Type[] = [{ dtype, shape: [batch, steps, directions * hidden] }, state];
  return layer.kind === "LSTM" ? [...all, state] : all;
}

/** A parameter's numbers. */
function numbersOf(call: Call, { stateDict }: RecurrentLayer, name: string, shape: readonly number[]): Data {
  const tensor = stateDict.get(name);
  if (!(tensor?.data instanceof Float32Array)) throw call.broken(`weights: ${name} is missing`);
  if (!sameShape(tensor.shape, shape)) {
    throw call.broken(`weights: ${name} of shape ${showShape(tensor.shape)}; expected ${showShape(shape)}`);
  }
  return tensor.data;
}

/** The rows of PyTorch's gates in the order of ONNX's. */
function inGates(numbers: Data, gates: readonly number[]): Float32Array {
  const each = numbers.length / gates.length;
  const result = new Float32Array(numbers.length);
  for (const [to, from] of gates.entries())
    result.set(numbers.subarray(from * each, (from + 1) * each), to * each);
  return result;
}

/** The parameters of a layer and direction of a stack. */
function directionOf(call: Call, layer: RecurrentLayer, inputs: number, suffix: string): Direction {
  const { kind, options } = layer;
  const { hiddenSize: hidden, bias, clip = Infinity, cellClip = Infinity, inputForget = false } = options;
  const gates = GATES[kind];
  const rows = gates.length * hidden;
  const matrix = (name: string, columns: number) =>
    inGates(numbersOf(call, layer, name + suffix, [rows, columns]), gates);
  const row = (name: string) => inGates(numbersOf(call, layer, name + suffix, [rows]), gates);
  return {
    inputs,
    hidden,
    weights: matrix("weight_ih", inputs),
    recurrence: matrix("weight_hh", hidden),
    bias: bias ? joined([row("bias_ih"), row("bias_hh")]) : undefined,
    peepholes: options.peepholes
      ? joined(PEEPHOLES.map((name) => numbersOf(call, layer, name + suffix, [hidden])))
      : undefined,
    activations: activationsOf(call, layer),
    clip,
    cellClip,
    inputForget,
    resetAfter: options.resetAfter ?? true,
  };
}

function joined(parts: readonly Data[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => Array.from(part)));
}

function activationsOf(call: Call, { kind, options }: RecurrentLayer): Activation[] {
  const { nonlinearity = "tanh", activation = "tanh", recurrentActivation = "sigmoid" } = options;
  const { cellActivation = activation } = options;
  const given = {
    LSTM: [recurrentActivation, activation, cellActivation],
    GRU: [recurrentActivation, activation],
    RNN: [nonlinearity],
  }[kind];
  return given.map((each) => {
    const made = layerActivation(each);
    if (made === undefined) throw call.refused(`activation ${JSON.stringify(each)} is not supported`);
    return made;
  });
}

/** Whether layer number `at` of one direction begins at the end: rows of goBackwards are in the order of computing. */
function runsBackwards({ reverse, goBackwards }: RecurrentLayer["options"], at: number): boolean {
  return reverse || (goBackwards && at % 2 === 0);
}

function run(call: Call, outputs: readonly HostTensor[]): void {
  const { layer, batch, steps, directions, hidden } = sizesOf(call);
  const { numLayers, inputSize, goBackwards } = layer.options;
  const [y, hN, cN] = outputs.map(({ data }) => data);
  const row = directions * hidden;
  let input: Data = call.data(0).data;
  for (let level = 0; level < numLayers; level++) {
    const width = level === 0 ? inputSize : row;
    const made = new Float64Array(batch * steps * row);
    for (let direction = 0; direction < directions; direction++) {
      const suffix = layerSuffix(level, direction === 1);
      const parameters = directionOf(call, layer, width, suffix);
      const isReverse = directions === 2 ? direction === 1 : runsBackwards(layer.options, level);
      for (let item = 0; item < batch; item++) {
        const at = ((level * directions + direction) * batch + item) * hidden;
        const [h, c] = stateOf(call, at, hidden);
        const x = input.subarray(item * steps * width, (item + 1) * steps * width);
        const to = made.subarray(item * steps * row, (item + 1) * steps * row);
        runRow(call, parameters, { x, item, isReverse, h, c }, (step) =>
          to.set(h, step * row + direction * hidden),
        );
        hN!.set(h, at);
        cN?.set(c, at);
      }
    }
    input = made;
  }
  const isTurned = goBackwards && numLayers % 2 === 1;
  for (let at = 0; at < batch * steps; at++) {
    const from = isTurned ? at + steps - 1 - 2 * (at % steps) : at;
    y!.set(input.subarray(from * row, (from + 1) * row), at * row);
  }
}

function stateOf(call: Call, at: number, hidden: number): [Float64Array, Float64Array] {
  const part = (input: number) =>
    call.has(input)
      ? Float64Array.from(call.data(input).data.subarray(at, at + hidden))
      : new Float64Array(hidden);
  return [part(2), part(3)];
}

/** One row of the batch through one layer and direction. */
interface Row {
  readonly x: Data;
  readonly item: number;
  readonly isReverse: boolean;
  readonly h: Float64Array;
  readonly c: Float64Array;
}

/** @param give is told of each step whose output is h */
function runRow(
  call: Call,
  parameters: Direction,
  { x, item, isReverse, h, c }: Row,
  give: (step: number) => void,
): void {
  const steps = call.input(0).shape[1]!;
  const { inputs } = parameters;
  const cell = CELLS[call.layer("layer").kind];
  const mask = call.has(1) ? call.data(1).data : undefined;
  const masked = call.text("maskedOutput", "repeat");
  const repeats = masked !== "zeros";
  let isStarted = masked === "state";
  for (let turn = 0; turn < steps; turn++) {
    const step = isReverse ? steps - 1 - turn : turn;
    if (mask !== undefined && mask[item * steps + step] === 0) {
      if (isStarted && repeats) give(step);
      continue;
    }
    isStarted = true;
    cell.step(parameters, x.subarray(step * inputs, (step + 1) * inputs), h, c);
    give(step);
  }
}

export const Layer: FillingOperator = {
  name: "lstm-wasm.Layer",
  attributes: { layer: "layer", maskedOutput: "string" },
  shape: typesOf,
  work: (call) => {
    const { layer, batch, steps, directions, hidden } = sizesOf(call);
    const { kind, options } = layer;
    const { numLayers, inputSize } = options;
    const { gates } = CELLS[kind];
    const products =
      2 * gates * hidden * (inputSize + numLayers * (directions + 1) * hidden + numLayers * 16);
    // A step makes a few arrays, however small it is. Weights are turned once.
    return directions * ((steps * batch + 1) * (products + numLayers * 2048));
  },
  run,
};
