/** What a file is, where it is given to `readWeights` or to a reader of something else. */
import { readFileSync } from "node:fs";
import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import {
  FormatError,
  readGuitarML,
  readKeras,
  readNam,
  readNumpy,
  readOnnx,
  readRTNeural,
  readSafetensors,
  readTorch,
  readWeights,
  writeSafetensors,
} from "../../src/formats/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import * as onnx from "../support/onnx-writer.js";

const file = (name: string) => new Uint8Array(readFileSync(new URL(`files/${name}`, import.meta.url)));
const example = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../examples/${name}`, import.meta.url)));
const zip = (...names: string[]) => zipSync(Object.fromEntries(names.map((name) => [name, strToU8("x")])));
/** A zip of one entry, whose name the directory says to be of 65,535 bytes. */
const longNamed = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint16(view.getUint32(bytes.length - 22 + 16, true) + 28, 0xffff, true);
  return bytes;
};
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const json = (value: unknown) => strToU8(JSON.stringify(value));

const READERS = {
  readTorch,
  readSafetensors,
  readOnnx,
  readKeras,
  readNumpy,
  readNam,
  readGuitarML,
  readRTNeural,
};

const safetensors = writeSafetensors({ w: Tensor.zeros([2]) });
const rtneural = json({
  in_shape: [null, null, 1],
  layers: [
    {
      type: "lstm",
      activation: "",
      shape: [null, null, 1],
      weights: [[[1, 1, 1, 1]], [[1, 1, 1, 1]], [1, 1, 1, 1]],
    },
    { type: "dense", activation: "", shape: [null, null, 1], weights: [[[1]], [0]] },
  ],
});
const OWN: Readonly<
  Record<string, readonly [format: string, bytes: Uint8Array, reader: keyof typeof READERS]>
> = {
  "a PyTorch file": ["torch", file("torch/zip.pt"), "readTorch"],
  "a legacy PyTorch file": ["torch", file("torch/legacy.pt"), "readTorch"],
  "a legacy PyTorch file with frames": ["torch", file("torch/legacy-protocol-4.pt"), "readTorch"],
  TorchScript: ["torch", file("torch/script.pt"), "readTorch"],
  "a program of torch.export": ["torch", file("torch-2/exported.pt2"), "readTorch"],
  "an older program of torch.export": ["torch", file("torch-2/exported-2.4.pt2"), "readTorch"],
  safetensors: ["safetensors", safetensors, "readSafetensors"],
  ONNX: ["onnx", file("onnx/lstm.onnx"), "readOnnx"],
  "ONNX with functions": ["onnx", file("onnx/lstm-functions.onnx"), "readOnnx"],
  ".h5 of Keras": ["keras", file("keras/bi-k2.h5"), "readKeras"],
  ".keras": ["keras", file("keras/bi-k2.keras"), "readKeras"],
  "a NumPy archive": ["numpy", file("numpy/stored.npz"), "readNumpy"],
  "a NumPy array": ["numpy", file("numpy/array.npy"), "readNumpy"],
  "a pickle of NumPy arrays": ["numpy", file("numpy/protocol-2.pkl"), "readNumpy"],
  "a pickle of an array": ["numpy", file("numpy/single.pkl"), "readNumpy"],
  NAM: ["nam", example("amp/amp.nam"), "readNam"],
  GuitarML: ["guitarml", example("amp/amp.json"), "readGuitarML"],
  RTNeural: ["rtneural", rtneural, "readRTNeural"],
  Keras: ["keras", file("keras/stack-k3.keras"), "readKeras"],
  "HDF5 of Keras": ["keras", file("keras/stack-k2.h5"), "readKeras"],
};

describe("readWeights", () => {
  it.each(Object.entries(OWN))("reads %s as its reader does", (_, [format, bytes, reader]) => {
    expect(readWeights(bytes)).toEqual({ format, value: READERS[reader](bytes as never) });
    expect(readWeights(bytes.slice().buffer)).toEqual(readWeights(bytes));
  });

  it("passes the options of a reader on, and refuses others by name", () => {
    const checkpoint = file("torch/two.pt");
    const { value } = readWeights(checkpoint, { path: ["nets", "other"], nodes: undefined } as never);
    expect(value).toEqual(readTorch(checkpoint, { path: ["nets", "other"] }));
    const model = file("onnx/lstm.onnx");
    expect(readWeights(model, { nodes: [] })).toMatchObject({ format: "onnx", value: { layers: [] } });
    expect(() => readWeights(model, { path: "a" })).toThrow(
      new TypeError("options.path: readOnnx, which takes this file, has no such option"),
    );
    expect(() => readWeights(safetensors, { nodes: [] })).toThrow(
      new TypeError("options.nodes: readSafetensors, which takes this file, has no such option"),
    );
    expect(() => readWeights(model, { node: [] } as never)).toThrow(
      new TypeError("options.node: unknown option; known are path, nodes, externalData, gru"),
    );
    expect(() => readWeights("x" as never)).toThrow(
      new TypeError('bytes: expected a Uint8Array or ArrayBuffer, got "x"'),
    );
  });

  it("tells bytes of no known format", () => {
    expect(() => readWeights(new Uint8Array([1, 2, 3, 250]))).toThrow(
      new FormatError(
        "weights: expected a file of PyTorch, safetensors, ONNX, Keras, NumPy, NAM, GuitarML or RTNeural, got bytes of no known format: 01 02 03 fa",
      ),
    );
  });
});

describe("a reader that gets another reader's file names it", () => {
  const pairs = Object.entries(OWN).flatMap(([name, [, bytes, taker]]) =>
    Object.keys(READERS)
      .filter((reader) => reader !== taker)
      .map((reader) => [reader, name, bytes, taker] as const),
  );
  it.each(pairs)("%s given %s", (reader, _, bytes, taker) => {
    const read = READERS[reader as keyof typeof READERS] as (bytes: Uint8Array) => unknown;
    expect(() => read(bytes)).toThrow(FormatError);
    expect(() => read(bytes)).toThrow(
      new RegExp(`^${reader.slice(4).toLowerCase()}: got an? .*; ${taker} takes it$`),
    );
  });
});

const page = "servers send this in place of a file that is missing (404); check the address";
const unread = "not read by this version";
const files = "give readWeights an object of it and the files of numbers beside it, by their names";
const tensorflow = `${unread}; save the model as ONNX`;
const other = "a pickle that torch.save did not write; save a state dict with torch.save";
const tar = (...names: string[]) =>
  latin1(
    names
      .map((name) => `${name.padEnd(124, "\0")}${"00000000003\0".padEnd(133, "\0")}ustar\0`.padEnd(512, "\0"))
      .map((header) => `${header}${"abc".padEnd(512, "\0")}`)
      .join(""),
  );
const OTHERS: readonly (readonly [name: string, bytes: Uint8Array, message: string])[] = [
  ["nothing", new Uint8Array(0), "an empty file"],
  ["a page", strToU8("\n<!DOCTYPE html><title>404</title>"), `an HTML page; ${page}`],
  ["a page with a BOM", strToU8("\ufeff<html></html>"), `an HTML page; ${page}`],
  ["an XML error", strToU8('<?xml version="1.0"?><Error/>'), `an XML document; ${page}`],
  ["what GitHub answers", strToU8("404: Not Found"), `text that begins with "404: Not Found"; ${page}`],
  ["a long text", strToU8(`Not: größe ${"x".repeat(400)}`), 'text that begins with "Not: gr????e xxxxx'],
  ["UTF-16", latin1("\xff\xfe{\0}\0"), "text in UTF-16; save it as UTF-8"],
  [
    "a Git LFS pointer",
    strToU8("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"),
    "a Git LFS pointer; `git lfs pull` fetches the file that it stands for",
  ],
  [".tflite", latin1(`\x1c\0\0\0TFL3${"\0".repeat(20)}`), `a TensorFlow Lite model (.tflite); ${tensorflow}`],
  [".ort", latin1(`\x1c\0\0\0ORTM${"\0".repeat(20)}`), "an onnxruntime model (.ort)"],
  [".gguf", latin1("GGUF\x03\0\0\0"), `a GGUF file; ${unread}; save the weights as safetensors`],
  [
    "a zip of something",
    zip("readme.txt", "b/c.txt"),
    'a zip of "readme.txt", "b/c.txt"; which holds no weight file',
  ],
  [
    "a zip around a model",
    zip("data", "b", "c", "d", "policy.pth"),
    'a zip of "data", "b", "c", "d"... (5 files); unpack it and read "policy.pth"',
  ],
  [
    "a zip with a SavedModel",
    zip("m/saved_model.pb", "m/x"),
    `a zip with a TensorFlow SavedModel; ${tensorflow}`,
  ],
  [
    "a zip with a name that reaches past its directory",
    longNamed(zip("a/data.pkl")),
    "a zip that is empty or cut off; copy or download it again",
  ],
  ["an empty zip", zipSync({}), "a zip that is empty or cut off; copy or download it again"],
  [
    "half a zip",
    zip("a/data.pkl").subarray(0, 40),
    "a zip that is empty or cut off; copy or download it again",
  ],
  [
    "model.json of TF.js",
    json({ format: "layers-model", modelTopology: {} }),
    `a TensorFlow.js model.json; ${files}, or parse it for readTfjs`,
  ],
  [
    "model.json of TF.js, with what Python writes for no number",
    strToU8('{"modelTopology": {"low": [NaN, -Infinity]}}'),
    `a TensorFlow.js model.json; ${files}, or parse it for readTfjs`,
  ],
  [
    "model.json of Keras",
    json({ class_name: "Sequential", config: {} }),
    "the architecture of a Keras model (model.json); which holds no weights",
  ],
  [
    "weights_manifest.json",
    json([{ paths: [], weights: [] }]),
    `TensorFlow's weights_manifest.json; ${files}, or parse it for readManifest`,
  ],
  [
    "an index of shards",
    json({ weight_map: {} }),
    "an index of shards (JSON); give it with the files that it lists",
  ],
  ["other JSON", json({ a: 1, b: 2 }), 'JSON with the keys "a", "b"; which no reader takes'],
  ["a JSON array", json([1]), "JSON that is no object"],
  ["JSON with a BOM", strToU8('\ufeff{"a": 1}'), 'JSON with the keys "a"; which no reader takes'],
  ["broken JSON", strToU8('{"architecture": '), "broken JSON (text: not valid JSON: "],
  ["a gzip file", new Uint8Array([31, 139, 8, 0]), "a gzip file; unpack it first"],
  ["an xz file", latin1("\xfd7zXZ\0\0"), "an xz file; unpack it first"],
  ["a zstd file", latin1("\x28\xb5\x2f\xfd"), "a zstd file; unpack it first"],
  ["a bzip2 file", latin1("BZh91AY"), "a bzip2 file; unpack it first"],
  ["a 7z archive", latin1("7z\xbc\xaf\x27\x1c"), "a 7z archive; unpack it first"],
  ["a RAR archive", latin1("Rar!\x1a\x07"), "a RAR archive; unpack it first"],
  [
    ".nemo",
    tar("./model_config.yaml", "./model_weights.ckpt"),
    'a tar archive of "./model_config.yaml", "./model_weights.ckpt"; unpack it and read "./model_weights.ckpt"',
  ],
  [
    "a PyTorch file of 2016",
    tar("sys_info", "pickle", "storages", "tensors"),
    "a file of a PyTorch before 0.1.10; load and save it with a newer one",
  ],
  ["WAV", latin1("RIFF\0\0\0\0WAVEfmt "), "a WAV file; which holds sound"],
  ["wasm", latin1("\0asm\x01\0\0\0"), "a wasm binary; `init` takes it as `module` when it is compiled"],
  [
    "a pickle of protocol 4",
    latin1("\x80\x04\x95\x20\0\0\0\0\0\0\0\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94."),
    `${other}; it wants collections.OrderedDict`,
  ],
  [
    "a pickle of protocol 4 whose modules are in the memo",
    latin1("\x80\x04\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94h\0\x8c\x05dtype\x94\x93\x94."),
    `${other}; it wants numpy.ndarray, numpy.dtype`,
  ],
  [
    "a pickle of protocol 2, with an array before a class",
    latin1("\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\0T\x06\0\0\0cx\ny\nzcdatetime\ndate\nq\x01."),
    "a pickle of more than NumPy arrays; save a dict of the arrays alone; it wants datetime.date",
  ],
  [
    "a pickle in text",
    latin1("(dp0\nS'a'\np1\nccopy_reg\n_reconstructor\np2\ns."),
    `${other}; it wants copy_reg.`,
  ],
  ["a pickle without classes", latin1("\x80\x02}q\0."), other],
  [
    "a SavedModel",
    latin1(`\x08\x01${"\x12\x04\x0a\x02\x08\x01"}`),
    `a TensorFlow SavedModel; ${tensorflow} (tf2onnx)`,
  ],
  ["a GraphDef", latin1("\x0a\x08\x0a\x01x\x12\x03Add"), `a TensorFlow graph (.pb); ${tensorflow} (tf2onnx)`],
];

