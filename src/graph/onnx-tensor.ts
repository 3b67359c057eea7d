/** The tensors of ONNX files as a graph has them. */

import { unsupported } from "../formats/bytes.js";
import { dtypeOf } from "../formats/dtype.js";
import { labelOf, type TensorProto, toTensor } from "../formats/onnx/tensor-proto.js";
import { ARRAYS, type Data, type Dtype, type HostTensor } from "./ir.js";

/** Element types by their number in onnx.proto. */
export const DTYPE_NUMBERS: ReadonlyMap<number, Dtype> = new Map([
  [1, "float32"],
  [2, "uint8"],
  [3, "int8"],
  [6, "int32"],
  [7, "int64"],
  [9, "bool"],
  [10, "float16"],
  [11, "float64"],
  [16, "bfloat16"],
]);

/** @throws FormatError for one that is broken, or of a type that no operator takes */
export function hostTensor(proto: TensorProto): HostTensor {
  const tensor = toTensor(proto);
  const dtype = DTYPE_NUMBERS.get(proto.type);
  if (dtype === undefined) {
    throw unsupported(`${labelOf(proto)}: type ${dtypeOf(tensor)} is not supported in graphs`);
  }
  if (dtype !== "int64") return { dtype, shape: tensor.shape, data: tensor.data as Data };
  const wide = tensor.data as BigInt64Array;
  proto.allowance.spend(8 * wide.length);
  const data = new ARRAYS.int64(wide.length);
  // What is beyond 2^53 becomes the nearest float: exporters write 2^63 - 1 for "to the end".
  for (let at = 0; at < data.length; at++) data[at] = Number(wide[at]);
  return { dtype, shape: tensor.shape, data };
}
