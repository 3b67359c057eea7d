/** `fromStateDict` of every module: sizes off the weights, what weights do not tell off the options. */
import { checkOptions } from "../tensor/checks.js";
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import { metadataIn } from "../tensor/metadata.js";
import type { Precision } from "../wasm/precision.js";
import { mergeOptions, optionsIn } from "./metadata.js";
import { type OptionTable, withSource } from "./options.js";
import { type Rename, renaming } from "./rename.js";
import { entriesBelow } from "./state-dict.js";

/** Options of `fromStateDict`. */
export interface FromStateDictOptions {
  /** From our names to the file's, below the prefix: `{ weight_ih_l0: "kernel.weight" }`, or a function. */
  rename?: Rename | undefined;
  /** What the names in the dict begin with, such as `"encoder.lstm."`. */
  prefix?: string | undefined;
  /** Weights do not tell the layout of the input: true for (batch, steps, input). */
  batchFirst?: boolean | undefined;
  /** `"int8"` quantises float weights; int8 weights are recognised when it is left out. */
  precision?: Precision | undefined;
  /** As the constructor's; weights do not tell it. */
  clip?: number | undefined;
  /** As the constructor's. */
  reverse?: boolean | undefined;
  /** As the constructor's. */
  goBackwards?: boolean | undefined;
}

/** The entries of a state dict below a prefix. */
export interface DictBelow {
  readonly entries: ReadonlyMap<string, TensorLike<unknown>>;
  readonly prefix: string;
}

/** How a module is read off a state dict. */
export interface Reading {
  /** All that the constructor takes. */
  options(): OptionTable;
  /** The options that weights do not tell: names, and lists of them. A bundler keeps what is spread, used or not. */
  readonly untold: readonly (string | readonly string[])[];
  /**
   * The options that weights tell, given those that they do not.
   * @throws RangeError naming the key that does not fit.
   */
  told(below: DictBelow, given: Readonly<Record<string, unknown>>): object;
}

/**
 * A module whose weights are those of `dict`.
 * @throws TypeError or RangeError naming every key, or the option, that does not fit.
 */
export function moduleFromDict<Options extends object, Module>(
  Class: { new (options: Options): Module; readonly name: string },
  reading: Reading,
  dict: StateDictLike,
  options: object,
): Module {
  const names = ["prefix", "rename", ...reading.untold.flat()];
  const {
    prefix = "",
    rename: asker,
    ...given
  } = checkOptions("options", options, names) as {
    prefix?: string;
    rename?: unknown;
    [name: string]: unknown;
  };
  const asked = Object.entries(given).filter(([, value]) => value !== undefined);
  const table = reading.options();
  for (const [name, value] of asked) table[name]!.check(name, value);
  const rename = asker === undefined ? undefined : renaming(asker);
  const entries = entriesBelow(dict, prefix, rename);
  const known = Object.fromEntries(asked);
  const kept = optionsIn(metadataIn(dict), prefix, { kind: Class.name, table });
  const merged = mergeOptions(table, kept, known, (all) => reading.told({ entries, prefix }, all));
  return new Class(withSource(merged as Options, { dict, prefix, rename }));
}
