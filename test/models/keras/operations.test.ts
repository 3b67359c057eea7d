/**
 * Operations of Keras 3 beside numbers that are known, where the fixtures of make_keras_layers.py have no case of them.
 * Which of them are refused, and which no stream takes.
 */
import { describe, expect, it } from "vitest";
import {
  type Call,
  type CallMessage,
  counted,
  ELLIPSIS,
  expectRefused,
  expectResult,
  loadCall,
  MATRIX,
  OPEN,
  of,
  STEPS,
  slice,
  X,
  Y,
} from "../../support/keras-calls.js";

const IDS = counted([null, 3], [2, 3], "int32");
const TRUTHS = { ...counted([null, 3], [2, 3], "bool"), data: [1, 0, 1, 0, 0, 1] };

const load = (name: string, call: Call) => loadCall(`ops.${name}`, call);

/** In Python's words, then how Keras writes the call, then what it gives. */
type Case = readonly [
  python: string,
  name: string,
  call: Call,
  shape: readonly number[],
  data: readonly number[],
];

const ITEMS = (...key: readonly unknown[]): readonly unknown[] => [X, key];

const CASES: readonly Case[] = [
  // Over axes.
  ["sum(x)", "Sum", {}, [], [21]],
  ["max(x, keepdims=True)", "Max", { config: { keepdims: true } }, [1, 1], [6]],
  ["sum(x, axis=[1, 0])", "Sum", { config: { axis: [1, 0] } }, [], [21]],
  ["sum(ids, axis=0)", "Sum", { x: IDS, config: { axis: 0 } }, [3], [5, 7, 9]],
  ["argmax(x, axis=0)", "Argmax", { config: { axis: 0 } }, [3], [1, 1, 1]],
  ["argmin(x, 0, keepdims=True)", "Argmin", { config: { axis: 0, keepdims: true } }, [1, 3], [0, 0, 0]],
  ["any(truths, axis=1)", "Any", { x: of([0, 0, 0, 0, 1, 0], TRUTHS), config: { axis: 1 } }, [2], [0, 1]],
  ["flip(x, axis=-1)", "Flip", { config: { axis: -1 } }, [2, 3], [3, 2, 1, 6, 5, 4]],
  ["flip(x, axis=[1, 2])", "Flip", { x: STEPS, config: { axis: [1, 2] } }, [1, 2, 3], [6, 5, 4, 3, 2, 1]],
  ["softmax(x)", "Softmax", { x: of([0, 0, 0, 9, 9, 9]) }, [2, 3], Array(6).fill(1 / 3)],
  ["normalize(x)", "Normalize", { x: of([3, 0, 4, 0, 0, 2]) }, [2, 3], [0.6, 0, 0.8, 0, 0, 1]],
  [
    "normalize(x, axis=0)",
    "Normalize",
    { x: of([3, 1, 0, 4, 0, 2]), config: { axis: 0 } },
    [2, 3],
    [0.6, 1, 0, 0.8, 0, 1],
  ],
  // Shapes.
  ["expand_dims(x, -1)", "ExpandDims", { config: { axis: -1 } }, [2, 3, 1], [1, 2, 3, 4, 5, 6]],
  [
    "squeeze(x, 1)",
    "Squeeze",
    { x: counted([null, 1, 2], [3, 1, 2]), config: { axis: 1 } },
    [3, 2],
    [1, 2, 3, 4, 5, 6],
  ],
  [
    "squeeze(x, 1) of an open size",
    "Squeeze",
    { x: counted([null, null, 2], [3, 1, 2]), config: { axis: 1 } },
    [3, 2],
    [1, 2, 3, 4, 5, 6],
  ],
  [
    "swapaxes(x, -1, 1)",
    "Swapaxes",
    { x: STEPS, config: { axis1: -1, axis2: 1 } },
    [1, 3, 2],
    [1, 4, 2, 5, 3, 6],
  ],
  [
    "transpose(x, (0, -1, 1))",
    "Transpose",
    { x: STEPS, config: { axes: [0, -1, 1] } },
    [1, 3, 2],
    [1, 4, 2, 5, 3, 6],
  ],
  ["reshape(x, (-1, 2))", "Reshape", { config: { newshape: [-1, 2] } }, [3, 2], [1, 2, 3, 4, 5, 6]],
  ["reshape(x, (1, -1, 2))", "Reshape", { config: { shape: [1, -1, 2] } }, [1, 3, 2], [1, 2, 3, 4, 5, 6]],
  [
    "reshape(x, (1, 6)) of an open axis",
    "Reshape",
    { x: OPEN, config: { newshape: [1, 6] } },
    [1, 6],
    [1, 2, 3, 4, 5, 6],
  ],
  [
    "reshape(x, (2, -1)) of a batch of 2",
    "Reshape",
    { x: counted([2, 3, 1], [2, 3, 1]), config: { newshape: [2, -1] } },
    [2, 3],
    [1, 2, 3, 4, 5, 6],
  ],
  ["concatenate([x])", "Concatenate", { args: [[X]] }, [2, 3], [1, 2, 3, 4, 5, 6]],
  [
    "concatenate([x, ids], 0)",
    "Concatenate",
    { y: of([7, 8, 9, 7, 8, 9], IDS), args: [[X, Y]], config: { axis: 0 } },
    [4, 3],
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 8, 9],
  ],
  [
    "concatenate([x, y], 1) of an open axis",
    "Concatenate",
    { x: OPEN, y: counted([null, 1, 3], [1, 1, 3]), args: [[X, Y]], config: { axis: 1 } },
    [1, 3, 3],
    [1, 2, 3, 4, 5, 6, 1, 2, 3],
  ],
  [
    "stack([x, x], 1)",
    "Stack",
    { x: counted([null, 2], [1, 2]), args: [[X, X]], config: { axis: 1 } },
    [1, 2, 2],
    [1, 2, 1, 2],
  ],
  [
    "matmul(x1=x, x2=y)",
    "Matmul",
    {
      x: counted([null, 1, 2], [1, 1, 2]),
      y: counted([null, 2, 1], [1, 2, 1]),
      args: [],
      kwargs: { x1: X, x2: Y },
    },
    [1, 1, 1],
    [5],
  ],
  // Items.
  ["x[:]", "GetItem", { args: [X, slice()] }, [2, 3], [1, 2, 3, 4, 5, 6]],
  ["x[..., -1]", "GetItem", { args: ITEMS(ELLIPSIS, -1) }, [2], [3, 6]],
  ["x[:, -2]", "GetItem", { args: ITEMS(slice(), -2) }, [2], [2, 5]],
  ["x[0:, 1]", "GetItem", { args: ITEMS(slice(0), 1) }, [2], [2, 5]],
  ["x[::1, None]", "GetItem", { args: ITEMS(slice(null, null, 1), null) }, [2, 1, 3], [1, 2, 3, 4, 5, 6]],
  ["x[..., None]", "GetItem", { args: ITEMS(ELLIPSIS, null) }, [2, 3, 1], [1, 2, 3, 4, 5, 6]],
  ["x[:, 1:]", "GetItem", { args: ITEMS(slice(), slice(1)) }, [2, 2], [2, 3, 5, 6]],
  ["x[:, :-1]", "GetItem", { args: ITEMS(slice(), slice(null, -1)) }, [2, 2], [1, 2, 4, 5]],
  ["x[:, ::-2]", "GetItem", { args: ITEMS(slice(), slice(null, null, -2)) }, [2, 2], [3, 1, 6, 4]],
  ["x[:, 1::-1]", "GetItem", { args: ITEMS(slice(), slice(1, null, -1)) }, [2, 2], [2, 1, 5, 4]],
  ["x[:, -1:0:-1]", "GetItem", { args: ITEMS(slice(), slice(-1, 0, -1)) }, [2, 2], [3, 2, 6, 5]],
  ["x[:, 2:1]", "GetItem", { args: ITEMS(slice(), slice(2, 1)) }, [2, 0], []],
  ["x[:, -9:9]", "GetItem", { args: ITEMS(slice(), slice(-9, 9)) }, [2, 3], [1, 2, 3, 4, 5, 6]],
  ["x[:, 1:] of an open axis", "GetItem", { x: OPEN, args: ITEMS(slice(), slice(1)) }, [1, 1, 3], [4, 5, 6]],
  ["x[key=:]", "GetItem", { args: [X], kwargs: { key: [slice(), 0] } }, [2], [1, 4]],
  // Number by number.
  ["abs(ids)", "Absolute", { x: of([-1, 2, -3, 4, -5, 6], IDS) }, [2, 3], [1, 2, 3, 4, 5, 6]],
  ["square(ids)", "Square", { x: IDS }, [2, 3], [1, 4, 9, 16, 25, 36]],
  ["elu(x)", "Elu", { x: of([0, 1, 2, 3, 4, -100]) }, [2, 3], [0, 1, 2, 3, 4, -1]],
  [
    "elu(x, 0.5)",
    "Elu",
    { x: of([0, 1, 2, 3, 4, -100]), config: { alpha: 0.5 } },
    [2, 3],
    [0, 1, 2, 3, 4, -0.5],
  ],
  [
    "leaky_relu(x, 0.25)",
    "LeakyRelu",
    { x: of([0, 1, -4, 3, 4, -8]), config: { negative_slope: 0.25 } },
    [2, 3],
    [0, 1, -1, 3, 4, -2],
  ],
  [
    "gelu(x, approximate=False)",
    "Gelu",
    { x: of([0, 20, -20, 0, 0, 0]), config: { approximate: false } },
    [2, 3],
    [0, 20, 0, 0, 0, 0],
  ],
  ["cast(x, 'float64')", "Cast", { x: IDS, config: { dtype: "float64" } }, [2, 3], [1, 2, 3, 4, 5, 6]],
  ["cast(x, 'float16')", "Cast", { config: { dtype: "float16" } }, [2, 3], [1, 2, 3, 4, 5, 6]],
  ["cast(x, 'uint8')", "Cast", { config: { dtype: "uint8" } }, [2, 3], [1, 2, 3, 4, 5, 6]],
  ["convert_to_tensor(x)", "ConvertToTensor", {}, [2, 3], [1, 2, 3, 4, 5, 6]],
  [
    "convert_to_tensor(x, 'int32')",
    "ConvertToTensor",
    { x: of([1.5, 2.5, -1.5, 0, 0, 0]), config: { dtype: "int32" } },
    [2, 3],
    [1, 2, -1, 0, 0, 0],
  ],
  [
    "stop_gradient(variable=x)",
    "StopGradient",
    { args: [], kwargs: { variable: X } },
    [2, 3],
    [1, 2, 3, 4, 5, 6],
  ],
  ["ones_like(x)", "OnesLike", {}, [2, 3], [1, 1, 1, 1, 1, 1]],
  ["zeros_like(ids)", "ZerosLike", { x: IDS }, [2, 3], [0, 0, 0, 0, 0, 0]],
  ["ones_like(x, 'int32')", "OnesLike", { config: { dtype: "int32" } }, [2, 3], [1, 1, 1, 1, 1, 1]],
  [
    "ones_like(x, dtype='bool')",
    "OnesLike",
    { args: [X], kwargs: { dtype: "bool" } },
    [2, 3],
    [1, 1, 1, 1, 1, 1],
  ],
  ["clip(x, 2, 5)", "Clip", { args: [X, 2, 5] }, [2, 3], [2, 2, 3, 4, 5, 5]],
  [
    "clip(x, x_min=2, x_max=5)",
    "Clip",
    { args: [X], kwargs: { x_min: 2, x_max: 5 } },
    [2, 3],
    [2, 2, 3, 4, 5, 5],
  ],
  [
    "celu(x, 0.5)",
    "Celu",
    { x: of([0, 1, 2, 3, 4, -100]), config: { alpha: 0.5 } },
    [2, 3],
    [0, 1, 2, 3, 4, -0.5],
  ],
  ["celu(x)", "Celu", { x: of([0, 1, 2, 3, 4, -100]) }, [2, 3], [0, 1, 2, 3, 4, -1]],
  // Of two tensors, or of one and a number.
  ["x + True", "Add", { args: [X, true] }, [2, 3], [2, 3, 4, 5, 6, 7]],
  ["truths + truths", "Add", { x: TRUTHS, args: [X, X] }, [2, 3], [2, 0, 2, 0, 0, 2]],
  ["ids + truths", "Add", { x: IDS, y: TRUTHS }, [2, 3], [2, 2, 4, 4, 5, 7]],
  ["ids + 0.5", "Add", { x: IDS, args: [X, 0.5] }, [2, 3], [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]],
  ["ids + longs", "Add", { x: IDS, y: counted([null, 3], [2, 3], "int64") }, [2, 3], [2, 4, 6, 8, 10, 12]],
  ["x + y of one axis of 1", "Add", { y: counted([null, 1], [2, 1]) }, [2, 3], [2, 3, 4, 6, 7, 8]],
  ["y of one axis of 1 + x", "Add", { x: counted([null, 1], [2, 1]), y: MATRIX }, [2, 3], [2, 3, 4, 6, 7, 8]],
  ["x + y of more axes", "Add", { x: counted([3], [3]), y: STEPS }, [1, 2, 3], [2, 4, 6, 5, 7, 9]],
  ["x + y of an open axis", "Add", { x: OPEN, y: STEPS }, [1, 2, 3], [2, 4, 6, 8, 10, 12]],
  ["truths == truths", "Equal", { x: TRUTHS, args: [X, X] }, [2, 3], [1, 1, 1, 1, 1, 1]],
  ["x != 3", "NotEqual", { args: [X, 3] }, [2, 3], [1, 1, 0, 1, 1, 1]],
  ["ids >= 2.5", "GreaterEqual", { x: IDS, args: [X, 2.5] }, [2, 3], [0, 0, 1, 1, 1, 1]],
  ["logical_and(truths, True)", "LogicalAnd", { x: TRUTHS, args: [X, true] }, [2, 3], [1, 0, 1, 0, 0, 1]],
  ["logical_not(x)", "LogicalNot", { x: of([0, 1, 0, 0, 2, 0]) }, [2, 3], [1, 0, 1, 1, 0, 1]],
  [
    "where(condition=truths, x1=x, x2=-1)",
    "Where",
    { x: TRUTHS, y: MATRIX, args: [], kwargs: { condition: X, x1: Y, x2: -1 } },
    [2, 3],
    [1, -1, 3, -1, -1, 6],
  ],
  ["where(truths, 1, 2)", "Where", { x: TRUTHS, args: [X, 1, 2] }, [2, 3], [1, 2, 1, 2, 2, 1]],
];

