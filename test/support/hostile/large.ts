/** Files that are read, or listed with what is wrong with them, and made to cost much. */
import * as onnx from "../onnx-writer.js";
import { join } from "../torch-writer.js";
import type { HostileFile } from "./readers.js";

const WEIGHTS = [onnx.floats("w", [1, 4, 1], [1, 2, 3, 4]), onnx.floats("r", [1, 4, 1], [5, 6, 7, 8])];
const many = <Item>(count: number, item: (at: number) => Item) =>
  Array.from({ length: count }, (_, at) => item(at));
const lstm = (attributes: Record<string, onnx.AttributeValue>, input = "w") =>
  onnx.node("LSTM", ["x", input, "r"], [], { attributes });
const model = (nodes: number[][], initializers = WEIGHTS, functions: number[][] = []) =>
  onnx.model({ inputs: ["x"], nodes, initializers }, functions);
const call = (name: string, attributes: Record<string, onnx.AttributeValue> = {}) =>
  onnx.node(name, ["x", "w", "r"], [], { domain: "d", attributes });
const func = (name: string, nodes: number[][]) => onnx.func("d", name, { inputs: ["x", "w", "r"], nodes });
const long = "n".repeat(1e6);
const list = (field: number) => many(960_000, () => onnx.integer(field, 1)).flat();

export const LARGE: Omit<HostileFile, "message">[] = [
  {
    reader: "readOnnx",
    name: "960,000 numbers of a weight in a field each",
    make: () => model([], [onnx.tensor("t", { type: 2, dims: [960_000], more: list(5) })]),
  },
  {
    reader: "listOnnxNodes",
    name: "960,000 numbers of an attribute in a field each",
    make: () => model([lstm({ long: many(960_000, () => 1) })]),
  },
  {
    reader: "readOnnx",
    name: "80,000 Constants",
    make: () =>
      model(
        many(80_000, (at) => onnx.node("Constant", [], [`c${at}`], { attributes: { value_ints: [at, 1] } })),
      ),
  },
  {
    reader: "readOnnx",
    name: "60,000 weights of one number",
    make: () =>
      model(
        [],
        many(60_000, (at) => onnx.tensor(`t${at}`, { type: 10, dims: [1], raw: new Uint16Array(1) })),
      ),
  },
  {
    reader: "readOnnx",
    name: "80,000 nodes in a function that is called by a name of a kilobyte",
    make: () =>
      model([onnx.node("f", [], [], { domain: "d", name: "n".repeat(990) })], WEIGHTS, [
        func(
          "f",
          many(80_000, () => onnx.node("A", [], [])),
        ),
      ]),
  },
  {
    reader: "listOnnxNodes",
    name: "activations of a megabyte in a function called 15,000 times",
    make: () =>
      model(
        many(15_000, () => call("f")),
        WEIGHTS,
        [func("f", [lstm({ activations: [long] })])],
      ),
  },
  {
    reader: "listOnnxNodes",
    name: "a reference of a megabyte in a function called 15,000 times",
    make: () =>
      model(
        many(15_000, () => call("f")),
        WEIGHTS,
        [func("f", [call("g", { [long]: 1 })]), func("g", [lstm({ hidden_size: { reference: long } })])],
      ),
  },
  {
    reader: "listOnnxNodes",
    name: "an operator of a megabyte in a function called 15,000 times",
    make: () =>
      model(
        many(15_000, () => call("f")),
        WEIGHTS,
        [func("f", [onnx.node(long, [], ["v"]), lstm({}, "v")])],
      ),
  },
  {
    reader: "listOnnxNodes",
    name: "chains of 190 Slices along 64 axes",
    make: () => {
      const axes = many(64, (at) => at);
      const chain = (k: number) =>
        many(190, (at) =>
          onnx.node("Slice", [at === 0 ? "t" : `${k}.${at}`, "axes", "axes"], [`${k}.${at + 1}`]),
        );
      return model(many(200, (k) => [...chain(k), lstm({}, `${k}.190`)]).flat(), [
        ...WEIGHTS,
        onnx.floats(
          "t",
          axes.map(() => 1),
          [1],
        ),
        onnx.int64s(
          "axes",
          axes.map(() => 0),
        ),
      ]);
    },
  },
  {
    reader: "listOnnxNodes",
    name: "200 attributes of a node in a function called a thousand times",
    make: () =>
      model(
        many(1000, () => call("f")),
        WEIGHTS,
        [func("f", [lstm(Object.fromEntries(many(200, (at) => [`a${at}`, at])))])],
      ),
  },
  {
    reader: "readSafetensors",
    name: "60,000 tensors of one number",
    make: () => {
      const entry = (at: number) =>
        `"t${at}":{"dtype":"F16","shape":[1],"data_offsets":[${2 * at},${2 * at + 2}]}`;
      const header = new TextEncoder().encode(`{${many(60_000, entry).join(",")}}`);
      return join(
        new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer),
        header,
        new Uint8Array(120_000),
      );
    },
  },
];
