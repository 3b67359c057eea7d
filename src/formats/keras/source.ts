/**
 * Where the arrays of a model's layers lie in a file: listed by path (`.h5`, TensorFlow.js), or in folders that are
 * called after the layers' classes (`.keras`, `.weights.h5`).
 */

import { show } from "../../tensor/checks.js";
import type { Tensor } from "../../tensor/tensor.js";
import { type Entry, lastName } from "./cell.js";
import { bad, innerLayers, type LayerConfig, layerOf, wrappedLayer } from "./config.js";
import { cellsOf, halvesOf } from "./recurrent.js";
import type { KerasVersion } from "./version.js";

/** The arrays below a layer or a model. */
export interface Source {
  /** Of a model: the sources of its layers, one for each. */
  layers(model: LayerConfig, layers: readonly LayerConfig[]): readonly Source[];
  /** Of a TimeDistributed: that of its layer. */
  wrapped(): Source;
  /** Of a layer: its arrays in the order in which Keras lists them. */
  entries(layer: LayerConfig): readonly Entry[];
  /** The layer's name as the file has it beside the arrays, if it has. */
  readonly label: string | undefined;
}

/** Arrays by their paths, as `lstm/lstm_cell/kernel:0`. */
export class Listed implements Source {
  readonly #entries: readonly Entry[];
  readonly #version: KerasVersion;
  readonly label = undefined;

  constructor(entries: readonly Entry[], version: KerasVersion) {
    this.#entries = entries;
    this.#version = version;
  }

