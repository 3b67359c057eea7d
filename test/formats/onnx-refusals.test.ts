/** ONNX models that readOnnx refuses, since PyTorch has no such layer or the model is broken. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { readOnnx } from "../../src/formats/onnx/index.js";
import { layer } from "../support/onnx-layer.js";
import {
  floats,
  func,
  int64s,
  integer,
  lengthDelimited,
  model,
  node,
  tensor,
} from "../support/onnx-writer.js";

const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

describe("readOnnx", () => {
  const withLists = (name: string, dims: number[], numbers: number[]) => ({
    initializers: [floats(name, dims, numbers)],
  });
  const weights = (at: number, name: string) =>
    ["x", "w", "r", "b"].map((usual, index) => (index === at ? name : usual));
  const named = lengthDelimited(5, lengthDelimited(1, "a"));
  it.each<[string, Uint8Array, string]>([
    [
      "clip below 0",
      layer("LSTM", { attributes: { clip: { float: -3 } } }),
      'onnx: LSTM "LSTM_0": clip -3 is not supported',
    ],
    [
      "clip that is an integer",
      layer("LSTM", { attributes: { clip: 3 } }),
      'onnx: LSTM "LSTM_0": clip NaN is not supported',
    ],
    [
      "no hidden units",
      layer("LSTM", { attributes: { hidden_size: 0 } }),
      "hidden_size of at least 1, got 0",
    ],
    [
      "R of one axis, and no hidden_size",
      layer("RNN", { inputs: ["x", "w", "flat"], ...withLists("flat", [4], [1, 2, 3, 4]), bare: true }),
      "hidden_size of at least 1, got 0",
    ],
    [
      "W of one axis",
      layer("RNN", { inputs: ["x", "flat", "r"], ...withLists("flat", [4], [1, 2, 3, 4]) }),
      "got 2, W [4]",
    ],
    ["input_forget 2", layer("LSTM", { attributes: { input_forget: 2 } }), "input_forget 2 is not supported"],
    [
      "input_forget of a GRU",
      layer("GRU", { attributes: { input_forget: 1 } }),
      'onnx: GRU "GRU_0": attribute "input_forget" is not supported',
    ],
    [
      "linear_before_reset 2",
      layer("GRU", { attributes: { linear_before_reset: 2 } }),
      'onnx: GRU "GRU_0": linear_before_reset 2 is not supported',
    ],
    [
      "peepholes that are no weight",
      layer("LSTM", { inputs: ["x", "w", "r", "b", "", "", "", "state"] }),
      'onnx: LSTM "LSTM_0": P is an input of the model',
    ],
    [
      "peepholes of another size",
      layer("LSTM", { inputs: ["x", "w", "r", "b", "", "", "", "b"] }),
      'onnx: LSTM "LSTM_0": P: expected shape [1, 6], got [1, 16]',
    ],
    [
      "other activations",
      layer("LSTM", { attributes: { activations: ["Gelu", "Tanh", "Tanh"] } }),
      'activations "Gelu", "Tanh", "Tanh" are not supported',
    ],
    [
      "activations of one direction for two",
      layer("RNN", { directions: 2, attributes: { activations: ["Tanh"] } }),
      'activations "Tanh" are not supported',
    ],
    [
      "a GRU with Relu",
      layer("GRU", { attributes: { activations: ["Relu"] } }),
      'activations "Relu" are not supported',
    ],
    [
      "activation_alpha",
      layer("RNN", { attributes: { activation_alpha: { floats: [1, 2] } } }),
      "activation_alpha has 2 numbers for 0 functions that take one",
    ],
    [
      "an alpha that is no number",
      layer("RNN", { attributes: { activations: ["Elu"], activation_alpha: { floats: [Number.NaN] } } }),
      "activation_alpha[0] is NaN",
    ],
    [
      "constants of which two readings differ",
      layer("LSTM", {
        attributes: { activations: ["Sigmoid", "Elu", "Tanh"], activation_alpha: { floats: [9, 1, 9] } },
      }),
      "activation_alpha has 3 numbers for 1 functions that take one",
    ],
    [
      "an unknown attribute",
      layer("RNN", { attributes: { dropout: 1 } }),
      'attribute "dropout" is not supported',
    ],
    ["an unknown direction", layer("RNN", { attributes: { direction: "up" } }), 'direction "up" is unknown'],
    ["an unknown layout", layer("RNN", { attributes: { layout: 2 } }), "layout 2 is unknown"],
    [
      "a relative of another domain",
      model({ nodes: [node("OtherLSTM", [], ["y"], { domain: "com.microsoft" })] }),
      'onnx: OtherLSTM "OtherLSTM_0": operator com.microsoft.OtherLSTM is not supported',
    ],
    ["no weights", layer("LSTM", { inputs: ["x", "", "r"] }), 'onnx: LSTM "LSTM_0": W is missing'],
    [
      "an undefined weight",
      layer("LSTM", { inputs: ["x", "nope", "r"] }),
      'onnx: value "nope" is used but not defined',
    ],
    ["a fed weight", layer("LSTM", { inputs: ["x", "state", "r"] }), "W is an input of the model"],
    [
      "a computed weight",
      layer("LSTM", { inputs: weights(2, "r2"), more: { nodes: [node("Mul", ["r", "r"], ["r2"])] } }),
      "R is computed by Mul",
    ],
    [
      "a W of another shape",
      layer("LSTM", { inputs: weights(1, "w2"), ...withLists("w2", [1, 8, 0], []) }),
      "expected hidden_size of at least 1, got 2, W [1, 8, 0]",
    ],
    [
      "a W of other gates",
      layer("LSTM", { inputs: weights(1, "w2"), ...withLists("w2", [1, 6, 2], Array(12).fill(0)) }),
      'onnx: LSTM "LSTM_0": W: expected shape [1, 8, 2], got [1, 6, 2]',
    ],
    [
      "an R of another shape",
      layer("LSTM", { inputs: weights(2, "r2"), ...withLists("r2", [1, 8, 3], Array(24).fill(0)) }),
      "R: expected shape [1, 8, 2], got [1, 8, 3]",
    ],
    [
      "a B of another shape",
      layer("LSTM", { inputs: weights(3, "b2"), ...withLists("b2", [1, 8], Array(8).fill(0)) }),
      "B: expected shape [1, 16], got [1, 8]",
    ],
    [
      "integers as weights",
      layer("LSTM", { inputs: weights(1, "i"), initializers: [int64s("i", [1, 2])] }),
      "W holds integers",
    ],
    [
      "a state of another shape",
      layer("LSTM", { inputs: ["x", "w", "r", "b", "", "h"], ...withLists("h", [1, 1, 3], [1, 2, 3]) }),
      "initial_h: expected shape [1, 1, 2], got [1, 1, 3]",
    ],
    [
      "a projection, which PyTorch's exporter takes for the hidden size",
      layer("LSTM", {
        inputs: ["x", "w", "r", "b", "", "", "c"],
        ...withLists("c", [1, 1, 4], [1, 2, 3, 4]),
      }),
      "initial_c: expected shape [1, 1, 2], got [1, 1, 4]; PyTorch's default exporter writes so an LSTM with proj_size",
    ],
    [
      "weights in another file",
      layer("LSTM", {
        inputs: weights(1, "w2"),
        initializers: [
          tensor("w2", {
            dims: [1, 8, 2],
            more: lengthDelimited(13, [...lengthDelimited(1, "location"), ...lengthDelimited(2, "w.bin")]),
          }),
        ],
      }),
      'onnx: tensor "w2": its numbers are in another file, "w.bin"; give it as options.externalData',
    ],
    [
      "a weight of another type",
      layer("LSTM", { inputs: weights(1, "w2"), initializers: [tensor("w2", { type: 17, dims: [0] })] }),
      'onnx: tensor "w2": type float8e4m3fn is not supported',
    ],
    [
      "a sparse weight",
      layer("LSTM", { inputs: weights(1, "w2"), more: { nodes: [node("Constant", [], ["w2"], {})] } }),
      "W is a constant without numbers",
    ],
    [
      "too few numbers",
      layer("LSTM", { initializers: [floats("short", [2, count([2])], [1, 2, 3])] }),
      'onnx: tensor "short": dims [2, 2] of F32 take 16 bytes, got 12',
    ],
    [
      "a negative size",
      layer("LSTM", { initializers: [tensor("t", { dims: [-1n] })] }),
      'onnx: tensor "t": dims: expected up to 64 sizes of at least 0, got [-1]',
    ],
    [
      "a number out of range",
      layer("LSTM", {
        initializers: [tensor("t", { type: 2, dims: [1], more: lengthDelimited(5, [0x80, 2]) })],
      }),
      'onnx: tensor "t": 256 does not fit U8',
    ],
    [
      "a number of more than 53 bits in a Constant",
      model({ nodes: [node("Constant", [], ["c"], { attributes: { value_ints: [1, 2 ** 60] } })] }),
      'onnx: Constant "c": 1152921504606847000 is out of range',
    ],
    [
      "a type of more than 53 bits",
      layer("LSTM", { initializers: [tensor("t", { dims: [], more: integer(2, 2n ** 60n) })] }),
      "onnx: tensor: field 2: 1152921504606846976 is out of range",
    ],
    [
      "a type that has no name",
      layer("LSTM", { inputs: weights(1, "w2"), initializers: [tensor("w2", { type: 99, dims: [0] })] }),
      'onnx: tensor "w2": type 99 is not supported',
    ],
    [
      "floats of five bytes",
      layer("LSTM", {
        initializers: [tensor("t", { dims: [1], more: lengthDelimited(4, [1, 2, 3, 4, 5]) })],
      }),
      "onnx: tensor: field 4: 5 bytes are no whole count of 4-byte numbers",
    ],
    [
      "a tensor in segments",
      layer("LSTM", { initializers: [tensor("t", { dims: [1], more: lengthDelimited(3, []) })] }),
      "onnx: tensor: segments are not supported",
    ],
    [
      "an attribute as a list",
      layer("LSTM", { more: { nodes: [node("Foo", [], [], { attributes: { a: { packed: [1, 2] } } })] } }),
      "onnx: attribute: field 3: expected an integer, got wire type 2",
    ],
    [
      "an attribute twice",
      layer("LSTM", { more: { nodes: [[...named, ...named]] } }),
      'onnx: node "": attribute "a" occurs twice',
    ],
    [
      "a function twice",
      model({}, [func("d", "f", {}), func("d", "f", {})]),
      'onnx: function "d:f" occurs twice',
    ],
    [
      "too many activations",
      layer("LSTM", { attributes: { activations: Array(7).fill("Tanh") } }),
      "7 activations are not supported",
    ],
    [
      "a ninth input",
      layer("LSTM", { inputs: ["x", "w", "r", "b", "", "", "", "", "state"] }),
      "input 8 is not supported",
    ],
    [
      "a state of two axes",
      layer("LSTM", { inputs: ["x", "w", "r", "b", "", "h"], ...withLists("h", [1, 2], [1, 2]) }),
      "initial_h: shape [1, 2] is no state",
    ],
    [
      "states of two batch sizes in one module",
      layer("LSTM", {
        inputs: ["x", "w", "r", "b", "", "h", "c"],
        initializers: [floats("h", [1, 1, 2], [1, 2]), floats("c", [1, 2, 2], [1, 2, 3, 4])],
      }),
      'onnx: LSTM "LSTM_0": its initial states differ in batch size',
    ],
    [
      "an initializer twice",
      layer("LSTM", { initializers: [floats("w", [0], [])] }),
      'onnx: tensor "w": occurs twice',
    ],
    [
      "a value made twice",
      layer("LSTM", { more: { nodes: [node("Relu", ["x"], ["y"])] } }),
      'onnx: value "y" is made twice',
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readOnnx(bytes)).toThrow(FormatError);
    expect(() => readOnnx(bytes)).toThrow(message);
  });
});
