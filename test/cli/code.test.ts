/** What `inspect --code` writes is run as it is, for every weight file of the tests, and beside PyTorch's numbers. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Names } from "../../src/cli/identifiers.js";
import { writeSafetensors } from "../../src/formats/index.js";
import { Conv1d, LSTM, LSTMCell, RNN, Tensor, type TensorData } from "../../src/index.js";
import { command, FILES, folder, netFile, npy, readNpy, write } from "../support/cli.js";
import { type Result, run } from "../support/cli-code.js";
import { expectClose, type GoldenCase, goldenCases } from "../support/golden.js";
import * as onnx from "../support/onnx-writer.js";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

const expected = (kind: string) => JSON.parse(readFileSync(join(FILES, kind, "expected.json"), "utf8"));

describe("for every weight file of the tests", () => {
  const TORCH: Record<string, Record<string, { shape: number[]; data: number[] }>> = expected("torch");
  const ONNX: Record<string, { kind: string; state: Record<string, { shape: number[]; data: number[] }> }> =
    expected("onnx");
  const files = (kind: string) => readdirSync(join(FILES, kind)).filter((name) => !name.endsWith(".json"));
  const REFUSED = ["complex.pt", "empty.pt", "list.pt", "sparse.pt", "tensor.pt", "two.pt"];

  it.each(files("torch").filter((name) => !REFUSED.includes(name)))("%s", (name) => {
    const { results, code } = run(join(FILES, "torch", name));
    const golden = TORCH[name]!;
    for (const { prefix, state } of Object.values(results)) {
      for (const [key, { shape, data }] of Object.entries(state)) {
        expect([shape, data]).toEqual([golden[prefix + key]!.shape, golden[prefix + key]!.data]);
      }
    }
    const kinds = [...code.matchAll(/= (\w+)\.fromStateDict/g)].map(([, kind]) => kind);
    if ("encoder.rnn.weight_ih_l0" in golden) expect(kinds).toEqual(["Embedding", "LSTM", "Linear"]);
  });

  it.each(REFUSED)("%s is refused", (name) => {
    const { code, out } = command("inspect", join(FILES, "torch", name), "--code");
    expect([code, out]).toEqual([4, ""]);
  });

  it("two.pt, by its keys", () => {
    const { results } = run(join(FILES, "torch/two.pt"), ["--path", "nets", "--path", "other"]);
    expect(Object.keys(results)).toEqual(["gru"]);
    for (const [key, { data }] of Object.entries(results.gru!.state)) {
      expect(data).toEqual(TORCH["two.pt"]![key]!.data);
    }
  });

  it.each(files("onnx"))("%s", (name) => {
    const { results } = run(join(FILES, "onnx", name));
    const states = Object.values(results).map(({ state }) => state);
    // The models end in a Linear, which expected.json does not have.
    const isLinear = (state: Result["state"]) => "weight" in state;
    expect(states.filter(isLinear).every(({ weight }) => weight!.shape.length === 2)).toBe(true);
    expect(states.filter((state) => !isLinear(state))).toEqual([
      Object.fromEntries(
        Object.entries(ONNX[name]!.state).map(([key, { shape, data }]) => [key, { shape, data }]),
      ),
    ]);
  });

  it.each(["amp.nam", "amp.json"])("%s, as `run` plays it", (name) => {
    const x = Tensor.randn([20, 1, 1], 3);
    const path = join(EXAMPLES, "amp", name);
    const input = write("x.npy", npy(new Tensor(x.data, [20, 1])));
    const output = join(folder, `${name}.npy`);
    expect(command("run", path, "--input", input, "--output", output).code).toBe(0);
    const { results } = run(path, [], { x });
    const played = readNpy(output).data;
    expect(results.head!.output.data).toEqual(Array.from(played));
    expect(played.some((value) => Math.abs(value) > 0.01)).toBe(true);
  });

  it("safetensors, int8 too, and the model of the examples", () => {
    expect(Object.keys(run(netFile).results)).toEqual(["embedding", "head", "lstm"]);
    const int8 = join(folder, "int8.safetensors");
    expect(command("quantize", netFile, int8).code).toBe(0);
    const { results } = run(int8);
    expect(Object.keys(results.lstm!.state)).toContain("weight_ih_l0_scale");
    expect(Object.keys(run(join(EXAMPLES, "char-rnn/licence.pt")).results).length).toBeGreaterThan(1);
  });
});

/** Golden cases that a file tells whole: of default options, and with a batch. */
const usual = (golden: GoldenCase) => {
  const { options, input, expected } = golden as Extract<GoldenCase, { module: "LSTM" }>;
  const told = ["inputSize", "hiddenSize", "numLayers", "bias", "bidirectional", "projSize", "dropout"];
  const sizes = ["inFeatures", "outFeatures", "inChannels", "outChannels", "kernelSize"];
  return (
    !("lengths" in golden) &&
    input.data.every(Number.isFinite) &&
    input.data.length > 0 &&
    expected.output.nonFinite === 0 &&
    input.data.length < 2000 &&
    Object.entries(options).every(
      ([name, value]) => [...told, ...sizes].includes(name) || value === false || value === "tanh",
    )
  );
};

