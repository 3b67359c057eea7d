/** readOnnx and listOnnxNodes: what they read. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { dtypeOf } from "../../src/formats/index.js";
import { listOnnxNodes, readOnnx } from "../../src/formats/onnx/index.js";
import { expectedIn } from "../support/onnx-expected.js";
import { layer, marked } from "../support/onnx-layer.js";
import {
  float,
  floats,
  func,
  graph,
  int64s,
  integer,
  lengthDelimited,
  model,
  node,
  tensor,
  varint,
} from "../support/onnx-writer.js";

/** Files as PyTorch exports them and the state dicts they came from, by make_onnx.py. */
const FOLDER = new URL("files/onnx/", import.meta.url);
const EXPECTED = expectedIn(FOLDER);

describe("readOnnx", () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".onnx"));

  it("has an expectation for every file", () => {
    expect(files).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(files)("gives the state dict that %s was exported from", (name) => {
    const { state, bidirectional, ...expected } = EXPECTED[name]!;
    const { layers } = readOnnx(readFileSync(new URL(name, FOLDER)));
    expect(layers).toHaveLength(1);
    const [found] = layers;
    expect(found).toMatchObject({
      ...expected,
      direction: bidirectional ? "bidirectional" : "forward",
      nonlinearity: name === "rnn-relu.onnx" ? "relu" : "tanh",
      initialState: undefined,
    });
    expect([...found!.stateDict.keys()].sort()).toEqual(Object.keys(state).sort());
    for (const [key, { shape, data }] of Object.entries(state)) {
      const got = found!.stateDict.get(key)!;
      expect([key, got.shape, Array.from(got.data as Float32Array)]).toEqual([key, shape, data]);
    }
  });

  it.each([
    ["LSTM", [0, 2, 3, 1]],
    ["GRU", [1, 0, 2]],
    ["RNN", [0]],
  ])("brings the gates of both directions of %s into PyTorch's order", (kind, order) => {
    const { stateDict, direction, inputSize, hiddenSize } = readOnnx(layer(kind, { directions: 2 }))
      .layers[0]!;
    expect([direction, inputSize, hiddenSize]).toEqual(["bidirectional", 2, 2]);
    for (const [d, suffix] of ["", "_reverse"].entries()) {
      const rows = order.flatMap((gate) => [0, 1].map((unit) => 1000 * d + 100 * gate + 10 * unit));
      const matrix = rows.flatMap((row) => [row, row + 1]);
      expect(Array.from(stateDict.get(`weight_ih_l0${suffix}`)!.data as Float32Array)).toEqual(matrix);
      expect(Array.from(stateDict.get(`weight_hh_l0${suffix}`)!.data as Float32Array)).toEqual(matrix);
      expect(Array.from(stateDict.get(`bias_ih_l0${suffix}`)!.data as Float32Array)).toEqual(rows);
      const recurrentBias = rows.map((row) => row + 100 * order.length);
      expect(Array.from(stateDict.get(`bias_hh_l0${suffix}`)!.data as Float32Array)).toEqual(recurrentBias);
    }
  });

  it("gives each layer of a stack a bias where one of them has", () => {
    const lstm = (x: string, b: string, y: string) =>
      node("LSTM", [x, "w", "r", b], [y], { attributes: { hidden_size: 2 } });
    const squeeze = node("Squeeze", ["y1"], ["s"], { attributes: { axes: [1] } });
    const [stack] = readOnnx(
      model({
        inputs: ["x"],
        nodes: [lstm("x", "", "y1"), squeeze, lstm("s", "b", "y2")],
        initializers: [marked("w", 1, 4, 2, 2), marked("r", 1, 4, 2, 2), marked("b", 1, 8, 2, 1)],
      }),
    ).layers;
    expect([stack!.numLayers, stack!.bias]).toEqual([2, true]);
    expect(stack!.stateDict.get("bias_ih_l0")!.data).toEqual(new Float32Array(8));
    expect(stack!.stateDict.get("bias_ih_l1")!.data[0]).toBe(0);
    expect(stack!.stateDict.get("bias_ih_l1")!.data[1]).toBe(10);
  });

  it("takes a clip of 0 as none, as onnxruntime does", () => {
    const clipped = (float: number) =>
      readOnnx(layer("LSTM", { attributes: { clip: { float } } })).layers[0]!;
    expect(clipped(0).options).not.toHaveProperty("clip");
    expect(clipped(0.5).options.clip).toBe(0.5);
  });

  it("says what a layer takes: direction, layout, lengths, state", () => {
    const plain = readOnnx(layer("LSTM", { attributes: { direction: "reverse" } })).layers[0]!;
    expect(plain).toMatchObject({
      direction: "reverse",
      batchFirst: false,
      takesLengths: false,
      takesState: false,
    });
    expect([...plain.stateDict.keys()]).toContain("weight_ih_l0");
    const fed = { inputs: ["x", "w", "r", "", "lengths", "state"], attributes: { layout: 1 } };
    const full = readOnnx(layer("RNN", fed)).layers[0]!;
    expect(full).toMatchObject({ bias: false, batchFirst: true, takesLengths: true, takesState: true });
    expect([...full.stateDict.keys()]).toEqual(["weight_ih_l0", "weight_hh_l0"]);
  });

  it("gives the initial state that the file states", () => {
    const inputs = ["x", "w", "r", "b", "", "h0", "c0"];
    const h0 = floats("h0", [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
    const zeros = floats("c0", [2, 2, 2], [0, 0, 0, 0, 0, 0, 0, 0]);
    const { initialState } = readOnnx(layer("LSTM", { directions: 2, inputs, initializers: [h0, zeros] }))
      .layers[0]!;
    expect(Array.from(initialState!.h0.data)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(Array.from(initialState!.c0!.data)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    const first = layer("GRU", {
      directions: 2,
      inputs: inputs.slice(0, 6),
      initializers: [h0],
      attributes: { layout: 1 },
    });
    expect(Array.from(readOnnx(first).layers[0]!.initialState!.h0.data)).toEqual([1, 2, 5, 6, 3, 4, 7, 8]);
  });

  it("finds layers in functions and loops, with weights from outside", () => {
    const call = (outputs: string[]) =>
      node("Encode", ["x", "w", "r"], outputs, { domain: "my", attributes: { size: 2 } });
    const inner = node("LSTM", ["fx", "fw2", "fr"], ["fy"], {
      attributes: { hidden_size: { reference: "size" } },
    });
    const body = func("my", "Encode", {
      inputs: ["fx", "fw", "fr"],
      outputs: ["fy"],
      nodes: [node("Identity", ["fw"], ["fw2"]), inner],
    });
    const loop = graph({
      inputs: ["i", "go", "fx"],
      outputs: ["go", "ly"],
      nodes: [node("LSTM", ["fx", "w", "r"], ["ly"], { attributes: { hidden_size: 2 } })],
    });
    const bytes = model(
      {
        inputs: ["x", "n", "go"],
        nodes: [
          call(["a"]),
          call(["c"]),
          node("Loop", ["n", "go", "x"], ["z"], { name: "L", attributes: { body: { graph: loop } } }),
        ],
        initializers: [marked("w", 1, 4, 2, 2), marked("r", 1, 4, 2, 2)],
      },
      [body],
    );
    const { layers } = readOnnx(bytes);
    expect(layers.map(({ name }) => name)).toEqual(["Encode_0/LSTM_1", "Encode_1/LSTM_1", "L/body/LSTM_0"]);
    for (const { stateDict } of layers) expect(stateDict).toEqual(layers[0]!.stateDict);
  });

  it("tells functions of one name apart by their overload", () => {
    const lstm = (direction: string) =>
      node("LSTM", ["fx", "fw", "fr"], ["fy"], { attributes: { hidden_size: 2, direction } });
    const overload = (name: string, direction: string) => [
      ...func("my", "Encode", { inputs: ["fx", "fw", "fr"], outputs: ["fy"], nodes: [lstm(direction)] }),
      ...lengthDelimited(13, name),
    ];
    const call = (name: string) => [
      ...node("Encode", ["x", "w", "r"], [name], { domain: "my" }),
      ...lengthDelimited(8, name),
    ];
    const bytes = model(
      {
        inputs: ["x"],
        nodes: [call("b"), call("a")],
        initializers: [marked("w", 1, 4, 2, 2), marked("r", 1, 4, 2, 2)],
      },
      [overload("a", "forward"), overload("b", "reverse")],
    );
    expect(readOnnx(bytes).layers.map(({ direction }) => direction)).toEqual(["reverse", "forward"]);
  });

  it("reads weights from the files beside the model", () => {
    const data = new Float32Array(70);
    data.set(
      Float32Array.from({ length: 32 }, (_, at) => at),
      6,
    );
    const file = new Uint8Array(data.buffer);
    const external = (name: string, columns: number, place: Record<string, string>) => {
      const pairs = Object.entries({ location: "m.onnx.data", ...place }).flatMap((pair) =>
        lengthDelimited(
          13,
          pair.flatMap((text, at) => lengthDelimited(at + 1, text)),
        ),
      );
      return tensor(name, { dims: [1, 8, columns], more: [...pairs, ...integer(14, 1)] });
    };
    const made = (r: Record<string, string>) =>
      layer("LSTM", {
        inputs: ["x", "w2", "r2"],
        initializers: [external("w2", 2, { offset: "24", length: "64" }), external("r2", 2, r)],
      });
    const good = made({ offset: "216" });
    const options = { externalData: { "m.onnx.data": file } };
    const { stateDict } = readOnnx(good, options).layers[0]!;
    expect(stateDict.get("weight_ih_l0")!.data.slice(0, 4)).toEqual(Float32Array.of(0, 1, 2, 3));
    expect(listOnnxNodes(good, options)[0]!.problem).toBeUndefined();
    expect(listOnnxNodes(good)[0]!.problem).toContain('another file, "m.onnx.data"');
    for (const [place, message] of [
      [{ offset: "281" }, 'external data: -1 bytes at 281 of "m.onnx.data", which has 280'],
      [{ offset: "220", length: "64" }, 'external data: 64 bytes at 220 of "m.onnx.data", which has 280'],
      [{ offset: "-8" }, 'external data: offset is "-8"'],
      [{ offset: "9".repeat(30) }, "external data: offset is"],
      [{ offset: "224" }, "take 64 bytes, got 56"],
      [{ location: "../m.onnx.data" }, 'another file, "../m.onnx.data"; give it as options.externalData'],
      [{ location: "__proto__" }, 'another file, "__proto__"'],
    ] as const) {
      expect(() => readOnnx(made(place), options)).toThrow(FormatError);
      expect(() => readOnnx(made(place), options)).toThrow(message);
    }
    const shared = Array.from({ length: 17 }, (_, at) => external(`w${at}`, 2, {}));
    expect(() => readOnnx(layer("LSTM", { initializers: shared }), options)).toThrow("share bytes too often");
    expect(() => readOnnx(good, { externalData: file as never })).toThrow("options.externalData");
    expect(() => readOnnx(good, { externalData: { a: 1 } as never })).toThrow('options.externalData["a"]');
  });

  const chain = (between: readonly number[][], x: string, outputs = ["y2"], more = {}) =>
    readOnnx(
      model({
        inputs: ["x"],
        outputs,
        nodes: [
          node("LSTM", ["x", "w", "r"], ["y1"], { attributes: { hidden_size: 2, ...more } }),
          ...between,
          node("LSTM", [x, "w", "r"], ["y2"], { attributes: { hidden_size: 2, ...more } }),
        ],
        initializers: [
          marked("w", 1, 4, 2, 2),
          marked("r", 1, 4, 2, 2),
          int64s("one", [1]),
          int64s("shape", [0, 0, -1]),
          int64s("two", [2]),
          int64s("units", [0, 0, 2]),
          int64s("flat", [1, 0, -1]),
        ],
      }),
    ).layers.map(({ nodes }) => nodes.length);
  const squeeze = node("Squeeze", ["y1", "one"], ["s"]);

  it("stacks layers only where nothing else happens between them", () => {
    expect(chain([squeeze], "s")).toEqual([2]);
    const transpose = node("Transpose", ["y1"], ["t"], { attributes: { perm: [0, 2, 1, 3] } });
    expect(chain([transpose, node("Reshape", ["t", "shape"], ["s"])], "s")).toEqual([2]);
    expect(chain([squeeze, node("Identity", ["s"], ["i"]), node("Dropout", ["i"], ["d"])], "d")).toEqual([2]);
    expect(chain([squeeze, node("Relu", ["s"], ["a"])], "a")).toEqual([1, 1]);
    expect(chain([squeeze], "s", ["y2", "s"])).toEqual([1, 1]);
    expect(chain([squeeze, node("Relu", ["s"], ["a"])], "s")).toEqual([1, 1]);
    const swap = node("Transpose", ["s"], ["t"], { attributes: { perm: [1, 0, 2] } });
    expect(chain([squeeze, swap], "t")).toEqual([1, 1]);
    expect(chain([node("Squeeze", ["y1"], ["s"])], "s")).toEqual([1, 1]);
    // Axes from the end, a stated size, batch first; a Dropout in training, a shape that is none, another domain.
    const last = node("Squeeze", ["y1"], ["s"], { attributes: { axes: [-3] } });
    expect(chain([last], "s")).toEqual([2]);
    expect(chain([transpose, node("Reshape", ["t", "units"], ["s"])], "s")).toEqual([2]);
    expect(chain([node("Squeeze", ["y1", "two"], ["s"])], "s", ["y2"], { layout: 1 })).toEqual([2]);
    expect(chain([squeeze], "s", ["y2"], { layout: 1 })).toEqual([1, 1]);
    expect(chain([squeeze, node("Dropout", ["s", "", "x"], ["d"])], "d")).toEqual([1, 1]);
    expect(chain([transpose, node("Reshape", ["t", "flat"], ["s"])], "s")).toEqual([1, 1]);
    expect(chain([node("Reshape", ["y1", "shape"], ["s"])], "s")).toEqual([1, 1]);
    expect(chain([node("Squeeze", ["y1", "one"], ["s"], { domain: "d" })], "s")).toEqual([1, 1]);
  });

  it("gives every weight of the file, by branch where names repeat", () => {
    const weight = (value: number) =>
      node("Constant", [], ["w"], { attributes: { value: { tensor: floats("", [1], [value]) } } });
    const branch = (value: number) => ({
      graph: graph({
        nodes: [weight(value), node("Constant", [], ["s"], { attributes: { value_string: "x" } })],
      }),
    });
    const bytes = model({
      inputs: ["flag"],
      nodes: [
        node("If", ["flag"], ["y"], {
          name: "If_0",
          attributes: { then_branch: branch(1), else_branch: branch(2) },
        }),
        node("Constant", [], ["n"], { attributes: { value_ints: [3, -4] } }),
        node("Constant", [], ["f"], { attributes: { value_float: { float: 0.5 } } }),
      ],
      initializers: [
        tensor("half", { type: 10, dims: [2], raw: Uint16Array.of(0x3e00, 0xbe00) }),
        tensor("text", { type: 8, dims: [1] }),
        tensor("listed", {
          dims: [2],
          more: lengthDelimited(4, new Uint8Array(Float32Array.of(1, 2).buffer)),
        }),
        tensor("listed half", { type: 10, dims: [1], more: lengthDelimited(5, [0x80, 0x7c]) }),
        tensor("listed byte", {
          type: 3,
          dims: [1],
          more: lengthDelimited(5, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        }),
      ],
    });
    expect([...readOnnx(bytes).tensors].map(([name, { data }]) => [name, data])).toEqual([
      ["half", Float32Array.of(1.5, -1.5)],
      ["listed", Float32Array.of(1, 2)],
      ["listed half", Float32Array.of(1.5)],
      ["listed byte", Int8Array.of(-1)],
      ["If_0/then_branch/w", Float32Array.of(1)],
      ["If_0/else_branch/w", Float32Array.of(2)],
      ["n", BigInt64Array.of(3n, -4n)],
      ["f", Float32Array.of(0.5)],
    ]);
  });

  it.each([2, 10])(
    "reads a Constant of %i integers with the ends of int64, where exporters let slices end",
    (count) => {
      const ends = Array.from({ length: count }, (_, at) => (at % 2 === 0 ? -(2n ** 63n) : 2n ** 63n - 1n));
      const bytes = model({ nodes: [node("Constant", [], ["c"], { attributes: { value_ints: ends } })] });
      expect(readOnnx(bytes).tensors.get("c")!.data).toEqual(BigInt64Array.from(ends));
    },
  );

  it("reads numbers of any width, in lists as long as may be", () => {
    const long = Array.from({ length: 9 }, (_, at) => (at % 2 === 0 ? 1 : -1) * 2 ** (4 * at));
    const [int, ints, few] = [
      { value_int: -(2 ** 40) },
      { value_ints: long },
      { value_floats: { floats: [1, 2] } },
    ];
    const varints = (...numbers: bigint[]) => numbers.flatMap(varint);
    const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer);
    const bytes = model({
      nodes: [int, ints, few].map((attributes, at) => node("Constant", [], [`c${at}`], { attributes })),
      initializers: [
        tensor("i64", { type: 7, dims: [2], more: lengthDelimited(7, varints(-1n, 2n ** 62n)) }),
        tensor("u64", { type: 13, dims: [1], more: lengthDelimited(11, varints(2n ** 64n - 1n)) }),
        tensor("u32", { type: 12, dims: [1], more: lengthDelimited(11, varints(2n ** 32n - 1n)) }),
        tensor("i16", { type: 5, dims: [1], more: lengthDelimited(5, varints(-300n)) }),
        tensor("f64", { type: 11, dims: [2], more: lengthDelimited(10, bytesOf(Float64Array.of(0.1, 2))) }),
        tensor("f32", { dims: [9], more: lengthDelimited(4, bytesOf(Float32Array.from(long))) }),
        tensor("one", { dims: [1], more: float(4, 0.5) }),
      ],
    });
    const { tensors } = readOnnx(bytes);
    expect(Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]))).toEqual({
      i64: BigInt64Array.of(-1n, 2n ** 62n),
      u64: BigUint64Array.of(2n ** 64n - 1n),
      u32: Uint32Array.of(2 ** 32 - 1),
      i16: Int16Array.of(-300),
      f64: Float32Array.of(0.1, 2),
      f32: Float32Array.from(long),
      one: Float32Array.of(0.5),
      c0: BigInt64Array.of(BigInt(-(2 ** 40))),
      c1: BigInt64Array.from(long, BigInt),
      c2: Float32Array.of(1, 2),
    });
    expect(["f64", "f32", "u64"].map((name) => dtypeOf(tensors.get(name)!))).toEqual([
      "float64",
      "float32",
      "uint64",
    ]);
  });

  it("tells nodes of one name apart, and the graphs of one attribute", () => {
    const lstm = node("LSTM", ["x", "w", "r"], [], {
      name: "n",
      domain: "ai.onnx",
      attributes: { hidden_size: 2 },
    });
    const inner = graph({ nodes: [lstm] });
    const nodes = [
      lstm,
      lstm,
      node("Foo", [], [], { name: "n", attributes: { branches: { graphs: [inner, inner] } } }),
    ];
    const names = listOnnxNodes(layer("LSTM", { more: { nodes } })).map(({ name, problem }) => [
      name,
      problem,
    ]);
    expect(names).toEqual(
      ["n", "n#2", "n#3/branches[0]/n", "n#3/branches[1]/n", "LSTM_3"].map((name) => [name, undefined]),
    );
  });

  it("reads only the nodes it is asked for", () => {
    const gru = node("GRU", ["x", "w", "r"], ["z"], { name: "bad", attributes: { hidden_size: 2 } });
    const bytes = layer("LSTM", { more: { nodes: [gru] } });
    expect(() => readOnnx(bytes)).toThrow('onnx: GRU "bad": W: expected shape [1, 6, 2], got [1, 8, 2]');
    expect(readOnnx(bytes, { nodes: ["LSTM_1"] }).layers.map(({ name }) => name)).toEqual(["LSTM_1"]);
    expect(() => readOnnx(bytes, { nodes: ["x"] })).toThrow(
      new FormatError('onnx: no recurrent node "x"; there are "bad", "LSTM_1"'),
    );
    expect(() => readOnnx(model({}), { nodes: ["x"] })).toThrow('no recurrent node "x"; there are none');
    expect(() => readOnnx(bytes, { nodes: "LSTM_1" } as never)).toThrow(
      "options.nodes: expected an array of names",
    );
  });
});

describe("listOnnxNodes", () => {
  it("lists attributes of every kind", () => {
    const attributes = { a: [1, 2], b: { floats: [0.5] }, c: ["x"], d: { float: 2 }, e: "text", f: [] };
    const [listed] = listOnnxNodes(layer("LSTM", { attributes }));
    expect(listed!.attributes).toMatchObject({ a: [1, 2], b: [0.5], c: ["x"], d: 2, e: "text", f: [] });
    expect(listed!.problem).toContain('attribute "a" is not supported');
  });

  it("lists nodes with their attributes and what is wrong with them", () => {
    const peepholes = node("LSTM", ["x", "w", "r", "", "", "", "", "p"], ["z"], {
      name: "bad",
      attributes: { hidden_size: 2, activations: ["Sigmoid", "Tanh", "Tanh"], clip: { float: -1 } },
    });
    expect(listOnnxNodes(layer("LSTM", { more: { nodes: [peepholes] } }))).toEqual([
      {
        name: "bad",
        operator: "LSTM",
        attributes: { hidden_size: 2, activations: ["Sigmoid", "Tanh", "Tanh"], clip: -1 },
        inputs: ["x", "w", "r", "", "", "", "", "p"],
        outputs: ["z"],
        problem: 'onnx: LSTM "bad": clip -1 is not supported',
      },
      {
        name: "LSTM_1",
        operator: "LSTM",
        attributes: { hidden_size: 2 },
        inputs: ["x", "w", "r", "b"],
        outputs: ["y", "yh"],
        problem: undefined,
      },
    ]);
  });
});
