/** The command as a user starts it: dist/cli.js in a process of its own. `npm test` builds it first. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { quantizeStateDict, readSafetensors, writeSafetensors } from "../../src/formats/index.js";
import {
  Conv1d,
  Embedding,
  GRU,
  Linear,
  LSTM,
  LSTMCell,
  quantizeModule,
  RNN,
  Tensor,
  type TensorData,
} from "../../src/index.js";
import * as onnx from "../support/onnx-writer.js";

const COMMAND = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const FILES = fileURLToPath(new URL("../formats/files/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lstm-wasm-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

function command(...args: string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: "utf8" });
  return { code: status, out: stdout, error: stderr };
}

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

interface ArrayLike {
  readonly data: Float32Array | Float64Array | Uint8Array;
  readonly shape: readonly number[];
}

/** An .npy file as NumPy writes it. */
function npy({ data, shape }: ArrayLike, descr = "<f4", order = "False", version = 1): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const start = version === 1 ? 10 : 12;
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${tuple}), }`;
  const header = `${text.padEnd(128 - start - 1)}\n`;
  const size = version === 1 ? [header.length, 0] : [header.length, 0, 0, 0];
  return Buffer.concat([
    Buffer.from([0x93, ...Buffer.from("NUMPY"), version, 0, ...size]),
    Buffer.from(header),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/** The array in an .npy file of float32. */
function readNpy(path: string): { shape: number[]; data: Float32Array } {
  const bytes = new Uint8Array(readFileSync(path));
  const start = 10 + bytes[8]! + 256 * bytes[9]!;
  const header = Buffer.from(bytes.subarray(10, start)).toString();
  expect(start % 64).toBe(0);
  expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \([\d, ]*\), \} *\n$/);
  const shape = [...header.slice(header.indexOf("(")).matchAll(/\d+/g)].map(Number);
  return { shape, data: new Float32Array(bytes.slice(start).buffer) };
}

/** The largest difference of two results of one shape. */
function apart(actual: { shape: readonly number[]; data: Float32Array }, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  return actual.data.reduce((most, value, at) => Math.max(most, Math.abs(value - expected.data[at]!)), 0);
}

/** The builds may round differently: dist/ takes the fused one where the engine has it. */
const CLOSE = 1e-5;

const net = {
  embedding: new Embedding({ numEmbeddings: 5, embeddingDim: 4 }),
  lstm: new LSTM({ inputSize: 4, hiddenSize: 9, numLayers: 2 }),
  head: new Linear({ inFeatures: 9, outFeatures: 2 }),
};
const netFile = write(
  "net.safetensors",
  writeSafetensors(
    new Map(
      Object.entries(net).flatMap(([part, module]) =>
        [...module.stateDict()].map(([name, tensor]): [string, Tensor<TensorData>] => [
          `${part}.${name}`,
          tensor,
        ]),
      ),
    ),
  ),
);

describe("lstm-wasm", () => {
  it.each([["--help"], ["run", "--help"], ["inspect", "-h"]])("explains itself: %s %s", (...args) => {
    const { code, out } = command(...args);
    expect(code).toBe(0);
    expect(out).toContain("lstm-wasm inspect FILE");
    expect(out).toContain("lstm-wasm run FILE --input X.npy");
  });

  it.each([
    [[], "no command given; known are inspect, run, quantize"],
    [["quantise"], 'unknown command "quantise"; known are inspect, run, quantize'],
    [["inspect"], "inspect: expected one file, got 0"],
    [["inspect", "a", "b"], "inspect: expected one file, got 2"],
    [["inspect", "--deep", "a"], "Unknown option '--deep'"],
    [["run", netFile], "run: --input is missing"],
    [["run", netFile, "--input"], "--input"],
    [
      ["run", netFile, "--input", "x.npy", "--nonlinearity", "gelu"],
      '--nonlinearity: expected tanh or relu, got "gelu"',
    ],
  ])("refuses the arguments %j", (args, message) => {
    const { code, out, error } = command(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(error).toContain(message);
    expect(error).not.toContain("    at ");
  });

  it.each([
    ["no file", "nowhere.pt", 3, "no such file"],
    ["a folder", "", 3, "is a folder"],
    ["nothing", write("empty.pt", ""), 4, "the file is empty"],
    [
      "text",
      write("text.pt", "weights, as I recall"),
      4,
      "unknown format; known are PyTorch, safetensors, ONNX",
    ],
    ["JSON of something else", write("other.nam", '{"weights": 1}'), 4, "unknown format"],
    ["broken JSON", write("broken.json", '{"architecture": "LSTM", '), 4, "unknown format"],
    ["an array", write("array.npy", npy(Tensor.zeros([2]))), 4, "a NumPy array, not a weight file"],
    [
      "a Keras file",
      write("model.h5", Buffer.from("\x89HDF\r\n".padEnd(64), "latin1")),
      4,
      "a Keras file (HDF5), which is not read",
    ],
    ["a cut safetensors", write("cut.safetensors", readFileSync(netFile).subarray(0, 300)), 4, "safetensors"],
    [
      "a cut checkpoint",
      write("cut.pt", readFileSync(join(FILES, "torch/zip.pt")).subarray(0, 900)),
      4,
      "torch: zip",
    ],
    [
      "a cut ONNX",
      write("cut.onnx", readFileSync(join(FILES, "onnx/lstm.onnx")).subarray(0, 400)),
      4,
      "onnx",
    ],
  ])("says what is wrong with %s", (_, path, code, message) => {
    const target = path === "" ? folder : path;
    for (const args of [
      ["inspect", target],
      ["run", target, "--input", "x.npy"],
    ]) {
      const result = command(...args);
      expect([result.code, result.out]).toEqual([code, ""]);
      expect(result.error).toContain(`${target}: `);
      expect(result.error).toContain(message);
      expect(result.error).not.toContain("    at ");
    }
  });
});

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
  import { LSTM } from "lstm-wasm";
  import { readSafetensors } from "lstm-wasm/formats";
  const layer = LSTM.fromStateDict(readSafetensors(bytes), { prefix: "lstm." });
`);
  });

  it("tells the types that the file holds, not those they are read as", () => {
    const { out } = command("inspect", write("dtypes.pt", readFileSync(join(FILES, "torch/dtypes.pt"))));
    expect(out).toMatch(/ float16 /);
    expect(out).toMatch(/ bfloat16 /);
  });

  it.each([
    ["torch/zip.pt", "PyTorch", "LSTM 2 -> 3, 2 layers", "readTorch(bytes)"],
    ["torch/legacy.pt", "PyTorch", "LSTM", "readTorch(bytes)"],
    ["onnx/lstm.onnx", "ONNX", "LSTM", "readOnnx(bytes).layers[0].stateDict"],
    ["onnx/gru-both-ways.onnx", "ONNX", "bidirectional", "readOnnx(bytes).layers[0].stateDict"],
    ["onnx/rnn-relu.onnx", "ONNX", "RNN", 'nonlinearity: "relu"'],
  ])("knows %s by its content", (file, format, layer, code) => {
    const path = write("nameless", readFileSync(join(FILES, file)));
    const { out } = command("inspect", path);
    expect(out).toContain(`nameless: ${format}, `);
    expect(out).toContain(layer);
    expect(out).toContain(code);
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
  expect(out).toContain('GRU.fromStateDict(readTorch(bytes, { path: ["nets","other"] }));');
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
  expect(out).toContain('readOnnx(bytes, { externalData: { "outside.onnx.data": data } }).layers[0]');
});

