/**
 * Programs of torch.export (`.pt2`), of which the state dict is read. Since PyTorch 2.8 each tensor is an entry of raw
 * numbers, and a JSON file says what it is:
 *
 *     NAME/data/weights/MODEL_weights_config.json
 *     { "config": { "lstm.weight_ih_l0": { "path_name": "weight_0", "use_pickle": false, "tensor_meta":
 *       { "dtype": 7, "sizes": [{ "as_int": 20 }], "strides": [...], "storage_offset": { "as_int": 0 } } } } }
 *
 * Before, the state dict was a file of torch.save: the entry `serialized_state_dict.pt`.
 */

import { show } from "../../tensor/checks.js";
import type { ModuleMetadata } from "../../tensor/metadata.js";
import { unsupported } from "../bytes.js";
import { DTYPES, type Dtype } from "../dtype.js";
import { isObject, parseJson } from "../json.js";
import { decodeUtf8 } from "../utf8.js";
import type { Zip } from "../zip.js";
import { bad } from "./error.js";
import { layersOfGraph } from "./program.js";
import { type ReadStorage, Storage, TensorView, UnsupportedTensor } from "./rebuild-tensor.js";

const CONFIG = /^data\/weights\/([^/]+)_weights_config\.json$/;

/** The entry that holds the state dict of an older program. */
export const OLD_STATE_DICT = "serialized_state_dict.pt";
/** The entry that holds its graph. */
export const OLD_GRAPH = "serialized_exported_program.json";

/** By the numbers of torch._export.serde.schema.ScalarType. */
const DTYPE_NUMBERS: ReadonlyMap<unknown, Dtype> = new Map<unknown, Dtype>([
  [1, "U8"],
  [2, "I8"],
  [3, "I16"],
  [4, "I32"],
  [5, "I64"],
  [6, "F16"],
  [7, "F32"],
  [8, "F64"],
  [12, "BOOL"],
  [13, "BF16"],
  [28, "U16"],
  [34, "U32"],
  [35, "U64"],
]);

/** The folder of a program that has its tensors as entries, with its slash; undefined for another zip. */
export function folderOfProgram(zip: Zip): string | undefined {
  for (const name of zip.names()) {
    const folder = name.slice(0, name.indexOf("/") + 1);
    if (name === `${folder}archive_format`) return folder;
  }
  return undefined;
}

/**
 * The tensors of the program by name. Those of several programs in one file are by the programs' names.
 * @throws FormatError if there is none, or what is said of one is broken
 */
export function openExported(zip: Zip, folder: string) {
  const programs = new Map<string, Map<string, unknown>>();
  for (const entry of zip.names()) {
    const [, model] = entry.startsWith(folder) ? (CONFIG.exec(entry.slice(folder.length)) ?? []) : [];
    if (model !== undefined) programs.set(model, readConfig(zip, entry, `${folder}data/weights/`));
  }
  if (programs.size === 0) {
    const isCompiled = [...zip.names()].some((name) => name.includes("data/aotinductor/"));
    throw isCompiled
      ? unsupported("torch: a program that AOTInductor compiled; save model.state_dict() with torch.save")
      : bad("a program of torch.export without weights");
  }
  const root = programs.size === 1 ? [...programs.values()][0]! : programs;
  const read: ReadStorage = (storage) => zip.read(storage.key);
  return {
    root,
    read,
    layers(path: readonly string[]): ReadonlyMap<string, ModuleMetadata> {
      const [only, other] = programs.keys();
      const entry = `${folder}models/${other === undefined ? only : path[0]}.json`;
      return zip.has(entry) ? layersOfGraph(zip.read(entry)) : new Map();
    },
  };
}

function readConfig(zip: Zip, entry: string, folder: string): Map<string, unknown> {
  const name = `torch: ${show(entry)}`;
  const file = parseJson(decodeUtf8(zip.read(entry), name), name);
  const config = isObject(file) ? file.config : undefined;
  if (!isObject(config)) throw bad(`${show(entry)}: config: expected an object, got ${show(config)}`);
  return new Map(Object.entries(config).map(([key, value]) => [key, readEntry(zip, folder, key, value)]));
}

function readEntry(zip: Zip, folder: string, key: string, value: unknown): TensorView | UnsupportedTensor {
  const label = `tensor ${show(key)}`;
  const meta = isObject(value) ? value.tensor_meta : undefined;
  if (!isObject(value) || !isObject(meta) || typeof value.path_name !== "string") {
    throw bad(`${label}: expected path_name and tensor_meta, got ${show(value)}`);
  }
  if (value.use_pickle === true) return new UnsupportedTensor("it is stored as a pickle of its own");
  const dtype = DTYPE_NUMBERS.get(meta.dtype);
  if (dtype === undefined)
    return new UnsupportedTensor(`its dtype, number ${show(meta.dtype)}, is not supported`);
  // 7 is torch.strided.
  if (meta.layout !== 7)
    return new UnsupportedTensor(`its layout, number ${show(meta.layout)}, is not supported`);
  const path = folder + value.path_name;
  const bytes = zip.sizeOf(path);
  const storage = new Storage(path, dtype, Math.floor(bytes / DTYPES[dtype].bytes), bytes, "");
  return new TensorView(
    storage,
    numberOf(meta.storage_offset),
    numbersOf(meta.sizes),
    numbersOf(meta.strides),
    dtype,
  );
}

/** A size, which a program has as `{ "as_int": 20 }`. One that is an expression stays as it is, and is refused later. */
function numberOf(value: unknown): unknown {
  return isObject(value) ? value.as_int : value;
}

function numbersOf(value: unknown): unknown {
  return Array.isArray(value) ? value.slice(0, 65).map(numberOf) : value;
}
