/** Writes the files of torch.save, good and broken, for tests: zips entry by entry, pickles opcode by opcode. */

const ascii = (text: string) => Array.from(text, (character) => character.charCodeAt(0));
const little = (value: number | bigint, bytes: number) =>
  Array.from({ length: bytes }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn));

/** Opcodes of pickle, each as its bytes. */
export const op = {
  proto: (version = 2) => [0x80, version],
  stop: [0x2e],
  none: [0x4e],
  mark: [0x28],
  tuple: [0x74],
  tuple1: [0x85],
  tuple2: [0x86],
  emptyTuple: [0x29],
  emptyList: [0x5d],
  emptyDict: [0x7d],
  append: [0x61],
  appends: [0x65],
  pop: [0x30],
  setItem: [0x73],
  setItems: [0x75],
  reduce: [0x52],
  newObject: [0x81],
  build: [0x62],
  memoize: [0x94],
  persistentId: [0x51],
  true: [0x88],
  global: (module: string, name: string) => [0x63, ...ascii(`${module}\n${name}\n`)],
  stackGlobal: (module: string, name: string) => [...op.text(module), ...op.text(name), 0x93],
  text: (text: string) => [0x58, ...little(text.length, 4), ...ascii(text)],
  int: (value: number) => [0x4a, ...little(value, 4)],
  long: (value: bigint, bytes = 9) => [0x8a, bytes, ...little(BigInt.asUintN(8 * bytes, value), bytes)],
  put: (index: number) => [0x72, ...little(index, 4)],
  get: (index: number) => [0x6a, ...little(index, 4)],
};

/** A dict of these values, each given as the opcodes that push it. */
export function dict(items: Record<string, readonly number[]>): number[] {
  return [
    ...op.emptyDict,
    ...Object.entries(items).flatMap(([key, value]) => [...op.text(key), ...value, ...op.setItem]),
  ];
}

export function tuple(...items: readonly (readonly number[])[]): number[] {
  return [...op.mark, ...items.flat(), ...op.tuple];
}

/** A call of a global with these arguments. */
export function call(module: string, name: string, ...args: readonly (readonly number[])[]): number[] {
  return [...op.global(module, name), ...tuple(...args), ...op.reduce];
}

export interface TensorOptions {
  type?: readonly number[];
  key?: string;
  elements?: readonly number[];
  offset?: readonly number[];
  size?: readonly number[];
  stride?: readonly number[];
}

/** A tensor of 4 float32 numbers, save for what is given otherwise. */
export function tensor({
  type = op.global("torch", "FloatStorage"),
  key = "0",
  elements = op.int(4),
  offset = op.int(0),
  size = tuple(op.int(4)),
  stride = tuple(op.int(1)),
}: TensorOptions = {}): number[] {
  const storage = [
    ...tuple(op.text("storage"), type, op.text(key), op.text("cpu"), elements),
    ...op.persistentId,
  ];
  return call("torch._utils", "_rebuild_tensor_v2", storage, offset, size, stride, op.none, op.none);
}

export interface ZipEntry {
  name: string;
  content: Uint8Array;
  /** What the directory says otherwise than the truth. */
  bytes?: number | bigint;
  compressedBytes?: number | bigint;
  header?: number | bigint;
  method?: number;
  flags?: number;
  localName?: string;
}

