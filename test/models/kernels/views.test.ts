/** Views: that the numbers of an output lie in input 0 where a view says, or those of an input in output 0. */
import { describe, expect, it } from "vitest";
import { evaluate } from "../../../src/graph/evaluate.js";
import type { Attribute, Dtype, HostTensor, Type } from "../../../src/graph/ir.js";
import { ARRAYS } from "../../../src/graph/ir.js";
import { Call, int64s, type PlainOperator, typesOf } from "../../../src/graph/operator.js";
import { elementsIn } from "../../../src/graph/shapes.js";
import { Steps } from "../../../src/graph/steps.js";
import {
  viewCast,
  viewExpanded,
  viewGathered,
  viewJoined,
  viewSlice,
  viewSplit,
  viewTiled,
  viewTransposed,
  viewWhole,
} from "../../../src/models/kernels/views.js";
import type { View } from "../../../src/models/operator.js";
import { GRAPH_OPERATORS } from "../../support/graph-operators.js";

interface Case {
  readonly inputs: readonly HostTensor[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
}

const int = (value: number): Attribute => ({ kind: "int", value });
const ints = (...value: number[]): Attribute => ({ kind: "ints", value });

function filled(dtype: Dtype, ...shape: number[]): HostTensor {
  const data = new ARRAYS[dtype](elementsIn(shape));
  for (let at = 0; at < data.length; at++) data[at] = dtype === "bool" ? at % 2 : at - 3;
  return { dtype, shape, data };
}

const floats = (...shape: number[]) => filled("float32", ...shape);

/** What a view of the operator says, compared with its evaluation. Only inputs beside the first are constant. */
function viewed(
  name: string,
  view: (call: Call, types: readonly Type[]) => View | undefined,
  { inputs, attributes = {}, outputs = 1 }: Case,
): View | undefined {
  const values = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `${at}` }));
  const node = {
    name,
    operator: name,
    opset: 18,
    label: name,
    inputs: values(inputs.length),
    outputs: values(outputs),
    attributes: new Map(Object.entries(attributes)),
  };
  const operator = GRAPH_OPERATORS.get(name) as PlainOperator;
  const [{ dtype, shape }, ...constants] = inputs as [HostTensor, ...HostTensor[]];
  const call = new Call(node, [{ dtype, shape }, ...constants]);
  const result = view(call, typesOf(operator, call));
  const made = evaluate(operator, new Call(node, inputs), new Steps());
  if (result === undefined) return undefined;
  if ("outputs" in result) {
    expect(result.outputs.length).toBe(made.length);
    for (const [at, output] of made.entries()) {
      const array = new ARRAYS[output.dtype](inputs[0]!.data.slice().buffer);
      const begin = result.outputs[at]!;
      expect(array.slice(begin, begin + output.data.length)).toEqual(output.data);
    }
  } else {
    for (const [at, begin] of result.inputs.entries()) {
      const { data } = inputs[at]!;
      expect(made[0]!.data.slice(begin, begin + data.length)).toEqual(data);
    }
  }
  return result;
}

const at = (...outputs: number[]): View => ({ outputs });

it("sees the same numbers in another shape", () => {
  expect(viewed("Identity", viewWhole, { inputs: [floats(2, 3)] })).toEqual(at(0));
  expect(viewed("Reshape", viewWhole, { inputs: [floats(2, 3), int64s([3, -1])] })).toEqual(at(0));
  expect(viewed("Unsqueeze", viewWhole, { inputs: [floats(2, 3), int64s([0, 3])] })).toEqual(at(0));
  expect(viewed("Squeeze", viewWhole, { inputs: [floats(2, 1)] })).toEqual(at(0));
  expect(viewed("Flatten", viewWhole, { inputs: [floats(2, 3, 2)] })).toEqual(at(0));
  expect(viewed("Dropout", viewWhole, { inputs: [floats(0, 3)] })).toEqual(at(0));
});

describe("Transpose", () => {
  const transposed = (shape: number[], ...perm: number[]) =>
    viewed("Transpose", viewTransposed, { inputs: [floats(...shape)], attributes: { perm: ints(...perm) } });

  it("sees the input where only axes of size 1 move", () => {
    expect(transposed([1, 5, 3], 1, 0, 2)).toEqual(at(0));
    expect(transposed([1, 5, 1, 3], 3, 1, 0, 2)).toBeUndefined();
    expect(transposed([4, 1, 3, 1], 1, 0, 3, 2)).toEqual(at(0));
    expect(transposed([0, 2, 3], 2, 1, 0)).toEqual(at(0));
    expect(transposed([2, 3], 1, 0)).toBeUndefined();
  });
});

