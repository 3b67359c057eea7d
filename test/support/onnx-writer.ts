/** Writes ONNX models, good and broken, for tests: protobuf messages put together by hand. */

type Bytes = number[];

export function varint(value: number | bigint): Bytes {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: Bytes = [];
  do {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    left >>= 7n;
  } while (left > 0n);
  return bytes;
}

/** A field of bytes, text or a message. */
export function lengthDelimited(number: number, content: string | Iterable<number>): Bytes {
  const bytes = typeof content === "string" ? [...new TextEncoder().encode(content)] : [...content];
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
}

export function integer(number: number, value: number | bigint): Bytes {
  return [...varint(number * 8), ...varint(value)];
}

export function float(number: number, value: number): Bytes {
  return [...varint(number * 8 + 5), ...new Uint8Array(Float32Array.of(value).buffer)];
}

export interface TensorOptions {
  /** 1 is float, 7 int64, 10 float16... */
  type?: number;
  dims: readonly (number | bigint)[];
  raw?: ArrayBufferView;
  /** Any further fields. */
  more?: Bytes;
}

/** A TensorProto; float32 numbers given as an array go into its raw data. */
export function tensor(name: string, { type = 1, dims, raw, more = [] }: TensorOptions): Bytes {
  const data = raw === undefined ? [] : new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
  return [
    ...dims.flatMap((size) => integer(1, size)),
    ...integer(2, type),
    ...lengthDelimited(8, name),
    ...(raw === undefined ? [] : lengthDelimited(9, data)),
    ...more,
  ];
}

export function floats(name: string, dims: readonly number[], numbers: readonly number[]): Bytes {
  return tensor(name, { dims, raw: Float32Array.from(numbers) });
}

export function int64s(name: string, numbers: readonly number[]): Bytes {
  return tensor(name, { type: 7, dims: [numbers.length], raw: BigInt64Array.from(numbers, BigInt) });
}

export type AttributeValue =
  | number
  | string
  | readonly (number | bigint)[]
  | readonly string[]
  | { float: number }
  | { floats: readonly number[] }
  | { tensor: Bytes }
  | { graph: Bytes }
  | { graphs: readonly Bytes[] }
  | { packed: readonly number[] }
  | { reference: string };

export function attribute(name: string, value: AttributeValue): Bytes {
  const named = lengthDelimited(1, name);
  if (typeof value === "number") return [...named, ...integer(3, value), ...integer(20, 2)];
  if (typeof value === "string") return [...named, ...lengthDelimited(4, value), ...integer(20, 3)];
  if (Array.isArray(value)) {
    const items = value.flatMap((one: string | number | bigint) =>
      typeof one === "string" ? lengthDelimited(9, one) : integer(8, one),
    );
    const kind = typeof value[0] === "string" ? 8 : 7;
    return [...named, ...items, ...integer(20, kind)];
  }
  const special = value as Exclude<AttributeValue, number | string | readonly unknown[]>;
  if ("float" in special) return [...named, ...float(2, special.float), ...integer(20, 1)];
  if ("floats" in special) return [...named, ...special.floats.flatMap((one) => float(7, one))];
  if ("packed" in special) return [...named, ...lengthDelimited(3, special.packed)];
  if ("tensor" in special) return [...named, ...lengthDelimited(5, special.tensor)];
  if ("graph" in special) return [...named, ...lengthDelimited(6, special.graph), ...integer(20, 5)];
  if ("graphs" in special) return [...named, ...special.graphs.flatMap((one) => lengthDelimited(11, one))];
  return [...named, ...lengthDelimited(21, special.reference)];
}

export interface NodeOptions {
  name?: string;
  domain?: string;
  attributes?: Record<string, AttributeValue>;
}

export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  { name = "", domain = "", attributes = {} }: NodeOptions = {},
): Bytes {
  return [
    ...inputs.flatMap((input) => lengthDelimited(1, input)),
    ...outputs.flatMap((output) => lengthDelimited(2, output)),
    ...lengthDelimited(3, name),
    ...lengthDelimited(4, opType),
    ...Object.entries(attributes).flatMap(([key, value]) => lengthDelimited(5, attribute(key, value))),
    ...lengthDelimited(7, domain),
  ];
}

export interface GraphOptions {
  nodes?: readonly Bytes[];
  initializers?: readonly Bytes[];
  /** Names, or what is declared of them. */
  inputs?: readonly (string | ValueOptions)[];
  outputs?: readonly (string | ValueOptions)[];
}

/** What is declared of a value. */
export interface ValueOptions {
  name: string;
  /** The number of its type in onnx.proto; 1 is float32, 7 int64, 9 bool. */
  type?: number;
  /** Sizes, or their names; "" for one that is open. */
  shape: readonly (number | string)[];
}

function value(given: string | ValueOptions): Bytes {
  if (typeof given === "string") return lengthDelimited(1, given);
  const { name, type = 1, shape } = given;
  const sizes = shape.flatMap((size) =>
    lengthDelimited(
      1,
      typeof size === "number" ? integer(1, size) : size === "" ? [] : lengthDelimited(2, size),
    ),
  );
  const tensorType = [...integer(1, type), ...lengthDelimited(2, sizes)];
  return [...lengthDelimited(1, name), ...lengthDelimited(2, lengthDelimited(1, tensorType))];
}

export function graph({ nodes = [], initializers = [], inputs = [], outputs = [] }: GraphOptions): Bytes {
  return [
    ...nodes.flatMap((one) => lengthDelimited(1, one)),
    ...lengthDelimited(2, "graph"),
    ...initializers.flatMap((one) => lengthDelimited(5, one)),
    ...inputs.flatMap((input) => lengthDelimited(11, value(input))),
    ...outputs.flatMap((output) => lengthDelimited(12, value(output))),
  ];
}

export function func(
  domain: string,
  name: string,
  {
    nodes = [],
    inputs = [],
    outputs = [],
  }: { nodes?: readonly Bytes[]; inputs?: readonly string[]; outputs?: readonly string[] },
  more: Bytes = [],
): Bytes {
  return [
    ...lengthDelimited(1, name),
    ...inputs.flatMap((input) => lengthDelimited(4, input)),
    ...outputs.flatMap((output) => lengthDelimited(5, output)),
    ...nodes.flatMap((one) => lengthDelimited(7, one)),
    ...lengthDelimited(10, domain),
    ...more,
  ];
}

/** An OperatorSetIdProto as a field: of models that of number 8, of functions 9. */
export function opsetImport(number: 8 | 9, version: number): Bytes {
  return lengthDelimited(number, integer(2, version));
}

export function model(main: GraphOptions, functions: readonly Bytes[] = [], opset?: number): Uint8Array {
  return Uint8Array.from([
    ...integer(1, 8),
    ...(opset === undefined ? [] : opsetImport(8, opset)),
    ...lengthDelimited(7, graph(main)),
    ...functions.flatMap((one) => lengthDelimited(25, one)),
  ]);
}

/** A model of ONNX's operators of this opset. */
export const modelOf = (main: GraphOptions, opset = 20): Uint8Array => model(main, [], opset);
