/**
 * Tensors as a checkpoint describes them: views (offset, size, stride) of storages that several tensors may
 * share. They stay descriptions until the state dict is found. So an optimizer's state beside it costs
 * nothing.
 */

import { show, showShape } from "../../tensor/checks.js";
import type { TensorData } from "../../tensor/like.js";
import type { Tensor } from "../../tensor/tensor.js";
import { shorten, unsupported } from "../bytes.js";
import { DTYPES, type Dtype, elementsOf, readTensor } from "../dtype.js";
import { stridesOf, visitStrided } from "../strided.js";
import { bad } from "./error.js";
import { type Calls, Global } from "./pickle/globals.js";
import { compiledModule, isDTensor, SHARDED, wholeOf } from "./wrappers.js";

const STORAGES: ReadonlyMap<string, Dtype> = new Map([
  ["FloatStorage", "F32"],
  ["DoubleStorage", "F64"],
  ["HalfStorage", "F16"],
  ["BFloat16Storage", "BF16"],
  ["LongStorage", "I64"],
  ["IntStorage", "I32"],
  ["ShortStorage", "I16"],
  ["CharStorage", "I8"],
  ["ByteStorage", "U8"],
  ["BoolStorage", "BOOL"],
  ["UntypedStorage", "U8"],
]);

const TORCH_DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ["torch.float32", "F32"],
  ["torch.float64", "F64"],
  ["torch.float16", "F16"],
  ["torch.bfloat16", "BF16"],
  ["torch.int64", "I64"],
  ["torch.int32", "I32"],
  ["torch.int16", "I16"],
  ["torch.int8", "I8"],
  ["torch.uint64", "U64"],
  ["torch.uint32", "U32"],
  ["torch.uint16", "U16"],
  ["torch.uint8", "U8"],
  ["torch.bool", "BOOL"],
]);

/** A list of numbers outside the pickle. */
export class Storage {
  constructor(
    readonly key: string,
    /** The type of its elements, or why they are not read. */
    readonly type: Dtype | UnsupportedTensor,
    /** How many elements the pickle states. */
    readonly elements: number,
    /** Of all elements together; NaN where the type is unknown. */
    readonly bytes: number,
    /** The type as PyTorch names it, without its module: "FloatStorage". */
    readonly typeName: string,
  ) {}
}

/** Gives the raw bytes of a storage, as many as it states. */
export type ReadStorage = (storage: Storage) => Uint8Array;

/** A tensor that is refused if the state dict holds it: sparse, quantised... */
export class UnsupportedTensor {
  constructor(readonly reason: string) {}
}

const complex = () => new UnsupportedTensor("it is complex; save torch.view_as_real(tensor)");
/** One of a scheme that is not known. */
export const quantised = () => new UnsupportedTensor("it is quantised; save tensor.dequantize()");

/**
 * Storages whose numbers are not read, with the bytes of an element. The legacy format needs these to find
 * the next storage.
 */
const OTHER_STORAGES: ReadonlyMap<string, readonly [bytes: number, type: () => UnsupportedTensor]> = new Map([
  ["ComplexFloatStorage", [8, complex]],
  ["ComplexDoubleStorage", [16, complex]],
  ["QInt8Storage", [1, quantised]],
  ["QUInt8Storage", [1, quantised]],
  ["QInt32Storage", [4, quantised]],
]);

/** A view of a storage. Offset, size and stride are unchecked until {@link toTensor}. */
export class TensorView {
  constructor(
    readonly storage: Storage,
    readonly offset: unknown,
    readonly size: unknown,
    readonly stride: unknown,
    readonly dtype: Dtype,
  ) {}
}

