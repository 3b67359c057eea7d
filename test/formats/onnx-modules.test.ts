/** The Linear and Conv1d layers that readOnnx lists beside the recurrent ones. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { listModules } from "../../src/formats/index.js";
import { type OnnxModule, readOnnx } from "../../src/formats/onnx/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { layer } from "../support/onnx-layer.js";
import { floats, func, graph, int64s, model, type NodeOptions, node } from "../support/onnx-writer.js";

/** (in 2, out 3) as MatMul takes it, and as PyTorch has it. */
const IN_OUT = [1, 2, 3, 4, 5, 6];
const OUT_IN = [1, 4, 2, 5, 3, 6];
const BIAS = [7, 8, 9];
const read = (nodes: number[][], initializers: number[][]) =>
  readOnnx(model({ inputs: ["x"], outputs: ["y"], nodes, initializers })).modules;
const numbers = ({ stateDict }: OnnxModule) =>
  [...stateDict].map(([name, { data, shape }]) => [name, shape, Array.from(data as Float32Array)]);
const linear = { kind: "Linear", inFeatures: 2, outFeatures: 3 };
const WEIGHT = ["weight", [3, 2], OUT_IN];

describe("a Linear", () => {
  const w = floats("onnx::MatMul_45", [2, 3], IN_OUT);
  const matmul = node("MatMul", ["x", "onnx::MatMul_45"], ["m"], { name: "/head/MatMul" });

  it.each([
    ["the output first", ["m", "head.bias"]],
    ["the bias first", ["head.bias", "m"]],
  ])("is a MatMul and an Add with %s", (_, inputs) => {
    const [found, ...more] = read([matmul, node("Add", inputs, ["y"])], [w, floats("head.bias", [3], BIAS)]);
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      ...linear,
      name: "/head/MatMul",
      prefix: "head.",
      bias: true,
      tensors: ["onnx::MatMul_45", "head.bias"],
    });
    expect(numbers(found!)).toEqual([WEIGHT, ["bias", [3], BIAS]]);
  });

  it("is a MatMul alone, also where something else follows", () => {
    const others: Record<string, number[][]> = {
      nothing: [],
      "an Add of two values": [node("Add", ["m", "x"], ["y"])],
      "an Add of another width": [node("Add", ["m", "one"], ["y"])],
      "an Add of another domain": [node("Add", ["m", "bias"], ["y"], { domain: "my" })],
      "two nodes": [node("Add", ["m", "bias"], ["y"]), node("Relu", ["m"], ["z"])],
      "itself twice": [node("Add", ["m", "m"], ["y"])],
    };
    for (const [name, after] of Object.entries(others)) {
      const found = read([matmul, ...after], [w, floats("bias", [3], BIAS), floats("one", [1], [1])]);
      expect([name, ...found.map(numbers)]).toEqual([name, [WEIGHT]]);
      expect(found[0]).toMatchObject({ ...linear, prefix: "/head/MatMul.", bias: false });
    }
  });

  it.each([
    ["as PyTorch has it", 1, [3, 2], OUT_IN],
    ["turned", 0, [2, 3], IN_OUT],
  ])("is a Gemm with a weight %s", (_, transB, shape, data) => {
    const gemm = node("Gemm", ["x", "head.weight", "head.bias"], ["y"], { attributes: { transB } });
    for (const dims of [[3], [1, 3]]) {
      const [found] = read([gemm], [floats("head.weight", shape, data), floats("head.bias", dims, BIAS)]);
      expect(found).toMatchObject({ ...linear, prefix: "head.", bias: true });
      expect(numbers(found!)).toEqual([WEIGHT, ["bias", [3], BIAS]]);
    }
  });

  it("has a weight that passes through other nodes, as newer exporters write it", () => {
    const turn = node("Transpose", ["fc.weight"], ["t"], { attributes: { perm: [1, 0] } });
    const [found] = read([turn, node("MatMul", ["x", "t"], ["y"])], [floats("fc.weight", [3, 2], OUT_IN)]);
    expect(found).toMatchObject({ ...linear, prefix: "fc.", tensors: ["fc.weight"] });
    expect(numbers(found!)).toEqual([WEIGHT]);
  });

  it("is found in branches and functions, and once where nodes share its weight", () => {
    const inner = node("MatMul", ["x", "w"], ["i"], { name: "in" });
    const body = func("my", "F", {
      inputs: ["a", "b"],
      outputs: ["c"],
      nodes: [node("MatMul", ["a", "b"], ["c"])],
    });
    const call = (output: string, weight = "v") => node("F", ["x", weight], [output], { domain: "my" });
    const bytes = model(
      {
        inputs: ["x"],
        nodes: [
          node("If", ["x"], ["y"], {
            name: "if",
            attributes: { then_branch: { graph: graph({ nodes: [inner] }) } },
          }),
          call("p"),
          call("q"),
          node("MatMul", ["x", "w"], ["z"]),
        ],
        initializers: [floats("w", [2, 3], IN_OUT), floats("v", [2, 3], IN_OUT)],
      },
      [body],
    );
    const { modules } = readOnnx(bytes);
    expect(modules.map(({ name }) => name)).toEqual(["if/then_branch/in", "F_1/MatMul_0"]);
  });

  const gemm = (attributes: NodeOptions["attributes"], c = "c") =>
    node("Gemm", ["x", "w", c], ["y"], { attributes: attributes! });
  it.each<[string, number[][]]>([
    ["a weight that is computed", [node("Relu", ["w"], ["v"]), node("MatMul", ["x", "v"], ["y"])]],
    ["a weight that is the input", [node("MatMul", ["w", "x"], ["y"])]],
    ["constants alone", [node("MatMul", ["w", "w"], ["y"])]],
    ["a weight of three axes", [node("MatMul", ["x", "k"], ["y"])]],
    ["integers", [node("MatMul", ["x", "ints"], ["y"])]],
    ["another domain", [node("MatMul", ["x", "w"], ["y"], { domain: "com.microsoft" })]],
    ["a factor", [gemm({ alpha: { float: 2 } })]],
    ["a factor of the bias", [gemm({ beta: { float: 0.5 } })]],
    ["its input turned", [gemm({ transA: 1 })]],
    ["a bias that is computed", [gemm({}, "x")]],
    ["a bias for each row", [gemm({}, "w")]],
    ["a broken weight", [node("Concat", ["w", "c"], ["v"]), node("MatMul", ["x", "v"], ["y"])]],
  ])("is no node with %s", (_, nodes) => {
    const initializers = [
      floats("w", [2, 3], IN_OUT),
      floats("c", [3], BIAS),
      floats("k", [1, 2, 3], IN_OUT),
      int64s("ints", [1, 2, 3]),
    ];
    expect(read(nodes, initializers)).toEqual([]);
  });
});

