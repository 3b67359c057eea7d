/** Pools beside the host's, over what their attributes can be. */
import { expect, it } from "vitest";
import { compileGlobalPool, compilePool } from "../../../src/models/kernels/pool.js";
import { callsOf, checkKernels, integers, type KernelCase, random, runKernels, tensor } from "./harness.js";

const NAMES = ["MaxPool", "AveragePool"];

it.each(NAMES)("computes 60 of %s with random attributes", (operator) => {
  const next = integers(11);
  let made = 0;
  while (made < 60) {
    const rank = 1 + next(2);
    const each = (make: () => number) => Array.from({ length: rank }, make);
    const kernel_shape = each(() => 1 + next(4));
    const attributes: Record<string, number | number[]> = {
      kernel_shape,
      strides: each(() => 1 + next(3)),
      dilations: each(() => 1 + next(2)),
      pads: Array.from({ length: 2 * rank }, (_, at) => next(kernel_shape[at % rank]!)),
      ceil_mode: next(2),
    };
    if (operator === "AveragePool") attributes.count_include_pad = next(2);
    const sizes = each(() => 2 + next(rank === 1 ? 60 : 14));
    const kernelCase: KernelCase = {
      operator,
      attributes,
      inputs: [random([2, 1 + next(3), ...sizes], made)],
    };
    try {
      callsOf(kernelCase);
    } catch {
      continue; // A kernel that reaches further than its input.
    }
    checkKernels(kernelCase, compilePool);
    made++;
  }
});

it.each(NAMES)("computes %s by auto_pad, and ends with an activation", (operator) => {
  for (const auto_pad of ["SAME_UPPER", "SAME_LOWER", "VALID"]) {
    const attributes = { kernel_shape: [3, 2], strides: [2, 2], auto_pad };
    checkKernels({ operator, attributes, inputs: [random([1, 3, 8, 25], 4)] }, compilePool);
  }
  const activation = { name: "Relu", alpha: 0, beta: 0 };
  checkKernels(
    { operator, attributes: { kernel_shape: [2] }, inputs: [random([2, 3, 9], 5)], activation },
    compilePool,
  );
});

it("keeps NaN and infinities as the host does", () => {
  const x = tensor([1, Number.NaN, 3, -Infinity, -Infinity, -Infinity, Infinity, 2], [1, 1, 8]);
  const attributes = { kernel_shape: [3], strides: [1] };
  for (const operator of NAMES) checkKernels({ operator, attributes, inputs: [x] }, compilePool);
});

it("computes nothing of an empty batch, and leaves integers and endless padding to the host", () => {
  const attributes = { kernel_shape: [2] };
  checkKernels({ operator: "MaxPool", attributes, inputs: [random([0, 2, 5], 1)] }, compilePool);
  const integer = { operator: "MaxPool", attributes, inputs: [random([1, 2, 5], 1, "int8")] };
  expect(runKernels(integer, compilePool)).toBeUndefined();
  const wide = { kernel_shape: [2], pads: [2 ** 30, 2 ** 30], strides: [2 ** 29] };
  const padded = { operator: "MaxPool", attributes: wide, inputs: [random([1, 2, 5], 1)] };
  expect(runKernels(padded, compilePool)).toBeUndefined();
});

it("computes GlobalAveragePool over one, two and three axes", () => {
  for (const shape of [
    [2, 3, 17],
    [1, 5, 7, 9],
    [2, 2, 3, 4, 5],
    [2, 3],
  ]) {
    checkKernels({ operator: "GlobalAveragePool", inputs: [random(shape, 6)] }, compileGlobalPool);
  }
});
