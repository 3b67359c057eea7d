/**
 * Recurrent layers of Keras with their wrappers: Bidirectional, RNN of a cell or of several, TimeDistributed. A
 * Bidirectional whose halves are alike is one module, as PyTorch's.
 */
import { show } from "../../tensor/checks.js";
import { withMetadata } from "../../tensor/metadata.js";
import type { StateDict } from "../../tensor/tensor.js";
import { unsupported } from "../bytes.js";
import type { LayerKind, LayerOptions } from "../layer-options.js";
import { layerSuffix } from "../layer-suffix.js";
import { arraysOf, type Cell, cellOf, type Entry, kindOfClass } from "./cell.js";
import { bad, field, flag, type LayerConfig, layerOf, wrappedLayer } from "./config.js";
import { type KerasVersion, zeroesMaskedRows } from "./version.js";

export type MergeMode = "concat" | "sum" | "mul" | "ave" | null;

/** A recurrent layer as a module here, and what its caller does with the output. */
export interface KerasRecurrent {
  readonly kind: LayerKind;
  /**
   * For `LSTM.fromStateDict`, `GRU.fromStateDict` or `RNN.fromStateDict`: `weight_ih_l0`, `bias_hh_l0_reverse`... Its
   * `metadata` has the kind and the options.
   */
  readonly stateDict: StateDict;
  /** All that `new LSTM`, `new GRU` or `new RNN` takes. */
  readonly options: LayerOptions;
  /**
   * Of a Bidirectional: how Keras joins the two halves of the output, which the module gives side by side. null: they
   * are two outputs.
   */
  readonly mergeMode?: MergeMode;
  /**
   * Whether Keras' layer gives all rows. If not, it gives the last that was computed: the last row of the output, of a
   * Bidirectional's second half the first.
   */
  readonly returnSequences: boolean;
  /** Whether Keras' layer gives the states besides. */
  readonly returnState: boolean;
  /** Whether Keras' layer goes on from the states of the call before. */
  readonly stateful: boolean;
  /** Pass it beside `mask` for Keras' rows where the mask is 0. */
  readonly maskedOutput: "repeat" | "zeros";
}

/** A half of a Bidirectional, or a cell of several that run one after the other. */
export interface KerasPart {
  /** Of the layer or cell, as its arrays are named: `forward_lstm`, `gru_cell_1`. */
  readonly name: string;
  readonly recurrent: KerasRecurrent;
}

/** Of a layer that is recurrent, one of the two. */
export interface RecurrentParts {
  readonly recurrent?: KerasRecurrent;
  readonly parts?: readonly KerasPart[];
}

/** How a wrapper changes what is in it. */
interface Within {
  readonly version: KerasVersion;
  readonly isHalf: boolean;
}

/** A class that is recurrent and has no equal here. */
const OTHERS = /^(Conv(LSTM|GRU|RNN).*|.*(LSTM|GRU|RNN)Cell)$/;

/** Whether a class is a recurrent layer or a wrapper of one. */
export function isRecurrent(layer: LayerConfig): boolean {
  const { className } = layer;
  if (className === "TimeDistributed") {
    const inner = wrappedLayer(layer, "layer");
    return inner !== undefined && isRecurrent(inner);
  }
  return (
    /^(Bidirectional|RNN)$/.test(className) || OTHERS.test(className) || kindOfClass(layer) !== undefined
  );
}

/**
 * @param entries  the arrays of the layer, in the file's order
 * @throws FormatError for what has no equal here, and for arrays that contradict the config
 */
export function recurrentOf(
  layer: LayerConfig,
  entries: readonly Entry[],
  version: KerasVersion,
): RecurrentParts {
  return partsOf(layer, entries, { version, isHalf: false });
}

