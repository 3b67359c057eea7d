/**
 * Assertions of the debug build (`npm run build:debug`): a wrong pointer, size or record ends the call with a
 * message and a stack of names. The other builds hold nothing of this file: ASC_NO_ASSERT is a constant of the
 * compiler there. Only the debug build exports what is exported here: tests make its allocations fail.
 */

import { Matrix, Walk } from "./records";

/** A live block of the heap, in a list of its own. */
@unmanaged
class LiveBlock {
  block: usize;
  bytes: usize;
  next: usize;
}

/** Where the address of the newest one is: below all static data, so that every instance over the memory finds the list. */
const NEWEST: usize = 16;

export function noteBlock(block: usize, bytes: usize): void {
  if (ASC_NO_ASSERT) return;
  const node = heap.alloc(offsetof<LiveBlock>());
  const fields = changetype<LiveBlock>(node);
  fields.block = block;
  fields.bytes = bytes;
  fields.next = load<usize>(NEWEST);
  store<usize>(NEWEST, node);
}

export function forgetBlock(block: usize): void {
  if (ASC_NO_ASSERT) return;
  let link = NEWEST;
  for (let node = load<usize>(link); node; node = load<usize>(link)) {
    if (changetype<LiveBlock>(node).block === block) {
      store<usize>(link, changetype<LiveBlock>(node).next);
      heap.free(node);
      return;
    }
    link = node + offsetof<LiveBlock>("next");
  }
  assert(false, "free: not a live block");
}

let untilRefusal: i32 = 0;

/** Allocation number `number` from now on, counted from 1, fails as where memory cannot grow; 0 for none. */
export function refuseAllocation(number: i32): void {
  untilRefusal = number;
}

/** Fails where `refuseAllocation` said so. */
export function refuse(): void {
  if (ASC_NO_ASSERT) return;
  if (untilRefusal > 0 && --untilRefusal === 0) unreachable();
}

/** How many blocks of the heap are live. */
export function liveBlocks(): i32 {
  let count = 0;
  for (let node = load<usize>(NEWEST); node; node = changetype<LiveBlock>(node).next) count++;
  return count;
}

/** Asserts that `count` numbers of 4 bytes, aligned to 4, lie in one live block. */
export function assertNumbers(address: usize, count: i32): void {
  if (ASC_NO_ASSERT) return;
  assert(count >= 0, "a count below zero");
  assert(address % 4 === 0, "an address that is not aligned to 4");
  assertBytes(address, (<usize>count) << 2);
}

/** Asserts that `rows` rows of whole vectors, `row` bytes apart, lie in one live block and are aligned to 16. */
export function assertRows(address: usize, rows: i32, row: usize): void {
  if (ASC_NO_ASSERT) return;
  assert(rows >= 0, "a number of rows below zero");
  assert(address % 16 === 0 && row % 16 === 0, "rows that are not aligned to 16");
  assertBytes(address, <usize>rows * row);
}

/** Asserts that a walk stays inside its matrix, whose bias and last block lie in live blocks. */
export function assertWalk(matrix: usize, walk: usize): void {
  if (ASC_NO_ASSERT) return;
  const fields = changetype<Matrix>(matrix);
  const range = changetype<Walk>(walk);
  assert(
    0 <= range.fromBlock && range.fromBlock <= range.toBlock && range.toBlock <= fields.blocks,
    "a walk past the matrix's blocks",
  );
  assertRows(fields.bias, 1, fields.outputRow);
  assertRows(fields.panel + <usize>(fields.blocks - 1) * fields.blockBytes, 1, 16);
}

function assertBytes(address: usize, bytes: usize): void {
  if (bytes === 0) return;
  for (let node = load<usize>(NEWEST); node; node = changetype<LiveBlock>(node).next) {
    const fields = changetype<LiveBlock>(node);
    if (address >= fields.block && address + bytes <= fields.block + fields.bytes) return;
  }
  assert(false, "a buffer that is not inside one live block");
}
