/** What kernels leave to the host: activations after nodes that take none, other types, results without numbers. */
import { describe, expect, it } from "vitest";
import { Call, int64s } from "../../../src/graph/operator.js";
import * as binary from "../../../src/models/kernels/binary.js";
import { compileConv } from "../../../src/models/kernels/conv.js";
import { compileConvTranspose } from "../../../src/models/kernels/conv-transpose.js";
import { compileJoined } from "../../../src/models/kernels/copy.js";
import { compileGathered } from "../../../src/models/kernels/gather.js";
import { compileEinsum, compileGemm } from "../../../src/models/kernels/matmul.js";
import { compileLayerNormalization } from "../../../src/models/kernels/normalise.js";
import { viewPadded } from "../../../src/models/kernels/pad.js";
import { compileGlobalPool, compilePool } from "../../../src/models/kernels/pool.js";
import { compileRNN } from "../../../src/models/kernels/recurrent.js";
import { compileReduce } from "../../../src/models/kernels/reduce.js";
import { compileResized } from "../../../src/models/kernels/resize.js";
import { compileScattered } from "../../../src/models/kernels/scatter.js";
import { compileSoftmax } from "../../../src/models/kernels/softmax.js";
import { compileUnary } from "../../../src/models/kernels/unary.js";
import type { Compiled, Compiling } from "../../../src/models/operator.js";
import { callsOf, checkKernels, type KernelCase, random, runKernels, tensor } from "./harness.js";

type Compile = (node: Compiling) => Compiled | undefined;

const RELU = { name: "Relu", alpha: 0, beta: 0 };
const CELU = { name: "Celu", alpha: 1, beta: 0 };
const [a, b] = [random([3, 4], 1), random([3, 4], 2)];
const [is, was] = [random([3, 4], 3, "bool"), random([3, 4], 4, "bool")];
const planes = (...shape: number[]) => random(shape, 5);

describe("an activation is left to a node of its own", () => {
  it.each<[string, KernelCase, Compile]>([
    [
      "that has no kernel, after a sum",
      { operator: "Add", inputs: [a, b], activation: CELU },
      binary.compileArithmetic,
    ],
    ["after a comparison", { operator: "Less", inputs: [a, b], activation: RELU }, binary.compileComparison],
    ["after logic", { operator: "And", inputs: [is, was], activation: RELU }, binary.compileLogic],
    ["after Not", { operator: "Not", inputs: [is], activation: RELU }, binary.compileNot],
    ["after Where", { operator: "Where", inputs: [is, a, b], activation: RELU }, binary.compileWhere],
    [
      "after a power",
      { operator: "Pow", inputs: [a, tensor([2], [])], constants: [1], activation: RELU },
      binary.compilePow,
    ],
    ["after Softmax", { operator: "Softmax", inputs: [a], activation: RELU }, compileSoftmax],
    ["after a reduction", { operator: "ReduceSum", inputs: [a], activation: RELU }, compileReduce],
    [
      "that has no kernel, after a function",
      { operator: "Tanh", inputs: [a], activation: CELU },
      compileUnary,
    ],
    [
      "that has no kernel, after a pool",
      { operator: "MaxPool", attributes: { kernel_shape: [2] }, inputs: [planes(1, 2, 5)], activation: CELU },
      compilePool,
    ],
    [
      "after a mean of channels",
      { operator: "GlobalAveragePool", inputs: [planes(1, 2, 5)], activation: RELU },
      compileGlobalPool,
    ],
    [
      "that has no kernel, after a convolution",
      { operator: "Conv", inputs: [planes(1, 2, 5), planes(3, 2, 2)], constants: [1], activation: CELU },
      compileConv,
    ],
    [
      "that has no kernel, after a transposed one",
      {
        operator: "ConvTranspose",
        inputs: [planes(1, 2, 5), planes(2, 3, 2)],
        constants: [1],
        activation: CELU,
      },
      compileConvTranspose,
    ],
    [
      "that has no kernel, after a normalisation",
      { operator: "LayerNormalization", inputs: [a, random([4], 6)], activation: CELU },
      compileLayerNormalization,
    ],
  ])("%s", (_, kernelCase, compile) => {
    expect(runKernels(kernelCase, compile)).toBeUndefined();
    const { activation, ...alone } = kernelCase;
    expect(runKernels(alone, compile)).toBeDefined();
  });
});

