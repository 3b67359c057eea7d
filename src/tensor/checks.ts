/**
 * Checks of arguments. Each returns the argument, and builds its message only when it throws. A wrong type is
 * a TypeError; a wrong value or shape is a RangeError. Every message names the argument, what was expected
 * and what came: `input.shape[2]: expected inputSize 40, got 41`.
 */

import { coded } from "./errors.js";

/**
 * How a message shows a value: short and quoted. No method of the value runs, such as its toString. What a proxy or a
 * getter of Symbol.toStringTag throws is dropped.
 */
export function show(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (value === null || typeof value === "number" || typeof value === "boolean" || value === undefined) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object") return `a ${typeof value}`;
  try {
    if (Array.isArray(value)) return `an array of length ${value.length}`;
    const name = Object.prototype.toString.call(value).slice(8, 48).replace(/]$/, "");
    return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
  } catch {
    return "an object that cannot be read";
  }
}

/** Array.isArray, which throws for a proxy that was revoked. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * What `read` returns, which reads an argument's properties. A TypeError or RangeError of the engine, as a proxy that
 * was revoked throws or a map that cannot be iterated, becomes one that names the argument. What else a getter
 * throws goes on to the caller.
 */
export function reading<Result>(name: string, expected: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw unreadable(name, expected, cause);
  }
}

/** The same for what was thrown, where a closure would be too slow. */
export function unreadable(name: string, expected: string, cause: unknown): unknown {
  if (!(cause instanceof TypeError || cause instanceof RangeError) || "code" in cause) return cause;
  return coded(
    "TYPE",
    new TypeError(`${name}: expected ${expected}, got an object that cannot be read`, { cause }),
  );
}

/**
 * What a record of the caller's has, by name.
 * @throws TypeError for anything else: a Map has no entries of an object, and would be an empty record
 */
export function entriesOf<Item>(
  name: string,
  record: Readonly<Record<string, Item>>,
  expected = "a plain object",
): [string, Item][] {
  return reading(name, expected, () => {
    // An object of another realm has another Object.prototype. Where there is none, a number stands.
    const prototype = Object.getPrototypeOf(record ?? 0);
    const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
    if (!isPlain) throw wrongType(name, expected, record);
    return Object.entries(record);
  });
}

/** A shape as messages show it: `[5, 4, 6]`. */
export function showShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

export function wrongType(name: string, expected: string, got: unknown): TypeError {
  return coded("TYPE", new TypeError(`${name}: expected ${expected}, got ${show(got)}`));
}

export function wrongValue(
  name: string,
  expected: string,
  got: unknown,
  kind: "RANGE" | "SHAPE" = "RANGE",
): RangeError {
  const told = typeof got === "string" ? got : show(got);
  return coded(kind, new RangeError(`${name}: expected ${expected}, got ${told}`));
}

/** A shape or a length that does not fit. */
export function wrongShape(name: string, expected: string, got: unknown): RangeError {
  return wrongValue(name, expected, got, "SHAPE");
}

/**
 * A `most` of 2^28 or above is told only to who passed it.
 * @throws TypeError unless `value` is a number; RangeError unless it is an integer from `least` to `most`.
 */
export function checkInteger(
  name: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== "number") throw wrongType(name, "a number", value);
  if (!Number.isInteger(value) || value < least || value > most) {
    const range = most < 2 ** 28 || value > most ? `from ${least} to ${most}` : `of at least ${least}`;
    throw wrongValue(name, `an integer ${range}`, value);
  }
  return value;
}

/** @throws TypeError unless `value` is true or false. */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw wrongType(name, "true or false", value);
  return value;
}

/**
 * An options object, `{}` where it is undefined. A misspelt option is an error; it is never ignored.
 * @throws TypeError for anything but an object, and for a key that is not in `known`
 */
export function checkOptions<Options extends object>(
  name: string,
  options: Options | undefined,
  known: readonly string[],
): Partial<Options> {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null || isArray(options)) {
    throw wrongType(name, "an object of options", options);
  }
  return reading(name, "an object of options", () => {
    for (const key of Object.keys(options)) {
      if (!known.includes(key)) {
        throw coded("TYPE", new TypeError(`${name}.${key}: unknown option; known are ${known.join(", ")}`));
      }
    }
    // A copy, also of what is inherited: a getter is asked once.
    const given: Record<string, unknown> = {};
    for (const key of known) {
      const value = options[key as keyof Options];
      if (value !== undefined) given[key] = value;
    }
    return given as Partial<Options>;
  });
}
