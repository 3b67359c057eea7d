/** Raw elements as tensors and strings. Strings of variable length lie in global heaps. */

import type { TensorData } from "../../tensor/like.js";
import type { Tensor } from "../../tensor/tensor.js";
import { unsupported } from "../bytes.js";
import { DTYPES, type Dtype, readTensor, takeTensor } from "../dtype.js";
import { getOrMake } from "../get-or-make.js";
import { decodeUtf8 } from "../utf8.js";
import { type Dataspace, type Datatype, unread } from "./datatype.js";
import type { Hdf5File } from "./file.js";

/** A tensor of a copy of the raw elements. */
export function tensorOf(
  raw: Uint8Array,
  { dtype, bigEndian, bytes }: Datatype,
  shape: readonly number[],
): Tensor<TensorData> {
  if (!bigEndian || bytes === 1) return readTensor(raw, dtype!, shape);
  const copy = new Uint8Array(raw);
  for (let start = 0; start < copy.length; start += bytes) {
    for (let low = start, high = start + bytes - 1; low < high; low++, high--) {
      const byte = copy[low]!;
      copy[low] = copy[high]!;
      copy[high] = byte;
    }
  }
  return takeTensor(copy.buffer, dtype!, shape);
}

/** The bytes of a tensor's numbers, in the file or here, whichever are more. */
export function tensorBytes(dtype: Dtype, elements: number): number {
  return elements * Math.max(4, DTYPES[dtype].bytes);
}

/** An object of a global heap, and its text once it was asked for. */
interface HeapObject {
  readonly bytes: Uint8Array;
  text?: string;
}

/** The objects of each global heap by their numbers, by the heap's address. */
export type Heaps = Map<number, Map<number, HeapObject>>;

/** An attribute's value. */
export function readValue(
  file: Hdf5File,
  heaps: Heaps,
  raw: Uint8Array,
  { type, space }: { readonly type: Datatype; readonly space: Dataspace },
  what: string,
): string | string[] | Tensor<TensorData> {
  if (type.dtype !== undefined) {
    file.allow(tensorBytes(type.dtype, space.elements), what);
    return tensorOf(raw, type, space.shape);
  }
  if (space.elements === 0) return [];
  const label = `${file.label}: ${what}`;
  if (type.text === undefined) throw unread(label, type);
  if (space.shape.length > 1)
    throw unsupported(`${label}: strings of shape [${space.shape}] are not supported`);
  const texts: string[] = [];
  for (let at = 0; at < raw.length; at += type.bytes) {
    const element = raw.subarray(at, at + type.bytes);
    const text = type.text === "variable" ? variable(file, heaps, element, what) : textOf(element, label);
    texts.push(type.text === "spaces" ? text.trimEnd() : text);
  }
  return space.shape.length === 0 ? texts[0]! : texts;
}

/** Text up to the first 0. */
function textOf(bytes: Uint8Array, what: string): string {
  const end = bytes.indexOf(0);
  return decodeUtf8(end < 0 ? bytes : bytes.subarray(0, end), what);
}

function variable(file: Hdf5File, heaps: Heaps, element: Uint8Array, what: string): string {
  const cursor = file.cursor(element, what);
  const bytes = cursor.uint(4);
  const address = cursor.address();
  if (bytes === 0) return "";
  const heap = getOrMake(heaps, address ?? -1, () => readHeap(file, address));
  const object = heap.get(cursor.uint(4));
  if (object?.bytes.length !== bytes) throw cursor.bad(`has a string that its heap at ${address} has not`);
  object.text ??= textOf(object.bytes, cursor.what);
  return object.text;
}

function readHeap(file: Hdf5File, address: number | undefined): Map<number, HeapObject> {
  const head = file.piece(address, 8 + file.widths.length, "global heap");
  head.expect("GCOL", 1);
  head.skip(3);
  const heap = file.piece(address, head.length(), "global heap");
  heap.at = head.at;
  const objects = new Map<number, HeapObject>();
  while (heap.left >= 8 + heap.widths.length) {
    const index = heap.uint(2);
    heap.skip(6);
    const bytes = heap.length();
    if (index === 0) break;
    heap.check(!objects.has(index));
    objects.set(index, { bytes: heap.take(bytes) });
    heap.skip(-bytes & 7);
  }
  return objects;
}
