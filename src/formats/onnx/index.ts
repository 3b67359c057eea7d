/**
 * ONNX models to state dicts, in four steps. protobuf.ts, model-proto.ts and tensor-proto.ts read the file.
 * scope.ts finds what names mean. constants.ts evaluates the weights of a node. recurrent-node.ts turns one
 * node into PyTorch's layout, and layer-chain.ts finds the nodes that are layers of one module.
 */

import { checkedList } from "../../tensor/checked-list.js";
import { checkOptions, show, wrongType, wrongValue } from "../../tensor/checks.js";
import type { StateDict } from "../../tensor/tensor.js";
import { type Bytes, FormatError } from "../bytes.js";
import { readAs } from "../recognise/index.js";
import { collectTensors } from "./collect-tensors.js";
import { Constants } from "./constants.js";
import { ExternalFiles } from "./external.js";
import { findStacks } from "./layer-chain.js";
import { stacksBefore } from "./layer-order.js";
import type { Attribute } from "./model-proto.js";
import { readModel } from "./model-proto.js";
import { type OnnxModule, readModules, sourcesOf } from "./other-modules.js";
import { type GruReading, unrolledIn, warningsOf } from "./pytorch-exporter.js";
import { layersOf, readRecurrent, WEIGHTS } from "./recurrent-node.js";
import { listSites, type Sites } from "./scope.js";

import { type OnnxLayer, toLayer } from "./to-layer.js";

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
  /**
   * What the exporter did to layers of PyTorch, and the way on: a GRU whose linear_before_reset = 1 was left out, a
   * layer that was unrolled into its steps and is not among `layers`.
   */
  readonly warnings: readonly string[];
}

/** Options of {@link listOnnxNodes}. */
export interface ListOnnxNodesOptions {
  /**
   * The files beside the model that hold its weights, by the names that the model has for them. PyTorch's
   * newer exporter writes such a file: `{ "model.onnx.data": bytes }`.
   */
  readonly externalData?: Readonly<Record<string, Bytes>>;
}

export type { OnnxLayer, OnnxModule };

/** Options of {@link readOnnx}. */
export interface ReadOnnxOptions extends ListOnnxNodesOptions {
  /** The names of the nodes to read, as {@link listOnnxNodes} gives them. The others may be unsupported. */
  readonly nodes?: readonly string[];
  /**
   * How a GRU is read whose exporter left out `linear_before_reset = 1`, as onnxscript 0.5.7 to 0.7.0 did with
   * PyTorch's: as the file says, or as PyTorch meant it. Others are read as the file says. Default: `"file"`.
   */
  readonly gru?: "file" | "pytorch";
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
 *   not supported: attributes and activations that ONNX does not have, weights in another file that was not given
 */
export function readOnnx(bytes: Bytes, options?: ReadOnnxOptions): OnnxModel {
  const { nodes, externalData, gru } = checkOptions("options", options, ["nodes", "externalData", "gru"]);
  const wanted =
    nodes === undefined ? undefined : checkedList(nodes, "options.nodes", "an array of names", checkName);
  const reading = checkGru(gru);
  const { sites, constants, unrolled } = open(bytes, externalData);
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
  const layers = recurrent.flatMap((site) => layersOf(readRecurrent(site, constants, reading)));
  const sources = new Map<unknown, string>();
  const inputs = recurrent.flatMap(({ node, scope }) =>
    WEIGHTS.map((at) => ({ name: node.inputs[at] ?? "", scope })),
  );
  const stacks = findStacks(layers, constants);
  const before = stacksBefore(stacks);
  return {
    layers: stacks.map((stack) => toLayer(stack, before.get(stack)?.[0], constants.allowance)),
    tensors: collectTensors(sites.constants, constants.allowance, sources),
    modules: readModules(sites.products, constants, sources),
    layerTensors: sourcesOf(inputs, constants, sources),
    warnings: warningsOf(recurrent, unrolled, reading),
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
      readRecurrent(site, constants, "file");
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

function checkGru(gru: unknown): GruReading {
  if (gru === undefined || gru === "file" || gru === "pytorch") return gru ?? "file";
  const error = typeof gru === "string" ? wrongValue : wrongType;
  throw error("options.gru", '"file" or "pytorch"', gru);
}

interface Opened {
  readonly sites: Sites;
  readonly constants: Constants;
  readonly unrolled: string | undefined;
}

function open(bytes: Bytes, externalData: unknown): Opened {
  const files = new ExternalFiles(externalData);
  return readAs("readOnnx", bytes, (file) => {
    const model = readModel(file, files);
    const constants = new Constants(model.allowance);
    return { sites: listSites(model), constants, unrolled: unrolledIn(model) };
  });
}

function plainValue(
  attribute: Attribute | undefined,
): number | string | readonly number[] | readonly string[] {
  if (attribute === undefined) return "";
  const { f, i, s, floats, ints, strings } = attribute;
  return i ?? f ?? s ?? (ints.length > 0 ? ints : floats.length > 0 ? floats : strings);
}
