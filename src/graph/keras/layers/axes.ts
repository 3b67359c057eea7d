/** Axes as configs state them. */

import { show } from "../../../tensor/checks.js";
import type { LayerCall } from "../layer-call.js";

/** An axis counted from the first one on, which is not that of the batch. */
export function axisOf(call: LayerCall, stated: unknown, rank: number, key = "axis"): number {
  const axis = Number.isSafeInteger(stated) ? (stated as number) : Number.NaN;
  const counted = axis < 0 ? axis + rank : axis;
  if (!(counted >= 1 && counted < rank)) {
    call.refuse(`${key}: expected an axis from 1 to ${rank - 1}, got ${show(stated)}`);
  }
  return counted;
}
