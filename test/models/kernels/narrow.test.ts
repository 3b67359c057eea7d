/** Nodes of float16, bfloat16 and float64 run on the kernels of float32, and round as the host does. */
import { describe, expect, it } from "vitest";
import { type Dtype, FLOATS, type HostTensor } from "../../../src/graph/ir.js";
import { roundingOf } from "../../../src/graph/rounding.js";
import { loadOnnx } from "../../../src/models/index.js";
import { compileFloats } from "../../../src/models/kernels/narrow.js";
import { ALL_OPERATORS } from "../../../src/models/operators/index.js";
import { modelOf, node } from "../../support/onnx-writer.js";
import { checkKernels, type KernelCase, random, runKernels } from "./harness.js";

/** Random numbers that a type has. */
function numbers(dtype: Dtype, shape: readonly number[], seed: number): HostTensor {
  const { data } = random(shape, seed);
  const round = roundingOf(dtype);
  return { dtype, shape, data: round === undefined ? data : data.map(round) };
}

const operatorOf = (name: string) => ALL_OPERATORS.find(({ operator }) => operator.name === name)!;

/** Sums in float32 and in float64 may be rounded to neighbours. */
const STEP: Partial<Record<Dtype, number>> = { float16: 2 ** -10, bfloat16: 2 ** -7 };

describe.each(FLOATS.filter((dtype) => dtype !== "float32"))("%s", (dtype) => {
  const of = (shape: readonly number[], seed: number) => numbers(dtype, shape, seed);
  it.each<[string, Omit<KernelCase, "operator">]>([
    ["Add", { inputs: [of([3, 5], 1), of([5], 2)] }],
    ["Tanh", { inputs: [of([3, 7], 1)] }],
    ["MatMul", { inputs: [of([3, 8], 1), of([8, 9], 2)], constants: [1] }],
    ["MatMul", { inputs: [of([3, 8], 1), of([8, 9], 2)] }],
    ["Gemm", { inputs: [of([3, 8], 1), of([8, 9], 2), of([9], 3)], constants: [1, 2] }],
    ["Conv", { inputs: [of([1, 4, 9], 1), of([6, 4, 3], 2), of([6], 3)], constants: [1, 2] }],
    ["ReduceMean", { inputs: [of([3, 7], 1)], attributes: { keepdims: 0 } }],
    ["LayerNormalization", { inputs: [of([3, 8], 1), of([8], 2), of([8], 3)] }],
    ["Less", { inputs: [of([3, 7], 1), of([3, 7], 2)] }],
    [
      "LSTM",
      {
        attributes: { hidden_size: 4 },
        inputs: [of([3, 1, 5], 1), of([1, 16, 5], 2), of([1, 16, 4], 3), of([1, 32], 4)],
        constants: [1, 2, 3],
        outputs: 3,
      },
    ],
  ])("%s", (operator, kernelCase) => {
    const relative = STEP[dtype] ?? 1e-5;
    checkKernels({ operator, ...kernelCase }, (compiling) => compileFloats(operatorOf(operator), compiling), {
      relative,
      absolute: relative / 8,
    });
  });

  it("gives nothing but numbers of the type", () => {
    const kernelCase = { operator: "Exp", inputs: [of([50], 1)] };
    const [made] = runKernels(kernelCase, (compiling) => compileFloats(operatorOf("Exp"), compiling))!;
    const round = roundingOf(dtype) ?? ((x: number) => x);
    expect(made!.data).toEqual(made!.data.map(round));
  });
});

it.each(["float16", "bfloat16"] as const)(
  "Softmax of %s, which rounds its exponentials too, is the host's",
  (dtype) => {
    const kernelCase = { operator: "Softmax", inputs: [numbers(dtype, [3, 7], 1)], attributes: { axis: -1 } };
    expect(
      runKernels(kernelCase, (compiling) => compileFloats(operatorOf("Softmax"), compiling)),
    ).toBeUndefined();
  },
);

it("a model of float16 needs no host", () => {
  const half = { type: 10, shape: [4] };
  const file = modelOf({
    inputs: [{ name: "x", ...half }],
    outputs: [{ name: "y", ...half }],
    nodes: [node("Add", ["x", "x"], ["s"]), node("Relu", ["s"], ["r"]), node("Exp", ["r"], ["y"])],
  });
  using model = loadOnnx(file);
  expect(model.summary().map(({ onHost }) => onHost)).not.toContain(true);
  expect(model.run(Float32Array.of(-1, 0.125, 0.5, 1)).y!.data).toEqual(
    Float32Array.of(1, 1.2841796875, 2.71875, 7.390625),
  );
});
