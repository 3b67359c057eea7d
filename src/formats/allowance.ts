/**
 * What a file may expand to in memory, by deflate, shared storages, strides of 0 or nodes that repeat their input. A
 * hostile file of a few bytes could state any size.
 */

/** Times the size of the file. */
export const MOST_EXPANSION = 16;
const ALWAYS_ALLOWED_BYTES = 64 * 2 ** 20;

/** The bytes that are allowed to a file of this size: 16 times as many, or 64 MB where that is more. */
export function allowedBytes(fileBytes: number): number {
  return Math.max(ALWAYS_ALLOWED_BYTES, MOST_EXPANSION * fileBytes);
}
