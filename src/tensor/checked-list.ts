/** A list that a caller gives. */

import { isArray, reading, wrongShape, wrongType } from "./checks.js";
import { MOST_TENSORS } from "./like.js";

/**
 * A copy of an array, each item read once.
 * @throws TypeError for anything but an array; RangeError for one longer than a state dict may be
 */
export function checkedList<Item>(
  list: unknown,
  name: string,
  expected: string,
  check: (item: unknown, name: string) => Item,
): Item[] {
  if (!isArray(list)) throw wrongType(name, expected, list);
  return reading(name, expected, () => {
    const { length } = list;
    if (!(length <= MOST_TENSORS)) throw wrongShape(`${name}.length`, `at most ${MOST_TENSORS}`, length);
    return Array.from({ length }, (_, at) => check(list[at], `${name}[${at}]`));
  });
}
