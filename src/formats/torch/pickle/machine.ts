/** The state of pickle's stack machine: stack, memo, and limits on what a hostile file may cost. */

import type { Calls } from "./globals.js";
import { PickleReader } from "./reader.js";

/** A checkpoint of 10,000 tensors takes some 500,000 steps and 100,000 objects. */
const MOST_STEPS = 1_500_000;
const MOST_OBJECTS = 500_000;
const MOST_MEMO = 1_000_000;

/** Stands on the stack where a variable number of items begins. */
export const MARK = Symbol("mark");

/** What to make of a persistent id, which stands for data outside the pickle. */
export type ReadId = (id: unknown) => unknown;

/** What the pickles of one file have cost so far. A legacy file has five. */
export class Spent {
  steps = 0;
  objects = 0;
  /** @param format of the file, with which messages begin */
  constructor(readonly format: string) {}
}

export class Machine extends PickleReader {
  readonly calls: Calls;
  readonly readId: ReadId | undefined;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  readonly #spent: Spent;

  constructor(bytes: Uint8Array, start: number, spent: Spent, calls: Calls, readId: ReadId | undefined) {
    super(bytes, start, spent.format);
    this.#spent = spent;
    this.calls = calls;
    this.readId = readId;
  }

  spend(steps: number): void {
    this.#spent.steps += steps;
    if (this.#spent.steps > MOST_STEPS) throw this.error(`more than ${MOST_STEPS} steps`);
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  /** Pushes a new object, which counts towards the limit. */
  make(object: unknown): void {
    if (++this.#spent.objects > MOST_OBJECTS) throw this.error(`more than ${MOST_OBJECTS} objects`);
    this.push(object);
  }

  /** The value on top, which stays there. */
  top(): unknown {
    const value = this.#stack[this.#stack.length - 1];
    if (this.#stack.length === 0 || value === MARK) throw this.error("the stack is empty");
    return value;
  }

  popAny(): unknown {
    if (this.#stack.length === 0) throw this.error("the stack is empty");
    return this.#stack.pop();
  }

  /** The value on top, which may not be a mark. */
  pop(): unknown {
    const value = this.popAny();
    if (value === MARK) throw this.error("a mark where a value is due");
    return value;
  }

  /** The last `count` values, the deepest first. */
  popMany(count: number): unknown[] {
    const values: unknown[] = [];
    while (values.length < count) values.unshift(this.pop());
    return values;
  }

  /** The values above the last mark, the deepest first. The mark goes too. */
  popToMark(): unknown[] {
    const items: unknown[] = [];
    while (this.#stack.length > 0) {
      const item = this.#stack.pop();
      if (item === MARK) return items.reverse();
      items.push(item);
    }
    throw this.error("no mark on the stack");
  }

  /** The value that is left at the end. */
  popLast(): unknown {
    const value = this.pop();
    if (this.#stack.length > 0) throw this.error(`STOP leaves ${this.#stack.length} values on the stack`);
    return value;
  }

  /** Remembers the value on top. */
  put(index = this.#memo.size): void {
    // Python counts up from 0. Indices of the file's choice could collide: V8 hashes numbers without a secret.
    if (index > MOST_MEMO) throw this.error(`memo entry ${index}: expected at most ${MOST_MEMO}`);
    if (this.#memo.size >= MOST_MEMO) throw this.error(`more than ${MOST_MEMO} memo entries`);
    this.#memo.set(index, this.top());
  }

  /** Pushes a value that was remembered. */
  get(index: number): void {
    if (!this.#memo.has(index)) throw this.error(`memo entry ${index} is missing`);
    this.push(this.#memo.get(index));
  }
}
