/** Trilu of numbers of every size, on either side of any diagonal. */
import { describe, expect, it } from "vitest";
import { int64s } from "../../../src/graph/operator.js";
import { compileTriangle } from "../../../src/models/kernels/triangle.js";
import { checkKernels, random, runKernels } from "./harness.js";

describe.each(["float32", "int64", "int8", "bool"] as const)("Trilu of %s", (dtype) => {
  it.each([
    [4, 4],
    [3, 9],
    [7, 2],
    [1, 1],
    [0, 3],
    [3, 0],
  ])("keeps a triangle of %i x %i", (rows, columns) => {
    for (const upper of [0, 1]) {
      for (const k of [undefined, -9e15, -4, -1, 0, 1, 3, 40]) {
        const inputs = [
          random([2, rows, columns], rows, dtype),
          k === undefined ? undefined : int64s([k], []),
        ];
        const kernelCase = { operator: "Trilu", attributes: { upper }, inputs, constants: [1] };
        checkKernels(kernelCase, compileTriangle);
      }
    }
  });
});

it("leaves a diagonal of run time to the host", () => {
  const inputs = [random([2, 2], 1), int64s([1], [])];
  expect(runKernels({ operator: "Trilu", inputs }, compileTriangle)).toBeUndefined();
});
