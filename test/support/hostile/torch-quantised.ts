/** Quantised tensors whose integers, scales or zero points do not fit or take too much. */
import { call, dict, op, saved, tensor, tuple } from "../torch-writer.js";
import type { HostileFile } from "./readers.js";

const int8 = [
  ...tuple(op.text("storage"), op.global("torch", "QInt8Storage"), op.text("0"), op.text("cpu"), op.int(16)),
  ...op.persistentId,
];

/** A view of 16 integers, each with a scale of its own unless told otherwise. */
function quantised(
  size: readonly number[],
  stride: readonly number[],
  scales: readonly number[],
  axis = op.int(0),
  storage: readonly number[] = int8,
): number[] {
  const scheme = tuple(op.global("torch", "per_channel_affine"), scales, scales, axis);
  return call("torch._utils", "_rebuild_qtensor", storage, op.int(0), size, stride, scheme);
}

const sixteen = [tuple(op.int(16)), tuple(op.int(1))] as const;
const most = 2 ** 23;
const repeated = [tuple(op.int(most)), tuple(op.int(0))] as const;

export const QUANTISED: Omit<HostileFile, "reader">[] = (
  [
    ["fewer scales than rows", quantised(...sixteen, tensor()), "scales: expected 16, got 4"],
    ["scales along no axis", quantised(...sixteen, tensor(), op.int(7)), "scales: expected 1, got 4"],
    [
      "an axis below 0",
      quantised(...sixteen, tensor(), op.int(-1)),
      "it is quantised; save tensor.dequantize()",
    ],
    [
      "scales that are no tensor",
      quantised(...sixteen, op.none),
      "it is quantised; save tensor.dequantize()",
    ],
    [
      "integers of no storage",
      quantised(...sixteen, tensor(), op.int(0), op.none),
      "a quantised tensor of something that is no storage",
    ],
    [
      "8 million integers out of one",
      quantised(...repeated, tensor()),
      "tensors take more than 67108864 bytes",
    ],
    [
      "8 million scales out of one",
      quantised(...sixteen, tensor({ size: repeated[0], stride: repeated[1] })),
      "tensors take more than 67108864 bytes",
    ],
    [
      "integers outside of the storage",
      quantised(tuple(op.int(17)), tuple(op.int(1)), tensor()),
      "reach element 16",
    ],
  ] as const
).map(([name, weight, message]) => ({
  name: `quantised: ${name}`,
  make: () => saved(dict({ weight })),
  message,
}));
