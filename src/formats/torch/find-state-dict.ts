/** The tensors in what was saved: of a bare state dict, of one in a checkpoint, or of a whole module. */

import { show } from "../../tensor/checks.js";
import { unsupported } from "../bytes.js";
import { bad } from "./error.js";
import { isRecurrent } from "./module-options.js";
import { isPacked, isView as isTensor, PACKED_PARTS, unpack, type View } from "./packed.js";
import { NumberKey, PyObject } from "./pickle/globals.js";
import { TensorView } from "./rebuild-tensor.js";

/** The keys under which checkpoints keep their state dict, in the order in which they are tried. */
const USUAL_KEYS = ["state_dict", "model_state_dict", "model_state", "model"];

const FROZEN =
  "torch: a TorchScript module without parameters: torch.jit.freeze makes constants without names of them; " +
  "save the state_dict() of the model that was frozen";

const MOST_DEPTH = 64;
/** Tensors of a state dict. The largest models have some thousands. */
const MOST_TENSORS = 100_000;
/** Entries of modules. A module that occurs twice counts twice. */
const MOST_PARTS = 1_000_000;
/** Characters of a tensor's name. */
const MOST_NAME = 1024;
/**
 * Characters of the names of a module's tensors together, 80 for each of 100,000. They are joined from those of its
 * parts, so that a file of 0.1 MB could have 100 MB of them.
 */
const MOST_CHARACTERS = 8_000_000;

export type Views = Map<string, View>;

/** What was found: tensors, and the recurrent ones among the modules that they are of, by their prefixes. */
export interface Found {
  readonly views: Views;
  readonly modules: ReadonlyMap<string, PyObject>;
}

/** What is collected of a state dict or module. */
interface Collected extends Found {
  readonly modules: Map<string, PyObject>;
  /** The packed weights of quantised layers, by name. */
  readonly packed: Map<string, unknown>;
  /** Directions of quantised LSTMs and GRUs, by prefix. */
  readonly directions: Map<string, number>;
  /** What modules may have yet. */
  parts: number;
  characters: number;
}

/** The tensors that the keys of a path lead to. @throws FormatError naming the key that there is not */
export function followPath(root: unknown, path: readonly string[]): Found {
  let value = root;
  path.forEach((key, depth) => {
    const entries = entriesOf(value);
    const shown = `path ${path
      .slice(0, depth + 1)
      .map(show)
      .join(", ")}`;
    const found = lookUp(entries, key);
    if (found === undefined) throw bad(`${shown}: no such key; ${keysOf(entries)}`);
    value = found[0];
  });
  const found = foundIn(value);
  if (found === undefined)
    throw bad(`path ${path.map(show).join(", ")}: no tensors there; ${keysOf(entriesOf(value))}`);
  return found;
}

/** The tensors that the usual keys lead to. @throws FormatError saying what there is instead */
export function findStateDict(root: unknown): Found {
  const found = search(root, new Set(), []);
  if (found !== undefined) return found;
  if (isTensor(root)) throw bad("the file holds one tensor, not a state dict");
  if (root instanceof PyObject && foundIn(root) === undefined) {
    if (root.type.name.startsWith("__torch__.")) throw unsupported(FROZEN);
    throw bad(`the file holds an object of ${root.type.name} without parameters; save model.state_dict()`);
  }
  const entries = entriesOf(root);
  if (entries === undefined) throw bad(`the file holds no state dict but ${describe(root)}`);
  throw bad(
    `no state dict at the top nor under ${USUAL_KEYS.join(", ")}; name one with { path }; ${keysOf(entries)}`,
  );
}

/**
 * The first state dict that the usual keys lead to. In a dict they come before its own tensors, since a
 * checkpoint may hold its best loss as a tensor beside the model. A module comes before a part of it that is
 * named `model`.
 */
function search(value: unknown, seen: Set<unknown>, path: readonly string[]): Found | undefined {
  const entries = entriesOf(value);
  if (!(entries instanceof Map) || seen.has(value) || seen.size > MOST_DEPTH) return undefined;
  seen.add(value);
  const own = value instanceof Map ? undefined : foundIn(value);
  if (own !== undefined) return own;
  for (const key of USUAL_KEYS) {
    const found = search(entries.get(key), seen, [...path, key]);
    if (found !== undefined) return found;
  }
  if (!(value instanceof Map)) return undefined;
  const found = foundIn(value);
  // Numbers beside several networks are losses and counts. A layer's own weights are never all single numbers.
  const isCounts = [...(found?.views.values() ?? [])].every((view) => isSingle(view));
  const networks = isCounts ? networksOf(value) : [];
  if (networks.length < 2) return found;
  const where = path.length === 0 ? "" : ` below ${path.map(show).join(", ")}`;
  const [first] = networks as [string];
  const shown = [...path, first].map(show).join(", ");
  const names = networks.slice(0, 12).map(show).join(", ");
  throw bad(`${networks.length} state dicts${where}: ${names}; name one with { path: [${shown}] }`);
}

/** The keys of state dicts and modules in a dict. Each is looked at once, so that a file's references cost nothing. */
function networksOf(dict: ReadonlyMap<unknown, unknown>): string[] {
  const seen = new Set<unknown>();
  const names: string[] = [];
  for (const [key, value] of dict) {
    if (typeof key !== "string" || seen.has(value)) continue;
    seen.add(value);
    const isModule = value instanceof PyObject && value.state instanceof Map && value.state.has("_modules");
    if (isModule || (value instanceof Map && [...value.values()].some(isTensor))) names.push(key);
  }
  return names;
}

