/** Arithmetic, reductions and numbers of eight bits on the host, compared with ONNX's definitions worked out by hand. */
import { describe, expect, it } from "vitest";
import { ARRAYS, type Dtype, type HostTensor } from "../../src/graph/ir.js";
import { floatsOf, runGraph, runModel } from "../support/host-graph.js";
import { type AttributeValue, model, node } from "../support/onnx-writer.js";

type Attributes = Record<string, AttributeValue>;

const of = (dtype: Dtype, shape: readonly number[], ...numbers: number[]): HostTensor => ({
  dtype,
  shape,
  data: ARRAYS[dtype].from(numbers),
});

/** One node of these inputs. */
function apply(operator: string, inputs: readonly HostTensor[], attributes: Attributes = {}, opset = 20) {
  const named = Object.fromEntries(inputs.map((input, at) => [`in${at}`, input]));
  return runGraph({ nodes: [node(operator, Object.keys(named), ["y"], { attributes })] }, named, [], opset);
}

const numbersOf = ({ data }: HostTensor): number[] => Array.from(data);

describe("two integers", () => {
  const ints = (...numbers: number[]) => of("int32", [numbers.length], ...numbers);

  it.each<[string, string, HostTensor, HostTensor, number[], Attributes]>([
    ["are divided towards 0", "Div", ints(7, -7, 7, -7), ints(2, 2, -2, -2), [3, -3, -3, 3], {}],
    ["divide to 0 where the divisor is 0", "Div", ints(5, -5, 0), ints(0, 0, 0), [0, 0, 0], {}],
    ["have the divisor's sign in Mod", "Mod", ints(7, -7, 7, -7), ints(3, 3, -3, -3), [1, 2, -2, -1], {}],
    [
      "have the dividend's with fmod",
      "Mod",
      ints(7, -7, 7, -7),
      ints(3, 3, -3, -3),
      [1, -1, 1, -1],
      { fmod: 1 },
    ],
    ["leave 0 where the divisor is 0", "Mod", ints(7, -7), ints(0, 0), [0, 0], {}],
    ["leave 0 with fmod and a divisor of 0", "Mod", ints(7, -7), ints(0, 0), [0, 0], { fmod: 1 }],
    ["wrap in products", "Mul", ints(65537, 3), ints(65537, -5), [131073, -15], {}],
    ["lose the fraction of powers", "Pow", ints(3, 2, -2), ints(4, -1, 3), [81, 0, -8], {}],
  ])("%s", (_, operator, a, b, expected, attributes) => {
    const y = apply(operator, [a, b], attributes);
    expect(y.dtype).toBe("int32");
    expect(numbersOf(y)).toEqual(expected);
  });
});

describe("two floats", () => {
  const floats = (...numbers: number[]) => floatsOf([numbers.length], ...numbers);

  it.each<[string, HostTensor, HostTensor, number[], Attributes]>([
    ["the divisor's sign", floats(5.5, -5.5, 5.5, -5.5), floats(2, 2, -2, -2), [1.5, 0.5, -0.5, -1.5], {}],
    ["a zero of the divisor's sign", floats(4, -4, 4, -4), floats(2, 2, -2, -2), [0, 0, -0, -0], {}],
    ["an infinite divisor", floats(3, -3), floats(Infinity, Infinity), [3, Infinity], {}],
    ["no number for a divisor of 0", floats(3), floats(0), [Number.NaN], {}],
    ["fmod: the dividend's sign", floats(5.5, -5.5), floats(-2, 2), [1.5, -1.5], { fmod: 1 }],
    ["fmod: no number for a divisor of 0", floats(3), floats(0), [Number.NaN], { fmod: 1 }],
  ])("have in Mod %s", (_, a, b, expected, attributes) => {
    expect(numbersOf(apply("Mod", [a, b], attributes))).toEqual(expected);
  });

  it("of other types are a base and its exponent", () => {
    const y = apply("Pow", [floats(2, 1.5), of("int64", [2], 3, 2)]);
    expect(y).toEqual(floats(8, 2.25));
  });
});

