/**
 * ONNX models to state dicts, in four steps. protobuf.ts, model-proto.ts and tensor-proto.ts read the file.
 * scope.ts finds what names mean. constants.ts evaluates the weights of a node. recurrent-node.ts turns one
 * node into PyTorch's layout, and layer-chain.ts finds the nodes that are layers of one module.
 */

import { checkedList } from "../../tensor/checked-list.js";
import { checkOptions, show, wrongType } from "../../tensor/checks.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { type Bytes, FormatError } from "../bytes.js";
import { readAs } from "../recognise/index.js";
import type { Allowance } from "./allowance.js";
import { collectTensors } from "./collect-tensors.js";
import { Constants } from "./constants.js";
import { ExternalFiles } from "./external.js";
import { findStacks } from "./layer-chain.js";
import type { Attribute } from "./model-proto.js";
import { readModel } from "./model-proto.js";
import { type OnnxModule, readModules, sourcesOf } from "./other-modules.js";
import { layerDict, type Recurrent, readRecurrent, WEIGHTS } from "./recurrent-node.js";
import { listSites, type Sites } from "./scope.js";

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
   * For `LSTM.fromStateDict` and the like: `weight_ih_l0`, `weight_hh_l0_reverse`, `bias_ih_l1`... Layers whose
   * nodes share a weight have numbers of their own.
   */
  readonly stateDict: StateDict;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  /**
   * PyTorch has no module that runs in reverse only. For `reverse`, the state dict is that of a forward
   * module, without `_reverse` in its names. Pass it the sequence in reverse, and reverse its output.
   */
  readonly direction: "forward" | "reverse" | "bidirectional";
  readonly bias: boolean;
  /** Whether the input is (batch, sequence, input): the node's layout is 1. */
  readonly batchFirst: boolean;
  /** Pass it to `RNN.fromStateDict`. Always `tanh` for other kinds. */
  readonly nonlinearity: "tanh" | "relu";
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

export interface OnnxModel {
  readonly layers: readonly OnnxLayer[];
  /** The Linear and Conv1d layers: Gemm, MatMul (with Add) and Conv nodes whose weights are constant. */
  readonly modules: readonly OnnxModule[];
  /**
   * Every initializer and every Constant node's value by name, from all graphs of the file. A name that
   * occurs in several branches is preceded by the branch: `If_0/then_branch/weight`. Strings and other values
   * without numbers are left out.
   */
  readonly tensors: StateDict;
  /** The names in `tensors` of what `layers` are made of. Their numbers stand in both. */
  readonly layerTensors: readonly string[];
}

/** Options of {@link listOnnxNodes}. */
export interface ListOnnxNodesOptions {
  /**
   * The files beside the model that hold its weights, by the names that the model has for them. PyTorch's
   * newer exporter writes such a file: `{ "model.onnx.data": bytes }`.
   */
  readonly externalData?: Readonly<Record<string, Bytes>>;
}

export type { OnnxModule };

/** Options of {@link readOnnx}. */
export interface ReadOnnxOptions extends ListOnnxNodesOptions {
  /** The names of the nodes to read, as {@link listOnnxNodes} gives them. The others may be unsupported. */
  readonly nodes?: readonly string[];
}

/** A recurrent node, unchanged from the file. */
export interface OnnxNode {
  /** Unique in the file. The branches that lead to the node stand before it. */
  readonly name: string;
  /**
   * `LSTM`, `GRU`, `RNN`, or an operator of another domain whose name ends in one of these
   * (`com.microsoft.DynamicQuantizeLSTM`).
   */
  readonly operator: string;
  readonly attributes: Readonly<Record<string, number | string | readonly number[] | readonly string[]>>;
  /**
   * The names of its inputs in ONNX's order: X, W, R, B, sequence_lens, initial_h, initial_c, P. An input
   * that is left out is "".
   */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Why readOnnx refuses the node. Undefined if it does not. */
  readonly problem: string | undefined;
}

/**
 * The recurrent layers of an ONNX model, and all other weights of the file by name. Layers are found in the
 * main graph, in branches, loops and functions. Their weights get PyTorch's names and gate order. Layers that
 * PyTorch exported from one module become one state dict again. A weight may pass through Slice, Split,
 * Concat, Transpose, Squeeze, Unsqueeze, Reshape, Identity and Cast on its way to the node. Floats of any
 * width become float32.
 *
 * @throws TypeError for arguments of the wrong type; FormatError that says what is broken, or names what is
 *   not supported: clip, input_forget, peepholes, activations that are not PyTorch's, a GRU with
 *   linear_before_reset = 0, weights in another file that was not given
 */
