/** Changes of files: bytes set, turned round, inserted, left out, copied and cut off. */
import fc from "fast-check";

export interface Mutation {
  readonly kind: "set" | "flip" | "insert" | "remove" | "copy" | "truncate";
  /** Places as parts of the length, so that they mean something in files of any size. */
  readonly at: number;
  readonly from: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Values at the edges of signed and unsigned integers, and characters that matter in JSON and pickles. */
const EDGES = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x28, 0x2e, 0x30, 0x39, 0x5b, 0x5d, 0x7b, 0x7d, 0x22, 0x2c, 0x2d, 0x65,
];
const edge = fc.oneof(fc.constantFrom(...EDGES), fc.nat(255));
const fraction = fc.nat(999_999).map((number) => number / 1e6);
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(
    "set" as const,
    "set",
    "set",
    "flip",
    "flip",
    "flip",
    "insert",
    "remove",
    "copy",
    "truncate",
  ),
  at: fraction,
  from: fraction,
  count: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 200 })),
  bytes: fc.array(edge, { minLength: 1, maxLength: 9 }).map((list) => Uint8Array.from(list)),
});

export function mutate(bytes: Uint8Array, { kind, at, from, count, bytes: given }: Mutation): Uint8Array {
  const place = Math.floor(at * bytes.length);
  const insert = (inserted: Uint8Array) => {
    const result = new Uint8Array(bytes.length + inserted.length);
    result.set(bytes.subarray(0, place));
    result.set(inserted, place);
    result.set(bytes.subarray(place), place + inserted.length);
    return result;
  };
  switch (kind) {
    case "set": {
      const result = bytes.slice();
      result.set(given.subarray(0, bytes.length - place), place);
      return result;
    }
    case "flip": {
      const result = bytes.slice();
      if (result.length > 0) result[place]! ^= 1 << (count % 8);
      return result;
    }
    case "insert":
      return insert(given);
    case "copy": {
      const start = Math.floor(from * bytes.length);
      return insert(bytes.slice(start, start + count));
    }
    case "remove": {
      const rest = bytes.subarray(place + count);
      const result = new Uint8Array(Math.min(place, bytes.length) + rest.length);
      result.set(bytes.subarray(0, place));
      result.set(rest, place);
      return result;
    }
    case "truncate":
      return bytes.slice(0, place);
  }
}
