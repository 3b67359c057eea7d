/** Normalisations beside the host's: parts of any length, far from zero, with and without a bias. */
import { expect, it } from "vitest";
import type { HostTensor } from "../../../src/graph/ir.js";
import {
  compileBatchNormalization,
  compileGroupNormalization,
  compileInstanceNormalization,
  compileLayerNormalization,
} from "../../../src/models/kernels/normalise.js";
import { checkKernels, random, runKernels, tensor } from "./harness.js";

const SHAPES = [
  [1, 4, 9],
  [2, 4, 3, 5],
  [3, 4],
  [1, 4, 1, 1],
  [2, 4, 64],
  [0, 4, 3],
  [2, 4, 0],
];

/** Numbers far from zero, by themselves and apart. */
function shifted(shape: readonly number[], seed: number): HostTensor {
  const input = random(shape, seed);
  for (let at = 0; at < input.data.length; at++) input.data[at]! += 300;
  return input;
}

const positive = (count: number, seed: number): HostTensor =>
  tensor(Array.from(random([count], seed).data, (x) => x * x + 0.1));

it("normalises channels by means and variances that are given", () => {
  for (const [at, shape] of SHAPES.entries()) {
    const inputs = [random(shape, at), random([4], 1), random([4], 2), random([4], 3), positive(4, 4)];
    checkKernels({ operator: "BatchNormalization", inputs }, compileBatchNormalization);
    const attributes = { epsilon: 0.1 };
    const activation = { name: "Relu", alpha: 0, beta: 0 };
    checkKernels(
      { operator: "BatchNormalization", attributes, inputs, activation },
      compileBatchNormalization,
    );
  }
});

it("normalises each channel", () => {
  for (const [at, shape] of SHAPES.entries()) {
    for (const input of [random(shape, at), shifted(shape, at)]) {
      const inputs = [input, random([4], 1), random([4], 2)];
      checkKernels({ operator: "InstanceNormalization", inputs }, compileInstanceNormalization);
    }
  }
});

it("normalises groups of channels, with a scale for each channel or group", () => {
  for (const [at, shape] of SHAPES.entries()) {
    for (const num_groups of [1, 2, 4]) {
      const attributes = { num_groups };
      const inputs = (scales: number) => [shifted(shape, at), random([scales], 1), random([scales], 2)];
      const operator = "GroupNormalization";
      checkKernels({ operator, attributes, inputs: inputs(4) }, compileGroupNormalization);
      checkKernels(
        { operator, attributes, inputs: inputs(num_groups), opset: 18 },
        compileGroupNormalization,
      );
    }
  }
});

it("normalises rows of any length", () => {
  const operator = "LayerNormalization";
  for (let count = 1; count < 20; count++) {
    const [scale, bias] = [random([count], 1), random([count], 2)];
    checkKernels({ operator, inputs: [shifted([3, count], count), scale, bias] }, compileLayerNormalization);
    checkKernels({ operator, inputs: [random([2, 1, count], count), scale] }, compileLayerNormalization);
  }
  const inputs = [random([2, 3, 5, 7], 1), random([1, 1, 5, 7], 2), random([5, 7], 3)];
  checkKernels({ operator, attributes: { axis: 2, epsilon: 1e-3 }, inputs }, compileLayerNormalization);
  checkKernels({ operator, inputs: [random([0, 3], 1), random([3], 2)] }, compileLayerNormalization);
});

it("leaves other forms to the host", () => {
  const operator = "LayerNormalization";
  const input = random([2, 3], 1);
  expect(
    runKernels({ operator, inputs: [input, random([1], 1)] }, compileLayerNormalization),
  ).toBeUndefined();
  expect(
    runKernels({ operator, inputs: [input, random([3], 1)], outputs: 3 }, compileLayerNormalization),
  ).toBeUndefined();
  const half = [random([2, 3], 1, "float16"), random([3], 1, "float16")];
  expect(runKernels({ operator, inputs: half }, compileLayerNormalization)).toBeUndefined();
});
