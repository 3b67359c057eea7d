import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { listOnnxNodes, readOnnx } from "../../src/formats/onnx/index.js";
import {
  type AttributeValue,
  floats,
  func,
  type GraphOptions,
  graph,
  int64s,
  integer,
  lengthDelimited,
  model,
  node,
  tensor,
} from "../support/onnx-writer.js";

/** Files as PyTorch exports them and the state dicts they came from, by make_onnx.py. */
const FOLDER = new URL("files/onnx/", import.meta.url);
const EXPECTED: Record<
  string,
  {
    kind: string;
    numLayers: number;
    bidirectional: boolean;
    bias: boolean;
    takesState: boolean;
    state: Record<string, { shape: number[]; data: number[] }>;
  }
> = JSON.parse(readFileSync(new URL("expected.json", FOLDER), "utf8"));

const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** A weight (D, G*H, columns) whose numbers tell where they are: direction, gate, unit, column as digits. */
function marked(name: string, directions: number, gates: number, hidden: number, columns: number): number[] {
  const numbers: number[] = [];
  for (let d = 0; d < directions; d++) {
    for (let row = 0; row < gates * hidden; row++) {
      for (let column = 0; column < columns; column++) {
        numbers.push(1000 * d + 100 * Math.floor(row / hidden) + 10 * (row % hidden) + column);
      }
    }
  }
  return floats(
    name,
    columns === 1 && name === "b" ? [directions, gates * hidden] : [directions, gates * hidden, columns],
    numbers,
  );
}

const GATES: Record<string, number> = { LSTM: 4, GRU: 3, RNN: 1 };

interface LayerOptions {
  directions?: number;
  inputs?: readonly string[];
  attributes?: Record<string, AttributeValue>;
  initializers?: readonly number[][];
  more?: GraphOptions;
}

/** A model of one layer of two inputs and two units, with marked weights. */
function layer(
  kind: string,
  { directions = 1, inputs, attributes = {}, initializers, more = {} }: LayerOptions = {},
) {
  const gates = GATES[kind]!;
  const defaults = kind === "GRU" ? { linear_before_reset: 1 } : {};
  return model({
    inputs: ["x", "state", "lengths"],
    outputs: ["y"],
    ...more,
    nodes: [
      ...(more.nodes ?? []),
      node(kind, inputs ?? ["x", "w", "r", "b"], ["y", "yh"], {
        attributes: {
          hidden_size: 2,
          ...(directions === 2 ? { direction: "bidirectional" } : {}),
          ...defaults,
          ...attributes,
        },
      }),
    ],
    initializers: [
      marked("w", directions, gates, 2, 2),
      marked("r", directions, gates, 2, 2),
      marked("b", directions, 2 * gates, 2, 1),
      ...(initializers ?? []),
    ],
  });
}

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

  const chain = (between: readonly number[][], x: string, outputs = ["y2"]) =>
    readOnnx(
      model({
        inputs: ["x"],
        outputs,
        nodes: [
          node("LSTM", ["x", "w", "r"], ["y1"], { attributes: { hidden_size: 2 } }),
          ...between,
          node("LSTM", [x, "w", "r"], ["y2"], { attributes: { hidden_size: 2 } }),
        ],
        initializers: [
          marked("w", 1, 4, 2, 2),
          marked("r", 1, 4, 2, 2),
          int64s("one", [1]),
          int64s("shape", [0, 0, -1]),
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

  it("reads only the nodes it is asked for", () => {
    const gru = node("GRU", ["x", "w", "r"], ["z"], { name: "bad", attributes: { hidden_size: 2 } });
    const bytes = layer("LSTM", { more: { nodes: [gru] } });
    expect(() => readOnnx(bytes)).toThrow("linear_before_reset = 0");
    expect(readOnnx(bytes, { nodes: ["LSTM_1"] }).layers.map(({ name }) => name)).toEqual(["LSTM_1"]);
    expect(() => readOnnx(bytes, { nodes: ["x"] })).toThrow(
      new FormatError('onnx: no recurrent node "x"; there are "bad", "LSTM_1"'),
    );
    expect(() => readOnnx(bytes, { nodes: "LSTM_1" } as never)).toThrow(
      "options.nodes: expected an array of names",
    );
  });

  const withLists = (name: string, dims: number[], numbers: number[]) => ({
    initializers: [floats(name, dims, numbers)],
  });
  const weights = (at: number, name: string) =>
    ["x", "w", "r", "b"].map((usual, index) => (index === at ? name : usual));
  it.each<[string, Uint8Array, string]>([
    [
      "clip",
      layer("LSTM", { attributes: { clip: { float: 3 } } }),
      'onnx: LSTM "LSTM_0": clip 3 is not supported',
    ],
    ["input_forget", layer("LSTM", { attributes: { input_forget: 1 } }), "input_forget 1 is not supported"],
    [
      "linear_before_reset = 0",
      layer("GRU", { attributes: { linear_before_reset: 0 } }),
      'onnx: GRU "GRU_0": linear_before_reset = 0 is not PyTorch\'s GRU, and not supported',
    ],
    [
      "peepholes",
      layer("LSTM", { inputs: ["x", "w", "r", "b", "", "", "", "state"] }),
      'onnx: LSTM "LSTM_0": input P (peepholes) is not supported',
    ],
    [
      "other activations",
      layer("LSTM", { attributes: { activations: ["HardSigmoid", "Tanh", "Tanh"] } }),
      'activations "HardSigmoid", "Tanh", "Tanh" are not supported',
    ],
    [
      "activations of one direction for two",
      layer("RNN", { directions: 2, attributes: { activations: ["Tanh"] } }),
      'activations "Tanh" are not supported',
    ],
    [
      "an RNN of two kinds",
      layer("RNN", { directions: 2, attributes: { activations: ["Tanh", "Relu"] } }),
      '"Tanh", "Relu" are not',
    ],
    [
      "a GRU with Relu",
      layer("GRU", { attributes: { activations: ["Relu"] } }),
      'activations "Relu" are not supported',
    ],
    [
      "activation_alpha",
      layer("RNN", { attributes: { activation_alpha: { floats: [1] } } }),
      "activation_alpha is not supported",
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
      model({ nodes: [node("DynamicQuantizeLSTM", [], ["y"], { domain: "com.microsoft" })] }),
      'onnx: DynamicQuantizeLSTM "DynamicQuantizeLSTM_0": operator com.microsoft.DynamicQuantizeLSTM is not supported',
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

describe("listOnnxNodes", () => {
  it("lists nodes with their attributes and what is wrong with them", () => {
    const peepholes = node("LSTM", ["x", "w", "r", "", "", "", "", "p"], ["z"], {
      name: "bad",
      attributes: { hidden_size: 2, activations: ["Sigmoid", "Tanh", "Tanh"], clip: { float: 1 } },
    });
    expect(listOnnxNodes(layer("LSTM", { more: { nodes: [peepholes] } }))).toEqual([
      {
        name: "bad",
        operator: "LSTM",
        attributes: { hidden_size: 2, activations: ["Sigmoid", "Tanh", "Tanh"], clip: 1 },
        inputs: ["x", "w", "r", "", "", "", "", "p"],
        outputs: ["z"],
        problem: 'onnx: LSTM "bad": clip 1 is not supported',
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
