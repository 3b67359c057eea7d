/** Copies: transposes, slices, splits, joins and repeats of numbers of every size. */
import { describe, expect, it } from "vitest";
import type { Dtype } from "../../../src/graph/ir.js";
import { Call, int64s } from "../../../src/graph/operator.js";
import {
  compileExpanded,
  compileJoined,
  compileSlice,
  compileSplit,
  compileTiled,
  compileTransposed,
  compileWhole,
} from "../../../src/models/kernels/copy.js";
import { checkKernels, integers, type KernelCase, random, runKernels } from "./harness.js";

/** Numbers of 4, 8 and 1 bytes. */
const DTYPES: readonly Dtype[] = ["float32", "int64", "int8"];

/** Shapes whose rows are of every length that a copy distinguishes. */
function shapeOf(draw: (end: number) => number, rank: number): number[] {
  const sizes = [1, 2, 3, 4, 5, 8, 13, 33];
  const shape = Array.from({ length: rank }, () => sizes[draw(sizes.length)]!);
  while (shape.reduce((a, b) => a * b, 1) > 3000) shape[shape.indexOf(Math.max(...shape))] = 2;
  if (draw(20) === 0 && rank > 0) shape[draw(rank)] = 0;
  return shape;
}

function shuffled(draw: (end: number) => number, count: number): number[] {
  const order = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = draw(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

describe.each(DTYPES)("of %s", (dtype) => {
  it("transposes", () => {
    for (let seed = 0; seed < 150; seed++) {
      const draw = integers(seed);
      const shape = shapeOf(draw, 1 + draw(5));
      const perm = shuffled(draw, shape.length);
      const attributes = { perm };
      checkKernels(
        { operator: "Transpose", attributes, inputs: [random(shape, seed, dtype)], offset: draw(4) },
        compileTransposed,
      );
    }
  });

  it("slices with any step", () => {
    for (let seed = 0; seed < 150; seed++) {
      const draw = integers(seed + 1000);
      const shape = shapeOf(draw, 1 + draw(4));
      const step = () => [1, 1, 1, 2, 2, 3, -1, -2][draw(8)]!;
      const steps = shape.map(step);
      const starts = shape.map((size, axis) => (steps[axis]! > 0 ? draw(3) : size - 1 - draw(2)));
      const ends = shape.map((size, axis) => (steps[axis]! > 0 ? size - draw(2) : -size - 1 + draw(2)));
      const bounds = [starts, ends, shape.map((_, axis) => axis), steps].map((list) => int64s(list));
      checkKernels(
        { operator: "Slice", inputs: [random(shape, seed, dtype), ...bounds], offset: draw(4) },
        compileSlice,
      );
    }
  });

  it("splits and joins", () => {
    for (let seed = 0; seed < 100; seed++) {
      const draw = integers(seed + 2000);
      const shape = shapeOf(draw, 1 + draw(4));
      const axis = draw(shape.length);
      const parts = Array.from({ length: 1 + draw(4) }, () => draw(6));
      const inputs = parts.map((part, at) =>
        random(
          shape.map((size, other) => (other === axis ? part : size)),
          seed * 10 + at,
          dtype,
        ),
      );
      const attributes = { axis };
      checkKernels({ operator: "Concat", attributes, inputs, offset: draw(4) }, compileJoined);
      shape[axis] = parts.reduce((a, b) => a + b, 0);
      const whole = random(shape, seed, dtype);
      checkKernels(
        {
          operator: "Split",
          attributes,
          inputs: [whole, int64s(parts)],
          outputs: parts.length,
          offset: draw(4),
        },
        compileSplit,
      );
    }
  });

  it("repeats", () => {
    for (let seed = 0; seed < 100; seed++) {
      const draw = integers(seed + 3000);
      const shape = shapeOf(draw, draw(4)).map((size) => (draw(2) === 0 ? 1 : Math.min(size, 5)));
      const to = [
        ...(draw(2) === 0 ? [draw(3)] : []),
        ...shape.map((size) => (size === 1 ? 1 + draw(6) : size)),
      ];
      const from = random(shape, seed, dtype);
      checkKernels({ operator: "Expand", inputs: [from, int64s(to)], offset: draw(4) }, compileExpanded);
      const counts = shape.map(() => draw(4));
      checkKernels({ operator: "Tile", inputs: [from, int64s(counts)], offset: draw(4) }, compileTiled);
    }
  });

  it("copies as it is", () => {
    for (const size of [0, 1, 2, 3, 5, 7, 15, 16, 17, 31, 100, 1023, 5000]) {
      checkKernels({ operator: "Identity", inputs: [random([size], size, dtype)] }, compileWhole);
    }
  });
});

describe("what is not written", () => {
  it("is an output that a node has not", () => {
    const kernelCase: KernelCase = {
      operator: "Split",
      inputs: [random([4], 1), int64s([1, 3])],
      outputs: 2,
    };
    const results = runKernels(kernelCase, (node) => {
      const outputs = [undefined, node.call.node.outputs[1]];
      const call = new Call({ ...node.call.node, outputs }, node.call.inputs);
      return compileSplit({ ...node, call });
    });
    expect(new Uint8Array(results![0]!.data.buffer)).toEqual(new Uint8Array(4).fill(0xa5));
    expect(results![1]!.data).toEqual(kernelCase.inputs[0]!.data.subarray(1));
  });

  it("is an input of a Concat that was made in its place", () => {
    const inputs = [random([2, 3], 1), random([1, 3], 2)];
    let calls = 0;
    runKernels({ operator: "Concat", attributes: { axis: 0 }, inputs }, (node) => {
      const { bind } = compileJoined(node);
      return {
        bind: (place) =>
          bind({
            ...place,
            input: (at) => place.output(0) + (at === 0 ? 0 : 24),
            record: () => calls++,
          }),
      };
    });
    expect(calls).toBe(0);
  });
});
