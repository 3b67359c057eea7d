/** readOnnx with files of PyTorch's default exporter, and the state dicts they came from, by make_onnx_dynamo.py and make_onnx_writers.py. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { readOnnx, readWeights } from "../../src/formats/index.js";
import { expectedIn } from "../support/onnx-expected.js";
import { layer, marked } from "../support/onnx-layer.js";
import { floats, int64s, lengthDelimited, model, node, tensor } from "../support/onnx-writer.js";

const FOLDER = new URL("files/onnx-dynamo/", import.meta.url);
const EXPECTED = expectedIn(FOLDER);

const file = (name: string) => readFileSync(new URL(name, FOLDER));
/** Those that have a test of their own. */
const GRUS = ["gru-onnxscript-0.6.0.onnx", "gru-onnxscript-0.7.0.onnx"];
const OTHERS = ["lstm-int8-per-row.onnx", "lstm-int8.onnx", ...GRUS, "rnn-unrolled.onnx"];

/** Of an LSTM with proj_size, which the exporter cuts. */
const REFUSED = "lstm-projected-state.onnx";

/** Expects one layer with the state dict that the file was exported from. */
function expectExported(name: string, { layers }: ReturnType<typeof readOnnx>): void {
  const { kind, numLayers, bidirectional, bias, takesState, state } = EXPECTED[name]!;
  const direction = bidirectional ? "bidirectional" : "forward";
  expect(layers).toMatchObject([
    { kind, numLayers, direction, bias, takesState, initialState: undefined, batchFirst: false },
  ]);
  const { stateDict } = layers[0]!;
  expect([...stateDict.keys()].sort()).toEqual(Object.keys(state).sort());
  for (const [key, { shape, data }] of Object.entries(state)) {
    const got = stateDict.get(key)!;
    expect([key, got.shape, Array.from(got.data as Float32Array)]).toEqual([key, shape, data]);
  }
}

