/** Tensors of a file that have no equal here, beside those that were read. */

import { reading } from "./checks.js";

/** A tensor that a reader passed over. */
export interface SkippedTensor {
  /** The name that it would have in the state dict. */
  readonly name: string;
  /** What it is, and what to do: `"it is complex; save torch.view_as_real(tensor)"`. */
  readonly reason: string;
}

export interface Skipped {
  /** What the file has besides. `fromStateDict` and `loadStateDict` throw the reason where they need one of these. */
  readonly skipped: readonly SkippedTensor[] | undefined;
}

/** The same dict, which tells what was skipped. That is no entry, and is not listed among its keys. */
export function withSkipped<Dict extends object>(
  dict: Dict,
  skipped: readonly SkippedTensor[],
): Dict & { readonly skipped: readonly SkippedTensor[] } {
  const told = { value: Object.freeze(skipped), writable: false };
  return Object.defineProperty(dict as Dict & { skipped: readonly SkippedTensor[] }, "skipped", told);
}

/** Why tensors of a state dict were skipped, by their names. @throws TypeError where it does not tell so */
export function reasonsIn(dict: unknown): Map<string, string> {
  return reading("dict.skipped", "an array of { name, reason }", () => {
    const reasons = new Map<string, string>();
    const skipped = dict instanceof Map && (dict as Partial<Skipped>).skipped;
    for (const { name, reason } of skipped || []) reasons.set(name, reason);
    return reasons;
  });
}
