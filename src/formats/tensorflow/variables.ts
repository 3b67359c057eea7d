/** Variables of TensorFlow 1's recurrent cells as the layer that they are. */

import {
  checkBoolean,
  checkInteger,
  checkOptions,
  show,
  wrongShape,
  wrongType,
  wrongValue,
} from "../../tensor/checks.js";
import { coded } from "../../tensor/errors.js";
import { entriesOf, type StateDictLike } from "../../tensor/like.js";
import { withMetadata } from "../../tensor/metadata.js";
import type { StateDict } from "../../tensor/tensor.js";
import { type LayerKind, type LayerOptions, layerOptions } from "../layer-options.js";
import { layerSuffix } from "../layer-suffix.js";
import { type Cell, checkParts, findCells, quoted, type TensorFlowKind } from "./cells.js";
import { convertCell, PEEPHOLES, PROJECTION, type Sizes } from "./convert-cell.js";

/** Options of {@link fromTensorFlow}. */
export interface FromTensorFlowOptions {
  /** The scope to look in: `"rnn"`, or that of one cell, `"rnn/multi_rnn_cell/cell_0/lstm_cell"`. All by default. */
  readonly prefix?: string;
  /** How many layers the cells are, as the names have to say. */
  readonly layers?: number;
  /** What an LSTM cell adds to its forget gate when it runs. 1 by default, as for the cells. */
  readonly forgetBias?: number;
  /** LSTM: whether gates see c, as the names have to say. */
  readonly peepholes?: boolean;
  /** LSTM: the bound of c' on both sides, cell_clip. */
  readonly cellClip?: number;
  /** LSTM: proj_clip, which no module here has: only undefined is taken. */
  readonly projClip?: undefined;
}

/** A layer of TensorFlow as PyTorch's module of that kind takes it. */
export interface TensorFlowLayer {
  readonly kind: "LSTM" | "GRU" | "RNN";
  /** For `LSTM.fromStateDict` and the like. Its `metadata` has the kind and the options. */
  readonly stateDict: StateDict;
  /** All that `new LSTM`, `new GRU` or `new RNN` takes. */
  readonly options: LayerOptions;
}

const KINDS = {
  BasicLSTM: "LSTM",
  LSTM: "LSTM",
  GRU: "GRU",
  BasicRNN: "RNN",
} as const satisfies Record<TensorFlowKind, LayerKind>;

const REQUIRED = {
  LSTM: ["kernel", "bias"],
  GRU: ["gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias"],
  RNN: ["kernel", "bias"],
};

/**
 * The layer that TensorFlow 1's cells are: a BasicLSTMCell, an LSTMCell with or without peepholes and projection, a
 * GRUCell or a BasicRNNCell, and the block cells, whose kinds are LSTM and GRU. MultiRNNCell's cells of equal size are
 * one module of several layers. The two directions of bidirectional_dynamic_rnn are one bidirectional module; a prefix
 * that leads into `bw` gives that direction alone, with `reverse`. `batchFirst` is true, as dynamic_rnn's inputs are.
 * What a wrapper does around a cell (residual, attention) is not in the variables.
 *
 * @param variables by name, as {@link readNumpy} and {@link readManifest} return them; those of optimizers and of other
 *   layers are passed over
 * @param kind      of the cells
 * @throws TypeError or RangeError that names the argument, option or variable which does not fit, or the cell of
 *   another kind: LayerNormBasicLSTMCell, ConvLSTMCell
 */
