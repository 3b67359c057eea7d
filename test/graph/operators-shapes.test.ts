/** Shapes, constants and casts on the host: what ONNX's definitions make of them, and what is refused. */
import { describe, expect, it } from "vitest";
import { ARRAYS, type Dtype, type HostTensor } from "../../src/graph/ir.js";
import { floatsOf, runGraph } from "../support/host-graph.js";
import { type AttributeValue, node, tensor } from "../support/onnx-writer.js";

type Attributes = Record<string, AttributeValue>;

const of = (dtype: Dtype, shape: readonly number[], ...numbers: number[]): HostTensor => ({
  dtype,
  shape,
  data: ARRAYS[dtype].from(numbers),
});
const int64s = (...numbers: number[]) => of("int64", [numbers.length], ...numbers);
/** Numbers 0, 1, 2 and so on in a shape. */
const counted = (...shape: number[]): HostTensor =>
  floatsOf(shape, ...Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => at));

/** One node of these inputs; an undefined one is left out. */
function apply(
  operator: string,
  inputs: readonly (HostTensor | undefined)[],
  attributes: Attributes = {},
  opset = 20,
  outputs: readonly string[] = ["y"],
) {
  const names = inputs.map((input, at) => (input === undefined ? "" : `in${at}`));
  const named = inputs.flatMap((input, at) => (input === undefined ? [] : [[`in${at}`, input] as const]));
  return runGraph(
    { nodes: [node(operator, names, outputs, { attributes })] },
    Object.fromEntries(named),
    [],
    opset,
  );
}

describe("a shape that changes", () => {
  it.each<[string, string, readonly (HostTensor | undefined)[], Attributes, number, number[]]>([
    ["copies sizes", "Reshape", [counted(2, 6), int64s(0, 3, 2)], {}, 20, [2, 3, 2]],
    ["finds a size", "Reshape", [counted(2, 6), int64s(4, -1)], {}, 20, [4, 3]],
    ["has zeros that copy nothing", "Reshape", [counted(0, 3), int64s(3, 0)], { allowzero: 1 }, 20, [3, 0]],
    ["loses every axis of size 1", "Squeeze", [counted(1, 2, 1)], {}, 20, [2]],
    ["loses the axes that are named", "Squeeze", [counted(1, 2, 1), int64s(-1)], {}, 20, [1, 2]],
    ["loses those of opset 11's attribute", "Squeeze", [counted(1, 2, 1)], { axes: [0] }, 11, [2, 1]],
    ["gets axes where they will be", "Unsqueeze", [counted(2, 3), int64s(-1, 0)], {}, 20, [1, 2, 3, 1]],
    ["is flat from axis 1 on", "Flatten", [counted(2, 3, 4)], {}, 20, [2, 12]],
    ["is one row", "Flatten", [counted(2, 3, 4)], { axis: 0 }, 20, [1, 24]],
    ["is one column", "Flatten", [counted(2, 3, 4)], { axis: 3 }, 20, [24, 1]],
    ["is flat from the last axis on", "Flatten", [counted(2, 3, 4)], { axis: -1 }, 20, [6, 4]],
    [
      "stays without a mask",
      "Dropout",
      [counted(2, 3), floatsOf([], 0.5), of("bool", [], 0)],
      {},
      20,
      [2, 3],
    ],
    ["stays without a training mode", "Dropout", [counted(2, 3), floatsOf([], 0.5)], {}, 20, [2, 3]],
  ])("%s", (_, operator, inputs, attributes, opset, shape) => {
    expect(apply(operator, inputs, attributes, opset)).toEqual(counted(...shape));
  });

  it.each<[string, string, readonly (HostTensor | undefined)[], string]>([
    ["no new shape", "Reshape", [counted(2)], "no shape is given"],
    [
      "a copy of no axis",
      "Reshape",
      [counted(6), int64s(6, 0)],
      "the new shape copies axis 1, which the input has not",
    ],
    ["sizes that do not divide", "Reshape", [counted(6), int64s(-1, 4)], "shape [6] does not become [-1, 4]"],
    ["any size beside 0", "Reshape", [counted(0), int64s(0, -1)], "shape [0] does not become [0, -1]"],
    ["fewer numbers", "Reshape", [counted(2, 3), int64s(5)], "shape [2, 3] does not become [5]"],
    ["two free sizes", "Reshape", [counted(6), int64s(-1, -1)], "no such shape: [-6, -1]"],
    ["an axis of size 2", "Squeeze", [counted(1, 2), int64s(1)], "axis 1 of shape [1, 2] is not of size 1"],
    ["no axes", "Unsqueeze", [counted(2)], "no axes are given"],
    ["one axis twice", "Unsqueeze", [counted(2), int64s(0, -3)], "axes [0, -3] repeat one"],
    [
      "training",
      "Dropout",
      [counted(2), floatsOf([], 0.5), of("bool", [], 1)],
      "training mode is not supported",
    ],
  ])("is refused with %s", (_, operator, inputs, message) => {
    expect(() => apply(operator, inputs)).toThrow(message);
  });

  it("is refused with a mask", () => {
    expect(() => apply("Dropout", [counted(2)], {}, 20, ["y", "mask"])).toThrow(
      "output mask is not supported",
    );
  });
});