/** The storage that a persistent id `("storage", type, key, location, elements)` stands for. */
export function storageOf(id: readonly unknown[]): Storage {
  const [, stated, key, , elements] = id;
  const name = stated instanceof Global ? stated.name : show(stated);
  const short = /^torch\.(?:cuda\.|storage\.)?_?(\w+)$/.exec(name)?.[1] ?? "";
  const dtype = STORAGES.get(short);
  const [width, dataType] =
    dtype === undefined ? (OTHER_STORAGES.get(short) ?? []) : [DTYPES[dtype].bytes, dtype];
  if (!(stated instanceof Global)) throw unsupported(`torch: storage type ${name} is not supported`);
  if (typeof key !== "string") throw bad(`a storage whose key is ${show(key)}`);
  if (!Number.isSafeInteger(elements) || (elements as number) < 0) {
    throw bad(`storage ${show(key)}: a count of ${show(elements)} elements`);
  }
  const count = elements as number;
  if (width === undefined || dataType === undefined) {
    const reason = `its storage type ${shorten(name)} is not supported`;
    return new Storage(key, new UnsupportedTensor(reason), count, Number.NaN, short);
  }
  const type = typeof dataType === "function" ? dataType() : dataType;
  return new Storage(key, type, count, count * width, short);
}

/** Arguments: storage, offset, size, stride, requires_grad, hooks, and perhaps the bits of a lazy view. */
const rebuild = (args: readonly unknown[]): TensorView | UnsupportedTensor =>
  viewOf(args, asStorage(args[0]).type, args[6]);

/** For an untyped storage. The same arguments, with the dtype before the bits. */
const rebuildTyped = (args: readonly unknown[]): TensorView | UnsupportedTensor => {
  const dtype = args[6] instanceof Global ? args[6].name : show(args[6]);
  const known =
    TORCH_DTYPES.get(dtype) ?? new UnsupportedTensor(`its dtype ${shorten(dtype)} is not supported`);
  return viewOf(args, known, args[7]);
};

function viewOf(
  [storage, offset, size, stride]: readonly unknown[],
  type: Dtype | UnsupportedTensor,
  bits: unknown,
): TensorView | UnsupportedTensor {
  const checked = asStorage(storage);
  if (type instanceof UnsupportedTensor) return type;
  if (bits instanceof Map && bits.get("neg") === true) {
    return new UnsupportedTensor("it is stored with its sign inverted; save tensor.resolve_neg()");
  }
  return new TensorView(checked, offset, size, stride, type);
}

/** Characters of a class's name in a reason, of which a file may have 100,000. */
const MOST_CLASS_NAME = 100;

/** What gives the plain tensor of a subclass, by how the class's name begins. */
const WAYS = [
  ["torchao.", "tensor.dequantize()"],
  ["torch.distributed.", "tensor.full_tensor()"],
  ["torch.nested.", "tensor.to_padded_tensor(0)"],
  ["torch.masked.", "tensor.get_data()"],
] as const;

/** A tensor of a subclass. Arguments: function, class, arguments of the function, state. */
const rebuildSubclass = ([callee, type, args, state]: readonly unknown[], format: string): unknown => {
  if (isDTensor(type)) return wholeOf(args, state) ?? new UnsupportedTensor(SHARDED);
  const known = callee instanceof Global ? TENSOR_CALLS.get(callee.name) : undefined;
  return known === undefined || known === rebuildSubclass || !Array.isArray(args)
    ? subclass([type])
    : known(args, format);
};

/** A tensor without numbers of its own. The class comes first. */
const subclass = ([type]: readonly unknown[]): UnsupportedTensor => {
  if (!(type instanceof Global)) return new UnsupportedTensor("it is of a subclass of Tensor");
  const way = WAYS.find(([start]) => type.name.startsWith(start))?.[1];
  const reason = `it is of ${type.name.slice(0, MOST_CLASS_NAME)}, a subclass of Tensor`;
  return new UnsupportedTensor(way === undefined ? reason : `${reason}; save ${way}`);
};

const sparse = () => new UnsupportedTensor("it is sparse; save tensor.to_dense()");
const meta = () => new UnsupportedTensor("it is on the meta device, without numbers");
const device = () => new UnsupportedTensor("it is on another device; save tensor.cpu()");
const lazy = () =>
  new UnsupportedTensor("it is of a lazy module that never ran; call the module once, then save it again");
const nested = () => new UnsupportedTensor("it is nested; save tensor.to_padded_tensor(0)");