describe("the host computes", () => {
  it.each<[string, KernelCase, Compile]>([
    [
      "an operator of another name than sums have",
      { operator: "Mod", attributes: { fmod: 1 }, inputs: [a, b] },
      binary.compileArithmetic,
    ],
    ["one that does not compare", { operator: "Add", inputs: [a, b] }, binary.compileComparison],
    ["one that is no logic", { operator: "Equal", inputs: [is, was] }, binary.compileLogic],
    ["a function that has no kernel", { operator: "Identity", inputs: [a] }, compileUnary],
    [
      "a choice of float16",
      { operator: "Where", inputs: [is, random([3, 4], 1, "float16"), random([3, 4], 2, "float16")] },
      binary.compileWhere,
    ],
    [
      "a power that has more axes than its base",
      { operator: "Pow", inputs: [a, tensor([2], [1, 1, 1])], constants: [1] },
      binary.compilePow,
    ],
    ["a reduction that has no kernel", { operator: "ArgMax", inputs: [a] }, compileReduce],
    ["a Softmax of float16", { operator: "Softmax", inputs: [random([3, 4], 1, "float16")] }, compileSoftmax],
    [
      "means of channels in float16",
      { operator: "GlobalAveragePool", inputs: [random([1, 2, 5], 1, "float16")] },
      compileGlobalPool,
    ],
    ["means of no numbers", { operator: "GlobalAveragePool", inputs: [planes(1, 2, 0)] }, compileGlobalPool],
    ["means of no channels", { operator: "GlobalAveragePool", inputs: [planes(1, 0, 3)] }, compileGlobalPool],
    [
      "pools of float16",
      { operator: "MaxPool", attributes: { kernel_shape: [2] }, inputs: [random([1, 2, 5], 1, "float16")] },
      compilePool,
    ],
    [
      "rows taken by a wrong index",
      { operator: "Gather", inputs: [a, int64s([3])], constants: [1] },
      compileGathered,
    ],
    [
      "rows put by a wrong index",
      {
        operator: "ScatterND",
        inputs: [a, { ...int64s([3]), shape: [1, 1] }, random([1, 4], 7)],
        constants: [1],
      },
      compileScattered,
    ],
    [
      "no rows put, by indices that may be wrong",
      {
        operator: "ScatterND",
        inputs: [random([3, 0], 1), { ...int64s([2]), shape: [1, 1] }, random([1, 0], 7)],
      },
      compileScattered,
    ],
    [
      "products whose columns are apart from each other",
      { operator: "Einsum", attributes: { equation: "ib,jb->ijb" }, inputs: [a, b] },
      compileEinsum,
    ],
  ])("%s", (_, kernelCase, compile) => {
    expect(runKernels(kernelCase, compile)).toBeUndefined();
  });
});

describe("there is nothing to compute", () => {
  it.each<[string, KernelCase, Compile]>([
    [
      "by a transposed convolution of no batch",
      { operator: "ConvTranspose", inputs: [planes(0, 2, 5), planes(2, 3, 2)], constants: [1] },
      compileConvTranspose,
    ],
    [
      "by a convolution of no batch",
      { operator: "Conv", inputs: [planes(0, 2, 5), planes(3, 2, 2)], constants: [1] },
      compileConv,
    ],
    [
      "by a pool of no batch",
      { operator: "MaxPool", attributes: { kernel_shape: [2] }, inputs: [planes(0, 2, 5)] },
      compilePool,
    ],
    ["by Not", { operator: "Not", inputs: [random([0, 3], 1, "bool")] }, binary.compileNot],
    [
      "by a product of no rows",
      { operator: "Gemm", inputs: [random([0, 3], 1), random([3, 2], 2)] },
      compileGemm,
    ],
    [
      "by a Gather of no rows",
      { operator: "Gather", inputs: [a, { ...int64s([]), shape: [0] }], constants: [1] },
      compileGathered,
    ],
    [
      "by a Gather of rows without numbers",
      {
        operator: "Gather",
        attributes: { axis: 1 },
        inputs: [random([0, 4], 1), int64s([3, 0, 1])],
        constants: [1],
      },
      compileGathered,
    ],
    [
      "by a Resize of no batch",
      {
        operator: "Resize",
        attributes: { mode: "linear" },
        inputs: [random([0, 2], 1), undefined, tensor([1, 2])],
        constants: [2],
      },
      compileResized,
    ],
    [
      "by a ScatterND of no rows",
      {
        operator: "ScatterND",
        inputs: [a, { ...int64s([]), shape: [0, 1] }, random([0, 4], 7)],
        constants: [1],
      },
      compileScattered,
    ],
  ])("%s", (_, kernelCase, compile) => {
    checkKernels(kernelCase, compile);
  });
});

describe("products whose right operand is packed for the call", () => {
  const SUMS = { absolute: 1e-4 };
  it.each<[string, readonly number[], readonly number[]]>([
    ["ij,jk->ik", [40, 5], [5, 32]],
    ["ij,jk->ik", [300, 5], [5, 64]],
    ["ij,jk->ik", [150, 5], [5, 9]],
    // The output's columns are those of the left operand.
    ["ji,kj->ki", [5, 12], [40, 5]],
    ["ji,kj->ki", [5, 32], [40, 5]],
    // Several products by one matrix.
    ["bihd,dj->bhij", [2, 35, 3, 4], [4, 8]],
    ["bij,bjk->bik", [3, 35, 4], [3, 4, 32]],
  ])("%s of %j and %j", (equation, left, right) => {
    const inputs = [random(left, 1), random(right, 2)];
    checkKernels({ operator: "Einsum", attributes: { equation }, inputs }, compileEinsum, SUMS);
    checkKernels(
      { operator: "Einsum", attributes: { equation }, inputs, activation: RELU },
      compileEinsum,
      SUMS,
    );
  });
});