/** Expects a result for each variable, and the numbers of its case. */
function expectGolden(
  results: Readonly<Record<string, Result>>,
  names: readonly string[],
  cases: readonly Pick<Extract<GoldenCase, { module: "LSTM" }>, "name" | "expected">[],
): void {
  expect(Object.keys(results).sort()).toEqual([...names].sort());
  for (const [at, name] of names.entries()) {
    const { data, shape } = results[name]!.output;
    const golden = cases[at]!;
    expectClose(golden.name, new Tensor(Float32Array.from(data), shape), golden.expected.output);
  }
}

describe("beside PyTorch's numbers", () => {
  const CALLED = { LSTM: "Lstm", GRU: "Gru", RNN: "Rnn", Linear: "Linear", Conv1d: "Conv1D" };

  it("many layers of one file", () => {
    const cases = Object.keys(CALLED).flatMap((kind) =>
      goldenCases(kind as "LSTM")
        .filter((golden) => usual(golden) && !("state" in golden))
        .slice(0, 12),
    );
    const dict = new Map<string, Tensor<TensorData>>();
    const given: Record<string, Tensor> = {};
    for (const [at, { stateDict, input, module }] of cases.entries()) {
      for (const [name, tensor] of stateDict) dict.set(`net.${module}.${at}.${name}`, tensor);
      given[`net${CALLED[module]}${at}`] = input;
    }
    const { results } = run(write("golden.safetensors", writeSafetensors(dict)), [], given);
    expectGolden(results, Object.keys(given), cases);
    expect(cases.length).toBeGreaterThan(40);
  });

  /** Rows of a weight in the order of ONNX's gates, from that of PyTorch's. */
  const reordered = (tensor: Tensor, gates: readonly number[]) => {
    const part = tensor.data.length / gates.length;
    return gates.flatMap((gate) => Array.from(tensor.data.subarray(gate * part, (gate + 1) * part)));
  };

  it("layers of an ONNX model with initial states", () => {
    const orders = { LSTM: [0, 3, 1, 2], GRU: [1, 0, 2], RNN: [0] };
    const cases = (["LSTM", "GRU", "RNN"] as const).flatMap((kind) =>
      goldenCases(kind as "LSTM").filter(
        (golden) =>
          usual(golden) &&
          golden.name.startsWith("sizes") &&
          "state" in golden &&
          golden.input.shape.length === 3,
      ),
    );
    const initializers: number[][] = [];
    const given: Record<string, Tensor> = {};
    const nodes = cases.map((golden, at) => {
      const { module, stateDict, input, state, options } = golden;
      const gates = orders[module];
      const { inputSize, hiddenSize } = options;
      const rows = gates.length * hiddenSize;
      const of = (name: string) => reordered(stateDict.get(name)!, gates);
      const [h0, c0] = [state!].flat() as Tensor[];
      initializers.push(
        onnx.floats(`w${at}`, [1, rows, inputSize], of("weight_ih_l0")),
        onnx.floats(`r${at}`, [1, rows, hiddenSize], of("weight_hh_l0")),
        onnx.floats(`b${at}`, [1, 2 * rows], [...of("bias_ih_l0"), ...of("bias_hh_l0")]),
        onnx.floats(`h${at}`, h0!.shape, [...h0!.data]),
        ...(c0 === undefined ? [] : [onnx.floats(`c${at}`, c0.shape, [...c0.data])]),
      );
      given[`node${at}`] = input;
      const inputs = [`x${at}`, `w${at}`, `r${at}`, `b${at}`, "", `h${at}`, ...(c0 ? [`c${at}`] : [])];
      const attributes = {
        hidden_size: hiddenSize,
        ...((module as string) === "GRU" ? { linear_before_reset: 1 } : {}),
      };
      return onnx.node(module, inputs, [`y${at}`], { name: `node${at}`, attributes });
    });
    const path = write(
      "states.onnx",
      onnx.model({ inputs: cases.map((_, at) => `x${at}`), nodes, initializers }),
    );
    const { results, code } = run(path, [], given);
    expect(code.match(/initialState/g)!.length).toBeGreaterThan(cases.length);
    expectGolden(results, Object.keys(given), cases);
    expect(cases.length).toBeGreaterThan(10);
  });
});

