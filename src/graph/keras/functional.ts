/** The config of a functional model, looked through once however often the model is called. */

import { isObject } from "../../formats/json.js";
import { bad, field, innerLayers, type LayerConfig, layerOf } from "../../formats/keras/config.js";
import type { KerasVersion } from "../../formats/keras/version.js";
import { show } from "../../tensor/checks.js";
import { callsOf, type PortReference, portsOf, type RawCall, type Reference, referencesIn } from "./nodes.js";

/** A layer of a functional model. */
export interface Member {
  readonly layer: LayerConfig;
  readonly calls: readonly RawCall[];
  /** The number of its first call. That of a nested model is 1 where its own graph counts as a call. */
  readonly first: number;
}

export interface Functional {
  readonly members: ReadonlyMap<string, Member>;
  readonly inputs: readonly PortReference[];
  readonly outputs: readonly PortReference[];
}

/** Whether a model has a graph, and is no list of layers. */
export const isFunctional = ({ config }: LayerConfig): boolean => Object.hasOwn(config, "output_layers");

/** The layers of a model. Their names begin with the model's, unless it is the whole one. */
export function layersOf(model: LayerConfig, isWhole: boolean): readonly LayerConfig[] {
  return (innerLayers(model) ?? []).map((value) => {
    const layer = layerOf(value, `a layer of ${show(model.name)}`);
    return isWhole ? layer : { ...layer, name: `${model.name}/${layer.name}` };
  });
}

export function functionalOf(model: LayerConfig, isWhole: boolean, version: KerasVersion): Functional {
  const values = innerLayers(model) ?? [];
  const place = `model ${show(model.name)}`;
  const inputs = portsOf(model.config, "input_layers", place);
  const outputs = portsOf(model.config, "output_layers", place);
  const found = new Map<string, Omit<Member, "first">>();
  for (const [at, layer] of layersOf(model, isWhole).entries()) {
    const value = values[at];
    const name = (isObject(value) ? field(value, "name") : undefined) ?? layer.ownName;
    if (typeof name !== "string")
      throw bad(place, `name of layer ${at}: expected a string, got ${show(name)}`);
    if (found.has(name)) throw bad(place, `has two layers called ${show(name)}`);
    const calls = isObject(value) ? callsOf(value, `layer ${show(layer.name)}`) : [];
    found.set(name, { layer, calls });
  }
  const read = numbersRead(found, outputs);
  const members = new Map<string, Member>();
  for (const [name, { layer, calls }] of found) {
    const isModel = innerLayers(layer) !== undefined;
    members.set(name, {
      layer,
      calls,
      first: isModel ? firstCall(layer, calls.length, read.get(name), version) : 0,
    });
  }
  return { members, inputs, outputs };
}

interface Numbers {
  least: number;
  most: number;
}

/** By the layer's name: the numbers of its calls that others read. */
function numbersRead(
  members: ReadonlyMap<string, Pick<Member, "calls">>,
  outputs: readonly PortReference[],
): Map<string, Numbers> {
  const read = new Map<string, Numbers>();
  const add = ({ layer, node }: Reference) => {
    const numbers = read.get(layer) ?? { least: node, most: node };
    read.set(layer, { least: Math.min(numbers.least, node), most: Math.max(numbers.most, node) });
  };
  for (const { reference } of outputs) add(reference);
  for (const { calls } of members.values()) {
    for (const { args, kwargs } of calls) {
      for (const argument of [...args, ...kwargs.values()])
        for (const one of referencesIn(argument)) add(one);
    }
  }
  return read;
}

/**
 * Of a nested model: versions since 2.3 count its own graph as call 0, where it has inputs of its own. A Sequential of
 * Keras 3 does not.
 */
function firstCall(
  { className }: LayerConfig,
  calls: number,
  read: Numbers | undefined,
  { major, minor, isTfjs }: KerasVersion,
): number {
  if (read === undefined || read.least === 0) return 0;
  if (read.most >= calls) return 1;
  if (major === 3) return className === "Sequential" ? 0 : 1;
  return major === 2 && minor >= 3 && !isTfjs ? 1 : 0;
}
