/** Functions of one number beside the host's, over all of float32 and over every length of a tail. */
import { expect, it } from "vitest";
import { applyActivation, compileUnary, isActivation } from "../../../src/models/kernels/unary.js";
import { currentRuntime } from "../../../src/wasm/current.js";
import { checkKernels, onHost, random, runKernels, tensor } from "./harness.js";

const NAMES = ["Relu", "Sigmoid", "Tanh", "Exp", "Log", "Neg", "Abs", "Sqrt", "Erf", "Reciprocal"];
const ROUNDING = ["Floor", "Ceil", "Round"];

const EDGES = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-40, -1e-40, 1e-30, 3e38, -3e38];
const LIMITS = [Infinity, -Infinity, NaN, 88, 88.3, 88.5, 88.7, 88.8, -87, -88, -100, 1e7, 8388607.5];

/** Numbers of every size and sign, densely around 1. */
function spread(): number[] {
  const numbers = [...EDGES, ...LIMITS];
  for (let power = -44; power < 38; power += 0.173) numbers.push(10 ** power, -(10 ** power));
  for (let at = -2000; at <= 2000; at++) numbers.push(at * 0.0071, 1 + at * 1e-4);
  return numbers;
}

it.each([...NAMES, ...ROUNDING])("computes %s over all of float32", (operator) => {
  const input = tensor(spread());
  checkKernels({ operator, inputs: [input] }, compileUnary, { relative: 1e-6, absolute: 1e-37 });
});

it.each([...NAMES, ...ROUNDING])("computes %s of 0 to 9 numbers", (operator) => {
  for (let count = 0; count < 10; count++)
    checkKernels({ operator, inputs: [random([count], count)] }, compileUnary);
});

it("computes Gelu in both forms", () => {
  const input = tensor([...spread().filter((x) => Math.abs(x) < 20), Infinity, NaN]);
  for (const approximate of ["none", "tanh"]) {
    checkKernels({ operator: "Gelu", attributes: { approximate }, inputs: [input] }, compileUnary);
  }
});

it("computes LeakyRelu of any slope", () => {
  for (const alpha of [0.2, -1.5, 0]) {
    checkKernels({ operator: "LeakyRelu", attributes: { alpha }, inputs: [random([3, 7], 4)] }, compileUnary);
  }
  checkKernels({ operator: "LeakyRelu", inputs: [random([3, 7], 5)] }, compileUnary);
});

it("computes Clip by inputs and by attributes, and leaves bounds that are not known to the host", () => {
  const x = tensor([-3, -1, NaN, 0, 1, 2, Infinity]);
  const [low, high] = [tensor([-1], []), tensor([1.5], [])];
  const constants = [1, 2];
  checkKernels({ operator: "Clip", inputs: [x, low, high], constants }, compileUnary);
  checkKernels({ operator: "Clip", inputs: [x, undefined, high], constants }, compileUnary);
  checkKernels({ operator: "Clip", inputs: [x, high, low], constants }, compileUnary);
  checkKernels({ operator: "Clip", inputs: [x] }, compileUnary);
  checkKernels({ operator: "Clip", attributes: { min: 0, max: 6 }, inputs: [x], opset: 6 }, compileUnary);
  expect(runKernels({ operator: "Clip", inputs: [x, low] }, compileUnary)).toBeUndefined();
});

it("applies an activation after it", () => {
  const activation = { name: "LeakyRelu", alpha: 0.3, beta: 0 };
  checkKernels({ operator: "Neg", inputs: [random([13], 6)], activation }, compileUnary);
  const unknown = { name: "Hardmax", alpha: 0, beta: 0 };
  expect(
    runKernels({ operator: "Neg", inputs: [random([13], 6)], activation: unknown }, compileUnary),
  ).toBeUndefined();
});

it("leaves other types to the host", () => {
  for (const dtype of ["int64", "float16"] as const) {
    expect(runKernels({ operator: "Neg", inputs: [random([3], 1, dtype)] }, compileUnary)).toBeUndefined();
  }
});

it("applies activations in place for other kernels", () => {
  const runtime = currentRuntime();
  const block = runtime.allocate(28);
  const input = random([7], 8);
  runtime.write(block, 0, input.data as Float32Array);
  const activation = { name: "Sigmoid", alpha: 0, beta: 0 };
  applyActivation({ runtime, activation }, block.pointer, 6)!();
  const expected = onHost({ operator: "Sigmoid", inputs: [input] })[0]!.data;
  const result = runtime.read(block, 0, 7, "test");
  for (let at = 0; at < 6; at++) expect(result[at]).toBeCloseTo(expected[at]!, 6);
  expect(result[6]).toBe(input.data[6]);
  runtime.free(block);
  expect(applyActivation({ runtime, activation: undefined }, 0, 1)).toBeUndefined();
  expect(isActivation("Relu")).toBe(true);
  expect(isActivation("Hardmax")).toBe(false);
  const wrong = { name: "Hardmax", alpha: 0, beta: 0 };
  expect(() => applyActivation({ runtime, activation: wrong }, 0, 1)).toThrow("Hardmax");
});
