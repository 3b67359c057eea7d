/** The config of a functional model, looked through once however often the model is called. */

import {
  bad,
  field,
  innerLayers,
  type KerasConfig,
  type LayerConfig,
  layerOf,
} from "../../formats/keras/config.js";
import type { KerasVersion } from "../../formats/keras/version.js";
import { show } from "../../tensor/checks.js";
import { callsOf, type PortReference, portsOf, type RawCall, Reference, referencesIn } from "./nodes.js";

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

/** Letters of a name, with those of the models around it. */
export const MOST_NAME = 4096;

/** A layer of a model. Its name begins with the model's, unless that is the whole one. */
export function layerIn(model: LayerConfig, value: unknown, isWhole: boolean): LayerConfig {
  const layer = layerOf(value, `a layer of ${show(model.name)}`);
  if (model.name.length + layer.name.length > MOST_NAME) {
    throw bad(`layer ${show(layer.name)}`, `a name of more than ${MOST_NAME} letters`);
  }
  return isWhole ? layer : { ...layer, name: `${model.name}/${layer.name}` };
}

/** The layers of a model, which has some: one without is refused when the file is read. */
export function layersOf(model: LayerConfig, isWhole: boolean): readonly LayerConfig[] {
  return innerLayers(model)!.map((value) => layerIn(model, value, isWhole));
}

export function functionalOf(model: LayerConfig, isWhole: boolean, version: KerasVersion): Functional {
  // layersOf has checked that these are objects.
  const layers = layersOf(model, isWhole);
  const values = innerLayers(model) as readonly KerasConfig[];
  const place = `model ${show(model.name)}`;
  const inputs = portsOf(model.config, "input_layers", place);
  const outputs = portsOf(model.config, "output_layers", place);
  const found = new Map<string, Omit<Member, "first">>();
  for (const [at, layer] of layers.entries()) {
    const value = values[at]!;
    const name = field(value, "name") ?? layer.ownName;
    if (typeof name !== "string")
      throw bad(place, `name of layer ${at}: expected a string, got ${show(name)}`);
    if (found.has(name)) throw bad(place, `has two layers called ${show(name)}`);
    found.set(name, { layer, calls: callsOf(value, `layer ${show(layer.name)}`) });
  }
  const [byCalls, byOutputs] = [callReferences(found), outputs.map(({ reference }) => reference)].map(
    numbersOf,
  );
  const members = new Map<string, Member>();
  const firsts = new Map<string, number>();
  for (const [name, { layer, calls }] of found) {
    const isModel = innerLayers(layer) !== undefined;
    const firstOf = (read: ReadonlyMap<string, Numbers> | undefined, usual: number) =>
      isModel ? firstCall(calls.length, read?.get(name), usual) : 0;
    const first = firstOf(byCalls, usualFirst(layer, version, false));
    members.set(name, { layer, calls, first });
    firsts.set(name, first - firstOf(byOutputs, usualFirst(layer, version, true)));
  }
  return {
    members,
    inputs,
    outputs: outputs.map(({ key, reference }) => ({ key, reference: moved(reference, firsts) })),
  };
}

/** A reference of the outputs, counted as those of calls are. */
function moved({ layer, node, tensor }: Reference, firsts: ReadonlyMap<string, number>): Reference {
  return new Reference(layer, node + (firsts.get(layer) ?? 0), tensor);
}

interface Numbers {
  least: number;
  most: number;
}

/** All references in the calls of layers. */
function callReferences(members: ReadonlyMap<string, Pick<Member, "calls">>): Reference[] {
  return Array.from(members.values(), ({ calls }) =>
    calls.flatMap(({ args, kwargs }) => [...args, ...kwargs.values()].flatMap(referencesIn)),
  ).flat();
}

/** By the layer's name: the numbers of its calls that others read. */
function numbersOf(references: readonly Reference[]): ReadonlyMap<string, Numbers> {
  const read = new Map<string, Numbers>();
  for (const { layer, node } of references) {
    const { least, most } = read.get(layer) ?? { least: node, most: node };
    read.set(layer, { least: Math.min(least, node), most: Math.max(most, node) });
  }
  return read;
}

/** The number of a nested model's first call. What is read tells, unless it fits both ways of counting. */
function firstCall(calls: number, read: Numbers | undefined, usual: number): number {
  if (read === undefined || read.least === 0) return 0;
  return read.most >= calls ? 1 : usual;
}

/**
 * Versions since 2.3 and TensorFlow.js count a nested model's own graph as call 0, where it has inputs of its own. Keras 3
 * does so in the outputs alone, and not for a Sequential.
 */
function usualFirst({ className }: LayerConfig, version: KerasVersion, isOutput: boolean): number {
  const { major, minor, isTfjs } = version;
  if (major === 3) return isOutput && className !== "Sequential" ? 1 : 0;
  return isTfjs || (major === 2 && minor >= 3) ? 1 : 0;
}
