/** Attributes: named values in the header of an object. */

import { show } from "../../tensor/checks.js";
import type { TensorData } from "../../tensor/like.js";
import type { Tensor } from "../../tensor/tensor.js";
import type { Cursor } from "./cursor.js";
import { type Dataspace, type Datatype, readDataspace, readDatatype } from "./datatype.js";
import { readDense } from "./dense.js";
import type { Hdf5File } from "./file.js";
import {
  ATTRIBUTE,
  ATTRIBUTE_INFO,
  DATASPACE,
  DATATYPE,
  type Message,
  own,
  readShared,
} from "./object-header.js";
import { type Heaps, readValue } from "./values.js";

/** What an attribute holds: a string, strings, or numbers. */
export type AttributeValue = string | readonly string[] | Tensor<TensorData>;

/** The attributes of an object by name, each read when it is asked for. */
export function readAttributes(
  file: Hdf5File,
  heaps: Heaps,
  messages: readonly Message[],
): Map<string, () => AttributeValue> {
  const attributes = new Map<string, () => AttributeValue>();
  const add = (cursor: Cursor) => {
    const { name, read } = readAttribute(file, heaps, cursor);
    if (attributes.has(name)) throw cursor.bad(`${show(name)} occurs twice`);
    attributes.set(name, read);
  };
  for (const message of messages) {
    if (message.type === ATTRIBUTE) add(own(file, message, "attribute"));
    if (message.type !== ATTRIBUTE_INFO) continue;
    const cursor = own(file, message, "attribute info");
    cursor.expect("", 0);
    cursor.skip(cursor.uint(1) & 1 ? 2 : 0);
    for (const object of readDense(file, cursor)) add(object);
  }
  return attributes;
}

function readAttribute(
  file: Hdf5File,
  heaps: Heaps,
  cursor: Cursor,
): { name: string; read: () => AttributeValue } {
  const version = cursor.uint(1);
  cursor.check(version > 0 && version < 4);
  const flags = cursor.uint(1);
  const [nameBytes, typeBytes, spaceBytes] = [cursor.uint(2), cursor.uint(2), cursor.uint(2)];
  if (version === 3) cursor.skip(1);
  // The first version fills each part up to 8 bytes.
  const padded = (bytes: number) => (version === 1 ? (bytes + 7) & ~7 : bytes);
  const name = file.cursor(cursor.take(padded(nameBytes)), "attribute").text(nameBytes);
  const parts = [cursor.take(padded(typeBytes)), cursor.take(padded(spaceBytes))] as const;
  const rest = cursor.take(cursor.left);
  const what = `attribute ${show(name)}`;
  let value: AttributeValue | undefined;
  const read = () => {
    if (value !== undefined) return value;
    const [typePart, spacePart] = parts;
    const typeShared = version > 1 && flags & 1;
    const spaceShared = version > 1 && flags & 2;
    const type: Datatype = readDatatype(
      file.cursor(typeShared ? readShared(file, typePart, DATATYPE) : typePart, what),
    );
    const space: Dataspace = readDataspace(
      file.cursor(spaceShared ? readShared(file, spacePart, DATASPACE) : spacePart, what),
    );
    const bytes = space.elements * type.bytes;
    if (bytes > rest.length) throw file.bad(`${what}: ${bytes} bytes of data are cut off`);
    value = readValue(file, heaps, rest.subarray(0, bytes), { type, space }, what);
    return value;
  };
  return { name, read };
}