function partsOf(layer: LayerConfig, entries: readonly Entry[], within: Within): RecurrentParts {
  const { className, name } = layer;
  const place = `layer ${show(name)}`;
  if (layer.registeredName !== undefined) {
    throw unsupported(`keras: ${place}: ${layer.registeredName} is code that the file does not hold`);
  }
  if (className === "TimeDistributed")
    return partsOf(named(wrappedLayer(layer, "layer")!, name), entries, within);
  if (className === "Bidirectional") return bidirectional(layer, entries, within);
  if (className === "RNN") return ofCells(layer, entries, within);
  if (kindOfClass(layer) === undefined) throw unsupported(`keras: ${place}: ${className} is not read`);
  return { recurrent: single(layer, cellOf(layer, entries, within.version), within) };
}

const named = (layer: LayerConfig, name: string): LayerConfig => ({ ...layer, name });

/** A module of one direction. `layer` is the one whose config has the flags, an RNN for its cell. */
function single(layer: LayerConfig, cell: Cell, { version, isHalf }: Within): KerasRecurrent {
  const { config } = layer;
  const place = `layer ${show(layer.name)}`;
  const returnSequences = flag(config, "return_sequences", place);
  const stated = flag(config, "zero_output_for_mask", place);
  // Bidirectional sets it, and not where only the last row counts, which would be one of zeros.
  const zeroes = isHalf && zeroesMaskedRows(version) ? returnSequences : stated;
  return {
    ...toModule(cell.kind, [cell.parts], cell.options),
    returnSequences,
    returnState: flag(config, "return_state", place),
    stateful: flag(config, "stateful", place),
    maskedOutput: zeroes ? "zeros" : "repeat",
  };
}

/** @param directions  one or two */
function toModule(kind: LayerKind, directions: readonly Cell["parts"][], options: LayerOptions) {
  const stateDict: StateDict = new Map();
  for (const [at, parts] of directions.entries()) {
    for (const [name, tensor] of parts) stateDict.set(`${name}${layerSuffix(0, at === 1)}`, tensor);
  }
  return { kind, stateDict: withMetadata(stateDict, { "": { kind, options: { ...options } } }), options };
}

function bidirectional(layer: LayerConfig, entries: readonly Entry[], { version }: Within): RecurrentParts {
  const place = `layer ${show(layer.name)}`;
  const mergeMode = mergeModeOf(layer, place);
  const [forward, backward] = halvesOf(layer);
  const count = countOf(forward, version);
  const isNamed = entries.every(({ path }) => /^(for|back)ward_/.test(path));
  const of = (start: string, rest: readonly Entry[]) =>
    isNamed ? entries.filter(({ path }) => path.startsWith(start)) : rest;
  const within = { version, isHalf: true };
  const first = partsOf(forward, of("forward_", entries.slice(0, count)), within);
  const second = partsOf(backward, of("backward_", entries.slice(count)), within);
  const joined = join(first.recurrent, second.recurrent);
  if (joined !== undefined) return { recurrent: { ...joined, mergeMode } };
  const half = ({ name }: LayerConfig, { recurrent, parts }: RecurrentParts): KerasPart[] =>
    recurrent === undefined
      ? parts!.map((part) => ({ ...part, name: `${name}/${part.name}` }))
      : [{ name, recurrent }];
  const halves = [...half(forward, first), ...half(backward, second)];
  return { parts: halves.map(({ name, recurrent }) => ({ name, recurrent: { ...recurrent, mergeMode } })) };
}

function mergeModeOf({ config }: LayerConfig, place: string): MergeMode {
  if (!Object.hasOwn(config, "merge_mode")) return "concat";
  const mode = config.merge_mode;
  if (mode === null || mode === "concat" || mode === "sum" || mode === "mul" || mode === "ave") return mode;
  throw bad(place, `merge_mode: expected "concat", "sum", "mul", "ave" or null, got ${show(mode)}`);
}

/** The two layers of a Bidirectional. The second is the first one, turned, unless the config has its own. */
export function halvesOf(layer: LayerConfig): readonly [LayerConfig, LayerConfig] {
  const place = `layer ${show(layer.name)}`;
  const forward = wrappedLayer(layer, "layer");
  if (forward === undefined) throw bad(place, "layer: missing in the config of a Bidirectional");
  if (forward.className === "Bidirectional") throw bad(place, "layer: a Bidirectional takes no other one");
  const turned = { ...forward.config, go_backwards: !flag(forward.config, "go_backwards", place) };
  const backward = wrappedLayer(layer, "backward_layer") ?? { ...forward, config: turned };
  const called = (half: LayerConfig, start: string) =>
    half.name.startsWith(start) ? half : named(half, `${start}${half.name}`);
  return [called(forward, "forward_"), called(backward, "backward_")];
}

