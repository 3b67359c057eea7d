/** Fields of a Keras config, which is JSON from a file: every one is checked before it is used. */
import { show } from "../../tensor/checks.js";
import { FormatError } from "../bytes.js";
import { isObject } from "../json.js";

/** A config of a layer or a model, as Keras writes it. */
export type KerasConfig = Readonly<Record<string, unknown>>;

/** A layer as configs state it. */
export interface LayerConfig {
  /** `outer/inner` within a nested model. */
  readonly name: string;
  /** As the config has it. */
  readonly ownName: string;
  readonly className: string;
  readonly config: KerasConfig;
  /** `package>Name` of code that is not Keras'. */
  readonly registeredName: string | undefined;
  /** Whether it is one of `keras.ops`, which have names of layers too. */
  readonly isOperation?: boolean;
}

/** Models and folders within one another: deeper than any model that is used. */
export const DEEPEST = 16;

/** A field; undefined if it is missing or null. */
export function field(config: KerasConfig, key: string): unknown {
  return Object.hasOwn(config, key) ? (config[key] ?? undefined) : undefined;
}

/** A field that is true or false, and false where it is missing. */
export function flag(config: KerasConfig, key: string, place: string, usual = false): boolean {
  const value = field(config, key) ?? usual;
  if (typeof value !== "boolean") throw bad(place, `${key}: expected true or false, got ${show(value)}`);
  return value;
}

/** A layer from `{ class_name, config }`. Layers of a Sequential that has no names get the class's. */
export function layerOf(value: unknown, place: string): LayerConfig {
  if (!isObject(value)) throw bad(place, `expected { class_name, config }, got ${show(value)}`);
  const className = field(value, "class_name");
  const config = field(value, "config");
  if (typeof className !== "string")
    throw bad(place, `class_name: expected a string, got ${show(className)}`);
  if (!isObject(config) && !Array.isArray(config)) {
    throw bad(place, `config: expected an object, got ${show(config)}`);
  }
  // Keras 1 has a list of layers where later versions have an object with it.
  const fields: KerasConfig = isObject(config) ? config : { layers: config };
  const registered = field(value, "registered_name");
  const module = field(value, "module");
  const stated = field(fields, "name") ?? field(value, "name");
  const name = typeof stated === "string" ? stated : className;
  return {
    name,
    ownName: name,
    className,
    config: fields,
    registeredName: typeof registered === "string" && registered.includes(">") ? registered : undefined,
    isOperation: typeof module === "string" && /^keras(\.src)?\.ops\b/.test(module),
  };
}

/** The layers of a model's config; undefined for a layer that is no model. */
export function innerLayers({ className, config }: LayerConfig): readonly unknown[] | undefined {
  const layers = field(config, "layers");
  const isModel = /^(Sequential|Functional|Model)$/.test(className) || Object.hasOwn(config, "output_layers");
  return isModel && Array.isArray(layers) ? layers : undefined;
}

/** The layer that a wrapper's config has under `key`. */
export function wrappedLayer({ name, config }: LayerConfig, key: string): LayerConfig | undefined {
  const value = field(config, key);
  return value === undefined ? undefined : layerOf(value, `layer ${show(name)}: ${key}`);
}

export function bad(place: string, problem: string): FormatError {
  return new FormatError(`keras: ${place}: ${problem}`);
}
