/**
 * The recurrent cells among TensorFlow's variables, found by their names:
 *
 *     rnn/basic_lstm_cell/kernel
 *     rnn/multi_rnn_cell/cell_1/lstm_cell/projection/kernel
 *     bidirectional_rnn/bw/gru_cell/gates/bias
 *
 * A variable has a scope, which is that of its cell, and a part. Optimizers keep variables below those of a cell
 * (`kernel/Adam`), which are passed over, as are all that are of no cell.
 */

import { show, wrongShape } from "../../tensor/checks.js";
import { coded } from "../../tensor/errors.js";

export type TensorFlowKind = "BasicLSTM" | "LSTM" | "GRU" | "BasicRNN";

/** One cell: the names of its variables by part, as the newest TensorFlow calls them. */
export interface Cell {
  readonly scope: string;
  readonly layer: number;
  readonly reverse: boolean;
  readonly parts: ReadonlyMap<string, string>;
}

const OF_LSTM = /^(?:(.*?)\/)?(projection\/(?:kernel|weights)|kernel|weights|bias|biases|w_[fio]_diag)$/;
const OF_GRU = /^(?:(.*?)\/)?((?:gates|candidate)\/(?:kernel|weights|bias|biases))$/;
const OF_RNN = /^(?:(.*?)\/)?(kernel|weights|bias|biases)$/;

/** By kind: what its variables' names are, and what the last part of its scope is called unless its author renamed it. */
const KINDS = {
  BasicLSTM: { names: OF_LSTM, family: /lstm/i },
  LSTM: { names: OF_LSTM, family: /lstm/i },
  GRU: { names: OF_GRU, family: /gru/i },
  BasicRNN: { names: OF_RNN, family: /basic_?rnn/i },
};

/** Scopes of cells that have other formulas under the same names of variables. */
const OTHER_CELLS = /layer_?norm|coupled|ugrnn|intersection|conv_?\d?d?_?lstm/i;

/** Variables of normalised cells and of Keras' layers. */
const OTHER_PARTS =
  /^(.*?)\/(?:(?:input|transform|forget|output|state)\/(?:gamma|beta)|recurrent_kernel)(?::0)?$/;

const MOST_NAMED = 4;
const MOST_LENGTH = 120;

/** What TensorFlow before 1.2 called them. */
const NEW_NAMES: Readonly<Record<string, string>> = { weights: "kernel", biases: "bias" };

/**
 * The cells of one module: layers in their order, of each the forward direction first.
 * @param names  of all variables
 * @param prefix the scope to look in, `""` for all
 * @throws RangeError that lists what there is, where it is not one module
 */
export function findCells(names: readonly string[], kind: TensorFlowKind, prefix: string): Cell[] {
  const root = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  const scopes = new Map<string, Map<string, string>>();
  for (const name of names) {
    const below = belowRoot(name.replace(/:0$/, ""), root);
    const [, scope = "", part] = (below === undefined ? null : KINDS[kind].names.exec(below)) ?? [];
    if (part === undefined) continue;
    const parts = scopes.get(scope) ?? new Map<string, string>();
    scopes.set(scope, parts);
    const key = part.replace(/weights|biases/, (old) => NEW_NAMES[old]!);
    if (parts.has(key)) throw refused(`${quoted(name)} and ${quoted(parts.get(key)!)} are the same variable`);
    parts.set(key, name);
  }
  const found = [...scopes.keys()].filter((scope) => isCell(joinNames(root, scope), scope));
  if (found.length === 0) {
    const what = kind === "GRU" ? "gates/kernel and candidate/kernel" : "kernel and bias";
    throw refused(
      `no cell of kind ${kind} below prefix ${show(prefix)}: expected ${what} in a scope whose last name has ` +
        `"cell" in it, or in the prefix; got ${listed(names)}`,
    );
  }
  const marks = new Map(names.map((name) => [OTHER_PARTS.exec(name)?.[1], name]));
  for (const scope of found) {
    const full = joinNames(root, scope);
    checkFamily(full, kind, marks.get(full));
  }
  return inOrder(found, root).map((place) => ({ ...place, parts: scopes.get(place.below)! }));
}

/** A prefix that is a cell's scope says itself that it is one. */
function isCell(full: string, below: string): boolean {
  return (below === "" && full !== "") || /cell/i.test(lastOf(full));
}

function belowRoot(name: string, root: string): string | undefined {
  if (root === "") return name;
  return name.startsWith(`${root}/`) ? name.slice(root.length + 1) : undefined;
}

function joinNames(root: string, below: string): string {
  return root === "" || below === "" ? root + below : `${root}/${below}`;
}

