/** lstm-wasm inspect, and the keys and files beside a model that every command reads. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { doubt, explainBatchFirst, saysBatchFirst } from "../../src/cli/batch-first.js";
import { writeSafetensors } from "../../src/formats/index.js";
import { Tensor } from "../../src/index.js";
import { command, FILES, folder, netFile, npy, readNpy, write } from "../support/cli.js";
import * as onnx from "../support/onnx-writer.js";

describe("inspect", () => {
  it("lists tensors, layers, sizes and the code that loads them", () => {
    const { code, out } = command("inspect", netFile);
    expect(code).toBe(0);
    expect(out).toMatch(/^.*net\.safetensors: safetensors, \d\.\d kB\n/);
    expect(out).toMatch(/\n {2}lstm\.weight_hh_l1 +float32 +\[36, 9\]\n/);
    expect(out).toMatch(/\n {2}embedding\. +Embedding 5 x 4 +20\n/);
    expect(out).toMatch(/\n {2}lstm\. +LSTM 4 -> 9, 2 layers +1,260\n/);
    expect(out).toMatch(/\n {2}head\. +Linear 9 -> 2 +20\n/);
    expect(out).toContain("\n1,300 parameters, 5.2 kB as float32\n");
    expect(out).toContain(`
  import { Embedding, Linear, LSTM, Tensor } from "lstm-wasm";
  import { readSafetensors } from "lstm-wasm/formats";

  const bytes = await readFile(${JSON.stringify(netFile)});
  // In a browser: const bytes = await (await fetch("net.safetensors")).arrayBuffer();
  const weights = readSafetensors(bytes);

  const embedding = Embedding.fromStateDict(weights, { prefix: "embedding." });
  const embeddingOutput = embedding.forward([0]); // indices below 5

  const head = Linear.fromStateDict(weights, { prefix: "head." });
  const headOutput = head.forward(Tensor.zeros([1, 9])); // (..., 9)

  const lstm = LSTM.fromStateDict(weights, { prefix: "lstm." });
  const [lstmOutput, lstmState] = lstm.forward(Tensor.zeros([1, 1, 4])); // (steps, batch, 4)
`);
  });

  it("lists what was not read, and says of a layer that lacks it why it does not load", () => {
    const { out } = command("inspect", join(FILES, "torch-current/beside.pt"));
    expect(out).toContain("\n  not read: freqs: it is complex; save torch.view_as_real(tensor)\n");
    expect(out).toContain('LSTM.fromStateDict(weights, { prefix: "lstm." })');
    const broken = command("inspect", join(FILES, "torch-current/skipped-weight.pt")).out;
    expect(broken).toContain('at "lstm." does not load: lstm.weight_hh_l1: it is complex; save');
  });

  it("tells the types that the file holds, not those they are read as", () => {
    const { out } = command("inspect", write("dtypes.pt", readFileSync(join(FILES, "torch/dtypes.pt"))));
    expect(out).toMatch(/ float16 /);
    expect(out).toMatch(/ bfloat16 /);
  });

  it.each([
    ["torch/zip.pt", "PyTorch", "LSTM 2 -> 3, 2 layers", "readTorch(bytes)"],
    ["torch/legacy.pt", "PyTorch", "LSTM", "readTorch(bytes)"],
    ["numpy/array.npy", "NumPy", "none that lstm-wasm has", "const weights = readNumpy(bytes)"],
    ["onnx/lstm.onnx", "ONNX", "LSTM", "fromStateDict(layers[0].stateDict)"],
    ["onnx/gru-both-ways.onnx", "ONNX", "bidirectional", "fromStateDict(layers[0].stateDict)"],
    ["onnx/rnn-relu.onnx", "ONNX", ", relu", "fromStateDict(layers[0].stateDict)"],
  ])("knows %s by its content", (file, format, layer, code) => {
    const path = write("nameless", readFileSync(join(FILES, file)));
    const { out } = command("inspect", path);
    expect(out).toContain(`nameless: ${format}, `);
    expect(out).toContain(layer);
    expect(out).toContain(code);
  });
});

describe("inspect of an ONNX model", () => {
  const weights = [
    onnx.floats("w", [1, 4, 1], [1, 2, 3, 4]),
    onnx.floats("r", [1, 4, 1], [5, 6, 7, 8]),
    onnx.floats("onnx::MatMul_9", [1, 2], [1, 2]),
    onnx.floats("head.bias", [2], [3, 4]),
    onnx.floats("dw.weight", [4, 1, 3], new Array(12).fill(1)),
    onnx.floats("fc.weight", [2, 2], [1, 2, 3, 4]),
  ];
  const nodes = [
    onnx.node("LSTM", ["x", "w", "r"], ["y"], { name: "L" }),
    onnx.node("MatMul", ["y", "onnx::MatMul_9"], ["m"], { name: "/head/MatMul" }),
    onnx.node("Add", ["m", "head.bias"], ["z"]),
    onnx.node("Conv", ["x", "dw.weight"], ["c"], {
      name: "/dw/Conv",
      attributes: { group: 4, pads: [1, 1] },
    }),
    onnx.node("Gemm", ["z", "fc.weight"], ["g"], { name: "/fc/Gemm", attributes: { transB: 1 } }),
  ];
  const file = write("head.onnx", onnx.model({ inputs: ["x"], nodes, initializers: weights }));

  it("lists the Linear at its end and the groups of a convolution, each once", () => {
    const { code, out } = command("inspect", file);
    expect(code).toBe(0);
    const list = out.slice(out.indexOf("\nlayers"), out.indexOf(" parameters"));
    expect(list.match(/^ {2}\S.*\S(?= {2,}\d)/gm)?.map((line) => line.replace(/ +/g, " "))).toEqual([
      " L LSTM 1 -> 1",
      " head. Linear 1 -> 2",
      " dw. Conv1d 4 -> 4, kernel 3, 4 groups, no bias",
      " fc. Linear 2 -> 2, no bias",
    ]);
    expect(out).toContain("Linear.fromStateDict(modules[0].stateDict)");
    expect(out).toContain("Conv1d.fromStateDict(modules[1].stateDict, { padding: 1, groups: 4 })");
  });

  it("is of layers that run takes by their names", () => {
    const output = join(folder, "head.npy");
    const input = write("head-in.npy", npy(Tensor.from([[10], [20]])));
    expect(command("run", file, "--input", input, "--prefix", "head", "--output", output).code).toBe(0);
    expect(Array.from(readNpy(output).data)).toEqual([13, 24, 23, 44]);
  });
});

it("says that a convolution of one channel may be depthwise, where weights alone tell", () => {
  const path = write("dw.safetensors", writeSafetensors({ "dw.weight": Tensor.zeros([4, 1, 3]) }));
  expect(command("inspect", path).out).toContain(
    "Conv1d 1 -> 4, kernel 3, or depthwise with 4 groups, no bias",
  );
});

describe("batch_first", () => {
  const module = readFileSync(join(FILES, "torch/module.pt"));
  const at = module.indexOf("batch_first") + "batch_first".length + 2;
  const changed = Buffer.from(module);
  changed[at] = 0x88;

  it("is told by inspect: weights do not tell it, and pickled modules do", () => {
    expect(command("inspect", netFile).out).toContain("the weights do not tell batch_first");
    expect(module[at]).toBe(0x89);
    const { out } = command("inspect", join(FILES, "torch/module.pt"));
    expect(out).toContain("(steps, batch, ");
    expect(out).not.toContain("batch_first");
    expect(explainBatchFirst(false)).toContain("a module of the file has batch_first=False");
    expect(saysBatchFirst(new Uint8Array(changed))).toBe(true);
    expect(saysBatchFirst(new TextEncoder().encode("batch_first is a word"))).toBe(undefined);
    expect(explainBatchFirst(true)).toContain(
      "batch_first=True: pass batchFirst: true, or --batch-first to run",
    );
    const head = write("only-head.safetensors", writeSafetensors({ "a.weight": Tensor.zeros([2, 2]) }));
    expect(command("inspect", head).out).not.toContain("batch_first");
  });

  it.each<[number[], boolean, boolean | undefined, string | undefined]>([
    [
      [1, 200, 4],
      false,
      undefined,
      "is taken for a batch of 200 with 1 step; give --batch-first if it is a batch of 1 with 200 steps",
    ],
    [[8, 1000, 4], false, undefined, "is taken for a batch of 1000 with 8 steps; give --batch-first"],
    [
      [200, 1, 4],
      true,
      undefined,
      "is taken for a batch of 200 with 1 step; leave out --batch-first if it is a batch of 1 with 200 steps",
    ],
    [[1, 200, 4], true, undefined, undefined],
    [[200, 1, 4], false, undefined, undefined],
    [[1, 1, 4], false, undefined, undefined],
    [[10, 64, 4], false, undefined, undefined],
    [[1, 200, 4], false, false, undefined],
    [
      [20, 20, 4],
      false,
      true,
      "but a module of the file has batch_first=True; give --batch-first to follow it",
    ],
    [
      [20, 20, 4],
      true,
      false,
      "but a module of the file has batch_first=False; leave out --batch-first to follow it",
    ],
    [[200, 4], false, undefined, undefined],
  ])(
    "is doubted for an input %j with batchFirst %s and a file that says %s",
    (shape, batchFirst, said, expected) => {
      const told = doubt(shape, batchFirst, said);
      if (expected === undefined) expect(told).toBe(undefined);
      else expect(told).toContain(expected);
    },
  );

  it("is told by run on stderr", () => {
    const input = write("forgotten.npy", npy(Tensor.zeros([1, 50, 4])));
    const forgotten = command("run", netFile, "--input", input);
    expect(forgotten.code).toBe(0);
    expect(forgotten.error).toBe(
      "lstm-wasm: note: input [1, 50, 4] is taken for a batch of 50 with 1 step; give --batch-first if it is a batch of 1 with 50 steps\n",
    );
    expect(command("run", netFile, "--input", input, "--batch-first")).toMatchObject({ code: 0, error: "" });
  });
});

it("takes the keys that lead to a state dict in a checkpoint", () => {
  const file = join(FILES, "torch/two.pt");
  const without = command("inspect", file);
  expect(without.code).toBe(4);
  expect(without.error).toContain('name one with { path }; its keys are "nets", "step"');
  const args = ["--path", "nets", "--path", "other"];
  const { code, out } = command("inspect", file, ...args);
  expect(code).toBe(0);
  expect(out).toContain('const weights = readTorch(bytes, { path: ["nets","other"] });');
  const input = write("two.npy", npy(Tensor.zeros([3, 2])));
  expect(command("run", file, "--input", input, ...args).out).toContain("[3, 2] -> [3, 4]");
  expect(command("quantize", file, join(folder, "two.safetensors"), ...args).code).toBe(0);
  expect(command("inspect", file, "--path", "nets", "--path", "third").error).toContain(
    'path "nets", "third": no such key; its keys are "tagger", "other"',
  );
  const other = command("inspect", netFile, "--path", "nets");
  expect(other.code).toBe(2);
  expect(other.error).toContain("--path: ");
});

it("reads the weights that an ONNX model keeps in a file beside it", () => {
  const place = ["location", "outside.onnx.data"].flatMap((text, at) => onnx.lengthDelimited(at + 1, text));
  const r = onnx.tensor("r", { dims: [1, 4, 1], more: onnx.lengthDelimited(13, place) });
  const lstm = onnx.node("LSTM", ["x", "w", "r"], ["y"], { name: "L" });
  const weights = [onnx.floats("w", [1, 4, 1], [1, 2, 3, 4]), r];
  const path = write("outside.onnx", onnx.model({ inputs: ["x"], nodes: [lstm], initializers: weights }));
  const alone = command("inspect", path);
  expect(alone.code).toBe(4);
  expect(alone.error).toContain('its numbers are in another file, "outside.onnx.data"');
  write("outside.onnx.data", new Uint8Array(Float32Array.of(5, 6, 7, 8).buffer));
  const { code, out } = command("inspect", path);
  expect(code).toBe(0);
  expect(out).toContain("LSTM 1 -> 1");
  expect(out).toContain(
    'const { layers } = readOnnx(bytes, { externalData: { "outside.onnx.data": data } });',
  );
});

it("looks for the files of weights under the names that the model states, and names those that are missing", () => {
  const external = (name: string, location: string) => {
    const place = ["location", location].flatMap((text, at) => onnx.lengthDelimited(at + 1, text));
    return onnx.tensor(name, { dims: [1, 4, 1], more: onnx.lengthDelimited(13, place) });
  };
  const made = (name: string, first: string, second: string) =>
    write(
      name,
      onnx.model({
        inputs: ["x"],
        nodes: [onnx.node("LSTM", ["x", "w", "r"], ["y"], { name: "L" })],
        initializers: [external("w", first), external("r", second)],
      }),
    );
  const path = made("renamed.onnx", "optimum.onnx_data", "second.bin");
  write("optimum.onnx_data", new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
  expect(command("inspect", path)).toMatchObject({
    code: 4,
    error: expect.stringContaining(
      'its numbers are in another file, "second.bin"; put that file beside the model',
    ),
  });
  write("second.bin", new Uint8Array(Float32Array.of(5, 6, 7, 8).buffer));
  const { code, out } = command("inspect", path);
  expect(code).toBe(0);
  expect(out).toContain("LSTM 1 -> 1");
  expect(out).toContain(
    'readOnnx(bytes, { externalData: { "optimum.onnx_data": data, "second.bin": data2 } });',
  );
  expect(out).toMatch(/const data2 = await readFile\(".*second\.bin"\);/);
  for (const outside of ["../optimum.onnx_data", "/etc/passwd", "..", "a\\b"]) {
    expect(command("inspect", made("outside.onnx", outside, "second.bin"))).toMatchObject({
      code: 4,
      error: expect.stringContaining("only files beside the model are read"),
    });
  }
});

it("says that ONNX layers are parts of a chain, and what the exporter did", () => {
  const lstm = (name: string, x: string, y: string) => onnx.node("LSTM", [x, "w", "r"], [y], { name });
  const path = write(
    "cut.onnx",
    onnx.model({
      inputs: ["x"],
      nodes: [
        lstm("a", "x", "y1"),
        onnx.node("Squeeze", ["y1", "one"], ["s"]),
        onnx.node("Relu", ["s"], ["t"]),
        lstm("b", "t", "y2"),
      ],
      initializers: [
        onnx.floats("w", [1, 4, 1], [1, 2, 3, 4]),
        onnx.floats("r", [1, 4, 1], [1, 2, 3, 4]),
        onnx.int64s("one", [1]),
      ],
    }),
  );
  const { out } = command("inspect", path);
  expect(out).toContain("note: b takes the output of a through nodes that are not read");
  expect(out).toMatch(/\/\/ A part of a chain: layers\[1\] takes its output, .*\n +const a = .*layers\[0\]/);
  expect(out).toMatch(/\/\/ It takes the output of layers\[0\], .*\n +const b = .*layers\[1\]/);
  const files = new URL("../formats/files/onnx-dynamo/", import.meta.url);
  const inspected = (name: string) => command("inspect", fileURLToPath(new URL(name, files))).out;
  expect(inspected("rnn-unrolled.onnx")).toContain("note: onnx: PyTorch's exporter unrolled an nn.RNN");
  const gru = inspected("gru-onnxscript-0.7.0.onnx");
  expect(gru).toContain("onnxscript 0.5.7 to 0.7.0 left out linear_before_reset = 1");
  expect(gru).toContain('// const { layers } = readOnnx(bytes, { gru: "pytorch" });');
  expect(inspected("lstm-stack.onnx")).toMatch(/LSTM 3 -> 2, 3 layers/);
});

it("reads nothing beside a file that is no ONNX model", () => {
  const path = write("beside.safetensors", writeSafetensors({ "a.weight": Tensor.zeros([2, 2]) }));
  mkdirSync(`${path}.data`);
  expect(command("inspect", path)).toMatchObject({ code: 0, error: "" });
});