/** A zip of these entries. A size above 32 bits goes into a zip64 field. */
export function zip(entries: readonly ZipEntry[], { count = entries.length, comment = "" } = {}): Uint8Array {
  const parts: ArrayLike<number>[] = [];
  const directory: number[][] = [];
  let at = 0;
  for (const { name, content, method = 0, flags = 0, localName = name, ...lies } of entries) {
    const local = [
      ...little(0x04034b50, 4),
      ...little(20, 2),
      ...little(flags, 2),
      ...little(method, 2),
      ...little(0, 16),
      ...little(localName.length, 2),
      ...little(0, 2),
      ...ascii(localName),
    ];
    const sizes = [
      lies.bytes ?? content.length,
      lies.compressedBytes ?? content.length,
      lies.header ?? at,
    ].map(BigInt);
    const wide = sizes.filter((size) => size >= 0xffffffffn).flatMap((size) => little(size, 8));
    const extra = wide.length === 0 ? [] : [...little(1, 2), ...little(wide.length, 2), ...wide];
    const [bytes, compressed, header] = sizes.map((size) =>
      little(size >= 0xffffffffn ? 0xffffffff : size, 4),
    );
    directory.push([
      ...little(0x02014b50, 4),
      ...little(20, 2),
      ...little(20, 2),
      ...little(flags, 2),
      ...little(method, 2),
      ...little(0, 8),
      ...compressed!,
      ...bytes!,
      ...little(name.length, 2),
      ...little(extra.length, 2),
      ...little(0, 10),
      ...header!,
      ...ascii(name),
      ...extra,
    ]);
    parts.push(local, content);
    at += local.length + content.length;
  }
  const directoryBytes = directory.reduce((sum, one) => sum + one.length, 0);
  const end = [
    ...little(0x06054b50, 4),
    ...little(0, 4),
    ...little(count, 2),
    ...little(count, 2),
    ...little(directoryBytes, 4),
    ...little(at, 4),
    ...little(comment.length, 2),
    ...ascii(comment),
  ];
  return join(...parts, ...directory, end);
}

/** These bytes one after the other; an array of a million numbers takes eight times the memory. */
export function join(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The same bytes many times. */
export function repeat(count: number, bytes: readonly number[]): Uint8Array {
  const whole = new Uint8Array(count * bytes.length);
  for (let at = 0; at < whole.length; at++) whole[at] = bytes[at % bytes.length]!;
  return whole;
}

/** A .pt file with this pickle and a storage "0" of 4 numbers. */
export function pt(pickle: ArrayLike<number>, storage = new Uint8Array(16)): Uint8Array {
  return zip([
    { name: "m/data.pkl", content: Uint8Array.from(pickle) },
    { name: "m/data/0", content: storage },
  ]);
}

/** A .pt file whose pickle pushes this value. */
export function saved(value: ArrayLike<number>): Uint8Array {
  return pt(join(op.proto(), value, op.stop));
}

/** The parts of a legacy file that a test may want otherwise, each as the opcodes of its value. */
export interface LegacyOptions {
  magic?: readonly number[];
  protocol?: readonly number[];
  system?: readonly number[];
  keys?: readonly number[];
  /** What follows the pickles: each storage after its count of elements. */
  storages?: ArrayLike<number>;
}

/** A file as PyTorch wrote it before 1.6, with a storage "0" of 4 numbers. */
export function legacy(
  value: readonly number[],
  {
    magic = op.long(0x1950a86a20f9469cfc6cn, 10),
    protocol = [0x4d, 0xe9, 0x03],
    system = dict({ little_endian: op.true }),
    keys = [...op.emptyList, ...op.text("0"), ...op.append],
    storages = [...little(4, 8), ...new Uint8Array(16)],
  }: LegacyOptions = {},
): Uint8Array {
  const pickles = [magic, protocol, system, value, keys].flatMap((one) => [
    ...op.proto(),
    ...one,
    ...op.stop,
  ]);
  return join(pickles, storages);
}

/** A tensor of a legacy file, whose storages have one more field. */
export function legacyTensor(view: readonly number[] = op.none, elements = op.int(4)): number[] {
  const type = op.global("torch", "FloatStorage");
  const id = tuple(op.text("storage"), type, op.text("0"), op.text("cpu"), elements, view);
  const args = [[...id, ...op.persistentId], op.int(0), tuple(op.int(4)), tuple(op.int(1)), op.none, op.none];
  return call("torch._utils", "_rebuild_tensor_v2", ...args);
}