export function fromTensorFlow(
  variables: StateDictLike,
  kind: TensorFlowKind,
  options?: FromTensorFlowOptions,
): TensorFlowLayer {
  if (typeof kind !== "string" || !Object.hasOwn(KINDS, kind)) {
    throw wrongType("kind", Object.keys(KINDS).map(show).join(" or "), kind);
  }
  const given = checkGiven(kind, options);
  const entries = new Map<string, unknown>();
  for (const [name, value] of entriesOf(variables, "variables")) {
    if (typeof name !== "string") throw wrongType("variables", "names that are strings", name);
    entries.set(name, value);
  }
  const cells = findCells([...entries.keys()], kind, given.prefix);
  const bidirectional = cells.some(({ reverse }) => reverse) && cells.some(({ reverse }) => !reverse);
  const directions = bidirectional ? 2 : 1;
  checkTold("layers", given.layers, cells.length / directions);
  const of = KINDS[kind];
  const peepholes = cells.some(({ parts }) => PEEPHOLES.some((part) => parts.has(part)));
  if (of === "LSTM") checkTold("peepholes", given.peepholes, peepholes);
  const isProjected = cells.some(({ parts }) => parts.has(PROJECTION));
  const required = [
    ...REQUIRED[of],
    ...(peepholes && kind === "LSTM" ? PEEPHOLES : []),
    ...(isProjected && kind === "LSTM" ? [PROJECTION] : []),
  ];
  const stateDict: StateDict = new Map();
  let sizes: Sizes | undefined;
  let first: Sizes | undefined;
  for (const cell of cells) {
    checkParts(cell, required, required);
    const layer = convertCell(of, cell, entries, given.forgetBias);
    checkStack(cell, layer, sizes, first, directions);
    // Of one module, whose only direction may be the backward one.
    const suffix = layerSuffix(cell.layer, bidirectional && cell.reverse);
    for (const [name, tensor] of layer.tensors) stateDict.set(`${name}${suffix}`, tensor);
    sizes = layer;
    first ??= layer;
  }
  const { inputSize, hiddenSize, projSize } = first!;
  const reverse = !bidirectional && cells[0]!.reverse;
  const all = layerOptions(of, {
    ...{ inputSize, hiddenSize, numLayers: cells.length / directions, batchFirst: true },
    ...{ bidirectional, reverse },
    ...(of === "LSTM" ? { peepholes, projSize } : {}),
    ...(of === "GRU" ? { resetAfter: false } : {}),
    ...(given.cellClip === undefined ? {} : { cellClip: given.cellClip }),
  });
  return {
    kind: of,
    stateDict: withMetadata(stateDict, { "": { kind: of, options: { ...all } } }),
    options: all,
  };
}

function checkGiven(kind: TensorFlowKind, options: FromTensorFlowOptions | undefined) {
  const known = ["prefix", "layers", "forgetBias", "peepholes", "cellClip", "projClip"];
  const given = checkOptions<FromTensorFlowOptions>("options", options, known);
  const { prefix = "", layers, forgetBias = 1, peepholes, cellClip } = given;
  if (typeof prefix !== "string") throw wrongType("options.prefix", "a string", prefix);
  if (layers !== undefined) checkInteger("options.layers", layers, 1);
  const isLstm = KINDS[kind] === "LSTM";
  for (const name of isLstm
    ? kind === "LSTM"
      ? []
      : ["cellClip"]
    : ["forgetBias", "peepholes", "cellClip"]) {
    const value = given[name as keyof typeof given];
    if (value !== undefined) throw wrongValue(`options.${name}`, `none for kind ${kind}`, value);
  }
  if (!Number.isFinite(forgetBias)) {
    if (typeof forgetBias !== "number") throw wrongType("options.forgetBias", "a number", forgetBias);
    throw wrongValue("options.forgetBias", "a finite number", forgetBias);
  }
  if (peepholes !== undefined) checkBoolean("options.peepholes", peepholes);
  if (cellClip !== undefined && !(typeof cellClip === "number" && cellClip > 0)) {
    if (typeof cellClip !== "number") throw wrongType("options.cellClip", "a number", cellClip);
    throw wrongValue("options.cellClip", "a number above 0", cellClip);
  }
  if (given.projClip !== undefined) {
    const got = show(given.projClip);
    throw coded(
      "UNSUPPORTED",
      new RangeError(`options.projClip: expected undefined, since no module clips a projection; got ${got}`),
    );
  }
  return { prefix, layers, forgetBias, peepholes, cellClip };
}

/** What the caller says of what the names tell. */
function checkTold(option: string, given: unknown, told: number | boolean): void {
  if (given !== undefined && given !== told) {
    throw wrongValue(`options.${option}`, `${told}, as the variables' names say`, given);
  }
}

/** Cells of one module have one size, and each takes what the one before gives. */
function checkStack(
  cell: Cell,
  layer: Sizes,
  before: Sizes | undefined,
  first: Sizes | undefined,
  directions: number,
): void {
  if (before === undefined || first === undefined) return;
  const { inputSize, hiddenSize, projSize } = layer;
  const output = directions * (first.projSize || first.hiddenSize);
  const input = cell.layer === 0 ? first.inputSize : output;
  if (hiddenSize === first.hiddenSize && projSize === first.projSize && inputSize === input) return;
  const sizes = (size: Sizes) =>
    `inputSize ${size.inputSize}, hiddenSize ${size.hiddenSize}` +
    (size.projSize > 0 ? `, projSize ${size.projSize}` : "");
  throw wrongShape(
    `variables: the cell ${quoted(cell.scope)}`,
    `${sizes({ ...first, inputSize: input })} as the cells before make it`,
    `${sizes(layer)}; cells of unequal size are a layer each: give the scope of one as prefix`,
  );
}