const lstmOf = (prefix: string, inputSize: number, hiddenSize: number, numLayers = 1) =>
  [...new LSTM({ inputSize, hiddenSize, numLayers }).stateDict()].map(
    ([name, tensor]): [string, Tensor<TensorData>] => [prefix + name, tensor],
  );
const save = (...tensors: [string, Tensor<TensorData>][]) =>
  write("saved.safetensors", writeSafetensors(new Map(tensors)));
const plain = (path: string) => command("inspect", path).out;

describe("prints what works", () => {
  it("for a layer without a prefix, beside other tensors", () => {
    const own = lstmOf("", 2, 3, 2);
    const { results } = run(save(...own, ["fc.weight", Tensor.zeros([2, 3])], ["scale", Tensor.zeros([1])]));
    expect(Object.keys(results)).toEqual(["fc", "lstm"]);
    expect(results.lstm!.state.weight_hh_l1!.data).toEqual(Array.from(own[5]![1].data as Float32Array));
    const linear = run(
      save(["weight", Tensor.zeros([2, 3])], ["bias", Tensor.zeros([2])], ["a.b", Tensor.zeros([1])]),
    );
    expect(Object.keys(linear.results)).toEqual(["linear"]);
  });

  it("for a layer that others lie below", () => {
    const { results, code } = run(
      save(...lstmOf("a.rnn.", 2, 3), ["a.rnn.head.weight", Tensor.zeros([2, 3])]),
    );
    expect(Object.keys(results)).toEqual(["aRnnHead", "aRnn"]);
    expect(code).toContain('.test(name.replace("a.rnn.", "")))');
  });

  it("and nothing for a stack whose layers come apart", () => {
    const two = lstmOf("rnn.", 2, 3, 2);
    const zeros = (name: string, ...shape: number[]): [string, Tensor] => [
      `rnn.${name}`,
      Tensor.zeros(shape),
    ];
    const without = (...names: string[]) => two.filter(([name]) => !names.includes(name.slice(4)));
    const layer1 = ["weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1"];
    const apart: Record<string, [string, Tensor<TensorData>][]> = {
      "expected shape [12, 3], got [20, 3]": [
        ...without(...layer1),
        ...[
          zeros("weight_ih_l1", 20, 3),
          zeros("weight_hh_l1", 20, 5),
          zeros("bias_ih_l1", 20),
          zeros("bias_hh_l1", 20),
        ],
      ],
      "missing rnn.weight_hh_l1": without("weight_hh_l1"),
      "unexpected rnn.weight_hh_l1": without("weight_ih_l1"),
      "unexpected rnn.weight_ih_l2": [...without(...layer1), zeros("weight_ih_l2", 12, 3)],
      "unexpected rnn.bias_hh_l0": without("bias_ih_l0"),
    };
    for (const [reason, tensors] of Object.entries(apart)) {
      const path = save(...tensors, ["head.weight", Tensor.zeros([2, 3])]);
      const { results, code } = run(path);
      expect(Object.keys(results)).toEqual(["head"]);
      expect(code).toMatch(/^\/\/ Not supported: LSTM at "rnn\." does not load: /m);
      expect(plain(path)).not.toMatch(/^ {2}rnn\. /m);
      expect(code).toContain(reason);
      expect(plain(path)).toContain(reason);
    }
  });

  it("and both of two that are no stack", () => {
    const numbers = (name: string, ...dims: number[]) =>
      onnx.floats(name, dims, Array(dims.reduce((size, length) => size * length)).fill(0.5));
    const nodes = [
      onnx.node("LSTM", ["x", "w1", "r1"], ["y"], { name: "/rnn/LSTM" }),
      onnx.node("Squeeze", ["y", "axis"], ["z"]),
      onnx.node("LSTM", ["z", "w2", "r2"], ["o"], { name: "/rnn/LSTM_1" }),
    ];
    const axis = onnx.int64s("axis", [1]);
    const weights = [
      numbers("w1", 1, 8, 3),
      numbers("r1", 1, 8, 2),
      numbers("w2", 1, 20, 2),
      numbers("r2", 1, 20, 5),
    ];
    const path = write("apart.onnx", onnx.model({ inputs: ["x"], nodes, initializers: [...weights, axis] }));
    expect(Object.keys(run(path).results)).toEqual(["rnnLstm", "rnnLstm1"]);
    expect(plain(path)).toContain("layers[1].stateDict");
  });

  it("with a comment for what weights do not tell", () => {
    const conv = (name: string, ...shape: number[]): [string, Tensor] => [
      `${name}.weight`,
      Tensor.zeros(shape),
    ];
    const rnn = ["ih", "hh"].map((part): [string, Tensor] => [`rnn.weight_${part}_l0`, Tensor.zeros([3, 3])]);
    const path = save(conv("deep", 8, 1, 3), conv("wide", 8, 2, 3), conv("one", 1, 1, 3), ...rnn);
    const { code, results } = run(path);
    expect(Object.keys(results)).toEqual(["deep", "one", "rnn", "wide"]);
    expect(code).toContain(
      "// Weights do not tell stride, padding, dilation and groups (8 if it is depthwise).\nconst deep",
    );
    expect(code).toContain("// Weights do not tell stride, padding, dilation and groups.\nconst wide");
    expect(code).toContain('tanh, or { nonlinearity: "relu" }.\nconst rnn');
    const listed = plain(path);
    expect(listed).toContain("Conv1d 1 -> 8, kernel 3, or depthwise with 8 groups, no bias  24\n");
    expect(listed).toMatch(/Conv1d 2 -> 8, kernel 3, no bias +48\n/);
    expect(listed).toMatch(/Conv1d 1 -> 1, kernel 3, no bias +3\n/);
  });

  it("of cells that an exporter unrolled into the steps of a model, by their parameters' names", () => {
    // As PyTorch's exporters write an LSTMCell in a loop: two Gemm nodes for each step.
    const shapes = { weight_ih: [8, 3], weight_hh: [8, 2], bias_ih: [8], bias_hh: [8] };
    const initializers = Object.entries(shapes).map(([name, shape]) =>
      onnx.floats(
        `cell.${name}`,
        shape,
        Array.from({ length: shape[0]! * (shape[1] ?? 1) }, (_, at) => at / 99),
      ),
    );
    const step = (x: string, h: string, y: string) =>
      ["ih", "hh"].map((part) =>
        onnx.node("Gemm", [part === "ih" ? x : h, `cell.weight_${part}`, `cell.bias_${part}`], [y + part], {
          attributes: { transB: 1 },
        }),
      );
    const nodes = [...step("x", "h", "first"), ...step("second", "next", "last")];
    const path = write("unrolled.onnx", onnx.model({ inputs: ["x", "h"], nodes, initializers }));
    const { code, results } = run(path);
    expect(plain(path)).toMatch(/cell\. +LSTMCell 3 -> 2/);
    expect(code).toContain('const cell = LSTMCell.fromStateDict(tensors, { prefix: "cell." });');
    expect(Object.keys(results.cell!.state).sort()).toEqual(Object.keys(shapes).sort());
  });

  it("without one for what metadata tells", () => {
    const shape = { inputSize: 3, hiddenSize: 2 };
    using rnn = new RNN({ ...shape, nonlinearity: "relu", batchFirst: true });
    using lstm = new LSTM({ ...shape, peepholes: true, initialState: true, inputForget: true });
    using cell = new LSTMCell({ ...shape, peepholes: true, clip: 1 });
    using conv = new Conv1d({ inChannels: 3, outChannels: 2, kernelSize: 3, dilation: 2 });
    for (const module of [rnn, lstm, cell, conv]) {
      const dict = module.stateDict();
      // Of no layer: what is without a prefix has to be told from it.
      dict.set("scale.numbers", Tensor.zeros([3]));
      const path = write("told.safetensors", writeSafetensors(dict));
      const { code, results } = run(path);
      expect(Object.keys(results).length).toBe(1);
      expect(code).toContain("{ metadata: weights.metadata });");
      expect(code + plain(path)).not.toContain("do not tell");
    }
  });

  it("after what is not supported", () => {
    const nodes = [
      onnx.node("LSTM", ["x", "w", "r"], ["y"], { name: "a", attributes: { clip: 3 } }),
      onnx.node("LSTM", ["x", "w", "r"], ["z"], { name: "b" }),
    ];
    const weights = [onnx.floats("w", [1, 4, 1], [1, 2, 3, 4]), onnx.floats("r", [1, 4, 1], [1, 2, 3, 4])];
    const { code, results } = run(
      write("clip.onnx", onnx.model({ inputs: ["x"], nodes, initializers: weights })),
    );
    expect(Object.keys(results)).toEqual(["b"]);
    expect(code).toContain('readOnnx(bytes, { nodes: ["b"] })');
    expect(code.indexOf("// Not supported: ")).toBeLessThan(code.indexOf("fromStateDict"));
  });

  it("with batchFirst, the nonlinearity and the file beside the model", () => {
    const place = ["location", "beside.onnx.data"].flatMap((text, at) => onnx.lengthDelimited(at + 1, text));
    const r = onnx.tensor("r", { dims: [1, 1, 1], more: onnx.lengthDelimited(13, place) });
    const h0 = onnx.floats("h", [3, 1, 1], [1, 2, 3]);
    const attributes = { layout: 1, activations: ["Relu"] };
    const rnn = onnx.node("RNN", ["x", "w", "r", "", "", "h"], ["y"], { name: "L", attributes });
    const initializers = [onnx.floats("w", [1, 1, 1], [1]), r, h0];
    const path = write("beside.onnx", onnx.model({ inputs: ["x"], nodes: [rnn], initializers }));
    write("beside.onnx.data", new Uint8Array(Float32Array.of(0.5).buffer));
    const { results, code } = run(path);
    expect(results.l!.output).toEqual({ shape: [3, 1, 1], data: [0.5, 1, 1.5] });
    // The options are the state dict's: relu and the layout show in the output.
    expect(code).toContain("RNN.fromStateDict(layers[0].stateDict);");
  });
});

