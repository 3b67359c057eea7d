/** Pickles whose numbers collide in V8's tables, and lists that are long. */
import { join, op, repeat, saved } from "../torch-writer.js";
import type { HostileFile } from "./readers.js";

/** What undoes a multiplication by an odd number, modulo 2^32. */
function inverse(odd: number): number {
  let factor = 1;
  for (let round = 0; round < 6; round++) factor = Math.imul(factor, 2 - Math.imul(odd, factor));
  return factor;
}

/** What undoes `value ^ (value >>> shift)`. */
function unshift(value: number, shift: number): number {
  let result = value;
  for (let known = shift; known < 32; known += shift) result = value ^ (result >>> shift);
  return result;
}

/** The 32-bit integer that V8 gives this hash (ComputeUnseededHash, backwards). */
function integerOfHash(hash: number): number {
  const first = Math.imul(unshift(hash, 16), inverse(2057));
  const second = Math.imul(unshift(first, 4), inverse(5));
  return Math.imul(unshift(second, 12) + 1, inverse(32767));
}

/** So many numbers that fall into 8 of a table's 131,072 buckets, each after the opcode. */
function colliding(count: number, opcode: number, after: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(count * (5 + after.length));
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index++) {
    const at = index * (5 + after.length);
    bytes[at] = opcode;
    view.setInt32(at + 1, integerOfHash(((index % 32768) * 131072 + Math.floor(index / 32768)) | 0), true);
    bytes.set(after, at + 5);
  }
  return bytes;
}

export const KEYS: Omit<HostileFile, "reader">[] = [
  {
    name: "a dict of 200,000 integers that collide",
    make: () => saved(join(op.emptyDict, op.mark, colliding(200_000, 0x4a, op.none), op.setItems)),
    message: "no state dict at the top",
  },
  {
    name: "a set of 200,000 integers that collide",
    make: () => saved(join([0x8f], op.mark, colliding(200_000, 0x4a), [0x90])),
    message: "holds no state dict but a set",
  },
  {
    name: "memo indices that collide",
    make: () => saved(join(op.none, colliding(200_000, 0x72))),
    message: "expected at most 1000000",
  },
  {
    name: "a list of 1.4 million items",
    make: () => saved(join(op.emptyList, op.mark, repeat(1.4e6, op.none), op.appends)),
    message: "its keys are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11...",
  },
];
