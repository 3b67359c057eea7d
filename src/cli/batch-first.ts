/**
 * Which axis of an input is time. State dicts do not tell, and the wrong one gives an output of the right shape: a
 * batch of 1 with 200 steps becomes one step of a batch of 200.
 */

/**
 * What a pickle of whole modules says of its first one, True or False: the attribute's name, its place in the memo, the
 * value. Undefined if it says nothing.
 */
export function saysBatchFirst(bytes: Uint8Array): boolean | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = file.indexOf("batch_first");
  if (at < 0) return undefined;
  const [, value] =
    /^batch_first(?:q[\s\S]|r[\s\S]{4}|\x94)?([\x88\x89])/.exec(file.toString("latin1", at, at + 20)) ?? [];
  return value === undefined ? undefined : value === "\x88";
}

/** For `inspect`. */
export function explainBatchFirst(said: boolean | undefined): string {
  if (said === undefined)
    return "the weights do not tell batch_first: pass batchFirst: true, or --batch-first to run, if it was set";
  return said
    ? "a module of the file has batch_first=True: pass batchFirst: true, or --batch-first to run"
    : "a module of the file has batch_first=False";
}

/** Steps of a batch with so many times as many rows are rare: the axes may have changed places. */
const SUSPICIOUS = 16;

/** What to say of an input of three axes, if its batch and its time are likely to have changed places. */
export function doubt(
  shape: readonly number[],
  batchFirst: boolean,
  said: boolean | undefined,
): string | undefined {
  const [first, second] = shape;
  if (shape.length !== 3 || first === undefined || second === undefined) return undefined;
  const [steps, rows] = batchFirst ? [second, first] : [first, second];
  const option = batchFirst ? "leave out --batch-first" : "give --batch-first";
  const got = `input [${shape.join(", ")}] is taken for a batch of ${rows} with ${steps} step${steps === 1 ? "" : "s"}`;
  if (said !== undefined && said !== batchFirst) {
    return `${got}, but a module of the file has batch_first=${said ? "True" : "False"}; ${option} to follow it`;
  }
  const isLikely = (steps === 1 && rows > 1) || rows >= SUSPICIOUS * steps;
  return isLikely && said === undefined
    ? `${got}; ${option} if it is a batch of ${steps} with ${rows} steps`
    : undefined;
}