/** Two halves as one module; undefined if they differ in more than their direction. */
function join(
  forward: KerasRecurrent | undefined,
  backward: KerasRecurrent | undefined,
): KerasRecurrent | undefined {
  if (forward === undefined || backward === undefined) return undefined;
  const { goBackwards, ...rest } = forward.options;
  const { goBackwards: turned, ...other } = backward.options;
  const isAlike =
    !goBackwards &&
    turned &&
    forward.kind === backward.kind &&
    JSON.stringify(rest) === JSON.stringify(other) &&
    forward.returnSequences === backward.returnSequences &&
    forward.maskedOutput === backward.maskedOutput;
  if (!isAlike) return undefined;
  const directions = [forward, backward].map(
    ({ stateDict }) =>
      new Map(Array.from(stateDict, ([name, tensor]) => [name.replace("_l0", ""), tensor] as const)),
  ) as unknown as Cell["parts"][];
  return { ...forward, ...toModule(forward.kind, directions, { ...forward.options, bidirectional: true }) };
}

/** The cells of an RNN, in the order in which they run. */
export function cellsOf(layer: LayerConfig): readonly LayerConfig[] {
  const place = `layer ${show(layer.name)}`;
  const given = field(layer.config, "cell");
  if (given === undefined) throw bad(place, "cell: missing in the config of an RNN");
  const cell = Array.isArray(given) ? undefined : layerOf(given, place);
  if (cell !== undefined && cell.className !== "StackedRNNCells") return [cell];
  // A list is what Keras 2 writes of cells that were given as a list to a version before StackedRNNCells.
  const cells = cell === undefined ? given : field(cell.config, "cells");
  if (!Array.isArray(cells) || cells.length === 0)
    throw bad(place, `cells: expected cells, got ${show(cells)}`);
  return cells.flatMap((inner) => {
    const config = layerOf(inner, place);
    return config.className === "StackedRNNCells" ? cellsOf({ ...layer, config: { cell: inner } }) : [config];
  });
}

function ofCells(layer: LayerConfig, entries: readonly Entry[], within: Within): RecurrentParts {
  const place = `layer ${show(layer.name)}`;
  const cells = cellsOf(layer);
  for (const { className, registeredName } of cells) {
    if (registeredName !== undefined) {
      throw unsupported(`keras: ${place}: its cell ${registeredName} is code that the file does not hold`);
    }
    if (!/^(LSTM|GRU|SimpleRNN)Cell$/.test(className)) {
      throw unsupported(`keras: ${place}: its cell ${className} is not read`);
    }
  }
  let at = 0;
  const parts = cells.map((cell, index): KerasPart => {
    const count = arraysOf(cell, within.version);
    const isFirst = index === 0;
    const isLast = index === cells.length - 1;
    const own = entries.slice(at, isLast ? undefined : at + count);
    at += count;
    // Only the first cell reads from the end: the others take its rows in the order of computing.
    const { config } = layer;
    const flags = {
      go_backwards: isFirst && flag(config, "go_backwards", place),
      ...(isLast ? {} : { return_sequences: true }),
    };
    const inner = { ...cell, name: layer.name, config: { ...cell.config, ...config, ...flags } };
    return { name: cell.name, recurrent: single(inner, cellOf(inner, own, within.version), within) };
  });
  return parts.length === 1 ? { recurrent: parts[0]!.recurrent } : { parts };
}

/** How many arrays a layer has in one direction. */
function countOf(layer: LayerConfig, version: KerasVersion): number {
  if (layer.className === "RNN") {
    return cellsOf(layer).reduce(
      (sum, cell) => sum + (kindOfClass(cell) === undefined ? 0 : arraysOf(cell, version)),
      0,
    );
  }
  return kindOfClass(layer) === undefined ? 0 : arraysOf(layer, version);
}