describe("before opset 7", () => {
  const matrix = floatsOf([2, 3], 1, 2, 3, 4, 5, 6);

  it.each<[string, number]>([
    ["from the first", 0],
    ["from the last", -2],
  ])("the second input lies at an axis counted %s", (_, axis) => {
    const y = apply("Add", [matrix, floatsOf([2], 10, 20)], { broadcast: 1, axis }, 6);
    expect(y).toEqual(floatsOf([2, 3], 11, 12, 13, 24, 25, 26));
  });

  it("slopes of a PRelu are of channels", () => {
    const y = apply("PRelu", [floatsOf([1, 2, 2], -1, 2, -3, 4), floatsOf([2], 10, 100)], {}, 6);
    expect(y).toEqual(floatsOf([1, 2, 2], -10, 2, -300, 4));
  });

  it.each([2, -3])("an axis of %i does not fit", (axis) => {
    expect(() => apply("Add", [matrix, floatsOf([2], 10, 20)], { broadcast: 1, axis }, 6)).toThrow(
      `attribute axis: ${axis} does not fit the inputs`,
    );
  });
});

describe("refused pairs", () => {
  const two = floatsOf([2], 1, 2);
  it.each<[string, string, readonly HostTensor[], string]>([
    ["shapes", "Add", [two, floatsOf([3], 1, 2, 3)], "shapes [2] and [3] do not fit each other"],
    ["types", "Add", [two, of("int64", [2], 1, 2)], "inputs of float32 and int64; they must be of one type"],
    ["types of Max", "Max", [two, of("int32", [2], 1, 2)], "input 1 of int32 is not supported"],
    [
      "types of Where",
      "Where",
      [of("bool", [2], 1, 0), two, of("int64", [2], 1, 2)],
      "inputs of float32 and int64",
    ],
    ["conditions", "Where", [two, two, two], "input 0 of float32 is not supported"],
  ])("%s", (_, operator, inputs, message) => {
    expect(() => apply(operator, inputs)).toThrow(message);
  });
});

describe("reductions", () => {
  it("of integers have whole means", () => {
    expect(apply("ReduceMean", [of("int32", [2, 3], 1, 2, 4, -1, -2, -4)], { axes: [1] }, 13)).toEqual(
      of("int32", [2, 1], 2, -2),
    );
  });

  it.each<Dtype>(["int64", "int32"])("of %s have a whole length", (dtype) => {
    expect(apply("ReduceL2", [of(dtype, [2], 3, 5)], { keepdims: 0 })).toEqual(of(dtype, [], 5));
  });

  it.each<[string, readonly HostTensor[]]>([
    ["ReduceSum", [of("int64", [3], 2 ** 52, 2 ** 52, -(2 ** 52))]],
    ["ReduceMean", [of("int64", [3], 2 ** 52, 2 ** 52, -(2 ** 52))]],
    ["MatMul", [of("int64", [3], 2 ** 52, 2 ** 52, -(2 ** 52)), of("int64", [3], 1, 1, 1)]],
    ["MatMul", [of("int64", [2], 2 ** 30 + 1, 2 ** 30), of("int64", [2], 2 ** 30 + 1, -(2 ** 30))]],
  ])("%s of int64 are refused where a part is not exact", (operator, inputs) => {
    expect(() => apply(operator, inputs)).toThrow("is not within 2^53");
  });

  it.each(["ArgMax", "ArgMin"])("%s of no numbers is refused", (operator) => {
    expect(() => apply(operator, [floatsOf([2, 0])], { axis: 1 })).toThrow("axis 1 is of size 0");
  });
});

