/**
 * HDF5, in the subset that holds weights: groups, data sets of numbers and attributes, as h5py and h5repack write them
 * with any of their settings. What else the format has is refused by name when it is asked for. An object is read when
 * it is asked for, once.
 */

import type { TensorData } from "../../tensor/like.js";
import type { Tensor } from "../../tensor/tensor.js";
import { allowedBytes } from "../allowance.js";
import { unsupported } from "../bytes.js";
import { TORCH_NAMES } from "../dtype.js";
import { getOrMake } from "../get-or-make.js";
import { type AttributeValue, readAttributes } from "./attributes.js";
import { type DataSet, readDataSet, readRaw } from "./dataset.js";
import { unread } from "./datatype.js";
import { type Link, readLinks } from "./links.js";
import { GROUP_MESSAGES, readMessages } from "./object-header.js";
import { readSuperblock } from "./superblock.js";
import { type Heaps, tensorBytes, tensorOf } from "./values.js";

export type { AttributeValue } from "./attributes.js";

interface Hdf5Object {
  /** The path that it was asked for by. */
  readonly path: string;
  /** Tells one object from another. A group may hold one above it, so that paths never end. */
  readonly address: number;
  /** An attribute's value, a scalar as a tensor of shape []. @throws FormatError if it is broken or not supported */
  attribute(name: string): AttributeValue | undefined;
  attributeNames(): readonly string[];
}

export interface Hdf5Group extends Hdf5Object {
  readonly kind: "group";
  /** Sorted. */
  names(): readonly string[];
  /**
   * What a path from here leads to; from the root, if it begins with "/". Undefined if nothing has the name.
   * @throws FormatError if it is broken, or a link leads out of the file
   */
  get(path: string): Hdf5Group | Hdf5Dataset | undefined;
}

export interface Hdf5Dataset extends Hdf5Object {
  readonly kind: "dataset";
  readonly shape: readonly number[];
  /** PyTorch's name, or the kind of the elements where they are no numbers. */
  readonly dtype: string;
  /** Its numbers; floats as float32. @throws FormatError if they are broken, missing or not supported */
  read(): Tensor<TensorData>;
}

/** Names in one path, and in the paths of soft links that it leads through. */
const MOST_STEPS = 1000;
const MOST_SOFT_CHARACTERS = 4096;
/** Characters of a path in messages. */
const MOST_SHOWN = 200;

/** What was read of an object, whatever its paths are. */
interface Node {
  /** Undefined for an object that is neither a group nor a data set. */
  readonly set: DataSet | undefined;
  readonly links: (() => Map<string, Link>) | undefined;
  readonly attributes: () => Map<string, () => AttributeValue>;
}

/**
 * The root group of a file.
 * @param label begins messages, for instance "keras"
 * @param allowed bytes that its data sets may become together
 * @throws FormatError if it is no HDF5 file, or broken
 */
export function openHdf5(bytes: Uint8Array, label: string, allowed = allowedBytes(bytes.length)): Hdf5Group {
  const { file, root } = readSuperblock(bytes, label, allowed);
  const heaps: Heaps = new Map();
  const nodes = new Map<number | undefined, Node>();

  const nodeAt = (address: number | undefined, path: string): Node =>
    getOrMake(nodes, address, () => {
      const messages = readMessages(file, address);
      const isGroup = messages.some(({ type }) => GROUP_MESSAGES.includes(type));
      return {
        links: isGroup ? once(() => readLinks(file, messages)) : undefined,
        attributes: once(() => readAttributes(file, heaps, messages)),
        set: isGroup ? undefined : readDataSet(file, messages, cut(path)),
      };
    });

  const open = (address: number | undefined, path: string): Hdf5Group | Hdf5Dataset => {
    const { links, set, attributes } = nodeAt(address, path);
    const shown = cut(path);
    const object: Hdf5Object = {
      path,
      address: address!,
      attribute: (name) => attributes().get(name)?.(),
      attributeNames: () => [...attributes().keys()].sort(),
    };
    if (links !== undefined) {
      return {
        ...object,
        kind: "group",
        names: () => [...links().keys()].sort(),
        get: (below) => follow(address, path, below),
      };
    }
    if (set === undefined) throw unsupported(`${label}: ${shown} is neither a group nor a data set`);
    const { dtype, name } = set.type;
    return {
      ...object,
      kind: "dataset",
      shape: set.space.shape,
      dtype: dtype === undefined ? name : TORCH_NAMES[dtype],
      read() {
        if (dtype === undefined) throw unread(`${label}: ${shown}`, set.type);
        file.allow(tensorBytes(dtype, set.space.elements), shown);
        return tensorOf(readRaw(file, set, shown), set.type, set.space.shape);
      },
    };
  };

  const follow = (from: number | undefined, above: string, below: string) => {
    const path = below.startsWith("/") ? below : `${above === "/" ? "" : above}/${below}`;
    const steps = below.split("/").reverse();
    let address = below.startsWith("/") ? root : from;
    for (let left = MOST_STEPS; steps.length > 0; left--) {
      const step = steps.pop()!;
      if (step === "" || step === ".") continue;
      const link = nodeAt(address, path).links?.().get(step);
      if (link === undefined) return undefined;
      if (link.soft === undefined) {
        if (link.isOutside)
          throw unsupported(`${label}: ${cut(path)}: links to other files are not supported`);
        address = link.address;
        continue;
      }
      if (left < 0 || link.soft.length > MOST_SOFT_CHARACTERS)
        throw file.bad(`${cut(path)}: its soft links do not end`);
      if (link.soft.startsWith("/")) address = root;
      for (const name of link.soft.split("/").reverse()) steps.push(name);
    }
    return open(address, path);
  };

  const object = open(root, "/");
  if (object.kind !== "group") throw file.bad("HDF5: the root is no group");
  return object;
}

/** A path as messages have it. */
function cut(path: string): string {
  return path.length > MOST_SHOWN ? `${path.slice(0, MOST_SHOWN)}...` : path;
}

/** What a function returns, computed when it is first asked for. */
function once<Result extends object>(make: () => Result): () => Result {
  let made: Result | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
