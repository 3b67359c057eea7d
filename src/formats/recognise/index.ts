/**
 * What a file is, told by its content: for `readWeights`, and for the message of a reader that was given something
 * else. It names readers and imports none, so that a bundle has only those that its program calls.
 */
import { show } from "../../tensor/checks.js";
import { asBytes, FormatError, unsupported } from "../bytes.js";
import { type FileKind, latin1, NO_READER, type ReaderName } from "./file-kind.js";
import { jsonKind } from "./json-kind.js";
import { pickleKind } from "./pickle-kind.js";
import { isGraphDef, isOnnx, isSavedModel } from "./protobuf-kind.js";
import { tarKind } from "./tar-kind.js";
import { zipKind } from "./zip-kind.js";

const TO_ONNX = `${NO_READER}; save the model as ONNX`;
const UNPACK = "unpack it first";
const MISSING = "servers send this in place of a file that is missing (404); check the address";

/**
 * What stands at a place of the first bytes, and what files with it are. A text is ASCII: bundlers write others as they
 * are, and a page may have another encoding.
 */
type Signature = readonly [at: number, signature: string | readonly number[], name: string, advice: string];
const SIGNATURES: readonly Signature[] = [
  [
    0,
    "version https://git-lfs.github.com/",
    "a Git LFS pointer",
    "`git lfs pull` fetches the file that it stands for",
  ],
  [4, "TFL3", "a TensorFlow Lite model (.tflite)", TO_ONNX],
  [4, "ORTM", "an onnxruntime model (.ort)", `${NO_READER}; give the .onnx file that it was made from`],
  [0, "GGUF", "a GGUF file", `${NO_READER}; save the weights as safetensors`],
  [0, [0x1f, 0x8b], "a gzip file", UNPACK],
  [0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "an xz file", UNPACK],
  [0, [0x28, 0xb5, 0x2f, 0xfd], "a zstd file", UNPACK],
  [0, "BZh", "a bzip2 file", UNPACK],
  [0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive", UNPACK],
  [0, "Rar!", "a RAR archive", UNPACK],
  [1, "asm\x01\0\0\0", "a wasm binary", "`init` takes it as `module` when it is compiled"],
  [8, "WAVE", "a WAV file", "which holds sound"],
  [0, [0xff, 0xfe], "text in UTF-16", "save it as UTF-8"],
  [0, [0xfe, 0xff], "text in UTF-16", "save it as UTF-8"],
];

/** @returns undefined for bytes that are nothing known */
export function recognise(file: Uint8Array): FileKind | undefined {
  if (file.length === 0) return { name: "an empty file" };
  const text = latin1(file.subarray(0, 1024));
  // The BOM of UTF-8, which editors write, as latin1 has it.
  const start = text.replace(/^\xef\xbb\xbf/, "").trimStart();
  for (const [at, signature, name, advice] of SIGNATURES) {
    const isThere =
      typeof signature === "string"
        ? text.startsWith(signature, at)
        : signature.every((byte, place) => file[at + place] === byte);
    if (isThere) return { name, advice };
  }
  if (file[0] === 0x93 && text.startsWith("NUMPY", 1))
    return { name: "a NumPy array (.npy)", reader: "readNumpy" };
  if (text.startsWith("PK\x03\x04") || text.startsWith("PK\x05\x06")) return zipKind(file);
  if (text.startsWith("ustar", 257)) return tarKind(file);
  if (start.startsWith("<")) {
    const isPage = /^<(!doctype html|html|head|body|!--)/i.test(start);
    return { name: isPage ? "an HTML page" : "an XML document", advice: MISSING };
  }
  if (/^[[{]/.test(start)) return jsonKind(file);
  // The length of the header, below 2^32, then the header.
  if (text[8] === "{" && text.startsWith("\0\0\0\0", 4)) {
    return { name: "a safetensors file", reader: "readSafetensors" };
  }
  const pickle = pickleKind(file, text);
  if (pickle !== undefined) return pickle;
  if (isHdf5(file)) return { name: "an HDF5 file, as Keras writes (.h5)", reader: "readKeras" };
  if (isSavedModel(file)) return { name: "a TensorFlow SavedModel", advice: `${TO_ONNX} (tf2onnx)` };
  if (isOnnx(file)) return { name: "an ONNX model", reader: "readOnnx" };
  if (isGraphDef(file)) return { name: "a TensorFlow graph (.pb)", advice: `${TO_ONNX} (tf2onnx)` };
  const isText = file.subarray(0, 256).every((byte) => byte >= 32 || (byte >= 9 && byte <= 13));
  if (isText && /^[ -~]{4}/.test(start)) {
    const line = start.split(/[\r\n]/)[0]!.replace(/[^ -~]/g, "?");
    return { name: `text that begins with ${show(line)}`, advice: MISSING };
  }
  return undefined;
}

/** Its signature stands at 0, or after a user's block of 512 bytes or a larger power of two. */
function isHdf5(file: Uint8Array): boolean {
  for (let at = 0; at + 8 <= file.length; at = at === 0 ? 512 : at * 2) {
    const text = latin1(file.subarray(at + 1, at + 6));
    if (file[at] === 0x89 && text === "HDF\r\n" && file[at + 6] === 0x1a) return true;
  }
  return false;
}

/** Who tells of a file of another kind: a reader, or the loader of whole models that takes the same files. */
type Caller = ReaderName | "loadKeras";

/**
 * What `read` makes of a file. Where it refuses the file and the file is another reader's, or nobody's that is known,
 * the message says so.
 * @throws TypeError if `bytes` is not bytes; FormatError as `read` does
 */
export function readAs<Result>(reader: Caller, bytes: unknown, read: (file: Uint8Array) => Result): Result {
  const file = asBytes(bytes);
  try {
    return read(file);
  } catch (cause) {
    throw explained(reader, file, cause);
  }
}

/** What a reader throws for a file that it refused with `cause`. */
export function explained(reader: Caller, file: Uint8Array, cause: unknown): unknown {
  if (!(cause instanceof FormatError)) return cause;
  const kind = recognise(file);
  if (kind === undefined || kind.reader === reader.replace("load", "read")) return cause;
  // A reader of JSON says itself what is broken.
  return kind.isBroken && /Nam|GuitarML|RTNeural/.test(reader) ? cause : otherFile(reader, kind);
}

/** The error for a file of another kind. `who` is the function that was called. */
export function otherFile(who: Caller | "readWeights", { name, reader, advice }: FileKind): FormatError {
  const format = who.slice("read".length).toLowerCase();
  const taker = who === "loadKeras" && reader === "readOnnx" ? "loadOnnx" : reader;
  const what = taker === undefined ? advice : `${taker} takes it`;
  return unsupported(`${format}: got ${name}${what === undefined ? "" : `; ${what}`}`);
}
