/** Pad in its four modes, with pads that take away too. */
import { describe, expect, it } from "vitest";
import { int64s } from "../../../src/graph/operator.js";
import { compilePadded, viewPadded } from "../../../src/models/kernels/pad.js";
import { callsOf, checkKernels, checkView, integers, random, runKernels, tensor } from "./harness.js";

const MODES = ["constant", "reflect", "edge", "wrap"] as const;

describe.each(["float32", "int64", "int8", "bool"] as const)("Pad of %s", (dtype) => {
  it.each(MODES)("%s", (mode) => {
    for (let seed = 0; seed < 60; seed++) {
      const draw = integers(seed);
      const shape = Array.from({ length: 1 + draw(4) }, () => 1 + draw(6));
      const pads = [...shape, ...shape].map(() => [0, 0, 1, 2, 3, -1][draw(6)]!);
      for (const [axis, size] of shape.entries()) {
        if (size + pads[axis]! + pads[axis + shape.length]! < 0) pads[axis] = 0;
      }
      const value = tensor([1], [], dtype);
      const inputs = [random(shape, seed, dtype), int64s(pads), ...(draw(2) === 0 ? [value] : [])];
      checkKernels({ operator: "Pad", inputs, attributes: { mode }, offset: draw(3) }, compilePadded);
    }
  });
});

describe("Pad", () => {
  it("goes around an axis several times", () => {
    for (const mode of MODES) {
      for (const size of [1, 2, 3]) {
        const inputs = [random([size, 2], 1), int64s([7, 0, 8, 0])];
        checkKernels({ operator: "Pad", inputs, attributes: { mode } }, compilePadded);
      }
    }
  });

  it("has the pads of opset 2 and axes of opset 18", () => {
    const inputs = [random([2, 3], 1)];
    const attributes = { pads: [1, 0, 0, 2], value: 2.5 };
    checkKernels({ operator: "Pad", opset: 6, inputs, attributes }, compilePadded);
    const half = [tensor([1, 2, 3, 4, 5, 6], [2, 3], "float16")];
    checkKernels(
      { operator: "Pad", opset: 6, inputs: half, attributes: { ...attributes, value: 0.1 } },
      compilePadded,
    );
    const some = [random([2, 3], 1), int64s([1, 2]), undefined, int64s([-1])];
    checkKernels({ operator: "Pad", opset: 18, inputs: some }, compilePadded);
  });

  it("leaves to the host what has many pieces, and what is wrong", () => {
    const many = [random([2, 2], 1), int64s([50, 50, 50, 50])];
    expect(
      runKernels({ operator: "Pad", inputs: many, attributes: { mode: "wrap" } }, compilePadded),
    ).toBeUndefined();
    const empty = [random([0], 1), int64s([1, 1])];
    expect(
      runKernels({ operator: "Pad", inputs: empty, attributes: { mode: "edge" } }, compilePadded),
    ).toBeUndefined();
    expect(
      runKernels({ operator: "Pad", inputs: empty, attributes: { mode: "odd" } }, compilePadded),
    ).toBeUndefined();
    const values = [random([1], 1), int64s([1, 1]), tensor([1, 2])];
    expect(runKernels({ operator: "Pad", inputs: values }, compilePadded)).toBeUndefined();
    checkKernels({ operator: "Pad", inputs: empty }, compilePadded);
  });
});

describe("a view of a Pad", () => {
  const of = (shape: number[], pads: number[], mode = "constant") => ({
    operator: "Pad",
    attributes: { mode },
    inputs: [random(shape, 1), int64s(pads)],
  });
  const viewOf = (kernelCase: ReturnType<typeof of>) => {
    const { known, types } = callsOf(kernelCase);
    return viewPadded(known, types);
  };

  it("is its input within it, around which it fills", () => {
    const outer = of([1, 4, 3], [0, 2, 0, 0, 1, 0]);
    checkView(outer, viewPadded);
    expect(viewOf(outer)).toEqual({ inputs: [6] });
    expect(viewOf(of([1, 3], [2, 0, 1, 0]))).toEqual({ inputs: [6] });
    expect(viewOf(of([4, 3], [0, 0, 0, 0], "reflect"))).toEqual({ outputs: [0] });
    for (const other of [of([4, 3], [0, 1, 0, 0]), of([4, 3], [-1, 0, 3, 0]), of([4], [1, 1], "edge")]) {
      expect(viewOf(other)).toBeUndefined();
    }
  });

  it("has no copy of an input that was made there", () => {
    const records: Int32Array[] = [];
    runKernels(of([4, 3], [1, 0, 1, 0]), (node) => {
      const { bind } = compilePadded(node)!;
      return {
        bind: (place) =>
          bind({
            ...place,
            input: () => place.output(0) + 12,
            record: (words) => {
              records.push(words);
              return place.record(words);
            },
          }),
      };
    });
    // The value, then two fills.
    expect(records.map(({ length }) => length)).toEqual([2, 20]);
  });
});