describe("readOnnx of PyTorch's default exporter", () => {
  it("has an expectation for every file", () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith(".onnx"));
    expect(files).toEqual([...Object.keys(EXPECTED), REFUSED].sort());
  });

  it.each(Object.keys(EXPECTED).filter((name) => !OTHERS.includes(name)))(
    "gives the one state dict that %s was exported from",
    (name) => expectExported(name, readOnnx(file(name))),
  );

  /** Two layers whose Y, as (L, N, D, H), is reshaped before the second; N is 2 where the states say so. */
  const reshaped = (
    shape: readonly number[][],
    state = "h0",
    allowzero = 0,
    reshape = node("Reshape", ["t", "shape"], ["s"], { attributes: { allowzero } }),
  ) => {
    const lstm = (x: string, y: string) =>
      node("LSTM", [x, "w", "r", "", "", state], [y], { attributes: { hidden_size: 2 } });
    return readOnnx(
      model({
        inputs: ["x"],
        outputs: ["y2"],
        nodes: [
          lstm("x", "y1"),
          node("Transpose", ["y1"], ["t"], { attributes: { perm: [0, 2, 1, 3] } }),
          ...shape,
          reshape,
          lstm("s", "y2"),
        ],
        initializers: [
          marked("w", 1, 4, 2, 2),
          marked("r", 1, 4, 2, 2),
          floats("h0", [1, 2, 2], [0, 0, 0, 0]),
          ...[-1, 0, 1, 2, 3].map((at) => int64s(`i${at}`, [at])),
        ],
      }),
    ).layers.map(({ nodes }) => nodes.length);
  };
  const numbers = (...value_ints: number[]) => [
    node("Constant", [], ["shape"], { attributes: { value_ints } }),
  ];

  it("takes a Reshape to numbers only where they keep L and N in their places", () => {
    for (const shape of [
      [4, 2, 2],
      [-1, 2, 2],
      [0, 2, 2],
      [0, -1, 2],
      [0, 2, -1],
    ]) {
      expect([shape, reshaped(numbers(...shape))]).toEqual([shape, [2]]);
    }
    for (const shape of [
      [2, 4, 2],
      [2, -1, 2],
      [0, 3, 2],
      [4, 2, 3],
      [4, 2, -1],
      [4, 2],
      [8, 2, 1, 1],
    ]) {
      expect([shape, reshaped(numbers(...shape))]).toEqual([shape, [1, 1]]);
    }
    // Nothing tells L from N, and a 0 is a size.
    expect(reshaped(numbers(4, 2, 2), "")).toEqual([1, 1]);
    expect(reshaped(numbers(0, 0, 2), "", 1)).toEqual([1, 1]);
  });

  it("takes a Reshape to a computed shape only where its parts are L and N of values on the way", () => {
    const shapeOf = (of: string) => node("Shape", [of], ["sizes"]);
    const slice = (from: number, to: string) => node("Slice", ["sizes", `i${from}`, `i${from + 1}`], [to]);
    const gather = (at: number, to: string) => node("Gather", ["sizes", `i${at}`], [to]);
    const joined = (...parts: string[]) => node("Concat", parts, ["shape"], { attributes: { axis: 0 } });
    const rest = [slice(2, "d"), node("Identity", ["d"], ["d2"])];
    expect(reshaped([shapeOf("t"), slice(0, "l"), slice(1, "n"), joined("l", "n", "i-1")], "")).toEqual([2]);
    expect(reshaped([shapeOf("y1"), gather(0, "l"), slice(2, "n"), joined("l", "n", "i2")], "")).toEqual([2]);
    expect(reshaped([shapeOf("x"), ...rest, slice(1, "n"), joined("i3", "n", "d2")], "")).toEqual([2]);
    // The other way round, the shape of the model's input in another order, one part alone with what is left.
    expect(reshaped([shapeOf("t"), slice(0, "l"), slice(1, "n"), joined("n", "l", "i2")], "")).toEqual([
      1, 1,
    ]);
    expect(reshaped([shapeOf("y1"), slice(0, "l"), slice(1, "n"), joined("l", "n", "i2")], "")).toEqual([
      1, 1,
    ]);
    expect(reshaped([shapeOf("w"), slice(0, "l"), slice(1, "n"), joined("l", "n", "i2")], "")).toEqual([
      1, 1,
    ]);
    expect(reshaped([shapeOf("t"), slice(0, "l"), joined("l", "i3", "i-1")], "")).toEqual([1, 1]);
  });

  it("follows a computed shape through nodes that keep it, and through no others", () => {
    const shapeOf = (attributes = {}, of = "t") => node("Shape", [of], ["sizes"], { attributes });
    const gather = (at: string, to: string, from = "sizes") => node("Gather", [from, at], [to]);
    const slice = (inputs: readonly string[], to: string) => node("Slice", ["sizes", ...inputs], [to]);
    const pass = (opType: string, from: string, to: string, domain = "") =>
      node(opType, [from], [to], { domain });
    const joined = (parts: readonly string[], domain = "") =>
      node("Concat", parts, ["shape"], { attributes: { axis: 0 }, domain });
    const n = gather("i1", "n");
    const end = joined(["l", "n", "i2"]);
    const kept: readonly number[][][] = [
      [shapeOf(), gather("i0", "a"), pass("Cast", "a", "b"), pass("Unsqueeze", "b", "l"), n, end],
      [shapeOf(), gather("i0", "a"), pass("Squeeze", "a", "b"), pass("Identity", "b", "l"), n, end],
      [shapeOf(), slice(["i0", "i1", "i0", "i1"], "l"), n, end],
      [
        shapeOf({ start: 0, end: 1 }),
        pass("Identity", "sizes", "l"),
        node("Shape", ["t"], ["s2"]),
        gather("i1", "n", "s2"),
        end,
      ],
    ];
    for (const nodes of kept) expect(reshaped(nodes, "")).toEqual([2]);
    const others: readonly number[][][] = [
      // An index that is not known, is asked for twice, or beside others.
      [shapeOf(), gather("x", "l"), gather("x", "n"), end],
      [shapeOf(), gather("i0", "a"), gather("i0", "l", "a"), gather("i0", "n", "a"), end],
      [shapeOf(), slice(["i0", "i2"], "l"), slice(["i1", "i3"], "n"), end],
      [shapeOf(), slice(["i0", "i1", "i0", "i2"], "l"), slice(["i1", "i2", "i0", "i2"], "n"), end],
      [shapeOf(), slice(["x", "i1"], "l"), slice(["i-1", "i0"], "n"), end],
      // A shape of all sizes, of a value that is not on the way, of another operator.
      [shapeOf(), pass("Identity", "sizes", "l"), pass("Identity", "sizes", "n"), end],
      [shapeOf({}, "h0"), gather("i0", "l"), n, end],
      [shapeOf(), pass("Abs", "sizes", "l"), pass("Abs", "sizes", "n"), end],
      [shapeOf(), pass("Identity", "sizes", "l", "mine"), pass("Identity", "sizes", "n", "mine"), end],
      [shapeOf(), gather("i-1", "l"), gather("i-1", "n"), end],
      // Parts that are none, and another number of them.
      [shapeOf(), gather("i0", "l"), n, joined(["l", "n"])],
      [shapeOf(), gather("i0", "l"), n, joined(["l", "n", "i2"], "mine")],
      [shapeOf(), pass("Identity", "sizes", "shape")],
      // More nodes than are followed.
      [
        shapeOf(),
        gather("i0", "a"),
        ...Array.from({ length: 12 }, (_, at) => pass("Identity", at === 0 ? "a" : `p${at}`, `p${at + 1}`)),
        joined(["p12", "i3", "i2"]),
      ],
    ];
    for (const nodes of others) expect(reshaped(nodes, "")).toEqual([1, 1]);
  });

  it("takes the shape of an old Reshape, which is an attribute", () => {
    const old = (shape: readonly number[], name = "shape") =>
      node("Reshape", ["t"], ["s"], { attributes: { [name]: shape } });
    expect(reshaped([], "h0", 0, old([4, 2, 2]))).toEqual([2]);
    expect(reshaped([], "h0", 0, old([2, 4, 2]))).toEqual([1, 1]);
    expect(reshaped([], "h0", 0, old(new Array(65).fill(1)))).toEqual([1, 1]);
    expect(reshaped([], "h0", 0, old([4, 2, 2], "sizes"))).toEqual([1, 1]);
    // One whose shape the model is given.
    expect(reshaped([], "h0", 0, node("Reshape", ["t", "x"], ["s"]))).toEqual([1, 1]);
  });

  it("tells no layer by metadata of other nodes", () => {
    const entry = (value: string) =>
      lengthDelimited(9, [
        ...lengthDelimited(1, "pkg.torch.onnx.class_hierarchy"),
        ...lengthDelimited(2, value),
      ]);
    const marked3 = (name: string) => marked(name, 1, 3, 2, 2);
    const warningsOf = (opType: string, value: string, producer = "pytorch") => {
      const bytes = layer("LSTM", {
        more: { nodes: [[...node(opType, ["x"], ["other"]), ...entry(value)]] },
      });
      return readOnnx(Uint8Array.from([...lengthDelimited(2, producer), ...bytes])).warnings;
    };
    expect(warningsOf("Tanh", "['torch.nn.modules.rnn.RNN', 'aten.rnn_tanh.input']")).toHaveLength(1);
    expect(warningsOf("Tanh", "['torch.nn.modules.activation.Tanh']")).toEqual([]);
    expect(warningsOf("Abs", "['torch.nn.modules.rnn.RNN']")).toEqual([]);
    expect(warningsOf("Tanh", "['torch.nn.modules.rnn.RNN']", "tf2onnx")).toEqual([]);
    const gru = node("GRU", ["x", "gw", "gr"], ["gy"], { name: "g", attributes: { hidden_size: 2 } });
    const initializers = [marked3("gw"), marked3("gr")];
    const bytes = model({ inputs: ["x"], nodes: [[...gru, ...entry("aten.gru.data")]], initializers });
    expect(readOnnx(Uint8Array.from([...lengthDelimited(2, "pytorch"), ...bytes])).warnings).toEqual([]);
  });

  it("takes the sizes of values that lead to one of the layers", () => {
    const extra = (...nodes: number[][]) => [...nodes, ...numbers(4, 2, 2)];
    // Nothing but the values between the layers tells L; none of these nodes is on the way.
    expect(reshaped(extra(node("Identity", ["x"], ["other"])), "")).toEqual([1, 1]);
    expect(reshaped(extra(), "h0")).toEqual([2]);
    expect(reshaped(extra(node("Identity", ["h0"], ["state"])), "state")).toEqual([2]);
    const perm = (value: readonly number[]) => ({ attributes: { perm: value } });
    expect(reshaped(extra(node("Transpose", ["h0"], ["state"], perm([0, 1, 2]))), "state")).toEqual([2]);
    expect(reshaped(extra(node("Slice", ["h0", "i0", "i1", "i0"], ["state"])), "state")).toEqual([2]);
    expect(reshaped(extra(node("Abs", ["h0"], ["state"])), "state")).toEqual([1, 1]);
    expect(reshaped(extra(node("Identity", ["x"], ["state"], { domain: "mine" })), "state")).toEqual([1, 1]);
    expect(reshaped(extra(node("Transpose", ["x"], ["state"], perm([1, 0, 2]))), "state")).toEqual([1, 1]);
    expect(reshaped(extra(node("Transpose", ["x"], ["state"])), "state")).toEqual([1, 1]);
    expect(reshaped(extra(node("Slice", ["x", "i0", "i1", "i1"], ["state"])), "state")).toEqual([1, 1]);
    const to = node("Constant", [], ["sizes3"], { attributes: { value_ints: [1, 2, 2] } });
    expect(reshaped(extra(to, node("Reshape", ["x", "sizes3"], ["state"])), "state")).toEqual([2]);
    expect(reshaped(extra(node("Reshape", ["x", "x"], ["state"])), "state")).toEqual([1, 1]);
    expect(reshaped(extra(node("Reshape", ["x"], ["state"])), "state")).toEqual([1, 1]);
    expect(reshaped(extra(node("Slice", ["x"], ["state"])), "state")).toEqual([1, 1]);
    const free = node("Constant", [], ["sizes3"], { attributes: { value_ints: [1, -1, 2] } });
    expect(reshaped(extra(free, node("Reshape", ["x", "sizes3"], ["state"])), "state")).toEqual([1, 1]);
    const turned = [to, node("Reshape", ["x", "sizes3"], ["one"]), node("Identity", ["one"], ["two"])];
    expect(
      reshaped(extra(...turned, node("Transpose", ["two"], ["state"], perm([0, 1, 2]))), "state"),
    ).toEqual([2]);
    expect(reshaped(extra(...turned, node("Transpose", ["two"], ["state"], perm([0, 1]))), "state")).toEqual([
      1, 1,
    ]);
    expect(
      reshaped(extra(...turned, node("Transpose", ["two"], ["state"], perm([0, 1, 9]))), "state"),
    ).toEqual([2]);
    expect(reshaped(extra(...turned, node("Slice", ["two", "i0", "i1", "i0"], ["state"])), "state")).toEqual([
      2,
    ]);
    expect(reshaped(extra(...turned, node("Slice", ["two", "i0", "i1", "i1"], ["state"])), "state")).toEqual([
      1, 1,
    ]);
  });

  it.each(GRUS)(
    "reads %s, without linear_before_reset = 1, as PyTorch meant it where it is told to",
    (name) => {
      const bytes = file(name);
      const asStated = readOnnx(bytes);
      expect(asStated.layers.map(({ options }) => options.resetAfter)).toEqual([false]);
      expect(asStated.warnings).toEqual([
        expect.stringMatching(
          /left out .* read as the file says, which is not what PyTorch computes; .*\{ gru: "pytorch" \}$/,
        ),
      ]);
      expect(readOnnx(bytes, { gru: "file" })).toEqual(asStated);
      const read = readOnnx(bytes, { gru: "pytorch" });
      expectExported(name, read);
      expect(read.warnings).toEqual([
        expect.stringMatching(
          /^onnx: GRU "node_\w+"(, "node_\w+")?: onnxscript 0.5.7 .* as PyTorch meant it/,
        ),
      ]);
      expect(readWeights(bytes, { gru: "pytorch" })).toMatchObject({
        format: "onnx",
        value: { layers: [{}] },
      });
      expect(read.layers.map(({ options }) => options.resetAfter)).toEqual([true]);
      expect(readOnnx(file("gru-state.onnx"), { gru: "pytorch" }).warnings).toEqual([]);
    },
  );

  it("reads any other GRU of linear_before_reset = 0 as the file says", () => {
    const bytes = layer("GRU", { attributes: { linear_before_reset: 0 } });
    const { layers, warnings } = readOnnx(bytes, { gru: "pytorch" });
    expect([layers[0]!.options.resetAfter, warnings]).toEqual([false, []]);
    expect(() => readOnnx(bytes, { gru: "torch" as never })).toThrow(
      'options.gru: expected "file" or "pytorch", got torch',
    );
    expect(() => readOnnx(bytes, { gru: 1 as never })).toThrow(
      'options.gru: expected "file" or "pytorch", got 1',
    );
  });

  it("says what an LSTM with proj_size is that takes a state, with the way on", () => {
    const message = (what: string) =>
      `: ${what}: expected 2 numbers a row, got 4; PyTorch's default exporter writes so an LSTM with proj_size, without all of its weights: save the state dict`;
    expect(() => readOnnx(file(REFUSED))).toThrow(message("initial_c"));
    const inputs = ["x", "w", "r", "", "", "h", "c"];
    const lstm = (c: readonly number[], yc: readonly number[], layout = 0) =>
      readOnnx(
        model({
          inputs: ["x", "h", { name: "c", shape: c }],
          outputs: ["y", { name: "yc", shape: yc }],
          nodes: [node("LSTM", inputs, ["y", "yh", "yc"], { attributes: { hidden_size: 2, layout } })],
          initializers: [marked("w", 1, 4, 2, 2), marked("r", 1, 4, 2, 2)],
        }),
      ).layers.length;
    expect(() => lstm([1, 3, 2], [1, 3, 4])).toThrow(message("Y_c"));
    expect(() => lstm([1, 3, 1], [1, 3, 1])).toThrow(/initial_c: expected 2 numbers a row, got 1$/);
    expect(lstm([1, 3, 2], [1, 3, 2])).toBe(1);
    expect(lstm([3, 1, 2], [3, 1, 2], 1)).toBe(1);
  });

  it("says that the exporter unrolled an nn.RNN, with the way on", () => {
    const { layers, warnings } = readOnnx(file("rnn-unrolled.onnx"));
    expect(layers).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/unrolled an nn\.RNN .* export with dynamo=False, or save the state/),
    ]);
    expect(readOnnx(file("lstm-stack.onnx")).warnings).toEqual([]);
  });

  it.each([
    ["lstm-int8.onnx", 1],
    ["lstm-int8-per-row.onnx", 8],
  ])("reads the int8 weights of %s as they are, with the scales of their rows", (name, different) => {
    const { state, numLayers } = EXPECTED[name]!;
    const { layers } = readOnnx(file(name));
    expect(layers).toMatchObject([{ kind: "LSTM", numLayers, bias: true, initialState: undefined }]);
    const { stateDict } = layers[0]!;
    const scales = Object.keys(state).filter((key) => key.startsWith("weight"));
    expect([...stateDict.keys()].sort()).toEqual(
      [...Object.keys(state), ...scales.map((key) => `${key}_scale`)].sort(),
    );
    for (const [key, { shape, data }] of Object.entries(state)) {
      const { data: numbers, shape: got } = stateDict.get(key)!;
      expect(got).toEqual(shape);
      const scale = stateDict.get(`${key}_scale`)?.data as Float32Array | undefined;
      expect(numbers).toBeInstanceOf(scale === undefined ? Float32Array : Int8Array);
      if (scale !== undefined) expect([scale.length, new Set(scale).size]).toEqual([shape[0], different]);
      const meant = Array.from(numbers as Int8Array, (number, at) =>
        scale === undefined ? number : Math.fround(number * scale[Math.floor(at / shape[1]!)]!),
      );
      expect([key, meant]).toEqual([key, data]);
    }
  });

  it.each<[string, Record<number, string>, string]>([
    ["W of bytes without a sign", { 1: "u8" }, "W of uint8 is not supported, only of int8"],
    ["a zero point", { 11: "i1" }, "R_zero_point other than 0 is not supported"],
    ["W of two dimensions", { 1: "i8" }, "W: expected 3 dimensions, got [1]"],
    ["scales of another length", { 8: "h0" }, "W_scale: expected 1 or 8 floats, got float32 [1, 2, 2]"],
    ["scales that are integers", { 8: "i1" }, "W_scale: expected 1 or 8 floats, got int64 [1]"],
    ["no scale", { 10: "" }, "R_scale is missing"],
    ["a computed scale", { 10: "x" }, "R_scale is an input of the model"],
    ["R of another shape", { 2: "q3" }, "R: expected shape [1, 8, 2], got [1, 8, 3]"],
    ["peepholes", { 7: "h0" }, "P: expected shape [1, 6], got [1, 2, 2]"],
    ["another input", { 12: "h0" }, "input 12 is not supported"],
  ])("refuses a quantised LSTM with %s", (_, changes, message) => {
    const inputs = ["x", "q", "q", "", "", "", "", "", "scale", "zero", "scale", "zero", ""];
    const bytes = (type: number, dims: number[], raw: ArrayBufferView) => tensor("", { type, dims, raw });
    const named = (name: string, made: number[]) => [...made, ...lengthDelimited(8, name)];
    const made = (wanted: readonly string[]) =>
      model({
        inputs: ["x"],
        nodes: [
          node("DynamicQuantizeLSTM", wanted, ["y"], {
            domain: "com.microsoft",
            attributes: { hidden_size: 2 },
          }),
        ],
        initializers: [
          named("q", bytes(3, [1, 2, 8], new Int8Array(16))),
          named("q3", bytes(3, [1, 3, 8], new Int8Array(24))),
          named("u8", bytes(2, [1, 2, 8], new Uint8Array(16))),
          named("i8", bytes(3, [1], new Int8Array(1))),
          named("zero", bytes(3, [1], new Int8Array(1))),
          floats("scale", [1], [0.5]),
          floats("h0", [1, 2, 2], [0, 0, 0, 0]),
          int64s("i1", [1]),
        ],
      });
    expect(readOnnx(made(inputs)).layers).toHaveLength(1);
    const changed = inputs.map((name, at) => changes[at] ?? name);
    expect(() => readOnnx(made(changed))).toThrow(FormatError);
    expect(() => readOnnx(made(changed))).toThrow(message);
  });
});
