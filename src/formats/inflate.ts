/** Inflates what states its size. Never more than that is kept, so a deflate bomb is refused before it unpacks. */

import { Inflate, inflateSync } from "fflate";
import { FormatError } from "./bytes.js";

/**
 * Compressed bytes inflated at once. Deflate expands at most 1032 times, so at most 16 MB come before a
 * check.
 */
const CHUNK_BYTES = 16384;
const MOST_DEFLATE_EXPANSION = 1032;
/** Up to this many compressed bytes inflate in one go: a stream's window takes longer to make than they do. */
const FEW_BYTES = 2048;

/**
 * The content of raw deflate data, which must be exactly so many bytes.
 * @param label begins messages
 */
export function inflateExactly(
  compressed: Uint8Array,
  bytes: number,
  label: string,
): Uint8Array<ArrayBuffer> {
  if (bytes > compressed.length * MOST_DEFLATE_EXPANSION) {
    throw new FormatError(
      `${label} states ${bytes} bytes, more than its ${compressed.length} can inflate to`,
    );
  }
  const content = new Uint8Array(bytes);
  let filled = 0;
  let ended = false;
  const take = (part: Uint8Array, final: boolean) => {
    if (filled + part.length > bytes) {
      throw new FormatError(`${label} inflates to more than the ${bytes} bytes it states`);
    }
    content.set(part, filled);
    filled += part.length;
    ended = final;
  };
  try {
    if (compressed.length <= FEW_BYTES) {
      // What does not fit is dropped. The byte more tells whether something was.
      take(inflateSync(compressed, { out: new Uint8Array(bytes + 1) }), true);
    } else {
      const inflater = new Inflate(take);
      for (let at = 0; at < compressed.length; at += CHUNK_BYTES) {
        const end = at + CHUNK_BYTES;
        inflater.push(compressed.subarray(at, end), end >= compressed.length);
      }
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${label} does not inflate: ${(error as Error).message}`);
  }
  if (!ended || filled !== bytes)
    throw new FormatError(`${label} inflates to ${filled} bytes, but states ${bytes}`);
  return content;
}
