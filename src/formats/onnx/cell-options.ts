/**
 * What a recurrent node's attributes say of its cell, as options of our modules: activations with their constants, clip,
 * input_forget, linear_before_reset. Names and defaults are those of ONNX's recurrent operators.
 */

import { show } from "../../tensor/checks.js";
import { unsupported } from "../bytes.js";
import type { LayerActivation, LayerActivationName, LayerKind, LayerOptions } from "../layer-options.js";
import type { Attribute } from "./model-proto.js";

/** By the name in small letters: ours, and what alpha and beta are when they are left out. */
const ACTIVATIONS: ReadonlyMap<string, readonly [LayerActivationName, alpha?: number, beta?: number]> =
  new Map([
    ["relu", ["relu"]],
    ["tanh", ["tanh"]],
    ["sigmoid", ["sigmoid"]],
    ["softsign", ["softsign"]],
    ["softplus", ["softplus"]],
    ["affine", ["affine", 1, 0]],
    ["leakyrelu", ["leakyRelu", 0.01]],
    ["thresholdedrelu", ["thresholdedRelu", 1]],
    ["scaledtanh", ["scaledTanh", 1, 1]],
    ["hardsigmoid", ["hardSigmoid", 0.2, 0.5]],
    ["elu", ["elu", 1]],
  ]);

/** Characters of an activation's name that are looked at: one more than the longest, ThresholdedRelu, has. */
const MOST_ACTIVATION = 16;

/** The functions of one direction, in ONNX's order, under our options' names. */
const FUNCTIONS = {
  LSTM: [
    ["recurrentActivation", "sigmoid"],
    ["activation", "tanh"],
    ["cellActivation", "tanh"],
  ],
  GRU: [
    ["recurrentActivation", "sigmoid"],
    ["activation", "tanh"],
  ],
  RNN: [["nonlinearity", "tanh"]],
} as const satisfies Record<LayerKind, readonly (readonly [keyof LayerOptions, LayerActivationName])[]>;

/** The options of a node's cell that its attributes tell. */
export type CellOptions = Partial<
  Pick<
    LayerOptions,
    | "nonlinearity"
    | "activation"
    | "recurrentActivation"
    | "cellActivation"
    | "clip"
    | "inputForget"
    | "resetAfter"
  >
>;

/** What is read of an attribute. */
type CellAttribute = Partial<Pick<Attribute, "f" | "i" | "floats" | "strings">>;

/**
 * The options of each direction's cell.
 * @throws FormatError that names the attribute which is not supported
 */
export function readCellOptions(
  kind: LayerKind,
  directions: number,
  attribute: (name: string) => CellAttribute | undefined,
  label: string,
): CellOptions[] {
  const common: { -readonly [Name in keyof CellOptions]: CellOptions[Name] } = {};
  const clip = attribute("clip");
  if (clip !== undefined) {
    const bound = clip.f ?? Number.NaN;
    if (!(bound >= 0)) throw unsupported(`${label}: clip ${bound} is not supported`);
    // 0 is what onnxruntime takes for none, and what a converter writes that has none.
    if (bound > 0) common.clip = bound;
  }
  const flag = (name: string): boolean => {
    const value = attribute(name)?.i ?? 0;
    if (value !== 0 && value !== 1) throw unsupported(`${label}: ${name} ${value} is not supported`);
    return value === 1;
  };
  if (kind === "LSTM") common.inputForget = flag("input_forget");
  if (kind === "GRU") common.resetAfter = flag("linear_before_reset");
  const functions = FUNCTIONS[kind];
  const activations = readActivations(functions, directions, attribute, label);
  return Array.from({ length: directions }, (_, direction) => {
    const options: Record<string, LayerActivation> = {};
    for (const [at, [name]] of functions.entries()) {
      options[name] = activations[direction * functions.length + at]!;
    }
    return { ...common, ...options };
  });
}

function readActivations(
  functions: readonly (readonly [string, LayerActivationName])[],
  directions: number,
  attribute: (name: string) => CellAttribute | undefined,
  label: string,
): LayerActivation[] {
  const count = functions.length * directions;
  const listed = attribute("activations")?.strings ?? [];
  // A list may be long, and each call of a function would read it.
  if (listed.length > 6) throw unsupported(`${label}: ${listed.length} activations are not supported`);
  const usual = Array.from({ length: count }, (_, at) => functions[at % functions.length]![1]);
  const given = listed.length === 0 ? usual : listed;
  const refused = (why: string) => unsupported(`${label}: activations ${given.map(show).join(", ")} ${why}`);
  if (given.length !== count) throw refused(`are not supported: expected ${count}`);
  // Of long names only so much is looked at: a name may have a megabyte, and a function may be called often.
  const kinds = given.map((name) => {
    const known = ACTIVATIONS.get(name.slice(0, MOST_ACTIVATION).toLowerCase());
    if (known === undefined) throw refused("are not supported");
    return known;
  });
  const constants = (name: string, place: 1 | 2): (number | undefined)[] => {
    const list = attribute(name)?.floats ?? [];
    const takers = kinds.filter((kind) => kind[place] !== undefined).length;
    // onnxruntime deals a list out to the functions that take a constant. A list with a number for every function is
    // taken where that is the same.
    const taken = kinds.flatMap((kind, at) => (kind[place] === undefined ? [] : [list[at]]));
    const surplus =
      list.length > takers && !(list.length === count && taken.every((it, at) => it === list[at]));
    if (surplus) {
      throw unsupported(`${label}: ${name} has ${list.length} numbers for ${takers} functions that take one`);
    }
    const bad = list.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw unsupported(`${label}: ${name}[${bad}] is ${list[bad]}`);
    let next = 0;
    return kinds.map((kind) => (kind[place] === undefined ? undefined : (list[next++] ?? kind[place])));
  };
  const alphas = constants("activation_alpha", 1);
  const betas = constants("activation_beta", 2);
  return kinds.map(([name], at) => {
    const [alpha, beta] = [alphas[at], betas[at]];
    if (alpha === undefined) return name;
    return beta === undefined ? { name, alpha } : { name, alpha, beta };
  });
}

/** Whether two cells compute the same. */
export function sameCell(one: CellOptions, other: CellOptions): boolean {
  // Both are made by readCellOptions, in the same order of keys.
  return JSON.stringify(one) === JSON.stringify(other);
}
