/**
 * What a saved module tells of a recurrent layer and its weights do not: whether the batch comes first, and an RNN's
 * nonlinearity. A whole module has them as attributes. One of TorchScript has them in its code, `code/__torch__/...py`,
 * where each call is a line:
 *
 *     class GRU(Module):
 *       ...
 *         input, _1 = torch.gru(argument_1, hx, _0, True, 1, 0., False, False, True)
 *
 * The last argument is batch_first. Nothing of the code is run.
 */
import type { ModuleMetadata } from "../../tensor/metadata.js";
import { FormatError } from "../bytes.js";
import { getOrMake } from "../get-or-make.js";
import { decodeUtf8 } from "../utf8.js";
import type { PyObject } from "./pickle/globals.js";

/** The code of a class's file in the archive: of `torch/nn/modules/rnn`. Undefined where it has none. */
export type ReadCode = (path: string) => Uint8Array | undefined;

/** A call takes some hundred characters. What a file has beyond that is passed over. */
const MOST_LINE = 2000;
const MOST_CODE = 2 ** 20;

const MODE = /^(LSTM|GRU|RNN)(?:_(TANH|RELU))?$/;
const CALL = /\btorch\.(lstm|gru|rnn)(?:_(tanh|relu))?(_cell)?\(/;
/** After them: whether it is for training, both ways, and the batch first. A call of packed sequences lacks the last. */
const ENDS = /, (?:training|True|False), (?:True|False), (True|False)\)$/;

/** Whether a module may tell something of a recurrent layer. */
export function isRecurrent({ state, type }: PyObject): boolean {
  if (!(state instanceof Map)) return false;
  if (typeof state.get("batch_first") === "boolean" || typeof state.get("nonlinearity") === "string") {
    return true;
  }
  return type.name.startsWith("__torch__.") && (state.has("weight_ih_l0") || state.has("weight_ih"));
}

/** The layers by their prefixes, with the options that their modules tell. */
export function layersOfModules(
  modules: ReadonlyMap<string, PyObject>,
  readCode: ReadCode,
): Map<string, ModuleMetadata> {
  const classes = new Map<string, ReadonlyMap<string, ModuleMetadata>>();
  const layers = new Map<string, ModuleMetadata>();
  for (const [prefix, module] of modules) {
    const told = ofAttributes(module) ?? ofCode(module.type.name, classes, readCode);
    if (told !== undefined) layers.set(prefix, told);
  }
  return layers;
}

function ofAttributes({ state, type }: PyObject): ModuleMetadata | undefined {
  const attributes = state as ReadonlyMap<unknown, unknown>;
  const [batchFirst, mode, nonlinearity] = ["batch_first", "mode", "nonlinearity"].map((name) =>
    attributes.get(name),
  );
  const [, kind, other] = (typeof mode === "string" && MODE.exec(mode)) || [];
  if (kind !== undefined && typeof batchFirst === "boolean") {
    return layer(kind, other, false, batchFirst);
  }
  const isCell = /\bRNNCell$/.test(type.name) && (nonlinearity === "tanh" || nonlinearity === "relu");
  return isCell ? layer("RNN", nonlinearity, true) : undefined;
}

function layer(kind: string, nonlinearity: string | undefined, isCell: boolean, batchFirst?: boolean) {
  const name = kind.toUpperCase();
  return {
    kind: `${name}${isCell ? "Cell" : ""}`,
    options: {
      ...(isCell ? {} : { batchFirst }),
      ...(name === "RNN" && nonlinearity !== undefined ? { nonlinearity: nonlinearity.toLowerCase() } : {}),
    },
  };
}

function ofCode(
  type: string,
  classes: Map<string, ReadonlyMap<string, ModuleMetadata>>,
  readCode: ReadCode,
): ModuleMetadata | undefined {
  const end = type.lastIndexOf(".");
  const path = type.slice(0, end).replaceAll(".", "/");
  return getOrMake(classes, path, () => layersOfCode(readCode(path))).get(type.slice(end + 1));
}

/** The layers of a file of code by their classes. A class that calls in several ways, or another one, tells nothing. */
function layersOfCode(code: Uint8Array | undefined): ReadonlyMap<string, ModuleMetadata> {
  const layers = new Map<string, ModuleMetadata>();
  if (code === undefined || code.length > MOST_CODE) return layers;
  const others = new Set<string>();
  let name = "";
  for (const line of linesOf(code)) {
    if (line.length > MOST_LINE) continue;
    name = /^class (\w+)\(/.exec(line)?.[1] ?? name;
    const [, kind, other, cell] = CALL.exec(line) ?? [];
    const batchFirst = ENDS.exec(line)?.[1];
    if (kind === undefined || (!cell && batchFirst === undefined)) continue;
    const told = layer(kind, other, cell !== undefined, batchFirst === "True");
    const known = layers.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(told)) others.add(name);
    layers.set(name, told);
  }
  for (const other of others) layers.delete(other);
  return layers;
}

function linesOf(code: Uint8Array): string[] {
  try {
    return decodeUtf8(code, "torch: code").split("\n");
  } catch (error) {
    // Weights do without what code tells.
    if (error instanceof FormatError) return [];
    throw error;
  }
}
