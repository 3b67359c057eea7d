/** Malformed and hostile ONNX files. */
import * as onnx from "../onnx-writer.js";
import { join, repeat } from "../torch-writer.js";
import { type HostileFile, times } from "./readers.js";
import { safetensors } from "./safetensors.js";

const attribute = { hidden_size: 1 };
const lstm = (w: string, outputs = ["y"]) =>
  onnx.node("LSTM", ["x", w, "r"], outputs, { attributes: attribute });
const chain = (op: string, count: number, inputs: (from: string) => string[], attributes = {}) =>
  Array.from({ length: count }, (_, at) => onnx.node(op, inputs(`v${at}`), [`v${at + 1}`], { attributes }));

const calls = (count: number) => Array.from({ length: count }, () => onnx.node("f", [], [], { domain: "d" }));
/** Bytes in messages in each other, the outermost field first; large ones as typed arrays. */
const wrap = (fields: readonly number[], content: Uint8Array): Uint8Array =>
  fields.reduceRight(
    (inner, field) => join(onnx.varint(field * 8 + 2), onnx.varint(inner.length), inner),
    content,
  );

export const ONNX: Omit<HostileFile, "reader">[] = [
  {
    name: "no file at all",
    make: () => new Uint8Array(0),
    message: "onnx: got an empty file",
  },
  { name: "a safetensors file", make: () => safetensors(2, "{}"), message: "onnx: got a safetensors file" },
  {
    name: "a number of 11 bytes",
    make: () => Uint8Array.from([0x08, ...times(10, [0x80]), 1]),
    message: "a number of more than 10 bytes",
  },
  {
    name: "a number that does not end",
    make: () => Uint8Array.from([0x08, 0x80]),
    message: "the message ends within a number",
  },
  {
    name: "a message of 2^63 bytes",
    make: () => Uint8Array.from([0x3a, ...onnx.varint(1n << 63n)]),
    message: "field 7: 9223372036854775808 bytes, but 0 are left",
  },
  {
    name: "a number of eight bytes that does not end",
    make: () => Uint8Array.from([0x09, 1, 2, 3]),
    message: "field 1: 8 bytes, but 3 are left",
  },
  { name: "a group", make: () => Uint8Array.from([0x3b]), message: "wire type 3 is not supported" },
  { name: "field 0", make: () => Uint8Array.from([0x00, 0x00]), message: "no such field number" },
  { name: "two graphs", make: () => Uint8Array.from([0x3a, 0, 0x3a, 0]), message: "a second graph" },
  {
    name: "a graph that is a number",
    make: () => Uint8Array.from([0x38, 1]),
    message: "expected bytes, got wire type 0",
  },
  {
    name: "a name that is no UTF-8",
    make: () => Uint8Array.from([0x3a, 3, 0x12, 1, 0xff]),
    message: "byte 0 is not valid UTF-8",
  },
  {
    name: "half a million nodes",
    make: () => {
      const nodes = repeat(5e5, [0x0a, 0x00]);
      return join([0x3a], onnx.varint(nodes.length), nodes);
    },
    message: "more than 100000 nodes",
  },
  {
    name: "two million fields",
    make: () => repeat(2e6, [0x08, 0x01]),
    message: "the file has more than 1000000 fields",
  },
  {
    name: "graphs in each other",
    make: () => {
      let inner = onnx.graph({});
      for (let depth = 0; depth < 100; depth++) {
        inner = onnx.graph({
          nodes: [onnx.node("If", [], [], { attributes: { then_branch: { graph: inner } } })],
        });
      }
      return Uint8Array.from(onnx.lengthDelimited(7, inner));
    },
    message: "graphs nest deeper than 32",
  },
  {
    name: "a function that calls itself",
    make: () =>
      onnx.model({ nodes: [onnx.node("f", [], [], { domain: "d" })] }, [
        onnx.func("d", "f", { nodes: [onnx.node("f", [], [], { domain: "d" })] }),
      ]),
    message: "calls and graphs nest deeper than 64",
  },
  {
    name: "functions that call the next one twice",
    make: () => {
      const twice = (at: number) => [1, 2].map(() => onnx.node(`f${at}`, [], [], { domain: "d" }));
      const functions = Array.from({ length: 40 }, (_, at) =>
        onnx.func("d", `f${at}`, { nodes: twice(at + 1) }),
      );
      return onnx.model({ nodes: twice(0) }, functions);
    },
    message: "names of nodes take more memory than a file of this size may",
  },
  {
    name: "a function of a thousand nodes called 101 times",
    make: () => {
      const nodes = Array.from({ length: 1000 }, () => onnx.node("Add", [], []));
      return onnx.model({ nodes: calls(101) }, [onnx.func("d", "f", { nodes })]);
    },
    message: "more than 100000 nodes",
  },
  {
    name: "a function of ten thousand inputs called a thousand times",
    make: () => {
      const inputs = Array.from({ length: 10_000 }, (_, at) => `i${at}`);
      return onnx.model({ nodes: calls(1000) }, [onnx.func("d", "f", { inputs })]);
    },
    message: "more than 1000000 names",
  },
  {
    name: "a branch of five thousand weights in a function called a thousand times",
    make: () => {
      const initializers = Array.from({ length: 5000 }, (_, at) => onnx.floats(`w${at}`, [0], []));
      const attributes = { then_branch: { graph: onnx.graph({ initializers }) } };
      return onnx.model({ nodes: calls(1000) }, [
        onnx.func("d", "f", { nodes: [onnx.node("If", [], [], { attributes })] }),
      ]);
    },
    message: "more than 1000000 names",
  },
  ...[
    { attributes: Object.fromEntries(Array.from({ length: 1200 }, (_, at) => [`a${at}`, 1])) },
    { inputs: Array.from({ length: 1200 }, () => "x") },
  ].map(({ inputs = [], ...options }) => ({
    name: `a node of 1,200 ${inputs.length > 0 ? "inputs" : "attributes"} in a function called a thousand times`,
    make: () =>
      onnx.model({ nodes: calls(1000) }, [
        onnx.func("d", "f", { nodes: [onnx.node("LSTM", inputs, [], options)] }),
      ]),
    message: "more than 1000000 names",
  })),
  {
    name: "a name of a million characters before a function's nodes",
    make: () =>
      onnx.model({ nodes: [onnx.node("f", [], [], { domain: "d", name: "n".repeat(1e6) })] }, [
        onnx.func("d", "f", { nodes: Array.from({ length: 100 }, () => onnx.node("Add", [], [])) }),
      ]),
    message: "a node's name of 1000000 characters",
  },
  {
    name: "a weight of twelve million dims",
    make: () => wrap([7, 5, 1], new Uint8Array(12e6).fill(1)),
    message: "more than 64 dims",
  },
  {
    name: "a weight whose list of twelve million numbers is twelve million too long",
    make: () => {
      const fields = [onnx.integer(2, 7), onnx.lengthDelimited(8, "w"), wrap([7], new Uint8Array(12e6))];
      return wrap([7], join(wrap([5], join(...fields)), onnx.lengthDelimited(1, lstm("w"))));
    },
    message: "dims are of 1 numbers, got a list of 12000000",
  },
  {
    name: "a weight through ten thousand nodes",
    make: () =>
      onnx.model({
        nodes: [...chain("Identity", 10_000, (from) => [from]), lstm("v10000")],
        initializers: [onnx.floats("v0", [1], [1])],
      }),
    message: "passes through more than 200 nodes",
  },
  {
    name: "a weight that depends on itself",
    make: () =>
      onnx.model({
        nodes: [onnx.node("Identity", ["a"], ["b"]), onnx.node("Identity", ["b"], ["a"]), lstm("a")],
      }),
    message: "passes through more than 200 nodes",
  },
  {
    name: "a weight that doubles sixty times",
    make: () =>
      onnx.model({
        nodes: [...chain("Concat", 60, (from) => [from, from], { axis: 0 }), lstm("v60")],
        initializers: [onnx.floats("v0", [1], [1])],
      }),
    message: "constants take more memory than a file of this size may",
  },
  {
    name: "a weight given ten thousand times",
    make: () => {
      const inputs = Array.from({ length: 10_000 }, () => "w");
      const weight = onnx.tensor("w", { dims: [16384], raw: new Float32Array(16384) });
      return onnx.model({
        nodes: [onnx.node("Concat", inputs, ["c"], { attributes: { axis: 0 } }), lstm("c")],
        initializers: [weight],
      });
    },
    message: "constants take more memory than a file of this size may",
  },
  {
    name: "a weight of a megabyte in two thousand layers",
    make: () => {
      const [weight, nodes] = [new Uint8Array(2 ** 20), times(2000, onnx.lengthDelimited(1, lstm("w", [])))];
      const dims = [1, 4, 2 ** 16].flatMap((size) => onnx.integer(1, size));
      const initializer = join(dims, onnx.integer(2, 1), onnx.lengthDelimited(8, "w"), wrap([9], weight));
      const rest = onnx.graph({ inputs: ["x"], initializers: [onnx.floats("r", [1, 4, 1], [1, 2, 3, 4])] });
      return wrap([7], join(wrap([5], initializer), nodes, rest));
    },
    message: "constants take more memory than a file of this size may",
  },
  {
    name: "a function of a thousand layers called ninety times",
    make: () => {
      const nodes = Array.from({ length: 1000 }, () => lstm("w", []));
      return onnx.model({ nodes: calls(90) }, [onnx.func("d", "f", { nodes })]);
    },
    message: "recurrent nodes take more memory than a file of this size may",
  },
  {
    name: "an attribute of twelve million numbers",
    make: () => wrap([7, 1, 5, 8], new Uint8Array(12e6)),
    message: "constants take more memory than a file of this size may",
  },
  {
    name: "a weight of more than 2^53 rows without numbers",
    make: () =>
      onnx.model({
        nodes: [onnx.node("Concat", ["w", "w"], ["c"], { attributes: { axis: 0 } }), lstm("c")],
        initializers: [onnx.tensor("w", { dims: [2 ** 52, 0], raw: new Uint8Array(0) })],
      }),
    message: "its axis is too long",
  },
  {
    name: "a weight of 10,000 dimensions",
    make: () =>
      onnx.model({
        nodes: [
          onnx.node("Unsqueeze", ["w"], ["u"], {
            attributes: { axes: Array.from({ length: 10_000 }, (_, at) => at) },
          }),
          lstm("u"),
        ],
        initializers: [onnx.floats("w", [1], [1])],
      }),
    message: "axes: 10000 numbers",
  },
  {
    name: "a weight of 2^62 numbers",
    make: () => onnx.model({ nodes: [lstm("w")], initializers: [onnx.tensor("w", { dims: [1n << 62n] })] }),
    message: "dims: expected up to 64 sizes of at least 0",
  },
  {
    name: "a weight of 2^40 numbers",
    make: () => onnx.model({ nodes: [lstm("w")], initializers: [onnx.tensor("w", { dims: [1n << 40n] })] }),
    message: "take 4398046511104 bytes, got 0",
  },
  {
    name: "a hidden size of 2^40",
    make: () =>
      onnx.model({
        inputs: ["x"],
        nodes: [onnx.node("LSTM", ["x", "w", "w"], ["y"], { attributes: { hidden_size: 2 ** 40 } })],
        initializers: [onnx.floats("w", [1, 4, 1], [1, 2, 3, 4])],
      }),
    message: "W: expected shape [1, 4398046511104, 1], got [1, 4, 1]",
  },
];
