/** The arrays of Keras' HDF5 files: listed by attributes, or in folders. */
import { show } from "../../tensor/checks.js";
import type { Tensor } from "../../tensor/tensor.js";
import { FormatError } from "../bytes.js";
import type { Hdf5Dataset, Hdf5Group } from "../hdf5/index.js";
import { byNumber } from "./by-number.js";
import type { Entry } from "./cell.js";
import type { Folder } from "./folders.js";

/** More layers than any model has. */
const MOST_PARTS = 10_000;

/**
 * An attribute that is a list of names. One above 64 KB is split into `layer_names0`, `layer_names1` and so on. An
 * empty list has no type of its own and may be one of numbers.
 * @returns undefined if it is missing
 */
export function namesIn(group: Hdf5Group, name: string): readonly string[] | undefined {
  const whole = listOf(group, name);
  if (whole !== undefined) return whole;
  const names: string[] = [];
  for (let part = 0; part < MOST_PARTS; part++) {
    const some = listOf(group, `${name}${part}`);
    if (some === undefined) return part === 0 ? undefined : names;
    names.push(...some);
  }
  return names;
}

function listOf(group: Hdf5Group, name: string): readonly string[] | undefined {
  const value = group.attribute(name);
  if (value === undefined || typeof value === "string") return value === undefined ? undefined : [value];
  if ("data" in value) {
    if (value.data.length === 0) return [];
    throw new FormatError(`keras: ${group.path || "/"}: attribute ${name}: expected names, got numbers`);
  }
  return value;
}

/** Whether a group has layers as Keras lists them. */
export function isListed(group: Hdf5Group): boolean {
  return namesIn(group, "layer_names") !== undefined;
}

/** The layers of a group with their arrays, in the file's order. Paths begin with the layer's name. */
export function layersIn(group: Hdf5Group): readonly { readonly name: string; readonly entries: Entry[] }[] {
  const names = namesIn(group, "layer_names");
  if (names === undefined) throw new FormatError("keras: attribute layer_names is missing");
  return names.map((name) => {
    const layer = group.get(name);
    if (layer?.kind !== "group") throw new FormatError(`keras: layer ${show(name)}: its group is missing`);
    const entries = (namesIn(layer, "weight_names") ?? []).map((path) => {
      const array = layer.get(path);
      if (array?.kind !== "dataset") {
        throw new FormatError(`keras: layer ${show(name)}: array ${show(path)} is missing`);
      }
      return { path: below(plain(path, name), name), tensor: read(array) };
    });
    return { name, entries };
  });
}

/**
 * Keras 1 has no folders: `lstm_1_W_i` is W_i, and in a wrapper or a nested model lstm_1/W_i. Of a model that was loaded
 * and saved again it is `lstm_1_W_i_1`: TensorFlow counts names that a session has twice.
 */
function plain(path: string, layer: string): string {
  if (path.includes("/")) return path;
  if (path.startsWith(`${layer}_`)) return path.slice(layer.length + 1).replace(/_\d+(?=:\d+$)/, "");
  return path.replace(/^(.*)_([WUb](?:_[a-z])?)(?:_\d+)?((?::\d+)?)$/, "$1/$2$3");
}

/** A path from the layer's name on; the layer's name may stand behind the model's, or be left out. */
function below(path: string, name: string): string {
  const parts = path.split("/");
  const own = name.split("/");
  for (let at = 0; at + own.length < parts.length; at++) {
    if (own.every((part, index) => parts[at + index] === part)) return parts.slice(at + own.length).join("/");
  }
  return path;
}

/** All arrays of a group that lists its layers, each below its layer's name. */
export function listWeights(group: Hdf5Group): readonly Entry[] {
  return layersIn(group).flatMap(({ name, entries }) =>
    entries.map(({ path, tensor }) => ({ path: `${name}/${path}`, tensor })),
  );
}

/** A group as a folder of arrays, without the soft links that lead to nothing. */
export function folderOf(group: Hdf5Group): Folder {
  const names = { group: [] as string[], dataset: [] as string[] };
  for (const name of [...group.names()].sort(byNumber)) {
    const object = group.get(name);
    if (object !== undefined) names[object.kind].push(name);
  }
  return {
    names: () => names.group,
    folder: (name) => {
      const inner = group.get(name);
      return inner?.kind === "group" ? folderOf(inner) : undefined;
    },
    arrayNames: () => names.dataset,
    array: (name) => read(group.get(name) as Hdf5Dataset),
    get label() {
      const label = group.attribute("name");
      return typeof label === "string" ? label : undefined;
    },
  };
}

function read(array: Hdf5Dataset): Tensor {
  return array.read() as Tensor;
}