function lastOf(scope: string): string {
  return scope.slice(scope.lastIndexOf("/") + 1);
}

/**
 * @param mark a variable that no cell of this kind has
 * @throws RangeError for a cell that is known to be of another kind
 */
function checkFamily(scope: string, kind: TensorFlowKind, mark: string | undefined): void {
  const last = lastOf(scope);
  const isOther = Object.values(KINDS).some(({ family }) => family.test(last));
  const other = OTHER_CELLS.test(last) || (isOther && !KINDS[kind].family.test(last));
  if (!other && mark === undefined) return;
  const isKeras = mark !== undefined && /recurrent_kernel/.test(mark);
  const advice = isKeras ? "; it is a layer of Keras, whose arrays fromKeras takes" : "";
  const reason = mark === undefined ? "" : `: it has ${quoted(mark)}`;
  throw coded(
    "UNSUPPORTED",
    new RangeError(`variables: the cell ${quoted(scope)} is no ${kind} cell${reason}${advice}`),
  );
}

type Place = Omit<Cell, "parts"> & { readonly below: string };

/** The cells as layers and directions of one module, from what their scopes say. */
function inOrder(found: readonly string[], root: string): Place[] {
  const places = found.map((below) => {
    const scope = joinNames(root, below);
    // Of the scopes below the prefix: those above say nothing of how the cells belong together.
    const steps = below.split("/");
    const layerAt = steps.findIndex((step) => /^cell_?\d+$/i.test(step));
    const layer = layerAt < 0 ? 0 : Number(/\d+/.exec(steps[layerAt]!)![0]);
    const wayAt = steps.findIndex((step) => /^[fb]w$/i.test(step));
    const way = wayAt < 0 ? undefined : steps[wayAt]!.toLowerCase();
    // A prefix below `bw` asks for the backward direction alone.
    const reverse = way === "bw" || (way === undefined && /(^|\/)bw(\/|$)/i.test(root));
    const others = steps.map((step, at) => (at === layerAt || at === wayAt ? "*" : step)).join("/");
    return { scope, below, layer, way, reverse, others, isStackOfWay: wayAt >= 0 && layerAt > wayAt };
  });
  const [first] = places as [(typeof places)[0]];
  const apart = places.find(({ others }) => others !== first.others);
  if (apart !== undefined) {
    const scopes = listed(places.map(({ scope }) => scope));
    throw refused(`expected the cells of one layer or stack, got ${scopes}; give the scope of one as prefix`);
  }
  const ways = new Set(places.map(({ way }) => way));
  const layers = new Set(places.map(({ layer }) => layer));
  if (ways.size > 1 && layers.size > 1 && places.some(({ isStackOfWay }) => isStackOfWay)) {
    throw refused(
      "a stack for each direction is no bidirectional stack, whose layers take both directions; give " +
        `the scope of one direction as prefix: ${listed(places.map(({ scope }) => scope))}`,
    );
  }
  const sorted = places.sort((a, b) => a.layer - b.layer || Number(a.reverse) - Number(b.reverse));
  for (const [at, { scope, layer }] of sorted.entries()) {
    if (layer !== Math.floor(at / ways.size)) {
      // One cell of a stack is what the caller asks for, with its scope as prefix.
      const missing = `cell_${Math.floor(at / ways.size)}`;
      throw refused(`${quoted(scope)} stands where ${missing} is expected, in each direction`);
    }
  }
  return sorted.map(({ scope, below, layer, reverse }) => ({ scope, below, layer, reverse }));
}

/** A name for a message. The scopes of cells are long, and their ends tell them apart. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > MOST_LENGTH ? `...${name.slice(-MOST_LENGTH)}` : name);
}

/** Some names, for a message. */
function listed(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return `${names.slice(0, MOST_NAMED).map(quoted).join(", ") || "none"}${more}`;
}

function refused(message: string): RangeError {
  return coded("SHAPE", new RangeError(`variables: ${message}`));
}

/** @throws RangeError unless a cell has the parts, each of them known */
export function checkParts(
  { scope, parts }: Cell,
  required: readonly string[],
  known: readonly string[],
): void {
  for (const part of required) {
    if (parts.has(part)) continue;
    throw wrongShape("variables", `${quoted(part)} in ${quoted(scope)}`, listed([...parts.values()]));
  }
  for (const [part, name] of parts) {
    if (known.includes(part)) continue;
    throw coded(
      "SHAPE",
      new RangeError(`variables[${quoted(name)}]: unexpected; a cell of this kind has none`),
    );
  }
}