describe("what is told of a shape", () => {
  it.each<[Attributes, number[]]>([
    [{}, [2, 3, 4]],
    [{ start: 1 }, [3, 4]],
    [{ end: -1 }, [2, 3]],
    [{ start: -2, end: 9 }, [3, 4]],
    [{ start: -9, end: 1 }, [2]],
    [{ start: 2, end: 1 }, []],
  ])("is its part of %j", (attributes, expected) => {
    expect(apply("Shape", [counted(2, 3, 4)], attributes)).toEqual(int64s(...expected));
  });

  it("is the number of its elements", () => {
    expect(apply("Size", [counted(2, 3, 4)])).toEqual(of("int64", [], 24));
  });
});

describe("Constant", () => {
  const halves = tensor("", { dims: [2], raw: Float32Array.of(0.5, 1.5) });

  it.each<[string, Attributes, HostTensor]>([
    ["a tensor", { value: { tensor: halves } }, floatsOf([2], 0.5, 1.5)],
    ["an integer", { value_int: 3 }, of("int64", [], 3)],
    ["integers", { value_ints: [3, 4] }, int64s(3, 4)],
    ["a float", { value_float: { float: 0.25 } }, floatsOf([], 0.25)],
    ["floats", { value_floats: { floats: [0.25, 2] } }, floatsOf([2], 0.25, 2)],
  ])("holds %s", (_, attributes, expected) => {
    expect(apply("Constant", [], attributes)).toEqual(expected);
  });

  it("is refused without a value, and with text", () => {
    expect(() => apply("Constant", [])).toThrow("it has no value");
    expect(() => apply("Constant", [], { value_string: "a" })).toThrow(
      'attribute "value_string" is not known',
    );
  });
});

describe("ConstantOfShape", () => {
  it("holds zeros, or what is stated in its type", () => {
    expect(apply("ConstantOfShape", [int64s(2, 1)])).toEqual(floatsOf([2, 1], 0, 0));
    const seven = tensor("", { type: 7, dims: [1], raw: BigInt64Array.of(7n) });
    expect(apply("ConstantOfShape", [int64s(2)], { value: { tensor: seven } })).toEqual(int64s(7, 7));
  });
});

describe("Range", () => {
  const range = (...numbers: number[]) =>
    apply(
      "Range",
      numbers.map((number) => of("float32", [], number)),
    );

  it.each<[number[], number[]]>([
    [
      [1, 2.5, 0.5],
      [1, 1.5, 2],
    ],
    [
      [1, 2.25, 0.5],
      [1, 1.5, 2],
    ],
    [
      [3, 0, -2],
      [3, 1],
    ],
    [[3, 0, 1], []],
  ])("of start, limit and step %j", (given, expected) => {
    expect(range(...given)).toEqual(floatsOf([expected.length], ...expected));
  });

  it("of a step of 0 is refused", () => {
    expect(() => range(0, 1, 0)).toThrow("a step of 0");
  });
});

describe("Cast", () => {
  const x = floatsOf([4], -1.75, 0, 0.1, 300);

  it.each<[string, AttributeValue, number, HostTensor]>([
    ["truncates to int64", 7, 20, int64s(-1, 0, 0, 300)],
    ["truncates to int32", 6, 20, of("int32", [4], -1, 0, 0, 300)],
    ["tells zeros from others", 9, 20, of("bool", [4], 1, 0, 1, 1)],
    // From 1/16 on, float16 has steps of 2^-14: 1638 of them are nearest to a tenth.
    ["rounds to float16", 10, 20, of("float16", [4], -1.75, 0, 1638 / 2 ** 14, 300)],
    ["takes the name of opset 6", "INT32", 6, of("int32", [4], -1, 0, 0, 300)],
    ["takes opset 6's name of bools", "BOOL", 6, of("bool", [4], 1, 0, 1, 1)],
  ])("%s", (_, to, opset, expected) => {
    const y = apply("Cast", [x], { to }, opset);
    expect(y.dtype).toBe(expected.dtype);
    // A zero has no sign in integers.
    expect(Array.from(y.data, (number) => number + 0)).toEqual(Array.from(expected.data));
  });

  it.each<[string, Attributes, number, string]>([
    ["no type", {}, 20, "attribute to is missing"],
    ["a name in a newer opset", { to: "FLOAT" }, 20, "attribute to is missing"],
    ["an unknown name", { to: "STRING" }, 6, "attribute to: STRING is not supported"],
    ["strings", { to: 8 }, 20, "attribute to: element type 8 is not supported"],
  ])("is refused with %s", (_, attributes, opset, message) => {
    expect(() => apply("Cast", [x], attributes, opset)).toThrow(message);
  });

  it.each([2 ** 53, -Infinity, Number.NaN])("is refused of %d as an int64", (number) => {
    expect(() => apply("Cast", [floatsOf([1], number)], { to: 7 })).toThrow(
      "a number that an int64 within 2^53 does not hold",
    );
  });

  it("takes the type of another input", () => {
    expect(apply("CastLike", [floatsOf([2], 2.5, -2.5), of("int32", [1], 9)])).toEqual(
      of("int32", [2], 2, -2),
    );
  });
});