/** The functions by which a checkpoint rebuilds its tensors, and the modules around them. */
export const TENSOR_CALLS: Calls = new Map<string, (args: readonly unknown[], format: string) => unknown>([
  ["torch._utils._rebuild_tensor", rebuild],
  ["torch._utils._rebuild_tensor_v2", rebuild],
  ["torch._utils._rebuild_tensor_v3", rebuildTyped],
  ["torch._utils._rebuild_parameter", ([data]) => data],
  ["torch._utils._rebuild_parameter_with_state", ([data]) => data],
  ["torch._tensor._rebuild_from_type_v2", rebuildSubclass],
  ["torch._utils._rebuild_wrapper_subclass", subclass],
  ["torch._utils._rebuild_sparse_tensor", sparse],
  ["torch._utils._rebuild_sparse_csr_tensor", sparse],
  ["torch._utils._rebuild_meta_tensor_no_storage", meta],
  ["torch._utils._rebuild_device_tensor_from_numpy", device],
  ["torch._utils._rebuild_device_tensor_from_cpu_tensor", ([data]) => data],
  ["torch._utils._rebuild_nested_tensor", nested],
  ["torch.nn.parameter.UninitializedParameter", lazy],
  ["torch.nn.parameter.UninitializedBuffer", lazy],
  ["torch._dynamo.eval_frame.OptimizedModule", compiledModule],
  ["torch.Size", ([sizes]) => (Array.isArray(sizes) ? sizes : [])],
]);

function asStorage(storage: unknown): Storage {
  if (!(storage instanceof Storage)) throw bad(`a tensor of something that is no storage (${show(storage)})`);
  return storage;
}

/** What a tensor takes besides its numbers, and for each of its axes. A file of 1 MB may name one 100,000 times. */
const TENSOR_BYTES = 1024;
const AXIS_BYTES = 32;

/** The bytes that reading the tensor takes: its numbers as they are, and again as float32. */
export function costOf({ size, dtype }: TensorView): number {
  const elements = Array.isArray(size) ? elementsOf(size) : undefined;
  if (elements === undefined) return 0;
  return TENSOR_BYTES + AXIS_BYTES * (size as number[]).length + elements * (DTYPES[dtype].bytes + 4);
}

/**
 * The tensor in row-major order.
 * @throws FormatError if a size or stride is broken or leads out of the storage
 */
export function toTensor(view: TensorView, label: string, read: ReadStorage): Tensor<TensorData> {
  const { storage, offset, size, stride, dtype } = view;
  const elements = Array.isArray(size) ? elementsOf(size) : undefined;
  if (elements === undefined)
    throw bad(`${label}: size: expected up to 64 integers of at least 0, got ${showList(size)}`);
  const sizes = size as number[];
  if (!Array.isArray(stride) || stride.length !== sizes.length || !stride.every(isCount)) {
    throw bad(`${label}: stride: expected ${sizes.length} integers of at least 0, got ${showList(stride)}`);
  }
  if (!isCount(offset))
    throw bad(`${label}: storage offset: expected an integer of at least 0, got ${show(offset)}`);
  const bytes = DTYPES[dtype].bytes;
  // Both count elements of their own type. The types differ only if the storage is untyped.
  const available = Math.floor(storage.bytes / bytes);
  const last = sizes.reduce((index, length, axis) => index + (length - 1) * (stride[axis] as number), offset);
  if (elements > 0 && last >= available) {
    throw bad(
      `${label}: size ${showShape(sizes)}, stride ${showShape(stride as number[])} and offset ${offset} reach ` +
        `element ${last} of a storage of ${available}`,
    );
  }
  const raw = read(storage);
  const strides = stride as number[];
  const rowMajor = stridesOf(sizes);
  if (sizes.every((length, axis) => length === 1 || strides[axis] === rowMajor[axis])) {
    const content = raw.subarray(offset * bytes, (offset + elements) * bytes);
    return readTensor(content, dtype, sizes);
  }
  const content = new Uint8Array(elements * bytes);
  visitStrided(sizes, strides, offset, (from, to) => {
    for (let byte = 0; byte < bytes; byte++) content[to * bytes + byte] = raw[from * bytes + byte]!;
  });
  return readTensor(content, dtype, sizes);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function showList(value: unknown): string {
  return Array.isArray(value) ? `[${value.slice(0, 8).map(show).join(", ")}]` : show(value);
}