describe("names", () => {
  it("are JavaScript's, distinct, and no word of the language or of the code", () => {
    const names = new Names();
    const made = (name: string, kind = "Linear") => names.unique(name, kind);
    expect(made("encoder.rnn.")).toBe("encoderRnn");
    expect(made("encoder.rnn.")).toBe("encoderRnn2");
    expect(made("encoder_rnn2.")).toBe("encoderRnn2_2");
    expect(made("")).toBe("linear");
    expect(made("0.")).toBe("linear0");
    expect(made("größe.重み.")).toBe("grE");
    expect(made("重み.")).toBe("linear2");
    expect(made("If_0/then_branch/LSTM_3")).toBe("if0ThenBranchLstm3");
    expect(made("if.")).toBe("if2");
    expect(made("await.")).toBe("await2");
    expect(made("weights.")).toBe("weights2");
    expect(made("__proto__.")).toBe("proto");
    expect(made("x".repeat(1e5))).toBe("x".repeat(40));
    const many = Array.from({ length: 20_000 }, () => made("a."));
    expect(new Set(many).size).toBe(20_000);
  });

  it("of a file stand in code as literals", () => {
    const hostile = [
      '"); process.exit(9); ("',
      "a\nprocess.exit(9)//",
      "b\u2028process.exit(9)//\u2029",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what a template would run.
      "c`${process.exit(9)}`",
      "d\\",
      "e\x1b[2J\u202e\u{e0041}",
      "*/ process.exit(9) /*",
      "weights",
      "class",
      "console",
      "__proto__",
      "constructor",
      "f'",
    ];
    const tensors = hostile.flatMap((name) => lstmOf(`${name}.`, 1, 1));
    // One that does not load, so that the names come in comments too.
    const broken = hostile.flatMap((name) => lstmOf(`${name}.broken.`, 1, 1).slice(0, 3));
    const { results } = run(save(...tensors, ...broken));
    expect(
      Object.values(results)
        .map(({ prefix }) => prefix)
        .sort(),
    ).toEqual(hostile.map((name) => `${name}.`).sort());
  });

  it("of the file are those that the user gave", () => {
    const path = write('o\'clock "net" #1?.safetensors', readFileSync(netFile));
    expect(Object.keys(run(path).results).length).toBe(3);
  });
});

