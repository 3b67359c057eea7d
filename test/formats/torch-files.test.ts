/** What PyTorch 2 writes beside plain state dicts: files and what they hold, both by make_torch_files.py. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { readWeights } from "../../src/formats/read-weights.js";
import { readSafetensors } from "../../src/formats/safetensors.js";
import { readTorch } from "../../src/formats/torch/index.js";
import type { StateDict } from "../../src/tensor/tensor.js";

const FOLDER = new URL("files/torch-2/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));
/** The same file by PyTorch 2.4. */
const of24 = (name: string) => name.replace(/\.\w+$/, "-2.4$&");
const EXPECTED: Record<string, Record<string, { shape: number[]; data: number[] }>> = JSON.parse(
  readFileSync(new URL("expected.json", FOLDER), "utf8"),
);

function expectTensors(dict: StateDict, name: string): void {
  const plain = [...dict].map(([key, { shape, data }]) => [key, { shape, data: Array.from(data, Number) }]);
  const expected = Object.entries(EXPECTED[name]!).map(([key, { shape, data }]) => [key, { shape, data }]);
  expect(Object.fromEntries(plain)).toEqual(Object.fromEntries(expected));
}

describe("readTorch", () => {
  it.each(Object.keys(EXPECTED).filter((name) => /\.pt2?$/.test(name)))(
    "reads %s as PyTorch does",
    (name) => {
      expectTensors(readTorch(file(name)), name);
    },
  );

  it.each([
    [
      "dtensor-sharded.pt",
      'torch: tensor "lstm.weight_ih_l0": it is a DTensor, of which the file has one device\'s part; save tensor.full_tensor()',
    ],
    [
      "frozen.pt",
      "torch: a TorchScript module without parameters: torch.jit.freeze makes constants without names of them; save the state_dict() of the model that was frozen",
    ],
    [
      "package.pt",
      "torch: got an archive of torch.package; load its model with torch.package.PackageImporter, and save model.state_dict()",
    ],
    [
      "dcp.metadata",
      "torch: got the .metadata of a distributed checkpoint of PyTorch; convert its folder with `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER out.pt`",
    ],
    [
      "__0_0.distcp",
      "torch: got a file of a distributed checkpoint of PyTorch (.distcp); convert its folder with `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER out.pt`",
    ],
    [
      "stable-baselines.zip",
      'torch: got a zip of "data", "pytorch_variables.pth", "policy.pth", "policy.optimizer.pth"; unpack it and read "policy.pth"',
    ],
    [
      "two-networks.pt",
      'torch: 2 state dicts below "model": "generator", "discriminator"; name one with { path: ["model", "generator"] }',
    ],
  ])("says what %s is, by both versions, and what to do", (name, message) => {
    for (const versioned of [name, of24(name)]) {
      expect(() => readTorch(file(versioned))).toThrow(new FormatError(message));
      expect(() => readWeights(file(versioned))).toThrow(
        message.slice(message.indexOf(" got ")).slice(0, 60),
      );
    }
  });

  it.each([
    ["exported.pt2", { "lstm.": { kind: "LSTM", options: { batchFirst: true } } }],
    [
      "exported-mixed.pt2",
      {
        "first.": { kind: "GRU", options: { batchFirst: true } },
        "last.": { kind: "RNN", options: { batchFirst: false, nonlinearity: "relu" } },
      },
    ],
  ])("tells the options that the graph of %s has, by both versions", (name, metadata) => {
    expect(readTorch(file(name)).metadata).toEqual(metadata);
    expect(readTorch(file(of24(name))).metadata).toEqual(metadata);
  });

  it("reads the network that the path names", () => {
    for (const name of ["two-networks.pt", "two-networks-2.4.pt"]) {
      expect(readTorch(file(name), { path: ["model", "discriminator"] }).size).toBe(4);
    }
  });
});