describe("run", () => {
  const x = Tensor.randn([500, 3, 4], 1);
  const xFile = write("x.npy", npy(x));
  const yFile = join(folder, "y.npy");

  it("runs the only recurrent layer of a file, in pieces, and writes the output", () => {
    const { code, out, error } = command("run", netFile, "--input", xFile, "--output", yFile);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toBe("LSTM 4 -> 9, 2 layers: [500, 3, 4] -> [500, 3, 9]\n");
    expect(apart(readNpy(yFile), net.lstm.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it("shows the range without --output", () => {
    const { out } = command("run", netFile, "--input", xFile);
    expect(out).toMatch(/\nleast -0\.\d+, mean -?\d\.\d+(e-\d+)?, most 0\.\d+\n$/);
  });

  it.each([
    ["lstm", 4],
    ["lstm.", 4],
    ["head", 9],
  ])("takes the layer that --prefix %s names", (prefix, width) => {
    const input = Tensor.randn([7, width], 2);
    const args = ["--input", write("in.npy", npy(input)), "--output", yFile, "--prefix", prefix];
    expect(command("run", netFile, ...args).code).toBe(0);
    const expected = prefix === "head" ? net.head.forward(input) : net.lstm.forward(input)[0];
    expect(apart(readNpy(yFile), expected)).toBeLessThan(CLOSE);
  });

  const options = { inputSize: 4, hiddenSize: 5 };
  it.each<[string, GRU | LSTM | RNN, string[]]>([
    ["GRU", new GRU(options), []],
    ["bidirectional LSTM", new LSTM({ ...options, bidirectional: true }), []],
    ["RNN with relu", new RNN({ ...options, nonlinearity: "relu" }), ["--nonlinearity", "relu"]],
  ])("runs a %s", (_, module, args) => {
    const file = write("module.safetensors", writeSafetensors(module.stateDict()));
    expect(command("run", file, "--input", xFile, "--output", yFile, ...args).code).toBe(0);
    expect(apart(readNpy(yFile), module.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it("takes the batch first, also in pieces", () => {
    const module = new GRU({ ...options, batchFirst: true });
    const input = Tensor.randn([3, 300, 4], 3);
    const file = write("module.safetensors", writeSafetensors(module.stateDict()));
    const inputFile = write("in.npy", npy(input));
    expect(command("run", file, "--input", inputFile, "--output", yFile, "--batch-first").code).toBe(0);
    expect(apart(readNpy(yFile), module.forward(input)[0])).toBeLessThan(CLOSE);
  });

  it("runs a cell over a sequence", () => {
    const cell = new LSTMCell(options);
    const file = write("cell.safetensors", writeSafetensors(cell.stateDict()));
    const input = Tensor.randn([2, 4], 4);
    expect(command("run", file, "--input", write("in.npy", npy(input)), "--output", yFile).code).toBe(0);
    const row = (at: number) => new Tensor(input.data.slice(at * 4, at * 4 + 4), [4]);
    const first = cell.forward(row(0));
    const second = cell.forward(row(1), first);
    const expected = new Tensor(Float32Array.of(...first[0].data, ...second[0].data), [2, 5]);
    expect(apart(readNpy(yFile), expected)).toBeLessThan(CLOSE);
  });

  it("reads float64 and newer versions of .npy", () => {
    const data = Float64Array.from(x.data);
    const file = write("x64.npy", npy({ data, shape: x.shape }, "<f8", "False", 2));
    expect(command("run", netFile, "--input", file, "--output", yFile).code).toBe(0);
    expect(apart(readNpy(yFile), net.lstm.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it.each([
    ["<i8", BigInt64Array],
    ["<i4", Int32Array],
    ["<i2", Int16Array],
    ["|i1", Int8Array],
    ["|u1", Uint8Array],
    ["|b1", Uint8Array],
  ] as const)("reads integers of dtype %s", (descr, { BYTES_PER_ELEMENT: width }) => {
    const bytes = new Uint8Array(12 * width);
    for (let at = 0; at < 12; at++) bytes[at * width] = at % 2;
    const file = write("integers.npy", npy({ data: bytes, shape: [3, 4] }, descr));
    expect(command("run", netFile, "--input", file, "--output", yFile).code).toBe(0);
    const floats = Tensor.from([
      [0, 1, 0, 1],
      [0, 1, 0, 1],
      [0, 1, 0, 1],
    ]);
    expect(apart(readNpy(yFile), net.lstm.forward(floats)[0])).toBeLessThan(CLOSE);
  });

  it("reads Fortran order, in which NumPy saves a transposed array", () => {
    const [steps, batch, width] = x.shape as [number, number, number];
    const data = x.data.map((_, at) => {
      const [step, row, column] = [
        at % steps,
        Math.floor(at / steps) % batch,
        Math.floor(at / steps / batch),
      ];
      return x.data[(step * batch + row) * width + column]!;
    });
    const file = write("fortran.npy", npy({ data, shape: x.shape }, "<f4", "True"));
    expect(command("run", netFile, "--input", file, "--output", yFile).code).toBe(0);
    expect(apart(readNpy(yFile), net.lstm.forward(x)[0])).toBeLessThan(CLOSE);
  });

  it("cuts an input without a batch along its time, whichever axis is first in a batch", () => {
    const module = new GRU({ inputSize: 70, hiddenSize: 2, batchFirst: true });
    const input = Tensor.randn([90, 70], 5);
    const file = write("wide.safetensors", writeSafetensors(module.stateDict()));
    const args = ["--input", write("in.npy", npy(input)), "--output", yFile, "--batch-first"];
    expect(command("run", file, ...args)).toMatchObject({ code: 0, error: "" });
    expect(apart(readNpy(yFile), module.forward(input)[0])).toBeLessThan(CLOSE);
  });

  const one = Tensor.zeros([2, 4]);
  it.each<[string, number, Uint8Array, string]>([
    ["another width", 5, npy(Tensor.zeros([2, 5])), "input.shape[1]: expected inputSize 4, got 5"],
    ["another width, long", 5, npy(Tensor.zeros([200, 2, 5])), "input.shape[2]: expected inputSize 4, got 5"],
    ["too few dimensions", 5, npy(Tensor.zeros([4])), "input.shape"],
    [
      "big-endian numbers",
      4,
      npy(one, ">f4"),
      "npy: dtype >f4 is not supported; supported are <f4, <f8, <i8, <i4, <i2, |i1, |u1, |b1",
    ],
    ["complex numbers", 4, npy(one, "<c8"), "npy: dtype <c8 is not supported"],
    ["numbers missing", 4, npy(one).slice(0, -4), "npy: expected 32 bytes for shape (2, 4), got 28"],
    [
      "numbers left over",
      4,
      Buffer.concat([npy(one), Buffer.alloc(1)]),
      "npy: expected 32 bytes for shape (2, 4), got 33",
    ],
    ["a cut header", 4, npy(one).slice(0, 60), "npy: cut off within the header"],
    ["a size of 10^30", 4, npy({ data: one.data, shape: [2, 1e30] }), "npy: "],
    ["an unknown version", 4, npy(one).fill(9, 6, 7), "npy: version 9 is unknown"],
    ["no array", 4, Buffer.from("1 2 3"), "not an .npy file"],
  ])("refuses an input with %s", (_, expected, bytes, message) => {
    const path = write("wrong.npy", bytes);
    const { code, out, error } = command("run", netFile, "--input", path, "--prefix", "lstm");
    expect([code, out]).toEqual([expected, ""]);
    expect(error).toContain(`${path}: `);
    expect(error).toContain(message);
    expect(error).not.toContain("    at ");
  });

  it("names the layers when it has to choose", () => {
    const { code, error } = command("run", netFile, "--input", xFile, "--prefix", "encoder");
    expect(code).toBe(2);
    expect(error).toContain('no layer "encoder" in ');
    expect(error).toContain('\n  "head."  Linear 9 -> 2\n  "lstm."  LSTM 4 -> 9, 2 layers');
    const linears = [
      new Linear({ inFeatures: 4, outFeatures: 4 }),
      new Linear({ inFeatures: 4, outFeatures: 4 }),
    ];
    const dict = new Map(
      linears.flatMap((one, at) => [...one.stateDict()].map(([key, value]) => [`${at}.${key}`, value])),
    );
    const file = write("two.safetensors", writeSafetensors(dict as Map<string, Tensor>));
    expect(command("run", file, "--input", xFile).error).toContain("name a layer with --prefix; there are");
  });

  it("refuses layers that weights do not determine", () => {
    const conv = new Conv1d({ inChannels: 4, outChannels: 2, kernelSize: 3 });
    const file = write("conv.safetensors", writeSafetensors(conv.stateDict()));
    const { code, error } = command("run", file, "--input", xFile);
    expect(code).toBe(2);
    expect(error).toContain("weights do not tell its stride, padding, dilation and groups");
    expect(command("run", netFile, "--input", xFile, "--prefix", "embedding").error).toContain(
      "it takes indices",
    );
  });

  it("says when it cannot read the input or write the output", () => {
    expect(command("run", netFile, "--input", join(folder, "none.npy"))).toMatchObject({ code: 3, out: "" });
    const { code, out, error } = command(
      "run",
      netFile,
      "--input",
      xFile,
      "--output",
      join(folder, "no", "y.npy"),
    );
    expect([code, out]).toEqual([3, ""]);
    expect(error).toContain("y.npy: no such file or folder");
  });
});

describe("lstm-wasm quantize", () => {
  const target = join(folder, "int8.safetensors");
  const xFile = write("quantize.npy", npy(Tensor.randn([20, 4], 3)));

  it("writes int8 weights, and says the sizes and the errors", () => {
    const { code, out, error } = command("quantize", netFile, target);
    expect([code, error]).toEqual([0, ""]);
    const before = readFileSync(netFile);
    const after = new Uint8Array(readFileSync(target));
    expect(readSafetensors(after)).toEqual(
      readSafetensors(writeSafetensors(quantizeStateDict(readSafetensors(before)))),
    );
    expect(out).toContain(`${before.length} bytes`);
    expect(out).toContain(
      `${after.length} bytes, ${(before.length / after.length).toFixed(2)} times smaller`,
    );
    expect(out).toContain("random input (64 steps, 8 rows)");
    for (const layer of ["Linear head.", "LSTM lstm."]) {
      const [, largest, mean] = new RegExp(`${layer}: largest (\\S+), mean (\\S+),`).exec(out)!;
      expect(Number(largest)).toBeGreaterThan(Number(mean));
      expect(Number(mean)).toBeGreaterThan(0);
      expect(Number(largest)).toBeLessThan(0.05);
    }
    expect(command("inspect", target).out).toContain("LSTM 4 -> 9, 2 layers");
    const count = (file: string) => /\S+ parameters/.exec(command("inspect", file).out)![0];
    expect(count(target)).toBe(count(netFile));
  });

  it("measures a given input on a named layer", () => {
    const { code, out } = command("quantize", netFile, target, "--input", xFile, "--prefix", "lstm");
    expect(code).toBe(0);
    expect(out).toContain(`error against float32 on ${xFile}\n  LSTM lstm.: largest`);
    expect(out).not.toContain("Linear");
    const both = command("quantize", netFile, target, "--input", xFile);
    expect([both.code, both.error]).toEqual([2, 'lstm-wasm: --prefix: expected one of "head.", "lstm."\n']);
    expect(command("quantize", netFile, target, "--input", xFile, "--prefix", "head").code).toBe(5);
  });

  it("rounds a named layer for a sample of its input, and measures on that", () => {
    const plain = command("quantize", netFile, target, "--input", xFile, "--prefix", "lstm");
    const unsampled = readSafetensors(new Uint8Array(readFileSync(target)));
    const { code, out } = command("quantize", netFile, target, "--sample", xFile, "--prefix", "lstm");
    expect([plain.code, code]).toEqual([0, 0]);
    expect(out).toContain(`error against float32 on ${xFile}, its sample\n  LSTM lstm.: largest`);
    const dict = readSafetensors(readFileSync(netFile));
    const lstm = LSTM.fromStateDict(dict, { prefix: "lstm." });
    const rounded = quantizeModule(lstm, Tensor.randn([20, 4], 3));
    const written = readSafetensors(new Uint8Array(readFileSync(target)));
    for (const [name, tensor] of written) {
      const expected = name.startsWith("lstm.") ? rounded.get(name.slice(5)) : unsampled.get(name);
      expect(tensor, name).toEqual(expected);
    }
    expect(written.size).toBe(unsampled.size);
  });

  it("refuses a sample for several layers, and one that does not fit", () => {
    const several = command("quantize", netFile, target, "--sample", xFile);
    expect([several.code, several.error]).toEqual([
      2,
      'lstm-wasm: --prefix: expected one of "head.", "lstm."\n',
    ]);
    const head = command("quantize", netFile, target, "--sample", xFile, "--prefix", "head");
    expect(head.code).toBe(5);
    expect(head.error).toContain("sample.shape[1]: expected inFeatures");
  });

  const guitarML = (skip: number) => {
    const lstm = new LSTM({ inputSize: 1, hiddenSize: 8 });
    const head = new Linear({ inFeatures: 8, outFeatures: 1 });
    const nested = (module: LSTM | Linear, prefix: string) =>
      [...module.stateDict()].map(([name, tensor]) => [`${prefix}${name}`, tensor.toArray()]);
    const about = {
      model: "SimpleRNN",
      input_size: 1,
      skip,
      output_size: 1,
      unit_type: "LSTM",
      num_layers: 1,
      hidden_size: 8,
      bias_fl: true,
    };
    const state_dict = Object.fromEntries([...nested(lstm, "rec."), ...nested(head, "lin.")]);
    return write(`guitar-${skip}.json`, JSON.stringify({ model_data: about, state_dict }));
  };
  const keras = { in_shape: [null, null, 1], layers: [] as object[] };
  const rows = (count: number, columns: number) => Tensor.randn([count, columns], 5).toArray();
  keras.layers.push(
    { type: "gru", activation: "", shape: [null, null, 2], weights: [rows(1, 6), rows(2, 6), rows(2, 6)] },
    { type: "dense", activation: "", shape: [null, null, 1], weights: [rows(2, 1), [0.5]] },
  );

  it.each([
    ["a PyTorch file", join(FILES, "torch/zip.pt"), "lstm."],
    ["an ONNX file", join(FILES, "onnx/gru-dropout.onnx"), "gru."],
    ["a GuitarML file", guitarML(0), "rec."],
    ["an RTNeural file", write("keras.json", JSON.stringify(keras)), "rec."],
  ])("takes %s", (_, file) => {
    const { code, out, error } = command("quantize", file, target);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toContain(`${file}: ${readFileSync(file).length} bytes, `);
    expect(out).toMatch(/largest \S+, mean \S+, \S+ % of the output/);
    const dict = readSafetensors(readFileSync(target));
    const matrices = [...dict].filter(([, { data }]) => data instanceof Int8Array);
    expect(matrices.length).toBeGreaterThan(0);
    for (const [name] of matrices) expect(dict.has(`${name}_scale`)).toBe(true);
    expect(command("inspect", target).code).toBe(0);
  });

  it("refuses what safetensors cannot hold", () => {
    const { code, out, error } = command("quantize", guitarML(1), target);
    expect([code, out]).toEqual([4, ""]);
    expect(error).toContain("has a skip connection, which safetensors cannot hold");
  });

  it.each([
    ["one file", [netFile], 2, "quantize: expected two files, got 1"],
    [
      "an unknown layer",
      [netFile, target, "--prefix", "tail"],
      2,
      '--prefix: expected one of "head.", "lstm."',
    ],
    ["an unknown nonlinearity", [netFile, target, "--nonlinearity", "gelu"], 2, "expected tanh or relu"],
    ["a folder that is not there", [netFile, join(folder, "no", "y")], 3, "no such file or folder"],
  ])("refuses %s", (_, args, code, message) => {
    const result = command("quantize", ...args);
    expect([result.code, result.out]).toEqual([code, ""]);
    expect(result.error).toContain(message);
  });

  it("refuses files without float weights of its layers", () => {
    const conv = write(
      "only-conv.safetensors",
      writeSafetensors(new Conv1d({ inChannels: 1, outChannels: 1, kernelSize: 2 }).stateDict()),
    );
    expect(command("quantize", conv, target)).toMatchObject({ code: 4, out: "" });
    const int8 = write(
      "done.safetensors",
      writeSafetensors(new Linear({ inFeatures: 2, outFeatures: 2, precision: "int8" }).stateDict()),
    );
    expect(command("quantize", int8, target).error).toContain("its weights are int8 already");
    const linear = new Linear({ inFeatures: 2, outFeatures: 2 }).stateDict();
    linear.get("weight")!.data[3] = Number.NaN;
    const spoilt = write("nan.safetensors", writeSafetensors(linear));
    expect(command("quantize", spoilt, target)).toMatchObject({ code: 4, out: "" });
  });
});
