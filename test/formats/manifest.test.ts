/** readManifest on hand-made manifests: what each writer states, and what no writer does. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { dtypeOf } from "../../src/formats/dtype.js";
import { readManifest } from "../../src/formats/tensorflow/manifest.js";

const bytesOf = (numbers: ArrayBufferView) =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength).slice();
const join = (...parts: ArrayBufferView[]) => Uint8Array.from(parts.flatMap((part) => [...bytesOf(part)]));

interface Spec {
  name?: unknown;
  shape?: unknown;
  dtype?: unknown;
  quantization?: unknown;
}
const weight = (spec: Spec = {}) => ({ name: "w", shape: [2], dtype: "float32", ...spec });
const group = (weights: unknown, paths: unknown = ["a"]) => ({ paths, weights });
const floats = (...numbers: number[]) => bytesOf(Float32Array.from(numbers));

describe("readManifest", () => {
  it("reads every element type and keeps the names", () => {
    const weights = [
      weight({ name: "rnn/kernel", shape: [2, 1] }),
      weight({ name: "ids", dtype: "int32" }),
      weight({ name: "flags", shape: [3], dtype: "bool" }),
      weight({ name: "step", shape: [] }),
      weight({ name: "none", shape: [0, 4] }),
    ];
    const bytes = join(floats(1.5, -2), Int32Array.of(7, -8), Uint8Array.of(1, 0, 1), floats(3));
    const dict = readManifest([group(weights)], { a: bytes });
    expect([...dict].map(([name, { shape, data }]) => [name, shape, [...data]])).toEqual([
      ["rnn/kernel", [2, 1], [1.5, -2]],
      ["ids", [2], [7, -8]],
      ["flags", [3], [1, 0, 1]],
      ["step", [], [3]],
      ["none", [0, 4], []],
    ]);
    expect([...dict.values()].map(dtypeOf)).toEqual(["float32", "int32", "bool", "float32", "float32"]);
    expect(dict.skipped).toEqual([]);
  });

  it("computes quantised numbers in double and rounds them once", () => {
    const [scale, min] = [0.009573902569565118, -0.9669641595260768];
    const quantization = (dtype: string, more: object = { scale, min }) => ({
      dtype,
      original_dtype: "float32",
      ...more,
    });
    const weights = [
      weight({ name: "u8", quantization: quantization("uint8") }),
      weight({ name: "u16", quantization: { dtype: "uint16", scale, min } }),
      weight({ name: "f16", quantization: quantization("float16", {}) }),
      weight({ name: "int", dtype: "int32", quantization: { dtype: "uint8", scale: 1.5, min: -3 } }),
      weight({ name: "plain", quantization: null }),
    ];
    // The first byte makes what follows stand at odd places.
    const first = weight({ name: "odd", shape: [1], dtype: "bool" });
    const stored = [
      Uint8Array.of(1, 0, 255),
      Uint16Array.of(1, 65535),
      Uint16Array.of(0x3c00, 0xc001),
      Uint8Array.of(1, 4),
    ];
    const dict = readManifest([group([first, ...weights])], join(...stored, floats(5, 6)));
    const value = (number: number) => Math.fround(number * scale + min);
    const numbers = (name: string) => [...dict.get(name)!.data];
    expect(numbers("u8")).toEqual([value(0), value(255)]);
    expect(numbers("u16")).toEqual([value(1), value(65535)]);
    expect(numbers("f16")).toEqual([1, -2.001953125]);
    expect(numbers("int")).toEqual([-1, 3]);
    expect(numbers("plain")).toEqual([5, 6]);
    expect(dict.get("int")!.data).toBeInstanceOf(Int32Array);
  });

  it("joins the shards of each group, and lets a weight cross their ends", () => {
    const manifest = [
      group([weight({ name: "a", shape: [3] }), weight({ name: "b" })], ["one", "two", "empty", "three"]),
      group([weight({ name: "c", shape: [1] })], ["four"]),
      group([], []),
    ];
    const all = floats(1, 2, 3, 4, 5, 6);
    const [one, two, three, four] = [
      all.subarray(0, 5),
      all.subarray(5, 12),
      all.subarray(12, 20),
      all.subarray(20),
    ];
    const files = { one, two, empty: new Uint8Array(0), three, four: four.slice().buffer, unnamed: one };
    const expected = [
      ["a", [1, 2, 3]],
      ["b", [4, 5]],
      ["c", [6]],
    ];
    for (const weights of [files, all, all.buffer]) {
      expect([...readManifest(manifest, weights)].map(([name, { data }]) => [name, [...data]])).toEqual(
        expected,
      );
    }
  });

  it("reads ml5's manifest, a file for each weight", () => {
    const manifest = {
      "rnn/kernel": { filename: "rnn_kernel", shape: [2, 1] },
      Variable: { filename: "Variable", shape: [] },
    };
    const files = { Variable: floats(3), rnn_kernel: floats(1, 2) };
    for (const weights of [files, floats(1, 2, 3)]) {
      expect(
        [...readManifest(manifest, weights)].map(([name, { shape, data }]) => [name, shape, [...data]]),
      ).toEqual([
        ["rnn/kernel", [2, 1], [1, 2]],
        ["Variable", [], [3]],
      ]);
    }
  });

  it("leaves out text and complex numbers, and reads what follows them", () => {
    const weights = [
      weight({ name: "words", dtype: "string" }),
      weight({ name: "spectrum", shape: [1], dtype: "complex64" }),
      weight({ shape: [1] }),
    ];
    const text = Uint8Array.of(2, 0, 0, 0, 104, 105, 0, 0, 0, 0);
    const dict = readManifest([group(weights)], join(text, floats(0, 1), floats(9)));
    expect([...dict].map(([name, { data }]) => [name, [...data]])).toEqual([["w", [9]]]);
    expect(dict.skipped).toEqual([
      { name: "words", reason: "it is text" },
      { name: "spectrum", reason: "it is complex; save its real and imaginary parts" },
    ]);
  });

  it("reads a group that shares memory with its caller as a copy", () => {
    const bytes = floats(1, 2);
    const dict = readManifest([group([weight()])], bytes);
    bytes.fill(0);
    expect([...dict.get("w")!.data]).toEqual([1, 2]);
  });

  const one = (spec: Spec) => [group([weight(spec)])];
  const q = (quantization: unknown, dtype = "float32") => one({ quantization, dtype });
  const eight = new Uint8Array(8);
  it.each<[string, unknown, unknown, string]>([
    ["a group that is none", [7], eight, "manifest[0]: expected an object with paths and weights, got 7"],
    ["paths that are none", [group([], "a")], eight, "manifest[0].paths: expected an array of up to 4194304"],
    ["a path that is none", [group([], [7])], eight, "manifest[0].paths[0]: expected a string, got 7"],
    [
      "no weights",
      [group(undefined)],
      eight,
      "manifest[0].weights: expected an array of up to 4194304 items",
    ],
    [
      "a weight that is none",
      [group([null])],
      eight,
      "manifest[0].weights[0]: expected an object with name, shape and dtype, got null",
    ],
    ["no name", one({ name: 7 }), eight, "manifest[0].weights[0].name: expected a string, got 7"],
    ["a name twice", [group([weight(), weight()])], eight, 'weight "w" occurs twice'],
    ["a file twice", [group([], ["a"]), group([weight()], ["a"])], eight, 'file "a" occurs twice'],
    [
      "a shape that is none",
      one({ shape: 7 }),
      eight,
      'weight "w": shape: expected an array of sizes, got 7',
    ],
    [
      "a negative size",
      one({ shape: [2, -1] }),
      eight,
      'weight "w": shape: expected an array of sizes, got [2, -1]',
    ],
    ["a size that is text", one({ shape: ["2"] }), eight, "shape: expected an array of sizes, got an array"],
    ["65 axes", one({ shape: new Array(65).fill(1) }), eight, "shape: expected an array of sizes, got [1, 1"],
    ["2^60 numbers", one({ shape: [2 ** 30, 2 ** 30] }), eight, "shape: expected an array of sizes, got [10"],
    [
      "2^33 numbers of 8 bytes",
      one({ shape: [2 ** 33] }),
      eight,
      'weight "w": expected 34359738368 bytes at 0, got 8; a shard is missing or cut off',
    ],
    [
      "an unknown type",
      one({ dtype: "float64" }),
      eight,
      'weight "w": dtype "float64" is not supported; supported are float32, int32, bool',
    ],
    ["no type", one({ dtype: undefined }), eight, 'weight "w": a dtype that is undefined is not supported'],
    ["a quantization that is none", q(7), eight, 'weight "w": quantization: expected an object, got 7'],
    [
      "an unknown quantization",
      q({ dtype: "int8" }),
      eight,
      'quantization.dtype "int8" is not supported; supported are uint8, uint16, float16',
    ],
    [
      "no scale",
      q({ dtype: "uint8", min: 0 }),
      eight,
      "quantization.scale: expected a finite number, got undefined",
    ],
    [
      "an endless min",
      q({ dtype: "uint8", min: Infinity, scale: 1 }),
      eight,
      "quantization.min: expected a f",
    ],
    [
      "quantised flags",
      q({ dtype: "uint8", min: 0, scale: 1 }, "bool"),
      eight,
      'quantization of dtype bool: expected float32 or int32, got "bool"',
    ],
    [
      "another type before it was quantised",
      q({ dtype: "uint8", min: 0, scale: 1, original_dtype: "int32" }),
      eight,
      'quantization of dtype float32: expected float32 or int32, got "int32"',
    ],
    [
      "integers as float16",
      q({ dtype: "float16" }, "int32"),
      eight,
      'to float16: expected "float32", got "i',
    ],
    [
      "integers beyond 32 bits",
      q({ dtype: "uint8", min: 2 ** 31, scale: 1 }, "int32"),
      new Uint8Array(2),
      'weight "w": 2147483648 is no int32',
    ],
    ["a missing file", [group([weight()], ["a", "b"])], { a: eight }, 'missing of 2 files: "b"'],
    ["an inherited file", [group([weight()], ["toString"])], {}, 'missing of 1 files: "toString"'],
    ["bytes that are too few", one({}), { a: new Uint8Array(7) }, "expected 8 bytes at 0, got 7"],
    ["bytes that are too many", one({}), { a: new Uint8Array(9) }, '"a": 1 of 9 bytes belong to no weight'],
    ["too many in one buffer", one({}), new Uint8Array(9), "weights: 1 of 9 bytes belong to no weight"],
    [
      "a weight in the next group's bytes",
      [group([weight()], ["a"]), group([weight({ name: "v" })], ["b"])],
      { a: new Uint8Array(4), b: new Uint8Array(12) },
      'weight "w": expected 8 bytes at 0, got 4',
    ],
    ["weights without files", [group([weight()], [])], {}, 'weight "w": expected 8 bytes at 0, got 0'],
    [
      "text beyond its file",
      one({ dtype: "string" }),
      eight.fill(9),
      'weight "w": expected 151587081 bytes at 4',
    ],
    [
      "nothing but text",
      one({ dtype: "string", shape: [0] }),
      { a: new Uint8Array(0) },
      'tensor "w": it is text',
    ],
    [
      "ml5: an entry that is none",
      { w: 7 },
      eight,
      'weight "w": expected an object with filename and shape, got 7',
    ],
    [
      "ml5: no filename",
      { w: { shape: [2] } },
      eight,
      'weight "w": filename: expected a string, got undefined',
    ],
    [
      "ml5: a file twice",
      { w: { filename: "f", shape: [1] }, v: { filename: "f", shape: [1] } },
      eight,
      'file "f" occurs twice',
    ],
    [
      "ml5: another size",
      { w: { filename: "f", shape: [3] } },
      { f: eight },
      "expected 12 bytes at 0, got 8",
    ],
    [
      "a model.json",
      { modelTopology: {}, weightsManifest: [] },
      eight,
      "got a TensorFlow.js model.json; expected",
    ],
  ])("refuses %s", (_, manifest, weights, message) => {
    let error: unknown;
    try {
      readManifest(manifest as never, weights as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(/^tensorflow: /);
    expect((error as Error).message).toContain(message);
  });

  it.each<[string, unknown, unknown, string]>([
    ["text", "[]", eight, "manifest: expected the array of a weights_manifest.json or the object of ml5's"],
    ["bytes", eight, eight, "manifest: expected the array of a weights_manifest.json"],
    ["nothing", undefined, eight, "manifest: expected the array of a weights_manifest.json"],
    ["no weights", one({}), undefined, "weights: expected a Uint8Array or ArrayBuffer, or an object of them"],
    [
      "floats as weights",
      one({}),
      new Float32Array(2),
      "weights: expected a Uint8Array or ArrayBuffer, or an",
    ],
    [
      "a file that is text",
      one({}),
      { a: "text" },
      'weights["a"]: expected a Uint8Array or ArrayBuffer, got "text"',
    ],
  ])("takes no %s", (_, manifest, weights, message) => {
    const call = () => readManifest(manifest as never, weights as never);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });

  it("reads a changed manifest, or refuses it by name", () => {
    const manifest = (): unknown => [
      group(
        [weight({ name: "a" }), weight({ name: "b", quantization: { dtype: "uint8", min: 0, scale: 1 } })],
        ["x", "y"],
      ),
      group(
        [weight({ name: "c", shape: [1, 2], dtype: "int32" }), weight({ name: "d", dtype: "string" })],
        ["z"],
      ),
    ];
    const files = { x: new Uint8Array(4), y: new Uint8Array(6), z: new Uint8Array(16) };
    expect(readManifest(manifest() as never, files).size).toBe(3);
    const odd = [
      null,
      undefined,
      -1,
      0,
      1,
      3,
      2 ** 53,
      0.5,
      NaN,
      "",
      "x",
      "uint16",
      "float16",
      [],
      [[]],
      {},
      [2],
      true,
    ];
    let read = 0;
    const check = (picks: number[], value: unknown, isOne: boolean) => {
      const changed = manifest();
      let [owner, key, node]: [unknown, string, unknown] = [undefined, "", changed];
      for (const pick of picks) {
        const keys = typeof node === "object" && node !== null ? Object.keys(node) : [];
        if (keys.length === 0) break;
        [owner, key] = [node, keys[pick % keys.length]!];
        node = (node as Record<string, unknown>)[key];
      }
      (owner as Record<string, unknown>)[key] = value;
      try {
        expect(readManifest(changed as never, isOne ? new Uint8Array(26) : files)).toBeInstanceOf(Map);
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        expect((error as Error).message).toMatch(/^tensorflow: ./);
      }
    };
    const picks = fc.array(fc.nat(9), { minLength: 1, maxLength: 7 });
    fc.assert(fc.property(picks, fc.constantFrom(...odd), fc.boolean(), check), { numRuns: 2000 });
    expect(read).toBeGreaterThan(10);
  });

  it("asks a getter once", () => {
    let asked = 0;
    const spec = {
      ...weight(),
      get shape() {
        return asked++ === 0 ? [2] : [2 ** 30];
      },
    };
    expect(readManifest([group([spec])], floats(1, 2)).get("w")!.shape).toEqual([2]);
    expect(asked).toBe(1);
  });
});