describe("shards beside an index", () => {
  const INDEX = "model.safetensors.index.json";
  const FIRST = "model-00001-of-00002.safetensors";
  const SECOND = "model-00002-of-00002.safetensors";
  const of = (...names: string[]) => Object.fromEntries(names.map((name) => [name, file(name)]));
  const whole = of(INDEX, FIRST, SECOND);
  const torch = of(
    "pytorch_model.bin.index.json",
    "pytorch_model-00001-of-00002.bin",
    "pytorch_model-00002-of-00002.bin",
  );
  const indexed = (places: unknown): Record<string, Uint8Array> => ({
    ...whole,
    [INDEX]: new TextEncoder().encode(JSON.stringify({ weight_map: places })),
  });

  it("are read together", () => {
    expectTensors(readSafetensors(whole), INDEX);
    expectTensors(readTorch(torch), "pytorch_model.bin.index.json");
    expect(readWeights(whole)).toEqual({ format: "safetensors", value: readSafetensors(whole) });
    expect(readWeights(torch)).toEqual({ format: "torch", value: readTorch(torch) });
    const names = (kind: string) => [1, 2].map((at) => `${kind.replace(".", `-2.4-0000${at}-of-00002.`)}`);
    for (const [kind, read] of [
      ["model.safetensors", readSafetensors],
      ["pytorch_model.bin", readTorch],
    ] as const) {
      const index = `${of24(kind)}.index.json`;
      expectTensors(read(of(index, ...names(kind))), index);
    }
    expectTensors(readSafetensors({ ...whole, "config.json": new Uint8Array(3) }), INDEX);
  });

  it.each<[string, Record<string, Uint8Array>, string]>([
    [
      "one shard alone",
      of(FIRST),
      `shards: "${FIRST}" is one of several shards; give "${INDEX}" too, and each file that it names`,
    ],
    ["a shard that is missing", of(INDEX, FIRST), `shards: missing of 2 files: "${SECOND}"`],
    ["two indexes", { ...whole, "b.index.json": file(INDEX) }, "shards: expected one index, got"],
    ["an index that is no JSON", { ...whole, [INDEX]: new Uint8Array(3) }, "not valid JSON"],
    ["an index without a map", indexed([1]), "weight_map: expected an object"],
    [
      "an index that is a list",
      { ...whole, [INDEX]: new TextEncoder().encode("[1]") },
      "weight_map: expected an object, got undefined",
    ],
    [
      "many files that are missing",
      indexed(Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`w${at}`, `f${at}.safetensors`]))),
      "and 4 more",
    ],
    [
      "ten thousand files and one",
      indexed(Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`w${at}`, `f${at}`]))),
      "shards: more than 10000 files",
    ],
    ["an empty map", indexed({}), "weight_map names no files"],
    ["a path", indexed({ w: "../model.safetensors" }), 'weight_map["w"]: expected the name of a file beside'],
    ["a number", indexed({ w: 1 }), 'weight_map["w"]: expected the name of a file beside'],
    ["a name of the language", indexed({ w: "__proto__" }), 'missing of 1 files: "__proto__"'],
    ["a tensor elsewhere", indexed({ "head.weight": SECOND }), `"head.weight" is not in "${SECOND}"`],
    [
      "a tensor in two files",
      { ...indexed({ "head.weight": FIRST, scale: SECOND }), [SECOND]: file(FIRST) },
      "is in another file too",
    ],
    ["a broken shard", { ...whole, [SECOND]: new Uint8Array(3) }, `shards: "${SECOND}": safetensors: `],
    ["a shard of another kind", { ...whole, [SECOND]: file("compiled.pt") }, "got a PyTorch file"],
  ])("refuse %s", (_, files, message) => {
    expect(() => readSafetensors(files)).toThrow(FormatError);
    expect(() => readSafetensors(files)).toThrow(message);
  });

  it("are bytes", () => {
    const files = { ...whole, [FIRST]: "text" } as never;
    expect(() => readSafetensors(files)).toThrow(`bytes["${FIRST}"]: expected a Uint8Array or ArrayBuffer`);
    expect(() => readSafetensors({ model: file(FIRST) })).toThrow(
      "bytes: expected a Uint8Array or ArrayBuffer",
    );
    const onnx = indexed({ w: FIRST });
    onnx[FIRST] = new Uint8Array(readFileSync(new URL("../onnx/lstm.onnx", FOLDER)));
    expect(() => readWeights(onnx)).toThrow("weights: got an ONNX model");
  });
});
