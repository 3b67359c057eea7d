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
import { readRaw } from "./dataset.js";
import { type Dataspace, type Datatype, readDataspace, readDatatype, unread } from "./datatype.js";
import type { Hdf5File } from "./file.js";
import { type Link, readLinks } from "./links.js";
import {
  DATASPACE,
  DATATYPE,
  findMessage,
  GROUP_INFO,
  LAYOUT,
  LINK,
  LINK_INFO,
  type Message,
  readMessages,
  SYMBOL_TABLE,
} from "./object-header.js";
import { findSuperblock, readSuperblock } from "./superblock.js";
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

/** Soft links in one path, and names in one path: each may lead to a path of its own. */
const MOST_SOFT_LINKS = 16;

/** What was read of an object, whatever its paths are. */
interface Node {
  readonly messages: readonly Message[];
  links?: Map<string, Link>;
  attributes?: Map<string, () => AttributeValue>;
}

/** Whether the bytes are an HDF5 file, perhaps behind a user block. */
export function isHdf5(bytes: Uint8Array): boolean {
  return findSuperblock(bytes) !== undefined;
}

/**
 * The root group of a file.
 * @param label begins messages, for instance "keras"
 * @param allowed bytes that its data sets may become together
 * @throws FormatError if it is no HDF5 file, or broken
 */
export function openHdf5(bytes: Uint8Array, label: string, allowed = allowedBytes(bytes.length)): Hdf5Group {
  const { file, root } = readSuperblock(bytes, label, allowed);
  const object = new Objects(file, root).open(root, "/");
  if (object.kind !== "group") throw file.bad("HDF5: the root is no group");
  return object;
}

/** The objects of a file. Each is read once, by its address. */
class Objects {
  readonly #file: Hdf5File;
  readonly #root: number | undefined;
  readonly #nodes = new Map<number | undefined, Node>();
  readonly #heaps: Heaps = new Map();

  constructor(file: Hdf5File, root: number | undefined) {
    this.#file = file;
    this.#root = root;
  }

  open(address: number | undefined, path: string): Hdf5Group | Hdf5Dataset {
    const node = this.#node(address);
    const { messages } = node;
    const attributes = () => {
      node.attributes ??= readAttributes(this.#file, this.#heaps, messages);
      return node.attributes;
    };
    const object: Hdf5Object = {
      path,
      address: address!,
      attribute: (name) => attributes().get(name)?.(),
      attributeNames: () => [...attributes().keys()].sort(),
    };
    if (isGroup(messages)) {
      return {
        ...object,
        kind: "group",
        names: () => [...this.#links(node).keys()].sort(),
        get: (below) => this.#get(below.startsWith("/") ? this.#root : address, below, path),
      };
    }
    return { ...object, kind: "dataset", ...this.#dataset(messages, path) };
  }

  #node(address: number | undefined): Node {
    return getOrMake(this.#nodes, address, () => ({ messages: readMessages(this.#file, address) }));
  }

  #links(node: Node): Map<string, Link> {
    node.links ??= readLinks(this.#file, node.messages);
    return node.links;
  }

  #get(start: number | undefined, below: string, from: string): Hdf5Group | Hdf5Dataset | undefined {
    const path = below.startsWith("/") ? below : `${from === "/" ? "" : from}/${below}`;
    const steps = below.split("/").reverse();
    let address = start;
    let softLinks = 0;
    while (steps.length > 0) {
      const step = steps.pop()!;
      if (step === "" || step === ".") continue;
      const node = this.#node(address);
      const link = isGroup(node.messages) ? this.#links(node).get(step) : undefined;
      if (link === undefined) return undefined;
      if ("soft" in link) {
        if (++softLinks > MOST_SOFT_LINKS)
          throw this.#file.bad(`${path}: more than ${MOST_SOFT_LINKS} soft links`);
        if (link.soft!.startsWith("/")) address = this.#root;
        steps.push(...link.soft!.split("/").reverse());
      } else if ("address" in link) {
        address = link.address;
      } else {
        throw unsupported(`${this.#file.label}: ${path}: links to other files are not supported`);
      }
    }
    return this.open(address, path);
  }

  #dataset(messages: readonly Message[], path: string): Pick<Hdf5Dataset, "shape" | "dtype" | "read"> {
    const file = this.#file;
    const [typeBytes, spaceBytes] = [DATATYPE, DATASPACE].map((type) => findMessage(file, messages, type));
    if (typeBytes === undefined || spaceBytes === undefined || !has(messages, LAYOUT)) {
      throw unsupported(`${file.label}: ${path} is neither a group nor a data set`);
    }
    const type: Datatype = readDatatype(file.cursor(typeBytes, path));
    const space: Dataspace = readDataspace(file.cursor(spaceBytes, path));
    const { dtype } = type;
    return {
      shape: space.shape,
      dtype: dtype === undefined ? type.name : TORCH_NAMES[dtype],
      read: () => {
        if (dtype === undefined) throw unread(`${file.label}: ${path}`, type);
        file.allow(tensorBytes(dtype, space.elements), path);
        return tensorOf(readRaw(file, messages, { type, space }, path), type, space.shape);
      },
    };
  }
}

function has(messages: readonly Message[], ...types: readonly number[]): boolean {
  return messages.some(({ type }) => types.includes(type));
}

function isGroup(messages: readonly Message[]): boolean {
  return has(messages, SYMBOL_TABLE, LINK_INFO, LINK, GROUP_INFO);
}
