/** TensorProto: dims, a type, and the numbers. These are raw bytes or a list of a wider type. */

import { show } from "../../tensor/checks.js";
import { MOST_DIMENSIONS, type TensorData } from "../../tensor/like.js";
import type { Tensor } from "../../tensor/tensor.js";
import { FormatError, unsupported } from "../bytes.js";
import { DTYPES, type Dtype, elementsOf, readTensor, takeTensor } from "../dtype.js";
import { getOrMake } from "../get-or-make.js";
import type { Allowance } from "./allowance.js";
import type { ExternalFiles } from "./external.js";
import { type Budget, type Field, readMessage } from "./protobuf.js";

/** Element types by their number in onnx.proto, without those that no weight has. */
const TYPES: ReadonlyMap<number, Dtype> = new Map([
  [1, "F32"],
  [2, "U8"],
  [3, "I8"],
  [4, "U16"],
  [5, "I16"],
  [6, "I32"],
  [7, "I64"],
  [9, "BOOL"],
  [10, "F16"],
  [11, "F64"],
  [12, "U32"],
  [13, "U64"],
  [16, "BF16"],
]);

const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [0, "undefined"],
  [8, "string"],
  [14, "complex64"],
  [15, "complex128"],
  [17, "float8e4m3fn"],
  [18, "float8e4m3fnuz"],
  [19, "float8e5m2"],
  [20, "float8e5m2fnuz"],
  [21, "uint4"],
  [22, "int4"],
  [23, "float4e2m1"],
]);

/** The number of the field that lists the numbers of each type, if they are not raw. */
const LIST_FIELDS: Record<Dtype, number> = {
  F32: 4,
  F64: 10,
  I64: 7,
  U32: 11,
  U64: 11,
  I32: 5,
  I16: 5,
  U16: 5,
  I8: 5,
  U8: 5,
  BOOL: 5,
  F16: 5,
  BF16: 5,
};

/** A tensor as the file describes it. {@link toTensor} reads its numbers. */
export interface TensorProto {
  readonly name: string;
  /** What messages call it. */
  readonly label: string;
  readonly dims: readonly unknown[];
  readonly type: number;
  readonly raw: Uint8Array | undefined;
  readonly lists: readonly Field[];
  /** The file that holds the numbers, if there is one and it was not given. */
  readonly external: string | undefined;
  /** What its numbers count against. */
  readonly allowance: Allowance;
  /**
   * What {@link toTensor} gave or threw. A broken tensor may be the weight of every node, and reading it may
   * take long.
   */
  outcome: Tensor<TensorData> | FormatError | undefined;
}

/** What has been counted of one model so far, and the files beside it. */
export interface Parser extends Budget {
  nodes: number;
  readonly files: ExternalFiles;
  readonly allowance: Allowance;
  /** By themselves: see {@link readName}. */
  readonly names: Map<string, string>;
}

/**
 * The name of a value. Equal names are one string, which maps compare without looking at its characters. The
 * node of a function that is called 50,000 times may have a name of a megabyte.
 */
export function readName(field: Field, { names }: Parser): string {
  const name = field.text();
  return getOrMake(names, name, () => name);
}

export function readTensorProto(bytes: Uint8Array, parser: Parser): TensorProto {
  const { allowance } = parser;
  const dims: number[] = [];
  const lists: Field[] = [];
  const location = new Map<string, string>();
  let [name, isExternal] = ["", false];
  let type = 0;
  let raw: Uint8Array | undefined;
  for (const field of readMessage(bytes, "onnx: tensor", parser)) {
    if (field.number === 1) {
      for (const size of field.ints()) {
        dims.push(Number(size));
        if (dims.length > MOST_DIMENSIONS)
          throw new FormatError(`onnx: tensor: more than ${MOST_DIMENSIONS} dims`);
      }
    } else if (field.number === 2) type = field.int();
    else if (field.number === 3) throw unsupported("onnx: tensor: segments are not supported");
    else if (field.number === 8) name = readName(field, parser);
    else if (field.number === 9) raw = field.bytes();
    else if (field.number === 13) readPair(field, parser, location);
    else if (field.number === 14) isExternal = field.int() !== 0;
    else if ([4, 5, 7, 10, 11].includes(field.number)) lists.push(field);
  }
  const label = `onnx: tensor ${show(name)}`;
  if (!isExternal && location.size === 0) {
    return { name, label, dims, type, raw, lists, external: undefined, allowance, outcome: undefined };
  }
  const content = parser.files.read(location, label);
  const external = content === undefined ? (location.get("location") ?? "") : undefined;
  return { name, label, dims, type, raw: content, lists: [], external, allowance, outcome: undefined };
}

