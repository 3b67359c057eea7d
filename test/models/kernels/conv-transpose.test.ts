/** Transposed convolutions beside the host's, over what their attributes can be. */
import { expect, it } from "vitest";
import { compileConvTranspose } from "../../../src/models/kernels/conv-transpose.js";
import { callsOf, checkKernels, integers, type KernelCase, random, runKernels } from "./harness.js";

const TOLERANCE = { relative: 1e-5, absolute: 1e-4 };

function caseOf(
  input: readonly number[],
  weights: readonly number[],
  attributes = {},
  bias = true,
): KernelCase {
  const group = (attributes as { group?: number }).group ?? 1;
  const inputs = [random(input, 1), random(weights, 2), bias ? random([weights[1]! * group], 3) : undefined];
  return { operator: "ConvTranspose", attributes, inputs, constants: [1, 2] };
}

const check = (kernelCase: KernelCase) => checkKernels(kernelCase, compileConvTranspose, TOLERANCE);

it("computes 60 transposed convolutions with random attributes", () => {
  const next = integers(3);
  for (let made = 0; made < 60; made++) {
    const rank = 1 + next(2);
    const each = (make: () => number) => Array.from({ length: rank }, make);
    const group = 1 + next(3);
    const channels = group * (1 + next(4));
    const kernel = each(() => 1 + next(5));
    const strides = each(() => 1 + next(3));
    const attributes = {
      group,
      strides,
      dilations: each(() => 1 + next(3)),
      pads: Array.from({ length: 2 * rank }, () => next(3)),
      output_padding: strides.map((stride) => next(stride)),
    };
    const sizes = each(() => 3 + next(rank === 1 ? 60 : 9));
    const kernelCase = caseOf(
      [1 + next(2), channels, ...sizes],
      [channels, 1 + next(9), ...kernel],
      attributes,
      next(2) > 0,
    );
    try {
      callsOf(kernelCase);
    } catch {
      continue; // Paddings that leave nothing.
    }
    check(kernelCase);
  }
});

it("computes sizes by output_shape and auto_pad", () => {
  check(caseOf([1, 2, 3, 4], [2, 3, 3, 3], { strides: [3, 2], output_shape: [10, 8] }));
  for (const auto_pad of ["SAME_UPPER", "SAME_LOWER"]) {
    check(caseOf([1, 2, 3, 4], [2, 3, 3, 3], { strides: [2, 2], auto_pad }));
  }
});

it("computes outputs that no tap reaches, and ends with an activation", () => {
  check(caseOf([1, 2, 9], [2, 5, 2], { strides: [4], output_padding: [1] }));
  check({
    ...caseOf([1, 16, 3, 33], [16, 8, 3, 5], { group: 2, strides: [1, 2] }),
    activation: { name: "Tanh", alpha: 0, beta: 0 },
  });
});

it("computes strides longer than the output, and leaves very many remainders to the host", () => {
  check(caseOf([1, 2, 1], [2, 5, 7], { strides: [2 ** 30] }));
  const many = caseOf([1, 1, 3, 3], [1, 1, 2, 2], { strides: [40, 40] });
  expect(runKernels(many, compileConvTranspose)).toBeUndefined();
});

it("leaves weights that are not constant to the host", () => {
  const kernelCase = caseOf([1, 3, 9], [3, 2, 2]);
  expect(runKernels({ ...kernelCase, constants: [] }, compileConvTranspose)).toBeUndefined();
});