describe("pads", () => {
  const viewOf = (kernelCase: KernelCase) => {
    const { known, types } = callsOf(kernelCase);
    return viewPadded(known, types);
  };
  const pads = (...numbers: number[]) => int64s(numbers);

  it("are views only with a constant that is known, around the outermost axis of more than one", () => {
    const value = tensor([2], []);
    expect(viewOf({ operator: "Pad", inputs: [a, pads(1, 0, 2, 0)] })).toEqual({ inputs: [4] });
    expect(viewOf({ operator: "Pad", inputs: [a, pads(1, 0, 2, 0), value], constants: [2] })).toEqual({
      inputs: [4],
    });
    expect(viewOf({ operator: "Pad", inputs: [a, pads(1, 0, 2, 0), value] })).toBeUndefined();
    expect(viewOf({ operator: "Pad", inputs: [a, pads(0, 1, 0, 0)] })).toBeUndefined();
    expect(viewOf({ operator: "Pad", inputs: [a, pads(-1, 0, 0, 0)] })).toBeUndefined();
    expect(viewOf({ operator: "Pad", inputs: [random([3, 0], 1), pads(1, 0, 0, 0)] })).toBeUndefined();
    expect(viewOf({ operator: "Pad", inputs: [a, pads(0, 0, 0, 0)] })).toEqual({ outputs: [0] });
  });
});

describe("recurrent nodes", () => {
  const rnn = (hidden: number, activations: string[] = []): KernelCase => ({
    operator: "RNN",
    attributes: { hidden_size: hidden, ...(activations.length > 0 ? { activations } : {}) },
    inputs: [random([2, 1, 3], 1), random([1, hidden, 3], 2), random([1, hidden, hidden], 3)],
    constants: [1, 2],
  });

  it("have kernels for what layers have, and no activation after them", () => {
    const plain = rnn(4);
    checkKernels(rnn(4, ["Relu"]), compileRNN);
    expect(
      runKernels({ ...plain, attributes: { ...plain.attributes, clip: -3 } }, compileRNN),
    ).toBeUndefined();
    expect(runKernels(plain, compileRNN)).toBeDefined();
    expect(runKernels({ ...plain, activation: RELU }, compileRNN)).toBeUndefined();
  });
});

describe("convolutions of few outputs", () => {
  it.each([1, 2, 5, 47, 48, 49, 50, 97])("takes %i items of a batch, together and the rest", (batch) => {
    const weights = random([64, 3, 2], 6);
    for (const pads of [
      [0, 0],
      [1, 0],
    ]) {
      const inputs = [random([batch, 3, 3], 5), weights, random([64], 7)];
      checkKernels(
        { operator: "Conv", attributes: { pads }, inputs, constants: [1, 2], offset: 0 },
        compileConv,
        { absolute: 1e-4 },
      );
    }
  });
});

it("a normalisation has no kernel where its factors are of another type", () => {
  const inputs = [a, random([4], 6, "float16")];
  expect(runKernels({ operator: "LayerNormalization", inputs }, compileLayerNormalization)).toBeUndefined();
});

it("a Resize of one number without axes copies it", () => {
  const inputs = [tensor([7], []), undefined, { ...tensor([]), shape: [0] }];
  checkKernels({ operator: "Resize", inputs, constants: [2] }, compileResized);
});

it("a Concat of no rows joins nothing", () => {
  const inputs = [random([0, 2], 1), random([0, 3], 2)];
  checkKernels({ operator: "Concat", attributes: { axis: 1 }, inputs }, compileJoined);
});

it("a Gather names an index of int32 that has no place", () => {
  const inputs = [a, tensor([1, 3], [2], "int32")];
  expect(() => runKernels({ operator: "Gather", inputs }, compileGathered)).toThrow(
    "onnx: Gather node: index 3 is not in an axis of size 3",
  );
  checkKernels({ operator: "Gather", inputs: [a, tensor([1, -3], [2], "int32")] }, compileGathered);
});

it("a reduction has kernels only where its axes are known", () => {
  const { known, types } = callsOf({ operator: "ReduceSum", inputs: [a, int64s([1])] });
  const [, axes] = known.inputs;
  const call = new Call(known.node, [known.inputs[0], { dtype: axes!.dtype, shape: axes!.shape }]);
  expect(compileReduce({ call, types } as unknown as Compiling)).toBeUndefined();
});
