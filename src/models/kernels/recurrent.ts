/**
 * LSTM, GRU and RNN nodes of constant weights on the kernels of recurrent modules. A layer takes [T, N, I] and gives
 * [T, N, H], a node [T, D, N, H], or the batch first.
 */

import type { Call } from "../../graph/operator.js";
import type { Compiled, Compiling } from "../operator.js";
import { bindLevel, bindRows, inOrder, type Level, levelScratch } from "./recurrent-run.js";
import {
  floatWeights,
  type Kind,
  layersOf,
  type NodeWeights,
  quantisedWeights,
} from "./recurrent-weights.js";

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
  const hiddenSize = types[0]!.shape[3]!;
  if (shape[2] === 0 || hiddenSize === 0 || compiling.activation !== undefined) return undefined;
  if (call.has(4) && call.input(4).dtype !== "int32") return undefined;
  const layers = layersOf(compiling, kind, read);
  if (layers === undefined) return undefined;
  const outputs = [0, 1, 2].map((at) => call.node.outputs[at] !== undefined);
  const level: Level = {
    runtime,
    layers,
    steps,
    batch,
    input: batchFirst ? "batch" : "time",
    output: batchFirst ? "batch" : "directions",
    states: batchFirst ? "batch" : "directions",
    isTurned: false,
    isRead: outputs[0]!,
    hasLengths: call.has(4) && !call.input(4).data?.every((length) => length >= steps),
    masked: undefined,
  };
  return {
    scratchBytes: levelScratch(level, 0).bytes,
    bind: (place) => {
      if (batch === 0) return () => {};
      const given = (at: number) => (call.has(at) ? place.input(at) : 0);
      const wanted = (at: number) => (outputs[at] ? place.output(at) : 0);
      const rows = bindRows(level, place, given(4));
      const bound = bindLevel(level, place, place.scratch, {
        rows,
        input: place.input(0),
        output: wanted(0),
        given: [given(5), given(6)],
        wanted: [wanted(1), wanted(2)],
      });
      return inOrder([...rows.calls, ...bound]);
    },
  };
}
