/**
 * The layers of a file of weights alone, which has no config. Their classes follow from the names of groups and the
 * shapes of arrays. Activations and directions are not in such a file.
 */
import type { Hdf5Group } from "../hdf5/index.js";
import { arrayNames } from "./array-names.js";
import { type Entry, lastName } from "./cell.js";
import { DEEPEST, type LayerConfig } from "./config.js";
import { collect, type Folder } from "./folders.js";
import { folderOf, isListed, layersIn } from "./hdf5-source.js";

export interface ListedLayer {
  readonly layer: LayerConfig;
  readonly entries: readonly Entry[];
}

/** The class of a folder, `separable_conv1d`: its name with large letters, and whole words of them. */
function classOfFolder(name: string): string {
  return name
    .replace(/_\d+$/, "")
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replace(/lstm|gru|rnn/gi, (word) => word.toUpperCase())
    .replace(/([123])d/g, "$1D")
    .replace("PReLu", "PReLU");
}

export function layersOfFolder(root: Hdf5Group): readonly ListedLayer[] {
  if (isListed(root)) {
    return layersIn(root).flatMap(({ name, entries }) => split(name, entries));
  }
  const found: ListedLayer[] = [];
  walk(folderOf(root), "", "", found);
  return found;
}

/** @param name  of the folder, and `path` that of the layer with its models before it */
function walk(folder: Folder, name: string, path: string, found: ListedLayer[], depth = 0): void {
  if (depth > DEEPEST) return;
  const inner = folder.folder("layers") ?? folder.folder("_layer_checkpoint_dependencies");
  // The layers of a subclass of Model lie in the root, called after its attributes.
  const layers = inner ?? (depth === 0 ? folder : undefined);
  if (layers !== undefined) {
    for (const below of layers.names()) {
      const own = layers.folder(below)!;
      const label = own.folder("vars")?.label ?? own.label ?? below;
      if (inner !== undefined || below !== "vars") {
        walk(own, below, path === "" ? label : `${path}/${label}`, found, depth + 1);
      }
    }
    return;
  }
  const named = layerNamed(path, classOfFolder(name));
  const entries: Entry[] = [];
  collect(folder, "", named, entries);
  const className = arrayNames(named) === undefined ? classOf(entries) : undefined;
  if (entries.length > 0) found.push({ layer: layerNamed(path, className ?? named.className), entries });
}

function layerNamed(name: string, className: string): LayerConfig {
  return { name, ownName: name, className, config: {}, registeredName: undefined };
}

/** A group of a nested model has the arrays of all its layers; those of a layer begin with its name. */
function split(name: string, entries: readonly Entry[]): readonly ListedLayer[] {
  if (entries.length === 0) return [];
  const className = classOf(entries);
  if (className !== undefined) return [{ layer: layerNamed(name, className), entries }];
  const inner = new Map<string, Entry[]>();
  for (const entry of entries) {
    const end = entry.path.indexOf("/");
    const own = end < 0 ? "" : entry.path.slice(0, end);
    const some = inner.get(own) ?? [];
    inner.set(own, some);
    some.push({ ...entry, path: entry.path.slice(end + 1) });
  }
  return Array.from(inner, ([own, some]) => ({
    layer: layerNamed(own === "" ? name : `${name}/${own}`, classOf(some) ?? "Layer"),
    entries: some,
  }));
}

/** The class that arrays are of; undefined if they are of several layers or of none that is known. */
function classOf(entries: readonly Entry[]): string | undefined {
  if (entries.every(({ path }) => /^(for|back)ward_/.test(path))) return "Bidirectional";
  const arrays = new Map(entries.map(({ path, tensor }) => [lastName(path), tensor.shape]));
  if (arrays.size !== entries.length) return undefined;
  const [kernel, recurrent, bias] = ["kernel", "recurrent_kernel", "bias"].map((name) => arrays.get(name));
  if (recurrent !== undefined) {
    const gates = recurrent[1]! / recurrent[0]!;
    const isCudnn = gates > 1 && bias?.length === 1 && bias[0] === 2 * recurrent[1]!;
    const kind = [undefined, "SimpleRNN", undefined, "GRU", "LSTM"][gates];
    return kind === undefined ? undefined : `${isCudnn ? "CuDNN" : ""}${kind}`;
  }
  if (arrays.has("embeddings")) return "Embedding";
  if (arrays.has("moving_mean")) return "BatchNormalization";
  if (arrays.has("gamma") || arrays.has("beta")) return "LayerNormalization";
  const others = [...arrays.keys()].every((name) => name === "kernel" || name === "bias");
  return others && kernel !== undefined ? ["Dense", "Conv1D", "Conv2D"][kernel.length - 2] : undefined;
}
