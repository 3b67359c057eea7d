import type { TensorData } from "../../tensor/like.js";

/** Copies `count` numbers. A view and a call cost as much as 16 numbers; rows may be of one. */
export function copyRun(
  source: TensorData,
  from: number,
  target: TensorData,
  to: number,
  count: number,
): void {
  if (count > 16) target.set(source.subarray(from, from + count) as never, to);
  else for (let at = 0; at < count; at++) target[to + at] = source[from + at]!;
}
