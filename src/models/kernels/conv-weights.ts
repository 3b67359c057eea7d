/** The weights of convolutions as matrices of (outputs, channels * taps), packed once for a model. */

import type { Data, HostTensor } from "../../graph/ir.js";
import type { Convolution } from "../../graph/operators/conv.js";
import { elementsIn } from "../../graph/shapes.js";
import { allocateWeights } from "../../wasm/precision.js";
import type { Region } from "../../wasm/region.js";
import type { Weights } from "../../wasm/weights.js";
import type { Compiling } from "../operator.js";

export interface Packing {
  readonly conv: Convolution;
  /** Groups that are multiplied together. */
  readonly joined: number;
  readonly isTransposed: boolean;
}

/** What nodes of one weight tensor have made of it. */
interface Variant {
  readonly key: string;
  readonly bias: Data | undefined;
  readonly weights: readonly Weights[];
}

/** The packed weights of each group, made once for all nodes and plans that have them. */
export function packedOf({ call, shared }: Compiling, packing: Packing): readonly Weights[] {
  const [, weight, bias] = call.inputs as readonly HostTensor[];
  const key = JSON.stringify([packing.conv.group, packing.joined, packing.isTransposed]);
  const made = shared(weight!.data, "convolutions", (region) => ({ region, variants: [] as Variant[] }));
  const known = made.variants.find((other) => other.key === key && other.bias === bias?.data);
  if (known !== undefined) return known.weights;
  const weights = pack(made.region, packing, weight!, bias);
  made.variants.push({ key, bias: bias?.data, weights });
  return weights;
}

/** The matrix of each group: (units, channels * taps). */
function pack(
  region: Region,
  { conv: { group, inChannels, outChannels, window }, joined, isTransposed }: Packing,
  weight: HostTensor,
  bias: HostTensor | undefined,
): readonly Weights[] {
  const [inEach, outEach] = [inChannels / group, outChannels / group];
  const taps = elementsIn(window.kernel);
  const columns = joined * inEach * taps;
  return Array.from({ length: group / joined }, (_, index) => {
    const data = new Float32Array(joined * outEach * columns);
    for (let row = 0; row < joined * outEach; row++) {
      const inner = Math.floor(row / outEach);
      const own = index * joined + inner;
      for (let channel = 0; channel < inEach; channel++) {
        const to = row * columns + (inner * inEach + channel) * taps;
        // (in, out / groups, ...) of a transposed one, (out, in / groups, ...) of others.
        const from = isTransposed
          ? ((own * inEach + channel) * outEach + (row % outEach)) * taps
          : ((own * outEach + (row % outEach)) * inEach + channel) * taps;
        for (let tap = 0; tap < taps; tap++) {
          data[to + tap] = weight.data[from + (isTransposed ? taps - 1 - tap : tap)]!;
        }
      }
    }
    const weights = allocateWeights(region, "float32", joined * outEach, columns);
    region.borrow(weights.stagingBytes, (staging) => {
      weights.store(staging, "weights", data);
      if (bias === undefined) return;
      const begin = index * joined * outEach;
      weights.store(staging, "bias", Float32Array.from(bias.data.subarray(begin, begin + joined * outEach)));
    });
    return weights;
  });
}
