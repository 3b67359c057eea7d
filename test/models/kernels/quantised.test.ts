/** Floats that become bytes, and products of bytes. */
import { describe, expect, it } from "vitest";
import type { Dtype, HostTensor } from "../../../src/graph/ir.js";
import { loadOnnx } from "../../../src/models/index.js";
import {
  compileIntegerConv,
  compileIntegerProduct,
  compileQuantise,
} from "../../../src/models/kernels/quantised.js";
import { Tensor } from "../../../src/tensor/tensor.js";
import { floats, tensor as initializer, modelOf, node } from "../../support/onnx-writer.js";
import { checkKernels, integers, random, runKernels, tensor } from "./harness.js";

describe("DynamicQuantizeLinear", () => {
  const check = (x: HostTensor) =>
    checkKernels({ operator: "DynamicQuantizeLinear", inputs: [x], outputs: 3 }, compileQuantise);
  const positive = random([37], 2).data.map(Math.abs);
  it.each<[string, HostTensor]>([
    ["a few", random([7], 1)],
    ["many", random([5, 203], 2)],
    ["above 0", tensor([...positive])],
    ["below 0", tensor([...positive.map((x) => -x)])],
    ["zeros", tensor([0, 0, -0])],
    ["none", { ...tensor([]), shape: [0, 3] }],
    ["halves", tensor([255, 0.5, 1.5, 2.5, 3.5])],
    ["one that is infinite", tensor([1, Number.POSITIVE_INFINITY, -2, 0, 3])],
    ["one that is less than all", tensor([1, Number.NEGATIVE_INFINITY, -2, 0, 3])],
    ["one that is none", tensor([1, Number.NaN, -2, 0, 3])],
  ])("of %s", (_, x) => check(x));
});

/** All bytes of a type. */
function bytes(shape: readonly number[], seed: number, dtype: Dtype): HostTensor {
  const next = integers(seed);
  const { data } = random(shape, 1, dtype);
  return { dtype, shape, data: data.map(() => next(256) - (dtype === "int8" ? 128 : 0)) as typeof data };
}

describe("MatMulInteger", () => {
  it.each<[Dtype, Dtype]>([
    ["uint8", "int8"],
    ["uint8", "uint8"],
    ["int8", "int8"],
    ["int8", "uint8"],
  ])("of %s and %s", (left, right) => {
    for (const [shape, columns] of [
      [[1, 8], 4],
      [[3, 17], 5],
      [[2, 3, 40], 9],
      [[4, 1], 1],
      [[0, 4], 3],
      [[2, 0], 3],
    ] as const) {
      const a = bytes(shape, 1, left);
      const b = bytes([shape.at(-1)!, columns], 2, right);
      const [one, each] = [bytes([], 3, left), bytes([columns], 4, right)];
      const kernelCase = (...more: (HostTensor | undefined)[]) => ({
        operator: "MatMulInteger",
        inputs: [a, b, ...more],
      });
      for (const given of [
        kernelCase(),
        kernelCase(one),
        kernelCase(one, each),
        kernelCase(undefined, each),
      ]) {
        checkKernels(given, compileIntegerProduct);
        checkKernels({ ...given, constants: [1, 3] }, compileIntegerProduct);
      }
      if (shape.length === 2 && shape[0] !== 1) {
        checkKernels(kernelCase(bytes([shape[0]], 5, left)), compileIntegerProduct);
      }
    }
  });

  it("of several matrices on the right is left to the host", () => {
    const inputs = [bytes([2, 3, 4], 1, "uint8"), bytes([2, 4, 5], 2, "int8")];
    expect(runKernels({ operator: "MatMulInteger", inputs }, compileIntegerProduct)).toBeUndefined();
    const zeros = [bytes([3, 4], 1, "uint8"), bytes([4, 5], 2, "int8"), bytes([3, 1], 3, "uint8")];
    expect(runKernels({ operator: "MatMulInteger", inputs: zeros }, compileIntegerProduct)).toBeUndefined();
  });
});

describe("ConvInteger", () => {
  it.each<[string, readonly number[], readonly number[], Record<string, number | number[] | string>]>([
    ["over one axis", [2, 3, 10], [5, 3, 3], {}],
    ["padded, by steps", [1, 3, 10], [4, 3, 3], { pads: [2, 1], strides: [2] }],
    ["dilated", [1, 2, 12], [3, 2, 3], { dilations: [3], pads: [1, 4] }],
    ["of groups", [2, 4, 9], [6, 2, 2], { group: 2 }],
    ["of each channel", [1, 4, 9], [4, 1, 3], { group: 4, auto_pad: "SAME_UPPER" }],
    ["over two axes", [1, 3, 7, 6], [5, 3, 3, 2], { pads: [1, 0, 1, 1], strides: [1, 2] }],
    ["of many positions", [1, 40, 3000], [3, 40, 5], {}],
    ["of no batch", [0, 3, 10], [5, 3, 3], {}],
  ])("%s", (_, shape, kernel, attributes) => {
    for (const [left, right] of [
      ["uint8", "int8"],
      ["int8", "uint8"],
    ] as const) {
      const [x, w] = [bytes(shape, 1, left), bytes(kernel, 2, right)];
      const [one, each] = [bytes([], 3, left), bytes([kernel[0]!], 4, right)];
      for (const zeros of [[], [one], [one, each]]) {
        checkKernels(
          { operator: "ConvInteger", attributes, inputs: [x, w, ...zeros], constants: [1, 3] },
          compileIntegerConv,
        );
      }
    }
  });

  it("by weights that come at run time is left to the host", () => {
    const inputs = [bytes([1, 3, 10], 1, "uint8"), bytes([5, 3, 3], 2, "int8")];
    expect(runKernels({ operator: "ConvInteger", inputs }, compileIntegerConv)).toBeUndefined();
  });
});

it("a layer as quantize_dynamic writes it needs no host", () => {
  const weights = bytes([8, 5], 1, "int8");
  const file = modelOf({
    inputs: [{ name: "x", shape: [2, 8] }],
    outputs: ["y"],
    initializers: [
      initializer("W", { type: 3, dims: [8, 5], raw: weights.data as Int8Array }),
      initializer("Wzero", { type: 3, dims: [], raw: Int8Array.of(3) }),
      floats("Wscale", [], [0.02]),
      floats("b", [5], [1, 2, 3, 4, 5]),
    ],
    nodes: [
      node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
      node("MatMulInteger", ["q", "W", "zero", "Wzero"], ["sums"]),
      node("Cast", ["sums"], ["floats"], { attributes: { to: 1 } }),
      node("Mul", ["scale", "Wscale"], ["both"]),
      node("Mul", ["floats", "both"], ["product"]),
      node("Add", ["product", "b"], ["y"]),
    ],
  });
  using model = loadOnnx(file);
  expect(model.summary().map(({ onHost }) => onHost)).not.toContain(true);
  const x = Tensor.randn([2, 8], 3);
  const { data } = model.run(x).y!;
  for (const [at, y] of Array.from(data, Number).entries()) {
    let exact = (at % 5) + 1;
    for (let k = 0; k < 8; k++) {
      exact += x.data[Math.floor(at / 5) * 8 + k]! * 0.02 * (weights.data[k * 5 + (at % 5)]! - 3);
    }
    expect(Math.abs(y - exact)).toBeLessThan(0.3);
  }
});
