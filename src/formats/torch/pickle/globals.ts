/** What a pickle names and calls, as data: nothing here runs any of it. */

import { FormatError } from "../../bytes.js";

const MOST_NAME_LENGTH = 1024;

/** A class or function that a pickle names: "collections.OrderedDict". */
export class Global {
  constructor(readonly name: string) {}
}

/** A call of a global, or an instance of one. It never ran: it holds what it was given. */
export class PyObject {
  /** What BUILD sets: usually a Map of attributes. */
  state: unknown = undefined;
  constructor(
    readonly type: Global,
    readonly args: readonly unknown[],
  ) {}
}

/**
 * By the name of a global, what a call of it becomes. A call of any other becomes a {@link PyObject}. The format of the
 * file begins messages.
 */
export type Calls = ReadonlyMap<string, (args: readonly unknown[], format: string) => unknown>;

/** A number that is a key of a dict or an item of a set, where a Map or Set cannot take it: see {@link keyOf}. */
export class NumberKey {
  constructor(readonly number: number | bigint) {}
}

/** Of 65,536 numbers at most two share a bucket of 2^15, and the keys of lists and optimizers are among them. */
const MOST_PLAIN_KEY = 65_536;

/**
 * A key of a dict or an item of a set, as a Map or Set takes it. V8 hashes numbers without a secret, so a file could
 * make 200,000 of them collide, which takes 13 seconds. A large one becomes an object, which has a hash of its own.
 */
export function keyOf(key: unknown): unknown {
  if (typeof key === "bigint") return new NumberKey(key);
  if (typeof key !== "number" || (Number.isInteger(key) && key >= 0 && key < MOST_PLAIN_KEY)) return key;
  return new NumberKey(key);
}

export const BUILTIN_CALLS: Calls = new Map<string, (args: readonly unknown[], format: string) => unknown>([
  ["collections.OrderedDict", makeDict],
  ["builtins.dict", makeDict],
  ["collections.defaultdict", () => new Map()], // Its argument makes missing items; the items follow.
  ["builtins.set", makeSet],
  ["__builtin__.set", makeSet],
]);

function makeDict([pairs]: readonly unknown[], format: string): Map<unknown, unknown> {
  const dict = new Map<unknown, unknown>();
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new FormatError(`${format}: pickle: a dict is made from something else than pairs`);
    }
    dict.set(keyOf(pair[0]), pair[1]);
  }
  return dict;
}

function makeSet([items]: readonly unknown[]): Set<unknown> {
  return new Set(Array.isArray(items) ? items.map(keyOf) : []);
}

/** Code that acts on the machine. No checkpoint needs any of it, so a file that names it is refused. */
const REFUSED_MODULES =
  /^(os|posix|nt|subprocess|sys|shutil|socket|importlib|runpy|ctypes|pty|commands|code|marshal|pip|webbrowser)$/;
const REFUSED_BUILTINS =
  /^(eval|exec|execfile|compile|open|file|input|raw_input|apply|breakpoint|__import__)$/;

/** Why a global cannot be taken, or undefined if it can. */
export function refusalOf(module: unknown, name: unknown): string | undefined {
  if (typeof module !== "string" || typeof name !== "string") return "a global without a name";
  if (module.length + name.length > MOST_NAME_LENGTH) return "a global with an overlong name";
  const isBuiltin = module === "builtins" || module === "__builtin__";
  if (
    REFUSED_MODULES.test(module.split(".")[0]!) ||
    (isBuiltin && REFUSED_BUILTINS.test(name.split(".")[0]!))
  ) {
    return `the file wants to call ${module}.${name}; nothing of it is run, and it is refused`;
  }
  return undefined;
}