describe.each(OTHERS)("%s", (_, bytes, message) => {
  it.each(["readWeights", ...Object.keys(READERS)])("given to %s is told", (reader) => {
    const read = { ...READERS, readWeights }[reader as "readWeights"];
    const format = reader.slice(4).toLowerCase();
    expect(() => read(bytes)).toThrow(FormatError);
    // A reader of JSON says of JSON without a known key which field it lacks.
    const isOwn = /JSON/.test(message) && !/shards/.test(message) && /Nam|GuitarML|RTNeural/.test(reader);
    expect(() => read(bytes)).toThrow(isOwn ? `${format}: ` : `${format}: got ${message}`);
  });
});

it("tells HDF5 after a user block", () => {
  expect(() => readTorch(file("hdf5/userblock.h5"))).toThrow(
    "torch: got an HDF5 file, as Keras writes (.h5); readKeras takes it",
  );
});

it("tells a page whose text is given to a reader of JSON", () => {
  expect(() => readNam("<!doctype html>")).toThrow(`nam: got an HTML page; ${page}`);
  expect(() => readNam("\ufeff404: Not Found")).toThrow('nam: got text that begins with "404: Not Found"');
  expect(() => readNam("")).toThrow("nam: got an empty file");
  expect(() => readNam('{"a"')).toThrow("nam: not valid JSON");
});

it("reads JSON that an editor began with a BOM", () => {
  const nam = example("amp/amp.nam");
  const text = new TextDecoder().decode(nam);
  expect(readNam(`\ufeff${text}`)).toEqual(readNam(nam));
  expect(readWeights(strToU8(`\ufeff${text}`))).toEqual(readWeights(nam));
});

it("names no more of an archive than a message holds", () => {
  const name = "\x1b[2J\u202e".repeat(60);
  for (const bytes of [zip(name), zip(`${name}/a`, `${name}/b.pt`)]) {
    let message = "";
    try {
      readWeights(bytes);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/^weights: got a zip of "/);
    expect(message.length).toBeLessThan(400);
    expect(message).not.toContain("\x1b");
  }
});

it("knows HDF5 behind a user block", () => {
  const hdf5 = latin1(`${"u".repeat(1024)}\x89HDF\r\n\x1a\n`);
  expect(() => readTorch(hdf5)).toThrow("torch: got an HDF5 file, as Keras writes (.h5); readKeras takes it");
});

it("takes no model of ONNX for TensorFlow's, nor the other way", () => {
  const plain = onnx.model({ initializers: [onnx.floats("w", [1], [1])], nodes: [] });
  expect(readWeights(plain).format).toBe("onnx");
});
