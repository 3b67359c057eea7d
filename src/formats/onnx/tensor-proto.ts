/** TensorProto: dims, a type, and the numbers. These are raw bytes or a list of a wider type. */

import { show } from "../../tensor/checks.js";
import { MOST_DIMENSIONS, type TensorData } from "../../tensor/like.js";
import type { Tensor } from "../../tensor/tensor.js";
import { FormatError, unsupported } from "../bytes.js";
import { DTYPES, type Dtype, elementsOf, readTensor, takeTensor } from "../dtype.js";
import { Allowance } from "./allowance.js";
import { LIST_FIELDS, TYPES, typeName } from "./element-types.js";
import type { ExternalFiles } from "./external.js";
import { type Message, Source } from "./protobuf.js";

/** A tensor as the file describes it. {@link toTensor} reads its numbers. */
export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly raw: Uint8Array | undefined;
  /** The message itself, if lists in it hold the numbers. They are read of it: a list may be a million fields. */
  readonly lists: Message | undefined;
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
export class Parser extends Source {
  nodes = 0;
  /** Whether PyTorch wrote the file, and whether a node of it is a step of an nn.RNN. */
  isPyTorch = false;
  hasUnrolled = false;
  /** The names that tensors have for the files which hold their numbers. */
  readonly locations = new Set<string>();
  readonly allowance: Allowance;
  /** By themselves: see {@link intern}. */
  readonly names = new Map<string, string>();

  constructor(
    bytes: Uint8Array,
    readonly files: ExternalFiles,
    /** Whether graphs in attributes are read when they are asked for. */
    readonly isLazy: boolean,
  ) {
    super(bytes);
    this.allowance = new Allowance(bytes.length + files.size);
  }
}

/** {@link intern} of a field's text. */
export function readName(field: Message, parser: Parser): string {
  return intern(field.text(), parser);
}

/**
 * Equal names as one string, which maps compare without looking at its characters. The node of a function that is
 * called 50,000 times may have a name of a megabyte.
 */
export function intern(name: string, { names }: Parser): string {
  const known = names.get(name);
  if (known === undefined) names.set(name, name);
  return known ?? name;
}

export function readTensorProto(message: Message, parser: Parser): TensorProto {
  const dims: number[] = [];
  let [name, isExternal, hasLists] = ["", false, false];
  let type = 0;
  let raw: Uint8Array | undefined;
  let location: Map<string, string> | undefined;
  const addDim = (low: number, high: number): void => {
    dims.push(high * 2 ** 32 + (low >>> 0));
    if (dims.length > MOST_DIMENSIONS)
      throw new FormatError(`onnx: tensor: more than ${MOST_DIMENSIONS} dims`);
  };
  while (message.next()) {
    const { number } = message;
    if (number === 1) message.eachInt(addDim);
    else if (number === 2) type = message.int();
    else if (number === 3) throw unsupported("onnx: tensor: segments are not supported");
    else if (number === 8) name = readName(message, parser);
    else if (number === 9) raw = message.bytes();
    else if (number === 13) {
      location ??= new Map();
      readPair(message.message("onnx: external data"), location);
    } else if (number === 14) isExternal = message.int() !== 0;
    else if (number === 4 || number === 5 || number === 7 || number === 10 || number === 11) hasLists = true;
  }
  let external: string | undefined;
  if (isExternal || location !== undefined) {
    hasLists = false;
    raw = parser.files.read(location ?? new Map(), labelOf({ name }));
    const stated = location?.get("location") ?? "";
    if (raw === undefined) external = stated;
    parser.locations.add(stated);
  }
  return {
    name,
    // A list that is filled item by item has room for 17. A file may have 100,000 tensors.
    dims: dims.slice(),
    type,
    raw,
    lists: hasLists ? message : undefined,
    external,
    allowance: parser.allowance,
    outcome: undefined,
  };
}

/** What messages call a tensor. */
export function labelOf({ name }: Pick<TensorProto, "name">): string {
  return `onnx: tensor ${show(name)}`;
}