function isSingle(view: View): boolean {
  return view instanceof TensorView && Array.isArray(view.size) && view.size.length === 0;
}

/** The tensors of a state dict, or of a module and its submodules. Undefined if there are none. */
function foundIn(value: unknown): Found | undefined {
  const views: Views = new Map();
  const budget = { parts: MOST_PARTS, characters: MOST_CHARACTERS };
  const collected: Collected = {
    views,
    modules: new Map(),
    packed: new Map(),
    directions: new Map(),
    ...budget,
  };
  if (value instanceof Map) {
    for (const [key, entry] of value) {
      if (typeof key === "string" && isPacked(key, entry)) collected.packed.set(key, entry);
      if (!isTensor(entry)) continue;
      if (typeof key !== "string") throw bad(`a tensor whose key is ${showKey(key)}`);
      add(views, key, entry);
    }
  } else if (value instanceof PyObject) {
    collectModule(value, "", 0, collected);
  }
  unpack(collected.packed, views, collected.directions);
  return views.size > 0 ? collected : undefined;
}

/** An nn.Module keeps its parts in three dicts, a TorchScript module directly among its attributes. */
function collectModule(module: PyObject, prefix: string, depth: number, collected: Collected): void {
  if (depth > MOST_DEPTH) throw bad(`modules nest deeper than ${MOST_DEPTH}`);
  const { state } = module;
  if (!(state instanceof Map)) return;
  const scripted = module.type.name.startsWith("__torch__.");
  const passing = state.get("_non_persistent_buffers_set");
  const isBidirectional = state.get("bidirectional");
  if (typeof isBidirectional === "boolean") collected.directions.set(prefix, isBidirectional ? 2 : 1);
  if (isRecurrent(module)) collected.modules.set(prefix, module);
  // A module keeps these beside its three dicts.
  const packed = new Map(
    PACKED_PARTS.map((key) => [key, state.get(key)] as const).filter(([key, entry]) =>
      isPacked(prefix + key, entry),
    ),
  );
  for (const group of scripted
    ? [state]
    : [...["_parameters", "_buffers", "_modules"].map((key) => state.get(key)), packed]) {
    if (!(group instanceof Map)) continue;
    collected.parts -= group === packed ? 0 : group.size;
    if (collected.parts < 0) throw bad(`modules of more than ${MOST_PARTS} parts`);
    for (const [key, entry] of group) {
      if (typeof key !== "string") throw bad(`a part of a module whose key is ${show(key)}`);
      const name = prefix + key;
      if (name.length > MOST_NAME) throw bad(`a module's part has a name of ${name.length} characters`);
      const isPack = PACKED_PARTS.includes(key) && isPacked(name, entry);
      if (entry instanceof PyObject && !isPack) collectModule(entry, `${name}.`, depth + 1, collected);
      else if (isPack || (isTensor(entry) && !(passing instanceof Set && passing.has(key)))) {
        collected.characters -= name.length;
        if (collected.characters < 0)
          throw bad(`names of tensors of more than ${MOST_CHARACTERS} characters`);
        if (collected.views.has(name)) throw bad(`tensor ${show(name)} occurs twice`);
        if (isTensor(entry)) add(collected.views, name, entry);
        else collected.packed.set(name, entry);
      }
    }
  }
}

function add(views: Views, name: string, view: View): void {
  views.set(name, view);
  if (views.size > MOST_TENSORS) throw bad(`more than ${MOST_TENSORS} tensors`);
}

/** What keys lead to: the items of a dict, those of a list by number, the submodules of a module. */
type Entries = ReadonlyMap<unknown, unknown> | readonly unknown[];

function entriesOf(value: unknown): Entries | undefined {
  if (value instanceof Map || Array.isArray(value)) return value;
  if (!(value instanceof PyObject) || !(value.state instanceof Map)) return undefined;
  const modules = value.state.get("_modules");
  return modules instanceof Map ? modules : value.state;
}

/** What a key of a path leads to, alone in an array, since it may be undefined. */
function lookUp(entries: Entries | undefined, key: string): readonly [unknown] | undefined {
  const index = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : -1;
  if (!(entries instanceof Map)) {
    const list = (entries ?? []) as readonly unknown[];
    return index >= 0 && index < list.length ? [list[index]] : undefined;
  }
  for (const plain of [key, index]) if (entries.has(plain)) return [entries.get(plain)];
  if (index < 0) return undefined;
  let found: readonly [unknown] | undefined;
  // Of equal keys the last counts, as in Python.
  for (const [known, value] of entries) {
    if (known instanceof NumberKey && String(known.number) === key) found = [value];
  }
  return found;
}

function keysOf(entries: Entries | undefined): string {
  if (entries === undefined) return "it has no keys";
  const keys: string[] = [];
  for (const key of entries.keys()) {
    if (keys.push(showKey(key)) > 12) return `its keys are ${keys.slice(0, 12).join(", ")}...`;
  }
  return `its keys are ${keys.join(", ")}`;
}

function showKey(key: unknown): string {
  return show(key instanceof NumberKey ? key.number : key);
}

function describe(value: unknown): string {
  return value instanceof Set ? "a set" : show(value);
}
