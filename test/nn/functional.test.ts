import { describe, expect, it } from "vitest";
import {
  elu,
  leakyRelu,
  logSoftmax,
  maxPool1d,
  relu,
  sigmoid,
  softmax,
  Tensor,
  tanh,
} from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { expectClose, goldenCases } from "../support/golden.js";

type Options = { readonly negativeSlope?: number; readonly alpha?: number };

const C = Tensor.zeros([2, 4]);

describe.each([
  ["ReLU", relu],
  ["Sigmoid", sigmoid],
  ["Tanh", tanh],
] as const)("%s", (module, compute) => {
  it.each(goldenCases(module).map((golden) => [golden.name, golden] as const))("%s", (name, golden) => {
    expectClose(name, compute(golden.input), golden.expected.output);
  });

  it("leaves its argument alone and its memory free", () => {
    const { liveBytes } = currentRuntime();
    const input = Tensor.from([[-1, 0, 2]]);
    const output = compute(input);
    expect(output.data).not.toBe(input.data);
    expect(input.toArray()).toEqual([[-1, 0, 2]]);
    expect(currentRuntime().liveBytes).toBe(liveBytes);
  });

  it("takes any { data, shape } and refuses what is no tensor", () => {
    expect(compute({ data: [0, 1], dims: [2] }).shape).toEqual([2]);
    expect(() => compute([1, 2] as never)).toThrow(TypeError);
    expect(() => compute({ data: [1], shape: [2] })).toThrow(
      "input.data.length: expected 2 for shape [2], got 1",
    );
  });
});

describe.each([
  ["LeakyReLU", (input: Tensor, { negativeSlope }: Options) => leakyRelu(input, negativeSlope)],
  ["ELU", (input: Tensor, { alpha }: Options) => elu(input, alpha)],
] as const)("%s", (module, compute) => {
  it.each(goldenCases(module).map((golden) => [golden.name, golden] as const))("%s", (name, golden) => {
    expectClose(name, compute(golden.input, golden.options), golden.expected.output);
  });

  it("leaves its argument alone and its memory free", () => {
    const { liveBytes } = currentRuntime();
    const input = Tensor.from([[-1, 0, 2]]);
    expect(compute(input, {}).data).not.toBe(input.data);
    expect(input.toArray()).toEqual([[-1, 0, 2]]);
    expect(currentRuntime().liveBytes).toBe(liveBytes);
  });

  it("takes any { data, shape }, and a number alone", () => {
    const slope = { negativeSlope: "1", alpha: "1" } as never;
    const name = module === "ELU" ? "alpha" : "negativeSlope";
    expect(compute({ data: [0, 1], dims: [2] } as never, {}).shape).toEqual([2]);
    expect(() => compute([1, 2] as never, {})).toThrow(TypeError);
    expect(() => compute(Tensor.zeros([1]), slope)).toThrow(`${name}: expected a number, got "1"`);
  });
});

it("elu keeps its digits near 0", () => {
  const small = Float32Array.from({ length: 60 }, (_, at) => -(2 ** -(at / 2)));
  elu(new Tensor(small, [60])).data.forEach((got, at) => {
    const truth = Math.expm1(small[at]!);
    expect(Math.abs(got - truth)).toBeLessThan(Math.abs(truth) * 4e-7);
  });
});

it("logSoftmax takes the logarithm of every sum, and gives 0 for a term alone", () => {
  expect(logSoftmax(Tensor.from([3]), 0).data[0]).toBe(0);
  const check = (terms: number[]) => {
    const sum = terms.reduce((total, x) => total + Math.exp(Math.fround(x)), 0);
    const error = Math.abs(logSoftmax(Tensor.from(terms), 0).data[0]! + Math.log(sum));
    expect(error).toBeLessThan(2e-7 * Math.max(1, Math.log(sum)));
  };
  for (let at = 0; at <= 200; at++) check([0, -at / 20]);
  for (let count = 1; count < 5000; count = Math.ceil(count * 1.07)) check(new Array(count).fill(0));
});