/** Reads a key and its value from external_data. */
function readPair(pair: Message, location: Map<string, string>): void {
  let [key, value] = ["", ""];
  while (pair.next()) {
    if (pair.number === 1) key = pair.text();
    else if (pair.number === 2) value = pair.text();
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
  const { dims, raw, lists, allowance } = proto;
  const label = () => labelOf(proto);
  const dtype = TYPES.get(proto.type);
  if (dtype === undefined) {
    throw unsupported(`${label()}: type ${typeName(proto.type)} is not supported`);
  }
  if (proto.external !== undefined) {
    throw new FormatError(
      `${label()}: its numbers are in another file, ${show(proto.external)}; give it as options.externalData`,
    );
  }
  const elements = elementsOf(dims);
  if (elements === undefined) {
    throw new FormatError(
      `${label()}: dims: expected up to 64 sizes of at least 0, got [${dims.slice(0, 8).join(", ")}]`,
    );
  }
  const width = DTYPES[dtype].bytes;
  const isFloat = dtype.endsWith("F16") || dtype.startsWith("F");
  const check = (length: number): void => {
    if (length === elements * width) return;
    throw new FormatError(
      `${label()}: dims [${dims.join(", ")}] of ${dtype} take ${elements * width} bytes, got ${length}`,
    );
  };
  // Floats of any width become float32.
  const spend = () => allowance.spendTensor(elements * (isFloat ? Math.max(4, width) : width), dims.length);
  if (raw !== undefined) {
    check(raw.length);
    spend();
    return readTensor(raw, dtype, dims as number[]);
  }
  /** Visits the fields that list the numbers. */
  const eachList = (visit: (field: Message) => void): void => {
    for (const field = lists?.again(); field?.next(); ) if (field.number === LIST_FIELDS[dtype]) visit(field);
  };
  let count = 0;
  if (dtype === "F32" || dtype === "F64") {
    eachList((field) => {
      count += field.packedBytes(dtype === "F32" ? 4 : 8);
    });
    check(count);
    spend();
    return takeTensor(concat(eachList, count), dtype, dims as number[]);
  }
  eachList((field) => {
    count += field.countInts();
  });
  if (count !== elements) {
    throw new FormatError(`${label()}: dims are of ${elements} numbers, got a list of ${count}`);
  }
  spend();
  const buffer = new ArrayBuffer(count * width);
  const put = writerOf(buffer, dtype);
  eachList((field) =>
    field.eachInt((low, high) => {
      if (!put(low, high)) throw new FormatError(`${label()}: ${field.integer} does not fit ${dtype}`);
    }),
  );
  return takeTensor(buffer, dtype, dims as number[]);
}

/**
 * Writes the integers of a list into a buffer, one after the other, as raw bytes of their type. An integer comes as
 * the halves of its 64 bits. False for one that does not fit the type; a U64 comes as a signed number of the same
 * bits.
 */
function writerOf(buffer: ArrayBuffer, dtype: Dtype): (low: number, high: number) => boolean {
  const { bytes: width } = DTYPES[dtype];
  let at = 0;
  if (width === 8) {
    const halves = new Int32Array(buffer);
    return (low, high) => {
      halves[at++] = low;
      halves[at++] = high;
      return true;
    };
  }
  const signed = dtype.startsWith("I");
  const views = signed ? [Int8Array, Int16Array, Int32Array] : [Uint8Array, Uint16Array, Uint32Array];
  const numbers = new views[width >> 1]!(buffer);
  return (low, high) => {
    const number = signed ? low : low >>> 0;
    numbers[at] = number;
    return numbers[at++] === number && high === (signed ? low >> 31 : 0);
  };
}

/** The bytes of lists of floats, one after the other. */
function concat(eachList: (visit: (field: Message) => void) => void, length: number): ArrayBuffer {
  const joined = new Uint8Array(length);
  let to = 0;
  eachList(({ source: { bytes }, start, end }) => {
    if (end - start > 16) joined.set(bytes.subarray(start, end), to);
    else for (let at = start; at < end; at++) joined[to + at - start] = bytes[at]!;
    to += end - start;
  });
  return joined.buffer;
}
