/**
 * Options by which a recurrent cell differs from PyTorch's: those of ONNX's and Keras' layers, and the record by which
 * kernels read them (assembly/cells/general.ts).
 */
import { ACTIVATION_BYTES, CELL_OPTIONS_BYTES, RELU, TANH } from "../../build/abi.js";
import * as CellRecord from "../../build/records/celloptions.js";
import type { Region } from "../wasm/region.js";
import { type Activation, activation, writeActivation } from "./activations.js";
import { CELLS, type CellKind } from "./cell-kinds.js";
import { boolean, bound } from "./options.js";

/** Options of LSTM and LSTMCell. */
export interface LSTMVariant {
  /** Of g, the candidate; also of c' in h' unless cellActivation is given. `"tanh"` when left out. */
  activation?: Activation | undefined;
  /** Of the gates i, f and o. `"sigmoid"` when left out. */
  recurrentActivation?: Activation | undefined;
  /** Of c' in h'; as `activation` when left out. */
  cellActivation?: Activation | undefined;
  /** Whether f is 1 - i, as ONNX's input_forget. */
  inputForget?: boolean | undefined;
  /** Bound of c' on both sides. None when left out. */
  cellClip?: number | undefined;
  /** Whether gates see c, by `weight_ci`, `weight_cf` (of c) and `weight_co` (of c'), (hiddenSize) each. */
  peepholes?: boolean | undefined;
}

/** Options of GRU and GRUCell. */
export interface GRUVariant {
  /** Of n, the candidate. `"tanh"` when left out. */
  activation?: Activation | undefined;
  /** Of the gates r and z. `"sigmoid"` when left out. */
  recurrentActivation?: Activation | undefined;
  /**
   * true, as when left out: r scales W_hn h + b_hn. false: r scales h before that product, as ONNX's
   * linear_before_reset 0 and Keras' reset_after false.
   */
  resetAfter?: boolean | undefined;
}

export const lstmVariant = () => ({
  activation: activation("tanh"),
  recurrentActivation: activation("sigmoid"),
  cellActivation: { ...activation("tanh"), like: "activation" },
  inputForget: boolean(false),
  cellClip: bound,
  peepholes: boolean(false),
});

export const gruVariant = () => ({
  activation: activation("tanh"),
  recurrentActivation: activation("sigmoid"),
  resetAfter: boolean(true),
});

/** The options that weights do not tell. */
export const OF_LSTM = [
  "activation",
  "recurrentActivation",
  "cellActivation",
  "inputForget",
  "cellClip",
] as const;
export const OF_GRU = ["activation", "recurrentActivation", "resetAfter"] as const;

/** What a cell's record has; PyTorch's cells have these values. */
const PLAIN = {
  recurrentActivation: "sigmoid" as Activation,
  activation: "tanh" as Activation,
  cellActivation: "tanh" as Activation,
  clip: Number.POSITIVE_INFINITY,
  cellClip: Number.POSITIVE_INFINITY,
  inputForget: false,
  resetAfter: true,
  peepholes: false,
};
export type CellOptions = Readonly<typeof PLAIN>;

/** How kernels are told of a cell: PyTorch's by its kind and, of an RNN, its activation's number; others by options. */
export interface CellParts {
  readonly cell: CellKind;
  readonly activation: number;
  readonly options: CellOptions | undefined;
}

/** @param values  of a module's options */
export function cellParts(cell: CellKind, values: object): CellParts {
  const { nonlinearity, ...given } = values as Partial<CellOptions> & { nonlinearity?: Activation };
  const options = { ...PLAIN };
  for (const name of Object.keys(PLAIN) as (keyof CellOptions)[]) {
    if (given[name] !== undefined) options[name] = given[name] as never;
  }
  if (nonlinearity !== undefined) options.activation = nonlinearity;
  const plain = { ...PLAIN };
  // PyTorch's second activation of an RNN.
  if (cell === CELLS.RNN && nonlinearity === "relu") plain.activation = nonlinearity;
  const activation = plain.activation === "relu" ? RELU : TANH;
  const same = (Object.keys(PLAIN) as (keyof CellOptions)[]).every((name) => options[name] === plain[name]);
  return { cell, activation: same ? activation : TANH, options: same ? undefined : options };
}

/** The record of `options`, in a block of its own. Returns its address. */
export function storeCellOptions(region: Region, options: CellOptions, peepholes: number): number {
  const block = region.allocate(CELL_OPTIONS_BYTES + 3 * ACTIVATION_BYTES);
  const words = new Int32Array(block.bytes / 4);
  const floats = new Float32Array(words.buffer);
  const activations = [
    [CellRecord.recurrentActivation, options.recurrentActivation],
    [CellRecord.activation, options.activation],
    [CellRecord.cellActivation, options.cellActivation],
  ] as const;
  activations.forEach(([field, activation], index) => {
    const at = CELL_OPTIONS_BYTES + index * ACTIVATION_BYTES;
    words[field] = block.pointer + at;
    writeActivation(words, floats, at / 4, activation);
  });
  floats[CellRecord.clip] = options.clip;
  floats[CellRecord.cellClip] = options.cellClip;
  words[CellRecord.inputForget] = Number(options.inputForget);
  words[CellRecord.resetAfter] = Number(options.resetAfter);
  words[CellRecord.peepholes] = peepholes;
  region.runtime.write(block, 0, words);
  return block.pointer;
}