describe("maxPool1d", () => {
  it.each(goldenCases("MaxPool1d").map((golden) => [golden.name, golden] as const))("%s", (name, golden) => {
    expectClose(name, maxPool1d(golden.input, golden.options), golden.expected.output);
  });

  it("takes the kernel's size alone, and frees its memory", () => {
    const { liveBytes } = currentRuntime();
    const input = Tensor.from([[1, 5, 2, 7, 0]]);
    expect(maxPool1d(input, 2).toArray()).toEqual([[5, 7]]);
    expect(maxPool1d(input, { kernelSize: 2, stride: 1 }).toArray()).toEqual([[5, 5, 7, 7]]);
    expect(currentRuntime().liveBytes).toBe(liveBytes);
  });

  it.each<[string, () => unknown, string]>([
    [
      "a stride of 0",
      () => maxPool1d(C, { kernelSize: 2, stride: 0 }),
      "stride: expected an integer of at least 1, got 0",
    ],
    ["no size", () => maxPool1d(C, {} as never), "kernelSize: expected a number, got undefined"],
    ["no options", () => maxPool1d(C, undefined as never), "kernelSize: expected a number, got undefined"],
    ["a string", () => maxPool1d(C, "2" as never), 'options: expected an object of options, got "2"'],
    [
      "an unknown option",
      () => maxPool1d(C, { kernelSize: 2, returnIndices: true } as never),
      "options.returnIndices: unknown option; known are kernelSize, stride, padding, dilation, ceilMode",
    ],
    [
      "more padding than half a kernel",
      () => maxPool1d(C, { kernelSize: 3, padding: 2 }),
      "padding: expected at most half of kernelSize 3, got 2",
    ],
    ["a vector", () => maxPool1d(Tensor.zeros([4]), 2), "input.shape: expected (N, C, L) or (C, L), got [4]"],
    [
      "too short an input",
      () => maxPool1d(C, 5),
      "input.shape[1]: expected at least 5 under the kernel, got 4",
    ],
    [
      "an empty one",
      () => maxPool1d(Tensor.zeros([1, 2, 0]), { kernelSize: 2, padding: 1 }),
      "input.shape[2]: expected at least 1 under the kernel, got 0",
    ],
  ])("refuses %s", (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe.each([
  ["Softmax", softmax],
  ["LogSoftmax", logSoftmax],
] as const)("%s", (module, compute) => {
  it.each(goldenCases(module).map((golden) => [golden.name, golden] as const))("%s", (name, golden) => {
    expectClose(name, compute(golden.input, golden.options.dim), golden.expected.output);
  });

  it("gives each softmax the same bits whatever stands beside it", () => {
    const all = Tensor.randn([37, 65], 1);
    const output = compute(all, 1);
    for (const row of [0, 15, 16, 36]) {
      const alone = compute(new Tensor(all.data.slice(row * 65, (row + 1) * 65), [65]), 0);
      expect(alone.data).toEqual(output.data.subarray(row * 65, (row + 1) * 65));
    }
  });

  it("frees its memory", () => {
    const { liveBytes } = currentRuntime();
    compute(Tensor.randn([3, 40]), 0);
    expect(currentRuntime().liveBytes).toBe(liveBytes);
  });

  it("refuses a dimension that is not there", () => {
    const input = Tensor.zeros([2, 3]);
    expect(() => compute(input, 2)).toThrow("dim: expected an integer from -2 to 1, got 2");
    expect(() => compute(input, -3)).toThrow(RangeError);
    expect(() => compute(input, 0.5)).toThrow(RangeError);
    expect(() => compute(input, undefined as never)).toThrow("dim: expected a number, got undefined");
    expect(() => compute(Tensor.zeros([]), 1)).toThrow("dim: expected an integer from -1 to 0, got 1");
  });
});
