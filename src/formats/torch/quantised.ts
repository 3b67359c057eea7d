/**
 * Tensors of integers with scales, and the objects in which PyTorch's dynamic quantisation packs the weights of an LSTM,
 * GRU, cell or Linear. They become state dict entries by the plain names: integers and scales as our int8 layers take
 * them, where the scheme is theirs, and floats elsewhere.
 */

import { scaleNameOf } from "../../int8/round-weights.js";
import type { TensorData } from "../../tensor/like.js";
import { Tensor } from "../../tensor/tensor.js";
import type { Dtype } from "../dtype.js";
import { bad } from "./error.js";
import { type Calls, Global } from "./pickle/globals.js";
import {
  costOf,
  quantised,
  type ReadStorage,
  Storage,
  TensorView,
  toTensor,
  type UnsupportedTensor,
} from "./rebuild-tensor.js";

/** Integers, of which each stands for scale * (integer - zero point). */
export class QuantisedView {
  constructor(
    readonly integers: TensorView,
    /** One number, or one for each index along `axis`. */
    readonly scales: number | TensorView,
    readonly zeroPoints: number | TensorView,
    readonly axis: number,
    /** Whether it is the weight of a layer that has an int8 form. */
    readonly isWeight = false,
  ) {}
}

const INTEGERS: ReadonlyMap<string, Dtype> = new Map([
  ["QInt8Storage", "I8"],
  ["QUInt8Storage", "U8"],
  ["QInt32Storage", "I32"],
]);

/** Arguments: storage, offset, size, stride, quantiser, requires_grad, hooks. */
function rebuildQuantised(args: readonly unknown[]): QuantisedView | UnsupportedTensor {
  const [storage, offset, size, stride, quantiser] = args;
  if (!(storage instanceof Storage)) throw bad("a quantised tensor of something that is no storage");
  const dtype = INTEGERS.get(storage.typeName);
  const [scheme, scales, zeroPoints, axis = 0] = Array.isArray(quantiser) ? quantiser : [];
  const name = scheme instanceof Global ? scheme.name : "";
  const isEach = name.startsWith("torch.per_channel_affine");
  if (dtype === undefined || (name !== "torch.per_tensor_affine" && !isEach)) return quantised();
  const isFit = (value: unknown): value is number | TensorView =>
    isEach ? value instanceof TensorView : Number.isFinite(value);
  if (!isFit(scales) || !isFit(zeroPoints) || !Number.isSafeInteger(axis) || axis < 0) return quantised();
  return new QuantisedView(new TensorView(storage, offset, size, stride, dtype), scales, zeroPoints, axis);
}

const first = ([list]: readonly unknown[]): unknown => list ?? null;

/** The functions that rebuild quantised tensors and the lists of TorchScript. */
export const QUANTISED_CALLS: Calls = new Map<string, (args: readonly unknown[]) => unknown>([
  ["torch._utils._rebuild_qtensor", rebuildQuantised],
  ["torch.jit._pickle.build_tensorlist", first],
  ["torch.jit._pickle.build_doublelist", first],
  ["torch.jit._pickle.build_intlist", first],
  ["torch.jit._pickle.restore_type_tag", first],
]);

/** As {@link costOf}: the integers, and the floats or the repeated scales. */
export function costOfQuantised({ integers, scales, zeroPoints }: QuantisedView): number {
  const parts = [scales, zeroPoints].filter((part) => part instanceof TensorView);
  return 2 * costOf(integers) + parts.reduce((sum, part) => sum + costOf(part), 0);
}

/** What the view becomes in the state dict: integers and scales, or floats. */
export function readQuantised(
  name: string,
  view: QuantisedView,
  label: string,
  read: ReadStorage,
): [string, Tensor<TensorData>][] {
  const { axis, isWeight } = view;
  const tensor = toTensor(view.integers, label, read);
  const { data, shape } = tensor;
  const lines = shape[axis] ?? 1;
  const of = (numbers: number | TensorView, what: string): number[] => {
    if (typeof numbers === "number") return [numbers];
    const each = Array.from(toTensor(numbers, `${label}: ${what}`, read).data as Float32Array, Number);
    if (each.length !== lines) throw bad(`${label}: ${what}: expected ${lines}, got ${each.length}`);
    return each;
  };
  const scales = of(view.scales, "scales").map(Math.fround);
  const zeroPoints = of(view.zeroPoints, "zero points");
  if (isWeight && isSymmetric(tensor, axis, zeroPoints) && scales.every((scale) => scale > 0)) {
    const each = Float32Array.from({ length: shape[0]! }, (_, row) => scales[scales.length === 1 ? 0 : row]!);
    return [
      [name, tensor],
      [scaleNameOf(name), new Tensor(each, [each.length])],
    ];
  }
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const floats = new Float32Array(data.length);
  for (let at = 0; at < floats.length; at++) {
    const line = Math.floor(at / inner) % lines;
    const scale = scales[scales.length === 1 ? 0 : line]!;
    floats[at] = scale * (Number(data[at]) - zeroPoints[zeroPoints.length === 1 ? 0 : line]!);
  }
  return [[name, new Tensor(floats, shape)]];
}

/** Whether the scheme is that of our int8 matrices: rows of int8, a scale for each, and no zero points. */
function isSymmetric(
  { data, shape }: Tensor<TensorData>,
  axis: number,
  zeroPoints: readonly number[],
): boolean {
  const isMatrix = data instanceof Int8Array && shape.length === 2 && axis === 0 && data.length > 0;
  return isMatrix && zeroPoints.every((zeroPoint) => zeroPoint === 0);
}
