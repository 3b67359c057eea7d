/** What a file is, where it is given to `readWeights` or to a reader of something else. */
import { readFileSync } from "node:fs";
import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import {
  FormatError,
  readGuitarML,
  readNam,
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
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const json = (value: unknown) => strToU8(JSON.stringify(value));

const READERS = { readTorch, readSafetensors, readOnnx, readNam, readGuitarML, readRTNeural };

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
  safetensors: ["safetensors", safetensors, "readSafetensors"],
  ONNX: ["onnx", file("onnx/lstm.onnx"), "readOnnx"],
  "ONNX with functions": ["onnx", file("onnx/lstm-functions.onnx"), "readOnnx"],
  NAM: ["nam", example("amp/amp.nam"), "readNam"],
  GuitarML: ["guitarml", example("amp/amp.json"), "readGuitarML"],
  RTNeural: ["rtneural", rtneural, "readRTNeural"],
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
      new TypeError("options.node: unknown option; known are path, nodes, externalData"),
    );
    expect(() => readWeights("x" as never)).toThrow(
      new TypeError('bytes: expected a Uint8Array or ArrayBuffer, got "x"'),
    );
  });

  it("tells the bytes that are nothing known", () => {
    expect(() => readWeights(new Uint8Array([1, 2, 3, 250]))).toThrow(
      new FormatError("weights: expected a weight file, got bytes of no known format: 01 02 03 fa"),
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

const HDF5 = "\x89HDF\r\n\x1a\n";
const page = "servers send one in place of a file that is missing (404); check the address";
const OTHERS: readonly (readonly [name: string, bytes: Uint8Array, message: string])[] = [
  ["nothing", new Uint8Array(0), "got an empty file"],
  ["a page", strToU8("\n<!DOCTYPE html><title>404</title>"), `got an HTML page; ${page}`],
  ["a page with a BOM", strToU8("\ufeff<html></html>"), `got an HTML page; ${page}`],
  ["an XML error", strToU8('<?xml version="1.0"?><Error/>'), `got an XML document; ${page}`],
  [
    "a Git LFS pointer",
    strToU8("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"),
    "got a Git LFS pointer; `git lfs pull` fetches the file itself",
  ],
  ["HDF5", latin1(`${HDF5}${"\0".repeat(100)}`), "got an HDF5 file, as Keras writes; which is not read"],
  ["HDF5 after a user block", latin1(`${"u".repeat(1024)}${HDF5}`), "got an HDF5 file, as Keras writes"],
  [".keras", zip("metadata.json", "config.json", "model.weights.h5"), "got a Keras model (.keras)"],
  [".npz", zip("a.npy", "b.npy"), "got a NumPy archive (.npz)"],
  [".npy", latin1("\x93NUMPY\x01\0v\0{'descr': '<f4'}"), "got a NumPy array (.npy)"],
  [".tflite", latin1(`\x1c\0\0\0TFL3${"\0".repeat(20)}`), "got a TensorFlow Lite model"],
  [".pt2", zip("m/archive_format", "m/models/model.json"), "got a program of torch.export (.pt2)"],
  ["an older .pt2", zip("serialized_exported_program.json"), "got a program of torch.export (.pt2)"],
  ["a zip of something", zip("readme.txt", "b/c.txt"), "got a zip of readme.txt, b/c.txt; which holds no"],
  [
    "a zip around a model",
    zip("data", "policy.pth"),
    "got a zip of data, policy.pth; unpack it and read policy.pth",
  ],
  ["an empty zip", zipSync({}), "got a zip without entries, or a part of one"],
  ["half a zip", zip("a/data.pkl").subarray(0, 40), "got a zip without entries, or a part of one"],
  ["model.json", json({ format: "layers-model", modelTopology: {} }), "got a TensorFlow.js model.json"],
  [
    "a Keras architecture",
    json({ class_name: "Sequential", config: {} }),
    "got the architecture of a Keras model",
  ],
  ["weights_manifest.json", json([{ paths: [], weights: [] }]), "got TensorFlow's weights_manifest.json"],
  ["an index of shards", json({ weight_map: {} }), "got an index of shards (JSON)"],
  ["other JSON", json({ a: 1, b: 2 }), 'got JSON with the keys "a", "b"; which no reader takes'],
  ["a JSON array", json([1]), "got JSON that is no object"],
  ["a gzip file", new Uint8Array([31, 139, 8, 0]), "got a gzip file; unpack it first"],
  [
    "a tar file",
    latin1(`${"a".repeat(257)}ustar\0${"\0".repeat(250)}`),
    "got a tar file; PyTorch wrote such files",
  ],
  ["wasm", latin1("\0asm\x01\0\0\0"), "got a wasm binary"],
  [
    "a pickle of protocol 4",
    latin1("\x80\x04\x95\x20\0\0\0\0\0\0\0\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94."),
    "got a pickle that torch.save did not write; save a state dict with torch.save; it wants collections.OrderedDict",
  ],
  [
    "a pickle of protocol 2",
    latin1("\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\0cnumpy\nndarray\nq\x01."),
    "; it wants numpy.core.multiarray._reconstruct, numpy.ndarray",
  ],
  ["a pickle in text", latin1("(dp0\nS'a'\np1\nI1\ns."), "got a pickle that torch.save did not write"],
  [
    "a SavedModel",
    latin1(`\x08\x01${"\x12\x04\x0a\x02\x08\x01"}`),
    "got a TensorFlow SavedModel; which is not read; save the model as ONNX with tf2onnx",
  ],
  ["a GraphDef", latin1("\x0a\x08\x0a\x01x\x12\x03Add"), "got a TensorFlow graph"],
];

describe.each(OTHERS)("%s", (_, bytes, message) => {
  it.each(["readWeights", ...Object.keys(READERS)])("given to %s is told", (reader) => {
    const read = { ...READERS, readWeights }[reader as "readWeights"];
    expect(() => read(bytes)).toThrow(FormatError);
    // A reader of JSON tells JSON without a known key field by field, and each reader tells what no bytes lack.
    const own = /keys|no object/.test(message)
      ? /Nam|GuitarML|RTNeural/.test(reader)
      : /empty file/.test(message) && reader !== "readWeights";
    expect(() => read(bytes)).toThrow(own ? /expected|not valid|no graph|neither/ : message);
  });
});

it("takes no model of ONNX for TensorFlow's, nor the other way", () => {
  const plain = onnx.model({ initializers: [onnx.floats("w", [1], [1])], nodes: [] });
  expect(readWeights(plain).format).toBe("onnx");
});
