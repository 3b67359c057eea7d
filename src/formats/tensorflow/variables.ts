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
import { type CellTensors, convertCell, PEEPHOLES, PROJECTION } from "./convert-cell.js";

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
  readonly parts?: undefined;
}

/** Layers that differ in size, peepholes or projection, so that one module cannot hold them. */
export interface TensorFlowParts {
  readonly kind: "LSTM" | "GRU" | "RNN";
  /** In their order: each takes the output of the one before. */
  readonly parts: readonly TensorFlowLayer[];
  readonly stateDict?: undefined;
  readonly options?: undefined;
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
 * one module of several layers; cells that differ are `parts`, a module each. The two directions of bidirectional_dynamic_rnn are one bidirectional module; a prefix
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
): TensorFlowLayer | TensorFlowParts {
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
  const seesCell = ({ parts }: Cell) => PEEPHOLES.some((part) => parts.has(part));
  if (of === "LSTM") checkTold("peepholes", given.peepholes, cells.some(seesCell));
  const layers: Converted[][] = [];
  for (const cell of cells) {
    const peepholes = kind === "LSTM" && seesCell(cell);
    const required = [
      ...REQUIRED[of],
      ...(peepholes ? PEEPHOLES : []),
      ...(kind === "LSTM" && cell.parts.has(PROJECTION) ? [PROJECTION] : []),
    ];
    checkParts(cell, required, required);
    const converted = { ...convertCell(of, cell, entries, given.forgetBias), cell, peepholes };
    const layer = layers[cell.layer] ?? [];
    checkFits(converted, layer[0], layers[cell.layer - 1]);
    layers[cell.layer] = [...layer, converted];
  }
  const module = (members: readonly Converted[][]): TensorFlowLayer => {
    const { inputSize, hiddenSize, projSize, peepholes, cell } = members[0]![0]!;
    const stateDict: StateDict = new Map();
    for (const [at, { tensors }] of members.flat().entries()) {
      // The only direction of a module may be the backward one.
      const suffix = layerSuffix(Math.floor(at / directions), at % directions === 1);
      for (const [name, tensor] of tensors) stateDict.set(`${name}${suffix}`, tensor);
    }
    const all = layerOptions(of, {
      ...{ inputSize, hiddenSize, numLayers: members.length, batchFirst: true },
      ...{ bidirectional, reverse: !bidirectional && cell.reverse },
      ...(of === "LSTM" ? { peepholes, projSize } : {}),
      ...(of === "GRU" ? { resetAfter: false } : {}),
      ...(given.cellClip === undefined ? {} : { cellClip: given.cellClip }),
    });
    const metadata = { "": { kind: of, options: { ...all } } };
    return { kind: of, stateDict: withMetadata(stateDict, metadata), options: all };
  };
  const isOne = layers.every(([first]) => isAlike(first!, layers[0]![0]!));
  return isOne ? module(layers) : { kind: of, parts: layers.map((layer) => module([layer])) };
}

/** A cell as a module takes it. */
type Converted = CellTensors & { readonly cell: Cell; readonly peepholes: boolean };

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

/** Whether one module may hold both. */
function isAlike(a: Converted, b: Converted): boolean {
  return a.hiddenSize === b.hiddenSize && a.projSize === b.projSize && a.peepholes === b.peepholes;
}

/**
 * The directions of a layer are alike, and take what the layer before gives.
 * @param forward of the same layer, where the cell is the backward one
 * @param before  the directions of the layer before, where there is one
 */
function checkFits(cell: Converted, forward: Converted | undefined, before: Converted[] | undefined): void {
  const {
    inputSize,
    cell: { scope },
  } = cell;
  const output = before?.reduce((sum, { projSize, hiddenSize }) => sum + (projSize || hiddenSize), 0);
  const input = output ?? forward?.inputSize ?? inputSize;
  if (inputSize === input && (forward === undefined || isAlike(cell, forward))) return;
  const sizes = ({ inputSize, hiddenSize, projSize, peepholes }: Converted) =>
    `inputSize ${inputSize}, hiddenSize ${hiddenSize}${projSize > 0 ? `, projSize ${projSize}` : ""}` +
    (peepholes ? ", peepholes" : "");
  throw wrongShape(
    `variables: the cell ${quoted(scope)}`,
    `${sizes({ ...(forward ?? cell), inputSize: input })} as the cells before make it`,
    `${sizes(cell)}; give the scope of one as prefix`,
  );
}
