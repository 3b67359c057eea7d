/**
 * Options of modules as tables: for each its check, and its value when it is left out. Constructors, fromStateDict
 * and the message about an unknown option read the same table. A module's table is a function: a call when a file
 * is loaded would keep the table, and what it names, in the bundle of a program that never makes the module.
 */
import { checkBoolean, checkInteger, checkOptions, wrongType, wrongValue } from "../tensor/checks.js";
import type { StateDictLike } from "../tensor/like.js";
import { checkPrecision, type Precision } from "../wasm/precision.js";

/** One option: a check that returns the value, and the value when it is left out, if it may be. */
export interface Option<Value> {
  readonly fallback?: Value;
  /** The option, earlier in the table, whose value this one has when it is left out. */
  readonly like?: string;
  /** Printed with its name whatever its value, as PyTorch prints it. */
  readonly named?: true;
  /** The value as Python prints it, where that is not as JavaScript prints it. */
  print?(value: Value): string;
  check(name: string, value: unknown): Value;
}
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values that a table's options have. */
export type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value : never;
};

/**
 * Of any size. One row of so many numbers fills the largest block of linear memory; more would overflow the kernels'
 * 32 bits.
 */
export const LARGEST_SIZE = 2 ** 28;

/** An integer from `least` to `most`; to be given unless there is a fallback. */
export function integer(least: number, fallback?: number, most = LARGEST_SIZE): Option<number> {
  const check = (name: string, value: unknown) => checkInteger(name, value, least, most);
  return fallback === undefined ? { check } : { check, fallback };
}

/** A floating-point number as Python prints it. */
export const printFloat = (value: number) => (value % 1 === 0 ? `${value}.0` : `${value}`);

/** The option, to be printed with its name even where it is left out. */
export function named<Value>(option: Option<Value>): Option<Value> {
  return { ...option, named: true };
}

/** A probability, of dropout. */
export function probability(fallback: number): Option<number> {
  return {
    fallback,
    print: printFloat,
    check(name, value) {
      if (typeof value !== "number") throw wrongType(name, "a number", value);
      if (!(value >= 0 && value <= 1)) throw wrongValue(name, "a probability from 0 to 1", value);
      return value;
    },
  };
}

/** A bound of both signs; none when left out. */
export const bound: Option<number> = {
  fallback: Number.POSITIVE_INFINITY,
  check(name, value) {
    if (typeof value !== "number") throw wrongType(name, "a number", value);
    if (!(value > 0)) throw wrongValue(name, "a number above 0", value);
    return value;
  },
};

export function boolean(fallback: boolean): Option<boolean> {
  return { check: checkBoolean, fallback, print: (value) => (value ? "True" : "False") };
}

export const precision: Option<Precision> = {
  fallback: "float32",
  check: (_, value) => checkPrecision(value),
};

/** The key, which no user has, under which fromStateDict puts a state dict beside a constructor's options. */
const SOURCE = Symbol("source");

/** Where a new module's weights come from instead of the random initial ones. */
export interface StateSource {
  readonly dict: StateDictLike;
  readonly prefix: string;
  /** The file's name of a parameter. */
  readonly rename?: ((name: string) => string) | undefined;
}

/** `options` for a constructor that is to take its weights from `source`. */
export function withSource<Options extends object>(options: Options, source: StateSource): Options {
  return { ...options, [SOURCE]: source };
}

export function sourceOf(options: object): StateSource | undefined {
  return (options as { [SOURCE]?: StateSource })[SOURCE];
}

/** What an option is when it is left out, beside the `values` of the others. */
export function usualOf({ like, fallback }: Option<unknown>, values: object): unknown {
  return like === undefined ? fallback : values[like as never];
}

/**
 * Every option of a table, checked, with its fallback where it is left out.
 * @throws TypeError or RangeError naming the option that is unknown, missing or out of range.
 */
export function readOptions<Table extends OptionTable>(
  table: Table,
  options: object | undefined,
): Values<Table> {
  const given = checkOptions("options", options, Object.keys(table)) as Readonly<Record<string, unknown>>;
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    const usual = usualOf(option, values);
    const value = given[name];
    values[name] = value === undefined && usual !== undefined ? usual : option.check(name, value);
  }
  return values as Values<Table>;
}
