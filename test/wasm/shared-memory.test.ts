/** Binaries for a shared memory, made of those for one of their own: nothing else of them changes. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { INITIAL_PAGES } from "../../build/abi.js";
import { forSharedMemory } from "../../src/bundle/shared-memory.js";
import { importsOf, Reader, sectionsOf } from "../support/wasm-sections.js";

type Bytes = Uint8Array<ArrayBuffer>;
const fileOf = (name: string): Bytes =>
  Uint8Array.from(readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url)));

const IMPORTS = 2;
const MEMORY = 2;
const MOST_PAGES = 65536;
const REFUSAL = new RangeError("binary: expected an import of a memory without a maximum");

/** Compares all of two binaries but the memory's limits. */
function expectSameButMemory(shared: Uint8Array, given: Uint8Array): void {
  expect(Array.from(shared.subarray(0, 8))).toEqual(Array.from(given.subarray(0, 8)));
  const [now, before] = [sectionsOf(shared), sectionsOf(given)];
  expect(now.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  for (const [at, { id, content }] of now.entries()) {
    if (id !== IMPORTS) expect(Buffer.compare(content, before[at]!.content)).toBe(0);
  }
  const expected = importsOf(given).map((one) => {
    if (one.kind !== MEMORY) return one;
    const pages = new Reader(one.type.subarray(1)).unsigned();
    const initial = Array.from(one.type.subarray(1));
    expect([one.type[0], pages >= 0]).toEqual([0, true]);
    // Shared, with a maximum, which is 65536 as LEB128.
    return { ...one, type: Uint8Array.of(3, ...initial, 0x80, 0x80, 4) };
  });
  expect(importsOf(shared)).toEqual(expected);
}

describe.each(["simd", "relaxed-simd", "models", "models-relaxed"])("build/%s.wasm", (name) => {
  const given = fileOf(name);
  const shared = forSharedMemory(given);

  it("stays what it is but for the memory that it imports", () => {
    expectSameButMemory(shared, given);
    expect(importsOf(given).filter(({ kind }) => kind === MEMORY)).toHaveLength(1);
  });

  it("stays valid where it is", () => {
    // Node.js 20 has no relaxed SIMD without a flag.
    expect(WebAssembly.validate(shared)).toBe(WebAssembly.validate(given));
    if (!WebAssembly.validate(given)) return;
    const [before, after] = [given, shared].map((binary) => new WebAssembly.Module(binary));
    expect(WebAssembly.Module.imports(after!)).toEqual(WebAssembly.Module.imports(before!));
    expect(WebAssembly.Module.exports(after!)).toEqual(WebAssembly.Module.exports(before!));
  });

  it("leaves the bytes that it is given", () => {
    expect(Buffer.compare(given, fileOf(name))).toBe(0);
  });

  it("is not made twice", () => {
    expect(() => forSharedMemory(shared)).toThrow(REFUSAL);
  });
});

it.each([MOST_PAGES, 32768, 16384, 8192])(
  "a core runs over a shared memory of at most %i pages",
  (maximum) => {
    const module = new WebAssembly.Module(forSharedMemory(fileOf("simd")));
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true });
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const { allocate, clearFloats } = exports as Record<string, (...numbers: number[]) => number>;
    const address = allocate!(64);
    const floats = new Float32Array(memory.buffer, address, 16).fill(1);
    clearFloats!(address, 8);
    expect(Array.from(floats)).toEqual([...Array(8).fill(0), ...Array(8).fill(1)]);
    const own = new WebAssembly.Memory({ initial: INITIAL_PAGES });
    expect(() => new WebAssembly.Instance(module, { env: { memory: own } })).toThrow(WebAssembly.LinkError);
  },
);

it("the binary that threads share by, and the one that unpacks, are refused", () => {
  for (const name of ["threads", "unpack"]) expect(() => forSharedMemory(fileOf(name))).toThrow(REFUSAL);
});

it("a binary that is cut anywhere is refused, or is as little valid as before", () => {
  const whole = fileOf("simd");
  const imports = sectionsOf(whole).find(({ id }) => id === IMPORTS)!;
  const end = imports.content.byteOffset + imports.content.length;
  for (let length = 0; length < end + 300; length++) {
    const cut = whole.slice(0, length);
    if (length < end - 1) expect(() => forSharedMemory(cut), String(length)).toThrow(REFUSAL);
    else expect(WebAssembly.validate(forSharedMemory(cut))).toBe(WebAssembly.validate(cut));
  }
});

describe("binaries that are made up", () => {
  const header = [0, 97, 115, 109, 1, 0, 0, 0];
  const leb = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...leb(Math.floor(value / 128))];
  const section = (id: number, content: readonly number[]) => [id, ...leb(content.length), ...content];
  const text = (name: string) => [...leb(name.length), ...Array.from(name, (letter) => letter.charCodeAt(0))];
  /** A type of a function that takes nothing and gives nothing. */
  const types = section(1, [1, 0x60, 0, 0]);
  const named = fc.string({ unit: fc.constantFrom(..."abmemory."), maxLength: 200 });
  const functions = fc.array(
    fc.tuple(named, named).map(([from, name]) => [...text(from), ...text(name), 0, 0]),
    { maxLength: 60 },
  );
  /** A custom section, whose content nobody reads. */
  const custom = fc
    .tuple(named, fc.uint8Array({ maxLength: 300 }))
    .map(([name, bytes]) => section(0, [...text(name), ...bytes]));
  const limits = fc.nat({ max: MOST_PAGES }).map((pages) => [0, ...leb(pages)]);
  const binaryOf = (before: number[], imports: number[][], after: number[]): Bytes =>
    Uint8Array.from([
      ...header,
      ...before,
      ...types,
      ...section(IMPORTS, [...leb(imports.length), ...imports.flat()]),
      ...after,
    ]);

  it("keep all other imports and sections, of any length", () => {
    const property = fc.property(
      ...([custom, functions, limits, functions, custom] as const),
      (before, first, memory, last, after) => {
        const imported = [...text("env"), ...text("memory"), MEMORY, ...memory];
        const given = binaryOf(before, [...first, imported, ...last], after);
        expect(WebAssembly.validate(given)).toBe(true);
        const shared = forSharedMemory(given);
        expect(WebAssembly.validate(shared)).toBe(true);
        expectSameButMemory(shared, given);
      },
    );
    fc.assert(property, { numRuns: 300, seed: 21 });
  });

  it.each([
    ["no import", []],
    ["a function alone", [[...text("env"), ...text("memory"), 0, 0]]],
    ["a memory of another name", [[...text("env"), ...text("heap"), MEMORY, 0, 1]]],
    ["a memory with a maximum", [[...text("env"), ...text("memory"), MEMORY, 1, 1, 2]]],
    ["a shared memory", [[...text("env"), ...text("memory"), MEMORY, 3, 1, 2]]],
  ])("are refused with %s", (_, imports) => {
    const given = binaryOf([], imports, []);
    expect(WebAssembly.validate(given)).toBe(true);
    expect(() => forSharedMemory(given)).toThrow(REFUSAL);
  });

  it("are refused without sections, and where they are no binaries", () => {
    for (const bytes of [[], header, [...header, IMPORTS], [...header, IMPORTS, 200], Array(50).fill(255)])
      expect(() => forSharedMemory(Uint8Array.from(bytes))).toThrow(REFUSAL);
  });
});