/** Reads a key and its value from external_data. */
function readPair(pair: Field, budget: Budget, location: Map<string, string>): void {
  let [key, value] = ["", ""];
  for (const field of readMessage(pair.bytes(), "onnx: external data", budget)) {
    if (field.number === 1) key = field.text();
    else if (field.number === 2) value = field.text();
  }
  location.set(key, value);
}

/** Whether the tensor holds numbers of a type that is read here. */
export function isNumeric(proto: TensorProto): boolean {
  return TYPES.has(proto.type);
}

/**
 * The tensor, the same for every call.
 * @throws FormatError if the type is not supported, if the numbers are in another file, or if there are not
 *   as many as dims say
 */
export function toTensor(proto: TensorProto): Tensor<TensorData> {
  if (proto.outcome === undefined) {
    try {
      proto.outcome = read(proto);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      proto.outcome = error;
    }
  }
  if (proto.outcome instanceof FormatError) throw proto.outcome;
  return proto.outcome;
}

function read(proto: TensorProto): Tensor<TensorData> {
  const { label, dims, raw, lists, allowance } = proto;
  const dtype = TYPES.get(proto.type);
  if (dtype === undefined) {
    throw unsupported(`${label}: type ${OTHER_TYPES.get(proto.type) ?? proto.type} is not supported`);
  }
  if (proto.external !== undefined) {
    throw new FormatError(
      `${label}: its numbers are in another file, ${show(proto.external)}; give it as options.externalData`,
    );
  }
  const elements = elementsOf(dims);
  if (elements === undefined) {
    throw new FormatError(
      `${label}: dims: expected up to 64 sizes of at least 0, got [${dims.slice(0, 8).join(", ")}]`,
    );
  }
  const width = DTYPES[dtype].bytes;
  const isFloat = dtype.endsWith("F16") || dtype.startsWith("F");
  const check = (length: number): void => {
    if (length === elements * width) return;
    throw new FormatError(
      `${label}: dims [${dims.join(", ")}] of ${dtype} take ${elements * width} bytes, got ${length}`,
    );
  };
  // Floats of any width become float32.
  const spend = () => allowance.spend(elements * (isFloat ? Math.max(4, width) : width));
  if (raw !== undefined) {
    check(raw.length);
    spend();
    return readTensor(raw, dtype, dims as number[]);
  }
  const fields = lists.filter((field) => field.number === LIST_FIELDS[dtype]);
  if (dtype === "F32" || dtype === "F64") {
    const parts = fields.map((field) => field.packed(dtype === "F32" ? 4 : 8));
    check(parts.reduce((sum, part) => sum + part.length, 0));
    spend();
    return takeTensor(concat(parts), dtype, dims as number[]);
  }
  const count = fields.reduce((sum, field) => sum + field.countInts(), 0);
  if (count !== elements) {
    throw new FormatError(`${label}: dims are of ${elements} numbers, got a list of ${count}`);
  }
  spend();
  return takeTensor(listBytes(fields, dtype, count, label), dtype, dims as number[]);
}

/** The integers of a list as raw bytes of their type. */
function listBytes(fields: readonly Field[], dtype: Dtype, count: number, label: string): ArrayBuffer {
  const width = DTYPES[dtype].bytes;
  const bits = 8 * width;
  const buffer = new ArrayBuffer(count * width);
  const view = new DataView(buffer);
  const signed = dtype.startsWith("I");
  let at = 0;
  for (const field of fields) {
    for (const value of field.ints()) {
      const kept = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
      // A U64 comes as a signed number of the same bits. Any other number that changes does not fit its type.
      if (kept !== value && dtype !== "U64")
        throw new FormatError(`${label}: ${value} does not fit ${dtype}`);
      if (width === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
      else if (width === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
      else if (width === 2) view.setUint16(at, Number(BigInt.asUintN(16, value)), true);
      else view.setUint8(at, Number(BigInt.asUintN(8, value)));
      at += width;
    }
  }
  return buffer;
}

function concat(parts: readonly Uint8Array[]): ArrayBuffer {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined.buffer;
}