export function readOnnx(bytes: Bytes, options?: ReadOnnxOptions): OnnxModel {
  const { nodes, externalData } = checkOptions("options", options, ["nodes", "externalData"]);
  const wanted =
    nodes === undefined ? undefined : checkedList(nodes, "options.nodes", "an array of names", checkName);
  const { sites, constants } = open(bytes, externalData);
  let { recurrent } = sites;
  const names = new Set(recurrent.map(({ name }) => name));
  for (const name of wanted ?? []) {
    if (!names.has(name)) {
      const known = recurrent.slice(0, 12).map((site) => show(site.name));
      throw new FormatError(`onnx: no recurrent node ${show(name)}; there are ${known.join(", ") || "none"}`);
    }
  }
  if (wanted !== undefined) {
    const chosen = new Set(wanted);
    recurrent = recurrent.filter(({ name }) => chosen.has(name));
  }
  constants.allowance.spendLayers(recurrent.length);
  const layers = recurrent.map((site) => readRecurrent(site, constants));
  const sources = new Map<unknown, string>();
  const inputs = recurrent.flatMap(({ node, scope }) =>
    WEIGHTS.map((at) => ({ name: node.inputs[at] ?? "", scope })),
  );
  return {
    layers: findStacks(layers, constants).map((stack) => toLayer(stack, constants.allowance)),
    tensors: collectTensors(sites.constants, constants.allowance, sources),
    modules: readModules(sites.products, constants, sources),
    layerTensors: sourcesOf(inputs, constants, sources),
  };
}

/**
 * The recurrent nodes of an ONNX model, supported or not.
 *
 * @throws TypeError for arguments of the wrong type; FormatError if the file is broken
 */
export function listOnnxNodes(bytes: Bytes, options?: ListOnnxNodesOptions): OnnxNode[] {
  const { externalData } = checkOptions("options", options, ["externalData"]);
  const { sites, constants } = open(bytes, externalData);
  constants.allowance.spendLayers(sites.recurrent.length);
  for (const { node } of sites.recurrent) constants.allowance.spendAttributes(node.attributes.size);
  return sites.recurrent.map((site) => {
    const { node, scope, name } = site;
    const attributes = [...node.attributes.keys()].map((key) => [
      key,
      plainValue(scope.attribute(node, key)),
    ]);
    let problem: string | undefined;
    try {
      readRecurrent(site, constants);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problem = error.message;
    }
    return {
      name,
      operator: node.operator,
      attributes: Object.fromEntries(attributes),
      inputs: node.inputs,
      outputs: node.outputs,
      problem,
    };
  });
}

function checkName(name: unknown, place: string): string {
  if (typeof name !== "string") throw wrongType(place, "a name", name);
  return name;
}

function open(bytes: Bytes, externalData: unknown): { sites: Sites; constants: Constants } {
  const files = new ExternalFiles(externalData);
  return readAs("readOnnx", bytes, (file) => {
    const model = readModel(file, files);
    return { sites: listSites(model), constants: new Constants(model.allowance) };
  });
}

function plainValue(
  attribute: Attribute | undefined,
): number | string | readonly number[] | readonly string[] {
  if (attribute === undefined) return "";
  const { f, i, s, floats, ints, strings } = attribute;
  return i ?? f ?? s ?? (ints.length > 0 ? ints : floats.length > 0 ? floats : strings);
}

function toLayer(stack: readonly Recurrent[], allowance: Allowance): OnnxLayer {
  const first = stack[0]!;
  const bias = stack.some(({ b }) => b !== undefined);
  const stateDict: StateDict = new Map();
  for (const [layer, recurrent] of stack.entries()) {
    for (const [name, tensor] of layerDict(recurrent, layer, bias, allowance)) stateDict.set(name, tensor);
  }
  const takesState = stack.some(({ h0, c0 }) => h0 === "runtime" || c0 === "runtime");
  return {
    kind: first.kind,
    name: first.site.name,
    nodes: stack.map(({ site }) => site.name),
    stateDict,
    inputSize: first.inputSize,
    hiddenSize: first.hiddenSize,
    numLayers: stack.length,
    direction: first.direction,
    bias,
    batchFirst: first.batchFirst,
    nonlinearity: first.nonlinearity,
    takesLengths: first.lengths !== "",
    takesState,
    initialState: takesState ? undefined : stackStates(stack, allowance),
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