it("fetches the bytes in a browser", () => {
  const path = write("a b.safetensors", readFileSync(netFile));
  const { code, out } = command("inspect", path, "--code", "--fetch");
  expect(code).toBe(0);
  expect(out).not.toContain("node:");
  expect(out).toContain('const bytes = await (await fetch("a%20b.safetensors")).arrayBuffer();');
  const fetched = `
    import { readFileSync } from "node:fs";
    globalThis.fetch = async (url) => new Response(readFileSync(decodeURIComponent(url)));`;
  const file = write("fetched.mjs", `${fetched}\n${out}`);
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8", cwd: folder });
  expect([stderr, stdout]).toEqual(["", expect.stringContaining("lstm: [ 1, 1, 9 ]")]);
  const listed = plain(path);
  expect(listed).toContain(
    `  // In a browser: const bytes = await (await fetch("a%20b.safetensors")).arrayBuffer();`,
  );
});

it("is listed for the first layers, and written for all", () => {
  const tensors = Array.from(
    { length: 30 },
    (_, at) => [`l${at}.weight`, Tensor.zeros([1, 1])] as [string, Tensor],
  );
  const path = save(...tensors);
  expect(plain(path)).toContain("// And 18 layers more; inspect --code writes them.");
  expect(Object.keys(run(path).results).length).toBe(30);
});

it("costs as much as the file has names", () => {
  const many = Array.from({ length: 40_000 }, (_, at): [string, Tensor] => [
    `l${at}.weight`,
    Tensor.zeros([1, 1]),
  ]);
  const deep: [string, Tensor][] = [[`${"a.".repeat(50_000)}weight`, Tensor.zeros([1, 1])]];
  const { code, out } = command("inspect", save(...many, ...deep), "--code");
  expect(code).toBe(0);
  expect(out).toContain("// And 39001 layers more.");
  const { out: left } = command("inspect", save(...deep), "--code");
  expect(left).toContain("// Linear 1 -> 1, no bias is left out: its prefix has 100000 characters.");
});
