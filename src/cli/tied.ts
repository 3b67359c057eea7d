/** Tensors of a state dict that are the same, such as an embedding's weight that the decoder shares. */
import { createHash } from "node:crypto";
import type { StateDict } from "lstm-wasm";
import { dtypeOf } from "lstm-wasm/formats";

/** Smaller ones are not worth an alias. */
const LEAST_ELEMENTS = 16;

/**
 * The dict without tensors that have another one's shape and numbers, and for their names the name that stays. Tensors
 * of one value are kept: the zeros of two biases are not one weight.
 */
export function withoutCopies(dict: StateDict): { kept: StateDict; aliases: Record<string, string> } {
  const kept: StateDict = new Map();
  const aliases = new Map<string, string>();
  const first = new Map<string, string>();
  for (const [name, tensor] of dict) {
    const { data, shape } = tensor;
    const isOne = data.length < LEAST_ELEMENTS || (data as Float32Array).every((value) => value === data[0]);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = isOne
      ? name
      : `${dtypeOf(tensor)} ${shape.join("x")} ${createHash("sha256").update(bytes).digest("hex")}`;
    const same = isOne ? undefined : first.get(key);
    if (same === undefined) {
      kept.set(name, tensor);
      if (!isOne) first.set(key, name);
    } else {
      aliases.set(name, same);
    }
  }
  return { kept: Object.assign(kept, { metadata: dict.metadata }), aliases: Object.fromEntries(aliases) };
}