describe("operations", () => {
  it.each(CASES)("%s", (_, name, call, shape, data) => {
    using model = load(name, call);
    expectResult(model, call, shape, data);
    // What is declared of it is so.
    const declared = model.outputs[0]!.shape!;
    expect(declared).toHaveLength(shape.length);
    for (const [axis, size] of declared.entries())
      if (typeof size === "number" && size >= 0) expect(shape[axis]).toBe(size);
  });
});

const REFUSALS: readonly CallMessage[] = [
  ["Sum", { args: [7] }, "argument 0: expected a tensor, got 7"],
  ["Sum", { args: [[X]] }, "argument 0: expected a tensor, got an object"],
  ["Sum", { args: [] }, "argument 0: expected a tensor, got undefined"],
  ["Sum", { config: { axis: 2 } }, "axis: expected an axis of 2, got 2"],
  ["Sum", { config: { axis: [1, -1] } }, "axis: an array of length 2 has one twice"],
  ["Sum", { config: { axis: "1" } }, 'axis: expected an axis of 2, got "1"'],
  ["Argmax", {}, "a place among all axes is not supported"],
  ["ExpandDims", { config: { axis: 0 } }, "an axis before that of the batch is not supported"],
  ["Squeeze", { config: { axis: 0 } }, "axis 0: expected a size of 1, got null"],
  ["Squeeze", { config: { axis: 1 } }, "axis 1: expected a size of 1, got 3"],
  ["Concatenate", { args: [X] }, "argument 0: expected a list of tensors"],
  ["Concatenate", { args: [[]] }, "argument 0: expected a list of tensors"],
  ["Concatenate", { args: [[X, 7]] }, "argument 0: expected a list of tensors"],
  ["Concatenate", { y: STEPS, args: [[X, Y]] }, "its inputs have different axes"],
  ["Stack", { args: [[X, X]] }, "an axis before that of the batch is not supported"],
  ["Transpose", {}, "axes: expected a list"],
  ["Transpose", { config: { axes: [1, 0] } }, "a batch that is not the first axis is not supported"],
  ["Transpose", { x: STEPS, config: { axes: [0, 1, 1] } }, "axes: [0, 1, 1] is no order"],
  ["Swapaxes", { config: { axis1: 0, axis2: 1 } }, "a batch that is not the first axis is not supported"],
  ["Reshape", {}, "newshape: undefined is not supported"],
  ["Reshape", { config: { newshape: [2, 1.5] } }, "newshape: an array of length 2 is not supported"],
  ["Reshape", { config: { newshape: [-1, -1] } }, "newshape: an array of length 2 is not supported"],
  ["Matmul", { y: STEPS }, "a product of 2 and 3 axes is not supported"],
  ["Matmul", { y: MATRIX }, "a product of 2 and 2 axes is not supported"],
  ["Flip", {}, "a batch that is turned round is not supported"],
  ["GetItem", { args: ITEMS(slice(), 0, 0) }, "3 indices for 2 axes"],
  ["GetItem", { args: ITEMS(null) }, "an axis before that of the batch is not supported"],
  ["GetItem", { args: [X] }, "an axis before that of the batch is not supported"],
  ["GetItem", { args: ITEMS(0) }, "a part of the batch is not supported"],
  ["GetItem", { args: ITEMS(slice(1)) }, "a part of the batch is not supported"],
  ["GetItem", { args: ITEMS(slice(), "a") }, "an index that is neither a number nor a slice"],
  [
    "GetItem",
    { args: ITEMS(slice(), { class_name: "__slice__", config: 7 }) },
    "an index that is neither a number nor a slice",
  ],
  ["GetItem", { args: ITEMS(slice(), slice(1.5)) }, "a slice with start 1.5"],
  ["GetItem", { args: ITEMS(slice(), slice(0, "2")) }, 'a slice with stop "2"'],
  ["GetItem", { args: ITEMS(slice(), slice(0, 2, 0)) }, "a slice with step 0"],
  ["Normalize", { config: { order: 1 } }, "order: only 2 is supported"],
  ["Cast", { config: { dtype: "complex64" } }, "dtype: complex64 is not supported"],
  ["OnesLike", { config: { dtype: "float16" } }, "dtype: float16 is not supported"],
  ["Clip", { config: { x_min: 0 } }, "x_max: expected a number"],
  ["Add", { args: [X, "1"] }, 'argument 1: "1" is not supported'],
  ["Add", { args: [X, [1]] }, "argument 1: an object is not supported"],
  ["Add", { y: counted([null, 2], [2, 2]) }, "its operands have axes of 3 and 2"],
];

