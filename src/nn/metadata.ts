/** The metadata of state dicts beside the options of modules. Dicts may come from anywhere: all is checked. */
import { checkOptions, show, wrongValue } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import { type ModuleMetadata, moduleIn } from "../tensor/metadata.js";
import type { OptionTable } from "./options.js";

/** A module by what the names of its parameters begin with. */
export interface Part {
  readonly prefix: string;
  readonly kind: string;
  /** Of the options: the module's fields. */
  readonly values: object;
  readonly table: () => OptionTable;
}

type Options = Readonly<Record<string, unknown>>;

/**
 * Options that change no number: the layout of the input, what matters in training alone, and the precision, which
 * weights tell.
 */
const FREE = ["batchFirst", "precision", "dropout", "p", "inplace", "paddingIdx"];

/** Options that the names of weights tell, so that loading sees a difference, or is asked to pass over it. */
const NAMED = [
  "bias",
  "bidirectional",
  "numLayers",
  "projSize",
  "peepholes",
  "initialState",
  "elementwiseAffine",
];

/** The class of the library that a user's class extends, and so what the module does. */
export function kindOf(module: object): string {
  let Class = module.constructor;
  // This library's classes state their names, so that bundlers keep them; those are enumerable.
  while (!Object.hasOwn(Class, "name") || !Object.keys(Class).includes("name")) {
    const Super = Object.getPrototypeOf(Class) as typeof Class;
    if (typeof Super !== "function" || Super === Function.prototype) return module.constructor.name;
    Class = Super;
  }
  return Class.name;
}

/** What a state dict says of a module: every option that JSON can hold. */
export function metadataOf({ kind, values, table }: Part): ModuleMetadata {
  const options: Record<string, unknown> = {};
  for (const name of Object.keys(table())) {
    const value = values[name as never] as unknown;
    // No bound is left out: JSON has no infinity.
    if (value !== undefined && value !== Number.POSITIVE_INFINITY && name !== "precision")
      options[name] = value;
  }
  return { kind, options };
}

const textOf = (value: unknown) => (Object.is(value, Infinity) ? "Infinity" : `${JSON.stringify(value)}`);

/**
 * The checked options that metadata has of a module; undefined where it has none.
 * @param call  what was called, such as `LSTM.fromStateDict`
 * @throws TypeError or RangeError naming the option that does not fit, or the other kind
 */
export function optionsIn(
  metadata: unknown,
  prefix: string,
  { kind, table, call }: { kind: string; table: OptionTable; call: string },
): Options | undefined {
  const found = moduleIn(metadata, prefix);
  if (found === undefined) return undefined;
  if (found.kind !== kind) {
    const of = /^[A-Za-z0-9]{1,40}$/.test(found.kind) ? found.kind : show(found.kind);
    const article = /^([AEIO]|LSTM|RNN)/.test(of) ? "an" : "a";
    throw coded("RANGE", new RangeError(`dict is of ${article} ${of}, got ${call}`));
  }
  const name = "dict.metadata.options";
  const given = Object.entries(checkOptions(name, found.options, Object.keys(table)));
  return Object.fromEntries(given.map(([key, value]) => [key, table[key]!.check(`${name}.${key}`, value)]));
}

/**
 * Options for a module of this dict: the metadata's, then those that weights tell, then those that the caller gives.
 * Weights come first, since a dict may have been changed: a bias taken out, or weights quantised.
 * @throws RangeError naming the option that contradicts the metadata
 */
export function mergeOptions(
  table: OptionTable,
  kept: Options | undefined,
  known: Options,
  tell: (given: Options) => object,
): object {
  if (kept === undefined) return { ...tell(known), ...known };
  const { precision: _, ...rest } = kept;
  for (const [name, value] of Object.entries(known)) {
    refuse(name, rest[name] ?? table[name]!.fallback, value, (has) => [
      `options.${name}`,
      `${has} as dict.metadata has it`,
    ]);
  }
  return { ...rest, ...tell({ ...rest, ...known }), ...known };
}

/** @throws RangeError where the metadata of a dict, below `prefix`, is of modules with other options than these */
export function checkSame(metadata: unknown, prefix: string, parts: readonly Part[], call: string) {
  if (metadata === undefined || typeof prefix !== "string") return () => {};
  const found = parts.map((part) => {
    const table = part.table();
    return {
      ...part,
      table,
      kept: optionsIn(metadata, prefix + part.prefix, { kind: part.kind, table, call }),
    };
  });
  return () => {
    for (const { kept, table, values } of found) {
      if (kept === undefined) continue;
      for (const [name, { fallback }] of Object.entries(table)) {
        if (NAMED.includes(name)) continue;
        refuse(name, values[name as never], kept[name] ?? fallback, (has) => [
          `dict.metadata.options.${name}`,
          `${has} as the module has it`,
        ]);
      }
    }
  };
}

function refuse(
  name: string,
  a: unknown,
  b: unknown,
  tell: (has: string) => readonly [string, string],
): void {
  if (a === undefined || b === undefined || FREE.includes(name) || textOf(a) === textOf(b)) return;
  throw wrongValue(...tell(textOf(a)), textOf(b));
}
