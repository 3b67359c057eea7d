/** Nodes that are one module, as a layer of readOnnx: a state dict, options and initial states. */

import { show } from "../../tensor/checks.js";
import { withMetadata } from "../../tensor/metadata.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { FormatError } from "../bytes.js";
import { type LayerActivation, type LayerOptions, layerOptions } from "../layer-options.js";
import type { Allowance } from "./allowance.js";
import { layerDict, type Recurrent } from "./recurrent-node.js";

/**
 * An LSTM, GRU or RNN of an ONNX model, with one layer or several, as PyTorch's module of that name takes it.
 */
export interface OnnxLayer {
  readonly kind: "LSTM" | "GRU" | "RNN";
  /** The name of its first node, after the branches that lead to it: `If_0/then_branch/LSTM_3`. */
  readonly name: string;
  /** The names of its nodes, one per layer. */
  readonly nodes: readonly string[];
  /**
   * The name of the layer of the same kind whose output its input is computed from, by nodes that are not read:
   * alone, each of the two is a part of a chain. Undefined if there is none.
   */
  readonly follows: string | undefined;
  /**
   * For `LSTM.fromStateDict` and the like: `weight_ih_l0`, `weight_hh_l0_reverse`, `bias_ih_l1`... Its `metadata` has
   * the kind and the options. Layers whose nodes share a weight have numbers of their own.
   */
  readonly stateDict: StateDict;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  /** For `reverse`, the state dict has no `_reverse` in its names, and `options.reverse` is true. */
  readonly direction: "forward" | "reverse" | "bidirectional";
  readonly bias: boolean;
  /** Whether the input is (batch, sequence, input): the node's layout is 1. */
  readonly batchFirst: boolean;
  /** All that `new LSTM`, `new GRU` or `new RNN` takes. */
  readonly options: LayerOptions;
  /** Of an RNN, as in `options`. Always `tanh` for other kinds. */
  readonly nonlinearity: LayerActivation;
  /**
   * Whether it is one direction of a bidirectional node whose directions have different activations. The other one
   * follows or precedes it, under the same name. The node's output is both, side by side.
   */
  readonly split: boolean;
  /** Whether the node has an input sequence_lens. Pass its numbers as `lengths`. */
  readonly takesLengths: boolean;
  /** Whether the model is given or computes an initial state. Pass one to `forward`. */
  readonly takesState: boolean;
  /**
   * The initial state that the file states, unless it is zeros: h0 (numLayers * directions, N, H), and c0 for
   * an LSTM. N is the batch size of the export.
   */
  readonly initialState: { readonly h0: Tensor; readonly c0: Tensor | undefined } | undefined;
}

/**
 * A chain of nodes as one layer.
 * @param before  of the chain whose output this one takes
 */
export function toLayer(
  stack: readonly Recurrent[],
  before: Recurrent | undefined,
  allowance: Allowance,
): OnnxLayer {
  const first = stack[0]!;
  const bias = stack.some(({ b }) => b !== undefined);
  const stateDict: StateDict = new Map();
  for (const [layer, recurrent] of stack.entries()) {
    for (const [name, tensor] of layerDict(recurrent, layer, bias, allowance)) stateDict.set(name, tensor);
  }
  const takesState = stack.some(({ h0, c0 }) => h0 === "runtime" || c0 === "runtime");
  const initialState = takesState ? undefined : stackStates(stack, allowance);
  const kept = initialState === undefined ? undefined : commonRows(initialState);
  for (const [name, tensor] of Object.entries(kept ?? {})) stateDict.set(name, tensor);
  const options = layerOptions(first.kind, {
    inputSize: first.inputSize,
    hiddenSize: first.hiddenSize,
    numLayers: stack.length,
    bias,
    batchFirst: first.batchFirst,
    bidirectional: first.direction === "bidirectional",
    reverse: first.direction === "reverse",
    initialState: kept !== undefined,
    ...(first.kind === "LSTM" ? { peepholes: first.p !== undefined } : {}),
    ...first.cells[0],
  });
  const { kind } = first;
  return {
    kind,
    name: first.site.name,
    nodes: stack.map(({ site }) => site.name),
    follows: before?.site.name,
    stateDict: withMetadata(stateDict, { "": { kind, options: { ...options } } }),
    inputSize: first.inputSize,
    hiddenSize: first.hiddenSize,
    numLayers: stack.length,
    direction: first.direction,
    bias,
    batchFirst: first.batchFirst,
    options,
    nonlinearity: options.nonlinearity ?? "tanh",
    split: first.split,
    takesLengths: first.lengths !== "",
    takesState,
    initialState,
  };
}

/**
 * The constant states of all layers, one after the other. Zeros where a layer has none, undefined if no layer
 * has one.
 */
function stackStates(stack: readonly Recurrent[], allowance: Allowance): OnnxLayer["initialState"] {
  const states = stack.flatMap(({ h0, c0 }) => [h0, c0]).filter((state) => state instanceof Tensor);
  const batch = states[0]?.shape[1];
  if (batch === undefined) return undefined;
  const { kind, directions, hiddenSize, site } = stack[0]!;
  if (states.some(({ shape }) => shape[1] !== batch)) {
    throw new FormatError(`onnx: ${kind} ${show(site.name)}: its initial states differ in batch size`);
  }
  const gather = (key: "h0" | "c0") => {
    allowance.spend(4 * stack.length * directions * batch * hiddenSize);
    const all = Tensor.zeros([stack.length * directions, batch, hiddenSize]);
    const size = directions * batch * hiddenSize;
    for (const [layer, recurrent] of stack.entries()) {
      const state = recurrent[key];
      if (state instanceof Tensor) all.data.set(state.data, layer * size);
    }
    return all;
  };
  return { h0: gather("h0"), c0: kind === "LSTM" ? gather("c0") : undefined };
}

/** The states that all rows of the batch begin with, as a module's state dict has them; undefined where they differ. */
function commonRows({ h0, c0 }: NonNullable<OnnxLayer["initialState"]>): Record<string, Tensor> | undefined {
  const states: Record<string, Tensor> = {};
  for (const [name, state] of Object.entries({ h0, c0 })) {
    if (state === undefined) continue;
    const [rows, batch, size] = state.shape as [number, number, number];
    const { data } = state;
    const common = Tensor.zeros([rows, size]);
    for (let at = 0; at < data.length; at++) {
      const row = Math.floor(at / (batch * size));
      const first = data[row * batch * size + (at % size)]!;
      if (!Object.is(data[at], first)) return undefined;
      common.data[row * size + (at % size)] = first;
    }
    states[name] = common;
  }
  return states;
}
