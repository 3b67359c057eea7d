/** The metadata of state dicts beside the options of modules. Dicts may come from anywhere: all is checked. */
import { checkOptions, show, wrongValue } from "../tensor/checks.js";
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
 * Options that are not compared. Some change no number: the layout of the input, what matters in training alone. The
 * others are told by weights or their names, so that loading sees a difference, or is asked to pass over it.
 */
const UNCOMPARED =
  "batchFirst precision dropout p inplace paddingIdx bias bidirectional numLayers projSize peepholes initialState elementwiseAffine".split(
    " ",
  );

/** The class of the library that a user's class extends, and so what the module does. */
export function kindOf(module: object): string {
  let Class = module.constructor as { readonly name: string };
  // This library's classes state their names, so that bundlers keep them; those are enumerable.
  while (!Object.keys(Class).includes("name")) Class = Object.getPrototypeOf(Class);
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
 * @throws TypeError or RangeError naming the option that does not fit, or the other kind
 */
export function optionsIn(
  metadata: unknown,
  prefix: string,
  { kind, table }: { kind: string; table: OptionTable },
): Options | undefined {
  const found = moduleIn(metadata, prefix);
  if (found === undefined) return undefined;
  if (found.kind !== kind) throw wrongValue("dict.metadata.kind", show(kind), show(found.kind));
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
    refuse(name, rest[name] ?? table[name]!.fallback, value, ["options", "dict.metadata"]);
  }
  return { ...rest, ...tell({ ...rest, ...known }), ...known };
}

/** @throws RangeError where the metadata of a dict, below `prefix`, is of modules with other options than these */
export function checkSame(metadata: unknown, prefix: string, parts: readonly Part[]) {
  if (metadata === undefined || typeof prefix !== "string") return () => {};
  const found = parts.map((part) => {
    const table = part.table();
    return {
      ...part,
      table,
      kept: optionsIn(metadata, prefix + part.prefix, { kind: part.kind, table }),
    };
  });
  return () => {
    for (const { kept, table, values } of found) {
      if (kept === undefined) continue;
      for (const [name, { fallback }] of Object.entries(table)) {
        refuse(name, values[name as never], kept[name] ?? fallback, ["dict.metadata.options", "the module"]);
      }
    }
  };
}

/** @param places  where the option was given, and who has it otherwise */
function refuse(name: string, has: unknown, got: unknown, [place, owner]: readonly [string, string]): void {
  if (has === undefined || got === undefined || UNCOMPARED.includes(name) || textOf(has) === textOf(got))
    return;
  throw wrongValue(`${place}.${name}`, `${textOf(has)} as ${owner} has it`, textOf(got));
}