describe("a Conv1d", () => {
  const conv = (attributes: NodeOptions["attributes"], inputs = ["x", "dw.weight", "dw.bias"]) =>
    node("Conv", inputs, ["y"], { name: "/dw/Conv", attributes: attributes! });
  const weights = [
    floats("dw.weight", [4, 1, 3], new Array(12).fill(1)),
    floats("dw.bias", [4], [1, 2, 3, 4]),
  ];

  it("tells its groups, stride, dilation and padding, which its weights do not", () => {
    const [found] = read(
      [conv({ group: 4, strides: [2], dilations: [3], pads: [5, 5], kernel_shape: [3] })],
      weights,
    );
    expect(found).toEqual({
      kind: "Conv1d",
      name: "/dw/Conv",
      prefix: "dw.",
      bias: true,
      inChannels: 4,
      outChannels: 4,
      kernelSize: 3,
      stride: 2,
      dilation: 3,
      groups: 4,
      padding: 5,
      tensors: ["dw.weight", "dw.bias"],
      stateDict: new Map([
        ["weight", new Tensor(new Float32Array(12).fill(1), [4, 1, 3])],
        ["bias", Tensor.from([1, 2, 3, 4])],
      ]),
    });
  });

  it.each<[NonNullable<NodeOptions["attributes"]>, object]>([
    [{}, { inChannels: 1, groups: 1, stride: 1, dilation: 1, padding: 0 }],
    [{ group: 2 }, { inChannels: 2, groups: 2 }],
    [{ pads: [2, 0] }, { padding: undefined }],
    [{ auto_pad: "SAME_UPPER" }, { padding: undefined }],
    [{ auto_pad: "VALID" }, { padding: 0 }],
  ])("with the attributes %j is %j", (attributes, expected) => {
    expect(read([conv(attributes)], weights)).toMatchObject([expected]);
  });

  it.each<[string, number[]]>([
    ["groups that do not divide its channels", conv({ group: 3 })],
    ["no groups", conv({ group: 0 })],
    ["a stride of 0", conv({ strides: [0] })],
    ["two dimensions", conv({}, ["x", "image"])],
    ["a bias of another size", conv({}, ["x", "dw.weight", "image"])],
  ])("is no node with %s", (_, bytes) => {
    expect(read([bytes], [...weights, floats("image", [1, 1, 2, 2], [1, 2, 3, 4])])).toEqual([]);
  });

  it("in a state dict may be depthwise where each group has one channel", () => {
    const found = listModules(
      new Map([
        ["dw.weight", Tensor.zeros([4, 1, 3])],
        ["one.weight", Tensor.zeros([1, 1, 3])],
        ["full.weight", Tensor.zeros([4, 2, 3])],
      ]),
    );
    expect(found.map((info) => info.kind === "Conv1d" && [info.prefix, info.mostGroups])).toEqual([
      ["dw.", 4],
      ["one.", 1],
      ["full.", undefined],
    ]);
  });
});

describe("layerTensors", () => {
  it("are what the layers are made of, not what leads to them at run time", () => {
    const bytes = layer("LSTM", { initializers: [floats("head.weight", [3, 2], OUT_IN)] });
    const { layerTensors, tensors } = readOnnx(bytes);
    expect([...layerTensors].sort()).toEqual(["b", "r", "w"]);
    expect([...tensors.keys()].sort()).toEqual(["b", "head.weight", "r", "w"]);
  });

  it.each(["gru-dropout", "lstm-opset-9", "lstm-both-ways", "lstm-stack", "branch", "lstm-functions"])(
    "are all floats of %s.onnx, which has nothing else",
    (name) => {
      const file = readFileSync(new URL(`files/onnx/${name}.onnx`, import.meta.url));
      const { layerTensors, tensors, modules } = readOnnx(file);
      const made = new Set([...layerTensors, ...modules.flatMap((module) => module.tensors)]);
      const left = [...tensors].filter(
        ([key, { data }]) => data instanceof Float32Array && data.length > 1 && !made.has(key),
      );
      // Zeros of initial states.
      expect(left.filter(([, { data }]) => (data as Float32Array).some((value) => value !== 0))).toEqual([]);
      expect(layerTensors.every((key) => tensors.has(key))).toBe(true);
    },
  );
});
