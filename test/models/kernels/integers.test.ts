/** Integers of every type: arithmetic, comparisons, choices, reductions; the largest numbers; bytes that stand for floats. */
import { describe, expect, it } from "vitest";
import { type Dtype, type HostTensor, INTEGERS } from "../../../src/graph/ir.js";
import * as binary from "../../../src/models/kernels/binary.js";
import { compileDequantize } from "../../../src/models/kernels/integers.js";
import { compileCumSum, compileReduce, compileTop } from "../../../src/models/kernels/reduce.js";
import { checkKernels, type KernelCase, random, runKernels, tensor } from "./harness.js";

const LIMITS: Partial<Record<Dtype, readonly number[]>> = {
  int32: [2 ** 31 - 1, -(2 ** 31), 65537, -65539, 0],
  int8: [127, -128, 100, -1, 0],
  uint8: [255, 0, 128, 200, 1],
  int64: [2 ** 40, -(2 ** 40), 0, 5, -7],
};
const ARITHMETIC = ["Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Sum"];
const COMPARISONS = ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"];

describe.each(INTEGERS)("%s", (dtype) => {
  const of = (shape: readonly number[], seed: number) => random(shape, seed, dtype);
  const limits = tensor([...LIMITS[dtype]!], [5, 1], dtype);
  // Products of int64 must stay exact.
  const others = tensor([3, 7, dtype === "uint8" ? 9 : -2], [3], dtype);

  it.each(ARITHMETIC)("%s", (operator) => {
    for (const inputs of [
      [of([3, 5], 1), of([3, 5], 2)],
      [of([2, 3, 5], 1), of([3, 1], 2)],
      [of([], 1), of([4], 2)],
      [of([0, 3], 1), of([3], 2)],
      [limits, others],
    ]) {
      checkKernels({ operator, inputs }, binary.compileArithmetic);
    }
  });

  it.each(COMPARISONS)("%s", (operator) => {
    checkKernels({ operator, inputs: [of([3, 5], 1), of([5], 2)] }, binary.compileComparison);
    checkKernels({ operator, inputs: [limits, others] }, binary.compileComparison);
  });

  it("Where", () => {
    for (const shape of [[3, 5], [5], []]) {
      const inputs = [random(shape, 3, "bool"), of([3, 5], 1), of([3, 1], 2)];
      checkKernels({ operator: "Where", inputs }, binary.compileWhere);
    }
  });

  it.each(["ReduceSum", "ReduceMax", "ReduceMin"])("%s", (operator) => {
    const cases: [readonly number[], number[]][] = [
      [[3, 5], [0]],
      [[3, 5], [1]],
      [[2, 3, 4], [1]],
      [
        [2, 3, 4],
        [0, 1, 2],
      ],
    ];
    for (const [shape, axes] of cases) {
      const inputs = [of(shape, 1), tensor(axes, [axes.length], "int64")];
      checkKernels({ operator, inputs, constants: [1] }, compileReduce);
    }
  });

  it.each([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])("CumSum, exclusive %i, reverse %i", (exclusive, reverse) => {
    const inputs = [of([2, 3, 4], 1), tensor([1], [], "int64")];
    checkKernels(
      { operator: "CumSum", inputs, constants: [1], attributes: { exclusive, reverse } },
      compileCumSum,
    );
  });
});

it("bool is compared and chosen", () => {
  const [a, b] = [random([3, 5], 1, "bool"), random([3, 5], 2, "bool")];
  checkKernels({ operator: "Equal", inputs: [a, b] }, binary.compileComparison);
  checkKernels({ operator: "Where", inputs: [random([5], 3, "bool"), a, b] }, binary.compileWhere);
});