  /** A path begins with the layer's name, or with the model's and then the layer's. */
  layers(model: LayerConfig, layers: readonly LayerConfig[]): readonly Source[] {
    const places = new Map<string, number>();
    for (const [at, { ownName }] of layers.entries()) {
      if (places.has(ownName))
        throw bad(`model ${show(model.name)}`, `has two layers called ${show(ownName)}`);
      places.set(ownName, at);
    }
    const longest = longestOf(places.keys());
    const found = layers.map((): Entry[] => []);
    const rest: Entry[] = [];
    for (const { path, tensor } of this.#entries) {
      const own = path.startsWith(`${model.ownName}/`) ? path.slice(model.ownName.length + 1) : path;
      const name = [path, own]
        .flatMap((from) => startsOf(from, longest))
        .find((start) => places.has(start.name));
      if (name === undefined) rest.push({ path, tensor });
      else found[places.get(name.name)!]!.push({ path: name.rest, tensor });
    }
    const ordered = this.#byOrder(layers);
    if (
      ordered !== undefined &&
      (rest.length > 0 || found.some(({ length }, at) => length !== ordered[at]!.length))
    ) {
      return ordered.map((entries) => new Listed(entries, this.#version));
    }
    // TensorFlow.js leaves the names of nested models out.
    const models = layers.flatMap((layer, at) =>
      found[at]!.length === 0 && innerLayers(layer) !== undefined ? [at] : [],
    );
    if (models.length === 1) found[models[0]!] = rest;
    else byInnerNames(rest, layers, models, found);
    return found.map((entries) => new Listed(entries, this.#version));
  }

  /**
   * The arrays one layer after the other, where their names are those that the layers have in this order. A model that
   * was loaded and saved again has other paths, `lstm_1_1/kernel:0`, and nested models may have layers of one name.
   */
  #byOrder(layers: readonly LayerConfig[]): Entry[][] | undefined {
    const expected = layers.map((layer) => namesOf(layer, this.#version));
    const names = expected.flatMap((some) => some ?? []);
    const isFit = expected.every((some) => some !== undefined) && names.length === this.#entries.length;
    if (!isFit || this.#entries.some(({ path }, at) => lastName(path) !== names[at])) return undefined;
    let at = 0;
    return expected.map((some) => {
      const own = this.#entries.slice(at, at + some!.length);
      at += own.length;
      return own.map(({ path, tensor }) => ({ path: path.slice(path.indexOf("/") + 1), tensor }));
    });
  }

  wrapped(): Source {
    return this;
  }

  entries(): readonly Entry[] {
    return this.#entries;
  }
}

/** More parts than a layer's name has. */
const MOST_PARTS = 16;

/** Of how many parts names are: old versions allow a slash in a layer's name. */
function longestOf(names: Iterable<string>): number {
  let longest = 1;
  for (const name of names) longest = Math.max(longest, name.split("/", MOST_PARTS).length);
  return longest;
}

/** Arrays whose paths name no layer of a model, among nested models: they go to the one that has such a layer. */
function byInnerNames(
  rest: readonly Entry[],
  layers: readonly LayerConfig[],
  models: readonly number[],
  found: Entry[][],
): void {
  const places = new Map<string, number>();
  const add = (model: LayerConfig, at: number, depth = 0) => {
    for (const value of depth < DEEPEST ? (innerLayers(model) ?? []) : []) {
      const layer = layerOf(value, `model ${show(model.name)}`);
      if (!places.has(layer.ownName)) places.set(layer.ownName, at);
      add(layer, at, depth + 1);
    }
  };
  for (const at of models) add(layers[at]!, at);
  const longest = longestOf(places.keys());
  for (const entry of rest) {
    const start = startsOf(entry.path, longest).find(({ name }) => places.has(name));
    if (start !== undefined) found[places.get(start.name)!]!.push(entry);
  }
}

/** What a path may begin with, as names of so many parts at most. */
function startsOf(path: string, longest: number): { readonly name: string; readonly rest: string }[] {
  const parts = path.split("/");
  return parts
    .slice(0, Math.min(longest, parts.length - 1))
    .map((_, at) => ({ name: parts.slice(0, at + 1).join("/"), rest: parts.slice(at + 1).join("/") }));
}

/** Classes that never have arrays. */
const WITHOUT_ARRAYS =
  /^(InputLayer|Activation|Masking|Flatten|Reshape|Permute|RepeatVector|Lambda|Add|Subtract|Multiply|Average|Maximum|Minimum|Concatenate|Dot|.*(Dropout.*|Noise|Pooling.*|Padding.*|Cropping.*|UpSampling.*)|ReLU|LeakyReLU|ELU|Softmax|ThresholdedReLU|Rescaling)$/;

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
function counter(): (className: string) => string {
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

/** Of folders within a layer. */
const DEEPEST = 16;

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

/**
 * The last names of a layer's arrays in their order, those of a model one layer after the other. Undefined where they
 * are not known: of Keras 1, and of other classes.
 */
function namesOf(layer: LayerConfig, version: KerasVersion): readonly string[] | undefined {
  const { className, config } = layer;
  const inner = innerLayers(layer)?.map((value) => layerOf(value, `layer ${show(layer.name)}`));
  const below =
    inner ??
    (className === "Bidirectional" ? halvesOf(layer) : className === "RNN" ? cellsOf(layer) : undefined) ??
    (className === "TimeDistributed" ? [wrappedLayer(layer, "layer")!] : undefined);
  if (below !== undefined) {
    const names = below.map((one) => namesOf(one, version));
    return names.every((some) => some !== undefined) ? names.flat() : undefined;
  }
  if (version.major === 1) return undefined;
  if (WITHOUT_ARRAYS.test(className)) return [];
  return arrayNames(layer)?.filter((name) => name !== "bias" || config.use_bias !== false);
}

/** Cells of every class have the same arrays. */
const CELL_LAYER: LayerConfig = {
  name: "",
  ownName: "",
  className: "LSTMCell",
  config: {},
  registeredName: undefined,
};

/** What Keras calls the arrays of a class, in their order; undefined for a class that is not known. */
function arrayNames({ className, config }: LayerConfig): readonly string[] | undefined {
  if (/(LSTM|GRU|RNN)(Cell)?$/.test(className)) return ["kernel", "recurrent_kernel", "bias"];
  if (/^(Dense|EinsumDense|Conv[123]D(Transpose)?)$/.test(className)) return ["kernel", "bias"];
  if (/^DepthwiseConv/.test(className)) return ["depthwise_kernel", "bias"];
  if (/^SeparableConv/.test(className)) return ["depthwise_kernel", "pointwise_kernel", "bias"];
  if (className === "Embedding") return ["embeddings"];
  if (className === "PReLU") return ["alpha"];
  if (!/^(Batch|Layer|Group)Normalization$/.test(className)) return undefined;
  return [
    ...(config.scale === false ? [] : ["gamma"]),
    ...(config.center === false ? [] : ["beta"]),
    ...(className.startsWith("Batch") ? ["moving_mean", "moving_variance"] : []),
  ];
}
