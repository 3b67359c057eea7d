/** Resize: nearest and linear, in every coordinate mode, by scales and by sizes. */
import { describe, expect, it } from "vitest";
import { int64s } from "../../../src/graph/operator.js";
import { compileResized, viewResized } from "../../../src/models/kernels/resize.js";
import {
  callsOf,
  checkKernels,
  checkView,
  integers,
  type KernelCase,
  random,
  runKernels,
  tensor,
} from "./harness.js";

const COORDINATES = ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"] as const;
const ROUNDINGS = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] as const;

/** Each axis has a scale, or a size. */
function resized(
  draw: (end: number) => number,
  seed: number,
  dtype: "float32" | "int8" | "int64",
): KernelCase {
  const shape = Array.from({ length: 1 + draw(4) }, () => 1 + draw(6));
  const first = random(shape, seed, dtype);
  if (draw(2) === 0) {
    const scales = shape.map((size) => [1, 1, 2, 3, 1.5, 0.6, 2.25][draw(7)]! * (size === 1 ? 2 : 1));
    return { operator: "Resize", inputs: [first, undefined, tensor(scales)], offset: draw(3) };
  }
  const sizes = shape.map((size) => (draw(3) === 0 ? size : 1 + draw(11)));
  return { operator: "Resize", inputs: [first, undefined, undefined, int64s(sizes)], offset: draw(3) };
}

describe.each(COORDINATES)("%s", (coordinate_transformation_mode) => {
  it.each(ROUNDINGS)("takes nearest numbers by %s", (nearest_mode) => {
    for (let seed = 0; seed < 30; seed++) {
      const kernelCase = resized(integers(seed), seed, (["float32", "int8", "int64"] as const)[seed % 3]!);
      const attributes = { mode: "nearest", coordinate_transformation_mode, nearest_mode };
      checkKernels({ ...kernelCase, attributes }, compileResized);
    }
  });

  it("goes in lines between numbers", () => {
    for (let seed = 0; seed < 120; seed++) {
      const kernelCase = resized(integers(seed + 99), seed, "float32");
      const attributes = { mode: "linear", coordinate_transformation_mode };
      checkKernels({ ...kernelCase, attributes }, compileResized);
    }
  });
});

describe("Resize", () => {
  const upsampled = (mode: string, opset: number): KernelCase => ({
    operator: "Resize",
    opset,
    attributes: { mode },
    inputs: [random([1, 3, 5, 6], 1), ...(opset > 10 ? [undefined] : []), tensor([1, 1, 2, 2])],
  });

  it("is the same in opset 10", () => {
    checkKernels(upsampled("nearest", 10), compileResized);
    checkKernels(upsampled("linear", 10), compileResized);
  });

  it("makes twice as many rows by one copy", () => {
    let scratch: number | undefined = -1;
    const inputs = [random([1, 3, 5, 6], 1), undefined, tensor([1, 2, 2, 1])];
    runKernels({ operator: "Resize", inputs }, (node) => {
      const compiled = compileResized(node)!;
      scratch = compiled.scratchBytes;
      return compiled;
    });
    expect(scratch).toBeUndefined();
  });

  it("lets an infinite number that has no weight be", () => {
    const inputs = [tensor([1, Infinity, 2, 3]), undefined, tensor([2])];
    const attributes = { mode: "linear", coordinate_transformation_mode: "asymmetric" };
    checkKernels({ operator: "Resize", inputs, attributes }, compileResized);
  });

  it("leaves lines between integers to the host, and what is empty", () => {
    const inputs = [random([4], 1, "uint8"), undefined, tensor([1.5])];
    const linear = { operator: "Resize", inputs, attributes: { mode: "linear" } };
    expect(runKernels(linear, compileResized)).toBeUndefined();
    const empty = { operator: "Resize", inputs: [random([0, 2], 1), undefined, tensor([2, 2])] };
    checkKernels(empty, compileResized);
  });

  it("is its input where no size changes", () => {
    const same = { operator: "Resize", inputs: [random([2, 3], 1), undefined, tensor([1, 1])] };
    checkView(same, viewResized);
    checkKernels(same, compileResized);
    const { known, types } = callsOf({ ...same, inputs: [same.inputs[0], undefined, tensor([1, 2])] });
    expect(viewResized(known, types)).toBeUndefined();
    // One pixel fewer, then so many as before: others than they were.
    const moved = { operator: "Resize", inputs: [random([4], 1), undefined, tensor([1.2])] };
    expect(viewResized(callsOf(moved).known, callsOf(moved).types)).toBeUndefined();
    checkKernels(moved, compileResized);
  });
});
