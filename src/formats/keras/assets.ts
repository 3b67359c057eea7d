/** The vocabularies that a `.keras` file has beside its weights, in folders that are called as those of the weights. */

import { DEEPEST, innerLayers, type LayerConfig, layerOf } from "./config.js";
import { counter } from "./folders.js";

/** Texts by the layers' full names: one word on each line. */
export type Vocabularies = ReadonlyMap<string, string>;

/** @param read  what an entry of the archive holds; undefined where it has none of this name */
export function vocabulariesOf(root: LayerConfig, read: (path: string) => string | undefined): Vocabularies {
  const found = new Map<string, string>();
  const walk = (model: LayerConfig, folder: string, start: string, depth: number): void => {
    const next = counter();
    for (const value of innerLayers(model) ?? []) {
      const layer = layerOf(value, "a layer");
      const own = `${folder}/layers/${next(layer.className)}`;
      const name = `${start}${layer.name}`;
      if (innerLayers(layer) !== undefined) {
        if (depth < DEEPEST) walk(layer, own, `${name}/`, depth + 1);
        continue;
      }
      const text = read(`${own}/vocabulary.txt`);
      if (text !== undefined) found.set(name, text);
    }
  };
  walk(root, "assets", "", 0);
  return found;
}
