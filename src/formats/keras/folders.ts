/** Arrays in folders that are called after the layers' classes, as in `.keras` and `.weights.h5` files. */
import type { Tensor } from "../../tensor/tensor.js";
import { arrayNames } from "./array-names.js";
import type { Entry } from "./cell.js";
import { DEEPEST, type LayerConfig, wrappedLayer } from "./config.js";
import { cellsOf, halvesOf } from "./recurrent.js";
import type { Source } from "./source.js";

/** A folder of arrays, `vars/0`, with the folders below it. Names are in their order: 10 after 9. */
export interface Folder {
  /** Of folders. */
  names(): readonly string[];
  folder(name: string): Folder | undefined;
  arrayNames(): readonly string[];
  array(name: string): Tensor;
  readonly label: string | undefined;
}

/** Folders, called after the class in snake case and a number where a model has several of one class. */
export class Folders implements Source {
  readonly #folder: Folder | undefined;
  /** By class and name, of the whole file: what is used in two places lies in the first one. */
  readonly #first: Map<string, Folder>;

  constructor(folder: Folder | undefined, first: Map<string, Folder> = new Map()) {
    this.#folder = folder;
    this.#first = first;
  }

  get label(): string | undefined {
    return this.#folder?.folder("vars")?.label ?? this.#folder?.label;
  }

  layers(_model: LayerConfig, layers: readonly LayerConfig[]): readonly Source[] {
    const inner = this.#folder?.folder("layers") ?? this.#folder?.folder("_layer_checkpoint_dependencies");
    const next = counter();
    return layers.map(({ ownName, className }) => {
      const own = inner?.folder(next(className));
      const key = `${className}:${ownName}`;
      const folder = own !== undefined && hasArrays(own) ? own : this.#first.get(key);
      if (folder !== undefined && !this.#first.has(key)) this.#first.set(key, folder);
      return new Folders(folder ?? own, this.#first);
    });
  }

  wrapped(): Source {
    return new Folders(this.#folder?.folder("layer"), this.#first);
  }

  entries(layer: LayerConfig): readonly Entry[] {
    const entries: Entry[] = [];
    if (this.#folder !== undefined) collect(this.#folder, "", layer, entries);
    return entries;
  }
}

/** The names of folders, as Keras counts them: `lstm`, `lstm_1`, each class for itself. */
export function counter(): (className: string) => string {
  const counts = new Map<string, number>();
  return (className) => {
    const kind = snakeCase(className);
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return count === 0 ? kind : `${kind}_${count}`;
  };
}

/** `LayerNormalization` as `layer_normalization`, `PReLU` as `p_re_lu`. */
function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

function hasArrays(folder: Folder, depth = 0): boolean {
  if (folder.arrayNames().length > 0) return true;
  return depth < DEEPEST && folder.names().some((name) => hasArrays(folder.folder(name)!, depth + 1));
}

/** The arrays of a layer, where its class has an order of folders in that order. */
export function collect(
  folder: Folder,
  path: string,
  layer: LayerConfig | undefined,
  entries: Entry[],
  depth = 0,
): void {
  if (depth > DEEPEST) return;
  const below = (name: string, inner: LayerConfig | undefined, as = name) => {
    const found = folder.folder(name);
    if (found !== undefined) collect(found, `${path}${as}/`, inner, entries, depth + 1);
  };
  const own = folder.folder("vars");
  const called = layer === undefined ? undefined : arrayNames(layer);
  for (const name of own?.arrayNames() ?? []) {
    entries.push({ path: `${path}${called?.[Number(name)] ?? name}`, tensor: own!.array(name) });
  }
  const isWrapper =
    layer !== undefined && (Object.hasOwn(layer.config, "layer") || Object.hasOwn(layer.config, "cell"));
  if (isWrapper && layer.className === "Bidirectional") {
    const [forward, backward] = halvesOf(layer);
    below("forward_layer", forward, forward.name);
    below("backward_layer", backward, backward.name);
  } else if (isWrapper && layer.className === "RNN") {
    const cells = cellsOf(layer);
    const stack = folder.folder("cell")?.folder("cells");
    const next = counter();
    if (stack === undefined) below("cell", cells[0]);
    else {
      for (const cell of cells) {
        const found = stack.folder(next(cell.className));
        if (found !== undefined) collect(found, `${path}${cell.name}/`, cell, entries, depth + 1);
      }
    }
  } else if (isWrapper && layer.className === "TimeDistributed") {
    below("layer", wrappedLayer(layer, "layer"));
  } else {
    const isForward = (name: string) => name === "forward_layer";
    const names = folder.names();
    for (const name of [...names.filter(isForward), ...names.filter((one) => !isForward(one))]) {
      if (name !== "vars") below(name, name === "cell" ? CELL_LAYER : undefined, name.replace(/^_/, ""));
    }
  }
}

/** Cells of every class have the same arrays. */
const CELL_LAYER: LayerConfig = {
  name: "",
  ownName: "",
  className: "LSTMCell",
  config: {},
  registeredName: undefined,
};
