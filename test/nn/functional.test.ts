import { describe, expect, it } from "vitest";
import { logSoftmax, relu, sigmoid, softmax, Tensor, tanh } from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/runtime.js";
import { expectClose, goldenCases } from "../support/golden.js";

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