describe("an int64 that leaves 2^53", () => {
  const int64 = (...numbers: number[]) => tensor(numbers, [numbers.length], "int64");
  it.each<[string, HostTensor[]]>([
    ["Add", [int64(2 ** 53 - 1), int64(1)]],
    ["Sub", [int64(-(2 ** 53) + 1), int64(1)]],
    ["Mul", [int64(2 ** 30), int64(2 ** 30)]],
  ])("%s names the node", (operator, inputs) => {
    const run = () => runKernels({ operator, inputs }, binary.compileArithmetic);
    expect(run).toThrow(`onnx: ${operator} node: an int64 that is not within 2^53`);
  });

  it.each([
    ["a sum", [2 ** 53 - 1, 2 ** 53 - 1]],
    ["a part of a sum", [2 ** 53 - 1, 2 ** 53 - 1, -(2 ** 53) + 1]],
  ])("in %s names the node", (_, numbers) => {
    const inputs = [int64(...numbers)];
    expect(() => runKernels({ operator: "ReduceSum", inputs }, compileReduce)).toThrow("not within 2^53");
  });

  it("may be passed on", () => {
    const inputs = [int64(2 ** 63, 3), int64(7)];
    for (const operator of ["Min", "Max"]) checkKernels({ operator, inputs }, binary.compileArithmetic);
    checkKernels({ operator: "Add", inputs: [int64(2 ** 63), int64(0)] }, binary.compileArithmetic);
  });
});

describe("what is left to the host", () => {
  it.each<[string, KernelCase, typeof compileReduce]>([
    [
      "a rest of the dividend's sign",
      {
        operator: "Mod",
        attributes: { fmod: 1 },
        inputs: [random([3], 1, "int32"), random([3], 2, "int32")],
      },
      binary.compileArithmetic,
    ],
    [
      "three integers",
      { operator: "Max", inputs: [1, 2, 3].map((seed) => random([3], seed, "int64")) },
      binary.compileArithmetic,
    ],
    ["a mean", { operator: "ReduceMean", inputs: [random([3], 1, "int64")] }, compileReduce],
    ["a sum of none", { operator: "ReduceSum", inputs: [random([0], 1, "int64")] }, compileReduce],
    [
      "sums so far of float16",
      { operator: "CumSum", inputs: [random([3], 1, "float16"), tensor([0], [], "int64")], constants: [1] },
      compileCumSum,
    ],
    [
      "a thousand of the largest",
      {
        operator: "TopK",
        inputs: [random([1200], 1), tensor([1000], [1], "int64")],
        constants: [1],
        outputs: 2,
      },
      compileTop,
    ],
    [
      "scales of blocks",
      {
        operator: "DequantizeLinear",
        attributes: { block_size: 2 },
        inputs: [random([2, 4], 1, "int8"), random([2, 2], 2)],
      },
      compileDequantize,
    ],
  ])("%s", (_, kernelCase, compile) => {
    expect(runKernels(kernelCase, compile)).toBeUndefined();
  });
});

describe("TopK", () => {
  it.each([
    [1, 1],
    [0, 1],
    [1, 0],
  ])("largest %i, sorted %i", (largest, sorted) => {
    for (const [shape, axis, k] of [
      [[7], 0, 3],
      [[3, 9], 1, 9],
      [[3, 9], 0, 2],
      [[2, 5, 3], 1, 4],
      [[2, 5, 3], 1, 0],
      [[0, 5], 1, 2],
    ] as const) {
      const { data } = random(shape, 4);
      // Equal numbers come in their order.
      const numbers = { dtype: "float32" as const, shape, data: data.map(Math.round) };
      const inputs = [numbers, tensor([k], [1], "int64")];
      checkKernels(
        { operator: "TopK", inputs, constants: [1], outputs: 2, attributes: { axis, largest, sorted } },
        compileTop,
      );
    }
  });
});

describe("DequantizeLinear", () => {
  it.each<Dtype>(["int8", "uint8", "int32"])("of %s", (dtype) => {
    const x = random([2, 3, 4], 1, dtype);
    const scale = (size: number) => random([size], 2);
    const zero = (size: number) => random([size], 3, dtype);
    for (const inputs of [
      [x, { ...scale(1), shape: [] }],
      [x, { ...scale(1), shape: [] }, { ...zero(1), shape: [] }],
      [x, scale(3), zero(3)],
      [x, scale(3)],
    ]) {
      checkKernels({ operator: "DequantizeLinear", inputs }, compileDequantize);
    }
    const inputs = [x, scale(4), zero(4)];
    checkKernels({ operator: "DequantizeLinear", inputs, attributes: { axis: -1 } }, compileDequantize);
  });
});