describe("Slice", () => {
  const sliced = (shape: number[], starts: number[], ends: number[], axes: number[], steps: number[]) =>
    viewed("Slice", viewSlice, {
      inputs: [floats(...shape), int64s(starts), int64s(ends), int64s(axes), int64s(steps)],
    });

  it("sees rows that follow one another", () => {
    expect(sliced([6, 4], [2], [5], [0], [1])).toEqual(at(8));
    expect(sliced([1, 6, 4], [-2], [99], [1], [1])).toEqual(at(16));
    // One row of any step, and a part of one row.
    expect(sliced([6, 4], [3], [2], [0], [-3])).toEqual(at(12));
    expect(sliced([6, 4], [3, 1], [4, 3], [0, 1], [1, 1])).toEqual(at(13));
    expect(sliced([6, 4], [4], [2], [0], [1])).toEqual(at(0));
  });

  it("moves others", () => {
    expect(sliced([6, 4], [0], [6], [0], [2])).toBeUndefined();
    expect(sliced([6, 4], [1], [4], [1], [1])).toBeUndefined();
    expect(sliced([6], [5], [-9], [0], [-1])).toBeUndefined();
  });
});

describe("Split", () => {
  const split = (shape: number[], axis: number, parts: number[]) =>
    viewed("Split", viewSplit, {
      inputs: [floats(...shape), int64s(parts)],
      attributes: { axis: int(axis) },
      outputs: parts.length,
    });

  it("sees its parts where the axis is the outermost", () => {
    expect(split([6, 4], 0, [1, 0, 5])).toEqual(at(0, 0, 4));
    expect(split([1, 1, 6, 2], 2, [4, 2])).toEqual(at(0, 8));
    expect(split([2, 6], 1, [3, 3])).toBeUndefined();
  });
});

describe("Gather", () => {
  const gathered = (shape: number[], axis: number, indices: HostTensor) =>
    viewed("Gather", viewGathered, { inputs: [floats(...shape), indices], attributes: { axis: int(axis) } });

  it("sees a row, or rows that follow one another", () => {
    expect(gathered([6, 4], 0, int64s([2], []))).toEqual(at(8));
    expect(gathered([1, 6, 4], 1, int64s([-1], []))).toEqual(at(20));
    expect(gathered([6, 4], 0, int64s([2, 3, 4, 5], [2, 2]))).toEqual(at(8));
    expect(gathered([6, 4], 0, int64s([]))).toEqual(at(0));
    expect(gathered([6, 4], 1, int64s([1], []))).toBeUndefined();
    expect(gathered([6, 4], 0, int64s([2, 1]))).toBeUndefined();
    expect(gathered([6, 4], 0, int64s([0, 1, 3]))).toBeUndefined();
  });

  it("leaves an index that is wrong to the host", () => {
    const wrong = new Call(
      { name: "", operator: "", opset: 18, label: "", inputs: [], outputs: [], attributes: new Map() },
      [{ dtype: "float32", shape: [6, 4] }, int64s([6])],
    );
    expect(viewGathered(wrong, [{ dtype: "float32", shape: [1, 4] }])).toBeUndefined();
  });
});

describe("Concat", () => {
  const joined = (axis: number, ...inputs: HostTensor[]) =>
    viewed("Concat", viewJoined, { inputs, attributes: { axis: int(axis) } });

  it("has its inputs made in its output where the axis is the outermost", () => {
    expect(joined(0, floats(2, 3), floats(0, 3), floats(1, 3))).toEqual({ inputs: [0, 6, 6] });
    expect(joined(1, floats(1, 2, 3), floats(1, 4, 3))).toEqual({ inputs: [0, 6] });
    expect(joined(1, floats(2, 3), floats(2, 3))).toBeUndefined();
    expect(joined(1, floats(2, 3))).toEqual(at(0));
  });
});

it("sees the input where nothing is repeated", () => {
  const expanded = (to: number[]) => viewed("Expand", viewExpanded, { inputs: [floats(1, 3), int64s(to)] });
  expect(expanded([1, 1, 3])).toEqual(at(0));
  expect(expanded([2, 3])).toBeUndefined();
  const tiled = (...counts: number[]) =>
    viewed("Tile", viewTiled, { inputs: [floats(1, 3), int64s(counts)] });
  expect(tiled(1, 1)).toEqual(at(0));
  expect(tiled(2, 1)).toBeUndefined();
  expect(tiled(0, 1)).toEqual(at(0));
});

describe("Cast", () => {
  const NUMBERED: Readonly<Partial<Record<Dtype, number>>> = {
    float32: 1,
    uint8: 2,
    int8: 3,
    int32: 6,
    int64: 7,
    bool: 9,
    float16: 10,
    float64: 11,
    bfloat16: 16,
  };
  const cast = (from: Dtype, to: Dtype) =>
    viewed("Cast", viewCast, { inputs: [filled(from, 2, 3)], attributes: { to: int(NUMBERED[to]!) } });

  it.each([
    ["float32", "float64"],
    ["float64", "float32"],
    ["float16", "float32"],
    ["float16", "float16"],
    ["bool", "uint8"],
    ["int8", "uint8"],
    ["uint8", "int8"],
    ["int64", "int64"],
  ] as const)("sees %s as %s", (from, to) => expect(cast(from, to)).toEqual(at(0)));

  it.each([
    ["float32", "float16"],
    ["float32", "bfloat16"],
    ["uint8", "bool"],
    ["int64", "int32"],
    ["int32", "float32"],
    ["int64", "float32"],
  ] as const)("makes %s of %s anew", (from, to) => expect(cast(from, to)).toBeUndefined());
});
