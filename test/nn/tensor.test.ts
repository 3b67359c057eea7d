import { describe, expect, it } from "vitest";
import type { TensorData, TensorDtype } from "../../src/tensor/like.js";
import type { NestedNumbers } from "../../src/tensor/nested.js";
import { Tensor } from "../../src/tensor/tensor.js";

function holdingItself(): NestedNumbers {
  const array: NestedNumbers[] = [];
  array.push(array);
  return array;
}

describe("Tensor", () => {
  it("keeps the shape of nested arrays", () => {
    const tensor = Tensor.from([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(tensor.shape).toEqual([2, 3]);
    expect(tensor.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(Tensor.from(7).shape).toEqual([]);
    expect(Tensor.from(7).toArray()).toBe(7);
    expect(Tensor.from([[], []]).shape).toEqual([2, 0]);
    expect(Tensor.from([[], []]).toArray()).toEqual([[], []]);
    expect(Tensor.from([]).shape).toEqual([0]);
    expect(Tensor.from([Number.NaN, Infinity, -0]).toArray()).toEqual([Number.NaN, Infinity, -0]);
  });

  it("copies what it is made from", () => {
    const data = new Float32Array([1, 2]);
    const tensor = Tensor.from({ data, dims: [2] });
    data[0] = 9;
    expect(tensor.toArray()).toEqual([1, 2]);
  });

  it.each<[TensorDtype, TensorData]>([
    ["float32", Float32Array.of(1)],
    ["int64", BigInt64Array.of(1n)],
    ["int32", Int32Array.of(1)],
    ["int16", Int16Array.of(1)],
    ["int8", Int8Array.of(1)],
    ["uint64", BigUint64Array.of(1n)],
    ["uint32", Uint32Array.of(1)],
    ["uint16", Uint16Array.of(1)],
    ["uint8", Uint8Array.of(1)],
  ])("reads the dtype %s off its data, and takes no other", (dtype, data) => {
    expect(new Tensor(data, [1]).dtype).toBe(dtype);
    expect(new Tensor(data, [1], {}).dtype).toBe(dtype);
    expect(new Tensor(data, [1], { dtype })).toEqual(new Tensor(data, [1]));
    const other = dtype === "float32" ? "int32" : "float32";
    expect(() => new Tensor(data, [1], { dtype: other })).toThrow(RangeError);
    expect(() => new Tensor(data, [1], { dtype: other })).toThrow(`dtype: expected "${dtype}"`);
    if (dtype !== "uint8") expect(() => new Tensor(data, [1], { dtype: "bool" })).toThrow('got "bool"');
  });

  it("has the dtype bool where a Uint8Array is told so", () => {
    const mask = new Tensor(Uint8Array.of(1, 0), [2], { dtype: "bool" });
    expect(mask.dtype).toBe("bool");
    expect(mask.toArray()).toEqual([1, 0]);
    expect(mask).not.toEqual(new Tensor(Uint8Array.of(1, 0), [2]));
    expect(() => Object.assign(mask, { dtype: "uint8" })).toThrow(TypeError);
    expect(() => Object.assign(Tensor.zeros([1]), { dtype: "int8" })).toThrow(TypeError);
  });

  it("draws the same standard normal numbers from the same seed", () => {
    const tensor = Tensor.randn([100, 100], 1);
    expect(Tensor.randn([100, 100], 1).data).toEqual(tensor.data);
    expect(Tensor.randn([100, 100], 2).data).not.toEqual(tensor.data);
    const mean = tensor.data.reduce((sum, x) => sum + x, 0) / 1e4;
    const variance = tensor.data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 1e4;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });

  it.each([
    [
      () => new Tensor(new Float32Array(3), [2, 2]),
      RangeError,
      "data.length: expected 4 for shape [2, 2], got 3",
    ],
    [
      () => new Tensor([1] as never, [1]),
      TypeError,
      "data: expected a Float32Array or an integer typed array, got an array of length 1",
    ],
    [
      () => new Tensor(Int8Array.of(1), [1], { dtype: "float32" }),
      RangeError,
      'dtype: expected "int8" for an Int8Array, got "float32"',
    ],
    [
      () => new Tensor(Uint8Array.of(1), [1], { dtype: "float64" as never }),
      RangeError,
      'dtype: expected "uint8" or "bool" for a Uint8Array, got "float64"',
    ],
    [
      () => new Tensor(Uint8Array.of(1), [1], { dtype: 8 as never }),
      TypeError,
      'dtype: expected "uint8" or "bool" for a Uint8Array, got 8',
    ],
    [
      () => new Tensor(Uint8Array.of(1), [1], { type: "bool" } as never),
      TypeError,
      "options.type: unknown option; known are dtype",
    ],
    [
      () => new Tensor(Uint8Array.of(1), [1], "bool" as never),
      TypeError,
      'options: expected an object of options, got "bool"',
    ],
    [() => Tensor.zeros([2, -1]), RangeError, "shape[1]: expected an integer of at least 0, got -1"],
    [() => Tensor.zeros("2" as never), TypeError, 'shape: expected an array of sizes, got "2"'],
    [
      () => Tensor.zeros([2 ** 20, 2 ** 20]),
      RangeError,
      "shape: expected numbers that fit in memory, got [1048576, 1048576]",
    ],
    [
      () => Tensor.randn([2 ** 40]),
      RangeError,
      "shape: expected numbers that fit in memory, got [1099511627776]",
    ],
    [
      () => Tensor.zeros([2 ** 53]),
      RangeError,
      "shape: expected fewer than 2^53 elements, got [9007199254740992]",
    ],
    [() => Tensor.from(holdingItself()), RangeError, "value: expected at most 64 dimensions, got more"],
    [() => Tensor.from([[[1], [2]], [[3]]]), RangeError, "value[1].length: expected 2, got 1"],
    [() => Tensor.from([[], [1]]), RangeError, "value[1].length: expected 0, got 1"],
    [() => Tensor.from(new Array(2)), TypeError, "value[0]: expected a number, got undefined"],
    [() => Tensor.from(undefined as never), TypeError, "value: expected a number, got undefined"],
    [() => Tensor.from([[1, 2], [3]]), RangeError, "value[1].length: expected 2, got 1"],
    [() => Tensor.from([[1], 2] as never), TypeError, "value[1]: expected an array of length 1, got 2"],
    [() => Tensor.from(["1"] as never), TypeError, 'value[0]: expected a number, got "1"'],
    [() => Tensor.randn([1], 0.5), RangeError, "seed: expected an integer of at least 0, got 0.5"],
  ])("refuses %s", (make, type, message) => {
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });
});