describe("operations that are refused", () => {
  it.each(REFUSALS)("%s %#", (name, call, message) => {
    expectRefused(() => load(name, call), name, message);
  });
});

const UNSTREAMED: readonly CallMessage[] = [
  ["Sum", { config: { axis: 1 } }, "it goes over all steps of time"],
  ["Mean", { config: { axis: [0, 2] } }, "it goes over all steps of time"],
  ["Argmax", { config: { axis: 1 } }, "it goes over all steps of time"],
  ["Softmax", { config: { axis: 1 } }, "it goes over all steps of time"],
  ["Normalize", { config: { axis: [1, 2] } }, "it goes over all steps of time"],
  ["ExpandDims", { config: { axis: 1 } }, "it moves the axis of time"],
  ["Squeeze", { x: counted([null, 1, 3], [1, 1, 3]), config: { axis: 1 } }, "it takes the axis of time away"],
  ["Concatenate", { args: [[X, X]], config: { axis: 1 } }, "it joins tensors along time"],
  ["Stack", { args: [[X, X]], config: { axis: 1 } }, "it moves the axis of time"],
  ["Transpose", { config: { axes: [0, 2, 1] } }, "it moves the axis of time"],
  ["Swapaxes", { config: { axis1: 1, axis2: 2 } }, "it moves the axis of time"],
  ["Reshape", { config: { newshape: [-1, 6] } }, "it puts steps of time into other shapes"],
  ["Matmul", { y: counted([null, 3, 2], [1, 3, 2]) }, "it joins several steps of time"],
  ["Flip", { config: { axis: 1 } }, "it turns time round"],
  ["GetItem", { args: ITEMS(slice(), -1) }, "it takes some steps of time"],
  ["GetItem", { args: ITEMS(slice(), slice(1)) }, "it takes some steps of time"],
  ["GetItem", { args: ITEMS(slice(), null) }, "it takes some steps of time"],
  ["Add", { y: counted([null, 2, 2, 3], [1, 2, 2, 3]) }, "it joins tensors of different axes"],
];