describe("TopK", () => {
  const x = floatsOf([2, 4], 1, 3, 3, 2, 8, 5, 6, 7);

  function top(k: number | undefined, attributes: Attributes = {}, opset = 20) {
    const inputs: Record<string, HostTensor> = { x };
    if (k !== undefined) inputs.k = of("int64", [1], k);
    const nodes = [node("TopK", Object.keys(inputs), ["y", "at"], { attributes })];
    const main = { nodes, inputs: Object.keys(inputs), outputs: ["y", "at"] };
    const outputs = runModel(model(main, [], opset), inputs);
    return [outputs.get("y"), outputs.get("at")];
  }

  it.each<[string, number | undefined, Attributes, number, HostTensor, number[]]>([
    ["the largest, of equal ones the first", 2, {}, 20, floatsOf([2, 2], 3, 3, 8, 7), [1, 2, 0, 3]],
    ["the smallest", 3, { largest: 0 }, 20, floatsOf([2, 3], 1, 2, 3, 5, 6, 7), [0, 3, 1, 1, 2, 3]],
    ["those along another axis", 1, { axis: 0 }, 20, floatsOf([1, 4], 8, 5, 6, 7), [1, 1, 1, 1]],
    ["none", 0, {}, 20, floatsOf([2, 0]), []],
    ["as many as opset 9's attribute says", undefined, { k: 1 }, 9, floatsOf([2, 1], 3, 8), [1, 0]],
  ])("takes %s", (_, k, attributes, opset, values, places) => {
    expect(top(k, attributes, opset)).toEqual([values, of("int64", values.shape, ...places)]);
  });

  it.each<[number | undefined, number]>([
    [5, 5],
    [-2, -2],
    [undefined, -1],
  ])("refuses a k of %s", (k, shown) => {
    expect(() => top(k)).toThrow(`k is ${shown}, and axis 1 of size 4`);
  });
});

describe("DynamicQuantizeLinear", () => {
  function quantised(...numbers: number[]) {
    const nodes = [node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])];
    const main = { nodes, inputs: ["x"], outputs: ["y", "scale", "zero"] };
    const outputs = runModel(model(main, [], 20), { x: floatsOf([numbers.length], ...numbers) });
    return ["y", "scale", "zero"].map((name) => outputs.get(name));
  }

  it("has the numbers of the standard's example", () => {
    expect(quantised(0, 2, -3, -2.5, 1.34, 0.5)).toEqual([
      of("uint8", [6], 153, 255, 0, 26, 221, 179),
      floatsOf([], 5 / 255),
      of("uint8", [], 153),
    ]);
  });

  it("makes zeros of zeros", () => {
    expect(quantised(0, 0)).toEqual([of("uint8", [2], 0, 0), floatsOf([], 0), of("uint8", [], 0)]);
  });
});

