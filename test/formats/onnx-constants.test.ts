import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { Allowance } from "../../src/formats/onnx/allowance.js";
import { Constants, NotConstant } from "../../src/formats/onnx/constants.js";
import { readModel } from "../../src/formats/onnx/model-proto.js";
import { listSites } from "../../src/formats/onnx/scope.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { type AttributeValue, floats, int64s, model, node, tensor } from "../support/onnx-writer.js";

/** 2 x 3 numbers 0 to 5, a vector, and integers by name. */
const INITIALIZERS = [
  floats("m", [2, 3], [0, 1, 2, 3, 4, 5]),
  floats("v", [1, 2, 1], [7, 8]),
  int64s("0", [0]),
  int64s("1", [1]),
  int64s("2", [2]),
  int64s("-1", [-1]),
  int64s("far", [Number.MIN_SAFE_INTEGER]),
  int64s("0,2", [0, 2]),
  int64s("1,2", [1, 2]),
  int64s("3,-1", [3, -1]),
  int64s("0,-1", [0, -1]),
  int64s("4,-1", [4, -1]),
  floats("none", [0, 3], []),
  int64s("three", [1, 2, 3]),
  tensor("row", { type: 7, dims: [1, 1], raw: new Uint8Array(8) }),
  tensor("i8", { type: 3, dims: [2], raw: Int8Array.of(-1, 2) }),
  tensor("u8", { type: 2, dims: [1, 2], raw: Uint8Array.of(0, 1) }),
  tensor("bool", { type: 9, dims: [1, 2], raw: Uint8Array.of(0, 1) }),
];

function evaluate(
  op: string,
  inputs: string[],
  attributes: Record<string, AttributeValue> = {},
  { outputs = ["out", "second"], name = "out" } = {},
) {
  const nodes = [node(op, inputs, outputs, { attributes })];
  const [first] = listSites(readModel(model({ nodes, initializers: INITIALIZERS, inputs: ["x"] }))).constants;
  return new Constants(new Allowance(1000)).evaluate(name, first!.scope);
}

