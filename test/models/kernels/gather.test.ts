/** Rows by indices: Gather and ScatterND, by indices that are constant and by those that are not. */
import { describe, expect, it } from "vitest";
import type { Dtype, HostTensor } from "../../../src/graph/ir.js";
import { int64s } from "../../../src/graph/operator.js";
import { elementsIn } from "../../../src/graph/shapes.js";
import { compileGathered } from "../../../src/models/kernels/gather.js";
import { compileScattered } from "../../../src/models/kernels/scatter.js";
import type { Place } from "../../../src/models/operator.js";
import { checkKernels, integers, type KernelCase, random, runKernels, tensor } from "./harness.js";

type Draw = (end: number) => number;

const shapeOf = (draw: Draw, rank: number) => Array.from({ length: rank }, () => 1 + draw(7));

/** Indices of both types, some of them counted from the end. */
function indicesOf(draw: Draw, shape: readonly number[], sizes: readonly number[]): HostTensor {
  const numbers = Array.from({ length: elementsIn(shape) }, (_, at) => {
    const size = sizes[at % sizes.length]!;
    return draw(2 * size) - size;
  });
  return tensor(numbers, shape, "int64");
}

function checkBoth(kernelCase: KernelCase, compile: Parameters<typeof checkKernels>[1]): void {
  checkKernels(kernelCase, compile);
  checkKernels({ ...kernelCase, constants: [1] }, compile);
}

describe.each(["float32", "int64", "uint8"] as const)("Gather of %s", (dtype: Dtype) => {
  it("takes rows", () => {
    for (let seed = 0; seed < 120; seed++) {
      const draw = integers(seed);
      const shape = shapeOf(draw, 1 + draw(4));
      const axis = draw(shape.length);
      const list = Array.from({ length: draw(3) }, () => 1 + draw(5));
      let indices = indicesOf(draw, list, [shape[axis]!]);
      if (draw(2) === 0) indices = { ...indices, dtype: "int32", data: Int32Array.from(indices.data) };
      const inputs = [random(shape, seed, dtype), indices];
      checkBoth({ operator: "Gather", attributes: { axis }, inputs, offset: draw(3) }, compileGathered);
    }
  });
});

describe("Gather", () => {
  it("takes rows by regular indices, as a Slice does", () => {
    const inputs = [random([6, 3], 1), int64s([-1, 3, 1])];
    let records = 0;
    const kernelCase = { operator: "Gather", inputs, constants: [1] };
    runKernels(kernelCase, (node) => {
      const compiled = compileGathered(node)!;
      expect(compiled.scratchBytes).toBeUndefined();
      const record = (place: Place) => (words: Int32Array) => {
        records++;
        return place.record(words);
      };
      return { bind: (place) => compiled.bind({ ...place, record: record(place) }) };
    });
    expect(records).toBe(1);
    checkKernels(kernelCase, compileGathered);
  });

  it("takes windows, whose indices are regular along two axes", () => {
    const indices = int64s([0, 1, 2, 2, 3, 4, 4, 5, -1], [3, 3]);
    const windows = { operator: "Gather", attributes: { axis: 1 }, inputs: [random([2, 7, 2], 1), indices] };
    checkBoth(windows, compileGathered);
    let scratch: number | undefined = -1;
    runKernels({ ...windows, constants: [1] }, (node) => {
      const compiled = compileGathered(node)!;
      scratch = compiled.scratchBytes;
      return compiled;
    });
    expect(scratch).toBeUndefined();
  });

  it("takes no rows, and rows of no numbers", () => {
    checkKernels(
      { operator: "Gather", inputs: [random([6, 3], 1), int64s([])], constants: [1] },
      compileGathered,
    );
    const empty = [random([6, 0], 1), int64s([1, 1])];
    checkKernels({ operator: "Gather", inputs: empty, constants: [1] }, compileGathered);
    // Of these the host has to say whether an index is wrong.
    expect(runKernels({ operator: "Gather", inputs: empty }, compileGathered)).toBeUndefined();
  });

  it.each([4, -5, 2 ** 53, -(2 ** 40)])("names an index of %i that has no place", (index) => {
    const inputs = [random([4, 2], 1), int64s([1, index])];
    expect(() => runKernels({ operator: "Gather", inputs }, compileGathered)).toThrow(
      `onnx: Gather node: index ${index} is not in an axis of size 4`,
    );
    expect(runKernels({ operator: "Gather", inputs, constants: [1] }, compileGathered)).toBeUndefined();
  });
});

describe.each(["float32", "int64", "uint8"] as const)("ScatterND of %s", (dtype: Dtype) => {
  it("puts rows, the last one of those with one place", () => {
    for (let seed = 0; seed < 120; seed++) {
      const draw = integers(seed + 500);
      const shape = shapeOf(draw, 1 + draw(4));
      const depth = 1 + draw(shape.length);
      const list = Array.from({ length: draw(3) }, () => 1 + draw(4));
      const indices = indicesOf(draw, [...list, depth], shape.slice(0, depth));
      const updates = random([...list, ...shape.slice(depth)], seed + 1, dtype);
      const inputs = [random(shape, seed, dtype), indices, updates];
      checkBoth({ operator: "ScatterND", inputs, offset: draw(3) }, compileScattered);
    }
  });
});

describe("ScatterND", () => {
  it("puts a box of numbers by one copy", () => {
    const [rows, columns] = [
      [1, 2],
      [0, 2, 4],
    ];
    const indices = rows.flatMap((row) => columns.flatMap((column) => [row, column]));
    const inputs = [random([4, 6, 3], 1), int64s(indices, [2, 3, 2]), random([2, 3, 3], 2)];
    checkBoth({ operator: "ScatterND", inputs }, compileScattered);
    const again = [random([4], 1), int64s([1, 1], [2, 1]), random([2], 2)];
    checkBoth({ operator: "ScatterND", inputs: again }, compileScattered);
  });

  it.each(["add", "mul", "max", "min"])("has the reduction %s of float32", (reduction) => {
    for (const width of [1, 3, 4, 9]) {
      const inputs = [random([5, width], 1), int64s([0, 3, 3, -1, 0], [5, 1]), random([5, width], 2)];
      inputs[2]!.data[0] = Number.NaN;
      checkBoth({ operator: "ScatterND", inputs, attributes: { reduction }, opset: 18 }, compileScattered);
    }
    const whole = [random([5], 1, "int64"), int64s([0], [1, 1]), random([1], 2, "int64")];
    const kernelCase = { operator: "ScatterND", inputs: whole, attributes: { reduction }, opset: 18 };
    expect(runKernels(kernelCase, compileScattered)).toBeUndefined();
  });

  it("names an index that has no place", () => {
    const inputs = [random([4, 2], 1), int64s([1, 1, 1, 2], [2, 2]), random([2], 1)];
    expect(() => runKernels({ operator: "ScatterND", inputs }, compileScattered)).toThrow(
      "onnx: ScatterND node: index 2 is not in an axis of size 2",
    );
    expect(runKernels({ operator: "ScatterND", inputs, constants: [1] }, compileScattered)).toBeUndefined();
  });
});
