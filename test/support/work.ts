/**
 * Work, counted instead of timed: how often the blocks of src/ ran, and how many elements the engine's own methods
 * on arrays and strings passed over. The same on every machine, however loaded.
 */
import { Session } from "node:inspector/promises";
import { expect } from "vitest";

/** Methods that pass over their array: a loop without a block to count. */
const ARRAY_METHODS = [
  "indexOf",
  "includes",
  "slice",
  "concat",
  "findIndex",
  "find",
  "shift",
  "splice",
] as const;
const TYPED_METHODS = ["set", "slice", "indexOf", "fill"] as const;
const STRING_METHODS = ["toLowerCase", "split", "replace", "search"] as const;

/** Counts from the first import on: code that was optimised before has no counters. */
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

/** How many elements a method passes over. */
const passedOver = (name: string) => (self: ArrayLike<unknown>, first: unknown, result: unknown) =>
  ((name === "set" ? first : name === "slice" ? result : self) as ArrayLike<unknown>).length;

/** What `call` costs. It may be called once; what it throws is thrown. */
export async function workOf(call: () => unknown): Promise<number> {
  await session.post("Profiler.takePreciseCoverage");
  let elements = 0;
  const typed = Object.getPrototypeOf(Uint8Array.prototype) as object;
  const undo: (() => void)[] = [];
  const count = (
    prototype: object,
    name: string,
    cost: (self: ArrayLike<unknown>, first: unknown, result: unknown) => number,
  ) => {
    const original = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
    Reflect.set(prototype, name, function (this: ArrayLike<unknown>, ...args: unknown[]) {
      const result = original.apply(this, args);
      elements += cost(this, args[0], result);
      return result;
    });
    undo.push(() => Reflect.set(prototype, name, original));
  };
  try {
    for (const name of ARRAY_METHODS) count(Array.prototype, name, passedOver(name));
    for (const name of TYPED_METHODS) count(typed, name, passedOver(name));
    for (const name of STRING_METHODS) count(String.prototype, name, passedOver(name));
    call();
  } finally {
    for (const restore of undo) restore();
  }
  const { result } = await session.post("Profiler.takePreciseCoverage");
  for (const script of result) {
    if (!/\/src\/(?!build|cli)/.test(script.url)) continue;
    for (const { ranges } of script.functions) for (const { count: runs } of ranges) elements += runs;
  }
  return elements;
}

/**
 * Expects that work grows in proportion: from size to twice the size at most 2.8-fold, over three doublings.
 * @param make what is measured, for a size; what it needs is made before it is called
 */
export async function expectLinear(size: number, make: (size: number) => () => unknown): Promise<void> {
  const works: number[] = [];
  for (const doubled of [size, size * 2, size * 4, size * 8]) works.push(await workOf(make(doubled)));
  const growths = works.slice(1).map((work, at) => work / works[at]!);
  expect(
    growths.filter((growth) => growth > 2.8),
    `work ${works.join(", ")}`,
  ).toEqual([]);
  // A count that stands still counts nothing.
  expect(works[3]!).toBeGreaterThan(works[0]!);
}
