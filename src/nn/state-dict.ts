/** State dicts: finding parameters by name and shape, and saying everything that is wrong at once. */

import { quantizeMatrix, scaleNameOf } from "../int8/round-weights.js";
import {
  checkBoolean,
  reading,
  sameShape,
  show,
  showShape,
  wrongShape,
  wrongType,
} from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import { entriesOf, type ParameterData, type StateDictLike, type TensorLike } from "../tensor/like.js";
import { reasonsIn } from "../tensor/skipped.js";
import { asParameter, asTensor } from "../tensor/tensor.js";
import { isInt8Array, lengthOf, partOf } from "../tensor/typed-array.js";
import type { Precision } from "../wasm/precision.js";

/** A parameter that a module has: PyTorch's name and shape. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether it is a matrix of int8 weights with one scale per row. */
  readonly int8?: boolean;
}

/** One scale for each row. */
export function scaleShapeOf({ shape }: ParameterSpec): readonly number[] {
  return [shape[0]!];
}

/** Problems that a message lists: all of a stack of six layers. The rest is counted, since names may be millions. */
const MOST_PROBLEMS = 100;

/** Options of `loadStateDict`. */
export interface LoadOptions {
  /** What the names in the dict begin with, such as `"encoder.lstm."`; keys without it belong to other modules. */
  prefix?: string | undefined;
  /** false: keep the present value of parameters that are missing, and pass over names that are not the module's. */
  strict?: boolean | undefined;
}

/**
 * Entries whose names lack a prefix, by our names of parameters, which the file may name otherwise; `keys` gives the
 * file's names. To ask for one that a reader skipped throws its reason.
 */
class EntriesBelow extends Map<string, TensorLike<unknown>> {
  readonly #prefix: string;
  readonly #rename: ((name: string) => string) | undefined;
  /** By names in the file, prefix and all. */
  readonly #reasons: ReadonlyMap<string, string>;

  constructor(dict: StateDictLike, prefix: string, rename: ((name: string) => string) | undefined) {
    super();
    this.#prefix = prefix;
    this.#rename = rename;
    this.#reasons = reasonsIn(dict);
  }

  override has(name: string): boolean {
    const key = this.nameOf(name);
    if (super.has(key)) return true;
    const reason = this.#reasons.get(this.#prefix + key);
    if (reason === undefined) return false;
    throw coded("UNSUPPORTED", new RangeError(`${this.#prefix}${key}: ${reason}`));
  }

  override get(name: string): TensorLike<unknown> | undefined {
    return super.get(this.nameOf(name));
  }

  /** The file's name. */
  nameOf(name: string): string {
    return this.#rename?.(name) ?? name;
  }
}

/** The name in the file of a parameter below a prefix. */
export function keyIn(entries: ReadonlyMap<string, unknown>, prefix: string, name: string): string {
  return prefix + (entries instanceof EntriesBelow ? entries.nameOf(name) : name);
}

/**
 * Entries of a dict below a prefix, by the name after it.
 * @throws TypeError for what is not a state dict. Its `has` throws a RangeError for a tensor that was skipped.
 */
export function entriesBelow(
  dict: StateDictLike,
  prefix: string,
  rename?: (name: string) => string,
): Map<string, TensorLike<unknown>> {
  if (typeof prefix !== "string") throw wrongType("prefix", "a string", prefix);
  const below = new EntriesBelow(dict, prefix, rename);
  for (const [key, tensor] of entriesOf(dict)) {
    if (typeof key === "string" && key.startsWith(prefix)) below.set(key.slice(prefix.length), tensor);
  }
  return below;
}

/** How `selectParameters` looks for names. */
interface Selection extends LoadOptions {
  /** The file's name of a parameter, below the prefix. */
  readonly rename?: ((name: string) => string) | undefined;
}

/**
 * The data of each parameter found, checked before anything is changed. Int8 matrices come with their scales; float
 * data for them is quantised here.
 * @throws RangeError listing missing, unexpected and mis-shaped keys; with `strict: false` only the mis-shaped.
 */