describe("DequantizeLinear", () => {
  const x = of("int8", [2, 4], 1, 2, 3, 4, -5, -6, -7, -8);
  const float16Third = 1365 / 4096;

  it.each<[string, readonly HostTensor[], Attributes, number[]]>([
    ["one scale", [x, floatsOf([], 0.5)], {}, [0.5, 1, 1.5, 2, -2.5, -3, -3.5, -4]],
    [
      "one scale and zero point",
      [x, floatsOf([1], 2), of("int8", [1], 1)],
      {},
      [0, 2, 4, 6, -12, -14, -16, -18],
    ],
    ["columns", [x, floatsOf([4], 1, 10, 100, 1000)], {}, [1, 20, 300, 4000, -5, -60, -700, -8000]],
    [
      "rows with zero points",
      [x, floatsOf([2], 1, 10), of("int8", [2], 1, -5)],
      { axis: -2 },
      [0, 1, 2, 3, 0, -10, -20, -30],
    ],
    [
      "blocks of a row, the last one shorter",
      [x, floatsOf([2, 2], 1, 10, 100, 1000)],
      { axis: 1, block_size: 3 },
      [1, 2, 3, 40, -500, -600, -700, -8000],
    ],
    [
      "blocks of a column",
      [x, floatsOf([1, 4], 1, 2, 3, 4), of("int8", [1, 4], 1, 1, 1, 1)],
      { axis: 0, block_size: 2 },
      [0, 2, 6, 12, -6, -14, -24, -36],
    ],
  ])("scales by %s", (_, inputs, attributes, expected) => {
    expect(apply("DequantizeLinear", inputs, attributes, 23)).toEqual(floatsOf([2, 4], ...expected));
  });

  it("gives the type that is stated", () => {
    const y = apply("DequantizeLinear", [of("int8", [1], 1), floatsOf([], 1 / 3)], { output_dtype: 10 }, 23);
    expect(y).toEqual(of("float16", [1], float16Third));
  });

  it.each<[string, readonly HostTensor[], Attributes, string]>([
    ["floats", [floatsOf([1], 1), floatsOf([], 1)], {}, "input 0 of float32 is not supported"],
    ["integers as scales", [x, of("int32", [], 1)], {}, "input 1 of int32 is not supported"],
    ["scales of another size", [x, floatsOf([3], 1, 1, 1)], {}, "scales of shape [3] for axis 1 of size 4"],
    [
      "a matrix of scales without blocks",
      [x, floatsOf([2, 1], 1, 1)],
      { axis: 0 },
      "scales of shape [2, 1] for axis 0 of size 2",
    ],
    [
      "scales that are not one for each block",
      [x, floatsOf([2, 4], 1, 1, 1, 1, 1, 1, 1, 1)],
      { block_size: 2 },
      "scales of shape [2, 4]; expected [2, 2]",
    ],
    [
      "blocks of a negative size",
      [x, floatsOf([2, 4], ...Array(8).fill(1))],
      { block_size: -1 },
      "scales of shape [2, 4]",
    ],
    [
      "another number of zero points",
      [x, floatsOf([4], 1, 1, 1, 1), of("int8", [2], 0, 0)],
      {},
      "zero points that do not fit the scales",
    ],
    [
      "a type of integers",
      [x, floatsOf([], 1)],
      { output_dtype: 7 },
      "attribute output_dtype: 7 is not supported",
    ],
    [
      "an unknown type",
      [x, floatsOf([], 1)],
      { output_dtype: 99 },
      "attribute output_dtype: 99 is not supported",
    ],
  ])("refuses %s", (_, inputs, attributes, message) => {
    expect(() => apply("DequantizeLinear", inputs, attributes, 23)).toThrow(message);
  });
});

describe("DynamicQuantizeLSTM", () => {
  const names = ["x", "w", "r", "", "", "", "", "", "ws", "wz", "rs", "rz"];
  const fitting: Record<string, HostTensor> = {
    x: floatsOf([1, 1, 1], 1),
    w: of("int8", [1, 1, 4], 1, 2, 3, 4),
    r: of("int8", [1, 1, 4], 1, 2, 3, 4),
    ws: floatsOf([1], 0.5),
    wz: of("int8", [1], 1),
    rs: floatsOf([1], 1),
    rz: of("int8", [1], 0),
  };

  function run(changed: Record<string, HostTensor>) {
    const attributes = { hidden_size: 1 };
    const nodes = [node("DynamicQuantizeLSTM", names, ["y"], { domain: "com.microsoft", attributes })];
    return runGraph({ nodes }, { ...fitting, ...changed });
  }

  it("is the LSTM of the weights that its numbers stand for", () => {
    // The rows of W are those of the input, output, forget and cell gates: 0, 0.5, 1 and 1.5.
    const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
    const cell = sigmoid(0) * Math.tanh(1.5);
    expect(run({}).data[0]).toBeCloseTo(sigmoid(0.5) * Math.tanh(cell), 6);
  });

  it.each<[string, Record<string, HostTensor>, string]>([
    ["weights of two axes", { w: of("int8", [1, 4], 1, 2, 3, 4) }, "input 1 of 2 axes"],
    ["a scale more", { ws: floatsOf([2], 1, 1) }, "scales and zero points of input 1 do not fit it"],
    [
      "two scales for four rows",
      { rs: floatsOf([1, 2], 1, 1), rz: of("int8", [1, 2], 0, 0) },
      "scales and zero points of input 2 do not fit it",
    ],
  ])("refuses %s", (_, changed, message) => {
    expect(() => run(changed)).toThrow(message);
  });
});
