/** Functions of two broadcast tensors beside the host's: every form of broadcasting, random ones, rows of any length. */
import { describe, expect, it } from "vitest";
import type { HostTensor } from "../../../src/graph/ir.js";
import {
  compileArithmetic,
  compileComparison,
  compileLogic,
  compileNot,
  compilePow,
  compileWhere,
} from "../../../src/models/kernels/binary.js";
import { checkKernels, integers, random, runKernels, tensor } from "./harness.js";

const ARITHMETIC = ["Add", "Sub", "Mul", "Div", "Min", "Max", "PRelu"];
const COMPARISONS = ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"];

const SHAPES: readonly (readonly [number[], number[]])[] = [
  [[7], [7]],
  [[3, 4, 5], []],
  [[], [2, 9]],
  [[], []],
  [[2, 3, 4], [4]],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [
    [2, 3, 1, 6],
    [2, 1, 5, 6],
  ],
  [
    [4, 1],
    [1, 3],
  ],
  [
    [2, 1, 2, 1, 3],
    [1, 3, 1, 4, 1],
  ],
  [
    [1, 16, 9, 11],
    [16, 1, 1],
  ],
  [[0, 3], [3]],
  [[1, 1], [1]],
];

describe.each(ARITHMETIC)("%s", (operator) => {
  it("computes every form of broadcasting", () => {
    for (const [at, [a, b]] of SHAPES.entries()) {
      if (operator === "PRelu" && b.length > a.length) continue;
      checkKernels({ operator, inputs: [random(a, at), random(b, at + 50)] }, compileArithmetic);
    }
  });

  it("computes rows of any length, and what no number is", () => {
    for (let count = 1; count < 11; count++) {
      const inputs = [random([2, count], count), random([count], count + 20)];
      checkKernels({ operator, inputs }, compileArithmetic);
    }
    const odd = [0, -0, 1, -1, Infinity, -Infinity, NaN];
    const a = tensor(odd.flatMap((x) => odd.map(() => x)));
    const b = tensor(odd.flatMap(() => odd));
    checkKernels({ operator, inputs: [a, b] }, compileArithmetic);
  });
});

/** A shape that broadcasts to `shape`. */
function part(shape: readonly number[], next: (end: number) => number): number[] {
  return shape.slice(next(shape.length + 1)).map((size) => (next(3) === 0 ? 1 : size));
}

it("computes random shapes of two and three tensors", () => {
  const next = integers(5);
  for (let time = 0; time < 60; time++) {
    const shape = Array.from({ length: next(6) }, () => 1 + next(5));
    const seed = 7 * time;
    const [a, b, c] = [part(shape, next), part(shape, next), part(shape, next)];
    checkKernels({ operator: "Sub", inputs: [random(a, seed), random(b, seed + 1)] }, compileArithmetic);
    checkKernels({ operator: "Sum", inputs: [a, b, c].map((each) => random(each, seed)) }, compileArithmetic);
    const choice = [random(c, seed, "bool"), random(a, seed + 2), random(b, seed + 3)];
    checkKernels({ operator: "Where", inputs: choice }, compileWhere);
    const comparison = COMPARISONS[time % 5]!;
    checkKernels({ operator: comparison, inputs: choice.slice(1) }, compileComparison);
  }
});

it("takes any number of inputs", () => {
  const inputs = [random([3], 1), random([2, 1], 2), random([1], 3), random([2, 3], 4)];
  for (const operator of ["Max", "Min", "Sum"]) {
    for (let count = 1; count <= 4; count++) {
      checkKernels({ operator, inputs: inputs.slice(0, count) }, compileArithmetic);
    }
  }
  checkKernels(
    { operator: "Max", inputs: [random([0, 2], 1), random([2], 2), random([2], 3)] },
    compileArithmetic,
  );
});

it("takes the room of either input that is not constant", () => {
  const [full, row] = [random([3, 5], 1), random([5], 2)];
  const roomOf = (inputs: HostTensor[], constants: number[]) => {
    let room: number | undefined;
    runKernels({ operator: "Add", inputs, constants }, (node) => {
      const compiled = compileArithmetic(node);
      room = compiled?.inPlace;
      return compiled;
    });
    return room;
  };
  expect(roomOf([full, row], [])).toBe(0);
  expect(roomOf([row, full], [])).toBe(1);
  expect(roomOf([full, full], [0])).toBe(1);
  expect(roomOf([random([3, 1], 1), row], [])).toBeUndefined();
});

it("applies an activation after it", () => {
  const activation = { name: "Relu", alpha: 0, beta: 0 };
  checkKernels(
    { operator: "Add", inputs: [random([3, 5], 1), random([5], 2)], activation },
    compileArithmetic,
  );
});

it.each(COMPARISONS)("compares by %s", (operator) => {
  const odd = [0, -0, 1, -1, Infinity, -Infinity, NaN];
  const a = tensor(odd.flatMap((x) => odd.map(() => x)));
  checkKernels({ operator, inputs: [a, tensor(odd.flatMap(() => odd))] }, compileComparison);
  for (let count = 0; count < 10; count++) {
    checkKernels({ operator, inputs: [random([count], count), tensor([0.1], [])] }, compileComparison);
  }
});

it("computes logic", () => {
  for (const [at, [a, b]] of SHAPES.entries()) {
    const inputs = [random(a, at, "bool"), random(b, at + 9, "bool")];
    for (const operator of ["And", "Or", "Xor"]) checkKernels({ operator, inputs }, compileLogic);
    checkKernels({ operator: "Not", inputs: inputs.slice(0, 1) }, compileNot);
  }
});

it("chooses numbers of 4 bytes", () => {
  for (let count = 0; count < 10; count++) {
    const inputs = [random([count], 1, "bool"), random([count], 2, "int32"), random([1], 3, "int32")];
    checkKernels({ operator: "Where", inputs }, compileWhere);
  }
});

it("raises to the powers that have a kernel", () => {
  const inputs = (exponent: number) => [tensor([0.5, 2, 3, 0, 1.7]), tensor([exponent], [])];
  for (const exponent of [1, 2, 3, 0.5, -1]) {
    checkKernels({ operator: "Pow", inputs: inputs(exponent), constants: [1] }, compilePow);
  }
  checkKernels({ operator: "Pow", inputs: [random([0], 1), tensor([3], [])], constants: [1] }, compilePow);
  expect(runKernels({ operator: "Pow", inputs: inputs(2) }, compilePow)).toBeUndefined();
  expect(runKernels({ operator: "Pow", inputs: inputs(0.3), constants: [1] }, compilePow)).toBeUndefined();
});

it("places the second one by an axis, as opset 6 has it", () => {
  const inputs = [random([2, 3, 4], 1), random([3], 2)];
  const attributes = { broadcast: 1, axis: 1 };
  for (const operator of ["Add", "Mul"]) {
    checkKernels({ operator, attributes, inputs, opset: 6 }, compileArithmetic);
  }
  checkKernels({ operator: "Less", attributes, inputs, opset: 6 }, compileComparison);
  checkKernels({ operator: "PRelu", inputs, opset: 6 }, compileArithmetic);
  checkKernels({ operator: "Add", inputs: [inputs[0]!, inputs[0]!], opset: 6 }, compileArithmetic);
});

it("leaves other types to the host", () => {
  const whole = [random([3], 1, "float16"), random([3], 2, "float16")];
  expect(runKernels({ operator: "Add", inputs: whole }, compileArithmetic)).toBeUndefined();
  expect(runKernels({ operator: "Less", inputs: whole }, compileComparison)).toBeUndefined();
});
