/**
 * What a file is, told by its content: for `readWeights`, and for the message of a reader that was given something
 * else. It names readers and imports none, so that a bundle has only those that its program calls.
 */
import { asBytes, FormatError, unsupported } from "../bytes.js";
import { type FileKind, latin1, type ReaderName } from "./file-kind.js";
import { jsonKind } from "./json-kind.js";
import { pickleClasses } from "./pickle-classes.js";
import { isGraphDef, isOnnx, isSavedModel } from "./protobuf-kind.js";
import { zipKind } from "./zip-kind.js";

const EMPTY: FileKind = { name: "an empty file" };
const ONNX: FileKind = { name: "an ONNX model", reader: "readOnnx" };
const SAFETENSORS: FileKind = { name: "a safetensors file", reader: "readSafetensors" };
const LEGACY_TORCH: FileKind = { name: "a PyTorch file", reader: "readTorch" };

/** @returns undefined for bytes that are nothing known */
export function recognise(file: Uint8Array): FileKind | undefined {
  if (file.length === 0) return EMPTY;
  const text = latin1(file.subarray(0, 1024));
  // The BOM of UTF-8, which editors write, as latin1 has it.
  const start = text.replace(/^\xef\xbb\xbf/, "").trimStart();
  for (const [at, signature, kind] of SIGNATURES) if (text.startsWith(signature, at)) return kind;
  if (text.startsWith("PK\x03\x04") || text.startsWith("PK\x05\x06")) return zipKind(file);
  if (start.startsWith("<")) return markupKind(start);
  if (/^[[{]/.test(start)) return jsonKind(file);
  // The length of the header, below 2^32, then the header.
  if (text[8] === "{" && text.startsWith("\0\0\0\0", 4)) return SAFETENSORS;
  const pickle = pickleKind(file, text);
  if (pickle !== undefined) return pickle;
  if (isHdf5(file)) return HDF5;
  if (isSavedModel(file)) {
    return {
      name: "a TensorFlow SavedModel",
      advice: "which is not read; save the model as ONNX with tf2onnx",
    };
  }
  if (isOnnx(file)) return ONNX;
  if (isGraphDef(file)) {
    return { name: "a TensorFlow graph", advice: "which is not read; save the model as ONNX with tf2onnx" };
  }
  return undefined;
}

const HDF5: FileKind = {
  name: "an HDF5 file, as Keras writes",
  advice: "which is not read; give the arrays of its layers to fromKeras",
};

/** Texts that stand at a place of the first kilobyte, as latin1. */
const SIGNATURES: readonly (readonly [at: number, signature: string, FileKind])[] = [
  [
    0,
    "version https://git-lfs.github.com/",
    { name: "a Git LFS pointer", advice: "`git lfs pull` fetches the file itself" },
  ],
  [0, "\x93NUMPY", { name: "a NumPy array (.npy)", advice: "which has no names; save a state dict" }],
  [4, "TFL3", { name: "a TensorFlow Lite model", advice: "which is not read; save the model as ONNX" }],
  [0, "GGUF", { name: "a GGUF file", advice: "which is not read" }],
  [0, "\x1f\x8b", { name: "a gzip file", advice: "unpack it first" }],
  [0, "\0asm", { name: "a wasm binary", advice: "which init takes as `module` when it is compiled" }],
  [
    257,
    "ustar",
    {
      name: "a tar file",
      advice: "PyTorch wrote such files before 0.1.10; load and save it with a newer one",
    },
  ],
];

function markupKind(text: string): FileKind {
  const html = /^<(!doctype html|html|head|body|!--)/i.test(text);
  return {
    name: html ? "an HTML page" : "an XML document",
    advice: "servers send one in place of a file that is missing (404); check the address",
  };
}

/** A pickle: PROTO and a protocol's number from 1 to 5, or an older one, which is text. */
function pickleKind(file: Uint8Array, text: string): FileKind | undefined {
  const binary = file[0] === 0x80 && file[1]! >= 1 && file[1]! <= 5;
  if (!binary && !/^(\([dl]p?\d|c[a-z_.]+\n\w+\n)/.test(text)) return undefined;
  // From protocol 4 on, a frame comes first. The magic number of torch.save is an integer of ten bytes.
  if (binary && text.startsWith("\x8a\x0a", file[2] === 0x95 ? 11 : 2)) return LEGACY_TORCH;
  const classes = pickleClasses(file);
  const wanted = classes.length === 0 ? "" : `; it wants ${classes.join(", ")}`;
  return {
    name: "a pickle that torch.save did not write",
    advice: `save a state dict with torch.save${wanted}`,
  };
}

/** Its signature stands at 0, or after a user's block of 512 bytes or a larger power of two. */
function isHdf5(file: Uint8Array): boolean {
  for (let at = 0; at + 8 <= file.length; at = at === 0 ? 512 : at * 2) {
    if (latin1(file.subarray(at, at + 8)) === "\x89HDF\r\n\x1a\n") return true;
  }
  return false;
}

/**
 * What `read` makes of a file. Where it refuses the file and the file is another reader's, or nobody's that is known,
 * the message says so.
 * @throws TypeError if `bytes` is not bytes; FormatError as `read` does
 */
export function readAs<Result>(
  reader: ReaderName,
  bytes: unknown,
  read: (file: Uint8Array) => Result,
): Result {
  const file = asBytes(bytes);
  try {
    return read(file);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    const kind = recognise(file);
    if (kind === undefined || kind === EMPTY || kind.reader === reader) throw cause;
    throw otherFile(reader, kind);
  }
}

/** The error for a file of another kind. `who` is the function that was called. */
export function otherFile(who: ReaderName | "readWeights", { name, reader, advice }: FileKind): FormatError {
  const format = who.slice("read".length).toLowerCase();
  const what = reader === undefined ? advice : `${reader} takes it`;
  return unsupported(`${format}: got ${name}${what === undefined ? "" : `; ${what}`}`);
}
