/** Convolutions beside the host's, over what their attributes can be and over both ways of computing them. */
import { expect, it } from "vitest";
import type { HostTensor } from "../../../src/graph/ir.js";
import { compileConv } from "../../../src/models/kernels/conv.js";
import { checkKernels, integers, type KernelCase, random, runKernels } from "./harness.js";

const TOLERANCE = { relative: 1e-5, absolute: 1e-4 };

/** Weights of a size that keeps sums near 1. */
function weightsOf(shape: readonly number[], seed: number): HostTensor {
  const weights = random(shape, seed);
  const taps = Math.max(
    1,
    shape.slice(1).reduce((product, size) => product * size, 1),
  );
  return { ...weights, data: weights.data.map((x) => x / Math.sqrt(taps)) as Float32Array };
}

function caseOf(
  input: readonly number[],
  weights: readonly number[],
  attributes = {},
  bias = true,
): KernelCase {
  const inputs = [random(input, 1), weightsOf(weights, 2), bias ? random([weights[0]!], 3) : undefined];
  return { operator: "Conv", attributes, inputs, constants: [1, 2] };
}

const check = (kernelCase: KernelCase) => checkKernels(kernelCase, compileConv, TOLERANCE);

it("computes 60 convolutions with random attributes", () => {
  const next = integers(7);
  for (let made = 0; made < 60; made++) {
    const rank = 1 + next(2);
    const each = (make: () => number) => Array.from({ length: rank }, make);
    const group = 1 + next(3);
    const channels = group * (1 + next(4));
    const units = group * (1 + next(14));
    const kernel = each(() => 1 + next(4));
    const dilations = each(() => 1 + next(3));
    const pads = Array.from({ length: 2 * rank }, () => next(4));
    const least = kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1);
    const sizes = least.map((size) => size + next(rank === 1 ? 90 : 12));
    const attributes = { group, dilations, pads, strides: each(() => 1 + next(3)) };
    check(
      caseOf(
        [1 + next(3), channels, ...sizes],
        [units, channels / group, ...kernel],
        attributes,
        next(2) > 0,
      ),
    );
  }
});

it("computes what real models have: STFT, encoder, pointwise, depthwise, long sums, a learned filter bank", () => {
  check(caseOf([1, 1, 640], [258, 1, 256], { strides: [128] }, false));
  check(caseOf([1, 129, 4], [128, 129, 3], { pads: [1, 1] }));
  check(caseOf([30, 128, 4], [64, 128, 3], { pads: [1, 1], strides: [2] }));
  check(caseOf([1, 512, 1], [256, 512, 1]));
  check(caseOf([1, 16, 3, 33], [16, 1, 3, 3], { group: 16, pads: [0, 1, 0, 1] }));
  check(caseOf([1, 258, 4], [258, 1, 5], { group: 258, pads: [2, 2] }));
  check(caseOf([1, 96, 4, 26], [70, 96, 3, 3], { pads: [1, 1, 1, 1] }));
  check(caseOf([1, 1, 2000], [80, 1, 251], { strides: [10] }));
});

/** Filters of which half are the same from both ends, but for tap 0, and half change their sign. */
function mirrored(units: number, taps: number): HostTensor {
  const weights = weightsOf([units, 1, taps], 5);
  const { data } = weights;
  for (let unit = 0; unit < units; unit++) {
    for (let near = 1; near < taps - near; near++) {
      const far = data[unit * taps + taps - near]!;
      data[unit * taps + near] = unit < units / 2 ? far : -far;
    }
  }
  return weights;
}

it("multiplies sums and differences by filters that are mirrored", () => {
  const caseAt = (input: readonly number[], weights: HostTensor, attributes: object, bias = false) => ({
    ...caseOf(input, weights.shape, { ...attributes }, bias),
    inputs: [random(input, 1), weights, bias ? random([weights.shape[0]!], 3) : undefined],
  });
  const scratchOf = (kernelCase: KernelCase) => {
    let bytes: number | undefined;
    runKernels(kernelCase, (node) => {
      const compiled = compileConv(node);
      bytes = compiled?.scratchBytes;
      return compiled;
    });
    return bytes;
  };
  const activation = { name: "Relu", alpha: 0, beta: 0 };
  for (const kernelCase of [
    caseAt([1, 1, 1728], mirrored(258, 256), { strides: [64] }),
    caseAt([3, 1, 300], mirrored(30, 32), { strides: [3], pads: [16, 5] }, true),
    caseAt([2, 1, 40], mirrored(6, 16), { dilations: [2] }),
    caseAt([1, 1, 1, 50], { ...mirrored(8, 20), shape: [8, 1, 1, 20] }, { strides: [1, 2] }, true),
    { ...caseAt([1, 1, 90], mirrored(14, 18), { strides: [5] }), activation },
  ]) {
    check(kernelCase);
    const [input, weights, bias] = kernelCase.inputs as [HostTensor, HostTensor, HostTensor?];
    const others = { ...kernelCase, inputs: [input, weightsOf(weights.shape, 6), bias] };
    expect(scratchOf(kernelCase)).not.toBe(scratchOf(others));
  }
  for (const weights of [mirrored(14, 14), mirrored(15, 16), weightsOf([14, 1, 17], 7)]) {
    check(caseAt([1, 1, 90], weights, {}));
  }
  check(caseAt([1, 1, 20], mirrored(6, 18), {}));
});

it("computes paddings by auto_pad", () => {
  for (const auto_pad of ["SAME_UPPER", "SAME_LOWER", "VALID"]) {
    check(caseOf([2, 3, 9, 12], [10, 3, 4, 2], { auto_pad, strides: [2, 3] }));
  }
});

it("ends with an activation", () => {
  for (const name of ["Relu", "Sigmoid", "LeakyRelu"]) {
    const activation = { name, alpha: 0.1, beta: 0 };
    check({ ...caseOf([2, 5, 9, 10], [7, 5, 3, 3]), activation });
    check({ ...caseOf([2, 40, 3], [20, 40, 3], { pads: [1, 1] }), activation });
  }
});

it("computes nothing of an empty batch", () => {
  check(caseOf([0, 3, 9], [4, 3, 2]));
});

it("computes a stride that is longer than the input", () => {
  check(caseOf([1, 3, 9, 20], [4, 3, 2, 3], { strides: [2 ** 30, 2] }));
});

it("leaves padding without end to the host", () => {
  const kernelCase = caseOf([1, 3, 9], [4, 3, 2], { pads: [2 ** 30, 2 ** 30], strides: [2 ** 29] });
  expect(runKernels(kernelCase, compileConv)).toBeUndefined();
});

it("leaves weights that are not constant, and floats of 16 bits, to the host", () => {
  const kernelCase = caseOf([1, 3, 9], [4, 3, 2]);
  expect(runKernels({ ...kernelCase, constants: [] }, compileConv)).toBeUndefined();
  expect(runKernels({ ...kernelCase, constants: [1] }, compileConv)).toBeUndefined();
  const narrow = kernelCase.inputs.map((input) => input && { ...input, dtype: "float16" as const });
  expect(runKernels({ ...kernelCase, inputs: narrow }, compileConv)).toBeUndefined();
});
