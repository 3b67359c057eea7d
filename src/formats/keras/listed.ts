/** Arrays that a file lists by their paths, as `.h5` files and TensorFlow.js do. */
import { show } from "../../tensor/checks.js";
import { namesOf } from "./array-names.js";
import { type Entry, lastName } from "./cell.js";
import { bad, DEEPEST, innerLayers, type LayerConfig, layerOf, wrappedLayer } from "./config.js";
import type { Source } from "./source.js";
import type { KerasVersion } from "./version.js";

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
    // TensorFlow.js leaves the names of nested models out.
    const models = layers.flatMap((layer, at) =>
      found[at]!.length === 0 && innerOf(layer) !== undefined ? [at] : [],
    );
    if (models.length === 1) found[models[0]!] = rest;
    else byInnerNames(rest, layers, models, found);
    // Names that tell each array's layer are believed: TensorFlow.js' converter sorts layers by name.
    const ordered = this.#byOrder(layers);
    const isTold = found.every(({ length }, at) => length === ordered?.[at]?.length);
    const sources = ordered === undefined || isTold ? found : ordered;
    return sources.map((entries) => new Listed(entries, this.#version));
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

/** The layers of a model, or of the one that a TimeDistributed applies. */
function innerOf(layer: LayerConfig): readonly unknown[] | undefined {
  const model = layer.className === "TimeDistributed" ? wrappedLayer(layer, "layer") : layer;
  return model && innerLayers(model);
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
    for (const value of depth < DEEPEST ? (innerOf(model) ?? []) : []) {
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
