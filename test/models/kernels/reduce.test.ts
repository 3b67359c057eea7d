/** Reductions beside the host's: any axes of any rank, rows and columns of any length, what no number is. */
import { expect, it } from "vitest";
import { compileArgExtreme, compileCumSum, compileReduce } from "../../../src/models/kernels/reduce.js";
import { compileSoftmax } from "../../../src/models/kernels/softmax.js";
import { checkKernels, integers, random, runKernels, tensor } from "./harness.js";

const REDUCTIONS = ["ReduceSum", "ReduceMean", "ReduceL2", "ReduceMax", "ReduceMin"];
const ODD = [0, -0, 1, -1, Infinity, -Infinity, NaN];

it.each(REDUCTIONS)("computes %s along any axes", (operator) => {
  const next = integers(3);
  for (let time = 0; time < 40; time++) {
    const shape = Array.from({ length: 1 + next(5) }, () => 1 + next(6));
    const axes = shape.map((_, axis) => axis).filter(() => next(2) === 0);
    const input = random(shape, time);
    const attributes = { keepdims: next(2) };
    const inputs = [input, tensor(axes, [axes.length], "int64")];
    checkKernels({ operator, attributes, inputs }, compileReduce);
    checkKernels(
      { operator, attributes: { axes: [shape.length - 1] }, inputs: [input], opset: 11 },
      compileReduce,
    );
  }
  checkKernels(
    { operator, attributes: { noop_with_empty_axes: 1 }, inputs: [random([3, 5], 1)] },
    compileReduce,
  );
});

it.each(REDUCTIONS)("computes %s of rows and columns of any length, and what no number is", (operator) => {
  for (let count = 1; count < 20; count++) {
    checkKernels(
      { operator, attributes: { axes: [1] }, inputs: [random([2, count], count)], opset: 11 },
      compileReduce,
    );
    checkKernels(
      { operator, attributes: { axes: [0] }, inputs: [random([3, count], count)], opset: 11 },
      compileReduce,
    );
  }
  const odd = tensor(
    ODD.flatMap((x) => [x, 1, 2, 3, 4]),
    [7, 5],
  );
  for (const axes of [[0], [1]])
    checkKernels({ operator, attributes: { axes }, inputs: [odd], opset: 11 }, compileReduce);
  for (const shape of [[0], [0, 3], [3, 0]]) {
    checkKernels(
      { operator, attributes: { axes: [0] }, inputs: [random(shape, 1)], opset: 11 },
      compileReduce,
    );
  }
});

it("adds many numbers up within the last digits", () => {
  const inputs = [random([100_001], 4)];
  for (const operator of ["ReduceSum", "ReduceL2"]) {
    checkKernels({ operator, inputs, offset: 1 }, compileReduce, { relative: 1e-7, absolute: 1e-7 });
  }
});

it("leaves other types to the host", () => {
  const inputs = [random([2, 3], 1, "int32")];
  const means = { operator: "ReduceMean", inputs };
  expect(runKernels(means, compileReduce)).toBeUndefined();
  expect(runKernels({ operator: "ArgMax", inputs }, compileArgExtreme)).toBeUndefined();
});

it.each(["ArgMax", "ArgMin"])("finds %s, of equal ones the first or the last", (operator) => {
  for (const [at, shape] of [[7], [3, 4], [2, 3, 5], [1, 1]].entries()) {
    for (let axis = 0; axis < shape.length; axis++) {
      for (const select_last_index of [0, 1]) {
        const input = random(shape, at);
        for (let index = 0; index < input.data.length; index++)
          input.data[index] = Math.round(input.data[index]!);
        const attributes = { axis, select_last_index, keepdims: at % 2 };
        checkKernels({ operator, attributes, inputs: [input] }, compileArgExtreme);
      }
    }
  }
  for (const numbers of [ODD, [...ODD].reverse(), [-Infinity, -Infinity]]) {
    checkKernels({ operator, inputs: [tensor(numbers)] }, compileArgExtreme);
  }
});

it("adds up along an axis from either end", () => {
  for (let flags = 0; flags < 4; flags++) {
    for (let axis = -1; axis < 3; axis++) {
      const attributes = { exclusive: flags & 1, reverse: flags >> 1 };
      const inputs = [random([2, 5, 3], flags), tensor([axis], [], "int64")];
      checkKernels({ operator: "CumSum", attributes, inputs, constants: [1] }, compileCumSum);
    }
  }
  const empty = [random([0, 3], 1), tensor([0], [], "int64")];
  checkKernels({ operator: "CumSum", inputs: empty, constants: [1] }, compileCumSum);
  expect(runKernels({ operator: "CumSum", inputs: empty }, compileCumSum)).toBeUndefined();
});

it.each(["Softmax", "LogSoftmax"])("computes %s along any axis", (operator) => {
  const shapes = [[7], [2, 3, 5], [3, 1, 9], [4, 33], [1, 1], [0, 3], [3, 0]];
  for (const [at, shape] of shapes.entries()) {
    for (let axis = 0; axis < shape.length; axis++) {
      for (const opset of [11, 21]) {
        checkKernels({ operator, attributes: { axis }, inputs: [random(shape, at)], opset }, compileSoftmax);
      }
    }
  }
  for (let count = 1; count < 10; count++) {
    checkKernels({ operator, inputs: [random([2, count], count)] }, compileSoftmax);
    checkKernels({ operator, attributes: { axis: 0 }, inputs: [random([3, count], count)] }, compileSoftmax);
  }
  const odd = tensor(
    ODD.flatMap((x) => [x, 1, 2, -200, 100]),
    [7, 5],
  );
  for (const axis of [0, 1]) checkKernels({ operator, attributes: { axis }, inputs: [odd] }, compileSoftmax);
  const nothing = tensor(new Array<number>(6).fill(-Infinity));
  checkKernels({ operator, inputs: [nothing] }, compileSoftmax);
  checkKernels({ operator, inputs: [random([6000], 3)], offset: 1 }, compileSoftmax);
});
