/** Object headers: the messages that make a group, a data set or a named type. */

import { unsupported } from "../bytes.js";
import type { Cursor } from "./cursor.js";
import type { Hdf5File } from "./file.js";

/** Kinds of messages. */
export const DATASPACE = 1;
export const LINK_INFO = 2;
export const DATATYPE = 3;
export const LINK = 6;
export const EXTERNAL_FILES = 7;
export const LAYOUT = 8;
const GROUP_INFO = 10;
export const FILTERS = 11;
export const ATTRIBUTE = 12;
export const CONTINUATION = 16;
export const SYMBOL_TABLE = 17;
export const ATTRIBUTE_INFO = 21;

/** What makes an object a group. */
export const GROUP_MESSAGES = [LINK_INFO, LINK, GROUP_INFO, SYMBOL_TABLE];

const SHARED = 2;
/** A shared message that lies in another object's header, which is so of named types. */
const IN_HEADER = 2;

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** The messages of the header at an address, those of its continuations among them. */
export function readMessages(file: Hdf5File, address: number | undefined): Message[] {
  const what = "object header";
  const isOld = file.view(address, 1, what)[0] === 1;
  const start = file.piece(address, isOld ? 16 : Math.min(34, file.bytes.length - address!), what);
  const blocks: Cursor[] = [];
  let count = Number.POSITIVE_INFINITY;
  let flags = 0;
  if (isOld) {
    start.skip(2);
    count = start.uint(2);
    start.skip(4);
    blocks.push(file.piece(address! + 16, start.uint(4), what));
  } else {
    start.expect("OHDR", 2);
    flags = start.uint(1);
    start.skip((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0));
    const bytes = start.uint(1 << (flags & 3));
    const whole = file.checked(address, start.at + bytes + 4, what);
    whole.skip(start.at);
    blocks.push(whole);
  }
  // Old headers state type, bytes and flags in 8 bytes, new ones in 4, or 6 with the order of creation.
  const head = isOld ? 8 : flags & 4 ? 6 : 4;
  const messages: Message[] = [];
  const seen = new Set<number | undefined>();
  for (const block of blocks) {
    while (block.left >= head && messages.length < count) {
      const type = block.uint(isOld ? 2 : 1);
      const bytes = block.uint(2);
      const its = block.uint(1);
      block.skip(head - (isOld ? 5 : 4));
      const message = { type, flags: its, bytes: block.take(bytes) };
      messages.push(message);
      if (type !== CONTINUATION) continue;
      const name = "header continuation";
      const cursor = file.cursor(message.bytes, name);
      const next = cursor.address();
      cursor.check(!seen.has(next), `at ${next} occurs twice`);
      seen.add(next);
      const length = cursor.length();
      const more = isOld ? file.piece(next, length, name) : file.checked(next, length, name);
      if (!isOld) more.signature("OCHK");
      blocks.push(more);
    }
  }
  start.check(!isOld || messages.length === count, `has ${messages.length} messages, but states ${count}`);
  return messages;
}

/** The content of the first message of a kind; that of another header, if the message refers to it. */
export function findMessage(
  file: Hdf5File,
  messages: readonly Message[],
  type: number,
): Uint8Array | undefined {
  const message = messages.find((candidate) => candidate.type === type);
  if (message === undefined || !(message.flags & SHARED)) return message?.bytes;
  return readShared(file, message.bytes, type);
}

/** The content of a message that another object's header holds. */
export function readShared(file: Hdf5File, bytes: Uint8Array, type: number): Uint8Array {
  const cursor = file.cursor(bytes, "shared message");
  const version = cursor.uint(1);
  const kind = cursor.uint(1);
  if (version > 3 || (version === 3 && kind !== IN_HEADER)) {
    throw unsupported(
      `${cursor.what}s in a heap of their own are not supported; repack the file with h5repack`,
    );
  }
  if (version === 1) cursor.skip(6);
  const messages = readMessages(file, cursor.address());
  const message = messages.find((candidate) => candidate.type === type);
  if (message === undefined || message.flags & SHARED) throw cursor.bad();
  return message.bytes;
}

/** Refuses a message of the kind that is shared, where that does not occur in practice. */
export function own(file: Hdf5File, { bytes, flags }: Message, what: string): Cursor {
  if (flags & SHARED) throw unsupported(`${file.label}: ${what}: shared messages are not supported`);
  return file.cursor(bytes, what);
}