export function selectParameters(
  moduleName: string,
  specs: readonly ParameterSpec[],
  dict: StateDictLike,
  { prefix = "", strict = true, rename }: Selection,
): Map<string, ParameterData> {
  checkBoolean("strict", strict);
  const entries = entriesBelow(dict, prefix, rename);
  const keyOf = (name: string) => keyIn(entries, prefix, name);
  const selected = new Map<string, ParameterData>();
  const problems: string[] = [];
  for (const spec of specs) {
    const { name, shape } = spec;
    const scales = spec.int8 ? entries.get(scaleNameOf(name)) : undefined;
    if (!entries.has(name)) {
      if (strict) problems.push(`missing ${keyOf(name)}`);
      else if (scales !== undefined) problems.push(`missing ${keyOf(name)}, whose scales are given`);
      continue;
    }
    const tensor = asParameter(entries.get(name), keyOf(name));
    if (!sameShape(tensor.shape, shape)) {
      problems.push(`${keyOf(name)}: expected shape ${showShape(shape)}, got ${showShape(tensor.shape)}`);
    } else if (spec.int8) {
      problems.push(...selectInt8(selected, spec, keyOf, tensor.data, scales));
    } else if (isInt8Array(tensor.data)) {
      problems.push(
        `${keyOf(name)}: expected float numbers, got int8, which takes a module of precision "int8"`,
      );
    } else {
      selected.set(name, tensor.data);
    }
  }
  if (strict) {
    const known = new Set(specs.flatMap(({ name, int8 }) => (int8 ? [name, scaleNameOf(name)] : [name])));
    const named = new Set(Array.from(known, (name) => keyOf(name).slice(prefix.length)));
    for (const name of entries.keys()) if (!named.has(name)) problems.push(`unexpected ${prefix}${name}`);
  }
  // Getters of later entries may have transferred or cut the buffers of earlier ones: these have no elements then.
  for (const [name, data] of selected) {
    if (lengthOf(data) === 0) problems.push(`${keyOf(name)}: its buffer became shorter meanwhile`);
  }
  if (problems.length > 0) {
    const more = problems.splice(MOST_PROBLEMS).length;
    if (more > 0) problems.push(`${more} more`);
    const absent = specs.find(({ name }) => !entries.has(name));
    if (absent !== undefined)
      problems.push(...meant(entries, keyOf(absent.name).slice(prefix.length), prefix));
    throw coded("SHAPE", new RangeError(`${moduleName}.loadStateDict: ${problems.join("; ")}`));
  }
  return selected;
}

/** What a message asks where a key has more between the prefix and the name, such as the prefix's dot; else nothing. */
function meant(entries: ReadonlyMap<string, unknown>, name: string, prefix: string): string[] {
  for (const key of entries.keys()) {
    if (key.endsWith(`.${name}`))
      return [`did you mean prefix ${show(prefix + key.slice(0, -name.length))}?`];
  }
  return [];
}

/** Selects the integers and scales of an int8 matrix, given so or as float weights; returns what is wrong. */
function selectInt8(
  selected: Map<string, ParameterData>,
  spec: ParameterSpec,
  keyOf: (name: string) => string,
  data: ParameterData,
  given: TensorLike<unknown> | undefined,
): string[] {
  const name = keyOf(spec.name);
  const scaleName = keyOf(scaleNameOf(spec.name));
  if (!isInt8Array(data)) {
    if (given !== undefined) return [`${name}: expected an Int8Array beside ${scaleName}, got other numbers`];
    const { values, scales, problem } = quantizeMatrix(data, spec.shape[0]!);
    if (problem !== undefined) return [`${name}${problem}`];
    selected.set(spec.name, values).set(scaleNameOf(spec.name), scales);
    return [];
  }
  if (given === undefined) return [`missing ${scaleName}, the scales of int8 ${name}`];
  const tensor = asTensor(given, scaleName);
  const shape = scaleShapeOf(spec);
  if (!sameShape(tensor.shape, shape)) {
    return [`${scaleName}: expected shape ${showShape(shape)}, got ${showShape(tensor.shape)}`];
  }
  const scales = partOf(tensor.data, 0, shape[0]!);
  const bad = scales.findIndex((scale) => !(scale > 0 && scale < Number.POSITIVE_INFINITY));
  if (bad >= 0) return [`${scaleName}[${bad}]: expected a finite number above 0, got ${scales[bad]}`];
  selected.set(spec.name, data).set(scaleNameOf(spec.name), scales);
  return [];
}

/** The precision of the weights under `name`. */
export function precisionOf(entries: ReadonlyMap<string, TensorLike<unknown>>, name: string): Precision {
  const entry = entries.get(name) as { data?: unknown } | undefined;
  return isInt8Array(reading(name, "a Tensor or { data, shape }", () => entry?.data)) ? "int8" : "float32";
}

/**
 * The shape of one entry, for reading a module's sizes off its weights; of any `rank` where that is undefined.
 * @throws RangeError when it is not there, or has another number of dimensions.
 */
export function shapeOf(
  entries: ReadonlyMap<string, TensorLike<unknown>>,
  name: string,
  rank: number | undefined,
  prefix: string,
): readonly number[] {
  const key = keyIn(entries, prefix, name);
  if (!entries.has(name)) {
    const found = [...entries.keys()].slice(0, 8).map((key) => `${prefix}${key}`);
    const list =
      found.length === 0 ? `no key begins with ${JSON.stringify(prefix)}` : `found ${found.join(", ")}`;
    const problems = [
      `dict: expected a key ${key}`,
      list,
      ...meant(entries, key.slice(prefix.length), prefix),
    ];
    throw coded("SHAPE", new RangeError(problems.join("; ")));
  }
  const { shape } = asParameter(entries.get(name), key);
  if (shape.length !== (rank ?? shape.length)) {
    throw wrongShape(`${key}.shape`, `${rank} dimensions`, showShape(shape));
  }
  return shape;
}
