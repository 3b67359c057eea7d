/**
 * What a file may expand to in memory. Deflate, shared storages, strides of 0 and nodes that repeat their
 * input all make more of a file than it holds. Without a limit, a hostile file of a few bytes could fill the
 * memory.
 */

/** How many times its size a file may expand. */
export const MOST_EXPANSION = 16;
const ALWAYS_ALLOWED_BYTES = 64 * 2 ** 20;

/** The bytes that are allowed to a file of this size: 16 times as many, or 64 MB where that is more. */
export function allowedBytes(fileBytes: number): number {
  return Math.max(ALWAYS_ALLOWED_BYTES, MOST_EXPANSION * fileBytes);
}