/** A step of these is what the whole gives of one step. */
const STREAMED: readonly Case[] = [
  ["sum(x, axis=-1)", "Sum", { config: { axis: -1 } }, [1, 1], [6]],
  ["argmax(x, axis=2)", "Argmax", { config: { axis: 2 } }, [1, 1], [2]],
  ["expand_dims(x, 2)", "ExpandDims", { config: { axis: 2 } }, [1, 1, 1, 3], [1, 2, 3]],
  ["stack([x, x], -1)", "Stack", { args: [[X, X]], config: { axis: -1 } }, [1, 1, 3, 2], [1, 1, 2, 2, 3, 3]],
  ["concatenate([x, x])", "Concatenate", { args: [[X, X]] }, [1, 1, 6], [1, 2, 3, 1, 2, 3]],
  ["flip(x, axis=2)", "Flip", { config: { axis: 2 } }, [1, 1, 3], [3, 2, 1]],
  ["x[..., 1:]", "GetItem", { args: ITEMS(ELLIPSIS, slice(1)) }, [1, 1, 2], [2, 3]],
  ["x[:, :, None]", "GetItem", { args: ITEMS(slice(), slice(), null) }, [1, 1, 1, 3], [1, 2, 3]],
  ["x[..., 0]", "GetItem", { args: ITEMS(ELLIPSIS, 0) }, [1, 1], [1]],
  ["2 - x", "Subtract", { args: [2, X] }, [1, 1, 3], [1, 0, -1]],
];

describe("operations in streams", () => {
  it.each(UNSTREAMED)("%s %#", (name, call, reason) => {
    using model = load(name, { x: STEPS, ...call });
    expect(() => model.stream()).toThrow(`layer "made" (${name}): ${reason}`);
  });

  it.each(STREAMED)("%s", (_, name, call, shape, data) => {
    using model = load(name, { x: STEPS, ...call });
    using stream = model.stream();
    const [result] = Object.values(stream.step({ shape: [1, 1, 3], data: [1, 2, 3] }));
    expect(result!.shape).toEqual(shape);
    expect(Array.from(result!.data as ArrayLike<number | bigint>, Number)).toEqual(data);
  });
});
