/** State dicts: finding parameters by name and shape, and saying everything that is wrong at once. */
import { checkBoolean, sameShape, showShape, wrongType } from "../checks.js";
import { asTensor, type StateDictLike, type TensorLike } from "../tensor.js";

/** A parameter that a module has: PyTorch's name and shape. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Options of `loadStateDict`. */
export interface LoadOptions {
  /** What the names in the dict begin with, such as `"encoder.lstm."`; keys without it belong to other modules. */
  prefix?: string;
  /** false: keep the present value of parameters that are missing, and pass over names that are not the module's. */
  strict?: boolean;
}

/** Entries of a dict below a prefix, by the name after it. @throws TypeError for what is not a state dict. */
export function entriesBelow(dict: StateDictLike, prefix: string): Map<string, TensorLike<unknown>> {
  if (typeof prefix !== "string") throw wrongType("prefix", "a string", prefix);
  if (typeof dict !== "object" || dict === null || Array.isArray(dict)) {
    throw wrongType("dict", "a Map or a record of tensors", dict);
  }
  const entries = dict instanceof Map ? dict : new Map(Object.entries(dict));
  const below = new Map<string, TensorLike<unknown>>();
  for (const [key, tensor] of entries) {
    if (typeof key === "string" && key.startsWith(prefix)) below.set(key.slice(prefix.length), tensor);
  }
  return below;
}

/**
 * The data of each parameter found, checked before anything is changed.
 * @throws RangeError listing every missing, unexpected and mis-shaped key; with `strict: false` only the mis-shaped.
 */
export function selectParameters(
  moduleName: string,
  specs: readonly ParameterSpec[],
  dict: StateDictLike,
  { prefix = "", strict = true }: LoadOptions,
): Map<string, Float32Array> {
  checkBoolean("strict", strict);
  const entries = entriesBelow(dict, prefix);
  const selected = new Map<string, Float32Array>();
  const problems: string[] = [];
  for (const { name, shape } of specs) {
    if (!entries.has(name)) {
      if (strict) problems.push(`missing ${prefix}${name}`);
      continue;
    }
    const tensor = asTensor(entries.get(name), `${prefix}${name}`);
    if (sameShape(tensor.shape, shape)) selected.set(name, tensor.data);
    else {
      problems.push(`${prefix}${name}: expected shape ${showShape(shape)}, got ${showShape(tensor.shape)}`);
    }
  }
  if (strict) {
    const known = new Set(specs.map((spec) => spec.name));
    for (const name of entries.keys()) if (!known.has(name)) problems.push(`unexpected ${prefix}${name}`);
  }
  if (problems.length > 0) {
    throw new RangeError(`${moduleName}.loadStateDict: ${problems.join("; ")}`);
  }
  return selected;
}

/**
 * The shape of one entry, for reading a module's sizes off its weights.
 * @throws RangeError when it is not there, or has another number of dimensions.
 */
export function shapeOf(
  entries: ReadonlyMap<string, TensorLike<unknown>>,
  name: string,
  rank: number,
  prefix: string,
): readonly number[] {
  if (!entries.has(name)) {
    const found = [...entries.keys()].slice(0, 8).map((key) => `${prefix}${key}`);
    const list =
      found.length === 0 ? `no key begins with ${JSON.stringify(prefix)}` : `found ${found.join(", ")}`;
    throw new RangeError(`dict: expected a key ${prefix}${name}; ${list}`);
  }
  const { shape } = asTensor(entries.get(name), `${prefix}${name}`);
  if (shape.length !== rank) {
    throw new RangeError(`${prefix}${name}.shape: expected ${rank} dimensions, got ${showShape(shape)}`);
  }
  return shape;
}