describe("constants", () => {
  it.each<[string, string[], Record<string, AttributeValue>, number[], number[]]>([
    ["Identity", ["m"], {}, [2, 3], [0, 1, 2, 3, 4, 5]],
    ["Transpose", ["m"], {}, [3, 2], [0, 3, 1, 4, 2, 5]],
    ["Transpose", ["v"], { perm: [1, 0, 2] }, [2, 1, 1], [7, 8]],
    ["Concat", ["m", "m"], { axis: 0 }, [4, 3], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]],
    ["Concat", ["m", "m"], { axis: -1 }, [2, 6], [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]],
    ["Slice", ["m", "1", "2"], {}, [1, 3], [3, 4, 5]],
    ["Slice", ["m", "1", "-1", "1"], {}, [2, 1], [1, 4]],
    ["Slice", ["m", "-1", "far", "1", "-1"], {}, [2, 3], [2, 1, 0, 5, 4, 3]],
    ["Slice", ["m", "2", "1"], {}, [0, 3], []],
    ["Concat", ["none", "m"], { axis: 0 }, [2, 3], [0, 1, 2, 3, 4, 5]],
    ["Slice", ["m"], { starts: [0, 1], ends: [1, 9] }, [1, 2], [1, 2]],
    ["Squeeze", ["v"], {}, [2], [7, 8]],
    ["Squeeze", ["v", "0,2"], {}, [2], [7, 8]],
    ["Squeeze", ["v"], { axes: [-1] }, [1, 2], [7, 8]],
    ["Unsqueeze", ["m", "0,2"], {}, [1, 2, 1, 3], [0, 1, 2, 3, 4, 5]],
    ["Unsqueeze", ["m"], { axes: [-1] }, [2, 3, 1], [0, 1, 2, 3, 4, 5]],
    ["Reshape", ["m", "3,-1"], {}, [3, 2], [0, 1, 2, 3, 4, 5]],
    ["Reshape", ["m", "0,-1"], {}, [2, 3], [0, 1, 2, 3, 4, 5]],
    ["Cast", ["i8"], { to: 1 }, [2], [-1, 2]],
    ["Cast", ["i8"], { to: 7 }, [2], [-1, 2]],
    ["Shape", ["v"], {}, [3], [1, 2, 1]],
    ["Shape", ["v"], { start: 1, end: 2 }, [1], [2]],
    ["Mul", ["3,-1", "2"], {}, [2], [6, -2]],
    ["Mul", ["3,-1", "0,2"], {}, [2], [0, -2]],
  ])("evaluates %s of %j with %j", (op, inputs, attributes, shape, numbers) => {
    const value = evaluate(op, inputs, attributes) as Tensor;
    expect(value).toBeInstanceOf(Tensor);
    expect([value.shape, Array.from(value.data, Number)]).toEqual([shape, numbers]);
  });

  it.each<[string, string[], Record<string, AttributeValue>]>([
    ["Identity", [], {}],
    ["Transpose", [], {}],
    ["Concat", [], { axis: 0 }],
    ["Slice", ["0", "1"], {}],
    ["Split", [], { axis: 1 }],
    ["Squeeze", [], {}],
    ["Unsqueeze", ["0"], {}],
    ["Reshape", ["0,-1"], {}],
  ])("keeps truth values apart from bytes in %s", (op, others, attributes) => {
    for (const [name, dtype] of [
      ["bool", "bool"],
      ["u8", "uint8"],
    ] as const) {
      expect((evaluate(op, [name, ...others], attributes) as Tensor).dtype).toBe(dtype);
    }
  });

  it.each<[string, string[], Record<string, AttributeValue>, number[], number[]]>([
    ["equal parts", ["m"], {}, [1, 3], [3, 4, 5]],
    ["equal parts but the last", ["m"], { axis: -1, num_outputs: 2 }, [2, 1], [2, 5]],
    ["parts by an input", ["m", "1,2"], { axis: 1 }, [2, 2], [1, 2, 4, 5]],
    ["parts by an attribute", ["m"], { axis: 1, split: [3, 0] }, [2, 0], []],
  ])("evaluates the second output of Split: %s", (_, inputs, attributes, shape, numbers) => {
    const value = evaluate("Split", inputs, attributes, { name: "second" }) as Tensor;
    expect([value.shape, Array.from(value.data)]).toEqual([shape, numbers]);
    expect(evaluate("Split", inputs, attributes)).toBeInstanceOf(Tensor);
  });

  it("splits into no more than 64 parts, and knows no second output of others", () => {
    const outputs = Array.from({ length: 65 }, (_, at) => `o${at}`);
    expect(() => evaluate("Split", ["m"], {}, { outputs, name: "o1" })).toThrow("more than 64 parts");
    expect(evaluate("Identity", ["m"], {}, { name: "second" })).toEqual(
      new NotConstant("is computed by Identity"),
    );
  });

  it.each<[string, string[], Record<string, AttributeValue>, string]>([
    ["Split", ["m", "1,2"], {}, "parts of [1,2] do not make up axis 0 of [2, 3]"],
    ["Split", ["m", "4,-1"], { axis: 1 }, "parts of [4,-1] do not make up axis 1 of [2, 3]"],
    ["Split", ["m", "2"], {}, "do not make up axis 0"],
    ["Split", ["m"], { axis: 2 }, "axis 2 of 2 dimensions"],
    ["Concat", ["m", "v"], { axis: 0 }, 'onnx: Concat "out": its inputs do not fit together'],
    ["Concat", ["u8", "bool"], { axis: 0 }, "its inputs do not fit together"],
    ["Concat", ["m", "1"], { axis: 0 }, "its inputs do not fit together"],
    ["Concat", ["m"], { axis: 2 }, "axis 2 of 2 dimensions"],
    ["Concat", ["m"], {}, "axis undefined of 2 dimensions"],
    ["Slice", ["m", "0"], {}, "no starts or no ends"],
    ["Slice", ["m", "0,2", "1"], {}, "differ in length"],
    ["Slice", ["m", "0", "1", "2"], {}, "axis 2 of 2 dimensions"],
    ["Slice", ["m", "0", "1", "1", "0"], {}, "a step of 0"],
    ["Slice", ["m"], { starts: [0, 0], ends: [1, 1], axes: [0, -2] }, "axis 0 twice"],
    ["Slice", ["m", "v", "v"], {}, "starts are no integers"],
    ["Transpose", ["m"], { perm: [0, 0] }, "perm [0, 0] does not fit shape [2, 3]"],
    ["Transpose", ["m"], { perm: [0, 2] }, "perm [0, 2] does not fit shape [2, 3]"],
    ["Squeeze", ["m", "0"], {}, "axes [0] of shape [2, 3] are not all of size 1"],
    ["Unsqueeze", ["m"], { axes: [0, 0] }, "axes [0,0] repeat"],
    ["Unsqueeze", ["m"], {}, "no axes"],
    ["Reshape", ["m", "4,-1"], {}, "shape [4,-1] does not fit [2, 3]"],
    ["Reshape", ["m"], {}, "no shape"],
    ["Identity", [], {}, "its input is missing"],
    ["Shape", [], {}, "its input is missing"],
    ["Reshape", ["v"], { shape: [1, 2, 1, 0] }, "shape [1,2,1,0] does not fit [1, 2, 1]"],
  ])("refuses %s of %j with %j", (op, inputs, attributes, message) => {
    expect(() => evaluate(op, inputs, attributes)).toThrow(FormatError);
    expect(() => evaluate(op, inputs, attributes)).toThrow(message);
  });

  it.each<[string, string[], Record<string, AttributeValue>, string]>([
    ["Identity", ["x"], {}, "is an input of the model"],
    ["Cast", ["m"], { to: 10 }, "is computed by Cast to type 10"],
    ["Add", ["m", "m"], {}, "is computed by Add"],
    ["Shape", ["x"], {}, "is an input of the model"],
    ["Mul", ["m", "m"], {}, "is computed by Mul"],
    ["Mul", ["0", "m"], {}, "is computed by Mul"],
    ["Mul", ["0,2", "three"], {}, "is computed by Mul"],
    ["Mul", ["row", "0"], {}, "is computed by Mul"],
    ["Mul", ["0"], {}, "is computed by Mul"],
  ])("says that %s of %j is not constant", (op, inputs, attributes, reason) => {
    const value = evaluate(op, inputs, attributes) as NotConstant;
    expect(value).toBeInstanceOf(NotConstant);
    expect(value.reason).toBe(reason);
  });

  it("knows zeros whose shape is known only at run time", () => {
    const nodes = [
      node("Shape", ["x"], ["shape"]),
      node("ConstantOfShape", ["shape"], ["zeros"]),
      node("ConstantOfShape", ["shape"], ["ones"], {
        attributes: { value: { tensor: floats("", [1], [1]) } },
      }),
      node("Expand", ["zero", "shape"], ["expanded"]),
      node("Concat", ["zeros", "expanded"], ["both"], { attributes: { axis: 0 } }),
      node("Concat", ["zeros", "ones"], ["mixed"], { attributes: { axis: 0 } }),
      node("Slice", ["both", "0", "1"], ["part"]),
      node("Relu", ["zeros"], ["computed"]),
      node("Identity", ["loop"], ["loop"]),
    ];
    const initializers = [floats("zero", [1], [0]), ...INITIALIZERS];
    const [first] = listSites(readModel(model({ nodes, initializers, inputs: ["x"] }))).constants;
    const names = [
      "zeros",
      "ones",
      "expanded",
      "both",
      "mixed",
      "part",
      "computed",
      "x",
      "zero",
      "m",
      "loop",
    ];
    const found = names.filter((name) => new Constants(new Allowance(1000)).isZeros(name, first!.scope));
    expect(found).toEqual(["zeros", "expanded", "both", "part", "zero"]);
  });

  it("knows the zeros of ConstantFill and of other graphs, and throws what is broken twice", () => {
    const nodes = [
      node("ConstantFill", [], ["fill"]),
      node("ConstantFill", [], ["ones"], { attributes: { value: { float: 1 } } }),
      node("ConstantFill", [], ["other"], { domain: "d" }),
      node("Constant", [], ["constant"], { attributes: { value_float: { float: 0 } } }),
      node("Constant", [], ["text"], { attributes: { value_string: "x" } }),
      node("Identity", ["nope"], ["broken"]),
    ];
    const [first] = listSites(readModel(model({ nodes, initializers: INITIALIZERS }))).constants;
    const constants = new Constants(new Allowance(1000));
    const isZeros = (name: string) => constants.isZeros(name, first!.scope);
    expect(["fill", "ones", "other", "constant", "text"].filter(isZeros)).toEqual(["fill", "constant"]);
    for (let time = 0; time < 2; time++)
      expect(() => isZeros("broken")).toThrow('"nope" is used but not defined');
  });
});
